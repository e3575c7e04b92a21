/* txn.c - beginning, writing and reading a transaction. See peal/store.h */
#include <string.h>

#include "peal/alloc.h"
#include "peal/limits.h"
#include "store/inside.h"

enum { NOTES_SIZE = PEAL_LIMIT_NOTES * 640, KEY_MAX = 1024 };

enum peal_err peal_txn_begin(struct peal_txn **out, struct peal_store *s)
{
	struct peal_txn *t;

	if (!out || !s)
		return PEAL_EINVAL;
	if (s->txn || s->read_only)
		return PEAL_ESTATE;
	t = peal_zalloc(sizeof(*t));
	if (!t)
		return PEAL_ENOMEM;
	t->store = s;
	peal_arena_init(&t->note_texts, NOTES_SIZE);
	peal_buf_init(&t->text, PEAL_LIMIT_VALUE + 1);
	s->txn = t;
	*out = t;
	return PEAL_OK;
}

void peal_txn_abort(struct peal_txn *t)
{
	if (!t)
		return;
	t->store->txn = NULL;
	peal_txn_clear(t);
	peal_free(t);
}

/* --- who writes --- */

static void free_writer(struct peal_txn *t, struct peal_writer *w)
{
	peal_text_unref(peal_txn_texts(t), w->author);
	peal_text_unref(peal_txn_texts(t), w->rule);
	peal_text_unref(peal_txn_texts(t), w->url);
}

static struct peal_text *source_text(struct peal_txn *t, const char *text)
{
	return peal_intern_get(peal_txn_texts(t), text ? text : "",
			       text ? strlen(text) : 0);
}

enum peal_err peal_txn_source(struct peal_txn *t,
			      const struct peal_source *source)
{
	struct peal_writer *list = NULL,
			   w = { source->cycle, 0, NULL, NULL, NULL };
	enum peal_err err = PEAL_ENOMEM;

	w.author = source_text(t, source->author);
	w.rule = source_text(t, source->rule);
	w.url = source_text(t, source->url);
	if (!w.author || !w.rule || !w.url)
		goto fail;
	if (t->n_writers && !t->writer_used) /* the last one wrote nothing */
		free_writer(t, &t->writers[--t->n_writers]);
	err = PEAL_ELIMIT;
	if (t->n_writers == PEAL_LIMIT_PARAMS)
		goto fail;
	err = PEAL_ENOMEM;
	list = peal_grown(t->writers, t->n_writers, &t->cap_writers,
			  sizeof(*list));
	if (!list)
		goto fail;
	t->writers = list;
	list[t->n_writers++] = w;
	t->writer_used = 0;
	return PEAL_OK;
fail:
	free_writer(t, &w);
	return err;
}

void peal_txn_keep_unknown(struct peal_txn *t, int on)
{
	t->keep_unknown = on;
}

/* --- one value --- */

static void plain(const struct peal_txn *t, unsigned index,
		  struct peal_entry *out)
{
	const struct peal_entry e = {
		.index = (uint16_t)index,
		.source = PEAL_NO_SOURCE,
		.ua = (unsigned)t->store->schema->params[index].ua & 3
	};

	*out = e;
}

void peal_txn_start(const struct peal_txn *t, const struct peal_place *at,
		    struct peal_entry *out)
{
	if (!at->seen) {
		plain(t, at->index, out);
		return;
	}
	*out = *at->seen;
	/* a committed one's source is the store's */
	if (at->seen == at->base)
		out->old_source = 1;
}

enum peal_err peal_txn_canonical(struct peal_txn *t,
				 const struct peal_place *at, const char *text,
				 size_t len, struct peal_text **out,
				 struct peal_reason *reason)
{
	const struct peal_entry *e = at->seen;
	const struct peal_param *p = &t->store->schema->params[at->index];
	enum peal_err err;

	/* what is stored is canonical: most of a profile is as it was */
	if (e && e->text && e->text->len == len &&
	    memcmp(e->text->bytes, text, len) == 0) {
		*out = peal_text_ref(e->text);
		return PEAL_OK;
	}
	if (!peal_type_is_canonical(p, text, len) &&
	    (strlen(p->deflt) != len || memcmp(p->deflt, text, len) != 0)) {
		err = peal_schema_check(t->store->schema, at->index, text, len,
					&t->text, reason);
		if (err)
			return err;
		text = t->text.len ? (char *)t->text.data : "";
		len = t->text.len;
	}
	*out = peal_intern_get(peal_txn_texts(t), text, len);
	return *out ? PEAL_OK : PEAL_ENOMEM;
}

enum peal_err peal_txn_write(struct peal_txn *t, const struct peal_place *at,
			     struct peal_entry *entry, long line)
{
	enum peal_err err;

	err = peal_txn_sign(t, entry, at->base, line);
	if (err) {
		peal_text_unref(peal_txn_texts(t), entry->text);
		return err;
	}
	return peal_txn_stage(t, at, entry);
}

static enum peal_err set_known(struct peal_txn *t, unsigned index,
			       const char *text, size_t len, unsigned flags,
			       struct peal_reason *reason)
{
	const struct peal_place at = peal_txn_place(t, index);
	struct peal_entry e;
	enum peal_err err;

	peal_txn_start(t, &at, &e);
	err = peal_txn_canonical(t, &at, text, len, &e.text, reason);
	if (err)
		return err;
	e.user_modified = (flags & PEAL_SET_BY_USER) != 0;
	return peal_txn_write(t, &at, &e, 0);
}

/* What a reader of the transaction sees of a name no registry knows. */
static const struct peal_entry *seen_extra(const struct peal_txn *t,
					   const char *name, size_t len)
{
	const struct peal_extra *x = peal_txn_extra(t, name, len);

	if (!x)
		x = peal_params_extra(&t->store->params, name, len);
	return x && x->entry.text ? &x->entry : NULL;
}

enum peal_err peal_txn_write_extra(struct peal_txn *t, const char *name,
				   size_t name_len, const char *text,
				   size_t len, enum peal_ua ua,
				   unsigned by_user, long line)
{
	const struct peal_extra *base =
		peal_params_extra(&t->store->params, name, name_len);
	const struct peal_entry *seen = seen_extra(t, name, name_len);
	struct peal_entry e;
	enum peal_err err;

	memset(&e, 0, sizeof(e));
	e.ua = seen ? seen->ua : PEAL_UA_NA;
	if (ua != PEAL_UA_NONE)
		e.ua = (unsigned)ua & 3;
	e.user_modified = by_user & 1;
	e.text = peal_intern_get(peal_txn_texts(t), text, len);
	if (!e.text)
		return PEAL_ENOMEM;
	err = peal_txn_sign(t, &e, base ? &base->entry : NULL, line);
	if (err) {
		peal_text_unref(peal_txn_texts(t), e.text);
		return err;
	}
	return peal_txn_stage_extra(t, name, name_len, e);
}

static enum peal_err set_extra(struct peal_txn *t, const char *name,
			       size_t name_len, const char *text, size_t len,
			       unsigned flags, struct peal_reason *reason)
{
	if (!t->keep_unknown && !seen_extra(t, name, name_len))
		return peal_fail(reason, PEAL_EUNKNOWN,
				 "there is no parameter %.*s",
				 (int)(name_len < 100 ? name_len : 100), name);
	if (!peal_name_ok(name, name_len))
		return peal_fail(reason, PEAL_EINVAL,
				 "not a name of a parameter");
	if (len > PEAL_LIMIT_VALUE || memchr(text, '\0', len))
		return peal_fail(reason, PEAL_ETYPE,
				 "wants a text of up to %d bytes",
				 PEAL_LIMIT_VALUE);
	return peal_txn_write_extra(t, name, name_len, text, len, PEAL_UA_NONE,
				    (flags & PEAL_SET_BY_USER) != 0, 0);
}

enum peal_err peal_txn_set(struct peal_txn *t, const char *name,
			   size_t name_len, const char *text, size_t text_len,
			   unsigned flags, struct peal_reason *reason)
{
	int index = peal_schema_find(t->store->schema, name, name_len);

	peal_reason_clear(reason);
	if (index >= 0)
		return set_known(t, (unsigned)index, text, text_len, flags,
				 reason);
	return set_extra(t, name, name_len, text, text_len, flags, reason);
}

/* --- back to the defaults --- */

static enum peal_err reset_known(struct peal_txn *t, unsigned index)
{
	const struct peal_place at = peal_txn_place(t, index);
	struct peal_entry e;

	plain(t, index, &e);
	return peal_txn_stage(t, &at, &e);
}

static enum peal_err reset_extra(struct peal_txn *t, const char *name,
				 size_t len)
{
	struct peal_entry none;

	if (!seen_extra(t, name, len))
		return PEAL_EUNKNOWN;
	memset(&none, 0, sizeof(none));
	none.source = PEAL_NO_SOURCE;
	return peal_txn_stage_extra(t, name, len, none);
}

enum peal_err peal_txn_reset(struct peal_txn *t, const char *name, size_t len)
{
	int index = peal_schema_find(t->store->schema, name, len);

	if (index >= 0)
		return reset_known(t, (unsigned)index);
	return reset_extra(t, name, len);
}

static int listed(const char *const *list, const char *word)
{
	for (; list && *list; list++)
		if (strcmp(*list, word) == 0)
			return 1;
	return 0;
}

static enum peal_err log_state(struct peal_txn *t, struct peal_text *ns,
			       struct peal_text *key, struct peal_text *value);

static enum peal_err reset_states(struct peal_txn *t, const char *const *keep)
{
	const struct peal_states *have = &t->store->states;
	unsigned i, logged = t->n_states;
	const struct peal_state *x;
	enum peal_err err = PEAL_OK;

	for (i = 0; i < have->n + logged && !err; i++) {
		x = i < have->n ? &have->list[i] :
				  &t->states[i - have->n].state;
		if (!listed(keep, x->ns->bytes))
			err = log_state(t, peal_text_ref(x->ns),
					peal_text_ref(x->key), NULL);
	}
	return err;
}

enum peal_err peal_txn_factory_reset(struct peal_txn *t,
				     const char *const *keep)
{
	const struct peal_params *have = &t->store->params;
	enum peal_err err = PEAL_OK;
	unsigned i;

	for (i = 0; i < t->n_staged && !err; i++)
		err = reset_known(t, t->staged[i].index);
	for (i = 0; i < have->n_entries && !err; i++)
		err = reset_known(t, have->entries[i].index);
	for (i = 0; i < have->n_extras && !err; i++) {
		const struct peal_text *name = have->extras[i].name;

		err = reset_extra(t, name->bytes, name->len);
		err = err == PEAL_EUNKNOWN ? PEAL_OK : err;
	}
	for (i = 0; i < t->n_extras && !err; i++) {
		const struct peal_text *name = t->extras[i].name;

		err = reset_extra(t, name->bytes, name->len);
		err = err == PEAL_EUNKNOWN ? PEAL_OK : err;
	}
	return err ? err : reset_states(t, keep);
}

/* --- state --- */

/* Takes the references, also on failure. */
static enum peal_err log_state(struct peal_txn *t, struct peal_text *ns,
			       struct peal_text *key, struct peal_text *value)
{
	struct peal_state_change *list;

	list = peal_grown(t->states, t->n_states, &t->cap_states,
			  sizeof(*list));
	if (!list) {
		peal_text_unref(peal_txn_texts(t), ns);
		peal_text_unref(peal_txn_texts(t), key);
		peal_text_unref(peal_txn_texts(t), value);
		return PEAL_ENOMEM;
	}
	t->states = list;
	list[t->n_states].state.ns = ns;
	list[t->n_states].state.key = key;
	list[t->n_states].state.value = value;
	list[t->n_states].sequence = t->n_states;
	t->n_states++;
	return PEAL_OK;
}

enum peal_err peal_txn_state(struct peal_txn *t, const char *ns,
			     const char *key, const char *text, size_t len)
{
	struct peal_text *x, *y, *value = NULL;
	size_t key_len = strlen(key);

	if (!peal_name_ok(ns, strlen(ns)) || !key_len || key_len > KEY_MAX)
		return PEAL_EINVAL;
	if (text && len > PEAL_LIMIT_STATE)
		return PEAL_ELIMIT;
	x = peal_intern_get(peal_txn_texts(t), ns, strlen(ns));
	y = peal_intern_get(peal_txn_texts(t), key, key_len);
	if (text)
		value = peal_text_new(text, len);
	if (x && y && (value || !text))
		return log_state(t, x, y, value);
	peal_text_unref(peal_txn_texts(t), x);
	peal_text_unref(peal_txn_texts(t), y);
	peal_text_unref(peal_txn_texts(t), value);
	return PEAL_ENOMEM;
}

/* --- reading --- */

static void value_of(const struct peal_txn *t, unsigned index,
		     struct peal_value *out)
{
	const struct peal_place at = peal_txn_place(t, index);
	const struct peal_entry *e = at.seen;
	const struct peal_writer *w = NULL;

	if (e && e->source != PEAL_NO_SOURCE) {
		if (e == at.base)
			w = &t->store->params.writers[e->source];
		else
			w = peal_txn_writer(t, e);
	}
	peal_value_fill(out, &t->store->schema->params[index], e, w);
}

enum peal_err peal_txn_value(const struct peal_txn *t, const char *name,
			     size_t len, struct peal_value *out)
{
	int index = peal_schema_find(t->store->schema, name, len);
	const struct peal_extra *x;

	if (index >= 0) {
		value_of(t, (unsigned)index, out);
		return PEAL_OK;
	}
	x = peal_txn_extra(t, name, len);
	if (!x)
		return peal_store_value(t->store, name, len, out);
	if (!x->entry.text)
		return PEAL_EUNKNOWN;
	peal_value_fill_extra(out, x->name->bytes, &x->entry,
			      peal_txn_writer(t, &x->entry));
	return PEAL_OK;
}
