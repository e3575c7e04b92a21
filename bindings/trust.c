/* trust.c - require "peal.trust"
 *
 *   a = trust.anchors(base | nil); #a; a:digest() -> hex
 *       everything of base, which is shared and can grow no more
 *   a:load(path, flags | nil), a:add(bytes, flags | nil) -> count | nil, ...
 *       flags: "private", "dateless" or a list of them
 *   a:facts() -> list of facts as of parse(), base included
 *   i = trust.identity(cert_path, key_path) | nil, sentence, word
 *   i:facts() -> as of parse(), of its own certificate; i:digest() -> hex
 *   trust.name_matches(host, {"DNS:...", "IP:..."}, cn | nil, fallback)
 *   trust.build_time() -> s, UTC: no clock that is set shows an earlier one
 *   trust.set, trust.ciphers, trust.parse, trust.pem: see certs.c */
#include "peal/trust.h"

#include <string.h>

#include "bindings.h"

#define TYPE_ANCHORS "peal.anchors"
#define TYPE_IDENTITY "peal.identity"

struct anchors {
	struct peal_anchors *a; /* NULL: closed */
};

struct identity {
	struct peal_identity *i; /* NULL: closed */
};

struct peal_anchors *peal_lua_check_anchors(lua_State *L, int index)
{
	struct anchors *b = luaL_checkudata(L, index, TYPE_ANCHORS);

	if (!b->a)
		luaL_argerror(L, index, "anchors are closed");
	return b->a;
}

struct peal_identity *peal_lua_check_identity(lua_State *L, int index)
{
	struct identity *b = luaL_checkudata(L, index, TYPE_IDENTITY);

	if (!b->i)
		luaL_argerror(L, index, "identity is closed");
	return b->i;
}

struct peal_identity **peal_lua_new_identity(lua_State *L)
{
	struct identity *b = lua_newuserdatauv(L, sizeof(*b), 0);

	b->i = NULL;
	luaL_setmetatable(L, TYPE_IDENTITY);
	return &b->i;
}

static int l_anchors(lua_State *L)
{
	struct peal_anchors *base =
		lua_isnoneornil(L, 1) ? NULL : peal_lua_check_anchors(L, 1);
	struct anchors *b = lua_newuserdatauv(L, sizeof(*b), 0);
	enum peal_err err;

	b->a = NULL;
	luaL_setmetatable(L, TYPE_ANCHORS);
	err = peal_anchors_extend(&b->a, base);
	return err ? peal_lua_fail(L, err, NULL) : 1;
}

static int l_anchors_gc(lua_State *L)
{
	struct anchors *b = luaL_checkudata(L, 1, TYPE_ANCHORS);

	peal_anchors_unref(b->a);
	b->a = NULL;
	return 0;
}

static int counted(lua_State *L, enum peal_err err, unsigned n,
		   const struct peal_reason *reason)
{
	if (err)
		return peal_lua_fail(L, err, reason);
	lua_pushinteger(L, n);
	return 1;
}

static unsigned flag_at(lua_State *L, int index, int argument)
{
	const char *flag = lua_tostring(L, index);

	if (flag && strcmp(flag, "private") == 0)
		return PEAL_ANCHOR_PRIVATE;
	if (flag && strcmp(flag, "dateless") == 0)
		return PEAL_ANCHOR_DATELESS;
	return (unsigned)luaL_argerror(L, argument,
				       "not \"private\" or \"dateless\"");
}

static unsigned opt_flags(lua_State *L, int index)
{
	unsigned flags = 0;
	lua_Integer i;

	if (lua_isnoneornil(L, index))
		return 0;
	if (!lua_istable(L, index))
		return flag_at(L, index, index);
	for (i = luaL_len(L, index); i > 0; i--) {
		lua_geti(L, index, i);
		flags |= flag_at(L, -1, index);
		lua_pop(L, 1);
	}
	return flags;
}

static int l_load(lua_State *L)
{
	struct peal_anchors *a = peal_lua_check_anchors(L, 1);
	const char *path = luaL_checkstring(L, 2);
	unsigned n, flags = opt_flags(L, 3);
	struct peal_reason reason;
	enum peal_err err = peal_anchors_load(a, path, flags, &n, &reason);

	return counted(L, err, n, &reason);
}

static int l_add(lua_State *L)
{
	struct peal_anchors *a = peal_lua_check_anchors(L, 1);
	size_t len;
	const char *text = luaL_checklstring(L, 2, &len);
	unsigned n, flags = opt_flags(L, 3);
	struct peal_reason reason;
	enum peal_err err = peal_anchors_add(a, text, len, flags, &n, &reason);

	return counted(L, err, n, &reason);
}

struct listing {
	lua_State *L;
	lua_Integer n;
};

/* An error of Lua's may jump out of it: nothing is held meanwhile. */
static enum peal_err list_cert(const struct peal_cert_facts *facts, void *arg)
{
	struct listing *l = arg;
	enum peal_err err =
		peal_lua_push_cert(l->L, facts->der, facts->der_len);

	if (!err)
		lua_rawseti(l->L, -2, ++l->n);
	return err;
}

static int l_anchors_facts(lua_State *L)
{
	struct listing l = { .L = L };
	enum peal_err err;

	lua_newtable(L);
	err = peal_anchors_each(peal_lua_check_anchors(L, 1), list_cert, &l);
	return err ? peal_lua_fail(L, err, NULL) : 1;
}

static int l_count(lua_State *L)
{
	lua_pushinteger(L, peal_anchors_count(peal_lua_check_anchors(L, 1)));
	return 1;
}

static int l_anchors_digest(lua_State *L)
{
	unsigned char digest[32];

	peal_anchors_digest(peal_lua_check_anchors(L, 1), digest);
	peal_lua_push_hex(L, digest, sizeof(digest));
	return 1;
}

static int l_anchors_tostring(lua_State *L)
{
	struct anchors *b = luaL_checkudata(L, 1, TYPE_ANCHORS);

	if (b->a)
		lua_pushfstring(L, "peal.anchors (%d)",
				(int)peal_anchors_count(b->a));
	else
		lua_pushliteral(L, "peal.anchors (closed)");
	return 1;
}

static int l_identity(lua_State *L)
{
	const char *cert = luaL_checkstring(L, 1);
	const char *key = luaL_checkstring(L, 2);
	struct peal_identity **i = peal_lua_new_identity(L);
	struct peal_reason reason;
	enum peal_err err = peal_identity_load(i, cert, key, &reason);

	return err ? peal_lua_fail(L, err, &reason) : 1;
}

static int l_identity_gc(lua_State *L)
{
	struct identity *b = luaL_checkudata(L, 1, TYPE_IDENTITY);

	peal_identity_unref(b->i);
	b->i = NULL;
	return 0;
}

static int l_identity_facts(lua_State *L)
{
	struct peal_identity *i = peal_lua_check_identity(L, 1);
	size_t len;
	const unsigned char *der = peal_identity_der(i, &len);
	enum peal_err err = peal_lua_push_cert(L, der, len);

	return err ? peal_lua_fail(L, err, NULL) : 1;
}

static int l_identity_digest(lua_State *L)
{
	unsigned char digest[32];

	peal_identity_digest(peal_lua_check_identity(L, 1), digest);
	peal_lua_push_hex(L, digest, sizeof(digest));
	return 1;
}

static int l_identity_tostring(lua_State *L)
{
	struct identity *b = luaL_checkudata(L, 1, TYPE_IDENTITY);

	lua_pushfstring(L, "peal.identity (%s)", b->i ? "open" : "closed");
	return 1;
}

/* Memory of Lua, so that an error cannot leak it; the texts stay in their
 * table. */
static const char **check_texts(lua_State *L, int index, unsigned *n)
{
	const char **list;
	lua_Integer len, i;

	luaL_checktype(L, index, LUA_TTABLE);
	len = luaL_len(L, index);
	luaL_argcheck(L, len >= 0 && len <= 100000, index, "too many");
	list = lua_newuserdatauv(L, sizeof(*list) * (size_t)(len + 1), 0);
	for (i = 1; i <= len; i++) {
		if (lua_rawgeti(L, index, i) != LUA_TSTRING)
			luaL_argerror(L, index, "not a list of strings");
		list[i - 1] = lua_tostring(L, -1);
		lua_pop(L, 1);
	}
	list[len] = NULL;
	*n = (unsigned)len;
	return list;
}

static int l_name_matches(lua_State *L)
{
	const char *host = luaL_checkstring(L, 1);
	size_t cn_len = 0;
	const char *cn = luaL_optlstring(L, 3, NULL, &cn_len);
	int fallback = lua_isnoneornil(L, 4) || lua_toboolean(L, 4);
	unsigned n;
	const char **sans = check_texts(L, 2, &n);

	lua_pushboolean(L,
			peal_name_matches(host, sans, n, cn, cn_len, fallback));
	return 1;
}

static int l_build_time(lua_State *L)
{
	lua_pushinteger(L, peal_build_time());
	return 1;
}

int luaopen_peal_trust(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "anchors", l_anchors },
		{ "build_time", l_build_time },
		{ "identity", l_identity },
		{ "name_matches", l_name_matches },
		{ NULL, NULL },
	};
	static const luaL_Reg meta[] = { { "__gc", l_anchors_gc },
					 { "__len", l_count },
					 { "__tostring", l_anchors_tostring },
					 { NULL, NULL } };
	static const luaL_Reg methods[] = { { "load", l_load },
					    { "add", l_add },
					    { "facts", l_anchors_facts },
					    { "digest", l_anchors_digest },
					    { NULL, NULL } };
	static const luaL_Reg id_meta[] = { { "__gc", l_identity_gc },
					    { "__tostring",
					      l_identity_tostring },
					    { NULL, NULL } };
	static const luaL_Reg id_methods[] = { { "facts", l_identity_facts },
					       { "digest", l_identity_digest },
					       { NULL, NULL } };

	peal_lua_type(L, TYPE_ANCHORS, meta, methods);
	peal_lua_type(L, TYPE_IDENTITY, id_meta, id_methods);
	luaL_newlib(L, functions);
	peal_lua_open_certs(L);
	return 1;
}
