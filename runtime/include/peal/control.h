/* control.h - lines between processes of one machine and one user.
 *
 * A Unix stream socket in a folder that only its owner may enter. Both sides
 * send lines (bytes without '\n', at most PEAL_LIMIT_CONTROL_LINE). A peer of
 * another user is closed unheard, and so is one more than
 * PEAL_LIMIT_CONTROL_PEERS. A peer that does not read is closed when
 * PEAL_LIMIT_CONTROL_QUEUE bytes wait for it. What follows the last '\n' of a
 * connection that ends is dropped. Out of descriptors, peers wait until there
 * are some again. A server and its peers keep the loop running.
 * Threads   the loop's. */
#ifndef PEAL_CONTROL_H
#define PEAL_CONTROL_H

#include <stddef.h>

#include "peal/error.h"
#include "peal/loop.h"

struct peal_control_server;
struct peal_control_peer;

/* A line, borrowed during the call. */
typedef void (*peal_control_line_fn)(const char *line, size_t len, void *arg);
/* The connection is over and the peer freed. PEAL_OK (the other side closed),
 * PEAL_ELIMIT (line too long, or it does not read), PEAL_ECANCELED (the server
 * was freed), PEAL_EIO, PEAL_ENOMEM */
typedef void (*peal_control_over_fn)(enum peal_err err, void *arg);
/* Somebody is there. Call peal_control_accept() within, or it is closed. */
typedef void (*peal_control_peer_fn)(struct peal_control_peer *p, void *arg);

/* Listen at `path`, mode 0600; a socket left there by a process that is gone
 * is replaced (the caller holds the folder's lock, so nobody else listens).
 * Paths longer than a socket address takes go through the folder's descriptor.
 * PEAL_EIO, PEAL_EPERM, PEAL_ENOMEM, PEAL_ELIMIT, PEAL_EEXIST (no socket) */
enum peal_err peal_control_listen(struct peal_control_server **out,
				  struct peal_loop *l, const char *path,
				  peal_control_peer_fn fn, void *arg,
				  struct peal_reason *reason);
/* Closes it and its peers, whose over() is called, and removes the socket.
 * Takes NULL. */
void peal_control_server_free(struct peal_control_server *s);

/* Nothing is read before peal_control_accept(); lines may be sent at once.
 * PEAL_ENOENT (nobody listens there), PEAL_EPERM (another user does),
 * PEAL_ELIMIT (descriptors, or too many wait for it), PEAL_EIO, PEAL_ENOMEM */
enum peal_err peal_control_connect(struct peal_control_peer **out,
				   struct peal_loop *l, const char *path,
				   struct peal_reason *reason);
void peal_control_accept(struct peal_control_peer *p, peal_control_line_fn line,
			 peal_control_over_fn over, void *arg);
/* PEAL_EINVAL: a '\n' in it, or too long; nothing was sent, and it goes on.
 * PEAL_ELIMIT, PEAL_ENOMEM; over() follows. PEAL_OK does not mean that it was
 * read. */
enum peal_err peal_control_send(struct peal_control_peer *p, const char *line,
				size_t len);
/* What was sent goes out first, within 2 s; over() is not called. Takes NULL. */
void peal_control_close(struct peal_control_peer *p);

#endif
