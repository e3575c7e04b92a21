/* sandbox_view.c - what a rule is shown: tables that cannot be changed.
 *
 * A rule holds empty tables whose metatable reads the data behind them; which
 * is behind which is known to a table in the registry that lives as long as
 * the decision. environment.freeze() does the same for the factory's rules. */
#include "bindings.h"
#include "peal/limits.h"
#include "plain_form.h"
#include "sandbox_inside.h"

/* Registry keys: metatables, and the table of both table -> view and
 * view -> table. */
static const char VIEW[] = "peal.box.view";
static const char PARAM[] = "peal.box.param";
static const char PAIRS[] = "peal.box.pairs";

static void push_pairs(lua_State *L)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, PAIRS);
}

/* Replaces the data table on top by its view. */
static void wrap(lua_State *L)
{
	push_pairs(L);
	lua_pushvalue(L, -2);
	if (lua_rawget(L, -2) == LUA_TNIL) {
		lua_pop(L, 1);
		lua_newtable(L);
		lua_rawgetp(L, LUA_REGISTRYINDEX, VIEW);
		lua_setmetatable(L, -2);
		lua_pushvalue(L, -3);
		lua_pushvalue(L, -2);
		lua_rawset(L, -4); /* table -> view */
		lua_pushvalue(L, -1);
		lua_pushvalue(L, -4);
		lua_rawset(L, -4); /* view -> table */
	}
	lua_replace(L, -3);
	lua_pop(L, 1);
}

/* Pushes the table behind the view at index 1. */
static void push_data(lua_State *L)
{
	push_pairs(L);
	lua_pushvalue(L, 1);
	lua_rawget(L, -2);
	lua_remove(L, -2);
}

static int l_index(lua_State *L)
{
	push_data(L);
	lua_pushvalue(L, 2);
	if (lua_rawget(L, -2) == LUA_TTABLE) {
		if (!lua_getmetatable(L, -1))
			wrap(L);
		else
			lua_pop(L, 1); /* param */
	}
	return 1;
}

static int refuse(lua_State *L, const char *what)
{
	int text = lua_type(L, 2) == LUA_TSTRING ||
		   lua_type(L, 2) == LUA_TNUMBER;

	return luaL_error(L, "a rule cannot %s (%s)", what,
			  text ? lua_tostring(L, 2) : luaL_typename(L, 2));
}

static int l_newindex(lua_State *L)
{
	return refuse(L, "change the phone");
}

static int l_len(lua_State *L)
{
	push_data(L);
	lua_pushinteger(L, (lua_Integer)lua_rawlen(L, -1));
	return 1;
}

/* For environment.ordered(), which takes the names and reads through the
 * view. */
static int l_pairs(lua_State *L)
{
	lua_getglobal(L, "next");
	push_data(L);
	return 2;
}

static int l_param(lua_State *L)
{
	const struct peal_snapshot_view *v = peal_box_of(L)->params;
	const char *name, *text;
	size_t len, text_len;

	if (!v || lua_type(L, 2) != LUA_TSTRING)
		return 0;
	name = lua_tolstring(L, 2, &len);
	if (peal_snapshot_get(v, name, len, &text, &text_len))
		return 0;
	lua_pushlstring(L, text, text_len);
	return 1;
}

static int l_write_param(lua_State *L)
{
	return refuse(L, "write a parameter");
}

static int l_no_pairs(lua_State *L)
{
	lua_getglobal(L, "next");
	lua_newtable(L);
	return 2;
}

static int l_no_len(lua_State *L)
{
	lua_pushinteger(L, 0);
	return 1;
}

static void metatable(lua_State *L, const char *key, const luaL_Reg *meta)
{
	lua_newtable(L);
	luaL_setfuncs(L, meta, 0);
	peal_lua_set_text(L, "__metatable", "read-only");
	lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

void peal_box_open_view(lua_State *L)
{
	static const luaL_Reg view[] = {
		{ "__index", l_index }, { "__newindex", l_newindex },
		{ "__len", l_len },     { "__pairs", l_pairs },
		{ NULL, NULL },
	};
	static const luaL_Reg param[] = {
		{ "__index", l_param }, { "__newindex", l_write_param },
		{ "__len", l_no_len },  { "__pairs", l_no_pairs },
		{ NULL, NULL },
	};

	metatable(L, VIEW, view);
	metatable(L, PARAM, param);
}

void peal_box_push_view(lua_State *L)
{
	lua_newtable(L);
	lua_rawsetp(L, LUA_REGISTRYINDEX, PAIRS);
	lua_pushliteral(L, "param");
	lua_newtable(L);
	lua_rawgetp(L, LUA_REGISTRYINDEX, PARAM);
	lua_setmetatable(L, -2);
	lua_rawset(L, -3);
	wrap(L);
}

void peal_box_drop_views(lua_State *L)
{
	lua_pushnil(L);
	lua_rawsetp(L, LUA_REGISTRYINDEX, PAIRS);
}

/* Is the table on top one that a rule holds for another? Replaced by it. */
static int uncovered(lua_State *L)
{
	int is_view;

	if (!lua_getmetatable(L, -1))
		return 0;
	lua_rawgetp(L, LUA_REGISTRYINDEX, VIEW);
	is_view = lua_rawequal(L, -1, -2);
	lua_pop(L, 2);
	if (!is_view)
		return 0;
	push_pairs(L);
	lua_pushvalue(L, -2);
	lua_rawget(L, -2);
	lua_replace(L, -3);
	lua_pop(L, 1);
	return 1;
}

static void uncover(lua_State *L, int depth, unsigned *tables)
{
	if (!lua_istable(L, -1) || uncovered(L) ||
	    depth == PEAL_LIMIT_PLAIN_DEPTH || ++*tables > PEAL_PLAIN_TABLES)
		return; /* too much of it: packing says so */
	luaL_checkstack(L, 8, NULL);
	lua_pushnil(L);
	while (lua_next(L, -2)) {
		peal_box_charge(L, 1); /* listed often, it is walked often */
		if (!lua_istable(L, -1)) {
			lua_pop(L, 1);
			continue;
		}
		uncover(L, depth + 1, tables);
		lua_pushvalue(L, -2);
		lua_insert(L, -2);
		lua_rawset(L, -4); /* a key that is there: next() goes on */
	}
}

void peal_box_uncover(lua_State *L)
{
	unsigned tables = 0;

	uncover(L, 0, &tables);
}
