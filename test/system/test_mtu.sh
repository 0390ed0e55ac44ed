#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The tunnel's MTU is computed, and what is larger is fragmented or answered, never lost.
. "$(dirname "$0")/lib.sh"
needs /usr/lib/ipsec/charon swanctl python3

both_up aes128gcm16
# 1500 - 20 (IPv4) - 8 (ESP) - 8 (IV) - 16 (ICV) - 2 (trailer), padded to 4 bytes
mtu=1446
equal "vti0's MTU from path and cipher" "$(json a vti show vti0 "d[0]['mtu']")" $mtu
check "and so says its twin" sh -c "ip -n ${PREFIX}gw-a link show vti0 | grep -q 'mtu $mtu'"
big() { # FAMILY-ADDRESS SIZE-OF-IP-PACKET DF-OPTION
	local header=28
	case $1 in *:*) header=48 ;; esac
	ns host-a ping -q -c 3 -i 0.05 -W 1 -M "$3" -s $(($2 - header)) "$1"
}
check "IPv4: exactly $mtu with DF passes" big 10.2.0.2 $mtu do
flush() { ns host-a ip route flush cache; ns host-a ip -6 route flush cache; }
out=$(ns host-a ping -c 1 -W 1 -M do -s $((mtu + 1 - 28)) 10.2.0.2 2>&1)
check "IPv4: one byte more with DF is answered with mtu $mtu" sh -c "printf '%s' \"\$0\" | grep -q 'mtu *= *$mtu'" "$out"
flush
check "IPv4: 1500 without DF is fragmented" big 10.2.0.2 1500 dont
flush
check "IPv4: 4000 without DF, fragmented by the host and again" big 10.2.0.2 4000 dont
check "IPv6: exactly $mtu passes" big 2001:db8:2::2 $mtu do
out=$(ns host-a ping -c 1 -W 1 -M do -s $((mtu + 1 - 48)) 2001:db8:2::2 2>&1)
check "IPv6: one byte more is answered with mtu $mtu" sh -c "printf '%s' \"\$0\" | grep -qi 'mtu *= *$mtu'" "$out"
flush
check "IPv6: 1500, after Packet Too Big" wait_for 3 big 2001:db8:2::2 1500 dont
check "vti set mtu overrides" ctl a vti set vti0 mtu 1300
equal "and is shown" "$(json a vti show vti0 "d[0]['mtu']")" 1300
check "0 computes it again" ctl a vti set vti0 mtu 0
equal "as before" "$(json a vti show vti0 "d[0]['mtu']")" $mtu

# Without addresses of its own a tunnel still answers: from another of the gateway's addresses.
for s in a b; do
	ip -n "${PREFIX}gw-$s" addr flush dev vti0 scope global
done
ip -n "${PREFIX}gw-a" route add 10.2.0.0/16 dev vti0 # with the last address went the IPv4 routes
ip -n "${PREFIX}gw-b" route add 10.1.0.0/16 dev vti0
hop() { # ADDRESS: who says that a packet with TTL 2 went no further; empty: nobody
	ns host-a ping -n -c 1 -W 1 -t 2 "$1" 2>&1 | awk '/^From/ && /[Tt]ime/ { print $2 }'
}
check "unnumbered vti0: IPv4 still passes" no_loss host-a 3 0.05 10.2.0.2
equal "traceroute shows gw-b, IPv4" "$(hop 10.2.0.2)" 10.2.0.1
equal "traceroute shows gw-b, IPv6" "$(hop 2001:db8:2::2)" 2001:db8:2::1
finish
