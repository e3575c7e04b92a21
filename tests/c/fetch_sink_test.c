/* fetch_sink_test.c - bodies handed on piece by piece. */
#include <signal.h>

#include "alloc_fail.h"
#include "decode/crypto.h"
#include "fetch_run.h"

enum { BIG = 64 << 20, BLOCK = 65536 };

struct sink {
	struct run *run;
	size_t bytes;
	unsigned calls;
	struct peal_hash hash;
	char first[64]; /* of the bytes */
	size_t stop_at; /* 0: never */
	enum peal_err with;
	struct peal_fetch *cancel, *cancel_too;
	int start; /* another one */
};

static enum peal_err take(const void *bytes, size_t len, void *arg)
{
	static const struct peal_fetch_request other = {
		.url = "http://a.example/", .address = "127.0.0.1"
	};
	struct sink *s = arg;

	CHECK(len > 0);
	if (s->bytes < sizeof(s->first) - 1 && len < sizeof(s->first) - 1)
		strncat(s->first, bytes, len);
	s->calls++;
	s->bytes += len;
	peal_hash_add(&s->hash, bytes, len);
	CHECK(peal_fetcher_busy(s->run->f));
	if (s->start)
		CHECK_ERR(peal_fetch_start(NULL, s->run->f, &other, keep,
					   s->run, NULL),
			  PEAL_ESTATE);
	peal_fetch_cancel(s->cancel);
	peal_fetch_cancel(s->cancel_too);
	return s->stop_at && s->bytes >= s->stop_at ? s->with : PEAL_OK;
}

static void sink_begin(struct sink *s, struct run *x,
		       struct peal_fetch_request *r)
{
	memset(s, 0, sizeof(*s));
	s->run = x;
	REQUIRE(peal_hash_init(&s->hash, PEAL_HASH_SHA256) == PEAL_OK);
	memset(r, 0, sizeof(*r));
	r->sink = take;
	r->sink_arg = s;
}

/* --- a body that nobody could keep -------------------------------------- */

static size_t poured;

static void fill(char *block, size_t number)
{
	size_t i;

	for (i = 0; i < BLOCK; i++)
		block[i] = (char)(i * 7 + number);
}

static void on_pour(uv_timer_t *t)
{
	struct conn *c = t->data;
	static char block[BLOCK];

	if (uv_stream_get_write_queue_size((uv_stream_t *)&c->tcp) >= BLOCK)
		return;
	fill(block, poured / BLOCK);
	conn_send(c, block, BLOCK);
	poured += BLOCK;
	if (poured == BIG) {
		uv_timer_stop(t);
		conn_finish(c);
	}
}

/* With a length, or until the connection ends. */
static void pour(struct conn *c, const char *request)
{
	int known = strstr(request, "/known") != NULL;
	char head[100];

	snprintf(head, sizeof(head), "Content-Length: %d\r\n", BIG);
	conn_text(c, "HTTP/1.0 200 OK\r\n");
	conn_text(c, known ? head : "");
	conn_text(c, "\r\n");
	poured = 0;
	uv_timer_start(&c->timer, on_pour, 0, 1);
}

static void hash_of_it(unsigned char digest[PEAL_SHA256_SIZE])
{
	static char block[BLOCK];
	struct peal_hash h;
	size_t i;

	peal_hash_init(&h, PEAL_HASH_SHA256);
	for (i = 0; i < BIG / BLOCK; i++) {
		fill(block, i);
		peal_hash_add(&h, block, BLOCK);
	}
	CHECK_ERR(peal_hash_final(&h, digest), PEAL_OK);
	peal_hash_fini(&h);
}

/* Most memory that this process ever had, in KiB. */
static long peak_kib(void)
{
	char line[128];
	long kib = 0;
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, "VmHWM:", 6) == 0)
			kib = atol(line + 6);
	if (f)
		fclose(f);
	return kib;
}

static void a_large_body_is_never_held(void)
{
	static const char *const paths[] = { "/known", "/unknown" };
	unsigned char want[PEAL_SHA256_SIZE], got[PEAL_SHA256_SIZE];
	struct peal_fetch_request r;
	struct alloc_fail a;
	struct sink s;
	struct run x;
	long before;
	int i;

	hash_of_it(want);
	for (i = 0; i < 2; i++) {
		begin(&x, pour);
		sink_begin(&s, &x, &r);
		before = peak_kib();
		alloc_fail_begin(&a, 0, 0);
		CHECK_ERR(go(&x, &r, paths[i]), PEAL_OK);
		alloc_fail_end(&a);
		CHECK_INT(s.bytes, BIG);
		CHECK_INT(x.received, BIG);
		CHECK_INT(x.body_len, 0);
		CHECK_ERR(peal_hash_final(&s.hash, got), PEAL_OK);
		CHECK_MEM(got, sizeof(got), want, sizeof(want));
		CHECK(a.peak < 300000);
#ifndef __SANITIZE_ADDRESS__ /* which keeps freed memory for a while */
		CHECK(peak_kib() - before < 4096);
#endif
		printf("64 MiB over HTTP: %ld bytes at most, VmHWM +%ld KiB\n",
		       a.peak, peak_kib() - before);
		peal_hash_fini(&s.hash);
		end(&x);
	}
}

/* --- which bodies ------------------------------------------------------- */

static void only_answers_that_succeed(void)
{
	static const struct {
		const char *answer;
		unsigned calls;
		const char *bytes;
	} rows[] = {
		{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nimage", 1,
		  "image" },
		{ "HTTP/1.1 203 OK\r\nContent-Length: 5\r\n\r\nimage", 1,
		  "image" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0, "" },
		{ "HTTP/1.1 204 No\r\n\r\n", 0, "" },
		{ "HTTP/1.1 404 No\r\nContent-Length: 5\r\n\r\nsorry", 0, "" },
		{ "HTTP/1.1 302 No\r\nLocation: /\r\nContent-Length: 5\r\n\r\n"
		  "there",
		  0, "" },
		{ "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\n"
		  "Content-Length: 5\r\n\r\nlogin",
		  0, "" },
		{ "HTTP/1.1 500 No\r\nContent-Length: 5\r\n\r\nsorry", 0, "" },
	};
	struct peal_fetch_request r;
	struct sink s;
	struct run x;
	size_t i;

	begin(&x, say);
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		sink_begin(&s, &x, &r);
		canned = rows[i].answer;
		CHECK_ERR(go(&x, &r, "/"), PEAL_OK);
		CHECK_INT(x.status, atoi(canned + 9));
		CHECK_INT(s.calls, rows[i].calls);
		CHECK_STR(s.first, rows[i].bytes);
		CHECK_INT(x.body_len, 0);
		CHECK_INT(x.received, strlen(rows[i].bytes));
		peal_hash_fini(&s.hash);
	}
	end(&x);
}

static void ask_for_login(struct conn *c, const char *request)
{
	conn_text(c, strstr(request, "Authorization: Basic") ?
			     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
			     "image" :
			     "HTTP/1.1 401 No\r\nContent-Length: 5\r\n"
			     "WWW-Authenticate: Basic realm=\"x\"\r\n\r\n"
			     "login");
}

static void nothing_of_a_challenge(void)
{
	struct peal_fetch_request r;
	struct sink s;
	struct run x;

	begin(&x, ask_for_login);
	sink_begin(&s, &x, &r);
	r.user = "phone";
	r.password = "s3cret";
	r.auth = PEAL_AUTH_BASIC;
	CHECK_ERR(go(&x, &r, "/"), PEAL_OK);
	CHECK_INT(x.sent, 2);
	CHECK_STR(s.first, "image");
	CHECK_INT(x.received, 5);
	peal_hash_fini(&s.hash);
	end(&x);
}

/* --- ends --------------------------------------------------------------- */

static void the_cap_counts(void)
{
	struct peal_fetch_request r;
	struct sink s;
	struct run x;

	begin(&x, pour);
	sink_begin(&s, &x, &r);
	r.max = BIG - 1;
	CHECK_ERR(go(&x, &r, "/known"), PEAL_ETOOBIG);
	CHECK_INT(s.calls, 0); /* it was said before */
	r.max = 1000000;
	CHECK_ERR(go(&x, &r, "/unknown"), PEAL_ETOOBIG);
	CHECK(s.bytes > 900000 && s.bytes <= 1000000);
	CHECK_INT(x.received, s.bytes);
	peal_hash_fini(&s.hash);
	end(&x);
}

static void a_sink_may_refuse(void)
{
	struct peal_fetch_request r;
	struct sink s;
	struct run x;

	begin(&x, pour);
	sink_begin(&s, &x, &r);
	s.stop_at = 200000;
	s.with = PEAL_ENOSPC;
	CHECK_ERR(go(&x, &r, "/known"), PEAL_ENOSPC);
	CHECK_STR(x.reason, "no space left");
	CHECK(s.bytes >= 200000 && s.bytes < 400000);
	peal_hash_fini(&s.hash);

	/* the connection is gone, the fetcher is not */
	sink_begin(&s, &x, &r);
	r.max = 1;
	CHECK_ERR(go(&x, &r, "/known"), PEAL_ETOOBIG);
	CHECK(!peal_fetcher_busy(x.f));
	peal_hash_fini(&s.hash);
	end(&x);
}

static void a_sink_may_cancel(void)
{
	struct peal_fetch_request r, quiet = { .address = "127.0.0.1" };
	struct sink s;
	struct run x, y;
	char url[64];

	begin(&x, pour);
	memset(&y, 0, sizeof(y));
	sink_begin(&s, &x, &r);
	snprintf(url, sizeof(url), "http://a.example:%u/", x.server.port);
	r.url = quiet.url = url;
	r.address = "127.0.0.1";
	CHECK_ERR(peal_fetch_start(&s.cancel, x.f, &r, keep, &x, NULL),
		  PEAL_OK);
	CHECK_ERR(peal_fetch_start(&s.cancel_too, x.f, &quiet, keep, &y, NULL),
		  PEAL_OK);
	s.start = 1;
	while (!x.done || !y.done)
		REQUIRE(peal_loop_run(x.l, 1) == PEAL_OK);
	CHECK_ERR(x.err, PEAL_ECANCELED);
	CHECK_ERR(y.err, PEAL_ECANCELED);
	CHECK_INT(x.done + y.done, 2);
	CHECK_INT(s.calls, 1);
	peal_hash_fini(&s.hash);
	end(&x);
}

static void broken_midway(void)
{
	struct peal_fetch_request r;
	struct sink s;
	struct run x;

	begin(&x, say);
	sink_begin(&s, &x, &r);
	canned = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		 "5\r\nimage\r\nnonsense\r\n";
	CHECK_ERR(go(&x, &r, "/"), PEAL_EPROTO);
	CHECK_STR(s.first, "image");
	CHECK_INT(x.received, 5);
	peal_hash_fini(&s.hash);
	end(&x);
}

static int exchange(void *arg)
{
	struct run *x = arg;
	struct peal_fetch_request r;
	struct sink s;
	enum peal_err err;

	memset(&s, 0, sizeof(s));
	memset(&r, 0, sizeof(r));
	s.run = x;
	s.hash.err = PEAL_EINTERNAL; /* not used */
	r.sink = take;
	r.sink_arg = &s;
	canned = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
		 "Connection: close\r\n\r\nimage";
	r.total_ms = 1000;
	err = peal_fetcher_new(&x->f, x->l);
	if (!err)
		err = go(x, &r, "/");
	CHECK(err != PEAL_ETIMEOUT); /* no failure is silent */
	if (x->f)
		peal_fetcher_free(x->f);
	x->f = NULL;
	/* let the handles close */
	while (x->server.closed < x->server.connections)
		peal_loop_run(x->l, 1);
	peal_loop_run(x->l, 0);
	return err || s.bytes != 5;
}

static void every_allocation_may_fail(void)
{
	struct run x;

	begin(&x, say);
	peal_fetcher_free(x.f);
	x.f = NULL;
	CHECK_INT(exchange(&x), 0); /* what libraries keep is there now */
	CHECK(alloc_fail_each(exchange, &x) > 20);
	end(&x);
}

int main(int argc, char **argv)
{
	static const struct test_case cases[] = {
		{ "a large body is never held", a_large_body_is_never_held },
		{ "only answers that succeed", only_answers_that_succeed },
		{ "nothing of a challenge", nothing_of_a_challenge },
		{ "the cap counts", the_cap_counts },
		{ "a sink may refuse", a_sink_may_refuse },
		{ "a sink may cancel", a_sink_may_cancel },
		{ "broken midway", broken_midway },
		{ "every allocation may fail", every_allocation_may_fail },
	};

	signal(SIGPIPE, SIG_IGN);
	REQUIRE(peal_alloc_hook_libraries() == PEAL_OK);
	return test_main(cases, sizeof(cases) / sizeof(*cases), argc, argv);
}
