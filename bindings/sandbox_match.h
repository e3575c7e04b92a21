/* sandbox_match.h - the matcher of patterns in a box. Not a public header. */
#ifndef PEAL_BINDINGS_SANDBOX_MATCH_H
#define PEAL_BINDINGS_SANDBOX_MATCH_H

#include <lua.h>
#include <stddef.h>

enum { PEAL_MATCH_CAPTURES = 32 };

struct peal_match {
	const char *start, *end; /* of the text */
	const char *p_end;       /* of the pattern */
	lua_State *L;
	int depth; /* of recursion, still allowed */
	int level; /* captures, finished or not */
	struct {
		const char *start;
		ptrdiff_t len; /* below 0: open, or a position */
	} capture[PEAL_MATCH_CAPTURES];
};

/* Text and pattern are borrowed; a NUL is behind each, as Lua has them. */
void peal_match_init(struct peal_match *m, lua_State *L, const char *s,
		     size_t len, const char *p, size_t p_len);

/* End of the match of pattern p that begins at s, or NULL. Raises for a
 * pattern that is none. */
const char *peal_match_at(struct peal_match *m, const char *s, const char *p);

/* Push capture l, from 0; where there are none, capture 0 is the match, from
 * s to e. */
void peal_match_push(struct peal_match *m, int l, const char *s, const char *e);
/* All of them; s NULL: nothing where there are none. Returns how many. */
int peal_match_push_all(struct peal_match *m, const char *s, const char *e);

#endif
