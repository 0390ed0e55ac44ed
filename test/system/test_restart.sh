#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# viaductd is killed with -9 and started again, twice: charon's plugin reconnects, and traffic flows
# again within seconds, on fresh SAs. On the wire no SPI ever shows a sequence number twice, nor an
# IV, for that would give keys away.
. "$(dirname "$0")/lib.sh"
needs /usr/lib/ipsec/charon swanctl python3 tcpdump

both_up aes128gcm16
ns wan tcpdump -q -i wan-a -s 80 -U -w "$STATE/wire.pcap" esp 2>"$STATE/tcpdump.log" &
tcpdump=$!
on_exit "kill $tcpdump 2>/dev/null"
wait_for 5 grep -q listening "$STATE/tcpdump.log"
check "traffic before" no_loss host-a 200 0.005 10.2.0.2
for round in 1 2; do
	old=$(json a sa show "sorted(x['spi'] for x in d if x['dir'] == 'out')")
	kill -9 "$(cat "$STATE/gw-a/viaductd.pid")"
	rm -f "$STATE/gw-a/viaductd.pid"
	check "the twins vanish with the daemon" wait_for 5 sh -c "! ip -n ${PREFIX}gw-a link show vti0 2>/dev/null"
	gw_start a
	gw_addresses a
	vti_up a
	begin=${EPOCHREALTIME/./}
	check "traffic again within 10 s" wait_for 10 ns host-a ping -q -c 1 -W 1 10.2.0.2
	note "after $(((${EPOCHREALTIME/./} - begin) / 1000)) ms"
	new=$(json a sa show "sorted(x['spi'] for x in d if x['dir'] == 'out')")
	check "outbound SAs are new ($old -> $new)" test "$old" != "$new"
	check "no loss from there on" no_loss host-a 200 0.005 10.2.0.2
	for s in a b; do
		check "viaductd and charon agree at gw-$s" wait_for 20 sas_agree $s
	done
done
kill $tcpdump
wait $tcpdump
# Each direction has SPIs of its own, so a number that comes again on an SPI was sent twice.
unique() {
	python3 - "$STATE/wire.pcap" <<-'P'
		import struct, sys
		data, at, seen, spis = open(sys.argv[1], "rb").read(), 24, set(), {}
		while at < len(data):
		    size, = struct.unpack_from("<I", data, at + 8)
		    esp = data[at + 16 + 14 + 20:at + 16 + size]
		    at += 16 + size
		    spi, seq, iv = struct.unpack_from(">IIQ", esp)
		    for number in ((spi, "seq", seq), (spi, "iv", iv)):
		        if number in seen:
		            sys.exit("SPI %08x: %s %d twice" % number)
		        seen.add(number)
		    spis[spi] = spis.get(spi, 0) + 1
		print(len(spis), "SPIs,", sum(spis.values()), "packets")
		sys.exit(len(spis) < 6 or sum(spis.values()) < 1000)
	P
}
check "no sequence number and no IV was sent twice" unique
note "$(cat "$STATE/check.out")"
finish
