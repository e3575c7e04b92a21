/* intern.c - see intern.h */
#include "store/intern.h"

#include <string.h>

#include "peal/alloc.h"

static inline uint64_t rotate(uint64_t x, int n)
{
	return (x << n) | (x >> (64 - n));
}

static inline void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

/* The words are read in the machine's order: hashes never leave a process. */
uint32_t peal_hash32(const uint64_t seed[2], const void *bytes, size_t len)
{
	const unsigned char *p = bytes;
	uint64_t word, v[4] = { seed[0] ^ 0x736f6d6570736575u,
				seed[1] ^ 0x646f72616e646f6du,
				seed[0] ^ 0x6c7967656e657261u,
				seed[1] ^ 0x7465646279746573u };
	uint32_t half;
	unsigned shift = 0;
	size_t left;

	for (left = len; left >= 8; left -= 8, p += 8) {
		memcpy(&word, p, 8);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	word = (uint64_t)len << 56;
	if (left & 4) {
		memcpy(&half, p, 4);
		word |= half;
		shift = 32;
		p += 4;
	}
	for (left &= 3; left; left--, shift += 8)
		word |= (uint64_t)*p++ << shift;
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
	v[2] ^= 0xff;
	sip_round(v);
	sip_round(v);
	sip_round(v);
	word = v[0] ^ v[1] ^ v[2] ^ v[3];
	return (uint32_t)(word ^ (word >> 32));
}

void peal_intern_fini(struct peal_intern *t)
{
	peal_free(t->slots);
	t->slots = NULL;
	t->size = 0;
	t->used = 0;
}

/* The slot of the text, or the free one where it belongs. */
static uint32_t slot_of(const struct peal_intern *t, uint32_t hash,
			const void *bytes, size_t len)
{
	uint32_t i = hash & (t->size - 1);
	const struct peal_text *x;

	while ((x = t->slots[i])) {
		if (x->hash == hash && x->len == len &&
		    memcmp(x->bytes, bytes, len) == 0)
			break;
		i = (i + 1) & (t->size - 1);
	}
	return i;
}

static int grow(struct peal_intern *t)
{
	uint32_t old_size = t->size, size = old_size ? old_size * 2 : 256;
	struct peal_text **old = t->slots, **slots;
	uint32_t i, j;

	slots = peal_calloc(size, sizeof(*slots));
	if (!slots)
		return 0;
	t->slots = slots;
	t->size = size;
	for (i = 0; i < old_size; i++) {
		if (!old[i])
			continue;
		j = old[i]->hash & (size - 1);
		while (slots[j])
			j = (j + 1) & (size - 1);
		slots[j] = old[i];
	}
	peal_free(old);
	return 1;
}

struct peal_text *peal_text_new(const void *bytes, size_t len)
{
	struct peal_text *x;

	if (len > INT32_MAX / 2)
		return NULL;
	x = peal_alloc(sizeof(*x) + len + 1);
	if (!x)
		return NULL;
	x->refs = 1;
	x->hash = 0;
	x->len = (uint32_t)len & INT32_MAX;
	x->interned = 0;
	if (len)
		memcpy(x->bytes, bytes, len);
	x->bytes[len] = '\0';
	return x;
}

struct peal_text *peal_intern_find(struct peal_intern *t, const void *bytes,
				   size_t len)
{
	uint32_t i;

	if (!t->size)
		return NULL;
	i = slot_of(t, peal_hash32(t->seed, bytes, len), bytes, len);
	return peal_text_ref(t->slots[i]);
}

struct peal_text *peal_intern_get(struct peal_intern *t, const void *bytes,
				  size_t len)
{
	uint32_t hash = peal_hash32(t->seed, bytes, len), i;
	struct peal_text *x;

	if (t->used >= t->size / 4 * 3 && !grow(t))
		return NULL;
	i = slot_of(t, hash, bytes, len);
	if (t->slots[i])
		return peal_text_ref(t->slots[i]);
	x = peal_text_new(bytes, len);
	if (!x)
		return NULL;
	x->hash = hash;
	x->interned = 1;
	t->slots[i] = x;
	t->used++;
	return x;
}

struct peal_text *peal_text_ref(struct peal_text *text)
{
	if (text)
		text->refs++;
	return text;
}

/* Close the gap, so that no search stops short: what follows moves up unless
 * it would come to lie before its own place. */
static void take_out(struct peal_intern *t, const struct peal_text *text)
{
	uint32_t mask = t->size - 1, hole, i;

	for (hole = text->hash & mask; t->slots[hole] != text;)
		hole = (hole + 1) & mask;
	for (i = (hole + 1) & mask; t->slots[i]; i = (i + 1) & mask) {
		if (((i - t->slots[i]->hash) & mask) < ((i - hole) & mask))
			continue;
		t->slots[hole] = t->slots[i];
		hole = i;
	}
	t->slots[hole] = NULL;
	t->used--;
}

void peal_text_unref(struct peal_intern *t, struct peal_text *text)
{
	if (!text || --text->refs)
		return;
	if (text->interned)
		take_out(t, text);
	peal_wipe(text->bytes, text->len);
	peal_free(text);
}
