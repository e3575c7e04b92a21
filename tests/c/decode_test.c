/* decode_test.c - from the bytes of a transfer to elements, and back. */
#include "peal/decode.h"

#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "alloc_fail.h"
#include "decode/stage.h"
#include "peal/limits.h"
#include "profile/memory.h"
#include "test.h"

static const char plain[] =
	"<flat-profile><GPP_A>12345678</GPP_A></flat-profile>";
static const char pass[] = "SecretPhrase1234";
static const char ikm[] = "base64url:yqdlZ-tYemfogSmv7Ws5PQ";

/* Examples made with openssl and gzip, and of RFC 8188 3.1. */
static const char gz[] =
	"H4sIAAAAAAAC/7NJy0ks0S0oyk/LzEm1s3EPCIh3tDM0MjYxNTO3sNGH8G30UVQBAN+B"
	"Qyw0AAAA";
static const char e1[] =
	"U2FsdGVkX18BI0VniavN7wWkEFE77S9zTUUQsrSwQt3cEi6f20++t2pPz1Jt6U+UyL3Tyj/"
	"kKOkW2649VBgrKQvg38iEY0pEohRX5cD1OAQ=";
static const char e2[] =
	"U2FsdGVkX18BI0VniavN79kXAfsbm7B1/hcnRqtl4MnehQOZJhGxol1pd/KNBLCZSTY6TuQ"
	"S5xvKZQaxGrkoFy/fCn/fEZIB8LvDQjKpnoE=";
static const char e3[] =
	"U2FsdGVkX18BI0VniavN73fNjU7P9h3TH2UdDH64X7scAKdmzKvh05PBYSdn3I415C+8eft"
	"rG6K9d4WFEFX3VcPidd0Hf9HLionRwBvkp6U=";
static const char e4[] =
	"U2FsdGVkX18BI0VniavN7+oJgdW64oK9iZTY+sMYYW5AK5nyRYWSelY6/Sdo+9ADTAwSBxM"
	"xgj91pNsPn4PGJOCgUD63TCc+D1Qt8mboPeA=";
static const char e7[] =
	"I1BsxtFttlv3u_Oo94xnmwAAEAAA-NAVub2qFgBEuQKRapoZu-IxkIva3MEB1PD-ly8Thjg";
static const char e8[] =
	"AAECAwQFBgcICQoLDA0ODwAAEAAAlPK7X18R3HsoNMPGgD2re1aoLdm2HLwhOCuoEbuxaqd"
	"gI59ZCetzm9npdnuRrlK1G2dSqK3hlwFO5KSOKBZ6A3Iq+6Kv";
static const char e9[] =
	"AAECAwQFBgcICQoLDA0ODwAAACsAlPK7X18R3HsoNMPGgD2re1aoLdm2HLwhOCufQTDVSaI"
	"K6epuCzc7+94rpb7ZCbymsYnaLfRmf/yNY1gU2JGiCgt8kVcaZBaiMSYwFNh31V5c5fR+06"
	"U=";

struct bytes {
	unsigned char p[PEAL_IKM_MAX];
	size_t len;
};

/* The decoder of keying material reads base64 as well. */
static struct bytes from_base64(const char *text)
{
	char prefixed[2048];
	struct bytes b;

	snprintf(prefixed, sizeof(prefixed), "%s:%s",
		 strpbrk(text, "-_") ? "base64url" : "base64", text);
	REQUIRE(!peal_ikm_decode(prefixed, strlen(prefixed), b.p, &b.len));
	return b;
}

static void hex(const unsigned char *p, size_t len, char *out)
{
	for (; len; len--, out += 2)
		snprintf(out, 3, "%02x", *p++);
}

struct got {
	unsigned n; /* elements */
	char text[128];
	struct peal_buf plain;
	struct peal_decode_facts facts;
	struct peal_reason reason;
};

static enum peal_err sink(const struct peal_element *e, void *arg)
{
	struct got *g = arg;

	g->n++;
	if (e->value_len < 64)
		snprintf(g->text, sizeof(g->text), "%.*s=%.*s",
			 (int)e->name_len, e->name, (int)e->value_len,
			 e->value);
	return PEAL_OK;
}

static struct peal_decode_options keyed(const char *key)
{
	struct peal_decode_options o = { 0 };

	o.key = key;
	o.key_len = key ? strlen(key) : 0;
	return o;
}

static struct peal_decode_options coded(const char *codings, const char *key)
{
	struct peal_decode_options o = { 0 };

	o.codings = codings;
	o.ikm = key;
	o.ikm_len = key ? strlen(key) : 0;
	return o;
}

static enum peal_err decode(const void *bytes, size_t len,
			    struct peal_decode_options o, struct got *g)
{
	memset(g, 0, sizeof(*g));
	return peal_decode(bytes, len, &o, sink, g, &g->facts, &g->reason);
}

static void steps(const struct got *g, char *out, size_t size)
{
	unsigned i;

	*out = '\0';
	for (i = 0; i < g->facts.steps_n; i++)
		snprintf(out + strlen(out), size - strlen(out), "%s%s",
			 i ? ", " : "", g->facts.steps[i]);
}

/* `bytes` is `plain` after the steps named. */
static void check_plain(const void *bytes, size_t len,
			struct peal_decode_options o, const char *want_steps)
{
	char text[256];
	struct got g;

	if (!CHECK_ERR(decode(bytes, len, o, &g), PEAL_OK))
		fprintf(stderr, "\t%s: %s\n", want_steps, g.reason.text);
	CHECK_INT(g.n, 1);
	CHECK_STR(g.text, "GPP_A=12345678");
	CHECK_INT(g.facts.bytes_in, len);
	CHECK_INT(g.facts.bytes_plain, sizeof(plain) - 1);
	steps(&g, text, sizeof(text));
	CHECK_STR(text, want_steps);
}

static void check_fault(const void *bytes, size_t len,
			struct peal_decode_options o, enum peal_err want,
			const char *why)
{
	struct got g;

	CHECK_ERR(decode(bytes, len, o, &g), want);
	if (!CHECK(strstr(g.reason.text, why)))
		fprintf(stderr, "\t%s, not %s\n", g.reason.text, why);
}

static void reads_the_examples(void)
{
	struct bytes b;

	check_plain(plain, sizeof(plain) - 1, keyed(NULL), "xml");
	b = from_base64(gz);
	check_plain(b.p, b.len, keyed(NULL), "gzip, xml");
	b = from_base64(e1);
	check_plain(b.p, b.len, keyed(pass), "aes-256-cbc (md5), xml");
	b = from_base64(e2);
	check_plain(b.p, b.len, keyed(pass), "aes-256-cbc (sha256), xml");
	b = from_base64(e3);
	check_plain(b.p, b.len, keyed(pass), "aes-256-cbc (pbkdf2), xml");
	b = from_base64(e4);
	check_plain(b.p, b.len, keyed(pass), "aes-256-cbc (md5), gzip, xml");
	b = from_base64(e8);
	check_plain(b.p, b.len, coded("aes128gcm", ikm), "aes128gcm, xml");
	b = from_base64(e9);
	check_plain(b.p, b.len, coded("AES128GCM", ikm), "aes128gcm, xml");
}

static enum peal_err collect(const void *bytes, size_t len, void *arg)
{
	struct got *g = arg;

	return peal_buf_add(&g->plain, bytes, len);
}

static void check_text(const void *bytes, size_t len,
		       struct peal_decode_options o, const char *want)
{
	struct got g;

	memset(&g, 0, sizeof(g));
	peal_buf_init(&g.plain, 1 << 20);
	CHECK_ERR(peal_decode_bytes(bytes, len, &o, collect, &g, &g.facts,
				    &g.reason),
		  PEAL_OK);
	CHECK_MEM(g.plain.data, g.plain.len, want, strlen(want));
	peal_buf_fini(&g.plain);
}

static void reads_plain_text(void)
{
	struct bytes b = from_base64(e7);

	check_text(b.p, b.len, coded("aes128gcm", ikm), "I am the walrus");
	check_text("", 0, keyed(NULL), "");
	check_text("abc", 3, keyed(NULL), "abc");
	b = from_base64(e4);
	check_text(b.p, b.len, keyed(pass), plain);
}

static void derives_keys_as_openssl_does(void)
{
	static const unsigned char salt[8] = { 0x01, 0x23, 0x45, 0x67,
					       0x89, 0xab, 0xcd, 0xef };
	static const char *const want[] = {
		"db38537f887bdf3f16e7597011cb90683f4d2a5e12d02f442f471d3825f51"
		"6f2325b9403acc6f40f77bd99c208831153",
		"5bda9ac518a4af0b90ed9cbe44cd321afe70ef61e759e5548255feb6e1b11"
		"70a2f6e6becab73b0ba5a28f0dcccbe5d16",
		"df63004e4eb3cba5a5882468a2a533a76d9e8ff90a839781361ca7c3393ab"
		"b955a9f031cc4c0c06b04ead12ea803b258",
	};
	unsigned char secret[PEAL_AES_SECRET];
	char text[2 * PEAL_AES_SECRET + 1];
	int kdf;

	for (kdf = 0; kdf < 3; kdf++) {
		CHECK_ERR(peal_aes_derive((enum peal_kdf)kdf, pass,
					  strlen(pass), salt, secret),
			  PEAL_OK);
		hex(secret, sizeof(secret), text);
		CHECK_STR(text, want[kdf]);
	}
}

static void derives_keys_as_rfc_8188_does(void)
{
	struct bytes b = from_base64(e7);
	struct peal_record_keys k;
	unsigned char nonce[PEAL_GCM_NONCE];
	char text[64];

	CHECK_ERR(peal_record_derive(ikm, strlen(ikm), b.p, &k), PEAL_OK);
	hex(k.cek, sizeof(k.cek), text);
	CHECK_STR(text, "ff09e2cad07ea1fb1c643878b5b4a31f");
	hex(k.nonce, sizeof(k.nonce), text);
	CHECK_STR(text, "05cb3c82421128b23c19e23c");
	peal_record_nonce(&k, 0x0102, nonce);
	hex(nonce, sizeof(nonce), text);
	CHECK_STR(text, "05cb3c82421128b23c19e33e");
}

static void hashes(void)
{
	unsigned char d[PEAL_SHA256_SIZE];
	struct peal_hash h;
	char text[65];

	CHECK_ERR(peal_sha256("abc", 3, d), PEAL_OK);
	hex(d, 32, text);
	CHECK_STR(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410"
			"ff61f20015ad");
	CHECK_ERR(peal_md5("abc", 3, d), PEAL_OK);
	hex(d, 16, text);
	CHECK_STR(text, "900150983cd24fb0d6963f7d28e17f72");
	CHECK_ERR(peal_hash_init(&h, PEAL_HASH_MD5), PEAL_OK);
	peal_hash_add(&h, "a", 1);
	peal_hash_add(&h, "bc", 2);
	CHECK_ERR(peal_hash_final(&h, d), PEAL_OK);
	peal_hash_fini(&h);
	peal_hash_fini(&h);
	hex(d, 16, text);
	CHECK_STR(text, "900150983cd24fb0d6963f7d28e17f72");
	/* RFC 4231, cases 2 and 6 */
	CHECK_ERR(peal_hmac_sha256("Jefe", 4, "what do ya want for nothing?",
				   28, d),
		  PEAL_OK);
	hex(d, 32, text);
	CHECK_STR(text, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec"
			"58b964ec3843");
	unsigned char key[131];

	memset(key, 0xaa, sizeof(key));
	CHECK_ERR(peal_hmac_sha256(key, sizeof(key),
				   "Test Using Larger Than Block-Size Key - "
				   "Hash Key First",
				   54, d),
		  PEAL_OK);
	hex(d, 32, text);
	CHECK_STR(text, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546"
			"040f0ee37f54");
	CHECK_ERR(peal_random(d, sizeof(d)), PEAL_OK);
	CHECK_ERR(peal_random(key, sizeof(d)), PEAL_OK);
	CHECK(memcmp(d, key, sizeof(d)) != 0);
}

static void refuses_wrong_keys_with_one_text(void)
{
	static const char one[] =
		"cannot be decrypted with this key, or is damaged inside";
	struct bytes b = from_base64(e1);
	size_t i;

	check_fault(b.p, b.len, keyed("WrongKey"), PEAL_ECORRUPT, one);
	check_fault(b.p, b.len, keyed("secretphrase1234"), PEAL_ECORRUPT, one);
	check_fault(b.p, b.len, keyed(""), PEAL_EINVAL, "empty");
	check_fault(b.p, b.len, keyed(NULL), PEAL_ECORRUPT,
		    "encrypted, no key");
	check_fault(plain, sizeof(plain) - 1, keyed(pass), PEAL_ECORRUPT,
		    "not encrypted, but a key is given");
	check_fault("", 0, keyed(pass), PEAL_ECORRUPT, "no \"Salted__\"");
	b = from_base64(gz);
	check_fault(b.p, b.len, keyed(pass), PEAL_ECORRUPT,
		    "compress first, then encrypt");
	b = from_base64(e1);
	for (i = 8; i < b.len; i++)
		check_fault(b.p, i, keyed(pass), PEAL_ECORRUPT, one);
}

static struct peal_buf new_buf(void)
{
	struct peal_buf b;

	peal_buf_init(&b, 64 << 20);
	return b;
}

static const unsigned char salt8[8] = "8 bytes!";
static const unsigned char salt16[16] = "16 bytes of salt";

/* The same text, place and word whatever is wrong inside. */
static void hides_what_is_wrong_inside(void)
{
	static const char *const bad[] = {
		"<flat-profile>",
		"<a/>",
		"<flat-profile>&x;</flat-profile>",
		"<!DOCTYPE a><b/>",
		"<html></html>",
		"<?xml encoding='x'?><b/>",
		"<a>\n\n\n</b>",
		"\x1f\x8b\x08\x01 no gzip at all",
		"neither of both",
		"                               ",
		"<flat-profile>\xff\xff\xff\xff\xff\xff</flat-profile>",
	};
	struct peal_buf b;
	struct got g;
	size_t i;
	int kdf;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		for (kdf = 0; kdf < 2; kdf++) {
			b = new_buf();
			REQUIRE(!peal_encode_aes(
				bad[i], strlen(bad[i]), pass, strlen(pass),
				(enum peal_kdf)kdf, salt8, &b));
			CHECK_ERR(decode(b.data, b.len, keyed(pass), &g),
				  PEAL_ECORRUPT);
			CHECK_STR(g.reason.text,
				  "cannot be decrypted with this key, or is "
				  "damaged inside");
			CHECK_INT(g.reason.line, 0);
			CHECK_INT(g.reason.byte, -1);
			peal_buf_fini(&b);
		}
}

/* Every kind of padding error, at every place. */
static void checks_all_of_the_padding(void)
{
	unsigned char text[64], secret[PEAL_AES_SECRET], file[16 + 64];
	struct peal_cbc c;
	struct got g;
	unsigned pad, at;

	REQUIRE(!peal_aes_derive(PEAL_KDF_MD5, pass, strlen(pass), salt8,
				 secret));
	memcpy(file, "Salted__", 8);
	memcpy(file + 8, salt8, 8);
	for (pad = 0; pad <= 17; pad++)
		for (at = 0; at <= 16; at++) {
			/* at 16: all of the padding as it should be */
			if (at < 16 && (pad == 0 || pad > 16 || at < 16 - pad))
				continue;
			memset(text, ' ', sizeof(text));
			memcpy(text, "<flat-profile/>", 15);
			memset(text + 64 - (pad > 16 ? 16 : pad), (int)pad,
			       pad > 16 ? 16 : pad);
			if (pad == 0)
				text[63] = 0;
			if (at < 15)
				text[48 + at] ^= 1;
			if (at == 15)
				text[63] = pad == 16 ? 0 : 17;
			REQUIRE(!peal_cbc_init(&c, PEAL_ENCRYPT, secret,
					       secret + 32));
			REQUIRE(!peal_cbc_run(&c, text, 64, file + 16));
			peal_cbc_fini(&c);
			CHECK_INT(decode(file, sizeof(file), keyed(pass), &g) ==
					  PEAL_OK,
				  at == 16 && pad >= 1 && pad <= 16);
		}
}

static void refuses_every_wrong_key(void)
{
	char key[32];
	struct got g;
	struct bytes b[2] = { from_base64(e1), from_base64(e4) };
	unsigned i, applied = 0;

	/* 10,000 are tried by `bench_decode wrong`: PBKDF2 takes its time */
	for (i = 0; i < 300; i++) {
		snprintf(key, sizeof(key), "wrong %u", i);
		CHECK_ERR(decode(b[i % 2].p, b[i % 2].len, keyed(key), &g),
			  PEAL_ECORRUPT);
		applied += g.n;
	}
	CHECK_INT(applied, 0);
}

/* Flips: gzip's check sum catches those that the padding lets through. */
static void refuses_every_flip_and_cut(void)
{
	struct bytes b = from_base64(e4), f;
	struct got g;
	size_t i, ok = 0;

	for (i = 0; i < b.len; i++)
		CHECK_ERR(decode(b.p, i, keyed(pass), &g), PEAL_ECORRUPT);
	for (i = 8 * 8; i < b.len * 8; i++) {
		f = b;
		f.p[i / 8] ^= (unsigned char)(1 << i % 8);
		if (decode(f.p, f.len, keyed(pass), &g) == PEAL_OK)
			ok++;
	}
	/* gzip's time, flags and system bytes are covered by no check sum,
	 * but CBC carries a flip into the whole block before it */
	CHECK_INT(ok, 0);
}

static void put_member(struct peal_buf *b, const char *text, int flags)
{
	unsigned char crc2[2];
	struct peal_buf m = new_buf();
	size_t start = b->len;
	unsigned char head[10] = { 0x1f, 0x8b, 8, (unsigned char)flags, 1, 2, 3,
				   4,    0,    3 };
	static unsigned char extra[65535];

	REQUIRE(!peal_encode_gzip(text, strlen(text), 9, &m));
	peal_buf_add(b, head, 10);
	if (flags & 4) {
		peal_buf_add(b, "\xff\xff", 2);
		peal_buf_add(b, extra, sizeof(extra));
	}
	if (flags & 8)
		peal_buf_add(b, "name.xml", 9);
	if (flags & 16)
		peal_buf_add(b, "a comment", 10);
	if (flags & 2) {
		uLong crc = crc32(0, b->data + start, (uInt)(b->len - start));
		crc2[0] = (unsigned char)crc;
		crc2[1] = (unsigned char)(crc >> 8);
		peal_buf_add(b, crc2, 2);
	}
	peal_buf_add(b, m.data + 10, m.len - 10);
	peal_buf_fini(&m);
}

static void reads_every_form_of_gzip(void)
{
	struct peal_buf b;
	int flags;

	for (flags = 0; flags < 32; flags++) {
		b = new_buf();
		put_member(&b, plain, flags);
		check_plain(b.data, b.len, keyed(NULL), "gzip, xml");
		peal_buf_fini(&b);
	}
	b = new_buf();
	put_member(&b, "<flat-profile><GPP_A>1234", 8);
	put_member(&b, "", 2);
	put_member(&b, "5678</GPP_A></flat-profile>", 31);
	check_plain(b.data, b.len, keyed(NULL), "gzip, xml");
	peal_buf_add(&b, "\0\0\0", 3);
	check_plain(b.data, b.len, keyed(NULL), "gzip, xml");
	peal_buf_add(&b, "\x1f", 1);
	check_fault(b.data, b.len, keyed(NULL), PEAL_ECORRUPT, "follows");
	peal_buf_fini(&b);
}

static void refuses_bad_gzip(void)
{
	struct bytes b = from_base64(gz), f;
	struct peal_buf twice = new_buf();
	unsigned char method[] = { 0x1f, 0x8b, 7, 0, 0, 0, 0, 0, 0, 0, 0 };
	size_t i, refused = 0;
	struct got g;

	for (i = 0; i < b.len; i++) {
		f = b;
		/* time, extra flags and system carry no meaning */
		if (i >= 4 && i < 10)
			continue;
		f.p[i] ^= 0x20;
		/* one flip moves a copy to a place with the same text */
		if (decode(f.p, f.len, keyed(NULL), &g) == PEAL_OK)
			CHECK_STR(g.text, "GPP_A=12345678");
		else
			refused++;
	}
	CHECK(refused >= b.len - 6 - 2);
	for (i = 1; i < b.len; i++)
		CHECK_ERR(decode(b.p, i, keyed(NULL), &g), PEAL_ECORRUPT);
	memcpy(b.p + b.len, "x", 1);
	check_fault(b.p, b.len + 1, keyed(NULL), PEAL_ECORRUPT, "");
	check_fault(method, sizeof(method), keyed(NULL), PEAL_ECORRUPT,
		    "damaged");
	REQUIRE(!peal_encode_gzip(b.p, b.len, 9, &twice));
	check_fault(twice.data, twice.len, keyed(NULL), PEAL_ECORRUPT,
		    "inside a gzip file");
	peal_buf_fini(&twice);
	/* zlib and raw deflate are no files */
	check_fault("\x78\x9c\x03\x00\x00\x00\x00\x01", 8, keyed(NULL),
		    PEAL_ECORRUPT, "");
}

static void put_deflate(struct peal_buf *b, const void *p, size_t len, int bits)
{
	z_stream z = { 0 };

	REQUIRE(deflateInit2(&z, 9, Z_DEFLATED, bits, 8, 0) == Z_OK);
	REQUIRE(!peal_buf_reserve(b, deflateBound(&z, len)));
	z.next_in = (unsigned char *)p;
	z.avail_in = (uInt)len;
	z.next_out = b->data;
	z.avail_out = (uInt)b->cap;
	REQUIRE(deflate(&z, Z_FINISH) == Z_STREAM_END);
	b->len = z.total_out;
	deflateEnd(&z);
}

static void undoes_content_codings(void)
{
	struct bytes b = from_base64(gz);
	struct peal_buf zl = new_buf(), raw = new_buf(), both = new_buf(),
			gcm = new_buf(), aes = new_buf();
	struct peal_decode_options o;

	check_plain(plain, sizeof(plain) - 1, coded("identity", NULL), "xml");
	check_plain(plain, sizeof(plain) - 1, coded("", NULL), "xml");
	check_plain(b.p, b.len, coded("gzip", NULL), "gzip (coding), xml");
	check_plain(b.p, b.len, coded(" X-GZIP ,", NULL), "gzip (coding), xml");
	put_deflate(&zl, plain, sizeof(plain) - 1, 15);
	check_plain(zl.data, zl.len, coded("deflate", NULL),
		    "deflate (coding), xml");
	put_deflate(&raw, plain, sizeof(plain) - 1, -15);
	check_plain(raw.data, raw.len, coded("deflate", NULL),
		    "deflate (coding), xml");
	/* a gzip file under the coding gzip: once each */
	REQUIRE(!peal_encode_gzip(b.p, b.len, 9, &both));
	check_plain(both.data, both.len, coded("gzip", NULL),
		    "gzip (coding), gzip, xml");
	/* the one listed last comes off first */
	REQUIRE(!peal_encode_aes128gcm(b.p, b.len, "key", 3, salt16, 4096,
				       &gcm));
	check_plain(gcm.data, gcm.len, coded("gzip, aes128gcm", "key"),
		    "aes128gcm, gzip (coding), xml");
	check_plain(gcm.data, gcm.len, coded("aes128gcm", "key"),
		    "aes128gcm, gzip, xml");
	/* with aes128gcm the key of the rule is not for this file */
	o = coded("aes128gcm", "key");
	o.key = pass;
	o.key_len = strlen(pass);
	check_plain(gcm.data, gcm.len, o, "aes128gcm, gzip, xml");
	/* an encrypted file that the server compressed on its way */
	b = from_base64(e1);
	REQUIRE(!peal_encode_gzip(b.p, b.len, 9, &aes));
	o = coded("gzip", "an ikm");
	o.key = pass;
	o.key_len = strlen(pass);
	check_plain(aes.data, aes.len, o,
		    "gzip (coding), aes-256-cbc (md5), xml");

	check_fault(plain, 9, coded("br", NULL), PEAL_ECODING,
		    "unknown content coding \"br\"");
	check_fault(plain, 9, coded("gzip,gzip,gzip,gzip,gzip", NULL),
		    PEAL_ECODING, "more than 4");
	check_fault(gcm.data, gcm.len, coded("aes128gcm", NULL), PEAL_ECORRUPT,
		    "no key");
	check_fault(gcm.data, gcm.len, coded("aes128gcm", ""), PEAL_ECORRUPT,
		    "no key");
	check_fault(gcm.data, gcm.len, coded("aes128gcm", "base64:*"),
		    PEAL_EINVAL, "prefix");
	check_fault(gcm.data, gcm.len, coded("aes128gcm", "other"),
		    PEAL_ECORRUPT, "wrong key");
	check_fault(raw.data, raw.len - 1, coded("deflate", NULL),
		    PEAL_ECORRUPT, "cut off");
	check_fault(plain, 1, coded("deflate", NULL), PEAL_ECORRUPT, "cut off");
	peal_buf_fini(&zl);
	peal_buf_fini(&raw);
	peal_buf_fini(&both);
	peal_buf_fini(&gcm);
	peal_buf_fini(&aes);
}

static void refuses_bad_records(void)
{
	struct bytes b = from_base64(e9), f;
	struct got g;
	size_t i, ok = 0;

	/* second record dropped; cut anywhere */
	check_fault(b.p, 21 + 43, coded("aes128gcm", ikm), PEAL_ECORRUPT,
		    "last record is missing");
	for (i = 1; i < b.len; i++)
		CHECK_ERR(decode(b.p, i, coded("aes128gcm", ikm), &g),
			  PEAL_ECORRUPT);
	for (i = 0; i < b.len * 8; i++) {
		f = b;
		f.p[i / 8] ^= (unsigned char)(1 << i % 8);
		ok += decode(f.p, f.len, coded("aes128gcm", ikm), &g) ==
		      PEAL_OK;
	}
	CHECK_INT(ok, 0);
	/* records swapped */
	f = b;
	memcpy(f.p + 21, b.p + 21 + 43, 43);
	memcpy(f.p + 21 + 43, b.p + 21, 43);
	CHECK_ERR(decode(f.p, f.len, coded("aes128gcm", ikm), &g),
		  PEAL_ECORRUPT);
	/* a record size too small, in a header alone */
	memset(f.p, 0, 21);
	f.p[19] = 17;
	check_fault(f.p, f.len, coded("aes128gcm", ikm), PEAL_ECORRUPT,
		    "below 18");
}

static void encodes_what_it_decodes(void)
{
	static const uint32_t sizes[] = { 18, 19, 43, 64, 69, 4096, 1 << 30 };
	struct peal_buf b, inner;
	size_t i, kdf;
	unsigned char key_id[64];

	for (i = 0; i < 7; i++) {
		b = new_buf();
		CHECK_ERR(peal_encode_aes128gcm(plain, sizeof(plain) - 1, ikm,
						strlen(ikm), salt16, sizes[i],
						&b),
			  PEAL_OK);
		check_plain(b.data, b.len, coded("aes128gcm", ikm),
			    "aes128gcm, xml");
		/* with a key id of 5 bytes, which is passed over */
		memcpy(key_id, b.data, 21);
		key_id[20] = 5;
		inner = new_buf();
		peal_buf_add(&inner, key_id, 26);
		peal_buf_add(&inner, b.data + 21, b.len - 21);
		check_plain(inner.data, inner.len, coded("aes128gcm", ikm),
			    "aes128gcm, xml");
		peal_buf_fini(&inner);
		peal_buf_fini(&b);
	}
	for (kdf = 0; kdf < 3; kdf++) {
		static const char *const want[] = {
			"aes-256-cbc (md5), gzip, xml",
			"aes-256-cbc (sha256), gzip, xml",
			"aes-256-cbc (pbkdf2), gzip, xml",
		};
		b = new_buf();
		inner = new_buf();
		CHECK_ERR(peal_encode_gzip(plain, sizeof(plain) - 1,
					   (int)kdf * 4, &inner),
			  PEAL_OK);
		CHECK_ERR(peal_encode_aes(inner.data, inner.len, pass,
					  strlen(pass), (enum peal_kdf)kdf,
					  salt8, &b),
			  PEAL_OK);
		check_plain(b.data, b.len, keyed(pass), want[kdf]);
		peal_buf_fini(&inner);
		peal_buf_fini(&b);
	}
	b = new_buf();
	CHECK_ERR(peal_encode_aes(plain, 1, "", 0, PEAL_KDF_MD5, salt8, &b),
		  PEAL_EINVAL);
	CHECK_ERR(peal_encode_aes128gcm(plain, 1, ikm, 3, salt16, 17, &b),
		  PEAL_EINVAL);
	CHECK_ERR(peal_encode_gzip(plain, 1, 10, &b), PEAL_EINVAL);
	CHECK_INT(b.len, 0);
	peal_buf_fini(&b);
	/* what does not fit leaves the buffer as it was */
	peal_buf_init(&b, 40);
	peal_buf_add(&b, "keep", 4);
	CHECK_ERR(peal_encode_aes(plain, 52, "k", 1, PEAL_KDF_MD5, salt8, &b),
		  PEAL_ELIMIT);
	CHECK_ERR(peal_encode_aes128gcm(plain, 52, "k", 1, salt16, 18, &b),
		  PEAL_ELIMIT);
	CHECK_ERR(peal_encode_gzip(plain, 52, 9, &b), PEAL_ELIMIT);
	CHECK_MEM(b.data, b.len, "keep", 4);
	peal_buf_fini(&b);
}

static void reads_an_empty_file_as_an_empty_profile(void)
{
	struct got g;

	CHECK_ERR(decode("", 0, keyed(NULL), &g), PEAL_OK);
	CHECK_INT(g.n, 0);
	CHECK_ERR(decode("", 0, coded("gzip", NULL), &g), PEAL_OK);
	check_fault(" ", 1, keyed(NULL), PEAL_ECORRUPT, "empty");
}

/* Any number of blanks may come first, and more than a window of anything. */
static void decrypts_long_files(void)
{
	static const size_t blanks[] = { 0,   1,   15,  16,    17,    500,
					 511, 512, 600, 16383, 16384, 70000 };
	struct peal_buf text, b;
	struct got g;
	size_t i, kdf;

	for (i = 0; i < sizeof(blanks) / sizeof(*blanks); i++)
		for (kdf = 0; kdf < 2; kdf++) {
			text = new_buf();
			b = new_buf();
			REQUIRE(!peal_buf_reserve(&text, blanks[i] + 1));
			memset(text.data, i % 2 ? '\n' : ' ', blanks[i]);
			text.len = blanks[i];
			peal_buf_add_str(&text, plain);
			REQUIRE(!peal_encode_aes(text.data, text.len, pass, 16,
						 (enum peal_kdf)kdf, salt8,
						 &b));
			CHECK_ERR(decode(b.data, b.len, keyed(pass), &g),
				  PEAL_OK);
			CHECK_INT(g.n, 1);
			CHECK_INT(g.facts.bytes_plain, text.len);
			peal_buf_fini(&text);
			peal_buf_fini(&b);
		}
}

/* Bytes beyond the input that one decode may hold. */
enum { EXTRA_MAX = 512 << 10 };

static void check_bomb(const struct peal_buf *b, struct peal_decode_options o,
		       enum peal_err want)
{
	struct alloc_fail a;
	struct got g;

	alloc_fail_begin(&a, 0, 0);
	CHECK_ERR(decode(b->data, b->len, o, &g), want);
	alloc_fail_end(&a);
	CHECK_INT(a.live, 0);
	CHECK_INT(g.n, 0);
	if (!CHECK(a.peak < EXTRA_MAX))
		fprintf(stderr, "\t%ld bytes\n", a.peak);
	/* stopped at the cap, give or take a window */
	CHECK(g.facts.bytes_plain <= (size_t)PEAL_LIMIT_INFLATED + 65536);
}

static void stops_bombs_at_the_cap(void)
{
	const size_t size = 60 << 20;
	char *zeros = calloc(1, size);
	struct peal_buf bomb, nested, aes;

	REQUIRE(zeros);
	bomb = nested = aes = new_buf();
	memset(zeros, ' ', size);
	memcpy(zeros, "<flat-profile>", 14);
	REQUIRE(!peal_encode_gzip(zeros, size, 9, &bomb));
	free(zeros);
	check_bomb(&bomb, keyed(NULL), PEAL_ETOOBIG);
	check_bomb(&bomb, coded("gzip", NULL), PEAL_ETOOBIG);
	REQUIRE(!peal_encode_gzip(bomb.data, bomb.len, 9, &nested));
	check_bomb(&nested, keyed(NULL), PEAL_ECORRUPT);
	check_bomb(&nested, coded("gzip", NULL), PEAL_ETOOBIG);
	check_bomb(&nested, coded("gzip, gzip", NULL), PEAL_ETOOBIG);
	REQUIRE(!peal_encode_aes(bomb.data, bomb.len, pass, 16, PEAL_KDF_MD5,
				 salt8, &aes));
	check_bomb(&aes, keyed(pass), PEAL_ETOOBIG);
	peal_buf_fini(&bomb);
	peal_buf_fini(&nested);
	peal_buf_fini(&aes);
}

static void refuses_too_big_a_file(void)
{
	char *big = calloc(1, PEAL_LIMIT_DOWNLOAD + 1);

	REQUIRE(big);
	memset(big, ' ', PEAL_LIMIT_DOWNLOAD + 1);
	check_fault(big, PEAL_LIMIT_DOWNLOAD + 1, keyed(NULL), PEAL_ETOOBIG,
		    "5242880");
	check_fault(big, PEAL_LIMIT_DOWNLOAD, keyed(NULL), PEAL_ECORRUPT, "");
	free(big);
}

struct job {
	struct bytes b;
	struct peal_decode_options o;
};

static int whole_decode(void *arg)
{
	const struct job *j = arg;
	struct got g;
	enum peal_err err = decode(j->b.p, j->b.len, j->o, &g);

	if (err)
		CHECK_ERR(err, PEAL_ENOMEM);
	else
		CHECK_INT(g.n, 1);
	return err != PEAL_OK;
}

static int whole_encode(void *arg)
{
	struct peal_buf a, b, c;
	enum peal_err err;

	(void)arg;
	a = b = c = new_buf();
	err = peal_encode_gzip(plain, sizeof(plain), 9, &a);
	if (!err)
		err = peal_gunzip(a.data, a.len, &b, NULL);
	if (!err)
		err = peal_encode_aes(plain, sizeof(plain), pass, 16,
				      PEAL_KDF_MD5, salt8, &b);
	if (!err)
		err = peal_encode_aes128gcm(plain, sizeof(plain), ikm,
					    strlen(ikm), salt16, 64, &c);
	if (err)
		CHECK_ERR(err, PEAL_ENOMEM);
	peal_buf_fini(&a);
	peal_buf_fini(&b);
	peal_buf_fini(&c);
	return err != PEAL_OK;
}

static void lives_without_memory(void)
{
	struct job j = { from_base64(e4), keyed(pass) };

	CHECK(alloc_fail_each(whole_decode, &j) > 10);
	j.b = from_base64(e9);
	j.o = coded("aes128gcm", ikm);
	CHECK(alloc_fail_each(whole_decode, &j) > 10);
	alloc_fail_each(whole_encode, NULL);
}

/* A command reads `in`; what it writes. 1 when it ended well. */
static int filter(const char *command, const struct peal_buf *in,
		  struct peal_buf *out)
{
	char path[] = "/tmp/peal-decode-test-XXXXXX", line[512];
	int fd = mkstemp(path), status;
	FILE *f;
	size_t n;

	REQUIRE(fd >= 0);
	REQUIRE(write(fd, in->data, in->len) == (ssize_t)in->len);
	close(fd);
	snprintf(line, sizeof(line), "%s < %s 2>/dev/null", command, path);
	f = popen(line, "r");
	REQUIRE(f);
	do {
		REQUIRE(!peal_buf_reserve(out, 4096));
		n = fread(out->data + out->len, 1, 4096, f);
		out->len += n;
	} while (n);
	status = pclose(f);
	unlink(path);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void agrees_with_openssl_and_gzip(void)
{
	static const struct {
		enum peal_kdf kdf;
		const char *options, *steps;
	} rows[] = {
		{ PEAL_KDF_MD5, "-md md5", "aes-256-cbc (md5), xml" },
		{ PEAL_KDF_SHA256, "-md sha256", "aes-256-cbc (sha256), xml" },
		{ PEAL_KDF_PBKDF2, "-pbkdf2", "aes-256-cbc (pbkdf2), xml" },
	};
	struct peal_buf in = new_buf(), out, ours;
	char line[256];
	size_t i;

	if (system("openssl version >/dev/null && gzip --version >/dev/null"))
		return; /* not on this machine */
	peal_buf_add_str(&in, plain);
	for (i = 0; i < 3; i++) {
		out = ours = new_buf();
		snprintf(line, sizeof(line),
			 "openssl enc -aes-256-cbc %s -k %s", rows[i].options,
			 pass);
		CHECK(filter(line, &in, &out));
		check_plain(out.data, out.len, keyed(pass), rows[i].steps);
		peal_buf_clear(&out);
		REQUIRE(!peal_encode_aes(in.data, in.len, pass, 16, rows[i].kdf,
					 salt8, &ours));
		snprintf(line, sizeof(line),
			 "openssl enc -d -aes-256-cbc %s -k %s",
			 rows[i].options, pass);
		CHECK(filter(line, &ours, &out));
		CHECK_MEM(out.data, out.len, in.data, in.len);
		peal_buf_fini(&out);
		peal_buf_fini(&ours);
	}
	out = ours = new_buf();
	CHECK(filter("gzip -9", &in, &out));
	check_plain(out.data, out.len, keyed(NULL), "gzip, xml");
	peal_buf_clear(&out);
	REQUIRE(!peal_encode_gzip(in.data, in.len, 6, &ours));
	CHECK(filter("gzip -dc", &ours, &out));
	CHECK_MEM(out.data, out.len, in.data, in.len);
	peal_buf_fini(&out);
	peal_buf_fini(&ours);
	peal_buf_fini(&in);
}

int main(int argc, char **argv)
{
	static const struct test_case cases[] = {
		{ "reads the examples", reads_the_examples },
		{ "reads plain text", reads_plain_text },
		{ "derives keys as openssl does",
		  derives_keys_as_openssl_does },
		{ "derives keys as RFC 8188 does",
		  derives_keys_as_rfc_8188_does },
		{ "hashes", hashes },
		{ "refuses wrong keys with one text",
		  refuses_wrong_keys_with_one_text },
		{ "hides what is wrong inside", hides_what_is_wrong_inside },
		{ "checks all of the padding", checks_all_of_the_padding },
		{ "refuses every wrong key", refuses_every_wrong_key },
		{ "refuses every flip and cut", refuses_every_flip_and_cut },
		{ "reads every form of gzip", reads_every_form_of_gzip },
		{ "refuses bad gzip", refuses_bad_gzip },
		{ "undoes content codings", undoes_content_codings },
		{ "refuses bad records", refuses_bad_records },
		{ "encodes what it decodes", encodes_what_it_decodes },
		{ "reads an empty file as an empty profile",
		  reads_an_empty_file_as_an_empty_profile },
		{ "decrypts long files", decrypts_long_files },
		{ "stops bombs at the cap", stops_bombs_at_the_cap },
		{ "refuses too big a file", refuses_too_big_a_file },
		{ "lives without memory", lives_without_memory },
		{ "agrees with openssl and gzip",
		  agrees_with_openssl_and_gzip },
	};

	if (peal_xml_hook())
		return 1;
	return test_main(cases, sizeof(cases) / sizeof(*cases), argc, argv);
}
