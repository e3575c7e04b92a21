/* decode.c - require "peal.decode"
 *
 *   decode.apply(bytes, options, txn) -> facts         see peal/decode.h
 *   decode.text(bytes, options) -> text, facts
 *   decode.elements(bytes, options) -> list, facts
 *   decode.gunzip(bytes, max) -> bytes      what encode.gzip() made
 *
 *   options   nil or {key=, ikm=, codings=, aliases={{path=, name=}, ...}}
 *   facts     {steps={"gzip", "xml"}, bytes_in=, bytes_plain=}
 *   list      {name=, value=, line=} and, where they apply, ua= "na", "ro" or
 *             "rw" and quoted_empty, preserve, user_pref, bad_ua, children,
 *             too_long = true
 * All fail with nil, sentence, word, place; after a failed apply the caller
 * drops the transaction. */
#include <string.h>

#include "bindings.h"
#include "peal/alloc.h"
#include "peal/arena.h"
#include "peal/decode.h"
#include "peal/limits.h"
#include "peal/store.h"

#define TYPE "peal.decode.result"

struct item {
	struct item *next;
	struct peal_element e;
};

/* Results on their way to Lua: C memory that an error in Lua must not lose. */
struct result {
	struct peal_buf text;
	struct peal_arena arena;
	struct item *first, **last;
};

static int l_result_gc(lua_State *L)
{
	struct result *r = luaL_checkudata(L, 1, TYPE);
	struct item *i;

	peal_buf_fini_secret(&r->text);
	for (i = r->first; i; i = i->next)
		peal_wipe((char *)i->e.value, i->e.value_len);
	r->first = NULL;
	peal_arena_fini(&r->arena);
	return 0;
}

static struct result *new_result(lua_State *L)
{
	struct result *r = lua_newuserdatauv(L, sizeof(*r), 0);

	peal_buf_init(&r->text, PEAL_LIMIT_INFLATED);
	peal_arena_init(&r->arena, (size_t)PEAL_LIMIT_INFLATED * 2);
	r->first = NULL;
	r->last = &r->first;
	if (luaL_newmetatable(L, TYPE)) {
		lua_pushcfunction(L, l_result_gc);
		lua_setfield(L, -2, "__gc");
	}
	lua_setmetatable(L, -2);
	return r;
}

static void free_result(lua_State *L, int index)
{
	lua_pushcfunction(L, l_result_gc);
	lua_pushvalue(L, index);
	lua_call(L, 1, 0);
}

/* The texts are borrowed from the tables, which stay on the stack. */
static void check_aliases(lua_State *L, struct peal_decode_options *o,
			  struct peal_alias aliases[PEAL_LIMIT_ALIASES])
{
	static const char *const keys[] = { "path", "name", NULL };
	lua_Integer i, n;

	if (lua_getfield(L, 2, "aliases") == LUA_TNIL) {
		lua_pop(L, 1);
		return;
	}
	luaL_argcheck(L, lua_istable(L, -1), 2, "'aliases' is no table");
	n = luaL_len(L, -1);
	luaL_argcheck(L, n <= PEAL_LIMIT_ALIASES, 2, "too many aliases");
	for (i = 0; i < n; i++) {
		lua_geti(L, -1, i + 1);
		peal_lua_check_keys(L, -1, keys);
		aliases[i].path = peal_lua_opt_text(L, -1, "path", NULL, NULL);
		aliases[i].name = peal_lua_opt_text(L, -1, "name", NULL, NULL);
		luaL_argcheck(L, aliases[i].path && aliases[i].name, 2,
			      "an alias has a path and a name");
		lua_pop(L, 1);
	}
	o->aliases = aliases;
	o->aliases_n = (unsigned)n;
	lua_pop(L, 1);
}

static void check_options(lua_State *L, struct peal_decode_options *o,
			  struct peal_alias aliases[PEAL_LIMIT_ALIASES])
{
	static const char *const keys[] = { "key", "ikm", "codings", "aliases",
					    NULL };

	memset(o, 0, sizeof(*o));
	if (lua_isnoneornil(L, 2))
		return;
	peal_lua_check_keys(L, 2, keys);
	o->key = peal_lua_opt_text(L, 2, "key", &o->key_len, NULL);
	o->ikm = peal_lua_opt_text(L, 2, "ikm", &o->ikm_len, NULL);
	o->codings = peal_lua_opt_text(L, 2, "codings", NULL, NULL);
	check_aliases(L, o, aliases);
}

static void push_facts(lua_State *L, const struct peal_decode_facts *f)
{
	unsigned i;

	lua_createtable(L, 0, 3);
	lua_createtable(L, (int)f->steps_n, 0);
	for (i = 0; i < f->steps_n; i++) {
		lua_pushstring(L, f->steps[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "steps");
	peal_lua_set_int(L, "bytes_in", (lua_Integer)f->bytes_in);
	peal_lua_set_int(L, "bytes_plain", (lua_Integer)f->bytes_plain);
}

static int l_apply(lua_State *L)
{
	struct peal_alias aliases[PEAL_LIMIT_ALIASES];
	struct peal_decode_options o;
	struct peal_decode_facts facts;
	struct peal_reason reason;
	struct peal_txn *txn;
	enum peal_err err;
	size_t len;
	const char *bytes = luaL_checklstring(L, 1, &len);

	check_options(L, &o, aliases);
	txn = peal_lua_check_txn(L, 3);
	err = peal_decode(bytes, len, &o, peal_txn_element, txn, &facts,
			  &reason);
	if (err)
		return peal_lua_fail(L, err, &reason);
	push_facts(L, &facts);
	return 1;
}

static enum peal_err add_text(const void *bytes, size_t len, void *arg)
{
	struct result *r = arg;

	return peal_buf_add(&r->text, bytes, len);
}

static int l_text(lua_State *L)
{
	struct peal_alias aliases[PEAL_LIMIT_ALIASES];
	struct peal_decode_options o;
	struct peal_decode_facts facts;
	struct peal_reason reason;
	struct result *r;
	enum peal_err err;
	size_t len;
	const char *bytes = luaL_checklstring(L, 1, &len);

	check_options(L, &o, aliases);
	r = new_result(L);
	err = peal_decode_bytes(bytes, len, &o, add_text, r, &facts, &reason);
	if (err) {
		free_result(L, lua_absindex(L, -1));
		return peal_lua_fail(L, err, &reason);
	}
	lua_pushlstring(L, (char *)r->text.data, r->text.len);
	free_result(L, lua_absindex(L, -2));
	push_facts(L, &facts);
	return 2;
}

static enum peal_err add_element(const struct peal_element *e, void *arg)
{
	struct result *r = arg;
	struct item *i = peal_arena_alloc(&r->arena, sizeof(*i));

	if (!i)
		return PEAL_ENOMEM;
	i->e = *e;
	i->e.name = peal_arena_dup(&r->arena, e->name, e->name_len);
	i->e.value = peal_arena_dup(&r->arena, e->value, e->value_len);
	if (!i->e.name || !i->e.value)
		return PEAL_ENOMEM;
	*r->last = i;
	r->last = &i->next;
	return PEAL_OK;
}

static void push_element(lua_State *L, const struct peal_element *e)
{
	static const struct {
		unsigned flag;
		const char *name;
	} flags[] = {
		{ PEAL_ELEMENT_QUOTED_EMPTY, "quoted_empty" },
		{ PEAL_ELEMENT_PRESERVE, "preserve" },
		{ PEAL_ELEMENT_USER_PREF, "user_pref" },
		{ PEAL_ELEMENT_BAD_UA, "bad_ua" },
		{ PEAL_ELEMENT_CHILDREN, "children" },
		{ PEAL_ELEMENT_TOO_LONG, "too_long" },
	};
	size_t i;

	lua_createtable(L, 0, 4);
	peal_lua_set_bytes(L, "name", e->name, e->name_len);
	peal_lua_set_bytes(L, "value", e->value, e->value_len);
	peal_lua_set_int(L, "line", e->line);
	if (e->ua != PEAL_UA_NONE)
		peal_lua_set_text(L, "ua", peal_ua_name(e->ua));
	for (i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (e->flags & flags[i].flag)
			peal_lua_set_bool(L, flags[i].name, 1);
}

static int l_elements(lua_State *L)
{
	struct peal_alias aliases[PEAL_LIMIT_ALIASES];
	struct peal_decode_options o;
	struct peal_decode_facts facts;
	struct peal_reason reason;
	struct result *r;
	const struct item *i;
	enum peal_err err;
	lua_Integer n = 0;
	size_t len;
	const char *bytes = luaL_checklstring(L, 1, &len);

	check_options(L, &o, aliases);
	r = new_result(L);
	err = peal_decode(bytes, len, &o, add_element, r, &facts, &reason);
	if (err) {
		free_result(L, lua_absindex(L, -1));
		return peal_lua_fail(L, err, &reason);
	}
	lua_newtable(L);
	for (i = r->first; i; i = i->next) {
		push_element(L, &i->e);
		lua_rawseti(L, -2, ++n);
	}
	free_result(L, lua_absindex(L, -2));
	push_facts(L, &facts);
	return 2;
}

static int l_gunzip(lua_State *L)
{
	size_t len;
	const char *bytes = luaL_checklstring(L, 1, &len);
	lua_Integer max = luaL_checkinteger(L, 2);
	struct peal_reason reason;
	struct peal_buf *b;
	enum peal_err err;

	luaL_argcheck(L, max >= 0 && max <= INT32_MAX, 2,
		      "not a number of bytes");
	b = peal_lua_new_buf(L, (size_t)max);
	err = peal_gunzip(bytes, len, b, &reason);
	if (!err)
		return peal_lua_push_buf(L, err, b);
	peal_buf_fini_secret(b);
	return peal_lua_fail(L, err, &reason);
}

int luaopen_peal_decode(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "apply", l_apply },
		{ "text", l_text },
		{ "elements", l_elements },
		{ "gunzip", l_gunzip },
		{ NULL, NULL },
	};

	luaL_newlib(L, functions);
	return 1;
}
