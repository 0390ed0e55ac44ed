/* SPDX-License-Identifier: BSD-3-Clause */
/* One SA's cryptography on all workers.
 *
 * An SA's packets are numbered, checked and sent by one worker, their owner; the encryption between
 * needs no order. So the owner puts what one call of crypto takes, a lot, up for all in pieces. Whoever
 * has time takes the next piece, the owner too, and does it with IPsec-MB's manager of its own. A lot
 * goes on from where it left off when it is home, which is when all its pieces are done and all lots
 * before it are home: nothing is overtaken.
 *
 * Taking a piece is one compare-and-swap. Nobody waits for anybody: a worker that is interrupted in the
 * midst of a piece delays what comes behind it, until the owner has no more lots and receives no more.
 *
 * What a lot points to (SA, interface, next hop) must outlive it: while lots are out, their owner does not
 * tell RCU that it is quiescent. */
#ifndef VIADUCT_LEND_H
#define VIADUCT_LEND_H

#include "dataplane/crypto.h"

#include <rte_branch_prediction.h>

struct worker;

#define LEND_LOTS   8
#define LEND_PIECE  32 /* packets: enough for all lanes of multi-buffer crypto */
#define LEND_PIECES 128

/* Packets that make two pieces. Fewer are lent only if their order wants it. */
#define LEND_MIN (LEND_PIECE + LEND_PIECE / 2)

struct lend_piece {
	struct crypto_op *op;
	uint16_t n;
	uint16_t lot;
};

struct lend_lot {
	_Atomic uint32_t undone; /* pieces */
} __rte_cache_aligned;

/* One worker's lots of one direction: encryption or decryption. */
struct lend {
	/* Pieces ever offered, by the owner, and taken, by anybody. piece[taken % LEND_PIECES] is the next;
	 * its place is free again when its lot is home. Lines of their own: who looks for work reads one
	 * that only the owner writes. */
	_Atomic uint32_t offered;
	bool open; /* decryption */
	_Atomic uint32_t taken __rte_cache_aligned;

	/* The owner's. Lots by number, in the order of their packets: the oldest that is out, and the
	 * next one to be. */
	uint32_t first __rte_cache_aligned;
	uint32_t next;
	uint32_t taken_here; /* pieces that the owner did itself */
	uint32_t taken_away; /* pieces that others had taken when it last looked */
	uint64_t helped;     /* turn in which it noticed more of them */

	struct lend_piece piece[LEND_PIECES] __rte_cache_aligned;
	struct lend_lot lot[LEND_LOTS];
};

struct lend *lend_new(bool open);
void lend_free(struct lend *l);

/* Lots that are out. */
static inline unsigned lend_out(const struct lend *l)
{
	return l->next - l->first;
}

/* Its place in an array of LEND_LOTS, whether it is the next one or the oldest. */
static inline unsigned lend_place(uint32_t lot)
{
	return lot % LEND_LOTS;
}

/* Shall n packets become a lot? l == NULL: of the only worker there is. */
static inline bool lend_worth(const struct lend *l, unsigned n)
{
	return unlikely(l != NULL) && (n >= LEND_MIN || lend_out(l) > 0);
}

/* Put up lot l->next, of n operations. They stay where they are until it is home. Not while LEND_LOTS
 * are out. */
void lend_offer(struct lend *l, struct crypto_op *op, unsigned n);

/* The owner does what nobody has taken yet. It leaves some for later where there is more to come and
 * others do take pieces. */
void lend_work(struct worker *w, struct lend *l);

/* Wait for the oldest, doing what nobody has taken. */
void lend_wait(struct worker *w, struct lend *l);

/* Is the oldest lot home? Then what was done to it is to be read; l->first++ frees its place. */
static inline bool lend_home(struct lend *l)
{
	return lend_out(l) > 0 &&
		atomic_load_explicit(&l->lot[lend_place(l->first)].undone, memory_order_acquire) ==
		0;
}

/* A worker at leisure does a few pieces of others'. Returns the packets in them. */
unsigned lend_help(struct worker *w);

#endif
