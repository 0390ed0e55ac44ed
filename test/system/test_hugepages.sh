#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Two daemons at once on huge pages: IKE, traffic, and every page given back at the end. The kernel is
# asked for the pages here, and has its former number back afterwards.
. "$(dirname "$0")/lib.sh"
needs /usr/lib/ipsec/charon swanctl python3 iperf3

HUGE=true MEMORY_MB=512
POOL=/proc/sys/vm/nr_hugepages

meminfo() { # FIELD: as the kernel counts it, pages or KiB
	awk -v f="$1:" '$1 == f { print $2 }' /proc/meminfo
}

size_mb=$(($(meminfo Hugepagesize) / 1024))
each=$((MEMORY_MB / size_mb))
[ -w $POOL ] && [ "$each" -gt 0 ] || skip "needs huge pages of at most $MEMORY_MB MiB"
before=$(cat $POOL)
on_exit "echo $before >$POOL"
# Some to spare: what DPDK allocates later comes in pages of its own.
echo $((before + 2 * each + 64)) >$POOL
free=$(meminfo HugePages_Free)
[ "$free" -ge $((2 * each + 64)) ] || skip "needs $((2 * each + 64)) free huge pages; the kernel gives $free"

both_up aes128gcm16
for s in a b; do
	held=$(awk '/^HugetlbPages:/ { print $2 / 1024 }' "/proc/$(cat "$STATE/gw-$s/viaductd.pid")/status")
	step "gw-$s holds its memory_mb in huge pages"
	[ "$held" -ge $MEMORY_MB ] || die "only $held MiB"
	CHECKS=$((CHECKS + 1))
	done_ "$held MiB"
	check "status of gw-$s" ctl $s status
done
check "first packet over IPv6" wait_for 5 ns host-a ping -q -c 1 -W 1 2001:db8:2::2
check "IPv4" no_loss host-a 50 0.01 10.2.0.2
check "IPv6" no_loss host-a 50 0.01 2001:db8:2::2
check "large packets" no_loss host-a 20 0.01 10.2.0.2 -s 1300
ns host-b iperf3 -s -1 -D -I "$STATE/iperf3.pid" >/dev/null 2>&1
on_exit "kill \$(tr -d '\\0' <$STATE/iperf3.pid)"
check "iperf3 TCP" wait_for 10 ns host-a iperf3 -c 10.2.0.2 -t 2
for s in a b; do
	for r in no_mbuf esp_icv esp_replay esp_crypto_in esp_crypto_out; do
		equal "drops at gw-$s: $r" "$(drops $s $r)" 0
	done
done

for s in a b; do
	charon_stop $s
	pid=$(cat "$STATE/gw-$s/viaductd.pid")
	kill -TERM "$pid"
	wait "$pid"
	equal "gw-$s stops with status" $? 0
	rm -f "$STATE/gw-$s/viaductd.pid"
done
given_back() {
	[ "$(meminfo HugePages_Free)" -ge "$free" ]
}
check "every huge page is free again" wait_for 5 given_back
finish
