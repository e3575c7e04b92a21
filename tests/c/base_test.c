/* base_test.c - errors, arena and buffer: what everything stands on. */
#include <errno.h>
#include <string.h>

#include "alloc_fail.h"
#include "peal/arena.h"
#include "peal/buf.h"
#include "peal/error.h"
#include "test.h"

static void every_error_has_a_word_of_its_own(void)
{
	int a, b;

	for (a = 0; a < PEAL_ERR_COUNT; a++) {
		CHECK(peal_err_name((enum peal_err)a)[0] != '\0');
		CHECK(peal_err_text((enum peal_err)a)[0] != '\0');
		for (b = 0; b < a; b++)
			CHECK(strcmp(peal_err_name((enum peal_err)a),
				     peal_err_name((enum peal_err)b)) != 0);
	}
	CHECK_STR(peal_err_name((enum peal_err)9999), "internal");
	CHECK_INT(peal_err_errno(ENOSPC), PEAL_ENOSPC);
	CHECK_INT(peal_err_errno(EIO), PEAL_EIO);
}

static void a_reason_is_one_clean_line(void)
{
	struct peal_reason r;
	char text[600];

	peal_fail_at(&r, PEAL_EINVAL, 7, 3, "a\nb\x1b[31m %d", 5);
	CHECK_STR(r.text, "a?b?[31m 5");
	CHECK_INT(r.line, 7);
	CHECK_INT(r.byte, 3);
	memset(text, 'x', sizeof(text));
	memcpy(text + sizeof(r.text) - 2, "\xc3\xa9", 2); /* cut in two */
	text[sizeof(text) - 1] = '\0';
	CHECK_INT(peal_fail(&r, PEAL_EIO, "%s", text), PEAL_EIO);
	CHECK_INT(strlen(r.text), sizeof(r.text) - 2);
	CHECK_INT(peal_fail(NULL, PEAL_EIO, "x"), PEAL_EIO);
}

static void a_buffer_holds_its_maximum_and_no_more(void)
{
	struct peal_buf b;
	int i;

	peal_buf_init(&b, 1000);
	for (i = 0; i < 1000; i++)
		CHECK_INT(peal_buf_add(&b, "x", 1), PEAL_OK);
	CHECK_INT(peal_buf_add(&b, "x", 1), PEAL_ELIMIT);
	CHECK_INT(b.len, 1000);
	CHECK_INT(strlen(peal_buf_cstr(&b)), 1000);
	CHECK_INT(peal_buf_printf(&b, "%s", "y"), PEAL_ELIMIT);
	peal_buf_fini(&b);

	peal_buf_init(&b, 300);
	CHECK_INT(peal_buf_printf(&b, "%0299d", 7), PEAL_OK);
	CHECK_INT(peal_buf_printf(&b, "%s", "z"), PEAL_OK);
	CHECK_INT(b.len, 300);
	CHECK_INT(b.data[299], 'z');
	peal_buf_fini_secret(&b);
}

static void a_buffer_grows_by_doubling_up_to_the_end(void)
{
	struct alloc_fail a;
	struct peal_buf b;
	int i;

	alloc_fail_begin(&a, 0, 0);
	peal_buf_init(&b, 1 << 20);
	for (i = 0; i < 1 << 20; i++)
		peal_buf_add(&b, "x", 1);
	CHECK_INT(b.len, 1 << 20);
	CHECK(a.made < 40);
	peal_buf_fini(&b);
	alloc_fail_end(&a);
	CHECK_INT(a.live, 0);
}

static void an_arena_ends_at_its_maximum(void)
{
	struct peal_arena a;
	char *text;

	peal_arena_init(&a, 10000);
	text = peal_arena_dup(&a, "hello", 5);
	CHECK_STR(text, "hello");
	CHECK(peal_arena_alloc(&a, 9000) != NULL);
	CHECK(peal_arena_alloc(&a, 9000) == NULL);
	CHECK(peal_arena_alloc(&a, (size_t)-1) == NULL);
	CHECK_STR(text, "hello");
	peal_arena_fini(&a);
}

static void secrets_are_wiped_and_compared(void)
{
	char a[] = "secret", b[] = "secreT";

	CHECK(peal_equal_secret(a, "secret", 6));
	CHECK(!peal_equal_secret(a, b, 6));
	peal_wipe(a, sizeof(a));
	CHECK_INT(a[0] | a[3] | a[5], 0);
	CHECK(peal_calloc((size_t)-1, 2) == NULL);
}

TEST_MAIN({ "error words", every_error_has_a_word_of_its_own },
	  { "reasons", a_reason_is_one_clean_line },
	  { "buffer maximum", a_buffer_holds_its_maximum_and_no_more },
	  { "buffer growth", a_buffer_grows_by_doubling_up_to_the_end },
	  { "arena", an_arena_ends_at_its_maximum },
	  { "secrets", secrets_are_wiped_and_compared })
