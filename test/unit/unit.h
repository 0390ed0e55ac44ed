/* SPDX-License-Identifier: BSD-3-Clause */
/* A CUnit program of one suite: UNIT_TESTS lists the functions, UNIT_MAIN runs them.
 *
 *	static void accepts_in_order(void) { ... }
 *	UNIT_MAIN("replay", UNIT_TEST(accepts_in_order), UNIT_TEST(...))
 *
 * With a name on the command line only that test runs. Exit status 1 when any failed. */
#ifndef VIADUCT_UNIT_H
#define VIADUCT_UNIT_H

#include <CUnit/Basic.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNIT_TEST(fn)                                                                              \
	{                                                                                          \
#fn, fn                                                                            \
	}

/* For programs that need DPDK: no huge pages, no devices, nothing left in the file system. */
#define UNIT_EAL_ARGS                                                                              \
	"--no-huge", "--no-pci", "--no-shconf", "-m", "1024", "--no-telemetry", "-l", "0"

static inline int unit_run(const char *suite, const CU_TestInfo *tests, int argc, char **argv)
{
	CU_pSuite s;
	unsigned failed;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (CU_initialize_registry() != CUE_SUCCESS)
		return 1;
	s = CU_add_suite(suite, NULL, NULL);
	for (; tests->pName != NULL; tests++) {
		if (argc < 2 || strcmp(argv[1], tests->pName) == 0)
			CU_add_test(s, tests->pName, tests->pTestFunc);
	}
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures() + (CU_get_number_of_tests_run() == 0);
	CU_cleanup_registry();
	return failed != 0;
}

#define UNIT_MAIN(suite, ...)                                                                      \
	int main(int argc, char **argv)                                                            \
	{                                                                                          \
		static const CU_TestInfo tests[] = {__VA_ARGS__, CU_TEST_INFO_NULL};               \
                                                                                                   \
		return unit_run(suite, tests, argc, argv);                                         \
	}

/* The same for tests that need DPDK's EAL first. */
#define UNIT_EAL_MAIN(suite, ...)                                                                  \
	int main(int argc, char **argv)                                                            \
	{                                                                                          \
		static const CU_TestInfo tests[] = {__VA_ARGS__, CU_TEST_INFO_NULL};               \
		char *eal[] = {argv[0], UNIT_EAL_ARGS};                                            \
                                                                                                   \
		if (rte_eal_init(sizeof(eal) / sizeof(eal[0]), eal) < 0)                           \
			return 1;                                                                  \
		return unit_run(suite, tests, argc, argv);                                         \
	}

#endif
