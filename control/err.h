/* SPDX-License-Identifier: BSD-3-Clause */
/* Why an operation was refused: a negative errno and a sentence that names the field and the value. */
#ifndef VIADUCT_ERR_H
#define VIADUCT_ERR_H

struct err {
	char text[256];
};

/* Writes the sentence (e may be NULL) and returns -code, so that `return err_set(e, EINVAL, ...)`. */
int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
