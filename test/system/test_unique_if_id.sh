#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# if_id_in = if_id_out = %unique: charon makes the id up, its updown script gives the VTI that id, and
# takes it along through a reauthentication.
. "$(dirname "$0")/lib.sh"
needs /usr/lib/ipsec/charon swanctl python3

sites_wire
for s in a b; do
	gw_config $s "$(vti_conf $s vti0 "if_id = 99;")"
	gw_start $s
	gw_addresses $s
	cat >"$STATE/gw-$s/updown" <<-X
		#!/bin/sh
		echo "\$PLUTO_VERB \$PLUTO_IF_ID_IN \$PLUTO_IF_ID_OUT" >>$STATE/gw-$s/updown.log
		case \$PLUTO_VERB in
		up-client) exec $VIADUCTCTL -s $STATE/gw-$s/run/viaduct/viaduct.sock vti set vti0 if_id \$PLUTO_IF_ID_OUT ;;
		esac
	X
	chmod +x "$STATE/gw-$s/updown"
	ike_conf $s aes128gcm16 "if_id_in = %unique" "if_id_out = %unique" "updown = $STATE/gw-$s/updown" |
		sed 's/\(_ts = .*\),.*/\1/' >"$STATE/gw-$s/swanctl.conf"
	charon_start $s "$STATE/gw-$s/swanctl.conf"
done
check "negotiate" initiate a
for s in a b; do
	check "carrier of vti0 at gw-$s" wait_for 5 carrier $s vti0
	vti_up $s
	check "its if_id is not the configured one" test "$(json $s vti show vti0 "d[0]['if_id']")" != 99
done
check "passes" wait_for 5 no_loss host-a 20 0.01 10.2.0.2
check "rekey keeps the ids" swan a --rekey --child net
check "passes" no_loss host-a 50 0.01 10.2.0.2
finish
