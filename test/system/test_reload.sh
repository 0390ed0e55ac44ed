#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The configuration file changes while packets flow: fifty reloads, by viaductctl and by SIGHUP, add,
# change and remove a tunnel with its SAs, routes and settings. What did not change loses nothing and is
# not touched: a manually keyed tunnel, from the file, under iperf3 and a 1 kHz ping, and charon's tunnel.
# RELOADS: another number of them.
. "$(dirname "$0")/lib.sh"
needs iperf3 /usr/lib/ipsec/charon swanctl python3

auth=0x202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f
key=0x000102030405060708090a0b0c0d0e0f
a=${SITE_WAN4[a]} b=${SITE_WAN4[b]}

# sas_conf DIR_AB SPI REQID KEYS: the pair of a tunnel between the gateways
sas_conf() {
	local back=in
	[ "$1" = out ] || back=out
	cat <<-X
		{ dir = "$1"; src = "$a"; dst = "$b"; spi = $2; reqid = $3; cipher = "aes-cbc";
		  auth = "hmac-sha2-256-128"; $4 },
		{ dir = "$back"; src = "$b"; dst = "$a"; spi = $(($2 + 1)); reqid = $3; cipher = "aes-cbc";
		  auth = "hmac-sha2-256-128"; $4 }
	X
}
files='key_file = "enc.key"; auth_key_file = "auth.key";'

# config SITE VARIANT: 0 the two tunnels that stay; 1 another one beside them; 2 that one changed; 3 gone
# again, and something else is there.
config() {
	local s=$1 dir=out vtis='' sas='' routes='' more=''
	[ "$s" = a ] || dir=in
	case $2 in
	1)
		vtis=', { name = "other"; reqid = 200; description = "first"; }'
		sas=", $(sas_conf out 20000 200 "key = \"$key\"; auth_key = \"$auth\";")"
		routes=', { to = "10.77.0.0/16"; dev = "other"; }, { to = "10.78.0.0/16"; dev = "man0"; metric = 5; }'
		more='log_level = "info";'
		;;
	2)
		vtis=', { name = "other"; reqid = 201; mtu = 1300; description = "second"; }'
		sas=", $(sas_conf out 20000 201 "key = \"${key/000102/ffffff}\"; auth_key = \"$auth\"; esn = true;")"
		routes=', { to = "10.77.0.0/16"; type = "blackhole"; }, { to = "10.79.0.0/16"; dev = "other"; }'
		more='log_level = "debug"; replay_window = 128;'
		;;
	3)
		routes=', { to = "10.80.0.0/16"; type = "prohibit"; }'
		more='replay_window = 256;'
		;;
	esac
	printf '%s\n' "$more" "vtis = (
		{ name = \"vti0\"; local = \"${SITE_WAN4[$s]}\"; remote = \"${SITE_WAN4[${SITE_PEER[$s]}]}\"; if_id = 1; },
		{ name = \"man0\"; reqid = 100; } $vtis );" \
		"sas = ( $(sas_conf $dir 10000 100 "$files") $sas );" \
		"routes = ( { to = \"10.${SITE_NUM[${SITE_PEER[$s]}]}.0.0/16\"; dev = \"man0\"; } $routes );"
}

write() { # VARIANT: gw-a's file
	gw_config a "$(config a "$1")" && chmod 600 "$STATE/gw-a/viaduct.conf"
}

sites_wire
for s in a b; do
	gw_config $s "$(config $s 0)"
	(umask 077 && echo $key >"$STATE/gw-$s/enc.key" && echo $auth >"$STATE/gw-$s/auth.key")
	gw_start $s
	gw_addresses $s
	ike_conf $s aes128gcm16 "if_id_in = 1" "if_id_out = 1" >"$STATE/gw-$s/swanctl.conf"
	charon_start $s "$STATE/gw-$s/swanctl.conf"
done
log=$STATE/gw-a/viaductd.log
check "negotiate" initiate a
for s in a b; do
	check "carrier of vti0 at gw-$s" wait_for 5 carrier $s vti0
	check "carrier of man0 at gw-$s" wait_for 5 carrier $s man0
	ip -n "${PREFIX}gw-$s" route add 2001:db8:${SITE_NUM[${SITE_PEER[$s]}]}::/48 dev vti0
done
check "first packet through the manual tunnel" wait_for 5 ns host-a ping -q -c 1 -W 1 10.2.0.2
check "first packet through charon's" wait_for 5 ns host-a ping -q -c 1 -W 1 2001:db8:2::2
equal "origins of the SAs" "$(json a sa show "sorted(x['origin'] for x in d)")" "['config', 'config', 'ike', 'ike']"
check "nothing differs" sh -c '"$0" -s "$1" reload | grep -q "nothing differs"' "$VIADUCTCTL" \
	"$STATE/gw-a/run/viaduct/viaduct.sock"

# lasting: SAs that must neither go nor begin again, as "SPI DIRECTION NUMBER PACKETS AGE"
lasting() {
	json a sa show "'\n'.join('%d %s %d %d %d' % (x['spi'], x['dir'], x['seq'], x['packets'], x['age_s'])
		for x in sorted(d, key=lambda x: x['spi']) if x['spi'] // 2 != 10000)"
}

# monotone BEFORE AFTER: the same SAs, and no number fell
monotone() {
	paste -d' ' "$1" "$2" | awk 'NF != 10 || $1 != $6 || $8 < $3 || $9 < $4 || $10 < $5 { bad = 1 } END { exit bad }'
}

reloads() { grep -c 'configuration reloaded' "$log"; }
reloads_reach() { [ "$(reloads)" -ge "$1" ]; }

# The default level, so that the log's own line of each reload is there.
rounds() {
	local i n
	lasting >"$STATE/before" || return 1
	for i in $(seq "${RELOADS:-50}"); do
		write $((i % 4)) || return 1
		if [ $((i % 2)) = 0 ]; then
			ctl a reload >"$STATE/reload.out" 2>&1 || return 1
		else
			n=$(reloads)
			kill -HUP "$(cat "$STATE/gw-a/viaductd.pid")" || return 1
			wait_for 5 reloads_reach $((n + 1)) || return 1
		fi
		lasting >"$STATE/after" || return 1
		monotone "$STATE/before" "$STATE/after" || { cat "$STATE/before" "$STATE/after"; return 1; }
		mv "$STATE/after" "$STATE/before"
		sleep 0.1
	done
}

# steady COUNT INTERVAL ADDRESS NAME: pings that must all be answered, while the reloads go on
steady() {
	while [ ! -e "$STATE/over" ]; do
		no_loss host-a "$1" "$2" "$3" >>"$STATE/$4" 2>&1 || return 1
	done
}
answers() { awk '/ received/ { n += $4 } END { print n }' "$STATE/$1"; }

ns host-b iperf3 -s -D -I "$STATE/iperf3.pid" >/dev/null 2>&1
on_exit "kill \$(tr -d '\\0' <$STATE/iperf3.pid)"
sleep 0.5 # iperf3 listens
first=$(lasting)
ip netns exec "${PREFIX}host-a" iperf3 -c 10.2.0.2 -t 600 -b 10M >"$STATE/iperf3.log" 2>&1 & # its own pid, not a subshell's
iperf=$!
on_exit "kill $iperf"
steady 500 0.001 10.2.0.2 ping4 &
ping4=$!
steady 100 0.005 2001:db8:2::2 ping6 &
ping6=$!
LOGS+=("$STATE/ping4" "$STATE/ping6" "$STATE/reload.out")
check "${RELOADS:-50} reloads under traffic, numbers go on" rounds
touch "$STATE/over"
for s in a b; do # what explains a loss that is not ours
	ctl $s --json port show >"$STATE/ports-$s"
	LOGS+=("$STATE/ports-$s")
done
step "1 kHz ping through the manual tunnel"
wait $ping4 || die "lost packets"
done_ "$(answers ping4) answers, none lost"
step "200 Hz ping through charon's tunnel"
wait $ping6 || die "lost packets"
done_ "$(answers ping6) answers, none lost"
CHECKS=$((CHECKS + 2))
check "iperf3 ran all the time" kill $iperf
check "packets were counted ($(echo "$first" | wc -l) SAs)" test \
	"$(lasting | awk '$2 == "out" { n += $4 } END { print n }')" -gt "$(answers ping4)"
equal "charon had no news of it" "$(grep -c 'CHILD_SA net{[0-9]*} established' "$STATE/gw-a/charon.log")" 1

# An invalid file, in several ways.
write 1
check "reload to another tunnel" ctl a reload
ctl a --json show | python3 -c "import json, sys
d = json.load(sys.stdin)
print([(v['name'], v['mtu'], v['description']) for v in d['vtis']], sorted((s['spi'], s['reqid']) for s in d['sas']),
	[(r['prefix'], r['dev']) for r in d['routes']])" >"$STATE/is"
refused() { # PATTERN: reload ends with status 1, says so, and all is as it was
	ctl a reload >"$STATE/reload.out" 2>&1
	[ $? = 1 ] || return 1
	cat "$STATE/reload.out"
	grep -q "$1" "$STATE/reload.out" || return 1
	kill -HUP "$(cat "$STATE/gw-a/viaductd.pid")"
	wait_for 5 grep -q "configuration not reloaded: .*$1" "$log" || return 1
	ctl a --json show | python3 -c "import json, sys
d = json.load(sys.stdin)
print([(v['name'], v['mtu'], v['description']) for v in d['vtis']], sorted((s['spi'], s['reqid']) for s in d['sas']),
	[(r['prefix'], r['dev']) for r in d['routes']])" | cmp - "$STATE/is"
}
conf=$STATE/gw-a/viaduct.conf
write 2
line=$(grep -n 'name = "other"' "$conf" | cut -d: -f1)
sed -i 's/mtu = 1300/mtu = 13/' "$conf"
check "a wrong value is refused by line and field" refused "viaduct.conf:$line: vtis\[2\].mtu: 13; expected"
sed -i 's/"second"; }/"second" }}/' "$conf"
check "a syntax error is refused" refused "viaduct.conf:$line: syntax error"
write 2
echo 0x20212223242526 >"$STATE/gw-a/enc.key"
check "a wrong key is refused without being shown" refused 'sas\[[01]\].key_file: encryption key: 7 bytes'
check "no key in the log" sh -c '! grep -qi "20212223242526\|0001020304" "$0"' "$log"
echo $key >"$STATE/gw-a/enc.key"
write 2
sed -i 's/^mbufs = 16384/mbufs = 8192/' "$conf"
check "what needs a restart is named, the rest applied" sh -c '"$0" -s "$1" reload 2>&1 | tee /dev/stderr |
	grep -q "restart.*mbufs.*16384 -> 8192"' "$VIADUCTCTL" "$STATE/gw-a/run/viaduct/viaduct.sock"
equal "mtu of the tunnel" "$(json a vti show other "d[0]['mtu']")" 1300
write 0
check "dry run" ctl a reload --dry-run
equal "changes nothing" "$(json a vti show "len(d)")" 3
check "back to the first file" ctl a reload
sed -i 's/iface=phy-lan0";/iface=phy-lan0"; mtu = 1400; promiscuous = true;/' "$conf"
check "a port's MTU and promiscuous mode" ctl a reload
equal "mtu of the port" "$(json a port show "next(p['mtu'] for p in d if p['name'] == 'lan0')")" 1400
check "mtu of its twin" sh -c "ip -n ${PREFIX}gw-a link show lan0 | grep -q 'mtu 1400'"
check "its device is promiscuous" sh -c "ip -n ${PREFIX}gw-a -d link show phy-lan0 | grep -q 'promiscuity [1-9]'"
write 0
check "and back" ctl a reload
equal "mtu of the port" "$(json a port show "next(p['mtu'] for p in d if p['name'] == 'lan0')")" 1500
check "packets still flow" no_loss host-a 10 0.01 10.2.0.2

# What runs, as a file, makes the same again.
check "a VTI and a route by the API" sh -c '"$0" -s "$1" vti add api0 if_id 77 up description "by hand" &&
	"$0" -s "$1" route add 10.90.0.0/16 dev api0' "$VIADUCTCTL" "$STATE/gw-a/run/viaduct/viaduct.sock"
equal "origins of the VTIs" "$(json a vti show "sorted((x['name'], x['origin']) for x in d)")" \
	"[('api0', 'api'), ('man0', 'config'), ('vti0', 'config')]"
check "dump" sh -c '"$0" -s "$1" config dump >"$2"' "$VIADUCTCTL" "$STATE/gw-a/run/viaduct/viaduct.sock" "$STATE/dump"
check "no key in the dump" sh -c '! grep -qi "20212223\|00010203" "$0"' "$STATE/dump"
cp "$STATE/dump" "$conf" && chmod 600 "$conf"
check "which viaductd takes" "$VIADUCTD" --check -c "$conf"
charon_stop a
gw_stop a
gw_start a
check "and dumps again" sh -c '"$0" -s "$1" config dump | diff "$2" -' "$VIADUCTCTL" \
	"$STATE/gw-a/run/viaduct/viaduct.sock" "$STATE/dump"
equal "now all of it is the file's" "$(json a vti show "sorted((x['name'], x['origin']) for x in d)")" \
	"[('api0', 'config'), ('man0', 'config'), ('vti0', 'config')]"
finish
