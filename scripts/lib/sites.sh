# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Two sites in network namespaces, for the demo and the system tests:
#
#   host-a --- lan0 gw-a wan0 --- wan --- wan0 gw-b lan0 --- host-b
#   10.1.0.2   10.1.0.1           router            10.2.0.1   10.2.0.2
#
# gw-a and gw-b run viaductd on veth ports (net_af_packet) and charon with our plugin. wan is a
# plain Linux router between 192.0.2.0/24 (gw-a) and 198.51.100.0/24 (gw-b).
# Needs steps.sh. PREFIX goes in front of the namespaces' names; STATE holds files and sockets.

: "${PREFIX:=}"
: "${STATE:?}"
: "${BUILD:?}"

VIADUCTD=$BUILD/control/viaductd
VIADUCTCTL=$BUILD/control/cli/viaductctl
PLUGIN_DIR=$BUILD/control/strongswan
CHARON=/usr/lib/ipsec/charon

SITES="a b" # a test may have a third, c
declare -A SITE_WAN4=([a]=192.0.2.1 [b]=198.51.100.1 [c]=203.0.113.1)
declare -A SITE_WAN6=([a]=2001:db8:a::1 [b]=2001:db8:b::1 [c]=2001:db8:c::1)
declare -A SITE_GW4=([a]=192.0.2.254 [b]=198.51.100.254 [c]=203.0.113.254)
declare -A SITE_GW6=([a]=2001:db8:a::fe [b]=2001:db8:b::fe [c]=2001:db8:c::fe)
declare -A SITE_NUM=([a]=1 [b]=2 [c]=3)
declare -A SITE_PEER=([a]=b [b]=a [c]=a)

ns() { # NAMESPACE COMMAND..
	local n=$PREFIX$1
	shift
	ip netns exec "$n" "$@"
}

ctl() { # SITE ARGUMENTS..: viaductctl of that gateway
	local s=$1
	shift
	"$VIADUCTCTL" -s "$STATE/gw-$s/run/viaduct/viaduct.sock" "$@"
}

explain() { # on failure: what the gateways dropped, and what their tables say
	local s
	for s in $SITES; do
		[ -f "$STATE/gw-$s/viaductd.pid" ] || continue
		timeout 5 "$VIADUCTCTL" -s "$STATE/gw-$s/run/viaduct/viaduct.sock" drops >"$STATE/gw-$s/drops" 2>/dev/null ||
			continue # it does not run: its log has been shown
		timeout 5 "$VIADUCTCTL" -s "$STATE/gw-$s/run/viaduct/viaduct.sock" neigh >"$STATE/gw-$s/neighbours" 2>&1
		LOGS+=("$STATE/gw-$s/drops" "$STATE/gw-$s/neighbours")
	done
}

swan() { # SITE ARGUMENTS..: swanctl of that gateway
	local s=$1
	shift
	swanctl "$@" --uri "unix://$STATE/gw-$s/run/charon.vici"
}

ns_add() { # NAME
	[ ! -e "/run/netns/$PREFIX$1" ] ||
		die "network namespace $PREFIX$1 exists already; remove it with: ip netns del $PREFIX$1"
	ip netns add "$PREFIX$1" || die "cannot make network namespace $PREFIX$1 (root? container without CAP_SYS_ADMIN?)"
	on_exit "ip netns del $PREFIX$1"
	ip -n "$PREFIX$1" link set lo up
}

# link_add NS1 DEV1 NS2 DEV2: a veth pair without offloads, so that what is on the wire is complete.
link_add() {
	ip -n "$PREFIX$1" link add "$2" type veth peer name "$4" netns "$PREFIX$3" || die "cannot make veth $2 - $4"
	local n d
	for n in "$1 $2" "$3 $4"; do
		d=${n#* } n=${n% *}
		ns "$n" ethtool -K "$d" tx off tso off gso off gro off >/dev/null 2>&1
		ip -n "$PREFIX$n" link set "$d" up
	done
}

# phy_take NS DEV: the device belongs to viaductd. The kernel's own stack must not answer on it too.
phy_take() {
	ns "$1" sysctl -qw "net.ipv6.conf.$2.disable_ipv6=1"
	ns "$1" nft -f - <<-X || die "nft cannot drop the kernel's own traffic on $2"
		add table netdev viaduct
		add chain netdev viaduct $2 { type filter hook ingress device $2 priority 0; policy drop; }
	X
}

quiet_ns() { # NS: no reverse-path filter, addresses usable at once
	ns "$1" sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
		net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_ra=0
}

sites_wire() { # the namespaces, their links, hosts and router; gateways' ports are phy-lan0, phy-wan0
	local s n p
	ns_add wan
	quiet_ns wan
	ns wan sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	for s in $SITES; do
		n=${SITE_NUM[$s]}
		ns_add "gw-$s"
		ns_add "host-$s"
		quiet_ns "gw-$s"
		quiet_ns "host-$s"
		link_add "host-$s" eth0 "gw-$s" phy-lan0
		link_add wan "wan-$s" "gw-$s" phy-wan0
		for p in phy-lan0 phy-wan0; do
			phy_take "gw-$s" "$p"
		done
		ip -n "${PREFIX}host-$s" -batch - <<-X
			addr add 10.$n.0.2/24 dev eth0
			addr add 2001:db8:$n::2/64 dev eth0 nodad
			route add default via 10.$n.0.1
			route add ::/0 via 2001:db8:$n::1
		X
		ip -n "${PREFIX}wan" -batch - <<-X
			addr add ${SITE_GW4[$s]}/24 dev wan-$s
			addr add ${SITE_GW6[$s]}/64 dev wan-$s nodad
		X
	done
}

# gw_config SITE [EXTRA..]: viaductd's configuration; further arguments are appended as lines. LAN and
# WAN may name other devices than packet sockets on the veth ends.
gw_config() {
	local s=$1 cpu=0 line
	shift
	[ "$s" = a ] || cpu=$(($(nproc) - 1))
	mkdir -p "$STATE/gw-$s/run/viaduct"
	{
		cat <<-X
			# Gateway $s of the two-site set-up.
			huge_pages = ${HUGE:-false};
			memory_mb = ${MEMORY_MB:-1024};
			mbufs = 16384;
			max_routes = { ipv4 = 4096; ipv6 = 4096; };
			crypto = "${CRYPTO:-ipsec-mb}";
			workers = { cores = [ ${CORES:-$cpu} ]; idle_us = 50; };
			ports = (
			  { name = "lan0"; device = "${LAN:-net_af_packet0,iface=phy-lan0}"; },
			  { name = "wan0"; device = "${WAN:-net_af_packet1,iface=phy-wan0}"; }
			);
		X
		for line; do
			printf '%s\n' "$line"
		done
	} >"$STATE/gw-$s/viaduct.conf"
}

gw_start() { # SITE: viaductd in its namespace, /run being its own
	local s=$1 dir=$STATE/gw-$1
	LOGS+=("$dir/viaductd.log")
	ip netns exec "${PREFIX}gw-$s" sh -c '
		mount --bind "$1/run" /run && exec "$2" --config "$1/viaduct.conf"
	' sh "$dir" "$VIADUCTD" >>"$dir/viaductd.log" 2>&1 </dev/null &
	echo $! >"$dir/viaductd.pid"
	on_exit "gw_stop $s"
	wait_started $! 20 ctl "$s" status || die "viaductd of gw-$s does not answer"
}

gw_stop() { # SITE
	local f=$STATE/gw-$1/viaductd.pid
	[ -f "$f" ] || return 0
	stop_pid "$(cat "$f")"
	rm -f "$f"
}

gw_addresses() { # SITE: what an administrator sets on the twins
	local s=$1 n=${SITE_NUM[$1]}
	ip -n "${PREFIX}gw-$s" -batch - <<-X || die "cannot configure the twins of gw-$s"
		link set lan0 up
		link set wan0 up
		addr add 10.$n.0.1/24 dev lan0
		addr add 2001:db8:$n::1/64 dev lan0 nodad
		addr add ${SITE_WAN4[$s]}/24 dev wan0
		addr add ${SITE_WAN6[$s]}/64 dev wan0 nodad
		route add default via ${SITE_GW4[$s]}
		route add ::/0 via ${SITE_GW6[$s]}
	X
}

vti_up() { # SITE [DEV]: link up, an address of either family, routes to the other site
	local s=$1 dev=${2:-vti0} n=${SITE_NUM[$1]} p=${SITE_NUM[${SITE_PEER[$1]}]}
	ip -n "${PREFIX}gw-$s" -batch - <<-X || die "cannot configure $dev of gw-$s"
		link set $dev up
		addr add 10.255.0.$n/30 dev $dev
		addr add fd00:255::$n/64 dev $dev nodad
		route add 10.$p.0.0/16 dev $dev
		route add 2001:db8:$p::/48 dev $dev
	X
}

# charon_start SITE SWANCTL_CONF [PLUGIN]: charon with kernel-viaduct (or another ESP plugin), loaded
# with the given connections.
charon_start() {
	local s=$1 conf=$2 esp=${3:-kernel-viaduct} dir=$STATE/gw-$1
	LOGS+=("$dir/charon.log")
	cat >"$dir/strongswan.conf" <<-X
		charon {
			load = $(charon_plugins "$esp")
			install_routes = no
			install_virtual_ip = no
			retransmit_tries = 3
			retransmit_timeout = 1.0
			${CHARON_EXTRA:-}
			plugins {
				kernel-viaduct {
					socket = /run/viaduct/viaduct.sock
				}
				vici {
					socket = unix:///run/charon.vici
				}
			}
			filelog {
				log {
					path = $dir/charon.log
					default = 1
					flush_line = yes
					append = yes
					time_format = %T
				}
			}
		}
	X
	# charon looks for plugins in one directory only: in its own mount namespace that is a directory
	# of links to Debian's and to ours, so that nothing of the machine is changed.
	ip netns exec "${PREFIX}gw-$s" sh -c '
		mount --bind "$1/run" /run && mkdir -p "$1/debian" "$1/plugins" &&
		mount --bind /usr/lib/ipsec/plugins "$1/debian" &&
		ln -sf "$1"/debian/*.so "$3"/libstrongswan-kernel-viaduct.so "$1/plugins/" &&
		mount --bind "$1/plugins" /usr/lib/ipsec/plugins || exit 1
		STRONGSWAN_CONF=$1/strongswan.conf exec "$2"
	' sh "$dir" "$CHARON" "$PLUGIN_DIR" >>"$dir/charon.out" 2>&1 </dev/null &
	echo $! >"$dir/charon.pid"
	on_exit "charon_stop $s"
	wait_started $! 15 swan "$s" --stats || { LOGS+=("$dir/charon.out"); die "charon of gw-$s does not answer"; }
	swan "$s" --load-all --file "$conf" >"$dir/swanctl.log" 2>&1 ||
		{ LOGS+=("$dir/swanctl.log"); die "swanctl of gw-$s refuses $conf"; }
}

charon_plugins() {
	echo "random nonce openssl kdf curve25519 pem pkcs1 pkcs8 pubkey x509 constraints hmac $1 kernel-netlink socket-default updown vici"
}

charon_stop() { # SITE
	local f=$STATE/gw-$1/charon.pid
	[ -f "$f" ] || return 0
	stop_pid "$(cat "$f")"
	rm -f "$f"
}
