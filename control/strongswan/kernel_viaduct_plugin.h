/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The plugin as charon loads it.
 *
 * Part of the strongSwan plugin kernel-viaduct: free software under the GNU General Public License,
 * version 2 or (at your option) any later version; see COPYING in this folder. No warranty. */
#ifndef KERNEL_VIADUCT_PLUGIN_H
#define KERNEL_VIADUCT_PLUGIN_H

#include <library.h>
#include <plugins/plugin.h>

plugin_t *kernel_viaduct_plugin_create(void);

#endif
