/* SPDX-License-Identifier: BSD-3-Clause */
/* What a reload changes, what it leaves alone, and that what is refused changes nothing: interfaces,
 * routes, settings. SAs are in test_reload_sas.c. */
#include "reload_fixture.h"

#define VTI(name, more)                                                                            \
	"{ name = \"" name "\"; local = \"192.0.2.1\"; remote = \"192.0.2.2\"; " more " }"
#define VTIS(list)               "vtis = ( " list " );\n"
#define ROUTE(to, dev, more)     "{ to = \"" to "\"; dev = \"" dev "\"; " more " }"
#define ROUTES(list)             "routes = ( " list " );\n"
#define PORT(name, device, more) "{ name = \"" name "\"; device = \"" device "\"; " more " }"

static void nothing_differs(void)
{
	const char *text = VTIS(VTI("vti0", "if_id = 1;") ", " VTI("vti1", "mark = \"3/0xf\";"))
		ROUTES(ROUTE("10.2.0.0/16", "vti0", ""));
	struct vti *v;
	unsigned before;

	start(text);
	v = vti_by_name("vti0");
	before = world.route_changes;
	RELOAD(text, 0);
	/* Written otherwise, it means the same. */
	RELOAD("vtis = ( { name = \"vti1\"; mark = 3; },\n{ name = \"vti0\"; if_id = 0x1; up = "
	       "true; "
	       "mtu = 0;\nlocal = \"192.0.2.1\"; remote = \"192.0.2.2\"; } );\n" ROUTES(
		       ROUTE("10.2.0.0/16", "vti0", "metric = 0; type = \"unicast\";")),
		1);
	CU_ASSERT_PTR_EQUAL(vti_by_name("vti0"), v);
	CU_ASSERT_EQUAL(world.route_changes, before);
	CU_ASSERT_STRING_EQUAL(changes[0].name, "vti1");
	stop();
}

static void vtis_come_change_and_go(void)
{
	struct vti *v;

	start(VTIS(VTI("vti0", "if_id = 1;")));
	v = vti_by_name("vti0");
	RELOAD(VTIS(VTI("vti0", "if_id = 1;") ", " VTI("vti1", "if_id = 2; mtu = 1300;")), 1);
	CU_ASSERT_EQUAL(changes[0].kind, VIADUCT_CHANGE_ADD);
	CU_ASSERT_EQUAL(vti_by_name("vti1")->conf.mtu, 1300);
	CU_ASSERT_EQUAL(vti_by_name("vti1")->origin, VIADUCT_ORIGIN_CONFIG);
	CU_ASSERT_EQUAL(fake.events, 1); /* of the new one */
	RELOAD(VTIS(VTI("vti0", "if_id = 1;") ", " VTI("vti1", "if_id = 3; up = false;")), 1);
	CU_ASSERT_STRING_EQUAL(changes[0].text, "if_id 2 -> 3, mtu 1300 -> 0, up true -> false");
	CU_ASSERT_FALSE(iface_has(v->iface, IFACE_PARALLEL));
	RELOAD(VTIS(VTI("vti0", "if_id = 1; parallel = true;") ", " VTI(
		       "vti1", "if_id = 3; up = false;")),
		1);
	CU_ASSERT_STRING_EQUAL(changes[0].text, "parallel false -> true");
	CU_ASSERT_TRUE(iface_has(v->iface, IFACE_PARALLEL));
	CU_ASSERT_EQUAL(vti_by_name("vti1")->conf.if_id, 3);
	CU_ASSERT_EQUAL(vti_by_name("vti1")->conf.mtu, 0);
	CU_ASSERT_FALSE(vti_by_name("vti1")->conf.admin_up);
	RELOAD(VTIS(VTI("vti0", "if_id = 1; parallel = true; df = \"set\"; mss = 1000;") ", " VTI(
		       "vti1", "if_id = 3; up = false;")),
		1);
	CU_ASSERT_STRING_EQUAL(changes[0].text, "mss \"auto\" -> 1000, df \"sa\" -> \"set\"");
	CU_ASSERT_PTR_NOT_NULL(atomic_load(&v->iface->outer));
	CU_ASSERT_EQUAL(atomic_load(&v->iface->mss), 1000);
	RELOAD(VTIS(VTI("vti0", "if_id = 1; parallel = true;") ", " VTI(
		       "vti1", "if_id = 3; up = false;")),
		1);
	CU_ASSERT_PTR_NULL(atomic_load(&v->iface->outer));
	RELOAD(VTIS(VTI("vti0", "if_id = 1; parallel = true;")), 1);
	CU_ASSERT_EQUAL(changes[0].kind, VIADUCT_CHANGE_DEL);
	CU_ASSERT_EQUAL(vti_count(), 1);
	CU_ASSERT_PTR_EQUAL(vti_by_name("vti0"), v);
	stop();
}

/* Only what the file changes is set: what was set at run time beside it stays. */
static void run_time_changes_stay(void)
{
	struct viaduct_vti set = {.name = "vti0",
		.fields = VIADUCT_VTI_DESCRIPTION | VIADUCT_VTI_MTU,
		.description = "by hand",
		.mtu = 1280};

	start(VTIS(VTI("vti0", "if_id = 1;")));
	CU_ASSERT_EQUAL(vti_set(&set, NULL, &e), 0);
	RELOAD(VTIS(VTI("vti0", "if_id = 1;")), 0);
	RELOAD(VTIS(VTI("vti0", "if_id = 2; mtu = 1400;")), 1);
	CU_ASSERT_EQUAL(vti_by_name("vti0")->conf.if_id, 2);
	CU_ASSERT_EQUAL(vti_by_name("vti0")->conf.mtu, 1400);
	CU_ASSERT_STRING_EQUAL(vti_by_name("vti0")->conf.description, "by hand");
	stop();
}

static void what_was_removed_by_hand_is_put_back(void)
{
	start(VTIS(VTI("vti0", "if_id = 1;")) ROUTES(ROUTE("10.2.0.0/16", "vti0", "")));
	CU_ASSERT_EQUAL(vti_del("vti0", &e), 0);
	world.n_routes = 0; /* gone with it */
	RELOAD(VTIS(VTI("vti0", "if_id = 1;")) ROUTES(ROUTE("10.2.0.0/16", "vti0", "")), 2);
	CU_ASSERT_PTR_NOT_NULL(vti_by_name("vti0"));
	CU_ASSERT_EQUAL(world.n_routes, 1);
	stop();
}

static void what_came_by_the_api_stays(void)
{
	struct viaduct_vti r = request("vti5", "192.0.2.1", "192.0.2.5");

	start(VTIS(VTI("vti0", "if_id = 1;")));
	add(&r);
	RELOAD("", 1);
	CU_ASSERT_PTR_NULL(vti_by_name("vti0"));
	CU_ASSERT_PTR_NOT_NULL(vti_by_name("vti5"));
	CU_ASSERT_EQUAL(vti_by_name("vti5")->origin, VIADUCT_ORIGIN_API);
	/* Named by the file it is the file's, and goes with it. */
	RELOAD(VTIS("{ name = \"vti5\"; local = \"192.0.2.1\"; remote = \"192.0.2.6\"; }"), 1);
	CU_ASSERT_EQUAL(changes[0].kind, VIADUCT_CHANGE_ADOPT);
	CU_ASSERT_STRING_EQUAL(
		changes[0].text, "remote \"192.0.2.5\" -> \"192.0.2.6\", up false -> true");
	CU_ASSERT_EQUAL(vti_by_name("vti5")->origin, VIADUCT_ORIGIN_CONFIG);
	RELOAD("", 1);
	CU_ASSERT_EQUAL(vti_count(), 0);
	stop();
}

/* Keys change hands, in whatever order the file has them. */
static void vtis_may_take_each_others_keys(void)
{
	start(VTIS(VTI("vti0", "if_id = 1;") ", " VTI("vti1", "if_id = 2;")));
	RELOAD(VTIS(VTI("vti0", "if_id = 2;") ", " VTI("vti1", "if_id = 1;")), 2);
	CU_ASSERT_EQUAL(vti_by_name("vti0")->conf.if_id, 2);
	CU_ASSERT_EQUAL(vti_by_name("vti1")->conf.if_id, 1);
	CU_ASSERT_EQUAL(vti_by_name("vti1")->conf.remote.bytes[3], 2);
	/* Another name. */
	RELOAD(VTIS(VTI("hq", "if_id = 2;") ", " VTI("vti1", "if_id = 1;")), 2);
	CU_ASSERT_PTR_NULL(vti_by_name("vti0"));
	CU_ASSERT_EQUAL(vti_by_name("hq")->conf.if_id, 2);
	CU_ASSERT_EQUAL(vti_count(), 2);
	/* Refused on the way, everything is where it was. */
	fake.refuse_twin = ENOMEM;
	REFUSED(VTIS(VTI("vti1", "if_id = 2;") ", " VTI("vti2", "if_id = 1;")),
		"nothing was changed");
	CU_ASSERT_EQUAL(vti_by_name("hq")->conf.if_id, 2);
	CU_ASSERT_EQUAL(vti_by_name("vti1")->conf.if_id, 1);
	CU_ASSERT_EQUAL(vti_by_name("vti1")->conf.local.bytes[3], 1);
	stop();
}

static void clashes_are_found_before(void)
{
	struct viaduct_vti r = request("vti5", "192.0.2.1", "192.0.2.2");

	r.fields |= VIADUCT_VTI_IF_ID;
	r.if_id = 7;
	start("");
	add(&r);
	REFUSED("log_level = \"debug\";\n" VTIS(
			VTI("vti0", "if_id = 6;") ", " VTI("vti1", "if_id = 7;")),
		"vtis: vti1: has the same local, remote, if_id, mark and reqid as vti5");
	REFUSED(VTIS(VTI("lo", "if_id = 6;")),
		"vtis: lo: an interface of this name exists already");
	CU_ASSERT_EQUAL(vti_count(), 1);
	CU_ASSERT_STRING_EQUAL(running->log_level, "notice");
	stop();
}

static void an_invalid_file_changes_nothing(void)
{
	start(VTIS(VTI("vti0", "if_id = 1;")) ROUTES(ROUTE("10.2.0.0/16", "vti0", "")));
	REFUSED("log_level = \"debug\";\n" VTIS(
			VTI("vti9", "if_id = 9;") ",\n" VTI("vti1", "mtu = 1;")),
		"t.conf:3: vtis[1].mtu: 1; expected a number from 68 to 65535");
	REFUSED("vtis = (\n{ name = ", "t.conf:2: syntax error");
	REFUSED("@include \"/\"\n", "t.conf:1: @include \"/\": a directory");
	unlink(from_file.path);
	n_changes = 0;
	CU_ASSERT(reload(false, note, NULL, &e) < 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "No such file"));
	CU_ASSERT_EQUAL(n_changes, 0);
	CU_ASSERT_EQUAL(vti_count(), 1);
	CU_ASSERT_EQUAL(world.n_routes, 1);
	CU_ASSERT_EQUAL(fake.events, 0);
	RELOAD(VTIS(VTI("vti0", "if_id = 1;")) ROUTES(ROUTE("10.2.0.0/16", "vti0", "")), 0);
	stop();
}

/* Whatever fails, and wherever: all steps before it are taken back. */
static void failures_are_undone(void)
{
	const char *before = "log_level = \"info\";\nports = ( " PORT(
		"p0", "net_tap0", "") " );\n" VTIS(VTI("vti0",
		"if_id = 1; mtu = 1300;") ", " VTI("vti1", "if_id = 2;"))
		ROUTES(ROUTE("10.2.0.0/16", "vti0", "") ", " ROUTE("10.3.0.0/16", "vti1", ""));
	const char *after = "log_level = \"debug\";\nports = ( " PORT("p0", "net_tap0",
		"mtu = 1400;") " );\n" VTIS(VTI("vti0", "if_id = 4; mtu = 1400;") ", " VTI("vti2",
		"if_id = 3;")) ROUTES(ROUTE("10.2.0.0/16", "vti2", "") ", " ROUTE("10.4.0.0/16",
		"vti0", "") ", " ROUTE("10.5.0.0/16", "vti2", ""));

	start(before);
	for (unsigned where = 0; where < 4; where++) {
		world.refuse_port = where == 0;
		fake.refuse_mtu = where == 1 ? EIO : 0;
		fake.refuse_twin = where == 2 ? EIO : 0;
		world.refuse_route = where == 3 ? 5 : 0;
		REFUSED(after, "nothing was changed");
		CU_ASSERT_EQUAL(n_changes, 0);
		CU_ASSERT_EQUAL(vti_count(), 2);
		CU_ASSERT_EQUAL(fake.twins, 2);
		CU_ASSERT_EQUAL(vti_by_name("vti0")->conf.if_id, 1);
		CU_ASSERT_EQUAL(vti_by_name("vti0")->conf.mtu, 1300);
		CU_ASSERT_EQUAL(world.n_routes, 2);
		for (unsigned i = 0; i < 2; i++)
			CU_ASSERT_STRING_EQUAL(world.routes[i].dev, i == 0 ? "vti0" : "vti1");
		CU_ASSERT_STRING_EQUAL(running->log_level, "info");
		CU_ASSERT(world.port_changes == 0 || world.port.mtu == 1500);
	}
	world.refuse_route = 0;
	RELOAD(after, 9);
	CU_ASSERT_EQUAL(world.n_routes, 3);
	CU_ASSERT_EQUAL(world.port.mtu, 1400);
	RELOAD(after, 0);
	stop();
}

static void routes_come_change_and_go(void)
{
	struct viaduct_route api = {.origin = VIADUCT_ORIGIN_API, .type = VIADUCT_ROUTE_BLACKHOLE};

	start(VTIS(VTI("vti0", "if_id = 1;") ", " VTI("vti1", "if_id = 2;")) ROUTES(
		ROUTE("10.2.0.0/16", "vti0", "") ", " ROUTE("10.2.0.0/16", "vti1", "metric = 9;")));
	prefix_parse("10.7.0.0/16", &api.prefix, &api.prefix_len);
	route_add(&api, &e);
	world.route_changes = 0;
	RELOAD(VTIS(VTI("vti0", "if_id = 1;") ", " VTI("vti1", "if_id = 2;"))
			ROUTES(ROUTE("10.2.0.0/16", "vti1",
				"") ", { to = \"10.3.0.0/16\"; type = \"prohibit\"; }"),
		3);
	CU_ASSERT_STRING_EQUAL(change_of("route", "10.2.0.0/16")->text, "dev \"vti0\" -> \"vti1\"");
	CU_ASSERT_EQUAL(change_of("route", "10.2.0.0/16 metric 9")->kind, VIADUCT_CHANGE_DEL);
	CU_ASSERT_EQUAL(change_of("route", "10.3.0.0/16")->kind, VIADUCT_CHANGE_ADD);
	CU_ASSERT_EQUAL(world.route_changes, 3);
	CU_ASSERT_EQUAL(world.n_routes, 3);
	/* The API's own, named by the file: one is enough. */
	RELOAD(VTIS(VTI("vti0", "if_id = 1;") ", " VTI("vti1", "if_id = 2;"))
			ROUTES("{ to = \"10.7.0.0/16\"; type = \"blackhole\"; }"),
		3);
	CU_ASSERT_EQUAL(change_of("route", "10.7.0.0/16")->kind, VIADUCT_CHANGE_ADOPT);
	CU_ASSERT_EQUAL(world.n_routes, 1);
	CU_ASSERT_EQUAL(world.routes[0].origin, VIADUCT_ORIGIN_CONFIG);
	stop();
}

static void settings_change_or_wait(void)
{
	start("log_level = \"error\"; replay_window = 128; mbufs = 2048;\n");
	RELOAD("log_level = \"warning\"; replay_window = 256; mbufs = 4096;\n"
	       "workers = { cores = [ 1, 2 ]; };\n",
		4);
	CU_ASSERT_EQUAL(change_of("setting", "log_level")->kind, VIADUCT_CHANGE_SET);
	CU_ASSERT_STRING_EQUAL(change_of("setting", "replay_window")->text, "128 -> 256");
	CU_ASSERT_EQUAL(change_of("setting", "mbufs")->kind, VIADUCT_CHANGE_RESTART);
	CU_ASSERT_STRING_EQUAL(change_of("setting", "workers.cores")->text, "[ -1 ] -> [ 1, 2 ]");
	CU_ASSERT_EQUAL(running->replay_window, 256);
	CU_ASSERT_STRING_EQUAL(running->log_level, "warning");
	CU_ASSERT_EQUAL(running->mbufs, 2048);
	CU_ASSERT_EQUAL(running->n_cores, 1);
	CU_ASSERT_EQUAL(running->cores[0], -1);
	/* They wait until the daemon restarts, or the file says again what runs. */
	RELOAD("log_level = \"warning\"; replay_window = 256; mbufs = 4096;\n", 1);
	RELOAD("log_level = \"warning\"; replay_window = 256; mbufs = 2048;\n", 0);
	log_set_level(LOG_LEVEL_ERR);
	stop();
}

static void ports_change_or_wait(void)
{
	start("ports = ( " PORT("p0", "net_tap0", "") ", " PORT(
		"p1", "net_tap1", "mtu = 1400;") " );\n");
	RELOAD("ports = ( " PORT("p0", "net_tap0", "promiscuous = true; rx_queues = 2;") ", " PORT(
		       "p2", "net_tap2", "") " );\n" ROUTES(ROUTE("10.2.0.0/16", "p2", "")),
		5);
	CU_ASSERT_EQUAL(changes[0].kind, VIADUCT_CHANGE_RESTART);
	CU_ASSERT_STRING_EQUAL(changes[0].text, "rx_queues 0 -> 2");
	CU_ASSERT_STRING_EQUAL(changes[1].text, "promiscuous false -> true");
	CU_ASSERT_STRING_EQUAL(change_of("port", "p1")->text, "removed");
	CU_ASSERT_STRING_EQUAL(change_of("port", "p2")->text, "added");
	CU_ASSERT_EQUAL(change_of("route", "10.2.0.0/16")->kind, VIADUCT_CHANGE_RESTART);
	CU_ASSERT_TRUE(world.port.promiscuous);
	CU_ASSERT_EQUAL(running->n_ports, 2);
	CU_ASSERT_STRING_EQUAL(running->ports[1].name, "p1");
	CU_ASSERT_EQUAL(running->ports[1].mtu, 1400);
	CU_ASSERT_TRUE(running->ports[0].promiscuous);
	CU_ASSERT_EQUAL(running->ports[0].rx_queues, 0);
	CU_ASSERT_EQUAL(world.n_routes, 0);
	REFUSED("ports = ( " PORT("p0", "net_tap0", "mtu = 9600;") " );\n", "ports: p0: mtu 9600");
	stop();
}

#define TRUNK                PORT("p0", "net_tap0", "")
#define VLAN(name, id, more) ", { name = \"" name "\"; parent = \"p0\"; vlan = " #id "; " more " }"
#define PORTS(list)          "ports = ( " list " );\n"

/* VLANs come and go while the workers run, with the routes by them. */
static void vlans_come_and_go(void)
{
	start(PORTS(TRUNK VLAN("p0.5", 5, "")));
	/* The start itself is ports_start()'s, which is not here. */
	CU_ASSERT_EQUAL_FATAL(port_vlan_add(&running->ports[1], 1, NULL), 0);
	RELOAD(PORTS(TRUNK VLAN("p0.5", 5, "") VLAN("p0.7", 7, ""))
			ROUTES(ROUTE("10.2.0.0/16", "p0.7", "")),
		2);
	CU_ASSERT_EQUAL(change_of("port", "p0.7")->kind, VIADUCT_CHANGE_ADD);
	CU_ASSERT_STRING_EQUAL(change_of("port", "p0.7")->text, "VLAN 7 of p0");
	CU_ASSERT_EQUAL(change_of("route", "10.2.0.0/16")->kind, VIADUCT_CHANGE_ADD);
	CU_ASSERT_EQUAL(running->n_ports, 3);
	CU_ASSERT_PTR_NOT_NULL(iface_by_name("p0.7"));
	/* Another name for the same id, and an MTU. */
	RELOAD(PORTS(TRUNK VLAN("p0.7", 7, "mtu = 1400;") VLAN("five", 5, "")), 4);
	CU_ASSERT_EQUAL(change_of("port", "p0.5")->kind, VIADUCT_CHANGE_DEL);
	CU_ASSERT_EQUAL(change_of("port", "five")->kind, VIADUCT_CHANGE_ADD);
	CU_ASSERT_STRING_EQUAL(change_of("port", "p0.7")->text, "mtu 1500 -> 1400");
	CU_ASSERT_PTR_NULL(iface_by_name("p0.5"));
	CU_ASSERT_EQUAL(running->n_ports, 3);
	CU_ASSERT_STRING_EQUAL(running->ports[1].name, "p0.7");
	CU_ASSERT_STRING_EQUAL(running->ports[2].name, "five");
	RELOAD(PORTS(TRUNK), 2);
	CU_ASSERT_EQUAL(running->n_ports, 1);
	CU_ASSERT_PTR_NULL(iface_by_name("five"));
	stop();
}

/* What needs a restart says so, and what can't be made changes nothing. */
static void vlans_that_wait(void)
{
	start(PORTS(TRUNK VLAN("p0.5", 5, "")));
	CU_ASSERT_EQUAL_FATAL(port_vlan_add(&running->ports[1], 1, NULL), 0);
	/* The parent is new, too. */
	RELOAD(PORTS(TRUNK VLAN("p0.5", 5, "") ", " PORT(
		       "p1", "net_tap1", "") ", { name = \"v\"; parent = \"p1\"; vlan = 1; }")
			ROUTES(ROUTE("10.2.0.0/16", "v", "")),
		3);
	CU_ASSERT_EQUAL(change_of("port", "v")->kind, VIADUCT_CHANGE_RESTART);
	CU_ASSERT_EQUAL(change_of("route", "10.2.0.0/16")->kind, VIADUCT_CHANGE_RESTART);
	CU_ASSERT_EQUAL(running->n_ports, 2);
	/* Another id under the same name, and somebody who wants the old one. */
	RELOAD(PORTS(TRUNK VLAN("p0.5", 6, "") VLAN("other", 5, "")), 2);
	CU_ASSERT_EQUAL(change_of("port", "p0.5")->kind, VIADUCT_CHANGE_RESTART);
	CU_ASSERT_STRING_EQUAL(change_of("port", "p0.5")->text, "vlan 5 -> 6");
	CU_ASSERT_EQUAL(change_of("port", "other")->kind, VIADUCT_CHANGE_RESTART);
	CU_ASSERT_EQUAL(running->n_ports, 2);
	CU_ASSERT_EQUAL(running->ports[1].vlan, 5);
	world.refuse_port = true;
	REFUSED(PORTS(TRUNK VLAN("p0.7", 7, "")), "the kernel said no");
	CU_ASSERT_PTR_NOT_NULL(iface_by_name("p0.5"));
	CU_ASSERT_PTR_NULL(iface_by_name("p0.7"));
	world.refuse_port = false;
	RELOAD(PORTS(TRUNK), 1);
	stop();
}

static void a_dry_run_only_tells(void)
{
	const char *other = "log_level = \"debug\";\n" VTIS(VTI("vti1", "if_id = 1;"))
		ROUTES(ROUTE("10.2.0.0/16", "vti1", ""));

	start(VTIS(VTI("vti0", "if_id = 1;")));
	CU_ASSERT_EQUAL(reload_text(other, true), 4);
	CU_ASSERT_EQUAL(n_changes, 4);
	CU_ASSERT_PTR_NOT_NULL(vti_by_name("vti0"));
	CU_ASSERT_PTR_NULL(vti_by_name("vti1"));
	CU_ASSERT_EQUAL(world.n_routes, 0);
	CU_ASSERT_EQUAL(fake.events, 0);
	CU_ASSERT_EQUAL(reload_text(other, false), 4);
	stop();
}

/* viaductd --socket, --log-level: as long as it runs. */
static void options_go_before_the_file(void)
{
	start("");
	stop();
	from_file.socket = "/tmp/other.sock";
	from_file.log_level = "error";
	running = config_source_load(&from_file, &e);
	CU_ASSERT_PTR_NOT_NULL_FATAL(running);
	CU_ASSERT_EQUAL(reload_start(running, &from_file, &e), 0);
	RELOAD("log_level = \"info\"; socket = \"/tmp/third.sock\";\n", 0);
	CU_ASSERT_STRING_EQUAL(running->socket, "/tmp/other.sock");
	from_file.log_level = "loud";
	CU_ASSERT_PTR_NULL(config_source_load(&from_file, &e));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "--log-level loud"));
	stop();
}

int main(int argc, char **argv)
{
	static const CU_TestInfo tests[] = {UNIT_TEST(nothing_differs),
		UNIT_TEST(vtis_come_change_and_go), UNIT_TEST(run_time_changes_stay),
		UNIT_TEST(what_was_removed_by_hand_is_put_back),
		UNIT_TEST(what_came_by_the_api_stays), UNIT_TEST(vtis_may_take_each_others_keys),
		UNIT_TEST(clashes_are_found_before), UNIT_TEST(an_invalid_file_changes_nothing),
		UNIT_TEST(failures_are_undone), UNIT_TEST(routes_come_change_and_go),
		UNIT_TEST(settings_change_or_wait), UNIT_TEST(ports_change_or_wait),
		UNIT_TEST(vlans_come_and_go), UNIT_TEST(vlans_that_wait),
		UNIT_TEST(a_dry_run_only_tells), UNIT_TEST(options_go_before_the_file),
		CU_TEST_INFO_NULL};

	return reload_run("reload", tests, argc, argv);
}
