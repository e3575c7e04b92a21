/* words.h - the words and quoted texts of a revision's lines. */
#ifndef PEAL_WORDS_H
#define PEAL_WORDS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What is left of the line at hand. */
struct peal_cursor {
	unsigned char *p, *end;
};

struct peal_piece {
	const char *text;
	size_t len;
};

static inline void peal_skip_blanks(struct peal_cursor *c)
{
	while (c->p < c->end && *c->p == ' ')
		c->p++;
}

/* A quoted text, unescaped in place; the cursor is at its quote. These return
 * 0 when there is no such thing. */
int peal_take_quoted(struct peal_cursor *c, struct peal_piece *out);
/* A bare word up to a blank or, if `equals`, a "="; or a quoted text. */
int peal_take(struct peal_cursor *c, int equals, struct peal_piece *out);
int peal_take_number(struct peal_cursor *c, uint64_t *out);
/* name[=value] with blanks before; the value is left to the caller. 1: there
 * is one, 0: end of the line, -1: malformed. */
int peal_take_attribute(struct peal_cursor *c, struct peal_piece *name,
			int *valued);

/* In line, so that the length of a literal is known. */
static inline int peal_is(const struct peal_piece *w, const char *word)
{
	return w->len == strlen(word) && memcmp(w->text, word, w->len) == 0;
}

#endif
