/* fuzz_plain.c - bytes as Lua data, and as requests to a box.
 *
 * What unpacks packs again, and then gives the same bytes as a second time
 * round. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "peal/limits.h"
#include "plain.h"
#include "sandbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int unpack(lua_State *L)
{
	const uint8_t *data = lua_touserdata(L, 1);
	size_t size = (size_t)lua_tointeger(L, 2);

	return peal_plain_unpack(L, data, size, NULL) ? 0 : 1;
}

static void again(lua_State *L)
{
	struct peal_buf b;
	enum peal_err err;

	peal_buf_init(&b, PEAL_LIMIT_WORKER_FRAME);
	err = peal_plain_pack(L, -1, &b, NULL);
	if (!err && peal_plain_unpack(L, b.data, b.len, NULL))
		abort();
	if (err == PEAL_EINVAL)
		abort();
	peal_buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct peal_box_options few = { 0, 20000 };
	static struct peal_box *box;
	static struct peal_buf reply;
	static lua_State *L;

	if (!L) {
		L = luaL_newstate();
		peal_buf_init(&reply, PEAL_LIMIT_WORKER_FRAME);
		if (!L || peal_box_new(&box, &few))
			abort();
	}
	lua_pushcfunction(L, unpack);
	lua_pushlightuserdata(L, (void *)(uintptr_t)data);
	lua_pushinteger(L, (lua_Integer)size);
	if (lua_pcall(L, 2, LUA_MULTRET, 0) == LUA_OK && lua_gettop(L) == 1)
		again(L);
	lua_settop(L, 0);
	if (peal_box_ask(box, data, size, NULL, &reply) == PEAL_OK &&
	    reply.len == 0)
		abort();
	return 0;
}
