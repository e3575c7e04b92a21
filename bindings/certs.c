/* certs.c - the part of require "peal.trust" about certificates as such
 *
 *   s = trust.set { sha256_hex, ... }; #s; s:has(hex); s:digest() -> hex
 *   c, notes = trust.ciphers(text | nil); c:names() -> list of IANA names
 *   trust.parse(bytes) -> list of facts | nil, sentence, word, place
 *     { subject, issuer, cn, serial, not_before, not_after (texts), from, to
 *       (s, UTC), sha256, sha1, key_type, key_bits, is_ca, self_signed, sans,
 *       purposes, der }
 *   trust.pem(der, label | nil) -> text; CERTIFICATE unless told */
#include <mbedtls/base64.h>
#include <string.h>

#include "bindings.h"
#include "peal/buf.h"
#include "peal/trust.h"

#define TYPE_SET "peal.cert_set"
#define TYPE_CIPHERS "peal.ciphers"

enum { FINGERPRINT = 32 };

struct set {
	struct peal_cert_set *s;
};

struct ciphers {
	struct peal_ciphers *c;
};

struct peal_cert_set *peal_lua_check_cert_set(lua_State *L, int index)
{
	struct set *b = luaL_checkudata(L, index, TYPE_SET);

	return b->s;
}

struct peal_ciphers *peal_lua_check_ciphers(lua_State *L, int index)
{
	struct ciphers *b = luaL_checkudata(L, index, TYPE_CIPHERS);

	return b->c;
}

void peal_lua_push_hex(lua_State *L, const unsigned char *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	luaL_Buffer b;
	size_t i;

	luaL_buffinitsize(L, &b, 2 * len);
	for (i = 0; i < len; i++) {
		luaL_addchar(&b, digits[bytes[i] >> 4]);
		luaL_addchar(&b, digits[bytes[i] & 15]);
	}
	luaL_pushresult(&b);
}

/* --- sets of fingerprints --- */

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* 0 when it is no fingerprint */
static int read_hex(const char *hex, unsigned char out[FINGERPRINT])
{
	int i, high, low;

	for (i = 0; i < FINGERPRINT; i++) {
		high = nibble(hex[2 * i]);
		low = high < 0 ? -1 : nibble(hex[2 * i + 1]);
		if (low < 0)
			return 0;
		out[i] = (unsigned char)(high << 4 | low);
	}
	return hex[2 * FINGERPRINT] == '\0';
}

static void check_hex(lua_State *L, int index, unsigned char out[FINGERPRINT])
{
	const char *hex = luaL_checkstring(L, index);

	if (!read_hex(hex, out))
		luaL_error(L, "not a SHA-256 fingerprint in hex: %s", hex);
}

static int l_set(lua_State *L)
{
	lua_Integer i, n = lua_isnoneornil(L, 1) ? 0 : luaL_len(L, 1);
	struct set *b = lua_newuserdatauv(L, sizeof(*b), 0);
	unsigned char sha256[FINGERPRINT];
	enum peal_err err;

	b->s = NULL;
	luaL_setmetatable(L, TYPE_SET);
	err = peal_cert_set_new(&b->s);
	for (i = 1; i <= n && !err; i++) {
		lua_geti(L, 1, i);
		check_hex(L, -1, sha256);
		lua_pop(L, 1);
		err = peal_cert_set_add(b->s, sha256);
	}
	return err ? peal_lua_fail(L, err, NULL) : 1;
}

static int l_set_gc(lua_State *L)
{
	struct set *b = luaL_checkudata(L, 1, TYPE_SET);

	peal_cert_set_unref(b->s);
	b->s = NULL;
	return 0;
}

static int l_set_len(lua_State *L)
{
	lua_pushinteger(L, peal_cert_set_count(peal_lua_check_cert_set(L, 1)));
	return 1;
}

static int l_set_has(lua_State *L)
{
	struct peal_cert_set *s = peal_lua_check_cert_set(L, 1);
	unsigned char sha256[FINGERPRINT];

	check_hex(L, 2, sha256);
	lua_pushboolean(L, peal_cert_set_has(s, sha256));
	return 1;
}

static int l_set_digest(lua_State *L)
{
	struct peal_cert_set *s = peal_lua_check_cert_set(L, 1);
	unsigned char digest[FINGERPRINT];
	enum peal_err err = peal_cert_set_digest(s, digest);

	if (err)
		return peal_lua_fail(L, err, NULL);
	peal_lua_push_hex(L, digest, sizeof(digest));
	return 1;
}

/* --- cipher lists --- */

typedef const char *(*text_at_fn)(const struct peal_ciphers *c, unsigned i);

static void push_texts(lua_State *L, const struct peal_ciphers *c,
		       text_at_fn text_at)
{
	const char *text;
	unsigned i;

	lua_newtable(L);
	for (i = 0; (text = text_at(c, i)) != NULL; i++) {
		lua_pushstring(L, text);
		lua_rawseti(L, -2, i + 1);
	}
}

static int l_ciphers(lua_State *L)
{
	size_t len = 0;
	const char *text = luaL_optlstring(L, 1, NULL, &len);
	struct ciphers *b = lua_newuserdatauv(L, sizeof(*b), 0);
	enum peal_err err;

	luaL_argcheck(L, !text || strlen(text) == len, 1, "NUL in the list");
	b->c = NULL;
	luaL_setmetatable(L, TYPE_CIPHERS);
	err = peal_ciphers_parse(&b->c, text);
	if (err)
		return peal_lua_fail(L, err, NULL);
	push_texts(L, b->c, peal_ciphers_note);
	return 2;
}

static int l_ciphers_gc(lua_State *L)
{
	struct ciphers *b = luaL_checkudata(L, 1, TYPE_CIPHERS);

	peal_ciphers_unref(b->c);
	b->c = NULL;
	return 0;
}

static int l_ciphers_names(lua_State *L)
{
	push_texts(L, peal_lua_check_ciphers(L, 1), peal_ciphers_name);
	return 1;
}

/* --- facts --- */

void peal_lua_set_cert(lua_State *L, const struct peal_cert_facts *f)
{
	peal_lua_set_text(L, "subject", f->subject);
	peal_lua_set_text(L, "issuer", f->issuer);
	peal_lua_set_text(L, "cn", f->cn);
	peal_lua_set_text(L, "serial", f->serial);
	peal_lua_set_text(L, "not_before", f->not_before);
	peal_lua_set_text(L, "not_after", f->not_after);
	peal_lua_set_int(L, "from", f->from);
	peal_lua_set_int(L, "to", f->to);
	peal_lua_set_text(L, "sha256", f->sha256);
	peal_lua_set_text(L, "sha1", f->sha1);
	peal_lua_set_int(L, "key_bits", f->key_bits);
	peal_lua_set_text(L, "key_type", f->key_type);
	peal_lua_set_bool(L, "is_ca", f->is_ca);
	peal_lua_set_bool(L, "self_signed", f->self_signed);
	if (f->der)
		peal_lua_set_bytes(L, "der", f->der, f->der_len);
}

/* C collects before Lua makes tables of it: an error of Lua's must not jump
 * over what the C library holds. Each piece has its length in front. */
static enum peal_err add_piece(struct peal_buf *b, const void *bytes,
			       size_t len)
{
	enum peal_err err = peal_buf_add(b, &len, sizeof(len));

	return err ? err : peal_buf_add(b, bytes, len);
}

static const unsigned char *next_piece(const struct peal_buf *b, size_t *at,
				       size_t *len)
{
	const unsigned char *piece;

	if (*at >= b->len)
		return NULL;
	memcpy(len, b->data + *at, sizeof(*len));
	piece = b->data + *at + sizeof(*len);
	*at += sizeof(*len) + *len;
	return piece;
}

static enum peal_err collect_text(const char *text, void *arg)
{
	return add_piece(arg, text, strlen(text));
}

static enum peal_err collect_der(const struct peal_cert_facts *facts, void *arg)
{
	return add_piece(arg, facts->der, facts->der_len);
}

static enum peal_err copy_facts(const struct peal_cert_facts *facts, void *arg)
{
	struct peal_cert_facts *to = arg;

	*to = *facts;
	to->der = NULL; /* goes with the reading */
	return PEAL_OK;
}

static void set_list(lua_State *L, const char *key, const struct peal_buf *b)
{
	const unsigned char *text;
	size_t at = 0, len;
	lua_Integer n = 0;

	lua_newtable(L);
	while ((text = next_piece(b, &at, &len)) != NULL) {
		lua_pushlstring(L, (const char *)text, len);
		lua_rawseti(L, -2, ++n);
	}
	lua_setfield(L, -2, key);
}

/* A table of one certificate on top; or an error and nothing. */
enum peal_err peal_lua_push_cert(lua_State *L, const unsigned char *der,
				 size_t len)
{
	struct peal_buf *sans = peal_lua_new_buf(L, PEAL_LIMIT_PEM);
	struct peal_buf *purposes = peal_lua_new_buf(L, PEAL_LIMIT_PEM);
	struct peal_cert_facts facts;
	enum peal_err err = peal_certs_read(der, len, copy_facts, &facts, NULL);

	if (!err)
		err = peal_cert_sans(der, len, collect_text, sans);
	if (!err)
		err = peal_cert_purposes(der, len, collect_text, purposes);
	if (err) {
		lua_pop(L, 2);
		return err;
	}
	facts.der = der;
	lua_createtable(L, 0, 17);
	peal_lua_set_cert(L, &facts);
	set_list(L, "sans", sans);
	set_list(L, "purposes", purposes);
	lua_replace(L, -3);
	lua_pop(L, 1);
	return PEAL_OK;
}

static int l_parse(lua_State *L)
{
	size_t len, at = 0;
	const char *bytes = luaL_checklstring(L, 1, &len);
	struct peal_buf *all = peal_lua_new_buf(L, 2 * PEAL_LIMIT_PEM);
	struct peal_reason reason;
	enum peal_err err =
		peal_certs_read(bytes, len, collect_der, all, &reason);
	const unsigned char *der;
	lua_Integer n = 0;

	if (err)
		return peal_lua_fail(L, err, &reason);
	lua_newtable(L);
	while ((der = next_piece(all, &at, &len)) != NULL) {
		err = peal_lua_push_cert(L, der, len);
		if (err)
			return peal_lua_fail(L, err, NULL);
		lua_rawseti(L, -2, ++n);
	}
	return 1;
}

/* RFC 7468: lines of 64. */
static int l_pem(lua_State *L)
{
	enum { LINE = 48 };
	size_t len, at, n, used;
	const char *der = luaL_checklstring(L, 1, &len);
	const char *label = luaL_optstring(L, 2, "CERTIFICATE");
	unsigned char line[80];
	luaL_Buffer b;

	luaL_buffinit(L, &b);
	lua_pushfstring(L, "-----BEGIN %s-----\n", label);
	luaL_addvalue(&b);
	for (at = 0; at < len; at += LINE) {
		n = len - at < LINE ? len - at : LINE;
		mbedtls_base64_encode(line, sizeof(line), &used,
				      (const unsigned char *)der + at, n);
		luaL_addlstring(&b, (char *)line, used);
		luaL_addchar(&b, '\n');
	}
	lua_pushfstring(L, "-----END %s-----\n", label);
	luaL_addvalue(&b);
	luaL_pushresult(&b);
	return 1;
}

void peal_lua_open_certs(lua_State *L)
{
	static const luaL_Reg functions[] = { { "ciphers", l_ciphers },
					      { "parse", l_parse },
					      { "pem", l_pem },
					      { "set", l_set },
					      { NULL, NULL } };
	static const luaL_Reg set_meta[] = { { "__gc", l_set_gc },
					     { "__len", l_set_len },
					     { NULL, NULL } };
	static const luaL_Reg set_methods[] = { { "has", l_set_has },
						{ "digest", l_set_digest },
						{ NULL, NULL } };
	static const luaL_Reg ciphers_meta[] = { { "__gc", l_ciphers_gc },
						 { NULL, NULL } };
	static const luaL_Reg ciphers_methods[] = {
		{ "names", l_ciphers_names }, { NULL, NULL }
	};

	peal_lua_type(L, TYPE_SET, set_meta, set_methods);
	peal_lua_type(L, TYPE_CIPHERS, ciphers_meta, ciphers_methods);
	luaL_setfuncs(L, functions, 0);
}
