/* term_test.c - what a line editor needs besides libedit: characters, where
 * they come to stand, and the file of lines that are remembered. */
#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "peal/limits.h"
#include "term/history.h"
#include "term/wide.h"

/* --- characters --- */

static void reads_utf8_and_nothing_else(void)
{
	static const char *const wrong[] = {
		"",
		"\x80",
		"\xc0\x80",
		"\xc1\xbf",
		"\xc3",
		"\xe0\x9f\xbf",
		"\xe2\x82",
		"\xed\xa0\x80",
		"\xf5",
		"\xf0\x8f\xbf\xbf",
		"\xf4\x90\x80\x80",
		"\xc3(",
	};
	wchar_t c;
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		CHECK_INT(peal_wide_one((const unsigned char *)wrong[i],
					strlen(wrong[i]), &c),
			  0);
	CHECK_INT(peal_wide_one((const unsigned char *)"", 1, &c), 1);
	CHECK_INT(c, 0);
}

/* Every character goes to UTF-8 and comes back. */
static void every_character_comes_back(void)
{
	struct peal_buf out;
	wchar_t c, back;

	peal_buf_init(&out, 16);
	for (c = 0; c <= 0x10ffff; c++) {
		if (c == 0xd800)
			c = 0xe000;
		peal_buf_clear(&out);
		REQUIRE(!peal_wide_put(&out, &c, 1));
		if (peal_wide_one(out.data, out.len, &back) != out.len ||
		    back != c)
			CHECK_INT(back, c);
	}
	CHECK_INT(c, 0x110000);
	peal_buf_fini(&out);
}

static void what_is_no_utf8_is_replaced(void)
{
	wchar_t *text = peal_wide_dup("a\xff\xc3\xa9\xc3", 5);

	REQUIRE(text);
	CHECK_INT(wcslen(text), 4);
	CHECK_INT(text[1], 0xfffd);
	CHECK_INT(text[2], 0xe9);
	CHECK_INT(text[3], 0xfffd);
	peal_free(text);
}

/* --- places --- */

static void comes_to_stand(void)
{
	static const struct {
		const wchar_t *text;
		unsigned width, row, column;
	} cases[] = {
		{ L"", 10, 0, 0 },
		{ L"> abc", 10, 0, 5 },
		{ L"0123456789", 10, 1, 0 }, /* at the margin: wrapped */
		{ L"0123456789a", 10, 1, 1 },
		{ L"a\nbc", 10, 1, 2 },
		{ L"0123456789\n", 10, 2, 0 },
		{ L"a\tb", 20, 0, 9 },
		{ L"\x03", 10, 0, 2 },
		{ L"\x6f22\x5b57", 10, 0, 4 },
		{ L"012345678\x6f22", 10, 1, 2 }, /* not across the margin */
		{ L"e\x0301", 10, 0, 1 },
		{ L"ab", 1, 2, 0 },
	};
	struct peal_place_on_screen at;
	size_t i;

	REQUIRE(setlocale(LC_CTYPE, "C.UTF-8"));
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		at.row = at.column = 0;
		peal_wide_place(&at, cases[i].text, wcslen(cases[i].text),
				cases[i].width);
		if (!CHECK_INT(at.row, cases[i].row) ||
		    !CHECK_INT(at.column, cases[i].column))
			fprintf(stderr, "\tcase %zu\n", i);
	}
	setlocale(LC_CTYPE, "C");
}

/* --- the history --- */

static char folder[64];

static const char *in(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void new_folder(void)
{
	snprintf(folder, sizeof(folder), "/tmp/peal-term-XXXXXX");
	REQUIRE(mkdtemp(folder));
}

static void remove_folder(void)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	REQUIRE(system(command) == 0);
}

struct lines {
	char text[256];
	unsigned n;
};

static void note(const char *line, size_t len, void *arg)
{
	struct lines *x = arg;
	size_t at = strlen(x->text);

	snprintf(x->text + at, sizeof(x->text) - at, "%.*s|", (int)len, line);
	x->n++;
}

static struct lines load(unsigned max)
{
	struct lines x = { "", 0 };

	CHECK_ERR(peal_history_load(in("h"), max, note, &x, NULL), PEAL_OK);
	return x;
}

static void append(const char *line)
{
	CHECK_ERR(peal_history_append(in("h"), line, strlen(line), NULL),
		  PEAL_OK);
}

static int mode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -1 : (int)(st.st_mode & 0777);
}

static void remembers(void)
{
	new_folder();
	CHECK_INT(load(5).n, 0); /* there is none yet */
	append("one");
	append("two\nlines \\n");
	append("three");
	CHECK_INT(mode_of(in("h")), 0600);
	CHECK_STR(load(5).text, "one|two\nlines \\n|three|");
	REQUIRE(!chmod(in("h"), 0644));
	CHECK_STR(load(2).text, "two\nlines \\n|three|");
	CHECK_INT(mode_of(in("h")), 0600);
	CHECK_STR(load(5).text, "two\nlines \\n|three|"); /* cut back */
	CHECK_INT(load(0).n, 0);
	remove_folder();
}

static void follows_no_link(void)
{
	struct peal_reason why;

	new_folder();
	REQUIRE(!symlink("/dev/null", in("h")));
	CHECK(peal_history_append(in("h"), "x", 1, &why) != PEAL_OK);
	CHECK(strstr(why.text, in("h")));
	CHECK(peal_history_load(in("h"), 1, note, NULL, &why) != PEAL_OK);
	REQUIRE(!unlink(in("h")) && !mkdir(in("h"), 0700));
	CHECK(peal_history_append(in("h"), "x", 1, &why) != PEAL_OK);
	remove_folder();
	CHECK_ERR(peal_history_append(in("h"), "x", 1, &why), PEAL_ENOENT);
}

static void takes_the_end_of_a_long_file(void)
{
	struct lines x;
	FILE *f;
	int i;

	new_folder();
	f = fopen(in("h"), "w");
	REQUIRE(f);
	for (i = 0; i < 300000; i++)
		fprintf(f, "line %06d\n", i);
	fclose(f);
	x = load(2);
	CHECK_STR(x.text, "line 299998|line 299999|");
	remove_folder();
}

static int work(void *arg)
{
	wchar_t *wide = peal_wide_dup("text", 4);
	enum peal_err err = wide ? PEAL_OK : PEAL_ENOMEM;
	struct lines x = { "", 0 };

	(void)arg;
	if (!err)
		err = peal_history_append(in("h"), "line", 4, NULL);
	if (!err)
		err = peal_history_load(in("h"), 3, note, &x, NULL);
	peal_free(wide);
	return err != PEAL_OK;
}

static void every_allocation_may_fail(void)
{
	new_folder();
	CHECK(alloc_fail_each(work, NULL) >= 3);
	remove_folder();
}

TEST_MAIN({ "reads UTF-8 and nothing else", reads_utf8_and_nothing_else },
	  { "every character comes back", every_character_comes_back },
	  { "what is no UTF-8 is replaced", what_is_no_utf8_is_replaced },
	  { "comes to stand", comes_to_stand }, { "remembers", remembers },
	  { "follows no link", follows_no_link },
	  { "takes the end of a long file", takes_the_end_of_a_long_file },
	  { "every allocation may fail", every_allocation_may_fail })
