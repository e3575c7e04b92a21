/* worker.h - a process that answers, and can be killed.
 *
 * Starts a program with one end of a socket pair as its standard input and
 * output, sends it frames (length, bytes) and gives back one frame for each.
 * A call that is not answered in time, or a process that dies, ends in an
 * error; the process is killed and reaped, and the next call starts a new one.
 * Calls on one worker queue up, one at a time. The process is started with
 * posix_spawn (0.07 ms whatever our size), with an empty environment, no
 * descriptors but 0 to 3, and no terminal. While nothing is asked it neither
 * wakes anybody nor keeps the loop running. One that has ended five times in a
 * row without an answer is not started for a while, up to half a minute.
 * Owns      the process: freeing the worker kills it, and the loop reaps it. No
 *           signal handlers, no waiting for processes of others.
 * Threads   the loop's. A confined process ends with the thread that started
 *           it. */
#ifndef PEAL_WORKER_H
#define PEAL_WORKER_H

#include <stddef.h>
#include <sys/types.h>

#include "peal/error.h"
#include "peal/loop.h"

struct peal_worker;
struct peal_worker_call;

/*   program   path; argv NULL-terminated; both copied
 *   fd        becomes descriptor 3 of the process; -1: none. Borrowed, must
 *             stay open as long as the worker */
struct peal_worker_options {
	const char *program;
	const char *const *argv;
	int fd;
};

/* Starts nothing yet. PEAL_ENOMEM, PEAL_EINVAL */
enum peal_err peal_worker_new(struct peal_worker **out, struct peal_loop *l,
			      const struct peal_worker_options *options);
/* Cancels: who waits is told by the loop. Before or after the loop is freed,
 * which tells nobody. Takes NULL. */
void peal_worker_free(struct peal_worker *w);

/* reply borrowed during the call; reason NULL where peal_err_text() says all.
 * PEAL_ETIMEOUT (killed), PEAL_EPARTIAL (the process ended before it answered,
 * or said more than an answer and was killed; reason says which), PEAL_ELIMIT
 * (reply over PEAL_LIMIT_WORKER_FRAME; killed), PEAL_EIO (could not be started,
 * or is put off), PEAL_ECANCELED (killed if it was already asked),
 * PEAL_ENOMEM */
typedef void (*peal_worker_fn)(enum peal_err err, const void *reply, size_t len,
			       const struct peal_reason *reason, void *arg);
/* Send a frame (copied).
 *   before      called right before it is sent, when no other call can be
 *               under way any more: the place to write what fd shows; or NULL
 *   deadline_ms from then on */
enum peal_err peal_worker_ask(struct peal_worker_call **out,
			      struct peal_worker *w, const void *bytes,
			      size_t len, unsigned deadline_ms,
			      void (*before)(void *arg), peal_worker_fn done,
			      void *arg);
void peal_worker_cancel(struct peal_worker_call *c);

/* Process id, 0: none runs. Starts since the worker was made. */
pid_t peal_worker_pid(const struct peal_worker *w);
unsigned peal_worker_starts(const struct peal_worker *w);

/* For the process itself, while it has one thread: give up everything but
 * descriptors 0 to 3, cap the memory (RLIMIT_DATA), forbid core dumps, files
 * and new processes, end with whoever started it, and keep only the system
 * calls that reading 0, writing 1 and using memory take; any other ends the
 * process (SIGSYS). There is no way back. x86-64, aarch64, arm, riscv64; Linux
 * 4.14 and later. A build with AddressSanitizer, whose own memory is beyond any
 * cap, has none.
 * PEAL_EIO (a step failed, or there is no filter for this machine: the process
 * must not run what it was to be confined for) */
enum peal_err peal_confine(size_t memory, struct peal_reason *reason);

/* For the process itself: one frame from descriptor 0 (appended), one to
 * descriptor 1; blocking. PEAL_ENOENT (the other side has closed), PEAL_EIO,
 * PEAL_ELIMIT, PEAL_ENOMEM */
struct peal_buf;
enum peal_err peal_frame_read(struct peal_buf *out);
enum peal_err peal_frame_write(const void *bytes, size_t len);

#endif
