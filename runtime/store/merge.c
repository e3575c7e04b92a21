/* merge.c - from a transaction to the next content. See inside.h */
#include <stdlib.h>
#include <string.h>

#include "peal/alloc.h"
#include "store/inside.h"

struct merge {
	struct peal_txn *t;
	const struct peal_params *old;
	struct peal_params *out;
	uint64_t revision;
	uint16_t *from_old; /* new number of a writer, PEAL_NO_SOURCE: none */
	uint16_t *from_txn;
};

/* Only writers of values that stay are taken along. */
static uint16_t take_writer(struct merge *m, const struct peal_entry *e,
			    int old)
{
	uint16_t *map = old ? m->from_old : m->from_txn;
	struct peal_writer *w;

	if (e->source == PEAL_NO_SOURCE)
		return PEAL_NO_SOURCE;
	if (map[e->source] == PEAL_NO_SOURCE) {
		map[e->source] = (uint16_t)m->out->n_writers;
		w = &m->out->writers[m->out->n_writers++];
		*w = old ? m->old->writers[e->source] :
			   m->t->writers[e->source];
		if (!old)
			w->revision = m->revision;
		peal_text_ref(w->author);
		peal_text_ref(w->rule);
		peal_text_ref(w->url);
	}
	return map[e->source];
}

static struct peal_entry copied(struct merge *m, const struct peal_entry *e,
				int old)
{
	struct peal_entry copy = *e;

	peal_text_ref(copy.text);
	copy.source = take_writer(m, e, old || e->old_source);
	copy.old_source = 0;
	return copy;
}

/* With the reference to the text: a transaction ends with its commit, however
 * that goes. */
static struct peal_entry moved(struct merge *m, struct peal_entry *e)
{
	struct peal_entry copy = *e;

	e->text = NULL;
	copy.source = take_writer(m, e, e->old_source);
	copy.old_source = 0;
	return copy;
}

static void merge_entries(struct merge *m)
{
	const struct peal_schema *schema = m->t->store->schema;
	const struct peal_txn *t = m->t;
	const struct peal_entry *e = m->old->entries;
	const struct peal_entry *end = e + m->old->n_entries;
	struct peal_entry *staged;
	struct peal_entry *to = m->out->entries;
	unsigned i;

	if (!t->live) {
		while (e < end)
			*to++ = copied(m, e++, 1);
		goto out;
	}
	for (i = 0; i < schema->n_params; i++) {
		staged = t->slot[i] ? &t->staged[t->slot[i] - 1] : NULL;
		if (staged && !staged->dead) {
			if (!peal_entry_is_plain(staged, schema->params[i].ua))
				*to++ = moved(m, staged);
		} else if (e < end && e->index == i) {
			*to++ = copied(m, e, 1);
		}
		e += e < end && e->index == i;
	}
out:
	m->out->n_entries = (unsigned)(to - m->out->entries);
}

static int extra_order(const void *a, const void *b)
{
	const struct peal_text *x = (*(struct peal_extra *const *)a)->name;
	const struct peal_text *y = (*(struct peal_extra *const *)b)->name;

	return peal_name_order(x->bytes, x->len, y->bytes, y->len);
}

static void take_extra(struct merge *m, const struct peal_extra *x, int old)
{
	struct peal_extra *to = &m->out->extras[m->out->n_extras];

	if (!x->entry.text)
		return;
	to->name = peal_text_ref(x->name);
	to->entry = copied(m, &x->entry, old);
	m->out->n_extras++;
}

/* `sorted` are the staged ones in order. */
static void merge_extras(struct merge *m, struct peal_extra *const *sorted)
{
	unsigned i = 0, j = 0, n = m->old->n_extras, k = m->t->n_extras;
	int order;

	while (i < n || j < k) {
		const struct peal_extra *x = i < n ? &m->old->extras[i] : NULL;
		const struct peal_extra *y = j < k ? sorted[j] : NULL;

		order = !x ? 1 : !y ? -1 : extra_order(&x, &y);
		if (order < 0)
			take_extra(m, x, 1);
		else
			take_extra(m, y, 0);
		i += order <= 0;
		j += order >= 0;
	}
}

static struct peal_extra **sort_extras(struct peal_txn *t)
{
	struct peal_extra **list =
		peal_alloc((t->n_extras + 1) * sizeof(*list));
	unsigned i;

	if (!list)
		return NULL;
	for (i = 0; i < t->n_extras; i++)
		list[i] = &t->extras[i];
	if (t->n_extras)
		qsort(list, t->n_extras, sizeof(*list), extra_order);
	return list;
}

static int params_changed(const struct peal_txn *t)
{
	unsigned i;

	if (t->live)
		return 1;
	for (i = 0; i < t->n_extras; i++)
		if (peal_txn_extra_changed(t, &t->extras[i]))
			return 1;
	return 0;
}

static int make_room(struct merge *m)
{
	const struct peal_params *old = m->old;
	const struct peal_txn *t = m->t;
	struct peal_params *out = m->out;
	unsigned writers = old->n_writers + t->n_writers;

	out->entries = peal_alloc((old->n_entries + t->live + 1) *
				  sizeof(*out->entries));
	out->extras = peal_alloc((old->n_extras + t->n_extras + 1) *
				 sizeof(*out->extras));
	out->writers = peal_alloc((writers + 1) * sizeof(*out->writers));
	m->from_old = peal_alloc((writers + 1) * sizeof(*m->from_old));
	if (!out->entries || !out->extras || !out->writers || !m->from_old)
		return 0;
	m->from_txn = m->from_old + old->n_writers;
	memset(m->from_old, 0xff, (writers + 1) * sizeof(*m->from_old));
	return 1;
}

enum peal_err peal_txn_merge_params(struct peal_txn *t, uint64_t revision,
				    struct peal_params *out, int *changed)
{
	struct merge m = { t, &t->store->params, out, revision, NULL, NULL };
	struct peal_extra **sorted;
	enum peal_err err = PEAL_ENOMEM;

	memset(out, 0, sizeof(*out));
	*changed = params_changed(t);
	if (!*changed)
		return PEAL_OK;
	sorted = sort_extras(t);
	if (!sorted || !make_room(&m))
		goto out;
	merge_entries(&m);
	merge_extras(&m, sorted);
	out->entries = peal_fitted(out->entries, out->n_entries,
				   sizeof(*out->entries));
	out->extras =
		peal_fitted(out->extras, out->n_extras, sizeof(*out->extras));
	out->writers = peal_fitted(out->writers, out->n_writers,
				   sizeof(*out->writers));
	err = PEAL_OK;
out:
	peal_free(sorted);
	peal_free(m.from_old);
	if (err)
		peal_params_free(peal_txn_texts(t), out);
	return err;
}

/* --- state --- */

static int change_order(const void *a, const void *b)
{
	const struct peal_state_change *x = a, *y = b;
	int order = peal_state_order(&x->state, &y->state);

	if (order)
		return order;
	return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

/* Sort the log and leave the last change of each key. */
static void tidy_log(struct peal_txn *t)
{
	struct peal_state_change *log = t->states;
	unsigned i, n = 0;

	qsort(log, t->n_states, sizeof(*log), change_order);
	for (i = 1; i < t->n_states; i++) {
		struct peal_state_change drop = log[i];

		if (peal_state_order(&log[n].state, &log[i].state) != 0) {
			log[++n] = log[i];
			continue;
		}
		drop = log[n];
		log[n] = log[i];
		peal_state_unref(peal_txn_texts(t), &drop.state);
	}
	t->n_states = n + 1;
}

static int same_value(const struct peal_text *a, const struct peal_text *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

static void take_state(struct peal_states *out, const struct peal_state *s)
{
	struct peal_state *to = &out->list[out->n];

	if (!s->value)
		return;
	to->ns = peal_text_ref(s->ns);
	to->key = peal_text_ref(s->key);
	to->value = peal_text_ref(s->value);
	out->n++;
}

enum peal_err peal_txn_merge_states(struct peal_txn *t, struct peal_states *out,
				    int *changed)
{
	const struct peal_states *old = &t->store->states;
	unsigned i = 0, j = 0;
	int order;

	memset(out, 0, sizeof(*out));
	*changed = 0;
	if (!t->n_states)
		return PEAL_OK;
	tidy_log(t);
	out->list = peal_alloc((old->n + t->n_states) * sizeof(*out->list));
	if (!out->list)
		return PEAL_ENOMEM;
	while (i < old->n || j < t->n_states) {
		const struct peal_state *x = i < old->n ? &old->list[i] : NULL;
		const struct peal_state *y =
			j < t->n_states ? &t->states[j].state : NULL;

		order = !x ? 1 : !y ? -1 : peal_state_order(x, y);
		take_state(out, order < 0 ? x : y);
		if (order == 0)
			*changed |= !y->value ||
				    !same_value(x->value, y->value);
		else if (order > 0)
			*changed |= y->value != NULL;
		i += order <= 0;
		j += order >= 0;
	}
	if (*changed)
		out->list = peal_fitted(out->list, out->n, sizeof(*out->list));
	else
		peal_states_free(peal_txn_texts(t), out);
	return PEAL_OK;
}
