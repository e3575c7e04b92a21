/* clock.h - a watch on the wall clock, as its test sees it. Private. */
#ifndef PEAL_NET_CLOCK_H
#define PEAL_NET_CLOCK_H

#include <sys/types.h>
#include <uv.h>

#include "loop.h"

/*   read   of the system; a test, which may not set the clock, puts in one
 *          that says ECANCELED */
struct peal_clock_watch {
	struct peal_guest guest;
	uv_poll_t poll;
	int fd;
	ssize_t (*read)(int fd, void *bytes, size_t len);
	peal_clock_fn fn;
	void *arg;
};

#endif
