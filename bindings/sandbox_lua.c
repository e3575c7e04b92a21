/* sandbox_lua.c - require "peal.sandbox"
 *
 *   sandbox.new([{ memory =, instructions = }]) -> box
 *       bytes; about as many instructions a decision
 *   box:ask(job [, snapshot]) -> { n =, ... } | nil, sentence, word, line,
 *                                lines
 *       job = { stage =, path =, text =, view = table or nil }; without a view
 *       the file is only checked. snapshot: of peal.worker. cover = true in it:
 *       the answer has `lines` and `last` as well, see sandbox.h
 *   box:close() */
#include "bindings.h"
#include "peal/limits.h"
#include "plain.h"
#include "sandbox.h"

#define TYPE "peal.sandbox"

struct holder {
	struct peal_box *box; /* NULL: closed */
	struct peal_buf request, reply;
};

static int l_new(lua_State *L)
{
	static const char *const keys[] = { "memory", "instructions", NULL };
	struct peal_box_options o = { 0, 0 };
	struct holder *h;
	enum peal_err err;

	if (!lua_isnoneornil(L, 1)) {
		peal_lua_check_keys(L, 1, keys);
		o.memory = (size_t)peal_lua_opt_int(L, 1, "memory", 1 << 20,
						    1 << 30, 0);
		o.instructions = (uint64_t)peal_lua_opt_int(
			L, 1, "instructions", 1, LUA_MAXINTEGER, 0);
	}
	h = lua_newuserdatauv(L, sizeof(*h), 0);
	h->box = NULL;
	peal_buf_init(&h->request, PEAL_LIMIT_WORKER_FRAME);
	peal_buf_init(&h->reply, PEAL_LIMIT_WORKER_FRAME);
	luaL_setmetatable(L, TYPE);
	err = peal_box_new(&h->box, &o);
	return err ? peal_lua_fail(L, err, NULL) : 1;
}

static int l_close(lua_State *L)
{
	struct holder *h = luaL_checkudata(L, 1, TYPE);

	peal_box_free(h->box);
	h->box = NULL;
	peal_buf_fini(&h->request);
	peal_buf_fini(&h->reply);
	return 0;
}

static int l_tostring(lua_State *L)
{
	struct holder *h = luaL_checkudata(L, 1, TYPE);

	lua_pushfstring(L, "%s (%s)", TYPE, h->box ? "open" : "closed");
	return 1;
}

/* The reply, which is on top, as ask() gives it. */
static int give(lua_State *L)
{
	int ok;

	lua_getfield(L, -1, "ok");
	ok = lua_toboolean(L, -1);
	lua_pop(L, 1);
	if (ok) {
		lua_pushnil(L);
		lua_setfield(L, -2, "ok");
		return 1;
	}
	lua_pushnil(L);
	lua_getfield(L, -2, "sentence");
	lua_getfield(L, -3, "word");
	lua_getfield(L, -4, "line");
	lua_getfield(L, -5, "lines");
	return 5;
}

static int l_ask(lua_State *L)
{
	struct holder *h = luaL_checkudata(L, 1, TYPE);
	const struct peal_snapshot *s = NULL;
	struct peal_snapshot_view v;
	const char *what;
	enum peal_err err;

	luaL_argcheck(L, h->box, 1, "the box is closed");
	luaL_checktype(L, 2, LUA_TTABLE);
	if (!lua_isnoneornil(L, 3)) {
		s = peal_lua_check_snapshot(L, 3);
		peal_snapshot_own_view(s, &v);
	}
	peal_buf_clear(&h->request);
	err = peal_plain_pack(L, 2, &h->request, &what);
	if (what)
		return luaL_argerror(
			L, 2, lua_pushfstring(L, "the job holds %s", what));
	if (!err)
		err = peal_box_ask(h->box, h->request.data, h->request.len,
				   s ? &v : NULL, &h->reply);
	if (!err)
		err = peal_plain_unpack(L, h->reply.data, h->reply.len, NULL);
	return err ? peal_lua_fail(L, err, NULL) : give(L);
}

int luaopen_peal_sandbox(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "new", l_new },
		{ NULL, NULL },
	};
	static const luaL_Reg meta[] = {
		{ "__gc", l_close },
		{ "__close", l_close },
		{ "__tostring", l_tostring },
		{ NULL, NULL },
	};
	static const luaL_Reg methods[] = {
		{ "ask", l_ask },
		{ "close", l_close },
		{ NULL, NULL },
	};

	peal_lua_type(L, TYPE, meta, methods);
	luaL_newlib(L, functions);
	return 1;
}
