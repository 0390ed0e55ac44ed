#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# traceroute through the tunnel shows both gateways: UDP, ICMP and TCP probes, both families, with
# addresses on the VTIs and without.
. "$(dirname "$0")/lib.sh"
needs /usr/lib/ipsec/charon swanctl python3 traceroute

both_up aes128gcm16
# The host's kernel limits its port unreachables to one a second.
check "host-b answers every probe" ns host-b sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0

hops() { # ADDRESS OPTION..: who answers, hop by hop
	ns host-a traceroute -n -q 1 -w 2 -m 6 "${@:2}" "$1" | awk '/^ *[0-9]+ / { printf "%s%s", sep, $2; sep = " " }'
}

# shows TEXT FAR-GATEWAY4 FAR-GATEWAY6: each kind of probe sees gw-a, that far gateway, and the host
shows() {
	local probe option
	for probe in UDP: ICMP:-I TCP:-T; do
		option=${probe#*:} probe=${probe%:*}
		equal "$1, IPv4 by $probe" "$(hops 10.2.0.2 $option)" "10.1.0.1 $2 10.2.0.2"
		equal "$1, IPv6 by $probe" "$(hops 2001:db8:2::2 $option)" "2001:db8:1::1 $3 2001:db8:2::2"
	done
}

shows "numbered VTI" 10.255.0.2 fd00:255::2

# Three probes for each gateway, all at once: none is limited away.
out=$(ns host-a traceroute -n -w 2 -m 2 10.2.0.2)
equal "no probe is lost" "$(printf '%s' "$out" | grep -c '\*')" 0

# Packet Too Big from the gateway: the tunnel's MTU, in either family
mtu=$(json a vti show vti0 "d[0]['mtu']")
found() { # ADDRESS: what traceroute --mtu says after the first hop
	ns host-a traceroute -n -w 2 -m 6 --mtu "$1" | grep -o 'F=[0-9]*' | tail -n 1
}
equal "traceroute --mtu, IPv4" "$(found 10.2.0.2)" "F=$mtu"
equal "traceroute --mtu, IPv6" "$(found 2001:db8:2::2)" "F=$mtu"
ns host-a ip route flush cache
ns host-a ip -6 route flush cache

# Of what has no way at the far gateway it tells, through the tunnel.
answer() { # ADDRESS: who says what, of one ping
	ns host-a ping -n -c 1 -W 2 "$1" 2>&1 | awk '/^From/ { print tolower($0); exit }'
}
for kind in unreachable prohibit; do
	ip -n "${PREFIX}gw-b" route add $kind 10.2.77.0/24
	ip -n "${PREFIX}gw-b" route add $kind 2001:db8:2:77::/64
	check "gw-b has the $kind routes" wait_for 3 sh -c \
		"\"\$0\" -s '$STATE/gw-b/run/viaduct/viaduct.sock' route show | grep -q 2001:db8:2:77::" "$VIADUCTCTL"
	case $kind in
	unreachable) four='destination host unreachable' six='destination unreachable: address unreachable' ;;
	prohibit) four='packet filtered' six='destination unreachable: administratively prohibited' ;;
	esac
	equal "$kind route, IPv4" "$(answer 10.2.77.1)" "from 10.255.0.2 icmp_seq=1 $four"
	equal "$kind route, IPv6" "$(answer 2001:db8:2:77::1)" "from fd00:255::2 icmp_seq=1 $six"
	ip -n "${PREFIX}gw-b" route del $kind 10.2.77.0/24
	ip -n "${PREFIX}gw-b" route del $kind 2001:db8:2:77::/64
done

# A host that is not there: the kernel asks for it three times, once a second.
absent() { # ADDRESS: who says what, of one ping
	ns host-a ping -n -c 1 -W 6 "$1" 2>&1 | awk '/^From/ { print tolower($0); exit }'
}
equal "absent host, IPv4" "$(absent 10.2.0.77)" "from 10.255.0.2 icmp_seq=1 destination host unreachable"
equal "absent host, IPv6" "$(absent 2001:db8:2::77)" "from fd00:255::2 icmp_seq=1 destination unreachable: address unreachable"

for s in a b; do
	ip -n "${PREFIX}gw-$s" addr flush dev vti0 scope global
	ip -n "${PREFIX}gw-$s" route replace "10.${SITE_NUM[${SITE_PEER[$s]}]}.0.0/16" dev vti0 # gone with the address
done
check "unnumbered VTIs: packets still pass" wait_for 3 no_loss host-a 3 0.05 10.2.0.2
shows "unnumbered VTI, address of another interface" 10.2.0.1 2001:db8:2::1

ip -n "${PREFIX}gw-b" addr add 10.99.0.2/32 dev lo
ip -n "${PREFIX}gw-b" addr add 2001:db8:99::2/128 dev lo nodad
check "a loopback address is seen" wait_for 3 sh -c \
	"[ \"\$(ip netns exec ${PREFIX}host-a traceroute -n -q 1 -w 1 -f 2 -m 2 2001:db8:2::2 | awk 'END { print \$2 }')\" = 2001:db8:99::2 ]"
shows "unnumbered VTI, loopback address" 10.99.0.2 2001:db8:99::2
equal "the gateways suppressed no error" "$(drops a icmp_suppressed) $(drops b icmp_suppressed)" "0 0"
finish
