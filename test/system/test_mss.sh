#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# TCP through a tunnel works with every ICMP message lost, because its MSS is clamped; without that it
# hangs.
. "$(dirname "$0")/lib.sh"
needs /usr/lib/ipsec/charon swanctl python3 iperf3

both_up aes128gcm16

# The way between the gateways is narrow, and nobody tells: the tunnel's MTU is set by hand.
mtu=1280
for s in a b; do
	ip -n "${PREFIX}wan" link set "wan-$s" mtu 1340
	check "MTU $mtu at gw-$s" ctl "$s" vti set vti0 mtu $mtu
done
no_icmp() { # NAMESPACE: neighbour discovery is left
	ns "$1" nft -f - <<-X
		add table inet lost
		add chain inet lost in { type filter hook input priority 0; }
		add chain inet lost through { type filter hook forward priority 0; }
		add chain inet lost out { type filter hook output priority 0; }
		add rule inet lost in meta l4proto icmp drop
		add rule inet lost in icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, echo-request, echo-reply } drop
		add rule inet lost through meta l4proto { icmp, ipv6-icmp } drop
		add rule inet lost out meta l4proto icmp drop
		add rule inet lost out icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, echo-request, echo-reply } drop
	X
}
for n in host-a wan host-b; do
	check "no ICMP at $n" no_icmp "$n"
done
check "ping gets no answer any more" sh -c "! ip netns exec ${PREFIX}host-a ping -q -c 1 -W 1 10.2.0.2"

transfer() { # SECONDS ADDRESS [OPTION]: 2 MB from host-a to host-b (-R: back) in that time
	local server rc
	ns host-b iperf3 -s -1 >"$STATE/iperf3.log" 2>&1 &
	server=$!
	wait_for 3 sh -c "ip netns exec ${PREFIX}host-b ss -Htln 'sport = :5201' | grep -q ." || return 2
	ns host-a timeout "$1" iperf3 -c "$2" -n 2M "${@:3}"
	rc=$?
	kill $server 2>/dev/null
	wait $server 2>/dev/null
	return $rc
}

works() { # TEXT
	check "$1: IPv4" transfer 10 10.2.0.2
	check "$1: IPv4, the other way" transfer 10 10.2.0.2 -R
	check "$1: IPv6" transfer 10 2001:db8:2::2
	check "$1: IPv6, the other way" transfer 10 2001:db8:2::2 -R
}

hangs() { # ADDRESS
	! transfer 4 "$1"
}

equal "clamping is on by default" "$(json a vti show vti0 "d[0]['mss']")" auto
works "both gateways clamp"
check "off at gw-b" ctl b vti set vti0 mss off
works "only gw-a clamps"
check "off at gw-a" ctl a vti set vti0 mss off
check "without clamping IPv4 hangs" hangs 10.2.0.2
check "without clamping IPv6 hangs" hangs 2001:db8:2::2
check "a value: 500" ctl a vti set vti0 mss 500
works "at most 500"
check "automatic again" ctl a vti set vti0 mss auto
works "automatic again"
finish
