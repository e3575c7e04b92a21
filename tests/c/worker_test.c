/* worker_test.c - a process that answers, ends or hangs.
 *
 *   worker_test --child MODE   what the tests start: a puppet that does what
 *                              the frames say, "confined" or "free" */
#include "peal/worker.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "peal/buf.h"
#include "peal/limits.h"
#include "peal/loop.h"
#include "test.h"

#ifdef __GLIBC__
#if __GLIBC_PREREQ(2, 34)
#define CAN_CLOSE_FROM
#endif
#endif

enum { MEMORY = 32 << 20, GUARD_MS = 60000 };

/* --- the other side ---------------------------------------------------- */

static void list_descriptors(struct peal_buf *out)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *e;

	while (dir && (e = readdir(dir)) != NULL)
		if (e->d_name[0] != '.' && atoi(e->d_name) != dirfd(dir))
			peal_buf_printf(out, "%s ", e->d_name);
	if (dir)
		closedir(dir);
}

static void raw(const void *bytes, size_t len)
{
	if (write(STDOUT_FILENO, bytes, len) != (ssize_t)len)
		_exit(9);
}

static void hang(void)
{
	volatile unsigned long n = 0;

	for (;;)
		n++;
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* A confined process cannot sleep. */
static void take_ms(double ms)
{
	double until = now_ms() + ms;

	while (now_ms() < until)
		;
}

static void obey(const char *what, struct peal_buf *out)
{
	uint32_t two[] = { 4, 1, 4, 2 }, huge = PEAL_LIMIT_WORKER_FRAME + 1;
	extern char **environ;

	if (strcmp(what, "exit") == 0)
		_exit(3);
	if (strcmp(what, "abort") == 0)
		raise(SIGKILL);
	if (strcmp(what, "hang") == 0)
		hang();
	if (strcmp(what, "take 30 ms") == 0)
		take_ms(30);
	if (strcmp(what, "hang up") == 0) {
		close(STDIN_FILENO);
		close(STDOUT_FILENO);
		hang();
	}
	if (strcmp(what, "half") == 0) {
		raw(two, 6);
		_exit(0);
	}
	if (strcmp(what, "two") == 0) {
		raw(two, sizeof(two));
		hang();
	}
	if (strcmp(what, "huge") == 0) {
		raw(&huge, sizeof(huge));
		hang();
	}
	if (strcmp(what, "answer and exit") == 0) {
		raw(two, 8);
		_exit(0);
	}
	if (strcmp(what, "descriptors") == 0)
		list_descriptors(out);
	else if (strcmp(what, "environment") == 0)
		peal_buf_add_str(out, environ[0] ? environ[0] : "none");
	else
		peal_buf_add_str(out, what);
}

static int puppet(int confined)
{
	struct peal_buf in, out;
	enum peal_err err;

	if (confined && peal_confine(MEMORY, NULL))
		return 8;
	do {
		peal_buf_init(&in, PEAL_LIMIT_WORKER_FRAME);
		peal_buf_init(&out, PEAL_LIMIT_WORKER_FRAME);
		err = peal_frame_read(&in);
		if (!err)
			obey(in.len ? peal_buf_cstr(&in) : "", &out);
		if (!err)
			err = peal_frame_write(out.data, out.len);
		peal_buf_fini(&in);
		peal_buf_fini(&out);
	} while (!err);
	_exit(err == PEAL_ENOENT ? 0 : 7);
}

/* --- asking ------------------------------------------------------------ */

struct answer {
	int calls;
	enum peal_err err;
	char text[128];
	size_t len;
	char reason[240];
	struct peal_worker *free_it;
};

struct bench {
	struct peal_loop *l;
	struct peal_worker *w;
};

static void program(char *out)
{
	ssize_t n = readlink("/proc/self/exe", out, PATH_MAX - 1);

	REQUIRE(n > 0);
	out[n] = '\0';
}

static enum peal_err new_worker(struct peal_worker **out, struct peal_loop *l,
				const char *mode)
{
	const char *argv[] = { "worker_test", "--child", mode, NULL };
	char path[PATH_MAX];
	struct peal_worker_options o = { path, argv, -1 };

	program(path);
	return peal_worker_new(out, l, &o);
}

static void begin(struct bench *b, const char *mode)
{
	REQUIRE(peal_loop_new(&b->l) == PEAL_OK);
	REQUIRE(new_worker(&b->w, b->l, mode) == PEAL_OK);
}

static void end(struct bench *b)
{
	peal_worker_free(b->w);
	peal_loop_free(b->l);
}

static void on_answer(enum peal_err err, const void *reply, size_t len,
		      const struct peal_reason *reason, void *arg)
{
	struct answer *a = arg;

	a->calls++;
	a->err = err;
	a->len = len;
	if (reply && len < sizeof(a->text))
		memcpy(a->text, reply, len);
	if (reason)
		memcpy(a->reason, reason->text, sizeof(a->reason));
	peal_worker_free(a->free_it);
}

static struct peal_worker_call *ask(struct bench *b, const char *what,
				    unsigned ms, struct answer *a)
{
	struct peal_worker_call *c = NULL;

	memset(a, 0, sizeof(*a));
	CHECK_ERR(peal_worker_ask(&c, b->w, what, strlen(what), ms, NULL,
				  on_answer, a),
		  PEAL_OK);
	return c;
}

static void check(struct bench *b, const char *what, unsigned ms,
		  enum peal_err err, const char *text, const char *reason)
{
	struct answer a;

	ask(b, what, ms, &a);
	CHECK_INT(a.calls, 0);
	peal_loop_run(b->l, 0);
	CHECK_INT(a.calls, 1);
	CHECK_ERR(a.err, err);
	CHECK_STR(a.text, text);
	CHECK_STR(a.reason, reason);
}

static void check_alive(struct bench *b)
{
	check(b, "well?", GUARD_MS, PEAL_OK, "well?", "");
}

static void answers_without_a_new_start(void)
{
	struct bench b;
	pid_t pid;

	begin(&b, "confined");
	CHECK_INT(peal_worker_pid(b.w), 0);
	check(&b, "one", GUARD_MS, PEAL_OK, "one", "");
	pid = peal_worker_pid(b.w);
	CHECK(pid > 0);
	check(&b, "", GUARD_MS, PEAL_OK, "", "");
	CHECK_INT(peal_worker_pid(b.w), pid);
	CHECK_INT(peal_worker_starts(b.w), 1);
	end(&b);
	CHECK(kill(pid, 0) < 0 && errno == ESRCH);
}

static void an_end_is_an_error(void)
{
	struct bench b;

	begin(&b, "free");
	check(&b, "exit", GUARD_MS, PEAL_EPARTIAL, "",
	      "the worker ended (exit code 3)");
	check_alive(&b);
	check(&b, "abort", GUARD_MS, PEAL_EPARTIAL, "",
	      "the worker ended (killed by signal 9)");
	check(&b, "half", GUARD_MS, PEAL_EPARTIAL, "",
	      "the worker ended (exit code 0)");
	check(&b, "hang up", GUARD_MS, PEAL_EPARTIAL, "",
	      "the worker ended (killed by signal 9)");
	check_alive(&b);
	CHECK_INT(peal_worker_starts(b.w), 5);
	end(&b);
}

static void last_words_count(void)
{
	struct bench b;
	int i;

	for (i = 0; i < 20; i++) {
		begin(&b, "free");
		check(&b, "answer and exit", GUARD_MS, PEAL_OK, "\1", "");
		end(&b);
	}
}

static void a_liar_is_stopped(void)
{
	struct bench b;

	begin(&b, "free");
	check(&b, "two", GUARD_MS, PEAL_EPARTIAL, "",
	      "the worker answered more than it was asked");
	check(&b, "huge", GUARD_MS, PEAL_ELIMIT, "",
	      "the worker's answer is over 4194304 bytes");
	check_alive(&b);
	end(&b);
}

static void who_hangs_is_killed(void)
{
	struct bench b;
	pid_t pid;

	begin(&b, "confined");
	check_alive(&b);
	pid = peal_worker_pid(b.w);
	check(&b, "hang", 50, PEAL_ETIMEOUT, "", "");
	CHECK_INT(peal_worker_pid(b.w), 0);
	CHECK(kill(pid, 0) < 0 && errno == ESRCH); /* reaped */
	check_alive(&b);
	CHECK_INT(peal_worker_starts(b.w), 2);
	end(&b);
}

static int has_ended(int pidfd)
{
	struct pollfd p = { pidfd, POLLIN, 0 };

	return poll(&p, 1, GUARD_MS) == 1;
}

/* `done` that takes its time. */
static void dawdle(enum peal_err err, const void *reply, size_t len,
		   const struct peal_reason *reason, void *arg)
{
	(void)err;
	(void)reply;
	(void)len;
	(void)reason;
	(void)arg;
	take_ms(700);
}

/* Somebody else's slow callback is not the rule's fault. */
static void an_answer_in_time_counts_though_we_are_late(void)
{
	struct bench b, other;
	struct answer a;

	begin(&b, "confined");
	check_alive(&b);
	other.l = b.l;
	REQUIRE(new_worker(&other.w, b.l, "confined") == PEAL_OK);
	check_alive(&other);
	CHECK_ERR(peal_worker_ask(NULL, other.w, "yes", 3, GUARD_MS, NULL,
				  dawdle, NULL),
		  PEAL_OK);
	ask(&b, "take 30 ms", 500, &a);
	peal_loop_run(b.l, 0);
	CHECK_ERR(a.err, PEAL_OK);
	CHECK_STR(a.text, "take 30 ms");
	CHECK_INT(peal_worker_starts(b.w), 1);
	peal_worker_free(other.w);
	end(&b);
}

static void killed_between_questions(void)
{
	struct bench b;
	pid_t pid;
	int fd;

	begin(&b, "confined");
	check_alive(&b);
	pid = peal_worker_pid(b.w);
	REQUIRE(pid > 0);
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	kill(pid, SIGKILL);
	CHECK(has_ended(fd));
	close(fd);
	CHECK_INT(peal_worker_pid(b.w), pid); /* the loop does not know yet */
	check_alive(&b);
	CHECK_INT(peal_worker_starts(b.w), 2);
	end(&b);
}

static void long_frames(void)
{
	size_t len = PEAL_LIMIT_WORKER_FRAME;
	char *bytes = malloc(len + 1);
	struct answer a = { .calls = 0 };
	struct bench b;

	begin(&b, "free");
	REQUIRE(bytes);
	memset(bytes, 'x', len + 1);
	CHECK_ERR(peal_worker_ask(NULL, b.w, bytes, len + 1, 1, NULL, on_answer,
				  &a),
		  PEAL_ELIMIT);
	/* the puppet's own text function wants a NUL behind it */
	CHECK_ERR(peal_worker_ask(NULL, b.w, bytes, len, GUARD_MS, NULL,
				  on_answer, &a),
		  PEAL_OK);
	peal_loop_run(b.l, 0);
	CHECK_INT(a.calls, 1);
	CHECK_ERR(a.err, PEAL_OK);
	CHECK_INT(a.len, len);
	free(bytes);
	end(&b);
}

static void questions_queue_up(void)
{
	struct answer a[4];
	struct bench b;

	begin(&b, "confined");
	ask(&b, "one", GUARD_MS, &a[0]);
	ask(&b, "hang", 50, &a[1]);
	ask(&b, "three", GUARD_MS, &a[2]);
	peal_worker_cancel(ask(&b, "four", GUARD_MS, &a[3]));
	CHECK_INT(a[3].calls, 0);
	peal_loop_run(b.l, 0);
	CHECK_STR(a[0].text, "one");
	CHECK_ERR(a[1].err, PEAL_ETIMEOUT);
	CHECK_STR(a[2].text, "three");
	CHECK_ERR(a[3].err, PEAL_ECANCELED);
	CHECK_INT(a[0].calls + a[1].calls + a[2].calls + a[3].calls, 4);
	end(&b);
}

struct stopper {
	struct bench *b;
	struct peal_worker_call *call;
	int freed;
};

static void stop(void *arg)
{
	struct stopper *s = arg;

	if (s->freed) {
		peal_worker_free(s->b->w);
		s->b->w = NULL;
	} else {
		peal_worker_cancel(s->call);
	}
}

static void cancelled_while_it_works(void)
{
	struct stopper s;
	struct answer a;
	struct bench b;

	begin(&b, "confined");
	check_alive(&b);
	s = (struct stopper){ &b, ask(&b, "hang", GUARD_MS, &a), 0 };
	CHECK_ERR(peal_timer_start(NULL, b.l, 20, stop, &s), PEAL_OK);
	peal_loop_run(b.l, 0);
	CHECK_ERR(a.err, PEAL_ECANCELED);
	CHECK_INT(a.calls, 1);
	check_alive(&b);
	CHECK_INT(peal_worker_starts(b.w), 2);
	end(&b);
}

static void freed_while_it_works(void)
{
	struct stopper s;
	struct answer a, waits;
	struct bench b;

	begin(&b, "confined");
	s = (struct stopper){ &b, ask(&b, "hang", GUARD_MS, &a), 1 };
	ask(&b, "next", GUARD_MS, &waits);
	CHECK_ERR(peal_timer_start(NULL, b.l, 20, stop, &s), PEAL_OK);
	peal_loop_run(b.l, 0);
	CHECK_ERR(a.err, PEAL_ECANCELED);
	CHECK_ERR(waits.err, PEAL_ECANCELED);
	CHECK_INT(a.calls + waits.calls, 2);
	end(&b);
}

static void freed_by_who_is_told(void)
{
	struct answer a, waits;
	struct bench b;

	begin(&b, "confined");
	ask(&b, "one", GUARD_MS, &a);
	a.free_it = b.w;
	ask(&b, "two", GUARD_MS, &waits);
	peal_loop_run(b.l, 0);
	CHECK_STR(a.text, "one");
	CHECK_ERR(waits.err, PEAL_ECANCELED);
	peal_loop_free(b.l);

	begin(&b, "confined");
	ask(&b, "hang", 20, &a);
	a.free_it = b.w;
	peal_loop_run(b.l, 0);
	CHECK_ERR(a.err, PEAL_ETIMEOUT);
	peal_loop_free(b.l);
}

/* The leak checker watches. */
static void the_loop_goes_first(void)
{
	struct answer a, waits;
	struct bench b;
	pid_t pid;

	begin(&b, "confined");
	check_alive(&b);
	pid = peal_worker_pid(b.w);
	ask(&b, "hang", GUARD_MS, &a);
	ask(&b, "next", GUARD_MS, &waits);
	peal_loop_run(b.l, 1); /* it is sent */
	peal_loop_free(b.l);
	CHECK(kill(pid, 0) < 0 && errno == ESRCH);
	peal_worker_free(b.w);
	CHECK_INT(a.calls + waits.calls, 0);
}

/* `before` and `done` have one argument. */
struct prepared {
	struct answer a;
	struct bench *b;
	struct peal_worker_call *cancel_it;
	int times;
	pid_t pid; /* that ran then */
};

static void prepare(void *arg)
{
	struct prepared *p = arg;

	p->times++;
	p->pid = peal_worker_pid(p->b->w);
	peal_worker_cancel(p->cancel_it);
}

static struct peal_worker_call *ask_prepared(struct bench *b, const char *what,
					     struct prepared *p)
{
	struct peal_worker_call *c = NULL;

	memset(p, 0, sizeof(*p));
	p->b = b;
	CHECK_ERR(peal_worker_ask(&c, b->w, what, strlen(what), GUARD_MS,
				  prepare, on_answer, p),
		  PEAL_OK);
	CHECK_INT(p->times, 0);
	return c;
}

static void before_a_question_is_sent(void)
{
	struct peal_worker_call *c;
	struct prepared one, two;
	struct bench b;

	begin(&b, "confined");
	ask_prepared(&b, "one", &one);
	c = ask_prepared(&b, "hang", &two);
	two.cancel_it = c;
	peal_loop_run(b.l, 0);
	CHECK_STR(one.a.text, "one");
	CHECK_INT(one.times, 1);
	CHECK_INT(two.times, 1);
	/* nothing was sent: nobody had to be killed */
	CHECK_ERR(two.a.err, PEAL_ECANCELED);
	CHECK_INT(peal_worker_pid(b.w), one.pid);
	CHECK_INT(two.pid, one.pid);
	check_alive(&b);
	CHECK_INT(peal_worker_starts(b.w), 1);
	end(&b);
}

static void what_cannot_start(void)
{
	const char *argv[] = { "x", NULL };
	struct peal_worker_options o = { "/no/such/program", argv, -1 };
	struct bench b;

	REQUIRE(peal_loop_new(&b.l) == PEAL_OK);
	REQUIRE(peal_worker_new(&b.w, b.l, &o) == PEAL_OK);
	check(&b, "one", GUARD_MS, PEAL_EIO, "",
	      "the worker /no/such/program cannot be started: No such file or "
	      "directory");
	CHECK_INT(peal_worker_starts(b.w), 0);
	end(&b);
}

static void what_always_ends_is_put_off(void)
{
	struct answer a = { .calls = 0 };
	struct bench b;
	unsigned i, asked;

	begin(&b, "free");
	for (i = asked = 0; i < 20 && a.err != PEAL_EIO; i++) {
		ask(&b, "exit", GUARD_MS, &a);
		peal_loop_run(b.l, 0);
		asked += a.err == PEAL_EPARTIAL;
	}
	CHECK_INT(asked, 5);
	CHECK_INT(peal_worker_starts(b.w), 5);
	CHECK(strstr(a.reason, "has ended 5 times without an answer: it is not "
			       "started for 1 s") != NULL);
	end(&b);
}

/* --- what it is given, and whom it outlives ---------------------------- */

static void descriptors_and_environment(void)
{
	const char *argv[] = { "worker_test", "--child", "free", NULL };
	char path[PATH_MAX];
	struct peal_worker_options o = { path, argv, -1 };
	int stray = open("/dev/null", O_RDONLY); /* no close-on-exec */
	struct bench b;

	program(path);
	REQUIRE(peal_loop_new(&b.l) == PEAL_OK);
	REQUIRE(peal_worker_new(&b.w, b.l, &o) == PEAL_OK);
	check(&b, "environment", GUARD_MS, PEAL_OK, "none", "");
#ifdef CAN_CLOSE_FROM
	check(&b, "descriptors", GUARD_MS, PEAL_OK, "0 1 2 ", "");
#endif
	peal_worker_free(b.w);
	o.fd = stray;
	REQUIRE(peal_worker_new(&b.w, b.l, &o) == PEAL_OK);
#ifdef CAN_CLOSE_FROM
	check(&b, "descriptors", GUARD_MS, PEAL_OK, "0 1 2 3 ", "");
#else
	check_alive(&b);
#endif
	end(&b);
	close(stray);
}

static void tell_pid(void *arg)
{
	struct bench *b = arg;
	pid_t pid = peal_worker_pid(b->w);

	if (write(STDOUT_FILENO, &pid, sizeof(pid)) != sizeof(pid))
		_exit(9);
}

/* Starts a worker that hangs, says who it is, and waits for it. */
static int parent(void)
{
	struct answer a;
	struct bench b;

	begin(&b, "confined");
	ask(&b, "well?", GUARD_MS, &a);
	peal_loop_run(b.l, 0);
	ask(&b, "hang", GUARD_MS, &a);
	if (peal_timer_start(NULL, b.l, 50, tell_pid, &b))
		return 1;
	peal_loop_run(b.l, 0);
	end(&b);
	return 0;
}

static void ends_with_who_started_it(void)
{
	int out[2], fd;
	pid_t child, worker = 0;

	REQUIRE(pipe(out) == 0);
	child = fork();
	if (child == 0) {
		dup2(out[1], STDOUT_FILENO);
		close(out[0]);
		_exit(parent());
	}
	close(out[1]);
	REQUIRE(read(out[0], &worker, sizeof(worker)) == sizeof(worker));
	fd = (int)syscall(SYS_pidfd_open, worker, 0);
	CHECK(fd >= 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	CHECK(has_ended(fd));
	close(fd);
	close(out[0]);
}

static int child(const char *mode)
{
	if (strcmp(mode, "confined") == 0)
		return puppet(1);
	return puppet(0);
}

static int work(void *arg)
{
	struct answer a = { .calls = 0 };
	struct bench b = { NULL, NULL };
	int failed = 1;

	(void)arg;
	if (peal_loop_new(&b.l))
		return 1;
	if (new_worker(&b.w, b.l, "confined") == PEAL_OK &&
	    peal_worker_ask(NULL, b.w, "one", 3, GUARD_MS, NULL, on_answer,
			    &a) == PEAL_OK) {
		peal_loop_run(b.l, 0);
		failed = a.err != PEAL_OK;
		CHECK_INT(a.calls, 1);
	}
	end(&b);
	return failed;
}

static void every_allocation_may_fail(void)
{
	CHECK(alloc_fail_each(work, NULL) >= 5);
}

int main(int argc, char **argv)
{
	static const struct test_case cases[] = {
		{ "answers without a new start", answers_without_a_new_start },
		{ "an end is an error", an_end_is_an_error },
		{ "last words count", last_words_count },
		{ "a liar is stopped", a_liar_is_stopped },
		{ "who hangs is killed", who_hangs_is_killed },
		{ "an answer in time counts",
		  an_answer_in_time_counts_though_we_are_late },
		{ "killed between questions", killed_between_questions },
		{ "long frames", long_frames },
		{ "questions queue up", questions_queue_up },
		{ "cancelled while it works", cancelled_while_it_works },
		{ "freed while it works", freed_while_it_works },
		{ "freed by who is told", freed_by_who_is_told },
		{ "the loop goes first", the_loop_goes_first },
		{ "before a question is sent", before_a_question_is_sent },
		{ "what cannot start", what_cannot_start },
		{ "what always ends", what_always_ends_is_put_off },
		{ "descriptors, environment", descriptors_and_environment },
		{ "ends with who started it", ends_with_who_started_it },
		{ "every allocation may fail", every_allocation_may_fail },
	};

	if (argc == 3 && strcmp(argv[1], "--child") == 0)
		return child(argv[2]);
	REQUIRE(peal_alloc_hook_libraries() == PEAL_OK);
	return test_main(cases, sizeof(cases) / sizeof(*cases), argc, argv);
}
