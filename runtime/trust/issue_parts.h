/* issue_parts.h - subject, validity and extensions. Private to runtime/. */
#ifndef PEAL_TRUST_ISSUE_PARTS_H
#define PEAL_TRUST_ISSUE_PARTS_H

#include <mbedtls/x509_crt.h>

#include "peal/issue.h"
#include "trust/der.h"

/* Each writes in front of what is there. PEAL_EINVAL, PEAL_ENOMEM; what is
 * wrong with the writer stays in it. */
enum peal_err peal_put_subject(struct peal_der *w, const struct peal_issue *o,
			       struct peal_reason *reason);
enum peal_err peal_put_validity(struct peal_der *w, const struct peal_issue *o,
				struct peal_reason *reason);
/* ca: who signs; NULL: the key itself */
enum peal_err peal_put_extensions(struct peal_der *w,
				  const struct peal_issue *o,
				  const mbedtls_x509_crt *ca,
				  struct peal_reason *reason);

#endif
