#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The benchmark itself: a short run without the peers, and what it writes.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"
needs python3 unshare nsenter taskset dpdk-testpmd
needs "$BUILD/test/bench/bench_esp" "$BUILD/test/bench/spin"

run=$top/scripts/bench/run
report=$STATE/report
export TMPDIR=$STATE/tmp # what it leaves would be there
mkdir "$TMPDIR"

value() { # EXPRESSION over r, what the run wrote as JSON
	python3 -c "import json; r = json.load(open('$report.json')); g = r['groups'][0]; print($1)"
}

check "a short run" "$run" --smoke --build "$BUILD" --json "$report.json" --svg "$report.svg" --markdown "$report.md"
equal "what was measured" "$(value "' '.join(sorted(g['samples']))")" "alone encrypt floor"
equal "samples of each" "$(value "' '.join(sorted({str(len(s)) for s in g['samples'].values()}))")" 2
equal "each with its cycles and the noise around it" \
	"$(value "all(s['cycles'] > 0 and len(s['spin']) == 2 for t in g['samples'].values() for s in t)")" True
equal "the limit is floor and crypto" \
	"$(value "abs(g['figures']['limit']['median'] - g['figures']['floor']['median'] - g['figures']['alone']['median']) < 0.01")" True
equal "slower than its limit" "$(value "g['figures']['encrypt']['best'] > g['figures']['limit']['best'] / 2")" True
equal "the bars name what they ask" "$(value "r['bars'][0]['bound'], r['bars'][0]['holds'] in (True, False)")" "1.5 True"
equal "machine, versions, command" \
	"$(value "bool(r['machine']['flags'] and r['versions']['dpdk'] and '--smoke' in r['command'])")" True
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
check "a directory without a build is refused" refused "no viaductd in it" --build "$STATE"

nothing_left() {
	[ -z "$(ls -A "$TMPDIR")" ] && ! pgrep -f "$TMPDIR"
}
check "nothing is left behind" nothing_left
finish
