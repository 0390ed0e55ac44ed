#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Ports of every kind that needs no card, with real packets through each:
#
#   host-a --- net_tap  gw-a  net_memif === net_memif  gw-b  net_af_xdp --- host-b
#
# with a tunnel keyed by hand over the memif; then capture files (net_pcap) whose ESP scapy opens;
# then a ring that loops (net_ring) and a sink (net_null).
. "$(dirname "$0")/lib.sh"
SCAPY_PYTHON=/usr/bin/python3 # Debian's, which has Debian's scapy
needs "$SCAPY_PYTHON" python3
"$SCAPY_PYTHON" -c 'import scapy.layers.ipsec' 2>/dev/null || skip "needs python3-scapy and python3-cryptography"

# The two gateways are neighbours on the memif: no router is between them.
SITE_WAN4=([a]=192.0.2.1 [b]=192.0.2.2) SITE_GW4=([a]=192.0.2.2 [b]=192.0.2.1)
SITE_WAN6=([a]=2001:db8:ff::1 [b]=2001:db8:ff::2) SITE_GW6=([a]=2001:db8:ff::2 [b]=2001:db8:ff::1)
ENC=000102030405060708090a0b0c0d0e0f
AUTH=202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f
MEMIF=$STATE/memif.sock

# manual SITE: the VTI, and SPI 10000 from gw-a to gw-b, 10001 back
manual() {
	local a=${SITE_WAN4[a]} b=${SITE_WAN4[b]} out=out in=in
	[ "$1" = a ] || { out=in in=out; }
	ctl "$1" vti add vti0 local "${SITE_WAN4[$1]}" remote "${SITE_WAN4[${SITE_PEER[$1]}]}" reqid 100 &&
		ctl "$1" sa add src "$a" dst "$b" spi 10000 dir $out reqid 100 enc aes-cbc key 0x$ENC \
			auth hmac-sha2-256-128 auth-key 0x$AUTH &&
		ctl "$1" sa add src "$b" dst "$a" spi 10001 dir $in reqid 100 enc aes-cbc key 0x$ENC \
			auth hmac-sha2-256-128 auth-key 0x$AUTH
}

port() { # SITE PORT FIELD
	json "$1" port show "next({**x, **x['stats']} for x in d if x['name'] == '$2')['$3']"
}

grew() { # SITE PORT FIELD BEFORE BY
	[ "$(port "$1" "$2" "$3")" -ge $(($4 + $5)) ]
}

has() { # SITE PORT FIELD VALUE
	[ "$(port "$1" "$2" "$3")" = "$4" ]
}

# stops SITE: SIGTERM, status 0, nothing of it left
stops() {
	local pid
	pid=$(cat "$STATE/gw-$1/viaductd.pid")
	kill -TERM "$pid"
	wait "$pid"
	equal "gw-$1 stops with status" $? 0
	rm -f "$STATE/gw-$1/viaductd.pid"
	check "and leaves no socket, no twin" sh -c "! [ -e '$STATE/gw-$1/run/viaduct/viaduct.sock' ] &&
		! ip -n ${PREFIX}gw-$1 link show lan0 2>/dev/null"
}

host() { # SITE: addresses on the test host's eth0
	local n=${SITE_NUM[$1]}
	ip -n "${PREFIX}host-$1" -batch - <<-X || die "cannot configure host-$1"
		link set eth0 up
		addr add 10.$n.0.2/24 dev eth0
		addr add 2001:db8:$n::2/64 dev eth0 nodad
		route add default via 10.$n.0.1
		route add ::/0 via 2001:db8:$n::1
	X
}

start() { # SITE: with the devices in LAN and WAN
	gw_config "$1"
	gw_start "$1"
}

for s in a b; do
	ns_add "gw-$s"
	ns_add "host-$s"
	quiet_ns "gw-$s"
	quiet_ns "host-$s"
done

# net_tap: the device that the driver makes in the kernel is bridged to the test host. Driver and device
# begin with the same MAC address; the bridge would take frames for the gateway as the kernel's own.
link_add host-a eth0 gw-a phy-lan0
LAN="net_tap0,iface=tap-lan0" WAN="net_memif0,role=server,id=7,socket=$MEMIF,socket-abstract=no" start a
equal "net_tap's driver" "$(port a lan0 driver)" net_tap
equal "net_memif's driver" "$(port a wan0 driver)" net_memif
equal "no link before the memif's other side is there" "$(port a wan0 carrier)" False
ip -n "${PREFIX}gw-a" -batch - <<-X || die "cannot bridge the tap to the host"
	link set tap-lan0 address 02:00:00:00:00:01
	link add lan-bridge type bridge
	link set tap-lan0 master lan-bridge
	link set phy-lan0 master lan-bridge
	link set lan-bridge up
X
host a
gw_addresses a
check "host-a reaches gw-a through net_tap" wait_for 5 no_loss host-a 20 0.01 10.1.0.1
check "and over IPv6" wait_for 5 no_loss host-a 20 0.01 2001:db8:1::1

# net_af_xdp where the kernel has it. A veth end takes it in copy mode.
lan=
if python3 -c 'import socket; socket.socket(44, socket.SOCK_RAW, 0)' 2>"$STATE/xdp.err"; then
	lan="net_af_xdp0,iface=phy-lan0,force_copy=1"
else
	echo "SKIP net_af_xdp: $(tail -n 1 "$STATE/xdp.err")"
fi
link_add host-b eth0 gw-b phy-lan0
[ -n "$lan" ] || phy_take gw-b phy-lan0
LAN=$lan WAN="net_memif0,role=client,id=7,socket=$MEMIF,socket-abstract=no" start b
host b
gw_addresses b
for s in a b; do
	check "link of the memif at gw-$s" wait_for 10 has "$s" wan0 carrier True
done
[ -z "$lan" ] || equal "net_af_xdp's driver" "$(port b lan0 driver)" net_af_xdp
check "host-b reaches gw-b" wait_for 5 no_loss host-b 20 0.01 10.2.0.1
check "and over IPv6" wait_for 5 no_loss host-b 20 0.01 2001:db8:2::1

for s in a b; do
	check "keys by hand at gw-$s" manual $s
	vti_up $s
done
check "first packet through all of them" wait_for 5 ns host-a ping -q -c 1 -W 1 10.2.0.2
check "first packet, IPv6" wait_for 5 ns host-a ping -q -c 1 -W 1 2001:db8:2::2
tap=$(port a lan0 rx_packets) wire=$(port a wan0 tx_packets) far=$(port b wan0 rx_packets) back=$(port a wan0 rx_packets)
check "100 pings over IPv4" no_loss host-a 100 0.005 10.2.0.2
check "100 pings over IPv6" no_loss host-a 100 0.005 2001:db8:2::2
check "100 packets of 1300 bytes" no_loss host-a 100 0.005 10.2.0.2 -s 1300
check "counted: received by net_tap" grew a lan0 rx_packets "$tap" 300
check "counted: sent by net_memif" grew a wan0 tx_packets "$wire" 300
check "counted: received by net_memif" grew b wan0 rx_packets "$far" 300
check "counted: the answers" grew a wan0 rx_packets "$back" 300
for r in tx_queue_full esp_icv esp_replay too_short not_our_mac; do
	for s in a b; do
		equal "drops at gw-$s: $r" "$(drops $s $r)" 0
	done
done
stops b
check "the link goes with the memif's other side" wait_for 10 has a wan0 carrier False
check "the first side is not disturbed" no_loss host-a 10 0.01 10.1.0.1
LAN=$lan WAN="net_memif0,role=client,id=7,socket=$MEMIF,socket-abstract=no" start b
gw_addresses b
manual b || die "keys at gw-b"
vti_up b
ctl a sa flush && ctl a vti del vti0 && manual a || die "keys at gw-a"
vti_up a
check "it comes back with it" wait_for 10 has a wan0 carrier True
check "and so do the packets" wait_for 5 no_loss host-a 20 0.01 10.2.0.2
stops b
stops a
check "no memif socket is left" test ! -e "$MEMIF"

# net_pcap: a capture played in, and another port's capture of live packets; what leaves by the wan
# goes to a file, where scapy has to find what the host sent.
LAN="net_pcap0,iface=phy-lan0" WAN="net_pcap1,rx_pcap=$STATE/in.pcap,tx_pcap=$STATE/out.pcap"
ip -n "${PREFIX}gw-a" link set phy-lan0 nomaster
phy_take gw-a phy-lan0
ip -n "${PREFIX}host-a" neigh flush dev eth0 # another port, another MAC address
"$SCAPY_PYTHON" - "$STATE/in.pcap" <<-'P' || die "scapy cannot write a capture"
	import sys
	from scapy.all import Ether, IP, UDP, wrpcap
	wrpcap(sys.argv[1], [Ether(dst="ff:ff:ff:ff:ff:ff") / IP(dst="192.0.2.1") / UDP() / bytes(i) for i in range(37)])
P
start a
equal "net_pcap's driver" "$(port a lan0 driver)" net_pcap
check "the file's 37 packets came while the port was down" wait_for 5 has a wan0 rx_drops 37
gw_addresses a
ip -n "${PREFIX}gw-a" neigh replace 192.0.2.2 lladdr 02:00:00:00:00:02 dev wan0 nud permanent
manual a || die "keys at gw-a"
vti_up a
check "host-a reaches gw-a through a live capture" wait_for 5 no_loss host-a 20 0.01 10.1.0.1
ns host-a ping -q -c 25 -i 0.01 -s 100 -p 5a -W 0.2 10.2.0.2 >/dev/null 2>&1
sent=$(json a sa show "next(x['packets'] for x in d if x['spi'] in (10000, '0x00002710'))")
stops a
cat >"$STATE/open.py" <<-'P'
	import sys
	from scapy.all import ESP, ICMP, IP, SecurityAssociation, rdpcap
	key, auth = (bytes.fromhex(a) for a in sys.argv[3:])
	sa = SecurityAssociation(ESP, spi=10000, crypt_algo="AES-CBC", crypt_key=key,
	    auth_algo="SHA2-256-128", auth_key=auth, tunnel_header=IP(src="192.0.2.1", dst="192.0.2.2"))
	esp = [p for p in rdpcap(sys.argv[1]) if ESP in p]
	assert [p[ESP].seq for p in esp] == list(range(1, int(sys.argv[2]) + 1)), [p[ESP].seq for p in esp]
	for p in esp:
	    assert (p.dst, p[IP].src, p[IP].dst) == ("02:00:00:00:00:02", "192.0.2.1", "192.0.2.2"), p
	inner = [sa.decrypt(p[IP]) for p in esp]
	pings = [p for p in inner if ICMP in p]  # the kernel may have sent router solicitations of its own
	assert [p[ICMP].seq for p in pings] == list(range(1, 26)), inner
	for p in pings:
	    assert (p.src, p.dst, p.ttl) == ("10.1.0.2", "10.2.0.2", 63), p
	    assert bytes(p[ICMP].payload)[16:] == 84 * b"\x5a", p
P
check "scapy decrypts all that the SA sent, 25 pings" "$SCAPY_PYTHON" "$STATE/open.py" "$STATE/out.pcap" "$sent" $ENC $AUTH

# net_null takes all and gives none; net_ring gives what it took: what the router sends comes back, from
# an address of its own.
LAN="net_null0,no-rx=1" WAN="net_ring0"
start a
equal "net_null's driver" "$(port a lan0 driver)" net_null
equal "net_ring's driver" "$(port a wan0 driver)" net_ring
gw_addresses a
ip -n "${PREFIX}gw-a" -batch - <<-X || die "cannot set neighbours"
	neigh replace 10.1.0.2 lladdr 02:00:00:00:00:02 dev lan0 nud permanent
	neigh replace 192.0.2.2 lladdr $(port a wan0 mac) dev wan0 nud permanent
X
sent=$(port a lan0 tx_packets)
ns gw-a ping -q -c 25 -i 0.01 -W 0.2 10.1.0.2 >/dev/null 2>&1
check "net_null: 25 pings are sent" grew a lan0 tx_packets "$sent" 25
equal "net_null: nothing comes back" "$(port a lan0 rx_packets)" 0
before=$(drops a own_src) sent=$(port a wan0 tx_packets)
ns gw-a ping -q -c 9 -i 0.01 -W 0.5 192.0.2.2 >/dev/null 2>&1
check "net_ring: 9 pings are sent" grew a wan0 tx_packets "$sent" 9
equal "net_ring: and come back" $(($(drops a own_src) - before)) 9
stops a
finish
