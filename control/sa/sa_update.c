/* SPDX-License-Identifier: BSD-3-Clause */
/* An SA gets other ends while packets flow: the peer or we moved (MOBIKE), a NAT changed its mapping.
 *
 * Inbound, the SA changes in place, and packets of the former ends are taken for some seconds more: they
 * are on their way, and the ICV says whose they are. Outbound, a successor takes the keys and the next
 * sequence number over; see sa_move.c. */
#include "control/addr_text.h"
#include "control/daemon.h"
#include "control/iface/ifaces.h"
#include "control/iface/vti.h"
#include "control/rcu.h"
#include "control/sa/sa_bind.h"
#include "control/sa/sa_request.h"

#include <errno.h>

/* Longer than packets travel, or IKE needs to tell the peer when one of its messages is lost. */
#define OLD_ENDS_NS (10 * 1000000000ull)

static bool same_ends(const struct sa_ends *a, const struct sa_ends *b)
{
	return addr_eq(&a->src, &b->src) && addr_eq(&a->dst, &b->dst) && a->sport == b->sport &&
		a->dport == b->dport && a->flags == b->flags;
}

static int check(const struct sa_entry *s, const struct viaduct_sa_id *id,
	const struct sa_ends *ends, struct err *e)
{
	const struct sa_entry *other = sadb_find(id);
	char dst[ADDR_TEXT_LEN];
	const char *why = "";

	if (!sa_ends_valid(ends, s->sa->dir, &why))
		return err_set(e, EINVAL, "spi 0x%08x: new %s", id->spi, why);
	if (other != NULL && other != s)
		return err_set(e, EEXIST, "new_dst: 0x%08x to %s exists already", id->spi,
			addr_text(&id->dst, dst));
	/* A crypto device's session was made for packets of one family. */
	if ((s->sa->flags & SA_LOOKASIDE) && ends->dst.family != sa_ends_now(s->sa)->dst.family)
		return err_set(e, EOPNOTSUPP,
			"new_dst: %s; an SA in a crypto device can't change its address family; "
			"delete it and install another one (IKE: rekey)",
			addr_text(&id->dst, dst));
	return 0;
}

static void move_in(struct sa_entry *s, const struct viaduct_sa_id *id, const struct sa_ends *ends)
{
	sadb_claim(id);
	sa_forget_old_ends(s->sa);
	rcu_synchronize();
	sa_set_ends(s->sa, ends);
	s->old_ends_end_ns = monotonic_ns() + OLD_ENDS_NS;
}

/* Returns the successor, which numbers and counts from now on. */
static struct sa *move_out(struct sa_entry *s, const struct sa_ends *ends)
{
	struct sa *old = s->sa, *new = sa_move(old, ends);
	const bool parallel = s->vti != NULL && s->vti->conf.parallel;

	if (new == NULL)
		return NULL;
	/* One worker could take the number over while another still takes some of the old one. */
	if (parallel)
		iface_set_flag(s->vti->iface, IFACE_PARALLEL, false);
	/* Bound to another VTI a moment ago? That one's worker sends no more with it. */
	rcu_synchronize();
	sa_moved(old, new);
	/* After this the old one's sequence number and counters stand still. */
	rcu_synchronize();
	sa_take_over(new, old);
	if (parallel)
		iface_set_flag(s->vti->iface, IFACE_PARALLEL, true);
	s->base = sadb_stats(s);
	return new;
}

static int move(struct sa_entry *s, const struct viaduct_sa_id *id, const struct sa_ends *ends,
	struct err *e)
{
	struct sa *old = s->sa, *new;
	int rc = check(s, id, ends, e);

	if (rc < 0)
		return rc;
	if (old->dir == SA_IN) {
		move_in(s, id, ends);
	} else {
		new = move_out(s, ends);
		if (new == NULL)
			return err_set(e, ENOMEM, "no memory for another SA");
		s->sa = new;
	}
	s->api_flags &= ~(uint32_t)VIADUCT_SA_ENCAP;
	s->api_flags |= ends->flags & SA_UDP_ENCAP ? VIADUCT_SA_ENCAP : 0;
	return 0;
}

static int change(struct sa_entry *s, const struct viaduct_sa_id *id, const struct sa_ends *ends,
	uint32_t reqid, struct err *e)
{
	struct sa *old = s->sa;
	int rc = same_ends(ends, sa_ends_now(old)) ? 0 : move(s, id, ends, e);

	if (rc < 0)
		return rc;
	sadb_rename(s, id, reqid);
	/* Publishes the successor, and works the tunnel's MTU out again. */
	sa_bind(s);
	if (s->sa != old)
		sadb_retire(old);
	return 0;
}

static struct sa_entry *find(const struct viaduct_sa_id *id, struct err *e)
{
	struct sa_entry *s = sadb_find(id);
	char dst[ADDR_TEXT_LEN];

	if (s == NULL)
		err_set(e, ENOENT, "spi: no SA 0x%08x to %s", id->spi, addr_text(&id->dst, dst));
	return s;
}

int sadb_update(const struct viaduct_sa_update *u, struct err *e)
{
	const struct viaduct_sa_id id = {.dst = u->new_dst, .spi = u->id.spi};
	struct sa_entry *s = find(&u->id, e);
	struct sa_ends ends;

	if (s == NULL)
		return -ENOENT;
	if (sa_request_check_update(u, e) < 0)
		return -EINVAL;
	ends = sa_request_ends(u, s->sa->dir);
	return change(s, &id, &ends, u->new_reqid != 0 ? u->new_reqid : s->reqid, e);
}

void sadb_former(const struct sa_entry *s, struct sa_former *f)
{
	const struct sa_ends *before = s->sa->dir == SA_IN ? sa_ends_old(s->sa) : NULL;

	*f = (struct sa_former){
		.id = s->id,
		.reqid = s->reqid,
		.ends = *sa_ends_now(s->sa),
		.before_end_ns = s->old_ends_end_ns,
	};
	if (before != NULL)
		f->before = *before;
}

/* Nobody ever heard of the ends that it had meanwhile; those before may still be on packets. */
static void forget_meanwhile(struct sa_entry *s, const struct sa_former *f)
{
	sa_forget_old_ends(s->sa);
	if (f->before.dst.family != IP_NONE) {
		rcu_synchronize();
		sa_set_old_ends(s->sa, &f->before);
	}
	s->old_ends_end_ns = f->before_end_ns;
}

int sadb_update_undo(const struct viaduct_sa_id *id, const struct sa_former *f, struct err *e)
{
	struct sa_entry *s = find(id, e);
	bool moves;
	int rc;

	if (s == NULL)
		return -ENOENT;
	moves = !same_ends(&f->ends, sa_ends_now(s->sa));
	rc = change(s, &f->id, &f->ends, f->reqid, e);
	if (rc == 0 && moves && s->sa->dir == SA_IN)
		forget_meanwhile(s, f);
	return rc;
}
