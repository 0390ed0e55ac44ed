#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Pktgen-DPDK, where it is installed (PKTGEN or PATH), against two gateways: every profile, in both
# directions, slowly; what one port sent the other receives, and viaductd counts the same.
. "$(dirname "$0")/lib.sh"
needs python3
command -v "${PKTGEN:-pktgen}" >/dev/null ||
	skip "no ${PKTGEN:-pktgen}: Pktgen-DPDK is not part of Viaduct; see scripts/bench/pktgen/README.md"
[ "$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)" -ge 3072 ] || skip "needs 3 GB of free memory"

bench() { # the script's arguments; its results are in $STATE/results
	"$top/scripts/bench/pktgen/run" --build "$BUILD" --limit 90 --json "$STATE/results" "$@"
}

# Every trial: sent, received and the gateways' four counters are one number. On a machine that has much
# else to do a ring may overflow: then up to 2 % less, and a drop counter says so.
all_came() {
	python3 - "$STATE/results" <<-'P'
		import json, sys
		trials = json.load(open(sys.argv[1]))
		assert len(trials) == 8, len(trials)
		for t in trials:
		    way = [t["sent"], *t["viaductd"], t["received"]]
		    assert way[0] > 0 and way == sorted(way, reverse=True) and way[-1] >= 0.98 * way[0], t
		dropped = sum(n for t in trials for n in t.get("drops", {}).values())
		assert sum(t["lost"] for t in trials) <= dropped, dropped
		for t in trials:
		    assert t["vtis"]["sending"] == (8 if t["profile"] == "tunnels" else 1), t
	P
}

check "all profiles, both directions" bench --profile all --sizes 64 --tunnels 8 --both --rate 5k --seconds 1
check "all comes through, and is counted on its way" all_came
check "a no-drop rate is found" bench --rfc2544 --sizes 1420 --trial 0.5 --max-rate 10k --resolution 20 --loss 1
finish
