# SPDX-License-Identifier: BSD-3-Clause
# For the tests whose other side is a real Linux kernel: a user-mode-linux guest made of Debian packages
# (peer/build) takes gw-b's place, its eth0 on the wan at gw-b's addresses. Sourced after lib.sh.
export PEER_DIR=${VIADUCT_PEER:-$here/.data/peer} PEER_RUN=$STATE/peer

peer() { "$here/peer/peer" "$@"; }

guest_build() { # or the test is skipped
	step "build the Linux guest"
	"$here/peer/build" "$PEER_DIR" --xfrmi || { [ $? = 77 ] && skip "cannot build the Linux guest (above)"; die "peer/build failed"; }
	done_
	mkdir -p "$PEER_RUN"
}

guest_boot() { # ADDRESS/LENGTH..: the sites are wired; of site b only the wan's side is used
	local a args=()
	for a; do
		args+=(--ip "$a")
	done
	ip -n "${PREFIX}wan" link add br-b type bridge
	ns wan sysctl -qw net.ipv6.conf.br-b.accept_dad=0
	ip -n "${PREFIX}wan" link set br-b up
	ip -n "${PREFIX}wan" addr flush dev wan-b
	ip -n "${PREFIX}wan" -batch - <<-X
		addr add ${SITE_GW4[b]}/24 dev br-b
		addr add ${SITE_GW6[b]}/64 dev br-b nodad
	X
	on_exit "peer stop G"
	step "boot the Linux guest"
	peer start G --netns "${PREFIX}wan" --tap tapg "${args[@]}" || die "the guest does not boot"
	ip -n "${PREFIX}wan" link set tapg master br-b
	done_ "$(peer exec G 'uname -sr')"
	check "guest's default routes" peer exec G "ip route add default via ${SITE_GW4[b]}; ip route add ::/0 via ${SITE_GW6[b]}; true"
}
