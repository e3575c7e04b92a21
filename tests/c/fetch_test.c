/* fetch_test.c - HTTP exchanges with a server that does what no server
 * should: lies about lengths, floods, hangs, hangs up. */
#include "peal/fetch.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "fetch_run.h"
#include "test.h"

static void say_and_end(struct conn *c, const char *request)
{
	(void)request;
	conn_text(c, canned);
	conn_finish(c);
}

static void ordinary(void)
{
	struct run x;
	char host[64];

	begin(&x, say);
	canned = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
		 "X-Folded: a\r\n  b\r\nx-two:\t c \r\n\r\nhello";
	CHECK_ERR(get(&x, "/a/../b?c=%41"), PEAL_OK);
	CHECK_INT(x.status, 200);
	CHECK_STR(x.body, "hello");
	CHECK_INT(x.sent, 1);
	CHECK_STR(x.peer, "127.0.0.1");
	CHECK_INT(x.port, x.server.port);
	CHECK_STR(x.headers, "HTTP/1.1 200 OK\nContent-Length: 5\n"
			     "X-Folded: a b\nx-two:\t c \n" +
				     strlen("HTTP/1.1 200 OK\n"));
	CHECK(strstr(x.server.last, "GET /a/../b?c=%41 HTTP/1.1\r\n") ==
	      x.server.last);
	snprintf(host, sizeof(host), "\r\nHost: pv.telco.net:%u\r\n",
		 x.server.port);
	CHECK(strstr(x.server.last, host) != NULL);
	CHECK(!strstr(x.server.last, "Accept"));
	CHECK(!strstr(x.server.last, "User-Agent"));
	end(&x);
}

static void a_question_mark_stays(void)
{
	struct run x;

	begin(&x, say);
	canned = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	CHECK_ERR(get(&x, "/cgi-bin/reflect.pl?"), PEAL_OK);
	CHECK(strstr(x.server.last, "GET /cgi-bin/reflect.pl? HTTP/1.1\r\n") ==
	      x.server.last);
	CHECK_INT(x.body_len, 0);
	end(&x);
}

static void headers_and_body_go_out(void)
{
	static const char *const headers[] = { "User-Agent: peal/1 (x)",
					       "Accept: */*",
					       "X-Empty:", NULL };
	struct run x;
	struct peal_fetch_request r = { .headers = headers,
					.method = "POST",
					.body = "a\0b",
					.body_len = 3 };

	begin(&x, say);
	canned = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";
	CHECK_ERR(go(&x, &r, "/"), PEAL_OK);
	CHECK_INT(x.status, 201);
	CHECK(strncmp(x.server.last, "POST / HTTP/1.1\r\n", 17) == 0);
	CHECK(strstr(x.server.last, "\r\nUser-Agent: peal/1 (x)\r\n") != NULL);
	CHECK(strstr(x.server.last, "\r\nAccept: */*\r\n") != NULL);
	CHECK(strstr(x.server.last, "\r\nX-Empty:\r\n") != NULL);
	CHECK(strstr(x.server.last, "\r\nContent-Length: 3\r\n") != NULL);
	CHECK(!strstr(x.server.last, "Content-Type"));
	CHECK(!strstr(x.server.last, "Expect"));
	r.method = "PUT";
	CHECK_ERR(go(&x, &r, "/"), PEAL_OK);
	CHECK(strncmp(x.server.last, "PUT / HTTP/1.1\r\n", 16) == 0);
	CHECK(strstr(x.server.last, "\r\nContent-Length: 3\r\n") != NULL);
	end(&x);
}

static void forms_of_bodies(void)
{
	static const struct {
		const char *answer;
		enum peal_err err;
		const char *body;
	} cases[] = {
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		  "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n",
		  PEAL_OK, "abcde" },
		{ "HTTP/1.0 200 OK\r\n\r\nuntil the end", PEAL_OK,
		  "until the end" },
		{ "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"
		  "Content-Length: 1\r\n\r\nx",
		  PEAL_OK, "x" },
		{ "HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno", PEAL_OK,
		  "no" },
		{ "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n"
		  "Content-Length: 0\r\n\r\n",
		  PEAL_OK, "" },
		{ "HTTP/1.1 204 None\r\n\r\n", PEAL_OK, "" },
		{ "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
		  "Content-Length: 3\r\n\r\nabc",
		  PEAL_OK, "abc" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n"
		  "Content-Length: 3\r\n\r\nabc",
		  PEAL_OK, "abc" },
		/* lies */
		{ "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
		  PEAL_EPARTIAL, "abc" },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		  "9\r\nabc",
		  PEAL_EPARTIAL, "abc" },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		  "3\r\nabc\r\n",
		  PEAL_EPARTIAL, "abc" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc",
		  PEAL_EPROTO, NULL },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n"
		  "Content-Length: 4\r\n\r\nabcd",
		  PEAL_EPROTO, "" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nabc",
		  PEAL_EPROTO, "" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 3x\r\n\r\nabc",
		  PEAL_EPROTO, "" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\nabc",
		  PEAL_ETOOBIG, "" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: "
		  "99999999999999999999999\r\n\r\nabc",
		  PEAL_EPROTO, "" },
		{ "this is no HTTP\r\n\r\n", PEAL_EPROTO, "" },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		  "zz\r\nabc",
		  PEAL_EPROTO, "" },
		{ "", PEAL_ECONNECT, "" },
		{ "HTTP/1.1 200 OK\r\nConte", PEAL_EPARTIAL, "" },
	};
	struct run x;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		begin(&x, say_and_end);
		canned = cases[i].answer;
		if (!CHECK_ERR(get(&x, "/"), cases[i].err))
			fprintf(stderr, "\tcase %zu: %s\n", i, x.reason);
		if (cases[i].body)
			CHECK_STR(x.body, cases[i].body);
		if (x.err)
			CHECK(x.reason[0] != '\0');
		end(&x);
	}
}

static void flood_body(struct conn *c, const char *request)
{
	if (strstr(request, "/chunked")) {
		conn_text(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
			     "chunked\r\n\r\nfffffff\r\n");
	} else {
		conn_text(c, "HTTP/1.0 200 OK\r\n\r\n");
	}
	conn_flood(c);
}

static void endless_body_is_cut(void)
{
	struct peal_fetch_request r = { .max = 200000 };
	struct alloc_fail a;
	struct run x;

	begin(&x, flood_body);
	alloc_fail_begin(&a, 0, 0);
	CHECK_ERR(go(&x, &r, "/"), PEAL_ETOOBIG);
	CHECK(x.body_len <= r.max);
	CHECK(strstr(x.reason, "200000 bytes") != NULL);
	CHECK_ERR(go(&x, &r, "/chunked"), PEAL_ETOOBIG);
	alloc_fail_end(&a);
	CHECK(a.peak < 600000);
	end(&x);
}

static void the_cap_is_exact(void)
{
	struct peal_fetch_request r = { .max = 5 };
	struct run x;

	begin(&x, say_and_end);
	canned = "HTTP/1.0 200 OK\r\n\r\n12345";
	CHECK_ERR(go(&x, &r, "/"), PEAL_OK);
	CHECK_STR(x.body, "12345");
	canned = "HTTP/1.0 200 OK\r\n\r\n123456";
	CHECK_ERR(go(&x, &r, "/"), PEAL_ETOOBIG);
	end(&x);
}

static void flood_headers(struct conn *c, const char *request)
{
	char line[1000];
	int i;

	conn_text(c, "HTTP/1.1 200 OK\r\n");
	memset(line, 'h', sizeof(line));
	line[100] = ':';
	if (!strstr(request, "/one"))
		memcpy(line + sizeof(line) - 2, "\r\n", 2);
	for (i = 0; i < 1000; i++)
		conn_send(c, line, sizeof(line));
}

static void header_floods_are_refused(void)
{
	struct alloc_fail a;
	struct run x;

	begin(&x, flood_headers);
	alloc_fail_begin(&a, 0, 0);
	CHECK_ERR(get(&x, "/many"), PEAL_EPROTO);
	CHECK(strstr(x.reason, "header") != NULL);
	CHECK_ERR(get(&x, "/one"), PEAL_EPROTO);
	alloc_fail_end(&a);
	CHECK(a.peak < 800000);
	end(&x);
}

static void flood_interim(struct conn *c, const char *request)
{
	int i;

	(void)request;
	for (i = 0; i < 10000; i++)
		conn_text(c, "HTTP/1.1 103 Hint\r\nX: y\r\n\r\n");
}

static void interim_floods_are_refused(void)
{
	struct run x;

	begin(&x, flood_interim);
	CHECK_ERR(get(&x, "/"), PEAL_EPROTO);
	end(&x);
}

static void silent(struct conn *c, const char *request)
{
	(void)c;
	(void)request;
}

static void drip(struct conn *c, const char *request)
{
	(void)request;
	conn_text(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
	conn_drip(c,
		  "slowly, slowly, slowly, slowly, slowly, slowly, slowly, "
		  "slowly, slowly, slowly, slowly, slowly, slowly, slowly",
		  5);
}

static void deadlines(void)
{
	struct peal_fetch_request r = { .idle_ms = 60, .total_ms = 5000 };
	struct run x;

	begin(&x, silent);
	CHECK_ERR(go(&x, &r, "/"), PEAL_ETIMEOUT);
	CHECK(x.total_s >= 0.059 && x.total_s < 3);
	CHECK(strstr(x.reason, "sent nothing") != NULL);
	end(&x);

	begin(&x, drip); /* never idle, never done */
	r.idle_ms = 2000;
	r.total_ms = 150;
	CHECK_ERR(go(&x, &r, "/"), PEAL_ETIMEOUT);
	CHECK(x.total_s >= 0.149 && x.total_s < 3);
	CHECK_INT(x.status, 200);
	CHECK(x.body_len > 0);
	end(&x);
}

/* A full backlog answers no SYN: the connection hangs. */
static void connect_deadline(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	struct peal_fetch_request r = { .connect_ms = 80 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fill[4], i;
	struct run x;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	REQUIRE(bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
	REQUIRE(listen(fd, 0) == 0);
	REQUIRE(getsockname(fd, (struct sockaddr *)&a, &len) == 0);
	for (i = 0; i < 4; i++) {
		fill[i] = socket(AF_INET,
				 SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		connect(fill[i], (struct sockaddr *)&a, sizeof(a));
	}
	begin(&x, silent);
	x.server.port = ntohs(a.sin_port);
	CHECK_ERR(go(&x, &r, "/"), PEAL_ETIMEOUT);
	CHECK(strstr(x.reason, "no connection") != NULL);
	CHECK_INT(x.sent, 0);
	CHECK_STR(x.peer, "127.0.0.1");
	for (i = 0; i < 4; i++)
		close(fill[i]);
	close(fd);
	end(&x);
}

static void nobody_listens(void)
{
	struct run x;
	uint16_t port;

	begin(&x, silent);
	port = x.server.port;
	end(&x); /* now nobody has that port */
	begin(&x, silent);
	x.server.port = port;
	CHECK_ERR(get(&x, "/"), PEAL_ECONNECT);
	CHECK(strstr(x.reason, "refused") != NULL);
	end(&x);
}

static void cancels(void)
{
	struct peal_fetch_request r = { .address = "127.0.0.1" };
	struct peal_fetch *t;
	struct run x;
	char url[64];

	begin(&x, silent);
	snprintf(url, sizeof(url), "http://a.example:%u/", x.server.port);
	r.url = url;
	CHECK_ERR(peal_fetch_start(&t, x.f, &r, keep, &x, NULL), PEAL_OK);
	peal_fetch_cancel(t); /* at once */
	CHECK_INT(x.done, 0);
	peal_loop_run(x.l, 0);
	CHECK_INT(x.done, 1);
	CHECK_ERR(x.err, PEAL_ECANCELED);

	CHECK_ERR(peal_fetch_start(&t, x.f, &r, keep, &x, NULL), PEAL_OK);
	while (x.server.requests == 0) /* while it waits for the answer */
		peal_loop_run(x.l, 1);
	peal_fetch_cancel(t);
	peal_fetch_cancel(t);
	wait_done(&x, 2);
	CHECK_ERR(x.err, PEAL_ECANCELED);

	CHECK_ERR(peal_fetch_start(&t, x.f, &r, keep, &x, NULL), PEAL_OK);
	peal_fetcher_free(x.f); /* cancels all */
	x.f = NULL;
	wait_done(&x, 3);
	CHECK_ERR(x.err, PEAL_ECANCELED);
	peal_fetch_cancel(NULL);
	end(&x);
}

static void loop_freed_with_a_fetch_under_way(void)
{
	struct peal_fetch_request r = { .address = "127.0.0.1" };
	struct run x;
	char url[64];

	begin(&x, silent);
	snprintf(url, sizeof(url), "http://a.example:%u/", x.server.port);
	r.url = url;
	CHECK_ERR(peal_fetch_start(NULL, x.f, &r, keep, &x, NULL), PEAL_OK);
	while (x.server.requests == 0)
		peal_loop_run(x.l, 1);
	server_close(&x.server, x.l);
	peal_fetcher_free(x.f);
	x.done = 0;
	peal_loop_free(x.l);
	CHECK_INT(x.done, 0);
}

static void connections_are_kept(void)
{
	struct run x;

	begin(&x, say);
	canned = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
	CHECK_ERR(get(&x, "/1"), PEAL_OK);
	CHECK_ERR(get(&x, "/2"), PEAL_OK);
	CHECK_INT(x.server.requests, 2);
	CHECK_INT(x.server.connections, 1);
	end(&x);
}

/* Same host and port by name, other address: no old connection serves it. */
static void another_address_is_another_connection(void)
{
	struct peal_fetch_request r = { 0 };
	struct run x;
	char url[64];

	begin(&x, say);
	canned = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
	CHECK_ERR(get(&x, "/1"), PEAL_OK);
	snprintf(url, sizeof(url), "http://pv.telco.net:%u/", x.server.port);
	r.url = url;
	r.address = "127.0.0.2"; /* where nobody listens */
	CHECK_ERR(peal_fetch_start(NULL, x.f, &r, keep, &x, NULL), PEAL_OK);
	wait_done(&x, 2);
	CHECK_ERR(x.err, PEAL_ECONNECT);
	CHECK_STR(x.peer, "127.0.0.2");
	CHECK_INT(x.server.requests, 1);
	end(&x);
}

static void wrong_use(void)
{
	static const struct {
		const char *url;
		const char *address;
		enum peal_err err;
	} cases[] = {
		{ "http://a.example/", NULL, PEAL_EINVAL },
		{ "http://a.example/", "b.example", PEAL_EINVAL },
		{ "https://a.example/", "127.0.0.1", PEAL_EINVAL },
		{ "tftp://a.example/", "127.0.0.1", PEAL_ESCHEME },
		{ "file:///etc/passwd", "127.0.0.1", PEAL_ESCHEME },
		{ "a.example/x", "127.0.0.1", PEAL_EURL },
		{ "", "127.0.0.1", PEAL_EURL },
		{ "http://", "127.0.0.1", PEAL_EURL },
		{ "http://u:p@a.example/", "127.0.0.1", PEAL_EURL },
		{ "http://a.example:99999/", "127.0.0.1", PEAL_EURL },
		{ "http://a.example/a b", "127.0.0.1", PEAL_EURL },
		{ "http://a.example/\r\nX: y", "127.0.0.1", PEAL_EURL },
		{ "http://a\x01.example/", "127.0.0.1", PEAL_EURL },
	};
	static const char *const bad[] = { "X: a\r\nY: b", "no colon",
					   ": empty", "A B: c", "a: b\n" };
	const char *headers[2] = { NULL, NULL };
	struct peal_fetch_request r = { 0 };
	struct peal_reason reason;
	struct run x;
	size_t i;

	begin(&x, silent);
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		r.url = cases[i].url;
		r.address = cases[i].address;
		if (!CHECK_ERR(peal_fetch_start(NULL, x.f, &r, keep, &x,
						&reason),
			       cases[i].err))
			fprintf(stderr, "\t%s\n", cases[i].url);
		CHECK(!strstr(reason.text, "u:p"));
	}
	r.url = "http://a.example/";
	r.address = "127.0.0.1";
	r.headers = headers;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		headers[0] = bad[i];
		CHECK_ERR(peal_fetch_start(NULL, x.f, &r, keep, &x, NULL),
			  PEAL_EINVAL);
	}
	r.headers = NULL;
	r.method = "DELETE";
	CHECK_ERR(peal_fetch_start(NULL, x.f, &r, keep, &x, NULL), PEAL_EINVAL);
	CHECK_INT(x.done, 0);
	end(&x);
}

static void environment_is_not_asked(void)
{
	struct run x;

	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("HTTP_PROXY", "http://127.0.0.1:1", 1);
	setenv("all_proxy", "http://127.0.0.1:1", 1);
	begin(&x, say);
	canned = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
	CHECK_ERR(get(&x, "/"), PEAL_OK);
	end(&x);
	unsetenv("http_proxy");
	unsetenv("HTTP_PROXY");
	unsetenv("all_proxy");
}

static void proxy_gets_the_whole_url(void)
{
	struct peal_fetch_request r = { .url = "http://far.example/x?" };
	struct run x;
	char proxy[64];

	begin(&x, say);
	setenv("no_proxy", "*", 1);
	snprintf(proxy, sizeof(proxy), "http://proxy.example:%u",
		 x.server.port);
	r.proxy = proxy;
	CHECK_ERR(peal_fetch_start(NULL, x.f, &r, keep, &x, NULL), PEAL_EINVAL);
	r.proxy_address = "127.0.0.1";
	canned = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
	CHECK_ERR(peal_fetch_start(NULL, x.f, &r, keep, &x, NULL), PEAL_OK);
	wait_done(&x, 1);
	CHECK_ERR(x.err, PEAL_OK);
	CHECK(strncmp(x.server.last, "GET http://far.example/x? HTTP/1.1\r\n",
		      36) == 0);
	unsetenv("no_proxy");
	end(&x);
}

/* Answers GET, takes anything else and hangs up. */
static void take_and_hang_up(struct conn *c, const char *request)
{
	if (strncmp(request, "GET ", 4) == 0)
		conn_text(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	else
		conn_close(c);
}

/* Fault: the server goes after it has read a report. Nobody knows what became
 * of it, so that it is the caller's to send it again. */
static void no_deed_is_done_twice(void)
{
	static const char *const methods[] = { "POST", "PUT" };
	struct peal_fetch_request r = { .body = "report", .body_len = 6 };
	struct run x;
	unsigned i;

	for (i = 0; i < 2; i++) {
		begin(&x, take_and_hang_up);
		CHECK_ERR(get(&x, "/"), PEAL_OK); /* leaves a connection */
		r.method = methods[i];
		CHECK_ERR(go(&x, &r, "/report"), PEAL_ECONNECT);
		CHECK_INT(x.sent, 1);
		CHECK_INT(x.server.requests, 2);
		CHECK(strstr(x.reason, "without an answer") != NULL);
		end(&x);
	}
}

/* A proxy that wants to know who asks, and then goes. */
static void ask_and_hang_up(struct conn *c, const char *request)
{
	if (!strstr(request, "Proxy-Authorization:"))
		conn_text(c, "HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic "
			     "realm=x\r\nContent-Length: 0\r\n\r\n");
	else
		conn_close(c);
}

static void nor_through_a_proxy(void)
{
	struct peal_fetch_request r = { .url = "http://far.example/report",
					.proxy_address = "127.0.0.1",
					.proxy_user = "u",
					.proxy_password = "p",
					.method = "POST",
					.body = "report",
					.body_len = 6 };
	struct run x;
	char proxy[64];

	begin(&x, ask_and_hang_up);
	snprintf(proxy, sizeof(proxy), "http://proxy.example:%u",
		 x.server.port);
	r.proxy = proxy;
	CHECK_ERR(peal_fetch_start(NULL, x.f, &r, keep, &x, NULL), PEAL_OK);
	wait_done(&x, 1);
	CHECK_ERR(x.err, PEAL_ECONNECT);
	CHECK_INT(x.sent, 2);
	CHECK_INT(x.server.requests, 2);
	end(&x);
}

int main(int argc, char **argv)
{
	static const struct test_case cases[] = {
		{ "ordinary", ordinary },
		{ "a question mark stays", a_question_mark_stays },
		{ "headers and body go out", headers_and_body_go_out },
		{ "forms of bodies", forms_of_bodies },
		{ "endless body is cut", endless_body_is_cut },
		{ "the cap is exact", the_cap_is_exact },
		{ "header floods are refused", header_floods_are_refused },
		{ "interim floods are refused", interim_floods_are_refused },
		{ "deadlines", deadlines },
		{ "connect deadline", connect_deadline },
		{ "nobody listens", nobody_listens },
		{ "cancels", cancels },
		{ "loop freed with a fetch under way",
		  loop_freed_with_a_fetch_under_way },
		{ "connections are kept", connections_are_kept },
		{ "another address is another connection",
		  another_address_is_another_connection },
		{ "no deed is done twice", no_deed_is_done_twice },
		{ "nor through a proxy", nor_through_a_proxy },
		{ "wrong use", wrong_use },
		{ "the environment is not asked", environment_is_not_asked },
		{ "proxy gets the whole url", proxy_gets_the_whole_url },
	};

	signal(SIGPIPE, SIG_IGN);
	REQUIRE(peal_alloc_hook_libraries() == PEAL_OK);
	return test_main(cases, sizeof(cases) / sizeof(*cases), argc, argv);
}
