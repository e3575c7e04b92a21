/* fuzz_profile.c - the XML parser, whole and in pieces: same outcome. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "peal/limits.h"
#include "peal/profile.h"
#include "profile/memory.h"

struct sum {
	unsigned long h;
	unsigned n;
};

static void mix(struct sum *s, const char *p, size_t len)
{
	for (; len; len--)
		s->h = s->h * 31 + (unsigned char)*p++;
}

static enum peal_err sink(const struct peal_element *e, void *arg)
{
	struct sum *s = arg;

	if (e->name[e->name_len] != '\0' || e->line < 1 ||
	    e->value_len > PEAL_LIMIT_VALUE)
		abort();
	s->n++;
	mix(s, e->name, e->name_len);
	mix(s, e->value, e->value_len);
	s->h += e->flags * 7 + (unsigned)e->ua + (unsigned long)e->line;
	return PEAL_OK;
}

static enum peal_err parse(const uint8_t *p, size_t len, size_t piece,
			   struct sum *s, struct peal_reason *r)
{
	static const struct peal_alias aliases[] = {
		{ "/a/b", "A" },
		{ "b", "B" },
	};
	struct peal_profile *profile;
	enum peal_err err;
	size_t n;

	memset(s, 0, sizeof(*s));
	peal_reason_clear(r);
	if (peal_profile_new(&profile, aliases, 2, sink, s))
		abort();
	for (err = PEAL_OK; len && !err; p += n, len -= n) {
		n = len < piece ? len : piece;
		err = peal_profile_feed(profile, p, n, r);
	}
	if (!err)
		err = peal_profile_finish(profile, r);
	peal_profile_free(profile);
	return err;
}

/* The first two bytes: size of the pieces, and how often the rest is
 * repeated, so that the window is reached. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int ready;
	struct sum a, b;
	struct peal_reason ra, rb;
	uint8_t *doc;
	size_t times, i;

	if (!ready)
		ready = !peal_xml_hook();
	if (size < 3)
		return 0;
	times = data[1] < 250 ? 1 : 40000 / (size - 2) + 1;
	doc = malloc((size - 2) * times);
	if (!doc)
		return 0;
	for (i = 0; i < times; i++)
		memcpy(doc + i * (size - 2), data + 2, size - 2);
	size = (size - 2) * times;
	if (parse(doc, size, SIZE_MAX, &a, &ra) !=
		    parse(doc, size, data[0] + 1u, &b, &rb) ||
	    a.h != b.h || a.n != b.n || strcmp(ra.text, rb.text) != 0 ||
	    ra.line != rb.line || ra.byte != rb.byte)
		abort();
	free(doc);
	return 0;
}
