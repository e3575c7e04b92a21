/* overlay.c - see overlay.h */
#include "store/overlay.h"

#include <string.h>

#include "peal/alloc.h"

_Static_assert(sizeof(void *) != 8 || sizeof(struct peal_entry) == 16,
	       "an entry is to have 16 bytes");

void peal_params_free(struct peal_intern *texts, struct peal_params *p)
{
	unsigned i;

	for (i = 0; i < p->n_entries; i++)
		peal_text_unref(texts, p->entries[i].text);
	for (i = 0; i < p->n_extras; i++) {
		peal_text_unref(texts, p->extras[i].name);
		peal_text_unref(texts, p->extras[i].entry.text);
	}
	for (i = 0; i < p->n_writers; i++) {
		peal_text_unref(texts, p->writers[i].author);
		peal_text_unref(texts, p->writers[i].rule);
		peal_text_unref(texts, p->writers[i].url);
	}
	peal_free(p->entries);
	peal_free(p->extras);
	peal_free(p->writers);
	memset(p, 0, sizeof(*p));
}

void peal_state_unref(struct peal_intern *texts, const struct peal_state *s)
{
	peal_text_unref(texts, s->ns);
	peal_text_unref(texts, s->key);
	peal_text_unref(texts, s->value);
}

void peal_states_free(struct peal_intern *texts, struct peal_states *s)
{
	unsigned i;

	for (i = 0; i < s->n; i++)
		peal_state_unref(texts, &s->list[i]);
	peal_free(s->list);
	memset(s, 0, sizeof(*s));
}

const struct peal_entry *peal_params_entry(const struct peal_params *p,
					   unsigned index)
{
	unsigned from = 0, to = p->n_entries, middle;

	while (from < to) {
		middle = from + (to - from) / 2;
		if (p->entries[middle].index < index)
			from = middle + 1;
		else
			to = middle;
	}
	if (from == p->n_entries || p->entries[from].index != index)
		return NULL;
	return &p->entries[from];
}

int peal_name_order(const char *a, size_t n, const char *b, size_t m)
{
	int order = memcmp(a, b, n < m ? n : m);

	return order ? order : (n > m) - (n < m);
}

const struct peal_extra *peal_params_extra(const struct peal_params *p,
					   const char *name, size_t len)
{
	unsigned from = 0, to = p->n_extras, middle;
	int order;

	while (from < to) {
		const struct peal_text *x;

		middle = from + (to - from) / 2;
		x = p->extras[middle].name;
		order = peal_name_order(x->bytes, x->len, name, len);
		if (order == 0)
			return &p->extras[middle];
		if (order < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return NULL;
}

int peal_state_order(const struct peal_state *a, const struct peal_state *b)
{
	/* equal texts are one text */
	int order = a->ns == b->ns ? 0 : strcmp(a->ns->bytes, b->ns->bytes);

	if (order || a->key == b->key)
		return order;
	return strcmp(a->key->bytes, b->key->bytes);
}

unsigned peal_states_seek(const struct peal_states *s, const char *ns,
			  const char *key)
{
	unsigned from = 0, to = s->n, middle;
	int order;

	while (from < to) {
		middle = from + (to - from) / 2;
		order = strcmp(s->list[middle].ns->bytes, ns);
		if (order == 0 && key)
			order = strcmp(s->list[middle].key->bytes, key);
		if (order < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

int peal_entry_is_plain(const struct peal_entry *e, enum peal_ua ua)
{
	return !e->text && e->ua == ua && !e->user_modified && !e->user_pref;
}

static void fill_writer(struct peal_value *out, const struct peal_writer *w)
{
	out->source.author = w ? w->author->bytes : "";
	out->source.rule = w ? w->rule->bytes : "";
	out->source.url = w ? w->url->bytes : "";
	out->source.cycle = w ? w->cycle : 0;
	out->revision = w ? w->revision : 0;
}

static void fill_entry(struct peal_value *out, const struct peal_entry *e)
{
	out->ua = (enum peal_ua)e->ua;
	out->user_modified = e->user_modified;
	out->user_pref = e->user_pref;
	out->line = (long)e->line;
	if (e->text) {
		out->text = e->text->bytes;
		out->is_default = 0;
	}
}

void peal_value_fill(struct peal_value *out, const struct peal_param *p,
		     const struct peal_entry *e, const struct peal_writer *w)
{
	memset(out, 0, sizeof(*out));
	out->name = p->name;
	out->text = p->deflt;
	out->type = p->type;
	out->flags = p->flags;
	out->ua = p->ua;
	out->is_default = 1;
	fill_writer(out, w);
	if (e)
		fill_entry(out, e);
}

void peal_value_fill_extra(struct peal_value *out, const char *name,
			   const struct peal_entry *e,
			   const struct peal_writer *w)
{
	memset(out, 0, sizeof(*out));
	out->name = name;
	out->text = "";
	out->type = PEAL_T_STR;
	out->flags = PEAL_PARAM_UNTYPED;
	out->is_default = 1;
	fill_writer(out, w);
	if (e)
		fill_entry(out, e);
}
