/* worker.c - require "peal.worker": rule files in a process of their own.
 *
 *   s = worker.snapshot()        parameters as that process reads them
 *   s:write(store, overrides)    s:get(name)
 *   w = worker.new(loop, {program=, snapshot=})
 *   h = w:ask(job, seconds, before, fn)  h:cancel()
 *       job = { stage=, path=, text=, view=, cover= }; before is called right
 *       before it is sent, when the snapshot may be written
 *       fn{n=, ...} or fn(nil, sentence, word, line, lines)
 *   w:pid()  w:starts()  w:close() */
#include <math.h>
#include <string.h>

#include "bindings.h"
#include "peal/limits.h"
#include "peal/snapshot.h"
#include "peal/worker.h"
#include "plain.h"
#include "store.h"

#define TYPE "peal.worker"
#define TYPE_SNAPSHOT "peal.snapshot"

/* --- the snapshot --- */

struct snapshot {
	struct peal_snapshot *s; /* NULL: closed */
};

const struct peal_snapshot *peal_lua_check_snapshot(lua_State *L, int index)
{
	struct snapshot *b = luaL_checkudata(L, index, TYPE_SNAPSHOT);

	luaL_argcheck(L, b->s, index, "snapshot is closed");
	return b->s;
}

/* worker.snapshot() -> snapshot | nil, sentence, word */
static int l_snapshot(lua_State *L)
{
	struct snapshot *b = lua_newuserdatauv(L, sizeof(*b), 0);
	enum peal_err err;

	b->s = NULL;
	luaL_setmetatable(L, TYPE_SNAPSHOT);
	err = peal_snapshot_new(&b->s);
	return err ? peal_lua_fail(L, err, NULL) : 1;
}

static int l_snapshot_gc(lua_State *L)
{
	struct snapshot *b = luaL_checkudata(L, 1, TYPE_SNAPSHOT);

	peal_snapshot_free(b->s);
	b->s = NULL;
	return 0;
}

static int l_snapshot_tostring(lua_State *L)
{
	struct snapshot *b = luaL_checkudata(L, 1, TYPE_SNAPSHOT);

	lua_pushfstring(L, "peal.snapshot (%s)", b->s ? "open" : "closed");
	return 1;
}

static const char *check_text(lua_State *L, int index)
{
	size_t len;
	const char *text;

	if (lua_type(L, index) != LUA_TSTRING)
		luaL_argerror(L, 3, "names and values are text");
	text = lua_tolstring(L, index, &len);
	if (strlen(text) != len)
		luaL_argerror(L, 3, "a name or value holds a NUL");
	return text;
}

static unsigned count_pairs(lua_State *L, int index)
{
	unsigned n = 0;

	for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1))
		n++;
	return n;
}

/* The table at index 3 as an array, which is pushed; the texts stay its. */
static struct peal_snapshot_override *overrides(lua_State *L, unsigned *n)
{
	struct peal_snapshot_override *list;

	luaL_checktype(L, 3, LUA_TTABLE);
	*n = count_pairs(L, 3);
	list = lua_newuserdatauv(L, (*n + 1) * sizeof(*list), 0);
	*n = 0;
	for (lua_pushnil(L); lua_next(L, 3); lua_pop(L, 1)) {
		list[*n].name = check_text(L, -2);
		list[(*n)++].text = check_text(L, -1);
	}
	return list;
}

/* s:write(store, overrides or nil) -> true | nil, sentence, word */
static int l_write(lua_State *L)
{
	struct snapshot *b = luaL_checkudata(L, 1, TYPE_SNAPSHOT);
	struct peal_lua_store *store = luaL_checkudata(L, 2, "peal.store");
	struct peal_snapshot_override *over = NULL;
	struct peal_reason why;
	enum peal_err err;
	unsigned n = 0;

	peal_lua_check_snapshot(L, 1);
	luaL_argcheck(L, store->s, 2, "store is closed");
	if (!lua_isnoneornil(L, 3))
		over = overrides(L, &n);
	err = peal_snapshot_write(b->s, store->s, over, n);
	peal_reason_clear(&why);
	if (err == PEAL_ELIMIT)
		peal_fail(&why, err,
			  "the parameters are over %d bytes: too many for "
			  "rule files to read",
			  PEAL_LIMIT_SNAPSHOT);
	if (err)
		return peal_lua_fail(L, err, &why);
	lua_pushboolean(L, 1);
	return 1;
}

/* s:get(name) -> text | nil */
static int l_get(lua_State *L)
{
	const struct peal_snapshot *s = peal_lua_check_snapshot(L, 1);
	struct peal_snapshot_view view;
	size_t len, text_len;
	const char *name = luaL_checklstring(L, 2, &len), *text;

	peal_snapshot_own_view(s, &view);
	if (peal_snapshot_get(&view, name, len, &text, &text_len))
		lua_pushnil(L);
	else
		lua_pushlstring(L, text, text_len);
	return 1;
}

/* --- a question --- */

/* User values of the userdata of a question, which the registry holds under
 * its address until it is answered. */
enum { BEFORE = 1, LOOP, WORKER, PATH, REFUSAL, VALUES = REFUSAL };

struct question {
	struct peal_lua_operation *op;
	unsigned deadline_ms;
	int refused; /* by `before` */
};

struct outcome {
	const struct question *q;
	enum peal_err err;
	const void *reply;
	size_t len;
	const struct peal_reason *reason;
};

static void push_value_of(lua_State *L, const struct question *q, int which)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, q);
	lua_getiuservalue(L, -1, which);
	lua_remove(L, -2);
}

/* nil, sentence, word, line, lines (see sandbox.h), from the table on top that
 * says no. */
static void push_no(lua_State *L)
{
	int t = lua_gettop(L);

	lua_pushnil(L);
	lua_getfield(L, t, "sentence");
	lua_getfield(L, t, "word");
	lua_getfield(L, t, "line");
	lua_getfield(L, t, "lines");
	lua_remove(L, t);
}

static void push_damaged(lua_State *L)
{
	lua_pushnil(L);
	lua_pushliteral(L, "the worker's answer is damaged");
	lua_pushstring(L, peal_err_name(PEAL_EIO));
}

static void push_reply(lua_State *L, const struct outcome *o)
{
	int ok;

	if (peal_plain_unpack(L, o->reply, o->len, NULL)) {
		push_damaged(L);
		return;
	}
	if (!lua_istable(L, -1)) {
		lua_pop(L, 1);
		push_damaged(L);
		return;
	}
	lua_getfield(L, -1, "ok");
	ok = lua_toboolean(L, -1);
	lua_pop(L, 1);
	if (!ok) {
		push_no(L);
		return;
	}
	lua_pushnil(L);
	lua_setfield(L, -2, "ok");
}

static const char *word_of(enum peal_err err)
{
	switch (err) {
	case PEAL_ETIMEOUT:
	case PEAL_EPARTIAL:
	case PEAL_ELIMIT:
		return "rule-limit";
	default:
		return peal_err_name(err);
	}
}

static void push_late(lua_State *L, unsigned ms)
{
	if (ms % 1000)
		lua_pushfstring(L, ": no answer within %d ms: stopped",
				(int)ms);
	else
		lua_pushfstring(L, ": no answer within %d s: stopped",
				(int)(ms / 1000));
}

/* nil, sentence, word */
static void push_failure(lua_State *L, const struct outcome *o)
{
	const char *text = peal_err_text(o->err);

	if (o->reason)
		text = o->reason->text;
	lua_pushnil(L);
	push_value_of(L, o->q, PATH);
	if (o->err == PEAL_ETIMEOUT)
		push_late(L, o->q->deadline_ms);
	else
		lua_pushfstring(L, ": %s", text);
	lua_concat(L, 2);
	lua_pushstring(L, word_of(o->err));
}

static void push_outcome(lua_State *L, const void *answer)
{
	const struct outcome *o = answer;

	if (!o->err) {
		push_reply(L, o);
	} else if (o->q->refused) {
		push_value_of(L, o->q, REFUSAL);
		push_no(L);
	} else {
		push_failure(L, o);
	}
}

static void forget(lua_State *L, const struct question *q)
{
	lua_pushnil(L);
	lua_rawsetp(L, LUA_REGISTRYINDEX, q); /* is there: takes no memory */
}

static void on_answer(enum peal_err err, const void *reply, size_t len,
		      const struct peal_reason *reason, void *arg)
{
	struct question *q = arg;
	struct outcome o = { q, err, reply, len, reason };
	lua_State *L = q->op->L;

	peal_lua_operation_done(q->op, PEAL_OK, NULL, push_outcome, &o);
	forget(L, q);
}

/* fn hears of it from the loop. */
static void cancel(struct peal_lua_operation *op)
{
	peal_worker_cancel(op->running);
}

static const struct peal_lua_operation_type operation = { "peal.question", NULL,
							  cancel };

/* before(): what it returns as nil, sentence, word becomes the answer. */
static int call_before(lua_State *L)
{
	struct question *q = lua_touserdata(L, 1);

	push_value_of(L, q, BEFORE);
	lua_call(L, 0, 3);
	if (lua_toboolean(L, 2) || lua_isnil(L, 3))
		return 0;
	lua_rawgetp(L, LUA_REGISTRYINDEX, q);
	lua_createtable(L, 0, 2);
	lua_pushvalue(L, 3);
	lua_setfield(L, -2, "sentence");
	lua_pushvalue(L, 4);
	lua_setfield(L, -2, "word");
	lua_setiuservalue(L, -2, REFUSAL);
	q->refused = 1;
	return 0;
}

/* Whoever could not prepare a question must not have it asked. */
static void before(void *arg)
{
	struct question *q = arg;
	lua_State *L = q->op->L;
	int top = lua_gettop(L), failed = 1;

	if (lua_checkstack(L, LUA_MINSTACK)) {
		push_value_of(L, q, LOOP);
		lua_pushcfunction(L, peal_lua_traceback);
		lua_pushcfunction(L, call_before);
		lua_pushlightuserdata(L, q);
		failed = lua_pcall(L, 1, 0, top + 2);
		if (failed)
			peal_lua_loop_fail(L, top + 1);
		lua_settop(L, top);
	}
	if (failed || q->refused)
		peal_worker_cancel(q->op->running);
}

/* --- the worker --- */

struct box {
	struct peal_worker *w; /* NULL: closed */
};

static struct box *check_box(lua_State *L)
{
	struct box *b = luaL_checkudata(L, 1, TYPE);

	luaL_argcheck(L, b->w, 1, "worker is closed");
	return b;
}

/* worker.new(loop, {program=, snapshot=}) -> worker | nil, sentence, word
 * Without a program it is the one that runs. The link to it is not followed:
 * an upgrade may have put another one in the place of its file. */
static int l_new(lua_State *L)
{
	static const char *const keys[] = { "program", "snapshot", NULL };
	const char *argv[] = { "peal", "--rule-worker", NULL };
	struct peal_loop *l = peal_lua_check_loop(L, 1);
	struct peal_worker_options o = { "/proc/self/exe", argv, -1 };
	const char *program;
	struct box *b;
	enum peal_err err;

	lua_settop(L, 2);
	peal_lua_check_keys(L, 2, keys);
	program = peal_lua_opt_word(L, 2, "program");
	if (program)
		argv[0] = o.program = program;
	if (lua_getfield(L, 2, "snapshot") != LUA_TNIL)
		o.fd = peal_snapshot_fd(peal_lua_check_snapshot(L, 3));
	b = lua_newuserdatauv(L, sizeof(*b), 2);
	b->w = NULL;
	luaL_setmetatable(L, TYPE);
	lua_pushvalue(L, 1);
	lua_setiuservalue(L, 4, 1);
	lua_pushvalue(L, 3);
	lua_setiuservalue(L, 4, 2);
	err = peal_worker_new(&b->w, l, &o);
	return err ? peal_lua_fail(L, err, NULL) : 1;
}

/* w:close(), also when collected; what was asked is cancelled */
static int l_close(lua_State *L)
{
	struct box *b = luaL_checkudata(L, 1, TYPE);
	struct peal_worker *w = b->w;

	b->w = NULL;
	peal_worker_free(w);
	return 0;
}

static int l_tostring(lua_State *L)
{
	struct box *b = luaL_checkudata(L, 1, TYPE);

	lua_pushfstring(L, "peal.worker (%s)", b->w ? "open" : "closed");
	return 1;
}

static unsigned check_ms(lua_State *L, int index)
{
	lua_Number s = luaL_checknumber(L, index);

	luaL_argcheck(L, s > 0 && s <= 86400, index, "not a number of seconds");
	return (unsigned)ceil(s * 1000);
}

/* The userdata of a question, which the registry holds; its operation is left
 * on the stack. */
static struct question *new_question(lua_State *L)
{
	struct question *q;

	lua_getiuservalue(L, 1, 1);
	q = lua_newuserdatauv(L, sizeof(*q), VALUES);
	q->refused = 0;
	q->deadline_ms = check_ms(L, 3);
	lua_pushvalue(L, 4);
	lua_setiuservalue(L, 7, BEFORE);
	lua_pushvalue(L, 6);
	lua_setiuservalue(L, 7, LOOP);
	lua_pushvalue(L, 1);
	lua_setiuservalue(L, 7, WORKER);
	lua_getfield(L, 2, "path");
	luaL_argcheck(L, lua_isstring(L, -1), 2, "a job has a path");
	lua_setiuservalue(L, 7, PATH);
	lua_rawsetp(L, LUA_REGISTRYINDEX, q);
	q->op = peal_lua_operation_new(L, 6, 5, &operation);
	return q;
}

/* w:ask(job, seconds, before or nil, fn) -> handle | nil, sentence, word */
static int l_ask(lua_State *L)
{
	static const char *const keys[] = { "stage", "path",  "text",
					    "view",  "cover", NULL };
	struct box *b = check_box(L);
	struct peal_worker_call *call = NULL;
	const char *what = NULL;
	struct peal_buf job;
	struct question *q;
	enum peal_err err;

	peal_lua_check_keys(L, 2, keys);
	if (!lua_isnoneornil(L, 4))
		luaL_checktype(L, 4, LUA_TFUNCTION);
	luaL_checktype(L, 5, LUA_TFUNCTION);
	lua_settop(L, 5);
	q = new_question(L);
	peal_buf_init(&job, PEAL_LIMIT_WORKER_FRAME);
	err = peal_plain_pack(L, 2, &job, &what);
	if (!err)
		err = peal_worker_ask(&call, b->w, job.data, job.len,
				      q->deadline_ms,
				      lua_isnil(L, 4) ? NULL : before,
				      on_answer, q);
	peal_buf_fini(&job);
	if (err)
		forget(L, q);
	if (err == PEAL_EINVAL) {
		peal_lua_operation_over(q->op);
		return luaL_argerror(L, 2, what ? what : "no plain data");
	}
	return peal_lua_operation_started(L, q->op, err, call, NULL);
}

/* w:pid() -> process id, or nil while none runs */
static int l_pid(lua_State *L)
{
	pid_t pid = peal_worker_pid(check_box(L)->w);

	if (pid)
		lua_pushinteger(L, pid);
	else
		lua_pushnil(L);
	return 1;
}

/* w:starts() -> how often one was started */
static int l_starts(lua_State *L)
{
	lua_pushinteger(L, peal_worker_starts(check_box(L)->w));
	return 1;
}

int luaopen_peal_worker(lua_State *L)
{
	static const luaL_Reg functions[] = { { "new", l_new },
					      { "snapshot", l_snapshot },
					      { NULL, NULL } };
	static const luaL_Reg meta[] = { { "__gc", l_close },
					 { "__close", l_close },
					 { "__tostring", l_tostring },
					 { NULL, NULL } };
	static const luaL_Reg methods[] = {
		{ "ask", l_ask },       { "close", l_close }, { "pid", l_pid },
		{ "starts", l_starts }, { NULL, NULL },
	};
	static const luaL_Reg snapshot_meta[] = {
		{ "__gc", l_snapshot_gc },
		{ "__tostring", l_snapshot_tostring },
		{ NULL, NULL },
	};
	static const luaL_Reg snapshot_methods[] = { { "get", l_get },
						     { "write", l_write },
						     { NULL, NULL } };

	peal_lua_type(L, TYPE, meta, methods);
	peal_lua_type(L, TYPE_SNAPSHOT, snapshot_meta, snapshot_methods);
	peal_lua_operation_type(L, &operation);
	luaL_newlib(L, functions);
	return 1;
}
