/* plain_form.h - the form of plain.h, for those who write it without a Lua
 * value at hand. A table is its begin, keys and values in turn, its end. */
#ifndef PEAL_PLAIN_FORM_H
#define PEAL_PLAIN_FORM_H

#include <lua.h>

#include "peal/buf.h"

enum peal_plain_tag {
	PEAL_PLAIN_NIL = 'n',
	PEAL_PLAIN_FALSE = 'f',
	PEAL_PLAIN_TRUE = 't',
	PEAL_PLAIN_INTEGER = 'i', /* 8 bytes, as the machine has them */
	PEAL_PLAIN_FLOAT = 'd',   /* the same */
	PEAL_PLAIN_TEXT = 's',    /* 4 bytes length, bytes */
	PEAL_PLAIN_BEGIN = '{',
	PEAL_PLAIN_END = '}',
};

/* Tables of one value. A table that is listed twice is written twice: a few
 * lines of Lua could ask for more of them than any reader has memory. */
enum { PEAL_PLAIN_TABLES = 1 << 16 };

/* Places of a list. A key is a text or one of these: other numbers can be
 * chosen such that all of them fall into one place of a hash table, and reading
 * them takes minutes. */
enum { PEAL_PLAIN_PLACES = 1 << 16 };

enum peal_err peal_plain_put_tag(struct peal_buf *out, enum peal_plain_tag tag);
enum peal_err peal_plain_put_integer(struct peal_buf *out, lua_Integer n);
enum peal_err peal_plain_put_text(struct peal_buf *out, const char *text,
				  size_t len);

#endif
