/* fetch.h - one exchange, as the files of this folder share it. Private.
 *
 *   fetch.c      start, cancel, deadlines, the end
 *   curl_loop.c  libcurl's multi interface on the event loop
 *   request.c    what is asked of libcurl
 *   answer.c     what comes back: headers, body, caps
 *   tls.c        the handshake: our checks, alerts, facts
 *   resume.c     connections and sessions that were checked earlier
 *   sessions.c   the sessions of a fetcher; sessions_file.c: as bytes
 *   outcome.c    from libcurl's codes to our errors */
#ifndef PEAL_FETCH_FETCH_H
#define PEAL_FETCH_FETCH_H

#include <curl/curl.h>
#include <mbedtls/ssl.h>
#include <uv.h>

#include "net/loop.h"
#include "peal/fetch.h"
#include "sessions.h"
#include "trust/trust.h"

struct peal_fetcher {
	struct peal_loop *loop;
	CURLM *multi;
	uv_timer_t *timer; /* libcurl's own */
	struct peal_fetch *first;
	int in_sink; /* libcurl calls us: it may not be called */
	struct peal_sessions sessions;
	struct peal_kept *kept;
	unsigned forgotten; /* times; older connections are not taken */
	int stale;          /* and idle ones wait to be closed */
};

/* A TLS connection that is open, and what is known of its server. */
struct peal_kept {
	struct peal_kept *next;
	curl_socket_t socket;
	const mbedtls_ssl_context *ssl;
	struct peal_peer *peer;
};

/* What passes between us and mbedTLS's socket functions while a handshake
 * lasts. */
struct peal_bio {
	mbedtls_ssl_context *ssl; /* NULL: not watched */
	mbedtls_ssl_send_t *send;
	mbedtls_ssl_recv_t *recv;
	void *arg;
	int asked; /* the server wanted a client certificate */
	int deaf;  /* it does not read any more */
};

struct peal_fetch {
	struct peal_deferred later;   /* first: cast back from it */
	struct peal_fetcher *fetcher; /* NULL once it is over */
	struct peal_loop *loop;
	struct peal_fetch *next, **back;
	peal_fetch_fn done;
	void *arg;

	CURL *easy;
	struct curl_slist *headers, *connect_to;
	CURLU *url;
	char *host, *proxy;
	char *user, *password, *proxy_user, *proxy_password;
	unsigned char *body;
	size_t body_len, max;
	unsigned auth;
	int https, proxied;
	int acts; /* the request does something: not to be sent twice */
	char curl_error[CURL_ERROR_SIZE];

	uv_timer_t timer;
	uint64_t began_ms, connect_began_ms, moved_ms;
	unsigned connect_ms, idle_ms, total_ms;
	int connected;

	struct peal_tls_policy tls;
	struct peal_verdict verdict;
	struct peal_bio bio;
	int alert; /* fatal one from the peer, -1: none */
	unsigned char key[PEAL_SESSION_KEY];
	curl_socket_t socket;      /* opened last */
	mbedtls_ssl_context *ssl;  /* of the request that is out; or NULL */
	struct peal_peer *peer;    /* at its other end */
	struct peal_peer *offered; /* whose session the handshake offers */
	int shaken;                /* a handshake began, and was not judged */
	int fresh;                 /* some handshake of this exchange was */
	int unresumed;             /* sessions are not offered any more */
	int sticks;          /* a new session would be of an old version */
	unsigned forgotten;  /* the fetcher's, when it began */
	struct peal_buf der; /* of response.chain */

	struct peal_buf in, lines; /* body and header lines received */
	peal_fetch_sink_fn sink;   /* NULL: the body goes to `in` */
	void *sink_arg;
	uint64_t seen; /* bytes of body, dropped ones, too */
	size_t header_bytes;
	uint64_t content_length;
	int has_length, chunked, headers_over;

	/* Set by a callback that ends the transfer; libcurl then only says
	 * that it was ended. */
	enum peal_err err;
	int over_budget; /* libcurl wanted a fourth request */
	struct peal_reason reason;
	struct peal_fetch_response response;
};

/* The first error stays in rc. */
#define PEAL_SET(rc, easy, option, value) \
	((rc) = (rc) ? (rc) : curl_easy_setopt((easy), (option), (value)))

/* curl_loop.c */
enum peal_err peal_curl_loop_open(struct peal_fetcher *f);
/* closes idle connections; nothing may run */
enum peal_err peal_curl_loop_renew(struct peal_fetcher *f);
void peal_curl_loop_close(struct peal_fetcher *f);

/* fetch.c: libcurl is through with this transfer */
void peal_fetch_over(struct peal_fetch *f, CURLcode code);
/* ends with `err` at the next turn; may be called from libcurl's callbacks */
void peal_fetch_doom(struct peal_fetch *f, enum peal_err err);
/* sets the timer to the next deadline */
void peal_fetch_arm(struct peal_fetch *f);

/* request.c */
enum peal_err peal_request_read(struct peal_fetch *f,
				const struct peal_fetch_request *r,
				struct peal_reason *reason);
enum peal_err peal_request_set(struct peal_fetch *f,
			       struct peal_fetcher *fetcher,
			       const struct peal_fetch_request *r);

/* answer.c */
CURLcode peal_answer_set(struct peal_fetch *f);
void peal_answer_reset(struct peal_fetch *f);

/* tls.c */
CURLcode peal_tls_set(struct peal_fetch *f, unsigned forgotten);
/* What the verdict tells of the server, also when it was refused. */
void peal_tls_facts(struct peal_fetch *f);
/* At each connection that is ready, new or kept. 0, or -1: refuse it */
int peal_tls_connected(struct peal_fetch *f);
/* Looks for the number of the alert that libcurl's text speaks of. */
void peal_tls_text(struct peal_fetch *f, const char *text, size_t len);

/* resume.c */
void peal_resume_offer(struct peal_fetch *f, mbedtls_ssl_context *ssl);
/* The verdict on a connection that is ready. */
enum peal_err peal_resume_judge(struct peal_fetch *f, mbedtls_ssl_context *ssl);
/* Takes a session that has come meanwhile; while the transfer receives. */
void peal_resume_collect(struct peal_fetch *f);
/* Was it the session that the server did not like? Then it is dropped. */
int peal_resume_failed(struct peal_fetch *f, CURLcode code);
/* Before another attempt, and at the end. */
void peal_resume_reset(struct peal_fetch *f);
/* libcurl closes the socket. */
void peal_resume_closed(struct peal_fetcher *f, curl_socket_t socket);

/* outcome.c: PEAL_OK or an error, with a reason */
enum peal_err peal_outcome(struct peal_fetch *f, CURLcode code);

#endif
