/* bench_store.c - what the store costs, in CPU time where not said otherwise.
 *
 *   bench_store [folder]
 *
 * Builds schemas of 100 to 19,000 parameters, loads and commits stores of
 * them, and prints times with the ratio to the size before: linear work shows
 * the ratio of the sizes. The folder (default: a new one under /tmp) decides
 * what a sync costs. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "peal/alloc.h"
#include "peal/store.h"

#include "../c/alloc_fail.h"

enum { FAMILY = 16 };

static double clock_us(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* CPU time: the machine is shared. */
static double now_us(void)
{
	return clock_us(CLOCK_PROCESS_CPUTIME_ID);
}

static void must(enum peal_err err, const char *what)
{
	if (!err)
		return;
	fprintf(stderr, "%s: %s\n", what, peal_err_text(err));
	exit(1);
}

/* A fifth of the definitions are families, which gives the mix of a phone:
 * 700 definitions for about 3,000 parameters. */
static struct peal_schema *schema_of(unsigned wanted, unsigned *defs)
{
	struct peal_schema *s;
	char name[64];
	unsigned n = 0, i;

	must(peal_schema_new(&s), "schema");
	for (i = 0; n < wanted; i++) {
		struct peal_param p = { .name = name,
					.type = i % 3 ? PEAL_T_STR : PEAL_T_UNS,
					.lo = 1,
					.deflt = i % 3 ? "default text" :
							 "60" };

		p.count = i % 5 == 0 && n + FAMILY <= wanted ? FAMILY : 0;
		snprintf(name, sizeof(name), "Parameter_Number_%u%s", i,
			 p.count ? "_n_" : "_Of_Phone");
		must(peal_schema_add(s, &p, NULL), "add");
		n += p.count ? p.count : 1;
	}
	must(peal_schema_seal(s), "seal");
	*defs = i;
	return s;
}

static struct peal_store *open_at(struct peal_schema *schema, const char *path)
{
	struct peal_store_options o = { .path = path, .keep = 1 };
	struct peal_store *s;

	must(peal_store_open(&s, schema, &o, NULL), "open");
	return s;
}

static char texts[20000][12];

/* `round` makes the values new. */
static void number_texts(unsigned n, unsigned round)
{
	unsigned i;

	for (i = 0; i < n; i++)
		snprintf(texts[i], sizeof(texts[i]), "%u", i + round);
}

/* Write every parameter. */
static struct peal_txn *fill(struct peal_store *s)
{
	struct peal_source source = { 1, "profile", "Profile_Rule",
				      "http://server/phone.xml" };
	struct peal_schema *schema = peal_store_schema(s);
	unsigned i, n = peal_schema_count(schema);
	struct peal_txn *t;

	must(peal_txn_begin(&t, s), "begin");
	must(peal_txn_source(t, &source), "source");
	for (i = 0; i < n; i++) {
		struct peal_element e = { 0 };

		e.name = peal_schema_param(schema, i)->name;
		e.name_len = strlen(e.name);
		e.value = texts[i];
		e.value_len = strlen(texts[i]);
		e.ua = PEAL_UA_NONE;
		e.line = (long)i + 1;
		must(peal_txn_element(&e, t), "element");
	}
	return t;
}

static double get_ns(const struct peal_store *s)
{
	struct peal_schema *schema = peal_store_schema(s);
	unsigned n = peal_schema_count(schema), i, rounds = 400000 / n + 1, r;
	size_t sum = 0;
	double start = now_us();

	for (r = 0; r < rounds; r++)
		for (i = 0; i < n; i++) {
			/* not in order: caches and branches are not spoiled */
			unsigned at = (i * 7919u) % n;
			const char *name = peal_schema_param(schema, at)->name;
			const char *text;

			peal_store_get(s, name, strlen(name), &text);
			sum += (unsigned char)*text;
		}
	if (!sum)
		puts("");
	return (now_us() - start) * 1e3 / rounds / n;
}

struct figures {
	double build, stage, commit, get, sync, wall, load, same;
	unsigned defs;
	long bytes;
};

static double commit_us(struct peal_store *s, unsigned round, double *stage)
{
	struct peal_txn *t;
	double start, middle;

	number_texts(peal_schema_count(peal_store_schema(s)), round);
	start = now_us();
	t = fill(s);
	middle = now_us();
	must(peal_txn_commit(t, "bench", 0, NULL, NULL), "commit");
	*stage = middle - start;
	return now_us() - middle;
}

static double least(double a, double b)
{
	return a < b ? a : b;
}

/* The least of several runs: the machine is shared. */
static void measure(unsigned n, const char *folder, struct figures *f)
{
	struct alloc_fail count;
	struct peal_schema *schema;
	struct peal_store *s;
	double stage, start, wall;
	unsigned round;
	char path[256];

	f->build = f->stage = f->commit = f->sync = f->wall = f->load =
		f->same = 1e12;
	for (round = 0; round < 9; round++) {
		start = now_us();
		schema = schema_of(n, &f->defs);
		f->build = least(f->build, now_us() - start);
		peal_schema_unref(schema);
	}
	schema = schema_of(n, &f->defs);
	s = open_at(schema, NULL);
	for (round = 1; round < 10; round++) {
		f->commit = least(f->commit, commit_us(s, round, &stage));
		f->stage = least(f->stage, stage);
		start = now_us();
		must(peal_txn_commit(fill(s), "same", 0, NULL, NULL), "same");
		f->same = least(f->same, now_us() - start);
	}
	f->get = get_ns(s);
	alloc_fail_begin(&count, 0, 0);
	{
		struct peal_store *second = open_at(schema, NULL);

		/* the texts are there already: what one more phone costs */
		commit_us(second, 9, &stage);
		f->bytes = count.bytes;
		peal_store_close(second);
	}
	alloc_fail_end(&count);
	peal_store_close(s);

	snprintf(path, sizeof(path), "%s/%u", folder, n);
	s = open_at(schema, path);
	for (round = 1; round < 10; round++) {
		struct peal_txn *t;

		number_texts(n, round);
		t = fill(s);
		start = now_us();
		wall = clock_us(CLOCK_MONOTONIC);
		must(peal_txn_commit(t, "bench", 0, NULL, NULL), "commit");
		f->wall = least(f->wall, clock_us(CLOCK_MONOTONIC) - wall);
		f->sync = least(f->sync, now_us() - start);
	}
	peal_store_close(s);
	for (round = 0; round < 9; round++) {
		start = now_us();
		s = open_at(schema, path);
		f->load = least(f->load, now_us() - start);
		peal_store_close(s);
	}
	peal_schema_unref(schema);
}

static void row(const char *name, double now, double before, double size)
{
	printf("  %-34s %10.1f", name, now);
	if (before > 0)
		printf("   x %.2f (sizes x %.2f)", now / before, size);
	putchar('\n');
}

int main(int argc, char **argv)
{
	static const unsigned sizes[] = { 100, 1000, 3000, 6000, 19000 };
	char folder[200] = "/tmp/peal-bench-XXXXXX";
	struct figures f[5] = { 0 }, none = { 0 };
	char command[256];
	size_t i;

	if (argc > 1)
		snprintf(folder, sizeof(folder), "%s", argv[1]);
	else if (!mkdtemp(folder))
		return 1;
	for (i = 0; i < 5; i++) {
		const struct figures *b = i ? &f[i - 1] : &none;
		double size = i ? (double)sizes[i] / sizes[i - 1] : 0;

		measure(sizes[i], folder, &f[i]);
		printf("%u parameters, %u definitions\n", sizes[i], f[i].defs);
		row("schema, us", f[i].build, b->build, size);
		row("stage all, us", f[i].stage, b->stage, size);
		row("commit in memory, us", f[i].commit, b->commit, size);
		row("stage and commit, no change, us", f[i].same, b->same,
		    size);
		row("commit to disk, us", f[i].sync, b->sync, size);
		row("  with the wait for the disk, us", f[i].wall, 0, 0);
		row("open from disk, us", f[i].load, b->load, size);
		row("get, ns", f[i].get, 0, 0);
		row("bytes of one more such phone", (double)f[i].bytes,
		    (double)b->bytes, size);
	}
	if (argc < 2) {
		snprintf(command, sizeof(command), "rm -rf '%s'", folder);
		return system(command) ? 1 : 0;
	}
	return 0;
}
