/* libraries.c - point the libraries' allocations at peal_alloc, see
 * peal/alloc.h
 *
 * libuv keeps to the C library: it ends the process when it gets no memory for
 * its list of descriptors, and a full pool must not do that. */
#include <ares.h>
#include <curl/curl.h>
#include <mbedtls/platform.h>

#include "peal/alloc.h"
#include "profile/memory.h"

enum peal_err peal_alloc_hook_libraries(void)
{
	if (ares_library_init_mem(ARES_LIB_INIT_ALL, peal_alloc, peal_free,
				  peal_realloc))
		return PEAL_EINTERNAL;
#ifdef MBEDTLS_PLATFORM_MEMORY
	if (mbedtls_platform_set_calloc_free(peal_calloc, peal_free))
		return PEAL_EINTERNAL;
#endif
	if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, peal_alloc, peal_free,
				 peal_realloc, peal_strdup, peal_calloc))
		return PEAL_EINTERNAL;
	return peal_xml_hook();
}
