/* peal_mbedtls_config.h - what peal's own mbedTLS has beyond the defaults.
 * setup installs it beside mbedtls_config.h, which then ends by including it:
 * whoever compiles against the library sees the layout it was built with. */

/* Key agreement on Curve25519 by the verified Everest code: the default code
 * needs 15 to 40 % more time for a whole handshake. */
#define MBEDTLS_ECDH_VARIANT_EVEREST_ENABLED

/* Hosts may live in threads of their own; PSA's key store is shared. */
#define MBEDTLS_THREADING_C
#define MBEDTLS_THREADING_PTHREAD

/* TLS 1.3 tickets age by wall time: the default, monotonic clock starts again
 * with the phone and then makes a stored session look as if from the future.
 * cmake/peal_ms_time.c has the function and is part of libmbedcrypto. */
#define MBEDTLS_PLATFORM_MS_TIME_ALT

/* Its memory comes from peal_alloc, like everybody's (alloc.h). */
#define MBEDTLS_PLATFORM_MEMORY

/* setup has installed pk_wrap.h and made room in pk.c for keys that sign
 * elsewhere: peal_identity_signer() works. */
#define PEAL_MBEDTLS_SIGNER
