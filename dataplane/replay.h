/* SPDX-License-Identifier: BSD-3-Clause */
/* Anti-replay window (RFC 4303 3.4.3 and Appendix A) that any number of workers may use at once,
 * without a lock.
 *
 * The window is a ring of 64-bit words; each holds 32 packets' bits and the epoch (how many times
 * the ring has gone round) they belong to. A word is claimed for a newer epoch and its bits are
 * set by the same compare-and-swap, so a sequence number is accepted at most once whatever the
 * interleaving, and a jump far ahead costs no clearing. One CAS covers up to 32 packets of a run. */
#ifndef VIADUCT_REPLAY_H
#define VIADUCT_REPLAY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define REPLAY_WINDOW_MIN     32
#define REPLAY_WINDOW_DEFAULT 64
#define REPLAY_WINDOW_MAX     4096

enum replay_verdict {
	REPLAY_OK,
	REPLAY_DUPLICATE,
	REPLAY_LATE,
	REPLAY_ZERO
};

struct replay {
	_Atomic uint64_t top; /* highest sequence number accepted */
	uint32_t window;      /* packets; 0: no replay protection */
	uint32_t slot_mask;
	_Atomic uint64_t *slots; /* slot_mask + 1 words: epoch << 32 | bits */
};

/* Words needed for a window (a power of two, at least one more than the window covers). */
uint32_t replay_slots(uint32_t window);

/* slots: replay_slots(window) zeroed words, owned by the caller. */
void replay_init(struct replay *r, uint32_t window, _Atomic uint64_t *slots);

/* As if every number up to `top` had been accepted: state taken over from elsewhere. Before the
 * window is used. */
void replay_seek(struct replay *r, uint64_t top);

/* Full 64-bit sequence number of a received packet whose low half is `lo` (RFC 4303 A2.2);
 * lo itself without ESN. */
uint64_t replay_full_seq(const struct replay *r, uint32_t lo, bool esn);

/* Higher than all accepted so far: replay_check() has nothing against it. */
static inline bool replay_ahead(const struct replay *r, uint64_t seq)
{
	return seq > atomic_load_explicit(&r->top, memory_order_relaxed);
}

/* Before decryption: is it worth it? Changes nothing. */
enum replay_verdict replay_check(const struct replay *r, uint64_t seq);

/* After the ICV was found right: take the number. Only REPLAY_OK lets the packet through. */
enum replay_verdict replay_accept(struct replay *r, uint64_t seq);

/* replay_accept for a run: verdicts[i] for seq[i], in order. */
void replay_accept_run(struct replay *r, const uint64_t *seq, uint8_t *verdicts, unsigned n);

/* The same without a locked operation, while one worker alone uses the window. */
void replay_accept_run_alone(struct replay *r, const uint64_t *seq, uint8_t *verdicts, unsigned n);

/* The short way for what nearly every run is, consecutive numbers beyond all accepted so far. Takes
 * the first ones of a run and returns how many; the rest, whatever it is, is left to the functions
 * above. shared: see there. */
unsigned replay_accept_fresh(struct replay *r, const uint64_t *seq, unsigned n, bool shared);

#endif
