/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tells charon what the plugin offers: an IPsec implementation ("kernel-ipsec"). The first plugin to
 * offer one wins; see kernel-viaduct.conf for how this one comes before kernel-netlink.
 *
 * Part of the strongSwan plugin kernel-viaduct: free software under the GNU General Public License,
 * version 2 or (at your option) any later version; see COPYING in this folder. No warranty. */
#include "kernel_viaduct_plugin.h"
#include "kernel_viaduct_ipsec.h"

#include <kernel/kernel_ipsec.h>

static char *get_name(plugin_t *this)
{
	return "kernel-viaduct";
}

static int get_features(plugin_t *this, plugin_feature_t *features[])
{
	static plugin_feature_t f[] = {
		PLUGIN_CALLBACK(kernel_ipsec_register, kernel_viaduct_ipsec_create),
		PLUGIN_PROVIDE(CUSTOM, "kernel-ipsec"),
	};

	*features = f;
	return countof(f);
}

static void destroy(plugin_t *this)
{
	free(this);
}

/* charon finds it by this name. */
__attribute__((visibility("default"))) plugin_t *kernel_viaduct_plugin_create(void)
{
	plugin_t *this;

	INIT(this, .get_name = get_name, .get_features = get_features, .destroy = destroy, );
	return this;
}
