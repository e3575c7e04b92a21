/* trim_test.c - a process goes on after it has given back what it can. */
#include <string.h>

#include "peal/alloc.h"
#include "peal/trim.h"
#include "test.h"

static const char *const words[] = { "one", "two", "three" };
static int written = 7;

/* Tables that the loader has relocated, data, constants and code. */
static void everything_is_still_there(void)
{
	char *kept = peal_strdup("kept");
	int i;

	for (i = 0; i < 3; i++) {
		written++;
		peal_trim();
		CHECK_STR(words[0], "one");
		CHECK_STR(words[2], "three");
		CHECK_STR(kept, "kept");
	}
	CHECK_INT(written, 10);
	peal_free(kept);
}

TEST_MAIN({ "trim", everything_is_still_there })
