/* sessions.h - TLS sessions, and what is known of the servers they are with.
 *
 * libcurl's own cache stays off: a resumed session skips the verify callback,
 * and libcurl knows nothing of our verdicts. A session is kept as the bytes
 * that mbedTLS makes of it, which are secret: they are wiped when freed.
 * Private to runtime/fetch. */
#ifndef PEAL_FETCH_SESSIONS_H
#define PEAL_FETCH_SESSIONS_H

#include <mbedtls/ssl.h>

#include "peal/buf.h"
#include "trust/trust.h"

/* What a full handshake has shown: its connection and all sessions that come
 * of it share this. Counted. */
struct peal_peer {
	unsigned refs;
	int64_t checked;   /* s, UTC: when it was judged in full */
	int64_t not_after; /* see struct peal_verdict */
	int pinned, anchor_private;
	int client_cert_sent;
	int client_cert_requested; /* not kept in files */
	unsigned char anchor_sha256[PEAL_DIGEST_SIZE];
	unsigned chain_n;
	struct peal_cert_facts chain[]; /* without DER */
};
enum peal_err peal_peer_new(struct peal_peer **out, unsigned chain_n);
/* From a verdict that let the server pass. */
enum peal_err peal_peer_of(struct peal_peer **out, const struct peal_verdict *v,
			   int client_cert_sent);
struct peal_peer *peal_peer_ref(struct peal_peer *p);
void peal_peer_unref(struct peal_peer *p); /* takes NULL */
/* Judges it again by a verdict that has just been initialised, and fills that
 * verdict's facts: dates, rejected list, DNS. */
enum peal_err peal_peer_judge(const struct peal_peer *p,
			      struct peal_verdict *v);

enum { PEAL_SESSION_KEY = 32 };

/*   key      digest of server and policy: nothing else may use it
 *   since    s, UTC: when it came
 *   until    it is not offered after that */
struct peal_session {
	struct peal_session *next;
	unsigned char key[PEAL_SESSION_KEY];
	struct peal_peer *peer;
	int64_t since, until;
	unsigned char *bytes;
	size_t len;
};

/* At most PEAL_LIMIT_SESSIONS and PEAL_LIMIT_SESSIONS_BYTES, the one that was
 * used last in front. */
struct peal_sessions {
	struct peal_session *first;
	unsigned count;
	size_t bytes;
};
void peal_sessions_clear(struct peal_sessions *s);
void peal_sessions_drop(struct peal_sessions *s,
			const unsigned char key[PEAL_SESSION_KEY]);
/* Borrowed until the next call; NULL: none that is still good at `now`. */
const struct peal_session *
peal_sessions_find(struct peal_sessions *s,
		   const unsigned char key[PEAL_SESSION_KEY], int64_t now);
/* In place of the one with that key. What cannot be resumed, is too large or
 * does not fit in memory is not kept: it is a convenience. */
void peal_sessions_put(struct peal_sessions *s,
		       const unsigned char key[PEAL_SESSION_KEY],
		       struct peal_peer *peer, mbedtls_ssl_session *session,
		       int64_t now);
/* As it came from a file: takes the session over if there is none with its
 * key and room for it. 1: taken */
int peal_sessions_adopt(struct peal_sessions *s, struct peal_session *session);
void peal_session_free(struct peal_session *session);

/* Offers it in the handshake that ssl is about to make. 1: offered
 *   host   name that ssl sends, NULL: none */
int peal_session_offer(const struct peal_session *session,
		       mbedtls_ssl_context *ssl, const char *host);

/* sessions_file.c: all of them as bytes, and back; see peal/fetch.h */
enum peal_err peal_sessions_export(const struct peal_sessions *s,
				   struct peal_buf *out);
unsigned peal_sessions_import(struct peal_sessions *s, const void *bytes,
			      size_t len);

#endif
