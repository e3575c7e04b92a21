/* schema.c - require "peal.schema": which parameters exist.
 *
 *   local s = schema.new()
 *   s:add{name = "Line_Enable_n_", type = "Bool", count = 16, default = "Yes"}
 *   s:seal()
 *
 * Definitions come as tables: name (or names: several between blanks that are
 * alike in all else), type, count, max, min, bits, lo, hi, choices, default, ua,
 * secret, reboot, empty, chars. What documents a parameter (doc, unit,
 * group, source, range, example, effect, label) may be in the same table and
 * is passed over; any other key is an error. */
#include <string.h>

#include "bindings.h"
#include "peal/limits.h"
#include "peal/schema.h"

#define TYPE "peal.schema"

struct box {
	struct peal_schema *s; /* NULL once collected */
};

enum { CHOICES_MAX = 256 };

struct peal_schema *peal_lua_check_schema(lua_State *L, int index)
{
	struct box *b = luaL_checkudata(L, index, TYPE);

	if (!b->s)
		luaL_argerror(L, index, "the schema is gone");
	return b->s;
}

/* schema.new() -> schema | nil, sentence, word */
static int l_new(lua_State *L)
{
	struct box *b = lua_newuserdatauv(L, sizeof(*b), 0);
	enum peal_err err;

	b->s = NULL;
	luaL_setmetatable(L, TYPE);
	err = peal_schema_new(&b->s);
	return err ? peal_lua_fail(L, err, NULL) : 1;
}

static int l_gc(lua_State *L)
{
	struct box *b = luaL_checkudata(L, 1, TYPE);

	peal_schema_unref(b->s);
	b->s = NULL;
	return 0;
}

static int l_tostring(lua_State *L)
{
	struct box *b = luaL_checkudata(L, 1, TYPE);

	lua_pushfstring(L, "peal.schema (%d parameters)",
			b->s ? (int)peal_schema_count(b->s) : 0);
	return 1;
}

/* --- definitions --- */

struct definition {
	struct peal_param p;
	const char *names; /* several, between blanks, instead of p.name */
	const char *choices[CHOICES_MAX + 1];
	int has_lo, has_hi;
};

/* The value is on top. */
static lua_Integer whole(lua_State *L, const char *key, lua_Integer lo,
			 lua_Integer hi)
{
	int ok = 0;
	lua_Integer n = 0;

	if (lua_type(L, -1) == LUA_TNUMBER)
		n = lua_tointegerx(L, -1, &ok);
	if (!ok || n < lo || n > hi)
		luaL_error(L, "%s of a parameter is a whole number in range",
			   key);
	return n;
}

static const char *text(lua_State *L, const char *key)
{
	if (lua_type(L, -1) != LUA_TSTRING)
		luaL_error(L, "%s of a parameter is a string", key);
	return lua_tostring(L, -1);
}

static void flag(lua_State *L, const char *key, struct peal_param *p,
		 unsigned bit)
{
	if (lua_type(L, -1) != LUA_TBOOLEAN)
		luaL_error(L, "%s of a parameter is true or false", key);
	if (lua_toboolean(L, -1))
		p->flags |= bit;
}

/* Strings of a list stay alive as long as the definition's table does. */
static void choices(lua_State *L, struct definition *d)
{
	lua_Integer i, n;

	if (lua_type(L, -1) != LUA_TTABLE)
		luaL_error(L, "choices of a parameter are a list");
	n = (lua_Integer)lua_rawlen(L, -1);
	if (n > CHOICES_MAX)
		luaL_error(L, "too many choices");
	for (i = 1; i <= n; i++) {
		if (lua_rawgeti(L, -1, i) != LUA_TSTRING)
			luaL_error(L, "choices of a parameter are strings");
		d->choices[i - 1] = lua_tostring(L, -1);
		lua_pop(L, 1);
	}
	d->choices[n] = NULL;
	d->p.choices = d->choices;
}

static enum peal_ua access_of(lua_State *L)
{
	const char *word = text(L, "ua");
	int ua;

	for (ua = 0; ua < PEAL_UA_NONE; ua++)
		if (strcmp(word, peal_ua_name((enum peal_ua)ua)) == 0)
			return (enum peal_ua)ua;
	luaL_error(L, "ua of a parameter is na, ro or rw");
	return PEAL_UA_NONE;
}

static void type_of(lua_State *L, struct peal_param *p)
{
	const char *word = text(L, "type");

	if (peal_type_find(&p->type, word))
		luaL_error(L, "there is no type '%s'", word);
}

static int is_prose(const char *key)
{
	static const char *const keys[] = { "doc",    "unit",  "group",
					    "source", "range", "example",
					    "effect", "label", NULL };
	const char *const *k;

	for (k = keys; *k; k++)
		if (strcmp(key, *k) == 0)
			return 1;
	return 0;
}

/* One field, the value on top. One pass over the table's keys is far cheaper
 * than asking for each, and finds the ones that should not be there. */
static void field(lua_State *L, const char *key, struct definition *d)
{
	struct peal_param *p = &d->p;

	if (strcmp(key, "name") == 0)
		p->name = text(L, key);
	else if (strcmp(key, "names") == 0)
		d->names = text(L, key);
	else if (strcmp(key, "type") == 0)
		type_of(L, p);
	else if (strcmp(key, "default") == 0)
		p->deflt = text(L, key);
	else if (strcmp(key, "ua") == 0)
		p->ua = access_of(L);
	else if (strcmp(key, "choices") == 0)
		choices(L, d);
	else if (strcmp(key, "count") == 0)
		p->count = (unsigned)whole(L, key, 0, PEAL_LIMIT_PARAMS);
	else if (strcmp(key, "max") == 0)
		p->max = (unsigned)whole(L, key, 0, PEAL_LIMIT_VALUE);
	else if (strcmp(key, "min") == 0)
		p->min = (unsigned)whole(L, key, 0, PEAL_LIMIT_VALUE);
	else if (strcmp(key, "bits") == 0)
		p->bits = (unsigned)whole(L, key, 0, 64);
	else if (strcmp(key, "lo") == 0)
		p->lo = whole(L, key, INT64_MIN, INT64_MAX), d->has_lo = 1;
	else if (strcmp(key, "hi") == 0)
		p->hi = whole(L, key, INT64_MIN, INT64_MAX), d->has_hi = 1;
	else if (strcmp(key, "secret") == 0)
		flag(L, key, p, PEAL_PARAM_SECRET);
	else if (strcmp(key, "reboot") == 0)
		flag(L, key, p, PEAL_PARAM_REBOOT);
	else if (strcmp(key, "empty") == 0)
		flag(L, key, p, PEAL_PARAM_EMPTY_OK);
	else if (strcmp(key, "chars") == 0)
		flag(L, key, p, PEAL_PARAM_CHARS);
	else if (!is_prose(key))
		luaL_error(L, "a parameter has no field '%s'", key);
}

static void read_definition(lua_State *L, int index, struct definition *d)
{
	memset(&d->p, 0, sizeof(d->p));
	d->names = NULL;
	d->has_lo = d->has_hi = 0;
	lua_pushnil(L);
	while (lua_next(L, index)) {
		if (lua_type(L, -2) != LUA_TSTRING)
			luaL_error(L, "fields of a parameter have names");
		field(L, lua_tostring(L, -2), d);
		lua_pop(L, 1);
	}
	if (!d->p.name == !d->names)
		luaL_error(L, "a parameter has a name or names");
	if (!d->has_lo && !d->has_hi) {
		d->p.lo = 1; /* above hi: the type's own range */
		d->p.hi = 0;
	} else if (!d->has_lo) {
		d->p.lo = d->p.type == PEAL_T_SIG ? INT64_MIN : 0;
	} else if (!d->has_hi) {
		d->p.hi = INT64_MAX;
	}
}

/* The same definition for each of several names. */
static enum peal_err add_names(struct peal_schema *s, struct definition *d,
			       struct peal_reason *why)
{
	static const char blanks[] = " \t\r\n";
	char name[PEAL_LIMIT_NAME + 1];
	const char *at = d->names;
	enum peal_err err = PEAL_OK;
	size_t len;

	at += strspn(at, blanks);
	while (*at && !err) {
		len = strcspn(at, blanks);
		if (len >= sizeof(name))
			return peal_fail(why, PEAL_ELIMIT,
					 "%.60s...: name too long", at);
		memcpy(name, at, len);
		name[len] = '\0';
		d->p.name = name;
		err = peal_schema_add(s, &d->p, why);
		at += len;
		at += strspn(at, blanks);
	}
	return err;
}

static int add_one(lua_State *L, struct peal_schema *s, int index,
		   struct definition *d)
{
	struct peal_reason why;
	enum peal_err err;

	luaL_checktype(L, index, LUA_TTABLE);
	read_definition(L, index, d);
	if (d->names)
		err = add_names(s, d, &why);
	else
		err = peal_schema_add(s, &d->p, &why);
	return err ? peal_lua_fail(L, err, &why) : 0;
}

/* s:add(definition) -> s | nil, sentence, word */
static int l_add(lua_State *L)
{
	struct peal_schema *s = peal_lua_check_schema(L, 1);
	struct definition d;
	int n = add_one(L, s, 2, &d);

	if (n)
		return n;
	lua_settop(L, 1);
	return 1;
}

/* s:add_all(list) -> s | nil, sentence, word; stops at the first failure */
static int l_add_all(lua_State *L)
{
	struct peal_schema *s = peal_lua_check_schema(L, 1);
	struct definition d;
	lua_Integer i;
	int n;

	luaL_checktype(L, 2, LUA_TTABLE);
	lua_settop(L, 2);
	for (i = 1; lua_rawgeti(L, 2, i) != LUA_TNIL; i++) {
		n = add_one(L, s, 3, &d);
		if (n)
			return n;
		lua_settop(L, 2);
	}
	lua_settop(L, 1);
	return 1;
}

/* s:alias(alias, name) -> s | nil, sentence, word */
static int l_alias(lua_State *L)
{
	struct peal_schema *s = peal_lua_check_schema(L, 1);
	struct peal_reason why;
	enum peal_err err;

	err = peal_schema_alias(s, luaL_checkstring(L, 2),
				luaL_checkstring(L, 3), &why);
	if (err)
		return peal_lua_fail(L, err, &why);
	lua_settop(L, 1);
	return 1;
}

/* s:seal() -> s | nil, sentence, word */
static int l_seal(lua_State *L)
{
	enum peal_err err = peal_schema_seal(peal_lua_check_schema(L, 1));

	if (err)
		return peal_lua_fail(L, err, NULL);
	lua_settop(L, 1);
	return 1;
}

/* --- reading --- */

static int find(lua_State *L, struct peal_schema *s, int index)
{
	size_t len;
	const char *name = luaL_checklstring(L, index, &len);

	return peal_schema_find(s, name, len);
}

static int no_such(lua_State *L)
{
	return peal_lua_fail(L, PEAL_EUNKNOWN, NULL);
}

/* s:find(name) -> canonical name | nil */
static int l_find(lua_State *L)
{
	struct peal_schema *s = peal_lua_check_schema(L, 1);
	int i = find(L, s, 2);

	if (i < 0)
		lua_pushnil(L);
	else
		lua_pushstring(L, peal_schema_param(s, (unsigned)i)->name);
	return 1;
}

static void push_choices(lua_State *L, const struct peal_param *p)
{
	lua_Integer n = 0;

	lua_newtable(L);
	for (; p->choices[n]; n++) {
		lua_pushstring(L, p->choices[n]);
		lua_rawseti(L, -2, n + 1);
	}
	lua_setfield(L, -2, "choices");
}

/* s:param(name) -> {name, type, default, ua, secret, reboot, empty, ...}
 * | nil, sentence, "unknown-name"; empty: the type admits "" */
static int l_param(lua_State *L)
{
	struct peal_schema *s = peal_lua_check_schema(L, 1);
	int i = find(L, s, 2);
	const struct peal_param *p;

	if (i < 0)
		return no_such(L);
	p = peal_schema_param(s, (unsigned)i);
	lua_createtable(L, 0, 12);
	peal_lua_set_text(L, "name", p->name);
	peal_lua_set_text(L, "type", peal_type_name(p->type));
	peal_lua_set_text(L, "default", p->deflt);
	peal_lua_set_text(L, "ua", peal_ua_name(p->ua));
	peal_lua_set_bool(L, "secret", (p->flags & PEAL_PARAM_SECRET) != 0);
	peal_lua_set_bool(L, "reboot", (p->flags & PEAL_PARAM_REBOOT) != 0);
	peal_lua_set_bool(L, "empty", peal_schema_empty_ok(s, (unsigned)i));
	if (p->flags & PEAL_PARAM_CHARS)
		peal_lua_set_bool(L, "chars", 1);
	if (p->max)
		peal_lua_set_int(L, "max", p->max);
	if (p->min)
		peal_lua_set_int(L, "min", p->min);
	if (p->bits)
		peal_lua_set_int(L, "bits", p->bits);
	if (p->lo <= p->hi) {
		peal_lua_set_int(L, "lo", p->lo);
		peal_lua_set_int(L, "hi", p->hi);
	}
	if (p->choices)
		push_choices(L, p);
	return 1;
}

/* s:names() -> list in registry order */
static int l_names(lua_State *L)
{
	struct peal_schema *s = peal_lua_check_schema(L, 1);
	unsigned i, n = peal_schema_count(s);

	lua_createtable(L, (int)n, 0);
	for (i = 0; i < n; i++) {
		lua_pushstring(L, peal_schema_param(s, i)->name);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

/* s:suggest(name) -> the known name that may have been meant | nil */
static int l_suggest(lua_State *L)
{
	struct peal_schema *s = peal_lua_check_schema(L, 1);
	size_t len;
	const char *name = luaL_checklstring(L, 2, &len);

	lua_pushstring(L, peal_schema_suggest(s, name, len));
	return 1;
}

/* s:check(name, text) -> canonical text | nil, sentence, word */
static int l_check(lua_State *L)
{
	struct peal_schema *s = peal_lua_check_schema(L, 1);
	int i = find(L, s, 2);
	struct peal_reason why;
	struct peal_buf out;
	enum peal_err err;
	const char *value;
	luaL_Buffer b;
	size_t len;
	char *to;

	value = luaL_checklstring(L, 3, &len);
	if (i < 0)
		return no_such(L);
	/* memory of Lua's is made before any of ours, and none after */
	to = luaL_buffinitsize(L, &b, PEAL_LIMIT_VALUE + 1);
	peal_buf_init(&out, PEAL_LIMIT_VALUE + 1);
	err = peal_schema_check(s, (unsigned)i, value, len, &out, &why);
	if (!err && out.len)
		memcpy(to, out.data, out.len);
	len = out.len;
	peal_buf_fini_secret(&out);
	if (err)
		return peal_lua_fail(L, err, &why);
	luaL_pushresultsize(&b, len);
	return 1;
}

static int l_len(lua_State *L)
{
	lua_pushinteger(L, peal_schema_count(peal_lua_check_schema(L, 1)));
	return 1;
}

int luaopen_peal_schema(lua_State *L)
{
	static const luaL_Reg functions[] = { { "new", l_new },
					      { NULL, NULL } };
	static const luaL_Reg meta[] = { { "__gc", l_gc },
					 { "__tostring", l_tostring },
					 { "__len", l_len },
					 { NULL, NULL } };
	static const luaL_Reg methods[] = {
		{ "add", l_add },     { "add_all", l_add_all },
		{ "alias", l_alias }, { "seal", l_seal },
		{ "find", l_find },   { "param", l_param },
		{ "names", l_names }, { "suggest", l_suggest },
		{ "check", l_check }, { NULL, NULL },
	};

	peal_lua_type(L, TYPE, meta, methods);
	luaL_newlib(L, functions);
	return 1;
}
