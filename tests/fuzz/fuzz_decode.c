/* fuzz_decode.c - the whole decode chain, with and without keys. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "peal/alloc.h"
#include "peal/decode.h"
#include "peal/encode.h"
#include "peal/limits.h"
#include "profile/memory.h"

static enum peal_err sink(const struct peal_element *e, void *arg)
{
	(void)e;
	++*(unsigned *)arg;
	return PEAL_OK;
}

static enum peal_err count(const void *bytes, size_t len, void *arg)
{
	(void)bytes;
	*(size_t *)arg += len;
	return PEAL_OK;
}

static void decode(const void *p, size_t len,
		   const struct peal_decode_options *o)
{
	struct peal_decode_facts facts;
	struct peal_reason reason;
	unsigned n = 0;
	size_t plain = 0;
	enum peal_err err;

	err = peal_decode(p, len, o, sink, &n, &facts, &reason);
	if (facts.steps_n > PEAL_DECODE_STEPS ||
	    facts.bytes_plain > (size_t)PEAL_LIMIT_INFLATED + 65536)
		abort();
	if (err == PEAL_EINTERNAL || err == PEAL_ENOMEM)
		abort();
	err = peal_decode_bytes(p, len, o, count, &plain, &facts, &reason);
	if (facts.bytes_plain != plain || err == PEAL_EINTERNAL)
		abort();
}

/* Plain text that looks right: else PBKDF2 is tried too, and the fuzzer
 * crawls. */
static void encrypt(const uint8_t *p, size_t len, struct peal_buf *out)
{
	static const unsigned char salt[8] = "8 bytes!";
	struct peal_buf text;

	peal_buf_init(&text, 1 << 24);
	if (len < 4 || memcmp(p, "\x1f\x8b\x08", 3) != 0 || (p[3] & 0xe0))
		peal_buf_add_str(&text, "<!-- long enough -->");
	peal_buf_add(&text, p, len);
	peal_encode_aes(text.data, text.len, "key", 3, PEAL_KDF_MD5, salt, out);
	peal_buf_fini(&text);
}

static void gunzip(const void *bytes, size_t len)
{
	struct peal_buf out;

	peal_buf_init(&out, 100000);
	peal_gunzip(bytes, len, &out, NULL);
	peal_buf_fini(&out);
}

/* The first byte chooses what is put around the rest before it is decoded, so
 * that the fuzzer gets past keys and tags. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const codings[] = { NULL,
					       "gzip",
					       "deflate",
					       "aes128gcm",
					       "gzip, aes128gcm",
					       "deflate, gzip" };
	static const unsigned char salt[16] = "salt";
	static int ready;
	struct peal_decode_options o = { .ikm = "ikm", .ikm_len = 3 };
	struct peal_buf b;

	if (!ready)
		ready = !peal_xml_hook();
	if (size < 1)
		return 0;
	o.codings = codings[data[0] % 6];
	peal_buf_init(&b, 1 << 24);
	switch (data[0] / 6 % 4) {
	case 0:
		peal_buf_add(&b, data + 1, size - 1);
		break;
	case 1:
		o.codings = NULL;
		o.key = "key";
		o.key_len = 3;
		encrypt(data + 1, size - 1, &b);
		break;
	case 2:
		o.codings = "aes128gcm";
		peal_encode_aes128gcm(data + 1, size - 1, "ikm", 3, salt,
				      18 + data[0], &b);
		break;
	case 3:
		peal_encode_gzip(data + 1, size - 1, 1, &b);
		break;
	}
	decode(b.data, b.len, &o);
	gunzip(b.data, b.len);
	peal_buf_fini(&b);
	return 0;
}
