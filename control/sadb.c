/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/sadb.h"
#include "control/addr_text.h"
#include "control/daemon.h"
#include "control/rcu.h"
#include "control/sa_bind.h"
#include "control/sa_request.h"
#include "control/spi_alloc.h"
#include "control/vti.h"
#include "dataplane/spi_table.h"

#include <rte_cycles.h>

#include <errno.h>
#include <stdlib.h>

#define REQID_BUCKETS 4096

static struct sa_entry *sas;
static LIST_HEAD(reqid_list, sa_entry) by_reqid[REQID_BUCKETS];

static struct reqid_list *reqid_bucket(uint32_t reqid)
{
	return &by_reqid[(reqid ^ reqid >> 16) % REQID_BUCKETS];
}

/* The id as hash key: unused address bytes zero. */
static struct viaduct_sa_id key_of(const struct viaduct_sa_id *id)
{
	const struct addr dst = addr_from_api(&id->dst);

	return (struct viaduct_sa_id){.dst = addr_to_api(&dst), .spi = id->spi};
}

struct sa_entry *sadb_find(const struct viaduct_sa_id *id)
{
	struct viaduct_sa_id key;
	struct sa_entry *s;

	if (id->dst.family != IP_V4 && id->dst.family != IP_V6)
		return NULL;
	key = key_of(id);
	HASH_FIND(hh, sas, &key, sizeof(key), s);
	return s;
}

struct sa_entry *sadb_first(void)
{
	return sas;
}

unsigned sadb_count(void)
{
	return HASH_COUNT(sas);
}

static void describe(struct sa_entry *s, const struct viaduct_sa *req)
{
	static uint64_t serial;

	s->id = key_of(&req->id);
	s->reqid = req->reqid;
	s->if_id = req->if_id;
	s->mark = req->mark;
	s->mark_mask = req->mark_mask;
	s->api_flags = req->flags;
	s->key_bits = 8 * (req->enc_key_len - cipher_info(req->cipher)->salt);
	s->life = req->lifetime;
	s->created_ns = monotonic_ns();
	s->families = sa_request_families(req);
	s->serial = ++serial;
}

static void retire_table(void *table)
{
	rcu_retire(free, table);
}

static struct sa *make_sa(const struct viaduct_sa *req, struct err *e)
{
	struct selector sel[VIADUCT_SELECTORS_MAX];
	struct sa_params p;
	const char *why = "no memory";
	struct sa *sa;

	sa_request_params(req, &p, sel);
	sa = sa_create(&p, daemon_state.n_workers, &why);
	if (sa == NULL)
		err_set(e, EINVAL, "spi 0x%08x: %s", req->id.spi, why);
	return sa;
}

int sadb_add(const struct viaduct_sa *req, struct err *e)
{
	char dst[ADDR_TEXT_LEN];
	struct sa_entry *s;

	if (sa_request_check(req, e) < 0)
		return -EINVAL;
	if (sadb_find(&req->id) != NULL)
		return err_set(e, EEXIST, "spi: 0x%08x to %s exists already", req->id.spi,
			addr_text(&req->id.dst, dst));
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return err_set(e, ENOMEM, "no memory for another SA");
	s->sa = make_sa(req, e);
	if (s->sa == NULL) {
		free(s);
		return -EINVAL;
	}
	describe(s, req);
	if (s->sa->dir == SA_IN && spi_insert(s->sa, retire_table) < 0) {
		sa_destroy(s->sa);
		free(s);
		return err_set(e, ENOMEM, "no memory for a larger SPI table");
	}
	HASH_ADD(hh, sas, id, sizeof(s->id), s);
	LIST_INSERT_HEAD(reqid_bucket(s->reqid), s, same_reqid);
	spi_release(&s->id);
	sa_bind(s);
	return 0;
}

/* Packets inside a crypto device come back to their SA. */
static bool not_inflight(void *arg)
{
	return sa_stats_sum(arg).inflight == 0;
}

static void free_sa(void *arg)
{
	sa_destroy(arg);
}

/* First out of the workers' sight, then freed once none can hold it. */
static void remove_entry(struct sa_entry *s)
{
	HASH_DEL(sas, s);
	LIST_REMOVE(s, same_reqid);
	if (s->sa->dir == SA_IN)
		spi_remove(s->sa);
	sa_unbind(s);
	rcu_retire_when(not_inflight, free_sa, s->sa);
	free(s);
}

int sadb_del(const struct viaduct_sa_id *id, struct err *e)
{
	char dst[ADDR_TEXT_LEN];
	struct sa_entry *s = sadb_find(id);

	if (s == NULL)
		return err_set(
			e, ENOENT, "spi: no SA 0x%08x to %s", id->spi, addr_text(&id->dst, dst));
	remove_entry(s);
	return 0;
}

void sadb_flush(void)
{
	struct sa_entry *s, *next;

	HASH_ITER (hh, sas, s, next)
		remove_entry(s);
}

static bool same_path(const struct sa_entry *s, const struct viaduct_sa_update *u)
{
	const struct addr src = addr_from_api(&u->new_src), dst = addr_from_api(&u->new_dst);
	const bool encap = s->sa->flags & SA_UDP_ENCAP;

	return addr_eq(&src, &s->sa->src) && addr_eq(&dst, &s->sa->dst) &&
		encap == (u->encap != 0) &&
		(!encap || (u->new_sport == s->sa->sport && u->new_dport == s->sa->dport));
}

int sadb_update(const struct viaduct_sa_update *u, struct err *e)
{
	char dst[ADDR_TEXT_LEN];
	struct sa_entry *s = sadb_find(&u->id);

	if (s == NULL)
		return err_set(e, ENOENT, "spi: no SA 0x%08x to %s", u->id.spi,
			addr_text(&u->id.dst, dst));
	if (!same_path(s, u))
		return err_set(e, EOPNOTSUPP,
			"spi 0x%08x: addresses, ports and encapsulation of an SA are fixed; "
			"delete it and install another one (IKE: rekey)",
			u->id.spi);
	if (u->new_reqid != 0 && u->new_reqid != s->reqid) {
		LIST_REMOVE(s, same_reqid);
		s->reqid = u->new_reqid;
		LIST_INSERT_HEAD(reqid_bucket(s->reqid), s, same_reqid);
		sa_bind(s);
	}
	return 0;
}

void sadb_rebind(void)
{
	struct sa_entry *s;

	for (s = sas; s != NULL; s = s->hh.next)
		sa_bind(s);
}

void sadb_rebind_reqid(uint32_t reqid)
{
	struct sa_entry *s;

	LIST_FOREACH (s, reqid_bucket(reqid), same_reqid) {
		if (s->reqid == reqid)
			sa_bind(s);
	}
}

static uint64_t idle_seconds(uint64_t last_use)
{
	const uint64_t now = rte_rdtsc();

	if (last_use == 0)
		return UINT64_MAX;
	return now > last_use ? (now - last_use) / rte_get_tsc_hz() : 0;
}

void sadb_fill_info(const struct sa_entry *s, struct viaduct_sa_info *info)
{
	const struct sa *sa = s->sa;
	const struct sa_stats st = sa_stats_sum(sa);

	*info = (struct viaduct_sa_info){
		.id = s->id,
		.src = addr_to_api(&sa->src),
		.sport = sa->sport,
		.dport = sa->dport,
		.dir = sa->dir,
		.cipher = sa->cipher,
		.auth = sa->auth,
		.active = sa_is_active(s),
		.flags = s->api_flags,
		.reqid = s->reqid,
		.if_id = s->if_id,
		.mark = s->mark,
		.mark_mask = s->mark_mask,
		.replay_window = sa->dir == SA_IN ? sa->replay.window : 0,
		.key_bits = s->key_bits,
		.lifetime = s->life,
		.packets = s->base_packets + st.packets,
		.bytes = s->base_bytes + st.bytes,
		.errors = st.errors,
		.age_s = (monotonic_ns() - s->created_ns) / 1000000000u,
		.idle_s = idle_seconds(st.last_use),
		.seq = sa->dir == SA_OUT ? RTE_MIN(sa->seq - 1, sa->seq_max) : sa->replay.top,
	};
	if (s->vti != NULL)
		memcpy(info->vti, s->vti->conf.name, sizeof(info->vti));
}

void sadb_fini(void)
{
	sadb_flush();
	policy_flush();
	spi_alloc_fini();
}
