# SPDX-License-Identifier: BSD-3-Clause
# For the system tests: two sites in namespaces of this test's own, real daemons, one line a check.
#
# A test sources this, calls `needs` for what it cannot do without, sets up sites, and states what
# must hold with `check`. It ends with `finish`. Exit status: 0 passed, 1 failed, 77 skipped.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
BUILD=${VIADUCT_BUILD:-$top/build}
PREFIX=vt$$-
STATE=$(mktemp -d /tmp/viaduct-test.XXXXXX)
. "$top/scripts/lib/steps.sh"
. "$top/scripts/lib/sites.sh"
on_exit "rm -rf $STATE"
CHECKS=0

skip() {
	echo "SKIP $(basename "$0"): $*"
	exit 77
}

needs() { # COMMAND..: or the test is skipped, naming what is missing
	local c
	[ "$(id -u)" = 0 ] || skip "needs root"
	for c; do
		command -v "$c" >/dev/null || [ -x "$c" ] || skip "needs $c"
	done
}

needs ip nft ethtool ping

# check TEXT COMMAND..: the command must succeed; its output is shown when it does not.
check() {
	local text=$1
	shift
	CHECKS=$((CHECKS + 1))
	step "$text"
	"$@" >"$STATE/check.out" 2>&1 || { LOGS+=("$STATE/check.out"); die "$*"; }
	done_
}

# equal TEXT GOT WANTED
equal() {
	CHECKS=$((CHECKS + 1))
	step "$1"
	[ "$2" = "$3" ] || die "is '$2', should be '$3'"
	done_ "$2"
}

finish() {
	echo "$CHECKS checks passed"
	exit 0
}

# json SITE ARGUMENTS.. EXPRESSION: a Python expression over d, what viaductctl --json says.
json() {
	local s=$1 expr=${!#}
	shift
	ctl "$s" --json "${@:1:$#-1}" | python3 -c "import json, sys; d = json.load(sys.stdin); print($expr)"
}

drops() { # SITE REASON: how many packets that gateway dropped for it
	json "$1" drops all "next(x['packets'] for x in d if x['name'] == '$2')"
}

# vti_conf SITE NAME REST..: a vtis entry of the configuration between the two gateways' addresses
vti_conf() {
	local s=$1 name=$2
	shift 2
	printf 'vtis = ( { name = "%s"; local = "%s"; remote = "%s"; %s } );' "$name" \
		"${OUTER_LOCAL:-${SITE_WAN4[$s]}}" "${OUTER_REMOTE:-${SITE_WAN4[${SITE_PEER[$s]}]}}" "$*"
}

# ike_conf SITE PROPOSAL CHILD..: swanctl configuration; CHILD lines go into the child section.
# OUTER=6: IPv6 outside. ENCAP=yes: UDP encapsulation.
ike_conf() {
	local s=$1 p=${SITE_PEER[$1]} proposal=$2 near far
	shift 2
	if [ "${OUTER:-4}" = 6 ]; then
		near=${SITE_WAN6[$s]} far=${SITE_WAN6[$p]}
	else
		near=${SITE_WAN4[$s]} far=${SITE_WAN4[$p]}
	fi
	cat <<-X
		connections {
			sites {
				version = 2
				local_addrs = $near
				remote_addrs = $far
				proposals = aes128-sha256-x25519
				mobike = no
				encap = ${ENCAP:-no}
				${CONN_EXTRA:-}
				local {
					auth = psk
					id = gw-$s
				}
				remote {
					auth = psk
					id = gw-$p
				}
				children {
					net {
						local_ts = 0.0.0.0/0,::/0
						remote_ts = 0.0.0.0/0,::/0
						esp_proposals = $proposal
						$(printf '%s\n' "$@")
					}
				}
			}
		}
		secrets {
			ike {
				secret = "system test"
			}
		}
	X
}

# no_loss NAMESPACE COUNT INTERVAL ADDRESS [PING OPTION..]: ping that must get every answer
no_loss() {
	local out
	out=$(ns "$1" ping -q -c "$2" -i "$3" -W 2 "${@:5}" "$4" 2>&1)
	printf '%s\n' "$out"
	case $out in *' 0% packet loss'*) return 0 ;; esac
	return 1
}

carrier() { # SITE DEV
	[ "$(json "$1" vti show "$2" "d[0]['carrier']")" = True ]
}

initiate() { # SITE [CHILD]
	swan "$1" --initiate --child "${2:-net}" --timeout 15
}

# both_ready: the usual set-up: viaductd and charon at both sites, one VTI by if_id 1; nothing is
# negotiated yet. Arguments go to ike_conf after the site.
both_ready() {
	local s
	sites_wire
	for s in a b; do
		gw_config "$s" "$(vti_conf "$s" vti0 "if_id = 1;")"
		gw_start "$s"
		gw_addresses "$s"
		ike_conf "$s" "$@" "if_id_in = 1" "if_id_out = 1" >"$STATE/gw-$s/swanctl.conf"
		charon_start "$s" "$STATE/gw-$s/swanctl.conf"
	done
}

# Once SAs are there: the VTIs have carrier, addresses and routes, and the first packet has come through.
vtis_up() {
	local s
	for s in a b; do
		check "carrier of vti0 at gw-$s" wait_for 5 carrier "$s" vti0
		vti_up "$s"
	done
	check "first packet through" wait_for 5 ns host-a ping -q -c 1 -W 1 10.2.0.2
}

# both_up: both_ready, and SAs established
both_up() {
	both_ready "$@"
	check "negotiate $1" initiate a
	vtis_up
}

# charon_counts SITE: what swanctl --list-sas says of each SA, "SPI PACKETS BYTES" by line
charon_counts() {
	swan "$1" --list-sas --raw | python3 -c '
import re, sys
one = r"spi-in=(\w+) spi-out=(\w+) .*?bytes-in=(\d+) packets-in=(\d+) .*?bytes-out=(\d+) packets-out=(\d+) "
for i, o, bytes_in, in_, bytes_out, out in re.findall(one, sys.stdin.read()):
    print(i, in_, bytes_in)
    print(o, out, bytes_out)
' | sort
}

# counts_agree SITE: charon tells of viaductd's SAs what viaductctl does. While nothing passes, or the
# two have different moments.
counts_agree() {
	local have want
	have=$(json "$1" sa show "'\n'.join('%08x %d %d' % (x['spi'], x['packets'], x['bytes']) for x in d)" | sort)
	want=$(charon_counts "$1")
	[ -n "$have" ] && [ "$have" = "$want" ] || { printf 'viaductd:\n%s\ncharon:\n%s\n' "$have" "$want"; return 1; }
}

# sas_agree SITE: viaductd has exactly the SAs that charon has
sas_agree() {
	local have want
	have=$(json "$1" sa show "' '.join(sorted('%08x' % x['spi'] for x in d))")
	want=$(swan "$1" --list-sas | sed -n 's/^ *\(in\|out\) *\(0x\)\{0,1\}\([0-9a-f]*\).*/\3/p' | sort | xargs)
	[ "$have" = "$want" ] || { echo "viaductd: $have, charon: $want"; return 1; }
}
