/* write.c - elements back into XML, see peal/profile.h
 *
 * What is written reads back as the same value, but for what the format has
 * no way to say: blanks at the ends, line ends (blanks when read), and
 * characters that XML does not admit ('?'). */
#include <string.h>

#include "peal/profile.h"
#include "utf8.h"

static const char *escape(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>': /* for the sake of "]]>" */
		return "&gt;";
	case '"':
		return "&quot;";
	case '\n':
		return "&#10;";
	case '\r':
		return "&#13;";
	default:
		return NULL;
	}
}

enum peal_err peal_profile_escape(struct peal_buf *out, const char *text,
				  size_t len)
{
	const size_t start = out->len;
	enum peal_err err = PEAL_OK;
	const char *instead;
	size_t i, n, plain;

	for (i = 0; i < len && !err; i += n) {
		for (plain = i; plain < len && !escape(text[plain]);
		     plain += n) {
			n = peal_utf8_one((const unsigned char *)text + plain,
					  len - plain);
			if (n == 0)
				break;
		}
		err = peal_buf_add(out, text + i, plain - i);
		n = plain - i;
		if (err || plain == len)
			continue;
		instead = escape(text[plain]);
		err = peal_buf_add_str(out, instead ? instead : "?");
		n++;
	}
	if (err)
		out->len = start;
	return err;
}

static int is_name(const char *s)
{
	size_t i;

	if (!*s || strchr("0123456789.-", *s))
		return 0;
	for (i = 0; s[i]; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') ||
		      (s[i] >= 'A' && s[i] <= 'Z') ||
		      (s[i] >= '0' && s[i] <= '9') || strchr("_.-", s[i]) ||
		      (unsigned char)s[i] >= 0x80))
			return 0;
	return peal_utf8_check((const unsigned char *)s, i) == i;
}

enum peal_err peal_profile_begin(struct peal_buf *out)
{
	return peal_buf_add_str(out, "<device>\n<flat-profile>\n");
}

enum peal_err peal_profile_end(struct peal_buf *out)
{
	return peal_buf_add_str(out, "</flat-profile>\n</device>\n");
}

static enum peal_err start_tag(struct peal_buf *out, const struct peal_value *v,
			       unsigned flags)
{
	enum peal_err err = peal_buf_printf(out, "<%s", v->name);

	if (!err && v->ua != PEAL_UA_NONE)
		err = peal_buf_printf(out, " ua=\"%s\"", peal_ua_name(v->ua));
	if (!err && v->user_pref)
		err = peal_buf_add_str(out, " user-pref=\"y\"");
	if (!err && v->user_modified)
		err = peal_buf_add_str(out, " um=\"y\"");
	if (!err && (flags & PEAL_PROFILE_PRESERVE))
		err = peal_buf_add_str(out, " preserve-value=\"y\"");
	return err;
}

enum peal_err peal_profile_add(struct peal_buf *out, const struct peal_value *v,
			       unsigned flags)
{
	const size_t start = out->len;
	enum peal_err err;

	if (!is_name(v->name))
		return PEAL_EINVAL;
	if ((v->flags & PEAL_PARAM_SECRET) && !(flags & PEAL_PROFILE_SECRETS))
		return PEAL_OK;
	err = start_tag(out, v, flags);
	if (!err && v->text[0] == '\0') {
		err = peal_buf_add_str(out, "/>\n");
	} else if (!err) {
		err = peal_buf_add_str(out, ">");
		if (!err)
			err = peal_profile_escape(out, v->text,
						  strlen(v->text));
		if (!err)
			err = peal_buf_printf(out, "</%s>\n", v->name);
	}
	if (err)
		out->len = start;
	return err;
}
