/* SPDX-License-Identifier: BSD-3-Clause */
/* The same ESP through librte_ipsec over a DPDK cryptodev (crypto = "crypto_aesni_mb0", a QAT ...):
 * packets are enqueued by the ESP stages and come back by lookaside_poll() in a later turn.
 *
 * librte_ipsec's tunnel SAs carry one inner family, so the outer header is built here and the
 * library runs a transport-mode SA over it: the bytes on the wire are the same. Its sequence numbers,
 * replay window and CBC IVs are not relied on: sa.h, replay.h and crypto_random() do these. */
#ifndef VIADUCT_LOOKASIDE_H
#define VIADUCT_LOOKASIDE_H

#include "dataplane/pkt.h"
#include "dataplane/sa.h"

struct worker;

/* Start the device: `device` is a DPDK device string ("crypto_aesni_mb", "crypto_openssl,...", a
 * PCI address). One queue pair per worker. 0, or a negative errno with *why for people. */
int lookaside_start(const char *device, unsigned n_workers, const char **why);
void lookaside_stop(void);
bool lookaside_running(void);

/* Sets sa->lookaside. 0, or a negative errno with *why (algorithm the device hasn't). */
int lookaside_sa_init(struct sa *sa, const struct sa_params *p, const char **why);
void lookaside_sa_free(struct lookaside_sa *ls);

/* Hand a run of one SA's packets to the device; what it does not take is dropped and counted.
 * Outbound: p[i] are inner packets, checked and fit to send, numbered from seq on.
 * Inbound: p[i] are ESP packets that passed the replay pre-check; seq[i] their full numbers. */
void lookaside_out(struct worker *w, struct sa *sa, struct pkt *p, unsigned n, uint64_t seq);
void lookaside_in(struct worker *w, struct sa *sa, struct pkt *p, const uint64_t *seq, unsigned n);

/* Collect what is done, VEC_MAX packets at most: they continue in esp_out_done() and esp_in_done().
 * Returns how many. */
unsigned lookaside_poll(struct worker *w);

#endif
