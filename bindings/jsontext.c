/* jsontext.c - require "peal.jsontext": Lua data as JSON text (RFC 8259).
 *
 *   jsontext.write(value, pretty, array, null) -> text
 *       pretty: on several lines
 *       array   metatable of tables that are arrays even when they are empty
 *       null    the table that stands for null
 * Behind scripts/peal/json.lua, which says what becomes what. It raises for
 * what JSON cannot hold, and for what is too deep or too long. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bindings.h"
#include "peal/limits.h"

/* Places of the arguments on the stack. */
enum { PRETTY = 2, ARRAY, NULL_MARK };

struct writer {
	lua_State *L;
	struct peal_buf *out; /* a userdata: collected when something raises */
	int pretty;
	int depth; /* of the value that is written, from 1 */
};

static void check(struct writer *w, enum peal_err err)
{
	if (!err)
		return;
	if (err == PEAL_ELIMIT)
		lua_pushfstring(w->L, "JSON longer than %d bytes",
				PEAL_LIMIT_JSON);
	else
		lua_pushliteral(w->L, "not enough memory");
	lua_error(w->L);
}

/* For what handles one value or name; more of them than a stack holds are no
 * data of ours. */
static void check_stack(struct writer *w)
{
	check(w, lua_checkstack(w->L, 12) ? PEAL_OK : PEAL_ENOMEM);
}

/* Room for `len` more bytes. */
static unsigned char *room(struct writer *w, size_t len)
{
	struct peal_buf *b = w->out;

	if (len > b->cap - b->len)
		check(w, peal_buf_reserve(b, len));
	b->len += len;
	return b->data + b->len - len;
}

static void add(struct writer *w, const char *bytes, size_t len)
{
	if (len)
		memcpy(room(w, len), bytes, len);
}

static void add_str(struct writer *w, const char *text)
{
	add(w, text, strlen(text));
}

static void add_char(struct writer *w, char c)
{
	*room(w, 1) = (unsigned char)c;
}

static void new_line(struct writer *w, int depth)
{
	int i;

	if (!w->pretty)
		return;
	add_char(w, '\n');
	for (i = 0; i < depth; i++)
		add(w, "  ", 2);
}

/* --- texts --- */

/* Bytes of the UTF-8 character at p (RFC 3629), 0 if there is none. The ranges
 * of the second byte leave out long forms, surrogates and what is beyond
 * U+10FFFF. */
static size_t long_character(const unsigned char *p, size_t len)
{
	unsigned char lo = 0x80, hi = 0xBF;
	size_t i, n;

	if (p[0] < 0xC2 || p[0] > 0xF4)
		return 0;
	n = p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
	if (p[0] == 0xE0)
		lo = 0xA0;
	else if (p[0] == 0xED)
		hi = 0x9F;
	else if (p[0] == 0xF0)
		lo = 0x90;
	else if (p[0] == 0xF4)
		hi = 0x8F;
	if (len < n || p[1] < lo || p[1] > hi)
		return 0;
	for (i = 2; i < n; i++)
		if ((p[i] & 0xC0) != 0x80)
			return 0;
	return n;
}

/* Bytes of the character at p when it is written as it is, else 0. */
static size_t plain_character(const unsigned char *p, size_t len)
{
	if (*p >= 0x80)
		return long_character(p, len);
	return *p >= ' ' && *p != '"' && *p != '\\' && *p != 0x7F;
}

/* A byte that is not UTF-8 becomes U+FFFD: JSON cannot hold it. */
static void write_escape(struct writer *w, unsigned char c)
{
	static const char from[] = "\"\\\n\r\t\b\f", to[] = "\"\\nrtbf";
	const char *at = c ? strchr(from, c) : NULL;
	char text[8];

	if (at) {
		add_char(w, '\\');
		add_char(w, to[at - from]);
	} else if (c < 0x80) {
		snprintf(text, sizeof(text), "\\u%04x", c);
		add(w, text, 6);
	} else {
		add_str(w, "\xEF\xBF\xBD");
	}
}

static void write_text(struct writer *w, const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t i, n, from = 0;

	add_char(w, '"');
	for (i = 0; i < len; i += n) {
		n = plain_character(p + i, len - i);
		if (n)
			continue;
		add(w, text + from, i - from);
		write_escape(w, p[i]);
		n = 1;
		from = i + 1;
	}
	add(w, text + from, len - from);
	add_char(w, '"');
}

/* --- numbers --- */

static void write_integer(struct writer *w, lua_Integer n)
{
	lua_Unsigned left = n < 0 ? 0 - (lua_Unsigned)n : (lua_Unsigned)n;
	char text[24], *end = text + sizeof(text), *p = end;

	do {
		*--p = (char)('0' + left % 10);
		left /= 10;
	} while (left);
	if (n < 0)
		*--p = '-';
	add(w, p, (size_t)(end - p));
}

/* The point is one: this thread writes numbers as in C (host.h). */
static void write_float(struct writer *w, lua_Number n)
{
	char text[32];

	if (!isfinite(n)) {
		add_str(w, "null");
	} else if (n == floor(n) && fabs(n) < 1e15) {
		write_integer(w, (lua_Integer)n);
	} else {
		snprintf(text, sizeof(text), "%.14g", n);
		add_str(w, text);
	}
}

static void write_number(struct writer *w)
{
	if (lua_isinteger(w->L, -1))
		write_integer(w, lua_tointeger(w->L, -1));
	else
		write_float(w, lua_tonumber(w->L, -1));
}

/* --- tables, which are at the top of the stack and stay there --- */

static void write_value(struct writer *w);

static int is_array(lua_State *L)
{
	int is = 0;

	if (lua_getmetatable(L, -1)) {
		is = lua_rawequal(L, -1, ARRAY);
		lua_pop(L, 1);
	}
	if (is)
		return 1;
	is = lua_geti(L, -1, 1) != LUA_TNIL;
	lua_pop(L, 1);
	return is;
}

static void write_array(struct writer *w)
{
	lua_Integer i, n = luaL_len(w->L, -1);

	if (n <= 0) {
		add(w, "[]", 2);
		return;
	}
	w->depth++;
	for (i = 1; i <= n; i++) {
		add_char(w, i == 1 ? '[' : ',');
		new_line(w, w->depth - 1);
		lua_geti(w->L, -1, i);
		write_value(w);
		lua_pop(w->L, 1);
	}
	w->depth--;
	new_line(w, w->depth - 1);
	add_char(w, ']');
}

/* Puts the next key in place of the one on top; 0 after the last, and then
 * there is none. `pairs` is where the iterator stands that the table's own
 * __pairs gave, 0 if it has no such. */
static int next_key(lua_State *L, int table, int pairs)
{
	if (!pairs) {
		if (!lua_next(L, table))
			return 0;
		lua_pop(L, 1);
		return 1;
	}
	lua_pushvalue(L, pairs);
	lua_pushvalue(L, pairs + 1);
	lua_rotate(L, -3, -1);
	lua_call(L, 2, 1);
	if (!lua_isnil(L, -1))
		return 1;
	lua_pop(L, 1);
	return 0;
}

/* Pushes what the keys of the table are called; returns where they begin. */
static int push_names(struct writer *w)
{
	lua_State *L = w->L;
	int table = lua_gettop(L), pairs = 0, first;

	if (luaL_getmetafield(L, table, "__pairs") != LUA_TNIL) {
		lua_pushvalue(L, table);
		lua_call(L, 1, 3);
		pairs = table + 1;
	} else {
		lua_pushnil(L);
	}
	first = lua_gettop(L);
	while (next_key(L, table, pairs)) {
		check_stack(w);
		if (lua_type(L, -1) == LUA_TSTRING) {
			lua_pushvalue(L, -1);
		} else {
			luaL_tolstring(L, -1, NULL);
			lua_insert(L, -2);
		}
	}
	return first;
}

struct name {
	const char *text;
	size_t len;
	int place; /* on the stack */
};

static int name_order(const void *a, const void *b)
{
	const struct name *x = a, *y = b;
	int order = memcmp(x->text, y->text, x->len < y->len ? x->len : y->len);

	return order ? order : (x->len > y->len) - (x->len < y->len);
}

/* A key that is no text is found again as a number. */
static void push_field(lua_State *L, int table, const struct name *name)
{
	lua_pushvalue(L, name->place);
	if (lua_gettable(L, table) != LUA_TNIL)
		return;
	lua_pop(L, 1);
	if (!lua_stringtonumber(L, name->text))
		lua_pushnil(L);
	lua_gettable(L, table);
}

static void write_fields(struct writer *w, int table, const struct name *names,
			 int n)
{
	int i;

	w->depth++;
	for (i = 0; i < n; i++) {
		add_char(w, i == 0 ? '{' : ',');
		new_line(w, w->depth - 1);
		write_text(w, names[i].text, names[i].len);
		add_str(w, w->pretty ? ": " : ":");
		push_field(w->L, table, &names[i]);
		write_value(w);
		lua_pop(w->L, 1);
	}
	w->depth--;
	new_line(w, w->depth - 1);
	add_char(w, '}');
}

static void write_object(struct writer *w)
{
	struct name few[16], *names = few;
	lua_State *L = w->L;
	int table = lua_gettop(L), first = push_names(w), i;
	int n = lua_gettop(L) + 1 - first;

	if (n > (int)(sizeof(few) / sizeof(*few)))
		names = lua_newuserdatauv(L, (size_t)n * sizeof(*names), 0);
	for (i = 0; i < n; i++) {
		names[i].place = first + i;
		names[i].text = lua_tolstring(L, first + i, &names[i].len);
	}
	qsort(names, (size_t)n, sizeof(*names), name_order);
	if (n)
		write_fields(w, table, names, n);
	else
		add(w, "{}", 2);
	lua_settop(L, table);
}

/* --- values --- */

static void check_depth(struct writer *w)
{
	if (w->depth <= PEAL_LIMIT_JSON_DEPTH)
		return;
	lua_pushfstring(w->L, "JSON deeper than %d levels (a cycle?)",
			PEAL_LIMIT_JSON_DEPTH);
	lua_error(w->L);
}

static void write_table(struct writer *w)
{
	check_stack(w);
	if (lua_rawequal(w->L, -1, NULL_MARK))
		add_str(w, "null");
	else if (is_array(w->L))
		write_array(w);
	else
		write_object(w);
}

/* The value at the top of the stack, which stays there. */
static void write_value(struct writer *w)
{
	lua_State *L = w->L;
	const char *text;
	size_t len;

	if (lua_type(L, -1) == LUA_TSTRING) {
		text = lua_tolstring(L, -1, &len);
		write_text(w, text, len);
		return;
	}
	check_depth(w);
	switch (lua_type(L, -1)) {
	case LUA_TNIL:
		add_str(w, "null");
		break;
	case LUA_TBOOLEAN:
		add_str(w, lua_toboolean(L, -1) ? "true" : "false");
		break;
	case LUA_TNUMBER:
		write_number(w);
		break;
	case LUA_TTABLE:
		write_table(w);
		break;
	default:
		lua_pushfstring(L, "no JSON for a %s", luaL_typename(L, -1));
		lua_error(L);
	}
}

static int l_write(lua_State *L)
{
	struct writer w = { L, NULL, lua_toboolean(L, PRETTY), 1 };

	luaL_checkany(L, 1);
	luaL_checktype(L, ARRAY, LUA_TTABLE);
	luaL_checktype(L, NULL_MARK, LUA_TTABLE);
	lua_settop(L, NULL_MARK);
	w.out = peal_lua_new_buf(L, PEAL_LIMIT_JSON);
	lua_pushvalue(L, 1);
	write_value(&w);
	return peal_lua_push_buf(L, PEAL_OK, w.out);
}

int luaopen_peal_jsontext(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "write", l_write },
		{ NULL, NULL },
	};

	luaL_newlib(L, functions);
	return 1;
}
