/* SPDX-License-Identifier: BSD-3-Clause */
/* Setters for the kinds of values that keywords take: text to a field of the request. */
#ifndef VIADUCT_CLI_VALUES_H
#define VIADUCT_CLI_VALUES_H

#include "control/cli/grammar.h"

int set_addr(const struct keyword *k, void *req, char **values, struct err *e); /* viaduct_addr */
int set_addr_or_any(const struct keyword *k, void *req, char **values, struct err *e);
int set_name(const struct keyword *k, void *req, char **values, struct err *e);
int set_description(const struct keyword *k, void *req, char **values, struct err *e);
int set_u32(const struct keyword *k, void *req, char **values, struct err *e);
int set_u64(
	const struct keyword *k, void *req, char **values, struct err *e); /* 10, 10k, 10M, 10G */
int set_mark(const struct keyword *k, void *req, char **values, struct err *e); /* two uint32_t */
int set_word(
	const struct keyword *k, void *req, char **values, struct err *e); /* words -> uint8_t */
int set_word32(const struct keyword *k, void *req, char **values, struct err *e);
int set_vti_choice(
	const struct keyword *k, void *req, char **values, struct err *e);         /* by its name */
int set_value32(const struct keyword *k, void *req, char **values, struct err *e); /* min, or-ed */
int set_value8(const struct keyword *k, void *req, char **values, struct err *e);  /* min */
int set_ports(const struct keyword *k, void *req, char **values, struct err *e); /* two uint16_t */

/* Memory locked, no core file: before the first key is looked at. */
void guard_keys(void);

/* Algorithms by name -> uint8_t; keys -> sa's enc_key or auth_key, wiped from the words. */
int set_cipher(const struct keyword *k, void *req, char **values, struct err *e);
int set_auth(const struct keyword *k, void *req, char **values, struct err *e);
int set_enc_key(const struct keyword *k, void *req, char **values, struct err *e);
int set_auth_key(const struct keyword *k, void *req, char **values, struct err *e);
int set_enc_key_file(const struct keyword *k, void *req, char **values, struct err *e);
int set_auth_key_file(const struct keyword *k, void *req, char **values, struct err *e);

/* Standard input holds something else: no key is read from it. */
void key_words_only(bool only);

/* Completion of values. */
void complete_vti(struct cli *cli, void (*add)(const char *word));
void complete_iface(struct cli *cli, void (*add)(const char *word)); /* VTIs and ports */
void complete_cipher(struct cli *cli, void (*add)(const char *word));
void complete_auth(struct cli *cli, void (*add)(const char *word));

int number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *out, struct err *e);

#endif
