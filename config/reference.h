/* SPDX-License-Identifier: BSD-3-Clause */
/* The settings' reference as Markdown, from the same tables that read them. */
#ifndef VIADUCT_CONFIG_REFERENCE_H
#define VIADUCT_CONFIG_REFERENCE_H

#include <stdio.h>

/* docs/configuration.md holds this text; a test compares. */
void config_reference(FILE *out);

#endif
