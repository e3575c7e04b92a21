/* suggest.c - the known name that somebody may have meant. */
#include <string.h>

#include "peal/alloc.h"
#include "peal/limits.h"
#include "store/registry.h"

enum { FARTHEST = 2 };

static unsigned char fold(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

/* One bit for each kind of character. An edit changes at most two of them,
 * so that most names are ruled out by counting bits. */
static uint64_t letters_of(const char *name, size_t len)
{
	uint64_t set = 0;

	while (len--)
		set |= (uint64_t)1 << (fold((unsigned char)name[len]) & 63);
	return set;
}

/* Made when the first name is not known; without memory every name is
 * compared in full. */
static const uint64_t *all_letters(struct peal_schema *s)
{
	unsigned i;

	if (s->letters)
		return s->letters;
	s->letters = peal_alloc((s->n_params + 1) * sizeof(*s->letters));
	for (i = 0; s->letters && i < s->n_params; i++)
		s->letters[i] = letters_of(s->params[i].name,
					   strlen(s->params[i].name));
	return s->letters;
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	if (b < a)
		a = b;
	return c < a ? c : a;
}

/* Letters inserted, dropped or replaced, case aside. */
static unsigned distance(const char *a, size_t n, const char *b, size_t m)
{
	unsigned row[PEAL_LIMIT_NAME + 1], before, up, least;
	size_t i, j;

	for (j = 0; j <= m; j++)
		row[j] = (unsigned)j;
	for (i = 1; i <= n; i++) {
		before = row[0];
		row[0] = least = (unsigned)i;
		for (j = 1; j <= m; j++) {
			up = row[j];
			row[j] = min3(up + 1, row[j - 1] + 1,
				      before + (fold((unsigned char)a[i - 1]) !=
						fold((unsigned char)b[j - 1])));
			before = up;
			if (row[j] < least)
				least = row[j];
		}
		if (least > FARTHEST)
			return least;
	}
	return row[m];
}

static int too_far(uint64_t a, uint64_t b)
{
	return __builtin_popcountll(a ^ b) > 2 * FARTHEST;
}

const char *peal_schema_suggest(const struct peal_schema *s, const char *name,
				size_t len)
{
	/* the cache is all that is written to */
	const uint64_t *letters = all_letters((struct peal_schema *)s);
	uint64_t mine = letters_of(name, len);
	unsigned best = len < 6 ? 2 : FARTHEST + 1, i, d;
	const char *found = NULL;
	size_t n;

	if (len == 0 || len > PEAL_LIMIT_NAME)
		return NULL;
	for (i = 0; i < s->n_params && best; i++) {
		if (letters && too_far(letters[i], mine))
			continue;
		n = strlen(s->params[i].name);
		if (n > len + FARTHEST || len > n + FARTHEST)
			continue;
		d = distance(name, len, s->params[i].name, n);
		if (d < best) {
			best = d;
			found = s->params[i].name;
		}
	}
	return found;
}
