/* terminal.c - require "peal.terminal": a person at a terminal.
 *
 *   terminal.is_tty(fd) -> boolean
 *   terminal.width() -> columns; 80 where nobody knows
 *   terminal.secret(prompt) -> a line that is not shown | nil, sentence, word
 *   terminal.editor{ name=, history=, history_max=, complete= } -> ed | nil,
 *     sentence, word: "not-found" no libedit, "invalid" no terminal for it
 *       history    file that remembers lines (mode 0600), or nil
 *       complete   fn(line, cursor) -> list, start: texts that could stand in
 *                  the place of line:sub(start, cursor); cursor bytes of the
 *                  line are before the cursor
 *   ed:read(prompt[, wait]) -> line | nil (the end) | false (Ctrl-C)
 *       wait       fn() that returns when something has been typed, or at any
 *                  time; its errors are raised by read, and the terminal is
 *                  as it was
 *   ed:print(text)   whole lines, above what is being typed
 *   ed:add(line) -> true | nil, sentence, word      into the history
 *   ed:resized()   to be told of SIGWINCH; found out at the next key anyway
 *   ed:close()
 *   terminal.interruptible(fn, ...) -> true, results | false, error
 *       SIGINT raises "interrupted" in fn, also in coroutines; a second one,
 *       or the first when nothing came of it for a second, ends the process
 *       with code 130. A loop that waits is woken only if it waits for INT
 *       (loop:signal)
 *   terminal.interrupted() -> has SIGINT come in this interruptible()?
 *
 * Opening the module replaces coroutine.resume and coroutine.wrap by ones that
 * interruptible() knows of. */
#include "terminal.h"

#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "bindings.h"
#include "peal/alloc.h"
#include "peal/terminal.h"

#define TYPE "peal.terminal.editor"

enum { COMPLETE = 1, HISTORY_MAX = 1000, SECRET_MAX = 1024 };

/* Places on the stack while ed:read() is at work. */
enum { SELF = 1, PROMPT, WAIT, FAILURE };

struct box {
	struct peal_editor *e; /* NULL: closed */
	lua_State *L;          /* that reads; NULL: none */
};

static struct box *check_box(lua_State *L)
{
	struct box *b = luaL_checkudata(L, 1, TYPE);

	luaL_argcheck(L, b->e, 1, "the editor is closed");
	return b;
}

/* --- what the editor asks for --- */

static enum peal_err wait_typed(void *arg)
{
	struct box *b = arg;
	lua_State *L = b->L;
	struct pollfd in = { STDIN_FILENO, POLLIN, 0 };

	if (lua_isnil(L, WAIT)) {
		poll(&in, 1, -1);
		return PEAL_OK;
	}
	if (!lua_checkstack(L, LUA_MINSTACK))
		return PEAL_ENOMEM;
	lua_pushvalue(L, WAIT);
	if (lua_pcall(L, 0, 0, 0) == LUA_OK)
		return PEAL_OK;
	lua_replace(L, FAILURE);
	return PEAL_ECANCELED;
}

/* ask(ed, line, cursor) -> start; offers what it got */
static int ask(lua_State *L)
{
	struct box *b = lua_touserdata(L, 1);
	const char *text;
	lua_Integer i;
	size_t len;

	lua_getiuservalue(L, 1, COMPLETE);
	lua_insert(L, 2);
	lua_call(L, 2, 2);
	if (!lua_istable(L, 2))
		return 0;
	for (i = 1; lua_geti(L, 2, i) == LUA_TSTRING; i++) {
		text = lua_tolstring(L, -1, &len);
		peal_editor_offer(b->e, text, len);
		lua_pop(L, 1);
	}
	lua_settop(L, 3);
	return 1;
}

/* An error of complete costs nobody what he has typed: it is told above. */
static size_t complete(struct peal_editor *e, const char *line, size_t cursor,
		       void *arg)
{
	struct box *b = arg;
	lua_State *L = b->L;
	lua_Integer start = 0;
	const char *text;
	size_t len;
	int top = lua_gettop(L);

	if (!lua_checkstack(L, LUA_MINSTACK))
		return SIZE_MAX;
	lua_pushcfunction(L, ask);
	lua_pushvalue(L, SELF);
	lua_pushstring(L, line);
	lua_pushinteger(L, (lua_Integer)cursor);
	if (lua_pcall(L, 3, 1, 0) == LUA_OK) {
		start = lua_tointeger(L, -1);
	} else if (lua_isstring(L, -1)) {
		text = lua_tolstring(L, -1, &len);
		peal_editor_print(e, text, len);
	}
	lua_settop(L, top);
	return start > 0 ? (size_t)start - 1 : SIZE_MAX;
}

/* --- the editor --- */

/* terminal.editor(options) */
static int l_editor(lua_State *L)
{
	static const char *const keys[] = { "name", "history", "history_max",
					    "complete", NULL };
	struct peal_editor_options o = { .wait = wait_typed };
	struct peal_reason why;
	enum peal_err err;
	struct box *b;

	peal_lua_check_keys(L, 1, keys);
	o.name = peal_lua_opt_word(L, 1, "name");
	if (!o.name)
		o.name = "peal";
	o.history = peal_lua_opt_word(L, 1, "history");
	o.history_max = (unsigned)peal_lua_opt_int(L, 1, "history_max", 0,
						   1000000, HISTORY_MAX);
	b = lua_newuserdatauv(L, sizeof(*b), 1);
	memset(b, 0, sizeof(*b));
	luaL_setmetatable(L, TYPE);
	if (lua_getfield(L, 1, "complete") == LUA_TFUNCTION)
		o.complete = complete;
	else if (!lua_isnil(L, -1))
		luaL_argerror(L, 1, "'complete' is a function");
	lua_setiuservalue(L, -2, COMPLETE);
	o.arg = b;
	peal_reason_clear(&why);
	err = peal_editor_open(&b->e, &o, &why);
	return err ? peal_lua_fail(L, err, &why) : 1;
}

static int l_read(lua_State *L)
{
	struct box *b = check_box(L);
	const char *prompt = luaL_checkstring(L, PROMPT), *line;
	enum peal_typed typed;
	enum peal_err err;
	size_t len;

	if (!lua_isnoneornil(L, WAIT))
		luaL_checktype(L, WAIT, LUA_TFUNCTION);
	if (b->L)
		return luaL_error(L, "the editor is reading already");
	lua_settop(L, FAILURE);
	b->L = L;
	err = peal_editor_read(b->e, prompt, &typed, &line, &len);
	b->L = NULL;
	if (err == PEAL_ECANCELED) {
		lua_settop(L, FAILURE);
		return lua_error(L);
	}
	if (err)
		return luaL_error(L, "cannot read a line: %s",
				  peal_err_text(err));
	if (typed == PEAL_TYPED_LINE)
		lua_pushlstring(L, line, len);
	else if (typed == PEAL_TYPED_INTERRUPT)
		lua_pushboolean(L, 0);
	else
		lua_pushnil(L);
	return 1;
}

static int l_print(lua_State *L)
{
	struct box *b = check_box(L);
	size_t len;
	const char *text = luaL_checklstring(L, 2, &len);

	peal_editor_print(b->e, text, len);
	return 0;
}

static int l_add(lua_State *L)
{
	struct box *b = check_box(L);
	size_t len;
	const char *line = luaL_checklstring(L, 2, &len);
	struct peal_reason why;
	enum peal_err err;

	peal_reason_clear(&why);
	err = peal_editor_add(b->e, line, len, &why);
	if (err)
		return peal_lua_fail(L, err, &why);
	lua_pushboolean(L, 1);
	return 1;
}

static int l_resized(lua_State *L)
{
	peal_editor_resized(check_box(L)->e);
	return 0;
}

static int l_close(lua_State *L)
{
	struct box *b = luaL_checkudata(L, 1, TYPE);

	if (b->L)
		return luaL_error(L, "the editor is reading");
	peal_editor_close(b->e);
	b->e = NULL;
	return 0;
}

/* Also while it reads: when the state is closed to leave the process. */
static int l_gc(lua_State *L)
{
	struct box *b = luaL_checkudata(L, 1, TYPE);

	peal_editor_close(b->e);
	b->e = NULL;
	return 0;
}

static int l_tostring(lua_State *L)
{
	struct box *b = luaL_checkudata(L, 1, TYPE);

	lua_pushfstring(L, "peal.terminal.editor (%s)",
			!b->e ? "closed" :
			b->L  ? "reading" :
				"open");
	return 1;
}

/* --- the terminal --- */

static int l_is_tty(lua_State *L)
{
	lua_Integer fd = luaL_checkinteger(L, 1);

	lua_pushboolean(L, fd >= 0 && fd <= INT_MAX && isatty((int)fd));
	return 1;
}

static int l_width(lua_State *L)
{
	lua_pushinteger(L, peal_terminal_width());
	return 1;
}

static int l_secret(lua_State *L)
{
	const char *prompt = luaL_checkstring(L, 1);
	char text[SECRET_MAX];
	enum peal_err err = peal_terminal_secret(prompt, text, sizeof(text));

	if (err)
		return peal_lua_fail(L, err, NULL);
	lua_pushstring(L, text);
	peal_wipe(text, sizeof(text));
	return 1;
}

int luaopen_peal_terminal(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "editor", l_editor },
		{ "interrupted", peal_lua_interrupted },
		{ "interruptible", peal_lua_interruptible },
		{ "is_tty", l_is_tty },
		{ "secret", l_secret },
		{ "width", l_width },
		{ NULL, NULL },
	};
	static const luaL_Reg meta[] = { { "__gc", l_gc },
					 { "__close", l_close },
					 { "__tostring", l_tostring },
					 { NULL, NULL } };
	static const luaL_Reg methods[] = {
		{ "add", l_add },         { "close", l_close },
		{ "print", l_print },     { "read", l_read },
		{ "resized", l_resized }, { NULL, NULL },
	};

	peal_lua_type(L, TYPE, meta, methods);
	peal_lua_track_coroutines(L);
	luaL_newlib(L, functions);
	return 1;
}
