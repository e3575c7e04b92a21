/* keyring.c - require "peal.keyring": private keys and their certificates, in
 * generations. See peal/keyring.h
 *
 *   k = keyring.open([folder])     without one: in memory
 *   k:install(name, { ["root.pem"] = text }, { ["host.key"] = key })
 *       -> generation
 *   k:ready(name) -> true          could it be installed?
 *   k:remove(name) -> true
 *   k:generation(name) -> integer
 *   k:read(name, file) -> text               of certificates only
 *   k:key(name, file) -> key of peal.issue
 *   k:identity(name) -> identity of peal.trust, from cert.pem and key.pem
 *
 * They fail with nil, sentence, word. Where the current generation is damaged
 * the one before is read, and a sentence about it is the last result. */
#include "peal/keyring.h"
#include "bindings.h"

#define TYPE "peal.keyring"

struct box {
	struct peal_keyring *k; /* NULL once closed */
};

static struct peal_keyring *check_keyring(lua_State *L)
{
	struct box *b = luaL_checkudata(L, 1, TYPE);

	if (!b->k)
		luaL_argerror(L, 1, "keyring is closed");
	return b->k;
}

static int l_open(lua_State *L)
{
	struct peal_keyring_options o = { .path = luaL_optstring(L, 1, NULL) };
	struct box *b = lua_newuserdatauv(L, sizeof(*b), 0);
	struct peal_reason reason;
	enum peal_err err;

	b->k = NULL;
	luaL_setmetatable(L, TYPE);
	err = peal_keyring_open(&b->k, &o, &reason);
	return err ? peal_lua_fail(L, err, &reason) : 1;
}

static int l_gc(lua_State *L)
{
	struct box *b = luaL_checkudata(L, 1, TYPE);

	peal_keyring_close(b->k);
	b->k = NULL;
	return 0;
}

static int l_tostring(lua_State *L)
{
	struct box *b = luaL_checkudata(L, 1, TYPE);

	lua_pushfstring(L, "peal.keyring (%s)", b->k ? "open" : "closed");
	return 1;
}

/* The result on top, with the sentence if there is one; or the failure. */
static int finish(lua_State *L, enum peal_err err,
		  const struct peal_reason *reason)
{
	if (err)
		return peal_lua_fail(L, err, reason);
	if (!reason->text[0])
		return 1;
	lua_pushstring(L, reason->text);
	return 2;
}

static struct peal_keyring_file *
next_file(lua_State *L, struct peal_keyring_file *files, unsigned *n)
{
	struct peal_keyring_file *f = &files[*n];

	if (*n == PEAL_KEYRING_FILES)
		luaL_error(L, "more than %d files", PEAL_KEYRING_FILES);
	if (lua_type(L, -2) != LUA_TSTRING)
		luaL_error(L, "files have names");
	f->name = lua_tostring(L, -2); /* the table keeps it */
	f->text = NULL;
	f->len = 0;
	f->key = NULL;
	++*n;
	return f;
}

static unsigned check_files(lua_State *L, struct peal_keyring_file *files)
{
	struct peal_keyring_file *f;
	unsigned n = 0;

	luaL_checktype(L, 3, LUA_TTABLE);
	for (lua_pushnil(L); lua_next(L, 3); lua_pop(L, 1)) {
		f = next_file(L, files, &n);
		if (lua_type(L, -1) != LUA_TSTRING)
			luaL_error(L, "file '%s' is a text", f->name);
		f->text = lua_tolstring(L, -1, &f->len);
	}
	if (lua_isnoneornil(L, 4))
		return n;
	luaL_checktype(L, 4, LUA_TTABLE);
	for (lua_pushnil(L); lua_next(L, 4); lua_pop(L, 1)) {
		f = next_file(L, files, &n);
		f->key = peal_lua_check_key(L, -1);
	}
	return n;
}

static int l_install(lua_State *L)
{
	struct peal_keyring *k = check_keyring(L);
	const char *name = luaL_checkstring(L, 2);
	struct peal_keyring_file files[PEAL_KEYRING_FILES];
	unsigned generation = 0, n = check_files(L, files);
	struct peal_reason reason;
	enum peal_err err =
		peal_keyring_install(k, name, files, n, &generation, &reason);

	lua_pushinteger(L, generation);
	return finish(L, err, &reason);
}

static int l_remove(lua_State *L)
{
	struct peal_keyring *k = check_keyring(L);
	struct peal_reason reason;
	enum peal_err err =
		peal_keyring_remove(k, luaL_checkstring(L, 2), &reason);

	lua_pushboolean(L, 1);
	return finish(L, err, &reason);
}

static int l_ready(lua_State *L)
{
	struct peal_keyring *k = check_keyring(L);
	struct peal_reason reason;
	enum peal_err err =
		peal_keyring_ready(k, luaL_checkstring(L, 2), &reason);

	lua_pushboolean(L, 1);
	return finish(L, err, &reason);
}

static int l_generation(lua_State *L)
{
	struct peal_keyring *k = check_keyring(L);
	const char *name = luaL_checkstring(L, 2);
	struct peal_reason reason;
	unsigned n = 0;
	enum peal_err err = peal_keyring_generation(k, name, &n, &reason);

	lua_pushinteger(L, n);
	return finish(L, err, &reason);
}

static int l_read(lua_State *L)
{
	struct peal_keyring *k = check_keyring(L);
	const char *name = luaL_checkstring(L, 2);
	const char *file = luaL_checkstring(L, 3);
	struct peal_buf *b = peal_lua_new_buf(L, PEAL_LIMIT_PEM);
	struct peal_reason reason;
	enum peal_err err = peal_keyring_read(k, name, file, b, &reason);

	if (!err)
		peal_lua_push_buf(L, PEAL_OK, b);
	return finish(L, err, &reason);
}

static int l_key(lua_State *L)
{
	struct peal_keyring *k = check_keyring(L);
	const char *name = luaL_checkstring(L, 2);
	const char *file = luaL_checkstring(L, 3);
	struct peal_key **key = peal_lua_new_key(L);
	struct peal_reason reason;

	return finish(L, peal_keyring_key(k, name, file, key, &reason),
		      &reason);
}

static int l_identity(lua_State *L)
{
	struct peal_keyring *k = check_keyring(L);
	const char *name = luaL_checkstring(L, 2);
	struct peal_identity **i = peal_lua_new_identity(L);
	struct peal_reason reason;

	return finish(L, peal_keyring_identity(k, name, i, &reason), &reason);
}

int luaopen_peal_keyring(lua_State *L)
{
	static const luaL_Reg functions[] = { { "open", l_open },
					      { NULL, NULL } };
	static const luaL_Reg meta[] = { { "__gc", l_gc },
					 { "__close", l_gc },
					 { "__tostring", l_tostring },
					 { NULL, NULL } };
	static const luaL_Reg methods[] = { { "close", l_gc },
					    { "generation", l_generation },
					    { "identity", l_identity },
					    { "install", l_install },
					    { "key", l_key },
					    { "read", l_read },
					    { "ready", l_ready },
					    { "remove", l_remove },
					    { NULL, NULL } };

	/* for keys and identities */
	luaL_requiref(L, "peal.issue", luaopen_peal_issue, 0);
	lua_pop(L, 1);
	peal_lua_type(L, TYPE, meta, methods);
	luaL_newlib(L, functions);
	return 1;
}
