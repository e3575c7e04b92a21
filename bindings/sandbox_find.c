/* sandbox_find.c - find, match, gmatch and gsub on the matcher of
 * sandbox_match.h; after lstrlib.c of Lua 5.4 as well. */
#include <ctype.h>
#include <string.h>

#include "sandbox_inside.h"
#include "sandbox_match.h"

/* --- find and match --- */

/* Where to begin, from 0; past the end: one behind it. */
static size_t check_init(lua_State *L, int index, size_t len)
{
	lua_Integer n = luaL_optinteger(L, index, 1);

	if (n > 0)
		return (size_t)n - 1;
	if (n == 0 || n < -(lua_Integer)len)
		return 0;
	return len + (size_t)n;
}

static int is_plain(const char *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (p[i] && strchr("^$*+?.([%-", p[i]))
			return 0;
	return 1;
}

static int find_plain(lua_State *L, const char *s, size_t len, size_t init,
		      const char *p, size_t p_len)
{
	const char *found;

	peal_box_charge(L, peal_box_bytes(len - init + p_len));
	found = memmem(s + init, len - init, p, p_len);
	if (!found) {
		lua_pushnil(L);
		return 1;
	}
	lua_pushinteger(L, found - s + 1);
	lua_pushinteger(L, found - s + (lua_Integer)p_len);
	return 2;
}

static int find_pattern(lua_State *L, struct peal_match *m, size_t init,
			const char *p, int find)
{
	int anchor = p < m->p_end && *p == '^';
	const char *s = m->start + init, *e;

	p += anchor;
	do {
		e = peal_match_at(m, s, p);
		if (e && !find)
			return peal_match_push_all(m, s, e);
		if (e) {
			lua_pushinteger(L, s - m->start + 1);
			lua_pushinteger(L, e - m->start);
			return peal_match_push_all(m, NULL, NULL) + 2;
		}
	} while (s++ < m->end && !anchor);
	lua_pushnil(L);
	return 1;
}

static int find_or_match(lua_State *L, int find)
{
	struct peal_match m;
	size_t len, p_len, init;
	const char *s = luaL_checklstring(L, 1, &len);
	const char *p = luaL_checklstring(L, 2, &p_len);

	init = check_init(L, 3, len);
	if (init > len) {
		lua_pushnil(L);
		return 1;
	}
	peal_box_charge(L, peal_box_bytes(p_len));
	if (find && (lua_toboolean(L, 4) || is_plain(p, p_len)))
		return find_plain(L, s, len, init, p, p_len);
	peal_match_init(&m, L, s, len, p, p_len);
	return find_pattern(L, &m, init, p, find);
}

static int l_find(lua_State *L)
{
	return find_or_match(L, 1);
}

static int l_match(lua_State *L)
{
	return find_or_match(L, 0);
}

/* --- gmatch --- */

struct walk {
	const char *s, *p, *last; /* the end of the match before */
	struct peal_match m;
};

static int l_walk(lua_State *L)
{
	struct walk *w = lua_touserdata(L, lua_upvalueindex(3));
	const char *s, *e;

	w->m.L = L;
	for (s = w->s; s <= w->m.end; s++) {
		e = peal_match_at(&w->m, s, w->p);
		if (e && e != w->last) {
			w->s = w->last = e;
			return peal_match_push_all(&w->m, s, e);
		}
	}
	return 0;
}

static int l_gmatch(lua_State *L)
{
	size_t len, p_len, init;
	const char *s = luaL_checklstring(L, 1, &len);
	const char *p = luaL_checklstring(L, 2, &p_len);
	struct walk *w;

	init = check_init(L, 3, len);
	lua_settop(L, 2); /* upvalues, so that the texts stay */
	w = lua_newuserdatauv(L, sizeof(*w), 0);
	if (init > len)
		init = len + 1;
	peal_match_init(&w->m, L, s, len, p, p_len);
	w->s = s + init;
	w->p = p;
	w->last = NULL;
	lua_pushcclosure(L, l_walk, 3);
	return 1;
}

/* --- gsub --- */

/* A text in place of a match: %0 to %9 and %% in it. */
static void add_text(struct peal_match *m, luaL_Buffer *b, const char *s,
		     const char *e)
{
	size_t len;
	const char *news = lua_tolstring(m->L, 3, &len), *p, *end = news + len;

	peal_box_charge(m->L, peal_box_bytes(len));
	while ((p = memchr(news, '%', (size_t)(end - news)))) {
		luaL_addlstring(b, news, (size_t)(p - news));
		p++; /* a text ends with a NUL */
		if (*p == '%') {
			luaL_addchar(b, *p);
		} else if (*p == '0') {
			luaL_addlstring(b, s, (size_t)(e - s));
		} else if (isdigit((unsigned char)*p)) {
			peal_match_push(m, *p - '1', s, e);
			luaL_tolstring(m->L, -1, NULL);
			lua_remove(m->L, -2);
			luaL_addvalue(b);
		} else {
			luaL_error(m->L,
				   "invalid use of '%c' in "
				   "replacement string",
				   '%');
		}
		news = p + 1;
	}
	luaL_addlstring(b, news, (size_t)(end - news));
}

/* Adds what takes the place of a match. */
static void add_value(struct peal_match *m, luaL_Buffer *b, const char *s,
		      const char *e, int type)
{
	lua_State *L = m->L;

	if (type == LUA_TFUNCTION) {
		lua_pushvalue(L, 3);
		lua_call(L, peal_match_push_all(m, s, e), 1);
	} else if (type == LUA_TTABLE) {
		peal_match_push(m, 0, s, e);
		lua_gettable(L, 3);
	} else {
		add_text(m, b, s, e);
		return;
	}
	if (!lua_toboolean(L, -1)) {
		lua_pop(L, 1);
		luaL_addlstring(b, s, (size_t)(e - s));
		return;
	}
	if (!lua_isstring(L, -1))
		luaL_error(L, "invalid replacement value (a %s)",
			   luaL_typename(L, -1));
	luaL_addvalue(b);
}

static lua_Integer replace_all(struct peal_match *m, luaL_Buffer *b,
			       const char *p, lua_Integer max, int type)
{
	int anchor = p < m->p_end && *p == '^';
	const char *s = m->start, *e, *last = NULL;
	lua_Integer n = 0;

	p += anchor;
	while (n < max) {
		e = peal_match_at(m, s, p);
		if (e && e != last) {
			n++;
			add_value(m, b, s, e, type);
			s = last = e;
		} else if (s < m->end) {
			luaL_addchar(b, *s);
			s++;
		} else {
			break;
		}
		if (anchor)
			break;
	}
	luaL_addlstring(b, s, (size_t)(m->end - s));
	return n;
}

static int l_gsub(lua_State *L)
{
	struct peal_match m;
	luaL_Buffer b;
	size_t len, p_len;
	const char *s = luaL_checklstring(L, 1, &len);
	const char *p = luaL_checklstring(L, 2, &p_len);
	int type = lua_type(L, 3);
	lua_Integer n, max = luaL_optinteger(L, 4, (lua_Integer)len + 1);

	luaL_argexpected(L,
			 type == LUA_TNUMBER || type == LUA_TSTRING ||
				 type == LUA_TFUNCTION || type == LUA_TTABLE,
			 3, "string/function/table");
	peal_box_charge(L, peal_box_bytes(len));
	peal_match_init(&m, L, s, len, p, p_len);
	luaL_buffinit(L, &b);
	n = replace_all(&m, &b, p, max, type);
	luaL_pushresult(&b);
	lua_pushinteger(L, n);
	return 2;
}

void peal_box_open_match(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "find", l_find },     { "match", l_match },
		{ "gmatch", l_gmatch }, { "gsub", l_gsub },
		{ NULL, NULL },
	};

	lua_getglobal(L, "string");
	luaL_setfuncs(L, functions, 0);
	lua_pop(L, 1);
}
