/* local.h - Unix stream sockets by path, however long. Private. */
#ifndef PEAL_NET_LOCAL_H
#define PEAL_NET_LOCAL_H

#include "peal/error.h"

/* Both do not block and are not inherited by children.
 * PEAL_EINVAL, PEAL_EEXIST (something that is no socket), PEAL_ELIMIT (name,
 * descriptors, or too many wait for the listener), PEAL_ENOENT (nobody
 * listens), PEAL_EPERM, PEAL_EIO, PEAL_ENOMEM */
enum peal_err peal_local_listen(int *out, const char *path,
				struct peal_reason *reason);
enum peal_err peal_local_connect(int *out, const char *path,
				 struct peal_reason *reason);

/* Is the process at the other end of our user, or the administrator's? */
int peal_local_trusted(int fd);

#endif
