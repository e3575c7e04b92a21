/* encode.c - require "peal.encode"
 *
 *   encode.gzip(bytes [, level 0..9]) -> bytes         see peal/encode.h
 *   encode.aes(bytes, key, kdf, salt) -> bytes
 *       kdf "md5", "sha256" or "pbkdf2"; salt of 8 bytes
 *   encode.aes128gcm(bytes, ikm, salt [, record_size]) -> bytes
 *       salt of 16 bytes
 *   encode.seal(key, bytes) -> bytes            key of 32 bytes
 *   encode.unseal(key, bytes) -> bytes | nil, sentence, "corrupt"
 *   encode.stretch(passphrase, salt, iterations) -> key of 32 bytes
 *   encode.profile(list) -> XML
 *       list of {name=, text=, ua=, user_pref=, user_modified=, preserve=}
 *   encode.escape(text) -> text as it stands in XML
 *   encode.sha256() -> h    of bytes that come in pieces
 *       h:add(bytes) -> h   h:hex() -> 64 digits, of all so far
 * They fail with nil, sentence, word. */
#include <string.h>

#include "bindings.h"
#include "peal/alloc.h"
#include "peal/encode.h"
#include "peal/limits.h"
#include "peal/profile.h"

#define TYPE "peal.buf"
#define DIGEST "peal.encode.sha256"

static int l_result_gc(lua_State *L)
{
	peal_buf_fini_secret(luaL_checkudata(L, 1, TYPE));
	return 0;
}

struct peal_buf *peal_lua_new_buf(lua_State *L, size_t max)
{
	struct peal_buf *b = lua_newuserdatauv(L, sizeof(*b), 0);

	peal_buf_init(b, max);
	if (luaL_newmetatable(L, TYPE)) {
		lua_pushcfunction(L, l_result_gc);
		lua_setfield(L, -2, "__gc");
	}
	lua_setmetatable(L, -2);
	return b;
}

int peal_lua_push_buf(lua_State *L, enum peal_err err, struct peal_buf *b)
{
	if (!err)
		lua_pushlstring(L, b->data ? (char *)b->data : "", b->len);
	peal_buf_fini_secret(b);
	return err ? peal_lua_fail(L, err, NULL) : 1;
}

static struct peal_buf *new_result(lua_State *L)
{
	return peal_lua_new_buf(L, (size_t)PEAL_LIMIT_INFLATED * 2);
}

static int l_gzip(lua_State *L)
{
	size_t len;
	const char *bytes = luaL_checklstring(L, 1, &len);
	lua_Integer level = luaL_optinteger(L, 2, 9);
	struct peal_buf *b;

	luaL_argcheck(L, level >= 0 && level <= 9, 2, "a level is 0 to 9");
	b = new_result(L);
	return peal_lua_push_buf(L, peal_encode_gzip(bytes, len, (int)level, b),
				 b);
}

static const unsigned char *check_salt(lua_State *L, int index, size_t want)
{
	size_t len;
	const char *salt = luaL_checklstring(L, index, &len);

	luaL_argcheck(L, len == want, index, "the salt has another length");
	return (const unsigned char *)salt;
}

static int l_aes(lua_State *L)
{
	static const char *const kdfs[] = { "md5", "sha256", "pbkdf2", NULL };
	size_t len, key_len;
	const char *bytes = luaL_checklstring(L, 1, &len);
	const char *key = luaL_checklstring(L, 2, &key_len);
	enum peal_kdf kdf = (enum peal_kdf)luaL_checkoption(L, 3, NULL, kdfs);
	const unsigned char *salt = check_salt(L, 4, 8);
	struct peal_buf *b = new_result(L);

	return peal_lua_push_buf(
		L, peal_encode_aes(bytes, len, key, key_len, kdf, salt, b), b);
}

static int l_aes128gcm(lua_State *L)
{
	size_t len, ikm_len;
	const char *bytes = luaL_checklstring(L, 1, &len);
	const char *ikm = luaL_checklstring(L, 2, &ikm_len);
	const unsigned char *salt = check_salt(L, 3, 16);
	lua_Integer size = luaL_optinteger(L, 4, 4096);
	struct peal_buf *b;

	luaL_argcheck(L, size >= 18 && size <= UINT32_MAX, 4,
		      "a record has 18 bytes or more");
	b = new_result(L);
	return peal_lua_push_buf(L,
				 peal_encode_aes128gcm(bytes, len, ikm, ikm_len,
						       salt, (uint32_t)size, b),
				 b);
}

static const unsigned char *check_key(lua_State *L, int index)
{
	size_t len;
	const char *key = luaL_checklstring(L, index, &len);

	luaL_argcheck(L, len == PEAL_SEAL_KEY, index, "a key has 32 bytes");
	return (const unsigned char *)key;
}

static int l_seal(lua_State *L)
{
	const unsigned char *key = check_key(L, 1);
	size_t len;
	const char *bytes = luaL_checklstring(L, 2, &len);
	struct peal_buf *b = new_result(L);

	return peal_lua_push_buf(L, peal_seal(key, bytes, len, b), b);
}

static int l_unseal(lua_State *L)
{
	const unsigned char *key = check_key(L, 1);
	size_t len;
	const char *bytes = luaL_checklstring(L, 2, &len);
	struct peal_buf *b = new_result(L);

	return peal_lua_push_buf(L, peal_unseal(key, bytes, len, b), b);
}

static int l_stretch(lua_State *L)
{
	size_t len, salt_len;
	const char *passphrase = luaL_checklstring(L, 1, &len);
	const char *salt = luaL_checklstring(L, 2, &salt_len);
	lua_Integer iterations = luaL_checkinteger(L, 3);
	unsigned char key[PEAL_SEAL_KEY];
	enum peal_err err = PEAL_EINVAL;

	if (iterations > 0 && iterations <= PEAL_STRETCH_MAX)
		err = peal_stretch(passphrase, len, salt, salt_len,
				   (unsigned)iterations, key);
	if (err)
		return peal_lua_fail(L, err, NULL);
	lua_pushlstring(L, (const char *)key, sizeof(key));
	peal_wipe(key, sizeof(key));
	return 1;
}

static void check_text(lua_State *L, const struct peal_value *v)
{
	luaL_argcheck(L, v->name && v->text, 1,
		      "an element has a name and a text");
}

/* The element at the top of the stack, and how it is written. */
static unsigned check_element(lua_State *L, struct peal_value *v)
{
	static const char *const keys[] = {
		"name",          "text",     "ua", "user_pref",
		"user_modified", "preserve", NULL
	};
	static const char *const words[] = { "na", "ro", "rw" };
	const char *ua;
	size_t len = 0;
	unsigned i;

	peal_lua_check_keys(L, -1, keys);
	memset(v, 0, sizeof(*v));
	v->name = peal_lua_opt_text(L, -1, "name", NULL, NULL);
	v->text = peal_lua_opt_text(L, -1, "text", &len, NULL);
	check_text(L, v);
	luaL_argcheck(L, strlen(v->text) == len, 1, "a text has a NUL in it");
	v->user_pref = peal_lua_opt_bool(L, -1, "user_pref", 0);
	v->user_modified = peal_lua_opt_bool(L, -1, "user_modified", 0);
	ua = peal_lua_opt_text(L, -1, "ua", NULL, NULL);
	v->ua = PEAL_UA_NONE;
	for (i = 0; ua && i < 3; i++)
		if (strcmp(ua, words[i]) == 0)
			v->ua = (enum peal_ua)i;
	luaL_argcheck(L, !ua || v->ua != PEAL_UA_NONE, 1,
		      "'ua' is na, ro or rw");
	if (peal_lua_opt_bool(L, -1, "preserve", 0))
		return PEAL_PROFILE_SECRETS | PEAL_PROFILE_PRESERVE;
	return PEAL_PROFILE_SECRETS;
}

static int l_profile(lua_State *L)
{
	struct peal_value v;
	struct peal_buf *b;
	enum peal_err err;
	lua_Integer i, n;
	unsigned flags;

	luaL_checktype(L, 1, LUA_TTABLE);
	n = luaL_len(L, 1);
	b = new_result(L);
	err = peal_profile_begin(b);
	for (i = 1; i <= n && !err; i++) {
		lua_geti(L, 1, i);
		flags = check_element(L, &v);
		err = peal_profile_add(b, &v, flags);
		lua_pop(L, 1);
	}
	if (!err)
		err = peal_profile_end(b);
	return peal_lua_push_buf(L, err, b);
}

static int l_escape(lua_State *L)
{
	size_t len;
	const char *text = luaL_checklstring(L, 1, &len);
	struct peal_buf *b = new_result(L);

	return peal_lua_push_buf(L, peal_profile_escape(b, text, len), b);
}

struct digest {
	struct peal_digest *d;
};

static int l_sha256(lua_State *L)
{
	struct digest *b = lua_newuserdatauv(L, sizeof(*b), 0);
	enum peal_err err;

	b->d = NULL;
	luaL_setmetatable(L, DIGEST);
	err = peal_digest_new(&b->d);
	return err ? peal_lua_fail(L, err, NULL) : 1;
}

static int l_digest_gc(lua_State *L)
{
	struct digest *b = luaL_checkudata(L, 1, DIGEST);

	peal_digest_free(b->d);
	b->d = NULL;
	return 0;
}

static struct digest *check_digest(lua_State *L)
{
	struct digest *b = luaL_checkudata(L, 1, DIGEST);

	luaL_argcheck(L, b->d, 1, "digest is closed");
	return b;
}

static int l_digest_add(lua_State *L)
{
	struct digest *b = check_digest(L);
	size_t len;
	const char *bytes = luaL_checklstring(L, 2, &len);

	peal_digest_add(b->d, bytes, len);
	lua_settop(L, 1);
	return 1;
}

static int l_digest_hex(lua_State *L)
{
	struct digest *b = check_digest(L);
	char hex[PEAL_DIGEST_HEX];
	enum peal_err err = peal_digest_hex(b->d, hex);

	if (err)
		return peal_lua_fail(L, err, NULL);
	lua_pushstring(L, hex);
	return 1;
}

int luaopen_peal_encode(lua_State *L)
{
	static const luaL_Reg meta[] = { { "__gc", l_digest_gc },
					 { "__close", l_digest_gc },
					 { NULL, NULL } };
	static const luaL_Reg methods[] = { { "add", l_digest_add },
					    { "hex", l_digest_hex },
					    { NULL, NULL } };
	static const luaL_Reg functions[] = {
		{ "gzip", l_gzip },           { "aes", l_aes },
		{ "aes128gcm", l_aes128gcm }, { "seal", l_seal },
		{ "unseal", l_unseal },       { "stretch", l_stretch },
		{ "profile", l_profile },     { "escape", l_escape },
		{ "sha256", l_sha256 },       { NULL, NULL },
	};

	peal_lua_type(L, DIGEST, meta, methods);
	luaL_newlib(L, functions);
	return 1;
}
