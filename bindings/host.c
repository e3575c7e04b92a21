/* host.c - see host.h */
#include "host.h"

#include <stdio.h>
#include <string.h>

#include "bindings.h"
#include "embedded.h"
#include "peal/alloc.h"

static void *from_peal(void *ud, void *ptr, size_t osize, size_t nsize)
{
	(void)ud;
	(void)osize;
	if (nsize == 0) {
		peal_free(ptr);
		return NULL;
	}
	return peal_realloc(ptr, nsize);
}

/* The tables are sorted by name. */
static const struct peal_embedded *find(const struct peal_embedded *list,
					size_t n, const char *name)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(name, list[mid].name);

		if (c == 0)
			return &list[mid];
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

/* A package searcher for the embedded scripts. */
static int search_embedded(lua_State *L)
{
	const char *name = luaL_checkstring(L, 1);
	const struct peal_embedded *e;
	char chunk[128];

	e = find(peal_embedded_scripts, peal_embedded_scripts_n, name);
	if (!e) {
		lua_pushfstring(L, "no embedded script '%s'", name);
		return 1;
	}
	snprintf(chunk, sizeof(chunk), "@%s", e->path);
	if (luaL_loadbufferx(L, (const char *)e->data, e->len, chunk, NULL))
		return lua_error(L);
	lua_pushstring(L, name);
	return 2;
}

/* require "peal.factory": the factory rules as text, by file name. */
static int open_factory(lua_State *L)
{
	size_t i;

	lua_createtable(L, 0, (int)peal_embedded_rules_n);
	for (i = 0; i < peal_embedded_rules_n; i++) {
		lua_pushfstring(L, "%s.lua", peal_embedded_rules[i].name);
		lua_pushlstring(L, (const char *)peal_embedded_rules[i].data,
				peal_embedded_rules[i].len);
		lua_rawset(L, -3);
	}
	return 1;
}

void peal_open_embedded(lua_State *L, int only)
{
	luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
	lua_pushcfunction(L, open_factory);
	lua_setfield(L, -2, "peal.factory");
	lua_pop(L, 1);

	lua_getglobal(L, "package");
	lua_getfield(L, -1, "searchers");
	lua_pushcfunction(L, search_embedded);
	if (only) {
		/* keep the preload searcher alone before ours */
		lua_Integer n = luaL_len(L, -2);

		for (; n > 1; n--) {
			lua_pushnil(L);
			lua_rawseti(L, -3, n);
		}
		lua_rawseti(L, -2, 2);
	} else {
		lua_rawseti(L, -2, luaL_len(L, -2) + 1);
	}
	lua_pop(L, 2);
}

static int open_all(lua_State *L)
{
	/* LUA_PATH, LUA_CPATH and LUA_INIT are none of a phone's business */
	lua_pushboolean(L, 1);
	lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
	luaL_openlibs(L);
	peal_open_bindings(L);
	peal_open_embedded(L, 1);
	return 0;
}

lua_State *peal_host_open(void)
{
	lua_State *L = lua_newstate(from_peal, NULL);

	if (!L)
		return NULL;
	lua_pushcfunction(L, open_all);
	if (lua_pcall(L, 0, 0, 0) != LUA_OK) {
		lua_close(L);
		return NULL;
	}
	return L;
}

static int run_main(lua_State *L)
{
	int argc = (int)lua_tointeger(L, 1);
	char **argv = lua_touserdata(L, 2);
	int i;

	lua_getglobal(L, "require");
	lua_pushliteral(L, "peal.cli");
	lua_call(L, 1, 1);
	lua_getfield(L, -1, "main");
	lua_createtable(L, argc, 1);
	for (i = 0; i < argc; i++) {
		lua_pushstring(L, argv[i]);
		lua_rawseti(L, -2, i);
	}
	lua_call(L, 1, 1);
	return 1;
}

locale_t peal_host_locale(void)
{
	return uselocale(newlocale(LC_ALL_MASK, "C", (locale_t)0));
}

int peal_host_main(lua_State *L, int argc, char **argv)
{
	locale_t before = peal_host_locale();
	const char *text;
	int code = 1;

	lua_settop(L, 0);
	lua_pushcfunction(L, peal_lua_traceback);
	lua_pushcfunction(L, run_main);
	lua_pushinteger(L, argc);
	lua_pushlightuserdata(L, argv);
	if (lua_pcall(L, 2, 1, 1) == LUA_OK) {
		code = (int)lua_tointeger(L, -1);
	} else if (peal_lua_is_memory_error(L, -1)) {
		fputs("peal: out of memory [resource]\n", stderr);
	} else {
		text = lua_tostring(L, -1);
		fprintf(stderr, "peal: internal error: %s\n",
			text ? text : "(no message)");
	}
	lua_settop(L, 0);
	uselocale(before);
	return code;
}
