/* compare.c - where two stores differ. See peal/store.h */
#include <limits.h>
#include <string.h>

#include "store/inside.h"

/* Texts of one schema are one text, or none. */
static int differ(const struct peal_entry *a, const struct peal_entry *b,
		  enum peal_ua ua)
{
	const struct peal_entry plain = { .ua = (unsigned)ua & 3 };

	a = a ? a : &plain;
	b = b ? b : &plain;
	return a->text != b->text || a->ua != b->ua ||
	       a->user_modified != b->user_modified ||
	       a->user_pref != b->user_pref;
}

static unsigned index_at(const struct peal_params *p, unsigned at)
{
	return at < p->n_entries ? p->entries[at].index : UINT_MAX;
}

/* The next entry, if it is of this parameter. */
static const struct peal_entry *take_entry(const struct peal_params *p,
					   unsigned *at, unsigned index)
{
	return index_at(p, *at) == index ? &p->entries[(*at)++] : NULL;
}

static const char *next_known(const struct peal_schema *schema,
			      const struct peal_params *before,
			      const struct peal_params *after,
			      struct peal_difference *at)
{
	const struct peal_entry *a, *b;
	unsigned i, j, index;

	for (;;) {
		i = index_at(before, at->before);
		j = index_at(after, at->after);
		index = i < j ? i : j;
		if (index == UINT_MAX)
			return NULL;
		a = take_entry(before, &at->before, index);
		b = take_entry(after, &at->after, index);
		if (differ(a, b, schema->params[index].ua))
			return schema->params[index].name;
	}
}

static const struct peal_extra *extra_at(const struct peal_params *p,
					 unsigned at)
{
	return at < p->n_extras ? &p->extras[at] : NULL;
}

/* Which of the two comes first: below 0, the first. */
static int order_of(const struct peal_extra *a, const struct peal_extra *b)
{
	if (!a || !b)
		return a ? -1 : 1;
	return peal_name_order(a->name->bytes, a->name->len, b->name->bytes,
			       b->name->len);
}

static const char *next_extra(const struct peal_params *before,
			      const struct peal_params *after,
			      struct peal_difference *at)
{
	const struct peal_extra *a, *b;
	int order;

	for (;;) {
		a = extra_at(before, at->extra_before);
		b = extra_at(after, at->extra_after);
		if (!a && !b)
			return NULL;
		order = order_of(a, b);
		at->extra_before += order <= 0;
		at->extra_after += order >= 0;
		if (order)
			return order < 0 ? a->name->bytes : b->name->bytes;
		if (differ(&a->entry, &b->entry, PEAL_UA_NA))
			return b->name->bytes;
	}
}

enum peal_err peal_store_changed(const struct peal_store *before,
				 const struct peal_store *after,
				 struct peal_difference *at, const char **name)
{
	static const struct peal_params none;
	const struct peal_params *from = before ? &before->params : &none;

	if (before && before->schema != after->schema)
		return PEAL_EINVAL;
	*name = next_known(after->schema, from, &after->params, at);
	if (!*name)
		*name = next_extra(from, &after->params, at);
	return *name ? PEAL_OK : PEAL_ENOENT;
}
