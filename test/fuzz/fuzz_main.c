/* SPDX-License-Identifier: BSD-3-Clause */
/* Drives a fuzz target without libFuzzer, with any compiler: first the corpus as it is, then so many
 * mutations of it, the same for the same seed.
 *
 *	fuzz_frame <corpus directory> [mutations [seed]]
 *
 * When the target faults, the input is in fuzz-fault.bin in the working directory; a corpus
 * directory that holds only this file runs it again. */
#include "fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEEDS_MAX 512
#define INPUT_MAX 8192

struct input {
	size_t len;
	uint8_t b[INPUT_MAX];
};

static struct input seeds[SEEDS_MAX];
static unsigned n_seeds;
static struct input current;

/* xorshift64*, so that a run can be repeated anywhere. */
static uint64_t state;

static uint32_t random_below(uint32_t n)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * 0x2545f4914f6cdd1d >> 32) % n;
}

static void read_seed(int dir, const char *name)
{
	struct input *in = &seeds[n_seeds];
	int fd = openat(dir, name, O_RDONLY);
	struct stat st;
	ssize_t len;

	if (fd < 0 || fstat(fd, &st) < 0) {
		perror(name);
		exit(2);
	}
	if (S_ISREG(st.st_mode)) {
		len = read(fd, in->b, sizeof(in->b));
		if (len < 0 || n_seeds == SEEDS_MAX - 1) {
			fprintf(stderr, "%s: can't be read, or one too many\n", name);
			exit(2);
		}
		in->len = len;
		n_seeds++;
	}
	close(fd);
}

static void read_corpus(const char *path)
{
	struct dirent **names;
	int dir = open(path, O_RDONLY | O_DIRECTORY);
	int n = scandir(path, &names, NULL, alphasort);

	if (dir < 0 || n < 0) {
		perror(path);
		exit(2);
	}
	for (int i = 0; i < n; i++) {
		read_seed(dir, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	close(dir);
	if (n_seeds == 0) {
		fprintf(stderr, "%s: no corpus\n", path);
		exit(2);
	}
}

/* Values at which length checks go wrong. */
static uint8_t interesting(void)
{
	static const uint8_t values[] = {
		0, 1, 2, 4, 7, 8, 15, 16, 20, 40, 45, 63, 64, 127, 128, 254, 255};

	return values[random_below(sizeof(values))];
}

static void insert(struct input *in, size_t at, const uint8_t *bytes, size_t n)
{
	if (in->len + n > INPUT_MAX)
		return;
	memmove(in->b + at + n, in->b + at, in->len - at);
	memcpy(in->b + at, bytes, n);
	in->len += n;
}

static void cut(struct input *in, size_t at, size_t n)
{
	if (n > in->len - at)
		n = in->len - at;
	memmove(in->b + at, in->b + at + n, in->len - at - n);
	in->len -= n;
}

static void mutate_once(struct input *in)
{
	const struct input *other = &seeds[random_below(n_seeds)];
	size_t at = random_below(in->len + 1), n = 1 + random_below(16), from;
	uint8_t byte = interesting();

	switch (random_below(8)) {
	case 0:
		insert(in, at, &byte, 1);
		return;
	case 1:
		cut(in, at, n);
		return;
	case 2: /* one more record or header out of another input */
		from = random_below(other->len + 1);
		insert(in, at, other->b + from, random_below(other->len - from + 1));
		return;
	case 3:
		insert(in, in->len, other->b, other->len);
		return;
	}
	if (at == in->len)
		return;
	if (random_below(2) == 0)
		in->b[at] = byte;
	else
		in->b[at] ^= 1 << random_below(8);
}

static void run(void)
{
	LLVMFuzzerTestOneInput(current.b, current.len);
}

/* Only what is safe in a signal handler. */
static void keep_input(int sig)
{
	int fd = open("fuzz-fault.bin", O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd >= 0 && write(fd, current.b, current.len) >= 0)
		close(fd);
	signal(sig, SIG_DFL);
	raise(sig);
}

/* AddressSanitizer ends the program by itself, through this. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "abort_on_error=1:allow_user_segv_handler=0";
}

int main(int argc, char **argv)
{
	unsigned mutations = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;

	if (argc < 2) {
		fprintf(stderr, "usage: %s <corpus directory> [mutations [seed]]\n", argv[0]);
		return 2;
	}
	read_corpus(argv[1]);
	LLVMFuzzerInitialize(&argc, &argv);
	signal(SIGABRT, keep_input);
	signal(SIGSEGV, keep_input);
	for (unsigned i = 0; i < n_seeds; i++) {
		current = seeds[i];
		run();
	}
	state = seed * 0x9e3779b97f4a7c15 | 1;
	for (unsigned i = 0; i < mutations; i++) {
		current = seeds[random_below(n_seeds)];
		for (unsigned k = 1 + random_below(6); k > 0; k--)
			mutate_once(&current);
		run();
	}
	printf("%u inputs and %u mutations (seed %" PRIu64 "): no fault\n", n_seeds, mutations,
		seed);
	return 0;
}
