/* parser.h - the insides of the profile parser. Private to profile/.
 *
 * Bytes are gathered in one window and handed to libxml2 only up to the end of
 * a complete token. So what libxml2 sees is a function of the document alone,
 * not of the pieces it came in, and a tag is judged before libxml2 spends time
 * on it: its duplicate check is quadratic in the number of attributes. */
#ifndef PEAL_PROFILE_PARSER_H
#define PEAL_PROFILE_PARSER_H

#include <libxml/parser.h>

#include "peal/limits.h"
#include "peal/profile.h"

enum {
	/* holds the longest tag and as much again, so that a tag left over is
	 * looked at twice at most */
	PEAL_WINDOW = 2 * PEAL_LIMIT_XML_TAG
};

/* Where the window begins. */
enum peal_scan_state {
	PEAL_SCAN_HEAD,    /* at the first byte of the document */
	PEAL_SCAN_CONTENT, /* between tokens, or in text */
	PEAL_SCAN_CDATA,
	/* a comment or instruction that fills the window: not handed on */
	PEAL_SCAN_COMMENT,
	PEAL_SCAN_INSTRUCTION
};

/* What one look at the window found.
 *   feed    bytes from the front that libxml2 may see
 *   skip    bytes behind those that it need not see
 *   state   at the byte after feed + skip
 *   error   NULL, or what is wrong at byte `feed` */
struct peal_scan {
	size_t feed;
	size_t skip;
	enum peal_scan_state state;
	const char *error;
};

/* An open element.
 *   param   name as a parameter, or NULL: it is none */
struct peal_level {
	const xmlChar *prefix;
	const xmlChar *local;
	const char *param;
	size_t param_len;
	enum peal_ua ua;
	unsigned flags;
	long line;
};

struct peal_profile {
	xmlSAXHandler sax;
	xmlParserCtxtPtr ctxt;
	peal_element_fn sink;
	void *arg;
	const struct peal_alias *aliases;
	unsigned aliases_n;
	struct peal_level levels[PEAL_LIMIT_XML_DEPTH];
	unsigned depth;
	unsigned flat_depth; /* of the open flat-profile, 0: none */
	unsigned elements;
	int found; /* a flat-profile or an alias was seen */
	int root_is_html;
	int collecting; /* text belongs to the innermost element */
	char name[PEAL_LIMIT_NAME + 1]; /* one with a prefix */
	char root[32];                  /* for the message */

	size_t value_len;
	int after_cr;
	int lost_blanks; /* blanks past the limit, dropped if at the end */
	char value[PEAL_LIMIT_VALUE];

	enum peal_scan_state state;
	unsigned char last[2]; /* text before the window, for "]]>" */
	size_t window_len;
	size_t goal;    /* of window_len, for the next look */
	size_t before;  /* bytes of the document before the window */
	size_t fed;     /* bytes of the window that libxml2 has */
	size_t skipped; /* bytes libxml2 did not see */
	long skipped_lines;
	enum peal_err err; /* sticks */
	struct peal_reason reason;
	unsigned char window[PEAL_WINDOW];
};

/* scan.c */
void peal_scan(const unsigned char *w, size_t len, int final,
	       enum peal_scan_state state, const unsigned char last[2],
	       struct peal_scan *out);
/* sax.c */
void peal_sax_init(struct peal_profile *p);

/* profile.c: the first error counts. */
void peal_profile_fail(struct peal_profile *p, enum peal_err err, long line,
		       long byte, const char *text);

#endif
