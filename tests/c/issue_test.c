/* issue_test.c - certificates and requests of our own: octets, and lack of
 * memory. What openssl thinks of them is in tests/spec/issue_spec.lua. */
#include "peal/issue.h"

#include <mbedtls/x509_crt.h>
#include <mbedtls/x509_csr.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "decode/crypto.h"
#include "test.h"
#include "tls_server.h"

static char folder[] = "/tmp/peal-issue-XXXXXX";

/* A root whose name has text of three kinds, and two parts in one set. */
static const char make_root[] =
	"exec 2>make.log >&2\n"
	"printf '%b\\n' '[req]\\ndistinguished_name=dn\\nx509_extensions=e\\n"
	"prompt=no\\nstring_mask=nombstr\\n[dn]\\n0.O=Telco\\n1.CN=Odd\\n"
	"+2.OU=Two\\nC=CH\\n[e]\\nbasicConstraints=critical,CA:TRUE\\n"
	"subjectKeyIdentifier=hash' > root.cnf\n"
	"openssl ecparam -name prime256v1 -genkey -noout -out root.key\n"
	"chmod 600 root.key\n"
	"openssl req -x509 -new -key root.key -config root.cnf -days 9 "
	"-outform DER -out root.der\n";

struct fixture {
	unsigned char root[2000];
	size_t root_len;
	struct peal_key *root_key, *key;
};

static struct fixture *fixture(void)
{
	static struct fixture f;
	char path[100];
	FILE *file;

	if (f.key)
		return &f;
	REQUIRE(peal_alloc_hook_libraries() == PEAL_OK);
	REQUIRE(peal_crypto_init() == PEAL_OK);
	REQUIRE(mkdtemp(folder));
	shell(folder, make_root);
	snprintf(path, sizeof(path), "%s/root.key", folder);
	REQUIRE(peal_key_load(&f.root_key, path, NULL) == PEAL_OK);
	snprintf(path, sizeof(path), "%s/root.der", folder);
	file = fopen(path, "rb");
	REQUIRE(file);
	f.root_len = fread(f.root, 1, sizeof(f.root), file);
	fclose(file);
	REQUIRE(peal_key_new(&f.key, "P-256", NULL) == PEAL_OK);
	return &f;
}

static const struct peal_name_part subject[] = { { "O", "Zürich" },
						 { "CN", "phone" } };
static const char *const sans[] = { "DNS:phone.example", "IP:192.0.2.1" };
static const char *const purposes[] = { "serverAuth", "1.2.3.4" };

static struct peal_issue by_root(const struct fixture *f)
{
	struct peal_issue o = {
		.key = f->key,
		.ca_cert = f->root,
		.ca_cert_len = f->root_len,
		.ca_key = f->root_key,
		.subject = subject,
		.subject_n = 2,
		.sans = sans,
		.sans_n = 2,
		.purposes = purposes,
		.purposes_n = 2,
		.from = 1700000000,
		.to = 1900000000,
	};

	return o;
}

static void names_the_issuer_to_the_octet(void)
{
	struct fixture *f = fixture();
	struct peal_issue o = by_root(f);
	mbedtls_x509_crt root, cert;
	struct peal_buf der;
	uint32_t flags = 0;

	peal_buf_init(&der, 10000);
	CHECK_ERR(peal_issue_certificate(&o, &der, NULL), PEAL_OK);
	mbedtls_x509_crt_init(&root);
	mbedtls_x509_crt_init(&cert);
	CHECK_INT(mbedtls_x509_crt_parse_der(&root, f->root, f->root_len), 0);
	CHECK_INT(mbedtls_x509_crt_parse_der(&cert, der.data, der.len), 0);
	CHECK_MEM(cert.issuer_raw.p, cert.issuer_raw.len, root.subject_raw.p,
		  root.subject_raw.len);
	CHECK_MEM(cert.authority_key_id.keyIdentifier.p,
		  cert.authority_key_id.keyIdentifier.len,
		  root.subject_key_id.p, root.subject_key_id.len);
	CHECK_INT(mbedtls_x509_crt_verify(&cert, &root, NULL, NULL, &flags,
					  NULL, NULL),
		  0);
	mbedtls_x509_crt_free(&root);
	mbedtls_x509_crt_free(&cert);
	peal_buf_fini(&der);
}

static void asks_to_the_octet(void)
{
	struct fixture *f = fixture();
	mbedtls_x509_csr csr;
	mbedtls_x509_crt root;
	struct peal_buf der;

	peal_buf_init(&der, 10000);
	CHECK_ERR(peal_issue_request(f->key, f->root, f->root_len, &der, NULL),
		  PEAL_OK);
	mbedtls_x509_csr_init(&csr);
	mbedtls_x509_crt_init(&root);
	CHECK_INT(mbedtls_x509_csr_parse_der(&csr, der.data, der.len), 0);
	CHECK_INT(mbedtls_x509_crt_parse_der(&root, f->root, f->root_len), 0);
	CHECK_MEM(csr.subject_raw.p, csr.subject_raw.len, root.subject_raw.p,
		  root.subject_raw.len);
	mbedtls_x509_csr_free(&csr);
	mbedtls_x509_crt_free(&root);
	peal_buf_fini(&der);
}

static void refuses_half_a_ca(void)
{
	struct fixture *f = fixture();
	struct peal_issue o = by_root(f);
	struct peal_buf der;

	peal_buf_init(&der, 10000);
	o.ca_key = NULL;
	CHECK_ERR(peal_issue_certificate(&o, &der, NULL), PEAL_EINVAL);
	o = by_root(f);
	o.key = NULL;
	CHECK_ERR(peal_issue_certificate(&o, &der, NULL), PEAL_EINVAL);
	CHECK_ERR(peal_issue_certificate(NULL, &der, NULL), PEAL_EINVAL);
	CHECK_ERR(peal_issue_request(NULL, f->root, 1, &der, NULL),
		  PEAL_EINVAL);
	CHECK_INT(der.len, 0);
	peal_buf_fini(&der);
}

/* A request is cut at every length, and each octet of it is changed: it is
 * issued as it stands or refused. */
static void takes_no_broken_certificate(void)
{
	struct fixture *f = fixture();
	unsigned char bad[sizeof(f->root)];
	struct peal_buf der;
	size_t i;

	peal_buf_init(&der, 10000);
	for (i = 0; i < f->root_len; i++) {
		CHECK_ERR(peal_issue_request(f->key, f->root, i, &der, NULL),
			  PEAL_EINVAL);
		memcpy(bad, f->root, f->root_len);
		bad[i] ^= 0xff;
		peal_issue_request(f->key, bad, f->root_len, &der, NULL);
		peal_buf_clear(&der);
	}
	peal_buf_fini(&der);
}

static int without_memory(void *arg)
{
	struct fixture *f = arg;
	struct peal_issue o = by_root(f);
	struct peal_buf der;
	enum peal_err err;

	peal_buf_init(&der, 10000);
	err = peal_issue_certificate(&o, &der, NULL);
	CHECK(err == PEAL_OK || err == PEAL_ENOMEM);
	if (!err) {
		peal_buf_clear(&der);
		err = peal_issue_request(f->key, f->root, f->root_len, &der,
					 NULL);
	}
	CHECK(err == PEAL_OK || err == PEAL_ENOMEM);
	peal_buf_fini(&der);
	return err;
}

static void does_without_memory(void)
{
	char command[100];

	alloc_fail_some(without_memory, fixture(), 60, 37);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	shell("/tmp", command);
}

TEST_MAIN({ "names the issuer to the octet", names_the_issuer_to_the_octet },
	  { "asks to the octet", asks_to_the_octet },
	  { "refuses half a CA", refuses_half_a_ca },
	  { "takes no broken certificate", takes_no_broken_certificate },
	  { "does without memory", does_without_memory })
