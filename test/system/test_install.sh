#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# "meson install" into an empty root: everything where Debian expects it, and of use there. What was
# installed is then run: the daemon, the CLI, the library's examples.
. "$(dirname "$0")/lib.sh"
needs meson cc pkg-config readelf

root=$STATE/root
multiarch=$(cc -print-multiarch)
lib=$root/usr/lib/$multiarch
units=$(pkg-config --variable=systemdsystemunitdir systemd 2>/dev/null) || units=/lib/systemd/system

install_it() {
	DESTDIR=$root meson install -C "$BUILD" --no-rebuild
}

# place MODE PATH: a file, under the root, with these permissions
place() {
	check "$2" test -f "$root$2"
	[ "$(stat -c %a "$root$2")" = "$1" ] || STEP=$2 die "mode is $(stat -c %a "$root$2"), should be $1"
}

check "meson install" install_it
place 755 /usr/sbin/viaductd
place 755 /usr/bin/viaductctl
place 755 "/usr/lib/$multiarch/libviaduct.so.2.0.0"
place 644 "/usr/lib/$multiarch/libviaduct.a"
place 644 "/usr/lib/$multiarch/pkgconfig/libviaduct.pc"
place 644 /usr/include/viaduct.h
place 644 /usr/include/viaduct_api.h
place 644 "$units/viaductd.service"
place 644 /usr/share/bash-completion/completions/viaductctl
place 600 /etc/viaduct/viaduct.conf
for page in man5/viaduct.conf.5 man8/viaductctl.8 man8/viaductd.8; do
	place 644 "/usr/share/man/$page"
done
for f in "$top"/config/examples/*.conf; do
	place 644 "/usr/share/doc/viaduct/examples/${f##*/}"
done
if [ -f "$PLUGIN_DIR/libstrongswan-kernel-viaduct.so" ]; then
	place 755 /usr/lib/ipsec/plugins/libstrongswan-kernel-viaduct.so
	place 644 /etc/strongswan.d/charon/kernel-viaduct.conf
	check "the plugin has charon's way in" sh -c \
		"readelf -W --dyn-syms '$root/usr/lib/ipsec/plugins/libstrongswan-kernel-viaduct.so' | grep -q ' kernel_viaduct_plugin_create'"
else
	echo "SKIP strongSwan plugin: not built (meson -Dstrongswan=)"
fi
equal "the library's soname" "$(readelf -d "$lib/libviaduct.so.2.0.0" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')" libviaduct.so.2
equal "libviaduct.so.2" "$(readlink -f "$lib/libviaduct.so.2")" "$lib/libviaduct.so.2.0.0"
equal "libviaduct.so" "$(readlink -f "$lib/libviaduct.so")" "$lib/libviaduct.so.2.0.0"
for f in usr/sbin/viaductd usr/bin/viaductctl; do
	check "no path into the build directory in /$f" sh -c "! readelf -d '$root/$f' | grep -E 'R(UN)?PATH'"
done

VIADUCTD=$root/usr/sbin/viaductd VIADUCTCTL=$root/usr/bin/viaductctl
check "viaductd --check on /etc/viaduct/viaduct.conf" "$VIADUCTD" --check -c "$root/etc/viaduct/viaduct.conf"
for f in "$root"/usr/share/doc/viaduct/examples/*.conf; do
	check "viaductd --check on ${f##*/}" "$VIADUCTD" --check -c "$f"
done
check "viaductctl --version" "$VIADUCTCTL" --version
check "bash completion loads" bash -c ". '$root/usr/share/bash-completion/completions/viaductctl' && complete -p viaductctl"
if command -v systemd-analyze >/dev/null; then
	sed "s,/usr/s*bin/,$root&," "$root$units/viaductd.service" >"$STATE/viaductd.service"
	check "systemd-analyze verify" systemd-analyze verify --man=no "$STATE/viaductd.service"
	check "and says nothing" test ! -s "$STATE/check.out"
else
	echo "SKIP systemd-analyze verify: there is no systemd-analyze"
fi

# The examples of docs/, against what was installed and nothing else.
export PKG_CONFIG_SYSROOT_DIR=$root PKG_CONFIG_LIBDIR=$lib/pkgconfig
flags=$(pkg-config --cflags --libs libviaduct) || die "pkg-config does not know libviaduct"
for f in "$top"/docs/examples/*.c; do
	n=$(basename "$f" .c)
	# shellcheck disable=SC2086
	check "cc $n.c \$(pkg-config --cflags --libs libviaduct)" cc -Wall -Werror -D_GNU_SOURCE "$f" $flags -o "$STATE/$n"
	# shellcheck disable=SC2086
	check "and with the static library" cc -D_GNU_SOURCE "$f" ${flags/-lviaduct/-l:libviaduct.a} -o "$STATE/$n-static"
	check "which needs no libviaduct.so" sh -c "! readelf -d '$STATE/$n-static' | grep libviaduct"
done
declared=$(sed -n 's/.*\b\(viaduct_[a-z_]*\)(.*/\1/p' "$root/usr/include/viaduct.h" | sort -u)
exported=$(nm -D --defined-only "$lib/libviaduct.so.2.0.0" | sed -n 's/.* T \([a-z_]*\).*/\1/p' | sort -u)
check "the library exports what viaduct.h declares, and nothing else" [ "$exported" = "$declared" ]
equal "each with the version of the API" "$(readelf -W --dyn-syms "$lib/libviaduct.so.2.0.0" | grep -c '@@LIBVIADUCT_2')" \
	"$(echo "$declared" | wc -l)"
if command -v c++ >/dev/null; then
	echo '#include <viaduct.h>
	int main() { viaduct_sa sa{}; viaduct *v = viaduct_open("/nonexistent", "c++"); return v == nullptr && sa.dir == 0 ? 0 : 1; }' >"$STATE/cxx.cc"
	# shellcheck disable=SC2086
	check "viaduct.h from C++" c++ -std=c++11 -Wall -Wextra -Werror -pedantic -Wno-error=pedantic "$STATE/cxx.cc" $flags -o "$STATE/cxx"
	check "and it links and runs" env LD_LIBRARY_PATH="$lib" "$STATE/cxx"
else
	echo "SKIP C++: there is no c++"
fi
export LD_LIBRARY_PATH=$lib
ns_add gw-a
LAN=net_null0,no-rx=1 WAN=net_null1,no-rx=1
gw_config a
gw_start a
# inside PROGRAM..: in the gateway's namespace, with its /run; started with &, so that $! is the program
inside() {
	exec ip netns exec "${PREFIX}gw-a" sh -c 'mount --bind "$0" /run && exec "$@"' "$STATE/gw-a/run" "$@"
}
for n in keying keying-static; do
	inside stdbuf -oL "$STATE/$n" "$n" 192.0.2.1 192.0.2.2 100 >"$STATE/$n.out" 2>&1 &
	pid=$!
	on_exit "kill $pid"
	check "$n keys a tunnel of the installed daemon" wait_for 10 grep -q '^keyed: SPI 0x' "$STATE/$n.out"
	check "the installed viaductctl shows it" wait_for 5 sh -c \
		"$VIADUCTCTL -s $STATE/gw-a/run/viaduct/viaduct.sock vti show $n | grep -q '1 in, 1 out'"
	kill $pid
	wait $pid 2>/dev/null
	inside stdbuf -oL "$STATE/$n" "$n" 192.0.2.1 192.0.2.2 100 2 >"$STATE/$n.again" 2>&1 &
	pid=$!
	on_exit "kill $pid"
	check "started again, it replaces what it finds" wait_for 5 grep -q ', 2 old SAs removed' "$STATE/$n.again"
	check "and rekeys at the soft lifetime" wait_for 10 sh -c "[ \$(grep -c '^keyed' '$STATE/$n.again') -ge 3 ]"
	equal "leaving one pair" "$(json a sa show "len(d)")" 2
	gw_stop a
	gw_start a
	check "when viaductd comes back, it is keyed anew" wait_for 10 grep -q ', 0 old SAs removed' "$STATE/$n.again"
	check "on a VTI of its own" wait_for 5 carrier a "$n"
	kill $pid
	wait $pid 2>/dev/null
	ctl a sa flush
	ctl a vti del "$n"
done
unset LD_LIBRARY_PATH
gw_stop a

# A second install: programs are new, what the administrator wrote stays.
echo '# my own' >>"$root/etc/viaduct/viaduct.conf"
rm "$root/usr/sbin/viaductd"
check "meson install again" install_it
check "the daemon is back" test -x "$root/usr/sbin/viaductd"
equal "an edited viaduct.conf stays" "$(tail -n 1 "$root/etc/viaduct/viaduct.conf")" "# my own"
equal "with its mode" "$(stat -c %a "$root/etc/viaduct/viaduct.conf")" 600
finish
