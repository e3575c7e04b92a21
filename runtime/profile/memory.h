/* memory.h - libxml2's memory. Private to runtime/.
 *
 * libxml2 knows one allocator per process. It is pointed at peal_alloc() by
 * peal_alloc_hook_libraries(), with everything else. */
#ifndef PEAL_PROFILE_MEMORY_H
#define PEAL_PROFILE_MEMORY_H

#include "peal/error.h"

/* PEAL_EINTERNAL */
enum peal_err peal_xml_hook(void);

/* How often libxml2 got no memory on this thread. It does not always say so
 * itself, and a parse that went on without some piece must not count. */
unsigned long peal_xml_failures(void);

#endif
