/* loop.h - what the modules of the runtime share about the loop. Private. */
#ifndef PEAL_NET_LOOP_H
#define PEAL_NET_LOOP_H

#include "peal/loop.h"

/* A call at the next turn of the loop: how a cancel or an immediate answer
 * reaches `done` only after `_start` has returned. Part of the caller's
 * struct, zeroed, so that it cannot fail.
 *   dropped   the loop is being freed: release, do not call out */
struct peal_deferred {
	void (*fn)(struct peal_deferred *d, int dropped);
	struct peal_deferred *next;
	int listed;
};
void peal_loop_defer(struct peal_loop *l, struct peal_deferred *d);

/* A thing with handles of its own that nobody but the loop can free: it is told
 * when the loop goes, closes its handles with its own callbacks (they run) and
 * calls nobody. Part of the guest's struct; joined once, left before the
 * struct is freed. */
struct peal_guest {
	void (*drop)(struct peal_guest *g);
	struct peal_guest *next, **at;
};
void peal_loop_join(struct peal_loop *l, struct peal_guest *g);
void peal_loop_leave(struct peal_guest *g); /* may run twice */

/* Error for a status of libuv. */
enum peal_err peal_err_uv(int status);

#endif
