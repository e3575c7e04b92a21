/* error.c - see peal/error.h */
#include "peal/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* clang-format off */
static const struct {
	const char *name;
	const char *text;
} errors[PEAL_ERR_COUNT] = {
	[PEAL_OK] = { "ok", "ok" },
#define PEAL_X(code, word, text) [PEAL_##code] = { word, text },
	PEAL_ERRORS(PEAL_X)
#undef PEAL_X
};
/* clang-format on */

static int known(enum peal_err err)
{
	return (unsigned)err < PEAL_ERR_COUNT;
}

const char *peal_err_name(enum peal_err err)
{
	return errors[known(err) ? err : PEAL_EINTERNAL].name;
}

const char *peal_err_text(enum peal_err err)
{
	return errors[known(err) ? err : PEAL_EINTERNAL].text;
}

void peal_reason_clear(struct peal_reason *r)
{
	if (!r)
		return;
	r->text[0] = '\0';
	r->line = 0;
	r->byte = -1;
}

/* Bytes of the UTF-8 character that begins with `lead`. */
static size_t char_size(unsigned char lead)
{
	if (lead < 0xc0)
		return 1;
	return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/* Take half a character off the end of a text that was cut. */
static void whole_characters(char *text)
{
	size_t len = strlen(text), at = len;

	while (at > 0 && ((unsigned char)text[at - 1] & 0xc0) == 0x80)
		at--;
	if (at > 0 && at - 1 + char_size((unsigned char)text[at - 1]) > len)
		text[at - 1] = '\0';
}

__attribute__((format(printf, 4, 0))) static void
fill(struct peal_reason *r, long line, long byte, const char *fmt, va_list args)
{
	int n = vsnprintf(r->text, sizeof(r->text), fmt, args);
	unsigned char *p;

	if (n < 0)
		r->text[0] = '\0';
	else if ((size_t)n >= sizeof(r->text))
		whole_characters(r->text);
	for (p = (unsigned char *)r->text; *p; p++)
		if (*p < 0x20 || *p == 0x7f)
			*p = '?';
	r->line = line;
	r->byte = byte;
}

enum peal_err peal_fail(struct peal_reason *r, enum peal_err err,
			const char *fmt, ...)
{
	va_list args;

	if (r) {
		va_start(args, fmt);
		fill(r, 0, -1, fmt, args);
		va_end(args);
	}
	return err;
}

enum peal_err peal_fail_at(struct peal_reason *r, enum peal_err err, long line,
			   long byte, const char *fmt, ...)
{
	va_list args;

	if (r) {
		va_start(args, fmt);
		fill(r, line, byte, fmt, args);
		va_end(args);
	}
	return err;
}

enum peal_err peal_err_errno(int errnum)
{
	switch (errnum) {
	case 0:
		return PEAL_OK;
	case ENOMEM:
	case EMFILE: /* the word is "resource": descriptors are one too */
	case ENFILE:
		return PEAL_ENOMEM;
	case ENOENT:
	case ENOTDIR:
		return PEAL_ENOENT;
	case EEXIST:
		return PEAL_EEXIST;
	case ENOSPC:
	case EDQUOT:
		return PEAL_ENOSPC;
	case EROFS:
		return PEAL_EROFS;
	case EACCES:
	case EPERM:
		return PEAL_EPERM;
	default:
		return PEAL_EIO;
	}
}
