/* SPDX-License-Identifier: BSD-3-Clause */
/* The dataplane's ESP at the disposal of another program (test_scapy.py), a line at a time:
 *
 *	sa in|out 4|6 <spi> <cipher> <key> <auth> <key> esn|- <sport> <dport> <seq>
 *		the tunnel's SA in that direction, with IPv4 or IPv6 outside. Keys in hexadecimal, "-"
 *		for none; ports 0: no UDP encapsulation; seq: the next one to send, or the highest
 *		one received
 *	out <packet>	a packet of the protected network's, in hexadecimal
 *	in <packet>	a packet from the peer
 *
 * Each is answered by one line: "= ok", "= packet <hexadecimal>" that left the router on the other
 * side, "= drop <reason>", or "= refused <sentence>". */
#include "esp_fixture.h"
#include "frame.h"

#include <stdio.h>
#include <stdlib.h>

#define LINE_MAX_LEN 8192

static struct tunnel tunnel;

static unsigned from_hex(const char *hex, uint8_t *to, unsigned max)
{
	unsigned n = 0;

	if (strcmp(hex, "-") == 0)
		return 0;
	while (n < max && sscanf(hex + 2 * n, "%2hhx", &to[n]) == 1)
		n++;
	return n;
}

static void set_sa(const char *args)
{
	char dir[4], cipher[32], key[80], auth[32], auth_key[140], esn[4];
	uint8_t key_bytes[ENC_KEY_MAX], auth_bytes[AUTH_KEY_MAX];
	unsigned family, spi, sport, dport;
	const char *why = "this is no SA";
	unsigned long long seq;
	struct sa_params p;
	struct sa *sa = NULL;

	if (sscanf(args, "%3s %u %u %31s %79s %31s %139s %3s %u %u %llu", dir, &family, &spi,
		    cipher, key, auth, auth_key, esn, &sport, &dport, &seq) == 11) {
		p = tunnel_params(strcmp(dir, "in") == 0 ? SA_IN : SA_OUT, family);
		p.spi = spi;
		p.cipher = cipher_by_name(cipher);
		p.auth = auth_by_name(auth);
		p.flags = SA_COPY_DF | (strcmp(esn, "esn") == 0 ? SA_ESN : 0) |
			(sport != 0 ? SA_UDP_ENCAP : 0);
		p.sport = sport;
		p.dport = dport;
		p.enc_key_len = from_hex(key, key_bytes, sizeof(key_bytes));
		p.enc_key = key_bytes;
		p.auth_key_len = from_hex(auth_key, auth_bytes, sizeof(auth_bytes));
		p.auth_key = auth_bytes;
		p.first_seq = p.dir == SA_OUT ? seq : 0;
		sa = tunnel_sa(&tunnel, &p, &why);
		if (sa != NULL && p.dir == SA_IN)
			replay_seek(&sa->replay, seq);
	}
	if (sa != NULL)
		printf("= ok\n");
	else
		printf("= refused %s\n", why);
}

/* Which counter counted the packet that did not come out? */
static void print_drop(void)
{
	static uint64_t before[DROP_REASON_COUNT];

	for (unsigned r = 0; r < DROP_REASON_COUNT; r++) {
		uint64_t n = dp.worker[0]->stats.drops[r];

		if (n == before[r])
			continue;
		before[r] = n;
		printf("= drop %s\n", drop_name(r));
		CU_ASSERT_TRUE(dp_dropped(r, 1));
		return;
	}
	printf("= nothing\n");
}

/* Through the router from one side to the other. */
static void pass(const char *hex, unsigned from, unsigned to)
{
	struct rte_ether_addr src = mac_of_station(1), dst = mac_of_port(from);
	struct frame f, got;

	memcpy(f.b, &dst, 6);
	memcpy(f.b + 6, &src, 6);
	f.len = L3 + from_hex(hex, f.b + L3, FRAME_MAX - L3);
	f.b[12] = f.b[L3] >> 4 == 6 ? 0x86 : 0x08;
	f.b[13] = f.b[L3] >> 4 == 6 ? 0xdd : 0x00;
	dp_send(from, &f);
	dp_run();
	if (!dp_out_any(to, &got)) {
		print_drop();
		return;
	}
	printf("= packet ");
	for (unsigned i = L3; i < got.len; i++)
		printf("%02x", got.b[i]);
	printf("\n");
}

static void serve(void)
{
	static char line[LINE_MAX_LEN];

	tunnel_start(&tunnel);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "sa ", 3) == 0)
			set_sa(line + 3);
		else if (strncmp(line, "out ", 4) == 0)
			pass(line + 4, TUNNEL_LAN, TUNNEL_WAN);
		else if (strncmp(line, "in ", 3) == 0)
			pass(line + 3, TUNNEL_WAN, TUNNEL_LAN);
		else
			printf("= refused %s\n", line);
		fflush(stdout);
	}
	tunnel_stop(&tunnel);
}

DP_MAIN("esp_tool", 1, DP_TEST(serve))
