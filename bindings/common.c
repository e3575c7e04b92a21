/* common.c - see bindings.h */
#include <math.h>
#include <string.h>

#include "bindings.h"

void peal_open_bindings(lua_State *L)
{
	static const luaL_Reg modules[] = {
		{ "peal.chain", luaopen_peal_chain },
		{ "peal.control", luaopen_peal_control },
		{ "peal.decode", luaopen_peal_decode },
		{ "peal.encode", luaopen_peal_encode },
		{ "peal.fetch", luaopen_peal_fetch },
		{ "peal.issue", luaopen_peal_issue },
		{ "peal.jsontext", luaopen_peal_jsontext },
		{ "peal.keyring", luaopen_peal_keyring },
		{ "peal.loop", luaopen_peal_loop },
		{ "peal.net", luaopen_peal_net },
		{ "peal.sandbox", luaopen_peal_sandbox },
		{ "peal.schema", luaopen_peal_schema },
		{ "peal.store", luaopen_peal_store },
		{ "peal.sys", luaopen_peal_sys },
		{ "peal.terminal", luaopen_peal_terminal },
		{ "peal.tftp", luaopen_peal_tftp },
		{ "peal.trust", luaopen_peal_trust },
		{ "peal.worker", luaopen_peal_worker },
		{ NULL, NULL },
	};

	luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
	luaL_setfuncs(L, modules, 0);
	lua_pop(L, 1);
}

int peal_lua_push_error(lua_State *L, enum peal_err err,
			const struct peal_reason *reason)
{
	const char *text = peal_err_text(err);

	if (reason && reason->text[0])
		text = reason->text;
	lua_pushstring(L, text);
	lua_pushstring(L, peal_err_name(err));
	if (!reason || (reason->line == 0 && reason->byte < 0)) {
		lua_pushnil(L);
		return 3;
	}
	lua_createtable(L, 0, 2);
	if (reason->line)
		peal_lua_set_int(L, "line", reason->line);
	if (reason->byte >= 0)
		peal_lua_set_int(L, "byte", reason->byte);
	return 3;
}

int peal_lua_fail(lua_State *L, enum peal_err err,
		  const struct peal_reason *reason)
{
	lua_pushnil(L);
	return 1 + peal_lua_push_error(L, err, reason);
}

int peal_lua_is_memory_error(lua_State *L, int index)
{
	static const char message[] = "not enough memory";
	const size_t n = sizeof(message) - 1;
	size_t len;
	const char *text;

	if (lua_type(L, index) != LUA_TSTRING)
		return 0;
	text = lua_tolstring(L, index, &len);
	/* a place may stand before it */
	return len >= n && strcmp(text + len - n, message) == 0;
}

int peal_lua_traceback(lua_State *L)
{
	const char *text = lua_tostring(L, 1);

	if (text && !peal_lua_is_memory_error(L, 1))
		luaL_traceback(L, L, text, 1);
	return 1;
}

void peal_lua_type(lua_State *L, const char *name, const luaL_Reg *meta,
		   const luaL_Reg *methods)
{
	luaL_newmetatable(L, name);
	luaL_setfuncs(L, meta, 0);
	lua_newtable(L);
	luaL_setfuncs(L, methods, 0);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
}

void peal_lua_set_text(lua_State *L, const char *key, const char *text)
{
	lua_pushstring(L, text);
	lua_setfield(L, -2, key);
}

void peal_lua_set_bytes(lua_State *L, const char *key, const void *bytes,
			size_t len)
{
	lua_pushlstring(L, len ? bytes : "", len);
	lua_setfield(L, -2, key);
}

void peal_lua_set_int(lua_State *L, const char *key, lua_Integer n)
{
	lua_pushinteger(L, n);
	lua_setfield(L, -2, key);
}

void peal_lua_set_number(lua_State *L, const char *key, lua_Number n)
{
	lua_pushnumber(L, n);
	lua_setfield(L, -2, key);
}

void peal_lua_set_bool(lua_State *L, const char *key, int on)
{
	lua_pushboolean(L, on);
	lua_setfield(L, -2, key);
}

static int listed(const char *key, const char *const *keys)
{
	for (; *keys; keys++)
		if (strcmp(key, *keys) == 0)
			return 1;
	return 0;
}

void peal_lua_check_keys(lua_State *L, int index, const char *const *keys)
{
	index = lua_absindex(L, index);
	luaL_checktype(L, index, LUA_TTABLE);
	lua_pushnil(L);
	while (lua_next(L, index)) {
		lua_pop(L, 1);
		if (lua_type(L, -1) != LUA_TSTRING)
			luaL_argerror(L, index, "option names are strings");
		if (!listed(lua_tostring(L, -1), keys)) {
			lua_pushfstring(L, "no such option: '%s'",
					lua_tostring(L, -1));
			luaL_argerror(L, index, lua_tostring(L, -1));
		}
	}
}

static void wrong_type(lua_State *L, int index, const char *key,
		       const char *wanted)
{
	lua_pushfstring(L, "option '%s' is %s, not %s", key, wanted,
			luaL_typename(L, -1));
	luaL_argerror(L, index, lua_tostring(L, -1));
}

const char *peal_lua_opt_text(lua_State *L, int index, const char *key,
			      size_t *len, const char *fallback)
{
	const char *text = fallback;

	if (len)
		*len = fallback ? strlen(fallback) : 0;
	index = lua_absindex(L, index);
	if (lua_getfield(L, index, key) == LUA_TSTRING)
		text = lua_tolstring(L, -1, len);
	else if (!lua_isnil(L, -1))
		wrong_type(L, index, key, "a string");
	lua_pop(L, 1); /* the table still holds it */
	return text;
}

static const char *word(lua_State *L, int index, const char *key, int needed)
{
	size_t len;
	const char *text = peal_lua_opt_text(L, index, key, &len, NULL);

	if (text ? strlen(text) != len : needed) {
		lua_pushfstring(L, "option '%s' %s", key,
				text ? "contains a NUL" : "is missing");
		luaL_argerror(L, index, lua_tostring(L, -1));
	}
	return text;
}

const char *peal_lua_opt_word(lua_State *L, int index, const char *key)
{
	return word(L, index, key, 0);
}

const char *peal_lua_need_word(lua_State *L, int index, const char *key)
{
	return word(L, index, key, 1);
}

lua_Integer peal_lua_opt_int(lua_State *L, int index, const char *key,
			     lua_Integer lo, lua_Integer hi,
			     lua_Integer fallback)
{
	lua_Integer n = fallback;
	int whole = 1;

	index = lua_absindex(L, index);
	if (lua_getfield(L, index, key) == LUA_TNUMBER)
		n = lua_tointegerx(L, -1, &whole);
	else if (!lua_isnil(L, -1))
		wrong_type(L, index, key, "a whole number");
	if (!whole || (!lua_isnil(L, -1) && (n < lo || n > hi))) {
		lua_pushfstring(L, "option '%s' is out of range", key);
		luaL_argerror(L, index, lua_tostring(L, -1));
	}
	lua_pop(L, 1);
	return n;
}

int peal_lua_opt_bool(lua_State *L, int index, const char *key, int fallback)
{
	int on = fallback;

	index = lua_absindex(L, index);
	if (lua_getfield(L, index, key) == LUA_TBOOLEAN)
		on = lua_toboolean(L, -1);
	else if (!lua_isnil(L, -1))
		wrong_type(L, index, key, "true or false");
	lua_pop(L, 1);
	return on;
}

unsigned peal_lua_opt_ms(lua_State *L, int index, const char *key)
{
	lua_Number s = 0;
	int type;

	index = lua_absindex(L, index);
	type = lua_getfield(L, index, key);
	if (type == LUA_TNUMBER)
		s = lua_tonumber(L, -1);
	if ((type != LUA_TNUMBER && type != LUA_TNIL) ||
	    !(s >= 0 && s <= 86400)) {
		lua_pushfstring(L, "option '%s' is not a number of seconds",
				key);
		luaL_argerror(L, index, lua_tostring(L, -1));
	}
	lua_pop(L, 1);
	return (unsigned)ceil(s * 1000);
}
