/* chain.c - require "peal.chain"
 *
 *   chain.check({ der, ... }, anchors, now) -> true | nil, sentence, word
 *       does the first certificate lead to an anchor, or is it one? The
 *       others may help. now: s, UTC; anchors nil: there are none
 *   chain.same_subject(der, der) -> bool     octet by octet
 *   chain.issued(ca_der, der) -> bool        by name and signature
 *       false where one cannot be read */
#include "peal/chain.h"
#include "bindings.h"

/* Memory of Lua, so that an error cannot leak it; the texts stay in their
 * table. */
static const struct peal_der *check_list(lua_State *L, int index, unsigned *n)
{
	struct peal_der *list;
	lua_Integer len, i;

	luaL_checktype(L, index, LUA_TTABLE);
	len = luaL_len(L, index);
	luaL_argcheck(L, len >= 0 && len <= 100000, index, "too many");
	list = lua_newuserdatauv(L, sizeof(*list) * (size_t)(len + 1), 0);
	for (i = 0; i < len; i++) {
		if (lua_rawgeti(L, index, i + 1) != LUA_TSTRING)
			luaL_argerror(L, index, "not a list of strings");
		list[i].bytes = lua_tolstring(L, -1, &list[i].len);
		lua_pop(L, 1);
	}
	*n = (unsigned)len;
	return list;
}

static int l_check(lua_State *L)
{
	const struct peal_anchors *a =
		lua_isnil(L, 2) ? NULL : peal_lua_check_anchors(L, 2);
	int64_t now = luaL_checkinteger(L, 3);
	struct peal_reason reason;
	unsigned n;
	const struct peal_der *certs = check_list(L, 1, &n);
	enum peal_err err = peal_chain_check(certs, n, a, now, &reason);

	if (err)
		return peal_lua_fail(L, err, &reason);
	lua_pushboolean(L, 1);
	return 1;
}

static struct peal_der check_der(lua_State *L, int index)
{
	struct peal_der d;

	d.bytes = luaL_checklstring(L, index, &d.len);
	return d;
}

static int l_same_subject(lua_State *L)
{
	const struct peal_der a = check_der(L, 1), b = check_der(L, 2);

	lua_pushboolean(L, peal_chain_same_subject(&a, &b));
	return 1;
}

static int l_issued(lua_State *L)
{
	const struct peal_der ca = check_der(L, 1), cert = check_der(L, 2);

	lua_pushboolean(L, peal_chain_issued(&ca, &cert));
	return 1;
}

int luaopen_peal_chain(lua_State *L)
{
	static const luaL_Reg functions[] = { { "check", l_check },
					      { "issued", l_issued },
					      { "same_subject",
						l_same_subject },
					      { NULL, NULL } };

	luaL_newlib(L, functions);
	return 1;
}
