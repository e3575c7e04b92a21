/* sandbox_table.c - the table library, charged for each element it touches.
 * A table may have metamethods, which say of a table with nothing in it that
 * it is 2^60 long; they are asked as in Lua's manual (5.4, 6.6). */
#include <limits.h>

#include "sandbox_inside.h"

/* Upvalue of most: the function of Lua's library, for plain tables. */
static int original(lua_State *L)
{
	return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

static int is_plain(lua_State *L, int index)
{
	if (!lua_getmetatable(L, index))
		return 1;
	lua_pop(L, 1);
	return 0;
}

/* t[to] = t[from], of two tables */
static void set(lua_State *L, int from_table, lua_Integer from, int to_table,
		lua_Integer to)
{
	peal_box_charge(L, 1);
	lua_geti(L, from_table, from);
	lua_seti(L, to_table, to);
}

static int l_insert(lua_State *L)
{
	lua_Integer pos, e, i;

	luaL_checktype(L, 1, LUA_TTABLE);
	e = (lua_Integer)((lua_Unsigned)luaL_len(L, 1) + 1);
	switch (lua_gettop(L)) {
	case 2:
		pos = e;
		break;
	case 3:
		pos = luaL_checkinteger(L, 2);
		luaL_argcheck(L, (lua_Unsigned)pos - 1u < (lua_Unsigned)e, 2,
			      "position out of bounds");
		for (i = e; i > pos; i--)
			set(L, 1, i - 1, 1, i);
		break;
	default:
		return luaL_error(L, "wrong number of arguments to 'insert'");
	}
	lua_seti(L, 1, pos);
	return 0;
}

static int l_remove(lua_State *L)
{
	lua_Integer size, pos;

	luaL_checktype(L, 1, LUA_TTABLE);
	size = luaL_len(L, 1);
	pos = luaL_optinteger(L, 2, size);
	if (pos != size)
		luaL_argcheck(L, (lua_Unsigned)pos - 1u <= (lua_Unsigned)size,
			      2, "position out of bounds");
	lua_geti(L, 1, pos);
	for (; pos < size; pos++)
		set(L, 1, pos + 1, 1, pos);
	lua_pushnil(L);
	lua_seti(L, 1, pos);
	return 1;
}

static int l_move(lua_State *L)
{
	lua_Integer f = luaL_checkinteger(L, 2), e = luaL_checkinteger(L, 3);
	lua_Integer t = luaL_checkinteger(L, 4), n, i;
	int to = lua_isnoneornil(L, 5) ? 1 : 5;

	luaL_checktype(L, 1, LUA_TTABLE);
	luaL_checktype(L, to, LUA_TTABLE);
	lua_pushvalue(L, to); /* the result */
	if (e < f)
		return 1;
	luaL_argcheck(L, f > 0 || e < LUA_MAXINTEGER + f, 3,
		      "too many elements to move");
	n = e - f + 1;
	luaL_argcheck(L, t <= LUA_MAXINTEGER - n + 1, 4,
		      "destination wrap around");
	if (t > e || t <= f || (to != 1 && !lua_rawequal(L, 1, to)))
		for (i = 0; i < n; i++)
			set(L, 1, f + i, to, t + i);
	else
		for (i = n - 1; i >= 0; i--)
			set(L, 1, f + i, to, t + i);
	return 1;
}

/* Puts a plain table with t[from .. to] in the place of t, at index 1. */
static void make_plain(lua_State *L, lua_Integer from, lua_Integer to)
{
	lua_Integer i;

	lua_newtable(L);
	for (i = from; i <= to; i++) {
		set(L, 1, i, -2, i);
		if (i == LUA_MAXINTEGER)
			break;
	}
	lua_replace(L, 1);
}

static int l_concat(lua_State *L)
{
	lua_Integer from, to;

	luaL_checktype(L, 1, LUA_TTABLE);
	if (is_plain(L, 1)) {
		peal_box_charge(L, lua_rawlen(L, 1));
		return original(L);
	}
	lua_settop(L, 4);
	from = luaL_optinteger(L, 3, 1);
	to = lua_isnil(L, 4) ? luaL_len(L, 1) : luaL_checkinteger(L, 4);
	make_plain(L, from, to);
	lua_pushinteger(L, to);
	lua_replace(L, 4);
	return original(L);
}

static int l_unpack(lua_State *L)
{
	lua_Integer from, to;

	luaL_checktype(L, 1, LUA_TTABLE);
	from = luaL_optinteger(L, 2, 1);
	lua_settop(L, 3);
	to = lua_isnil(L, 3) ? luaL_len(L, 1) : luaL_checkinteger(L, 3);
	if (from > to)
		return 0;
	if ((lua_Unsigned)to - (lua_Unsigned)from >= INT_MAX ||
	    !lua_checkstack(L, (int)(to - from + 1)))
		return luaL_error(L, "too many results to unpack");
	peal_box_charge(L, (uint64_t)(to - from));
	if (is_plain(L, 1))
		return original(L);
	make_plain(L, from, to);
	lua_pushinteger(L, to);
	lua_replace(L, 3);
	return original(L);
}

/* Comparing is done by instructions, or by C for numbers and texts. A plain
 * table at index 1. */
static void charge_sort(lua_State *L, lua_Integer n)
{
	uint64_t each = (uint64_t)n, rounds = 1;
	lua_Integer i, m;

	for (i = 1; i <= n; i++) {
		if (lua_rawgeti(L, 1, i) == LUA_TSTRING)
			each += peal_box_bytes(lua_rawlen(L, -1));
		lua_pop(L, 1);
	}
	for (m = n; m > 1; m /= 2)
		rounds++;
	peal_box_charge(L, each * rounds);
}

static int l_sort(lua_State *L)
{
	lua_Integer i, n;

	luaL_checktype(L, 1, LUA_TTABLE);
	n = luaL_len(L, 1);
	if (n < 2)
		return 0;
	luaL_argcheck(L, n < INT_MAX, 1, "array too big");
	lua_settop(L, 2);
	if (is_plain(L, 1)) {
		charge_sort(L, n);
		return original(L);
	}
	lua_pushvalue(L, 1);
	make_plain(L, 1, n);
	charge_sort(L, n);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_pushvalue(L, 1);
	lua_pushvalue(L, 2);
	lua_call(L, 2, 0);
	for (i = 1; i <= n; i++)
		set(L, 1, i, 3, i);
	return 0;
}

static void replace(lua_State *L, const char *name, lua_CFunction f)
{
	lua_getfield(L, -1, name);
	lua_pushcclosure(L, f, 1);
	lua_setfield(L, -2, name);
}

void peal_box_open_tables(lua_State *L)
{
	lua_getglobal(L, "table");
	replace(L, "insert", l_insert);
	replace(L, "remove", l_remove);
	replace(L, "move", l_move);
	replace(L, "concat", l_concat);
	replace(L, "unpack", l_unpack);
	replace(L, "sort", l_sort);
	lua_pop(L, 1);
}
