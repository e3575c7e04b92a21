/* interpreter.c - Lua 5.4 with peal's modules, for the specs.
 *
 *   peal-lua script.lua [arguments]
 *
 * Like lua5.4, but the modules of bindings/ and tests/support/ are preloaded,
 * and scripts/ and tests/ of the source tree are searched first, wherever it
 * is started. */
#include <stdio.h>
#include <stdlib.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "bindings.h"
#include "host.h"
#include "support/support.h"

#define IN_TREE(path) PEAL_SOURCE_DIR path ";"

static const char search[] = IN_TREE("/scripts/?.lua")
	IN_TREE("/scripts/?/init.lua") IN_TREE("/tests/?.lua");

static int traceback(lua_State *L)
{
	luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
	return 1;
}

/* arg[0] is the script, as with lua5.4. */
static int prepare(lua_State *L)
{
	char **argv = lua_touserdata(L, 1);
	int i;

	luaL_openlibs(L);
	peal_open_bindings(L);
	luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
	lua_pushcfunction(L, luaopen_support_process);
	lua_setfield(L, -2, "support.process");
	lua_pushcfunction(L, luaopen_support_tcp);
	lua_setfield(L, -2, "support.tcp");
	lua_pop(L, 1);
	peal_open_embedded(L, 0);

	lua_getglobal(L, "package");
	lua_pushstring(L, search);
	lua_getfield(L, -2, "path");
	lua_concat(L, 2);
	lua_setfield(L, -2, "path");

	lua_newtable(L);
	for (i = 0; argv[i]; i++) {
		lua_pushstring(L, argv[i]);
		lua_rawseti(L, -2, i - 1);
	}
	lua_setglobal(L, "arg");
	return 0;
}

static int run(lua_State *L, char **argv)
{
	int i;

	lua_pushcfunction(L, traceback);
	lua_pushcfunction(L, prepare);
	lua_pushlightuserdata(L, argv);
	if (lua_pcall(L, 1, 0, 1))
		return 1;

	if (luaL_loadfile(L, argv[1]))
		return 1;
	for (i = 2; argv[i]; i++) {
		if (!lua_checkstack(L, 2)) {
			lua_pushliteral(L, "too many arguments");
			return 1;
		}
		lua_pushstring(L, argv[i]);
	}
	return lua_pcall(L, i - 2, 0, 1);
}

int main(int argc, char **argv)
{
	lua_State *L;
	int failed;

	if (argc < 2) {
		fprintf(stderr, "usage: %s script.lua [arguments]\n", argv[0]);
		return EXIT_FAILURE;
	}
	peal_host_locale();
	L = luaL_newstate();
	if (!L) {
		fprintf(stderr, "%s: no memory\n", argv[0]);
		return EXIT_FAILURE;
	}
	failed = run(L, argv);
	if (failed)
		fprintf(stderr, "%s: %s\n", argv[0], lua_tostring(L, -1));
	lua_close(L);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
