/* loop.c - require "peal.loop": the event loop, its timers, and how C calls
 * Lua back from it.
 *
 *   l = loop.new()
 *   l:timer(seconds, fn) -> handle with :cancel()
 *   l:run([once])  l:stop()  l:now()
 *
 * Callbacks run on the main thread, so that one may be started from a
 * coroutine that is dead by the time the answer comes. */
#include <math.h>

#include "bindings.h"
#include "peal/loop.h"

#define TYPE "peal.loop"
#define TYPE_TIMER "peal.timer"

struct box {
	struct peal_loop *l; /* NULL once closed */
	int failed; /* a callback raised; the error is in the registry */
};

struct timer {
	struct peal_timer *t; /* NULL: not running */
	struct peal_lua_callback cb;
	int self; /* keeps this userdata alive while the timer runs */
};

static struct box *check_box(lua_State *L, int index)
{
	struct box *b = luaL_checkudata(L, index, TYPE);

	if (!b->l)
		luaL_argerror(L, index, "loop is closed");
	return b;
}

struct peal_loop *peal_lua_check_loop(lua_State *L, int index)
{
	return check_box(L, index)->l;
}

void peal_lua_callback_new(lua_State *L, int loop_index, int fn_index,
			   struct peal_lua_callback *out)
{
	check_box(L, loop_index);
	luaL_checktype(L, fn_index, LUA_TFUNCTION);
	loop_index = lua_absindex(L, loop_index);
	fn_index = lua_absindex(L, fn_index);

	out->L = NULL;
	lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
	lua_pushvalue(L, loop_index);
	out->loop_ref = luaL_ref(L, LUA_REGISTRYINDEX);
	lua_pushvalue(L, fn_index);
	out->ref = luaL_ref(L, LUA_REGISTRYINDEX);
	out->L = lua_tothread(L, -1);
	lua_pop(L, 1);
}

lua_State *peal_lua_callback_push(struct peal_lua_callback *cb)
{
	if (!cb->L || !lua_checkstack(cb->L, LUA_MINSTACK))
		return NULL;
	lua_rawgeti(cb->L, LUA_REGISTRYINDEX, cb->ref);
	return cb->L;
}

static void keep_error(lua_State *L, struct peal_lua_callback *cb)
{
	struct box *b;

	lua_rawgeti(L, LUA_REGISTRYINDEX, cb->loop_ref);
	b = lua_touserdata(L, -1);
	lua_pop(L, 1);
	if (b && b->l)
		peal_loop_stop(b->l);
	if (b && !b->failed) {
		lua_rawsetp(L, LUA_REGISTRYINDEX, b);
		b->failed = 1;
	} else {
		lua_pop(L, 1); /* the first one counts */
	}
}

void peal_lua_callback_call(struct peal_lua_callback *cb, int n)
{
	lua_State *L = cb->L;
	int handler = lua_gettop(L) - n;

	lua_pushcfunction(L, peal_lua_traceback);
	lua_insert(L, handler);
	if (lua_pcall(L, n, 0, handler))
		keep_error(L, cb);
	lua_remove(L, handler);
}

void peal_lua_callback_free(struct peal_lua_callback *cb)
{
	if (!cb->L)
		return;
	luaL_unref(cb->L, LUA_REGISTRYINDEX, cb->ref);
	luaL_unref(cb->L, LUA_REGISTRYINDEX, cb->loop_ref);
	cb->L = NULL;
}

/* loop.new() -> loop | nil, sentence, word */
static int l_new(lua_State *L)
{
	struct box *b = lua_newuserdatauv(L, sizeof(*b), 0);
	enum peal_err err;

	b->l = NULL;
	b->failed = 0;
	luaL_setmetatable(L, TYPE);
	/* where keep_error() puts its error without having to allocate */
	lua_pushboolean(L, 0);
	lua_rawsetp(L, LUA_REGISTRYINDEX, b);

	err = peal_loop_new(&b->l);
	return err ? peal_lua_fail(L, err, NULL) : 1;
}

/* Only the collector closes a loop: what is under way on it holds it, so that
 * no handle can outlive it. */
static int l_gc(lua_State *L)
{
	struct box *b = luaL_checkudata(L, 1, TYPE);
	struct peal_loop *l = b->l;

	b->l = NULL;
	peal_loop_free(l);
	lua_pushnil(L);
	lua_rawsetp(L, LUA_REGISTRYINDEX, b);
	return 0;
}

static int l_tostring(lua_State *L)
{
	struct box *b = luaL_checkudata(L, 1, TYPE);

	lua_pushfstring(L, "peal.loop (%s)", b->l ? "open" : "closed");
	return 1;
}

/* l:run([once]): until nothing is left, l:stop(), or, with once, until
 * something happened. Raises what a callback raised. */
static int l_run(lua_State *L)
{
	struct box *b = check_box(L, 1);

	if (peal_loop_run(b->l, lua_toboolean(L, 2)))
		return luaL_error(L, "the loop is running already");
	if (!b->failed)
		return 0;
	b->failed = 0;
	lua_rawgetp(L, LUA_REGISTRYINDEX, b);
	lua_pushboolean(L, 0);
	lua_rawsetp(L, LUA_REGISTRYINDEX, b);
	return lua_error(L);
}

static int l_stop(lua_State *L)
{
	peal_loop_stop(peal_lua_check_loop(L, 1));
	return 0;
}

static int l_now(lua_State *L)
{
	uint64_t ms = peal_loop_now_ms(peal_lua_check_loop(L, 1));

	lua_pushnumber(L, (lua_Number)ms / 1000);
	return 1;
}

static void timer_over(struct timer *t)
{
	lua_State *L = t->cb.L;

	t->t = NULL;
	if (!L)
		return;
	luaL_unref(L, LUA_REGISTRYINDEX, t->self);
	peal_lua_callback_free(&t->cb);
}

static void on_timer(void *arg)
{
	struct timer *t = arg;
	struct peal_lua_callback cb = t->cb;

	t->t = NULL;
	if (peal_lua_callback_push(&cb))
		peal_lua_callback_call(&cb, 0);
	timer_over(t);
}

static uint64_t check_ms(lua_State *L, int index)
{
	lua_Number s = luaL_checknumber(L, index);

	/* a century: more is a mistake, and never overflows */
	if (!(s >= 0 && s <= 3.2e9))
		luaL_argerror(L, index, "not a number of seconds");
	return (uint64_t)ceil(s * 1000);
}

/* l:timer(seconds, fn) -> handle */
static int l_timer(lua_State *L)
{
	struct peal_loop *l = peal_lua_check_loop(L, 1);
	uint64_t ms = check_ms(L, 2);
	struct timer *t;
	enum peal_err err;

	luaL_checktype(L, 3, LUA_TFUNCTION);
	t = lua_newuserdatauv(L, sizeof(*t), 0);
	t->t = NULL;
	t->cb.L = NULL;
	luaL_setmetatable(L, TYPE_TIMER);

	lua_pushvalue(L, -1);
	t->self = luaL_ref(L, LUA_REGISTRYINDEX);
	peal_lua_callback_new(L, 1, 3, &t->cb);
	err = peal_timer_start(&t->t, l, ms, on_timer, t);
	if (err) {
		timer_over(t);
		return peal_lua_fail(L, err, NULL);
	}
	return 1;
}

static int l_cancel(lua_State *L)
{
	struct timer *t = luaL_checkudata(L, 1, TYPE_TIMER);

	if (t->t) {
		peal_timer_cancel(t->t);
		timer_over(t);
	}
	return 0;
}

static int l_timer_tostring(lua_State *L)
{
	struct timer *t = luaL_checkudata(L, 1, TYPE_TIMER);

	lua_pushfstring(L, "peal.timer (%s)", t->t ? "running" : "over");
	return 1;
}

int luaopen_peal_loop(lua_State *L)
{
	static const luaL_Reg functions[] = { { "new", l_new },
					      { NULL, NULL } };
	static const luaL_Reg meta[] = { { "__gc", l_gc },
					 { "__tostring", l_tostring },
					 { NULL, NULL } };
	static const luaL_Reg methods[] = {
		{ "now", l_now },     { "run", l_run }, { "stop", l_stop },
		{ "timer", l_timer }, { NULL, NULL },
	};
	static const luaL_Reg timer_meta[] = { { "__gc", l_cancel },
					       { "__tostring",
						 l_timer_tostring },
					       { NULL, NULL } };
	static const luaL_Reg timer_methods[] = { { "cancel", l_cancel },
						  { NULL, NULL } };

	peal_lua_type(L, TYPE, meta, methods);
	peal_lua_type(L, TYPE_TIMER, timer_meta, timer_methods);
	luaL_newlib(L, functions);
	return 1;
}
