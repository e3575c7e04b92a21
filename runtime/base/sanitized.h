/* sanitized.h - is this a build with AddressSanitizer? Private to runtime/. */
#ifndef PEAL_SANITIZED_H
#define PEAL_SANITIZED_H

#if defined(__SANITIZE_ADDRESS__)
#define PEAL_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PEAL_SANITIZED 1
#endif
#endif
#ifndef PEAL_SANITIZED
#define PEAL_SANITIZED 0
#endif

#endif
