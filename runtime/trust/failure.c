/* failure.c - what a code of mbedTLS means for a phone.
 *
 * A code is a sum of an upper part (module and reason) and maybe a lower one
 * (of the module below); the upper one decides. What is said about the peer's
 * certificates is c.untrusted, what is said about the connection t.handshake,
 * as far as there is no word of its own: our choice. */
#include <mbedtls/ecp.h>
#include <mbedtls/md.h>
#include <mbedtls/pk.h>
#include <mbedtls/rsa.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509.h>

#include "trust.h"

struct meaning {
	int code;
	enum peal_err err;
	const char *what; /* behind "failed: " */
};

static const char garbled[] = "what it sends is not proper TLS; is this a TLS "
			      "port?";
static const char newer[] = "no version of TLS that both sides allow";
static const char ours[] = "an error on our side";
static const char resumption[] = "its answer to a stored session is not usable";
static const char unready[] = "it is not over yet";
static const char proof[] = "it could not prove that it has the key of its "
			    "certificate";
static const char cert[] = "a certificate that is broken or of a kind not "
			   "known here; the server needs another one";
static const char critical[] = "a certificate with a critical or repeated "
			       "extension that is not understood, such as name "
			       "constraints; the server needs another one";
static const char algorithm[] = "a certificate with a signature of a kind not "
				"known here; the server needs another one";
static const char key[] = "a certificate with a key of a kind not known here; "
			  "the server needs another one";
static const char chain[] = "a chain of certificates that is too long; let the "
			    "server send the intermediate ones only";
static const char usage[] = "a certificate that may not be used for this (see "
			    "its keyUsage); the server needs another one";

#define SSL(reason, err, what)                             \
	{                                                  \
		MBEDTLS_ERR_SSL_##reason, PEAL_##err, what \
	}
#define X509(reason, err, what)                             \
	{                                                   \
		MBEDTLS_ERR_X509_##reason, PEAL_##err, what \
	}
#define PK(reason, err, what)                             \
	{                                                 \
		MBEDTLS_ERR_PK_##reason, PEAL_##err, what \
	}
#define RSA(reason, err, what)                             \
	{                                                  \
		MBEDTLS_ERR_RSA_##reason, PEAL_##err, what \
	}

/* clang-format off */
static const struct meaning meanings[] = {
	SSL(CRYPTO_IN_PROGRESS, ETHANDSHAKE, unready),
	SSL(FEATURE_UNAVAILABLE, ETHANDSHAKE,
	    "it wants something of TLS that is not supported here"),
	SSL(BAD_INPUT_DATA, ETHANDSHAKE, ours),
	SSL(INVALID_MAC, ETHANDSHAKE,
	    "its messages were changed on the way, or are not proper TLS"),
	SSL(INVALID_RECORD, ETHANDSHAKE, garbled),
	SSL(CONN_EOF, ETHANDSHAKE, "it hung up"),
	SSL(DECODE_ERROR, ETHANDSHAKE, garbled),
	SSL(NO_RNG, ETHANDSHAKE, ours),
	SSL(NO_CLIENT_CERTIFICATE, ETHANDSHAKE, garbled),
	SSL(UNSUPPORTED_EXTENSION, ETHANDSHAKE, garbled),
	SSL(NO_APPLICATION_PROTOCOL, ETHANDSHAKE,
	    "no application protocol in common"),
	SSL(PRIVATE_KEY_REQUIRED, ETHANDSHAKE,
	    "the key of our own certificate cannot be used"),
	SSL(CA_CHAIN_REQUIRED, ECUNTRUSTED,
	    "a certificate, and no trusted roots are installed; install its root"),
	SSL(UNEXPECTED_MESSAGE, ETHANDSHAKE, garbled),
	SSL(FATAL_ALERT_MESSAGE, ETHANDSHAKE, "it ended the handshake"),
	SSL(UNRECOGNIZED_NAME, ETHANDSHAKE,
	    "it knows no host of this name; is the URL right?"),
	SSL(PEER_CLOSE_NOTIFY, ETHANDSHAKE, "it ended the connection"),
	SSL(BAD_CERTIFICATE, ECUNTRUSTED, usage),
	SSL(RECEIVED_NEW_SESSION_TICKET, ETHANDSHAKE, unready),
	SSL(CANNOT_READ_EARLY_DATA, ETHANDSHAKE, ours),
	SSL(RECEIVED_EARLY_DATA, ETHANDSHAKE, unready),
	SSL(CANNOT_WRITE_EARLY_DATA, ETHANDSHAKE, ours),
	SSL(CACHE_ENTRY_NOT_FOUND, ETHANDSHAKE, resumption),
	SSL(ALLOC_FAILED, ENOMEM, ours),
	SSL(HW_ACCEL_FAILED, ETHANDSHAKE, ours),
	SSL(HW_ACCEL_FALLTHROUGH, ETHANDSHAKE, ours),
	SSL(BAD_PROTOCOL_VERSION, ETVERSION, newer),
	SSL(HANDSHAKE_FAILURE, ETHANDSHAKE,
	    "no cipher suite or parameters that both sides allow"),
	SSL(SESSION_TICKET_EXPIRED, ETHANDSHAKE, resumption),
	SSL(PK_TYPE_MISMATCH, ECUNTRUSTED,
	    "a certificate whose key does not fit the cipher suite; the "
	    "server needs another one"),
	SSL(UNKNOWN_IDENTITY, ETHANDSHAKE, garbled),
	SSL(INTERNAL_ERROR, ETHANDSHAKE, ours),
	SSL(COUNTER_WRAPPING, ETHANDSHAKE, "too much went over one connection"),
	SSL(WAITING_SERVER_HELLO_RENEGO, ETHANDSHAKE, garbled),
	SSL(HELLO_VERIFY_REQUIRED, ETHANDSHAKE, garbled),
	SSL(BUFFER_TOO_SMALL, ETHANDSHAKE,
	    "its messages are too long; does it send too many certificates?"),
	SSL(WANT_READ, ETHANDSHAKE, unready),
	SSL(WANT_WRITE, ETHANDSHAKE, unready),
	SSL(TIMEOUT, ETIMEOUT, "no answer in time"),
	SSL(CLIENT_RECONNECT, ETHANDSHAKE, garbled),
	SSL(UNEXPECTED_RECORD, ETHANDSHAKE, garbled),
	SSL(NON_FATAL, ETHANDSHAKE, unready),
	SSL(ILLEGAL_PARAMETER, ETHANDSHAKE, garbled),
	SSL(CONTINUE_PROCESSING, ETHANDSHAKE, unready),
	SSL(ASYNC_IN_PROGRESS, ETHANDSHAKE, unready),
	SSL(EARLY_MESSAGE, ETHANDSHAKE, garbled),
	SSL(UNEXPECTED_CID, ETHANDSHAKE, garbled),
	SSL(VERSION_MISMATCH, ETHANDSHAKE, resumption),
	SSL(BAD_CONFIG, ETHANDSHAKE, ours),
#ifdef MBEDTLS_ERR_SSL_CERTIFICATE_VERIFICATION_WITHOUT_HOSTNAME
	SSL(CERTIFICATE_VERIFICATION_WITHOUT_HOSTNAME, ETHANDSHAKE, ours),
#endif
	X509(FEATURE_UNAVAILABLE, ECUNTRUSTED, cert),
	X509(UNKNOWN_OID, ECUNTRUSTED, cert),
	X509(INVALID_FORMAT, ECUNTRUSTED, cert),
	X509(INVALID_VERSION, ECUNTRUSTED, cert),
	X509(INVALID_SERIAL, ECUNTRUSTED, cert),
	X509(INVALID_ALG, ECUNTRUSTED, algorithm),
	X509(INVALID_NAME, ECUNTRUSTED, cert),
	X509(INVALID_DATE, ECUNTRUSTED, cert),
	X509(INVALID_SIGNATURE, ECUNTRUSTED, algorithm),
	X509(INVALID_EXTENSIONS, ECUNTRUSTED, critical),
	X509(UNKNOWN_VERSION, ECUNTRUSTED, cert),
	X509(UNKNOWN_SIG_ALG, ECUNTRUSTED, algorithm),
	X509(SIG_MISMATCH, ECUNTRUSTED, algorithm),
	X509(CERT_VERIFY_FAILED, ECUNTRUSTED,
	     "a certificate that is not trusted"),
	X509(CERT_UNKNOWN_FORMAT, ECUNTRUSTED, cert),
	X509(BAD_INPUT_DATA, ECUNTRUSTED, cert),
	X509(ALLOC_FAILED, ENOMEM, ours),
	X509(FILE_IO_ERROR, EIO, ours),
	X509(BUFFER_TOO_SMALL, ECUNTRUSTED, cert),
	X509(FATAL_ERROR, ECUNTRUSTED, chain),
	PK(ALLOC_FAILED, ENOMEM, ours),
	PK(TYPE_MISMATCH, ETHANDSHAKE, proof),
	PK(BAD_INPUT_DATA, ETHANDSHAKE, proof),
	PK(FILE_IO_ERROR, EIO, ours),
	PK(KEY_INVALID_VERSION, ECUNTRUSTED, key),
	PK(KEY_INVALID_FORMAT, ECUNTRUSTED, key),
	PK(UNKNOWN_PK_ALG, ECUNTRUSTED, key),
	PK(PASSWORD_REQUIRED, EKEY, "our key is protected by a password"),
	PK(PASSWORD_MISMATCH, EKEY, "our key has another password"),
	PK(INVALID_PUBKEY, ECUNTRUSTED, key),
	PK(INVALID_ALG, ECUNTRUSTED, key),
	PK(UNKNOWN_NAMED_CURVE, ECUNTRUSTED, key),
	PK(FEATURE_UNAVAILABLE, ECUNTRUSTED, key),
	PK(SIG_LEN_MISMATCH, ETHANDSHAKE, proof),
	PK(BUFFER_TOO_SMALL, ETHANDSHAKE, ours),
	RSA(BAD_INPUT_DATA, ETHANDSHAKE, proof),
	RSA(INVALID_PADDING, ETHANDSHAKE, proof),
	RSA(KEY_GEN_FAILED, ETHANDSHAKE, ours),
	RSA(KEY_CHECK_FAILED, ECUNTRUSTED, key),
	RSA(PUBLIC_FAILED, ETHANDSHAKE, proof),
	RSA(PRIVATE_FAILED, ETHANDSHAKE, ours),
	RSA(VERIFY_FAILED, ETHANDSHAKE, proof),
	RSA(OUTPUT_TOO_LARGE, ETHANDSHAKE, proof),
	RSA(RNG_FAILED, ETHANDSHAKE, ours),
	{ MBEDTLS_ERR_ECP_VERIFY_FAILED, PEAL_ETHANDSHAKE, proof },
	{ MBEDTLS_ERR_ECP_SIG_LEN_MISMATCH, PEAL_ETHANDSHAKE, proof },
	{ MBEDTLS_ERR_ECP_INVALID_KEY, PEAL_ETHANDSHAKE, garbled },
	{ MBEDTLS_ERR_ECP_ALLOC_FAILED, PEAL_ENOMEM, ours },
	{ MBEDTLS_ERR_MD_ALLOC_FAILED, PEAL_ENOMEM, ours },
	{ MBEDTLS_ERR_MPI_ALLOC_FAILED, PEAL_ENOMEM, ours },
	{ MBEDTLS_ERR_ASN1_ALLOC_FAILED, PEAL_ENOMEM, ours },
};
/* clang-format on */

static const struct meaning *find(int code)
{
	size_t i;

	for (i = 0; i < sizeof(meanings) / sizeof(*meanings); i++)
		if (meanings[i].code == code)
			return &meanings[i];
	return NULL;
}

enum peal_err peal_err_mbedtls(int code, const char *peer,
			       struct peal_reason *reason)
{
	const int low = -(-code & 0x7f), high = code - low;
	const struct meaning *m = find(high), *below = find(low);

	peal_reason_clear(reason);
	/* a lack of memory may show in either part */
	if (below || (m && m->err == PEAL_ENOMEM))
		return PEAL_ENOMEM;
	if (!m)
		return peal_fail(reason, PEAL_ETHANDSHAKE,
				 "TLS with %s failed (code -0x%04x)", peer,
				 (unsigned)-code);
	if (m->err == PEAL_ECUNTRUSTED)
		return peal_fail(reason, m->err, "%s sends %s", peer, m->what);
	return peal_fail(reason, m->err, "TLS with %s failed: %s", peer,
			 m->what);
}

int peal_no_memory(int code)
{
	return peal_err_mbedtls(code, "", NULL) == PEAL_ENOMEM;
}
