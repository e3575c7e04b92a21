/* chain_test.c - certificates led to an anchor outside of a handshake; see
 * also tests/spec/chain_spec.lua */
#include "peal/chain.h"

#include <time.h>

#include "alloc_fail.h"
#include "test.h"
#include "tls_server.h"

static char folder[] = "/tmp/peal-chain-XXXXXX";

static const char make_certificates[] = CERT_FUNCTIONS
	"exec 2>make.log >&2\n"
	"root ca ec 'Test Root'\n"
	"cert mid /CN=Mid -1 900 ca ec basicConstraints=critical,CA:TRUE\n"
	"cert leaf /CN=leaf -1 90 mid ec basicConstraints=CA:FALSE\n"
	"for n in ca mid leaf; do\n"
	"openssl x509 -in $n.pem -outform DER -out $n.der; done\n";

struct chain {
	unsigned char der[3][4096];
	struct peal_der certs[3];
	struct peal_anchors *anchors;
};

static void load(struct chain *c)
{
	static const char *const names[] = { "leaf", "mid", "ca" };
	char path[96];
	unsigned i;
	FILE *f;

	for (i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s.der", folder, names[i]);
		f = fopen(path, "rb");
		REQUIRE(f != NULL);
		c->certs[i].bytes = c->der[i];
		c->certs[i].len = fread(c->der[i], 1, sizeof(c->der[i]), f);
		fclose(f);
	}
	REQUIRE(peal_anchors_new(&c->anchors) == PEAL_OK);
	REQUIRE(peal_anchors_add(c->anchors, c->der[2], c->certs[2].len, 0,
				 NULL, NULL) == PEAL_OK);
}

static enum peal_err check(const struct chain *c, unsigned from, unsigned n)
{
	struct peal_reason reason;

	return peal_chain_check(c->certs + from, n, c->anchors, time(NULL),
				&reason);
}

static void chains(void)
{
	struct chain c;
	struct peal_reason reason;

	load(&c);
	CHECK_ERR(check(&c, 0, 1), PEAL_ECUNTRUSTED);
	CHECK_ERR(check(&c, 0, 2), PEAL_OK);
	CHECK_ERR(check(&c, 1, 1), PEAL_OK);
	CHECK_ERR(check(&c, 2, 1), PEAL_OK);
	CHECK_ERR(check(&c, 0, 0), PEAL_EINVAL);
	CHECK_ERR(peal_chain_check(c.certs, PEAL_CHAIN_MAX + 1, c.anchors, 0,
				   &reason),
		  PEAL_ETOOBIG);
	CHECK_ERR(peal_chain_check(c.certs, 2, NULL, time(NULL), &reason),
		  PEAL_ECUNTRUSTED);
	CHECK_ERR(peal_chain_check(NULL, 2, c.anchors, 0, NULL), PEAL_EINVAL);
	peal_anchors_unref(c.anchors);
}

static int one_check(void *arg)
{
	return check(arg, 0, 2) != PEAL_OK;
}

/* Without memory nobody has issued anything. */
static int one_link(void *arg)
{
	const struct chain *c = arg;

	CHECK(!peal_chain_issued(&c->certs[2], &c->certs[0]));
	return !peal_chain_issued(&c->certs[1], &c->certs[0]) ||
	       !peal_chain_same_subject(&c->certs[1], &c->certs[1]);
}

static void every_allocation_may_fail(void)
{
	struct chain c;

	load(&c);
	alloc_fail_each(one_check, &c);
	alloc_fail_each(one_link, &c);
	peal_anchors_unref(c.anchors);
}

int main(int argc, char **argv)
{
	static const struct test_case cases[] = {
		{ "chains", chains },
		{ "every allocation may fail", every_allocation_may_fail },
	};

	return test_main_in(folder, make_certificates, cases,
			    sizeof(cases) / sizeof(*cases), argc, argv);
}
