/* name.c - does a certificate stand for a host? See peal/trust.h
 *
 * MPP administration guide, "HTTPS provisioning": the common name holds the
 * server's name; text from the first '/' on is free. RFC 9525: where DNS or IP
 * names are in the SAN, the common name is not looked at; a wildcard is the
 * whole left-most label. */
#include "name.h"

#include <arpa/inet.h>
#include <string.h>

#include "peal/trust.h"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

static int same(const char *a, const char *b, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (lower(a[i]) != lower(b[i]))
			return 0;
	return 1;
}

int peal_name_init(struct peal_name *n, const char *host)
{
	size_t len = strlen(host), i;

	memset(n, 0, sizeof(*n));
	if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
		host++;
		len -= 2;
	}
	if (len > 0 && host[len - 1] == '.')
		len--;
	if (len == 0 || len >= sizeof(n->text))
		return 0;
	for (i = 0; i < len; i++)
		n->text[i] = lower(host[i]);
	n->len = len;
	if (inet_pton(AF_INET, n->text, n->ip) == 1)
		n->ip_len = 4;
	else if (inet_pton(AF_INET6, n->text, n->ip) == 1)
		n->ip_len = 16;
	return 1;
}

int peal_name_is_ip(const struct peal_name *n, const void *ip, size_t len)
{
	return n->ip_len && n->ip_len == len && memcmp(n->ip, ip, len) == 0;
}

/* "*.telco.net": one label, at least two behind it, never for a part of an
 * internationalised label. */
static int wildcard(const struct peal_name *n, const char *dns, size_t len)
{
	const char *dot = memchr(n->text, '.', n->len);
	size_t rest;

	if (!dot || dot == n->text || !memchr(dns + 2, '.', len - 2))
		return 0;
	if (n->len >= 4 && memcmp(n->text, "xn--", 4) == 0)
		return 0;
	rest = n->len - (size_t)(dot - n->text);
	return rest == len - 1 && same(dot, dns + 1, rest);
}

int peal_name_is_dns(const struct peal_name *n, const char *dns, size_t len)
{
	if (n->ip_len || len == 0 || memchr(dns, '\0', len))
		return 0;
	if (len > 3 && dns[0] == '*' && dns[1] == '.' && dns[2] != '.')
		return wildcard(n, dns, len);
	if (memchr(dns, '*', len))
		return 0;
	return len == n->len && same(n->text, dns, len);
}

int peal_name_is_cn(const struct peal_name *n, const char *cn, size_t len)
{
	const char *slash;

	if (memchr(cn, '\0', len))
		return 0;
	slash = memchr(cn, '/', len);
	if (slash)
		len = (size_t)(slash - cn);
	while (len && (*cn == ' ' || *cn == '\t')) {
		cn++;
		len--;
	}
	while (len && (cn[len - 1] == ' ' || cn[len - 1] == '\t'))
		len--;
	if (n->ip_len)
		return len == n->len && same(n->text, cn, len);
	return peal_name_is_dns(n, cn, len);
}

/* 1 it fits, 0 not, -1 not a DNS or IP name */
static int san_fits(const struct peal_name *n, const char *san)
{
	struct peal_name other;

	if (strncmp(san, "DNS:", 4) == 0)
		return peal_name_is_dns(n, san + 4, strlen(san + 4));
	if (strncmp(san, "IP:", 3) != 0)
		return -1;
	if (!peal_name_init(&other, san + 3))
		return 0;
	return peal_name_is_ip(n, other.ip, other.ip_len);
}

int peal_name_matches(const char *host, const char *const *sans, unsigned n,
		      const char *cn, size_t cn_len, int cn_fallback)
{
	struct peal_name name;
	unsigned i;
	int seen = 0, fits;

	if (!peal_name_init(&name, host))
		return 0;
	for (i = 0; i < n; i++) {
		fits = san_fits(&name, sans[i]);
		if (fits > 0)
			return 1;
		seen |= fits == 0;
	}
	if (seen || !cn || !cn_fallback)
		return 0;
	return peal_name_is_cn(&name, cn, cn_len);
}
