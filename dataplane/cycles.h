/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a worker's cycles go, by stage: always on. The end of one stage is the start of the next, so
 * each costs one read of the TSC per burst, and no cycle is missed or counted twice. A turn that
 * finds nothing reads the TSC once, as it did anyway, and is idle time. */
#ifndef VIADUCT_CYCLES_H
#define VIADUCT_CYCLES_H

#include <rte_cycles.h>

enum cycles_kind {
	CYCLES_WORK,
	CYCLES_ENTRY, /* work, where packets come into a turn: busy cycles are set against these */
	CYCLES_REST,  /* no work: the worker looked for packets, or slept */
};

#define CYCLES_STAGES(X)                                                                           \
	X(RX, ENTRY, "rx", "receive from devices, sort by worker")                                 \
	X(HANDOFF, ENTRY, "handoff", "packets from other workers, parsed")                         \
	X(HOST, ENTRY, "host", "packets of the kernel's")                                          \
	X(PARSE, WORK, "parse", "Ethernet and IP headers, the SA of ESP")                          \
	X(DEVICE, WORK, "device", "take back what the crypto device has done")                     \
	X(ESP_IN, WORK, "esp_in", "replay window, trailer, inner packet")                          \
	X(DECRYPT, WORK, "decrypt", "verify and decrypt")                                          \
	X(LOOKUP, WORK, "lookup", "longest-prefix match")                                          \
	X(HEADERS, WORK, "headers", "TTL, MTU, SA; ESP, outer IP and link-layer headers")          \
	X(ENCRYPT, WORK, "encrypt", "encrypt and authenticate")                                    \
	X(TX, WORK, "tx", "device transmit, free")                                                 \
	X(IDLE, REST, "idle", "turns that found no packet, sleep")

enum cycles_stage {
#define X(id, kind, name, help) CYCLES_##id,
	CYCLES_STAGES(X)
#undef X
	CYCLES_STAGE_COUNT
};

/* One worker's; only that worker writes. */
struct cycles {
	uint64_t mark; /* TSC; all cycles before it are charged */
	struct {
		uint64_t cycles, packets;
	} stage[CYCLES_STAGE_COUNT];
};

static inline void cycles_charge_at(
	struct cycles *c, enum cycles_stage stage, unsigned packets, uint64_t tsc)
{
	c->stage[stage].cycles += tsc - c->mark;
	c->stage[stage].packets += packets;
	c->mark = tsc;
}

/* `packets` went through a stage, which took all the time since the last charge. A stage may be
 * charged in several parts, of which one counts the packets. */
static inline void cycles_charge(struct cycles *c, enum cycles_stage stage, unsigned packets)
{
	cycles_charge_at(c, stage, packets, rte_rdtsc());
}

/* All that the worker worked, in cycles. */
uint64_t cycles_busy(const struct cycles *c);

/* As the API shows it, e.g. "esp_out"; stage must be one. */
const char *cycles_name(enum cycles_stage stage);
const char *cycles_help(enum cycles_stage stage);
enum cycles_kind cycles_kind(enum cycles_stage stage);

#endif
