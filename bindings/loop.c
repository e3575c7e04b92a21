/* loop.c - require "peal.loop": the event loop, its timers and signals.
 *
 *   l = loop.new()
 *   l:timer(seconds, fn) -> handle with :cancel()
 *   l:signal({ "TERM", "HUP" }, fn) -> handle; fn(name), each time. Signals
 *       are the process's: all loops that wait for one hear of it. TERM, INT,
 *       HUP, QUIT, USR1, USR2, CHLD, WINCH
 *   l:clock_watch(fn) -> handle; fn() each time the wall clock was set
 *   l:readable(fd, fn) -> handle; fn() while there is something to be read
 *   l:run([once])  l:stop()  l:now()
 *
 * Signals and the clock alone do not keep loop:run() going. */
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <string.h>

#include "bindings.h"
#include "peal/loop.h"

#define TYPE "peal.loop"

struct box {
	struct peal_loop *l; /* NULL once closed */
	int failed; /* a callback raised; the error is in the registry */
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

void peal_lua_loop_fail(lua_State *L, int loop_index)
{
	struct box *b = lua_touserdata(L, loop_index);

	if (b->l)
		peal_loop_stop(b->l);
	if (b->failed) {
		lua_pop(L, 1);
	} else {
		lua_rawsetp(L, LUA_REGISTRYINDEX, b);
		b->failed = 1;
	}
}

/* loop.new() -> loop | nil, sentence, word */
static int l_new(lua_State *L)
{
	struct box *b = lua_newuserdatauv(L, sizeof(*b), 0);
	enum peal_err err;

	b->l = NULL;
	b->failed = 0;
	luaL_setmetatable(L, TYPE);
	/* where peal_lua_loop_fail() puts its error without having to allocate */
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

static void on_timer(void *arg)
{
	peal_lua_operation_done(arg, PEAL_OK, NULL, NULL, NULL);
}

static void cancel_timer(struct peal_lua_operation *op)
{
	peal_timer_cancel(op->running);
	peal_lua_operation_over(op);
}

static const struct peal_lua_operation_type timer = { "peal.timer", "running",
						      cancel_timer };

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
	struct peal_lua_operation *op;
	struct peal_timer *t = NULL;
	enum peal_err err;

	op = peal_lua_operation_new(L, 1, 3, &timer);
	err = peal_timer_start(&t, l, ms, on_timer, op);
	return peal_lua_operation_started(L, op, err, t, NULL);
}

static const struct {
	const char *name;
	int number;
} signals[] = { { "TERM", SIGTERM }, { "INT", SIGINT },    { "HUP", SIGHUP },
		{ "QUIT", SIGQUIT }, { "USR1", SIGUSR1 },  { "USR2", SIGUSR2 },
		{ "CHLD", SIGCHLD }, { "WINCH", SIGWINCH } };

enum { SIGNALS = sizeof(signals) / sizeof(*signals) };

static void push_signal(lua_State *L, const void *arg)
{
	const int *number = arg;
	int i;

	for (i = 0; i < SIGNALS; i++)
		if (signals[i].number == *number)
			lua_pushstring(L, signals[i].name);
}

static void on_signal(int number, void *arg)
{
	peal_lua_operation_call(arg, push_signal, &number);
}

static void cancel_signals(struct peal_lua_operation *op)
{
	peal_signals_cancel(op->running);
	peal_lua_operation_over(op);
}

static const struct peal_lua_operation_type signal_type = { "peal.signal",
							    "waiting",
							    cancel_signals };

static int check_signal(lua_State *L, int index, const char *name)
{
	int i;

	for (i = 0; name && i < SIGNALS; i++)
		if (strcmp(name, signals[i].name) == 0)
			return signals[i].number;
	lua_pushfstring(L, "no such signal: '%s'", name ? name : "?");
	return luaL_argerror(L, index, lua_tostring(L, -1));
}

/* l:signal(names, fn) -> handle | nil, sentence, word */
static int l_signal(lua_State *L)
{
	struct peal_loop *l = peal_lua_check_loop(L, 1);
	int numbers[PEAL_SIGNALS_MAX];
	struct peal_lua_operation *op;
	struct peal_signals *s = NULL;
	enum peal_err err;
	unsigned i, n;

	luaL_checktype(L, 2, LUA_TTABLE);
	n = (unsigned)lua_rawlen(L, 2);
	luaL_argcheck(L, n > 0 && n <= PEAL_SIGNALS_MAX, 2,
		      "a list of signals");
	for (i = 0; i < n; i++) {
		lua_rawgeti(L, 2, i + 1);
		numbers[i] = check_signal(L, 2, lua_tostring(L, -1));
		lua_pop(L, 1);
	}
	op = peal_lua_operation_new(L, 1, 3, &signal_type);
	err = peal_signals_start(&s, l, numbers, n, on_signal, op);
	return peal_lua_operation_started(L, op, err, s, NULL);
}

static void on_clock_set(void *arg)
{
	peal_lua_operation_call(arg, NULL, NULL);
}

static void cancel_clock(struct peal_lua_operation *op)
{
	peal_clock_watch_cancel(op->running);
	peal_lua_operation_over(op);
}

static const struct peal_lua_operation_type clock_type = { "peal.clock",
							   "watching",
							   cancel_clock };

/* l:clock_watch(fn) -> handle | nil, sentence, word */
static int l_clock_watch(lua_State *L)
{
	struct peal_loop *l = peal_lua_check_loop(L, 1);
	struct peal_lua_operation *op;
	struct peal_clock_watch *w = NULL;
	enum peal_err err;

	op = peal_lua_operation_new(L, 1, 2, &clock_type);
	err = peal_clock_watch_start(&w, l, on_clock_set, op);
	return peal_lua_operation_started(L, op, err, w, NULL);
}

static void on_readable(void *arg)
{
	peal_lua_operation_call(arg, NULL, NULL);
}

static void cancel_readable(struct peal_lua_operation *op)
{
	peal_readable_cancel(op->running);
	peal_lua_operation_over(op);
}

static const struct peal_lua_operation_type readable_type = { "peal.readable",
							      "waiting",
							      cancel_readable };

/* l:readable(fd, fn) -> handle | nil, sentence, word */
static int l_readable(lua_State *L)
{
	struct peal_loop *l = peal_lua_check_loop(L, 1);
	lua_Integer fd = luaL_checkinteger(L, 2);
	struct peal_lua_operation *op;
	struct peal_readable *r = NULL;
	enum peal_err err;

	luaL_argcheck(L, fd >= 0 && fd <= INT_MAX, 2, "not a descriptor");
	op = peal_lua_operation_new(L, 1, 3, &readable_type);
	err = peal_readable_start(&r, l, (int)fd, on_readable, op);
	return peal_lua_operation_started(L, op, err, r, NULL);
}

int luaopen_peal_loop(lua_State *L)
{
	static const luaL_Reg functions[] = { { "new", l_new },
					      { NULL, NULL } };
	static const luaL_Reg meta[] = { { "__gc", l_gc },
					 { "__tostring", l_tostring },
					 { NULL, NULL } };
	static const luaL_Reg methods[] = {
		{ "clock_watch", l_clock_watch },
		{ "now", l_now },
		{ "readable", l_readable },
		{ "run", l_run },
		{ "signal", l_signal },
		{ "stop", l_stop },
		{ "timer", l_timer },
		{ NULL, NULL },
	};

	peal_lua_type(L, TYPE, meta, methods);
	peal_lua_operation_type(L, &timer);
	peal_lua_operation_type(L, &signal_type);
	peal_lua_operation_type(L, &clock_type);
	peal_lua_operation_type(L, &readable_type);
	luaL_newlib(L, functions);
	return 1;
}
