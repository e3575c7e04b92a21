/* fetch.h - one HTTP or HTTPS exchange over libcurl, on the host's loop.
 *
 * One request, one final answer, and credentials on 401/407 (the first request
 * carries none; at most two more follow). Redirects, other addresses and
 * retries are the caller's: policy. The host is not looked up here: the caller
 * resolves it first and pins the address, so that log, check and peer are one.
 * Own byte counting; connect, idle and total deadlines; cancel always works.
 * Environment proxies, .netrc and the like are never consulted.
 * Source    MPP provisioning guide, HTTP table; RFC 9110, RFC 7616. */
#ifndef PEAL_FETCH_H
#define PEAL_FETCH_H

#include <stddef.h>
#include <stdint.h>

#include "peal/buf.h"
#include "peal/error.h"
#include "peal/loop.h"
#include "peal/trust.h"

struct peal_fetcher;
struct peal_fetch;

/* Keeps connections and TLS sessions between fetches, apart by server, identity,
 * anchors, lists and the rest of the policy. Certificates are checked in full
 * handshakes; what is kept carries what they showed and is judged by it again:
 * dates, rejected list, DNS. A session that a server refuses costs a second
 * handshake and is dropped. */
enum peal_err peal_fetcher_new(struct peal_fetcher **out, struct peal_loop *l);
void peal_fetcher_free(struct peal_fetcher *f); /* cancels; takes NULL */
/* Sessions as bytes, for the next start of the process: secret, so seal them.
 * Nothing is appended if there are none. PEAL_ELIMIT, PEAL_ENOMEM */
enum peal_err peal_fetcher_export(const struct peal_fetcher *f,
				  struct peal_buf *out);
/* Returns how many were taken: none of what is damaged or comes from another
 * build, none for a server that there is a session with. */
unsigned peal_fetcher_import(struct peal_fetcher *f, const void *bytes,
			     size_t len);
/* Drops sessions and idle connections; what runs goes on. */
void peal_fetcher_forget(struct peal_fetcher *f);
/* Does it call a sink? It may not be freed then, and starts nothing new. */
int peal_fetcher_busy(const struct peal_fetcher *f);

/* Everything is copied by peal_fetch_start(), anchors and identity referenced.
 *   url         http or https, without credentials, already escaped
 *   address     literal to connect to, NULL: the host is a literal itself
 *               (or a proxy is given, which resolves it)
 *   method      "GET", "POST", "PUT"
 *   headers     NULL or "Name: value" texts, NULL-terminated list
 *   body        NULL: none
 *   user, password   answer to a challenge; NULL user: none
 *   auth        bit set of enum peal_auth: which challenges are answered
 *   proxy       NULL or "http://host:port"; proxy_address pins its host
 *   tls         NULL for http
 *   max         bytes of body accepted; 0: PEAL_LIMIT_DOWNLOAD, with a sink
 *               PEAL_LIMIT_IMAGE
 *   *_ms        0: 10 s connect, 30 s without a byte, 300 s in all */
enum peal_auth { PEAL_AUTH_BASIC = 1, PEAL_AUTH_DIGEST = 2 };

/* Takes a body piece by piece instead of a buffer, such as a firmware image:
 * bytes borrowed during the call. Called for answers of status 2xx only, as
 * they come: a content coding stays on them, so do not ask for one. Other
 * bodies are dropped, though they count towards `max`. It may cancel transfers;
 * not PEAL_OK: its own ends with that error. */
typedef enum peal_err (*peal_fetch_sink_fn)(const void *bytes, size_t len,
					    void *arg);

struct peal_fetch_request {
	const char *url;
	const char *address;
	const char *method;
	const char *const *headers;
	const void *body;
	size_t body_len;
	const char *user, *password;
	unsigned auth;
	const char *proxy, *proxy_address;
	const char *proxy_user, *proxy_password;
	const struct peal_tls_policy *tls;
	size_t max;
	unsigned connect_ms, idle_ms, total_ms;
	peal_fetch_sink_fn sink; /* NULL: the body is kept */
	void *sink_arg;
};

/* The answer. Borrowed during the call of `done`.
 *   status    of the final response; 0: none came
 *   headers   raw lines "Name: value" of the final response, NUL-separated
 *   received  bytes of body taken, kept or handed to the sink
 *   sent      requests that went out (1 + authentication retries)
 *   peer      address and port connected to
 *   tls_version "TLSv1.3" or ""; cipher
 *   client_cert_sent  in the handshake that the connection's trust comes from
 *   client_cert_requested  there, too; unknown (0) where a session is resumed
 *   resumed   a session was resumed: no certificate was sent this time
 *   reused    the connection is one of an earlier exchange
 *   pinned, anchor_private, anchor (SHA-256, hex; "": none): see peal/trust.h
 *   chain     what the peer presented, also when it was refused; der is NULL
 *             when it was in an earlier exchange
 * With an error the facts known so far are filled in. */
struct peal_fetch_response {
	int status;
	const unsigned char *body;
	size_t body_len;
	const char *headers;
	size_t headers_len;
	uint64_t received;
	unsigned sent;
	char peer[46];
	uint16_t peer_port;
	char tls_version[12];
	char cipher[64];
	int client_cert_sent, client_cert_requested;
	int resumed, reused;
	int pinned, anchor_private;
	char anchor[65];
	int auth_exhausted; /* credentials were given and refused */
	struct peal_cert_facts chain[PEAL_LIMIT_CHAIN];
	unsigned chain_n;
	double connect_s, tls_s, first_byte_s, total_s;
};
typedef void (*peal_fetch_fn)(enum peal_err err,
			      const struct peal_fetch_response *response,
			      const struct peal_reason *reason, void *arg);

/* PEAL_EURL, PEAL_ESCHEME, PEAL_EINVAL, PEAL_ENOMEM: `done` is not called.
 * To `done`: PEAL_OK for any complete HTTP answer, whatever its status;
 * PEAL_ECONNECT, PEAL_ETIMEOUT, PEAL_EPARTIAL, PEAL_EPROTO, PEAL_ETOOBIG,
 * PEAL_EC*, PEAL_ET*, PEAL_ECANCELED, PEAL_ENOMEM */
enum peal_err peal_fetch_start(struct peal_fetch **out, struct peal_fetcher *f,
			       const struct peal_fetch_request *request,
			       peal_fetch_fn done, void *arg,
			       struct peal_reason *reason);
void peal_fetch_cancel(struct peal_fetch *fetch);

#endif
