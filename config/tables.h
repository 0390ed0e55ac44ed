/* SPDX-License-Identifier: BSD-3-Clause */
/* The settings of each part of the file. Lists' read() functions get one group each and append to
 * struct config, whose arrays are large enough for all groups of the file. */
#ifndef VIADUCT_CONFIG_TABLES_H
#define VIADUCT_CONFIG_TABLES_H

#include "config/config.h"
#include "config/setting.h"

extern const struct setting config_settings[]; /* the file */
extern const struct setting api_settings[];
extern const struct setting port_settings[];
extern const struct setting vti_settings[];
extern const struct setting sa_settings[];
extern const struct setting route_settings[];

int read_account(struct reader *r, const config_setting_t *s, void *field);
int read_port(struct reader *r, const config_setting_t *s, void *config);
int read_vti(struct reader *r, const config_setting_t *s, void *config);
int read_sa(struct reader *r, const config_setting_t *s, void *config);
int read_route(struct reader *r, const config_setting_t *s, void *config);

/* Objects of which nothing is set. */
void vti_default(struct viaduct_vti *v);
void sa_default(struct config_sa *a);
void route_default(struct viaduct_route *t);

/* By prefix and metric, which is what names a route; as qsort(3) wants it. */
int route_compare(const void *a, const void *b);

/* Once everything was read: what routes refer to must exist. */
int check_routes(struct reader *r, const config_setting_t *root, const struct config *c);

/* A valid name that no port or VTI read so far has. s: the group. */
int check_iface_name(
	struct reader *r, const config_setting_t *s, const struct config *c, const char *name);

#endif
