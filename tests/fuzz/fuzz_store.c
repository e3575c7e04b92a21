/* fuzz_store.c - the text of a revision, and values of every type.
 *
 * Input that begins with 'V' is a value: its canonical form must be its own
 * canonical form. Anything else are the lines of a revision, to which a right
 * checksum is added: what was read and written must read and write the same,
 * and so must a store that is opened from them and its copy. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "decode/crypto.h"
#include "peal/limits.h"
#include "store/revision.h"

static enum peal_err no_note(void *arg, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static enum peal_err no_note(void *arg, const char *fmt, ...)
{
	(void)arg;
	(void)fmt;
	return PEAL_OK;
}

static struct peal_schema *make_schema(void)
{
	static const char *const choices[] = { "None", "One Two", "1=One Two",
					       NULL };
	struct peal_schema *s;
	unsigned type;

	if (peal_schema_new(&s))
		abort();
	for (type = 0; type < PEAL_T_COUNT; type++) {
		struct peal_param p = {
			.name = peal_type_name((enum peal_type)type),
			.type = (enum peal_type)type,
			.max = type == PEAL_T_FLOAT || type == PEAL_T_TIME ? 3 :
									     0,
			.bits = 64,
			.lo = 1,
			.choices = choices,
			.flags = PEAL_PARAM_EMPTY_OK
		};

		if (peal_schema_add(s, &p, NULL))
			abort();
	}
	if (peal_schema_seal(s))
		abort();
	return s;
}

static void check_value(struct peal_schema *s, const char *text, size_t len)
{
	struct peal_buf once, twice;
	unsigned i;

	peal_buf_init(&once, PEAL_LIMIT_VALUE + 1);
	peal_buf_init(&twice, PEAL_LIMIT_VALUE + 1);
	for (i = 0; i < peal_schema_count(s); i++) {
		if (peal_schema_check(s, i, text, len, &once, NULL))
			continue;
		if (peal_schema_check(s, i, (char *)once.data, once.len, &twice,
				      NULL) ||
		    once.len != twice.len ||
		    (once.len && memcmp(once.data, twice.data, once.len) != 0))
			abort();
	}
	peal_buf_fini(&once);
	peal_buf_fini(&twice);
	peal_schema_suggest(s, text, len);
}

static void add_sum(struct peal_buf *b)
{
	unsigned char sum[PEAL_SHA256_SIZE];
	unsigned i;

	if (peal_sha256(b->data, b->len, sum) || peal_buf_add_str(b, "sha256 "))
		abort();
	for (i = 0; i < sizeof(sum); i++)
		if (peal_buf_printf(b, "%02x", sum[i]))
			abort();
	if (peal_buf_add_str(b, "\n"))
		abort();
}

/* Read `in` and write it anew. */
static int again(struct peal_schema *s, struct peal_buf *in,
		 struct peal_buf *out)
{
	struct peal_params params = { 0 };
	struct peal_states states = { 0 };
	struct peal_revision head;
	enum peal_err err;

	err = peal_revision_read(in->data, in->len, s, &params, &states, &head,
				 no_note, NULL, NULL);
	if (err && err != PEAL_EDAMAGED && err != PEAL_ENEWER)
		abort();
	if (err != PEAL_EDAMAGED &&
	    peal_revision_write(out, s, &params, &states, &head))
		abort();
	peal_params_free(&s->texts, &params);
	peal_states_free(&s->texts, &states);
	return err != PEAL_EDAMAGED;
}

/* The store in these bytes, and a copy of it, give the same bytes. */
static void check_store(struct peal_schema *s, const struct peal_buf *bytes)
{
	struct peal_store_options o = { .bytes = bytes->data,
					.len = bytes->len };
	struct peal_store *store, *copy;
	unsigned char key[PEAL_STORE_KEY];
	struct peal_buf out;

	peal_buf_init(&out, 1 << 24);
	if (peal_store_open(&store, s, &o, NULL) ||
	    peal_store_copy(&copy, store) || peal_store_bytes(copy, &out, key))
		abort();
	if (out.len != bytes->len ||
	    memcmp(out.data, bytes->data, out.len) != 0)
		abort();
	peal_store_close(store);
	peal_store_close(copy);
	peal_buf_fini(&out);
}

static void check_revision(struct peal_schema *s, const uint8_t *p, size_t len)
{
	struct peal_buf a, b, c, copy;

	peal_buf_init(&a, 1 << 24);
	peal_buf_init(&b, 1 << 24);
	peal_buf_init(&c, 1 << 24);
	peal_buf_init(&copy, 1 << 24);
	if (peal_buf_add(&a, p, len))
		abort();
	add_sum(&a);
	if (again(s, &a, &b)) {
		check_store(s, &b);
		/* reading changes the bytes in place */
		if (peal_buf_add(&copy, b.data, b.len) || !again(s, &b, &c) ||
		    copy.len != c.len ||
		    memcmp(copy.data, c.data, copy.len) != 0)
			abort();
	}
	if (s->texts.used)
		abort(); /* a reference was lost */
	peal_buf_fini(&a);
	peal_buf_fini(&b);
	peal_buf_fini(&c);
	peal_buf_fini(&copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static struct peal_schema *schema;

	if (!schema)
		schema = make_schema();
	if (len && p[0] == 'V')
		check_value(schema, (const char *)p + 1, len - 1);
	else if (len < 1 << 16)
		check_revision(schema, p, len);
	return 0;
}
