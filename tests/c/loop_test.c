/* loop_test.c - the loop, its timers, and what is deferred. */
#include "net/loop.h"

#include "alloc_fail.h"
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

static void every_allocation_may_fail(void)
{
	CHECK(alloc_fail_each(work, NULL) >= 2);
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
		{ "every allocation may fail", every_allocation_may_fail },
	};

	REQUIRE(peal_alloc_hook_libraries() == PEAL_OK);
	return test_main(cases, sizeof(cases) / sizeof(*cases), argc, argv);
}
