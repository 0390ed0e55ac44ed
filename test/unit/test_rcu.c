/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/rcu.h"

#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

static char order[16];
static unsigned n_run;

static void note(void *arg)
{
	order[n_run++] = *(char *)arg;
}

static void begin(unsigned n_workers)
{
	memset(order, 0, sizeof(order));
	n_run = 0;
	CU_ASSERT_EQUAL_FATAL(rcu_init(n_workers), 0);
}

static void runs_at_once_when_all_are_offline(void)
{
	begin(2);
	rcu_retire(note, "a");
	CU_ASSERT_EQUAL(n_run, 0); /* never from inside rcu_retire() */
	CU_ASSERT_EQUAL(rcu_poll(), 0);
	CU_ASSERT_STRING_EQUAL(order, "a");
	rcu_fini();
}

static void waits_for_every_worker(void)
{
	begin(2);
	rte_rcu_qsbr_thread_online(rcu_qsbr(), 0);
	rte_rcu_qsbr_thread_online(rcu_qsbr(), 1);
	rcu_retire(note, "a");
	CU_ASSERT_EQUAL(rcu_poll(), 1);
	rte_rcu_qsbr_quiescent(rcu_qsbr(), 0);
	CU_ASSERT_EQUAL(rcu_poll(), 1);
	CU_ASSERT_EQUAL(n_run, 0);
	rte_rcu_qsbr_quiescent(rcu_qsbr(), 1);
	CU_ASSERT_EQUAL(rcu_poll(), 0);
	CU_ASSERT_STRING_EQUAL(order, "a");
	rcu_fini();
}

static void later_one_needs_a_later_quiescence(void)
{
	begin(1);
	rte_rcu_qsbr_thread_online(rcu_qsbr(), 0);
	rcu_retire(note, "a");
	rte_rcu_qsbr_quiescent(rcu_qsbr(), 0);
	rcu_retire(note, "b");
	CU_ASSERT_EQUAL(rcu_poll(), 1);
	CU_ASSERT_STRING_EQUAL(order, "a");
	rte_rcu_qsbr_thread_offline(rcu_qsbr(), 0);
	CU_ASSERT_EQUAL(rcu_poll(), 0);
	CU_ASSERT_STRING_EQUAL(order, "ab");
	rcu_fini();
}

static bool is_ready(void *arg)
{
	return *(char *)arg == 'A';
}

static void one_not_ready_holds_those_behind_it(void)
{
	char sa[] = "a";

	begin(1);
	rcu_retire_when(is_ready, note, sa);
	rcu_retire(note, "b");
	CU_ASSERT_EQUAL(rcu_poll(), 2);
	CU_ASSERT_EQUAL(n_run, 0);
	*sa = 'A';
	CU_ASSERT_EQUAL(rcu_poll(), 0);
	CU_ASSERT_STRING_EQUAL(order, "Ab");
	rcu_fini();
}

static void retire_another(void *arg)
{
	note(arg);
	rcu_retire(note, "z");
}

static void what_is_freed_may_retire_more(void)
{
	begin(1);
	rte_rcu_qsbr_thread_online(rcu_qsbr(), 0);
	rcu_retire(retire_another, "a");
	rte_rcu_qsbr_quiescent(rcu_qsbr(), 0);
	CU_ASSERT_EQUAL(rcu_poll(), 1); /* "z" needs a period of its own */
	CU_ASSERT_STRING_EQUAL(order, "a");
	rte_rcu_qsbr_quiescent(rcu_qsbr(), 0);
	CU_ASSERT_EQUAL(rcu_poll(), 0);
	CU_ASSERT_STRING_EQUAL(order, "az");
	rcu_fini();
}

static unsigned called;

static void pending(void)
{
	called++;
}

static void tells_when_something_begins_to_wait(void)
{
	begin(1);
	called = 0;
	rcu_on_pending(pending);
	rcu_retire(note, "a");
	rcu_retire(note, "b");
	CU_ASSERT_EQUAL(called, 1);
	rcu_poll();
	rcu_retire(note, "c");
	CU_ASSERT_EQUAL(called, 2);
	rcu_fini();
	CU_ASSERT_STRING_EQUAL(order, "abc"); /* the end runs what waits */
}

static void drain_runs_even_the_unready(void)
{
	begin(1);
	rte_rcu_qsbr_thread_online(rcu_qsbr(), 0);
	rcu_retire_when(is_ready, note, "a");
	rcu_retire(retire_another, "b");
	rcu_drain();
	CU_ASSERT_STRING_EQUAL(order, "abz");
	CU_ASSERT_EQUAL(rcu_poll(), 0);
	rcu_fini();
}

/* A reader that follows a pointer while it is replaced ten thousand times: whatever was freed is
 * poisoned, so that a value read after its time shows. */
struct object {
	_Atomic unsigned alive;
};

static struct object *_Atomic shared;
static _Atomic bool stop;
static _Atomic unsigned long dead_seen, turns;

static void *reader(void *arg)
{
	unsigned id = (uintptr_t)arg;

	rte_rcu_qsbr_thread_online(rcu_qsbr(), id);
	while (!atomic_load(&stop)) {
		struct object *o = atomic_load_explicit(&shared, memory_order_acquire);

		for (int i = 0; i < 20; i++) {
			if (atomic_load(&o->alive) != 1)
				atomic_fetch_add(&dead_seen, 1);
		}
		atomic_fetch_add(&turns, 1);
		rte_rcu_qsbr_quiescent(rcu_qsbr(), id);
	}
	rte_rcu_qsbr_thread_offline(rcu_qsbr(), id);
	return NULL;
}

static void kill_object(void *arg)
{
	struct object *o = arg;

	atomic_store(&o->alive, 0);
	n_run++;
}

static void no_reader_sees_the_dead(void)
{
	static struct object objects[10000];
	pthread_t t[2];

	begin(2);
	for (unsigned i = 0; i < RTE_DIM(objects); i++)
		atomic_store(&objects[i].alive, 1);
	atomic_store(&shared, &objects[0]);
	for (uintptr_t i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, reader, (void *)i);
	while (atomic_load(&turns) == 0)
		usleep(100);
	for (unsigned i = 1; i < RTE_DIM(objects); i++) {
		atomic_store_explicit(&shared, &objects[i], memory_order_release);
		rcu_retire(kill_object, &objects[i - 1]);
		rcu_poll();
		if (i % 1000 == 0)
			rcu_synchronize();
	}
	rcu_synchronize();
	CU_ASSERT_EQUAL(rcu_poll(), 0);
	CU_ASSERT_EQUAL(n_run, RTE_DIM(objects) - 1);
	CU_ASSERT_EQUAL(atomic_load(&dead_seen), 0);
	atomic_store(&stop, true);
	for (unsigned i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	rcu_fini();
}

UNIT_MAIN("rcu", UNIT_TEST(runs_at_once_when_all_are_offline), UNIT_TEST(waits_for_every_worker),
	UNIT_TEST(later_one_needs_a_later_quiescence),
	UNIT_TEST(one_not_ready_holds_those_behind_it), UNIT_TEST(what_is_freed_may_retire_more),
	UNIT_TEST(tells_when_something_begins_to_wait), UNIT_TEST(drain_runs_even_the_unready),
	UNIT_TEST(no_reader_sees_the_dead))
