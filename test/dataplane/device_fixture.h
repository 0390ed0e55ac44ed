/* SPDX-License-Identifier: BSD-3-Clause */
/* SAs of any algorithm on either crypto path: IPsec-MB, or librte_ipsec over a crypto device that is
 * there for the length of a test. The tunnel is esp_fixture.h's. */
#ifndef VIADUCT_TEST_DEVICE_FIXTURE_H
#define VIADUCT_TEST_DEVICE_FIXTURE_H

#include "esp_fixture.h"

/* Inner addresses: behind the tunnel, and of the LAN. */
#define FAR4  "10.2.3.4"
#define FAR6  "2001:db8:b::4"
#define HOST4 "10.1.2.3"
#define HOST6 "2001:db8:a::3"

struct alg {
	const char *name;
	uint8_t cipher, auth, key_len;
};

/* All that there are. */
extern const struct alg algs[];
extern const unsigned n_algs;

/* What an SA is, but for its direction and for who does its cryptography. */
struct kind {
	const struct alg *alg;
	enum ip_family outer;
	uint16_t flags; /* enum sa_flag */
	uint64_t first_seq;
	uint32_t window;
};

/* The tunnel of the running test, and the name of its device. */
extern struct tunnel t;
extern const char *device;

/* Run a test for every device, with a tunnel; see that the device has nothing left afterwards. */
void on_each_device(void (*test)(void));
/* Ops, mbufs and counters: nothing is with the device. */
void device_is_empty(void);
bool device_has(const struct alg *a);

/* A new SA with this SPI and the key of its algorithm. path: 0 or SA_LOOKASIDE. Inbound it has seen
 * everything in front of k->first_seq. NULL: the device hasn't the algorithm, and said so. */
struct sa *open_sa(const struct kind *k, enum sa_dir dir, uint16_t path);

/* Packets to FAR4 and FAR6 go out to the LAN, so that what was encrypted can be read. */
void read_back(bool on);

/* Put n frames into a port at once, and run. */
void send_burst(unsigned port, const struct frame *f, unsigned n);

/* Encrypt n packets from the LAN with a new SA. */
void write_frames(
	const struct kind *k, uint16_t path, const struct frame *in, struct frame *out, unsigned n);

/* What the peer would send: the frame with its ends exchanged, which no checksum notices. */
struct frame turned(const struct frame *f);

#endif
