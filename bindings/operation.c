/* operation.c - see bindings.h
 *
 * The loop and the functions are user values of the userdata, so that one
 * reference in the registry holds them all. */
#include "bindings.h"

/* SENTENCE and WORD are a sink's, once it has refused. */
enum { LOOP = 1, FUNCTION, SINK, SENTENCE, WORD, KEPT, SLOTS = KEPT };

enum { TAKES, REFUSED, RAISED }; /* what a sink does */

struct call {
	peal_lua_push_fn push; /* NULL: no argument */
	const void *arg;
};

struct answer {
	const struct peal_lua_operation *op;
	enum peal_err err;
	const struct peal_reason *reason;
	peal_lua_push_fn push;
	const void *answer; /* NULL: none */
};

struct peal_lua_operation *
peal_lua_operation_new(lua_State *L, int loop_index, int fn_index,
		       const struct peal_lua_operation_type *type)
{
	struct peal_lua_operation *op;

	peal_lua_check_loop(L, loop_index);
	luaL_checktype(L, fn_index, LUA_TFUNCTION);
	loop_index = lua_absindex(L, loop_index);
	fn_index = lua_absindex(L, fn_index);

	op = lua_newuserdatauv(L, sizeof(*op), SLOTS);
	op->L = NULL;
	op->running = NULL;
	op->sink = TAKES;
	luaL_setmetatable(L, type->name);
	lua_pushvalue(L, loop_index);
	lua_setiuservalue(L, -2, LOOP);
	lua_pushvalue(L, fn_index);
	lua_setiuservalue(L, -2, FUNCTION);

	lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
	lua_pushvalue(L, -2);
	op->self = luaL_ref(L, LUA_REGISTRYINDEX);
	op->L = lua_tothread(L, -1);
	lua_pop(L, 1);
	return op;
}

int peal_lua_operation_started(lua_State *L, struct peal_lua_operation *op,
			       enum peal_err err, void *running,
			       const struct peal_reason *reason)
{
	if (err) {
		peal_lua_operation_over(op);
		return peal_lua_fail(L, err, reason);
	}
	op->running = running;
	return 1;
}

void peal_lua_operation_over(struct peal_lua_operation *op)
{
	lua_State *L = op->L;

	op->running = NULL;
	op->L = NULL;
	if (L)
		luaL_unref(L, LUA_REGISTRYINDEX, op->self);
}

/* deliver(fn, call): calls fn */
static int deliver(lua_State *L)
{
	const struct call *c = lua_touserdata(L, 2);

	lua_settop(L, 1);
	if (c->push)
		c->push(L, c->arg);
	lua_call(L, lua_gettop(L) - 1, 0);
	return 0;
}

void peal_lua_call_back(lua_State *L, int self, int slot, peal_lua_push_fn push,
			const void *arg)
{
	struct call c = { push, arg };
	int top;

	if (!L || !lua_checkstack(L, LUA_MINSTACK))
		return;
	top = lua_gettop(L);
	lua_rawgeti(L, LUA_REGISTRYINDEX, self);
	lua_getiuservalue(L, top + 1, LOOP);
	lua_pushcfunction(L, peal_lua_traceback);
	lua_pushcfunction(L, deliver);
	if (lua_getiuservalue(L, top + 1, slot) == LUA_TFUNCTION) {
		lua_pushlightuserdata(L, &c);
		if (lua_pcall(L, 2, 0, top + 3))
			peal_lua_loop_fail(L, top + 2);
	}
	lua_settop(L, top);
}

void peal_lua_operation_call(struct peal_lua_operation *op,
			     peal_lua_push_fn push, const void *arg)
{
	peal_lua_call_back(op->L, op->self, FUNCTION, push, arg);
}

static void push_refusal(lua_State *L, const struct peal_lua_operation *op)
{
	lua_rawgeti(L, LUA_REGISTRYINDEX, op->self);
	lua_getiuservalue(L, -1, SENTENCE);
	lua_getiuservalue(L, -2, WORD);
	lua_remove(L, -3);
	if (op->sink == RAISED) {
		lua_pop(L, 1);
		lua_pushstring(L,
			       peal_err_name(peal_lua_is_memory_error(L, -1) ?
						     PEAL_ENOMEM :
						     PEAL_EINTERNAL));
	}
	luaL_tolstring(L, -2, NULL); /* errors may be anything */
	lua_replace(L, -3);
}

static void push_answer(lua_State *L, const void *arg)
{
	const struct answer *a = arg;

	if (a->err) {
		lua_pushnil(L);
		if (a->op->sink != TAKES) {
			push_refusal(L, a->op);
		} else {
			peal_lua_push_error(L, a->err, a->reason);
			lua_pop(L, 1); /* there is no place */
		}
	}
	if (a->answer)
		a->push(L, a->answer);
}

void peal_lua_operation_done(struct peal_lua_operation *op, enum peal_err err,
			     const struct peal_reason *reason,
			     peal_lua_push_fn push, const void *answer)
{
	struct answer a = { op, err, reason, push, answer };

	op->running = NULL; /* fn may ask to cancel it */
	peal_lua_operation_call(op, push_answer, &a);
	peal_lua_operation_over(op);
}

/* --- sinks --- */

void peal_lua_operation_keep(lua_State *L, int index)
{
	lua_pushvalue(L, index);
	lua_setiuservalue(L, -2, KEPT);
}

int peal_lua_has_sink(lua_State *L, int index)
{
	int type = lua_getfield(L, index, "sink");

	if (type != LUA_TNIL && type != LUA_TFUNCTION)
		luaL_argerror(L, index, "option 'sink' is a function");
	lua_pop(L, 1);
	return type == LUA_TFUNCTION;
}

void peal_lua_operation_sink(lua_State *L, int index)
{
	lua_getfield(L, index, "sink");
	lua_setiuservalue(L, -2, SINK);
}

struct piece {
	const void *bytes;
	size_t len;
};

/* feed(userdata, piece) -> did it take it? */
static int feed(lua_State *L)
{
	struct peal_lua_operation *op = lua_touserdata(L, 1);
	const struct piece *p = lua_touserdata(L, 2);
	int taken;

	lua_getiuservalue(L, 1, SINK);
	lua_pushlstring(L, p->bytes, p->len);
	lua_call(L, 1, 3);
	taken = lua_toboolean(L, 3);
	if (!taken) {
		op->sink = REFUSED;
		if (!lua_isstring(L, 5)) {
			lua_pushstring(L, peal_err_name(PEAL_EIO));
			lua_replace(L, 5);
		}
		lua_setiuservalue(L, 1, WORD);
		if (!lua_isstring(L, 4)) {
			lua_pushliteral(L, "the sink did not take the bytes");
			lua_replace(L, 4);
		}
		lua_setiuservalue(L, 1, SENTENCE);
	}
	lua_pushboolean(L, taken);
	return 1;
}

/* What the sink raised stays for fn: this is no place to raise in. */
enum peal_err peal_lua_operation_feed(const void *bytes, size_t len, void *arg)
{
	struct peal_lua_operation *op = arg;
	struct piece p = { bytes, len };
	lua_State *L = op->L;
	int top, taken = 0;

	if (!L || !lua_checkstack(L, LUA_MINSTACK))
		return PEAL_ECANCELED;
	top = lua_gettop(L);
	lua_rawgeti(L, LUA_REGISTRYINDEX, op->self);
	lua_pushcfunction(L, feed);
	lua_pushvalue(L, top + 1);
	lua_pushlightuserdata(L, &p);
	if (lua_pcall(L, 2, 1, 0) == LUA_OK) {
		taken = lua_toboolean(L, -1);
	} else {
		op->sink = RAISED;
		lua_setiuservalue(L, top + 1, SENTENCE);
	}
	lua_settop(L, top);
	return taken ? PEAL_OK : PEAL_ECANCELED;
}

/* --- what Lua sees --- */

static const struct peal_lua_operation_type *type_of(lua_State *L)
{
	return lua_touserdata(L, lua_upvalueindex(1));
}

static int l_cancel(lua_State *L)
{
	const struct peal_lua_operation_type *type = type_of(L);
	struct peal_lua_operation *op = luaL_checkudata(L, 1, type->name);

	if (op->running)
		type->cancel(op);
	return 0;
}

/* Only when the state closes: until the end the registry holds it. */
static int l_gc(lua_State *L)
{
	const struct peal_lua_operation_type *type = type_of(L);
	struct peal_lua_operation *op = luaL_checkudata(L, 1, type->name);

	if (op->running) {
		type->cancel(op);
		op->running = NULL;
		op->L = NULL;
	}
	return 0;
}

static int l_tostring(lua_State *L)
{
	const struct peal_lua_operation_type *type = type_of(L);
	struct peal_lua_operation *op = luaL_checkudata(L, 1, type->name);

	lua_pushfstring(L, "%s (%s)", type->name,
			op->running ? type->state : "over");
	return 1;
}

static void set_function(lua_State *L, const char *key, lua_CFunction fn,
			 const struct peal_lua_operation_type *type)
{
	lua_pushlightuserdata(L, (void *)type);
	lua_pushcclosure(L, fn, 1);
	lua_setfield(L, -2, key);
}

void peal_lua_operation_type(lua_State *L,
			     const struct peal_lua_operation_type *type)
{
	luaL_newmetatable(L, type->name);
	set_function(L, "__gc", l_gc, type);
	if (type->state)
		set_function(L, "__tostring", l_tostring, type);
	lua_newtable(L);
	set_function(L, "cancel", l_cancel, type);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
}
