/* plain.c - see plain.h */
#include "plain.h"

#include <string.h>

#include <lauxlib.h>

#include "peal/limits.h"
#include "plain_form.h"

/* --- writing --- */

static enum peal_err put(struct peal_buf *out, enum peal_plain_tag tag,
			 const void *bytes, size_t len)
{
	enum peal_err err = peal_buf_reserve(out, len + 1);

	if (err)
		return err;
	out->data[out->len++] = (unsigned char)tag;
	if (len)
		memcpy(out->data + out->len, bytes, len);
	out->len += len;
	return PEAL_OK;
}

enum peal_err peal_plain_put_tag(struct peal_buf *out, enum peal_plain_tag tag)
{
	return put(out, tag, NULL, 0);
}

enum peal_err peal_plain_put_integer(struct peal_buf *out, lua_Integer n)
{
	return put(out, PEAL_PLAIN_INTEGER, &n, sizeof(n));
}

enum peal_err peal_plain_put_text(struct peal_buf *out, const char *text,
				  size_t len)
{
	size_t before = out->len;
	uint32_t n = (uint32_t)len;
	enum peal_err err;

	if (len > UINT32_MAX)
		return PEAL_ELIMIT;
	err = put(out, PEAL_PLAIN_TEXT, &n, sizeof(n));
	if (!err && len)
		err = peal_buf_add(out, text, len);
	if (err)
		out->len = before;
	return err;
}

struct pack {
	lua_State *L;
	struct peal_buf *out;
	const char *what;
	unsigned depth, tables;
};

static enum peal_err pack_value(struct pack *p);

/* Is the value on top a key that is carried? */
static int is_key(lua_State *L)
{
	lua_Integer i;

	if (!lua_isinteger(L, -1))
		return lua_type(L, -1) == LUA_TSTRING;
	i = lua_tointeger(L, -1);
	return i >= 1 && i <= PEAL_PLAIN_PLACES;
}

static enum peal_err pack_key(struct pack *p)
{
	enum peal_err err = pack_value(p);

	if (err || is_key(p->L))
		return err;
	p->what = "a key that is no text and no place in a list";
	return PEAL_EINVAL;
}

static enum peal_err pack_table(struct pack *p)
{
	lua_State *L = p->L;
	enum peal_err err;

	if (!lua_checkstack(L, 4))
		return PEAL_ENOMEM;
	if (p->depth == PEAL_LIMIT_PLAIN_DEPTH) {
		p->what = "tables too deep in each other";
		return PEAL_EINVAL;
	}
	if (++p->tables > PEAL_PLAIN_TABLES)
		return PEAL_ELIMIT;
	p->depth++;
	err = put(p->out, PEAL_PLAIN_BEGIN, NULL, 0);
	lua_pushnil(L);
	while (!err && lua_next(L, -2)) {
		lua_insert(L, -2);
		err = pack_key(p);
		lua_insert(L, -2);
		if (!err)
			err = pack_value(p);
		lua_pop(L, 1);
	}
	if (!err)
		err = put(p->out, PEAL_PLAIN_END, NULL, 0);
	p->depth--;
	return err;
}

static enum peal_err pack_number(struct pack *p)
{
	lua_Number d;

	if (lua_isinteger(p->L, -1))
		return peal_plain_put_integer(p->out, lua_tointeger(p->L, -1));
	d = lua_tonumber(p->L, -1);
	return put(p->out, PEAL_PLAIN_FLOAT, &d, sizeof(d));
}

static enum peal_err not_plain(struct pack *p)
{
	switch (lua_type(p->L, -1)) {
	case LUA_TFUNCTION:
		p->what = "a function";
		break;
	case LUA_TTHREAD:
		p->what = "a coroutine";
		break;
	default:
		p->what = "a userdata";
	}
	return PEAL_EINVAL;
}

/* The value on top, which stays there. */
static enum peal_err pack_value(struct pack *p)
{
	const char *text;
	size_t len;

	switch (lua_type(p->L, -1)) {
	case LUA_TNIL:
		return put(p->out, PEAL_PLAIN_NIL, NULL, 0);
	case LUA_TBOOLEAN:
		return put(p->out,
			   lua_toboolean(p->L, -1) ? PEAL_PLAIN_TRUE :
						     PEAL_PLAIN_FALSE,
			   NULL, 0);
	case LUA_TNUMBER:
		return pack_number(p);
	case LUA_TSTRING:
		text = lua_tolstring(p->L, -1, &len);
		return peal_plain_put_text(p->out, text, len);
	case LUA_TTABLE:
		return pack_table(p);
	default:
		return not_plain(p);
	}
}

enum peal_err peal_plain_pack(lua_State *L, int index, struct peal_buf *out,
			      const char **what)
{
	struct pack p = { L, out, NULL, 0, 0 };
	int top = lua_gettop(L);
	size_t before = out->len;
	enum peal_err err = PEAL_ENOMEM;

	index = lua_absindex(L, index);
	if (lua_checkstack(L, 4)) {
		lua_pushvalue(L, index);
		err = pack_value(&p);
	}
	lua_settop(L, top);
	if (err)
		out->len = before;
	if (what)
		*what = p.what;
	return err;
}

/* --- reading --- */

struct unpack {
	lua_State *L;
	const unsigned char *at, *end;
	unsigned depth, tables;
};

/* Copies the next bytes; 0 when there are fewer. */
static int take(struct unpack *u, void *out, size_t len)
{
	if ((size_t)(u->end - u->at) < len)
		return 0;
	memcpy(out, u->at, len);
	u->at += len;
	return 1;
}

static int unpack_value(struct unpack *u);

static int unpack_table(struct unpack *u)
{
	lua_State *L = u->L;

	if (u->depth == PEAL_LIMIT_PLAIN_DEPTH ||
	    ++u->tables > PEAL_PLAIN_TABLES)
		return 0;
	luaL_checkstack(L, 4, NULL);
	u->depth++;
	lua_newtable(L);
	for (;;) {
		if (u->at == u->end)
			return 0;
		if (*u->at == PEAL_PLAIN_END)
			break;
		if (!unpack_value(u) || !is_key(L) || !unpack_value(u))
			return 0;
		lua_rawset(L, -3);
	}
	u->at++;
	u->depth--;
	return 1;
}

static int unpack_number(struct unpack *u, unsigned char tag)
{
	lua_Integer i;
	lua_Number d;

	if (tag == PEAL_PLAIN_INTEGER) {
		if (!take(u, &i, sizeof(i)))
			return 0;
		lua_pushinteger(u->L, i);
		return 1;
	}
	if (!take(u, &d, sizeof(d)))
		return 0;
	lua_pushnumber(u->L, d);
	return 1;
}

static int unpack_text(struct unpack *u)
{
	uint32_t n;

	if (!take(u, &n, sizeof(n)) || (size_t)(u->end - u->at) < n)
		return 0;
	lua_pushlstring(u->L, (const char *)u->at, n);
	u->at += n;
	return 1;
}

/* Pushes a value; 0 when there is none, with anything on the stack. */
static int unpack_value(struct unpack *u)
{
	unsigned char tag;

	if (!take(u, &tag, 1))
		return 0;
	switch (tag) {
	case PEAL_PLAIN_NIL:
		lua_pushnil(u->L);
		return 1;
	case PEAL_PLAIN_FALSE:
	case PEAL_PLAIN_TRUE:
		lua_pushboolean(u->L, tag == PEAL_PLAIN_TRUE);
		return 1;
	case PEAL_PLAIN_INTEGER:
	case PEAL_PLAIN_FLOAT:
		return unpack_number(u, tag);
	case PEAL_PLAIN_TEXT:
		return unpack_text(u);
	case PEAL_PLAIN_BEGIN:
		return unpack_table(u);
	default:
		return 0;
	}
}

enum peal_err peal_plain_unpack(lua_State *L, const void *bytes, size_t len,
				size_t *used)
{
	const unsigned char *start = len ? bytes : (const unsigned char *)"";
	struct unpack u = { L, start, start + len, 0, 0 };
	int top = lua_gettop(L);

	luaL_checkstack(L, 4, NULL);
	if (!unpack_value(&u) || (!used && u.at != u.end)) {
		lua_settop(L, top);
		return PEAL_EINVAL;
	}
	if (used)
		*used = (size_t)(u.at - start);
	return PEAL_OK;
}
