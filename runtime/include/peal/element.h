/* element.h - one parameter element of a profile, as the parser hands it on.
 *
 * The value is normalised: references resolved, line ends turned into blanks,
 * ends trimmed. Valid during the call only. */
#ifndef PEAL_ELEMENT_H
#define PEAL_ELEMENT_H

#include <stddef.h>

#include "peal/error.h"
#include "peal/schema.h"

enum peal_element_flag {
	PEAL_ELEMENT_QUOTED_EMPTY = 1, /* the text was "" (two quotes) */
	PEAL_ELEMENT_PRESERVE = 2,     /* preserve-value="y" */
	PEAL_ELEMENT_USER_PREF = 4,    /* user-pref="y" */
	PEAL_ELEMENT_BAD_UA = 8,       /* ua had a value that is ignored */
	PEAL_ELEMENT_CHILDREN = 16,    /* has child elements: to be skipped */
	PEAL_ELEMENT_TOO_LONG = 32     /* value over PEAL_LIMIT_VALUE, cut */
};

struct peal_element {
	const char *name;
	size_t name_len;
	const char *value;
	size_t value_len;
	enum peal_ua ua; /* PEAL_UA_NONE: no attribute */
	unsigned flags;  /* enum peal_element_flag */
	long line;       /* of the start tag, from 1 */
};

/* Anything but PEAL_OK stops the parse and is returned by it. */
typedef enum peal_err (*peal_element_fn)(const struct peal_element *e,
					 void *arg);

#endif
