/* sandbox_match.c - patterns, charged step by step.
 *
 * A pattern may take longer than the age of the world on a short text, all of
 * it inside one call. So this is the matcher of Lua itself (lstrlib.c of Lua
 * 5.4, Copyright 1994-2022 Lua.org, PUC-Rio, MIT licence), with a charge in
 * each loop; the answers are the same. */
#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "sandbox_inside.h"
#include "sandbox_match.h"

enum {
	UNFINISHED = -1, /* length of a capture that is open */
	POSITION = -2,
	DEPTH = 200, /* of recursion */
	ESCAPE = '%',
};

static const char *do_match(struct peal_match *m, const char *s, const char *p);

static void step(struct peal_match *m)
{
	peal_box_charge(m->L, 1);
}

static unsigned char byte(const char *s)
{
	return (unsigned char)*s;
}

static int check_capture(struct peal_match *m, int c)
{
	int l = c - '1';

	if (l < 0 || l >= m->level || m->capture[l].len == UNFINISHED)
		return luaL_error(m->L, "invalid capture index %%%d", l + 1);
	return l;
}

static int capture_to_close(struct peal_match *m)
{
	int level = m->level - 1;

	for (; level >= 0; level--)
		if (m->capture[level].len == UNFINISHED)
			return level;
	return luaL_error(m->L, "invalid pattern capture");
}

/* --- single characters --- */

static const char *class_end(struct peal_match *m, const char *p)
{
	if (*p++ == ESCAPE) {
		if (p == m->p_end)
			luaL_error(m->L, "malformed pattern (ends with '%%')");
		return p + 1;
	}
	if (p[-1] != '[')
		return p;
	if (*p == '^')
		p++;
	do { /* look for a ']' */
		step(m);
		if (p == m->p_end)
			luaL_error(m->L, "malformed pattern (missing ']')");
		if (*p++ == ESCAPE && p < m->p_end)
			p++; /* skip escapes, such as '%]' */
	} while (p == m->p_end || *p != ']');
	return p + 1;
}

static int in_class(int c, int class)
{
	int in;

	switch (tolower(class)) {
	case 'a':
		in = isalpha(c);
		break;
	case 'c':
		in = iscntrl(c);
		break;
	case 'd':
		in = isdigit(c);
		break;
	case 'g':
		in = isgraph(c);
		break;
	case 'l':
		in = islower(c);
		break;
	case 'p':
		in = ispunct(c);
		break;
	case 's':
		in = isspace(c);
		break;
	case 'u':
		in = isupper(c);
		break;
	case 'w':
		in = isalnum(c);
		break;
	case 'x':
		in = isxdigit(c);
		break;
	case 'z': /* no longer in the manual, still in Lua */
		in = c == '\0';
		break;
	default:
		return class == c;
	}
	return isupper(class) ? !in : !!in;
}

/* p at the '[', ec at the ']' */
static int in_set(struct peal_match *m, int c, const char *p, const char *ec)
{
	int found = 1;

	if (p[1] == '^') {
		found = 0;
		p++;
	}
	while (++p < ec) {
		step(m);
		if (*p == ESCAPE) {
			p++;
			if (in_class(c, byte(p)))
				return found;
		} else if (p[1] == '-' && p + 2 < ec) {
			p += 2;
			if (byte(p - 2) <= c && c <= byte(p))
				return found;
		} else if (byte(p) == c) {
			return found;
		}
	}
	return !found;
}

/* ep: behind the class at p */
static int single(struct peal_match *m, const char *s, const char *p,
		  const char *ep)
{
	step(m);
	if (s >= m->end)
		return 0;
	switch (*p) {
	case '.':
		return 1;
	case ESCAPE:
		return in_class(byte(s), byte(p + 1));
	case '[':
		return in_set(m, byte(s), p, ep - 1);
	default:
		return byte(p) == byte(s);
	}
}

/* --- items --- */

static const char *balance(struct peal_match *m, const char *s, const char *p)
{
	int depth = 1;

	if (p >= m->p_end - 1)
		luaL_error(m->L, "malformed pattern "
				 "(missing arguments to '%%b')");
	if (*s != *p)
		return NULL;
	while (++s < m->end) {
		step(m);
		if (*s == p[1]) {
			if (--depth == 0)
				return s + 1;
		} else if (*s == *p) {
			depth++;
		}
	}
	return NULL;
}

static const char *max_expand(struct peal_match *m, const char *s,
			      const char *p, const char *ep)
{
	const char *found;
	ptrdiff_t i = 0;

	while (single(m, s + i, p, ep))
		i++;
	for (; i >= 0; i--) {
		found = do_match(m, s + i, ep + 1);
		if (found)
			return found;
	}
	return NULL;
}

static const char *min_expand(struct peal_match *m, const char *s,
			      const char *p, const char *ep)
{
	const char *found;

	for (;;) {
		found = do_match(m, s, ep + 1);
		if (found || !single(m, s, p, ep))
			return found;
		s++;
	}
}

static const char *open_capture(struct peal_match *m, const char *s,
				const char *p, int what)
{
	const char *found;

	if (m->level >= PEAL_MATCH_CAPTURES)
		luaL_error(m->L, "too many captures");
	m->capture[m->level].start = s;
	m->capture[m->level].len = what;
	m->level++;
	found = do_match(m, s, p);
	if (!found)
		m->level--;
	return found;
}

static const char *close_capture(struct peal_match *m, const char *s,
				 const char *p)
{
	int l = capture_to_close(m);
	const char *found;

	m->capture[l].len = s - m->capture[l].start;
	found = do_match(m, s, p);
	if (!found)
		m->capture[l].len = UNFINISHED;
	return found;
}

static const char *match_capture(struct peal_match *m, const char *s, int c)
{
	int l = check_capture(m, c);
	/* a position has a length below 0: longer than any text */
	size_t len = (size_t)m->capture[l].len;

	if ((size_t)(m->end - s) < len)
		return NULL;
	peal_box_charge(m->L, peal_box_bytes(len));
	return memcmp(m->capture[l].start, s, len) == 0 ? s + len : NULL;
}

/* p behind "%f"; its end is given back */
static const char *frontier(struct peal_match *m, const char *s, const char *p)
{
	const char *ep;
	int before;

	if (*p != '[')
		luaL_error(m->L, "missing '[' after '%%f' in pattern");
	ep = class_end(m, p);
	before = s == m->start ? '\0' : byte(s - 1);
	if (in_set(m, before, p, ep - 1) ||
	    !in_set(m, s < m->end ? byte(s) : '\0', p, ep - 1))
		return NULL;
	return ep;
}

/* The item at p may be followed by a '*', '+', '?' or '-'. *next is where the
 * match goes on, or NULL and the end of the match (or NULL) is returned. */
static const char *repeated(struct peal_match *m, const char *s,
			    const char **next, const char *p)
{
	const char *ep = class_end(m, p), *found;
	char suffix = ep < m->p_end ? *ep : '\0';

	*next = NULL;
	if (!single(m, s, p, ep)) {
		if (suffix != '*' && suffix != '?' && suffix != '-')
			return NULL;
		*next = ep + 1;
		return s;
	}
	if (suffix == '-')
		return min_expand(m, s, p, ep);
	if (suffix == '*' || suffix == '+')
		return max_expand(m, s + (suffix == '+'), p, ep);
	if (suffix != '?') {
		*next = ep;
		return s + 1;
	}
	found = do_match(m, s + 1, ep + 1);
	if (found)
		return found;
	*next = ep + 1;
	return s;
}

/* An item that starts with '%', as repeated(). */
static const char *escaped(struct peal_match *m, const char *s,
			   const char **next, const char *p)
{
	const char *ep;

	switch (p + 1 < m->p_end ? p[1] : '\0') {
	case 'b':
		*next = p + 4;
		s = balance(m, s, p + 2);
		break;
	case 'f':
		ep = frontier(m, s, p + 2);
		*next = ep;
		return ep ? s : NULL;
	case '0':
	case '1':
	case '2':
	case '3':
	case '4':
	case '5':
	case '6':
	case '7':
	case '8':
	case '9':
		s = match_capture(m, s, byte(p + 1));
		*next = p + 2;
		break;
	default:
		return repeated(m, s, next, p);
	}
	if (!s)
		*next = NULL;
	return s;
}

/* One item, as repeated(). */
static const char *item(struct peal_match *m, const char *s, const char **next,
			const char *p)
{
	*next = NULL;
	switch (*p) {
	case '(':
		if (p[1] == ')')
			return open_capture(m, s, p + 2, POSITION);
		return open_capture(m, s, p + 1, UNFINISHED);
	case ')':
		return close_capture(m, s, p + 1);
	case '$':
		if (p + 1 == m->p_end)
			return s == m->end ? s : NULL;
		return repeated(m, s, next, p);
	case ESCAPE:
		return escaped(m, s, next, p);
	default:
		return repeated(m, s, next, p);
	}
}

static const char *do_match(struct peal_match *m, const char *s, const char *p)
{
	const char *next;

	if (m->depth-- == 0)
		luaL_error(m->L, "pattern too complex");
	while (s && p != m->p_end) {
		step(m);
		s = item(m, s, &next, p);
		if (!next)
			break;
		p = next;
	}
	m->depth++;
	return s;
}

/* --- captures --- */

void peal_match_push(struct peal_match *m, int l, const char *s, const char *e)
{
	if (l >= m->level) {
		if (l > 0)
			luaL_error(m->L, "invalid capture index %%%d", l + 1);
		lua_pushlstring(m->L, s, (size_t)(e - s));
	} else if (m->capture[l].len == POSITION) {
		lua_pushinteger(m->L, m->capture[l].start - m->start + 1);
	} else if (m->capture[l].len == UNFINISHED) {
		luaL_error(m->L, "unfinished capture");
	} else {
		lua_pushlstring(m->L, m->capture[l].start,
				(size_t)m->capture[l].len);
	}
}

int peal_match_push_all(struct peal_match *m, const char *s, const char *e)
{
	int i, n = m->level == 0 && s ? 1 : m->level;

	luaL_checkstack(m->L, n, "too many captures");
	for (i = 0; i < n; i++)
		peal_match_push(m, i, s, e);
	return n;
}

void peal_match_init(struct peal_match *m, lua_State *L, const char *s,
		     size_t len, const char *p, size_t p_len)
{
	m->L = L;
	m->start = s;
	m->end = s + len;
	m->p_end = p + p_len;
	m->depth = DEPTH;
	m->level = 0;
}

const char *peal_match_at(struct peal_match *m, const char *s, const char *p)
{
	m->level = 0;
	m->depth = DEPTH;
	return do_match(m, s, p);
}
