/* hosts.c - the types that name a host: see registry.h */
#include <string.h>

#include "store/registry.h"

enum { HOST_MAX = 63 }; /* MPP administration guide: FQDN of up to 63 */

/* Four numbers 0..255. Leading zeros are refused: some take 010 for 8. */
static int is_quad(const char *text, size_t len)
{
	const char *end = text + len, *dot;
	size_t n, parts = 0;
	uint64_t part;

	for (;;) {
		dot = memchr(text, '.', (size_t)(end - text));
		n = (size_t)((dot ? dot : end) - text);
		if (n > 3 || !peal_parse_uint(text, n, 0, &part) ||
		    part > 255 || (n > 1 && *text == '0') || ++parts > 4)
			return 0;
		if (!dot)
			return parts == 4;
		text = dot + 1;
	}
}

enum peal_err peal_check_ip(const struct peal_param *p, const char *text,
			    size_t len, struct peal_buf *out,
			    struct peal_reason *reason)
{
	(void)p;
	if (!is_quad(text, len))
		return peal_fail(reason, PEAL_ETYPE,
				 "wants an address such as 192.168.1.1");
	return peal_buf_add(out, text, len);
}

static int is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z');
}

/* Labels of letters, digits, - and _ with dots between; what consists of
 * digits and dots only must be an address. */
static int is_name(const char *text, size_t len)
{
	size_t i, label = 0, numeric = 1;

	for (i = 0; i < len; i++) {
		if (text[i] == '.') {
			if (!label)
				return 0;
			label = 0;
			continue;
		}
		if (!is_alnum(text[i]) && text[i] != '-' && text[i] != '_')
			return 0;
		if (text[i] < '0' || text[i] > '9')
			numeric = 0;
		label++;
	}
	if (!len || (!label && len == 1))
		return 0;
	return !numeric || is_quad(text, len);
}

/* "[" hex digits, colons, dots "]": the resolver judges the rest. */
static int is_bracketed(const char *text, size_t len)
{
	size_t i, colons = 0;

	if (len < 4 || text[0] != '[' || text[len - 1] != ']')
		return 0;
	for (i = 1; i < len - 1; i++) {
		char c = text[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f') &&
		    !(c >= 'A' && c <= 'F') && c != ':' && c != '.')
			return 0;
		colons += c == ':';
	}
	return colons >= 2;
}

/* Where ":port" begins, or the end. */
static const char *port_mark(const char *text, size_t len)
{
	const char *from = text, *mark;

	if (len && *text == '[') {
		from = memchr(text, ']', len);
		if (!from)
			return text + len;
	}
	mark = memchr(from, ':', len - (size_t)(from - text));
	return mark ? mark : text + len;
}

enum peal_err peal_check_fqdn(const struct peal_param *p, const char *text,
			      size_t len, struct peal_buf *out,
			      struct peal_reason *reason)
{
	const char *mark = port_mark(text, len), *end = text + len;
	size_t host = (size_t)(mark - text), most = p->max ? p->max : HOST_MAX;
	enum peal_err err;

	if (host > most)
		return peal_fail(reason, PEAL_ETYPE,
				 "wants a host name of at most %zu bytes",
				 most);
	if (!is_name(text, host) && !is_bracketed(text, host))
		return peal_fail(reason, PEAL_ETYPE,
				 "wants a host name or address, with or "
				 "without :port");
	err = peal_buf_add(out, text, host);
	if (err || mark == end)
		return err;
	err = peal_buf_add(out, ":", 1);
	if (err)
		return err;
	return peal_check_port(p, mark + 1, (size_t)(end - mark - 1), out,
			       reason);
}
