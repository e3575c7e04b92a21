/* name.h - the name rule piece by piece. Private. */
#ifndef PEAL_TRUST_NAME_H
#define PEAL_TRUST_NAME_H

#include <stddef.h>

/* A host as the rule sees it.
 *   ip_len   4 or 16: a literal; 0: a name */
struct peal_name {
	char text[256];
	size_t len;
	unsigned char ip[16];
	size_t ip_len;
};

/* 0 when `host` can match nothing (empty, too long). */
int peal_name_init(struct peal_name *n, const char *host);
int peal_name_is_dns(const struct peal_name *n, const char *dns, size_t len);
int peal_name_is_ip(const struct peal_name *n, const void *ip, size_t len);
/* The common name, slash suffix and all. */
int peal_name_is_cn(const struct peal_name *n, const char *cn, size_t len);

#endif
