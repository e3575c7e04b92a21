/* confine_test.c - what a confined process can still do: read, write and use
 * memory. Each attempt is a child of its own. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "peal/worker.h"
#include "test.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

enum { MEMORY = 32 << 20 };

static int a_pair[2]; /* what a confined child has for 0 and 1 */

static void in_child(int (*act)(void))
{
	if (dup2(a_pair[1], 0) < 0 || dup2(a_pair[1], 1) < 0)
		_exit(90);
	if (peal_confine(MEMORY, NULL))
		_exit(91);
	_exit(act());
}

static int status_of(int (*act)(void))
{
	int status = -1;
	pid_t pid;

	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, a_pair) ==
		0);
	REQUIRE(write(a_pair[0], "question", 8) == 8);
	pid = fork();
	if (pid == 0)
		in_child(act);
	REQUIRE(waitpid(pid, &status, 0) == pid);
	close(a_pair[0]);
	close(a_pair[1]);
	return status;
}

static int reads_and_writes(void)
{
	char bytes[8];

	return read(0, bytes, 8) != 8 || write(1, bytes, 8) != 8;
}

static int uses_memory(void)
{
	enum { N = 64 };
	char *p[N], *big;
	int i;

	for (i = 0; i < N; i++) {
		p[i] = malloc((size_t)i * 1000 + 1);
		if (!p[i])
			return 1;
		memset(p[i], i, (size_t)i * 1000 + 1);
	}
	for (i = 0; i < N; i++)
		free(p[i]);
	big = malloc(4 << 20);
	big = big ? realloc(big, 8 << 20) : NULL;
	if (!big)
		return 2;
	memset(big, 1, 8 << 20);
	free(big);
	return 0;
}

/* Not killed: told that there is none. */
static int uses_too_much(void)
{
	size_t size, had = 0;
	void *p;

	for (size = 1 << 20; size >= 64; size /= 16)
		while ((p = malloc(size)) != NULL) {
			memset(p, 1, size);
			had += size;
		}
	return had < MEMORY / 2 || had > MEMORY;
}

static int reads_the_clock(void)
{
	struct timespec t;

	return clock_gettime(CLOCK_MONOTONIC, &t) || time(NULL) == (time_t)-1;
}

static void reading_writing_and_memory_go_on(void)
{
	CHECK_INT(status_of(reads_and_writes), 0);
	CHECK_INT(status_of(uses_memory), 0);
	CHECK_INT(status_of(reads_the_clock), 0);
	if (SANITIZED)
		puts("skipped: AddressSanitizer's memory has no cap");
	else
		CHECK_INT(status_of(uses_too_much), 0);
}

/* A system call by number, which must not return. */
struct attempt {
	const char *name;
	long nr;
	long args[6];
};

static const struct attempt *the_attempt;

static int attempts(void)
{
	const struct attempt *t = the_attempt;

	syscall(t->nr, t->args[0], t->args[1], t->args[2], t->args[3],
		t->args[4], t->args[5]);
	return 0;
}

static void check_killed(const char *name, int status)
{
	if (!CHECK(WIFSIGNALED(status)))
		fprintf(stderr, "\t(%s: status %d)\n", name, status);
	else
		CHECK_INT(WTERMSIG(status), SIGSYS);
}

static void anything_else_ends_it(void)
{
	static const char path[] = "/etc/passwd";
	static char there[] = "/bin/true", *const argv[] = { there, NULL };
	const long name = (long)(intptr_t)path, p = MAP_PRIVATE;
	const long at = (long)((intptr_t)there & ~0xfffL), rw = PROT_READ;
	const struct attempt list[] = {
		{ "openat", SYS_openat, { AT_FDCWD, name, O_RDONLY } },
		{ "openat to write", SYS_openat, { AT_FDCWD, name, O_WRONLY } },
		{ "unlinkat", SYS_unlinkat, { AT_FDCWD, 0 } },
		{ "readlinkat", SYS_readlinkat, { AT_FDCWD, name } },
		{ "fstat", SYS_fstat, { 0 } },
		{ "socket", SYS_socket, { AF_INET, SOCK_STREAM } },
		{ "socket, local", SYS_socket, { AF_UNIX, SOCK_STREAM } },
		{ "socketpair", SYS_socketpair, { AF_UNIX, SOCK_STREAM } },
		{ "connect", SYS_connect, { 0 } },
		{ "sendmsg", SYS_sendmsg, { 1 } },
		{ "recvmsg", SYS_recvmsg, { 0 } },
		{ "sendto", SYS_sendto, { 1, name, 1 } },
		{ "read another", SYS_read, { 1, 0, 0 } },
		{ "read 3", SYS_read, { 3, 0, 0 } },
		{ "write another", SYS_write, { 2, name, 1 } },
		{ "write 0", SYS_write, { 0, name, 1 } },
		{ "writev", SYS_writev, { 1, 0, 0 } },
		{ "dup", SYS_dup, { 0 } },
		{ "close", SYS_close, { 0 } },
		{ "fcntl", SYS_fcntl, { 0, F_GETFD } },
		{ "ioctl", SYS_ioctl, { 0, 0 } },
		{ "memfd_create", SYS_memfd_create, { name, 0 } },
		{ "pipe2", SYS_pipe2, { 0 } },
		{ "clone", SYS_clone, { SIGCHLD } },
		{ "execve",
		  SYS_execve,
		  { (long)(intptr_t)there, (long)(intptr_t)argv } },
		{ "kill", SYS_kill, { 0, 0 } },
		{ "tgkill", SYS_tgkill, { 1, 1, 0 } },
		{ "ptrace", SYS_ptrace, { PTRACE_TRACEME } },
		{ "process_vm_readv", SYS_process_vm_readv, { 1 } },
		{ "prctl", SYS_prctl, { PR_SET_DUMPABLE, 1 } },
		{ "seccomp filter", SYS_prctl, { PR_SET_SECCOMP, 2 } },
		{ "setrlimit", SYS_prlimit64, { 0, RLIMIT_DATA } },
		{ "setuid", SYS_setuid, { 0 } },
		{ "getpid", SYS_getpid, { 0 } },
		{ "nanosleep", SYS_nanosleep, { 0 } },
		{ "futex", SYS_futex, { at, 1, 1 } },
		{ "bpf", SYS_bpf, { 0 } },
		{ "mount", SYS_mount, { name, name } },
		{ "no such call", 100000, { 0 } },
		{ "map to execute",
		  SYS_mmap,
		  { 0, 4096, rw | PROT_EXEC, p | MAP_ANONYMOUS, -1 } },
		{ "map a file", SYS_mmap, { 0, 4096, rw, p, 0 } },
		{ "map for others",
		  SYS_mmap,
		  { 0, 4096, rw, MAP_SHARED | MAP_ANONYMOUS, -1 } },
		{ "make executable",
		  SYS_mprotect,
		  { at, 4096, rw | PROT_EXEC } },
		{ "break a page", SYS_madvise, { at, 4096, 100 } },
#ifdef SYS_open
		{ "open", SYS_open, { name, O_RDONLY } },
		{ "fork", SYS_fork, { 0 } },
		{ "vfork", SYS_vfork, { 0 } },
		{ "stat", SYS_stat, { name } },
#endif
#ifdef __x86_64__
		{ "x32's getpid", 0x40000000 | SYS_getpid, { 0 } },
		{ "x32's read", 0x40000000 | SYS_read, { 0 } },
#endif
#ifdef SYS_io_uring_setup
		{ "io_uring", SYS_io_uring_setup, { 1 } },
#endif
	};
	size_t i;

	for (i = 0; i < sizeof(list) / sizeof(*list); i++) {
		the_attempt = &list[i];
		check_killed(list[i].name, status_of(attempts));
	}
}

/* Whoever started it may be gone before it looks. */
static void no_use_without_a_parent(void)
{
	int status = -1;
	pid_t pid;
	char c;

	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, a_pair) ==
		0);
	pid = fork();
	if (pid == 0) {
		dup2(a_pair[1], 0);
		close(a_pair[0]);
		if (read(0, &c, 1) != 0) /* until it is gone */
			_exit(2);
		_exit(peal_confine(MEMORY, NULL) == PEAL_EIO ? 42 : 1);
	}
	close(a_pair[0]);
	REQUIRE(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status));
	CHECK_INT(WEXITSTATUS(status), 42);
	close(a_pair[1]);
}

TEST_MAIN({ "reading, writing, memory", reading_writing_and_memory_go_on },
	  { "anything else ends it", anything_else_ends_it },
	  { "no use without a parent", no_use_without_a_parent })
