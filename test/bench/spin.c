/* SPDX-License-Identifier: BSD-3-Clause */
/* Is this CPU as fast now as it was before? Additions per TSC cycle, measured in a few milliseconds.
 *
 *	spin CPU
 *
 * Pins itself to CPU. For each line on its input it runs a loop of independent additions and prints
 * how many it did in a TSC cycle: fewer than before when the clock has dropped or when something
 * runs on the sibling thread. Its first line is the TSC's frequency in Hz. */
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <x86intrin.h>

#define ADDS   8
#define TURNS  200000
#define ROUNDS 8

/* As many chains as the widest of today's cores can add at a time, and a neighbour takes from that. */
static uint64_t spin(void)
{
	uint64_t a = 1, b = 2, c = 3, d = 4, e = 5, f = 6, g = 7, h = 8, start = __rdtsc();

	for (unsigned i = 0; i < TURNS; i++) {
		__asm__ volatile(
			"add $1, %0\n\tadd $1, %1\n\tadd $1, %2\n\tadd $1, %3\n\t"
			"add $1, %4\n\tadd $1, %5\n\tadd $1, %6\n\tadd $1, %7"
			: "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f), "+r"(g), "+r"(h));
	}
	return __rdtsc() - start;
}

/* The median: a round that an interrupt hit says nothing. */
static double rate(void)
{
	uint64_t t[ROUNDS];

	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned at = i;
		uint64_t cycles = spin();

		for (; at > 0 && t[at - 1] > cycles; at--)
			t[at] = t[at - 1];
		t[at] = cycles;
	}
	return (double)ADDS * TURNS / t[ROUNDS / 2];
}

static double nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return now.tv_sec * 1e9 + now.tv_nsec;
}

static double tsc_hz(void)
{
	double start = nanoseconds();
	uint64_t tsc = __rdtsc();

	while (nanoseconds() - start < 2e8)
		rate();
	return (__rdtsc() - tsc) * 1e9 / (nanoseconds() - start);
}

int main(int argc, char **argv)
{
	cpu_set_t cpus;

	if (argc != 2) {
		fprintf(stderr, "usage: spin CPU\n");
		return 2;
	}
	CPU_ZERO(&cpus);
	CPU_SET(atoi(argv[1]), &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) < 0) {
		perror("spin: sched_setaffinity");
		return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("%.0f\n", tsc_hz());
	while (getchar() != EOF)
		printf("%.4f\n", rate());
	return 0;
}
