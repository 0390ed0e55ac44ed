/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/eal.h"

#include "control/eal_log.h"
#include "control/log.h"
#include "control/port/packet_pool.h"
#include "control/routing/fib_writer.h"
#include "dataplane/buffer.h"
#include "dataplane/host.h"

#include <errno.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mempool.h>
#include <rte_pci.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARGS_MAX 128

/* EAL keeps pointers into its arguments, so they live as long as the process. */
static char *args[ARGS_MAX + 1];
static int n_args;

static __attribute__((format(printf, 1, 2))) void arg(const char *fmt, ...)
{
	va_list ap;

	if (n_args == ARGS_MAX)
		return;
	va_start(ap, fmt);
	if (vasprintf(&args[n_args], fmt, ap) >= 0)
		n_args++;
	va_end(ap);
}

static void args_free(void)
{
	while (n_args > 0) {
		free(args[--n_args]);
		args[n_args] = NULL;
	}
}

/* "0-3,7" */
static void cpu_list(char *buf, size_t size, const cpu_set_t *set)
{
	size_t n = 0;

	buf[0] = '\0';
	for (int first = 0; first < CPU_SETSIZE && n + 12 < size; first++) {
		int last = first;

		if (!CPU_ISSET(first, set))
			continue;
		while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, set))
			last++;
		n += snprintf(buf + n, size - n, n > 0 ? ",%d" : "%d", first);
		if (last > first)
			n += snprintf(buf + n, size - n, "-%d", last);
		first = last;
	}
}

/* `all` without the CPUs that workers are pinned to; all of them where nothing is left. */
static cpu_set_t cpus_left(const struct config *c, const cpu_set_t *all)
{
	cpu_set_t left = *all;

	for (unsigned i = 0; i < c->n_cores; i++) {
		if (c->cores[i] >= 0)
			CPU_CLR(c->cores[i], &left);
	}
	return CPU_COUNT(&left) > 0 ? left : *all;
}

static int check_cores(const struct config *c, const cpu_set_t *all, struct err *e)
{
	cpu_set_t used;
	char list[256];

	CPU_ZERO(&used);
	for (unsigned i = 0; i < c->n_cores; i++) {
		int cpu = c->cores[i];

		if (cpu < 0)
			continue;
		if (cpu >= CPU_SETSIZE || !CPU_ISSET(cpu, all)) {
			cpu_list(list, sizeof(list), all);
			return err_set(e, EINVAL,
				"worker %u: CPU %d is not online or not allowed to this process; "
				"expected one of %s",
				i, cpu, list);
		}
		if (CPU_ISSET(cpu, &used))
			log_warn("worker %u shares CPU %d with another worker: expect half the "
				 "speed",
				i, cpu);
		CPU_SET(cpu, &used);
	}
	if (CPU_EQUAL(&used, all))
		log_warn("every CPU runs a worker: control and kernel traffic share theirs");
	return 0;
}

static void core_args(const struct config *c, const cpu_set_t *all)
{
	cpu_set_t left = cpus_left(c, all);
	char floating[256], *map = NULL;
	size_t size;
	FILE *f = open_memstream(&map, &size);

	if (f == NULL)
		return;
	cpu_list(floating, sizeof(floating), &left);
	fprintf(f, "0@(%s)", floating);
	for (unsigned i = 0; i < c->n_cores; i++) {
		if (c->cores[i] >= 0)
			fprintf(f, ",%u@%d", WORKER_LCORE(i), c->cores[i]);
		else
			fprintf(f, ",%u@(%s)", WORKER_LCORE(i), floating);
	}
	fclose(f);
	arg("--lcores=%s", map);
	free(map);
}

/* Tables, buffers, a crypto device's sessions and operations, and something for queues, rings and
 * workers. */
static size_t buffer_memory(uint32_t size)
{
	return rte_mempool_calc_obj_size(
		sizeof(struct rte_mbuf) + MBUF_PRIV_SIZE + RTE_PKTMBUF_HEADROOM + size, 0, NULL);
}

static size_t memory_needed(const struct config *c)
{
	size_t crypto = strcmp(c->crypto, "ipsec-mb") == 0 ? 0 : 32 + 4 * c->n_cores;
	size_t buffer = buffer_memory(packet_buffer_size(c));

	/* More than enough without huge pages, where memory is taken only when it is touched. */
	return fib_memory(c->max_routes4, c->max_routes6) +
		c->mbufs * RTE_MAX(buffer, (size_t)getpagesize()) +
		large_buffers_wanted(c) * buffer_memory(LARGE_BUFFER_SIZE) +
		((128 + 16 * c->n_cores + 8 * c->n_ports + crypto) << 20);
}

static void memory_args(const struct config *c)
{
	/* Nothing is shared through files, so that several daemons on one machine never meet. */
	if (c->huge_pages) {
		arg("--in-memory");
	} else {
		arg("--no-huge");
		arg("--no-shconf");
	}
	arg("--file-prefix=viaduct");
	arg("--iova-mode=va");
	if (c->memory_mb > 0)
		arg("-m%u", c->memory_mb);
	else if (!c->huge_pages) /* EAL can take more huge pages later, but not more of this */
		arg("-m%zu", memory_needed(c) >> 20);
}

static bool allow_pci(const char *device)
{
	struct rte_pci_addr addr;
	char name[64];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(device, ","), device);
	if (rte_pci_addr_parse(name, &addr) != 0)
		return false;
	arg("-a%s", device);
	return true;
}

/* Only the PCI devices that are configured, so that EAL takes no other from its driver. Virtual
 * devices are attached one by one later (ports.c, lookaside_device.c), where an error can be told
 * apart. */
static void device_args(const struct config *c)
{
	unsigned n = allow_pci(c->crypto);

	for (unsigned i = 0; i < c->n_ports; i++)
		n += allow_pci(c->ports[i].device);
	if (n == 0)
		arg("--no-pci");
}

static void extra_args(const struct config *c)
{
	char *copy = strdup(c->eal_args), *save = NULL;

	if (copy == NULL)
		return;
	for (char *a = strtok_r(copy, " \t", &save); a != NULL; a = strtok_r(NULL, " \t", &save))
		arg("%s", a);
	free(copy);
}

/* EAL prints its whole usage when an argument is wrong; its reason comes by the log. */
static int init_quietly(void)
{
	FILE *out = stdout, *err = stderr, *null = fopen("/dev/null", "we");
	char *argv[ARGS_MAX + 1]; /* EAL moves the pointers about */
	int ret;

	memcpy(argv, args, sizeof(argv));
	if (null != NULL)
		stdout = stderr = null;
	ret = rte_eal_init(n_args, argv);
	stdout = out;
	stderr = err;
	if (null != NULL)
		fclose(null);
	return ret;
}

int eal_start(const struct config *c, struct err *e)
{
	cpu_set_t all;
	int ret;

	if (sched_getaffinity(0, sizeof(all), &all) != 0)
		return err_set(e, errno, "sched_getaffinity: %s", strerror(errno));
	ret = check_cores(c, &all, e);
	if (ret < 0)
		return ret;
	arg("viaductd");
	core_args(c, &all);
	memory_args(c);
	device_args(c);
	arg("--no-telemetry");
	extra_args(c);
	if (eal_log_open() < 0)
		return err_set(e, ENOMEM, "out of memory");
	ret = init_quietly();
	if (ret >= 0)
		return 0;
	ret = err_set(e, rte_errno > 0 ? rte_errno : EINVAL, "DPDK did not start: %s%s%s%s",
		eal_log_reason()[0] != '\0' ? eal_log_reason() : rte_strerror(rte_errno),
		c->huge_pages ? "; are there huge pages? (huge_pages = false needs none)" : "",
		c->eal_args[0] != '\0' ? "; check eal_args: " : "", c->eal_args);
	eal_log_close();
	args_free();
	return ret;
}

void eal_stop(void)
{
	rte_eal_cleanup();
	eal_log_close();
	args_free();
}
