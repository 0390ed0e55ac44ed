#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The kernel's twins: what an administrator and routing daemons do on an interface works on vti0.
. "$(dirname "$0")/lib.sh"
needs tcpdump python3 bird birdc

both_up aes128gcm16
gw() { # SITE COMMAND..
	ns "gw-$1" "${@:2}"
}

check "ping -I vti0 from gw-a to gw-b" gw a ping -q -c 3 -i 0.05 -W 1 -I vti0 10.255.0.2
check "ping -I vti0 over IPv6" gw a ping -q -c 3 -i 0.05 -W 1 -I vti0 fd00:255::2

gw a tcpdump -n -U -i vti0 -w "$STATE/vti0.pcap" 2>"$STATE/tcpdump.log" &
capture=$!
on_exit "kill $capture"
wait_for 5 grep -q listening "$STATE/tcpdump.log"
sleep 0.3
check "forwarded traffic while capturing" no_loss host-a 10 0.02 10.2.0.2
check "the gateway's own traffic while capturing" no_loss gw-a 10 0.02 10.255.0.2
sleep 0.3
kill "$capture"
wait "$capture" 2>/dev/null
n() { tcpdump -n -r "$STATE/vti0.pcap" "$1" 2>/dev/null | wc -l; }
equal "tcpdump -i vti0 shows forwarded requests" "$(n 'icmp[icmptype] == 8 and src 10.1.0.2')" 10
equal "tcpdump -i vti0 shows forwarded replies" "$(n 'icmp[icmptype] == 0 and dst 10.1.0.2')" 10
check "tcpdump -i vti0 shows the gateway's own" test "$(n 'src 10.255.0.1')" -ge 10

gw b timeout 20 python3 -c '
import socket
s = socket.create_server(("10.255.0.2", 7777))
c, peer = s.accept()
n = 0
while True:
    d = c.recv(65536)
    if not d:
        break
    n += len(d)
c2 = open("'"$STATE"'/tcp", "w").write("%d %s" % (n, peer[0]))
' &
sleep 0.3
check "TCP to a listener bound to the VTI's address" gw a timeout 10 python3 -c '
import socket, time
for i in range(50):
    try:
        s = socket.create_connection(("10.255.0.2", 7777), 1); break
    except OSError: time.sleep(0.1)
s.sendall(b"x" * 1000000); s.close()'
wait_for 5 test -s "$STATE/tcp"
equal "it received every byte, from the VTI's own address" "$(cat "$STATE/tcp")" "1000000 10.255.0.1"

for s in a b; do
	mkdir -p "$STATE/bird-$s"
	cat >"$STATE/bird-$s/bird.conf" <<-X
		log "$STATE/bird-$s/log" all;
		router id 10.255.0.${SITE_NUM[$s]};
		protocol device { scan time 1; }
		protocol kernel k4 { ipv4 { export all; }; }
		protocol kernel k6 { ipv6 { export all; }; }
		protocol direct { ipv4; ipv6; interface "lan0"; }
		protocol static { ipv4; route 10.10${SITE_NUM[$s]}.0.0/16 blackhole; }
		protocol ospf v2 o4 {
			ipv4 { export where source = RTS_STATIC; };
			area 0 { interface "vti0" { type pointopoint; hello 1; dead count 4; }; };
		}
		protocol ospf v3 o6 {
			ipv6 { export where source = RTS_DEVICE; };
			area 0 { interface "vti0" { type pointopoint; hello 1; dead count 4; }; };
		}
	X
	LOGS+=("$STATE/bird-$s/log")
	gw $s bird -f -c "$STATE/bird-$s/bird.conf" -s "$STATE/bird-$s/ctl" -P "$STATE/bird-$s/pid" >/dev/null 2>&1 &
	on_exit "kill \$(cat $STATE/bird-$s/pid)"
done
ospf_full() { [ "$(birdc -s "$STATE/bird-a/ctl" show ospf neighbors "$1" | grep -c Full)" = 1 ]; }
check "OSPFv2 over vti0 reaches Full" wait_for 30 ospf_full o4
check "OSPFv3 over vti0 reaches Full" wait_for 30 ospf_full o6
check "an OSPF route reaches viaductd's table" wait_for 15 sh -c "$VIADUCTCTL -s $STATE/gw-a/run/viaduct/viaduct.sock route get 10.102.0.1 | grep -q vti0"

before=$(drops a blackhole)
ip -n "${PREFIX}gw-a" route add blackhole 10.2.99.0/24
wait_for 5 sh -c "$VIADUCTCTL -s $STATE/gw-a/run/viaduct/viaduct.sock route get 10.2.99.1 | grep -q blackhole"
ns host-a ping -q -c 3 -i 0.1 -W 1 10.2.99.1 >/dev/null
equal "a blackhole route drops by name" $(($(drops a blackhole) - before)) 3

check "an unresolved neighbour is resolved by the kernel" no_loss host-b 3 0.1 10.1.0.2
ip -n "${PREFIX}gw-a" neigh flush dev lan0
check "traffic goes on after the neighbours were flushed" no_loss host-b 20 0.02 10.1.0.2
ip -n "${PREFIX}gw-a" link set vti0 down
before=$(drops a vti_down)
ns host-a ping -q -c 2 -i 0.1 -W 1 10.2.0.2 >/dev/null
ip -n "${PREFIX}gw-a" link set vti0 up
ip -n "${PREFIX}gw-a" route replace 10.2.0.0/16 dev vti0
check "traffic returns when vti0 is up again" wait_for 5 no_loss host-a 3 0.1 10.2.0.2
finish
