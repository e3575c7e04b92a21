/* sandbox.c - see sandbox.h */
#include "sandbox.h"

#include <stdio.h>
#include <string.h>

#include "bindings.h"
#include "peal/alloc.h"
#include "peal/limits.h"
#include "plain.h"
#include "plain_form.h"
#include "sandbox_inside.h"

enum { RESULTS = 4 };

/* --- the state --- */

/* What loads code, prints, or reaches the modules is gone once the library
 * stands; nothing of the system was there. */
static void cut_off(lua_State *L)
{
	static const char *const names[] = {
		"collectgarbage", "dofile", "load",    "loadfile",
		"package",        "print",  "require", "warn",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		lua_pushnil(L);
		lua_setglobal(L, names[i]);
	}
	lua_getglobal(L, LUA_STRLIBNAME); /* every text leads to it */
	lua_pushnil(L);
	lua_setfield(L, -2, "dump");
	lua_pop(L, 1);
	lua_newtable(L);
	lua_setfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
	lua_newtable(L);
	lua_setfield(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
}

static int open_all(lua_State *L)
{
	static const luaL_Reg libraries[] = {
		{ LUA_GNAME, luaopen_base },
		{ LUA_LOADLIBNAME, luaopen_package },
		{ LUA_COLIBNAME, luaopen_coroutine },
		{ LUA_TABLIBNAME, luaopen_table },
		{ LUA_STRLIBNAME, luaopen_string },
		{ LUA_MATHLIBNAME, luaopen_math },
		{ LUA_UTF8LIBNAME, luaopen_utf8 },
		{ NULL, NULL },
	};
	const luaL_Reg *lib;

	lua_gc(L, LUA_GCSTOP);
	lua_pushboolean(L, 1);
	lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
	for (lib = libraries; lib->func; lib++) {
		luaL_requiref(L, lib->name, lib->func, 1);
		lua_pop(L, 1);
	}
	peal_open_embedded(L, 1);
	peal_box_open_calls(L);
	peal_box_open_texts(L);
	peal_box_open_match(L);
	peal_box_open_tables(L);
	peal_box_open_view(L);
	peal_box_open_files(L);
	cut_off(L);
	return 0;
}

static void close_state(struct peal_box *b)
{
	if (b->L)
		lua_close(b->L);
	b->L = NULL;
}

static enum peal_err open_state(struct peal_box *b)
{
	int memory;

	b->used = 0;
	b->guarded = 0;
	b->L = lua_newstate(peal_box_allocate, b);
	if (!b->L)
		return PEAL_ENOMEM;
	*(struct peal_box **)lua_getextraspace(b->L) = b;
	b->running = b->L;
	lua_pushcfunction(b->L, open_all);
	if (lua_pcall(b->L, 0, 0, 0) != LUA_OK) {
		memory = peal_lua_is_memory_error(b->L, -1);
		close_state(b);
		return memory ? PEAL_ENOMEM : PEAL_EINTERNAL;
	}
	/* what is old is not walked again for each decision's garbage */
	lua_gc(b->L, LUA_GCRESTART);
	lua_gc(b->L, LUA_GCGEN, 0, 0);
	lua_gc(b->L, LUA_GCCOLLECT);
	b->idle = b->used;
	return PEAL_OK;
}

enum peal_err peal_box_new(struct peal_box **out,
			   const struct peal_box_options *options)
{
	struct peal_box *b = peal_zalloc(sizeof(*b));
	enum peal_err err;

	if (!b)
		return PEAL_ENOMEM;
	b->memory = options && options->memory ? options->memory :
						 PEAL_LIMIT_BOX_MEMORY;
	b->budget = options && options->instructions ?
			    options->instructions :
			    PEAL_LIMIT_BOX_INSTRUCTIONS;
	err = open_state(b);
	if (err) {
		peal_box_free(b);
		return err;
	}
	*out = b;
	return PEAL_OK;
}

void peal_box_free(struct peal_box *b)
{
	if (!b)
		return;
	close_state(b);
	peal_box_uncovered(b);
	peal_free(b);
}

/* --- a decision --- */

struct job {
	const void *request;
	size_t len;
	struct peal_buf *reply;
	enum peal_err err;
	struct peal_box_outcome outcome;
	char path[512]; /* outlives the stack of Lua; empty: not read yet */
};

enum { PATH = 1, TEXT, STAGE, VIEW };

/* Puts a field of the request at the top in its place on the stack. */
static int is_text(lua_State *L, const char *name)
{
	size_t len;
	const char *text;

	lua_pushstring(L, name);
	if (lua_rawget(L, -2) != LUA_TSTRING)
		return 0;
	text = lua_tolstring(L, -1, &len);
	lua_insert(L, -2);
	return strlen(text) == len || strcmp(name, "text") == 0;
}

/* Are the lines that run to be noted? The request is on top. */
static enum peal_err read_cover(lua_State *L)
{
	enum peal_err err = PEAL_OK;
	size_t len;
	const char *text = lua_tolstring(L, TEXT, &len);

	lua_pushliteral(L, "cover");
	lua_rawget(L, -2);
	if (lua_toboolean(L, -1))
		err = peal_box_cover(peal_box_of(L), text, len);
	lua_pop(L, 1);
	return err;
}

/* Leaves PATH to VIEW on the stack. */
static enum peal_err read_request(lua_State *L, struct job *j)
{
	enum peal_err err = peal_plain_unpack(L, j->request, j->len, NULL);

	if (err)
		return err;
	if (!lua_istable(L, 1) || !is_text(L, "path") || !is_text(L, "text") ||
	    !is_text(L, "stage"))
		return PEAL_EINVAL;
	err = read_cover(L);
	if (err)
		return err;
	lua_pushliteral(L, "view");
	if (lua_rawget(L, -2) == LUA_TTABLE)
		peal_box_push_view(L);
	else if (!lua_isnil(L, -1))
		return PEAL_EINVAL;
	lua_replace(L, VIEW);
	return PEAL_OK;
}

/* The n results at the top. */
static enum peal_err answer(lua_State *L, struct job *j, int n)
{
	const char *what;
	enum peal_err err;
	int first = lua_gettop(L) - n, i;

	if (n > RESULTS)
		n = RESULTS;
	lua_createtable(L, n, 2);
	for (i = 1; i <= n; i++) {
		lua_pushvalue(L, first + i);
		lua_rawseti(L, -2, i);
	}
	peal_box_uncover(L);
	peal_box_unguard(peal_box_of(L));
	lua_pushboolean(L, 1);
	lua_setfield(L, -2, "ok");
	lua_pushinteger(L, n);
	lua_setfield(L, -2, "n");
	peal_box_cover_push(L);
	err = peal_plain_pack(L, -1, j->reply, &what);
	if (err == PEAL_ELIMIT)
		peal_box_bad(L, &j->outcome, "the answer is too large");
	else if (what)
		peal_box_bad(L, &j->outcome, "the answer holds %s", what);
	else
		return err;
	return PEAL_OK;
}

static enum peal_err decide(lua_State *L, struct job *j)
{
	struct peal_box_outcome *o = &j->outcome;
	struct peal_box *b = peal_box_of(L);
	int n = 0;

	if (!peal_box_load(L, o))
		return PEAL_OK;
	peal_box_guard(b);
	if (!peal_box_call(L, 0, 1, o) ||
	    !peal_box_check(L, lua_tostring(L, STAGE), o))
		return PEAL_OK;
	if (!lua_isnil(L, VIEW)) {
		n = lua_gettop(L) - 1;
		lua_pushvalue(L, VIEW);
		if (!peal_box_call(L, 1, LUA_MULTRET, o))
			return PEAL_OK;
		n = lua_gettop(L) - n;
	}
	return answer(L, j, n);
}

/* Protected. What a rule spends too much of unwinds to here. */
static int run(lua_State *L)
{
	struct job *j = lua_touserdata(L, 1);

	lua_settop(L, 0);
	j->err = read_request(L, j);
	if (j->err)
		return 0;
	/* the text stays on the stack */
	peal_box_of(L)->path = lua_tostring(L, PATH);
	snprintf(j->path, sizeof(j->path), "%s", lua_tostring(L, PATH));
	j->err = decide(L, j);
	return 0;
}

static void say_limit(const struct peal_box *b, struct job *j)
{
	struct peal_box_outcome *o = &j->outcome;
	char line[24] = "", limit[96];

	if (b->line)
		snprintf(line, sizeof(line), ":%d", b->line);
	if (b->over == PEAL_BOX_MEMORY)
		snprintf(limit, sizeof(limit),
			 "stopped: over %zu KiB of memory, or %zu in one piece",
			 b->memory >> 10, b->memory / PEAL_BOX_PIECE >> 10);
	else
		snprintf(limit, sizeof(limit),
			 "stopped after %llu instructions",
			 (unsigned long long)b->budget);
	snprintf(o->sentence, sizeof(o->sentence), "%s%s: %s", j->path, line,
		 limit);
	o->ok = 0;
	o->line = b->line;
	o->word = "rule-limit";
}

/* { ok = false, sentence =, word =, line =, and what ran } */
static enum peal_err put_failure(const struct peal_box *b, struct peal_buf *out,
				 const struct peal_box_outcome *o)
{
	const char *const texts[] = { "sentence", o->sentence, "word",
				      o->word };
	enum peal_err err = peal_plain_put_tag(out, PEAL_PLAIN_BEGIN);
	size_t i;

	if (!err)
		err = peal_plain_put_text(out, "ok", 2);
	if (!err)
		err = peal_plain_put_tag(out, PEAL_PLAIN_FALSE);
	for (i = 0; i < 4 && !err; i++)
		err = peal_plain_put_text(out, texts[i], strlen(texts[i]));
	if (!err && o->line)
		err = peal_plain_put_text(out, "line", 4);
	if (!err && o->line)
		err = peal_plain_put_integer(out, o->line);
	if (!err)
		err = peal_box_cover_put(b, out);
	if (!err)
		err = peal_plain_put_tag(out, PEAL_PLAIN_END);
	return err;
}

/* Ready for the next decision. */
static void tidy(struct peal_box *b)
{
	b->params = NULL;
	if (b->over == PEAL_BOX_MEMORY) {
		close_state(b);
		return;
	}
	lua_settop(b->L, 0);
	peal_box_drop_views(b->L);
	/* the next rule shall not pay for this one's garbage, nor for files */
	if (b->used > b->idle + b->memory / 8)
		lua_gc(b->L, LUA_GCCOLLECT);
	if (b->used > b->idle + b->memory / 8)
		peal_box_drop_files(b->L);
}

enum peal_err peal_box_ask(struct peal_box *b, const void *request, size_t len,
			   const struct peal_snapshot_view *params,
			   struct peal_buf *reply)
{
	struct job j = { request, len, reply, PEAL_OK, { 1, 0, NULL, { 0 } },
			 { 0 } };
	int status;

	peal_buf_clear(reply);
	if (!b->L)
		j.err = open_state(b);
	if (j.err)
		return j.err;
	b->params = params;
	b->over = PEAL_BOX_WITHIN;
	b->line = 0;
	lua_pushcfunction(b->L, run);
	lua_pushlightuserdata(b->L, &j);
	status = lua_pcall(b->L, 1, 0, 0);
	peal_box_unguard(b);
	b->path = NULL;
	if (status != LUA_OK && !b->over)
		b->over = PEAL_BOX_MEMORY;
	if (b->over && !j.path[0])
		j.err = PEAL_ENOMEM;
	if (b->over)
		say_limit(b, &j);
	tidy(b);
	if (!j.err && !j.outcome.ok) {
		peal_buf_clear(reply);
		j.err = put_failure(b, reply, &j.outcome);
	}
	peal_box_uncovered(b);
	return j.err;
}
