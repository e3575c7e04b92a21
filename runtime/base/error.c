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

static void fill(struct peal_reason *r, long line, long byte, const char *fmt,
		 va_list args) __attribute__((format(printf, 4, 0)));

static void fill(struct peal_reason *r, long line, long byte, const char *fmt,
		 va_list args)
{
	int n = vsnprintf(r->text, sizeof(r->text), fmt, args);
	size_t len = sizeof(r->text) - 1;
	unsigned char *p;

	/* a cut must not leave half a UTF-8 character */
	if (n < 0)
		r->text[0] = '\0';
	else if ((size_t)n > len) {
		while (len > 0 && ((unsigned char)r->text[len] & 0xc0) == 0x80)
			len--;
		if (((unsigned char)r->text[len] & 0xc0) == 0xc0)
			r->text[len] = '\0';
	}
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
