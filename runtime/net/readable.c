/* readable.c - see peal/loop.h
 *
 * The descriptor is watched by an epoll of our own, which the loop watches:
 * libuv makes what it polls non-blocking, and a terminal would stay so for
 * the shell that we came from. */
#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <uv.h>

#include "loop.h"
#include "peal/alloc.h"

struct peal_readable {
	uv_poll_t poll;
	struct peal_guest guest;
	int fd; /* of the epoll */
	peal_readable_fn fn;
	void *arg;
};

static void on_closed(uv_handle_t *handle)
{
	peal_free(handle->data);
}

static void shut(struct peal_readable *r)
{
	peal_loop_leave(&r->guest);
	uv_close((uv_handle_t *)&r->poll, on_closed);
	close(r->fd);
}

static void on_loop_free(struct peal_guest *guest)
{
	shut((void *)((char *)guest - offsetof(struct peal_readable, guest)));
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct peal_readable *r = poll->data;

	(void)status;
	(void)events;
	r->fn(r->arg);
}

/* An epoll of the one descriptor, or -errno. */
static int watch(int fd)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(EPOLL_CLOEXEC), err;

	if (epoll < 0)
		return -errno;
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0)
		return epoll;
	err = errno;
	close(epoll);
	return -err;
}

enum peal_err peal_readable_start(struct peal_readable **out,
				  struct peal_loop *l, int fd,
				  peal_readable_fn fn, void *arg)
{
	struct peal_readable *r;
	int rc;

	if (!out || !l || !fn)
		return PEAL_EINVAL;
	r = peal_zalloc(sizeof(*r));
	if (!r)
		return PEAL_ENOMEM;
	r->fd = watch(fd);
	rc = r->fd < 0 ? r->fd : uv_poll_init(peal_loop_uv(l), &r->poll, r->fd);
	if (rc) {
		if (r->fd >= 0)
			close(r->fd);
		peal_free(r);
		/* a file or a folder: always readable, never waited for */
		return rc == -EPERM || rc == -EBADF ? PEAL_EINVAL :
						      peal_err_uv(rc);
	}
	r->fn = fn;
	r->arg = arg;
	r->poll.data = r;
	r->guest.drop = on_loop_free;
	peal_loop_join(l, &r->guest);
	uv_poll_start(&r->poll, UV_READABLE, on_readable);
	*out = r;
	return PEAL_OK;
}

void peal_readable_cancel(struct peal_readable *r)
{
	if (r)
		shut(r);
}
