/* chain.h - do certificates lead to an anchor, outside of a handshake?
 *
 * For certificates of the phone's own and those of CAs: neither a name nor a
 * purpose is asked for. What a TLS server shows is judged by trust.h.
 * Source    RFC 5280 6; minimum sizes and hashes as for servers. */
#ifndef PEAL_CHAIN_H
#define PEAL_CHAIN_H

#include <stddef.h>
#include <stdint.h>

#include "peal/trust.h"

/* Certificates that a chain is looked for in, at most. */
enum { PEAL_CHAIN_MAX = 64 };

struct peal_der {
	const void *bytes;
	size_t len;
};

/* Does the first certificate lead to an anchor, or is it one?
 *   certs   the first is judged, the others may help; those that cannot be
 *           read are passed over
 *   now     s, UTC
 * PEAL_ECUNTRUSTED, PEAL_ECWEAK, PEAL_ECEXPIRED, PEAL_ECFUTURE,
 * PEAL_ECORRUPT (the first is no certificate), PEAL_ETOOBIG, PEAL_ENOMEM */
enum peal_err peal_chain_check(const struct peal_der *certs, unsigned n,
			       const struct peal_anchors *a, int64_t now,
			       struct peal_reason *reason);

/* Do two certificates have the same subject, octet by octet? Names that are
 * cut for people may look the same. 0 where one cannot be read. */
int peal_chain_same_subject(const struct peal_der *a, const struct peal_der *b);
/* Has that CA issued the certificate, by its name and by its signature? Dates
 * do not count. 0 where one cannot be read. */
int peal_chain_issued(const struct peal_der *ca, const struct peal_der *cert);

#endif
