/* profile.h - flat-profile XML in, parameter elements out; and back.
 *
 * A push parser: bytes in any pieces, peal_element_fn per parameter in
 * document order. Refuses, as corrupt: what is not well-formed, DOCTYPE, any
 * encoding but UTF-8 and US-ASCII, a document without a flat-profile, and
 * whatever passes the limits (limits.h), each before it costs time or memory.
 * Owns      the parser's state; nothing is opened, ever.
 * Source    MPP administration guide, "Provisioning formats", and the access
 *           control chapter for attributes. */
#ifndef PEAL_PROFILE_H
#define PEAL_PROFILE_H

#include <stddef.h>

#include "peal/buf.h"
#include "peal/element.h"
#include "peal/error.h"
#include "peal/store.h"

/* One entry of an alias map (--alias): an element whose path from the root
 * ends with `path` counts as parameter `name`.
 *   path   names separated by '/', with or without a leading one */
struct peal_alias {
	const char *path;
	const char *name;
};

struct peal_profile;

/*   aliases  borrowed until close; n at most PEAL_LIMIT_ALIASES
 * PEAL_ENOMEM, PEAL_ELIMIT */
enum peal_err peal_profile_new(struct peal_profile **out,
			       const struct peal_alias *aliases, unsigned n,
			       peal_element_fn sink, void *arg);
void peal_profile_free(struct peal_profile *p);

/* PEAL_ECORRUPT or PEAL_ETOOBIG with line and byte of the plain text, or what
 * the sink returned; every later call returns the same. */
enum peal_err peal_profile_feed(struct peal_profile *p, const void *bytes,
				size_t len, struct peal_reason *reason);
/* No more bytes: the document must be complete. */
enum peal_err peal_profile_finish(struct peal_profile *p,
				  struct peal_reason *reason);

/* How profile and report writers show a value. */
enum peal_profile_write {
	PEAL_PROFILE_SECRETS = 1, /* secrets in clear; else they are left out */
	PEAL_PROFILE_PRESERVE = 2 /* marked as no value to apply */
};

/* Begin, add one element, end a <device><flat-profile> document in `out`. */
enum peal_err peal_profile_begin(struct peal_buf *out);
enum peal_err peal_profile_add(struct peal_buf *out, const struct peal_value *v,
			       unsigned flags);
enum peal_err peal_profile_end(struct peal_buf *out);
/* Append text as it stands between tags or in quotes. Reads back the same but
 * for what the format cannot say: blanks at the ends, line ends (read as
 * blanks), bytes XML does not admit (written as '?'). */
enum peal_err peal_profile_escape(struct peal_buf *out, const char *text,
				  size_t len);

#endif
