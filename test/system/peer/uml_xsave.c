/* SPDX-License-Identifier: BSD-3-Clause */
/* LD_PRELOAD shim for Debian's user-mode-linux 6.1 on CPUs whose XSAVE area is larger than UML's
 * own structure (AVX-512 with PKRU, AMX): PTRACE_SETREGSET(NT_X86_XSTATE) refuses a part of the
 * area with EFAULT and UML panics at the first switch to user space. The kernel is given the
 * whole area; only the part that UML knows about is copied. Harmless elsewhere. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define GETREGSET 0x4204
#define SETREGSET 0x4205
#define NT_XSTATE 0x202

static long peek(int req, int pid, void *addr)
{
	long word = 0;

	/* The raw system call stores the word; the C library's function returns it. */
	if (syscall(SYS_ptrace, req, pid, addr, &word) < 0)
		return -1;
	errno = 0;
	return word;
}

static long xstate(int req, int pid, void *addr, struct iovec *uml)
{
	static char whole[32768] __attribute__((aligned(64)));
	struct iovec area = {whole, sizeof(whole)};
	size_t n;

	if (syscall(SYS_ptrace, GETREGSET, pid, addr, &area) < 0)
		return -1;
	n = uml->iov_len < area.iov_len ? uml->iov_len : area.iov_len;
	if (req == GETREGSET) {
		memcpy(uml->iov_base, whole, n);
		uml->iov_len = n;
		return 0;
	}
	memcpy(whole, uml->iov_base, n);
	return syscall(SYS_ptrace, SETREGSET, pid, addr, &area) < 0 ? -1 : 0;
}

long ptrace(int req, ...)
{
	va_list ap;
	void *addr, *data;
	int pid;

	va_start(ap, req);
	pid = va_arg(ap, int);
	addr = va_arg(ap, void *);
	data = va_arg(ap, void *);
	va_end(ap);
	if ((req == GETREGSET || req == SETREGSET) && addr == (void *)NT_XSTATE)
		return xstate(req, pid, addr, data);
	if (req >= 1 && req <= 3) /* PTRACE_PEEK* */
		return peek(req, pid, addr);
	return syscall(SYS_ptrace, req, pid, addr, data);
}
