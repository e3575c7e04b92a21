/* sandbox_text.c - functions on texts that are charged for what they read. */
#include <string.h>

#include "sandbox_inside.h"

static uint64_t length_of_texts(lua_State *L)
{
	uint64_t all = 0;
	int i, n = lua_gettop(L);

	for (i = 1; i <= n; i++)
		if (lua_type(L, i) == LUA_TSTRING)
			all += lua_rawlen(L, i);
	return all;
}

/* Upvalue: the function of Lua's library; it has none of its own, so that it
 * may run in our place, and its errors name it. */
static int l_charged(lua_State *L)
{
	peal_box_charge(L, peal_box_bytes(length_of_texts(L)));
	return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

void peal_box_charge_texts(lua_State *L, const char *name)
{
	lua_getfield(L, -1, name);
	lua_pushcclosure(L, l_charged, 1);
	lua_setfield(L, -2, name);
}

/* Upvalue: Lua's. Nothing, many times over, is nothing: Lua counts to the end
 * all the same. */
static int l_rep(lua_State *L)
{
	size_t len, between;
	lua_Integer n = luaL_checkinteger(L, 2);

	luaL_checklstring(L, 1, &len);
	luaL_optlstring(L, 3, "", &between);
	if (len == 0 && between == 0) {
		lua_pushliteral(L, "");
		return 1;
	}
	/* a long one is refused by the allocator before it is made */
	peal_box_charge(L, n > 0 && n < 1 << 20 ? (uint64_t)n / 4 : 1);
	return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/* --- texts of values --- */

/* Pushes a value as text, without addresses: they differ from run to run, and
 * the same inputs must give the same decision. */
static void push_text(lua_State *L, int index)
{
	switch (lua_type(L, index)) {
	case LUA_TTABLE:
		if (luaL_getmetafield(L, index, "__tostring") == LUA_TNIL)
			break;
		lua_pushvalue(L, index);
		lua_call(L, 1, 1);
		if (!lua_isstring(L, -1))
			luaL_error(L, "'__tostring' must return a string");
		return;
	case LUA_TFUNCTION:
	case LUA_TTHREAD:
	case LUA_TUSERDATA:
		break;
	default:
		luaL_tolstring(L, index, NULL);
		return;
	}
	lua_pushstring(L, luaL_typename(L, index));
}

static int l_tostring(lua_State *L)
{
	luaL_checkany(L, 1);
	push_text(L, 1);
	return 1;
}

/* Upvalue: Lua's. */
static int l_format(lua_State *L)
{
	size_t len;
	const char *p = luaL_checklstring(L, 1, &len), *end = p + len;
	int arg = 1, top = lua_gettop(L);

	while ((p = memchr(p, '%', (size_t)(end - p)))) {
		p += 1 + strspn(p + 1, "-+ #0123456789.");
		if (p == end)
			break;
		if (*p++ == '%' || ++arg > top)
			continue;
		if (p[-1] == 'p')
			return luaL_error(L, "invalid conversion '%%p' to "
					     "'format'");
		if (p[-1] == 's' && !lua_isstring(L, arg)) {
			push_text(L, arg);
			lua_replace(L, arg);
		}
	}
	return l_charged(L);
}

/* Skips what is left of a character, which may be a long run of bytes.
 * Upvalue: Lua's. */
static int l_next_code(lua_State *L)
{
	size_t len, at = (size_t)lua_tointeger(L, 2), end = at;
	const char *s = luaL_checklstring(L, 1, &len);

	while (end < len && ((unsigned char)s[end] & 0xC0) == 0x80)
		end++;
	peal_box_charge(L, peal_box_bytes(end - at));
	return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/* utf8.codes() gives an iterator. */
static int l_codes(lua_State *L)
{
	int n = lua_tocfunction(L, lua_upvalueindex(1))(L);

	lua_pushvalue(L, -n);
	lua_pushcclosure(L, l_next_code, 1);
	lua_replace(L, -n - 1);
	return n;
}

static void wrap(lua_State *L, const char *name, lua_CFunction f)
{
	lua_getfield(L, -1, name);
	lua_pushcclosure(L, f, 1);
	lua_setfield(L, -2, name);
}

static void charge_all(lua_State *L, const char *const *names)
{
	for (; *names; names++)
		peal_box_charge_texts(L, *names);
}

void peal_box_open_texts(lua_State *L)
{
	static const char *const in_string[] = { "byte",     "lower",   "pack",
						 "packsize", "reverse", "sub",
						 "unpack",   "upper",   NULL };
	static const char *const in_utf8[] = { "codepoint", "len", "offset",
					       NULL };

	lua_getglobal(L, "string");
	charge_all(L, in_string);
	wrap(L, "rep", l_rep);
	wrap(L, "format", l_format);
	lua_pop(L, 1);
	lua_getglobal(L, "utf8");
	charge_all(L, in_utf8);
	wrap(L, "codes", l_codes);
	lua_pop(L, 1);
	lua_pushglobaltable(L);
	peal_box_charge_texts(L, "tonumber");
	lua_pop(L, 1);
	lua_register(L, "tostring", l_tostring);
}
