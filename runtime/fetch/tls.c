/* tls.c - the handshake: our own checks, what the peer showed, its alerts.
 *
 * libcurl hands us the mbedtls_ssl_config of each new connection before the
 * handshake. What is set there points into the fetch, the anchors and the
 * identity; nothing of it is read after the handshake, because renegotiation
 * is switched off. */
#include <stdio.h>
#include <string.h>

#include "decode/crypto.h"
#include "fetch.h"
#include "peal/net.h"
#include "trust/signer.h"

/* The library's own list with PKCS #1 before PSS. A TLS 1.3 server takes PSS
 * all the same, the other being for certificates there; one that speaks TLS 1.2
 * mostly takes the first that it knows, and mbedTLS 3.6.6 as released refuses
 * PSS in TLS 1.2, though it must offer it (RFC 8446 4.2.3). */
static const uint16_t signatures[] = {
	MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256,
	MBEDTLS_TLS1_3_SIG_ECDSA_SECP384R1_SHA384,
	MBEDTLS_TLS1_3_SIG_ECDSA_SECP521R1_SHA512,
	MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA512,
	MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA384,
	MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA256,
	MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA512,
	MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA384,
	MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA256,
	MBEDTLS_TLS1_3_SIG_NONE
};

static mbedtls_ssl_context *context_of(CURL *easy)
{
	struct curl_tlssessioninfo *info = NULL;

	if (curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &info) || !info ||
	    info->backend != CURLSSLBACKEND_MBEDTLS)
		return NULL;
	return info->internals;
}

/* A server that does not like what it has read sends an alert and closes, and
 * our next bytes fail. The alert is there to be read all the same: make the
 * library go on until it does. */
static int send_on(struct peal_bio *b, const unsigned char *bytes, size_t len)
{
	int n = b->deaf ? (int)len : b->send(b->arg, bytes, len);

	if (n >= 0 || n == MBEDTLS_ERR_SSL_WANT_WRITE)
		return n;
	b->deaf = 1;
	return (int)len;
}

/* A Certificate message of ours goes out only if the server asked for one.
 * The library has gone to the next state when it goes out. TLS 1.2 sends it in
 * clear; in 1.3 nothing of ours precedes Finished, itself sent later still. */
static int on_send(void *arg, const unsigned char *bytes, size_t len)
{
	struct peal_bio *b = arg;
	int state = b->ssl->MBEDTLS_PRIVATE(state);

	if (len > 5 && ((state == MBEDTLS_SSL_CLIENT_KEY_EXCHANGE &&
			 bytes[0] == MBEDTLS_SSL_MSG_HANDSHAKE &&
			 bytes[5] == MBEDTLS_SSL_HS_CERTIFICATE) ||
			(bytes[0] == MBEDTLS_SSL_MSG_APPLICATION_DATA &&
			 (state == MBEDTLS_SSL_CLIENT_CERTIFICATE_VERIFY ||
			  state == MBEDTLS_SSL_CLIENT_FINISHED))))
		b->asked = 1;
	return send_on(b, bytes, len);
}

static int on_recv(void *arg, unsigned char *bytes, size_t len)
{
	struct peal_bio *b = arg;

	return b->recv(b->arg, bytes, len);
}

static void bio_begin(struct peal_bio *b, mbedtls_ssl_context *ssl)
{
	memset(b, 0, sizeof(*b));
	if (!ssl)
		return;
	b->ssl = ssl;
	b->send = ssl->MBEDTLS_PRIVATE(f_send);
	b->recv = ssl->MBEDTLS_PRIVATE(f_recv);
	b->arg = ssl->MBEDTLS_PRIVATE(p_bio);
	mbedtls_ssl_set_bio(ssl, b, on_send, on_recv, NULL);
}

/* The connection outlives this fetch: give it its own functions back. */
static void bio_end(struct peal_bio *b)
{
	if (b->ssl)
		mbedtls_ssl_set_bio(b->ssl, b->arg, b->send, b->recv, NULL);
	b->ssl = NULL;
}

/* The library's copies go with the handshake. Without memory for ours the facts
 * stay, and the certificates are not at hand. */
static void keep_der(struct peal_fetch *f)
{
	struct peal_fetch_response *r = &f->response;
	const unsigned char *at;
	enum peal_err err = PEAL_OK;
	unsigned i;

	peal_buf_clear(&f->der);
	for (i = 0; i < r->chain_n && !err; i++)
		err = peal_buf_add(&f->der, r->chain[i].der,
				   r->chain[i].der_len);
	at = f->der.data;
	for (i = 0; i < r->chain_n; i++) {
		r->chain[i].der = err ? NULL : at;
		if (err)
			r->chain[i].der_len = 0;
		else
			at += r->chain[i].der_len;
	}
}

static int on_verify(void *arg, mbedtls_x509_crt *crt, int depth,
		     uint32_t *flags)
{
	struct peal_fetch *f = arg;
	int rc = peal_verdict_ask(&f->verdict, crt, depth, flags);

	if (depth == 0)
		keep_der(f);
	return rc;
}

static CURLcode on_handshake(CURL *easy, void *conf, void *arg)
{
	struct peal_fetch *f = arg;
	const struct peal_tls_policy *p = &f->tls;
	mbedtls_ssl_context *ssl = context_of(easy);
	struct sockaddr_storage literal;
	int rc;

	peal_verdict_init(&f->verdict, p, f->host, f->response.chain,
			  &f->response.chain_n);
	mbedtls_ssl_conf_authmode(conf, MBEDTLS_SSL_VERIFY_REQUIRED);
	mbedtls_ssl_conf_verify(conf, on_verify, f);
	mbedtls_ssl_conf_cert_profile(conf, &f->verdict.profile);
	mbedtls_ssl_conf_ciphersuites(conf, peal_ciphers_ids(p->ciphers));
	/* where DHE is on the list at all; the library would take 1,024 */
	mbedtls_ssl_conf_dhm_min_bitlen(conf, 2048);
	/* a resumption agrees on a new key, too */
	mbedtls_ssl_conf_tls13_key_exchange_modes(
		conf, MBEDTLS_SSL_TLS1_3_KEY_EXCHANGE_MODE_EPHEMERAL_ALL);
	mbedtls_ssl_conf_session_tickets(conf,
					 MBEDTLS_SSL_SESSION_TICKETS_ENABLED);
	mbedtls_ssl_conf_sig_algs(conf, signatures);
	mbedtls_ssl_conf_renegotiation(conf,
				       MBEDTLS_SSL_RENEGOTIATION_DISABLED);
	mbedtls_ssl_conf_ca_chain(conf, peal_verdict_list(&f->verdict), NULL);
	if (p->identity) {
		peal_identity_begin(p->identity);
		rc = mbedtls_ssl_conf_own_cert(conf, &p->identity->chain,
					       &p->identity->key);
		if (rc)
			return CURLE_OUT_OF_MEMORY;
	}
	/* RFC 6066 3: no address literals in SNI. The name rule does not need
	 * the library's copy. */
	if (ssl && peal_address_parse(f->host, 0, &literal) == PEAL_OK)
		mbedtls_ssl_set_hostname(ssl, NULL);
	bio_begin(&f->bio, ssl);
	peal_resume_offer(f, ssl);
	return CURLE_OK;
}

void peal_tls_text(struct peal_fetch *f, const char *text, size_t len)
{
	mbedtls_ssl_context *ssl;
	const unsigned char *message;

	if (len < 12 || (memcmp(text, "ssl_handshak", 12) != 0 &&
			 memcmp(text, "ssl_read ret", 12) != 0))
		return;
	ssl = context_of(f->easy);
	message = ssl ? ssl->MBEDTLS_PRIVATE(in_msg) : NULL;
	if (message &&
	    ssl->MBEDTLS_PRIVATE(in_msgtype) == MBEDTLS_SSL_MSG_ALERT &&
	    message[0] == MBEDTLS_SSL_ALERT_LEVEL_FATAL)
		f->alert = message[1];
}

static void note_server(struct peal_fetch *f, const mbedtls_ssl_context *ssl)
{
	struct peal_fetch_response *r = &f->response;
	const char *text = mbedtls_ssl_get_version(ssl);

	snprintf(r->tls_version, sizeof(r->tls_version), "%s",
		 text ? text : "");
	text = mbedtls_ssl_get_ciphersuite(ssl);
	snprintf(r->cipher, sizeof(r->cipher), "%s", text ? text : "");
}

int peal_tls_connected(struct peal_fetch *f)
{
	mbedtls_ssl_context *ssl = context_of(f->easy);

	if (!ssl)
		return -1;
	bio_end(&f->bio);
	note_server(f, ssl);
	return peal_resume_judge(f, ssl) ? -1 : 0;
}

void peal_tls_facts(struct peal_fetch *f)
{
	static const unsigned char none[PEAL_DIGEST_SIZE];
	const struct peal_verdict *v = &f->verdict;
	struct peal_fetch_response *r = &f->response;

	r->pinned = v->pinned;
	r->anchor_private = v->anchor_private;
	if (memcmp(v->anchor_sha256, none, sizeof(none)) != 0)
		peal_hex(v->anchor_sha256, sizeof(none), r->anchor);
}

static void add_set(struct peal_hash *h, const struct peal_cert_set *set)
{
	unsigned char digest[PEAL_DIGEST_SIZE];

	if (!h->err)
		h->err = peal_cert_set_digest(set, digest);
	peal_hash_add(h, digest, sizeof(digest));
}

/* All of a policy but what a kept verdict is judged by again. */
static enum peal_err tag(const struct peal_tls_policy *p,
			 unsigned char out[PEAL_SHA256_SIZE])
{
	unsigned numbers[] = {
		p->min_version,           (unsigned)p->check_name,
		(unsigned)p->cn_fallback, p->min_rsa_bits,
		(unsigned)p->once,        p->identity != NULL
	};
	unsigned char anchors[PEAL_DIGEST_SIZE];
	const int *suite = peal_ciphers_ids(p->ciphers);
	struct peal_hash h;
	enum peal_err err = peal_hash_init(&h, PEAL_HASH_SHA256);

	if (err)
		return err;
	peal_hash_add(&h, numbers, sizeof(numbers));
	peal_anchors_digest(p->anchors, anchors);
	peal_hash_add(&h, anchors, sizeof(anchors));
	add_set(&h, p->rejected);
	add_set(&h, p->pinned);
	add_set(&h, p->removed);
	if (p->identity)
		peal_hash_add(&h, p->identity->digest, PEAL_DIGEST_SIZE);
	for (; *suite; suite++)
		peal_hash_add(&h, suite, sizeof(*suite));
	err = peal_hash_final(&h, out);
	peal_hash_fini(&h);
	return err;
}

/* The policy and the server, both of them: a name may have several. */
static enum peal_err session_key(const struct peal_fetch *f,
				 const unsigned char policy[PEAL_SHA256_SIZE],
				 unsigned char out[PEAL_SESSION_KEY])
{
	char *port = NULL;
	struct peal_hash h;
	enum peal_err err;

	if (curl_url_get(f->url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT))
		return PEAL_ENOMEM;
	err = peal_hash_init(&h, PEAL_HASH_SHA256);
	peal_hash_add(&h, policy, PEAL_SHA256_SIZE);
	peal_hash_add(&h, f->host, strlen(f->host) + 1);
	peal_hash_add(&h, port, strlen(port));
	if (!err)
		err = peal_hash_final(&h, out);
	peal_hash_fini(&h);
	curl_free(port);
	return err;
}

/* libcurl compares this option, which its mbedTLS backend ignores otherwise,
 * when it looks for a kept connection: identities and policies never mix, and
 * what was to be forgotten is not found. The client certificate itself is not
 * given to libcurl, which would parse it again for each connection and leak
 * when that lacks memory. */
static CURLcode set_tag(struct peal_fetch *f, unsigned forgotten)
{
	unsigned char policy[PEAL_SHA256_SIZE];
	char text[2 * PEAL_SHA256_SIZE + 12];
	size_t len = 2 * sizeof(policy);

	if (tag(&f->tls, policy) || session_key(f, policy, f->key))
		return CURLE_OUT_OF_MEMORY;
	peal_hex(policy, sizeof(policy), text);
	snprintf(text + len, sizeof(text) - len, ":%x", forgotten);
	return curl_easy_setopt(f->easy, CURLOPT_SSL_EC_CURVES, text);
}

CURLcode peal_tls_set(struct peal_fetch *f, unsigned forgotten)
{
	CURL *e = f->easy;
	CURLcode rc = set_tag(f, forgotten);

	f->forgotten = forgotten;
	PEAL_SET(rc, e, CURLOPT_SSL_CTX_FUNCTION, on_handshake);
	PEAL_SET(rc, e, CURLOPT_SSL_CTX_DATA, f);
	PEAL_SET(rc, e, CURLOPT_SSL_VERIFYPEER, 1L);
	PEAL_SET(rc, e, CURLOPT_SSL_VERIFYHOST, 2L);
	PEAL_SET(rc, e, CURLOPT_SSLVERSION,
		 f->tls.min_version == PEAL_TLS_1_3 ?
			 (long)CURL_SSLVERSION_TLSv1_3 :
			 (long)CURL_SSLVERSION_TLSv1_2);
	/* it would resume what we know nothing of */
	PEAL_SET(rc, e, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	/* with ALPN libcurl hides the TLS context until it is connected */
	PEAL_SET(rc, e, CURLOPT_SSL_ENABLE_ALPN, 0L);
	if (f->tls.once)
		PEAL_SET(rc, e, CURLOPT_FRESH_CONNECT, 1L);
	PEAL_SET(rc, e, CURLOPT_FORBID_REUSE, (long)f->tls.once);
	return rc;
}
