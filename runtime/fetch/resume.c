/* resume.c - connections and sessions that were checked earlier.
 *
 * A resumed handshake brings no certificate and skips the verify callback; so
 * does a request on a kept connection. What the full handshake showed stays
 * with both, and is judged again each time. */
#include <string.h>

#include "fetch.h"
#include "peal/alloc.h"
#include "peal/net.h"

void peal_resume_offer(struct peal_fetch *f, mbedtls_ssl_context *ssl)
{
	const struct peal_session *x = NULL;
	struct sockaddr_storage literal;
	struct peal_verdict *v = &f->verdict;
	int named = peal_address_parse(f->host, 0, &literal) != PEAL_OK;

	peal_resume_reset(f);
	f->shaken = 1;
	f->sticks = 0;
	if (ssl && !f->tls.once && !f->unresumed)
		x = peal_sessions_find(&f->fetcher->sessions, f->key, v->now);
	if (!x)
		return;
	/* A server that would be refused now may have another certificate: a
	 * full handshake tells. */
	if (peal_peer_judge(x->peer, v) == PEAL_OK &&
	    peal_session_offer(x, ssl,
			       named ? ssl->MBEDTLS_PRIVATE(hostname) : NULL))
		f->offered = peal_peer_ref(x->peer);
	else
		peal_sessions_drop(&f->fetcher->sessions, f->key);
	peal_verdict_init(v, &f->tls, f->host, f->response.chain,
			  &f->response.chain_n);
	f->response.chain_n = 0;
}

static struct peal_kept *kept_as(struct peal_fetcher *fetcher,
				 const mbedtls_ssl_context *ssl)
{
	struct peal_kept *k = fetcher->kept;

	while (k && k->ssl != ssl)
		k = k->next;
	return k;
}

void peal_resume_closed(struct peal_fetcher *f, curl_socket_t socket)
{
	struct peal_kept **at = &f->kept, *k;

	while (*at && (*at)->socket != socket)
		at = &(*at)->next;
	k = *at;
	if (!k)
		return;
	*at = k->next;
	peal_peer_unref(k->peer);
	peal_free(k);
}

static enum peal_err keep(struct peal_fetch *f, const mbedtls_ssl_context *ssl)
{
	struct peal_kept *k = peal_zalloc(sizeof(*k));

	if (!k)
		return PEAL_ENOMEM;
	k->socket = f->socket;
	k->ssl = ssl;
	k->peer = peal_peer_ref(f->peer);
	k->next = f->fetcher->kept;
	f->fetcher->kept = k;
	return PEAL_OK;
}

/* Fails closed: where the callback did not run, a session must have been
 * offered. */
static enum peal_err judge_new(struct peal_fetch *f)
{
	struct peal_verdict *v = &f->verdict;
	enum peal_err err;

	f->fresh = 1;
	if (v->ran) {
		f->response.resumed = 0;
		f->response.client_cert_requested = f->bio.asked;
		f->response.client_cert_sent = f->bio.asked && f->tls.identity;
		if (v->err)
			return v->err;
		err = peal_peer_of(&f->peer, v, f->response.client_cert_sent);
		if (!err)
			f->peer->client_cert_requested = f->bio.asked;
		return err;
	}
	if (!f->offered)
		return PEAL_EINTERNAL;
	f->response.resumed = 1;
	f->peer = peal_peer_ref(f->offered);
	return peal_peer_judge(f->peer, v);
}

static enum peal_err judge_kept(struct peal_fetch *f,
				const mbedtls_ssl_context *ssl)
{
	struct peal_kept *k = kept_as(f->fetcher, ssl);

	if (!k)
		return PEAL_EINTERNAL;
	if (!f->fresh)
		f->response.reused = 1;
	f->peer = peal_peer_ref(k->peer);
	peal_verdict_init(&f->verdict, &f->tls, f->host, f->response.chain,
			  &f->response.chain_n);
	return peal_peer_judge(f->peer, &f->verdict);
}

static int is_tls12(const mbedtls_ssl_context *ssl)
{
	return mbedtls_ssl_get_version_number(ssl) ==
	       MBEDTLS_SSL_VERSION_TLS1_2;
}

/* A session binds us to its version of TLS, so one that the server refused is
 * not followed by another: the next handshake lets the server choose. */
static void drop_refused(struct peal_fetch *f, const mbedtls_ssl_context *ssl)
{
	if (!f->offered || f->response.resumed)
		return;
	peal_sessions_drop(&f->fetcher->sessions, f->key);
	f->sticks = is_tls12(ssl);
}

enum peal_err peal_resume_judge(struct peal_fetch *f, mbedtls_ssl_context *ssl)
{
	int is_new = f->shaken;
	enum peal_err err;

	f->shaken = 0;
	peal_peer_unref(f->peer);
	f->peer = NULL;
	err = is_new ? judge_new(f) : judge_kept(f, ssl);
	if (!err && is_new)
		err = keep(f, ssl);
	if (err) {
		f->verdict.err = err;
		return err;
	}
	f->response.client_cert_sent = f->peer->client_cert_sent;
	f->response.client_cert_requested = f->peer->client_cert_requested &&
					    !f->response.resumed;
	f->ssl = ssl;
	if (is_new)
		drop_refused(f, ssl);
	if (is_new && is_tls12(ssl))
		peal_resume_collect(f);
	return PEAL_OK;
}

/* TLS 1.3 servers send tickets when they like, and mbedTLS keeps the last one.
 * It is for one use each (RFC 8446 C.4): the next exchange brings another. */
void peal_resume_collect(struct peal_fetch *f)
{
	mbedtls_ssl_session session;

	if (!f->ssl || !f->peer || f->tls.once || f->sticks ||
	    f->forgotten != f->fetcher->forgotten)
		return;
	mbedtls_ssl_session_init(&session);
	/* each session is given out once */
	if (mbedtls_ssl_get_session(f->ssl, &session) == 0)
		peal_sessions_put(&f->fetcher->sessions, f->key, f->peer,
				  &session, f->verdict.now);
	mbedtls_ssl_session_free(&session);
}

int peal_resume_failed(struct peal_fetch *f, CURLcode code)
{
	if (!f->offered || f->verdict.ran || f->err || f->unresumed)
		return 0;
	if (code != CURLE_SSL_CONNECT_ERROR && code != CURLE_RECV_ERROR &&
	    code != CURLE_SEND_ERROR && code != CURLE_GOT_NOTHING)
		return 0;
	/* an alert behind the handshake: it seems that nobody has read the
	 * request */
	if (f->connected && (f->alert < 0 || f->response.status))
		return 0;
	peal_sessions_drop(&f->fetcher->sessions, f->key);
	if (f->connected && f->acts)
		return 0; /* seeming is not enough */
	f->unresumed = 1;
	f->curl_error[0] = '\0';
	f->response.resumed = 0;
	f->response.tls_version[0] = f->response.cipher[0] = '\0';
	f->response.chain_n = 0;
	return 1;
}

void peal_resume_reset(struct peal_fetch *f)
{
	peal_peer_unref(f->peer);
	peal_peer_unref(f->offered);
	f->peer = f->offered = NULL;
	f->ssl = NULL;
	f->shaken = 0;
}
