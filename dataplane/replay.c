/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/replay.h"

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include <string.h>

/* Packets per word. */
#define BLOCK_SHIFT 5
#define BLOCK_SIZE  (1u << BLOCK_SHIFT)

uint32_t replay_slots(uint32_t window)
{
	/* A window that ends inside a block reaches into one block more than it fills; the ring
	 * must not come round to its oldest block before that has left the window. */
	uint32_t need = (window + BLOCK_SIZE - 1) / BLOCK_SIZE + 1;
	uint32_t n = 2;

	while (n < need)
		n *= 2;
	return n;
}

void replay_init(struct replay *r, uint32_t window, _Atomic uint64_t *slots)
{
	memset(r, 0, sizeof(*r));
	r->window = window;
	r->slot_mask = replay_slots(window) - 1;
	r->slots = slots;
}

/* Which word a block lives in, and the epoch it has there. The epoch is cut to 32 bits, which come
 * round after 2^38 packets at the earliest; a word would have to miss half of that to be taken for
 * a newer one. */
static inline uint32_t slot_of(const struct replay *r, uint64_t seq)
{
	return (uint32_t)(seq >> BLOCK_SHIFT) & r->slot_mask;
}

static inline uint32_t epoch_of(const struct replay *r, uint64_t seq)
{
	/* slot_mask + 1 is a power of two. */
	return (uint32_t)(seq >> BLOCK_SHIFT >> __builtin_popcount(r->slot_mask));
}

static inline uint32_t bit_of(uint64_t seq)
{
	return 1u << (seq & (BLOCK_SIZE - 1));
}

void replay_seek(struct replay *r, uint64_t top)
{
	uint64_t seq = top;

	for (uint32_t i = 0; i <= r->slot_mask; i++, seq -= BLOCK_SIZE) {
		uint64_t seen = seq == top ? 2ull * bit_of(top) - 1 : UINT32_MAX;

		atomic_store(&r->slots[slot_of(r, seq)], (uint64_t)epoch_of(r, seq) << 32 | seen);
		if (seq < BLOCK_SIZE)
			break;
	}
	atomic_store(&r->top, top);
}

uint64_t replay_full_seq(const struct replay *r, uint32_t lo, bool esn)
{
	/* Without a window, the candidate that is nearer to the top. */
	uint32_t window = r->window != 0 ? r->window : 1u << 31;
	uint64_t top;
	uint32_t hi, top_lo;

	if (!esn)
		return lo;
	top = atomic_load_explicit(&r->top, memory_order_relaxed);
	hi = top >> 32;
	top_lo = (uint32_t)top;
	if (top_lo >= window - 1) {
		/* RFC 4303 A2.2, case A: the window lies within one subspace. */
		if (lo < top_lo - window + 1)
			hi++;
	} else if (lo >= (uint32_t)(top_lo - window + 1) && hi > 0) {
		/* Case B: its left part lies in the subspace before. */
		hi--;
	}
	return (uint64_t)hi << 32 | lo;
}

/* What a word says about a number that the window admits. On REPLAY_OK *word has it taken. */
static inline enum replay_verdict take(uint64_t *word, uint32_t epoch, uint32_t bit)
{
	int32_t ahead = (int32_t)(epoch - (uint32_t)(*word >> 32));

	if (ahead < 0) /* another worker has moved the ring on */
		return REPLAY_LATE;
	if (ahead > 0) {
		*word = (uint64_t)epoch << 32 | bit;
		return REPLAY_OK;
	}
	if (*word & bit)
		return REPLAY_DUPLICATE;
	*word |= bit;
	return REPLAY_OK;
}

static inline enum replay_verdict admit(const struct replay *r, uint64_t top, uint64_t seq)
{
	if (seq == 0)
		return REPLAY_ZERO;
	return seq <= top && top - seq >= r->window ? REPLAY_LATE : REPLAY_OK;
}

enum replay_verdict replay_check(const struct replay *r, uint64_t seq)
{
	uint64_t top, word;
	enum replay_verdict v;

	if (r->window == 0)
		return REPLAY_OK;
	top = atomic_load_explicit(&r->top, memory_order_relaxed);
	v = admit(r, top, seq);
	if (v != REPLAY_OK || seq > top)
		return v;
	word = atomic_load_explicit(&r->slots[slot_of(r, seq)], memory_order_relaxed);
	return take(&word, epoch_of(r, seq), bit_of(seq));
}

enum replay_verdict replay_accept(struct replay *r, uint64_t seq)
{
	uint8_t verdict;

	replay_accept_run(r, &seq, &verdict, 1);
	return verdict;
}

static void raise_top(struct replay *r, uint64_t to, bool shared)
{
	uint64_t top = atomic_load_explicit(&r->top, memory_order_relaxed);

	if (!shared) {
		atomic_store_explicit(&r->top, to, memory_order_relaxed);
		return;
	}
	while (top < to &&
		!atomic_compare_exchange_weak_explicit(
			&r->top, &top, to, memory_order_relaxed, memory_order_relaxed))
		;
}

/* Numbers of one block, by one compare-and-swap. Returns the highest top reached. */
static uint64_t accept_block(
	struct replay *r, uint64_t top, const uint64_t *seq, uint8_t *verdicts, unsigned n)
{
	_Atomic uint64_t *slot = &r->slots[slot_of(r, seq[0])];
	uint64_t old = atomic_load_explicit(slot, memory_order_relaxed);
	uint32_t epoch = epoch_of(r, seq[0]);
	uint64_t word, reached;

	do {
		word = old;
		reached = top;
		for (unsigned i = 0; i < n; i++) {
			verdicts[i] = admit(r, reached, seq[i]);
			if (verdicts[i] == REPLAY_OK)
				verdicts[i] = take(&word, epoch, bit_of(seq[i]));
			if (verdicts[i] == REPLAY_OK && seq[i] > reached)
				reached = seq[i];
		}
	} while (word != old &&
		!atomic_compare_exchange_weak_explicit(
			slot, &old, word, memory_order_relaxed, memory_order_relaxed));
	return reached;
}

static bool consecutive(const uint64_t *seq, unsigned n)
{
	uint64_t wrong = 0;

	for (unsigned i = 0; i < n; i++)
		wrong |= seq[i] ^ (seq[0] + i);
	return wrong == 0;
}

/* Numbers of one block that are all beyond the top. False: another worker took some of them, or is
 * at it; nothing has changed. */
static bool take_fresh(struct replay *r, uint64_t first, uint32_t bits, bool shared)
{
	_Atomic uint64_t *slot = &r->slots[slot_of(r, first)];
	uint64_t word = atomic_load_explicit(slot, memory_order_relaxed);
	uint32_t epoch = epoch_of(r, first), seen = 0;

	if (epoch == word >> 32)
		seen = (uint32_t)word;
	else if ((int32_t)(epoch - (uint32_t)(word >> 32)) < 0)
		return false;
	if (seen & bits)
		return false;
	seen |= bits;
	if (shared)
		return atomic_compare_exchange_strong_explicit(slot, &word,
			(uint64_t)epoch << 32 | seen, memory_order_relaxed, memory_order_relaxed);
	atomic_store_explicit(slot, (uint64_t)epoch << 32 | seen, memory_order_relaxed);
	return true;
}

/* One store or compare-and-swap for the numbers of a block. */
static unsigned accept_consecutive(struct replay *r, uint64_t first, unsigned n, bool shared)
{
	unsigned done = 0;

	while (done < n) {
		unsigned bit = (first + done) & (BLOCK_SIZE - 1);
		unsigned k = n - done < BLOCK_SIZE - bit ? n - done : BLOCK_SIZE - bit;

		if (!take_fresh(r, first + done, (uint32_t)((1ull << k) - 1) << bit, shared))
			break;
		done += k;
	}
	return done;
}

/* Everything is taken; the top still serves extended sequence numbers. */
static __rte_noinline unsigned accept_all(
	struct replay *r, const uint64_t *seq, unsigned n, bool shared)
{
	uint64_t highest = 0;

	for (unsigned i = 0; i < n; i++)
		highest = seq[i] > highest ? seq[i] : highest;
	if (replay_ahead(r, highest))
		raise_top(r, highest, shared);
	return n;
}

unsigned replay_accept_fresh(struct replay *r, const uint64_t *seq, unsigned n, bool shared)
{
	unsigned taken;

	if (unlikely(r->window == 0))
		return accept_all(r, seq, n, shared);
	if (unlikely(!replay_ahead(r, seq[0])))
		return 0;
	if (n == 1)
		taken = take_fresh(r, seq[0], bit_of(seq[0]), shared);
	else
		taken = likely(consecutive(seq, n)) ? accept_consecutive(r, seq[0], n, shared) : 0;
	if (likely(taken > 0))
		raise_top(r, seq[taken - 1], shared);
	return taken;
}

static inline void accept_run(
	struct replay *r, const uint64_t *seq, uint8_t *verdicts, unsigned n, bool shared)
{
	unsigned i = replay_accept_fresh(r, seq, n, shared), end;
	uint64_t top, reached;

	memset(verdicts, REPLAY_OK, i);
	top = reached = atomic_load_explicit(&r->top, memory_order_relaxed);
	for (; i < n; i = end) {
		for (end = i + 1; end < n && seq[end] >> BLOCK_SHIFT == seq[i] >> BLOCK_SHIFT;)
			end++;
		reached = accept_block(r, reached, seq + i, verdicts + i, end - i);
	}
	if (reached > top)
		raise_top(r, reached, shared);
}

void replay_accept_run(struct replay *r, const uint64_t *seq, uint8_t *verdicts, unsigned n)
{
	accept_run(r, seq, verdicts, n, true);
}

void replay_accept_run_alone(struct replay *r, const uint64_t *seq, uint8_t *verdicts, unsigned n)
{
	accept_run(r, seq, verdicts, n, false);
}
