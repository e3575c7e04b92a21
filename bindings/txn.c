/* txn.c - the transactions of "peal.store". One at a time; it ends by commit
 * or abort, or when it or its store is closed or collected. */
#include "bindings.h"
#include "store.h"

#define TYPE "peal.txn"

struct peal_lua_txn {
	struct peal_txn *t;           /* NULL: over */
	struct peal_lua_store *store; /* kept alive by the user value */
};

/* Failures of a transaction that is over name what was asked of it. */
static struct peal_lua_txn *check_txn(lua_State *L)
{
	struct peal_lua_txn *b = luaL_checkudata(L, 1, TYPE);

	if (!b->t)
		luaL_error(L, "transaction:%s: the transaction is over",
			   lua_tostring(L, lua_upvalueindex(1)));
	return b;
}

struct peal_txn *peal_lua_check_txn(lua_State *L, int index)
{
	struct peal_lua_txn *b = luaL_checkudata(L, index, TYPE);

	if (!b->t)
		luaL_argerror(L, index, "the transaction is over");
	return b->t;
}

/* --- beginning and ending --- */

int peal_lua_txn_begin(lua_State *L)
{
	struct peal_store *s = peal_lua_check_store(L);
	struct peal_lua_txn *b = lua_newuserdatauv(L, sizeof(*b), 1);
	enum peal_err err;

	b->t = NULL;
	b->store = lua_touserdata(L, 1);
	lua_pushvalue(L, 1);
	lua_setiuservalue(L, -2, 1);
	luaL_setmetatable(L, TYPE);
	err = peal_txn_begin(&b->t, s);
	if (err)
		return peal_lua_fail(L, err, NULL);
	b->store->open = b;
	return 1;
}

void peal_lua_txn_abort(struct peal_lua_txn *b)
{
	if (!b || !b->t)
		return;
	peal_txn_abort(b->t);
	b->t = NULL;
	b->store->open = NULL;
}

static int t_abort(lua_State *L)
{
	peal_lua_txn_abort(luaL_checkudata(L, 1, TYPE));
	return 0;
}

static int t_tostring(lua_State *L)
{
	struct peal_lua_txn *b = luaL_checkudata(L, 1, TYPE);

	lua_pushstring(L, b->t ? "peal.txn (open)" : "peal.txn (over)");
	return 1;
}

/* txn:commit(cause, time) -> revision, changed | nil, sentence, word; the
 * transaction is over either way */
static int t_commit(lua_State *L)
{
	struct peal_lua_txn *b = check_txn(L);
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

/* --- writing --- */

static int done(lua_State *L, enum peal_err err, const struct peal_reason *why)
{
	if (err)
		return peal_lua_fail(L, err, why);
	lua_pushboolean(L, 1);
	return 1;
}

/* txn:source{cycle=, author=, rule=, url=} */
static int t_source(lua_State *L)
{
	static const char *const keys[] = { "cycle", "author", "rule", "url",
					    NULL };
	struct peal_txn *t = check_txn(L)->t;
	struct peal_source source;

	peal_lua_check_keys(L, 2, keys);
	source.cycle =
		(uint64_t)peal_lua_opt_int(L, 2, "cycle", 0, LUA_MAXINTEGER, 0);
	source.author = peal_lua_opt_text(L, 2, "author", NULL, "");
	source.rule = peal_lua_opt_text(L, 2, "rule", NULL, "");
	source.url = peal_lua_opt_text(L, 2, "url", NULL, "");
	return done(L, peal_txn_source(t, &source), NULL);
}

static int t_keep_unknown(lua_State *L)
{
	struct peal_txn *t = check_txn(L)->t;

	luaL_checktype(L, 2, LUA_TBOOLEAN);
	peal_txn_keep_unknown(t, lua_toboolean(L, 2));
	return 0;
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

static int on_name(lua_State *L,
		   enum peal_err (*fn)(struct peal_txn *t, const char *name,
				       size_t len))
{
	struct peal_txn *t = check_txn(L)->t;
	const char *name;
	enum peal_err err;
	size_t len;

	name = luaL_checklstring(L, 2, &len);
	err = fn(t, name, len);
	return err == PEAL_EUNKNOWN ? peal_lua_unknown_name(L, name) :
				      done(L, err, NULL);
}

/* txn:reset(name) -> true | nil, sentence, word */
static int t_reset(lua_State *L)
{
	return on_name(L, peal_txn_reset);
}

/* txn:revoke(name) -> true | nil, sentence, word */
static int t_revoke(lua_State *L)
{
	return on_name(L, peal_txn_revoke);
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

/* --- reading --- */

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

static const char *touch_word(enum peal_touch how)
{
	switch (how) {
	case PEAL_TOUCH_WRITTEN:
		return "written";
	case PEAL_TOUCH_USER:
		return "user";
	case PEAL_TOUCH_KEPT:
		return "kept";
	case PEAL_TOUCH_BAD:
		return "bad";
	case PEAL_TOUCH_NONE:
		break;
	}
	return NULL;
}

/* txn:touched(name) -> "written" | "user" | "kept" | "bad", line of the
 * profile | nil: its last element of that name */
static int t_touched(lua_State *L)
{
	struct peal_lua_txn *b = check_txn(L);
	size_t len;
	const char *name = luaL_checklstring(L, 2, &len), *word = NULL;
	int index = peal_schema_find(peal_store_schema(b->store->s), name, len);
	long line = 0;

	if (index >= 0)
		word = touch_word(peal_txn_touch(b->t, (unsigned)index, &line));
	lua_pushstring(L, word);
	lua_pushinteger(L, line);
	return word ? 2 : 1;
}

/* txn:users() -> list of {name, line} of the elements that lost against a
 * value of the user's */
static int t_users(lua_State *L)
{
	struct peal_lua_txn *b = check_txn(L);
	struct peal_schema *s = peal_store_schema(b->store->s);
	const struct peal_param *p;
	lua_Integer n = 0;
	unsigned i;
	long line;

	lua_newtable(L);
	for (i = 0; (p = peal_schema_param(s, i)); i++) {
		if (peal_txn_touch(b->t, i, &line) != PEAL_TOUCH_USER)
			continue;
		lua_createtable(L, 0, 2);
		peal_lua_set_text(L, "name", p->name);
		peal_lua_set_int(L, "line", line);
		lua_rawseti(L, -2, ++n);
	}
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
		return peal_lua_unknown_name(L, name);
	peal_lua_push_value(L, &v);
	return 1;
}

static void push_change(lua_State *L, const struct peal_change *c)
{
	const struct peal_value *v = &c->after;

	lua_createtable(L, 0, 13);
	peal_lua_set_text(L, "name", v->name);
	peal_lua_set_text(L, "old", c->before.text);
	peal_lua_set_text(L, "new", v->text);
	peal_lua_set_text(L, "type", peal_type_name(v->type));
	peal_lua_set_bool(L, "secret", (v->flags & PEAL_PARAM_SECRET) != 0);
	peal_lua_set_bool(L, "reboot", (v->flags & PEAL_PARAM_REBOOT) != 0);
	peal_lua_set_text(L, "ua_old", peal_ua_name(c->before.ua));
	peal_lua_set_text(L, "ua_new", peal_ua_name(v->ua));
	peal_lua_set_bool(L, "was_default", c->before.is_default);
	peal_lua_set_bool(L, "pref_old", c->before.user_pref);
	peal_lua_set_bool(L, "um_old", c->before.user_modified);
	peal_lua_set_int(L, "line", v->line);
}

/* txn:changes() -> list of {name, old, new, type, secret, reboot, ua_old,
 * ua_new, was_default, pref_old, um_old, line}, against what is committed */
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

void peal_lua_txn_type(lua_State *L)
{
	static const luaL_Reg meta[] = { { "__gc", t_abort },
					 { "__close", t_abort },
					 { "__tostring", t_tostring },
					 { NULL, NULL } };
	static const luaL_Reg methods[] = {
		{ "source", t_source },   { "keep_unknown", t_keep_unknown },
		{ "set", t_set },         { "reset", t_reset },
		{ "revoke", t_revoke },   { "factory_reset", t_factory_reset },
		{ "state", t_state },     { "counts", t_counts },
		{ "notes", t_notes },     { "value", t_value },
		{ "touched", t_touched }, { "users", t_users },
		{ "changes", t_changes }, { "commit", t_commit },
		{ "abort", t_abort },     { NULL, NULL },
	};

	peal_lua_store_type(L, TYPE, meta, methods);
}
