/* SPDX-License-Identifier: BSD-3-Clause */
/* The harness's own link between harness.c and traffic.c: the books of one test. */
#ifndef VIADUCT_TEST_TRAFFIC_H
#define VIADUCT_TEST_TRAFFIC_H

/* Open the books. */
void traffic_start(void);

/* Nothing left unlooked at, no drop unexpected, packets in = packets out; then free what is left. */
void traffic_stop(void);

#endif
