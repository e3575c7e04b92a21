/* schema.c - see peal/schema.h */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode/crypto.h"
#include "peal/alloc.h"
#include "peal/limits.h"
#include "store/registry.h"

/* The index of an overlay entry has 16 bits. */
_Static_assert(PEAL_LIMIT_PARAMS <= 65000, "too many parameters");

static const char *const access_words[] = {
	[PEAL_UA_NA] = "na", [PEAL_UA_RO] = "ro", [PEAL_UA_RW] = "rw"
};

const char *peal_ua_name(enum peal_ua ua)
{
	return (unsigned)ua < PEAL_UA_NONE ? access_words[ua] : NULL;
}

int peal_name_ok(const char *name, size_t len)
{
	size_t i;

	if (len == 0 || len > PEAL_LIMIT_NAME)
		return 0;
	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)name[i];

		if (c <= ' ' || c == 0x7f || c == '"' || c == '\\')
			return 0;
	}
	return 1;
}

enum peal_err peal_schema_new(struct peal_schema **out)
{
	struct peal_schema *s;
	enum peal_err err;

	if (!out)
		return PEAL_EINVAL;
	s = peal_zalloc(sizeof(*s));
	if (!s)
		return PEAL_ENOMEM;
	err = peal_random(s->texts.seed, sizeof(s->texts.seed));
	if (err) {
		peal_free(s);
		return err;
	}
	s->refs = 1;
	peal_arena_init(&s->arena, PEAL_LIMIT_SCHEMA);
	*out = s;
	return PEAL_OK;
}

struct peal_schema *peal_schema_ref(struct peal_schema *s)
{
	s->refs++;
	return s;
}

void peal_schema_unref(struct peal_schema *s)
{
	if (!s || --s->refs)
		return;
	peal_free(s->defs);
	peal_free(s->def_names.slots);
	peal_free(s->aliases);
	peal_free(s->params);
	peal_free(s->names);
	peal_free(s->lookup.slots);
	peal_free(s->letters);
	peal_intern_fini(&s->texts);
	peal_arena_fini(&s->arena);
	peal_free(s);
}

/* --- tables of names ---
 *
 * A slot's index below `n` is that of a parameter (or definition), above it
 * an alias. */

static enum peal_err table_resize(struct peal_table *t, uint32_t size)
{
	struct peal_slot *old = t->slots, *slots;
	uint32_t i, j;

	slots = peal_alloc(size * sizeof(*slots));
	if (!slots)
		return PEAL_ENOMEM;
	memset(slots, 0xff, size * sizeof(*slots));
	for (i = 0; i < t->size; i++) {
		if (old[i].index < 0)
			continue;
		for (j = old[i].hash & (size - 1); slots[j].index >= 0;)
			j = (j + 1) & (size - 1);
		slots[j] = old[i];
	}
	peal_free(old);
	t->slots = slots;
	t->size = size;
	return PEAL_OK;
}

static int same_name(const char *have, const char *name, size_t len)
{
	return strlen(have) == len && memcmp(have, name, len) == 0;
}

static struct peal_slot *table_slot(const struct peal_schema *s,
				    const struct peal_table *t,
				    const struct peal_param *params, unsigned n,
				    uint32_t hash, const char *name, size_t len)
{
	uint32_t i = hash & (t->size - 1);
	int32_t at;

	for (; (at = t->slots[i].index) >= 0; i = (i + 1) & (t->size - 1)) {
		if (t->slots[i].hash != hash)
			continue;
		if (same_name((unsigned)at < n ? params[at].name :
						 s->aliases[at - (int)n].alias,
			      name, len))
			break;
	}
	return &t->slots[i];
}

static struct peal_slot *def_slot(const struct peal_schema *s, uint32_t hash,
				  const char *name, size_t len)
{
	return table_slot(s, &s->def_names, s->defs, s->n_defs, hash, name,
			  len);
}

static struct peal_slot *param_slot(const struct peal_schema *s, uint32_t hash,
				    const char *name, size_t len)
{
	return table_slot(s, &s->lookup, s->params, s->n_params, hash, name,
			  len);
}

/* --- adding --- */

/* Where a family's number goes, "_n_" once; NULL when it is not so. */
static const char *family_mark(const char *name)
{
	const char *at = strstr(name, "_n_");

	return at && !strstr(at + 1, "_n_") ? at : NULL;
}

static enum peal_err copy_choices(struct peal_schema *s, struct peal_param *p)
{
	const char **copy;
	size_t n = 0, i;

	if (!p->choices)
		return PEAL_OK;
	while (p->choices[n])
		n++;
	copy = peal_arena_alloc(&s->arena, (n + 1) * sizeof(*copy));
	if (!copy)
		return PEAL_ENOMEM;
	for (i = 0; i < n; i++) {
		copy[i] = peal_arena_dup(&s->arena, p->choices[i],
					 strlen(p->choices[i]));
		if (!copy[i])
			return PEAL_ENOMEM;
	}
	p->choices = copy;
	return PEAL_OK;
}

/* The default in canonical form, so that readers need not check for it. */
static enum peal_err copy_default(struct peal_schema *s, struct peal_param *p,
				  struct peal_reason *reason)
{
	const char *text = p->deflt ? p->deflt : "";
	struct peal_reason why;
	struct peal_buf out;
	enum peal_err err;

	peal_buf_init(&out, PEAL_LIMIT_VALUE);
	err = peal_type_check(p, text, strlen(text), &out, &why);
	if (err == PEAL_ETYPE)
		peal_fail(reason, err, "default of %s: %s", p->name, why.text);
	if (err)
		goto out;
	if (out.len == 0)
		p->deflt = "";
	else
		p->deflt = peal_arena_dup(&s->arena, (char *)out.data, out.len);
	if (!p->deflt)
		err = PEAL_ENOMEM;
out:
	peal_buf_fini(&out);
	return err;
}

static enum peal_err check_definition(const struct peal_param *p,
				      struct peal_reason *reason)
{
	const char *const *c;

	if (!p->name || !peal_name_ok(p->name, strlen(p->name)))
		return peal_fail(reason, PEAL_EINVAL,
				 "not a parameter name: %.60s",
				 p->name ? p->name : "(none)");
	if (p->count && !family_mark(p->name))
		return peal_fail(reason, PEAL_EINVAL,
				 "%s: a family has _n_ in its name once",
				 p->name);
	if (p->count > PEAL_LIMIT_PARAMS)
		return peal_fail(reason, PEAL_ELIMIT, "%s: too many members",
				 p->name);
	if (p->count && strlen(p->name) + 4 > PEAL_LIMIT_NAME)
		return peal_fail(reason, PEAL_ELIMIT, "%s: name too long",
				 p->name);
	if ((unsigned)p->type >= PEAL_T_COUNT)
		return peal_fail(reason, PEAL_EINVAL, "%s: no such type",
				 p->name);
	if ((unsigned)p->ua >= PEAL_UA_NONE)
		return peal_fail(reason, PEAL_EINVAL,
				 "%s: access is na, ro or rw", p->name);
	if (p->bits && p->bits != 8 && p->bits != 16 && p->bits != 32 &&
	    p->bits != 64)
		return peal_fail(reason, PEAL_EINVAL,
				 "%s: bits are 8, 16, 32 or 64", p->name);
	if (p->type == PEAL_T_CHOICE && (!p->choices || !p->choices[0]))
		return peal_fail(reason, PEAL_EINVAL, "%s has no choices",
				 p->name);
	for (c = p->choices; c && *c; c++)
		if (!**c || **c == '=')
			return peal_fail(reason, PEAL_EINVAL,
					 "%s has an empty choice", p->name);
	return PEAL_OK;
}

static enum peal_err room_for_def(struct peal_schema *s)
{
	unsigned cap = s->cap_defs ? s->cap_defs * 2 : 64;
	struct peal_param *defs;
	enum peal_err err;

	if (s->n_defs < s->cap_defs)
		return PEAL_OK;
	err = table_resize(&s->def_names, cap * 2);
	if (err)
		return err;
	defs = peal_realloc(s->defs, cap * sizeof(*defs));
	if (!defs)
		return PEAL_ENOMEM;
	s->defs = defs;
	s->cap_defs = cap;
	return PEAL_OK;
}

static unsigned members(const struct peal_param *p)
{
	return p->count ? p->count : 1;
}

enum peal_err peal_schema_add(struct peal_schema *s, const struct peal_param *p,
			      struct peal_reason *reason)
{
	struct peal_param copy = *p;
	struct peal_slot *slot;
	unsigned before = 0;
	enum peal_err err;
	uint32_t hash;
	size_t len;

	peal_reason_clear(reason);
	if (s->sealed)
		return PEAL_ESTATE;
	err = check_definition(p, reason);
	if (!err)
		err = room_for_def(s);
	if (!err)
		err = copy_choices(s, &copy);
	if (!err)
		err = copy_default(s, &copy, reason);
	if (err)
		return err;
	len = strlen(p->name);
	copy.name = peal_arena_dup(&s->arena, p->name, len);
	if (!copy.name)
		return PEAL_ENOMEM;
	copy.flags &= ~(unsigned)PEAL_PARAM_UNTYPED;

	hash = peal_hash32(s->texts.seed, p->name, len);
	slot = def_slot(s, hash, p->name, len);
	if (slot->index >= 0)
		before = members(&s->defs[slot->index]);
	if (s->total - before + members(p) > PEAL_LIMIT_PARAMS)
		return peal_fail(reason, PEAL_ELIMIT, "more than %d parameters",
				 PEAL_LIMIT_PARAMS);
	s->total += members(p) - before;
	if (slot->index < 0) {
		slot->hash = hash;
		slot->index = (int32_t)s->n_defs++;
	}
	s->defs[slot->index] = copy;
	return PEAL_OK;
}

static int def_find(const struct peal_schema *s, const char *name, size_t len)
{
	if (!s->def_names.size)
		return -1;
	return def_slot(s, peal_hash32(s->texts.seed, name, len), name, len)
		->index;
}

/* Is `name` a member of a family, such as "Line_Enable_3_"? Each number
 * between underscores may be the one. */
static int is_member(const struct peal_schema *s, const char *name)
{
	char family[PEAL_LIMIT_NAME + 1];
	const char *at;
	unsigned long k;
	char *end;
	int i, n;

	for (at = strchr(name, '_'); at; at = strchr(at + 1, '_')) {
		if (at[1] < '1' || at[1] > '9')
			continue;
		k = strtoul(at + 1, &end, 10);
		if (*end != '_')
			continue;
		n = snprintf(family, sizeof(family), "%.*s_n%s",
			     (int)(at - name), name, end);
		if (n < 0 || (size_t)n >= sizeof(family))
			continue;
		i = def_find(s, family, (size_t)n);
		if (i >= 0 && k <= s->defs[i].count)
			return 1;
	}
	return 0;
}

static enum peal_err add_alias(struct peal_schema *s, const char *alias,
			       const char *name, struct peal_reason *reason)
{
	unsigned cap = s->cap_aliases ? s->cap_aliases * 2 : 16;
	struct peal_alias_def *list, *a;

	if (def_find(s, alias, strlen(alias)) >= 0)
		return peal_fail(reason, PEAL_EEXIST,
				 "%s is a parameter itself", alias);
	if (s->n_aliases == s->cap_aliases) {
		list = peal_realloc(s->aliases, cap * sizeof(*list));
		if (!list)
			return PEAL_ENOMEM;
		s->aliases = list;
		s->cap_aliases = cap;
	}
	a = &s->aliases[s->n_aliases];
	a->alias = peal_arena_dup(&s->arena, alias, strlen(alias));
	a->name = peal_arena_dup(&s->arena, name, strlen(name));
	if (!a->alias || !a->name)
		return PEAL_ENOMEM;
	s->n_aliases++;
	return PEAL_OK;
}

/* Write the name of a family's k-th member to `to`; its length. */
static size_t member_name(char *to, const char *family, unsigned k)
{
	const char *mark = family_mark(family);
	size_t before = (size_t)(mark - family) + 1, n, tail;
	char digits[12];

	memcpy(to, family, before);
	for (n = sizeof(digits); k; k /= 10)
		digits[--n] = (char)('0' + k % 10);
	memcpy(to + before, digits + n, sizeof(digits) - n);
	before += sizeof(digits) - n;
	tail = strlen(mark + 2);
	memcpy(to + before, mark + 2, tail + 1);
	return before + tail;
}

static enum peal_err add_aliases(struct peal_schema *s, const char *alias,
				 const char *name, unsigned count,
				 struct peal_reason *reason)
{
	char from[PEAL_LIMIT_NAME + 16], to[PEAL_LIMIT_NAME + 16];
	enum peal_err err = PEAL_OK;
	unsigned k;

	if (!family_mark(alias))
		return peal_fail(reason, PEAL_EINVAL,
				 "%s is to name a family but has no _n_",
				 alias);
	for (k = 1; k <= count && !err; k++) {
		member_name(from, alias, k);
		member_name(to, name, k);
		err = add_alias(s, from, to, reason);
	}
	return err;
}

enum peal_err peal_schema_alias(struct peal_schema *s, const char *alias,
				const char *name, struct peal_reason *reason)
{
	int def;

	peal_reason_clear(reason);
	if (s->sealed)
		return PEAL_ESTATE;
	if (!peal_name_ok(alias, strlen(alias)) ||
	    !peal_name_ok(name, strlen(name)))
		return peal_fail(reason, PEAL_EINVAL,
				 "not a parameter name: %.60s", alias);
	def = def_find(s, name, strlen(name));
	if (def >= 0 && s->defs[def].count)
		return add_aliases(s, alias, name, s->defs[def].count, reason);
	if (def < 0 && !is_member(s, name))
		return peal_fail(reason, PEAL_EUNKNOWN,
				 "%s: no such parameter to be an alias of",
				 name);
	return add_alias(s, alias, name, reason);
}

/* --- sealing --- */

/* A later definition of the same name takes the place of the earlier one, so
 * that a maker may change one member of a family. */
static void enter(struct peal_schema *s, const struct peal_param *def,
		  const char *name, size_t len)
{
	uint32_t hash = peal_hash32(s->texts.seed, name, len);
	struct peal_slot *slot = param_slot(s, hash, name, len);
	struct peal_param *p;

	if (slot->index < 0) {
		slot->hash = hash;
		slot->index = (int32_t)s->n_params++;
	}
	p = &s->params[slot->index];
	*p = *def;
	p->name = name;
	p->count = 0;
}

static size_t names_size(const struct peal_schema *s)
{
	size_t size = 1;
	unsigned i;

	for (i = 0; i < s->n_defs; i++)
		if (s->defs[i].count)
			size += s->defs[i].count *
				(strlen(s->defs[i].name) + sizeof("65000"));
	return size;
}

static void expand(struct peal_schema *s)
{
	char *to = s->names;
	const struct peal_param *p;
	unsigned i, k;
	size_t len;

	for (i = 0; i < s->n_defs; i++) {
		p = &s->defs[i];
		if (!p->count)
			enter(s, p, p->name, strlen(p->name));
		for (k = 1; k <= p->count; k++) {
			len = member_name(to, p->name, k);
			enter(s, p, to, len);
			to += len + 1;
		}
	}
}

/* An alias whose parameter is gone (a maker's smaller family) is left out, as
 * is one that a parameter's own name covers. */
static void enter_alias(struct peal_schema *s, unsigned i)
{
	struct peal_alias_def *a = &s->aliases[i];
	size_t len = strlen(a->alias);
	uint32_t hash = peal_hash32(s->texts.seed, a->alias, len);
	struct peal_slot *slot = param_slot(s, hash, a->alias, len);

	a->target = peal_schema_find(s, a->name, strlen(a->name));
	if (a->target < 0)
		return;
	if (slot->index >= 0 && (unsigned)slot->index < s->n_params)
		return;
	slot->hash = hash;
	slot->index = (int32_t)(s->n_params + i);
}

enum peal_err peal_schema_seal(struct peal_schema *s)
{
	uint32_t size = 16, wanted = (s->total + s->n_aliases) * 2;
	enum peal_err err;
	unsigned i;

	if (s->sealed)
		return PEAL_ESTATE;
	while (size < wanted)
		size *= 2;
	if (!s->params)
		s->params = peal_alloc((s->total + 1) * sizeof(*s->params));
	if (!s->names)
		s->names = peal_alloc(names_size(s));
	if (!s->params || !s->names)
		goto nomem;
	err = table_resize(&s->lookup, size);
	if (err)
		goto nomem;

	expand(s);
	s->sealed = 1;
	for (i = 0; i < s->n_aliases; i++)
		enter_alias(s, i);
	peal_free(s->def_names.slots);
	s->def_names.slots = NULL;
	peal_free(s->defs);
	s->defs = NULL;
	return PEAL_OK;
nomem:
	/* definitions may still be added before the next try */
	peal_free(s->params);
	peal_free(s->names);
	s->params = NULL;
	s->names = NULL;
	return PEAL_ENOMEM;
}

/* --- reading --- */

int peal_schema_find(const struct peal_schema *s, const char *name, size_t len)
{
	int at;

	if (!s->sealed)
		return -1;
	at = param_slot(s, peal_hash32(s->texts.seed, name, len), name, len)
		     ->index;
	if (at < (int)s->n_params)
		return at;
	return s->aliases[at - (int)s->n_params].target;
}

unsigned peal_schema_count(const struct peal_schema *s)
{
	return s->n_params;
}

const struct peal_param *peal_schema_param(const struct peal_schema *s,
					   unsigned index)
{
	return index < s->n_params ? &s->params[index] : NULL;
}

enum peal_err peal_schema_check(const struct peal_schema *s, unsigned index,
				const char *text, size_t len,
				struct peal_buf *out,
				struct peal_reason *reason)
{
	peal_reason_clear(reason);
	peal_buf_clear(out);
	if (index >= s->n_params)
		return PEAL_EINVAL;
	return peal_type_check(&s->params[index], text, len, out, reason);
}

int peal_schema_empty_ok(const struct peal_schema *s, unsigned index)
{
	return index < s->n_params && peal_type_empty_ok(&s->params[index]);
}
