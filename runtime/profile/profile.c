/* profile.c - see peal/profile.h and parser.h */
#include "peal/profile.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "memory.h"
#include "parser.h"
#include "peal/alloc.h"
#include "utf8.h"

enum {
	/* libxml2 keeps what it cannot use yet; it is given whole tokens, so
	 * more than this is a reference that never ends */
	LOOKAHEAD = 3 * PEAL_WINDOW,
	/* bytes gathered before a look; depends on nothing but the document */
	LOOK = 4 << 10,
	DECLARATION = 1024,  /* an XML declaration is shorter */
	DICTIONARY = 4 << 20 /* bytes of different names */
};

void peal_profile_fail(struct peal_profile *p, enum peal_err err, long line,
		       long byte, const char *text)
{
	if (!p->err)
		p->err = peal_fail_at(&p->reason, err, line, byte, "%s", text);
}

static long count_lines(const unsigned char *p, size_t len)
{
	long n = 0;
	size_t i;

	for (i = 0; i < len; i++)
		n += p[i] == '\n';
	return n;
}

/* Line of an offset of the window. libxml2 has counted to what it has used:
 * to count all lines again, for a fault that may never be, costs more than
 * the rest of a step. */
static long line_of(const struct peal_profile *p, size_t at)
{
	const xmlParserInput *in = p->ctxt->input;
	long line = p->skipped_lines + 1;

	if (in)
		line += in->line - 1 +
			count_lines(in->cur, (size_t)(in->end - in->cur));
	return line - count_lines(p->window, p->fed) +
	       count_lines(p->window, at);
}

/* A fault at an offset of the window. */
static void fail_here(struct peal_profile *p, enum peal_err err, size_t at,
		      const char *text)
{
	if (!p->err)
		peal_profile_fail(p, err, line_of(p, at),
				  (long)(p->before + at), text);
}

enum peal_err peal_profile_new(struct peal_profile **out,
			       const struct peal_alias *aliases, unsigned n,
			       peal_element_fn sink, void *arg)
{
	const int options = XML_PARSE_NONET | XML_PARSE_IGNORE_ENC |
			    XML_PARSE_NOWARNING;
	struct peal_profile *p;

	if (n > PEAL_LIMIT_ALIASES)
		return PEAL_ELIMIT;
	p = peal_zalloc(sizeof(*p));
	if (!p)
		return PEAL_ENOMEM;
	p->sink = sink;
	p->arg = arg;
	p->aliases = aliases;
	p->aliases_n = n;
	p->goal = LOOK;
	peal_reason_clear(&p->reason);
	peal_sax_init(p);
	p->ctxt = xmlCreatePushParserCtxt(&p->sax, p, NULL, 0, NULL);
	if (!p->ctxt)
		goto fail;
	/* No network (nothing asks for it: belt and braces); the encoding is
	 * judged here, so that no converter is ever opened. No entities: the
	 * five need no substitution and a DOCTYPE never gets this far. */
	xmlCtxtUseOptions(p->ctxt, options);
	xmlDictSetLimit(p->ctxt->dict, DICTIONARY);
	*out = p;
	return PEAL_OK;
fail:
	peal_profile_free(p);
	return PEAL_ENOMEM;
}

void peal_profile_free(struct peal_profile *p)
{
	if (!p)
		return;
	if (p->ctxt) {
		/* nothing builds a tree; freed all the same if one is there */
		xmlFreeDoc(p->ctxt->myDoc);
		p->ctxt->myDoc = NULL;
		xmlFreeParserCtxt(p->ctxt);
	}
	/* libxml2 keeps a copy of some faults, with pieces of the document */
	xmlResetLastError();
	/* values may be secrets */
	peal_wipe(p, sizeof(*p));
	peal_free(p);
}

/* Hand the first n bytes of the window to libxml2. */
static void feed(struct peal_profile *p, size_t n, int final)
{
	const unsigned long failures = peal_xml_failures();
	const xmlParserInput *in;

	xmlParseChunk(p->ctxt, (const char *)p->window, (int)n, final);
	p->fed = n;
	if (peal_xml_failures() != failures ||
	    p->ctxt->errNo == XML_ERR_NO_MEMORY) {
		/* whatever it has reported since may be wrong */
		p->err = PEAL_OK;
		if (xmlDictGetUsage(p->ctxt->dict) > DICTIONARY / 2)
			fail_here(p, PEAL_ECORRUPT, 0,
				  "too many different names");
		peal_profile_fail(p, PEAL_ENOMEM, 0, -1, "");
	}
	if (!p->ctxt->wellFormed)
		fail_here(p, PEAL_ECORRUPT, 0, "not well-formed XML");
	in = p->ctxt->input;
	if (in && in->end - in->cur > LOOKAHEAD)
		peal_profile_fail(p, PEAL_ECORRUPT, in->line + p->skipped_lines,
				  -1, "a bare & is written &amp;");
}

static void consume(struct peal_profile *p, size_t n)
{
	p->before += n;
	p->fed = 0;
	p->window_len -= n;
	memmove(p->window, p->window + n, p->window_len);
}

static void remember_last(struct peal_profile *p, const struct peal_scan *s)
{
	memset(p->last, 0, sizeof(p->last));
	if (s->skip == 0 && s->feed >= 2)
		memcpy(p->last, p->window + s->feed - 2, 2);
}

/* One look at the window. Returns 0 when there is nothing more to do. */
static int step(struct peal_profile *p, int final)
{
	struct peal_scan s;
	size_t good;

	peal_scan(p->window, p->window_len, final, p->state, p->last, &s);
	good = peal_utf8_check(p->window, s.feed + s.skip);
	if (good < s.feed + s.skip) {
		fail_here(p, PEAL_ECORRUPT, good,
			  "not UTF-8, or a character XML does not allow");
		return 0;
	}
	/* also before an error: the first one in the file counts */
	if (s.feed)
		feed(p, s.feed, 0);
	if (s.error)
		fail_here(p, PEAL_ECORRUPT, s.feed, s.error);
	if (p->err)
		return 0;
	remember_last(p, &s);
	p->skipped += s.skip;
	p->skipped_lines += count_lines(p->window + s.feed, s.skip);
	p->state = s.state;
	consume(p, s.feed + s.skip);
	return s.feed + s.skip > 0 && p->window_len > 0;
}

static int blank(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Value of encoding="..." in an XML declaration, or NULL. */
static const unsigned char *encoding(const unsigned char *p, size_t len,
				     size_t *n)
{
	static const char key[] = "encoding";
	const unsigned char *q = memmem(p, len, key, sizeof(key) - 1);
	const unsigned char *end = p + len, *close;

	if (!q)
		return NULL;
	q += sizeof(key) - 1;
	while (q < end && (blank(*q) || *q == '='))
		q++;
	if (q == end || (*q != '"' && *q != '\''))
		return NULL;
	close = memchr(q + 1, *q, (size_t)(end - q - 1));
	*n = close ? (size_t)(close - q - 1) : 0;
	return close ? q + 1 : NULL;
}

static int allowed(const unsigned char *name, size_t len)
{
	return (len == 5 && strncasecmp((const char *)name, "UTF-8", 5) == 0) ||
	       (len == 8 &&
		strncasecmp((const char *)name, "US-ASCII", 8) == 0);
}

static void check_declaration(struct peal_profile *p)
{
	const unsigned char *w = p->window, *end, *name;
	size_t len = p->window_len, n = 0;

	if (len < 6 || memcmp(w, "<?xml", 5) != 0 || !blank(w[5]))
		return;
	if (len > DECLARATION)
		len = DECLARATION;
	end = memmem(w, len, "?>", 2);
	if (!end) {
		fail_here(p, PEAL_ECORRUPT, 0,
			  "the XML declaration is not closed");
		return;
	}
	name = encoding(w, (size_t)(end - w), &n);
	if (name && !allowed(name, n))
		fail_here(p, PEAL_ECORRUPT, (size_t)(name - w),
			  "the encoding is not UTF-8");
}

/* In words, what is there instead of XML. `first` is the first byte that is
 * not blank. */
static const char *what_else(const unsigned char *p, size_t len, size_t first)
{
	if (len == 0 || first == len)
		return "not a profile: the file is empty";
	if (len >= 2 &&
	    ((p[0] == 0xff && p[1] == 0xfe) || (p[0] == 0xfe && p[1] == 0xff)))
		return "not a profile: UTF-16, only UTF-8 is read";
	if (len >= 2 && p[0] == 0x1f && p[1] == 0x8b)
		return "not a profile: a gzip file inside a gzip file";
	if (len >= 8 && memcmp(p, "Salted__", 8) == 0)
		return "not a profile: encrypted before it was compressed; "
		       "compress first, then encrypt";
	len = len < 64 ? len : 64;
	if (first >= len || peal_utf8_check(p, len) + 3 < len)
		return "not a profile: binary data";
	return "not a profile: text that is not XML";
}

/* The very beginning decides what libxml2 is allowed to guess: nothing. */
static void check_head(struct peal_profile *p, int final)
{
	size_t first = 0;

	if (p->window_len >= 3 && memcmp(p->window, "\xef\xbb\xbf", 3) == 0) {
		p->skipped += 3;
		consume(p, 3);
	}
	while (first < p->window_len && blank(p->window[first]))
		first++;
	if (first < p->window_len && p->window[first] == '<') {
		if (first && p->window_len - first >= 5 &&
		    memcmp(p->window + first, "<?xml", 5) == 0)
			fail_here(p, PEAL_ECORRUPT, 0,
				  "white space before the XML declaration");
		check_declaration(p);
		p->root_is_html = p->window_len - first >= 14 &&
				  strncasecmp((char *)p->window + first,
					      "<!doctype html", 14) == 0;
	} else if (first < p->window_len || final) {
		fail_here(p, PEAL_ECORRUPT, first,
			  what_else(p->window, p->window_len, first));
	}
	p->state = PEAL_SCAN_CONTENT;
}

static void drain(struct peal_profile *p, int final)
{
	if (p->state == PEAL_SCAN_HEAD)
		check_head(p, final);
	if (!p->err)
		while (step(p, final))
			;
	p->goal = p->window_len < PEAL_WINDOW - LOOK ? p->window_len + LOOK :
						       PEAL_WINDOW;
}

static enum peal_err result(struct peal_profile *p, struct peal_reason *reason)
{
	if (p->err == PEAL_ECORRUPT && p->root_is_html)
		peal_fail_at(&p->reason, p->err, p->reason.line, p->reason.byte,
			     "not a profile: an HTML page (a login page?)");
	if (p->err && reason)
		*reason = p->reason;
	return p->err;
}

enum peal_err peal_profile_feed(struct peal_profile *p, const void *bytes,
				size_t len, struct peal_reason *reason)
{
	const unsigned char *from = bytes;
	size_t n;

	if (!p->err && len > PEAL_LIMIT_INFLATED - p->before - p->window_len)
		peal_profile_fail(p, PEAL_ETOOBIG, 0, -1,
				  "the profile is too big");
	while (!p->err && len > 0) {
		n = p->goal - p->window_len;
		if (n > len)
			n = len;
		memcpy(p->window + p->window_len, from, n);
		p->window_len += n;
		from += n;
		len -= n;
		if (p->window_len == p->goal)
			drain(p, 0);
	}
	return result(p, reason);
}

enum peal_err peal_profile_finish(struct peal_profile *p,
				  struct peal_reason *reason)
{
	char text[sizeof(p->reason.text)];

	if (!p->err)
		drain(p, 1);
	if (!p->err)
		feed(p, 0, 1);
	if (!p->err && !p->found) {
		snprintf(text, sizeof(text),
			 "not a profile: <%s> without a flat-profile", p->root);
		peal_profile_fail(p, PEAL_ECORRUPT, 0, -1, text);
	}
	return result(p, reason);
}
