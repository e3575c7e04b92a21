/* sessions.c - see sessions.h */
#include "sessions.h"

#include <mbedtls/platform.h>
#include <string.h>

#include "peal/alloc.h"

enum {
	DAY_S = 86400,
	/* RFC 8446 4.6.1; counted from the full handshake, also where each
	 * resumption brings a new ticket: a server that has learnt a newer
	 * version of TLS shall not be spoken to in the old one for ever */
	LONGEST_S = 7 * DAY_S,
	/* RFC 5246 F.1.4, for sessions without a lifetime */
	UNKNOWN_S = DAY_S
};

enum peal_err peal_peer_new(struct peal_peer **out, unsigned chain_n)
{
	struct peal_peer *p =
		peal_zalloc(sizeof(*p) + chain_n * sizeof(p->chain[0]));

	if (!p)
		return PEAL_ENOMEM;
	p->refs = 1;
	p->chain_n = chain_n;
	*out = p;
	return PEAL_OK;
}

enum peal_err peal_peer_of(struct peal_peer **out, const struct peal_verdict *v,
			   int client_cert_sent)
{
	struct peal_peer *p;
	enum peal_err err = peal_peer_new(&p, *v->chain_n);
	unsigned i;

	if (err)
		return err;
	p->checked = v->now;
	p->not_after = v->not_after;
	p->pinned = v->pinned;
	p->anchor_private = v->anchor_private;
	p->client_cert_sent = client_cert_sent;
	memcpy(p->anchor_sha256, v->anchor_sha256, sizeof(p->anchor_sha256));
	for (i = 0; i < p->chain_n; i++) {
		p->chain[i] = v->chain[i];
		p->chain[i].der = NULL;
		p->chain[i].der_len = 0;
	}
	*out = p;
	return PEAL_OK;
}

struct peal_peer *peal_peer_ref(struct peal_peer *p)
{
	p->refs++;
	return p;
}

void peal_peer_unref(struct peal_peer *p)
{
	if (p && --p->refs == 0)
		peal_free(p);
}

static unsigned nibble(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10) & 15;
}

static int is_rejected(const struct peal_cert_set *list, const char *hex)
{
	unsigned char sha256[PEAL_DIGEST_SIZE];
	unsigned i;

	if (strlen(hex) != 2 * sizeof(sha256))
		return 0;
	for (i = 0; i < sizeof(sha256); i++)
		sha256[i] = (unsigned char)(nibble(hex[2 * i]) << 4 |
					    nibble(hex[2 * i + 1]));
	return peal_cert_set_has(list, sha256);
}

enum peal_err peal_peer_judge(const struct peal_peer *p, struct peal_verdict *v)
{
	unsigned i;

	v->pinned = p->pinned;
	v->anchor_private = p->anchor_private;
	v->not_after = p->not_after;
	memcpy(v->anchor_sha256, p->anchor_sha256, sizeof(v->anchor_sha256));
	memcpy(v->chain, p->chain, p->chain_n * sizeof(p->chain[0]));
	*v->chain_n = p->chain_n;
	for (i = 0; i < p->chain_n; i++) {
		if (!is_rejected(v->policy.rejected, p->chain[i].sha256))
			continue;
		v->err = peal_fail(&v->reason, PEAL_ECREJECTED,
				   "the administrator rejected the certificate "
				   "for %s; remove it from the list to let %s "
				   "pass",
				   p->chain[i].subject, v->host);
		return v->err;
	}
	return peal_verdict_again(v, NULL);
}

static size_t size_of(const struct peal_session *x)
{
	return sizeof(*x) + x->len + sizeof(*x->peer) +
	       x->peer->chain_n * sizeof(x->peer->chain[0]);
}

void peal_session_free(struct peal_session *x)
{
	if (!x)
		return;
	if (x->bytes)
		peal_wipe(x->bytes, x->len);
	peal_free(x->bytes);
	peal_peer_unref(x->peer);
	peal_free(x);
}

/* Where it hangs; what that points to is NULL: there is none. */
static struct peal_session **place_of(struct peal_sessions *s,
				      const unsigned char *key)
{
	struct peal_session **at = &s->first;

	while (*at && memcmp((*at)->key, key, PEAL_SESSION_KEY) != 0)
		at = &(*at)->next;
	return at;
}

static struct peal_session *unlink_at(struct peal_sessions *s,
				      struct peal_session **at)
{
	struct peal_session *x = *at;

	*at = x->next;
	s->count--;
	s->bytes -= size_of(x);
	return x;
}

static void push(struct peal_sessions *s, struct peal_session *x)
{
	x->next = s->first;
	s->first = x;
	s->count++;
	s->bytes += size_of(x);
}

static void drop_last(struct peal_sessions *s)
{
	struct peal_session **at = &s->first;

	while ((*at)->next)
		at = &(*at)->next;
	peal_session_free(unlink_at(s, at));
}

static int is_over(const struct peal_sessions *s)
{
	return s->count > PEAL_LIMIT_SESSIONS ||
	       s->bytes > PEAL_LIMIT_SESSIONS_BYTES;
}

void peal_sessions_clear(struct peal_sessions *s)
{
	while (s->first)
		peal_session_free(unlink_at(s, &s->first));
}

void peal_sessions_drop(struct peal_sessions *s,
			const unsigned char key[PEAL_SESSION_KEY])
{
	struct peal_session **at = place_of(s, key);

	if (*at)
		peal_session_free(unlink_at(s, at));
}

const struct peal_session *
peal_sessions_find(struct peal_sessions *s,
		   const unsigned char key[PEAL_SESSION_KEY], int64_t now)
{
	struct peal_session **at = place_of(s, key), *x = *at;

	if (!x)
		return NULL;
	unlink_at(s, at);
	if (now < x->since || now > x->until) {
		peal_session_free(x);
		return NULL;
	}
	push(s, x);
	return x;
}

int peal_sessions_adopt(struct peal_sessions *s, struct peal_session *x)
{
	struct peal_session **end = place_of(s, x->key);

	if (*end)
		return 0; /* ours is newer */
	*end = x;
	x->next = NULL;
	s->count++;
	s->bytes += size_of(x);
	if (!is_over(s))
		return 1;
	unlink_at(s, end);
	return 0;
}

static int is_tls13(const mbedtls_ssl_session *session)
{
	return session->MBEDTLS_PRIVATE(tls_version) ==
	       MBEDTLS_SSL_VERSION_TLS1_3;
}

/* s; 0: it cannot be resumed */
static int64_t lifetime(const mbedtls_ssl_session *session)
{
	uint32_t said = session->MBEDTLS_PRIVATE(ticket_lifetime);

	if (session->MBEDTLS_PRIVATE(ticket_len) == 0) {
		/* TLS 1.3 has nothing but tickets */
		if (is_tls13(session) || !session->MBEDTLS_PRIVATE(id_len))
			return 0;
		return UNKNOWN_S;
	}
	if (said == 0) /* RFC 5077 3.3: unspecified */
		return is_tls13(session) ? 0 : UNKNOWN_S;
	return said < LONGEST_S ? said : LONGEST_S;
}

/* The certificate has been judged, and the name is in our key: without them a
 * session is small and quickly read. */
static void strip(mbedtls_ssl_session *session)
{
	mbedtls_x509_crt *peer = session->MBEDTLS_PRIVATE(peer_cert);

	if (peer) {
		mbedtls_x509_crt_free(peer);
		mbedtls_free(peer);
	}
	session->MBEDTLS_PRIVATE(peer_cert) = NULL;
	mbedtls_free(session->MBEDTLS_PRIVATE(hostname));
	session->MBEDTLS_PRIVATE(hostname) = NULL;
}

static int save(struct peal_session *x, mbedtls_ssl_session *session)
{
	strip(session);
	mbedtls_ssl_session_save(session, NULL, 0, &x->len);
	if (x->len == 0 || x->len > PEAL_LIMIT_SESSION)
		return 0;
	x->bytes = peal_zalloc(x->len);
	return x->bytes && mbedtls_ssl_session_save(session, x->bytes, x->len,
						    &x->len) == 0;
}

void peal_sessions_put(struct peal_sessions *s,
		       const unsigned char key[PEAL_SESSION_KEY],
		       struct peal_peer *peer, mbedtls_ssl_session *session,
		       int64_t now)
{
	int64_t seconds = lifetime(session), end = peer->checked + LONGEST_S;
	struct peal_session *x;

	if (seconds == 0 || now > end)
		return;
	x = peal_zalloc(sizeof(*x));
	if (!x)
		return;
	memcpy(x->key, key, sizeof(x->key));
	x->peer = peal_peer_ref(peer);
	x->since = now;
	x->until = now + seconds < end ? now + seconds : end;
	if (!save(x, session)) {
		peal_session_free(x);
		return;
	}
	peal_sessions_drop(s, key);
	push(s, x);
	while (is_over(s))
		drop_last(s);
}

/* mbedTLS does not check all it reads, and bytes may come from a file. */
static int is_sound(const mbedtls_ssl_session *session)
{
	return session->MBEDTLS_PRIVATE(endpoint) == MBEDTLS_SSL_IS_CLIENT &&
	       session->MBEDTLS_PRIVATE(id_len) <=
		       sizeof(session->MBEDTLS_PRIVATE(id)) &&
	       !session->MBEDTLS_PRIVATE(peer_cert) &&
	       !session->MBEDTLS_PRIVATE(hostname) && lifetime(session) > 0;
}

/* TLS 1.3: the library offers a session for the name that it was for. */
static int set_name(mbedtls_ssl_session *session, const char *host)
{
	size_t len;
	char *copy;

	if (!host || !is_tls13(session))
		return 1;
	len = strlen(host) + 1;
	copy = mbedtls_calloc(1, len);
	if (!copy)
		return 0;
	memcpy(copy, host, len);
	session->MBEDTLS_PRIVATE(hostname) = copy;
	return 1;
}

int peal_session_offer(const struct peal_session *x, mbedtls_ssl_context *ssl,
		       const char *host)
{
	mbedtls_ssl_session session;
	int ok;

	mbedtls_ssl_session_init(&session);
	ok = mbedtls_ssl_session_load(&session, x->bytes, x->len) == 0 &&
	     is_sound(&session) && set_name(&session, host) &&
	     mbedtls_ssl_set_session(ssl, &session) == 0;
	mbedtls_ssl_session_free(&session);
	return ok;
}
