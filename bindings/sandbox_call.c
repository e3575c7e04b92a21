/* sandbox_call.c - pcall, xpcall and coroutines that catch no limit.
 * They do what those of Lua's manual (5.4, 6.1 and 6.2) do, but for that. */
#include "sandbox_inside.h"

/* --- pcall and xpcall --- */

/* After a protected call; `extra` values below its results are ours. */
static int finish_call(lua_State *L, int status, lua_KContext extra)
{
	if (status != LUA_OK && status != LUA_YIELD) {
		peal_box_caught(L, status);
		lua_pushboolean(L, 0);
		lua_pushvalue(L, -2);
		return 2;
	}
	/* what ran may have spent the rest without an instruction more */
	peal_box_charge(L, 0);
	return lua_gettop(L) - (int)extra;
}

static int l_pcall(lua_State *L)
{
	int status;

	luaL_checkany(L, 1);
	lua_pushboolean(L, 1); /* first result if no errors */
	lua_insert(L, 1);
	status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0,
			    finish_call);
	return finish_call(L, status, 0);
}

/* A rule's message handler, which is not asked about limits: it runs before
 * anything is unwound, so it could loop where no hook counts. */
static int handle(lua_State *L)
{
	struct peal_box *b = peal_box_of(L);

	if (b->over || b->spent == b->budget)
		return 1;
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, 1, 1);
	return 1;
}

static int l_xpcall(lua_State *L)
{
	int n = lua_gettop(L), status;

	luaL_checktype(L, 2, LUA_TFUNCTION);
	lua_pushvalue(L, 2);
	lua_pushcclosure(L, handle, 1);
	lua_replace(L, 2);
	lua_pushboolean(L, 1);
	lua_pushvalue(L, 1);
	lua_rotate(L, 3, 2); /* below the function's arguments */
	status = lua_pcallk(L, n - 2, LUA_MULTRET, 2, 2, finish_call);
	return finish_call(L, status, 2);
}

/* --- coroutines --- */

static lua_State *check_thread(lua_State *L)
{
	lua_State *co = lua_tothread(L, 1);

	luaL_argexpected(L, co, 1, "coroutine");
	return co;
}

/* Results pushed and counted, or -1 and the error value. */
static int resume(lua_State *L, lua_State *co, int n)
{
	struct peal_box *b = peal_box_of(L);
	int status, results;

	if (!lua_checkstack(co, n)) {
		lua_pushliteral(L, "too many arguments to resume");
		return -1;
	}
	lua_xmove(L, co, n);
	b->running = co;
	status = lua_resume(co, L, n, &results);
	b->running = L;
	if (status != LUA_OK && status != LUA_YIELD) {
		lua_xmove(co, L, 1);
		peal_box_caught(L, status);
		return -1;
	}
	peal_box_charge(L, 0);
	if (!lua_checkstack(L, results + 1)) {
		lua_pop(co, results);
		lua_pushliteral(L, "too many results to resume");
		return -1;
	}
	lua_xmove(co, L, results);
	return results;
}

static int l_resume(lua_State *L)
{
	lua_State *co = check_thread(L);
	int n = resume(L, co, lua_gettop(L) - 1);

	lua_pushboolean(L, n >= 0);
	lua_insert(L, n >= 0 ? -(n + 1) : -2);
	return n >= 0 ? n + 1 : 2;
}

/* Closes what a failed coroutine left open; the error value, perhaps another,
 * is on top. Not after a limit: an error out of a hook leaves the thread
 * without hooks, and its __close handlers could run for ever. */
static void close_failed(lua_State *L, lua_State *co)
{
	int status = lua_status(co);

	if (status == LUA_OK || status == LUA_YIELD)
		return;
	lua_pop(L, 1);
	status = lua_resetthread(co);
	lua_xmove(co, L, 1);
	peal_box_caught(L, status);
}

static int l_wrapped(lua_State *L)
{
	lua_State *co = lua_tothread(L, lua_upvalueindex(1));
	int n = resume(L, co, lua_gettop(L));

	if (n >= 0)
		return n;
	close_failed(L, co);
	if (lua_type(L, -1) == LUA_TSTRING) {
		luaL_where(L, 1);
		lua_insert(L, -2);
		lua_concat(L, 2);
	}
	return lua_error(L);
}

/* A coroutine runs up to an interval before its hook is asked first: charged
 * here, or many short ones would be free. */
static int l_create(lua_State *L)
{
	lua_State *co;

	luaL_checktype(L, 1, LUA_TFUNCTION);
	peal_box_charge(L, (uint64_t)peal_box_of(L)->interval);
	co = lua_newthread(L);
	lua_pushvalue(L, 1);
	lua_xmove(L, co, 1);
	return 1;
}

static int l_wrap(lua_State *L)
{
	l_create(L);
	lua_pushcclosure(L, l_wrapped, 1);
	return 1;
}

/* Upvalue: the function of Lua's library. */
static int l_close(lua_State *L)
{
	int n;

	peal_box_charge(L, 0); /* see close_failed() */
	n = lua_tocfunction(L, lua_upvalueindex(1))(L);
	if (n == 2)
		peal_box_caught(L, LUA_ERRRUN);
	return n;
}

void peal_box_open_calls(lua_State *L)
{
	static const luaL_Reg coroutine[] = {
		{ "create", l_create },
		{ "resume", l_resume },
		{ "wrap", l_wrap },
		{ NULL, NULL },
	};

	lua_register(L, "pcall", l_pcall);
	lua_register(L, "xpcall", l_xpcall);
	lua_getglobal(L, "coroutine");
	luaL_setfuncs(L, coroutine, 0);
	lua_getfield(L, -1, "close");
	lua_pushcclosure(L, l_close, 1);
	lua_setfield(L, -2, "close");
	lua_pop(L, 1);
}
