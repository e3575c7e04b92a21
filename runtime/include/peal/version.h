/* version.h - versions of peal and of the libraries it runs with. */
#ifndef PEAL_VERSION_H
#define PEAL_VERSION_H

#include <stddef.h>

struct peal_version {
	const char *name; /* "peal", "libcurl" ... */
	char text[64];
};

enum { PEAL_VERSIONS = 7 };

/* Fill `out`; "peal" comes first. Versions are those in use, not those the
 * program was built with. */
void peal_versions(struct peal_version out[PEAL_VERSIONS]);

#endif
