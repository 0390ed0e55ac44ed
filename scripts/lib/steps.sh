# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Steps with one line each, cleaning up whatever happens, and saying why something failed.
# To be sourced by bash scripts that have set -u.

STEP=
LOGS=()	    # files whose last lines explain a failure
CLEANUP=()  # commands, run last first
step_start=$EPOCHREALTIME

# step TEXT: what is being done now; done_ TEXT: its result.
step() {
	STEP=$1
	step_start=$EPOCHREALTIME
	[ ! -t 1 ] || printf '  ...  %s\r' "$STEP"
}

done_() {
	awk -v a="$step_start" -v b="$EPOCHREALTIME" -v s="$STEP" -v r="${1:-}" \
		'BEGIN { printf "  ok   %-46s %5.1f s  %s\n", s, b - a, r }'
	STEP=
}

note() {
	printf '       %s\n' "$*"
}

# die WHY: ends the script; the trap cleans up. A function explain() may add to LOGS first.
die() {
	printf '  FAIL %s: %s\n' "${STEP:-start}" "$*" >&2
	local f
	! declare -F explain >/dev/null || explain
	for f in "${LOGS[@]}"; do
		[ -s "$f" ] || continue
		printf -- '--- last lines of %s\n' "$f" >&2
		tail -n 12 "$f" >&2
	done
	exit 1
}

on_exit() {
	CLEANUP+=("$1")
}

run_cleanup() {
	local status=$? i
	trap '' INT TERM
	trap - EXIT
	for ((i = ${#CLEANUP[@]} - 1; i >= 0; i--)); do
		eval "${CLEANUP[i]}" >/dev/null 2>&1
	done
	exit "$status"
}
trap run_cleanup EXIT
trap 'printf "\ninterrupted\n" >&2; exit 130' INT
trap 'exit 143' TERM HUP

# wait_for SECONDS COMMAND..: until the command succeeds; 1 when it never did.
wait_for() {
	local end=$((${EPOCHREALTIME/./} + $1 * 1000000))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "${EPOCHREALTIME/./}" -lt "$end" ] || return 1
		sleep 0.05
	done
}

# wait_started PID SECONDS COMMAND..: as wait_for, but no longer than the process lives.
wait_started() {
	local pid=$1 seconds=$2
	shift 2
	wait_for "$seconds" so_or_gone "$pid" "$@" && "$@" >/dev/null 2>&1
}

so_or_gone() {
	local pid=$1
	shift
	"$@" || ! kill -0 "$pid"
}

# stop_pid PID: ask, wait 5 s, then insist. Only for processes we started.
stop_pid() {
	local i
	kill "$1" 2>/dev/null || return 0
	for ((i = 0; i < 100; i++)); do
		readlink "/proc/$1/exe" >/dev/null || return 0 # gone, or a zombie that nobody waits for
		sleep 0.05
	done
	kill -9 "$1" 2>/dev/null
}
