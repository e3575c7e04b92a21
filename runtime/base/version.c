/* version.c - see peal/version.h */
#include "peal/version.h"

#include <stdio.h>
#include <string.h>

#include <ares.h>
#include <curl/curl.h>
#include <libxml/parser.h>
#include <mbedtls/version.h>
#include <uv.h>
#include <zlib.h>

static void put(struct peal_version *v, const char *name, const char *text)
{
	v->name = name;
	snprintf(v->text, sizeof(v->text), "%s", text ? text : "unknown");
}

/* libxml2 tells 20914 for 2.9.14. */
static void put_libxml2(struct peal_version *v)
{
	unsigned n = 0;

	put(v, "libxml2", NULL);
	if (sscanf(xmlParserVersion, "%u", &n) == 1)
		snprintf(v->text, sizeof(v->text), "%u.%u.%u", n / 10000,
			 n / 100 % 100, n % 100);
}

void peal_versions(struct peal_version out[PEAL_VERSIONS])
{
	char mbed[32];

	mbedtls_version_get_string(mbed);
	put(&out[0], "peal", PEAL_VERSION);
	put(&out[1], "libcurl", curl_version_info(CURLVERSION_NOW)->version);
	put(&out[2], "mbedTLS", mbed);
	put(&out[3], "zlib", zlibVersion());
	put(&out[4], "libuv", uv_version_string());
	put(&out[5], "c-ares", ares_version(NULL));
	put_libxml2(&out[6]);
}
