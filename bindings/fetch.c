/* fetch.c - require "peal.fetch": one HTTP or HTTPS exchange at a time.
 *
 *   f = fetch.new(loop)
 *   h = f:start(request, fn)   fn(response) or fn(nil, sentence, word,
 *                              response), once, from loop:run()
 *   h:cancel()
 *   f:export() -> TLS sessions as bytes, "" none | nil, sentence, word. Secret
 *   f:import(bytes) -> how many were taken
 *   f:forget()          sessions and idle connections
 *
 * request: url, address, method, headers, body, user, password, auth, proxy,
 * proxy_address, proxy_user, proxy_password, tls, max, connect, idle, total
 * (seconds), sink. tls: anchors, identity, rejected, pinned, removed, ciphers,
 * min_version, check_name, cn_fallback, min_rsa_bits, now, dns_failure, once;
 * see peal/trust.h. Redirects and retries are the caller's.
 *
 * sink(bytes) -> true | nil, sentence, word: takes the body of a 2xx answer
 * piece by piece, and nothing else; response.body is empty then. Called from
 * loop:run(); what it refuses with, or raises, is what fn gets. Bytes come as
 * they were sent: do not ask for a content coding.
 * response.bytes: of body, kept or taken by the sink. */
#include <string.h>

#include "bindings.h"
#include "peal/fetch.h"

#define TYPE "peal.fetcher"

enum { HEADERS_MAX = 64 };

struct box {
	struct peal_fetcher *f; /* NULL: closed */
};

/* {name, value} of "Name: value" */
static void push_header(lua_State *L, const char *line)
{
	const char *colon = strchr(line, ':');
	size_t len = colon ? (size_t)(colon - line) : strlen(line);
	const char *value = colon ? colon + 1 : "", *end;

	value += strspn(value, " \t");
	end = value + strlen(value);
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	lua_createtable(L, 2, 0);
	lua_pushlstring(L, line, len);
	lua_rawseti(L, -2, 1);
	lua_pushlstring(L, value, (size_t)(end - value));
	lua_rawseti(L, -2, 2);
}

static void push_headers(lua_State *L, const struct peal_fetch_response *r)
{
	const char *line = r->headers, *end = line + r->headers_len;
	lua_Integer n = 0;

	lua_newtable(L);
	for (; line && line < end; line += strlen(line) + 1) {
		push_header(L, line);
		lua_rawseti(L, -2, ++n);
	}
}

static void push_tls(lua_State *L, const struct peal_fetch_response *r)
{
	unsigned i;

	lua_createtable(L, 0, 10);
	peal_lua_set_text(L, "version", r->tls_version);
	peal_lua_set_text(L, "cipher", r->cipher);
	peal_lua_set_bool(L, "client_cert_sent", r->client_cert_sent);
	peal_lua_set_bool(L, "client_cert_requested", r->client_cert_requested);
	peal_lua_set_bool(L, "resumed", r->resumed);
	peal_lua_set_bool(L, "reused", r->reused);
	peal_lua_set_bool(L, "pinned", r->pinned);
	peal_lua_set_bool(L, "anchor_private", r->anchor_private);
	peal_lua_set_text(L, "anchor", r->anchor[0] ? r->anchor : NULL);
	lua_createtable(L, (int)r->chain_n, 0);
	for (i = 0; i < r->chain_n; i++) {
		lua_createtable(L, 0, 15);
		peal_lua_set_cert(L, &r->chain[i]);
		lua_rawseti(L, -2, i + 1);
	}
	lua_setfield(L, -2, "chain");
}

static void push_timing(lua_State *L, const struct peal_fetch_response *r)
{
	lua_createtable(L, 0, 4);
	peal_lua_set_number(L, "connect", r->connect_s);
	peal_lua_set_number(L, "tls", r->tls_s);
	peal_lua_set_number(L, "first_byte", r->first_byte_s);
	peal_lua_set_number(L, "total", r->total_s);
}

static void push_response(lua_State *L, const void *answer)
{
	const struct peal_fetch_response *r = answer;

	lua_createtable(L, 0, 11);
	peal_lua_set_int(L, "status", r->status);
	peal_lua_set_int(L, "bytes", (lua_Integer)r->received);
	peal_lua_set_bytes(L, "body", r->body, r->body_len);
	push_headers(L, r);
	lua_setfield(L, -2, "headers");
	peal_lua_set_int(L, "sent", r->sent);
	peal_lua_set_text(L, "peer", r->peer);
	peal_lua_set_int(L, "port", r->peer_port);
	peal_lua_set_bool(L, "auth_exhausted", r->auth_exhausted);
	if (r->tls_version[0] || r->chain_n) {
		push_tls(L, r);
		lua_setfield(L, -2, "tls");
	}
	push_timing(L, r);
	lua_setfield(L, -2, "timing");
}

static void on_done(enum peal_err err, const struct peal_fetch_response *r,
		    const struct peal_reason *reason, void *arg)
{
	peal_lua_operation_done(arg, err, reason, push_response, r);
}

/* fn hears of it from the loop. */
static void cancel(struct peal_lua_operation *op)
{
	peal_fetch_cancel(op->running);
}

static const struct peal_lua_operation_type operation = { "peal.fetch",
							  "running", cancel };

static struct peal_fetcher *check_fetcher(lua_State *L, int index)
{
	struct box *b = luaL_checkudata(L, index, TYPE);

	if (!b->f)
		luaL_argerror(L, index, "fetcher is closed");
	return b->f;
}

static unsigned opt_auth(lua_State *L, int index)
{
	unsigned bits = 0;
	lua_Integer i;
	const char *word;

	if (lua_getfield(L, index, "auth") == LUA_TNIL) {
		lua_pop(L, 1);
		return PEAL_AUTH_BASIC | PEAL_AUTH_DIGEST;
	}
	if (!lua_istable(L, -1))
		luaL_argerror(L, index, "option 'auth' is a list");
	for (i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++) {
		word = lua_tostring(L, -1);
		if (word && strcmp(word, "basic") == 0)
			bits |= PEAL_AUTH_BASIC;
		else if (word && strcmp(word, "digest") == 0)
			bits |= PEAL_AUTH_DIGEST;
		else
			luaL_argerror(L, index,
				      "option 'auth': basic or digest");
		lua_pop(L, 1);
	}
	lua_pop(L, 2);
	return bits;
}

/* The texts stay in their table, which stays in the request. */
static void read_headers(lua_State *L, int index,
			 const char *list[HEADERS_MAX + 1])
{
	unsigned n = 0;
	size_t len;

	list[0] = NULL;
	if (lua_getfield(L, index, "headers") == LUA_TNIL) {
		lua_pop(L, 1);
		return;
	}
	if (!lua_istable(L, -1))
		luaL_argerror(L, index, "option 'headers' is a list");
	while (lua_rawgeti(L, -1, n + 1) != LUA_TNIL) {
		if (n == HEADERS_MAX)
			luaL_argerror(L, index, "too many headers");
		if (lua_type(L, -1) != LUA_TSTRING)
			luaL_argerror(L, index, "headers are strings");
		list[n] = lua_tolstring(L, -1, &len);
		if (strlen(list[n]) != len)
			luaL_argerror(L, index, "a header contains a NUL");
		list[++n] = NULL;
		lua_pop(L, 1);
	}
	lua_pop(L, 2);
}

static enum peal_tls_version opt_version(lua_State *L, int index)
{
	const char *text = peal_lua_opt_word(L, index, "min_version");

	if (!text || strcmp(text, "1.2") == 0)
		return PEAL_TLS_1_2;
	if (strcmp(text, "1.3") != 0)
		luaL_argerror(L, index, "option 'min_version': 1.2 or 1.3");
	return PEAL_TLS_1_3;
}

static struct peal_cert_set *opt_set(lua_State *L, int index, const char *key)
{
	struct peal_cert_set *set = NULL;

	if (lua_getfield(L, index, key) != LUA_TNIL)
		set = peal_lua_check_cert_set(L, -1);
	lua_pop(L, 1); /* the request holds it */
	return set;
}

static void read_objects(lua_State *L, int index, struct peal_tls_policy *p)
{
	if (lua_getfield(L, index, "anchors") != LUA_TNIL)
		p->anchors = peal_lua_check_anchors(L, -1);
	if (lua_getfield(L, index, "identity") != LUA_TNIL)
		p->identity = peal_lua_check_identity(L, -1);
	if (lua_getfield(L, index, "ciphers") != LUA_TNIL)
		p->ciphers = peal_lua_check_ciphers(L, -1);
	lua_pop(L, 3);
	p->rejected = opt_set(L, index, "rejected");
	p->pinned = opt_set(L, index, "pinned");
	p->removed = opt_set(L, index, "removed");
}

static void read_tls(lua_State *L, int index, struct peal_tls_policy *p)
{
	static const char *const keys[] = {
		"anchors",      "identity",   "rejected", "pinned",
		"removed",      "ciphers",    "now",      "dns_failure",
		"min_version",  "check_name", "once",     "cn_fallback",
		"min_rsa_bits", NULL
	};

	peal_lua_check_keys(L, index, keys);
	peal_tls_policy_init(p);
	read_objects(L, index, p);
	if (lua_getfield(L, index, "now") != LUA_TNIL)
		p->now = (int64_t)luaL_checknumber(L, -1);
	lua_pop(L, 1);
	p->min_version = opt_version(L, index);
	p->check_name = peal_lua_opt_bool(L, index, "check_name", 1);
	p->cn_fallback = peal_lua_opt_bool(L, index, "cn_fallback", 1);
	p->min_rsa_bits = (unsigned)peal_lua_opt_int(L, index, "min_rsa_bits",
						     512, 16384, 2048);
	p->dns_failure = peal_lua_opt_word(L, index, "dns_failure");
	p->once = peal_lua_opt_bool(L, index, "once", 0);
}

static void read_request(lua_State *L, int index, struct peal_fetch_request *r)
{
	static const char *const keys[] = {
		"url",   "address",       "method",     "headers",
		"body",  "user",          "password",   "auth",
		"proxy", "proxy_address", "proxy_user", "proxy_password",
		"tls",   "max",           "connect",    "idle",
		"total", "sink",          NULL
	};

	peal_lua_check_keys(L, index, keys);
	memset(r, 0, sizeof(*r));
	r->url = peal_lua_need_word(L, index, "url");
	r->address = peal_lua_opt_word(L, index, "address");
	r->method = peal_lua_opt_word(L, index, "method");
	r->body = peal_lua_opt_text(L, index, "body", &r->body_len, NULL);
	r->user = peal_lua_opt_word(L, index, "user");
	r->password = peal_lua_opt_word(L, index, "password");
	r->auth = opt_auth(L, index);
	r->proxy = peal_lua_opt_word(L, index, "proxy");
	r->proxy_address = peal_lua_opt_word(L, index, "proxy_address");
	r->proxy_user = peal_lua_opt_word(L, index, "proxy_user");
	r->proxy_password = peal_lua_opt_word(L, index, "proxy_password");
	r->max = (size_t)peal_lua_opt_int(L, index, "max", 0, 1 << 30, 0);
	if (peal_lua_has_sink(L, index))
		r->sink = peal_lua_operation_feed;
	r->connect_ms = peal_lua_opt_ms(L, index, "connect");
	r->idle_ms = peal_lua_opt_ms(L, index, "idle");
	r->total_ms = peal_lua_opt_ms(L, index, "total");
}

/* f:start(request, fn) -> handle | nil, sentence, word */
static int l_start(lua_State *L)
{
	struct peal_fetcher *f = check_fetcher(L, 1);
	struct peal_fetch_request r;
	struct peal_tls_policy tls;
	const char *headers[HEADERS_MAX + 1];
	struct peal_reason reason;
	struct peal_lua_operation *op;
	struct peal_fetch *t = NULL;
	enum peal_err err;

	luaL_checktype(L, 3, LUA_TFUNCTION);
	lua_settop(L, 3);
	read_request(L, 2, &r);
	read_headers(L, 2, headers);
	r.headers = headers;
	if (lua_getfield(L, 2, "tls") != LUA_TNIL) {
		read_tls(L, lua_gettop(L), &tls);
		r.tls = &tls;
	}
	lua_getiuservalue(L, 1, 1);
	op = peal_lua_operation_new(L, lua_gettop(L), 3, &operation);
	/* the sink runs inside of the fetcher */
	peal_lua_operation_keep(L, 1);
	if (r.sink)
		peal_lua_operation_sink(L, 2);
	r.sink_arg = op;
	err = peal_fetch_start(&t, f, &r, on_done, op, &reason);
	return peal_lua_operation_started(L, op, err, t, &reason);
}

static int l_export(lua_State *L)
{
	struct peal_fetcher *f = check_fetcher(L, 1);
	struct peal_buf *b = peal_lua_new_buf(L, PEAL_LIMIT_SESSIONS_BYTES * 2);

	return peal_lua_push_buf(L, peal_fetcher_export(f, b), b);
}

static int l_import(lua_State *L)
{
	struct peal_fetcher *f = check_fetcher(L, 1);
	size_t len;
	const char *bytes = luaL_checklstring(L, 2, &len);

	lua_pushinteger(L, peal_fetcher_import(f, bytes, len));
	return 1;
}

static int l_forget(lua_State *L)
{
	peal_fetcher_forget(check_fetcher(L, 1));
	return 0;
}

/* fetch.new(loop) -> fetcher | nil, sentence, word */
static int l_new(lua_State *L)
{
	struct peal_loop *l = peal_lua_check_loop(L, 1);
	struct box *b = lua_newuserdatauv(L, sizeof(*b), 1);
	enum peal_err err;

	b->f = NULL;
	luaL_setmetatable(L, TYPE);
	lua_pushvalue(L, 1);
	lua_setiuservalue(L, -2, 1); /* the loop lives as long */
	err = peal_fetcher_new(&b->f, l);
	return err ? peal_lua_fail(L, err, NULL) : 1;
}

static int l_gc(lua_State *L)
{
	struct box *b = luaL_checkudata(L, 1, TYPE);

	luaL_argcheck(L, !peal_fetcher_busy(b->f), 1,
		      "a sink of the fetcher is running");
	peal_fetcher_free(b->f);
	b->f = NULL;
	return 0;
}

static int l_tostring(lua_State *L)
{
	struct box *b = luaL_checkudata(L, 1, TYPE);

	lua_pushfstring(L, "peal.fetcher (%s)", b->f ? "open" : "closed");
	return 1;
}

int luaopen_peal_fetch(lua_State *L)
{
	static const luaL_Reg functions[] = { { "new", l_new },
					      { NULL, NULL } };
	static const luaL_Reg meta[] = { { "__gc", l_gc },
					 { "__close", l_gc },
					 { "__tostring", l_tostring },
					 { NULL, NULL } };
	static const luaL_Reg methods[] = {
		{ "start", l_start },   { "export", l_export },
		{ "import", l_import }, { "forget", l_forget },
		{ "close", l_gc },      { NULL, NULL }
	};

	peal_lua_type(L, TYPE, meta, methods);
	peal_lua_operation_type(L, &operation);
	luaL_newlib(L, functions);
	return 1;
}
