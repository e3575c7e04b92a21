/* outcome.c - from libcurl's codes, alerts and verdicts to our errors. */
#include <mbedtls/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetch.h"
#include "trust/signer.h"

/* RFC 8446 6.2 */
enum {
	ALERT_HANDSHAKE_FAILURE = 40,
	ALERT_BAD_CERTIFICATE = 42,
	ALERT_CERTIFICATE_UNKNOWN = 46,
	ALERT_UNKNOWN_CA = 48,
	ALERT_PROTOCOL_VERSION = 70,
	ALERT_CERTIFICATE_REQUIRED = 116
};

static const char *certificate_word(int alert)
{
	switch (alert) {
	case 42:
		return "bad certificate";
	case 43:
		return "unsupported certificate";
	case 44:
		return "certificate revoked";
	case 45:
		return "certificate expired";
	case 48:
		return "unknown CA";
	case 116:
		return "certificate required";
	default:
		return "certificate not accepted";
	}
}

static enum peal_err refused(struct peal_fetch *f)
{
	if (f->tls.identity)
		return peal_fail(&f->reason, PEAL_ETCLIENT,
				 "%s refused our client certificate (alert "
				 "%d, %s); does it know the issuer?",
				 f->host, f->alert, certificate_word(f->alert));
	return peal_fail(&f->reason, PEAL_ETCLIENT,
			 "%s wants a client certificate and none is installed "
			 "(alert %d)",
			 f->host, f->alert);
}

static enum peal_err no_version(struct peal_fetch *f)
{
	return peal_fail(&f->reason, PEAL_ETVERSION,
			 "%s does not support TLS %s", f->host,
			 f->tls.min_version == PEAL_TLS_1_3 ? "1.3" :
							      "1.2 or 1.3");
}

static enum peal_err from_alert(struct peal_fetch *f)
{
	int a = f->alert;

	if (a == ALERT_PROTOCOL_VERSION)
		return no_version(f);
	if ((a >= ALERT_BAD_CERTIFICATE && a <= ALERT_CERTIFICATE_UNKNOWN) ||
	    a == ALERT_UNKNOWN_CA || a == ALERT_CERTIFICATE_REQUIRED)
		return refused(f);
	if (a == ALERT_HANDSHAKE_FAILURE && f->bio.asked && !f->tls.identity)
		return refused(f);
	return peal_fail(&f->reason, PEAL_ETHANDSHAKE,
			 "%s ended the TLS handshake (alert %d)", f->host, a);
}

/* libcurl keeps mbedTLS's code only as text: "(-0x6E80)". */
static int library_code(const struct peal_fetch *f)
{
	const char *at = strstr(f->curl_error, "(-0x");

	return at ? -(int)strtol(at + 4, NULL, 16) : 0;
}

/* Its alert was lost on the way. */
static enum peal_err hung_up(struct peal_fetch *f)
{
	return peal_fail(&f->reason, PEAL_ETCLIENT,
			 "%s hung up after asking for a client certificate",
			 f->host);
}

/* More than the library's buffer takes. */
static enum peal_err too_much(struct peal_fetch *f)
{
	return peal_fail(&f->reason, PEAL_ETHANDSHAKE,
			 "%s sent a handshake message of more than %d KiB; has "
			 "its certificate too many names, or too long a chain?",
			 f->host, MBEDTLS_SSL_IN_CONTENT_LEN / 1024);
}

/* The secure element, or whoever signs for the phone, did not. */
static enum peal_err not_signed(struct peal_fetch *f,
				const struct peal_reason *why)
{
	return peal_fail(&f->reason, PEAL_ETCLIENT,
			 "%s asked for a client certificate, and the key of "
			 "ours did not sign: %s",
			 f->host, why->text);
}

static enum peal_err from_handshake(struct peal_fetch *f)
{
	const struct peal_reason *why = peal_identity_trouble(f->tls.identity);
	int code = library_code(f);

	if (why)
		return not_signed(f, why);
	if (f->bio.asked && f->bio.deaf)
		return hung_up(f);
	if (code == MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION)
		return no_version(f);
	if (code == MBEDTLS_ERR_SSL_BAD_INPUT_DATA)
		return too_much(f);
	if (code)
		return peal_err_mbedtls(code, f->host, &f->reason);
	return peal_fail(&f->reason, PEAL_ETHANDSHAKE, "TLS with %s failed: %s",
			 f->host, f->curl_error);
}

static enum peal_err no_connection(struct peal_fetch *f)
{
	long number = 0;

	curl_easy_getinfo(f->easy, CURLINFO_OS_ERRNO, &number);
	return peal_fail(&f->reason, PEAL_ECONNECT,
			 "no connection to %s port %u%s%s", f->response.peer,
			 f->response.peer_port, number ? ": " : "",
			 number ? strerror((int)number) : "");
}

/* The connection broke while data went back or forth. */
static enum peal_err broken(struct peal_fetch *f)
{
	long connect_code = 0;

	curl_easy_getinfo(f->easy, CURLINFO_HTTP_CONNECTCODE, &connect_code);
	if (f->proxied && f->https && !f->connected && connect_code) {
		f->response.status = connect_code == 407 ? 407 : 0;
		f->response.auth_exhausted = connect_code == 407 &&
					     f->proxy_user != NULL;
		if (connect_code == 407)
			return PEAL_OK;
		return peal_fail(&f->reason, PEAL_ECONNECT,
				 "the proxy answered %ld to CONNECT",
				 connect_code);
	}
	if (strstr(f->curl_error, "chunk"))
		return peal_fail(&f->reason, PEAL_EPROTO,
				 "%s sends broken chunks", f->host);
	if (f->response.status)
		return peal_fail(&f->reason, PEAL_EPARTIAL,
				 "%s broke the connection within the answer",
				 f->host);
	/* TLS 1.3 servers look at our certificate after the handshake, and
	 * their alert may be lost when we are still sending */
	if (f->bio.asked && strcmp(f->response.tls_version, "TLSv1.3") == 0)
		return hung_up(f);
	return peal_fail(&f->reason, PEAL_ECONNECT,
			 "%s closed the connection without an answer", f->host);
}

static enum peal_err from_code(struct peal_fetch *f, CURLcode code)
{
	switch (code) {
	case CURLE_OK:
		if (f->headers_over)
			return PEAL_OK;
		return peal_fail(&f->reason, PEAL_EPARTIAL,
				 "the answer of %s ends within its headers",
				 f->host);
	case CURLE_OUT_OF_MEMORY:
		return PEAL_ENOMEM;
	case CURLE_COULDNT_CONNECT:
		return no_connection(f);
	case CURLE_PARTIAL_FILE:
		return peal_fail(&f->reason, PEAL_EPARTIAL,
				 "the answer of %s ends too early", f->host);
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		return broken(f);
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
		return from_handshake(f);
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_BAD_CONTENT_ENCODING:
	case CURLE_TOO_LARGE:
		return peal_fail(&f->reason, PEAL_EPROTO,
				 "%s does not speak HTTP: %s", f->host,
				 f->curl_error[0] ? f->curl_error :
						    curl_easy_strerror(code));
	default:
		return peal_fail(&f->reason, PEAL_EINTERNAL, "%s (libcurl %d)",
				 curl_easy_strerror(code), (int)code);
	}
}

enum peal_err peal_outcome(struct peal_fetch *f, CURLcode code)
{
	if (f->err)
		return f->err;
	if (code && f->verdict.err && (f->verdict.ran || f->connected)) {
		f->reason = f->verdict.reason;
		return f->verdict.err;
	}
	if (f->over_budget)
		return PEAL_OK; /* the refusal that came last is the answer */
	if (code && f->alert >= 0)
		return from_alert(f);
	return from_code(f, code);
}
