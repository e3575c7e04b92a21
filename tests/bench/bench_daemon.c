/* bench_daemon.c - what a daemon costs before it does anything.
 *
 *   bench_daemon start TURNS COMMAND...   ready to serve, wall time
 *   bench_daemon idle SECONDS COMMAND...  memory and wake-ups, and those of
 *                                         a process it has started
 *
 * It is ready when it says READY=1 on NOTIFY_SOCKET, sd_notify(3). */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { TURNS = 1000, READY_MS = 20000, SETTLE_MS = 2500 };

static void fail(const char *what)
{
	fprintf(stderr, "bench_daemon: %s\n", what);
	exit(1);
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* A name in the abstract space: no file is left over. */
static int listen_for_ready(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char name[64];
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int n = snprintf(name, sizeof(name), "@peal-bench-%ld", (long)getpid());

	memcpy(a.sun_path, name, (size_t)n);
	a.sun_path[0] = '\0';
	if (fd < 0 ||
	    bind(fd, (struct sockaddr *)&a,
		 (socklen_t)(sizeof(a.sun_family) + (size_t)n)) ||
	    setenv("NOTIFY_SOCKET", name, 1))
		fail("no socket to be told at");
	return fd;
}

static pid_t start(char **command)
{
	posix_spawn_file_actions_t actions;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	if (posix_spawnp(&pid, command[0], &actions, NULL, command, environ))
		fail("cannot start the command");
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

static void end(pid_t pid)
{
	if (kill(pid, SIGTERM) || waitpid(pid, NULL, 0) != pid)
		fail("it has ended by itself");
}

static void wait_ready(int fd, pid_t pid)
{
	struct pollfd p = { fd, POLLIN, 0 };
	char text[4096] = "";
	ssize_t n;

	while (!strstr(text, "READY=1")) {
		n = poll(&p, 1, READY_MS) > 0 ?
			    recv(fd, text, sizeof(text) - 1, 0) :
			    -1;
		if (n < 0) {
			end(pid);
			fail("it is not ready");
		}
		text[n] = '\0';
	}
}

static int order(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure_start(int fd, int turns, char **command)
{
	double list[TURNS];
	double began;
	pid_t pid;
	int i;

	for (i = 0; i < turns; i++) {
		began = now_ms();
		pid = start(command);
		wait_ready(fd, pid);
		list[i] = now_ms() - began;
		end(pid);
		while (recv(fd, &(char){ 0 }, 1, MSG_DONTWAIT) >= 0)
			continue; /* that it stops */
	}
	qsort(list, (size_t)turns, sizeof(*list), order);
	printf("  from exec to ready                 %6.2f ms wall   "
	       "least %.2f\n",
	       list[turns / 2], list[0]);
}

/* The number behind a name in /proc/PID/FILE. */
static long number(pid_t pid, const char *file, const char *name)
{
	char path[64], line[256];
	long value = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, file);
	f = fopen(path, "r");
	if (!f)
		fail(path);
	while (value < 0 && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)))
			value = atol(line + strlen(name));
	fclose(f);
	return value;
}

static long child_of(pid_t pid)
{
	char path[64];
	long child = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", (long)pid,
		 (long)pid);
	f = fopen(path, "r");
	if (f && fscanf(f, "%ld", &child) != 1)
		child = 0;
	if (f)
		fclose(f);
	return child;
}

static void tell_memory(const char *who, pid_t pid)
{
	printf("  %-32s %6ld KB written, %ld KB of files, %ld KB shared\n", who,
	       number(pid, "smaps_rollup", "Private_Dirty:"),
	       number(pid, "smaps_rollup", "Private_Clean:"),
	       number(pid, "smaps_rollup", "Shared_Clean:"));
}

static void measure_idle(int fd, int seconds, char **command)
{
	static const char switches[] = "voluntary_ctxt_switches:";
	pid_t pid = start(command), child;
	long before;

	wait_ready(fd, pid);
	poll(NULL, 0, SETTLE_MS);
	child = (pid_t)child_of(pid);
	before = number(pid, "status", switches) +
		 (child ? number(child, "status", switches) : 0);
	poll(NULL, 0, seconds * 1000);
	printf("  woken in %d s of nothing to do     %6ld times\n", seconds,
	       number(pid, "status", switches) +
		       (child ? number(child, "status", switches) : 0) -
		       before);
	tell_memory("the process", pid);
	if (child)
		tell_memory("its worker", child);
	end(pid);
}

int main(int argc, char **argv)
{
	int n = argc > 3 ? atoi(argv[2]) : 0, fd;

	if (n < 1 || n > TURNS)
		fail("usage: start|idle NUMBER COMMAND...");
	fd = listen_for_ready();
	if (!strcmp(argv[1], "start"))
		measure_start(fd, n, argv + 3);
	else
		measure_idle(fd, n, argv + 3);
	close(fd);
	return 0;
}
