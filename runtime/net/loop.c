/* loop.c - see peal/loop.h and loop.h */
#include "loop.h"

#include <uv.h>

#include "peal/alloc.h"

struct peal_loop {
	uv_loop_t uv;
	uv_idle_t turn;
	struct peal_deferred *first, **end;
	struct peal_guest *guests;
	int closing, running;
};

struct peal_timer {
	uv_timer_t uv;
	peal_timer_fn fn;
	void *arg;
};

enum peal_err peal_err_uv(int status)
{
	switch (status) {
	case 0:
		return PEAL_OK;
	case UV_EINVAL:
		return PEAL_EINVAL;
	case UV_EMFILE:
	case UV_ENFILE:
		return PEAL_ELIMIT;
	default:
		return peal_err_errno(-status);
	}
}

static struct peal_deferred *take_first(struct peal_loop *l)
{
	struct peal_deferred *d = l->first;

	if (!d)
		return NULL;
	l->first = d->next;
	if (!l->first)
		l->end = &l->first;
	d->next = NULL;
	d->listed = 0;
	return d;
}

/* Only what was there when the turn began: a callback that defers again must
 * not keep the loop from its sockets. */
static void run_deferred(uv_idle_t *turn)
{
	struct peal_loop *l = turn->data;
	struct peal_deferred *d, *last = NULL;

	for (d = l->first; d; d = d->next)
		last = d;
	while (last && (d = take_first(l)) != NULL) {
		d->fn(d, l->closing);
		if (d == last)
			break;
	}
	if (!l->first)
		uv_idle_stop(turn);
}

void peal_loop_defer(struct peal_loop *l, struct peal_deferred *d)
{
	if (d->listed)
		return;
	d->listed = 1;
	d->next = NULL;
	*l->end = d;
	l->end = &d->next;
	if (!l->closing)
		uv_idle_start(&l->turn, run_deferred);
}

void peal_loop_join(struct peal_loop *l, struct peal_guest *g)
{
	g->next = l->guests;
	g->at = &l->guests;
	if (g->next)
		g->next->at = &g->next;
	l->guests = g;
}

void peal_loop_leave(struct peal_guest *g)
{
	if (!g->at)
		return;
	*g->at = g->next;
	if (g->next)
		g->next->at = g->at;
	g->at = NULL;
	g->next = NULL;
}

static void drop_guests(struct peal_loop *l)
{
	struct peal_guest *g;

	while ((g = l->guests) != NULL) {
		peal_loop_leave(g);
		g->drop(g);
	}
}

enum peal_err peal_loop_new(struct peal_loop **out)
{
	struct peal_loop *l;
	int rc;

	if (!out)
		return PEAL_EINVAL;
	l = peal_zalloc(sizeof(*l));
	if (!l)
		return PEAL_ENOMEM;
	rc = uv_loop_init(&l->uv);
	if (rc) {
		peal_free(l);
		return peal_err_uv(rc);
	}
	uv_idle_init(&l->uv, &l->turn);
	l->turn.data = l;
	l->end = &l->first;
	*out = l;
	return PEAL_OK;
}

static void free_timer(uv_handle_t *handle)
{
	peal_free(handle->data);
}

static void on_timer(uv_timer_t *handle)
{
	struct peal_timer *t = handle->data;
	peal_timer_fn fn = t->fn;
	void *arg = t->arg;

	uv_close((uv_handle_t *)handle, free_timer);
	fn(arg);
}

/* Timers are ours to free; other handles live in structs of their modules. */
static void close_left(uv_handle_t *handle, void *arg)
{
	int timer = handle->type == UV_TIMER &&
		    ((uv_timer_t *)handle)->timer_cb == on_timer;

	(void)arg;
	if (!uv_is_closing(handle))
		uv_close(handle, timer ? free_timer : NULL);
}

void peal_loop_free(struct peal_loop *l)
{
	struct peal_deferred *d;

	if (!l)
		return;
	l->closing = 1;
	drop_guests(l);
	do {
		while ((d = take_first(l)) != NULL)
			d->fn(d, 1);
		uv_walk(&l->uv, close_left, NULL);
		uv_run(&l->uv, UV_RUN_DEFAULT);
	} while (l->first);
	uv_loop_close(&l->uv);
	peal_free(l);
}

enum peal_err peal_loop_run(struct peal_loop *l, int once)
{
	if (!l)
		return PEAL_EINVAL;
	if (l->running)
		return PEAL_ESTATE;
	l->running = 1;
	uv_run(&l->uv, once ? UV_RUN_ONCE : UV_RUN_DEFAULT);
	l->running = 0;
	return PEAL_OK;
}

/* uv_stop() outside of a run would end the next one before it began. */
void peal_loop_stop(struct peal_loop *l)
{
	if (l->running)
		uv_stop(&l->uv);
}

uint64_t peal_loop_now_ms(const struct peal_loop *l)
{
	(void)l;
	return uv_hrtime() / 1000000;
}

struct uv_loop_s *peal_loop_uv(struct peal_loop *l)
{
	return &l->uv;
}

enum peal_err peal_timer_start(struct peal_timer **out, struct peal_loop *l,
			       uint64_t ms, peal_timer_fn fn, void *arg)
{
	struct peal_timer *t;

	if (!l || !fn || l->closing)
		return PEAL_EINVAL;
	t = peal_zalloc(sizeof(*t));
	if (!t)
		return PEAL_ENOMEM;
	t->fn = fn;
	t->arg = arg;
	uv_timer_init(&l->uv, &t->uv);
	t->uv.data = t;
	/* libuv counts from its cached time, which a busy callback leaves
	 * behind */
	uv_update_time(&l->uv);
	uv_timer_start(&t->uv, on_timer, ms, 0);
	if (out)
		*out = t;
	return PEAL_OK;
}

void peal_timer_cancel(struct peal_timer *t)
{
	if (t)
		uv_close((uv_handle_t *)&t->uv, free_timer);
}
