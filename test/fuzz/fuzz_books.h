/* SPDX-License-Identifier: BSD-3-Clause */
/* What goes into the router under fuzz and what comes out. After each input nothing may be left inside, every
 * packet must be accounted for, and what the router made or forwarded must be well-formed. */
#ifndef VIADUCT_TEST_FUZZ_BOOKS_H
#define VIADUCT_TEST_FUZZ_BOOKS_H

#include "../dataplane/frame.h"

#include "dataplane/host.h"

/* Ends the program. */
_Noreturn void fuzz_fail(const char *what);

/* A frame received, in as many buffers as there are cuts (offsets, ascending) and one. */
void books_receive(unsigned port, const uint8_t *bytes, unsigned len);
void books_receive_chain(
	unsigned port, const uint8_t *bytes, unsigned len, const uint16_t *cut, unsigned n);

/* A packet of the host thread's. */
void books_inject(struct host_tag tag, const uint8_t *bytes, unsigned len);

/* For this input, let the router have no more than so many free buffers. */
void books_scarce(unsigned ordinary, unsigned large);

/* Turn the router until nothing moves, and check all that is said above. The kernel's frames and packets
 * go out as they are: where there were some, `kernel`, less can be said of what comes out. */
void books_close(bool kernel);

#endif
