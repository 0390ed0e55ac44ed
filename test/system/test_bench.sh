#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The benchmark itself: a short run without the peers, and what it writes.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"
needs python3 unshare nsenter taskset dpdk-testpmd
needs "$BUILD/test/bench/bench_esp" "$BUILD/test/bench/bench_gateway" "$BUILD/test/bench/bench_workers" \
	"$BUILD/test/bench/spin"

run=$top/scripts/bench/run
report=$STATE/report
export TMPDIR=$STATE/tmp # what it leaves would be there
mkdir "$TMPDIR"

value() { # EXPRESSION over r, what the run wrote as JSON
	python3 -c "import json; r = json.load(open('$report.json')); g = r['groups'][0]; print($1)"
}

check "a short run" "$run" --smoke --build "$BUILD" --json "$report.json" --svg "$report.svg" --markdown "$report.md"
equal "what was measured" "$(value "' '.join(sorted(g['samples']))")" "alone decrypt encrypt floor"
equal "samples of each" "$(value "' '.join(sorted({str(len(s)) for s in g['samples'].values()}))")" 2
equal "each with its cycles and the noise around it" \
	"$(value "all(s['cycles'] > 0 and len(s['spin']) == 2 for t in g['samples'].values() for s in t)")" True
equal "the limit is floor and crypto" \
	"$(value "abs(g['figures']['limit']['median'] - g['figures']['floor']['median'] - g['figures']['alone']['median']) < 0.01")" True
equal "slower than its limit" "$(value "g['figures']['encrypt']['best'] > g['figures']['limit']['best'] / 2")" True
equal "the bars name what they ask" "$(value "r['bars'][0]['bound'], r['bars'][0]['holds'] in (True, False)")" "1.5 True"
equal "machine, versions, command" \
	"$(value "bool(r['machine']['flags'] and r['versions']['dpdk'] and '--smoke' in r['command'])")" True
two_cpus=$(python3 -c 'import os; print(len(os.sched_getaffinity(0)) > 1)')
if [ "$two_cpus" = True ]; then
	cores() { # EXPRESSION over c, what two workers carry
		value "[$1 for c in [r['groups'][1]['cores']]][0]"
	}
	equal "two workers: what was measured" "$(cores "'; '.join(row['what'] for row in c['rows'])")" \
		"encrypt, many tunnels; encrypt, one tunnel; encrypt, one tunnel, one queue; encrypt, many tunnels, parallel; encrypt, one tunnel, parallel; decrypt, many tunnels; decrypt, one tunnel"
	equal "two workers: beside one and two that share nothing" \
		"$(cores "all(row[k]['median'] > 0 for row in c['rows'] for k in ('one', 'two', 'independent'))")" True
	equal "two workers: packets per second compared" \
		"$(cores "all(row[k] > 0 for row in c['rows'] for k in ('two_by_one', 'independent_by_one', 'two_by_independent'))")" True
	equal "two workers: every packet of some passes was looked at" "$(cores "c['checked'] >= 7 * 4032")" True
	equal "two workers: the bar is by what the machine can do" \
		"$(cores "[b['bound'] for b in r['bars'] if 'two workers' in b['what']] == ([1.9, 1.6, 1.6, 1.9, 1.6, 1.9, 1.6] if c['two_quiet_cores'] else [0.95, 0.8, 0.8, 0.95, 0.8, 0.95, 0.8])")" True
	equal "two workers: siblings have not two quiet cores" "$(cores "not (c['siblings'] and c['two_quiet_cores'])")" True
	check "two workers: markdown has the table" grep -q '^| decrypt, one tunnel |' "$report.md"
	check "two workers: and says by which bar" grep -q 'so what is asked is' "$report.md"
fi
check "the plot is XML" python3 -c "import xml.dom.minidom, sys; xml.dom.minidom.parse('$report.svg')"
check "markdown has the table" grep -q '^| encrypt |' "$report.md"

printf 'before\n%s\nold\n%s\nafter\n' "$(head -n 1 "$report.md")" "<!-- end of results -->" >"$STATE/document.md"
check "again, into a document" "$run" --smoke --build "$BUILD" --samples 1 --markdown "$STATE/document.md"
equal "only between its marks" "$(sed -n '1p;$p' "$STATE/document.md" | tr '\n' ' ')$(grep -c '^old' "$STATE/document.md")" \
	"before after 0"

refused() { # TEXT ARGUMENT..: exits with 2 and a message that has TEXT
	local text=$1 status
	shift
	"$run" "$@" >"$STATE/refused" 2>&1
	status=$?
	[ "$status" = 2 ] && grep -q -- "$text" "$STATE/refused"
}
check "a wrong size is refused" refused "48 to 1446" --sizes 20
check "a wrong word is refused" refused "choose from" --only fast
workers_refuse() { # TEXT ARGUMENT..: so does the program for two workers
	local text=$1 status
	shift
	"$BUILD/test/bench/bench_workers" "$@" >"$STATE/refused" 2>&1
	status=$?
	[ "$status" = 2 ] && grep -q -- "$text" "$STATE/refused"
}
check "two workers on one CPU are refused" workers_refuse "two CPUs" --cpus 1,1
check "and a size that has no room for its mark" workers_refuse "48 to 1500" --size 20
check "a directory without a build is refused" refused "no viaductd in it" --build "$STATE"

nothing_left() {
	[ -z "$(ls -A "$TMPDIR")" ] && ! pgrep -f "$TMPDIR"
}
check "nothing is left behind" nothing_left
finish
