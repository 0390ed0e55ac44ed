/* SPDX-License-Identifier: BSD-3-Clause */
#include "dp_sa.h"

#include "control/iface/ifaces.h"
#include "control/routing/nexthops.h"
#include "dataplane/esp.h"
#include "dataplane/spi_table.h"

#include <arpa/inet.h>
#include <stdlib.h>

#define MADE_MAX 32

static struct iface *vtis[MADE_MAX];
static struct sa *sas[MADE_MAX];
static unsigned n_vtis, n_sas;

struct iface *dp_vti(const char *name)
{
	struct iface *i = iface_new(IFACE_VTI, name, dp.n_workers);

	must(i != NULL && n_vtis < MADE_MAX, name);
	atomic_store(&i->mtu, 1400);
	atomic_store(&i->flags, IFACE_UP | IFACE_CARRIER);
	iface_publish(i);
	return vtis[n_vtis++] = i;
}

static struct sa *create(const struct dp_sa *conf)
{
	const struct cipher_info *cipher;
	const char *why = "";
	uint8_t key[AUTH_KEY_MAX];
	struct sa *sa;
	struct sa_params p = {
		.spi = conf->spi,
		.dir = conf->dir,
		.cipher = conf->cipher != 0 ? conf->cipher : CIPHER_AES_GCM_16,
		.auth = conf->auth,
		.flags = conf->flags,
		.src = dp_addr(conf->src),
		.dst = dp_addr(conf->dst),
		.replay_window = conf->dir == SA_IN ? REPLAY_WINDOW_DEFAULT : 0,
		.enc_key = key,
		.auth_key = key,
	};

	for (unsigned i = 0; i < sizeof(key); i++)
		key[i] = i + 1;
	cipher = cipher_info(p.cipher);
	p.enc_key_len = cipher->key_min + cipher->salt;
	if (p.auth != AUTH_NONE)
		p.auth_key_len = auth_info(p.auth)->key;
	if (p.flags & SA_UDP_ENCAP)
		p.sport = p.dport = NATT_PORT;
	sa = sa_create(&p, dp.n_workers, &why);
	must(sa != NULL, why);
	return sa;
}

struct sa *dp_sa(struct iface *vti, const struct dp_sa *conf)
{
	struct sa *sa = create(conf);

	must(n_sas < MADE_MAX, "too many SAs");
	sas[n_sas++] = sa;
	if (sa->dir == SA_IN)
		must(spi_insert(sa, free) == 0, "spi_insert");
	if (vti == NULL)
		return sa;
	atomic_store(&sa->vti, vti);
	for (unsigned i = 0; sa->dir == SA_OUT && i < 2; i++)
		atomic_store(&vti->sa_out[i], sa);
	return sa;
}

uint32_t dp_through(struct iface *vti)
{
	return nexthop_get(NH_VTI, vti, NULL, NULL);
}

void dp_readdress(struct frame *f, unsigned port)
{
	struct rte_ether_addr to = mac_of_port(port), from = mac_of_station(1);

	memcpy(f->b, &to, sizeof(to));
	memcpy(f->b + sizeof(to), &from, sizeof(from));
}

void dp_sas_stop(void)
{
	for (unsigned i = 0; i < n_sas; i++) {
		if (sas[i]->dir == SA_IN)
			spi_remove(sas[i]);
		sa_destroy(sas[i]);
	}
	for (unsigned i = 0; i < n_vtis; i++)
		iface_retire(vtis[i]);
	n_sas = n_vtis = 0;
}
