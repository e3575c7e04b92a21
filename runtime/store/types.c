/* types.c - the types of parameters and the canonical form of their values.
 *
 * Source: MPP administration guide, "Data types". Reasons never quote the
 * value, which may be a secret. */
#include <string.h>

#include "peal/limits.h"
#include "store/registry.h"

static const char *const type_words[PEAL_T_COUNT] = {
#define PEAL_X(code, word) [PEAL_T_##code] = word,
	PEAL_TYPES(PEAL_X)
#undef PEAL_X
};

const char *peal_type_name(enum peal_type type)
{
	return (unsigned)type < PEAL_T_COUNT ? type_words[type] : NULL;
}

enum peal_err peal_type_find(enum peal_type *out, const char *word)
{
	unsigned i;

	for (i = 0; i < PEAL_T_COUNT; i++) {
		if (strcmp(type_words[i], word) == 0) {
			*out = (enum peal_type)i;
			return PEAL_OK;
		}
	}
	return PEAL_ENOENT;
}

static int is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Equal but for case and the length of runs of blanks? */
static int loosely_equal(const char *a, size_t n, const char *b, size_t m)
{
	size_t i = 0, j = 0;

	while (i < n && j < m) {
		if (is_blank(a[i]) != is_blank(b[j]))
			return 0;
		if (!is_blank(a[i])) {
			if (lower(a[i++]) != lower(b[j++]))
				return 0;
			continue;
		}
		while (i < n && is_blank(a[i]))
			i++;
		while (j < m && is_blank(b[j]))
			j++;
	}
	return i == n && j == m;
}

static void trim(const char **text, size_t *len)
{
	while (*len && is_blank(**text)) {
		(*text)++;
		(*len)--;
	}
	while (*len && is_blank((*text)[*len - 1]))
		(*len)--;
}

/* --- texts --- */

static size_t text_limit(const struct peal_param *p)
{
	size_t most = p->type == PEAL_T_RULE ? PEAL_LIMIT_RULE :
					       PEAL_LIMIT_VALUE;

	return p->max && p->max < most ? p->max : most;
}

/* Characters of UTF-8: all bytes but those that continue one. None has more
 * than four, whatever the bytes say. */
static size_t characters(const char *text, size_t len)
{
	size_t i, n = 0;

	for (i = 0; i < len; i++)
		n += ((unsigned char)text[i] & 0xc0) != 0x80;
	return n < (len + 3) / 4 ? (len + 3) / 4 : n;
}

static enum peal_err check_text(const struct peal_param *p, const char *text,
				size_t len, struct peal_buf *out,
				struct peal_reason *reason)
{
	int in_chars = (p->flags & PEAL_PARAM_CHARS) != 0;
	const char *unit = in_chars ? "characters" : "bytes";
	size_t n = in_chars ? characters(text, len) : len;

	if (n > text_limit(p) || (in_chars && len > PEAL_LIMIT_VALUE))
		return peal_fail(reason, PEAL_ETYPE, "longer than %zu %s",
				 text_limit(p), unit);
	if (n && n < p->min)
		return peal_fail(reason, PEAL_ETYPE, "shorter than %u %s",
				 p->min, unit);
	if (memchr(text, '\0', len))
		return peal_fail(reason, PEAL_ETYPE, "holds a NUL");
	return peal_buf_add(out, text, len);
}

/* --- words --- */

static enum peal_err check_bool(const struct peal_param *p, const char *text,
				size_t len, struct peal_buf *out,
				struct peal_reason *reason)
{
	static const char *const words[] = { "Yes", "Enable",  "1",
					     "No",  "Disable", "0" };
	size_t i;

	(void)p;
	for (i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (loosely_equal(text, len, words[i], strlen(words[i])))
			return peal_buf_add_str(out, i < 3 ? "Yes" : "No");
	return peal_fail(reason, PEAL_ETYPE, "wants Yes or No");
}

/* The canonical spelling of a choice, or NULL. */
static const char *find_choice(const struct peal_param *p, const char *text,
			       size_t len)
{
	const char *const *c;
	const char *mark;

	trim(&text, &len);
	for (c = p->choices; *c; c++) {
		mark = p->type == PEAL_T_CHOICE ? strchr(*c, '=') : NULL;
		if (loosely_equal(text, len, *c,
				  mark ? (size_t)(mark - *c) : strlen(*c)))
			return mark ? mark + 1 : *c;
	}
	return NULL;
}

/* "wants A, B or C" in as much room as there is. */
static enum peal_err not_a_choice(const struct peal_param *p,
				  struct peal_reason *reason)
{
	char list[160] = "";
	size_t used = 0, n;
	const char *const *c;

	for (c = p->choices; *c; c++) {
		if (p->type == PEAL_T_CHOICE && strchr(*c, '='))
			continue;
		n = strlen(*c);
		if (used + n + 6 > sizeof(list)) {
			memcpy(list + used, " ...", 5);
			break;
		}
		if (used) {
			memcpy(list + used, ", ", 2);
			used += 2;
		}
		memcpy(list + used, *c, n + 1);
		used += n;
	}
	return peal_fail(reason, PEAL_ETYPE, "wants one of %s", list);
}

static enum peal_err check_choice(const struct peal_param *p, const char *text,
				  size_t len, struct peal_buf *out,
				  struct peal_reason *reason)
{
	const char *found = find_choice(p, text, len);

	return found ? peal_buf_add_str(out, found) : not_a_choice(p, reason);
}

static enum peal_err add_item(const struct peal_param *p, const char *text,
			      size_t len, struct peal_buf *out,
			      struct peal_reason *reason)
{
	const char *found;

	trim(&text, &len);
	if (len == 0)
		return peal_fail(reason, PEAL_ETYPE,
				 "wants items with commas between them");
	if (!p->choices)
		return peal_buf_add(out, text, len);
	found = find_choice(p, text, len);
	return found ? peal_buf_add_str(out, found) : not_a_choice(p, reason);
}

static enum peal_err check_list(const struct peal_param *p, const char *text,
				size_t len, struct peal_buf *out,
				struct peal_reason *reason)
{
	const char *end = text + len, *comma;
	enum peal_err err;

	if (len > text_limit(p))
		return peal_fail(reason, PEAL_ETYPE, "longer than %zu bytes",
				 text_limit(p));
	if (memchr(text, '\0', len))
		return peal_fail(reason, PEAL_ETYPE, "holds a NUL");
	for (;;) {
		comma = memchr(text, ',', (size_t)(end - text));
		err = add_item(p, text, (size_t)((comma ? comma : end) - text),
			       out, reason);
		if (err || !comma)
			return err;
		err = peal_buf_add_str(out, ",");
		if (err)
			return err;
		text = comma + 1;
	}
}

/* --- times of day --- */

static enum peal_err check_hhmm(const struct peal_param *p, const char *text,
				size_t len, struct peal_buf *out,
				struct peal_reason *reason)
{
	uint64_t n;

	(void)p;
	if (len != 4 || !peal_parse_uint(text, len, 0, &n) || n > 2400 ||
	    n % 100 > 59)
		return peal_fail(reason, PEAL_ETYPE,
				 "wants four digits from 0000 to 2400");
	return peal_buf_add(out, text, len);
}

/* --- all of them --- */

typedef enum peal_err (*check_fn)(const struct peal_param *p, const char *text,
				  size_t len, struct peal_buf *out,
				  struct peal_reason *reason);

static const struct {
	check_fn check;
	int empty; /* admits "" */
} types[PEAL_T_COUNT] = {
	[PEAL_T_STR] = { check_text, 1 },
	[PEAL_T_BOOL] = { check_bool, 0 },
	[PEAL_T_CHOICE] = { check_choice, 0 },
	[PEAL_T_UNS] = { peal_check_uns, 0 },
	[PEAL_T_SIG] = { peal_check_sig, 0 },
	[PEAL_T_FLOAT] = { peal_check_decimal, 0 },
	[PEAL_T_TIME] = { peal_check_decimal, 0 },
	[PEAL_T_PWR] = { peal_check_decimal, 0 },
	[PEAL_T_IP] = { peal_check_ip, 1 },
	[PEAL_T_FQDN] = { peal_check_fqdn, 1 },
	[PEAL_T_PORT] = { peal_check_port, 0 },
	[PEAL_T_SCHEDULE] = { peal_check_schedule, 1 },
	[PEAL_T_HHMM] = { check_hhmm, 1 },
	[PEAL_T_LIST] = { check_list, 1 },
	[PEAL_T_RULE] = { check_text, 1 },
	[PEAL_T_URL] = { check_text, 1 },
	[PEAL_T_DIAL] = { check_text, 1 },
};

int peal_type_empty_ok(const struct peal_param *p)
{
	return types[p->type].empty || (p->flags & PEAL_PARAM_EMPTY_OK);
}

int peal_type_is_canonical(const struct peal_param *p, const char *text,
			   size_t len)
{
	return types[p->type].check == check_text && len > 0 &&
	       len <= text_limit(p) && !memchr(text, '\0', len);
}

enum peal_err peal_type_check(const struct peal_param *p, const char *text,
			      size_t len, struct peal_buf *out,
			      struct peal_reason *reason)
{
	enum peal_err err;

	if (len == 0)
		return peal_type_empty_ok(p) ? PEAL_OK :
					       peal_fail(reason, PEAL_ETYPE,
							 "may not be empty");
	err = types[p->type].check(p, text, len, out, reason);
	if (err)
		peal_buf_clear(out);
	return err;
}
