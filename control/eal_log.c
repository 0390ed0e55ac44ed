/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/eal_log.h"

#include "control/log.h"

#include <errno.h>
#include <rte_log.h>
#include <stdio.h>
#include <string.h>

static FILE *stream;
static bool quiet = true;
static char reason[160];

/* One message of DPDK's, prefixed by its component ("EAL: ...") and ended by a line feed. */
static ssize_t write_message(void *cookie, const char *buf, size_t size)
{
	uint32_t level = rte_log_cur_msg_loglevel();
	int len = size;

	(void)cookie;
	while (len > 0 && strchr("\n .", buf[len - 1]) != NULL)
		len--;
	if (len == 0)
		return size;
	if (level <= RTE_LOG_ERR && reason[0] == '\0')
		snprintf(reason, sizeof(reason), "%.*s", len, buf);
	if (level <= RTE_LOG_ERR && !quiet)
		log_warn("DPDK: %.*s", len, buf);
	else
		log_debug("DPDK: %.*s", len, buf);
	return size;
}

int eal_log_open(void)
{
	cookie_io_functions_t io = {.write = write_message};

	stream = fopencookie(NULL, "w", io);
	if (stream == NULL)
		return -ENOMEM;
	setvbuf(stream, NULL, _IOLBF, BUFSIZ);
	return rte_openlog_stream(stream);
}

void eal_log_close(void)
{
	if (stream == NULL)
		return;
	rte_openlog_stream(NULL);
	fclose(stream);
	stream = NULL;
}

void eal_log_quiet(bool on)
{
	quiet = on;
}

void eal_log_forget(void)
{
	reason[0] = '\0';
}

const char *eal_log_reason(void)
{
	return reason;
}
