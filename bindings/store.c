/* store.c - require "peal.store": parameters and state that survive a power
 * cut. The transactions on them are in txn.c. */
#include "store.h"

#include <string.h>

#include "bindings.h"
#include "peal/alloc.h"
#include "peal/limits.h"

#define TYPE "peal.store"

/* User values of a store, for past() and copies. */
enum { OF_SCHEMA = 1, OF_PATH };

struct peal_store *peal_lua_check_store(lua_State *L)
{
	struct peal_lua_store *b = luaL_checkudata(L, 1, TYPE);

	if (!b->s)
		luaL_error(L, "store:%s: the store is closed",
			   lua_tostring(L, lua_upvalueindex(1)));
	return b->s;
}

/* --- values --- */

void peal_lua_push_value(lua_State *L, const struct peal_value *v)
{
	lua_createtable(L, 0, 17);
	peal_lua_set_text(L, "name", v->name);
	peal_lua_set_text(L, "text", v->text);
	peal_lua_set_text(L, "type", peal_type_name(v->type));
	peal_lua_set_text(L, "ua", peal_ua_name(v->ua));
	peal_lua_set_bool(L, "secret", (v->flags & PEAL_PARAM_SECRET) != 0);
	peal_lua_set_bool(L, "reboot", (v->flags & PEAL_PARAM_REBOOT) != 0);
	peal_lua_set_bool(L, "untyped", (v->flags & PEAL_PARAM_UNTYPED) != 0);
	peal_lua_set_bool(L, "is_default", v->is_default);
	peal_lua_set_bool(L, "user_modified", v->user_modified);
	peal_lua_set_bool(L, "user_pref", v->user_pref);
	peal_lua_set_int(L, "cycle", (lua_Integer)v->source.cycle);
	peal_lua_set_text(L, "author", v->source.author);
	peal_lua_set_text(L, "rule", v->source.rule);
	peal_lua_set_text(L, "url", v->source.url);
	peal_lua_set_int(L, "revision", (lua_Integer)v->revision);
	peal_lua_set_int(L, "line", v->line);
}

int peal_lua_unknown_name(lua_State *L, const char *name)
{
	struct peal_reason why;

	return peal_lua_fail(L,
			     peal_fail(&why, PEAL_EUNKNOWN,
				       "there is no parameter %.100s", name),
			     &why);
}

/* --- opening --- */

/* The userdata, closed, on top; of the schema and the path (or nil) at these
 * places. */
static struct peal_lua_store *new_store(lua_State *L, int schema, int path)
{
	struct peal_lua_store *b = lua_newuserdatauv(L, sizeof(*b), 2);

	memset(b, 0, sizeof(*b));
	lua_pushvalue(L, schema);
	lua_setiuservalue(L, -2, OF_SCHEMA);
	lua_pushvalue(L, path);
	lua_setiuservalue(L, -2, OF_PATH);
	luaL_setmetatable(L, TYPE);
	return b;
}

/* What store:bytes() gave. */
static void check_content(lua_State *L, struct peal_store_options *o)
{
	size_t len = 0;

	o->bytes = peal_lua_opt_text(L, 1, "bytes", &o->len, NULL);
	o->key = (const void *)peal_lua_opt_text(L, 1, "key", &len, NULL);
	luaL_argcheck(L, !o->key || len == PEAL_STORE_KEY, 1,
		      "'key' is 32 octets");
	luaL_argcheck(L, !o->path || (!o->bytes && !o->key), 1,
		      "'bytes' and 'key' are of a store without a path");
}

/* store.open{schema=, path=, read_only=, keep=, revision=, start_over=, bytes=,
 * key=} -> store | nil, sentence, word, place */
static int l_open(lua_State *L)
{
	static const char *const keys[] = { "schema", "path",     "read_only",
					    "keep",   "revision", "start_over",
					    "bytes",  "key",      NULL };
	struct peal_store_options o;
	struct peal_schema *schema;
	struct peal_reason why;
	enum peal_err err;
	struct peal_lua_store *b;

	peal_lua_check_keys(L, 1, keys);
	memset(&o, 0, sizeof(o));
	o.path = peal_lua_opt_text(L, 1, "path", NULL, NULL);
	o.read_only = peal_lua_opt_bool(L, 1, "read_only", 0);
	o.start_over = peal_lua_opt_bool(L, 1, "start_over", 0);
	o.keep = (size_t)peal_lua_opt_int(L, 1, "keep", 0, 1 << 30, 0);
	o.revision = (uint64_t)peal_lua_opt_int(L, 1, "revision", 0,
						LUA_MAXINTEGER, 0);
	check_content(L, &o);
	lua_getfield(L, 1, "schema");
	schema = peal_lua_check_schema(L, -1);
	lua_getfield(L, 1, "path");
	b = new_store(L, lua_absindex(L, -2), lua_absindex(L, -1));
	err = peal_store_open(&b->s, schema, &o, &why);
	return err ? peal_lua_fail(L, err, &why) : 1;
}

/* The folder of the store at 1, read-only: at a revision, or 0, the newest.
 * Leaves what l_open() returns. */
static void open_again(lua_State *L, lua_Integer revision)
{
	lua_pushcfunction(L, l_open);
	lua_createtable(L, 0, 4);
	lua_getiuservalue(L, 1, OF_PATH);
	lua_setfield(L, -2, "path");
	lua_getiuservalue(L, 1, OF_SCHEMA);
	lua_setfield(L, -2, "schema");
	peal_lua_set_bool(L, "read_only", 1);
	peal_lua_set_int(L, "revision", revision);
	lua_call(L, 1, LUA_MULTRET);
}

/* store:past(revision) -> the store as it was, read-only | nil, sentence,
 * word; a store in memory has no past, a copy that of its original */
static int l_past(lua_State *L)
{
	lua_Integer revision = luaL_checkinteger(L, 2);
	const struct peal_lua_store *b;

	lua_settop(L, 2);
	peal_lua_check_store(L);
	b = lua_touserdata(L, 1);
	if (lua_getiuservalue(L, 1, OF_PATH) == LUA_TNIL || revision <= 0 ||
	    (b->copy && (uint64_t)revision > b->forked))
		return peal_lua_fail(L, PEAL_ENOENT, NULL);
	open_again(L, revision);
	return lua_gettop(L) - 3;
}

/* store:copy() -> a store in memory with what is committed, whose changes
 * reach no disk | nil, sentence, word */
static int l_copy(lua_State *L)
{
	const struct peal_store *s = peal_lua_check_store(L);
	const struct peal_lua_store *from = lua_touserdata(L, 1);
	struct peal_lua_store *b;
	enum peal_err err;

	lua_settop(L, 1);
	lua_getiuservalue(L, 1, OF_SCHEMA);
	lua_getiuservalue(L, 1, OF_PATH);
	b = new_store(L, 2, 3);
	b->copy = 1;
	b->forked = from->copy ? from->forked : peal_store_revision(s);
	err = peal_store_copy(&b->s, s);
	return err ? peal_lua_fail(L, err, NULL) : 1;
}

/* store:bytes() -> the revision in force as its file has it, the key of the
 * fingerprints; both secret | nil, sentence, word */
static int l_bytes(lua_State *L)
{
	const struct peal_store *s = peal_lua_check_store(L);
	struct peal_buf *b = peal_lua_new_buf(L, PEAL_LIMIT_STORE_FILE);
	unsigned char key[PEAL_STORE_KEY];
	enum peal_err err = peal_store_bytes(s, b, key);

	if (err)
		return peal_lua_push_buf(L, err, b);
	peal_lua_push_buf(L, PEAL_OK, b);
	lua_pushlstring(L, (const char *)key, sizeof(key));
	peal_wipe(key, sizeof(key));
	return 2;
}

/* store:close(), also when collected; an open transaction is forgotten */
static int l_close(lua_State *L)
{
	struct peal_lua_store *b = luaL_checkudata(L, 1, TYPE);

	peal_lua_txn_abort(b->open);
	peal_store_close(b->s);
	b->s = NULL;
	return 0;
}

static int l_tostring(lua_State *L)
{
	struct peal_lua_store *b = luaL_checkudata(L, 1, TYPE);

	if (b->s)
		lua_pushfstring(L, "peal.store (revision %I)",
				(lua_Integer)peal_store_revision(b->s));
	else
		lua_pushstring(L, "peal.store (closed)");
	return 1;
}

/* --- reading --- */

/* store:get(name) -> text | nil, sentence, word */
static int l_get(lua_State *L)
{
	struct peal_store *s = peal_lua_check_store(L);
	const char *name, *text;
	size_t len;

	name = luaL_checklstring(L, 2, &len);
	if (peal_store_get(s, name, len, &text))
		return peal_lua_unknown_name(L, name);
	lua_pushstring(L, text);
	return 1;
}

/* store:value(name) -> table | nil, sentence, word */
static int l_value(lua_State *L)
{
	struct peal_store *s = peal_lua_check_store(L);
	struct peal_value v;
	const char *name;
	size_t len;

	name = luaL_checklstring(L, 2, &len);
	if (peal_store_value(s, name, len, &v))
		return peal_lua_unknown_name(L, name);
	peal_lua_push_value(L, &v);
	return 1;
}

static int next_value(lua_State *L)
{
	struct peal_lua_store *b = lua_touserdata(L, lua_upvalueindex(1));
	lua_Integer i = lua_tointeger(L, lua_upvalueindex(2));
	struct peal_value v;

	if (!b->s)
		return luaL_error(L, "store:each: the store is closed");
	if (peal_store_at(b->s, (unsigned)i, &v))
		return 0;
	lua_pushinteger(L, i + 1);
	lua_copy(L, -1, lua_upvalueindex(2));
	peal_lua_push_value(L, &v);
	return 1;
}

/* for value in store:each() do ... end */
static int l_each(lua_State *L)
{
	peal_lua_check_store(L);
	lua_pushvalue(L, 1);
	lua_pushinteger(L, 0);
	lua_pushcclosure(L, next_value, 2);
	return 1;
}

/* store:changed(before) -> names of what is another in it than in a store of
 * the same schema; before nil: nothing was written yet */
static int l_changed(lua_State *L)
{
	const struct peal_store *s = peal_lua_check_store(L);
	const struct peal_lua_store *b = NULL;
	struct peal_difference at = { 0 };
	const char *name;
	lua_Integer n = 0;
	enum peal_err err;

	lua_settop(L, 2);
	if (!lua_isnil(L, 2)) {
		b = luaL_checkudata(L, 2, TYPE);
		luaL_argcheck(L, b->s, 2, "the store is closed");
	}
	lua_newtable(L);
	while (!(err = peal_store_changed(b ? b->s : NULL, s, &at, &name))) {
		lua_pushstring(L, name);
		lua_rawseti(L, -2, ++n);
	}
	luaL_argcheck(L, err == PEAL_ENOENT, 2, "a store of another schema");
	return 1;
}

/* store:state(ns, key) -> text | nil */
static int l_state(lua_State *L)
{
	struct peal_store *s = peal_lua_check_store(L);
	const char *text;
	size_t len;

	if (peal_store_state(s, luaL_checkstring(L, 2), luaL_checkstring(L, 3),
			     &text, &len))
		lua_pushnil(L);
	else
		lua_pushlstring(L, text, len);
	return 1;
}

/* store:states(ns) -> table from key to text */
static int l_states(lua_State *L)
{
	struct peal_store *s = peal_lua_check_store(L);
	const char *ns = luaL_checkstring(L, 2), *key, *text;
	unsigned i;
	size_t len;

	lua_newtable(L);
	for (i = 0; !peal_store_state_at(s, ns, i, &key, &text, &len); i++) {
		lua_pushlstring(L, text, len);
		lua_setfield(L, -2, key);
	}
	return 1;
}

static int l_revision(lua_State *L)
{
	lua_pushinteger(
		L, (lua_Integer)peal_store_revision(peal_lua_check_store(L)));
	return 1;
}

static void push_revision(lua_State *L, const struct peal_revision *r,
			  const char *damaged)
{
	lua_createtable(L, 0, 6);
	peal_lua_set_int(L, "number", (lua_Integer)r->number);
	peal_lua_set_int(L, "time", r->time);
	peal_lua_set_int(L, "cycle", (lua_Integer)r->cycle);
	peal_lua_set_int(L, "size", (lua_Integer)r->size);
	peal_lua_set_text(L, "cause", r->cause);
	if (damaged)
		peal_lua_set_text(L, "damaged", damaged);
}

static int list_revisions(lua_State *L, const struct peal_store *s,
			  uint64_t last)
{
	struct peal_revision r;
	struct peal_reason why;
	lua_Integer n = 0;
	enum peal_err err;
	unsigned i;

	lua_newtable(L);
	for (i = 0;; i++) {
		err = peal_store_revision_at(s, i, &r, &why);
		if (err && !r.number) {
			if (err == PEAL_ENOENT)
				return 1;
			return peal_lua_fail(L, err, &why);
		}
		if (err == PEAL_ENOENT) /* removed meanwhile by a writer */
			continue;
		if (r.number > last)
			return 1;
		push_revision(L, &r, err ? why.text : NULL);
		lua_rawseti(L, -2, ++n);
	}
}

/* store:revisions() -> list of {number, time, cycle, size, cause}, oldest
 * first; one that cannot be read has a field damaged, with the reason. A copy
 * looks at the folder of its original anew, up to where they part. */
static int l_revisions(lua_State *L)
{
	const struct peal_store *s = peal_lua_check_store(L);
	const struct peal_lua_store *b = lua_touserdata(L, 1), *disk;

	lua_settop(L, 1);
	if (!b->copy || lua_getiuservalue(L, 1, OF_PATH) == LUA_TNIL)
		return list_revisions(L, s, UINT64_MAX);
	lua_settop(L, 1);
	open_again(L, 0);
	disk = luaL_testudata(L, 2, TYPE);
	if (!disk)
		return lua_gettop(L) - 1;
	lua_toclose(L, 2);
	return list_revisions(L, disk->s, b->forked);
}

/* store:notes() -> list of sentences about the opening */
static int l_notes(lua_State *L)
{
	struct peal_store *s = peal_lua_check_store(L);
	const char *text;
	unsigned i;

	lua_newtable(L);
	for (i = 0; (text = peal_store_note(s, i)); i++) {
		lua_pushstring(L, text);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

/* store:fingerprint(text) -> "#3fa9c1d2" */
static int l_fingerprint(lua_State *L)
{
	struct peal_store *s = peal_lua_check_store(L);
	char out[PEAL_FINGERPRINT_SIZE];
	const char *text;
	size_t len;

	text = luaL_checklstring(L, 2, &len);
	peal_store_fingerprint(s, text, len, out);
	lua_pushstring(L, out);
	return 1;
}

void peal_lua_store_type(lua_State *L, const char *name, const luaL_Reg *meta,
			 const luaL_Reg *list)
{
	luaL_newmetatable(L, name);
	luaL_setfuncs(L, meta, 0);
	lua_newtable(L);
	for (; list->name; list++) {
		lua_pushstring(L, list->name);
		lua_pushcclosure(L, list->func, 1);
		lua_setfield(L, -2, list->name);
	}
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
}

int luaopen_peal_store(lua_State *L)
{
	static const luaL_Reg functions[] = { { "open", l_open },
					      { NULL, NULL } };
	static const luaL_Reg meta[] = { { "__gc", l_close },
					 { "__close", l_close },
					 { "__tostring", l_tostring },
					 { NULL, NULL } };
	static const luaL_Reg methods[] = {
		{ "get", l_get },           { "value", l_value },
		{ "each", l_each },         { "changed", l_changed },
		{ "state", l_state },       { "states", l_states },
		{ "revision", l_revision }, { "revisions", l_revisions },
		{ "notes", l_notes },       { "fingerprint", l_fingerprint },
		{ "past", l_past },         { "copy", l_copy },
		{ "bytes", l_bytes },       { "begin", peal_lua_txn_begin },
		{ "close", l_close },       { NULL, NULL },
	};

	peal_lua_txn_type(L);
	peal_lua_store_type(L, TYPE, meta, methods);
	luaL_newlib(L, functions);
	return 1;
}
