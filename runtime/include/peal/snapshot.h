/* snapshot.h - the parameters of one phone, for readers in another process.
 *
 * A memory file that one process writes and others read: sealed so that they
 * can neither change, grow nor shrink it (Linux before 5.1 has no such seal:
 * there the descriptor for readers is opened anew, read-only; without /proc
 * making a snapshot fails). A hash index finds a name in a few steps. Secrets
 * are not in it: they read as references (\0NAME\0), an empty secret as "".
 * Rewritten in place between the calls of a reader, never while one reads.
 * Why not ask for each parameter: 0.2 us instead of 75. */
#ifndef PEAL_SNAPSHOT_H
#define PEAL_SNAPSHOT_H

#include <stddef.h>

#include "peal/error.h"
#include "peal/store.h"

struct peal_snapshot;

/* One more value for this time, over the store's (a value given for one run).
 * Texts are borrowed during the call. */
struct peal_snapshot_override {
	const char *name;
	const char *text;
};

/* PEAL_ENOMEM, PEAL_ELIMIT (no descriptors), PEAL_EIO */
enum peal_err peal_snapshot_new(struct peal_snapshot **out);
void peal_snapshot_free(struct peal_snapshot *s); /* takes NULL */

/* Descriptor for readers, held by the snapshot: read-only for whoever maps
 * it. */
int peal_snapshot_fd(const struct peal_snapshot *s);

/* Write the store's parameters (names and aliases), and `over`.
 * PEAL_ELIMIT (more than PEAL_LIMIT_SNAPSHOT), PEAL_ENOMEM; the snapshot is
 * empty then. */
enum peal_err peal_snapshot_write(struct peal_snapshot *s,
				  const struct peal_store *store,
				  const struct peal_snapshot_override *over,
				  unsigned n);

/* What a reader holds. */
struct peal_snapshot_view {
	const void *base;
	size_t size;
};
/* Of the writer's own mapping, valid as long as the snapshot. */
void peal_snapshot_own_view(const struct peal_snapshot *s,
			    struct peal_snapshot_view *out);
/* Map the memory file of another process. PEAL_EIO, PEAL_EINVAL */
enum peal_err peal_snapshot_map(struct peal_snapshot_view *out, int fd);

/* Text of a parameter, borrowed from the mapping. PEAL_ENOENT */
enum peal_err peal_snapshot_get(const struct peal_snapshot_view *v,
				const char *name, size_t len, const char **text,
				size_t *text_len);

#endif
