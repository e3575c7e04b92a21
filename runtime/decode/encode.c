/* encode.c - see peal/encode.h */
#include "peal/encode.h"

#include <string.h>
#include <zlib.h>

#include "peal/alloc.h"
#include "stage.h"

enum peal_err peal_encode_gzip(const void *bytes, size_t len, int level,
			       struct peal_buf *out)
{
	gz_header header = { .os = 255 }; /* unknown: same bytes everywhere */
	z_stream z = { .zalloc = peal_z_alloc, .zfree = peal_z_free };
	enum peal_err err;
	size_t bound;
	int status;

	if (level < 0 || level > 9 || len > UINT32_MAX / 2)
		return PEAL_EINVAL;
	if (deflateInit2(&z, level, Z_DEFLATED, 16 + MAX_WBITS, 8,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return PEAL_ENOMEM;
	deflateSetHeader(&z, &header);
	bound = deflateBound(&z, len);
	err = peal_buf_reserve(out, bound);
	if (err)
		goto end;
	z.next_in = (unsigned char *)bytes;
	z.avail_in = (unsigned)len;
	z.next_out = out->data + out->len;
	z.avail_out = (unsigned)bound;
	status = deflate(&z, Z_FINISH);
	if (status == Z_STREAM_END)
		out->len += z.total_out;
	else
		err = PEAL_EINTERNAL;
end:
	deflateEnd(&z);
	return err;
}

enum peal_err peal_encode_aes(const void *bytes, size_t len, const char *key,
			      size_t key_len, enum peal_kdf kdf,
			      const unsigned char salt[PEAL_SALT],
			      struct peal_buf *out)
{
	const size_t whole = len - len % PEAL_AES_BLOCK, left = len - whole;
	unsigned char secret[PEAL_AES_SECRET], block[PEAL_AES_BLOCK];
	unsigned char *p;
	struct peal_cbc cbc;
	enum peal_err err;

	if (key_len == 0)
		return PEAL_EINVAL;
	err = peal_buf_reserve(out, PEAL_AES_HEADER + whole + PEAL_AES_BLOCK);
	if (err)
		return err;
	err = peal_aes_derive(kdf, key, key_len, salt, secret);
	if (err)
		goto end;
	p = out->data + out->len;
	memcpy(p, "Salted__", 8);
	memcpy(p + 8, salt, PEAL_SALT);
	memset(block, (int)(PEAL_AES_BLOCK - left), sizeof(block));
	if (left)
		memcpy(block, (const unsigned char *)bytes + whole, left);
	err = peal_cbc_init(&cbc, PEAL_ENCRYPT, secret,
			    secret + PEAL_AES256_KEY);
	p += PEAL_AES_HEADER;
	if (!err && whole)
		err = peal_cbc_run(&cbc, bytes, whole, p);
	if (!err)
		err = peal_cbc_run(&cbc, block, sizeof(block), p + whole);
	peal_cbc_fini(&cbc);
	if (!err)
		out->len += PEAL_AES_HEADER + whole + PEAL_AES_BLOCK;
end:
	peal_wipe(secret, sizeof(secret));
	peal_wipe(block, sizeof(block));
	return err;
}

struct sealer {
	struct peal_record_keys keys;
	struct peal_gcm gcm;
	struct peal_buf record; /* plain text with its delimiter */
	unsigned long long seq;
};

static enum peal_err seal(struct sealer *s, const void *bytes, size_t len,
			  int last, struct peal_buf *out)
{
	unsigned char nonce[PEAL_GCM_NONCE], delimiter = last ? 2 : 1;
	enum peal_err err;

	peal_buf_clear(&s->record);
	err = peal_buf_add(&s->record, bytes, len);
	if (!err)
		err = peal_buf_add(&s->record, &delimiter, 1);
	if (!err)
		err = peal_buf_reserve(out, s->record.len + PEAL_GCM_TAG);
	if (err)
		return err;
	peal_record_nonce(&s->keys, s->seq++, nonce);
	err = peal_gcm_seal(&s->gcm, nonce, s->record.data, s->record.len,
			    out->data + out->len);
	if (!err)
		out->len += s->record.len + PEAL_GCM_TAG;
	return err;
}

static enum peal_err gcm_header(const unsigned char salt[16], uint32_t size,
				struct peal_buf *out)
{
	const unsigned char rest[5] = { (unsigned char)(size >> 24),
					(unsigned char)(size >> 16),
					(unsigned char)(size >> 8),
					(unsigned char)size, 0 };
	enum peal_err err = peal_buf_add(out, salt, 16);

	return err ? err : peal_buf_add(out, rest, sizeof(rest));
}

enum peal_err peal_encode_aes128gcm(const void *bytes, size_t len,
				    const char *ikm, size_t ikm_len,
				    const unsigned char salt[16],
				    uint32_t record_size, struct peal_buf *out)
{
	const size_t start = out->len, data = record_size - PEAL_GCM_TAG - 1;
	const unsigned char *p = bytes;
	struct sealer s = { .seq = 0 };
	enum peal_err err;
	size_t n;

	if (record_size < 18)
		return PEAL_EINVAL;
	peal_buf_init(&s.record, data + 1);
	err = peal_record_derive(ikm, ikm_len, salt, &s.keys);
	if (!err)
		err = peal_gcm_init(&s.gcm, PEAL_ENCRYPT, s.keys.cek,
				    PEAL_GCM_KEY);
	if (!err)
		err = gcm_header(salt, record_size, out);
	while (!err) {
		n = len < data ? len : data;
		err = seal(&s, p, n, n == len, out);
		if (n == len)
			break;
		p += n;
		len -= n;
	}
	peal_gcm_fini(&s.gcm);
	peal_buf_fini_secret(&s.record);
	peal_wipe(&s.keys, sizeof(s.keys));
	if (err)
		out->len = start;
	return err;
}

struct peal_digest {
	struct peal_hash hash;
};

enum peal_err peal_digest_new(struct peal_digest **out)
{
	struct peal_digest *d = peal_zalloc(sizeof(*d));
	enum peal_err err;

	if (!d)
		return PEAL_ENOMEM;
	err = peal_hash_init(&d->hash, PEAL_HASH_SHA256);
	if (err) {
		peal_digest_free(d);
		return err;
	}
	*out = d;
	return PEAL_OK;
}

void peal_digest_free(struct peal_digest *d)
{
	if (d)
		peal_hash_fini(&d->hash);
	peal_free(d);
}

void peal_digest_add(struct peal_digest *d, const void *bytes, size_t len)
{
	peal_hash_add(&d->hash, bytes, len);
}

enum peal_err peal_digest_hex(const struct peal_digest *d,
			      char out[PEAL_DIGEST_HEX])
{
	unsigned char digest[PEAL_SHA256_SIZE];
	enum peal_err err = peal_hash_peek(&d->hash, digest);

	if (!err)
		peal_hex(digest, sizeof(digest), out);
	return err;
}
