/* fuzz_rule.c - everything that reads an operator's text, in Lua: rules,
 * conditions, macros, URLs, schedules, alias maps, versions, log servers,
 * JSON. What is checked is in fuzz_rule.lua; an error there is a crash.
 *
 * Input: one octet chooses the part, the rest is the text. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <lauxlib.h>

#include "host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { COUNTERS = 1 << 14 };

/* libFuzzer takes these for branches of its own: so it sees which lines of
 * Lua an input reaches. */
__attribute__((used, section("__libfuzzer_extra_counters"))) static uint8_t
	counters[COUNTERS];

static void reached(lua_State *L, lua_Debug *ar)
{
	uint32_t at;

	if (!lua_getinfo(L, "S", ar))
		return;
	/* a source's text stays where it is while it is loaded */
	at = (uint32_t)((uintptr_t)ar->source >> 4) * 2654435761u;
	at = (at >> 8) + (uint32_t)ar->currentline * 31u;
	if (counters[at % COUNTERS] < UINT8_MAX)
		counters[at % COUNTERS]++;
}

static int traceback(lua_State *L)
{
	luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
	return 1;
}

static void fail(lua_State *L)
{
	fprintf(stderr, "%s\n", lua_tostring(L, -1));
	abort();
}

static lua_State *start(void)
{
	lua_State *L = peal_host_open();

	if (!L)
		abort();
	lua_pushcfunction(L, traceback);
	if (luaL_dofile(L, PEAL_SOURCE_DIR "/tests/fuzz/fuzz_rule.lua"))
		fail(L);
	lua_sethook(L, reached, LUA_MASKLINE, 0);
	return L;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static lua_State *L;

	if (!L)
		L = start();
	if (size < 1)
		return 0;
	lua_pushvalue(L, 2);
	lua_pushinteger(L, data[0]);
	lua_pushlstring(L, (const char *)data + 1, size - 1);
	if (lua_pcall(L, 2, 0, 1))
		fail(L);
	return 0;
}
