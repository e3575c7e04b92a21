/* dates.c - the days of certificates and of this build as seconds. See
 * peal/trust.h */
#include <string.h>

#include "trust.h"

static unsigned month_of(const char *name)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	unsigned m;

	for (m = 0; m < 12; m++)
		if (memcmp(names + (size_t)m * 3, name, 3) == 0)
			return m + 1;
	return 1;
}

static int digits(const char *text, int n)
{
	int value = 0;

	for (; n > 0; n--, text++)
		value = value * 10 + (*text >= '0' ? *text - '0' : 0);
	return value;
}

/* Days since 1970 of a date of the Gregorian calendar, years counted from
 * March so that the leap day comes last. */
static int64_t days(int64_t year, unsigned month, unsigned day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t m = month > 2 ? month - 3 : month + 9;

	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day -
	       1 - 719468;
}

/* Compilers take it from SOURCE_DATE_EPOCH for builds that can be repeated. */
int64_t peal_build_time(void)
{
	static const char date[] = __DATE__; /* "Nov 22 2026" */

	return days(digits(date + 7, 4), month_of(date),
		    (unsigned)digits(date + 4, 2)) *
	       86400;
}

int64_t peal_cert_time(const mbedtls_x509_time *t)
{
	return days(t->year, (unsigned)t->mon, (unsigned)t->day) * 86400 +
	       t->hour * 3600 + t->min * 60 + t->sec;
}

/* The reverse of days(): cycles of 400 years and the years in them count from
 * March as well. */
static void date_of(int64_t day, mbedtls_x509_time *t)
{
	int64_t n = day + 719468;
	int64_t in_cycle = n % 146097;
	int64_t year = (in_cycle - in_cycle / 1460 + in_cycle / 36524 -
			in_cycle / 146096) /
		       365;
	int64_t in_year = in_cycle - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * in_year + 2) / 153;

	t->day = (int)(in_year - (153 * month + 2) / 5 + 1);
	t->mon = (int)(month < 10 ? month + 3 : month - 9);
	t->year = (int)(n / 146097 * 400 + year + (t->mon <= 2));
}

enum peal_err peal_cert_date(int64_t when, mbedtls_x509_time *t)
{
	int64_t day, s;

	if (when < days(1, 1, 1) * 86400 || when >= days(10000, 1, 1) * 86400)
		return PEAL_EINVAL;
	s = (when % 86400 + 86400) % 86400;
	day = (when - s) / 86400;
	date_of(day, t);
	t->hour = (int)(s / 3600);
	t->min = (int)(s / 60 % 60);
	t->sec = (int)(s % 60);
	return PEAL_OK;
}
