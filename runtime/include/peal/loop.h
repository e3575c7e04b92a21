/* loop.h - the event loop of one host, and its timers.
 *
 * A libuv loop with a name of ours. Everything asynchronous (fetch, tftp,
 * resolve, datagrams) is started on a loop, calls back from peal_loop_run() on
 * the same thread, and can be cancelled at any time. A `_start` function that
 * returns PEAL_OK calls its `done` exactly once, never before it returned;
 * after a cancel it is called with PEAL_ECANCELED before the loop goes idle.
 * Owns      all handles; freeing the loop cancels what is under way.
 * Threads   one thread per loop. */
#ifndef PEAL_LOOP_H
#define PEAL_LOOP_H

#include <stdint.h>

#include "peal/error.h"

struct uv_loop_s;
struct peal_loop;
struct peal_timer;

enum peal_err peal_loop_new(struct peal_loop **out);
/* Everything started on the loop must be finished or cancelled; what is still
 * open is closed and its `done` not called any more. Takes NULL. */
void peal_loop_free(struct peal_loop *l);

/* Run until nothing is left to wait for, until peal_loop_stop(), or, with
 * once, until at least one event was handled. */
enum peal_err peal_loop_run(struct peal_loop *l, int once);
void peal_loop_stop(struct peal_loop *l);

/* Monotonic milliseconds; read afresh, not the loop's cached time. */
uint64_t peal_loop_now_ms(const struct peal_loop *l);

/* For modules of the runtime that make handles of their own. While the loop is
 * being freed close callbacks release and call nobody. */
struct uv_loop_s *peal_loop_uv(struct peal_loop *l);

typedef void (*peal_timer_fn)(void *arg);
/* Calls fn once after `ms`; the timer is freed then.
 *   out   for peal_timer_cancel() until fn was called; may be NULL */
enum peal_err peal_timer_start(struct peal_timer **out, struct peal_loop *l,
			       uint64_t ms, peal_timer_fn fn, void *arg);
void peal_timer_cancel(struct peal_timer *t); /* fn is not called; takes NULL */

enum { PEAL_SIGNALS_MAX = 8 };
struct peal_signals;
typedef void (*peal_signal_fn)(int number, void *arg);
/* Calls fn, from the loop, for each signal of the list that the process gets.
 * Signals are the process's: every loop that waits for one hears of it, and
 * when the last one has cancelled, its default action is back. Alone it does
 * not keep the loop running.
 *   out   may be NULL: until the loop is freed
 * PEAL_EINVAL (too many, or a number that cannot be caught), PEAL_ENOMEM */
enum peal_err peal_signals_start(struct peal_signals **out, struct peal_loop *l,
				 const int *numbers, unsigned n,
				 peal_signal_fn fn, void *arg);
void peal_signals_cancel(struct peal_signals *s); /* takes NULL */

struct peal_clock_watch;
typedef void (*peal_clock_fn)(void *arg);
/* Calls fn each time somebody has set the wall clock (not when it is slewed).
 * It wakes nobody otherwise, and does not keep the loop running. Linux only:
 * a timerfd that is canceled by the set.
 *   out   may be NULL: until the loop is freed
 * PEAL_ELIMIT (descriptors), PEAL_EIO, PEAL_ENOMEM */
enum peal_err peal_clock_watch_start(struct peal_clock_watch **out,
				     struct peal_loop *l, peal_clock_fn fn,
				     void *arg);
void peal_clock_watch_cancel(struct peal_clock_watch *w); /* takes NULL */

struct peal_readable;
typedef void (*peal_readable_fn)(void *arg);
/* Calls fn, at every turn of the loop, while there is something to be read from
 * `fd` or its other end is gone; it keeps the loop running. The descriptor is
 * the caller's, stays as it is (a terminal blocking) and open until the cancel.
 * Linux only: epoll.
 * PEAL_EINVAL (a file, which is always readable), PEAL_ELIMIT, PEAL_ENOMEM */
enum peal_err peal_readable_start(struct peal_readable **out,
				  struct peal_loop *l, int fd,
				  peal_readable_fn fn, void *arg);
void peal_readable_cancel(struct peal_readable *r); /* takes NULL */

#endif
