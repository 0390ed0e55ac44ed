/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/addr_text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

unsigned addr_bits(unsigned family)
{
	return addr_len(family) * 8;
}

int addr_parse(const char *text, struct viaduct_addr *a)
{
	*a = (struct viaduct_addr){.family = strchr(text, ':') != NULL ? IP_V6 : IP_V4};
	if (inet_pton(a->family == IP_V6 ? AF_INET6 : AF_INET, text, a->bytes) == 1)
		return 0;
	*a = (struct viaduct_addr){0};
	return -EINVAL;
}

bool addr_host_bits_zero(const struct viaduct_addr *a, unsigned len)
{
	for (unsigned bit = len; bit < addr_bits(a->family); bit++) {
		if (a->bytes[bit / 8] & (0x80 >> bit % 8))
			return false;
	}
	return true;
}

/* Decimal digits only: strtoul would take signs and spaces. */
static int length_parse(const char *text, unsigned max)
{
	unsigned n = 0;

	if (*text == '\0' || strlen(text) > 3)
		return -1;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		n = n * 10 + (*text - '0');
	}
	return n <= max ? (int)n : -1;
}

int prefix_parse(const char *text, struct viaduct_addr *a, uint8_t *len)
{
	const char *slash = strchr(text, '/');
	char head[ADDR_TEXT_LEN];
	int n;

	*len = 0;
	if (strcmp(text, "default") == 0 || strcmp(text, "default6") == 0) {
		*a = (struct viaduct_addr){.family = text[7] == '6' ? IP_V6 : IP_V4};
		return 0;
	}
	n = slash != NULL ? (int)(slash - text) : (int)strlen(text);
	if (n >= (int)sizeof(head))
		return -EINVAL;
	memcpy(head, text, n);
	head[n] = '\0';
	if (addr_parse(head, a) < 0)
		return -EINVAL;
	n = slash != NULL ? length_parse(slash + 1, addr_bits(a->family))
			  : (int)addr_bits(a->family);
	if (n < 0)
		return -EINVAL;
	*len = n;
	return addr_host_bits_zero(a, n) ? 0 : -ERANGE;
}

const char *addr_text(const struct viaduct_addr *a, char buf[ADDR_TEXT_LEN])
{
	const int af = a->family == IP_V6 ? AF_INET6 : AF_INET;

	if (a->family == IP_NONE || inet_ntop(af, a->bytes, buf, ADDR_TEXT_LEN) == NULL)
		memcpy(buf, "any", 4);
	return buf;
}

const char *prefix_text(const struct viaduct_addr *a, unsigned len, char buf[PREFIX_TEXT_LEN])
{
	char head[ADDR_TEXT_LEN];

	snprintf(buf, PREFIX_TEXT_LEN, "%s/%u", addr_text(a, head), len & 0xff);
	return buf;
}

struct addr addr_from_api(const struct viaduct_addr *a)
{
	struct addr out = {.family = a->family};

	if (a->family != IP_NONE)
		memcpy(out.v6, a->bytes, addr_len(a->family));
	return out;
}

struct viaduct_addr addr_to_api(const struct addr *a)
{
	struct viaduct_addr out = {.family = a->family};

	if (a->family != IP_NONE)
		memcpy(out.bytes, a->v6, addr_len(a->family));
	return out;
}
