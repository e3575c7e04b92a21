/* intern.h - texts that many stores share, with reference counts.
 *
 * A host has thousands of phones whose values are mostly the same: each text
 * is held once. Large or private bytes (state) use the same struct without
 * being looked up. Texts are wiped when the last reference goes, for any of
 * them may have been a secret. */
#ifndef PEAL_INTERN_H
#define PEAL_INTERN_H

#include <stddef.h>
#include <stdint.h>

struct peal_text {
	uint32_t refs;
	uint32_t hash; /* 0 when not interned */
	uint32_t len : 31;
	uint32_t interned : 1;
	char bytes[]; /* len bytes and a NUL */
};

struct peal_intern {
	struct peal_text **slots; /* a power of two, open addressing */
	uint32_t size;
	uint32_t used;
	uint64_t seed[2];
};

/* SipHash-1-3: names and values come from servers, and a server must not be
 * able to make all of them collide. */
uint32_t peal_hash32(const uint64_t seed[2], const void *bytes, size_t len);

void peal_intern_fini(struct peal_intern *t);
/* A reference to the text of these bytes; NULL when there is no memory. */
struct peal_text *peal_intern_get(struct peal_intern *t, const void *bytes,
				  size_t len);
/* A reference if the text is there already, else NULL. */
struct peal_text *peal_intern_find(struct peal_intern *t, const void *bytes,
				   size_t len);
/* A text of its own, not looked up. */
struct peal_text *peal_text_new(const void *bytes, size_t len);
struct peal_text *peal_text_ref(struct peal_text *text); /* takes NULL */
void peal_text_unref(struct peal_intern *t, struct peal_text *text);

#endif
