/* copy.c - a store's content, handed on. See peal/store.h */
#include <string.h>

#include "peal/alloc.h"
#include "store/inside.h"
#include "store/revision.h"

/* A copy of an array; of none NULL. */
static enum peal_err dup_list(void *out, const void *list, unsigned n,
			      size_t size)
{
	void **to = out;

	if (!n)
		return PEAL_OK;
	*to = peal_alloc(n * size);
	if (!*to)
		return PEAL_ENOMEM;
	memcpy(*to, list, n * size);
	return PEAL_OK;
}

static enum peal_err copy_entries(struct peal_params *to,
				  const struct peal_params *from)
{
	enum peal_err err = dup_list(&to->entries, from->entries,
				     from->n_entries, sizeof(*to->entries));
	unsigned i;

	for (i = 0; !err && i < from->n_entries; i++)
		peal_text_ref(to->entries[i].text);
	to->n_entries = err ? 0 : from->n_entries;
	return err;
}

static enum peal_err copy_extras(struct peal_params *to,
				 const struct peal_params *from)
{
	enum peal_err err = dup_list(&to->extras, from->extras, from->n_extras,
				     sizeof(*to->extras));
	unsigned i;

	for (i = 0; !err && i < from->n_extras; i++) {
		peal_text_ref(to->extras[i].name);
		peal_text_ref(to->extras[i].entry.text);
	}
	to->n_extras = err ? 0 : from->n_extras;
	return err;
}

static enum peal_err copy_writers(struct peal_params *to,
				  const struct peal_params *from)
{
	enum peal_err err = dup_list(&to->writers, from->writers,
				     from->n_writers, sizeof(*to->writers));
	unsigned i;

	for (i = 0; !err && i < from->n_writers; i++) {
		peal_text_ref(to->writers[i].author);
		peal_text_ref(to->writers[i].rule);
		peal_text_ref(to->writers[i].url);
	}
	to->n_writers = err ? 0 : from->n_writers;
	return err;
}

static enum peal_err copy_states(struct peal_states *to,
				 const struct peal_states *from)
{
	enum peal_err err =
		dup_list(&to->list, from->list, from->n, sizeof(*to->list));
	unsigned i;

	for (i = 0; !err && i < from->n; i++) {
		peal_text_ref(to->list[i].ns);
		peal_text_ref(to->list[i].key);
		peal_text_ref(to->list[i].value);
	}
	to->n = err ? 0 : from->n;
	return err;
}

enum peal_err peal_store_copy(struct peal_store **out,
			      const struct peal_store *s)
{
	const struct peal_store_options in_memory = { .key = s->key };
	struct peal_store *copy;
	enum peal_err err;

	err = peal_store_open(&copy, s->schema, &in_memory, NULL);
	if (err)
		return err;
	copy->keep = s->keep;
	copy->head = s->head;
	/* a past revision was opened without a look at those after it */
	copy->next = s->next > s->head.number ? s->next : s->head.number + 1;
	err = copy_entries(&copy->params, &s->params);
	if (!err)
		err = copy_extras(&copy->params, &s->params);
	if (!err)
		err = copy_writers(&copy->params, &s->params);
	if (!err)
		err = copy_states(&copy->states, &s->states);
	if (err) {
		peal_store_close(copy);
		return err;
	}
	*out = copy;
	return PEAL_OK;
}

enum peal_err peal_store_bytes(const struct peal_store *s, struct peal_buf *out,
			       unsigned char key[PEAL_STORE_KEY])
{
	enum peal_err err = peal_revision_write(out, s->schema, &s->params,
						&s->states, &s->head);

	if (!err)
		memcpy(key, s->key, PEAL_STORE_KEY);
	return err;
}
