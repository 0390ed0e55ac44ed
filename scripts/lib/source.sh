# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# The original tarball of a Debian source package, from the archives that apt already uses.
# To be sourced by bash scripts with set -eu, a directory $tmp of their own and a function die.
#
# The indexes of sources live in $tmp: /etc/apt and apt's own state stay as they are, whether they
# name sources or not. Needs no root.

source_upstream() { # of a Debian version: no epoch, no Debian revision
	local v=${1#*:}
	echo "${v%-*}"
}

# The release to match: that of the installed package, else what apt would install; nothing: any.
source_release() { # BINARY-PACKAGE
	local v
	v=$(dpkg-query -W -f '${Version}' "$1" 2>/dev/null) || v=
	[ -n "$v" ] || v=$(apt-cache policy "$1" 2>/dev/null | awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }')
	[ -z "$v" ] || source_upstream "$v"
}

# The machine's own lists, binary ones read as source ones.
source_lists() {
	local f
	mkdir -p "$tmp/parts" "$tmp/lists/partial" "$tmp/cache/archives/partial"
	for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ ! -f "$f" ] || sed -n 's/^[[:space:]]*deb\(-src\)\{0,1\}[[:space:]]/deb-src /p' "$f" | sort -u \
			>"$tmp/parts/$(basename "$f" .list).list"
	done
	for f in /etc/apt/sources.list.d/*.sources; do
		[ ! -f "$f" ] || sed '/^#/d' "$f" | awk 'BEGIN { RS = ""; ORS = "\n\n" }
			tolower($0) !~ /(^|\n)enabled:[ \t]*(no|false|off|0)/ { sub(/(^|\n)Types:[^\n]*/, "\nTypes: deb-src"); print }' \
			>"$tmp/parts/$(basename "$f")"
	done
}

source_apt() { # COMMAND..: apt-get or apt-cache with an own set of indexes
	local tool=$1
	shift
	"$tool" -q -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$tmp/parts" \
		-o Dir::State::Lists="$tmp/lists" -o Dir::Cache="$tmp/cache" -o APT::Sandbox::User= \
		-o APT::Get::List-Cleanup=0 -o Acquire::Languages=none "$@"
}

# Prints the tarball's path; 1, and apt's words in $tmp/log, when there is none. The newest version's
# files may be gone from a mirror while an older one's are there; the release's tarball is the same.
source_tarball() { # SOURCE-PACKAGE [RELEASE]
	local v
	source_lists
	source_apt apt-get update >"$tmp/log" 2>&1 || true # one archive without sources must not matter
	for v in $(source_apt apt-cache showsrc --only-source "$1" 2>>"$tmp/log" | sed -n 's/^Version: //p' | sort -Vru); do
		[ -z "${2:-}" ] || [ "$(source_upstream "$v")" = "$2" ] || continue
		(cd "$tmp" && source_apt apt-get source --download-only --tar-only --only-source "$1=$v" >>log 2>&1) || true
		find "$tmp" -maxdepth 1 -name "$1_*.orig.tar.*" ! -name '*.asc' | grep -m 1 . && return 0
	done
	return 1
}
