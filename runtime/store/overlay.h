/* overlay.h - what a store holds beyond the defaults of its schema.
 *
 * A content is built once and then only read: a commit builds the next one
 * and swaps it in, so that readers see old or new. Arrays are sorted and
 * exactly as long as needed: a host has thousands of stores. */
#ifndef PEAL_OVERLAY_H
#define PEAL_OVERLAY_H

#include "peal/store.h"
#include "store/registry.h"

enum { PEAL_NO_SOURCE = 0xffff, PEAL_LINE_MAX = 0xffffff };

/* One parameter that differs from its definition. */
struct peal_entry {
	struct peal_text *text; /* NULL: the default, nobody wrote it */
	uint16_t index;         /* in the schema; not used for extras */
	uint16_t source;        /* who wrote it, or PEAL_NO_SOURCE */
	uint32_t line : 24;
	uint32_t ua : 2; /* enum peal_ua */
	uint32_t user_modified : 1;
	uint32_t user_pref : 1;
	uint32_t old_source : 1; /* while staged: source is the store's */
	uint32_t dead : 1;       /* while staged: taken back */
};

/* A name that no registry knows, kept as text. */
struct peal_extra {
	struct peal_text *name;
	struct peal_entry entry;
};

struct peal_writer {
	uint64_t cycle;
	uint64_t revision;
	struct peal_text *author, *rule, *url;
};

struct peal_params {
	struct peal_entry *entries; /* by index */
	struct peal_extra *extras;  /* by name */
	struct peal_writer *writers;
	unsigned n_entries, n_extras, n_writers;
};

struct peal_state {
	struct peal_text *ns, *key, *value;
};

struct peal_states {
	struct peal_state *list; /* by ns, then key */
	unsigned n;
};

void peal_params_free(struct peal_intern *texts, struct peal_params *p);
void peal_state_unref(struct peal_intern *texts, const struct peal_state *s);
void peal_states_free(struct peal_intern *texts, struct peal_states *s);

/* NULL when there is none. */
const struct peal_entry *peal_params_entry(const struct peal_params *p,
					   unsigned index);
const struct peal_extra *peal_params_extra(const struct peal_params *p,
					   const char *name, size_t len);
/* Position of the first one not before ns and key (NULL: any). */
unsigned peal_states_seek(const struct peal_states *s, const char *ns,
			  const char *key);
int peal_state_order(const struct peal_state *a, const struct peal_state *b);

/* Order of names: bytes, as strcmp() for names without NUL. */
int peal_name_order(const char *a, size_t n, const char *b, size_t m);

/* Does the entry say no more than the definition? */
int peal_entry_is_plain(const struct peal_entry *e, enum peal_ua ua);

/* Fill `out` for a parameter (entry may be NULL), or for an extra. `w` is the
 * entry's writer or NULL. */
void peal_value_fill(struct peal_value *out, const struct peal_param *p,
		     const struct peal_entry *e, const struct peal_writer *w);
void peal_value_fill_extra(struct peal_value *out, const char *name,
			   const struct peal_entry *e,
			   const struct peal_writer *w);

#endif
