/* commit.c - changes of a transaction, and making them last. */
#include <stdio.h>
#include <string.h>

#include "peal/alloc.h"
#include "peal/limits.h"
#include "store/inside.h"
#include "store/revision.h"

/* --- changes --- */

static int visible(const struct peal_value *a, const struct peal_value *b)
{
	return strcmp(a->text, b->text) != 0 || a->ua != b->ua ||
	       a->user_modified != b->user_modified ||
	       a->user_pref != b->user_pref;
}

static void known_change(const struct peal_txn *t, unsigned index,
			 struct peal_change *out)
{
	const struct peal_param *p = &t->store->schema->params[index];

	peal_store_value(t->store, p->name, strlen(p->name), &out->before);
	peal_txn_value(t, p->name, strlen(p->name), &out->after);
}

static void extra_change(const struct peal_txn *t, const struct peal_extra *x,
			 struct peal_change *out)
{
	const char *name = x->name->bytes;
	size_t len = x->name->len;

	if (peal_store_value(t->store, name, len, &out->before))
		peal_value_fill_extra(&out->before, name, NULL, NULL);
	if (peal_txn_value(t, name, len, &out->after))
		peal_value_fill_extra(&out->after, name, NULL, NULL);
}

static void change_of(const struct peal_txn *t, uint32_t id,
		      struct peal_change *out)
{
	unsigned n = t->store->schema->n_params;

	if (id < n)
		known_change(t, id, out);
	else
		extra_change(t, &t->extras[id - n], out);
}

/* Sorted by name; their number is small. */
static void sort_by_name(const struct peal_txn *t, uint32_t *ids, unsigned n);

/* Collect what a person would call a change: a default that somebody wrote is
 * none. */
static enum peal_err list_changes(struct peal_txn *t)
{
	unsigned n = t->store->schema->n_params, i, known;
	struct peal_change c;
	uint32_t *ids;

	if (t->changes_valid)
		return PEAL_OK;
	ids = peal_realloc(t->changes,
			   (t->live + t->n_extras + 1) * sizeof(*ids));
	if (!ids)
		return PEAL_ENOMEM;
	t->changes = ids;
	t->n_changes = 0;
	for (i = 0; t->live && i < n; i++) {
		if (!t->slot[i] || t->staged[t->slot[i] - 1].dead)
			continue;
		known_change(t, i, &c);
		if (visible(&c.before, &c.after))
			ids[t->n_changes++] = i;
	}
	known = t->n_changes;
	for (i = 0; i < t->n_extras; i++)
		if (peal_txn_extra_changed(t, &t->extras[i]))
			ids[t->n_changes++] = n + i;
	sort_by_name(t, ids + known, t->n_changes - known);
	t->changes_valid = 1;
	return PEAL_OK;
}

static int after(const struct peal_txn *t, uint32_t a, uint32_t b)
{
	unsigned n = t->store->schema->n_params;

	return strcmp(t->extras[a - n].name->bytes,
		      t->extras[b - n].name->bytes) > 0;
}

/* Heap sort: qsort() has no argument for the transaction. */
static void sift(const struct peal_txn *t, uint32_t *ids, unsigned root,
		 unsigned n)
{
	unsigned child;
	uint32_t x = ids[root];

	while ((child = 2 * root + 1) < n) {
		if (child + 1 < n && after(t, ids[child + 1], ids[child]))
			child++;
		if (!after(t, ids[child], x))
			break;
		ids[root] = ids[child];
		root = child;
	}
	ids[root] = x;
}

static void sort_by_name(const struct peal_txn *t, uint32_t *ids, unsigned n)
{
	unsigned i;
	uint32_t x;

	for (i = n / 2; i-- > 0;)
		sift(t, ids, i, n);
	for (i = n; i-- > 1;) {
		x = ids[0];
		ids[0] = ids[i];
		ids[i] = x;
		sift(t, ids, 0, i);
	}
}

enum peal_err peal_txn_change(const struct peal_txn *t, unsigned i,
			      struct peal_change *out)
{
	/* the list is a cache */
	enum peal_err err = list_changes((struct peal_txn *)t);

	if (err)
		return err;
	if (i >= t->n_changes)
		return PEAL_ENOENT;
	change_of(t, t->changes[i], out);
	return PEAL_OK;
}

enum peal_err peal_txn_revoke(struct peal_txn *t, const char *name, size_t len)
{
	int index = peal_schema_find(t->store->schema, name, len);
	const struct peal_extra *base;
	struct peal_entry e;

	if (index >= 0) {
		peal_txn_unstage(t, (unsigned)index);
		return PEAL_OK;
	}
	base = peal_params_extra(&t->store->params, name, len);
	if (!peal_txn_extra(t, name, len))
		return base ? PEAL_OK : PEAL_EUNKNOWN;
	memset(&e, 0, sizeof(e));
	e.source = PEAL_NO_SOURCE;
	if (base) {
		e = base->entry;
		e.old_source = 1;
		peal_text_ref(e.text);
	}
	return peal_txn_stage_extra(t, name, len, e);
}

/* --- commit --- */

struct commit {
	struct peal_store *store;
	struct peal_params params;
	struct peal_states states;
	int params_changed, states_changed;
	struct peal_revision head;
};

static enum peal_err write_out(struct commit *c, struct peal_reason *reason)
{
	struct peal_store *s = c->store;
	struct peal_buf file;
	enum peal_err err;
	int renamed = 0;

	peal_buf_init(&file, PEAL_LIMIT_STORE_FILE);
	err = peal_folder_reserve(&s->folder);
	if (!err)
		err = peal_buf_reserve(&file, s->head.size + 8192 < file.max ?
						      s->head.size + 8192 :
						      file.max);
	if (!err)
		err = peal_revision_write(
			&file, s->schema,
			c->params_changed ? &c->params : &s->params,
			c->states_changed ? &c->states : &s->states, &c->head);
	if (err == PEAL_ELIMIT)
		peal_fail(reason, err, "the store would pass %d bytes",
			  PEAL_LIMIT_STORE_FILE);
	if (err)
		goto out;
	err = peal_folder_write(&s->folder, c->head.number, file.data, file.len,
				&renamed, reason);
	/* after a power cut this number may be found, whole: not used again */
	if (renamed)
		s->next = c->head.number + 1;
	if (err)
		goto out;
	c->head.size = file.len;
	peal_folder_add(&s->folder, c->head.number, file.len,
			c->head.state_only);
out:
	peal_buf_fini_secret(&file);
	return err;
}

static void swap_in(struct commit *c)
{
	struct peal_store *s = c->store;
	struct peal_params params = s->params;
	struct peal_states states = s->states;

	if (c->params_changed) {
		s->params = c->params;
		c->params = params;
	}
	if (c->states_changed) {
		s->states = c->states;
		c->states = states;
	}
	s->head = c->head;
	s->next = c->head.number + 1;
}

static enum peal_err prepare(struct commit *c, struct peal_txn *t)
{
	enum peal_err err;

	err = peal_txn_merge_params(t, c->head.number, &c->params,
				    &c->params_changed);
	if (!err)
		err = peal_txn_merge_states(t, &c->states, &c->states_changed);
	c->head.state_only = !c->params_changed;
	if (t->n_writers)
		c->head.cycle = t->writers[t->n_writers - 1].cycle;
	return err;
}

enum peal_err peal_txn_commit(struct peal_txn *t, const char *cause,
			      int64_t time, uint64_t *revision,
			      struct peal_reason *reason)
{
	struct peal_store *s = t->store;
	struct commit c;
	enum peal_err err;

	peal_reason_clear(reason);
	memset(&c, 0, sizeof(c));
	c.store = s;
	c.head.number = s->next;
	c.head.time = time;
	snprintf(c.head.cause, sizeof(c.head.cause), "%s", cause ? cause : "");
	err = prepare(&c, t);
	if (!err && (c.params_changed || c.states_changed)) {
		if (s->folder.dir >= 0)
			err = write_out(&c, reason);
		if (!err)
			swap_in(&c);
		if (!err && s->folder.dir >= 0)
			peal_folder_prune(&s->folder, s->keep);
	}
	if (!err && revision)
		*revision = s->head.number;
	peal_params_free(&s->schema->texts, &c.params);
	peal_states_free(&s->schema->texts, &c.states);
	peal_txn_abort(t);
	return err;
}
