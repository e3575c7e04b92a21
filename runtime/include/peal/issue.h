/* issue.h - certificates and certificate requests of our own.
 *
 * For a phone that is its own small CA, and for the renewal of its
 * certificate. What is written is DER; serial number and dates are the
 * caller's, who has the dice and the clock.
 * Source    RFC 5280 (certificates), RFC 7093 2 (key identifiers), RFC 2986
 *           and RFC 2985 5.4.2 (requests). */
#ifndef PEAL_ISSUE_H
#define PEAL_ISSUE_H

#include <stddef.h>
#include <stdint.h>

#include "peal/buf.h"
#include "peal/error.h"
#include "peal/key.h"

enum { PEAL_SERIAL_SIZE = 16 };

/* "CN", "O", "OU", "L", "ST", "C" or "serialNumber", and 1 to 64 characters of
 * UTF-8. */
struct peal_name_part {
	const char *type;
	const char *value;
};

/* A certificate to be.
 *   ca_cert, ca_key   who signs; NULL: it signs itself
 *   sans       "DNS:name", "IP:literal", "email:x", "URI:x"
 *   purposes   "serverAuth", "clientAuth" or dotted OIDs; none: any
 *   serial     random; its top bits become 01: a serial number is positive and
 *              begins with no zeros
 *   from, to   s, UTC; years 1950 to 9999
 *   pathlen    of a CA; -1: no limit */
struct peal_issue {
	const struct peal_key *key;
	const void *ca_cert; /* DER */
	size_t ca_cert_len;
	const struct peal_key *ca_key;
	const struct peal_name_part *subject;
	unsigned subject_n;
	const char *const *sans;
	unsigned sans_n;
	const char *const *purposes;
	unsigned purposes_n;
	unsigned char serial[PEAL_SERIAL_SIZE];
	int64_t from, to;
	int is_ca;
	int pathlen;
};

/* Write it, in DER, behind what is in `out`.
 * PEAL_EINVAL, PEAL_EKEY (the CA's key and certificate do not belong together,
 * or it is no CA), PEAL_ENOMEM, PEAL_ELIMIT */
enum peal_err peal_issue_certificate(const struct peal_issue *what,
				     struct peal_buf *out,
				     struct peal_reason *reason);

/* A PKCS #10 request, signed by `key`, for a certificate like `cert` (DER):
 * subject and subjectAltName are its, octet by octet (RFC 7030 4.2.2).
 * PEAL_EINVAL, PEAL_ENOMEM, PEAL_ELIMIT */
enum peal_err peal_issue_request(const struct peal_key *key, const void *cert,
				 size_t len, struct peal_buf *out,
				 struct peal_reason *reason);

#endif
