/* issue.c - require "peal.issue": private keys, certificates and identities of
 * our own. See peal/key.h, peal/issue.h, peal/identity.h
 *
 *   key = issue.key(kind)          "P-256", "P-384", "RSA-2048" ...
 *   issue.key_start(loop, kind, fn) -> handle with :cancel(); fn(key) or
 *       fn(nil, sentence, word): RSA keys take seconds
 *   key:kind()   key:public() -> SPKI DER   key:fits(cert_der) -> boolean
 *   issue.certificate { key =, ca = { cert = der, key = key },
 *       subject = { { "CN", "x" }, ... }, sans = { "DNS:x" },
 *       serial = 16 octets, from =, to = (s UTC), is_ca =, pathlen =,
 *       purposes = { "serverAuth" } } -> DER; without `ca` it signs itself
 *   issue.request { key =, like = cert_der } -> PKCS #10 DER
 *   issue.identity(cert_pem, key) -> identity of peal.trust
 *   issue.signer(cert_pem, fn) -> identity; fn(algorithm, hash) -> signature
 *       | nil, sentence; it must not wait
 *
 * They fail with nil, sentence, word. Nothing gives the private part of a key
 * away. */
#include <string.h>

#include "bindings.h"
#include "peal/alloc.h"
#include "peal/identity.h"
#include "peal/issue.h"

#define KEY "peal.key"

enum { DER_MOST = 1 << 20, LIST_MOST = 1000 };

/* --- keys --- */

struct key {
	struct peal_key *k; /* NULL: not made */
};

struct peal_key *peal_lua_check_key(lua_State *L, int index)
{
	struct key *b = luaL_checkudata(L, index, KEY);

	if (!b->k)
		luaL_argerror(L, index, "there is no key in it");
	return b->k;
}

struct peal_key **peal_lua_new_key(lua_State *L)
{
	struct key *b = lua_newuserdatauv(L, sizeof(*b), 0);

	b->k = NULL;
	luaL_setmetatable(L, KEY);
	return &b->k;
}

static int l_key(lua_State *L)
{
	const char *kind = luaL_checkstring(L, 1);
	struct peal_key **k = peal_lua_new_key(L);
	struct peal_reason reason;
	enum peal_err err = peal_key_new(k, kind, &reason);

	return err ? peal_lua_fail(L, err, &reason) : 1;
}

static int l_key_gc(lua_State *L)
{
	struct key *b = luaL_checkudata(L, 1, KEY);

	peal_key_unref(b->k);
	b->k = NULL;
	return 0;
}

static int l_kind(lua_State *L)
{
	lua_pushstring(L, peal_key_kind(peal_lua_check_key(L, 1)));
	return 1;
}

static int l_key_tostring(lua_State *L)
{
	struct key *b = luaL_checkudata(L, 1, KEY);

	lua_pushfstring(L, "peal.key (%s)", b->k ? peal_key_kind(b->k) : "-");
	return 1;
}

static int l_fits(lua_State *L)
{
	struct peal_key *k = peal_lua_check_key(L, 1);
	size_t len;
	const char *cert = luaL_checklstring(L, 2, &len);

	lua_pushboolean(L, peal_key_fits(k, cert, len));
	return 1;
}

/* --- made in the background --- */

static void cancel_job(struct peal_lua_operation *op)
{
	peal_key_cancel(op->running);
}

static const struct peal_lua_operation_type job = { "peal.key.job", "running",
						    cancel_job };

static void push_key(lua_State *L, const void *arg)
{
	struct peal_key *const *key = arg;
	struct peal_key **k = peal_lua_new_key(L);

	*k = peal_key_ref(*key);
}

static void on_key(enum peal_err err, struct peal_key *key, void *arg)
{
	peal_lua_operation_done(arg, err, NULL, push_key, key ? &key : NULL);
	peal_key_unref(key);
}

static int l_key_start(lua_State *L)
{
	struct peal_loop *l = peal_lua_check_loop(L, 1);
	const char *kind = luaL_checkstring(L, 2);
	struct peal_lua_operation *op = peal_lua_operation_new(L, 1, 3, &job);
	struct peal_key_job *j = NULL;
	struct peal_reason reason;
	enum peal_err err = peal_key_start(&j, l, kind, on_key, op, &reason);

	return peal_lua_operation_started(L, op, err, j, &reason);
}

static int finish(lua_State *L, enum peal_err err, struct peal_buf *b,
		  const struct peal_reason *reason)
{
	return err ? peal_lua_fail(L, err, reason) :
		     peal_lua_push_buf(L, PEAL_OK, b);
}

static int l_public(lua_State *L)
{
	struct peal_key *k = peal_lua_check_key(L, 1);
	struct peal_buf *b = peal_lua_new_buf(L, DER_MOST);

	return finish(L, peal_key_public(k, b), b, NULL);
}

/* --- what a table asks for --- */

/* Key of an options table; it keeps it. NULL where it is nil. */
static struct peal_key *opt_key(lua_State *L, int index, const char *field)
{
	struct peal_key *k = NULL;

	if (lua_getfield(L, index, field) != LUA_TNIL)
		k = peal_lua_check_key(L, -1);
	lua_pop(L, 1);
	return k;
}

static struct peal_key *need_key(lua_State *L, int index)
{
	struct peal_key *k = opt_key(L, index, "key");

	if (!k)
		luaL_argerror(L, index, "a key is needed");
	return k;
}

/* The list in the field is pushed, and memory of Lua for its elements. */
static void *push_list(lua_State *L, int index, const char *field, size_t size,
		       unsigned *n)
{
	lua_Integer len = 0;

	if (lua_getfield(L, index, field) == LUA_TTABLE)
		len = luaL_len(L, -1);
	else if (!lua_isnil(L, -1))
		luaL_error(L, "option '%s' is a list", field);
	if (len < 0 || len > LIST_MOST)
		luaL_error(L, "option '%s' is too long", field);
	*n = (unsigned)len;
	return lua_newuserdatauv(L, size * (size_t)(len + 1), 0);
}

/* Borrowed from the table. A text with a NUL inside would be read short. */
static const char *item_text(lua_State *L, int table, lua_Integer i,
			     const char *field)
{
	const char *text = NULL;
	size_t len = 0;

	if (lua_rawgeti(L, table, i) == LUA_TSTRING)
		text = lua_tolstring(L, -1, &len);
	if (!text || strlen(text) != len)
		luaL_error(L, "option '%s' is a list of texts", field);
	lua_pop(L, 1);
	return text;
}

/* Pushes 2. */
static const char *const *push_texts(lua_State *L, int index, const char *field,
				     unsigned *n)
{
	const char **list = push_list(L, index, field, sizeof(*list), n);
	int table = lua_gettop(L) - 1;
	unsigned i;

	for (i = 0; i < *n; i++)
		list[i] = item_text(L, table, i + 1, field);
	return list;
}

/* Pushes 2: { { "CN", "x" }, ... } */
static const struct peal_name_part *push_name(lua_State *L, int index,
					      unsigned *n)
{
	struct peal_name_part *list =
		push_list(L, index, "subject", sizeof(*list), n);
	int table = lua_gettop(L) - 1;
	unsigned i;

	for (i = 0; i < *n; i++) {
		if (lua_rawgeti(L, table, i + 1) != LUA_TTABLE)
			luaL_error(L, "option 'subject' is a list of pairs");
		list[i].type = item_text(L, table + 2, 1, "subject");
		list[i].value = item_text(L, table + 2, 2, "subject");
		lua_pop(L, 1);
	}
	return list;
}

static void check_ca(lua_State *L, int index, struct peal_issue *o)
{
	static const char *const keys[] = { "cert", "key", NULL };

	if (lua_getfield(L, index, "ca") != LUA_TNIL) {
		peal_lua_check_keys(L, lua_gettop(L), keys);
		o->ca_cert = peal_lua_opt_text(L, lua_gettop(L), "cert",
					       &o->ca_cert_len, NULL);
		o->ca_key = opt_key(L, lua_gettop(L), "key");
		if (!o->ca_cert || !o->ca_key)
			luaL_argerror(L, index, "a CA has cert and key");
	}
	lua_pop(L, 1);
}

static void check_serial(lua_State *L, int index, struct peal_issue *o)
{
	size_t len = 0;
	const char *serial = peal_lua_opt_text(L, index, "serial", &len, NULL);

	if (!serial || len != PEAL_SERIAL_SIZE)
		luaL_argerror(L, index, "a serial number has 16 octets");
	memcpy(o->serial, serial, PEAL_SERIAL_SIZE);
}

static int64_t need_time(lua_State *L, int index, const char *field)
{
	const lua_Integer far = 253402300799; /* end of the year 9999 */
	lua_Integer t = peal_lua_opt_int(L, index, field, -far, far, far + 1);

	if (t > far)
		luaL_error(L, "option '%s' is needed", field);
	return t;
}

static int l_certificate(lua_State *L)
{
	static const char *const keys[] = { "key",      "ca",     "subject",
					    "sans",     "serial", "from",
					    "to",       "is_ca",  "pathlen",
					    "purposes", NULL };
	struct peal_issue o = { 0 };
	struct peal_reason reason;
	struct peal_buf *out;

	peal_lua_check_keys(L, 1, keys);
	o.key = need_key(L, 1);
	check_ca(L, 1, &o);
	check_serial(L, 1, &o);
	o.from = need_time(L, 1, "from");
	o.to = need_time(L, 1, "to");
	o.is_ca = peal_lua_opt_bool(L, 1, "is_ca", 0);
	o.pathlen = (int)peal_lua_opt_int(L, 1, "pathlen", 0, 100, -1);
	o.subject = push_name(L, 1, &o.subject_n);
	o.sans = push_texts(L, 1, "sans", &o.sans_n);
	o.purposes = push_texts(L, 1, "purposes", &o.purposes_n);
	out = peal_lua_new_buf(L, DER_MOST);
	return finish(L, peal_issue_certificate(&o, out, &reason), out,
		      &reason);
}

static int l_request(lua_State *L)
{
	static const char *const keys[] = { "key", "like", NULL };
	struct peal_reason reason;
	struct peal_buf *out;
	struct peal_key *key;
	size_t len = 0;
	const char *like;

	peal_lua_check_keys(L, 1, keys);
	key = need_key(L, 1);
	like = peal_lua_opt_text(L, 1, "like", &len, NULL);
	luaL_argcheck(L, like, 1, "the certificate to be renewed is needed");
	out = peal_lua_new_buf(L, DER_MOST);
	return finish(L, peal_issue_request(key, like, len, out, &reason), out,
		      &reason);
}

/* --- identities --- */

static int l_identity(lua_State *L)
{
	size_t len;
	const char *cert = luaL_checklstring(L, 1, &len);
	struct peal_key *key = peal_lua_check_key(L, 2);
	struct peal_identity **i = peal_lua_new_identity(L);
	struct peal_reason reason;
	enum peal_err err = peal_identity_new(i, cert, len, key, &reason);

	return err ? peal_lua_fail(L, err, &reason) : 1;
}

/* The function that signs, for as long as an identity may ask it. */
struct signer {
	lua_State *L; /* main thread */
	int fn;       /* in the registry */
};

struct question {
	const char *algorithm;
	const unsigned char *hash;
	size_t hash_len;
	unsigned char *sig;
	size_t *sig_len;
	struct peal_reason *reason;
};

/* ask(fn, question): true when there is a signature */
static int ask(lua_State *L)
{
	const struct question *q = lua_touserdata(L, 2);
	const char *text;
	size_t len;

	lua_pushvalue(L, 1);
	lua_pushstring(L, q->algorithm);
	lua_pushlstring(L, (const char *)q->hash, q->hash_len);
	lua_call(L, 2, 2);
	if (lua_type(L, 3) == LUA_TSTRING) {
		text = lua_tolstring(L, 3, &len);
		if (len > PEAL_SIGNATURE_MAX)
			return luaL_error(L, "a signature of %d bytes",
					  (int)len);
		memcpy(q->sig, text, len);
		*q->sig_len = len;
		lua_pushboolean(L, 1);
		return 1;
	}
	text = lua_type(L, 4) == LUA_TSTRING ? lua_tostring(L, 4) : NULL;
	peal_fail(q->reason, PEAL_EKEY, "%s",
		  text ? text : "the key did not sign, and did not say why");
	lua_pushboolean(L, 0);
	return 1;
}

static enum peal_err on_sign(const char *algorithm, const unsigned char *hash,
			     size_t hash_len, unsigned char *sig,
			     size_t *sig_len, struct peal_reason *reason,
			     void *arg)
{
	struct question q = { algorithm, hash, hash_len, sig, sig_len, reason };
	struct signer *s = arg;
	lua_State *L = s->L;
	enum peal_err err = PEAL_EKEY;
	int top = lua_gettop(L);

	if (!lua_checkstack(L, LUA_MINSTACK))
		return PEAL_ENOMEM;
	lua_pushcfunction(L, ask);
	lua_rawgeti(L, LUA_REGISTRYINDEX, s->fn);
	lua_pushlightuserdata(L, &q);
	if (lua_pcall(L, 2, 1, 0))
		peal_fail(reason, PEAL_EKEY, "the function that signs: %s",
			  lua_type(L, -1) == LUA_TSTRING ?
				  lua_tostring(L, -1) :
				  "an error that is no text");
	else if (lua_toboolean(L, -1))
		err = PEAL_OK;
	lua_settop(L, top);
	return err;
}

static void drop_signer(void *arg)
{
	struct signer *s = arg;

	luaL_unref(s->L, LUA_REGISTRYINDEX, s->fn);
	peal_free(s);
}

static lua_State *main_thread(lua_State *L)
{
	lua_State *main;

	lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
	main = lua_tothread(L, -1);
	lua_pop(L, 1);
	return main;
}

static int l_signer(lua_State *L)
{
	size_t len;
	const char *cert = luaL_checklstring(L, 1, &len);
	struct peal_identity **i;
	struct peal_reason reason;
	struct signer *s;
	enum peal_err err;
	int fn;

	luaL_checktype(L, 2, LUA_TFUNCTION);
	i = peal_lua_new_identity(L);
	lua_pushvalue(L, 2);
	fn = luaL_ref(L, LUA_REGISTRYINDEX);
	s = peal_alloc(sizeof(*s));
	if (!s) {
		luaL_unref(L, LUA_REGISTRYINDEX, fn);
		return peal_lua_fail(L, PEAL_ENOMEM, NULL);
	}
	s->L = main_thread(L);
	s->fn = fn;
	err = peal_identity_signer(i, cert, len, on_sign, s, drop_signer,
				   &reason);
	if (!err)
		return 1;
	drop_signer(s);
	return peal_lua_fail(L, err, &reason);
}

int luaopen_peal_issue(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "certificate", l_certificate },
		{ "identity", l_identity },
		{ "key", l_key },
		{ "key_start", l_key_start },
		{ "request", l_request },
		{ "signer", l_signer },
		{ NULL, NULL },
	};
	static const luaL_Reg meta[] = { { "__gc", l_key_gc },
					 { "__tostring", l_key_tostring },
					 { NULL, NULL } };
	static const luaL_Reg methods[] = { { "fits", l_fits },
					    { "kind", l_kind },
					    { "public", l_public },
					    { NULL, NULL } };

	luaL_requiref(L, "peal.trust", luaopen_peal_trust, 0); /* identities */
	lua_pop(L, 1);
	peal_lua_type(L, KEY, meta, methods);
	peal_lua_operation_type(L, &job);
	luaL_newlib(L, functions);
	return 1;
}
