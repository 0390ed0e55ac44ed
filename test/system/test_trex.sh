#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Cisco TRex, where TREX_DIR names one, against two gateways: IMIX over IPv4 and IPv6 in eight tunnels, in
# both directions, slowly; what one port sent the other received, TRex's tags and viaductd count the same.
. "$(dirname "$0")/lib.sh"
needs python3
[ -x "${TREX_DIR:-}/_t-rex-64" ] ||
	skip "TREX_DIR names no TRex directory: TRex is not part of Viaduct; see scripts/bench/trex/README.md"

bench() { # the script's arguments; its results are in $STATE/results
	"$top/scripts/bench/trex/run" --build "$BUILD" --tunnels 8 --limit 60 "$@"
}

all_came() {
	python3 - "$STATE/results" <<-'P'
		import json, sys
		directions = json.load(open(sys.argv[1]))["directions"]
		assert len(directions) == 2
		for d in directions:
		    assert d["sent"] > 4000 and {d["received"], *d["viaductd"]} == {d["sent"]}, d
		    assert d["vtis"]["sending"] == 8, d
		flows = directions[0]["flows"]
		assert len(flows) == 2 and all(f["sent"] == f["received"] > 4000 for f in flows), flows
		assert not directions[0]["drops"], directions[0]
	P
}

for ip in 4 6; do
	check "IMIX, IPv$ip" bench play --rate 5k --seconds 1 --json "$STATE/results" \
		imix --ip $ip --tunnels 8 --flow-stats
	check "nothing is lost, all is counted" all_came
done
check "a no-drop rate is found" bench ndr --sizes 1420 --trial 0.5 --max-rate 10k --resolution 20 --loss 1
finish
