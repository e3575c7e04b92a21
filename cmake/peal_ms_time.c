/* peal_ms_time.c - the clock by which mbedTLS ages tickets, see
 * peal_mbedtls_config.h. Compiled into our libmbedcrypto, not into peal. */
#include <time.h>

#include <mbedtls/platform_time.h>

mbedtls_ms_time_t mbedtls_ms_time(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME, &now))
		return time(NULL) * 1000;
	return (mbedtls_ms_time_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
