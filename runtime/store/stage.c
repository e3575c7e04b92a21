/* stage.c - the staged values of a transaction. See inside.h
 *
 * What equals the committed value is not staged, so that a profile which
 * changes nothing costs nothing and an empty stage means nothing to write. */
#include <string.h>

#include "peal/alloc.h"
#include "peal/limits.h"
#include "store/inside.h"

void *peal_grown(void *list, unsigned n, unsigned *cap, size_t size)
{
	unsigned more = *cap ? *cap * 2 : 16;
	void *bigger;

	if (n < *cap)
		return list;
	bigger = peal_realloc(list, more * size);
	if (bigger)
		*cap = more;
	return bigger;
}

void *peal_fitted(void *list, unsigned n, size_t size)
{
	void *smaller;

	if (n == 0) {
		peal_free(list);
		return NULL;
	}
	smaller = peal_realloc(list, n * size);
	return smaller ? smaller : list;
}

struct peal_intern *peal_txn_texts(const struct peal_txn *t)
{
	return &t->store->schema->texts;
}

static int same_entry(const struct peal_entry *a, const struct peal_entry *b)
{
	return a->text == b->text && a->ua == b->ua &&
	       a->user_modified == b->user_modified &&
	       a->user_pref == b->user_pref;
}

/* --- who writes --- */

static enum peal_err nobody(struct peal_txn *t)
{
	static const struct peal_source none = { 0, "", "", "" };

	return t->n_writers ? PEAL_OK : peal_txn_source(t, &none);
}

enum peal_err peal_txn_sign(struct peal_txn *t, struct peal_entry *entry,
			    const struct peal_entry *base, long line)
{
	enum peal_err err;

	/* who wrote it first stays the answer while the value stays; a user's
	 * value that somebody else takes over is news */
	if (base && base->text == entry->text &&
	    base->user_modified == entry->user_modified) {
		entry->source = base->source;
		entry->line = base->line;
		entry->old_source = 1;
		return PEAL_OK;
	}
	err = nobody(t);
	if (err)
		return err;
	entry->source = (uint16_t)(t->n_writers - 1);
	entry->old_source = 0;
	entry->line = line < 0             ? 0 :
		      line < PEAL_LINE_MAX ? (uint32_t)line & PEAL_LINE_MAX :
					     PEAL_LINE_MAX;
	t->writer_used = 1;
	return PEAL_OK;
}

const struct peal_writer *peal_txn_writer(const struct peal_txn *t,
					  const struct peal_entry *e)
{
	if (!e || e->source == PEAL_NO_SOURCE)
		return NULL;
	return e->old_source ? &t->store->params.writers[e->source] :
			       &t->writers[e->source];
}

/* --- parameters of the schema --- */

static struct peal_entry *staged(const struct peal_txn *t, unsigned index)
{
	struct peal_entry *e;

	if (!t->slot || !t->slot[index])
		return NULL;
	e = &t->staged[t->slot[index] - 1];
	return e->dead ? NULL : e;
}

const struct peal_entry *peal_txn_base(const struct peal_txn *t, unsigned index)
{
	const struct peal_params *p = &t->store->params;
	const struct peal_entry *e;
	unsigned at = t->base_at;

	if (!p->n_entries)
		return NULL;
	if (at < p->n_entries && p->entries[at].index == index)
		return &p->entries[at];
	if (++at < p->n_entries && p->entries[at].index == index)
		e = &p->entries[at];
	else
		e = peal_params_entry(p, index);
	if (e) /* a cache, not seen from outside */
		((struct peal_txn *)t)->base_at = (unsigned)(e - p->entries);
	return e;
}

struct peal_place peal_txn_place(const struct peal_txn *t, unsigned index)
{
	const struct peal_entry *e = staged(t, index);
	const struct peal_entry *base = peal_txn_base(t, index);
	struct peal_place at = { index, base, e ? e : base };

	return at;
}

void peal_txn_unstage(struct peal_txn *t, unsigned index)
{
	struct peal_entry *e = staged(t, index);

	if (!e)
		return;
	peal_text_unref(peal_txn_texts(t), e->text);
	e->text = NULL;
	e->dead = 1;
	t->live--;
	t->changes_valid = 0;
}

/* Where the index is or will be staged; NULL: no memory. */
static struct peal_entry *room_for(struct peal_txn *t, unsigned index)
{
	struct peal_entry *list;

	if (!t->slot)
		t->slot = peal_calloc(t->store->schema->n_params,
				      sizeof(*t->slot));
	if (!t->slot)
		return NULL;
	if (t->slot[index])
		return &t->staged[t->slot[index] - 1];
	list = peal_grown(t->staged, t->n_staged, &t->cap_staged,
			  sizeof(*list));
	if (!list)
		return NULL;
	t->staged = list;
	memset(&list[t->n_staged], 0, sizeof(*list));
	list[t->n_staged++].dead = 1;
	t->slot[index] = (uint16_t)t->n_staged;
	return &list[t->n_staged - 1];
}

enum peal_err peal_txn_stage(struct peal_txn *t, const struct peal_place *at,
			     const struct peal_entry *entry)
{
	const struct peal_param *p = &t->store->schema->params[at->index];
	struct peal_entry *e;

	if (at->base ? same_entry(at->base, entry) :
		       peal_entry_is_plain(entry, p->ua)) {
		peal_txn_unstage(t, at->index);
		peal_text_unref(peal_txn_texts(t), entry->text);
		return PEAL_OK;
	}
	e = room_for(t, at->index);
	if (!e) {
		peal_text_unref(peal_txn_texts(t), entry->text);
		return PEAL_ENOMEM;
	}
	t->live += e->dead;
	if (e->text)
		peal_text_unref(peal_txn_texts(t), e->text);
	*e = *entry;
	t->changes_valid = 0;
	return PEAL_OK;
}

/* --- names that no registry knows --- */

static uint32_t extra_slot(const struct peal_txn *t,
			   const struct peal_text *name)
{
	uint32_t mask = t->n_extra_slots - 1, i = name->hash & mask;

	while (t->extra_slots[i] &&
	       t->extras[t->extra_slots[i] - 1].name != name)
		i = (i + 1) & mask;
	return i;
}

struct peal_extra *peal_txn_extra(const struct peal_txn *t, const char *name,
				  size_t len)
{
	struct peal_intern *texts = peal_txn_texts(t);
	struct peal_extra *found = NULL;
	struct peal_text *text;
	uint32_t i;

	if (!t->n_extras)
		return NULL;
	text = peal_intern_find(texts, name, len);
	if (!text)
		return NULL;
	i = extra_slot(t, text);
	if (t->extra_slots[i])
		found = &t->extras[t->extra_slots[i] - 1];
	peal_text_unref(texts, text);
	return found;
}

static enum peal_err grow_slots(struct peal_txn *t)
{
	uint32_t size = t->n_extra_slots ? t->n_extra_slots * 2 : 64;
	uint32_t *slots;
	unsigned i;

	if (t->n_extras * 2 < t->n_extra_slots)
		return PEAL_OK;
	slots = peal_calloc(size, sizeof(*slots));
	if (!slots)
		return PEAL_ENOMEM;
	peal_free(t->extra_slots);
	t->extra_slots = slots;
	t->n_extra_slots = size;
	for (i = 0; i < t->n_extras; i++)
		slots[extra_slot(t, t->extras[i].name)] = i + 1;
	return PEAL_OK;
}

static enum peal_err add_extra(struct peal_txn *t, const char *name, size_t len,
			       struct peal_extra **out)
{
	const struct peal_store *s = t->store;
	int is_new = !peal_params_extra(&s->params, name, len);
	struct peal_extra *list;
	enum peal_err err;

	if (is_new && s->schema->n_params + s->params.n_extras + t->added >=
			      PEAL_LIMIT_PARAMS)
		return PEAL_ELIMIT;
	err = grow_slots(t);
	if (err)
		return err;
	list = peal_grown(t->extras, t->n_extras, &t->cap_extras,
			  sizeof(*list));
	if (!list)
		return PEAL_ENOMEM;
	t->extras = list;
	*out = &list[t->n_extras];
	memset(*out, 0, sizeof(**out));
	(*out)->name = peal_intern_get(peal_txn_texts(t), name, len);
	if (!(*out)->name)
		return PEAL_ENOMEM;
	t->extra_slots[extra_slot(t, (*out)->name)] = ++t->n_extras;
	t->added += (unsigned)is_new;
	return PEAL_OK;
}

enum peal_err peal_txn_stage_extra(struct peal_txn *t, const char *name,
				   size_t len, struct peal_entry entry)
{
	struct peal_extra *x = peal_txn_extra(t, name, len);
	enum peal_err err = x ? PEAL_OK : add_extra(t, name, len, &x);

	if (err) {
		peal_text_unref(peal_txn_texts(t), entry.text);
		return err;
	}
	peal_text_unref(peal_txn_texts(t), x->entry.text);
	x->entry = entry;
	t->changes_valid = 0;
	return PEAL_OK;
}

int peal_txn_extra_changed(const struct peal_txn *t, const struct peal_extra *x)
{
	const struct peal_extra *base = peal_params_extra(
		&t->store->params, x->name->bytes, x->name->len);

	if (!base)
		return x->entry.text != NULL;
	return !same_entry(&base->entry, &x->entry);
}

/* --- the end --- */

void peal_txn_clear(struct peal_txn *t)
{
	struct peal_intern *texts = peal_txn_texts(t);
	struct peal_params staged = { t->staged,   t->extras,   t->writers,
				      t->n_staged, t->n_extras, t->n_writers };
	unsigned i;

	peal_params_free(texts, &staged);
	for (i = 0; i < t->n_states; i++)
		peal_state_unref(texts, &t->states[i].state);
	peal_free(t->slot);
	peal_free(t->touched);
	peal_free(t->extra_slots);
	peal_free(t->states);
	peal_free(t->notes);
	peal_free(t->changes);
	peal_arena_fini(&t->note_texts);
	peal_buf_fini_secret(&t->text);
}
