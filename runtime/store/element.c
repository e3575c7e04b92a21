/* element.c - one element of a profile into a transaction, and its notes.
 *
 * Source: MPP administration guide, "Provisioning formats" and "Access
 * control" (attributes ua, preserve-value and user-pref). */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "peal/alloc.h"
#include "peal/limits.h"
#include "store/inside.h"

/* --- notes --- */

enum { NOTE_TEXT = 400 };

static enum peal_err add_note(struct peal_txn *t, const char *word,
			      const struct peal_element *e, const char *text)
{
	struct peal_txn_note *list, *n;

	if (t->n_notes == PEAL_LIMIT_NOTES)
		return PEAL_OK; /* the counts go on */
	list = peal_grown(t->notes, t->n_notes, &t->cap_notes, sizeof(*list));
	if (!list)
		return PEAL_ENOMEM;
	t->notes = list;
	n = &list[t->n_notes];
	n->word = word;
	n->line = e->line;
	n->name = peal_arena_dup(&t->note_texts, e->name, e->name_len);
	n->text = peal_arena_dup(&t->note_texts, text, strlen(text));
	if (!n->name || !n->text)
		return PEAL_ENOMEM;
	t->n_notes++;
	return PEAL_OK;
}

/* The reason of a type check never holds the value, which may be secret. */
static enum peal_err bad_value(struct peal_txn *t, const struct peal_element *e,
			       const char *why)
{
	char text[NOTE_TEXT];

	t->counts.bad++;
	snprintf(text, sizeof(text), "bad value for %.*s: %s", (int)e->name_len,
		 e->name, why);
	return add_note(t, "bad-value", e, text);
}

/* A suggestion is looked for when the note is read: few are. */
enum peal_err peal_txn_note(const struct peal_txn *t, unsigned i,
			    struct peal_note *out)
{
	const struct peal_txn_note *n;

	if (i >= t->n_notes)
		return PEAL_ENOENT;
	n = &t->notes[i];
	out->word = n->word;
	out->name = n->name;
	out->text = n->text;
	out->line = n->line;
	out->suggest = NULL;
	if (strcmp(n->word, "unknown-name") == 0)
		out->suggest = peal_schema_suggest(t->store->schema, n->name,
						   strlen(n->name));
	return PEAL_OK;
}

void peal_txn_counts(const struct peal_txn *t, struct peal_txn_counts *out)
{
	*out = t->counts;
}

/* --- what became of each --- */

enum { TOUCH_BITS = 3, TOUCH_LINE_MAX = (1 << 28) - 1 };

static enum peal_err touch(struct peal_txn *t, const struct peal_element *e,
			   unsigned index, enum peal_touch how)
{
	uint32_t line = e->line < 0              ? 0 :
			e->line > TOUCH_LINE_MAX ? TOUCH_LINE_MAX :
						   (uint32_t)e->line;

	if (!t->touched)
		t->touched = peal_calloc(t->store->schema->n_params,
					 sizeof(*t->touched));
	if (!t->touched)
		return PEAL_ENOMEM;
	t->touched[index] = line << TOUCH_BITS | (uint32_t)how;
	return PEAL_OK;
}

enum peal_touch peal_txn_touch(const struct peal_txn *t, unsigned index,
			       long *line)
{
	uint32_t word = 0;

	if (t->touched && index < t->store->schema->n_params)
		word = t->touched[index];
	if (line)
		*line = (long)(word >> TOUCH_BITS);
	return (enum peal_touch)(word & ((1 << TOUCH_BITS) - 1));
}

/* --- names that no registry knows --- */

static int keepable(const struct peal_element *e)
{
	return peal_name_ok(e->name, e->name_len) &&
	       !(e->flags & PEAL_ELEMENT_TOO_LONG) &&
	       e->value_len <= PEAL_LIMIT_VALUE &&
	       !memchr(e->value, '\0', e->value_len);
}

/* As with any text: an empty one with ua="rw" changes nothing. */
static int says_nothing(const struct peal_element *e)
{
	return (e->flags & PEAL_ELEMENT_PRESERVE) ||
	       (!e->value_len && !(e->flags & PEAL_ELEMENT_QUOTED_EMPTY) &&
		e->ua == PEAL_UA_RW);
}

/* *kept: the name has a text in the store now. */
static enum peal_err keep(struct peal_txn *t, const struct peal_element *e,
			  int *kept)
{
	struct peal_value value;
	enum peal_err err;

	if (!keepable(e))
		return PEAL_OK;
	if (says_nothing(e)) {
		*kept = !peal_txn_value(t, e->name, e->name_len, &value);
		return PEAL_OK;
	}
	err = peal_txn_write_extra(t, e->name, e->name_len, e->value,
				   e->value_len, e->ua, 0, e->line);
	*kept = !err;
	t->counts.kept += !err;
	return err;
}

static enum peal_err unknown(struct peal_txn *t, const struct peal_element *e)
{
	enum peal_err err = PEAL_OK, noted;
	char text[NOTE_TEXT];
	int kept = 0;

	t->counts.unknown++;
	if (t->keep_unknown)
		err = keep(t, e, &kept);
	if (err && err != PEAL_ELIMIT)
		return err;
	snprintf(text, sizeof(text), "%s: %.*s",
		 kept ? "unknown, kept as plain text" : "no such parameter",
		 (int)e->name_len, e->name);
	noted = add_note(t, "unknown-name", e, text);
	if (noted || !err)
		return noted;
	return add_note(t, "limit", e, "not kept: too many unknown names");
}

/* --- parameters --- */

/* Access, and user-pref where the value is the user's to keep. */
static enum peal_err access_only(struct peal_txn *t,
				 const struct peal_element *e,
				 const struct peal_place *at)
{
	struct peal_entry entry;

	peal_txn_start(t, at, &entry);
	peal_text_ref(entry.text);
	if (e->ua != PEAL_UA_NONE)
		entry.ua = (unsigned)e->ua & 3;
	if ((e->flags & PEAL_ELEMENT_USER_PREF) &&
	    !(e->flags & PEAL_ELEMENT_PRESERVE))
		entry.user_pref = 1;
	return peal_txn_stage(t, at, &entry);
}

static enum peal_err write_text(struct peal_txn *t,
				const struct peal_element *e,
				const struct peal_place *at,
				struct peal_text *text)
{
	struct peal_entry entry;

	peal_txn_start(t, at, &entry);
	entry.text = text;
	if (e->ua != PEAL_UA_NONE)
		entry.ua = (unsigned)e->ua & 3;
	entry.user_pref = (e->flags & PEAL_ELEMENT_USER_PREF) != 0;
	entry.user_modified = 0;
	t->counts.applied++;
	return peal_txn_write(t, at, &entry, e->line);
}

/* What the element's text comes to. An empty element sets an empty value
 * where the type admits it and brings the default back elsewhere; the text ""
 * asks for the empty value and nothing else. */
static enum peal_err element_text(struct peal_txn *t,
				  const struct peal_element *e,
				  const struct peal_place *at,
				  struct peal_text **out,
				  struct peal_reason *reason)
{
	const struct peal_param *p = &t->store->schema->params[at->index];

	if (e->flags & PEAL_ELEMENT_TOO_LONG)
		return peal_fail(reason, PEAL_ETYPE, "longer than %d bytes",
				 PEAL_LIMIT_VALUE);
	if (e->value_len || (e->flags & PEAL_ELEMENT_QUOTED_EMPTY) ||
	    peal_type_empty_ok(p))
		return peal_txn_canonical(t, at, e->value, e->value_len, out,
					  reason);
	return peal_txn_canonical(t, at, p->deflt, strlen(p->deflt), out,
				  reason);
}

/* Does the element leave the text as it is, and why? */
static enum peal_touch wants(const struct peal_element *e,
			     const struct peal_entry *seen)
{
	if (e->flags & PEAL_ELEMENT_PRESERVE)
		return PEAL_TOUCH_KEPT;
	if (!e->value_len && e->ua == PEAL_UA_RW &&
	    !(e->flags & (PEAL_ELEMENT_QUOTED_EMPTY | PEAL_ELEMENT_TOO_LONG)))
		return PEAL_TOUCH_KEPT;
	if (e->flags & PEAL_ELEMENT_USER_PREF && seen && seen->user_modified)
		return PEAL_TOUCH_USER;
	return PEAL_TOUCH_WRITTEN;
}

/* Most elements of most profiles: a plain text that is there already. */
static int is_the_same(const struct peal_element *e,
		       const struct peal_entry *seen)
{
	return seen && seen->text && !e->flags && e->value_len &&
	       seen->text->len == e->value_len &&
	       memcmp(seen->text->bytes, e->value, e->value_len) == 0 &&
	       (e->ua == PEAL_UA_NONE || (unsigned)e->ua == seen->ua) &&
	       !seen->user_modified && !seen->user_pref;
}

static enum peal_err known(struct peal_txn *t, const struct peal_element *e,
			   unsigned index)
{
	const struct peal_place at = peal_txn_place(t, index);
	enum peal_touch how = wants(e, at.seen);
	struct peal_reason why;
	struct peal_text *text;
	enum peal_err err;

	err = touch(t, e, index, how);
	if (err)
		return err;
	if (is_the_same(e, at.seen)) {
		t->counts.applied++;
		return PEAL_OK;
	}
	if (e->flags & PEAL_ELEMENT_BAD_UA) {
		err = add_note(t, "bad-attribute", e,
			       "ua is na, ro or rw: ignored");
		if (err)
			return err;
	}
	if (how != PEAL_TOUCH_WRITTEN)
		return access_only(t, e, &at);
	err = element_text(t, e, &at, &text, &why);
	if (!err)
		return write_text(t, e, &at, text);
	if (err != PEAL_ETYPE)
		return err;
	err = touch(t, e, index, PEAL_TOUCH_BAD);
	if (!err)
		err = bad_value(t, e, why.text);
	if (!err && e->ua != PEAL_UA_NONE) {
		struct peal_entry entry;

		peal_txn_start(t, &at, &entry);
		peal_text_ref(entry.text);
		entry.ua = (unsigned)e->ua & 3;
		err = peal_txn_stage(t, &at, &entry);
	}
	return err;
}

/* Profiles made from a list of parameters keep its order: a look at the next
 * one saves the search. */
static int find(struct peal_txn *t, const struct peal_element *e)
{
	const struct peal_schema *s = t->store->schema;
	const struct peal_param *next = peal_schema_param(s, t->expected);
	int index = (int)t->expected;

	if (!next || strlen(next->name) != e->name_len ||
	    memcmp(next->name, e->name, e->name_len) != 0)
		index = peal_schema_find(s, e->name, e->name_len);
	if (index >= 0)
		t->expected = (unsigned)index + 1;
	return index;
}

enum peal_err peal_txn_element(const struct peal_element *e, void *txn)
{
	struct peal_txn *t = txn;
	int index;

	t->counts.elements++;
	if (e->flags & PEAL_ELEMENT_CHILDREN)
		return add_note(t, "has-children", e,
				"skipped, for it has elements inside");
	index = find(t, e);
	if (index < 0)
		return unknown(t, e);
	return known(t, e, (unsigned)index);
}
