/* loop_test.c - the loop, its timers, and what is deferred. */
#include "net/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <uv.h>

#include "alloc_fail.h"
#include "net/clock.h"
#include "peal/control.h"
#include "peal/loop.h"
#include "test.h"

struct log {
	struct peal_loop *l;
	char text[64];
	struct peal_timer *victim;
};

static void note(struct log *g, const char *c)
{
	strncat(g->text, c, sizeof(g->text) - strlen(g->text) - 1);
}

static void a(void *arg)
{
	note(arg, "a");
}

static void b(void *arg)
{
	note(arg, "b");
}

static void kill_victim(void *arg)
{
	struct log *g = arg;

	note(g, "k");
	peal_timer_cancel(g->victim);
}

static void stop(void *arg)
{
	struct log *g = arg;

	note(g, "s");
	peal_loop_stop(g->l);
}

static void nest(void *arg)
{
	struct log *g = arg;

	note(g, "n");
	CHECK_ERR(peal_loop_run(g->l, 0), PEAL_ESTATE);
	CHECK_ERR(peal_timer_start(NULL, g->l, 0, a, g), PEAL_OK);
}

static void begin(struct log *g)
{
	memset(g, 0, sizeof(*g));
	REQUIRE(peal_loop_new(&g->l) == PEAL_OK);
}

static void timers_in_order(void)
{
	struct log g;

	begin(&g);
	CHECK_ERR(peal_timer_start(NULL, g.l, 10, b, &g), PEAL_OK);
	CHECK_ERR(peal_timer_start(NULL, g.l, 0, a, &g), PEAL_OK);
	CHECK_STR(g.text, "");
	CHECK_ERR(peal_loop_run(g.l, 0), PEAL_OK);
	CHECK_STR(g.text, "ab");
	peal_loop_free(g.l);
}

static void timer_takes_its_time(void)
{
	struct log g;
	uint64_t began;

	begin(&g);
	began = peal_loop_now_ms(g.l);
	CHECK_ERR(peal_timer_start(NULL, g.l, 30, a, &g), PEAL_OK);
	peal_loop_run(g.l, 0);
	CHECK(peal_loop_now_ms(g.l) - began >= 30);
	peal_loop_free(g.l);
}

static void cancelled_timer_is_silent(void)
{
	struct log g;

	begin(&g);
	CHECK_ERR(peal_timer_start(&g.victim, g.l, 5, a, &g), PEAL_OK);
	CHECK_ERR(peal_timer_start(NULL, g.l, 0, kill_victim, &g), PEAL_OK);
	peal_loop_run(g.l, 0);
	CHECK_STR(g.text, "k");
	peal_timer_cancel(NULL);
	peal_loop_free(g.l);
}

static void stop_ends_only_this_run(void)
{
	struct log g;

	begin(&g);
	peal_loop_stop(g.l); /* not running: no effect later */
	CHECK_ERR(peal_timer_start(NULL, g.l, 0, stop, &g), PEAL_OK);
	CHECK_ERR(peal_timer_start(NULL, g.l, 20, a, &g), PEAL_OK);
	peal_loop_run(g.l, 0);
	CHECK_STR(g.text, "s");
	peal_loop_run(g.l, 0);
	CHECK_STR(g.text, "sa");
	peal_loop_free(g.l);
}

static void run_does_not_nest(void)
{
	struct log g;

	begin(&g);
	CHECK_ERR(peal_timer_start(NULL, g.l, 0, nest, &g), PEAL_OK);
	peal_loop_run(g.l, 0);
	CHECK_STR(g.text, "na");
	peal_loop_free(g.l);
}

static void free_drops_timers(void)
{
	struct log g;

	begin(&g);
	CHECK_ERR(peal_timer_start(NULL, g.l, 1000000, a, &g), PEAL_OK);
	peal_loop_free(g.l); /* the leak checker watches */
	CHECK_STR(g.text, "");
	peal_loop_free(NULL);
}

struct item {
	struct peal_deferred d;
	struct log *log;
	const char *name;
	int again, dropped;
};

static void run_item(struct peal_deferred *d, int dropped)
{
	struct item *i = (struct item *)d;

	note(i->log, i->name);
	i->dropped = dropped;
	if (i->again-- > 0)
		peal_loop_defer(i->log->l, d);
}

static void deferred_in_order_and_never_at_once(void)
{
	struct log g;
	struct item x = { { run_item, NULL, 0 }, &g, "x", 2, 0 };
	struct item y = { { run_item, NULL, 0 }, &g, "y", 0, 0 };

	begin(&g);
	peal_loop_defer(g.l, &x.d);
	peal_loop_defer(g.l, &x.d); /* listed already */
	peal_loop_defer(g.l, &y.d);
	CHECK_STR(g.text, "");
	peal_loop_run(g.l, 0);
	CHECK_STR(g.text, "xyxx");
	CHECK_INT(x.dropped, 0);
	peal_loop_free(g.l);
}

static void free_tells_the_deferred(void)
{
	struct log g;
	struct item x = { { run_item, NULL, 0 }, &g, "x", 0, 0 };

	begin(&g);
	peal_loop_defer(g.l, &x.d);
	peal_loop_free(g.l);
	CHECK_STR(g.text, "x");
	CHECK_INT(x.dropped, 1);
}

static void on_signal(int number, void *arg)
{
	struct log *g = arg;

	note(g, number == SIGUSR1 ? "1" : "2");
	peal_loop_stop(g->l);
}

static void signals_are_told(void)
{
	static const int numbers[] = { SIGUSR1, SIGUSR2 };
	static const int bad[] = { SIGUSR1, SIGKILL };
	struct peal_signals *s = NULL;
	struct sigaction now;
	struct log g;

	begin(&g);
	CHECK_ERR(peal_signals_start(&s, g.l, bad, 2, on_signal, &g),
		  PEAL_EINVAL);
	CHECK_ERR(peal_signals_start(&s, g.l, numbers, 0, on_signal, &g),
		  PEAL_EINVAL);
	CHECK_ERR(peal_signals_start(&s, g.l, numbers, 2, on_signal, &g),
		  PEAL_OK);
	peal_loop_run(g.l, 0); /* nothing to wait for */
	CHECK_STR(g.text, "");
	/* what keeps it running is the guard, which is never reached */
	CHECK_ERR(peal_timer_start(&g.victim, g.l, 60000, a, &g), PEAL_OK);
	raise(SIGUSR2);
	peal_loop_run(g.l, 0);
	raise(SIGUSR1);
	peal_loop_run(g.l, 0);
	CHECK_STR(g.text, "21");
	peal_signals_cancel(s);
	peal_signals_cancel(NULL);
	sigaction(SIGUSR1, NULL, &now);
	CHECK(now.sa_handler == SIG_DFL);
	peal_timer_cancel(g.victim);
	peal_loop_free(g.l);
}

static void signals_go_with_the_loop(void)
{
	static const int number = SIGUSR1;
	struct sigaction now;
	struct log g;

	begin(&g);
	CHECK_ERR(peal_signals_start(NULL, g.l, &number, 1, on_signal, &g),
		  PEAL_OK);
	peal_loop_free(g.l);
	sigaction(number, NULL, &now);
	CHECK(now.sa_handler == SIG_DFL);
}

static void count_turn(uv_prepare_t *handle)
{
	++*(int *)handle->data;
}

/* Turns of the loop within `ms`. */
static int turns(struct log *g, unsigned ms)
{
	uv_prepare_t handle;
	int n = 0;

	uv_prepare_init(peal_loop_uv(g->l), &handle);
	handle.data = &n;
	uv_prepare_start(&handle, count_turn);
	CHECK_ERR(peal_timer_start(NULL, g->l, ms, stop, g), PEAL_OK);
	peal_loop_run(g->l, 0);
	uv_close((uv_handle_t *)&handle, NULL);
	uv_run(peal_loop_uv(g->l), UV_RUN_NOWAIT);
	return n;
}

/* What the kernel says of a clock that was set. The timer itself expires, so
 * that there is something to read. */
static ssize_t clock_was_set(int fd, void *bytes, size_t len)
{
	ssize_t n = read(fd, bytes, len);

	if (n < 0)
		return n;
	errno = ECANCELED;
	return -1;
}

static void expire(struct peal_clock_watch *w)
{
	struct itimerspec soon = { { 0, 0 }, { 0, 1 } };

	REQUIRE(timerfd_settime(w->fd, TFD_TIMER_ABSTIME, &soon, NULL) == 0);
}

static int is_far(struct peal_clock_watch *w)
{
	struct itimerspec left;

	REQUIRE(timerfd_gettime(w->fd, &left) == 0);
	return left.it_value.tv_sec > 300 * 86400;
}

static void a_clock_that_is_set_is_told(void)
{
	struct peal_clock_watch *w;
	struct log g;

	begin(&g);
	CHECK_ERR(peal_clock_watch_start(&w, g.l, a, &g), PEAL_OK);
	peal_loop_run(g.l, 0); /* nothing to wait for */
	CHECK(is_far(w));
	expire(w); /* a year is over: armed again, no word */
	turns(&g, 5);
	CHECK_STR(g.text, "s");
	CHECK(is_far(w));
	w->read = clock_was_set;
	expire(w);
	turns(&g, 5);
	CHECK_STR(g.text, "sas");
	CHECK(is_far(w));
	expire(w);
	turns(&g, 5);
	CHECK_STR(g.text, "sasas");
	peal_clock_watch_cancel(w);
	peal_clock_watch_cancel(NULL);
	CHECK_ERR(peal_clock_watch_start(NULL, g.l, a, &g), PEAL_OK);
	peal_loop_free(g.l);
}

static void nobody_comes(struct peal_control_peer *p, void *arg)
{
	(void)p;
	(void)arg;
}

/* One turn to begin with, one for the timer that ends it. */
static void an_idle_daemon_sleeps(void)
{
	static const int numbers[] = { SIGUSR1, SIGUSR2 };
	char dir[] = "/tmp/peal-test-XXXXXX", path[64];
	struct peal_control_server *s;
	struct log g;

	begin(&g);
	REQUIRE(mkdtemp(dir) != NULL);
	snprintf(path, sizeof(path), "%s/control", dir);
	REQUIRE(peal_control_listen(&s, g.l, path, nobody_comes, NULL, NULL) ==
		PEAL_OK);
	CHECK_ERR(peal_signals_start(NULL, g.l, numbers, 2, on_signal, &g),
		  PEAL_OK);
	CHECK_ERR(peal_clock_watch_start(NULL, g.l, a, &g), PEAL_OK);
	CHECK(turns(&g, 200) <= 2);
	peal_control_server_free(s);
	peal_loop_free(g.l);
	rmdir(dir);
}

static int watch_work(void *arg)
{
	static const int numbers[] = { SIGUSR1, SIGUSR2 };
	struct log g;
	enum peal_err err;

	(void)arg;
	memset(&g, 0, sizeof(g));
	if (peal_loop_new(&g.l))
		return 1;
	err = peal_signals_start(NULL, g.l, numbers, 2, on_signal, &g);
	if (!err)
		err = peal_clock_watch_start(NULL, g.l, a, &g);
	peal_loop_free(g.l);
	return err != PEAL_OK;
}

static int work(void *arg)
{
	struct log g;
	enum peal_err err;

	(void)arg;
	memset(&g, 0, sizeof(g));
	if (peal_loop_new(&g.l))
		return 1;
	err = peal_timer_start(NULL, g.l, 0, a, &g);
	if (!err)
		err = peal_loop_run(g.l, 0);
	peal_loop_free(g.l);
	return err != PEAL_OK;
}

struct reader {
	struct peal_loop *l;
	struct peal_readable *r;
	int fd, turns;
	char text[16];
};

static void read_one(void *arg)
{
	struct reader *x = arg;
	char c = '.';

	if (read(x->fd, &c, 1) != 1 || c == '!') {
		peal_readable_cancel(x->r);
		x->r = NULL;
	}
	x->text[x->turns++] = c;
}

/* At every turn, until nothing is left or the other end is gone; meanwhile it
 * keeps the loop going, and the descriptor stays blocking. */
static void what_can_be_read_is_told(void)
{
	struct reader x = { .turns = 0 };
	int ends[2], stdio = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);

	REQUIRE(!pipe(ends) && !peal_loop_new(&x.l));
	x.fd = ends[0];
	CHECK_ERR(peal_readable_start(&x.r, x.l, x.fd, read_one, &x), PEAL_OK);
	CHECK(!(fcntl(x.fd, F_GETFL) & O_NONBLOCK));
	REQUIRE(write(ends[1], "ab", 2) == 2);
	close(ends[1]);
	CHECK_ERR(peal_loop_run(x.l, 0), PEAL_OK);
	CHECK_STR(x.text, "ab.");
	CHECK(!x.r);
	CHECK_ERR(peal_readable_start(&x.r, x.l, stdio, read_one, &x),
		  PEAL_EINVAL);
	CHECK_ERR(peal_readable_start(&x.r, x.l, 12345, read_one, &x),
		  PEAL_EINVAL);
	/* one that goes with the loop */
	CHECK_ERR(peal_readable_start(&x.r, x.l, x.fd, read_one, &x), PEAL_OK);
	peal_loop_free(x.l);
	CHECK_INT(x.turns, 3);
	close(ends[0]);
	close(stdio);
}

static int readable_work(void *arg)
{
	struct reader x = { .fd = *(int *)arg };
	enum peal_err err = peal_loop_new(&x.l);

	if (!err)
		err = peal_readable_start(&x.r, x.l, x.fd, read_one, &x);
	if (!err)
		peal_readable_cancel(x.r);
	peal_loop_free(x.l);
	return err != PEAL_OK;
}

static void every_allocation_may_fail(void)
{
	int ends[2];

	REQUIRE(!pipe(ends));
	CHECK(alloc_fail_each(readable_work, &ends[0]) >= 2);
	close(ends[0]);
	close(ends[1]);
	CHECK(alloc_fail_each(work, NULL) >= 2);
	CHECK(alloc_fail_each(watch_work, NULL) >= 3);
}

int main(int argc, char **argv)
{
	static const struct test_case cases[] = {
		{ "timers in order", timers_in_order },
		{ "a timer takes its time", timer_takes_its_time },
		{ "a cancelled timer is silent", cancelled_timer_is_silent },
		{ "stop ends only this run", stop_ends_only_this_run },
		{ "run does not nest", run_does_not_nest },
		{ "free drops timers", free_drops_timers },
		{ "deferred in order", deferred_in_order_and_never_at_once },
		{ "free tells the deferred", free_tells_the_deferred },
		{ "signals are told", signals_are_told },
		{ "signals go with the loop", signals_go_with_the_loop },
		{ "a clock that is set is told", a_clock_that_is_set_is_told },
		{ "what can be read is told", what_can_be_read_is_told },
		{ "an idle daemon sleeps", an_idle_daemon_sleeps },
		{ "every allocation may fail", every_allocation_may_fail },
	};

	REQUIRE(peal_alloc_hook_libraries() == PEAL_OK);
	return test_main(cases, sizeof(cases) / sizeof(*cases), argc, argv);
}
