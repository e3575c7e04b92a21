/* cert_set.c - fingerprints of certificates, sorted. See peal/trust.h */
#include <string.h>

#include "decode/crypto.h"
#include "peal/alloc.h"
#include "trust.h"

struct peal_cert_set {
	unsigned refs;
	unsigned count, room;
	unsigned char (*list)[PEAL_DIGEST_SIZE];
};

enum peal_err peal_cert_set_new(struct peal_cert_set **out)
{
	struct peal_cert_set *s;

	if (!out)
		return PEAL_EINVAL;
	s = peal_zalloc(sizeof(*s));
	if (!s)
		return PEAL_ENOMEM;
	s->refs = 1;
	*out = s;
	return PEAL_OK;
}

struct peal_cert_set *peal_cert_set_ref(struct peal_cert_set *s)
{
	if (s)
		s->refs++;
	return s;
}

void peal_cert_set_unref(struct peal_cert_set *s)
{
	if (!s || --s->refs)
		return;
	peal_free(s->list);
	peal_free(s);
}

/* Where it is, or would be. */
static unsigned place(const struct peal_cert_set *s,
		      const unsigned char sha256[PEAL_DIGEST_SIZE], int *there)
{
	unsigned lo = 0, hi = s->count, mid;
	int order;

	*there = 0;
	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		order = memcmp(s->list[mid], sha256, PEAL_DIGEST_SIZE);
		if (order == 0) {
			*there = 1;
			return mid;
		}
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static enum peal_err make_room(struct peal_cert_set *s)
{
	unsigned room = s->room ? 2 * s->room : 8;
	void *list;

	if (s->count < s->room)
		return PEAL_OK;
	list = peal_realloc(s->list, room * sizeof(*s->list));
	if (!list)
		return PEAL_ENOMEM;
	s->list = list;
	s->room = room;
	return PEAL_OK;
}

enum peal_err peal_cert_set_add(struct peal_cert_set *s,
				const unsigned char sha256[32])
{
	unsigned at;
	int there;
	enum peal_err err;

	if (!s || !sha256)
		return PEAL_EINVAL;
	at = place(s, sha256, &there);
	if (there)
		return PEAL_OK;
	err = make_room(s);
	if (err)
		return err;
	memmove(s->list + at + 1, s->list + at,
		(s->count - at) * sizeof(*s->list));
	memcpy(s->list[at], sha256, PEAL_DIGEST_SIZE);
	s->count++;
	return PEAL_OK;
}

int peal_cert_set_has(const struct peal_cert_set *s,
		      const unsigned char sha256[32])
{
	int there = 0;

	if (s && s->count)
		place(s, sha256, &there);
	return there;
}

unsigned peal_cert_set_count(const struct peal_cert_set *s)
{
	return s ? s->count : 0;
}

enum peal_err peal_cert_set_digest(const struct peal_cert_set *s,
				   unsigned char out[32])
{
	if (!peal_cert_set_count(s))
		return peal_sha256("", 0, out);
	return peal_sha256(s->list, s->count * sizeof(*s->list), out);
}
