/* interrupt.c - Ctrl-C while Lua runs, for "peal.terminal".
 *
 * The handler sets a hook, as lua.c does it, on everything that runs: a hook
 * belongs to one coroutine, so those that are being resumed are kept track of.
 * The hook stays, and comes sooner each time, so that no loop with a pcall() in
 * it goes on for ever. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "peal/terminal.h"
#include "terminal.h"

enum { CHAIN_MAX = 256, PATIENCE_S = 1, GRACE = 10000 };

/* A signal handler is given nothing but a number: this must be static. */
static struct {
	volatile sig_atomic_t active, asked, raised;
	volatile sig_atomic_t n; /* of the chain */
	lua_State *volatile chain[CHAIN_MAX];
	int grace; /* instructions until the hook comes again */
	struct sigaction on_int, on_alarm;
} running;

static void give_up(void)
{
	static const char text[] = "\npeal: interrupted\n";
	ssize_t ignored;

	peal_terminal_restore();
	ignored = write(STDERR_FILENO, text, sizeof(text) - 1);
	(void)ignored;
	_exit(130);
}

static void took_effect(void)
{
	running.raised = 1;
	alarm(0);
}

static void hook(lua_State *L, lua_Debug *about)
{
	(void)about;
	took_effect();
	lua_sethook(L, hook, LUA_MASKCOUNT, running.grace);
	running.grace = running.grace / 10 + 1;
	lua_pushliteral(L, "interrupted");
	lua_error(L);
}

static void on_interrupt(int number)
{
	int before = errno, i;

	/* a loop that waits for the signal is to wake up */
	if (running.on_int.sa_handler != SIG_DFL &&
	    running.on_int.sa_handler != SIG_IGN)
		running.on_int.sa_handler(number);
	if (running.asked)
		give_up();
	running.asked = 1;
	for (i = 0; i < running.n; i++)
		lua_sethook(running.chain[i], hook, LUA_MASKCOUNT, 1);
	alarm(PATIENCE_S);
	errno = before;
}

static void on_alarm(int number)
{
	(void)number;
	if (running.asked && !running.raised)
		give_up();
}

/* --- what runs --- */

static int join_chain(lua_State *co)
{
	int n = running.n;

	if (n == CHAIN_MAX)
		return n;
	running.chain[n] = co;
	running.n = n + 1;
	if (running.asked) /* it began after the signal */
		lua_sethook(co, hook, LUA_MASKCOUNT, 1);
	return n;
}

static void leave_chain(int n)
{
	while (running.n > n) {
		running.n--;
		if (running.asked)
			lua_sethook(running.chain[running.n], NULL, 0, 0);
	}
}

/* Call what is on the stack with n arguments, while `co` runs in it; the
 * results, or its error again. */
static int call_tracked(lua_State *L, lua_State *co, int n)
{
	int at, base = lua_gettop(L) - n - 1, status;

	if (!running.active) {
		lua_call(L, n, LUA_MULTRET);
		return lua_gettop(L) - base;
	}
	at = join_chain(co);
	status = lua_pcall(L, n, LUA_MULTRET, 0);
	leave_chain(at);
	return status ? lua_error(L) : lua_gettop(L) - base;
}

/* coroutine.resume(co, ...) */
static int l_resume(lua_State *L)
{
	lua_State *co = lua_tothread(L, 1);

	luaL_argexpected(L, co, 1, "coroutine");
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	return call_tracked(L, co, lua_gettop(L) - 1);
}

static int l_wrapped(lua_State *L)
{
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	return call_tracked(L, lua_tothread(L, lua_upvalueindex(2)),
			    lua_gettop(L) - 1);
}

/* coroutine.wrap(fn): what Lua's own gives keeps the coroutine as its first
 * upvalue. */
static int l_wrap(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TFUNCTION);
	lua_settop(L, 1);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, 1, 1);
	if (!lua_getupvalue(L, 1, 1) || !lua_isthread(L, -1))
		return luaL_error(L, "coroutine.wrap is not Lua's own");
	lua_pushcclosure(L, l_wrapped, 2);
	return 1;
}

static void replace(lua_State *L, const char *name, lua_CFunction fn)
{
	lua_getfield(L, -1, name);
	lua_pushcclosure(L, fn, 1);
	lua_setfield(L, -2, name);
}

void peal_lua_track_coroutines(lua_State *L)
{
	luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
	if (lua_getfield(L, -1, "coroutine") == LUA_TTABLE) {
		replace(L, "resume", l_resume);
		replace(L, "wrap", l_wrap);
	}
	lua_pop(L, 2);
}

/* --- interruptible --- */

/* A call that waits, such as io.read(), is not begun anew (no SA_RESTART): the
 * hook has its turn when it returns. */
static void handle(int number, void (*fn)(int), struct sigaction *before)
{
	struct sigaction act;

	memset(&act, 0, sizeof(act));
	act.sa_handler = fn;
	sigemptyset(&act.sa_mask);
	sigaction(number, &act, before);
}

static void begin(lua_State *L)
{
	running.asked = running.raised = 0;
	running.n = 0;
	running.grace = GRACE;
	/* what the loop calls runs on the main thread */
	lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
	join_chain(lua_tothread(L, -1));
	lua_pop(L, 1);
	if (running.chain[0] != L)
		join_chain(L);
	running.active = 1;
	handle(SIGALRM, on_alarm, &running.on_alarm);
	handle(SIGINT, on_interrupt, &running.on_int);
}

static void end(void)
{
	sigaction(SIGINT, &running.on_int, NULL);
	alarm(0);
	sigaction(SIGALRM, &running.on_alarm, NULL);
	running.active = 0;
	leave_chain(0);
}

int peal_lua_interruptible(lua_State *L)
{
	int outermost = !running.active, status;

	if (outermost)
		running.raised = 0;
	luaL_checktype(L, 1, LUA_TFUNCTION);
	lua_pushboolean(L, 1);
	lua_insert(L, 1);
	if (outermost)
		begin(L);
	status = lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 0);
	if (outermost)
		end();
	if (!status)
		return lua_gettop(L);
	lua_pushboolean(L, 0);
	/* whatever it became on its way, with a traceback or in a cleanup */
	if (running.raised)
		lua_pushliteral(L, "interrupted");
	else
		lua_pushvalue(L, -2);
	return 2;
}

int peal_lua_interrupted(lua_State *L)
{
	lua_pushboolean(L, running.active && running.asked);
	if (running.active && running.asked)
		took_effect();
	return 1;
}
