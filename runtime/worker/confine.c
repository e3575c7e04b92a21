/* confine.c - see peal/worker.h: what a worker gives up.
 *
 * The filter names the few calls that reading, writing and memory take, and
 * looks at their arguments: only descriptors 0 and 1, only memory of its own
 * that is never executed. Written out by hand, for it is short and the library
 * for it (libseccomp) is not everywhere. */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "base/sanitized.h"
#include "peal/alloc.h"
#include "peal/worker.h"

#if defined(__x86_64__) && !defined(__ILP32__)
#define MACHINE AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && !defined(__AARCH64EB__)
#define MACHINE AUDIT_ARCH_AARCH64
#elif defined(__arm__) && defined(__ARM_EABI__) && !defined(__ARMEB__)
#define MACHINE AUDIT_ARCH_ARM
#elif defined(__riscv) && __riscv_xlen == 64
#define MACHINE AUDIT_ARCH_RISCV64
#endif

#ifndef SECCOMP_RET_KILL_PROCESS /* headers before Linux 4.14 */
#define SECCOMP_RET_KILL_PROCESS 0x80000000U
#endif

enum {
	STACK = 2 << 20,         /* Lua's own limits keep far below */
	ADVICE_MAX = MADV_DODUMP /* far below those that break pages */
};

#ifdef MACHINE

#ifdef SYS_mmap2
#define MEMORY_MAP SYS_mmap2
#else
#define MEMORY_MAP SYS_mmap
#endif

/* The lower half of an argument: the kernel takes no more of these. */
#define ARG(n) offsetof(struct seccomp_data, args[n])
#define LOAD(at) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (at))
/* Skip instructions if the value is, or is not, k. */
#define IF(op, k, yes, no) BPF_JUMP(BPF_JMP | (op) | BPF_K, (k), (yes), (no))
#define MASK(k) BPF_STMT(BPF_ALU | BPF_AND | BPF_K, (k))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define KILL BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)

#define CALL(nr) IF(BPF_JEQ, (nr), 0, 1), ALLOW
#define CALL_ON(nr, fd)                                                        \
	IF(BPF_JEQ, (nr), 0, 4), LOAD(ARG(0)), IF(BPF_JEQ, (fd), 0, 1), ALLOW, \
		KILL

/* Private memory of nobody's file, and no huge pages. */
enum {
	MAP_KIND = MAP_TYPE | MAP_ANONYMOUS | MAP_HUGETLB,
	MAP_OWN = MAP_PRIVATE | MAP_ANONYMOUS
};

static int filter(void)
{
	/* clang-format off */
	struct sock_filter program[] = {
		LOAD(offsetof(struct seccomp_data, arch)),
		IF(BPF_JEQ, MACHINE, 1, 0),
		KILL,
		LOAD(offsetof(struct seccomp_data, nr)),

		CALL_ON(SYS_read, STDIN_FILENO),
		CALL_ON(SYS_write, STDOUT_FILENO),

		IF(BPF_JEQ, MEMORY_MAP, 0, 7),
		LOAD(ARG(2)),
		IF(BPF_JSET, PROT_EXEC, 4, 0),
		LOAD(ARG(3)),
		MASK(MAP_KIND),
		IF(BPF_JEQ, MAP_OWN, 0, 1),
		ALLOW,
		KILL,

		/* malloc makes reserved memory usable so */
		IF(BPF_JEQ, SYS_mprotect, 0, 4),
		LOAD(ARG(2)),
		IF(BPF_JSET, PROT_EXEC, 1, 0),
		ALLOW,
		KILL,

		IF(BPF_JEQ, SYS_madvise, 0, 4),
		LOAD(ARG(2)),
		IF(BPF_JGT, ADVICE_MAX, 1, 0),
		ALLOW,
		KILL,

		CALL(SYS_brk),
		CALL(SYS_munmap),
		CALL(SYS_mremap),
		CALL(SYS_exit_group),
		CALL(SYS_rt_sigreturn),
		CALL(SYS_restart_syscall),
		/* where the kernel gives no clock without a call */
		CALL(SYS_clock_gettime),
#ifdef SYS_clock_gettime64
		CALL(SYS_clock_gettime64),
#endif
#ifdef SYS_time
		CALL(SYS_time),
#endif
#if PEAL_SANITIZED /* its runtime looks before a longjmp */
		CALL(SYS_sigaltstack),
#endif
		KILL,
	};
	/* clang-format on */
	struct sock_fprog fprog = { sizeof(program) / sizeof(*program),
				    program };

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &fprog, 0, 0);
}

#else

static int filter(void)
{
	errno = ENOSYS; /* nobody has written one for this machine */
	return -1;
}

#endif

static int limit(int which, size_t value)
{
	struct rlimit r = { (rlim_t)value, (rlim_t)value };
	struct rlimit now;

	if (getrlimit(which, &now))
		return -1;
	if (now.rlim_max < r.rlim_max) /* it is stricter already */
		r.rlim_cur = r.rlim_max = now.rlim_max;
	return setrlimit(which, &r);
}

/* RLIMIT_DATA, not RLIMIT_AS, which would count the address space of shared
 * libraries. AddressSanitizer's own memory is beyond any cap: a sanitizer
 * build has none. */
static int limits(size_t memory)
{
	if (limit(RLIMIT_CORE, 0) || limit(RLIMIT_FSIZE, 0) ||
	    limit(RLIMIT_NPROC, 0))
		return -1;
	if (PEAL_SANITIZED)
		return 0;
	return limit(RLIMIT_DATA, memory) || limit(RLIMIT_STACK, STACK) ? -1 :
									  0;
}

/* Everything above 3. */
static int close_others(void)
{
#ifdef SYS_close_range
	if (syscall(SYS_close_range, 4U, ~0U, 0U) == 0)
		return 0;
#endif
	/* Linux before 5.9; the limit may be far above what is open */
	struct rlimit r;
	int fd;

	if (getrlimit(RLIMIT_NOFILE, &r))
		return -1;
	for (fd = 4; (rlim_t)fd < r.rlim_cur && fd < 1 << 16; fd++)
		close(fd);
	return 0;
}

/* Ends with whoever started it, though it may be in an endless loop then.
 * Somebody who was gone before has closed the other end. */
static int end_with_parent(void)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = 0 };

	if (prctl(PR_SET_PDEATHSIG, 9 /* SIGKILL */))
		return -1;
	if (poll(&in, 1, 0) < 0)
		return -1;
	if (in.revents & POLLHUP) {
		errno = EPIPE;
		return -1;
	}
	return 0;
}

static enum peal_err failed(struct peal_reason *reason, const char *what)
{
	return peal_fail(reason, PEAL_EIO,
			 "the worker is not confined on this machine (%s: %s)",
			 what, strerror(errno));
}

enum peal_err peal_confine(size_t memory, struct peal_reason *reason)
{
	peal_reason_clear(reason);
	/* the C library's first allocation draws random bytes */
	peal_free(peal_alloc(1));
	if (close_others())
		return failed(reason, "descriptors");
	if (limits(memory))
		return failed(reason, "limits");
	if (prctl(PR_SET_DUMPABLE, 0) || end_with_parent())
		return failed(reason, "process");
	/* last: no descriptors any more, then no calls either */
	if (limit(RLIMIT_NOFILE, 0) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return failed(reason, "privileges");
	if (filter())
		return failed(reason, "system calls");
	return PEAL_OK;
}
