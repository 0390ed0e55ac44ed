/* SPDX-License-Identifier: BSD-3-Clause */
/* Who may use the API socket, and as whom the daemon runs. That the accounts exist is for the daemon to
 * find when it starts: a file may be checked on another machine. */
#include "config/tables.h"

#include <string.h>

/* The kernel and the tools allow more; nobody wants a space or a colon in such a name. */
int read_account(struct reader *r, const config_setting_t *s, void *field)
{
	const char *name = field;

	if (name[0] == '-' || strpbrk(name, " \t:/,\n") != NULL)
		return setting_wrong(r, s, "a name of an account, or \"\" for none");
	return 0;
}

static int read_mode(struct reader *r, const config_setting_t *s, void *field)
{
	const char *mode = field;
	const size_t len = strspn(mode, "01234567");

	if (mode[0] == '\0')
		return 0;
	/* To connect takes the right to write. Without the owner's the daemon's user is locked out. */
	if (mode[len] != '\0' || len != 4 || mode[0] != '0' || ((mode[1] - '0') & 6) != 6)
		return setting_wrong(r, s, "a mode as \"0660\", whose owner may read and write");
	return 0;
}

const struct setting api_settings[] = {
	{"group", SETTING_TEXT, SETTING_FIELD(struct config, api_group), .def_text = "",
		.expects = "a group",
		.help = "Its members may use the socket and change everything, like root.",
		.read = read_account},
	{"read_group", SETTING_TEXT, SETTING_FIELD(struct config, api_read_group), .def_text = "",
		.expects = "a group",
		.help = "Its members may use the socket and change nothing: show, statistics, "
			"events.",
		.read = read_account},
	{"mode", SETTING_TEXT, SETTING_FIELD(struct config, api_mode), .def_text = "",
		.expects = "a mode",
		.help = "Mode of the socket's file, such as \"0660\". None: what the groups need. "
			"Whoever gets past it is still judged by user and groups.",
		.read = read_mode},
	{.type = SETTING_END},
};
