/* utf8.h - is it UTF-8, and of characters that XML 1.0 admits? Private. */
#ifndef PEAL_PROFILE_UTF8_H
#define PEAL_PROFILE_UTF8_H

#include <stddef.h>

/* Offset of the first byte that is not, or len. A character cut off by the
 * end counts as wrong. */
size_t peal_utf8_check(const unsigned char *p, size_t len);
/* Bytes of the character at p, 0: none that is admitted. len > 0 */
size_t peal_utf8_one(const unsigned char *p, size_t len);

#endif
