/* editor.h - the insides of a line editor. Private. */
#ifndef PEAL_TERM_EDITOR_H
#define PEAL_TERM_EDITOR_H

#include <locale.h>
#include <stdio.h>

#include "libedit.h"
#include "peal/arena.h"
#include "peal/buf.h"
#include "peal/terminal.h"
#include "wide.h"

struct peal_offer {
	struct peal_offer *next;
	const char *text;
	size_t len;
};

/* What complete offered. */
struct peal_offers {
	struct peal_arena arena;
	struct peal_offer *first, **last;
	unsigned n;
};

struct peal_editor {
	const struct peal_libedit *lib;
	struct peal_editor_options options; /* history is a copy */
	EditLine *el;
	HistoryW *history;
	FILE *complaints;             /* of libedit: nobody is to see them */
	const char *up, *clear_below; /* the terminal's words for these */
	locale_t utf8, outside;
	unsigned width;

	int reading;
	wchar_t *prompt;      /* its last line */
	char *above;          /* those before it */
	enum peal_err failed; /* why no more is read */
	int interrupted;
	struct peal_buf line;
	struct peal_offers offers;
};

struct peal_editor *peal_editor_of(EditLine *el);

/* libedit knows characters by the locale of the thread: in UTF-8 within it,
 * and as it was everywhere else. Not nested. */
void peal_editor_enter(struct peal_editor *e);
void peal_editor_leave(struct peal_editor *e);

/* screen.c, all within libedit: lines above the prompt, which may be none;
 * down to a new line, below all that is typed. */
void peal_editor_above(struct peal_editor *e, const char *text, size_t len);
void peal_editor_below(struct peal_editor *e);
/* The terminal's size, when it has changed. */
void peal_editor_fit(struct peal_editor *e);
/* The prompt's lines before its last one. */
void peal_editor_show_above(const struct peal_editor *e);

/* complete.c: a function of a key, within libedit. */
unsigned char peal_editor_complete(EditLine *el, int ch);
void peal_offers_init(struct peal_offers *o);

#endif
