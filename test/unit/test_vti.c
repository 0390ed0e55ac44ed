/* SPDX-License-Identifier: BSD-3-Clause */
/* VTIs: what is accepted, what is refused and then leaves nothing behind, MTU, events. */
#include "dataplane/outer_rules.h"
#include "vti_fixture.h"

static void makes_interface_and_twin(void)
{
	struct viaduct_vti r = request("vti0", "192.0.2.1", "192.0.2.2");
	struct viaduct_vti_info info;
	struct vti *v;

	begin();
	v = add(&r);
	CU_ASSERT_EQUAL(fake.twins, 1);
	CU_ASSERT_PTR_EQUAL(iface_by_id(v->iface->id), v->iface);
	CU_ASSERT_PTR_EQUAL(vti_by_name("vti0"), v);
	CU_ASSERT_PTR_EQUAL(vti_by_iface(v->iface), v);
	CU_ASSERT_EQUAL(fake.link_set, -1); /* down, as "ip link add" leaves it */
	CU_ASSERT_FALSE(iface_has(v->iface, IFACE_UP));
	CU_ASSERT_EQUAL(fake.last_event, VIADUCT_EVENT_VTI);
	vti_fill_info(v, &info);
	CU_ASSERT_STRING_EQUAL(info.vti.name, "vti0");
	CU_ASSERT_EQUAL(info.vti.fields, 0x1ffff);
	CU_ASSERT_EQUAL(info.vti.ttl, 64);
	CU_ASSERT_PTR_NULL(atomic_load(&v->iface->outer));
	CU_ASSERT_EQUAL(atomic_load(&v->iface->mss), 1);
	CU_ASSERT_EQUAL(atomic_load(&v->iface->rpf), IFACE_RPF_OFF);
	CU_ASSERT_EQUAL(info.vti.reqid, 16384);
	CU_ASSERT_EQUAL(info.reqid_auto, 1);
	CU_ASSERT_EQUAL(info.vti.mtu, 0);
	CU_ASSERT_EQUAL(info.mtu_now, 1446);
	CU_ASSERT_EQUAL(info.carrier, 0);
	CU_ASSERT_EQUAL(info.ifindex, v->iface->kernel_ifindex);
	CU_ASSERT_EQUAL(vti_del("vti0", &e), 0);
	CU_ASSERT_EQUAL(fake.twins, 0);
	CU_ASSERT_EQUAL(fake.forgot_routes, 1);
	CU_ASSERT_EQUAL(fake.forgot_neighs, 1);
	CU_ASSERT_PTR_NULL(vti_by_name("vti0"));
	CU_ASSERT_PTR_NULL(iface_by_name("vti0"));
	CU_ASSERT_EQUAL(vti_del("vti0", &e), -ENOENT);
	CU_ASSERT_STRING_EQUAL(e.text, "name: no VTI vti0");
	CU_ASSERT_EQUAL(rcu_poll(), 0);
}

static void refuse(const struct viaduct_vti *r, int code, const char *sentence)
{
	const unsigned before = vti_count();

	CU_ASSERT_EQUAL(vti_add(r, NULL, &e), -code);
	if (strcmp(e.text, sentence) != 0)
		printf("\n    expected: %s\n    got:      %s\n", sentence, e.text);
	CU_ASSERT_STRING_EQUAL(e.text, sentence);
	CU_ASSERT_EQUAL(vti_count(), before);
	CU_ASSERT_EQUAL(fake.twins, before);
}

#define REFUSE(code, sentence, ...)                                                                \
	do {                                                                                       \
		struct viaduct_vti r = request("vti9", "192.0.2.1", "192.0.2.9");                  \
                                                                                                   \
		__VA_ARGS__;                                                                       \
		refuse(&r, code, sentence);                                                        \
	} while (0)

static void refuses_bad_requests(void)
{
	struct viaduct_vti first = request("vti0", "192.0.2.1", "192.0.2.2");

	begin();
	add(&first);
	REFUSE(EEXIST, "name: vti0 exists already", strcpy(r.name, "vti0"));
	REFUSE(EINVAL, "name: \"\"; expected 1 to 15 characters without '/' or spaces",
		r.name[0] = '\0');
	REFUSE(EINVAL, "name: \"a b\"; expected 1 to 15 characters without '/' or spaces",
		strcpy(r.name, "a b"));
	REFUSE(EINVAL,
		"name: \"xxxxxxxxxxxxxxxx\"; expected 1 to 15 characters without '/' or spaces",
		memset(r.name, 'x', sizeof(r.name)));
	REFUSE(EINVAL, "fields: 0x80000000 has bits that nobody knows", r.fields = 1u << 31);
	REFUSE(EINVAL, "local: address family 9; expected 4, 6 or 0 (any)", r.local.family = 9);
	REFUSE(EINVAL, "local: 224.0.0.1; expected a unicast address", r.local = A("224.0.0.1"));
	REFUSE(EINVAL, "remote: 0.0.0.0; expected a unicast address", r.remote = A("0.0.0.0"));
	REFUSE(EINVAL, "remote: ff02::1; expected a unicast address", r.local = A(""),
		r.remote = A("ff02::1"));
	REFUSE(EINVAL,
		"remote: 2001:db8::1; expected an address of the same family as local 192.0.2.1",
		r.remote = A("2001:db8::1"));
	REFUSE(EINVAL, "remote: 192.0.2.1; expected another address than local",
		r.remote = A("192.0.2.1"));
	REFUSE(EINVAL, "mtu: 67; expected 68 to 65535, or 0 to compute it",
		r.fields |= VIADUCT_VTI_MTU, r.mtu = 67);
	REFUSE(EINVAL, "mtu: 65536; expected 68 to 65535, or 0 to compute it",
		r.fields |= VIADUCT_VTI_MTU, r.mtu = 65536);
	REFUSE(EINVAL, "admin_up: 2; expected 0 or 1", r.fields |= VIADUCT_VTI_ADMIN,
		r.admin_up = 2);
	REFUSE(EINVAL, "parallel: 2; expected 0 or 1", r.fields |= VIADUCT_VTI_PARALLEL,
		r.parallel = 2);
	REFUSE(EINVAL, "mss: 87; expected auto, off, or a number from 88 to 65535",
		r.fields |= VIADUCT_VTI_MSS, r.mss = 87);
	REFUSE(EINVAL, "mss: 65536; expected auto, off, or a number from 88 to 65535",
		r.fields |= VIADUCT_VTI_MSS, r.mss = 65536);
	REFUSE(EINVAL, "fragment: 2; expected before or after", r.fields |= VIADUCT_VTI_FRAGMENT,
		r.fragment = 2);
	REFUSE(EINVAL, "df: 4; expected sa, copy, set or clear", r.fields |= VIADUCT_VTI_DF,
		r.df = 4);
	REFUSE(EINVAL,
		"dscp: 128; expected sa, copy, a number from 0 to 63, or a map such as "
		"46:34,8-15:0",
		r.fields |= VIADUCT_VTI_DSCP, r.dscp = VIADUCT_DSCP_VALUE + 64);
	REFUSE(EINVAL,
		"dscp: 2; expected sa, copy, a number from 0 to 63, or a map such as 46:34,8-15:0",
		r.fields |= VIADUCT_VTI_DSCP, r.dscp = VIADUCT_DSCP_MAP, r.dscp_map[63] = 64);
	REFUSE(EINVAL, "ecn: 3; expected sa, true or false", r.fields |= VIADUCT_VTI_ECN,
		r.ecn = 3);
	REFUSE(EINVAL, "ttl: 257; expected copy, or a number from 1 to 255",
		r.fields |= VIADUCT_VTI_TTL, r.ttl = 257);
	REFUSE(EINVAL, "flow_label: 3; expected hash, copy or zero",
		r.fields |= VIADUCT_VTI_FLOW_LABEL, r.flow_label = 3);
	REFUSE(EINVAL, "rpf: 3; expected off, loose or strict", r.fields |= VIADUCT_VTI_RPF,
		r.rpf = 3);
	REFUSE(EINVAL, "mark: 0x1ff has bits outside its mask 0xff", r.fields |= VIADUCT_VTI_MARK,
		r.mark = 0x1ff, r.mark_mask = 0xff);
	REFUSE(EINVAL, "description: longer than 127 bytes", r.fields |= VIADUCT_VTI_DESCRIPTION,
		memset(r.description, 'x', sizeof(r.description)));
	REFUSE(EPERM, "the kernel said no", fake.refuse_twin = EPERM);
	fake.refuse_twin = 0;
	REFUSE(ENETDOWN, "the kernel said no", fake.refuse_link = ENETDOWN,
		r.fields |= VIADUCT_VTI_ADMIN, r.admin_up = 1);
	fake.refuse_link = 0;
	CU_ASSERT_PTR_NULL(iface_by_name("vti9"));
	CU_ASSERT_EQUAL(rcu_poll(), 0);
}

/* Fields that the request doesn't name are not looked at. */
static void unnamed_fields_are_ignored(void)
{
	struct viaduct_vti r = request("vti0", "192.0.2.1", "192.0.2.2");

	begin();
	r.fields = 0;
	r.mtu = 1;
	r.admin_up = 1;
	r.if_id = 5;
	r.local.family = 99;
	CU_ASSERT_EQUAL(add(&r)->conf.if_id, 0);
	CU_ASSERT_EQUAL(fake.link_set, -1);
}

static void same_peer_needs_another_key(void)
{
	struct viaduct_vti r = request("vti0", "192.0.2.1", "192.0.2.2");

	begin();
	r.fields |= VIADUCT_VTI_REQID;
	r.reqid = 100;
	add(&r);
	strcpy(r.name, "vti1");
	refuse(&r, EEXIST,
		"vti1: has the same local, remote, if_id, mark and reqid as vti0; expected one of "
		"them to differ");
	r.reqid = 101;
	add(&r);
	strcpy(r.name, "vti2");
	r.fields |= VIADUCT_VTI_IF_ID;
	r.if_id = 1;
	r.reqid = 0;
	add(&r);
	/* With an if_id, automatic reqids don't tell them apart. */
	strcpy(r.name, "vti3");
	refuse(&r, EEXIST,
		"vti3: has the same local, remote, if_id, mark and reqid as vti2; expected one of "
		"them to differ");
	/* Nor does the spelling of an exact mark. */
	r.fields = VIADUCT_VTI_MARK;
	r.mark = 12;
	strcpy(r.name, "vti4");
	add(&r);
	strcpy(r.name, "vti5");
	r.mark_mask = UINT32_MAX;
	refuse(&r, EEXIST,
		"vti5: has the same local, remote, if_id, mark and reqid as vti4; expected one of "
		"them to differ");
	/* Changing one into another is refused the same, and changes nothing. */
	r = request("vti1", "192.0.2.1", "192.0.2.2");
	r.fields = VIADUCT_VTI_REQID | VIADUCT_VTI_DESCRIPTION;
	r.reqid = 100;
	strcpy(r.description, "x");
	CU_ASSERT_EQUAL(vti_set(&r, NULL, &e), -EEXIST);
	CU_ASSERT_EQUAL(vti_by_name("vti1")->conf.reqid, 101);
	CU_ASSERT_STRING_EQUAL(vti_by_name("vti1")->conf.description, "");
}

static void automatic_reqids_are_free_ones(void)
{
	struct viaduct_vti r = request("vti0", "192.0.2.1", "192.0.2.2");

	begin();
	r.fields |= VIADUCT_VTI_REQID;
	r.reqid = 16385;
	add(&r);
	strcpy(r.name, "vti1");
	r.reqid = 0;
	CU_ASSERT_EQUAL(add(&r)->conf.reqid, 16386);
	strcpy(r.name, "vti2");
	CU_ASSERT_EQUAL(add(&r)->conf.reqid, 16387);
	/* Changeable: given, then automatic again. */
	r.fields = VIADUCT_VTI_REQID;
	r.reqid = 5;
	CU_ASSERT_EQUAL(vti_set(&r, NULL, &e), 0);
	CU_ASSERT_EQUAL(vti_by_name("vti2")->conf.reqid, 5);
	CU_ASSERT_FALSE(vti_by_name("vti2")->reqid_auto);
	r.reqid = 0;
	CU_ASSERT_EQUAL(vti_set(&r, NULL, &e), 0);
	CU_ASSERT_EQUAL(vti_by_name("vti2")->conf.reqid, 16387);
	CU_ASSERT_TRUE(vti_by_name("vti2")->reqid_auto);
	/* The last number is taken: the first free one. */
	strcpy(r.name, "vti3");
	r.reqid = UINT32_MAX;
	add(&r);
	strcpy(r.name, "vti4");
	r.reqid = 0;
	CU_ASSERT_EQUAL(add(&r)->conf.reqid, 16384);
}

static void set_port(uint16_t mtu)
{
	if (fake.path == NULL) {
		fake.path = iface_new(IFACE_PORT, "wan0", 2);
		iface_publish(fake.path);
	}
	fake.path->mtu = mtu;
}

static void mtu_follows_path_and_sa(void)
{
	struct viaduct_sa sa = sa_request(VIADUCT_OUT, 0x2000, 100);
	struct viaduct_vti r = request("vti0", "192.0.2.1", "192.0.2.2");
	struct vti *v;

	begin();
	set_port(1500);
	r.fields |= VIADUCT_VTI_REQID;
	r.reqid = 100;
	v = add(&r);
	CU_ASSERT_EQUAL(
		iface_mtu(v->iface), 1446); /* AES-GCM assumed: 1500 - 20 - 8 - 8 - 16 - 2 */
	fake.events = 0;
	CU_ASSERT_EQUAL(sadb_add(&sa, &e), 0);
	/* 1500 - 20 - 8 - 16 - 16 = 1440, of which 2 are the trailer's. */
	CU_ASSERT_EQUAL(iface_mtu(v->iface), 1438);
	CU_ASSERT_EQUAL(fake.mtu_set, 1438);
	CU_ASSERT_EQUAL(fake.events, 1);
	CU_ASSERT_EQUAL(fake.event.vti.mtu_now, 1438);
	/* The port's MTU changes: seen within a second. */
	set_port(9000);
	sadb_tick();
	CU_ASSERT_EQUAL(iface_mtu(v->iface), 8926);
	CU_ASSERT_EQUAL(fake.mtu_set, 8926);
	CU_ASSERT_EQUAL(fake.mtu_sets, 2);
	sadb_tick();
	CU_ASSERT_EQUAL(fake.mtu_sets, 2);
	/* With UDP encapsulation 8 bytes and the alignment less. */
	sa.id.spi++;
	sa.flags = VIADUCT_SA_ENCAP;
	sa.sport = sa.dport = 4500;
	CU_ASSERT_EQUAL(sadb_add(&sa, &e), 0);
	CU_ASSERT_EQUAL(iface_mtu(v->iface), 8926); /* 8932 -> 8928 - 2 either way */
	set_port(1500);
	sadb_tick();
	CU_ASSERT_EQUAL(iface_mtu(v->iface), 1422);
	iface_retire(fake.path);
	fake.path = NULL;
}

static void mtu_by_hand_stays(void)
{
	struct viaduct_vti r = request("vti0", "192.0.2.1", "192.0.2.2");
	struct vti *v;

	begin();
	v = add(&r);
	/* Our own change, told by the kernel, and old news that come after a newer one. */
	vti_kernel_link(v, false, 1446, false);
	CU_ASSERT_EQUAL(v->conf.mtu, 0);
	set_port(1400);
	sadb_tick();
	set_port(1300);
	sadb_tick();
	CU_ASSERT_EQUAL(iface_mtu(v->iface), 1246);
	vti_kernel_link(v, false, 1446, false);
	vti_kernel_link(v, false, 1346, false);
	CU_ASSERT_EQUAL(v->conf.mtu, 0);
	CU_ASSERT_EQUAL(iface_mtu(v->iface), 1246);
	CU_ASSERT_EQUAL(fake.mtu_set, 1280); /* or the kernel would give up IPv6 */
	vti_kernel_link(v, false, 1280, false);
	/* Now 1346 is somebody else's. */
	vti_kernel_link(v, false, 1346, false);
	CU_ASSERT_EQUAL(v->conf.mtu, 1346);
	CU_ASSERT_EQUAL(iface_mtu(v->iface), 1346);
	set_port(9000);
	sadb_tick();
	CU_ASSERT_EQUAL(iface_mtu(v->iface), 1346);
	/* Back to computing. */
	r.fields = VIADUCT_VTI_MTU;
	CU_ASSERT_EQUAL(vti_set(&r, NULL, &e), 0);
	CU_ASSERT_EQUAL(iface_mtu(v->iface), 8946);
	r.mtu = 1200;
	CU_ASSERT_EQUAL(vti_set(&r, NULL, &e), 0);
	CU_ASSERT_EQUAL(iface_mtu(v->iface), 1200);
	CU_ASSERT_EQUAL(fake.mtu_set, 1200);
	/* The kernel refuses: nothing changes. */
	fake.refuse_mtu = EINVAL;
	r.mtu = 1201;
	CU_ASSERT_EQUAL(vti_set(&r, NULL, &e), -EINVAL);
	CU_ASSERT_EQUAL(iface_mtu(v->iface), 1200);
	CU_ASSERT_EQUAL(v->conf.mtu, 1200);
	iface_retire(fake.path);
	fake.path = NULL;
}

static void kernel_link_is_followed(void)
{
	struct viaduct_vti r = request("vti0", "192.0.2.1", "192.0.2.2");
	struct vti *v;

	begin();
	v = add(&r);
	fake.events = 0;
	vti_kernel_link(v, true, 1446, true);
	CU_ASSERT_TRUE(iface_has(v->iface, IFACE_UP | IFACE_MIRROR));
	CU_ASSERT_EQUAL(fake.events, 1);
	CU_ASSERT_EQUAL(fake.event.vti.vti.admin_up, 1);
	vti_kernel_link(v, true, 1446, false);
	CU_ASSERT_FALSE(iface_has(v->iface, IFACE_MIRROR));
	CU_ASSERT_EQUAL(fake.events, 1);
	r.fields = VIADUCT_VTI_ADMIN;
	CU_ASSERT_EQUAL(vti_set(&r, NULL, &e), 0);
	CU_ASSERT_EQUAL(fake.link_set, 0);
	CU_ASSERT_FALSE(iface_has(v->iface, IFACE_UP));
}

static void parallel_is_the_workers_business(void)
{
	struct viaduct_vti r = request("vti0", "192.0.2.1", "192.0.2.2");
	struct vti *v;

	begin();
	CU_ASSERT_FALSE(iface_has(add(&r)->iface, IFACE_PARALLEL));
	r = request("vti1", "192.0.2.1", "192.0.2.3");
	r.fields |= VIADUCT_VTI_PARALLEL;
	r.parallel = 1;
	v = add(&r);
	CU_ASSERT_TRUE(iface_has(v->iface, IFACE_PARALLEL));
	fake.events = 0;
	r.fields = VIADUCT_VTI_PARALLEL;
	r.parallel = 0;
	CU_ASSERT_EQUAL(vti_set(&r, NULL, &e), 0);
	CU_ASSERT_FALSE(iface_has(v->iface, IFACE_PARALLEL));
	CU_ASSERT_EQUAL(fake.events, 1);
	CU_ASSERT_EQUAL(fake.event.vti.vti.parallel, 0);
}

/* What the workers see, by add, set and back again as a batch does that fails. */
static void options_reach_the_workers(void)
{
	struct viaduct_vti r = request("vti0", "192.0.2.1", "192.0.2.2"), before;
	struct outer_rules *rules;
	struct vti *v;

	begin();
	v = add(&r);
	before = v->conf;
	r.fields = 0x1fe00;
	r.mss = VIADUCT_MSS_OFF;
	r.fragment = VIADUCT_FRAGMENT_AFTER;
	r.df = VIADUCT_DF_SET;
	r.dscp = VIADUCT_DSCP_VALUE + 46;
	r.dscp_map[1] = 99; /* not looked at */
	r.ecn = VIADUCT_ECN_FALSE;
	r.ttl = VIADUCT_TTL_COPY;
	r.flow_label = VIADUCT_FLOW_LABEL_ZERO;
	r.rpf = VIADUCT_RPF_STRICT;
	fake.events = 0;
	CU_ASSERT_EQUAL(vti_set(&r, NULL, &e), 0);
	CU_ASSERT_EQUAL(fake.events, 1);
	CU_ASSERT_EQUAL(v->conf.dscp_map[1], 0);
	CU_ASSERT_EQUAL(atomic_load(&v->iface->mss), 0);
	CU_ASSERT_EQUAL(atomic_load(&v->iface->rpf), IFACE_RPF_STRICT);
	CU_ASSERT_TRUE(iface_has(v->iface, IFACE_FRAGMENT_AFTER));
	rules = atomic_load(&v->iface->outer);
	CU_ASSERT_PTR_NOT_NULL_FATAL(rules);
	CU_ASSERT_EQUAL(rules->df, OUTER_DF_SET);
	CU_ASSERT_EQUAL(rules->tos_not, 0xff);
	CU_ASSERT_EQUAL(rules->tos, 46 << 2);
	CU_ASSERT_FALSE(rules->map);
	CU_ASSERT_EQUAL(rules->ttl, 0);
	CU_ASSERT_EQUAL(rules->label, OUTER_LABEL_ZERO);

	r.fields = VIADUCT_VTI_DSCP | VIADUCT_VTI_MSS;
	r.dscp = VIADUCT_DSCP_MAP;
	for (unsigned i = 0; i < 64; i++)
		r.dscp_map[i] = 63 - i;
	r.mss = 1200;
	CU_ASSERT_EQUAL(vti_set(&r, NULL, &e), 0);
	CU_ASSERT_EQUAL(atomic_load(&v->iface->mss), 1200);
	rules = atomic_load(&v->iface->outer);
	CU_ASSERT_TRUE(rules->map);
	CU_ASSERT_EQUAL(rules->tos, 0);
	CU_ASSERT_EQUAL(rules->dscp[1], 62 << 2);
	CU_ASSERT_EQUAL(rules->df, OUTER_DF_SET);

	/* The kernel refuses: all stays. */
	r.fields = VIADUCT_VTI_DF | VIADUCT_VTI_ADMIN;
	r.df = VIADUCT_DF_CLEAR;
	r.admin_up = 1;
	fake.refuse_link = ENETDOWN;
	CU_ASSERT_EQUAL(vti_set(&r, NULL, &e), -ENETDOWN);
	fake.refuse_link = 0;
	CU_ASSERT_EQUAL(atomic_load(&v->iface->outer)->df, OUTER_DF_SET);

	CU_ASSERT_EQUAL(vti_restore(v, &before, true, &e), 0);
	CU_ASSERT_EQUAL(memcmp(&v->conf, &before, sizeof(before)), 0);
	CU_ASSERT_PTR_NULL(atomic_load(&v->iface->outer));
	CU_ASSERT_EQUAL(atomic_load(&v->iface->mss), 1);
	CU_ASSERT_EQUAL(atomic_load(&v->iface->rpf), IFACE_RPF_OFF);
	CU_ASSERT_FALSE(iface_has(v->iface, IFACE_FRAGMENT_AFTER));
}

/* Events tell of changes only, each once; what the kernel says late of them is no other change. */
static void each_change_is_told_once(void)
{
	struct viaduct_vti r = request("vti0", "192.0.2.1", "192.0.2.2");
	struct vti *v;

	begin();
	v = add(&r);
	CU_ASSERT_EQUAL(fake.events, 1);
	r.fields = VIADUCT_VTI_ADMIN | VIADUCT_VTI_MTU | VIADUCT_VTI_REQID;
	r.admin_up = 1;
	r.mtu = 1300;
	r.reqid = 7;
	CU_ASSERT_EQUAL(vti_set(&r, NULL, &e), 0);
	CU_ASSERT_EQUAL(fake.events, 2);
	CU_ASSERT_EQUAL(fake.event.vti.vti.admin_up, 1);
	CU_ASSERT_EQUAL(fake.event.vti.mtu_now, 1300);
	vti_kernel_link(v, false, 1446, false);
	vti_kernel_link(v, false, 1300, false);
	CU_ASSERT_TRUE(iface_has(v->iface, IFACE_UP)); /* no packet is dropped meanwhile */
	vti_kernel_link(v, true, 1300, false);
	CU_ASSERT_EQUAL(vti_set(&r, NULL, &e), 0); /* the same again */
	CU_ASSERT_EQUAL(fake.events, 2);
	CU_ASSERT_EQUAL(v->conf.admin_up, 1);
	vti_kernel_link(v, false, 1300, false); /* now somebody else's doing */
	CU_ASSERT_EQUAL(fake.events, 3);
	CU_ASSERT_EQUAL(v->conf.admin_up, 0);
	CU_ASSERT_FALSE(iface_has(v->iface, IFACE_UP));
	r.fields = VIADUCT_VTI_DESCRIPTION;
	strcpy(r.description, "x");
	CU_ASSERT_EQUAL(vti_set(&r, NULL, &e), 0);
	CU_ASSERT_EQUAL(fake.events, 4);
}

UNIT_EAL_MAIN("vti", UNIT_TEST(makes_interface_and_twin), UNIT_TEST(refuses_bad_requests),
	UNIT_TEST(unnamed_fields_are_ignored), UNIT_TEST(same_peer_needs_another_key),
	UNIT_TEST(automatic_reqids_are_free_ones), UNIT_TEST(mtu_follows_path_and_sa),
	UNIT_TEST(mtu_by_hand_stays), UNIT_TEST(kernel_link_is_followed),
	UNIT_TEST(parallel_is_the_workers_business), UNIT_TEST(options_reach_the_workers),
	UNIT_TEST(each_change_is_told_once))
