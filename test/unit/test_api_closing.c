/* SPDX-License-Identifier: BSD-3-Clause */
/* Who deletes a VTI is answered when its kernel device is gone; nobody else waits. The closer of devices
 * is the test's own, and no request here deletes anything: only the count goes up. */
#include "control/iface/twin_closer.h"
#include "test/unit/api_raw.h"
#include "test/unit/unit.h"

#define UNKNOWN 9999 /* its refusal is an answer as good as any */

static uint64_t asked, done;
static bool deletes; /* each look at the count finds one more */

uint64_t twin_closings(void)
{
	return deletes ? ++asked : asked;
}

bool twin_is_closed(uint64_t number)
{
	return done >= number;
}

int twin_closer_start(struct err *e)
{
	(void)e;
	return 0;
}

void twin_closer_stop(void)
{
}

void twin_close(struct twin *t)
{
	free(t);
}

void twin_closings_wait(void)
{
}

int twin_closer_fd(void)
{
	return -1;
}

static void gone(uint64_t number)
{
	done = number;
	api_devices_closed();
}

/* The id of the next answer; 0: none yet, -1: no more. */
static int answered(int fd)
{
	uint8_t data[VIADUCT_MSG_MAX];
	struct viaduct_msg msg;
	const int ret = raw_receive(fd, &msg, data, sizeof(data));

	return ret == 1 ? (int)msg.id : ret;
}

static void ask(int fd, uint32_t id)
{
	raw_request(fd, UNKNOWN, id, NULL, 0);
	turn();
}

static uint64_t delete_one(int fd, uint32_t id)
{
	deletes = true;
	ask(fd, id);
	deletes = false;
	return asked;
}

static void answer_waits_until_the_device_is_gone(void)
{
	uint64_t number;
	int fd;

	raw_server_start();
	fd = raw_client();
	ask(fd, 2);
	CU_ASSERT_EQUAL(answered(fd), 2);
	number = delete_one(fd, 3);
	CU_ASSERT_EQUAL(answered(fd), 0);
	ask(fd, 4); /* is served, and answered in its turn */
	gone(number - 1);
	CU_ASSERT_EQUAL(answered(fd), 0);
	gone(number);
	CU_ASSERT_EQUAL(answered(fd), 3);
	CU_ASSERT_EQUAL(answered(fd), 4);
	CU_ASSERT_EQUAL(answered(fd), 0);
	close(fd);
	raw_server_stop();
}

static void others_do_not_wait(void)
{
	uint64_t first, second;
	int a, b, c;

	raw_server_start();
	a = raw_client();
	b = raw_client();
	c = raw_client();
	first = delete_one(a, 2);
	second = delete_one(b, 2);
	ask(c, 2);
	CU_ASSERT_EQUAL(answered(a), 0);
	CU_ASSERT_EQUAL(answered(c), 2);
	gone(first);
	CU_ASSERT_EQUAL(answered(a), 2);
	CU_ASSERT_EQUAL(answered(b), 0);
	gone(second);
	CU_ASSERT_EQUAL(answered(b), 2);
	close(a);
	close(b);
	close(c);
	raw_server_stop();
}

/* One that ends its sending side reads its answer, one that is gone is forgotten. */
static void clients_that_leave_meanwhile(void)
{
	int reads, left;

	raw_server_start();
	reads = raw_client();
	left = raw_client();
	delete_one(reads, 2);
	delete_one(left, 2);
	shutdown(reads, SHUT_WR);
	close(left);
	CU_ASSERT_EQUAL(answered(reads), 0);
	gone(asked);
	CU_ASSERT_EQUAL(answered(reads), 2);
	CU_ASSERT_EQUAL(answered(reads), -1);
	close(reads);
	turn();
	CU_ASSERT_EQUAL(api_client_count(), 0);
	raw_server_stop();
}

UNIT_MAIN("api_closing", UNIT_TEST(answer_waits_until_the_device_is_gone),
	UNIT_TEST(others_do_not_wait), UNIT_TEST(clients_that_leave_meanwhile))
