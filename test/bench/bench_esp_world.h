/* SPDX-License-Identifier: BSD-3-Clause */
/* What the ESP stages need around them: a worker, interfaces, SAs and packets. */
#ifndef VIADUCT_BENCH_ESP_WORLD_H
#define VIADUCT_BENCH_ESP_WORLD_H

#include "algorithms.h"
#include "dataplane/crypto.h"
#include "dataplane/worker.h"

#define SAS_MAX 16384

extern struct worker *w;
extern struct sa *sa_in[SAS_MAX], *sa_out[SAS_MAX];
extern struct pkt inner[VEC_MAX];

void make_world(void);

/* SAs 0 to n - 1 of both directions, each with a key of its own. */
void make_sas(const struct algorithm *a, unsigned n);
void free_sas(unsigned n);

/* inner[]: packets of `len` bytes; IMIX: 7 of 64, 4 of 570 and one of 1420, mixed. */
#define IMIX 0
void make_packets(unsigned len);

/* Cycles of the stage for `burst` packets of which packet i is of SA (first + i) % n_sa. run_in()
 * takes what run_out() made, and leaves inner[] as it was. */
uint64_t run_out(unsigned burst, unsigned first, unsigned n_sa);
uint64_t run_in(unsigned burst, unsigned first, unsigned n_sa);

#endif
