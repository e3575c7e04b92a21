/* clock.c - see peal/loop.h
 *
 * A timer on the wall clock, a year away, that the kernel cancels when
 * somebody sets the clock: read() then says ECANCELED, timerfd_create(2). */
#include "clock.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "peal/alloc.h"

enum { FAR_S = 366 * 86400 };

/* Canceled while it was armed: the clock was set just now, and the timer is
 * armed all the same. Armed again, it is right by the new clock. */
static int arm(int fd)
{
	struct itimerspec at = { { 0, 0 }, { 0, 0 } };
	int rc, tries;

	for (tries = 0; tries < 3; tries++) {
		clock_gettime(CLOCK_REALTIME, &at.it_value);
		at.it_value.tv_sec += FAR_S;
		rc = timerfd_settime(
			fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &at,
			NULL);
		if (rc == 0 || errno != ECANCELED)
			break;
	}
	return rc ? errno : 0;
}

static void on_closed(uv_handle_t *handle)
{
	peal_free(handle->data);
}

static void shut(struct peal_clock_watch *w)
{
	peal_loop_leave(&w->guest);
	uv_close((uv_handle_t *)&w->poll, on_closed);
	close(w->fd);
}

static void on_loop_free(struct peal_guest *guest)
{
	shut((void *)((char *)guest -
		      offsetof(struct peal_clock_watch, guest)));
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct peal_clock_watch *w = poll->data;
	uint64_t count;
	ssize_t n = w->read(w->fd, &count, sizeof(count));
	int set = n < 0 && errno == ECANCELED;

	(void)status;
	(void)events;
	if (n < 0 && !set)
		return;
	arm(w->fd); /* first: fn may cancel */
	if (set)
		w->fn(w->arg);
}

enum peal_err peal_clock_watch_start(struct peal_clock_watch **out,
				     struct peal_loop *l, peal_clock_fn fn,
				     void *arg)
{
	struct peal_clock_watch *w;
	int rc;

	if (!l || !fn)
		return PEAL_EINVAL;
	w = peal_zalloc(sizeof(*w));
	if (!w)
		return PEAL_ENOMEM;
	w->fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	rc = w->fd < 0 ? -errno : -arm(w->fd);
	if (!rc)
		rc = uv_poll_init(peal_loop_uv(l), &w->poll, w->fd);
	if (rc) {
		if (w->fd >= 0)
			close(w->fd);
		peal_free(w);
		return peal_err_uv(rc);
	}
	w->read = read;
	w->fn = fn;
	w->arg = arg;
	w->poll.data = w;
	w->guest.drop = on_loop_free;
	peal_loop_join(l, &w->guest);
	uv_poll_start(&w->poll, UV_READABLE, on_readable);
	uv_unref((uv_handle_t *)&w->poll);
	if (out)
		*out = w;
	return PEAL_OK;
}

void peal_clock_watch_cancel(struct peal_clock_watch *w)
{
	if (w)
		shut(w);
}
