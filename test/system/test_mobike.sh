#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# gw-a's address changes under traffic and charon's MOBIKE (RFC 4555) moves the SAs: the same SPIs,
# nothing rekeyed, no counter falls, nothing is received twice. gw-b's VTI names gw-a's first address
# and keeps its SAs. Once the new address is there before the old one goes, once the old one goes first:
# then what is lost is lost while there is no way.
. "$(dirname "$0")/lib.sh"
needs iperf3 /usr/lib/ipsec/charon swanctl python3

NEW4=(192.0.2.9 192.0.2.10)
# Not by addresses inside the tunnel; and at once when a better way is there.
CHARON_EXTRA=$'interfaces_use = wan0\nprefer_best_path = yes'
sites_wire
ns gw-a sysctl -qw net.ipv4.conf.all.promote_secondaries=1 net.ipv4.conf.default.promote_secondaries=1
for s in a b; do
	gw_config $s "$(vti_conf $s vti0 "if_id = 1;")"
	gw_start $s
	gw_addresses $s
	ike_conf $s aes128gcm16 "if_id_in = 1" "if_id_out = 1" |
		sed "s/mobike = no/mobike = yes/; /local_addrs/d; $([ $s = a ] || echo 's/remote_addrs = .*/remote_addrs = %any/')" >"$STATE/gw-$s/swanctl.conf"
	charon_start $s "$STATE/gw-$s/swanctl.conf"
done
ns gw-a sysctl -qw net.ipv4.conf.wan0.promote_secondaries=1
ip -n "${PREFIX}gw-a" -6 addr flush dev wan0 scope global # else charon would rather go there
ip -n "${PREFIX}gw-b" -6 addr flush dev wan0 scope global
check "negotiate" initiate a
for s in a b; do
	check "carrier at gw-$s" wait_for 5 carrier $s vti0
	vti_up $s
done
check "first packet" wait_for 5 ns host-a ping -q -c 1 -W 1 10.2.0.2

spis() { # SITE: what viaductd has
	json "$1" sa show "sorted(x['spi'] for x in d)"
}
charon_spis() { # SITE: what charon has
	swan "$1" --list-sas --raw | grep -o 'spi-[a-z]*=[0-9a-f]*' | sort | tr '\n' ' '
}
sends_to() { # SITE ADDRESS: its outbound SA
	[ "$(json "$1" sa show "next(x['dst'] for x in d if x['dir'] == 'out')")" = "$2" ]
}
comes_from() { # SITE ADDRESS: where its outbound SA's packets come from
	[ "$(json "$1" sa show "next(x['src'] for x in d if x['dir'] == 'out')")" = "$2" ]
}
moved() { # ADDRESS: gw-a is there, for both
	sends_to b "$1" && comes_from a "$1"
}
lost() { # FILE: of what ping sent
	sed -n 's/\([0-9]*\) packets transmitted, \([0-9]*\) received.*/\1 \2/p' "$1" | awk '{ print $1 - $2 }'
}

before=$(spis a)
before_b=$(spis b)
before_charon=$(charon_spis a)
for s in a b; do
	python3 "$here/watch_sas.py" "$VIADUCTCTL" "$STATE/gw-$s/run/viaduct/viaduct.sock" >"$STATE/watch-$s" 2>&1 &
	eval "watch_$s=$!"
done
LOGS+=("$STATE/watch-a" "$STATE/watch-b" "$STATE/ping-ab" "$STATE/ping-ba")
ns host-b iperf3 -s -D -I "$STATE/iperf3.pid" >/dev/null 2>&1
on_exit "kill \$(tr -d '\\0' <$STATE/iperf3.pid)"

pings() { # SECONDS: 1 kHz from either side, TCP besides
	ns host-a ping -q -i 0.001 -c $(($1 * 1000)) -W 1 10.2.0.2 >"$STATE/ping-ab" 2>&1 &
	ping_ab=$!
	ns host-b ping -q -i 0.001 -c $(($1 * 1000)) -W 1 10.1.0.2 >"$STATE/ping-ba" 2>&1 &
	ping_ba=$!
	ns host-a iperf3 -c 10.2.0.2 -t "$1" -b 10M >"$STATE/iperf3.log" 2>&1 &
	iperf=$!
}
pings_end() {
	wait $ping_ab
	wait $ping_ba
	wait $iperf
	equal "iperf3 ran to its end" "$?" 0
}

sleep 0.3 # iperf3 listens
pings 4
sleep 1
source_before=$(drops b esp_source)
ip -n "${PREFIX}gw-a" addr add "${NEW4[0]}/24" dev wan0
ip -n "${PREFIX}gw-a" route replace default via "${SITE_GW4[a]}" src "${NEW4[0]}"
check "new address first: both ends follow" wait_for 5 moved "${NEW4[0]}"
pings_end
strays=$(($(drops b esp_source) - source_before))
equal "lost but for packets that came before gw-b had heard of it ($strays)" \
	"$(($(lost "$STATE/ping-ab") + $(lost "$STATE/ping-ba") > strays))" 0
check "which are few" test $strays -le 200

pings 4
sleep 1
ip -n "${PREFIX}gw-a" addr add "${NEW4[1]}/24" dev wan0
ip -n "${PREFIX}gw-a" addr del "${NEW4[0]}/24" dev wan0
ip -n "${PREFIX}gw-a" addr del "${SITE_WAN4[a]}/24" dev wan0
ip -n "${PREFIX}gw-a" route replace default via "${SITE_GW4[a]}" src "${NEW4[1]}"
check "old address gone first: both ends follow" wait_for 5 moved "${NEW4[1]}"
pings_end
# What gw-b sends to the address that is gone, and answers that come there.
check "lost meanwhile: $(lost "$STATE/ping-ab") and $(lost "$STATE/ping-ba") of 4000" \
	test "$(lost "$STATE/ping-ab")" -le 1500 -a "$(lost "$STATE/ping-ba")" -le 1500
check "afterwards none" no_loss host-a 2000 0.001 10.2.0.2
check "nor the other way" no_loss host-b 2000 0.001 10.1.0.2
check "IPv6 inside" no_loss host-b 100 0.005 2001:db8:1::2

# One packet, seen on its way; gw-a moves back; then the same packet again, from the address it came
# from and from the new one.
cat >"$STATE/replay.py" <<'X'
import socket, struct, sys
def checksum(b):
    s = sum(struct.unpack("!10H", b)); s = (s & 0xffff) + (s >> 16); s = (s & 0xffff) + (s >> 16)
    return struct.pack("!H", ~s & 0xffff)
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.bind(("wan-b", 0))
if sys.argv[1] == "catch":
    s.settimeout(10)
    while True:
        f, at = s.recvfrom(2000)
        if at[2] == socket.PACKET_OUTGOING and f[12:14] == b"\x08\0" and f[23] == 50:
            break
    open(sys.argv[2], "wb").write(f)
else:
    f = bytearray(open(sys.argv[2], "rb").read())
    if len(sys.argv) > 3:
        f[26:30] = socket.inet_aton(sys.argv[3]); f[24:26] = b"\0\0"; f[24:26] = checksum(bytes(f[14:34]))
    s.send(bytes(f))
X
ns wan python3 "$STATE/replay.py" catch "$STATE/frame" &
catch=$!
sleep 0.5
ns host-a ping -q -c 1 -W 1 10.2.0.2 >/dev/null
check "catch a packet" wait $catch
ip -n "${PREFIX}gw-a" addr add "${SITE_WAN4[a]}/24" dev wan0
ip -n "${PREFIX}gw-a" route replace default via "${SITE_GW4[a]}" src "${SITE_WAN4[a]}"
check "back to the first address" wait_for 5 moved "${SITE_WAN4[a]}"
replays=$(drops b esp_replay)
ns wan python3 "$STATE/replay.py" send "$STATE/frame"
sleep 0.3
equal "the packet again, from where gw-a was: a duplicate" "$(drops b esp_replay)" $((replays + 1))
ns wan python3 "$STATE/replay.py" send "$STATE/frame" "${SITE_WAN4[a]}"
sleep 0.3
equal "and from where gw-a is" "$(drops b esp_replay)" $((replays + 2))
check "real ones pass" no_loss host-a 100 0.005 10.2.0.2

equal "the same SAs at gw-a" "$(spis a)" "$before"
equal "the same SAs at gw-b" "$(spis b)" "$before_b"
equal "the same SAs in charon" "$(charon_spis a)" "$before_charon"
for s in a b; do
	eval "kill \$watch_$s; wait \$watch_$s"
	equal "no counter of gw-$s ever fell, $(tail -1 "$STATE/watch-$s")" "$?" 0
	equal "nothing was rekeyed by gw-$s" "$(grep -c 'CHILD_SA net{[0-9]*} established' "$STATE/gw-$s/charon.log")" 1
	equal "on their VTI at gw-$s" "$(json $s sa show "sorted(x['vti'] for x in d)")" "['vti0', 'vti0']"
done
check "rekeyed when gw-a is elsewhere" swan a --rekey --child net
check "they belong to gw-b's VTI, too" wait_for 5 no_loss host-a 20 0.01 10.2.0.2
check "all at once are closed" swan a --terminate --ike sites
check "none is left" wait_for 5 sh -c "[ -z \"\$($VIADUCTCTL -s $STATE/gw-b/run/viaduct/viaduct.sock --json sa show | tr -d '[] \n')\" ]"
equal "no policy is left at gw-a" "$(json a policy show "len(d)")" 0
equal "no policy is left at gw-b" "$(json b policy show "len(d)")" 0
finish
