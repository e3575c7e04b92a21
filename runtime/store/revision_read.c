/* revision_read.c - a revision's text back into a content. See revision.h */
#include <stdlib.h>
#include <string.h>

#include "decode/crypto.h"
#include "peal/alloc.h"
#include "peal/limits.h"
#include "store/inside.h"
#include "store/revision.h"
#include "store/words.h"

struct reader {
	struct peal_schema *schema;
	struct peal_params *params;
	struct peal_states *states;
	unsigned cap_entries, cap_extras, cap_writers, cap_states;
	uint16_t *at; /* by index: position in entries + 1 */
	int sorted;
	struct peal_buf text; /* of the type check */
	peal_note_fn note;
	void *arg;
	struct peal_reason *reason;
	long line;
};

static enum peal_err malformed(struct reader *r, const char *what)
{
	return peal_fail_at(r->reason, PEAL_EDAMAGED, r->line, -1,
			    "malformed %s", what);
}

/* --- head --- */

static int read_head_attributes(struct peal_cursor *c,
				struct peal_revision *head)
{
	struct peal_piece name, w;
	int more, valued;
	uint64_t n = 0;

	while ((more = peal_take_attribute(c, &name, &valued)) > 0) {
		int minus = peal_is(&name, "time") && c->p < c->end &&
			    *c->p == '-';

		c->p += minus;
		if (valued && !peal_take(c, 0, &w))
			return 0;
		if (!valued) {
			if (peal_is(&name, "state-only"))
				head->state_only = 1;
			continue;
		}
		if (peal_is(&name, "cause")) {
			if (w.len >= sizeof(head->cause))
				return 0;
			memcpy(head->cause, w.text, w.len);
			head->cause[w.len] = '\0';
			continue;
		}
		if (!peal_is(&name, "time") && !peal_is(&name, "cycle"))
			continue;
		if (!peal_parse_uint(w.text, w.len, 0, &n))
			return 0;
		if (peal_is(&name, "cycle"))
			head->cycle = n;
		else if (n <= INT64_MAX)
			head->time = minus ? -(int64_t)n : (int64_t)n;
	}
	return more == 0;
}

/* The first two lines; moves *bytes behind them. */
static enum peal_err read_head(unsigned char **bytes, unsigned char *end,
			       struct peal_revision *head, uint64_t *format,
			       struct peal_reason *reason)
{
	struct peal_piece w;
	int line;

	memset(head, 0, sizeof(*head));
	for (line = 1; line <= 2; line++) {
		unsigned char *stop =
			memchr(*bytes, '\n', (size_t)(end - *bytes));
		struct peal_cursor c = { *bytes, stop };
		int ok = stop && peal_take(&c, 0, &w) &&
			 peal_is(&w, line == 1 ? "peal-store" : "revision");

		peal_skip_blanks(&c);
		ok = ok &&
		     peal_take_number(&c, line == 1 ? format : &head->number);
		if (ok && line == 2)
			ok = read_head_attributes(&c, head);
		if (!ok)
			return peal_fail_at(reason, PEAL_EDAMAGED, line, -1,
					    "not a revision of a peal store");
		*bytes = stop + 1;
	}
	return PEAL_OK;
}

enum peal_err peal_revision_head(unsigned char *bytes, size_t len,
				 struct peal_revision *head,
				 struct peal_reason *reason)
{
	uint64_t format;

	if (len == 0)
		return peal_fail(reason, PEAL_EDAMAGED, "the file is empty");
	return read_head(&bytes, bytes + len, head, &format, reason);
}

/* --- lines --- */

static enum peal_err intern(struct reader *r, struct peal_text **out,
			    const struct peal_piece *w)
{
	struct peal_text *text =
		peal_intern_get(&r->schema->texts, w->text, w->len);

	if (!text)
		return PEAL_ENOMEM;
	peal_text_unref(&r->schema->texts, *out);
	*out = text;
	return PEAL_OK;
}

static enum peal_err writer_attribute(struct reader *r, struct peal_cursor *c,
				      struct peal_writer *w)
{
	struct peal_text **to = NULL;
	struct peal_piece name, value;
	uint64_t *number = NULL;
	int valued, more;

	more = peal_take_attribute(c, &name, &valued);
	if (more <= 0)
		return more ? malformed(r, "source") : PEAL_ENOENT;
	if (!valued)
		return PEAL_OK;
	if (!peal_take(c, 0, &value))
		return malformed(r, "source");
	if (peal_is(&name, "cycle"))
		number = &w->cycle;
	else if (peal_is(&name, "rev"))
		number = &w->revision;
	else if (peal_is(&name, "author"))
		to = &w->author;
	else if (peal_is(&name, "rule"))
		to = &w->rule;
	else if (peal_is(&name, "url"))
		to = &w->url;
	if (number && !peal_parse_uint(value.text, value.len, 0, number))
		return malformed(r, "source");
	return to ? intern(r, to, &value) : PEAL_OK;
}

static enum peal_err read_writer(struct reader *r, struct peal_cursor *c)
{
	static const struct peal_piece none = { "", 0 };
	struct peal_params *p = r->params;
	struct peal_writer *list, *w;
	enum peal_err err;
	uint64_t number;

	/* they are numbered from 0 as they come */
	if (!peal_take_number(c, &number) || number != p->n_writers ||
	    number >= PEAL_NO_SOURCE)
		return malformed(r, "source");
	list = peal_grown(p->writers, p->n_writers, &r->cap_writers,
			  sizeof(*list));
	if (!list)
		return PEAL_ENOMEM;
	p->writers = list;
	w = &list[p->n_writers++];
	memset(w, 0, sizeof(*w));
	err = intern(r, &w->author, &none);
	if (!err)
		err = intern(r, &w->rule, &none);
	if (!err)
		err = intern(r, &w->url, &none);
	while (!err)
		err = writer_attribute(r, c, w);
	return err == PEAL_ENOENT ? PEAL_OK : err;
}

static int read_access(const struct peal_piece *w, struct peal_entry *e)
{
	unsigned ua;

	for (ua = 0; ua < PEAL_UA_NONE; ua++)
		if (peal_is(w, peal_ua_name((enum peal_ua)ua)))
			e->ua = ua & 3;
	return 1;
}

static int param_attribute(struct reader *r, struct peal_cursor *c,
			   const struct peal_piece *name, int valued,
			   struct peal_entry *e)
{
	struct peal_piece w;
	uint64_t n = 0;

	if (!valued) {
		if (peal_is(name, "user-modified"))
			e->user_modified = 1;
		else if (peal_is(name, "user-pref"))
			e->user_pref = 1;
		return 1;
	}
	if (!peal_take(c, 0, &w))
		return 0;
	if (peal_is(name, "ua"))
		return read_access(&w, e);
	if (!peal_is(name, "from") && !peal_is(name, "line"))
		return 1;
	if (!peal_parse_uint(w.text, w.len, 0, &n))
		return 0;
	if (peal_is(name, "line"))
		e->line = n < PEAL_LINE_MAX ? n & PEAL_LINE_MAX : PEAL_LINE_MAX;
	else if (n < r->params->n_writers)
		e->source = (uint16_t)n;
	else
		return 0;
	return 1;
}

static enum peal_err add_entry(struct reader *r, const struct peal_entry *e)
{
	struct peal_params *p = r->params;
	struct peal_entry *list;
	unsigned at = r->at[e->index];

	if (at) { /* an alias and its name: the later line wins */
		peal_text_unref(&r->schema->texts, p->entries[at - 1].text);
		p->entries[at - 1] = *e;
		return PEAL_OK;
	}
	list = peal_grown(p->entries, p->n_entries, &r->cap_entries,
			  sizeof(*list));
	if (!list)
		return PEAL_ENOMEM;
	p->entries = list;
	if (p->n_entries && list[p->n_entries - 1].index > e->index)
		r->sorted = 0;
	list[p->n_entries++] = *e;
	r->at[e->index] = (uint16_t)p->n_entries;
	return PEAL_OK;
}

/* The maker's schema may have changed since the value was written. */
static enum peal_err checked_text(struct reader *r, unsigned index,
				  const struct peal_piece *value,
				  struct peal_text **out)
{
	const struct peal_param *p = &r->schema->params[index];
	struct peal_reason why;
	struct peal_piece canonical;
	enum peal_err err;

	if (strlen(p->deflt) == value->len &&
	    memcmp(p->deflt, value->text, value->len) == 0)
		return intern(r, out, value);
	err = peal_schema_check(r->schema, index, value->text, value->len,
				&r->text, &why);
	if (err == PEAL_ETYPE)
		return r->note(r->arg,
			       "the stored value of %s fits its type no more "
			       "(%s), the default is used",
			       p->name, why.text);
	if (err)
		return err;
	canonical.text = r->text.len ? (char *)r->text.data : "";
	canonical.len = r->text.len;
	return intern(r, out, &canonical);
}

static enum peal_err read_known(struct reader *r, struct peal_cursor *c,
				unsigned index, const struct peal_piece *value)
{
	struct peal_entry e = { .index = (uint16_t)index,
				.source = PEAL_NO_SOURCE };
	struct peal_piece name;
	enum peal_err err = PEAL_OK;
	int more, valued;

	e.ua = (unsigned)r->schema->params[index].ua & 3;
	while ((more = peal_take_attribute(c, &name, &valued)) > 0)
		if (!param_attribute(r, c, &name, valued, &e))
			return malformed(r, "param");
	if (more < 0)
		return malformed(r, "param");
	if (value)
		err = checked_text(r, index, value, &e.text);
	if (!err && !e.text) {
		e.source = PEAL_NO_SOURCE;
		e.line = 0;
	}
	if (!err && !peal_entry_is_plain(&e, r->schema->params[index].ua))
		err = add_entry(r, &e);
	if (err)
		peal_text_unref(&r->schema->texts, e.text);
	return err;
}

static enum peal_err read_extra(struct reader *r, struct peal_cursor *c,
				const struct peal_piece *as,
				const struct peal_piece *value)
{
	struct peal_params *p = r->params;
	struct peal_extra *list, x = { NULL, { .source = PEAL_NO_SOURCE } };
	struct peal_piece name;
	enum peal_err err;
	int more, valued;

	if (p->n_extras + r->schema->n_params >= PEAL_LIMIT_PARAMS)
		return malformed(r, "file: too many parameters");
	while ((more = peal_take_attribute(c, &name, &valued)) > 0)
		if (!param_attribute(r, c, &name, valued, &x.entry))
			return malformed(r, "param");
	if (more < 0 || !value || memchr(value->text, '\0', value->len))
		return malformed(r, "param");
	list = peal_grown(p->extras, p->n_extras, &r->cap_extras,
			  sizeof(*list));
	if (!list)
		return PEAL_ENOMEM;
	p->extras = list;
	err = intern(r, &x.name, as);
	if (!err)
		err = intern(r, &x.entry.text, value);
	if (err) {
		peal_text_unref(&r->schema->texts, x.name);
		return err;
	}
	list[p->n_extras++] = x;
	return PEAL_OK;
}

static enum peal_err read_param(struct reader *r, struct peal_cursor *c)
{
	struct peal_piece name, value, *given = NULL;
	int index;

	if (!peal_take(c, 0, &name))
		return malformed(r, "param");
	peal_skip_blanks(c);
	if (c->p < c->end && *c->p == '"') {
		if (!peal_take_quoted(c, &value))
			return malformed(r, "param");
		given = &value;
	}
	index = peal_schema_find(r->schema, name.text, name.len);
	if (index >= 0)
		return read_known(r, c, (unsigned)index, given);
	if (!peal_name_ok(name.text, name.len))
		return malformed(r, "param");
	/* its definition is gone, and it had no value: nothing is lost */
	if (!given)
		return PEAL_OK;
	return read_extra(r, c, &name, given);
}

static enum peal_err read_state(struct reader *r, struct peal_cursor *c)
{
	struct peal_state *list, s = { NULL, NULL, NULL };
	struct peal_piece ns, key, value;
	enum peal_err err;

	if (!peal_take(c, 0, &ns) || !peal_name_ok(ns.text, ns.len))
		return malformed(r, "state");
	peal_skip_blanks(c);
	if (!peal_take(c, 0, &key) || !key.len ||
	    memchr(key.text, '\0', key.len))
		return malformed(r, "state");
	peal_skip_blanks(c);
	if (c->p == c->end || *c->p != '"' || !peal_take_quoted(c, &value))
		return malformed(r, "state");
	list = peal_grown(r->states->list, r->states->n, &r->cap_states,
			  sizeof(*list));
	if (!list)
		return PEAL_ENOMEM;
	r->states->list = list;
	err = intern(r, &s.ns, &ns);
	if (!err)
		err = intern(r, &s.key, &key);
	if (!err)
		s.value = peal_text_new(value.text, value.len);
	if (!s.value) {
		peal_text_unref(&r->schema->texts, s.ns);
		peal_text_unref(&r->schema->texts, s.key);
		return PEAL_ENOMEM;
	}
	list[r->states->n++] = s;
	return PEAL_OK;
}

static enum peal_err read_line(struct reader *r, struct peal_cursor *c)
{
	struct peal_piece kind;

	if (!peal_take(c, 0, &kind))
		return malformed(r, "line");
	peal_skip_blanks(c);
	if (peal_is(&kind, "param"))
		return read_param(r, c);
	if (peal_is(&kind, "source"))
		return read_writer(r, c);
	if (peal_is(&kind, "state"))
		return read_state(r, c);
	return PEAL_OK;
}

/* --- order --- */

/* Lines come in order unless the schema was changed. */
static enum peal_err sort_entries(struct reader *r)
{
	struct peal_params *p = r->params;
	struct peal_entry *list;
	unsigned i, n = 0;

	if (r->sorted || !p->n_entries)
		return PEAL_OK;
	list = peal_alloc(p->n_entries * sizeof(*list));
	if (!list)
		return PEAL_ENOMEM;
	for (i = 0; i < r->schema->n_params; i++)
		if (r->at[i])
			list[n++] = p->entries[r->at[i] - 1];
	peal_free(p->entries);
	p->entries = list;
	return PEAL_OK;
}

static int extra_order(const void *a, const void *b)
{
	const struct peal_text *x = ((const struct peal_extra *)a)->name;
	const struct peal_text *y = ((const struct peal_extra *)b)->name;

	return peal_name_order(x->bytes, x->len, y->bytes, y->len);
}

static void sort_extras(struct reader *r)
{
	struct peal_params *p = r->params;
	unsigned i, n = 0;

	for (i = 1; i < p->n_extras; i++)
		n += extra_order(&p->extras[i - 1], &p->extras[i]) >= 0;
	if (!n)
		return;
	qsort(p->extras, p->n_extras, sizeof(*p->extras), extra_order);
	for (i = 1, n = 0; i < p->n_extras; i++) {
		if (p->extras[n].name != p->extras[i].name) {
			p->extras[++n] = p->extras[i];
			continue;
		}
		peal_text_unref(&r->schema->texts, p->extras[i].name);
		peal_text_unref(&r->schema->texts, p->extras[i].entry.text);
	}
	p->n_extras = n + 1;
}

static int state_order(const void *a, const void *b)
{
	return peal_state_order(a, b);
}

static void sort_states(struct reader *r)
{
	struct peal_states *s = r->states;
	unsigned i, n = 0;

	for (i = 1; i < s->n; i++)
		n += peal_state_order(&s->list[i - 1], &s->list[i]) >= 0;
	if (!n)
		return;
	qsort(s->list, s->n, sizeof(*s->list), state_order);
	for (i = 1, n = 0; i < s->n; i++) {
		if (peal_state_order(&s->list[n], &s->list[i]) != 0) {
			s->list[++n] = s->list[i];
			continue;
		}
		peal_state_unref(&r->schema->texts, &s->list[i]);
	}
	s->n = n + 1;
}

static void fit(struct reader *r)
{
	struct peal_params *p = r->params;
	struct peal_states *s = r->states;

	p->entries = peal_fitted(p->entries, p->n_entries, sizeof(*p->entries));
	p->extras = peal_fitted(p->extras, p->n_extras, sizeof(*p->extras));
	p->writers = peal_fitted(p->writers, p->n_writers, sizeof(*p->writers));
	s->list = peal_fitted(s->list, s->n, sizeof(*s->list));
}

/* --- the whole file --- */

enum { SUM_LINE = 7 + 2 * PEAL_SHA256_SIZE + 1 };

/* The last line is the sum of all before it; *end is moved to it. */
static enum peal_err check_sum(const unsigned char *bytes, size_t len,
			       size_t *end, struct peal_reason *reason)
{
	unsigned char sum[PEAL_SHA256_SIZE];
	char line[SUM_LINE] = "sha256 ";
	enum peal_err err;

	if (len < SUM_LINE)
		return peal_fail(reason, PEAL_EDAMAGED, "cut off");
	*end = len - SUM_LINE;
	err = peal_sha256(bytes, *end, sum);
	if (err)
		return err;
	peal_hex(sum, sizeof(sum), line + 7);
	line[SUM_LINE - 1] = '\n';
	if (memcmp(bytes + *end, line, SUM_LINE) != 0)
		return peal_fail(reason, PEAL_EDAMAGED,
				 "the checksum does not fit");
	return PEAL_OK;
}

static enum peal_err read_lines(struct reader *r, unsigned char *p,
				unsigned char *end)
{
	enum peal_err err = PEAL_OK;
	unsigned char *stop;

	r->at = peal_calloc(r->schema->n_params + 1, sizeof(*r->at));
	if (!r->at)
		return PEAL_ENOMEM;
	for (r->line = 3; p < end && !err; p = stop + 1, r->line++) {
		struct peal_cursor c;

		stop = memchr(p, '\n', (size_t)(end - p));
		if (!stop)
			return malformed(r, "line");
		c.p = p;
		c.end = stop;
		err = read_line(r, &c);
	}
	if (!err)
		err = sort_entries(r);
	if (err)
		return err;
	sort_extras(r);
	sort_states(r);
	fit(r);
	return PEAL_OK;
}

enum peal_err peal_revision_read(unsigned char *bytes, size_t len,
				 struct peal_schema *schema,
				 struct peal_params *params,
				 struct peal_states *states,
				 struct peal_revision *head, peal_note_fn note,
				 void *arg, struct peal_reason *reason)
{
	struct reader r = { .schema = schema,
			    .params = params,
			    .states = states,
			    .sorted = 1,
			    .note = note,
			    .arg = arg,
			    .reason = reason };
	unsigned char *p = bytes;
	uint64_t format = 0;
	enum peal_err err;
	size_t end = 0;

	err = check_sum(bytes, len, &end, reason);
	if (!err)
		err = read_head(&p, bytes + end, head, &format, reason);
	if (err)
		return err;
	peal_buf_init(&r.text, PEAL_LIMIT_VALUE + 1);
	err = read_lines(&r, p, bytes + end);
	peal_buf_fini_secret(&r.text);
	peal_free(r.at);
	if (!err && format > PEAL_STORE_FORMAT)
		err = PEAL_ENEWER;
	return err;
}
