/* stage.h - the decode chain from the inside. Private to decode/.
 *
 * A stage takes bytes in any pieces and pushes what it makes of them to the
 * next one. The last piece is marked (it may be empty), and each stage marks
 * its own last piece in turn; after an error nothing more is pushed. */
#ifndef PEAL_DECODE_STAGE_H
#define PEAL_DECODE_STAGE_H

#include "crypto.h"
#include "peal/decode.h"
#include "peal/encode.h"

enum {
	/* plain text on its way from one stage to the next; larger ones gain
	 * nothing */
	PEAL_DECODE_WINDOW = 16 << 10,
	PEAL_SALT = 8,
	PEAL_AES_HEADER = 16, /* "Salted__" and the salt */
	PEAL_AES_SECRET = PEAL_AES256_KEY + PEAL_AES_BLOCK,
	PEAL_IKM_MAX = 1024
};

struct peal_chain;

/*   fini   wipes and releases what the stage holds, not the stage */
struct peal_stage {
	enum peal_err (*push)(struct peal_stage *s, const unsigned char *p,
			      size_t len, int last);
	void (*fini)(struct peal_stage *s);
	size_t size;
	struct peal_stage *next;
	struct peal_stage *made_before; /* list of the chain */
	struct peal_chain *chain;
};

/*   cbc     AES-256-CBC was begun: from here on faults look all the same */
struct peal_chain {
	const struct peal_decode_options *options;
	struct peal_decode_facts *facts;
	struct peal_reason *reason;
	struct peal_stage *made;
	int cbc;
};

/* A zeroed stage that lives as long as the chain, or NULL. `size` counts the
 * struct peal_stage at its beginning. */
void *peal_chain_add(struct peal_chain *c, size_t size,
		     struct peal_stage *next);
/* Note a step; the text is static. */
void peal_chain_step(struct peal_chain *c, const char *step);

static inline enum peal_err
peal_push(struct peal_stage *s, const unsigned char *p, size_t len, int last)
{
	return s->push(s, p, len, last);
}

/* The stages. NULL: no memory. */
enum peal_inflate {
	PEAL_INFLATE_FILE,   /* gzip as a file: no second one inside */
	PEAL_INFLATE_GZIP,   /* the coding gzip */
	PEAL_INFLATE_DEFLATE /* the coding deflate: zlib, or raw as some send */
};
struct peal_stage *peal_stage_inflate(struct peal_chain *c,
				      enum peal_inflate kind,
				      struct peal_stage *next);
struct peal_stage *peal_stage_aes(struct peal_chain *c,
				  struct peal_stage *next);
struct peal_stage *peal_stage_aes128gcm(struct peal_chain *c,
					struct peal_stage *next);

/* zlib's memory. */
void *peal_z_alloc(void *arg, unsigned n, unsigned size);
void peal_z_free(void *arg, void *p);

/* Key and IV from a passphrase. */
enum peal_err peal_aes_derive(enum peal_kdf kdf, const char *key,
			      size_t key_len,
			      const unsigned char salt[PEAL_SALT],
			      unsigned char out[PEAL_AES_SECRET]);

/* Octets of an IKM text, with or without a prefix that names a coding.
 * PEAL_EINVAL */
enum peal_err peal_ikm_decode(const char *text, size_t len,
			      unsigned char out[PEAL_IKM_MAX], size_t *out_len);
/* RFC 8188, 2.2 and 2.3. */
struct peal_record_keys {
	unsigned char cek[PEAL_GCM_KEY];
	unsigned char nonce[PEAL_GCM_NONCE];
};
enum peal_err peal_record_derive(const char *ikm, size_t ikm_len,
				 const unsigned char salt[16],
				 struct peal_record_keys *out);
/* Nonce of record `n`. */
void peal_record_nonce(const struct peal_record_keys *k, unsigned long long n,
		       unsigned char out[PEAL_GCM_NONCE]);

#endif
