/* control.c - require "peal.control": lines between processes of one user.
 *
 *   server = control.listen(loop, path, on_peer)
 *       on_peer(peer) for each that comes; it is closed again unless
 *       peer:accept(on_line, on_over) is called within
 *   peer = control.connect(loop, path, on_line, on_over)
 *   peer:send(text) -> true | nil, sentence, word     without the newline
 *   peer:close()    what was sent goes out first; on_over is not called
 *   server:close()  the same for all of its peers
 *
 *   on_line(text)   on_over(nil) when the other side has closed, else
 *                   on_over(sentence, word); may be left out
 *
 * All functions are called from loop:run(), which raises what they raise. A
 * server and its peers stay, and keep the loop running, until they are closed,
 * whoever refers to them: a peer that nobody holds must not go away between
 * two lines. */
#include <string.h>

#include "bindings.h"
#include "peal/control.h"
#include "peal/limits.h"

#define SERVER "peal.control.server"
#define PEER "peal.control.peer"

enum { LOOP = 1, ON_PEER = 2, ON_LINE = 2, ON_OVER = 3 };

/* What keeps a userdata in the registry while C knows it. */
struct anchor {
	lua_State *L; /* main thread; NULL: let go */
	int self;
};

struct server {
	struct anchor anchor;
	struct peal_control_server *s; /* NULL: closed */
};

struct offer;

struct peer {
	struct anchor anchor;
	struct peal_control_peer *p; /* NULL: over */
	struct offer *offer; /* on_peer() runs and has not accepted it */
};

struct offer {
	struct server *server;
	struct peal_control_peer *p;
	struct peer *peer; /* NULL: accepted, closed, or not made */
};

struct line {
	const char *text;
	size_t len;
};

/* The userdata on top. */
static void hold(lua_State *L, struct anchor *a)
{
	lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
	lua_pushvalue(L, -2);
	a->self = luaL_ref(L, LUA_REGISTRYINDEX);
	a->L = lua_tothread(L, -1);
	lua_pop(L, 1);
}

static void let_go(struct anchor *a)
{
	lua_State *L = a->L;

	a->L = NULL;
	if (L)
		luaL_unref(L, LUA_REGISTRYINDEX, a->self);
}

/* --- peers --- */

static void push_line(lua_State *L, const void *arg)
{
	const struct line *line = arg;

	lua_pushlstring(L, line->text, line->len);
}

static void on_line(const char *text, size_t len, void *arg)
{
	struct peer *b = arg;
	struct line line = { text, len };

	peal_lua_call_back(b->anchor.L, b->anchor.self, ON_LINE, push_line,
			   &line);
}

static void push_over(lua_State *L, const void *arg)
{
	const enum peal_err *err = arg;

	if (*err == PEAL_OK) {
		lua_pushnil(L);
		return;
	}
	peal_lua_push_error(L, *err, NULL);
	lua_pop(L, 1); /* there is no place */
}

static void decided(struct peer *b)
{
	if (b->offer)
		b->offer->peer = NULL;
	b->offer = NULL;
}

/* Canceled: a script of ours closes the server, and knows. */
static void on_over(enum peal_err err, void *arg)
{
	struct peer *b = arg;

	b->p = NULL;
	decided(b);
	if (err != PEAL_ECANCELED)
		peal_lua_call_back(b->anchor.L, b->anchor.self, ON_OVER,
				   push_over, &err);
	let_go(&b->anchor);
}

static struct peer *new_peer(lua_State *L, int loop_index)
{
	struct peer *b = lua_newuserdatauv(L, sizeof(*b), 3);

	memset(b, 0, sizeof(*b));
	luaL_setmetatable(L, PEER);
	lua_pushvalue(L, loop_index);
	lua_setiuservalue(L, -2, LOOP);
	return b;
}

static void set_functions(lua_State *L, int peer, int line)
{
	luaL_checktype(L, line, LUA_TFUNCTION);
	if (!lua_isnoneornil(L, line + 1))
		luaL_checktype(L, line + 1, LUA_TFUNCTION);
	lua_settop(L, line + 1);
	lua_pushvalue(L, line);
	lua_setiuservalue(L, peer, ON_LINE);
	lua_pushvalue(L, line + 1);
	lua_setiuservalue(L, peer, ON_OVER);
}

static struct peer *check_peer(lua_State *L)
{
	struct peer *b = luaL_checkudata(L, 1, PEER);

	luaL_argcheck(L, b->p, 1, "the connection is over");
	return b;
}

/* peer:accept(on_line [, on_over]) */
static int l_accept(lua_State *L)
{
	struct peer *b = check_peer(L);

	luaL_argcheck(L, b->offer, 1, "is accepted already");
	set_functions(L, 1, 2);
	decided(b);
	return 0;
}

/* peer:send(text) -> true | nil, sentence, word; to a peer that has gone, too:
 * a script cannot know before it hears of it */
static int l_send(lua_State *L)
{
	struct peer *b = luaL_checkudata(L, 1, PEER);
	size_t len;
	const char *text = luaL_checklstring(L, 2, &len);
	struct peal_reason reason;
	enum peal_err err = PEAL_ESTATE;

	peal_reason_clear(&reason);
	if (!b->p)
		peal_fail(&reason, err, "the connection is over");
	else
		err = peal_control_send(b->p, text, len);
	if (err == PEAL_EINVAL)
		peal_fail(&reason, err,
			  "a line has no newline in it, and %d bytes at most",
			  PEAL_LIMIT_CONTROL_LINE);
	if (err)
		return peal_lua_fail(L, err, &reason);
	lua_pushboolean(L, 1);
	return 1;
}

static int l_peer_close(lua_State *L)
{
	struct peer *b = luaL_checkudata(L, 1, PEER);
	struct peal_control_peer *p = b->p;

	b->p = NULL;
	decided(b);
	peal_control_close(p);
	let_go(&b->anchor);
	return 0;
}

static int l_peer_tostring(lua_State *L)
{
	struct peer *b = luaL_checkudata(L, 1, PEER);

	lua_pushfstring(L, "%s (%s)", PEER, b->p ? "open" : "over");
	return 1;
}

static const char *check_path(lua_State *L, int index)
{
	size_t len;
	const char *path = luaL_checklstring(L, index, &len);

	luaL_argcheck(L, strlen(path) == len, index, "a NUL in a path");
	return path;
}

/* control.connect(loop, path, on_line [, on_over]) -> peer | nil, sentence,
 * word */
static int l_connect(lua_State *L)
{
	struct peal_loop *l = peal_lua_check_loop(L, 1);
	const char *path = check_path(L, 2);
	struct peal_reason reason;
	struct peer *b;
	enum peal_err err;

	lua_settop(L, 4);
	b = new_peer(L, 1);
	lua_insert(L, 3);
	set_functions(L, 3, 4);
	lua_settop(L, 3);
	hold(L, &b->anchor);
	err = peal_control_connect(&b->p, l, path, &reason);
	if (err) {
		b->p = NULL;
		let_go(&b->anchor);
		return peal_lua_fail(L, err, &reason);
	}
	peal_control_accept(b->p, on_line, on_over, b);
	return 1;
}

/* --- servers --- */

/* From now on C tells of its end, whether or not the script accepts it: the
 * script may close the server before. */
static void push_peer(lua_State *L, const void *arg)
{
	struct offer *offer = *(struct offer *const *)arg;
	struct peer *b;

	lua_rawgeti(L, LUA_REGISTRYINDEX, offer->server->anchor.self);
	lua_getiuservalue(L, -1, LOOP);
	b = new_peer(L, lua_gettop(L));
	hold(L, &b->anchor);
	lua_replace(L, -3);
	lua_pop(L, 1);
	b->p = offer->p;
	b->offer = offer;
	offer->peer = b;
	peal_control_accept(b->p, on_line, on_over, b);
}

static void on_peer(struct peal_control_peer *p, void *arg)
{
	struct offer offer = { arg, p, NULL }, *at = &offer;
	struct anchor *a = &offer.server->anchor;
	struct peer *b;

	peal_lua_call_back(a->L, a->self, ON_PEER, push_peer, &at);
	b = offer.peer;
	if (!b)
		return;
	b->offer = NULL;
	b->p = NULL;
	peal_control_close(p);
	let_go(&b->anchor);
}

/* control.listen(loop, path, on_peer) -> server | nil, sentence, word */
static int l_listen(lua_State *L)
{
	struct peal_loop *l = peal_lua_check_loop(L, 1);
	const char *path = check_path(L, 2);
	struct peal_reason reason;
	struct server *b;
	enum peal_err err;

	luaL_checktype(L, 3, LUA_TFUNCTION);
	b = lua_newuserdatauv(L, sizeof(*b), 2);
	memset(b, 0, sizeof(*b));
	luaL_setmetatable(L, SERVER);
	lua_pushvalue(L, 1);
	lua_setiuservalue(L, -2, LOOP);
	lua_pushvalue(L, 3);
	lua_setiuservalue(L, -2, ON_PEER);
	hold(L, &b->anchor);
	err = peal_control_listen(&b->s, l, path, on_peer, b, &reason);
	if (err) {
		b->s = NULL;
		let_go(&b->anchor);
		return peal_lua_fail(L, err, &reason);
	}
	return 1;
}

static int l_server_close(lua_State *L)
{
	struct server *b = luaL_checkudata(L, 1, SERVER);
	struct peal_control_server *s = b->s;

	b->s = NULL;
	peal_control_server_free(s);
	let_go(&b->anchor);
	return 0;
}

static int l_server_tostring(lua_State *L)
{
	struct server *b = luaL_checkudata(L, 1, SERVER);

	lua_pushfstring(L, "%s (%s)", SERVER, b->s ? "open" : "closed");
	return 1;
}

int luaopen_peal_control(lua_State *L)
{
	static const luaL_Reg functions[] = { { "connect", l_connect },
					      { "listen", l_listen },
					      { NULL, NULL } };
	static const luaL_Reg server_meta[] = {
		{ "__gc", l_server_close },
		{ "__close", l_server_close },
		{ "__tostring", l_server_tostring },
		{ NULL, NULL },
	};
	static const luaL_Reg server[] = { { "close", l_server_close },
					   { NULL, NULL } };
	static const luaL_Reg peer_meta[] = {
		{ "__gc", l_peer_close },
		{ "__close", l_peer_close },
		{ "__tostring", l_peer_tostring },
		{ NULL, NULL },
	};
	static const luaL_Reg peer[] = { { "accept", l_accept },
					 { "close", l_peer_close },
					 { "send", l_send },
					 { NULL, NULL } };

	peal_lua_type(L, SERVER, server_meta, server);
	peal_lua_type(L, PEER, peer_meta, peer);
	luaL_newlib(L, functions);
	return 1;
}
