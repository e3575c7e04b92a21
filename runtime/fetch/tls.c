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

/* RFC 7465, 8996: no RC4, no 3DES, no NULL; and no RSA key exchange. */
static const int suites[] = {
	MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
	MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
	0
};

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
	mbedtls_ssl_conf_verify(conf, peal_verdict_ask, &f->verdict);
	mbedtls_ssl_conf_cert_profile(conf, &f->verdict.profile);
	mbedtls_ssl_conf_ciphersuites(conf, suites);
	mbedtls_ssl_conf_sig_algs(conf, signatures);
	mbedtls_ssl_conf_renegotiation(conf,
				       MBEDTLS_SSL_RENEGOTIATION_DISABLED);
	mbedtls_ssl_conf_ca_chain(conf, peal_verdict_list(&f->verdict), NULL);
	if (p->identity) {
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

int peal_tls_connected(struct peal_fetch *f)
{
	struct peal_fetch_response *r = &f->response;
	mbedtls_ssl_context *ssl = context_of(f->easy);
	const char *text;

	if (!ssl)
		return -1;
	r->client_cert_sent = f->bio.asked && f->tls.identity;
	bio_end(&f->bio);
	text = mbedtls_ssl_get_version(ssl);
	snprintf(r->tls_version, sizeof(r->tls_version), "%s",
		 text ? text : "");
	text = mbedtls_ssl_get_ciphersuite(ssl);
	snprintf(r->cipher, sizeof(r->cipher), "%s", text ? text : "");
	if (f->verdict.ran)
		return f->verdict.err ? -1 : 0;
	/* a connection kept from an earlier fetch with the same tag */
	peal_verdict_init(&f->verdict, &f->tls, f->host, r->chain, &r->chain_n);
	return peal_verdict_again(&f->verdict, mbedtls_ssl_get_peer_cert(ssl)) ?
		       -1 :
		       0;
}

/* libcurl compares this option, which its mbedTLS backend ignores otherwise,
 * when it looks for a kept connection: identities and policies never mix. The
 * client certificate itself is not given to libcurl, which would parse it
 * again for each connection and leak when that lacks memory. */
static enum peal_err tag(const struct peal_tls_policy *p, char out[65])
{
	unsigned char digest[PEAL_SHA256_SIZE];
	unsigned numbers[] = { p->min_version,
			       (unsigned)p->check_name,
			       (unsigned)p->cn_fallback,
			       p->min_rsa_bits,
			       peal_anchors_count(p->anchors),
			       p->identity != NULL };
	struct peal_hash h;
	enum peal_err err = peal_hash_init(&h, PEAL_HASH_SHA256);

	if (err)
		return err;
	peal_hash_add(&h, numbers, sizeof(numbers));
	if (p->anchors)
		peal_hash_add(&h, p->anchors->digest, PEAL_DIGEST_SIZE);
	if (p->identity)
		peal_hash_add(&h, p->identity->digest, PEAL_DIGEST_SIZE);
	err = peal_hash_final(&h, digest);
	peal_hash_fini(&h);
	if (!err)
		peal_hex(digest, sizeof(digest), out);
	return err;
}

CURLcode peal_tls_set(struct peal_fetch *f)
{
	CURL *e = f->easy;
	char text[65] = "";
	CURLcode rc = CURLE_OK;

	if (tag(&f->tls, text))
		return CURLE_OUT_OF_MEMORY;
	PEAL_SET(rc, e, CURLOPT_SSL_EC_CURVES, text);
	PEAL_SET(rc, e, CURLOPT_SSL_CTX_FUNCTION, on_handshake);
	PEAL_SET(rc, e, CURLOPT_SSL_CTX_DATA, f);
	PEAL_SET(rc, e, CURLOPT_SSL_VERIFYPEER, 1L);
	PEAL_SET(rc, e, CURLOPT_SSL_VERIFYHOST, 2L);
	PEAL_SET(rc, e, CURLOPT_SSLVERSION,
		 f->tls.min_version == PEAL_TLS_1_3 ?
			 (long)CURL_SSLVERSION_TLSv1_3 :
			 (long)CURL_SSLVERSION_TLSv1_2);
	/* a resumed session would skip our checks */
	PEAL_SET(rc, e, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	/* with ALPN libcurl hides the TLS context until it is connected */
	PEAL_SET(rc, e, CURLOPT_SSL_ENABLE_ALPN, 0L);
	return rc;
}
