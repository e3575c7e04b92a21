/* operation.c - see bindings.h
 *
 * The loop and the function are user values of the userdata, so that one
 * reference in the registry holds all three. */
#include "bindings.h"

enum { LOOP = 1, FUNCTION };

struct answer {
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

	op = lua_newuserdatauv(L, sizeof(*op), 2);
	op->L = NULL;
	op->running = NULL;
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

/* deliver(fn, answer): calls fn */
static int deliver(lua_State *L)
{
	const struct answer *a = lua_touserdata(L, 2);

	lua_settop(L, 1);
	if (a->err) {
		lua_pushnil(L);
		peal_lua_push_error(L, a->err, a->reason);
		lua_pop(L, 1); /* there is no place */
	}
	if (a->answer)
		a->push(L, a->answer);
	lua_call(L, lua_gettop(L) - 1, 0);
	return 0;
}

static void call(struct peal_lua_operation *op, struct answer *a)
{
	lua_State *L = op->L;
	int top = lua_gettop(L);

	lua_rawgeti(L, LUA_REGISTRYINDEX, op->self);
	lua_getiuservalue(L, top + 1, LOOP);
	lua_pushcfunction(L, peal_lua_traceback);
	lua_pushcfunction(L, deliver);
	lua_getiuservalue(L, top + 1, FUNCTION);
	lua_pushlightuserdata(L, a);
	if (lua_pcall(L, 2, 0, top + 3))
		peal_lua_loop_fail(L, top + 2);
	lua_settop(L, top);
}

void peal_lua_operation_done(struct peal_lua_operation *op, enum peal_err err,
			     const struct peal_reason *reason,
			     peal_lua_push_fn push, const void *answer)
{
	struct answer a = { err, reason, push, answer };

	op->running = NULL; /* fn may ask to cancel it */
	if (op->L && lua_checkstack(op->L, LUA_MINSTACK))
		call(op, &a);
	peal_lua_operation_over(op);
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
