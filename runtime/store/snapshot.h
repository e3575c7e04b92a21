/* snapshot.h - how a snapshot lies in its file. Private.
 *
 * A head; for the parameters of the schema an index, their names and their
 * defaults, which are written once a schema; then, anew each time, names that
 * no registry knows with an index of their own, and texts. An index is an open
 * hash table as in a schema; it leads to a number, the number to a name and a
 * text. A name lies between two NULs, so that it is the reference to a secret
 * as well. */
#ifndef PEAL_STORE_SNAPSHOT_H
#define PEAL_STORE_SNAPSHOT_H

#include <stdint.h>

#include "peal/snapshot.h"
#include "store/registry.h"

enum { PEAL_SNAPSHOT_MAGIC = 0x6c616570 };

struct peal_span {
	uint32_t at, len;
};

/* Offsets of arrays. */
struct peal_snapshot_table {
	uint32_t slots; /* struct peal_slot[size] */
	uint32_t size;  /* a power of two; 0: no names */
	uint32_t names; /* struct peal_span[n] */
	uint32_t texts; /* struct peal_span[n] */
	uint32_t n;
};

struct peal_snapshot_head {
	uint32_t magic;
	uint64_t seed[2];
	struct peal_snapshot_table known, extra;
};

/* Number of a name in a table, or -1.
 *   slot  where it would have to stand; may be NULL */
int64_t peal_snapshot_seek(const struct peal_snapshot_view *v,
			   const struct peal_snapshot_table *t, uint32_t hash,
			   const char *name, size_t len, uint32_t *slot);

#endif
