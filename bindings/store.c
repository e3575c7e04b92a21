/* store.c - require "peal.store": parameters and state that survive a power
 * cut, and transactions on them. One transaction at a time; it ends by commit
 * or abort, or when it is closed or collected. */
#include <string.h>

#include "bindings.h"
#include "peal/limits.h"
#include "peal/store.h"

#define TYPE "peal.store"
#define TXN "peal.txn"

struct txn_box;

struct box {
	struct peal_store *s; /* NULL: closed */
	struct txn_box *open;
};

struct txn_box {
	struct peal_txn *t; /* NULL: over */
	struct box *store;  /* kept alive by the user value */
};

/* Failures of a transaction that is over name what was asked of it. */
static struct txn_box *check_txn(lua_State *L)
{
	struct txn_box *b = luaL_checkudata(L, 1, TXN);

	if (!b->t)
		luaL_error(L, "transaction:%s: the transaction is over",
			   lua_tostring(L, lua_upvalueindex(1)));
	return b;
}

struct peal_txn *peal_lua_check_txn(lua_State *L, int index)
{
	struct txn_box *b = luaL_checkudata(L, index, TXN);

	if (!b->t)
		luaL_argerror(L, index, "the transaction is over");
	return b->t;
}

static struct peal_store *check_store(lua_State *L)
{
	struct box *b = luaL_checkudata(L, 1, TYPE);

	if (!b->s)
		luaL_error(L, "store:%s: the store is closed",
			   lua_tostring(L, lua_upvalueindex(1)));
	return b->s;
}

/* --- values --- */

static void push_value(lua_State *L, const struct peal_value *v)
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

static int unknown_name(lua_State *L, const char *name)
{
	struct peal_reason why;

	return peal_lua_fail(L,
			     peal_fail(&why, PEAL_EUNKNOWN,
				       "there is no parameter %.100s", name),
			     &why);
}

/* --- opening --- */

/* store.open{schema=, path=, read_only=, keep=, revision=, start_over=} ->
 * store | nil, sentence, word, place */
static int l_open(lua_State *L)
{
	static const char *const keys[] = { "schema", "path",     "read_only",
					    "keep",   "revision", "start_over",
					    NULL };
	struct peal_store_options o;
	struct peal_schema *schema;
	struct peal_reason why;
	enum peal_err err;
	struct box *b;

	peal_lua_check_keys(L, 1, keys);
	memset(&o, 0, sizeof(o));
	o.path = peal_lua_opt_text(L, 1, "path", NULL, NULL);
	o.read_only = peal_lua_opt_bool(L, 1, "read_only", 0);
	o.start_over = peal_lua_opt_bool(L, 1, "start_over", 0);
	o.keep = (size_t)peal_lua_opt_int(L, 1, "keep", 0, 1 << 30, 0);
	o.revision = (uint64_t)peal_lua_opt_int(L, 1, "revision", 0,
						LUA_MAXINTEGER, 0);
	lua_getfield(L, 1, "schema");
	schema = peal_lua_check_schema(L, -1);
	b = lua_newuserdatauv(L, sizeof(*b), 0);
	b->s = NULL;
	b->open = NULL;
	luaL_setmetatable(L, TYPE);
	err = peal_store_open(&b->s, schema, &o, &why);
	return err ? peal_lua_fail(L, err, &why) : 1;
}

/* store:close(), also when collected; an open transaction is forgotten */
static int l_close(lua_State *L)
{
	struct box *b = luaL_checkudata(L, 1, TYPE);

	if (b->open) {
		peal_txn_abort(b->open->t);
		b->open->t = NULL;
		b->open = NULL;
	}
	peal_store_close(b->s);
	b->s = NULL;
	return 0;
}

static int l_tostring(lua_State *L)
{
	struct box *b = luaL_checkudata(L, 1, TYPE);

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
	struct peal_store *s = check_store(L);
	const char *name, *text;
	size_t len;

	name = luaL_checklstring(L, 2, &len);
	if (peal_store_get(s, name, len, &text))
		return unknown_name(L, name);
	lua_pushstring(L, text);
	return 1;
}

/* store:value(name) -> table | nil, sentence, word */
static int l_value(lua_State *L)
{
	struct peal_store *s = check_store(L);
	struct peal_value v;
	const char *name;
	size_t len;

	name = luaL_checklstring(L, 2, &len);
	if (peal_store_value(s, name, len, &v))
		return unknown_name(L, name);
	push_value(L, &v);
	return 1;
}

static int next_value(lua_State *L)
{
	struct box *b = lua_touserdata(L, lua_upvalueindex(1));
	lua_Integer i = lua_tointeger(L, lua_upvalueindex(2));
	struct peal_value v;

	if (!b->s)
		return luaL_error(L, "store:each: the store is closed");
	if (peal_store_at(b->s, (unsigned)i, &v))
		return 0;
	lua_pushinteger(L, i + 1);
	lua_copy(L, -1, lua_upvalueindex(2));
	push_value(L, &v);
	return 1;
}

/* for value in store:each() do ... end */
static int l_each(lua_State *L)
{
	check_store(L);
	lua_pushvalue(L, 1);
	lua_pushinteger(L, 0);
	lua_pushcclosure(L, next_value, 2);
	return 1;
}

/* store:state(ns, key) -> text | nil */
static int l_state(lua_State *L)
{
	struct peal_store *s = check_store(L);
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
	struct peal_store *s = check_store(L);
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
	lua_pushinteger(L, (lua_Integer)peal_store_revision(check_store(L)));
	return 1;
}

/* store:revisions() -> list of {number, time, cycle, size, cause}, oldest
 * first; one that cannot be read has a field damaged, with the reason */
static int l_revisions(lua_State *L)
{
	struct peal_store *s = check_store(L);
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
		lua_createtable(L, 0, 6);
		peal_lua_set_int(L, "number", (lua_Integer)r.number);
		peal_lua_set_int(L, "time", r.time);
		peal_lua_set_int(L, "cycle", (lua_Integer)r.cycle);
		peal_lua_set_int(L, "size", (lua_Integer)r.size);
		peal_lua_set_text(L, "cause", r.cause);
		if (err)
			peal_lua_set_text(L, "damaged", why.text);
		lua_rawseti(L, -2, ++n);
	}
}

/* store:notes() -> list of sentences about the opening */
static int l_notes(lua_State *L)
{
	struct peal_store *s = check_store(L);
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
	struct peal_store *s = check_store(L);
	char out[PEAL_FINGERPRINT_SIZE];
	const char *text;
	size_t len;

	text = luaL_checklstring(L, 2, &len);
	peal_store_fingerprint(s, text, len, out);
	lua_pushstring(L, out);
	return 1;
}

/* --- transactions --- */

/* store:begin() -> transaction | nil, sentence, word */
static int l_begin(lua_State *L)
{
	struct peal_store *s = check_store(L);
	struct txn_box *b = lua_newuserdatauv(L, sizeof(*b), 1);
	enum peal_err err;

	b->t = NULL;
	b->store = lua_touserdata(L, 1);
	lua_pushvalue(L, 1);
	lua_setiuservalue(L, -2, 1);
	luaL_setmetatable(L, TXN);
	err = peal_txn_begin(&b->t, s);
	if (err)
		return peal_lua_fail(L, err, NULL);
	b->store->open = b;
	return 1;
}

static int l_abort(lua_State *L)
{
	struct txn_box *b = luaL_checkudata(L, 1, TXN);

	if (b->t) {
		peal_txn_abort(b->t);
		b->t = NULL;
		b->store->open = NULL;
	}
	return 0;
}

static int t_tostring(lua_State *L)
{
	struct txn_box *b = luaL_checkudata(L, 1, TXN);

	lua_pushstring(L, b->t ? "peal.txn (open)" : "peal.txn (over)");
	return 1;
}

/* txn:source{cycle=, author=, rule=, url=} */
static int t_source(lua_State *L)
{
	static const char *const keys[] = { "cycle", "author", "rule", "url",
					    NULL };
	struct peal_txn *t = check_txn(L)->t;
	struct peal_source source;
	enum peal_err err;

	peal_lua_check_keys(L, 2, keys);
	source.cycle =
		(uint64_t)peal_lua_opt_int(L, 2, "cycle", 0, LUA_MAXINTEGER, 0);
	source.author = peal_lua_opt_text(L, 2, "author", NULL, "");
	source.rule = peal_lua_opt_text(L, 2, "rule", NULL, "");
	source.url = peal_lua_opt_text(L, 2, "url", NULL, "");
	err = peal_txn_source(t, &source);
	if (err)
		return peal_lua_fail(L, err, NULL);
	lua_pushboolean(L, 1);
	return 1;
}

static int t_keep_unknown(lua_State *L)
{
	struct peal_txn *t = check_txn(L)->t;

	luaL_checktype(L, 2, LUA_TBOOLEAN);
	peal_txn_keep_unknown(t, lua_toboolean(L, 2));
	return 0;
}

static int done(lua_State *L, enum peal_err err, const struct peal_reason *why)
{
	if (err)
		return peal_lua_fail(L, err, why);
	lua_pushboolean(L, 1);
	return 1;
}

/* txn:set(name, text[, {by_user=}]) -> true | nil, sentence, word */
static int t_set(lua_State *L)
{
	static const char *const keys[] = { "by_user", NULL };
	struct peal_txn *t = check_txn(L)->t;
	struct peal_reason why;
	const char *name, *text;
	size_t name_len, len;
	unsigned flags = 0;

	name = luaL_checklstring(L, 2, &name_len);
	text = luaL_checklstring(L, 3, &len);
	if (!lua_isnoneornil(L, 4)) {
		peal_lua_check_keys(L, 4, keys);
		if (peal_lua_opt_bool(L, 4, "by_user", 0))
			flags |= PEAL_SET_BY_USER;
	}
	return done(L, peal_txn_set(t, name, name_len, text, len, flags, &why),
		    &why);
}

/* txn:reset(name) -> true | nil, sentence, word */
static int t_reset(lua_State *L)
{
	struct peal_txn *t = check_txn(L)->t;
	const char *name;
	enum peal_err err;
	size_t len;

	name = luaL_checklstring(L, 2, &len);
	err = peal_txn_reset(t, name, len);
	return err == PEAL_EUNKNOWN ? unknown_name(L, name) :
				      done(L, err, NULL);
}

/* txn:revoke(name) -> true | nil, sentence, word */
static int t_revoke(lua_State *L)
{
	struct peal_txn *t = check_txn(L)->t;
	const char *name;
	enum peal_err err;
	size_t len;

	name = luaL_checklstring(L, 2, &len);
	err = peal_txn_revoke(t, name, len);
	return err == PEAL_EUNKNOWN ? unknown_name(L, name) :
				      done(L, err, NULL);
}

/* txn:factory_reset([list of namespaces of state to keep]) -> true | nil, .. */
static int t_factory_reset(lua_State *L)
{
	struct peal_txn *t = check_txn(L)->t;
	const char *keep[64];
	lua_Integer i, n = 0;

	if (!lua_isnoneornil(L, 2)) {
		luaL_checktype(L, 2, LUA_TTABLE);
		n = (lua_Integer)lua_rawlen(L, 2);
	}
	luaL_argcheck(L, n < 64, 2, "too many namespaces");
	luaL_checkstack(L, (int)n, NULL);
	for (i = 0; i < n; i++) {
		/* stays on the stack, so that the text lives */
		if (lua_rawgeti(L, 2, i + 1) != LUA_TSTRING)
			luaL_argerror(L, 2, "namespaces are strings");
		keep[i] = lua_tostring(L, -1);
	}
	keep[n] = NULL;
	return done(L, peal_txn_factory_reset(t, keep), NULL);
}

/* txn:state(ns, key, text | nil) -> true | nil, sentence, word */
static int t_state(lua_State *L)
{
	struct peal_txn *t = check_txn(L)->t;
	const char *ns = luaL_checkstring(L, 2), *key = luaL_checkstring(L, 3);
	const char *text;
	size_t len = 0;

	luaL_checkany(L, 4);
	text = lua_isnil(L, 4) ? NULL : luaL_checklstring(L, 4, &len);
	return done(L, peal_txn_state(t, ns, key, text, len), NULL);
}

static int t_counts(lua_State *L)
{
	struct peal_txn_counts c;

	peal_txn_counts(check_txn(L)->t, &c);
	lua_createtable(L, 0, 5);
	peal_lua_set_int(L, "elements", c.elements);
	peal_lua_set_int(L, "applied", c.applied);
	peal_lua_set_int(L, "unknown", c.unknown);
	peal_lua_set_int(L, "kept", c.kept);
	peal_lua_set_int(L, "bad", c.bad);
	return 1;
}

/* txn:notes() -> list of {word, name, text, suggest, line} */
static int t_notes(lua_State *L)
{
	struct peal_txn *t = check_txn(L)->t;
	struct peal_note note;
	unsigned i;

	lua_newtable(L);
	for (i = 0; !peal_txn_note(t, i, &note); i++) {
		lua_createtable(L, 0, 5);
		peal_lua_set_text(L, "word", note.word);
		peal_lua_set_text(L, "name", note.name);
		peal_lua_set_text(L, "text", note.text);
		peal_lua_set_text(L, "suggest", note.suggest);
		peal_lua_set_int(L, "line", note.line);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

/* txn:value(name) -> table as store:value | nil, sentence, word */
static int t_value(lua_State *L)
{
	struct peal_txn *t = check_txn(L)->t;
	struct peal_value v;
	const char *name;
	size_t len;

	name = luaL_checklstring(L, 2, &len);
	if (peal_txn_value(t, name, len, &v))
		return unknown_name(L, name);
	push_value(L, &v);
	return 1;
}

static void push_change(lua_State *L, const struct peal_change *c)
{
	const struct peal_value *v = &c->after;

	lua_createtable(L, 0, 10);
	peal_lua_set_text(L, "name", v->name);
	peal_lua_set_text(L, "old", c->before.text);
	peal_lua_set_text(L, "new", v->text);
	peal_lua_set_text(L, "type", peal_type_name(v->type));
	peal_lua_set_bool(L, "secret", (v->flags & PEAL_PARAM_SECRET) != 0);
	peal_lua_set_bool(L, "reboot", (v->flags & PEAL_PARAM_REBOOT) != 0);
	peal_lua_set_text(L, "ua_old", peal_ua_name(c->before.ua));
	peal_lua_set_text(L, "ua_new", peal_ua_name(v->ua));
	peal_lua_set_int(L, "line", v->line);
}

/* txn:changes() -> list of {name, old, new, type, secret, reboot, ua_old,
 * ua_new, line}, against what is committed */
static int t_changes(lua_State *L)
{
	struct peal_txn *t = check_txn(L)->t;
	struct peal_change c;
	enum peal_err err;
	unsigned i;

	lua_newtable(L);
	for (i = 0; !(err = peal_txn_change(t, i, &c)); i++) {
		push_change(L, &c);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	return err == PEAL_ENOENT ? 1 : peal_lua_fail(L, err, NULL);
}

/* txn:commit(cause, time) -> revision, changed | nil, sentence, word; the
 * transaction is over either way */
static int t_commit(lua_State *L)
{
	struct txn_box *b = check_txn(L);
	const char *cause = luaL_checkstring(L, 2);
	lua_Integer time = luaL_checkinteger(L, 3);
	struct peal_txn *t = b->t;
	struct peal_reason why;
	uint64_t before, after;
	enum peal_err err;

	before = peal_store_revision(b->store->s);
	b->t = NULL;
	b->store->open = NULL;
	err = peal_txn_commit(t, cause, time, &after, &why);
	if (err)
		return peal_lua_fail(L, err, &why);
	lua_pushinteger(L, (lua_Integer)after);
	lua_pushboolean(L, after != before);
	return 2;
}

/* Methods know their name, for the message when the handle is closed. */
static void add_methods(lua_State *L, const luaL_Reg *list)
{
	lua_newtable(L);
	for (; list->name; list++) {
		lua_pushstring(L, list->name);
		lua_pushcclosure(L, list->func, 1);
		lua_setfield(L, -2, list->name);
	}
	lua_setfield(L, -2, "__index");
}

static void make_txn(lua_State *L)
{
	static const luaL_Reg meta[] = { { "__gc", l_abort },
					 { "__close", l_abort },
					 { "__tostring", t_tostring },
					 { NULL, NULL } };
	static const luaL_Reg methods[] = {
		{ "source", t_source },   { "keep_unknown", t_keep_unknown },
		{ "set", t_set },         { "reset", t_reset },
		{ "revoke", t_revoke },   { "factory_reset", t_factory_reset },
		{ "state", t_state },     { "counts", t_counts },
		{ "notes", t_notes },     { "value", t_value },
		{ "changes", t_changes }, { "commit", t_commit },
		{ "abort", l_abort },     { NULL, NULL },
	};

	luaL_newmetatable(L, TXN);
	luaL_setfuncs(L, meta, 0);
	add_methods(L, methods);
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
		{ "get", l_get },
		{ "value", l_value },
		{ "each", l_each },
		{ "state", l_state },
		{ "states", l_states },
		{ "revision", l_revision },
		{ "revisions", l_revisions },
		{ "notes", l_notes },
		{ "fingerprint", l_fingerprint },
		{ "begin", l_begin },
		{ "close", l_close },
		{ NULL, NULL },
	};

	make_txn(L);
	luaL_newmetatable(L, TYPE);
	luaL_setfuncs(L, meta, 0);
	add_methods(L, methods);
	lua_pop(L, 1);
	luaL_newlib(L, functions);
	return 1;
}
