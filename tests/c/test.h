/* test.h - asserts and a main for the C tests.
 *
 * A test program is a table of functions:
 *
 *	static void adds(void) { CHECK_INT(1 + 1, 2); }
 *	TEST_MAIN({ "adds", adds })
 *
 * CHECK and its relatives report, count and go on; REQUIRE ends the program,
 * for what the rest of a test cannot do without. Arguments of the program
 * choose tests whose names contain them. The exit status is 0 when every
 * check held. All arguments are evaluated once. */
#ifndef PEAL_TEST_H
#define PEAL_TEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct test_case {
	const char *name;
	void (*run)(void);
};

/* One program, one thread: the state of the run. */
struct test_run {
	const char *name; /* of the test that runs */
	long checks;
	long failed;
};

static inline struct test_run *test_run(void)
{
	static struct test_run run;

	return &run;
}

/* Past this many failures more of them tell nothing. */
enum { TEST_ENOUGH = 50 };

static inline int test_report(int ok, const char *file, int line,
			      const char *what)
{
	struct test_run *r = test_run();

	r->checks++;
	if (ok)
		return 1;
	r->failed++;
	fprintf(stderr, "%s:%d: %s: %s", file, line, r->name ? r->name : "-",
		what);
	return 0;
}

static inline void test_end_line(void)
{
	fputc('\n', stderr);
	if (test_run()->failed >= TEST_ENOUGH) {
		fprintf(stderr, "%d failures are enough\n", TEST_ENOUGH);
		exit(1);
	}
}

static inline int test_check(int ok, const char *file, int line,
			     const char *what)
{
	if (!test_report(ok, file, line, what))
		test_end_line();
	return ok;
}

static inline void test_require(int ok, const char *file, int line,
				const char *what)
{
	if (!test_check(ok, file, line, what))
		exit(1);
}

static inline int test_int(long long a, long long b, const char *file, int line,
			   const char *what)
{
	if (test_report(a == b, file, line, what))
		return 1;
	fprintf(stderr, ": %lld, not %lld", a, b);
	test_end_line();
	return 0;
}

static inline int test_str(const char *a, const char *b, const char *file,
			   int line, const char *what)
{
	int same = a == b || (a && b && strcmp(a, b) == 0);

	if (test_report(same, file, line, what))
		return 1;
	fprintf(stderr, ":\n\t     \"%s\"\n\tnot: \"%s\"", a ? a : "(null)",
		b ? b : "(null)");
	test_end_line();
	return 0;
}

static inline int test_mem(const void *a, size_t a_len, const void *b,
			   size_t b_len, const char *file, int line,
			   const char *what)
{
	const unsigned char *x = a, *y = b;
	size_t i = 0;

	while (i < a_len && i < b_len && x[i] == y[i])
		i++;
	if (test_report(a_len == b_len && i == a_len, file, line, what))
		return 1;
	fprintf(stderr, ": %zu and %zu bytes, first difference at %zu", a_len,
		b_len, i);
	test_end_line();
	return 0;
}

/* Values are "got, wanted". CHECK forms return 1 when they hold. */
#define CHECK(cond) test_check(!!(cond), __FILE__, __LINE__, #cond)
#define CHECK_INT(a, b) \
	test_int((long long)(a), (long long)(b), __FILE__, __LINE__, #a)
#define CHECK_STR(a, b) test_str((a), (b), __FILE__, __LINE__, #a)
#define CHECK_MEM(a, a_len, b, b_len) \
	test_mem((a), (a_len), (b), (b_len), __FILE__, __LINE__, #a)
#define REQUIRE(cond) test_require(!!(cond), __FILE__, __LINE__, #cond)
/* A peal_err is shown by its word. */
#define CHECK_ERR(a, b) \
	test_str(peal_err_name(a), peal_err_name(b), __FILE__, __LINE__, #a)

static inline int test_wanted(const char *name, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (strstr(name, argv[i]))
			return 1;
	return argc < 2;
}

static inline int test_main(const struct test_case *cases, size_t n, int argc,
			    char **argv)
{
	struct test_run *r = test_run();
	size_t i, ran = 0;

	for (i = 0; i < n; i++) {
		if (!test_wanted(cases[i].name, argc, argv))
			continue;
		r->name = cases[i].name;
		cases[i].run();
		ran++;
	}
	printf("%zu tests, %ld checks, %ld failed\n", ran, r->checks,
	       r->failed);
	return r->failed ? 1 : 0;
}

#define TEST_MAIN(...)                                                        \
	int main(int argc, char **argv)                                       \
	{                                                                     \
		static const struct test_case cases[] = { __VA_ARGS__ };      \
                                                                              \
		return test_main(cases, sizeof(cases) / sizeof(*cases), argc, \
				 argv);                                       \
	}

#endif
