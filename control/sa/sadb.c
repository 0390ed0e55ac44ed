/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/sa/sadb.h"
#include "control/addr_text.h"
#include "control/daemon.h"
#include "control/iface/vti.h"
#include "control/log.h"
#include "control/rcu.h"
#include "control/sa/early.h"
#include "control/sa/sa_bind.h"
#include "control/sa/sa_lifetime.h"
#include "control/sa/sa_request.h"
#include "control/sa/sa_resume.h"
#include "control/sa/spi_alloc.h"
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

/* Rekeyed after its predecessor has moved: it belongs where that one does. */
static void follow_moved(struct sa_entry *s)
{
	const struct sa_entry *other;

	LIST_FOREACH (other, reqid_bucket(s->reqid), same_reqid) {
		const struct sa_ends *ends = sa_ends_now(other->sa);

		if (other->reqid == s->reqid && other->sa->dir == s->sa->dir &&
			addr_eq(&ends->src, &s->first_src) && addr_eq(&ends->dst, &s->first_dst)) {
			s->first_src = other->first_src;
			s->first_dst = other->first_dst;
			return;
		}
	}
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
	s->origin = req->flags & VIADUCT_SA_IKE ? VIADUCT_ORIGIN_IKE : VIADUCT_ORIGIN_API;
	s->key_bits = 8 * (req->enc_key_len - cipher_info(req->cipher)->salt);
	s->life = req->lifetime;
	s->created_ns = monotonic_ns();
	s->families = sa_request_families(req);
	s->serial = ++serial;
	s->first_src = s->sa->src;
	s->first_dst = s->sa->dst;
	follow_moved(s);
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

struct sa_entry *sadb_make(const struct viaduct_sa *req, struct err *e)
{
	struct sa_entry *s;

	if (sa_request_check(req, e) < 0)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (s == NULL) {
		err_set(e, ENOMEM, "no memory for another SA");
		return NULL;
	}
	s->sa = make_sa(req, e);
	if (s->sa == NULL) {
		free(s);
		return NULL;
	}
	describe(s, req);
	return s;
}

int sadb_add(const struct viaduct_sa *req, struct err *e)
{
	char dst[ADDR_TEXT_LEN];
	struct sa_entry *s;

	if (sadb_find(&req->id) != NULL)
		return err_set(e, EEXIST, "spi: 0x%08x to %s exists already", req->id.spi,
			addr_text(&req->id.dst, dst));
	s = sadb_make(req, e);
	if (s == NULL)
		return -EINVAL;
	sadb_claim(&s->id);
	if (s->sa->dir == SA_IN && spi_insert(s->sa, retire_table) < 0) {
		sa_destroy(s->sa);
		free(s);
		return err_set(e, ENOMEM, "no memory for a larger SPI table");
	}
	HASH_ADD(hh, sas, id, sizeof(s->id), s);
	LIST_INSERT_HEAD(reqid_bucket(s->reqid), s, same_reqid);
	spi_release(&s->id);
	sa_bind(s);
	early_release(&s->id);
	sa_lifetime_begin(s);
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

void sadb_retire(struct sa *sa)
{
	rcu_retire_when(not_inflight, free_sa, sa);
}

/* Out of the workers' and everybody's sight. */
static void detach(struct sa_entry *s)
{
	sa_lifetime_end(s);
	HASH_DEL(sas, s);
	LIST_REMOVE(s, same_reqid);
	if (s->sa->dir == SA_IN)
		spi_remove(s->sa);
	sa_unbind(s);
}

struct sa_entry *sadb_detach(const struct viaduct_sa_id *id, struct err *e)
{
	char dst[ADDR_TEXT_LEN];
	struct sa_entry *s = sadb_find(id);

	if (s == NULL)
		err_set(e, ENOENT, "spi: no SA 0x%08x to %s", id->spi, addr_text(&id->dst, dst));
	else
		detach(s);
	return s;
}

struct sa_entry *sadb_swap(struct sa_entry *s)
{
	struct sa_entry *old = sadb_find(&s->id);

	sa_lifetime_end(old);
	HASH_DEL(sas, old);
	LIST_REMOVE(old, same_reqid);
	if (old->sa->dir == SA_IN && s->sa->dir == SA_IN)
		spi_replace(old->sa, s->sa);
	HASH_ADD(hh, sas, id, sizeof(s->id), s);
	LIST_INSERT_HEAD(reqid_bucket(s->reqid), s, same_reqid);
	sa_bind(s);
	sa_unbind(old);
	sa_lifetime_begin(s);
	return old;
}

void sadb_reattach(struct sa_entry *s)
{
	/* Its slot is still there or the table has room: it was there a moment ago. */
	if (s->sa->dir == SA_IN && spi_insert(s->sa, retire_table) < 0)
		log_err("spi 0x%08x: cannot be put back, no memory", s->id.spi);
	HASH_ADD(hh, sas, id, sizeof(s->id), s);
	LIST_INSERT_HEAD(reqid_bucket(s->reqid), s, same_reqid);
	sa_bind(s);
	sa_lifetime_begin(s);
}

void sadb_discard(struct sa_entry *s)
{
	sa_resume_keep(s);
	sa_let_go(s);
	sadb_retire(s->sa);
	free(s);
}

/* First out of the workers' sight, then freed once none can hold it. */
static void remove_entry(struct sa_entry *s)
{
	detach(s);
	sadb_discard(s);
}

int sadb_del(const struct viaduct_sa_id *id, struct err *e)
{
	struct sa_entry *s = sadb_detach(id, e);

	if (s == NULL)
		return -ENOENT;
	sadb_discard(s);
	return 0;
}

void sadb_flush(void)
{
	struct sa_entry *s, *next;

	HASH_ITER (hh, sas, s, next)
		remove_entry(s);
}

void sadb_rename(struct sa_entry *s, const struct viaduct_sa_id *id, uint32_t reqid)
{
	HASH_DEL(sas, s);
	LIST_REMOVE(s, same_reqid);
	s->id = key_of(id);
	s->reqid = reqid;
	HASH_ADD(hh, sas, id, sizeof(s->id), s);
	LIST_INSERT_HEAD(reqid_bucket(reqid), s, same_reqid);
}

void sadb_claim(const struct viaduct_sa_id *id)
{
	struct sa *sa = spi_lookup(id->spi, id->dst.family, id->dst.bytes);
	const struct addr dst = addr_from_api(&id->dst);

	if (sa != NULL && !addr_eq(&sa_ends_now(sa)->dst, &dst))
		sa_forget_old_ends(sa);
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

struct sa_stats sadb_stats(const struct sa_entry *s)
{
	struct sa_stats st = sa_stats_sum(s->sa);

	st.packets += s->base.packets;
	st.bytes += s->base.bytes;
	st.errors += s->base.errors;
	st.last_use = RTE_MAX(st.last_use, s->base.last_use);
	return st;
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
	const struct sa_ends *ends = sa_ends_now(sa);
	const struct sa_stats st = sadb_stats(s);

	*info = (struct viaduct_sa_info){
		.id = s->id,
		.src = addr_to_api(&ends->src),
		.sport = ends->sport,
		.dport = ends->dport,
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
		.origin = s->origin,
		.lifetime = s->life,
		.packets = st.packets,
		.bytes = st.bytes,
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
	early_fini();
	spi_alloc_fini();
	sa_resume_fini();
}
