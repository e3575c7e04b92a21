/* scan.c - finds where the tokens of an XML document end.
 *
 * It knows just enough of XML to see tags, comments, instructions and CDATA
 * sections as wholes. Whether they are well-formed inside is for libxml2. */
#include <stdint.h>
#include <string.h>

#include "parser.h"

#define INCOMPLETE SIZE_MAX

struct token {
	size_t len; /* INCOMPLETE: goes on behind the window */
	const char *error;
};

static const unsigned char *find(const unsigned char *p, size_t len,
				 const char *what, size_t what_len)
{
	return len < what_len ? NULL : memmem(p, len, what, what_len);
}

static int begins(const unsigned char *p, size_t len, const char *what)
{
	size_t n = strlen(what);

	return len >= n && memcmp(p, what, n) == 0;
}

/* p: behind the opening. `len` of the result counts the "-->" too. */
static struct token comment_rest(const unsigned char *p, size_t len)
{
	const unsigned char *q = find(p, len, "--", 2);
	struct token t = { INCOMPLETE, NULL };

	if (!q || (size_t)(q - p) + 3 > len)
		return t;
	if (q[2] != '>')
		t.error = "two hyphens inside a comment";
	else
		t.len = (size_t)(q - p) + 3;
	return t;
}

static struct token until(const unsigned char *p, size_t len, size_t from,
			  const char *end)
{
	const unsigned char *q = NULL;
	struct token t = { INCOMPLETE, NULL };

	if (from <= len)
		q = find(p + from, len - from, end, strlen(end));
	if (q)
		t.len = (size_t)(q - p) + strlen(end);
	return t;
}

/* The first quote in p[from..to), or NULL. */
static const unsigned char *quote(const unsigned char *p, size_t from,
				  size_t to)
{
	const unsigned char *two = memchr(p + from, '"', to - from);
	const unsigned char *one;

	one = memchr(p + from, '\'', (two ? (size_t)(two - p) : to) - from);
	return one ? one : two;
}

/* A tag: up to the '>' that is in no quotes. An end tag has none. */
static struct token tag(const unsigned char *p, size_t len)
{
	struct token t = { INCOMPLETE, NULL };
	size_t max = len < PEAL_LIMIT_XML_TAG ? len : PEAL_LIMIT_XML_TAG;
	const unsigned char *end = memchr(p, '>', max), *q = NULL;
	unsigned quoted = 0;
	size_t i = 1;

	while (end && p[1] != '/') {
		if (end < p + i)
			end = memchr(p + i, '>', max - i);
		q = quote(p, i, end ? (size_t)(end - p) : max);
		if (!q)
			break;
		if (++quoted > PEAL_LIMIT_XML_ATTRIBUTES) {
			t.error = "an element has too many attributes";
			return t;
		}
		i = (size_t)(q - p) + 1;
		q = memchr(p + i, *q, max - i);
		if (!q) {
			end = NULL;
			break;
		}
		i = (size_t)(q - p) + 1;
		/* as most tags end, without a look for more quotes */
		if (q + 1 == end)
			break;
	}
	if (end)
		t.len = (size_t)(end - p) + 1;
	else if (len >= PEAL_LIMIT_XML_TAG)
		t.error = "a start tag is too long";
	return t;
}

static struct token declaration(const unsigned char *p, size_t len, int final)
{
	struct token t = { INCOMPLETE, NULL };

	if (begins(p, len, "<!--")) {
		t = comment_rest(p + 4, len - 4);
		if (t.len != INCOMPLETE)
			t.len += 4;
		return t;
	}
	if (begins(p, len, "<![CDATA["))
		return until(p, len, 9, "]]>");
	if (len >= 9 || final)
		t.error = begins(p, len, "<!DOCTYPE") ?
				  "a DOCTYPE is not allowed in a profile" :
				  "a declaration is not allowed here";
	return t;
}

static struct token any_token(const unsigned char *p, size_t len, int final)
{
	struct token t = { INCOMPLETE, NULL };

	if (len < 2)
		return t;
	if (p[1] == '!')
		return declaration(p, len, final);
	if (p[1] == '?')
		return until(p, len, 2, "?>");
	return tag(p, len);
}

/* Is there "]]>" in the text, `last` being the two bytes before it? XML does
 * not allow it, and libxml2 misses one that two pieces share. */
static int has_section_end(const unsigned char *p, size_t len,
			   const unsigned char last[2])
{
	const unsigned char *q = p, *end = p + len;

	while (q < end && (q = memchr(q, '>', (size_t)(end - q)))) {
		int a = q - p >= 2 ? q[-2] : last[q - p];
		int b = q - p >= 1 ? q[-1] : last[1];

		if (a == ']' && b == ']')
			return 1;
		q++;
	}
	return 0;
}

/* Where text that fills the window may be cut: not inside a character, nor
 * behind a CR, whose LF may follow. */
static size_t text_cut(const unsigned char *p, size_t len)
{
	size_t n = len - 1, least = len - 4;

	while (n > least && ((p[n] & 0xc0) == 0x80 || p[n - 1] == '\r'))
		n--;
	return n;
}

/* What is at the front fills the window. */
static void too_long(const unsigned char *w, size_t len, struct peal_scan *s)
{
	if (begins(w, len, "<![CDATA[")) {
		s->state = PEAL_SCAN_CDATA;
		/* two bytes of the "]]>" may be there already */
		s->feed = text_cut(w, len - 2);
	} else if (begins(w, len, "<!--")) {
		s->state = PEAL_SCAN_COMMENT;
		s->skip = text_cut(w, len - 2);
	} else if (begins(w, len, "<?")) {
		s->state = PEAL_SCAN_INSTRUCTION;
		s->skip = text_cut(w, len - 1);
	} else {
		s->feed = text_cut(w, len);
	}
}

static void content(const unsigned char *w, size_t len, int final,
		    const unsigned char last[2], struct peal_scan *s)
{
	const unsigned char none[2] = { 0, 0 };
	const int brackets = last[1] == ']' || memchr(w, ']', len);
	const unsigned char *q;
	struct token t = { 0, NULL };
	size_t i, end;

	for (i = 0; i < len && t.len != INCOMPLETE; i = s->feed) {
		q = memchr(w + i, '<', len - i);
		end = q ? (size_t)(q - w) : len;
		if (brackets &&
		    has_section_end(w + i, end - i, i ? none : last))
			t.error = "]]> is not allowed in text";
		else if (!q)
			t.len = INCOMPLETE;
		else {
			s->feed = end;
			t = any_token(q, len - end, final);
		}
		s->error = t.error;
		if (t.error)
			return;
		if (t.len != INCOMPLETE)
			s->feed = end + t.len;
	}
	/* what the end of the document cuts off is libxml2's to refuse */
	if (final)
		s->feed = len;
	else if (s->feed == 0 && len == PEAL_WINDOW)
		too_long(w, len, s);
}

/* On with something that began before the window. */
static void rest(const unsigned char *w, size_t len, int final,
		 struct peal_scan *s)
{
	const int cdata = s->state == PEAL_SCAN_CDATA;
	struct token t;

	if (s->state == PEAL_SCAN_COMMENT)
		t = comment_rest(w, len);
	else
		t = until(w, len, 0, cdata ? "]]>" : "?>");
	if (t.len != INCOMPLETE)
		s->state = PEAL_SCAN_CONTENT;
	else if (!final)
		t.len = len > 8 ? text_cut(w, len - 2) : 0;
	else if (cdata)
		t.len = len;
	else
		t.error = "a comment or instruction is not closed";
	s->error = t.error;
	if (t.error)
		return;
	if (cdata)
		s->feed = t.len;
	else
		s->skip = t.len;
}

void peal_scan(const unsigned char *w, size_t len, int final,
	       enum peal_scan_state state, const unsigned char last[2],
	       struct peal_scan *out)
{
	out->feed = 0;
	out->skip = 0;
	out->state = state;
	out->error = NULL;
	if (state == PEAL_SCAN_CONTENT)
		content(w, len, final, last, out);
	else
		rest(w, len, final, out);
}
