/* inside.h - the insides of a store and of a transaction. */
#ifndef PEAL_STORE_INSIDE_H
#define PEAL_STORE_INSIDE_H

#include "peal/arena.h"
#include "store/folder.h"
#include "store/overlay.h"

struct peal_store {
	struct peal_schema *schema;
	struct peal_params params;
	struct peal_states states;
	struct peal_revision head; /* of the newest one; number 0: none yet */
	uint64_t next; /* number of the next one; never used twice */
	struct peal_folder folder;
	int read_only;
	size_t keep;
	unsigned char key[PEAL_STORE_KEY];
	char **notes;
	unsigned n_notes;
	struct peal_txn *txn;
};

/* A log of state changes; the later of two on one key holds. */
struct peal_state_change {
	struct peal_state state; /* value NULL: removed */
	unsigned sequence;
};

struct peal_txn_note {
	const char *word;
	const char *name;
	const char *text;
	long line;
};

struct peal_txn {
	struct peal_store *store;
	int keep_unknown;
	unsigned expected; /* index of the element that may come next */

	struct peal_writer *writers;
	unsigned n_writers, cap_writers;
	int writer_used; /* the last one is somebody's */

	struct peal_entry *staged;
	unsigned n_staged, cap_staged;
	unsigned live;    /* of these, not taken back */
	uint16_t *slot;   /* by index: position in staged + 1; or NULL */
	unsigned base_at; /* where the last committed entry was found */

	struct peal_extra *extras; /* staged; text NULL: removed */
	unsigned n_extras, cap_extras;
	uint32_t *extra_slots; /* position + 1 by hash of the name */
	uint32_t n_extra_slots;
	unsigned added; /* extras that the store does not have */

	struct peal_state_change *states;
	unsigned n_states, cap_states;

	struct peal_txn_counts counts;
	uint32_t *touched; /* by index: line << 3 | enum peal_touch; or NULL */
	struct peal_arena note_texts;
	struct peal_txn_note *notes;
	unsigned n_notes, cap_notes;

	struct peal_buf text; /* of the type check */
	uint32_t *changes;    /* index, or n_params + position in extras */
	unsigned n_changes;
	int changes_valid;
};

/* A parameter as a transaction finds it, looked up once for a whole write.
 *   base   the committed entry, or NULL
 *   seen   the entry a reader of the transaction would see, or NULL; valid
 *          until something is staged */
struct peal_place {
	unsigned index;
	const struct peal_entry *base;
	const struct peal_entry *seen;
};

/* stage.c */
struct peal_intern *peal_txn_texts(const struct peal_txn *t);
/* The committed entry, or NULL. Profiles come in the registry's order more
 * often than not, so the next one is looked at first. */
const struct peal_entry *peal_txn_base(const struct peal_txn *t,
				       unsigned index);
struct peal_place peal_txn_place(const struct peal_txn *t, unsigned index);
/* Stage an entry; takes its reference to the text, also on failure. Entries
 * go by pointer: copies of what was just written by the bit cost more than all
 * else here. */
enum peal_err peal_txn_stage(struct peal_txn *t, const struct peal_place *at,
			     const struct peal_entry *entry);
void peal_txn_unstage(struct peal_txn *t, unsigned index);
/* The staged extra of a name, or NULL. */
struct peal_extra *peal_txn_extra(const struct peal_txn *t, const char *name,
				  size_t len);
/* Stage an extra (text NULL: removed). PEAL_ELIMIT */
enum peal_err peal_txn_stage_extra(struct peal_txn *t, const char *name,
				   size_t len, struct peal_entry entry);
/* Differs it from what the store has? */
int peal_txn_extra_changed(const struct peal_txn *t,
			   const struct peal_extra *x);
/* Put the transaction's writer, line and text into an entry, keeping the
 * provenance of a value that stays the same. `base` may be NULL. */
enum peal_err peal_txn_sign(struct peal_txn *t, struct peal_entry *entry,
			    const struct peal_entry *base, long line);
const struct peal_writer *peal_txn_writer(const struct peal_txn *t,
					  const struct peal_entry *e);
/* Wipe and free all but the struct itself. */
void peal_txn_clear(struct peal_txn *t);
/* Room for one more in a growing array, or NULL. */
void *peal_grown(void *list, unsigned n, unsigned *cap, size_t size);
/* The array without the room that is not used; of none NULL. */
void *peal_fitted(void *list, unsigned n, size_t size);

/* txn.c */
/* A copy of the entry a reader would see, or a plain one; the text is only
 * borrowed. */
void peal_txn_start(const struct peal_txn *t, const struct peal_place *at,
		    struct peal_entry *out);
/* A reference to the canonical text. PEAL_ETYPE */
enum peal_err peal_txn_canonical(struct peal_txn *t,
				 const struct peal_place *at, const char *text,
				 size_t len, struct peal_text **out,
				 struct peal_reason *reason);
/* Sign and stage an entry whose text was written; takes the reference. */
enum peal_err peal_txn_write(struct peal_txn *t, const struct peal_place *at,
			     struct peal_entry *entry, long line);
/* The same for a name that no registry knows. PEAL_ELIMIT */
enum peal_err peal_txn_write_extra(struct peal_txn *t, const char *name,
				   size_t name_len, const char *text,
				   size_t len, enum peal_ua ua,
				   unsigned by_user, long line);

/* merge.c: the contents after the transaction. *changed tells whether they
 * differ; if not, `out` stays empty. */
enum peal_err peal_txn_merge_params(struct peal_txn *t, uint64_t revision,
				    struct peal_params *out, int *changed);
enum peal_err peal_txn_merge_states(struct peal_txn *t, struct peal_states *out,
				    int *changed);

#endif
