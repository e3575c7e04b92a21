/* bench_process.c - what whole processes cost, compared in turns.
 *
 *   bench_process TURNS NAME COMMAND [NAME COMMAND ...]
 *
 * Runs the commands A B C A B C ... and prints of each the median of user and
 * system CPU time and of wall time, with the ratio to the first. A command is
 * split at blanks; one with a '|' goes through sh, whose children count. */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

enum { COMMANDS = 8, WORDS = 64, TURNS = 1000 };

struct command {
	const char *name;
	const char *text;
	char *copy;
	char *words[WORDS + 1];
	double cpu_ms[TURNS];
	double wall_ms[TURNS];
};

static struct command commands[COMMANDS];

static void fail(const char *what, const char *about)
{
	fprintf(stderr, "bench_process: %s: %s\n", what, about);
	exit(1);
}

static void split(struct command *c)
{
	static char sh[] = "sh", dash_c[] = "-c";
	char *word, *rest;
	int n = 0;

	c->copy = strdup(c->text);
	if (!c->copy)
		fail("no memory", c->text);
	if (strchr(c->text, '|')) {
		c->words[0] = sh;
		c->words[1] = dash_c;
		c->words[2] = c->copy;
		return;
	}
	for (word = strtok_r(c->copy, " ", &rest); word && n < WORDS;
	     word = strtok_r(NULL, " ", &rest))
		c->words[n++] = word;
}

static double ms(struct timeval t)
{
	return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void run(struct command *c, int turn)
{
	posix_spawn_file_actions_t actions;
	double began = now_ms();
	struct rusage used;
	pid_t pid;
	int status;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	if (posix_spawnp(&pid, c->words[0], &actions, NULL, c->words, environ))
		fail("cannot start", c->text);
	if (wait4(pid, &status, 0, &used) < 0 || status != 0)
		fail("failed", c->text);
	c->wall_ms[turn] = now_ms() - began;
	c->cpu_ms[turn] = ms(used.ru_utime) + ms(used.ru_stime);
	posix_spawn_file_actions_destroy(&actions);
}

static int order(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *list, int n)
{
	qsort(list, (size_t)n, sizeof(*list), order);
	return list[n / 2];
}

int main(int argc, char **argv)
{
	int turns = argc > 1 ? atoi(argv[1]) : 0, n = (argc - 2) / 2, i, turn;
	double cpu, first = 0;

	if (turns < 1 || turns > TURNS || n < 1 || n > COMMANDS || argc % 2)
		fail("usage", "TURNS NAME COMMAND [NAME COMMAND ...]");
	for (i = 0; i < n; i++) {
		commands[i].name = argv[2 + 2 * i];
		commands[i].text = argv[3 + 2 * i];
		split(&commands[i]);
	}
	for (turn = 0; turn < turns; turn++)
		for (i = 0; i < n; i++)
			run(&commands[i], turn);
	for (i = 0; i < n; i++) {
		cpu = median(commands[i].cpu_ms, turns);
		first = i ? first : cpu;
		printf("  %-34s %6.2f ms CPU  x %.2f   least %.2f"
		       "   wall %.2f ms\n",
		       commands[i].name, cpu, cpu / first,
		       commands[i].cpu_ms[0],
		       median(commands[i].wall_ms, turns));
		free(commands[i].copy);
	}
	return 0;
}
