/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef VIADUCT_BENCH_GATEWAY_ROUNDS_H
#define VIADUCT_BENCH_GATEWAY_ROUNDS_H

#define ROUNDS_MAX 20000

/* TSC cycles a packet, and ratios. */
enum figure {
	ENCRYPTING,
	FLOOR_INNER32, /* capture to device, bursts of 32 */
	FLOOR_INNER64,
	SEAL, /* the crypto alone */
	DECRYPTING_TURN,
	FLOOR_RING, /* link to device, as in the decrypting turn */
	FLOOR_ESP32,
	FLOOR_ESP64,
	OPEN,
	FIGURES_MEASURED,

	ENCRYPTING_LIMIT = FIGURES_MEASURED, /* device and crypto, nothing else */
	ENCRYPTING_RATIO,
	DECRYPTING, /* as if the ESP packets had come from a capture file */
	DECRYPTING_LIMIT,
	DECRYPTING_RATIO,
	DECRYPTING_RATIO_INNER, /* the limit with the I/O of the smaller, inner packets */
	FIGURES
};

struct result {
	unsigned rounds;
	/* Ratios: of the best figures, and the median of each round's own ratio. */
	double best[FIGURES], median[FIGURES];
};

struct result rounds_run(double seconds);

#endif
