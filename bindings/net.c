/* net.c - require "peal.net": names to addresses, and datagrams.
 *
 *   r = net.resolver(loop, {servers=, timeout=, tries=})
 *   h = r:resolve(name, "A"|"AAAA"|"ADDR"|"SRV", use_hosts, fn)  h:cancel()
 *       fn(list) or fn(nil, sentence, word)
 *   net.send(address, port, bytes) -> true | nil, sentence, word */
#include <math.h>

#include "bindings.h"
#include "peal/net.h"

#define TYPE "peal.resolver"

struct box {
	struct peal_resolver *r; /* NULL: closed */
};

struct answers {
	const struct peal_dns_answer *list;
	unsigned n;
	int srv;
};

static void push_answer(lua_State *L, const struct peal_dns_answer *a, int srv)
{
	lua_createtable(L, 0, 5);
	if (srv) {
		peal_lua_set_text(L, "target", a->target);
		peal_lua_set_int(L, "port", a->port);
		peal_lua_set_int(L, "priority", a->priority);
		peal_lua_set_int(L, "weight", a->weight);
	} else {
		peal_lua_set_text(L, "address", a->address);
	}
	peal_lua_set_int(L, "ttl", a->ttl_s);
}

static void push_answers(lua_State *L, const void *answer)
{
	const struct answers *a = answer;
	unsigned i;

	lua_createtable(L, (int)a->n, 0);
	for (i = 0; i < a->n; i++) {
		push_answer(L, &a->list[i], a->srv);
		lua_rawseti(L, -2, i + 1);
	}
}

static void on_addresses(enum peal_err err, const struct peal_dns_answer *list,
			 unsigned n, const struct peal_reason *reason,
			 void *arg)
{
	struct answers a = { list, n, 0 };

	peal_lua_operation_done(arg, err, reason, push_answers,
				err ? NULL : &a);
}

static void on_services(enum peal_err err, const struct peal_dns_answer *list,
			unsigned n, const struct peal_reason *reason, void *arg)
{
	struct answers a = { list, n, 1 };

	peal_lua_operation_done(arg, err, reason, push_answers,
				err ? NULL : &a);
}

/* fn hears of it from the loop. */
static void cancel(struct peal_lua_operation *op)
{
	peal_resolve_cancel(op->running);
}

static const struct peal_lua_operation_type operation = { "peal.query", NULL,
							  cancel };

static void read_options(lua_State *L, int index,
			 struct peal_resolver_options *o)
{
	static const char *const keys[] = { "servers", "timeout", "tries",
					    NULL };
	lua_Number s = 0;

	peal_lua_check_keys(L, index, keys);
	o->servers = peal_lua_opt_text(L, index, "servers", NULL, NULL);
	o->tries = (unsigned)peal_lua_opt_int(L, index, "tries", 1, 10, 3);
	if (lua_getfield(L, index, "timeout") != LUA_TNIL)
		s = luaL_checknumber(L, -1);
	luaL_argcheck(L, s >= 0 && s <= 60, index,
		      "option 'timeout' is not 0..60 seconds");
	o->timeout_ms = (unsigned)ceil(s * 1000);
	lua_pop(L, 1);
}

/* net.resolver(loop, options) -> resolver | nil, sentence, word */
static int l_resolver(lua_State *L)
{
	struct peal_loop *l = peal_lua_check_loop(L, 1);
	struct peal_resolver_options o = { NULL, 0, 0 };
	struct box *b;
	enum peal_err err;

	if (!lua_isnoneornil(L, 2))
		read_options(L, 2, &o);
	b = lua_newuserdatauv(L, sizeof(*b), 1);
	b->r = NULL;
	luaL_setmetatable(L, TYPE);
	lua_pushvalue(L, 1);
	lua_setiuservalue(L, -2, 1);
	err = peal_resolver_new(&b->r, l, &o);
	return err ? peal_lua_fail(L, err, NULL) : 1;
}

static int l_gc(lua_State *L)
{
	struct box *b = luaL_checkudata(L, 1, TYPE);

	peal_resolver_free(b->r);
	b->r = NULL;
	return 0;
}

static int l_tostring(lua_State *L)
{
	struct box *b = luaL_checkudata(L, 1, TYPE);

	lua_pushfstring(L, "peal.resolver (%s)", b->r ? "open" : "closed");
	return 1;
}

/* r:resolve(name, type, use_hosts, fn) -> handle | nil, sentence, word */
static int l_resolve(lua_State *L)
{
	static const char *const types[] = { "A", "AAAA", "ADDR", "SRV", NULL };
	struct box *b = luaL_checkudata(L, 1, TYPE);
	const char *name = luaL_checkstring(L, 2);
	int type = luaL_checkoption(L, 3, NULL, types);
	int use_hosts = lua_toboolean(L, 4);
	struct peal_lua_operation *op;
	struct peal_query *q = NULL;
	enum peal_err err;

	luaL_argcheck(L, b->r, 1, "resolver is closed");
	luaL_checktype(L, 5, LUA_TFUNCTION);
	lua_getiuservalue(L, 1, 1);
	op = peal_lua_operation_new(L, lua_gettop(L), 5, &operation);
	err = peal_resolve_start(
		&q, b->r, name, (enum peal_dns_type)type, use_hosts,
		type == PEAL_DNS_SRV ? on_services : on_addresses, op);
	return peal_lua_operation_started(L, op, err, q, NULL);
}

static uint16_t check_port(lua_State *L, int index)
{
	lua_Integer port = luaL_checkinteger(L, index);

	luaL_argcheck(L, port > 0 && port < 65536, index, "not a port");
	return (uint16_t)port;
}

static int l_send(lua_State *L)
{
	const char *address = luaL_checkstring(L, 1);
	uint16_t port = check_port(L, 2);
	size_t len;
	const char *bytes = luaL_checklstring(L, 3, &len);
	enum peal_err err = peal_datagram_send(address, port, bytes, len);

	if (err)
		return peal_lua_fail(L, err, NULL);
	lua_pushboolean(L, 1);
	return 1;
}

int luaopen_peal_net(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "resolver", l_resolver },
		{ "send", l_send },
		{ NULL, NULL },
	};
	static const luaL_Reg meta[] = { { "__gc", l_gc },
					 { "__close", l_gc },
					 { "__tostring", l_tostring },
					 { NULL, NULL } };
	static const luaL_Reg methods[] = { { "resolve", l_resolve },
					    { "close", l_gc },
					    { NULL, NULL } };

	peal_lua_type(L, TYPE, meta, methods);
	peal_lua_operation_type(L, &operation);
	luaL_newlib(L, functions);
	return 1;
}
