/* resolve_test.c - names to addresses, against a DNS server of our own that
 * lives on the same loop. */
#include "peal/net.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <strings.h>
#include <uv.h>

#include "alloc_fail.h"
#include "test.h"

struct dns {
	uv_udp_t udp;
	unsigned port;
	int questions, a, aaaa, srv;
	int silent;
	char last[256];
	unsigned char in[1500];
};

struct run {
	struct peal_loop *l;
	struct peal_resolver *r;
	struct dns dns;
	int done;
	enum peal_err err;
	unsigned n;
	struct peal_dns_answer answers[8];
	char reason[256];
};

static size_t put(unsigned char *to, size_t at, const void *bytes, size_t len)
{
	memcpy(to + at, bytes, len);
	return at + len;
}

/* One record about the name of the question. */
static size_t record(unsigned char *to, size_t at, int type, unsigned ttl,
		     const void *data, size_t len)
{
	unsigned char head[] = { 0xc0,
				 12,
				 0,
				 (unsigned char)type,
				 0,
				 1,
				 0,
				 0,
				 (unsigned char)(ttl >> 8),
				 (unsigned char)ttl,
				 0,
				 (unsigned char)len };

	to[7]++; /* answers */
	at = put(to, at, head, sizeof(head));
	return put(to, at, data, len);
}

static void read_name(const unsigned char *q, char *name)
{
	size_t len = 0, i;

	for (i = 12; q[i]; i += q[i] + 1u) {
		memcpy(name + len, q + i + 1, q[i]);
		len += q[i];
		name[len++] = '.';
	}
	name[len ? len - 1 : 0] = '\0';
}

static size_t answer(struct dns *d, const unsigned char *q, size_t len,
		     unsigned char *to)
{
	static const unsigned char srv[] = { 0, 1, 0, 2, 0x13, 0xc4, 1, 't', 0 };
	unsigned char ip6[16];
	size_t at = put(to, 0, q, len);
	int type = q[len - 3];

	to[2] = 0x84; /* an authoritative answer */
	to[3] = 0;
	d->a += type == 1;
	d->aaaa += type == 28;
	d->srv += type == 33;
	inet_pton(AF_INET6, "2001:db8::1", ip6);
	if (strncmp(d->last, "none.", 5) == 0)
		to[3] = 3; /* no such name */
	else if (strncmp(d->last, "broken.", 7) == 0)
		to[3] = 2; /* server failure */
	else if (strncmp(d->last, "empty.", 6) == 0)
		;
	else if (type == 1 && strncmp(d->last, "v6.", 3) != 0) {
		at = record(to, at, 1, 300, "\x0a\0\0\x01", 4);
		at = record(to, at, 1, 60, "\x0a\0\0\x02", 4);
	} else if (type == 28 && strncmp(d->last, "v4.", 3) != 0)
		at = record(to, at, 28, 30, ip6, 16);
	else if (type == 33)
		at = record(to, at, 33, 30, srv, sizeof(srv));
	return at;
}

static void on_question(uv_udp_t *udp, ssize_t n, const uv_buf_t *buf,
			const struct sockaddr *from, unsigned flags)
{
	struct dns *d = udp->data;
	unsigned char out[1500];
	uv_buf_t b;

	(void)flags;
	if (n <= 0 || !from)
		return;
	d->questions++;
	read_name((unsigned char *)buf->base, d->last);
	if (d->silent)
		return;
	b = uv_buf_init((char *)out,
			(unsigned)answer(d, (unsigned char *)buf->base,
					 (size_t)n, out));
	uv_udp_try_send(udp, &b, 1, from);
}

static void room(uv_handle_t *h, size_t size, uv_buf_t *buf)
{
	struct dns *d = h->data;

	(void)size;
	*buf = uv_buf_init((char *)d->in, sizeof(d->in));
}

static void dns_open(struct dns *d, struct peal_loop *l)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int len = sizeof(a);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	uv_udp_init(peal_loop_uv(l), &d->udp);
	d->udp.data = d;
	REQUIRE(uv_udp_bind(&d->udp, (struct sockaddr *)&a, 0) == 0);
	uv_udp_getsockname(&d->udp, (struct sockaddr *)&a, &len);
	d->port = ntohs(a.sin_port);
	uv_udp_recv_start(&d->udp, room, on_question);
	uv_unref((uv_handle_t *)&d->udp);
}

static enum peal_err open_resolver(struct run *x)
{
	char servers[40];
	struct peal_resolver_options o = { servers, 100, 2 };

	snprintf(servers, sizeof(servers), "127.0.0.1:%u", x->dns.port);
	return peal_resolver_new(&x->r, x->l, &o);
}

static void begin(struct run *x)
{
	memset(x, 0, sizeof(*x));
	REQUIRE(peal_loop_new(&x->l) == PEAL_OK);
	dns_open(&x->dns, x->l);
	REQUIRE(open_resolver(x) == PEAL_OK);
}

static void end(struct run *x)
{
	peal_resolver_free(x->r);
	uv_close((uv_handle_t *)&x->dns.udp, NULL);
	peal_loop_free(x->l);
}

static void keep(enum peal_err err, const struct peal_dns_answer *answers,
		 unsigned n, const struct peal_reason *reason, void *arg)
{
	struct run *x = arg;

	x->done++;
	x->err = err;
	x->n = n < 8 ? n : 8;
	if (x->n)
		memcpy(x->answers, answers, x->n * sizeof(*answers));
	snprintf(x->reason, sizeof(x->reason), "%s", reason->text);
}

static enum peal_err ask(struct run *x, const char *name,
			 enum peal_dns_type type, int use_hosts)
{
	enum peal_err err;

	x->done = 0;
	x->n = 0;
	err = peal_resolve_start(NULL, x->r, name, type, use_hosts, keep, x);
	if (err)
		return err;
	CHECK_INT(x->done, 0);
	peal_loop_run(x->l, 0);
	CHECK_INT(x->done, 1);
	return x->err;
}

static void records(void)
{
	struct run x;

	begin(&x);
	CHECK_ERR(ask(&x, "pv.example", PEAL_DNS_A, 0), PEAL_OK);
	CHECK_INT(x.n, 2);
	CHECK_STR(x.answers[0].address, "10.0.0.1");
	CHECK_INT(x.answers[0].ttl_s, 300);
	CHECK_STR(x.answers[1].address, "10.0.0.2");
	CHECK_INT(x.answers[1].ttl_s, 60);
	CHECK_STR(x.dns.last, "pv.example");
	CHECK_ERR(ask(&x, "pv.example", PEAL_DNS_AAAA, 0), PEAL_OK);
	CHECK_INT(x.n, 1);
	CHECK_STR(x.answers[0].address, "2001:db8::1");
	CHECK_ERR(ask(&x, "_sip._udp.pv.example", PEAL_DNS_SRV, 0), PEAL_OK);
	CHECK_INT(x.n, 1);
	CHECK_STR(x.answers[0].target, "t");
	CHECK_INT(x.answers[0].port, 5060);
	CHECK_INT(x.answers[0].priority, 1);
	CHECK_INT(x.answers[0].weight, 2);
	CHECK_INT(x.dns.questions, 3);
	end(&x);
}

static void both_families(void)
{
	struct run x;

	begin(&x);
	CHECK_ERR(ask(&x, "pv.example", PEAL_DNS_ADDR, 0), PEAL_OK);
	CHECK_INT(x.n, 3);
	CHECK_STR(x.answers[0].address, "10.0.0.1");
	CHECK_STR(x.answers[1].address, "10.0.0.2");
	CHECK_STR(x.answers[2].address, "2001:db8::1");
	CHECK_ERR(ask(&x, "v4.example", PEAL_DNS_ADDR, 0), PEAL_OK);
	CHECK_INT(x.n, 2);
	CHECK_ERR(ask(&x, "v6.example", PEAL_DNS_ADDR, 0), PEAL_OK);
	CHECK_INT(x.n, 1);
	end(&x);
}

static void failures(void)
{
	struct run x;

	begin(&x);
	CHECK_ERR(ask(&x, "none.example", PEAL_DNS_ADDR, 0), PEAL_EDNS);
	CHECK_STR(x.reason, "no such name in DNS: none.example");
	CHECK_ERR(ask(&x, "empty.example", PEAL_DNS_ADDR, 0), PEAL_EDNS);
	CHECK_STR(x.reason, "empty.example has no address in DNS");
	CHECK_ERR(ask(&x, "broken.example", PEAL_DNS_A, 0), PEAL_EDNS);
	x.dns.silent = 1;
	x.dns.questions = 0;
	CHECK_ERR(ask(&x, "pv.example", PEAL_DNS_A, 0), PEAL_ETIMEOUT);
	CHECK_INT(x.dns.questions, 2); /* the tries asked for */
	end(&x);
}

static void never_asked(void)
{
	static const struct {
		const char *name;
		enum peal_dns_type type;
		unsigned n;
		const char *first;
	} cases[] = {
		{ "192.168.1.200", PEAL_DNS_ADDR, 1, "192.168.1.200" },
		{ "2001:DB8::1", PEAL_DNS_AAAA, 1, "2001:db8::1" },
		{ "192.168.1.200", PEAL_DNS_AAAA, 0, "" },
		{ "localhost", PEAL_DNS_ADDR, 2, "127.0.0.1" },
		{ "LocalHost.", PEAL_DNS_AAAA, 1, "::1" },
		{ "a.b.localhost", PEAL_DNS_A, 1, "127.0.0.1" },
		{ "localhost", PEAL_DNS_SRV, 0, "" },
	};
	static const char *const bad[] = { "",   "a b",  "a..b",
					   ".a", "a\nb", "a/b" };
	struct run x;
	size_t i;

	begin(&x);
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		CHECK_ERR(ask(&x, cases[i].name, cases[i].type, 0),
			  cases[i].n ? PEAL_OK : PEAL_EDNS);
		CHECK_INT(x.n, cases[i].n);
		if (cases[i].n)
			CHECK_STR(x.answers[0].address, cases[i].first);
	}
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK_ERR(ask(&x, bad[i], PEAL_DNS_A, 0), PEAL_EINVAL);
	CHECK_INT(x.dns.questions, 0);
	CHECK_ERR(ask(&x, "notlocalhost.x", PEAL_DNS_A, 0), PEAL_OK);
	CHECK_INT(x.dns.questions, 1);
	end(&x);
}

static void cancels(void)
{
	struct peal_query *q, *other;
	struct run x;

	begin(&x);
	CHECK_ERR(peal_resolve_start(&q, x.r, "pv.example", PEAL_DNS_ADDR, 0,
				     keep, &x),
		  PEAL_OK);
	CHECK_ERR(peal_resolve_start(&other, x.r, "v4.example", PEAL_DNS_A, 0,
				     keep, &x),
		  PEAL_OK);
	peal_resolve_cancel(q);
	peal_resolve_cancel(q);
	CHECK_INT(x.done, 0);
	peal_loop_run(x.l, 0);
	CHECK_INT(x.done, 2);
	CHECK_ERR(x.err, PEAL_OK); /* the other one came later */

	x.dns.silent = 1;
	CHECK_ERR(peal_resolve_start(NULL, x.r, "pv.example", PEAL_DNS_ADDR, 0,
				     keep, &x),
		  PEAL_OK);
	peal_resolver_free(x.r);
	x.r = NULL;
	peal_loop_run(x.l, 0);
	CHECK_INT(x.done, 3);
	CHECK_ERR(x.err, PEAL_ECANCELED);
	peal_resolve_cancel(NULL);
	end(&x);
}

static void wrong_servers(void)
{
	struct peal_resolver_options o = { "not an address", 0, 0 };
	struct peal_resolver *r;
	struct peal_loop *l;

	REQUIRE(peal_loop_new(&l) == PEAL_OK);
	CHECK_ERR(peal_resolver_new(&r, l, &o), PEAL_EINVAL);
	peal_loop_free(l);
}

static void addresses_and_datagrams(void)
{
	static const char too_long[70000];
	struct sockaddr_storage sa;
	struct run x;

	CHECK_ERR(peal_address_parse("192.168.1.1", 5, &sa), PEAL_OK);
	CHECK_INT(sa.ss_family, AF_INET);
	CHECK_ERR(peal_address_parse("2001:db8::1", 5, &sa), PEAL_OK);
	CHECK_INT(sa.ss_family, AF_INET6);
	CHECK_ERR(peal_address_parse("[::1]", 5, &sa), PEAL_EINVAL);
	CHECK_ERR(peal_address_parse("1.2.3", 5, &sa), PEAL_EINVAL);
	CHECK_ERR(peal_address_parse(NULL, 5, &sa), PEAL_EINVAL);

	begin(&x);
	CHECK_ERR(peal_datagram_send("127.0.0.1", (uint16_t)x.dns.port,
				     "0123456789ab\4test\0\0\1\0\1", 22),
		  PEAL_OK);
	uv_ref((uv_handle_t *)&x.dns.udp); /* wait for it, this once */
	while (x.dns.questions == 0)
		peal_loop_run(x.l, 1);
	CHECK_STR(x.dns.last, "test");
	CHECK_ERR(peal_datagram_send("pv.example", 9, "x", 1), PEAL_EINVAL);
	CHECK_ERR(peal_datagram_send("127.0.0.1", 9, too_long,
				     sizeof(too_long)),
		  PEAL_ELIMIT);
	end(&x);
}

static int work(void *arg)
{
	struct run *x = arg;
	enum peal_err err = open_resolver(x);

	if (!err) {
		x->done = 0;
		err = peal_resolve_start(NULL, x->r, "pv.example",
					 PEAL_DNS_ADDR, 0, keep, x);
		peal_loop_run(x->l, 0);
		CHECK_INT(x->done, err ? 0 : 1);
		err = err ? err : x->err;
		peal_resolver_free(x->r);
	}
	x->r = NULL;
	peal_loop_run(x->l, 0);
	return err != PEAL_OK || x->n != 3;
}

static void every_allocation_may_fail(void)
{
	struct run x;

	begin(&x);
	peal_resolver_free(x.r);
	CHECK_INT(work(&x), 0);
	printf("a query: %ld allocations\n", alloc_fail_each(work, &x));
	end(&x);
}

int main(int argc, char **argv)
{
	static const struct test_case cases[] = {
		{ "records", records },
		{ "both families", both_families },
		{ "failures", failures },
		{ "never asked", never_asked },
		{ "cancels", cancels },
		{ "wrong servers", wrong_servers },
		{ "addresses and datagrams", addresses_and_datagrams },
		{ "every allocation may fail", every_allocation_may_fail },
	};

	REQUIRE(peal_alloc_hook_libraries() == PEAL_OK);
	return test_main(cases, sizeof(cases) / sizeof(*cases), argc, argv);
}
