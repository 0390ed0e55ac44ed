/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/lend.h"

#include "dataplane/worker.h"

#include <rte_malloc.h>
#include <rte_pause.h>
#include <rte_prefetch.h>

#include <assert.h>

#define LEAVE        4  /* pieces that the owner leaves to others at the end of a turn */
#define HELPED_TURNS 4  /* so long after somebody took one */
#define PEERS_LOOKED 4u /* at in one turn: in a large machine all would be too many */

static_assert(LEND_LOTS * 2 * VEC_MAX / LEND_PIECE <= LEND_PIECES, "a lot's pieces have places");

struct lend *lend_new(bool open)
{
	struct lend *l = rte_zmalloc("lend", sizeof(*l), RTE_CACHE_LINE_SIZE);

	if (l != NULL) {
		l->open = open;
		l->helped = -(uint64_t)(HELPED_TURNS + 1);
	}
	return l;
}

void lend_free(struct lend *l)
{
	rte_free(l);
}

/* Pieces of about LEND_PIECE, equal, so that none is too small for its lanes. */
void lend_offer(struct lend *l, struct crypto_op *op, unsigned n)
{
	unsigned pieces = n < LEND_MIN ? n > 0 : (n + LEND_PIECE / 2) / LEND_PIECE;
	unsigned lot = lend_place(l->next);
	uint32_t offered = atomic_load_explicit(&l->offered, memory_order_relaxed);

	atomic_store_explicit(&l->lot[lot].undone, pieces, memory_order_relaxed);
	l->next++;
	for (unsigned i = 0; i < n; i++)
		op[i].ok = 1;
	for (unsigned left = pieces; left > 0; left--) {
		unsigned share = n / left;

		l->piece[offered++ % LEND_PIECES] = (struct lend_piece){op, share, lot};
		op += share;
		n -= share;
	}
	atomic_store_explicit(&l->offered, offered, memory_order_release);
}

/* The next piece, if more than `rest` are left. */
static bool take(struct lend *l, unsigned rest, struct lend_piece *piece)
{
	uint32_t taken = atomic_load_explicit(&l->taken, memory_order_acquire);

	do {
		if (atomic_load_explicit(&l->offered, memory_order_acquire) - taken <= rest)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(
		&l->taken, &taken, taken + 1, memory_order_acq_rel, memory_order_acquire));
	*piece = l->piece[taken % LEND_PIECES];
	return true;
}

static void run(struct worker *w, const struct lend *l, struct crypto_op *op, unsigned n)
{
	if (l->open)
		crypto_open(w->crypto, op, n);
	else
		crypto_seal(w->crypto, op, n);
}

static void done(struct worker *w, struct lend *l, const struct lend_piece *piece)
{
	atomic_fetch_sub_explicit(&l->lot[piece->lot].undone, 1, memory_order_release);
	cycles_charge(&w->cycles, l->open ? CYCLES_DECRYPT : CYCLES_ENCRYPT, piece->n);
}

/* Pieces to leave to others. */
static unsigned leave(struct worker *w, struct lend *l)
{
	uint32_t away = atomic_load_explicit(&l->taken, memory_order_relaxed) - l->taken_here;

	if (away != l->taken_away) {
		l->taken_away = away;
		l->helped = w->stats.turns;
	}
	return w->backlog && w->stats.turns - l->helped <= HELPED_TURNS ? LEAVE : 0;
}

/* One of the owner's own, if more than `rest` are left. */
static bool work(struct worker *w, struct lend *l, unsigned rest)
{
	struct lend_piece piece;

	if (!take(l, rest, &piece))
		return false;
	l->taken_here++;
	run(w, l, piece.op, piece.n);
	done(w, l, &piece);
	return true;
}

void lend_work(struct worker *w, struct lend *l)
{
	while (work(w, l, leave(w, l)))
		;
}

void lend_wait(struct worker *w, struct lend *l)
{
	while (!lend_home(l)) {
		if (!work(w, l, 0))
			rte_pause();
	}
}

/* The owner's cache keeps its operations: they are copied, and only what fails is told. */
static void run_copy(struct worker *w, const struct lend *l, const struct lend_piece *piece)
{
	struct crypto_op op[LEND_MIN];

	for (unsigned i = 0; i < piece->n; i++) {
		op[i] = piece->op[i];
		rte_prefetch0(op[i].esp);
		rte_prefetch0(op[i].esp + RTE_CACHE_LINE_SIZE);
	}
	run(w, l, op, piece->n);
	for (unsigned i = 0; i < piece->n; i++) {
		if (unlikely(!op[i].ok))
			piece->op[i].ok = 0;
	}
}

static unsigned help(struct worker *w, struct lend *l)
{
	struct lend_piece piece;

	if (!take(l, 0, &piece))
		return 0;
	run_copy(w, l, &piece);
	done(w, l, &piece);
	return piece.n;
}

unsigned lend_help(struct worker *w)
{
	unsigned done = 0;

	for (unsigned i = 0; i < RTE_MIN(w->n_workers - 1u, PEERS_LOOKED); i++) {
		const struct worker *peer;

		if (++w->helped >= w->n_workers)
			w->helped = 0;
		if (w->helped == w->id && ++w->helped >= w->n_workers)
			w->helped = 0;
		peer = w->peers[w->helped];
		done += help(w, peer->sealing) + help(w, peer->opening);
	}
	return done;
}
