/* bench_decode.c - what the decode chain adds to the libraries it stands on.
 *
 *   bench_decode            184 KB profile of 2,500 parameters, gzip and AES:
 *                           CPU time against the bare libraries on the same
 *                           bytes, and the memory it takes
 *   bench_decode wrong      10,000 wrong keys; how many parameters came out
 *   bench_decode loop N     N decodes and nothing else, for a profiler
 *   bench_decode floor N    the same of the bare libraries
 *   bench_decode store N    the same into a fresh store
 *   bench_decode shuffled N the same, the names in no order */
#include <libxml/parser.h>
#include <mbedtls/aes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include "../c/alloc_fail.h"
#include "decode/stage.h"
#include "peal/alloc.h"
#include "peal/decode.h"
#include "peal/encode.h"
#include "peal/store.h"

enum { PARAMETERS = 2500, ROUNDS = 100, TRIES = 9 };

static const char pass[] = "SecretPhrase1234";
static const unsigned char salt[8] = "8 bytes!";

struct files {
	struct peal_buf xml, gz, aes;
};

static void fail(const char *what)
{
	fprintf(stderr, "bench_decode: %s\n", what);
	exit(1);
}

static unsigned next(unsigned *seed)
{
	return *seed = *seed * 1664525u + 1013904223u;
}

/* The numbers of the parameters, in order or in none. */
static void order_of(unsigned *order, int shuffled)
{
	unsigned i, k, swap, seed = 2;

	for (i = 0; i < PARAMETERS; i++)
		order[i] = i;
	for (i = PARAMETERS; shuffled && i-- > 1;) {
		k = (next(&seed) >> 8) % (i + 1);
		swap = order[i];
		order[i] = order[k];
		order[k] = swap;
	}
}

/* Of a phone's size and shape: 74 bytes a parameter. */
static void make(struct files *f, int shuffled)
{
	unsigned i, n, text, seed = 1, order[PARAMETERS];

	order_of(order, shuffled);
	peal_buf_init(&f->xml, 1 << 20);
	peal_buf_init(&f->gz, 1 << 20);
	peal_buf_init(&f->aes, 1 << 20);
	peal_buf_add_str(&f->xml, "<?xml version=\"1.0\"?>\n<device>\n"
				  "<flat-profile>\n");
	for (i = 0; i < PARAMETERS; i++) {
		n = order[i];
		text = next(&seed);
		peal_buf_printf(&f->xml,
				"  <Parameter_%u_Ext_%u_ ua=\"na\">%08x text%s"
				"</Parameter_%u_Ext_%u_>\n",
				n / 16, n % 16 + 1, text,
				text & 256 ? " &amp; 5" : "", n / 16,
				n % 16 + 1);
	}
	peal_buf_add_str(&f->xml, "</flat-profile>\n</device>\n");
	if (peal_encode_gzip(f->xml.data, f->xml.len, 9, &f->gz) ||
	    peal_encode_aes(f->gz.data, f->gz.len, pass, strlen(pass),
			    PEAL_KDF_MD5, salt, &f->aes))
		fail("cannot encode");
}

static void unmake(struct files *f)
{
	peal_buf_fini(&f->xml);
	peal_buf_fini(&f->gz);
	peal_buf_fini(&f->aes);
}

static enum peal_err sink(const struct peal_element *e, void *arg)
{
	(void)e;
	++*(unsigned *)arg;
	return PEAL_OK;
}

static void ours(const struct files *f)
{
	struct peal_decode_options o = { .key = pass,
					 .key_len = sizeof(pass) - 1 };
	struct peal_reason r;
	unsigned n = 0;

	if (peal_decode(f->aes.data, f->aes.len, &o, sink, &n, NULL, &r) ||
	    n != PARAMETERS)
		fail(r.text);
}

static void on_start(void *arg, const xmlChar *a, const xmlChar *b,
		     const xmlChar *c, int d, const xmlChar **e, int g, int h,
		     const xmlChar **i)
{
	(void)arg, (void)a, (void)b, (void)c, (void)d, (void)e, (void)g;
	(void)h, (void)i;
}

static void on_end(void *arg, const xmlChar *a, const xmlChar *b,
		   const xmlChar *c)
{
	(void)arg, (void)a, (void)b, (void)c;
}

static void on_text(void *arg, const xmlChar *text, int len)
{
	(void)arg, (void)text, (void)len;
}

/* Key from the passphrase (the known hash), AES, inflate through a window,
 * SAX with callbacks that do nothing. */
static void floor_of_it(const struct files *f, unsigned char *scratch)
{
	static unsigned char window[16384];
	xmlSAXHandler sax = { 0 };
	unsigned char secret[PEAL_AES_SECRET];
	mbedtls_aes_context aes;
	xmlParserCtxtPtr ctxt;
	z_stream z = { 0 };
	int status;

	peal_aes_derive(PEAL_KDF_MD5, pass, strlen(pass), salt, secret);
	mbedtls_aes_init(&aes);
	mbedtls_aes_setkey_dec(&aes, secret, 256);
	mbedtls_aes_crypt_cbc(&aes, MBEDTLS_AES_DECRYPT, f->aes.len - 16,
			      secret + 32, f->aes.data + 16, scratch);
	mbedtls_aes_free(&aes);

	sax.initialized = XML_SAX2_MAGIC;
	sax.startElementNs = on_start;
	sax.endElementNs = on_end;
	sax.characters = sax.ignorableWhitespace = on_text;
	ctxt = xmlCreatePushParserCtxt(&sax, NULL, NULL, 0, NULL);
	inflateInit2(&z, 16 + MAX_WBITS);
	z.next_in = scratch;
	z.avail_in = (uInt)f->gz.len;
	do {
		z.next_out = window;
		z.avail_out = sizeof(window);
		status = inflate(&z, Z_NO_FLUSH);
		xmlParseChunk(ctxt, (char *)window,
			      (int)(sizeof(window) - z.avail_out), 0);
	} while (status == Z_OK);
	xmlParseChunk(ctxt, NULL, 0, 1);
	if (status != Z_STREAM_END || !ctxt->wellFormed)
		fail("the floor does not hold");
	inflateEnd(&z);
	xmlFreeParserCtxt(ctxt);
}

static double cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* A schema that knows every name of the profile. */
static struct peal_schema *schema_of(void)
{
	struct peal_param p = { .name = NULL, .count = 16, .lo = 1 };
	struct peal_schema *schema;
	char name[40];
	unsigned i;

	if (peal_schema_new(&schema))
		fail("no schema");
	for (i = 0; i <= PARAMETERS / 16; i++) {
		snprintf(name, sizeof(name), "Parameter_%u_Ext_n_", i);
		p.name = name;
		if (peal_schema_add(schema, &p, NULL))
			fail("no parameter");
	}
	if (peal_schema_seal(schema))
		fail("no schema");
	return schema;
}

/* The whole way into a store in memory, each time a fresh one: all values are
 * new. */
static double into_store(const struct files *f, struct peal_schema *schema)
{
	static const struct peal_source source = { 1, "profile", "", "" };
	struct peal_decode_options o = { .key = pass,
					 .key_len = sizeof(pass) - 1 };
	struct peal_store_options so = { 0 };
	struct peal_store *s;
	struct peal_txn *t;
	struct peal_reason r;
	struct peal_txn_counts counts;
	double began, took;

	if (peal_store_open(&s, schema, &so, &r))
		fail(r.text);
	began = cpu();
	if (peal_txn_begin(&t, s) || peal_txn_source(t, &source))
		fail("no transaction");
	if (peal_decode(f->aes.data, f->aes.len, &o, peal_txn_element, t, NULL,
			&r))
		fail(r.text);
	peal_txn_counts(t, &counts);
	if (counts.applied != PARAMETERS)
		fail("not all parameters came in");
	if (peal_txn_commit(t, "bench", 0, NULL, &r))
		fail(r.text);
	took = cpu() - began;
	peal_store_close(s);
	return took;
}

/* Each in CPU microseconds a round. */
static double decode_only(const struct files *f)
{
	double began = cpu();
	int k;

	for (k = 0; k < ROUNDS; k++)
		ours(f);
	return (cpu() - began) / ROUNDS;
}

static double libraries(const struct files *f, unsigned char *scratch)
{
	double began = cpu();
	int k;

	for (k = 0; k < ROUNDS; k++)
		floor_of_it(f, scratch);
	return (cpu() - began) / ROUNDS;
}

static double stored(const struct files *f, struct peal_schema *schema)
{
	double sum = 0;
	int k;

	for (k = 0; k < ROUNDS; k++)
		sum += into_store(f, schema);
	return sum / ROUNDS;
}

static double least(double a, double b)
{
	return a < b ? a : b;
}

static void speed(const struct files *f, const struct files *mixed)
{
	double none = 1e9, floor_us = 1e9, store = 1e9, mixed_floor = 1e9;
	double mixed_store = 1e9;
	unsigned char *scratch = malloc(f->aes.len + mixed->aes.len);
	struct peal_schema *schema = schema_of();
	int i;

	if (!scratch)
		fail("no memory");
	/* in turn, so that all see the same machine; the best round of each */
	for (i = 0; i < TRIES; i++) {
		floor_us = least(floor_us, libraries(f, scratch));
		none = least(none, decode_only(f));
		store = least(store, stored(f, schema));
		mixed_floor = least(mixed_floor, libraries(mixed, scratch));
		mixed_store = least(mixed_store, stored(mixed, schema));
	}
	free(scratch);
	peal_schema_unref(schema);
	printf("%zu bytes of XML, %zu of gzip; %d parameters\n", f->xml.len,
	       f->gz.len, PARAMETERS);
	printf("bare libraries           %7.1f us\n", floor_us);
	printf("decode into nothing      %7.1f us  x %.2f\n", none,
	       none / floor_us);
	printf("decode, stage, commit    %7.1f us  x %.2f\n", store,
	       store / floor_us);
	printf("names in no order: bare  %7.1f us\n", mixed_floor);
	printf("decode, stage, commit    %7.1f us  x %.2f\n", mixed_store,
	       mixed_store / mixed_floor);
}

static void memory(const struct files *f)
{
	struct alloc_fail a;

	alloc_fail_begin(&a, 0, 0);
	ours(f);
	alloc_fail_end(&a);
	printf("peak beyond the input %ld KB in %ld allocations, %ld left\n",
	       a.peak / 1024, a.made, a.live);
}

static void wrong_keys(const struct files *f)
{
	struct peal_decode_options o = { 0 };
	struct peal_reason r;
	unsigned i, n = 0, ok = 0;
	char key[32];

	for (i = 0; i < 10000; i++) {
		snprintf(key, sizeof(key), "wrong %u", i);
		o.key = key;
		o.key_len = strlen(key);
		ok += peal_decode(f->aes.data, f->aes.len, &o, sink, &n, NULL,
				  &r) == PEAL_OK;
	}
	printf("%u wrong keys: %u accepted, %u parameters\n", i, ok, n);
}

/* N times one thing and nothing else, for a profiler. */
static void loop(const char *what, int n)
{
	const int shuffled = strcmp(what, "shuffled") == 0;
	struct peal_schema *schema;
	unsigned char *scratch;
	struct files f;

	make(&f, shuffled);
	schema = schema_of();
	scratch = malloc(f.aes.len);
	for (; scratch && n > 0; n--) {
		if (strcmp(what, "floor") == 0)
			floor_of_it(&f, scratch);
		else if (strcmp(what, "loop") == 0)
			ours(&f);
		else
			into_store(&f, schema);
	}
	free(scratch);
	peal_schema_unref(schema);
	unmake(&f);
}

int main(int argc, char **argv)
{
	struct files f, mixed;

	if (peal_alloc_hook_libraries())
		return 1;
	if (argc > 2) {
		loop(argv[1], atoi(argv[2]));
		return 0;
	}
	make(&f, 0);
	make(&mixed, 1);
	if (argc > 1 && strcmp(argv[1], "wrong") == 0) {
		wrong_keys(&f);
	} else {
		speed(&f, &mixed);
		memory(&f);
	}
	unmake(&f);
	unmake(&mixed);
	return 0;
}
