/* process.h - one started program at the other end of a socket. Private.
 *
 * The holder learns when there is something to read or room to write, and
 * once that it has ended. While nobody waits for it, it does not keep the loop
 * running, and causes no wake-ups. */
#ifndef PEAL_WORKER_PROCESS_H
#define PEAL_WORKER_PROCESS_H

#include "peal/worker.h"

struct peal_process;

struct peal_process_events {
	/* flags: UV_READABLE, UV_WRITABLE */
	void (*ready)(int flags, void *arg);
	/* The last call; the process is freed after it. What it has sent can
	 * still be received.
	 *   status  of waitpid(), -1: not known */
	void (*ended)(int status, void *arg);
};

/* PEAL_EIO, PEAL_ELIMIT, PEAL_ENOMEM; reason says what could not be started.
 * Nobody waits for it at first. */
enum peal_err peal_process_start(struct peal_process **out, struct peal_loop *l,
				 const struct peal_worker_options *options,
				 const struct peal_process_events *events,
				 void *arg, struct peal_reason *reason);
int peal_process_fd(const struct peal_process *p);
pid_t peal_process_pid(const struct peal_process *p);
/*   room     tell when there is room to write
 *   waiting  keeps the loop running */
void peal_process_watch(struct peal_process *p, int room, int waiting);
/* It has closed its end: kill it; `ended` is called. */
void peal_process_hangup(struct peal_process *p);
/* Kill it; nobody is called any more, the loop reaps and frees. Takes NULL. */
void peal_process_kill(struct peal_process *p);
/* The same while the loop is being freed. Takes NULL. */
void peal_process_drop(struct peal_process *p);

#endif
