/* sandbox_file.c - rule files: compiled once, run anew for each decision. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bindings.h"
#include "sandbox_inside.h"

enum {
	FILES = 32, /* kept compiled */
	/* A page an operator reads aloud is never as long: our choice. */
	TEXT_MAX = 256 << 10,
	DEPTH = 8, /* of tables in the library */
};

/* Registry keys. */
static const char LIBRARY[] = "peal.box.library"; /* what a file may use */
static const char CACHE[] = "peal.box.cache";     /* path -> {text, chunk} */
static const char LINE[] = "peal.box.line";       /* visible.line() */
static const char HOLD[] = "peal.box.hold";       /* makes an upvalue */

/* Pushes a copy of the table at the top, tables in it included. */
static void copy(lua_State *L, int depth)
{
	luaL_checkstack(L, 5, NULL);
	lua_createtable(L, 0, 24);
	lua_pushnil(L);
	while (lua_next(L, -3)) {
		lua_pushvalue(L, -2);
		lua_insert(L, -2);
		if (lua_istable(L, -1) && depth < DEPTH) {
			copy(L, depth + 1);
			lua_remove(L, -2);
		}
		lua_rawset(L, -4);
	}
}

/* The chunk of a file gets globals of its own: not just a fresh table, but a
 * variable of its own for it, which functions made in an earlier decision do
 * not share. Chunk at the top. */
static void give_globals(lua_State *L)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, HOLD);
	lua_rawgetp(L, LUA_REGISTRYINDEX, LIBRARY);
	copy(L, 0);
	lua_remove(L, -2);
	lua_call(L, 1, 1);
	lua_upvaluejoin(L, -2, 1, -1, 1);
	lua_pop(L, 1);
}

/* Pushes the chunk of the file if it was compiled before. */
static int cached(lua_State *L)
{
	int top = lua_gettop(L);

	if (lua_rawgetp(L, LUA_REGISTRYINDEX, CACHE) == LUA_TTABLE) {
		lua_pushvalue(L, 1);
		lua_rawget(L, -2);
	}
	if (lua_istable(L, -1)) {
		lua_rawgeti(L, -1, 1);
		if (lua_rawequal(L, -1, 2)) {
			lua_rawgeti(L, -2, 2);
			return 1;
		}
	}
	lua_settop(L, top);
	return 0;
}

/* Pushes where compiled files are kept. */
static void push_cache(lua_State *L)
{
	lua_Integer n = 0;

	if (lua_rawgetp(L, LUA_REGISTRYINDEX, CACHE) == LUA_TTABLE) {
		lua_pushnil(L);
		for (; lua_next(L, -2); n++)
			lua_pop(L, 1);
		if (n < FILES)
			return;
	}
	lua_pop(L, 1);
	lua_newtable(L);
	lua_pushvalue(L, -1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, CACHE);
}

/* Chunk at the top. */
static void keep(lua_State *L)
{
	push_cache(L);
	lua_pushvalue(L, 1);
	lua_createtable(L, 2, 0);
	lua_pushvalue(L, 2);
	lua_rawseti(L, -2, 1);
	lua_pushvalue(L, -4);
	lua_rawseti(L, -2, 2);
	lua_rawset(L, -3);
	lua_pop(L, 1);
}

void peal_box_drop_files(lua_State *L)
{
	lua_pushnil(L);
	lua_rawsetp(L, LUA_REGISTRYINDEX, CACHE); /* takes no memory */
}

/* --- sentences --- */

int peal_box_bad(lua_State *L, struct peal_box_outcome *o, const char *fmt, ...)
{
	const char *path = peal_box_of(L)->path;
	int n = snprintf(o->sentence, sizeof(o->sentence), "%s: ", path);
	va_list ap;

	if (n < 0 || (size_t)n >= sizeof(o->sentence))
		n = 0;
	va_start(ap, fmt);
	vsnprintf(o->sentence + n, sizeof(o->sentence) - (size_t)n, fmt, ap);
	va_end(ap);
	o->ok = 0;
	o->word = "bad-rule-file";
	return 0;
}

/* Length of "name:12: " at the start of a text, and the number; or 0. */
static size_t place(const char *text, const char *name, int *line)
{
	size_t len = strlen(name), digits;

	if (strncmp(text, name, len) != 0 || text[len] != ':')
		return 0;
	digits = strspn(text + len + 1, "0123456789");
	if (digits == 0 || digits > 9 || text[len + 1 + digits] != ':')
		return 0;
	*line = atoi(text + len + 1);
	return len + digits + 2;
}

/* Lua shortens a long name in its messages. */
static size_t lua_place(lua_State *L, const char *text, int *line)
{
	const char *path = peal_box_of(L)->path;
	size_t len = strlen(path), n = place(text, path, line);
	char end[LUA_IDSIZE];

	if (n || len < LUA_IDSIZE - 1)
		return n;
	snprintf(end, sizeof(end), "...%s", path + len - (LUA_IDSIZE - 4));
	return place(text, end, line);
}

/* Message handler: a text that begins with file and line. Of other values
 * nothing but the type is looked at, and no code of theirs runs. */
static int explain(lua_State *L)
{
	struct peal_box *b = peal_box_of(L);
	const char *text;
	int line = peal_box_line(L, b->path), at;
	size_t n;

	if (b->over || b->spent == b->budget)
		return 1;
	if (lua_type(L, 1) != LUA_TSTRING && lua_type(L, 1) != LUA_TNUMBER) {
		lua_pushfstring(L, "error value is a %s", luaL_typename(L, 1));
		lua_replace(L, 1);
	}
	text = lua_tostring(L, 1);
	n = lua_place(L, text, &at);
	if (n) {
		line = at;
		text += n;
	}
	while (n && *text == ' ')
		text++;
	if (line)
		lua_pushfstring(L, "%s:%d: %s", b->path, line, text);
	else
		lua_pushfstring(L, "%s: %s", b->path, text);
	return 1;
}

/* The message on top, made by explain(). */
static void take_message(lua_State *L, struct peal_box_outcome *o)
{
	const char *text = lua_tostring(L, -1);

	snprintf(o->sentence, sizeof(o->sentence), "%s", text ? text : "");
	place(o->sentence, peal_box_of(L)->path, &o->line);
	o->ok = 0;
	o->word = "bad-rule-file";
}

int peal_box_call(lua_State *L, int args, int results,
		  struct peal_box_outcome *o)
{
	int base = lua_gettop(L) - args, status;

	lua_pushcfunction(L, explain);
	lua_insert(L, base);
	status = lua_pcall(L, args, results, base);
	lua_remove(L, base);
	if (status == LUA_OK) {
		peal_box_charge(L, 0);
		return 1;
	}
	peal_box_caught(L, status);
	take_message(L, o);
	return 0;
}

/* --- files --- */

static int compile(lua_State *L, struct peal_box_outcome *o)
{
	size_t len;
	const char *text = lua_tolstring(L, 2, &len);
	int status;

	if (len > TEXT_MAX)
		return peal_box_bad(L, o, "is longer than %d KiB",
				    TEXT_MAX >> 10);
	lua_pushfstring(L, "@%s", lua_tostring(L, 1));
	status = luaL_loadbufferx(L, text, len, lua_tostring(L, -1), "t");
	lua_remove(L, -2);
	if (status == LUA_ERRMEM)
		peal_box_stop(L, PEAL_BOX_MEMORY);
	if (status == LUA_OK)
		return 1;
	lua_pushcfunction(L, explain);
	lua_insert(L, -2);
	lua_call(L, 1, 1);
	take_message(L, o);
	return 0;
}

int peal_box_load(lua_State *L, struct peal_box_outcome *o)
{
	if (!cached(L)) {
		if (!compile(L, o))
			return 0;
		keep(L);
	}
	give_globals(L);
	return 1;
}

/* Pushes t[name], asking no metatable. t at the top. */
static int raw_field(lua_State *L, const char *name)
{
	lua_pushstring(L, name);
	return lua_rawget(L, -2);
}

/* The text at the top as a log may show it. */
static const char *visible(lua_State *L)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, LINE);
	lua_pushvalue(L, -2);
	lua_pushinteger(L, 60);
	lua_call(L, 2, 1);
	return lua_tostring(L, -1);
}

int peal_box_check(lua_State *L, const char *stage, struct peal_box_outcome *o)
{
	const char *said;
	size_t len;

	if (!lua_istable(L, -1) || raw_field(L, "decide") != LUA_TFUNCTION)
		return peal_box_bad(
			L, o, "returns no table with a function `decide`");
	lua_insert(L, -2);
	if (raw_field(L, "stage") != LUA_TSTRING)
		return peal_box_bad(L, o, "stage is a %s, not \"%s\"",
				    luaL_typename(L, -1), stage);
	said = lua_tolstring(L, -1, &len);
	if (strlen(said) != len || strcmp(said, stage) != 0)
		return peal_box_bad(L, o, "stage is \"%s\", not \"%s\"",
				    visible(L), stage);
	lua_pop(L, 2);
	return 1;
}

void peal_box_open_files(lua_State *L)
{
	push_cache(L);
	if (luaL_loadstring(L, "local globals = ... "
			       "return function() return globals end"))
		lua_error(L);
	lua_rawsetp(L, LUA_REGISTRYINDEX, HOLD);
	lua_getglobal(L, "require");
	lua_pushliteral(L, "peal.environment");
	lua_call(L, 1, 1);
	lua_getfield(L, -1, "new");
	lua_call(L, 0, 1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, LIBRARY);
	lua_getglobal(L, "require");
	lua_pushliteral(L, "peal.visible");
	lua_call(L, 1, 1);
	lua_getfield(L, -1, "line");
	lua_rawsetp(L, LUA_REGISTRYINDEX, LINE);
	lua_settop(L, 0);
}
