/* SPDX-License-Identifier: BSD-3-Clause */
/* The anti-replay window against RFC 4303, against a naive model, and under two threads. */
#include "dataplane/replay.h"

#include "unit.h"

#include <pthread.h>
#include <sched.h>

static const uint32_t windows[] = {32, 64, 100, 128, 1024, 4096};
#define WINDOWS (sizeof(windows) / sizeof(windows[0]))

static void fresh(struct replay *r, uint32_t window)
{
	replay_init(r, window, calloc(replay_slots(window), sizeof(uint64_t)));
}

static void done(struct replay *r)
{
	free((void *)r->slots);
}

static void slots_cover_the_window(void)
{
	CU_ASSERT_EQUAL(replay_slots(32), 2);
	CU_ASSERT_EQUAL(replay_slots(33), 4); /* 2 blocks filled, a third one touched */
	CU_ASSERT_EQUAL(replay_slots(64), 4);
	CU_ASSERT_EQUAL(replay_slots(96), 4);
	CU_ASSERT_EQUAL(replay_slots(97), 8);
	CU_ASSERT_EQUAL(replay_slots(4096), 256);
}

static void accepts_in_order(void)
{
	struct replay r;

	for (unsigned w = 0; w < WINDOWS; w++) {
		fresh(&r, windows[w]);
		for (uint64_t seq = 1; seq <= 20000; seq++) {
			CU_ASSERT_EQUAL_FATAL(replay_check(&r, seq), REPLAY_OK);
			CU_ASSERT_EQUAL_FATAL(replay_accept(&r, seq), REPLAY_OK);
			CU_ASSERT_EQUAL_FATAL(replay_check(&r, seq), REPLAY_DUPLICATE);
			CU_ASSERT_EQUAL_FATAL(replay_accept(&r, seq), REPLAY_DUPLICATE);
		}
		CU_ASSERT_EQUAL(r.top, 20000);
		done(&r);
	}
}

static void zero_is_never_right(void)
{
	struct replay r;

	fresh(&r, 64);
	CU_ASSERT_EQUAL(replay_check(&r, 0), REPLAY_ZERO);
	CU_ASSERT_EQUAL(replay_accept(&r, 0), REPLAY_ZERO);
	CU_ASSERT_EQUAL(r.top, 0);
	done(&r);
}

/* The left edge to a packet: top - window + 1 is in, top - window is out; each once. */
static void edges_are_exact(void)
{
	struct replay r;

	for (unsigned w = 0; w < WINDOWS; w++) {
		uint64_t window = windows[w];

		/* Every phase of top within a block of 32. */
		for (uint64_t top = 10000; top < 10064; top++) {
			fresh(&r, window);
			CU_ASSERT_EQUAL(replay_accept(&r, top), REPLAY_OK);
			CU_ASSERT_EQUAL(replay_check(&r, top - window), REPLAY_LATE);
			CU_ASSERT_EQUAL(replay_accept(&r, top - window), REPLAY_LATE);
			for (uint64_t seq = top - 1; seq > top - window; seq--) {
				CU_ASSERT_EQUAL_FATAL(replay_check(&r, seq), REPLAY_OK);
				CU_ASSERT_EQUAL_FATAL(replay_accept(&r, seq), REPLAY_OK);
				CU_ASSERT_EQUAL_FATAL(replay_check(&r, seq), REPLAY_DUPLICATE);
				CU_ASSERT_EQUAL_FATAL(replay_accept(&r, seq), REPLAY_DUPLICATE);
			}
			CU_ASSERT_EQUAL(r.top, top);
			done(&r);
		}
	}
}

static void seek_counts_all_before_as_seen(void)
{
	struct replay r;

	for (unsigned w = 0; w < WINDOWS; w++) {
		for (uint64_t top = 3; top < 1ull << 45; top = top * 3 + 1) {
			fresh(&r, windows[w]);
			replay_seek(&r, top);
			CU_ASSERT_EQUAL(replay_check(&r, top), REPLAY_DUPLICATE);
			CU_ASSERT_EQUAL(replay_check(&r, top + 1), REPLAY_OK);
			for (uint64_t back = 1; back < windows[w] && back < top; back++)
				CU_ASSERT_EQUAL_FATAL(
					replay_accept(&r, top - back), REPLAY_DUPLICATE);
			CU_ASSERT_EQUAL(replay_accept(&r, top + 1), REPLAY_OK);
			CU_ASSERT_EQUAL(replay_accept(&r, top + windows[w]), REPLAY_OK);
			CU_ASSERT_EQUAL(replay_accept(&r, top + 1), REPLAY_DUPLICATE);
			CU_ASSERT_EQUAL(replay_accept(&r, top + 2), REPLAY_OK);
			done(&r);
		}
	}
}

static void check_changes_nothing(void)
{
	struct replay r;

	fresh(&r, 64);
	CU_ASSERT_EQUAL(replay_accept(&r, 100), REPLAY_OK);
	for (int i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(replay_check(&r, 90), REPLAY_OK);
		CU_ASSERT_EQUAL(replay_check(&r, 1ull << 40), REPLAY_OK);
	}
	CU_ASSERT_EQUAL(r.top, 100);
	CU_ASSERT_EQUAL(replay_accept(&r, 90), REPLAY_OK);
	done(&r);
}

static void far_jumps(void)
{
	static const uint64_t jumps[] = {1, 31, 32, 33, 63, 64, 65, 4095, 4096, 4097, 8192, 1 << 16,
		(1ull << 31) - 1, 1ull << 31, (1ull << 32) - 1, 1ull << 32};
	struct replay r;
	uint64_t seq;

	for (unsigned w = 0; w < WINDOWS; w++) {
		fresh(&r, windows[w]);
		seq = 5;
		CU_ASSERT_EQUAL(replay_accept(&r, seq), REPLAY_OK);
		for (unsigned i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
			uint64_t before = seq;

			seq += jumps[i];
			CU_ASSERT_EQUAL(replay_accept(&r, seq), REPLAY_OK);
			CU_ASSERT_EQUAL(replay_accept(&r, seq), REPLAY_DUPLICATE);
			CU_ASSERT_EQUAL(replay_accept(&r, before),
				jumps[i] < windows[w] ? REPLAY_DUPLICATE : REPLAY_LATE);
			/* Numbers between the two have not been seen, if the window reaches them. */
			if (jumps[i] > 1)
				CU_ASSERT_EQUAL(replay_check(&r, seq - 1), REPLAY_OK);
		}
		done(&r);
	}
}

/* Half of the numbers are offered again after the ring has gone round many times. */
static void nothing_is_forgotten_in_the_ring(void)
{
	struct replay r;

	for (unsigned w = 0; w < WINDOWS; w++) {
		fresh(&r, windows[w]);
		for (uint64_t seq = 1; seq < 50000; seq += 2)
			CU_ASSERT_EQUAL_FATAL(replay_accept(&r, seq), REPLAY_OK);
		for (uint64_t seq = 1; seq < 50000; seq++) {
			enum replay_verdict want = seq + windows[w] <= 49999 ? REPLAY_LATE
				: seq % 2                                    ? REPLAY_DUPLICATE
									     : REPLAY_OK;

			CU_ASSERT_EQUAL_FATAL(replay_accept(&r, seq), want);
		}
		done(&r);
	}
}

/* RFC 4303 A2.2: both cases, on each side of the subspace's end. */
static void esn_high_half_is_found(void)
{
	static const struct {
		uint64_t top;
		uint32_t window, lo;
		uint64_t want;
	} cases[] = {
		{0, 64, 1, 1},
		{0, 64, 0xffffffff, 0xffffffff}, /* there is no subspace before the first */
		{100, 64, 37, 37},               /* the window's left edge */
		{100, 64, 36, 0x100000024},      /* left of it: the next subspace's */
		{100, 64, 0xffffffff, 0xffffffff},
		{0xffffffff, 64, 0xffffffff - 63, 0xffffffff - 63},
		{0xffffffff, 64, 0xffffffff - 64, 0x1ffffffbf},
		{0xffffffff, 64, 0, 0x100000000},
		{0xffffffff, 64, 5, 0x100000005},
		{0xfffffff0, 64, 0x7fffffff, 0x17fffffff},
		{0x100000005, 64, 6, 0x100000006},
		{0x100000005, 64, 0xffffffff, 0xffffffff}, /* late, of the subspace before */
		{0x100000005, 64, 0xffffffc6, 0xffffffc6}, /* its left edge */
		{0x100000005, 64, 0xffffffc5, 0x1ffffffc5},
		{0x10000003f, 64, 0, 0x100000000}, /* window from 0 on */
		{0x10000003e, 64, 0xffffffff, 0xffffffff},
		{0x10000003f, 64, 0xffffffff, 0x1ffffffff},
		{0x17fffffff, 4096, 0x80000000, 0x180000000},
		{0x17fffffff, 4096, 0x7fffefff, 0x27fffefff},
		{0x200000000, 4096, 0xfffff001, 0x1fffff001},
		{0x17fffffff, 0, 0x7ffffffe, 0x17ffffffe}, /* no window: the nearest */
		{0x100000010, 0, 0xfffffff0, 0xfffffff0},
		{0x1fffffff0, 0, 0x10, 0x200000010},
	};
	struct replay r;

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fresh(&r, cases[i].window);
		r.top = cases[i].top;
		CU_ASSERT_EQUAL(replay_full_seq(&r, cases[i].lo, true), cases[i].want);
		CU_ASSERT_EQUAL(replay_full_seq(&r, cases[i].lo, false), cases[i].lo);
		done(&r);
	}
}

/* A sender goes over 2^31, 2^32 and 3 * 2^32 while a third of its packets is lost and the rest
 * comes out of order: every number that arrives is found whole and accepted once. */
static void esn_crossing_with_loss_and_reorder(void)
{
	static const uint64_t borders[] = {1ull << 31, 1ull << 32, 3ull << 32, 1ull << 38};
	struct replay r;

	for (unsigned b = 0; b < sizeof(borders) / sizeof(borders[0]); b++) {
		for (unsigned w = 0; w < WINDOWS; w++) {
			uint64_t first = borders[b] - 3000;

			fresh(&r, windows[w]);
			replay_seek(&r, first - 1);
			for (uint64_t n = 0; n < 6000; n++) {
				/* Each group of 16 arrives back to front. */
				uint64_t seq = first + (n & ~15ull) + 15 - (n & 15);

				if (seq % 3 == 0)
					continue;
				CU_ASSERT_EQUAL_FATAL(
					replay_full_seq(&r, (uint32_t)seq, true), seq);
				CU_ASSERT_EQUAL_FATAL(replay_accept(&r, seq), REPLAY_OK);
				CU_ASSERT_EQUAL_FATAL(
					replay_full_seq(&r, (uint32_t)seq, true), seq);
				CU_ASSERT_EQUAL_FATAL(replay_accept(&r, seq), REPLAY_DUPLICATE);
			}
			done(&r);
		}
	}
}

/* What RFC 4303 says, with all the memory in the world. */
struct model {
	uint64_t base, top;
	uint32_t window;
	uint8_t *seen;
};

static enum replay_verdict model_accept(struct model *m, uint64_t seq)
{
	if (seq == 0)
		return REPLAY_ZERO;
	if (seq <= m->top && m->top - seq >= m->window)
		return REPLAY_LATE;
	if (m->seen[seq - m->base])
		return REPLAY_DUPLICATE;
	m->seen[seq - m->base] = 1;
	if (seq > m->top)
		m->top = seq;
	return REPLAY_OK;
}

static uint64_t rnd_state = 88172645463325252ull;

static uint64_t rnd(void)
{
	rnd_state ^= rnd_state << 13;
	rnd_state ^= rnd_state >> 7;
	rnd_state ^= rnd_state << 17;
	return rnd_state;
}

#define MODEL_SPAN 400000

/* Near the top, mostly; sometimes far left, sometimes a jump. */
static uint64_t random_seq(const struct model *m)
{
	uint64_t span = 2 * m->window, low = m->top > m->base + span ? m->top - span : m->base;
	uint64_t seq = rnd() % 100 < 3 ? m->top + rnd() % (3 * m->window)
		: rnd() % 100 < 40     ? m->top + 1 + rnd() % 4
				       : low + rnd() % (m->top - low + 3);

	return seq;
}

static void runs_match_the_model(void)
{
	static const uint64_t bases[] = {0, (1ull << 32) - 100000, (1ull << 38) - 100000};
	struct model m;
	struct replay r;
	uint64_t seq[300];
	uint8_t got[300];

	for (unsigned w = 0; w < WINDOWS * 3; w++) {
		m = (struct model){.base = bases[w / WINDOWS],
			.top = bases[w / WINDOWS],
			.window = windows[w % WINDOWS],
			.seen = calloc(MODEL_SPAN, 1)};
		fresh(&r, m.window);
		replay_seek(&r, m.top);
		m.seen[0] = 1;
		while (m.top - m.base < MODEL_SPAN - 60000) {
			unsigned n = 1 + rnd() % 300;

			for (unsigned i = 0; i < n; i++) {
				/* Consecutive stretches and repetitions as well as noise. */
				seq[i] = i > 0 && rnd() % 3 ? seq[i - 1] + rnd() % 3
							    : random_seq(&m);
			}
			if (rnd() % 3 == 0) {
				for (unsigned i = 1; i < n; i++)
					seq[i] = seq[0] + i;
			}
			if (rnd() % 2)
				replay_accept_run(&r, seq, got, n);
			else
				replay_accept_run_alone(&r, seq, got, n);
			for (unsigned i = 0; i < n; i++)
				CU_ASSERT_EQUAL_FATAL(got[i], model_accept(&m, seq[i]));
			CU_ASSERT_EQUAL_FATAL(r.top, m.top);
		}
		free(m.seen);
		done(&r);
	}
}

static void no_window_accepts_all_and_keeps_the_top(void)
{
	uint64_t seq[] = {0, 7, 7, 3, 1ull << 33, 9};
	uint8_t got[6];
	struct replay r;

	fresh(&r, 0);
	replay_accept_run(&r, seq, got, 6);
	for (unsigned i = 0; i < 6; i++) {
		CU_ASSERT_EQUAL(got[i], REPLAY_OK);
		CU_ASSERT_EQUAL(replay_check(&r, seq[i]), REPLAY_OK);
	}
	CU_ASSERT_EQUAL(r.top, 1ull << 33);
	done(&r);
}

/* Each of two threads offers every number twice: four times in all, one of which may pass. */
#define STRESS_PACKETS 2000000
#define STRESS_RUN     48

struct stress {
	struct replay *r;
	_Atomic uint8_t *taken;
	_Atomic uint64_t *progress;
	unsigned id;
	uint64_t accepted, late;
};

static void *stress_thread(void *arg)
{
	struct stress *s = arg;
	uint64_t seq[STRESS_RUN];
	uint8_t verdict[STRESS_RUN];

	for (uint64_t next = 1; next < STRESS_PACKETS; next += STRESS_RUN / 2) {
		/* Stay close together, else one of the two finds everything late. */
		while (next > s->progress[!s->id] + s->r->window / 4)
			sched_yield();
		for (unsigned i = 0; i < STRESS_RUN; i++)
			seq[i] = next + (s->id ? STRESS_RUN - 1 - i : i) / 2;
		replay_accept_run(s->r, seq, verdict, STRESS_RUN);
		for (unsigned i = 0; i < STRESS_RUN; i++) {
			if (verdict[i] == REPLAY_OK) {
				s->taken[seq[i]]++;
				s->accepted++;
			}
			s->late += verdict[i] == REPLAY_LATE;
		}
		s->progress[s->id] = next;
	}
	s->progress[s->id] = UINT64_MAX / 2;
	return NULL;
}

static void each_number_once_with_two_threads(void)
{
	struct replay r;
	_Atomic uint64_t progress[2] = {0, 0};
	_Atomic uint8_t *taken = calloc(STRESS_PACKETS + STRESS_RUN, 1);
	struct stress s[2];
	pthread_t thread[2];
	uint64_t twice = 0, never = 0, last = (STRESS_PACKETS - 2) / 24 * 24 + 24;

	fresh(&r, 1024);
	for (unsigned i = 0; i < 2; i++) {
		s[i] = (struct stress){.r = &r, .taken = taken, .progress = progress, .id = i};
		pthread_create(&thread[i], NULL, stress_thread, &s[i]);
	}
	for (unsigned i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	for (uint64_t seq = 1; seq <= last; seq++) {
		twice += taken[seq] > 1;
		never += taken[seq] == 0;
	}
	CU_ASSERT_EQUAL(twice, 0);
	CU_ASSERT_EQUAL(never, 0);
	CU_ASSERT_EQUAL(s[0].accepted + s[1].accepted, last);
	CU_ASSERT_EQUAL(s[0].late + s[1].late, 0);
	free((void *)taken);
	done(&r);
}

/* The short way takes a prefix of a run or nothing; the long way judges the rest. */
static void short_way_leaves_the_rest(void)
{
	struct replay r;
	uint64_t seq[100];
	uint8_t verdict[100];

	for (unsigned shared = 0; shared < 2; shared++) {
		fresh(&r, 64);
		for (unsigned i = 0; i < 100; i++)
			seq[i] = 10 + i;
		CU_ASSERT_EQUAL(replay_accept_fresh(&r, seq, 1, shared), 1);
		CU_ASSERT_EQUAL(r.top, 10);
		CU_ASSERT_EQUAL(replay_accept_fresh(&r, seq, 1, shared), 0);
		CU_ASSERT_EQUAL(replay_accept_fresh(&r, seq, 100, shared), 0);
		CU_ASSERT_EQUAL(replay_accept_fresh(&r, seq + 1, 40, shared), 40);
		CU_ASSERT_EQUAL(r.top, 50);
		CU_ASSERT_EQUAL(replay_check(&r, 11), REPLAY_DUPLICATE);
		/* Not consecutive. */
		seq[60] = 1000;
		CU_ASSERT_EQUAL(replay_accept_fresh(&r, seq + 50, 20, shared), 0);
		CU_ASSERT_EQUAL(r.top, 50);
		seq[60] = 70;
		/* Another worker has just taken 64, and not yet raised the top. */
		atomic_fetch_or(&r.slots[64 / 32], 1);
		CU_ASSERT_EQUAL(replay_accept_fresh(&r, seq + 41, 20, shared), 13);
		CU_ASSERT_EQUAL(r.top, 63);
		replay_accept_run(&r, seq + 54, verdict, 7);
		CU_ASSERT_EQUAL(verdict[0], REPLAY_DUPLICATE);
		for (unsigned i = 1; i < 7; i++)
			CU_ASSERT_EQUAL(verdict[i], REPLAY_OK);
		CU_ASSERT_EQUAL(r.top, 70);
		done(&r);
		fresh(&r, 0);
		CU_ASSERT_EQUAL(replay_accept_fresh(&r, seq, 10, shared), 10);
		CU_ASSERT_EQUAL(r.top, 19);
		CU_ASSERT_EQUAL(replay_accept_fresh(&r, seq, 5, shared), 5);
		CU_ASSERT_EQUAL(r.top, 19);
		done(&r);
	}
}

UNIT_MAIN("replay", UNIT_TEST(slots_cover_the_window), UNIT_TEST(accepts_in_order),
	UNIT_TEST(zero_is_never_right), UNIT_TEST(edges_are_exact),
	UNIT_TEST(seek_counts_all_before_as_seen), UNIT_TEST(check_changes_nothing),
	UNIT_TEST(far_jumps), UNIT_TEST(nothing_is_forgotten_in_the_ring),
	UNIT_TEST(esn_high_half_is_found), UNIT_TEST(esn_crossing_with_loss_and_reorder),
	UNIT_TEST(runs_match_the_model), UNIT_TEST(no_window_accepts_all_and_keeps_the_top),
	UNIT_TEST(short_way_leaves_the_rest), UNIT_TEST(each_number_once_with_two_threads))
