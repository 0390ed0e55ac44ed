#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# gw-a's NAT forgets it and gives it another port, then another address, under traffic: gw-b hears of
# it from the first authentic packet, and both directions go on. Forged and repeated packets from
# elsewhere change nothing.
. "$(dirname "$0")/lib.sh"
needs /usr/lib/ipsec/charon swanctl python3 tcpdump

OTHER=198.51.100.200 # the NAT's second address
SLACK=40 # packets of 5 ms that may be lost besides those before gw-b followed

# nat ADDRESS PORT: gw-a's port 4500 is that from now on; the former mapping is gone at once. Without
# state of the kernel's, so that a change is a change.
nat() {
	ns wan nft -f - <<-X
		table ip nat {
			chain out { type filter hook postrouting priority 100; }
			chain in { type filter hook prerouting priority -300; }
		}
		flush table ip nat
		table ip nat {
			chain out {
				type filter hook postrouting priority 100
				ip saddr ${SITE_WAN4[a]} udp sport 500 oifname "wan-b" udp sport set $(($2 + 1)) ip saddr set $1
				ip saddr ${SITE_WAN4[a]} udp sport 4500 oifname "wan-b" udp sport set $2 ip saddr set $1
			}
			chain in {
				type filter hook prerouting priority -300
				iifname "wan-b" ip daddr $1 udp dport $(($2 + 1)) udp dport set 500 ip daddr set ${SITE_WAN4[a]}
				iifname "wan-b" ip daddr $1 udp dport $2 udp dport set 4500 ip daddr set ${SITE_WAN4[a]}
			}
		}
	X
}

sends_to() { # where gw-b sends to, as ADDRESS:PORT
	json b sa show "next('%s:%d' % (x['dst'], x['dport']) for x in d if x['dir'] == 'out')"
}

sends_to_is() {
	[ "$(sends_to)" = "$1" ]
}

events() {
	grep -c '"mapping"' "$STATE/events"
}

lost() { # FILE: of what ping sent
	sed -n 's/\([0-9]*\) packets transmitted, \([0-9]*\) received.*/\1 \2/p' "$1" | awk '{ print $1 - $2 }'
}

# What gw-b sends to the old mapping is lost, requests of host-b and answers to host-a, until a packet
# of gw-a's has told it of the new one. All that gw-a sends arrives.
lost_few() { # TEXT FILE MOST
	local n
	n=$(lost "$STATE/$2")
	check "$1: $n of 500, at most $3" test "$n" -le "$3"
}

# change TEXT ADDRESS PORT: the NAT changes in the midst of traffic in both directions
change() {
	local before spis a b start gone
	before=$(events) spis=$(json b sa show "sorted(x['spi'] for x in d)")
	ns host-a ping -q -i 0.005 -c 500 -W 1 10.2.0.2 >"$STATE/ping-a" 2>&1 &
	a=$!
	ns host-b ping -q -i 0.005 -c 500 -W 1 10.1.0.2 >"$STATE/ping-b" 2>&1 &
	b=$!
	sleep 1
	nat "$2" "$3"
	start=$EPOCHREALTIME
	check "$1: gw-b follows" wait_for 3 sends_to_is "$2:$3"
	gone=$(((${EPOCHREALTIME/./} - ${start/./}) / 5000))
	wait $a
	wait $b
	check "$1: an event told of it" test "$(events)" -gt "$before"
	equal "$1: the same SAs" "$(json b sa show "sorted(x['spi'] for x in d)")" "$spis"
	lost_few "$1: lost from gw-a" ping-a $((gone + SLACK))
	lost_few "$1: lost from gw-b" ping-b $((gone + SLACK))
	check "$1: IPv4" no_loss host-a 50 0.01 10.2.0.2
	check "$1: IPv6" no_loss host-b 50 0.01 2001:db8:1::2
}

# A packet of gw-a's, seen on its way to gw-b, and once more from port 31337; or with another sequence
# number and the ICV that does not fit any more.
once_more() { # repeated | forged
	ns wan timeout 10 python3 - "$1" "${SITE_WAN4[b]}" <<-'X' &
		import socket, struct, sys
		sniff = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
		sniff.bind(("wan-a", 0))
		while True:
		    p = sniff.recv(2000)
		    if p[9] == 17 and p[22:24] == struct.pack("!H", 4500) and p[28:32] != b"\0\0\0\0" and len(p) > 80:
		        break
		esp = bytearray(p[28:])
		if sys.argv[1] == "forged":
		    esp[4:8] = struct.pack("!I", struct.unpack("!I", esp[4:8])[0] + 100)
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.bind(("", 31337))
		import time
		time.sleep(0.2) # the real one first
		s.sendto(bytes(esp), (sys.argv[2], 4500))
	X
	local pid=$!
	sleep 0.4
	ns host-a ping -q -c 1 -W 1 10.2.0.2 >/dev/null
	wait $pid
	sleep 0.3
}

sites_wire
ns wan ip addr add $OTHER/24 dev wan-b
nat "${SITE_GW4[b]}" 20000 || skip "needs nftables"
gw_config a "$(vti_conf a vti0 "if_id = 1;")"
gw_config b "vtis = ( { name = \"vti0\"; local = \"${SITE_WAN4[b]}\"; if_id = 1; } );"
for s in a b; do
	gw_start $s
	gw_addresses $s
	ike_conf $s aes128gcm16 "if_id_in = 1" "if_id_out = 1" |
		if [ $s = a ]; then cat; else sed 's/remote_addrs = .*/remote_addrs = %any/'; fi >"$STATE/gw-$s/swanctl.conf"
	charon_start $s "$STATE/gw-$s/swanctl.conf"
done
check "negotiate" initiate a
for s in a b; do
	check "carrier at gw-$s" wait_for 5 carrier $s vti0
	vti_up $s
done
check "first packet" wait_for 5 ns host-a ping -q -c 1 -W 1 10.2.0.2
"$VIADUCTCTL" -s "$STATE/gw-b/run/viaduct/viaduct.sock" --json monitor mapping >"$STATE/events" &
on_exit "stop_pid $!"
sleep 0.2
equal "gw-b sends to" "$(sends_to)" "${SITE_GW4[b]}:20000"

change "another port" "${SITE_GW4[b]}" 21000
change "another address" $OTHER 21000
change "both" "${SITE_GW4[b]}" 22000

before=$(events)
once_more forged
equal "a forged packet from elsewhere is dropped" "$(drops b esp_icv)" 1
once_more repeated
equal "a repeated packet from elsewhere is dropped" "$(drops b esp_replay)" 1
equal "neither is an event" "$(events)" "$before"
equal "gw-b sends where it did" "$(sends_to)" "${SITE_GW4[b]}:22000"
check "traffic goes on" no_loss host-b 50 0.01 10.1.0.2
finish
