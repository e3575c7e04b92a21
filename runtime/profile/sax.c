/* sax.c - what libxml2 reports, turned into parameter elements. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "parser.h"

enum { ATTRIBUTE = 5 }; /* localname, prefix, URI, value, end */

static int is(const xmlChar *text, const char *what)
{
	return strcmp((const char *)text, what) == 0;
}

/* Line of the '<' of the tag that is being reported: libxml2 counts to its
 * end. The whole tag lies before `cur`, and no other '<' can be in it. */
static long tag_line(const struct peal_profile *p)
{
	const xmlParserInput *in = p->ctxt->input;
	const xmlChar *q = memrchr(in->base, '<', (size_t)(in->cur - in->base));
	long line = in->line + p->skipped_lines;

	while (q && (q = memchr(q + 1, '\n', (size_t)(in->cur - q - 1))))
		line--;
	return line;
}

/* Does the path of the innermost element end with `path`? Returns the number
 * of names in it, 0: no. */
static unsigned path_matches(const struct peal_profile *p, const char *path)
{
	const char *end = path + strlen(path), *name;
	unsigned at = p->depth, n = 0;
	const struct peal_level *l;
	size_t len;

	if (*path == '/')
		path++;
	while (end > path) {
		for (name = end; name > path && name[-1] != '/'; name--)
			;
		len = (size_t)(end - name);
		if (at == 0)
			return 0;
		l = &p->levels[--at];
		if (l->prefix || strlen((const char *)l->local) != len ||
		    memcmp(l->local, name, len) != 0)
			return 0;
		n++;
		end = name > path ? name - 1 : path;
	}
	return n;
}

static const char *alias(const struct peal_profile *p)
{
	const char *name = NULL;
	unsigned i, n, best = 0;

	for (i = 0; i < p->aliases_n; i++) {
		n = path_matches(p, p->aliases[i].path);
		if (n > best) {
			best = n;
			name = p->aliases[i].name;
		}
	}
	return name;
}

/* The name with its prefix, which no parameter has: it will be unknown, and
 * said so by its full name. */
static const char *full_name(struct peal_profile *p, const struct peal_level *l)
{
	if (!l->prefix)
		return (const char *)l->local;
	snprintf(p->name, sizeof(p->name), "%s:%s", (const char *)l->prefix,
		 (const char *)l->local);
	return p->name;
}

static int attribute_is(const xmlChar **a, const char *value)
{
	size_t len = (size_t)(a[4] - a[3]);

	return len == strlen(value) && memcmp(a[3], value, len) == 0;
}

static void attributes(struct peal_level *l, int n, const xmlChar **a)
{
	for (; n > 0; n--, a += ATTRIBUTE) {
		if (a[1])
			continue;
		if (is(a[0], "ua")) {
			if (attribute_is(a, "na"))
				l->ua = PEAL_UA_NA;
			else if (attribute_is(a, "ro"))
				l->ua = PEAL_UA_RO;
			else if (attribute_is(a, "rw"))
				l->ua = PEAL_UA_RW;
			else
				l->flags |= PEAL_ELEMENT_BAD_UA;
		} else if (is(a[0], "preserve-value")) {
			if (attribute_is(a, "y"))
				l->flags |= PEAL_ELEMENT_PRESERVE;
		} else if (is(a[0], "user-pref")) {
			if (attribute_is(a, "y"))
				l->flags |= PEAL_ELEMENT_USER_PREF;
		}
	}
}

/* Which parameter is the innermost element, if any? An alias says more than
 * the place. */
static const char *parameter(struct peal_profile *p, struct peal_level *l)
{
	const char *name = p->aliases_n ? alias(p) : NULL;

	if (name) {
		p->found = 1;
		return name;
	}
	if (p->flat_depth && p->depth == p->flat_depth + 1)
		return full_name(p, l);
	if (!p->flat_depth && !l->prefix && is(l->local, "flat-profile")) {
		p->flat_depth = p->depth;
		p->found = 1;
	}
	return NULL;
}

static void root(struct peal_profile *p, const xmlChar *name)
{
	snprintf(p->root, sizeof(p->root), "%s", (const char *)name);
	p->root_is_html = strcasecmp((const char *)name, "html") == 0;
}

static void on_start(void *arg, const xmlChar *local, const xmlChar *prefix,
		     const xmlChar *uri, int spaces_n, const xmlChar **spaces,
		     int n, int defaulted, const xmlChar **a)
{
	struct peal_profile *p = arg;
	struct peal_level *l;

	(void)uri, (void)spaces_n, (void)spaces, (void)defaulted;
	if (p->err)
		return;
	if (p->depth == PEAL_LIMIT_XML_DEPTH) {
		peal_profile_fail(p, PEAL_ECORRUPT, tag_line(p), -1,
				  "elements are nested too deep");
		return;
	}
	if (++p->elements > PEAL_LIMIT_XML_ELEMENTS) {
		peal_profile_fail(p, PEAL_ECORRUPT, tag_line(p), -1,
				  "too many elements");
		return;
	}
	if (p->depth == 0)
		root(p, local);
	else
		p->levels[p->depth - 1].flags |= PEAL_ELEMENT_CHILDREN;
	l = &p->levels[p->depth++];
	l->local = local;
	l->prefix = prefix;
	l->ua = PEAL_UA_NONE;
	l->flags = 0;
	l->line = tag_line(p);
	l->param = parameter(p, l);
	p->collecting = l->param != NULL;
	if (!p->collecting)
		return;
	l->param_len = strlen(l->param);
	attributes(l, n, a);
	p->value_len = 0;
	p->after_cr = 0;
	p->lost_blanks = 0;
}

static int blank(char c)
{
	return c == ' ' || c == '\t';
}

static int is_line_end(char c)
{
	return (unsigned char)c < ' ' && (c == '\n' || c == '\r');
}

/* A run without line ends. */
static void add_run(struct peal_profile *p, const char *s, size_t len)
{
	size_t room, n;

	if (p->value_len == 0) /* blanks at the beginning */
		for (; len && blank(*s); len--)
			s++;
	room = sizeof(p->value) - p->value_len;
	n = p->lost_blanks ? 0 : len < room ? len : room;
	memcpy(p->value + p->value_len, s, n);
	p->value_len += n;
	for (s += n, len -= n; len; len--) {
		p->lost_blanks = 1;
		if (!blank(*s++))
			p->levels[p->depth - 1].flags |= PEAL_ELEMENT_TOO_LONG;
	}
}

/* Is there a byte below the blank, such as a line end? */
static int has_low(const char *s, size_t len)
{
	const uint64_t ones = 0x0101010101010101u;
	uint64_t v, low = 0;
	size_t i = 0;

	/* the subtraction borrows from a neighbour only where there is one */
	for (; i < len && len >= 8; i += 8) {
		/* the last word ends where the text does */
		memcpy(&v, s + (i < len - 8 ? i : len - 8), 8);
		low |= (v - ones * 0x20) & ~v & (ones * 0x80);
	}
	for (; i < len; i++)
		low |= (unsigned char)s[i] < ' ';
	return low != 0;
}

/* Take most texts as they are; 0: this one wants a closer look. */
static int add_plain(struct peal_profile *p, const char *s, size_t len)
{
	if (p->lost_blanks || len > sizeof(p->value) - p->value_len ||
	    (p->value_len == 0 && blank(*s)) || has_low(s, len))
		return 0;
	memcpy(p->value + p->value_len, s, len);
	p->value_len += len;
	p->after_cr = 0;
	return 1;
}

/* Each line end is one blank, CR LF counting once. libxml2 has made LF of all
 * of them, but for those written as character references. */
static void on_text(void *arg, const xmlChar *text, int len)
{
	struct peal_profile *p = arg;
	const char *s = (const char *)text, *end = s + len, *q;

	if (!p->collecting || p->err || len <= 0 ||
	    add_plain(p, s, (size_t)len))
		return;
	for (; s < end; s = q + 1) {
		for (q = s; q < end && !is_line_end(*q); q++)
			;
		if (q > s) {
			add_run(p, s, (size_t)(q - s));
			p->after_cr = 0;
		}
		if (q == end)
			break;
		if (*q == '\r' || !p->after_cr)
			add_run(p, " ", 1);
		p->after_cr = *q == '\r';
	}
}

/* Not in the middle of a character. */
static size_t cut(const char *s, size_t len)
{
	size_t n = len;

	while (n > 0 && n > len - 4 && ((unsigned char)s[n - 1] & 0xc0) == 0x80)
		n--;
	if (n > 0 && ((unsigned char)s[n - 1] & 0xc0) == 0xc0)
		return n - 1;
	return len;
}

static void emit(struct peal_profile *p, const struct peal_level *l)
{
	struct peal_element e = { 0 };
	enum peal_err err;

	e.name = l->param;
	e.name_len = l->param_len;
	e.value = p->value;
	e.value_len = p->value_len;
	e.ua = l->ua;
	e.flags = l->flags;
	e.line = l->line;
	while (e.value_len && blank(p->value[e.value_len - 1]))
		e.value_len--;
	if (e.flags & PEAL_ELEMENT_CHILDREN)
		e.value_len = 0;
	if (e.flags & PEAL_ELEMENT_TOO_LONG)
		e.value_len = cut(p->value, e.value_len);
	if (e.value_len == 2 && memcmp(p->value, "\"\"", 2) == 0) {
		e.flags |= PEAL_ELEMENT_QUOTED_EMPTY;
		e.value_len = 0;
	}
	err = p->sink(&e, p->arg);
	if (err)
		peal_profile_fail(p, err, l->line, -1, "");
}

static void on_end(void *arg, const xmlChar *local, const xmlChar *prefix,
		   const xmlChar *uri)
{
	struct peal_profile *p = arg;
	const struct peal_level *l;

	(void)local, (void)prefix, (void)uri;
	if (p->err || p->depth == 0)
		return;
	l = &p->levels[p->depth - 1];
	if (l->param)
		emit(p, l);
	if (p->flat_depth == p->depth)
		p->flat_depth = 0;
	p->depth--;
	p->collecting = 0;
}

/* In our own words: libxml2's may quote the document, and a piece of it may
 * be a piece of a password. */
static const char *words(const xmlError *e)
{
	switch (e->code) {
	case XML_ERR_UNDECLARED_ENTITY:
	case XML_ERR_ENTITYREF_SEMICOL_MISSING:
	case XML_ERR_NAME_REQUIRED:
	case XML_ERR_ENTITYREF_NO_NAME:
		return "an unknown &reference; a bare & is written &amp;";
	case XML_ERR_INVALID_CHAR:
	case XML_ERR_INVALID_CHARREF:
	case XML_ERR_INVALID_DEC_CHARREF:
	case XML_ERR_INVALID_HEX_CHARREF:
		return "a character reference that XML does not allow";
	case XML_ERR_ATTRIBUTE_NOT_STARTED:
	case XML_ERR_ATTRIBUTE_NOT_FINISHED:
	case XML_ERR_ATTRIBUTE_WITHOUT_VALUE:
	case XML_ERR_LT_IN_ATTRIBUTE:
		return "a bad attribute; values stand in quotes";
	case XML_ERR_ATTRIBUTE_REDEFINED:
		return "an attribute stands twice in one element";
	case XML_ERR_DOCUMENT_END:
		return "something follows the end of the document";
	case XML_ERR_RESERVED_XML_NAME:
		return "an XML declaration that is not at the beginning";
	default:
		return "not well-formed XML";
	}
}

static void on_error(void *arg, xmlErrorPtr e)
{
	struct peal_profile *p = arg;
	const struct peal_level *open = NULL;
	char text[160];
	long line, byte;

	/* warnings, and what namespaces are about: not ours */
	if (p->err || e->level != XML_ERR_FATAL)
		return;
	if (p->depth > 0)
		open = &p->levels[p->depth - 1];
	line = e->line + p->skipped_lines;
	byte = xmlByteConsumed(p->ctxt);
	if (byte >= 0)
		byte += (long)p->skipped;
	if (e->code == XML_ERR_TAG_NAME_MISMATCH && open) {
		snprintf(
			text, sizeof(text),
			"<%.60s> of line %ld is not closed by the next end tag",
			(const char *)open->local, open->line);
		peal_profile_fail(p, PEAL_ECORRUPT, line, byte, text);
	} else if (e->code == XML_ERR_DOCUMENT_END && open) {
		snprintf(text, sizeof(text), "the file ends inside <%.60s>",
			 (const char *)open->local);
		peal_profile_fail(p, PEAL_ECORRUPT, open->line, -1, text);
	} else {
		peal_profile_fail(p, PEAL_ECORRUPT, line, byte, words(e));
	}
}

void peal_sax_init(struct peal_profile *p)
{
	p->sax.initialized = XML_SAX2_MAGIC;
	p->sax.startElementNs = on_start;
	p->sax.endElementNs = on_end;
	p->sax.characters = on_text;
	/* the same function: libxml2 need not tell blanks from text then */
	p->sax.ignorableWhitespace = on_text;
	p->sax.cdataBlock = on_text;
	p->sax.serror = on_error;
}
