/* error.h - one list of errors: a code for C, a word for scripts, a sentence.
 *
 * The words are interface: scripts, syslog and tests compare them. Add words,
 * never rename one. A function returns its error and leaves logging to its
 * caller; where a person needs the details (line of a bad profile, name in a
 * refused certificate) the caller passes a struct peal_reason, or NULL.
 * Errors never allocate. */
#ifndef PEAL_ERROR_H
#define PEAL_ERROR_H

#include <stddef.h>

/* The words of failed transfers follow the causes of the MPP status pages
 * (dns, connect, fnf, access ...); scripts/peal/cause.lua maps them to the
 * texts a phone shows. */
/* clang-format off */
#define PEAL_ERRORS(X)                                                      \
	X(ENOMEM, "resource", "out of memory")                              \
	X(EINVAL, "invalid", "not a valid value")                           \
	X(ENOENT, "not-found", "no such thing")                             \
	X(EEXIST, "exists", "is there already")                             \
	X(ELIMIT, "limit", "over a built-in limit")                         \
	X(ESTATE, "bad-state", "cannot be done in this state")              \
	X(EIO, "io", "reading or writing failed")                           \
	X(ENOSPC, "no-space", "no space left")                              \
	X(EROFS, "read-only", "the file system is read-only")               \
	X(EPERM, "permission", "not permitted")                             \
	X(ELOCKED, "locked", "another process owns the store")              \
	X(EDAMAGED, "damaged", "the file is damaged")                       \
	X(ENEWER, "newer", "the file comes from a newer version")           \
	X(ETYPE, "bad-value", "the value does not fit the parameter's type") \
	X(EUNKNOWN, "unknown-name", "no such parameter")                    \
	X(ECORRUPT, "corrupt", "corrupted file")                            \
	X(ETOOBIG, "toobig", "file size exceed")                            \
	X(ECODING, "bad-coding", "unknown content coding")                  \
	X(ECANCELED, "canceled", "canceled")                                \
	X(EDNS, "dns", "no address for the host name")                      \
	X(ESCHEME, "scheme", "scheme is not tftp, http or https")           \
	X(EURL, "bad-url", "not a valid URL")                               \
	X(ECONNECT, "connect", "connection failed")                         \
	X(ETIMEOUT, "timeout", "no answer in time")                         \
	X(EPARTIAL, "partial", "the answer is incomplete")                  \
	X(EPROTO, "bad-response", "not a valid response")                   \
	X(EFNF, "fnf", "file not found")                                    \
	X(EACCESS, "access", "access violation")                            \
	X(EDISKFULL, "diskfull", "disk full at the server")                 \
	X(EBADOP, "badop", "bad TFTP operation")                            \
	X(EBADOPT, "badopt", "bad TFTP option")                             \
	X(ECEXPIRED, "c.expired", "certificate expired")                    \
	X(ECFUTURE, "c.future", "certificate not yet valid")                \
	X(ECUNTRUSTED, "c.untrusted", "certificate not trusted")            \
	X(ECNAME, "c.name", "certificate name mismatch")                    \
	X(ECWEAK, "c.weak", "certificate key too weak")                     \
	X(ECREJECTED, "c.rejected", "certificate rejected by administrator") \
	X(ECDNS, "c.dns", "certificate DNS check failed")                   \
	X(ETVERSION, "t.version", "TLS version not supported")              \
	X(ETCLIENT, "t.client", "client certificate rejected")              \
	X(ETHANDSHAKE, "t.handshake", "TLS handshake failed")               \
	X(EKEY, "bad-key", "private key or certificate cannot be used")     \
	X(EINTERNAL, "internal", "internal error")
/* clang-format on */

/* clang-format off */
enum peal_err {
	PEAL_OK = 0,
#define PEAL_X(code, word, text) PEAL_##code,
	PEAL_ERRORS(PEAL_X)
#undef PEAL_X
	PEAL_ERR_COUNT
};
/* clang-format on */

/* Details of one failure, for a person.
 *   text   a sentence without a full stop; empty: peal_err_text() says it all.
 *          Never holds a secret
 *   line   line in the profile or file, 0: does not apply
 *   byte   offset in the input, -1: does not apply */
struct peal_reason {
	char text[240];
	long line;
	long byte;
};

/* "ok" for PEAL_OK. Static strings. */
const char *peal_err_name(enum peal_err err);
const char *peal_err_text(enum peal_err err);

/* Fill `r` (may be NULL) and return `err`. Control characters in the result
 * are replaced by '?', a text that is too long is cut. */
enum peal_err peal_fail(struct peal_reason *r, enum peal_err err,
			const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The same with a place; line 0 or byte -1 where it does not apply. */
enum peal_err peal_fail_at(struct peal_reason *r, enum peal_err err, long line,
			   long byte, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

void peal_reason_clear(struct peal_reason *r);

/* Error for an errno value: ENOSPC -> PEAL_ENOSPC, EROFS -> PEAL_EROFS,
 * EACCES and EPERM -> PEAL_EPERM, ENOMEM, EMFILE and ENFILE ->
 * PEAL_ENOMEM, ENOENT, else PEAL_EIO. */
enum peal_err peal_err_errno(int errnum);

#endif
