/* SPDX-License-Identifier: BSD-3-Clause */
/* Sizes of the messages, from their one declaration. */

/* What travels has no bytes that nobody set. */
#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"
#include <viaduct_api.h>
#pragma GCC diagnostic pop

#include "connection.h"

#include <string.h>
#include <viaduct_sizes.h>

/* By number; an event's only structure is its reply. */
static const struct message {
	uint16_t req, req_base, rep, rep_base;
	bool known, dump, event;
} messages[] = {
#define X(name, number, request, reply, write, dump)                                               \
	[number] = {sizeof(struct request), VIADUCT_BASE_SIZE(request), sizeof(struct reply),      \
		VIADUCT_BASE_SIZE(reply), true, dump, false},
	VIADUCT_MESSAGES(X)
#undef X
#define X(name, number, type)                                                                      \
	[number] = {0, 0, sizeof(struct type), VIADUCT_BASE_SIZE(type), false, false, true},
		VIADUCT_EVENTS(X)
#undef X
};

static const struct message *find(unsigned type)
{
	static const struct message none;

	return type < sizeof(messages) / sizeof(messages[0]) ? &messages[type] : &none;
}

int viaduct_request_size(unsigned type)
{
	return find(type)->known ? find(type)->req : -1;
}

int viaduct_reply_size(unsigned type)
{
	return find(type)->known ? find(type)->rep : -1;
}

int viaduct_event_size(unsigned type)
{
	return find(type)->event ? find(type)->rep : -1;
}

bool message_is_dump(unsigned type)
{
	return find(type)->dump;
}

size_t message_reply_base(unsigned type)
{
	return find(type)->rep_base;
}

/* Zeros at the end need not travel, beyond what every daemon wants to see. */
size_t message_request_len(unsigned type, const void *req)
{
	const struct message *m = find(type);
	const unsigned char *p = req;
	size_t len = m->req;
	uint64_t word;

	while (len >= m->req_base + sizeof(word)) {
		memcpy(&word, p + len - sizeof(word), sizeof(word));
		if (word != 0)
			break;
		len -= sizeof(word);
	}
	while (len > m->req_base && p[len - 1] == 0)
		len--;
	return len;
}
