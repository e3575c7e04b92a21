/* tftp_test.c - the client against a scripted server on the same loop.
 *
 * The server's sockets do not keep the loop alive: it ends with the
 * transfer. Waits are a few milliseconds. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "alloc_fail.h"
#include "peal/alloc.h"
#include "peal/loop.h"
#include "peal/tftp.h"
#include "test.h"

enum { BIG = 70000, UPLOAD = 1 << 20 };

struct server;
typedef void (*script_fn)(struct server *s, const unsigned char *p, size_t n);

/* port[0] takes requests, port[1] is the transfer's, port[2] a stranger's.
 *   script   called for each packet at any port; `at` says which
 *   log      op and number of each packet: "RRQ ACK0 ACK1" */
struct server {
	struct peal_loop *loop;
	uv_udp_t port[3];
	int handles;
	struct sockaddr_storage client;
	script_fn script;
	int at;
	unsigned count; /* packets received */
	unsigned requests, data, acks, errors, at_stranger;
	unsigned last_client_port, first_client_port;
	char log[2048];
	char error_text[64];
	int error_code;
	unsigned char buffer[BIG];

	/* a file to serve or to take */
	const unsigned char *file;
	size_t len, taken, blksize;
	unsigned char *upload;
	int options;   /* answer with OACK */
	unsigned drop; /* ignore the n-th packet, from 1 */
};

struct result {
	struct peal_tftp *t;
	unsigned calls;
	enum peal_err err;
	struct peal_tftp_response r;
	unsigned char *body;
	char text[240];
};

/* --- the server -------------------------------------------------------- */

static void give_room(uv_handle_t *h, size_t size, uv_buf_t *buf)
{
	struct server *s = h->data;

	(void)size;
	*buf = uv_buf_init((char *)s->buffer, BIG);
}

static unsigned port_number(const struct sockaddr_storage *a)
{
	return ntohs(a->ss_family == AF_INET6 ?
			     ((const struct sockaddr_in6 *)a)->sin6_port :
			     ((const struct sockaddr_in *)a)->sin_port);
}

static void note(struct server *s, const unsigned char *p, size_t n)
{
	static const char *const ops[] = { "?",   "RRQ", "WRQ", "DATA",
					   "ACK", "ERR", "OACK" };
	unsigned op = n > 1 && p[1] < 7 ? p[1] : 0;
	size_t used = strlen(s->log);

	s->requests += op == 1 || op == 2;
	s->data += op == 3;
	s->acks += op == 4;
	s->errors += op == 5;
	if (op == 5 && s->at != 2) {
		s->error_code = p[3];
		snprintf(s->error_text, sizeof(s->error_text), "%s", p + 4);
	}
	if (used > sizeof(s->log) - 32)
		return;
	used += (size_t)sprintf(s->log + used, "%s%s", used ? " " : "",
				ops[op]);
	if (op > 2)
		sprintf(s->log + used, "%u", (unsigned)p[2] << 8 | p[3]);
}

static void receive(uv_udp_t *u, ssize_t n, const uv_buf_t *buf,
		    const struct sockaddr *from, unsigned flags)
{
	struct server *s = u->data;

	(void)buf;
	(void)flags;
	if (n < 0 || !from)
		return;
	s->at = (int)(u - s->port);
	memcpy(&s->client, from,
	       from->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) :
					     sizeof(struct sockaddr_in));
	s->last_client_port = port_number(&s->client);
	if (!s->first_client_port)
		s->first_client_port = s->last_client_port;
	s->count++;
	s->at_stranger += s->at == 2;
	note(s, s->buffer, (size_t)n);
	if (s->drop != s->count && s->script)
		s->script(s, s->buffer, (size_t)n);
}

static void answer(struct server *s, int from, const void *bytes, size_t n)
{
	uv_buf_t buf = uv_buf_init((char *)bytes, (unsigned)n);

	if (!uv_is_closing((uv_handle_t *)&s->port[from]))
		uv_udp_try_send(&s->port[from], &buf, 1,
				(struct sockaddr *)&s->client);
}

#define ANSWER(s, from, text) answer((s), (from), (text), sizeof(text) - 1)

static void closed(uv_handle_t *h)
{
	((struct server *)h->data)->handles--;
}

static void close_at(struct server *s, int i)
{
	if (!uv_is_closing((uv_handle_t *)&s->port[i]))
		uv_close((uv_handle_t *)&s->port[i], closed);
}

/* NULL when there is no memory for its loop. */
static struct server *server_try(const char *address, script_fn script)
{
	struct server *s = calloc(1, sizeof(*s));
	struct sockaddr_storage any;
	int i;

	REQUIRE(s != NULL);
	if (peal_loop_new(&s->loop)) {
		free(s);
		return NULL;
	}
	memset(&any, 0, sizeof(any));
	if (strchr(address, ':'))
		uv_ip6_addr(address, 0, (struct sockaddr_in6 *)&any);
	else
		uv_ip4_addr(address, 0, (struct sockaddr_in *)&any);
	for (i = 0; i < 3; i++) {
		uv_udp_init(peal_loop_uv(s->loop), &s->port[i]);
		s->port[i].data = s;
		REQUIRE(uv_udp_bind(&s->port[i], (struct sockaddr *)&any, 0) ==
			0);
		uv_udp_recv_start(&s->port[i], give_room, receive);
		uv_unref((uv_handle_t *)&s->port[i]);
	}
	s->handles = 3;
	s->script = script;
	s->error_code = -1;
	s->blksize = 512;
	return s;
}

static struct server *server_on(const char *address, script_fn script)
{
	struct server *s = server_try(address, script);

	REQUIRE(s != NULL);
	return s;
}

static struct server *server(script_fn script)
{
	return server_on("127.0.0.1", script);
}

static void server_free(struct server *s)
{
	int i;

	for (i = 0; i < 3; i++)
		close_at(s, i);
	peal_loop_free(s->loop);
	CHECK_INT(s->handles, 0);
	free(s->upload);
	free(s);
}

static uint16_t request_port(struct server *s)
{
	struct sockaddr_storage a;
	int len = sizeof(a);

	uv_udp_getsockname(&s->port[0], (struct sockaddr *)&a, &len);
	return (uint16_t)port_number(&a);
}

/* --- the client -------------------------------------------------------- */

static void done(enum peal_err err, const struct peal_tftp_response *r,
		 const struct peal_reason *reason, void *arg)
{
	struct result *x = arg;

	x->calls++;
	x->err = err;
	x->r = *r;
	if (r->body) {
		x->body = malloc(r->body_len + 1);
		memcpy(x->body, r->body, r->body_len);
	}
	x->r.body = NULL;
	if (reason)
		snprintf(x->text, sizeof(x->text), "%s", reason->text);
}

static struct peal_tftp_request request(struct server *s)
{
	struct peal_tftp_request q;

	memset(&q, 0, sizeof(q));
	q.address = "127.0.0.1";
	q.port = request_port(s);
	q.name = "f.xml";
	q.wait_ms = 60000; /* a test that needs less sets it */
	return q;
}

/* Let the server read what has come last: loopback delivers at once. */
static void settle(struct server *s)
{
	uv_handle_t *open = (uv_handle_t *)&s->port[0];
	int i;

	if (uv_is_closing(open))
		open = (uv_handle_t *)&s->port[1];
	uv_ref(open);
	for (i = 0; i < 3; i++)
		uv_run(peal_loop_uv(s->loop), UV_RUN_NOWAIT);
	uv_unref(open);
}

static struct result run(struct server *s, const struct peal_tftp_request *q)
{
	struct result x;
	struct peal_reason reason;

	memset(&x, 0, sizeof(x));
	peal_reason_clear(&reason);
	REQUIRE(peal_tftp_start(&x.t, s->loop, q, done, &x, &reason) ==
		PEAL_OK);
	CHECK_INT(x.calls, 0);
	peal_loop_run(s->loop, 0);
	settle(s);
	CHECK_INT(x.calls, 1);
	return x;
}

static struct result fetch(struct server *s)
{
	struct peal_tftp_request q = request(s);

	return run(s, &q);
}

static void fini(struct server *s, struct result *x)
{
	free(x->body);
	server_free(s);
}

/* --- an honest server -------------------------------------------------- */

static size_t option(const unsigned char *p, size_t n, const char *name)
{
	size_t i;

	for (i = 2; i + strlen(name) < n; i++)
		if (strcmp((const char *)p + i, name) == 0)
			return (size_t)atol((const char *)p + i + strlen(name) +
					    1);
	return 0;
}

static void send_block(struct server *s, unsigned long block)
{
	static unsigned char out[BIG];
	size_t at = (block - 1) * s->blksize;
	size_t n = s->len - at < s->blksize ? s->len - at : s->blksize;

	out[0] = 0;
	out[1] = 3;
	out[2] = (unsigned char)(block >> 8);
	out[3] = (unsigned char)block;
	memcpy(out + 4, s->file + at, n);
	answer(s, 1, out, n + 4);
}

static void oack(struct server *s, const unsigned char *p, size_t n)
{
	char out[64];
	int len;

	s->blksize = option(p, n, "blksize");
	len = sprintf(out, "%c%ctsize%c%zu%cblksize%c%zu%c", 0, 6, 0,
		      s->file ? s->len : option(p, n, "tsize"), 0, 0,
		      s->blksize, 0);
	answer(s, 1, out, (size_t)len);
}

/* Serves s->file; blocks are counted by what was sent, so that numbers may
 * wrap. */
static void serve(struct server *s, const unsigned char *p, size_t n)
{
	unsigned number = (unsigned)p[2] << 8 | p[3];

	if (p[1] == 1 && s->options) {
		oack(s, p, n);
		s->taken = 0;
	} else if (p[1] == 1) {
		s->taken = 1;
		send_block(s, 1);
	} else if (p[1] == 4 && number == (s->taken & 0xffff)) {
		if (s->taken && s->taken * s->blksize > s->len)
			return;
		send_block(s, ++s->taken);
	}
}

/* Takes a file. */
static void take(struct server *s, const unsigned char *p, size_t n)
{
	unsigned number = (unsigned)p[2] << 8 | p[3];
	unsigned char ack[4] = { 0, 4, p[2], p[3] };

	if (p[1] == 2 && s->options) {
		oack(s, p, n);
	} else if (p[1] == 2) {
		ANSWER(s, 1, "\0\4\0\0");
	} else if (p[1] == 3) {
		if (number == ((s->taken + 1) & 0xffff)) {
			if (!s->upload)
				s->upload = malloc(UPLOAD);
			REQUIRE(s->len + n <= UPLOAD);
			memcpy(s->upload + s->len, p + 4, n - 4);
			s->len += n - 4;
			s->taken++;
		}
		answer(s, 1, ack, 4);
	}
}

static unsigned char *some_file(size_t n)
{
	unsigned char *p = malloc(n + 1);
	size_t i;

	REQUIRE(p != NULL);
	for (i = 0; i < n; i++)
		p[i] = (unsigned char)(i * 31 + i / 509);
	return p;
}

/* --- downloads --------------------------------------------------------- */

static void fetches_with_and_without_options(void)
{
	static const unsigned char file[] = "<flat-profile/>";
	struct server *s = server(serve);
	struct result x;

	s->file = file;
	s->len = 15;
	s->options = 1;
	x = fetch(s);
	CHECK_ERR(x.err, PEAL_OK);
	CHECK_MEM(x.body, x.r.body_len, file, 15);
	CHECK_STR(s->log, "RRQ ACK0 ACK1");
	CHECK_INT(x.r.blksize, 1428);
	CHECK_STR(x.r.peer, "127.0.0.1");
	CHECK(x.r.peer_port != request_port(s));
	CHECK_INT(x.r.packets_sent, 3);
	CHECK_INT(x.r.packets_received, 2);
	CHECK_INT(x.r.foreign, 0);
	CHECK_INT(x.r.error_code, -1);
	CHECK(x.r.total_s >= 0 && x.r.total_s < 60);
	free(x.body);

	s->options = 0;
	s->blksize = 512;
	s->log[0] = '\0';
	x = fetch(s);
	CHECK_ERR(x.err, PEAL_OK);
	CHECK_STR(s->log, "RRQ ACK1");
	CHECK_INT(x.r.blksize, 512);
	fini(s, &x);
}

static void fetches_size(size_t n, int options)
{
	struct server *s = server(serve);
	unsigned char *file = some_file(n);
	struct result x;

	s->file = file;
	s->len = n;
	s->options = options;
	x = fetch(s);
	CHECK_ERR(x.err, PEAL_OK);
	REQUIRE(x.body != NULL);
	CHECK_MEM(x.body, x.r.body_len, file, n);
	CHECK_INT(s->data + s->errors, 0);
	CHECK_INT(s->acks, n / s->blksize + 1 + (unsigned)options);
	free(file);
	fini(s, &x);
}

static void fetches_every_size(void)
{
	static const size_t sizes[] = { 0,    1,    511,  512,  513,  1024,
					1427, 1428, 1429, 2856, 4096, 100000 };
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		fetches_size(sizes[i], 0);
		fetches_size(sizes[i], 1);
	}
}

static void wraps_the_block_number(void)
{
	const size_t n = 40 << 20;
	struct server *s = server(serve);
	unsigned char *file = some_file(n);
	struct peal_tftp_request q;
	struct result x;

	s->file = file;
	s->len = n;
	q = request(s);
	q.max = n;
	q.no_options = 1;
	x = run(s, &q);
	CHECK_ERR(x.err, PEAL_OK);
	REQUIRE(x.body != NULL);
	CHECK_MEM(x.body, x.r.body_len, file, n);
	CHECK_INT(s->acks, n / 512 + 1);
	free(file);
	fini(s, &x);
}

/* --- sinks ------------------------------------------------------------- */

struct sink {
	const unsigned char *file; /* what it must be */
	size_t bytes, calls, stop_at;
	enum peal_err with;
	struct peal_tftp **cancel;
};

static enum peal_err sink(const void *bytes, size_t len, void *arg)
{
	struct sink *k = arg;

	CHECK(len > 0 && memcmp(bytes, k->file + k->bytes, len) == 0);
	k->calls++;
	k->bytes += len;
	if (k->cancel)
		peal_tftp_cancel(*k->cancel);
	return k->stop_at && k->bytes >= k->stop_at ? k->with : PEAL_OK;
}

static void a_sink_gets_the_file(void)
{
	static const size_t sizes[] = { 0, 1, 1427, 1428, 1429, 64 << 20 };
	struct peal_tftp_request q;
	struct alloc_fail a;
	struct sink k;
	struct server *s;
	struct result x;
	unsigned char *file;
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		s = server(serve);
		file = some_file(sizes[i]);
		memset(&k, 0, sizeof(k));
		k.file = s->file = file;
		s->len = sizes[i];
		s->options = 1;
		q = request(s);
		q.sink = sink;
		q.sink_arg = &k;
		alloc_fail_begin(&a, 0, 0);
		x = run(s, &q);
		alloc_fail_end(&a);
		CHECK_ERR(x.err, PEAL_OK);
		CHECK_INT(k.bytes, sizes[i]);
		CHECK_INT(x.r.received, sizes[i]);
		CHECK_INT(x.r.body_len, 0);
		CHECK(a.peak < 20000);
		free(file);
		fini(s, &x);
	}
}

static void a_sink_may_end_it(void)
{
	static const struct {
		enum peal_err with;
		int code;
	} rows[] = { { PEAL_ENOSPC, 3 }, { PEAL_EIO, 0 } };
	struct peal_tftp_request q;
	struct sink k;
	struct server *s;
	struct result x;
	unsigned char *file = some_file(100000);
	size_t i;

	for (i = 0; i < 2; i++) {
		s = server(serve);
		memset(&k, 0, sizeof(k));
		k.file = s->file = file;
		s->len = 100000;
		q = request(s);
		q.sink = sink;
		q.sink_arg = &k;
		k.stop_at = 1000;
		k.with = rows[i].with;
		x = run(s, &q);
		CHECK_ERR(x.err, rows[i].with);
		CHECK_STR(x.text, peal_err_text(rows[i].with));
		CHECK_INT(k.bytes, 1024);
		CHECK_INT(x.r.received, 512); /* the refused block is not */
		CHECK_INT(s->error_code, rows[i].code);
		fini(s, &x);
	}
	free(file);
}

static void a_sink_may_cancel_it(void)
{
	struct peal_tftp_request q;
	struct sink k;
	struct server *s = server(serve);
	struct result x;
	struct peal_tftp *t = NULL;
	unsigned char *file = some_file(3000);

	memset(&k, 0, sizeof(k));
	memset(&x, 0, sizeof(x));
	k.file = s->file = file;
	s->len = 3000;
	q = request(s);
	q.sink = sink;
	q.sink_arg = &k;
	k.cancel = &t;
	REQUIRE(peal_tftp_start(&t, s->loop, &q, done, &x, NULL) == PEAL_OK);
	peal_loop_run(s->loop, 0);
	settle(s);
	CHECK_INT(x.calls, 1);
	CHECK_ERR(x.err, PEAL_ECANCELED);
	CHECK_INT(k.calls, 1);
	CHECK_STR(s->log, "RRQ ERR0");
	free(file);
	fini(s, &x);
}

static void a_sink_has_a_maximum(void)
{
	struct server *s = server(serve);
	unsigned char *file = some_file(3000);
	struct peal_tftp_request q = request(s);
	struct sink k;
	struct result x;

	memset(&k, 0, sizeof(k));
	k.file = s->file = file;
	s->len = 3000;
	q.sink = sink;
	q.sink_arg = &k;
	q.max = 2999;
	x = run(s, &q);
	CHECK_ERR(x.err, PEAL_ETOOBIG);
	CHECK_INT(k.bytes, 2560);
	CHECK_INT(s->error_code, 3);
	free(file);
	fini(s, &x);
}

static void refuses_more_than_the_maximum(void)
{
	struct server *s = server(serve);
	unsigned char *file = some_file(3000);
	struct peal_tftp_request q;
	struct result x;

	s->file = file;
	s->len = 3000;
	s->options = 1;
	q = request(s);
	q.max = 2999;
	x = run(s, &q);
	CHECK_ERR(x.err, PEAL_ETOOBIG);
	CHECK(x.body == NULL);
	CHECK_INT(s->error_code, 3);
	CHECK_STR(s->log, "RRQ ERR3");

	s->options = 0; /* no size announced: counted */
	s->blksize = 512;
	x = run(s, &q);
	CHECK_ERR(x.err, PEAL_ETOOBIG);
	CHECK_STR(s->log, "RRQ ERR3 RRQ ACK1 ACK2 ACK3 ACK4 ACK5 ERR3");
	free(file);
	fini(s, &x);
}

static void fetches_over_ipv6(void)
{
	static const unsigned char file[] = "six";
	struct server *s = server_on("::1", serve);
	struct peal_tftp_request q = request(s);
	struct result x;

	s->file = file;
	s->len = 3;
	q.address = "::1";
	x = run(s, &q);
	CHECK_ERR(x.err, PEAL_OK);
	CHECK_STR(x.r.peer, "::1");
	CHECK_MEM(x.body, x.r.body_len, "six", 3);
	fini(s, &x);
}

/* --- errors of the server ---------------------------------------------- */

static void answers_code(struct server *s, const unsigned char *p, size_t n)
{
	unsigned char out[] = "\0\5\0\0no\nway";

	(void)p;
	(void)n;
	out[3] = (unsigned char)s->taken;
	answer(s, 1, out, sizeof(out));
}

static void names_the_errors_of_a_server(void)
{
	static const struct {
		unsigned code;
		enum peal_err err;
		unsigned requests;
	} rows[] = {
		{ 0, PEAL_EBADOP, 1 },   { 1, PEAL_EFNF, 1 },
		{ 2, PEAL_EACCESS, 1 },  { 3, PEAL_EDISKFULL, 1 },
		{ 4, PEAL_EBADOP, 2 },   { 5, PEAL_EBADOP, 1 },
		{ 6, PEAL_EBADOP, 1 },   { 7, PEAL_EBADOP, 1 },
		{ 8, PEAL_EBADOPT, 2 },  { 9, PEAL_EBADOP, 1 },
		{ 255, PEAL_EBADOP, 1 },
	};
	struct result x;
	struct server *s;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		s = server(answers_code);
		s->taken = rows[i].code;
		x = fetch(s);
		CHECK_ERR(x.err, rows[i].err);
		CHECK_INT(x.r.error_code, rows[i].code);
		CHECK_STR(x.r.error_text, "no?way");
		CHECK_INT(s->requests, rows[i].requests);
		CHECK_INT(s->errors, 0); /* an ERROR is not answered */
		fini(s, &x);
	}
}

static void old_server(struct server *s, const unsigned char *p, size_t n)
{
	if (p[1] == 1 && option(p, n, "blksize"))
		answers_code(s, p, n);
	else if (p[1] == 1)
		ANSWER(s, 1, "\0\3\0\1plain");
}

static void asks_again_without_options(void)
{
	static const unsigned codes[] = { 8, 4 };
	struct result x;
	struct server *s;
	int i;

	for (i = 0; i < 2; i++) {
		s = server(old_server);
		s->taken = codes[i];
		x = fetch(s);
		CHECK_ERR(x.err, PEAL_OK);
		CHECK_MEM(x.body, x.r.body_len, "plain", 5);
		CHECK_STR(s->log, "RRQ RRQ ACK1");
		CHECK(s->first_client_port != s->last_client_port);
		CHECK_INT(x.r.error_code, -1);
		fini(s, &x);
	}
}

static void fails_midway(struct server *s, const unsigned char *p, size_t n)
{
	(void)n;
	if (p[1] == 1) {
		ANSWER(s, 1, "\0\6blksize\0008\0");
	} else if (p[3] == 0) {
		ANSWER(s, 1, "\0\3\0\1eight...");
	} else {
		answers_code(s, p, n);
	}
}

static void ends_at_an_error_midway(void)
{
	struct server *s = server(fails_midway);
	struct result x;

	s->taken = 8; /* too late for another try */
	x = fetch(s);
	CHECK_ERR(x.err, PEAL_EBADOPT);
	CHECK(x.body == NULL);
	CHECK_INT(x.r.body_len, 0);
	CHECK_STR(s->log, "RRQ ACK0 ACK1");
	fini(s, &x);
}

static void answers_text(struct server *s, const unsigned char *p, size_t n)
{
	(void)n;
	if (p[1] == 1)
		answer(s, 1, s->file, s->len);
}

static void refuses_an_oack_that_lies(void)
{
#define ROW(text)                             \
	{                                     \
		"\0\6" text, sizeof(text) + 1 \
	}
	static const struct {
		const char *text;
		size_t len;
	} rows[] = { ROW("blksize\0001429\0"), ROW("windowsize\0004\0"),
		     ROW("blksize\0008\0blksize\0008\0"), ROW("\1\2\3"),
		     ROW("timeout\0006\0") };
#undef ROW
	struct peal_tftp_request q;
	struct result x;
	struct server *s;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		s = server(answers_text);
		s->file = (const unsigned char *)rows[i].text;
		s->len = rows[i].len;
		q = request(s);
		q.wait_ms = 5000; /* timeout=5 is asked for */
		x = run(s, &q);
		CHECK_ERR(x.err, PEAL_EBADOPT);
		CHECK_STR(s->log, "RRQ ERR8");
		CHECK_INT(x.r.error_code, -1);
		fini(s, &x);
	}
}

static void refuses_options_nobody_asked_for(void)
{
	struct server *s = server(answers_text);
	struct peal_tftp_request q = request(s);
	struct result x;

	s->file = (const unsigned char *)"\0\6blksize\000512";
	s->len = 14; /* with its NUL */
	q.no_options = 1;
	x = run(s, &q);
	CHECK_ERR(x.err, PEAL_EBADOPT);
	CHECK_STR(s->log, "RRQ ERR8");
	fini(s, &x);
}

static void oversize(struct server *s, const unsigned char *p, size_t n)
{
	unsigned char out[600] = { 0, 3, 0, 1 };

	(void)n;
	if (p[1] == 1)
		answer(s, 1, out, 4 + 513);
}

static void misbehaves(struct server *s, const unsigned char *p, size_t n)
{
	(void)n;
	if (p[1] == 1)
		ANSWER(s, 1, "\0\6blksize\0008\0");
	else if (p[1] == 4)
		answer(s, 1, s->file, s->len);
}

static void refuses_packets_that_break_the_rules(void)
{
	static const struct {
		const char *bytes;
		size_t len;
	} rows[] = { { "", 1 },         { "\0\3\0", 3 },
		     { "\0\4\0\1", 4 }, { "\0\1f\0octet\0", 10 },
		     { "\0\7\0\1", 4 }, { "\0\3\0\1ninebytes", 13 } };
	struct server *s = server(oversize);
	struct result x = fetch(s);
	size_t i;

	CHECK_ERR(x.err, PEAL_EBADOP);
	CHECK_STR(s->log, "RRQ ERR4");
	fini(s, &x);
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		s = server(misbehaves);
		s->file = (const unsigned char *)rows[i].bytes;
		s->len = rows[i].len;
		x = fetch(s);
		CHECK_ERR(x.err, PEAL_EBADOP);
		CHECK_STR(s->log, "RRQ ACK0 ERR4");
		fini(s, &x);
	}
}

/* --- strangers --------------------------------------------------------- */

static void with_stranger(struct server *s, const unsigned char *p, size_t n)
{
	int i;

	if (s->at == 2)
		return;
	serve(s, p, n);
	/* the true server has answered: its port is known */
	if (p[1] != 1)
		return;
	for (i = 0; i < 20; i++)
		ANSWER(s, 2, "\0\3\0\2forged");
	ANSWER(s, 2, "\0\5\0\1forged");
}

static void ignores_strangers(void)
{
	struct server *s = server(with_stranger);
	unsigned char *file = some_file(2000);
	struct result x;

	s->file = file;
	s->len = 2000;
	s->options = 0;
	x = fetch(s);
	CHECK_ERR(x.err, PEAL_OK);
	CHECK_MEM(x.body, x.r.body_len, file, 2000);
	CHECK(x.r.foreign > 0);
	CHECK(s->at_stranger > 0 && s->at_stranger <= 3);
	CHECK(strstr(s->log, "ERR5") != NULL);
	free(file);
	fini(s, &x);
}

static void only_errors(struct server *s, const unsigned char *p, size_t n)
{
	if (p[1] == 1) {
		serve(s, p, n);
		ANSWER(s, 2, "\0\5\0\1forged");
	} else {
		serve(s, p, n);
	}
}

static void never_answers_an_error(void)
{
	struct server *s = server(only_errors);
	unsigned char *file = some_file(2000);
	struct result x;

	s->file = file;
	s->len = 2000;
	x = fetch(s);
	CHECK_ERR(x.err, PEAL_OK);
	CHECK_INT(s->at_stranger, 0);
	CHECK_INT(s->errors, 0);
	free(file);
	fini(s, &x);
}

/* Our ERROR 5 then meets a closed port: the socket has an error, and data. */
static void stranger_leaves(struct server *s, const unsigned char *p, size_t n)
{
	if (s->acks == 1) {
		ANSWER(s, 2, "\0\3\0\2forged");
		close_at(s, 2);
	}
	serve(s, p, n);
}

static void survives_a_stranger_that_is_gone(void)
{
	struct server *s = server(stranger_leaves);
	unsigned char *file = some_file(5000);
	struct result x;

	s->file = file;
	s->len = 5000;
	x = fetch(s);
	CHECK_ERR(x.err, PEAL_OK);
	CHECK_INT(x.r.foreign, 1);
	CHECK_MEM(x.body, x.r.body_len, file, 5000);
	free(file);
	fini(s, &x);
}

/* From another address of this machine. */
static void other_host(struct server *s, const unsigned char *p, size_t n)
{
	struct sockaddr_in a;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (p[1] == 1) {
		uv_ip4_addr("127.0.0.2", 0, &a);
		CHECK(bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
		CHECK(sendto(fd, "\0\3\0\1forged", 10, 0,
			     (struct sockaddr *)&s->client, sizeof(a)) == 10);
		serve(s, p, n);
	}
	close(fd);
}

static void ignores_other_hosts(void)
{
	struct server *s = server(other_host);
	struct result x;

	s->file = (const unsigned char *)"true";
	s->len = 4;
	x = fetch(s);
	CHECK_ERR(x.err, PEAL_OK);
	CHECK_MEM(x.body, x.r.body_len, "true", 4);
	CHECK_INT(x.r.foreign, 1);
	fini(s, &x);
}

/* --- silence, loss and repeats ----------------------------------------- */

static void repeats_the_request_a_few_times(void)
{
	struct server *s = server(NULL);
	struct peal_tftp_request q = request(s);
	struct result x;

	q.wait_ms = 3;
	x = run(s, &q);
	CHECK_ERR(x.err, PEAL_ETIMEOUT);
	CHECK_STR(s->log, "RRQ RRQ RRQ RRQ RRQ RRQ");
	CHECK_INT(x.r.packets_sent, 6);
	CHECK(x.r.total_s >= 0.018);
	CHECK(s->first_client_port == s->last_client_port);
	CHECK_INT(x.r.peer_port, request_port(s));
	fini(s, &x);
}

static void vanishes(struct server *s, const unsigned char *p, size_t n)
{
	if (s->acks < 2)
		serve(s, p, n);
}

static void gives_up_when_the_server_falls_silent(void)
{
	struct server *s = server(vanishes);
	struct peal_tftp_request q = request(s);
	unsigned char *file = some_file(1500);
	struct result x;

	s->file = file;
	s->len = 1500;
	q.wait_ms = 3;
	q.sendings = 4;
	x = run(s, &q);
	CHECK_ERR(x.err, PEAL_ETIMEOUT);
	CHECK(x.body == NULL);
	CHECK_STR(s->log, "RRQ ACK1 ACK2 ACK2 ACK2 ACK2 ERR0");
	free(file);
	fini(s, &x);
}

static void keeps_a_total_deadline(void)
{
	struct server *s = server(vanishes);
	struct peal_tftp_request q = request(s);
	struct result x;

	s->file = (const unsigned char *)"";
	s->options = 1;
	s->acks = 2; /* never answers */
	q.wait_ms = 4;
	q.sendings = 100000;
	q.total_ms = 20;
	x = run(s, &q);
	CHECK_ERR(x.err, PEAL_ETIMEOUT);
	CHECK(x.r.total_s >= 0.02 && x.r.total_s < 30);
	CHECK(s->requests <= 6);
	fini(s, &x);
}

static void survives_lost_packets(void)
{
	unsigned char *file = some_file(1500);
	struct peal_tftp_request q;
	struct server *s;
	struct result x;
	unsigned drop;

	for (drop = 1; drop <= 4; drop++) {
		s = server(serve);
		s->file = file;
		s->len = 1500;
		s->options = 1;
		s->drop = drop;
		q = request(s);
		q.blksize = 512;
		q.wait_ms = 3;
		x = run(s, &q);
		CHECK_ERR(x.err, PEAL_OK);
		REQUIRE(x.body != NULL);
		CHECK_MEM(x.body, x.r.body_len, file, 1500);
		fini(s, &x);
	}
	free(file);
}

static void says_at_once_that_nobody_is_there(void)
{
	static const char *const addresses[] = { "127.0.0.1", "::1" };
	struct peal_tftp_request q;
	struct server *s;
	struct result x;
	int i;

	for (i = 0; i < 2; i++) {
		s = server_on(addresses[i], NULL);
		q = request(s);
		q.address = addresses[i];
		q.wait_ms = 60000;
		close_at(s, 0);
		x = run(s, &q);
		CHECK_ERR(x.err, PEAL_ECONNECT);
		CHECK_INT(x.r.packets_sent, 1);
		CHECK(strstr(x.text, "refused") != NULL);
		fini(s, &x);
	}
}

static void dies_midway(struct server *s, const unsigned char *p, size_t n)
{
	serve(s, p, n);
	if (s->acks == 1)
		close_at(s, 1);
}

static void says_at_once_that_the_server_died(void)
{
	struct server *s = server(dies_midway);
	unsigned char *file = some_file(1500);
	struct peal_tftp_request q = request(s);
	struct result x;

	s->file = file;
	s->len = 1500;
	q.wait_ms = 60000;
	x = run(s, &q);
	CHECK_ERR(x.err, PEAL_ECONNECT);
	CHECK(x.body == NULL);
	free(file);
	fini(s, &x);
}

static void says_that_there_is_no_route(void)
{
	struct server *s = server(NULL);
	struct peal_tftp_request q = request(s);
	struct result x;

	q.address = "255.255.255.255"; /* no broadcast permission */
	q.wait_ms = 60000;
	x = run(s, &q);
	CHECK_ERR(x.err, PEAL_ECONNECT);
	fini(s, &x);
}

static void stutters(struct server *s, const unsigned char *p, size_t n)
{
	unsigned i;

	(void)n;
	if (p[1] == 1) {
		ANSWER(s, 1, "\0\6blksize\0008\0");
		ANSWER(s, 1, "\0\6blksize\0008\0");
	} else if (p[3] == 0 && s->acks == 2) {
		ANSWER(s, 1, "\0\3\0\3too soon");
		ANSWER(s, 1, "\0\3\0\1block 1.");
		ANSWER(s, 1, "\0\3\0\2block 2.");
		ANSWER(s, 1, "\0\3\0\1again 1.");
		for (i = 0; i < 100; i++)
			ANSWER(s, 1, "\0\3\0\2again 2.");
		ANSWER(s, 1, "\0\3\0\3");
	}
}

static void answers_repeats_but_not_for_ever(void)
{
	struct server *s = server(stutters);
	struct result x = fetch(s);

	CHECK_ERR(x.err, PEAL_OK);
	CHECK_MEM(x.body, x.r.body_len, "block 1.block 2.", 16);
	/* ACK 0 twice, 1, 2 and 3 once, 2 again 16 times of 100 */
	CHECK_INT(s->acks, 5 + 16);
	fini(s, &x);
}

/* --- after the last block ---------------------------------------------- */

static void say_other_things(uv_timer_t *timer)
{
	struct server *s = timer->data;

	ANSWER(s, 2, "\0\3\0\1last");
	ANSWER(s, 1, "\0\3\0\2other");
	ANSWER(s, 1, "\0\4\0\1");
	ANSWER(s, 1, "\0\5\0\0sorry");
	ANSWER(s, 1, "\0\3\0");
}

static void repeat_last(uv_timer_t *timer)
{
	struct server *s = timer->data;
	int i;

	CHECK_STR(s->log, "RRQ ACK1");
	for (i = 0; i < 20; i++)
		ANSWER(s, 1, "\0\3\0\1last");
}

static void end_wait(uv_timer_t *timer)
{
	(void)timer;
}

static void one_block(struct server *s, const unsigned char *p, size_t n)
{
	(void)n;
	if (p[1] == 1)
		ANSWER(s, 1, "\0\3\0\1last");
}

static void acknowledges_the_last_block_again(void)
{
	struct server *s = server(one_block);
	struct result x = fetch(s);
	uv_timer_t soon, later, end;
	uv_loop_t *uv = peal_loop_uv(s->loop);

	CHECK_ERR(x.err, PEAL_OK);
	CHECK_INT(x.r.body_len, 4);
	/* the loop went idle at once although the port is still watched */
	uv_timer_init(uv, &soon);
	uv_timer_init(uv, &later);
	uv_timer_init(uv, &end);
	soon.data = later.data = s;
	uv_update_time(uv);
	uv_timer_start(&soon, say_other_things, 1, 0);
	uv_timer_start(&later, repeat_last, 10, 0);
	uv_timer_start(&end, end_wait, 30, 0);
	peal_loop_run(s->loop, 0);
	CHECK_STR(s->log, "RRQ ACK1 ACK1 ACK1 ACK1 ACK1 ACK1 ACK1");
	CHECK_INT(s->at_stranger, 0);
	CHECK_INT(x.calls, 1);
	free(x.body);
	x.body = NULL;
	server_free(s);
}

/* --- uploads ----------------------------------------------------------- */

static void sends_size(size_t n, int options)
{
	struct server *s = server(take);
	unsigned char *file = some_file(n);
	struct peal_tftp_request q = request(s);
	struct result x;

	s->options = options;
	q.body = file;
	q.body_len = n;
	x = run(s, &q);
	CHECK_ERR(x.err, PEAL_OK);
	CHECK_MEM(s->upload ? s->upload : (unsigned char *)"", s->len, file, n);
	CHECK_INT(s->data, n / s->blksize + 1);
	CHECK_INT(s->acks, 0);
	CHECK_INT(x.r.body_len, 0);
	free(file);
	fini(s, &x);
}

static void sends_every_size(void)
{
	static const size_t sizes[] = { 0,    1,    511,  512,  513,
					1427, 1428, 2856, 40000 };
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		sends_size(sizes[i], 0);
		sends_size(sizes[i], 1);
	}
}

static void wraps_the_block_number_upwards(void)
{
	struct server *s = server(take);
	unsigned char *file = some_file(8 * 66000);
	struct peal_tftp_request q = request(s);
	struct result x;

	s->options = 1;
	q.body = file;
	q.body_len = 8 * 66000;
	q.blksize = 8;
	x = run(s, &q);
	CHECK_ERR(x.err, PEAL_OK);
	CHECK_MEM(s->upload, s->len, file, q.body_len);
	free(file);
	fini(s, &x);
}

/* Every acknowledgement comes twice. */
static void echoes(struct server *s, const unsigned char *p, size_t n)
{
	unsigned char ack[4] = { 0, 4, p[2], p[3] };

	if (p[1] == 2)
		ack[2] = ack[3] = 0;
	take(s, p, n);
	answer(s, 1, ack, 4);
	answer(s, 1, ack, 4);
}

static void is_no_sorcerers_apprentice(void)
{
	struct server *s = server(echoes);
	unsigned char *file = some_file(5000);
	struct peal_tftp_request q = request(s);
	struct result x;

	q.body = file;
	q.body_len = 5000;
	x = run(s, &q);
	CHECK_ERR(x.err, PEAL_OK);
	CHECK_MEM(s->upload, s->len, file, 5000);
	CHECK_STR(s->log, "WRQ DATA1 DATA2 DATA3 DATA4 DATA5 DATA6 DATA7 "
			  "DATA8 DATA9 DATA10");
	free(file);
	fini(s, &x);
}

static void sends_lost_blocks_again(void)
{
	unsigned char *file = some_file(1000);
	struct peal_tftp_request q;
	struct server *s;
	struct result x;
	unsigned drop;

	for (drop = 1; drop <= 3; drop++) {
		s = server(take);
		s->drop = drop;
		q = request(s);
		q.body = file;
		q.body_len = 1000;
		q.wait_ms = 3;
		x = run(s, &q);
		CHECK_ERR(x.err, PEAL_OK);
		CHECK_MEM(s->upload, s->len, file, 1000);
		CHECK_INT(x.r.packets_sent, 4);
		fini(s, &x);
	}
	free(file);
}

static void disk_fills(struct server *s, const unsigned char *p, size_t n)
{
	if (s->data < 2)
		take(s, p, n);
	else
		ANSWER(s, 1, "\0\5\0\3disk full");
}

static void hears_that_the_disk_is_full(void)
{
	struct server *s = server(disk_fills);
	unsigned char *file = some_file(5000);
	struct peal_tftp_request q = request(s);
	struct result x;

	q.body = file;
	q.body_len = 5000;
	x = run(s, &q);
	CHECK_ERR(x.err, PEAL_EDISKFULL);
	CHECK_STR(x.r.error_text, "disk full");
	CHECK_STR(x.text, "disk full (TFTP error 3)");
	free(file);
	fini(s, &x);
}

static void sends_data(struct server *s, const unsigned char *p, size_t n)
{
	if (p[1] == 2)
		take(s, p, n);
	else
		ANSWER(s, 1, "\0\3\0\1data");
}

static void refuses_data_in_an_upload(void)
{
	struct server *s = server(sends_data);
	struct peal_tftp_request q = request(s);
	struct result x;

	q.body = "x";
	q.body_len = 1;
	x = run(s, &q);
	CHECK_ERR(x.err, PEAL_EBADOP);
	CHECK_STR(s->log, "WRQ DATA1 ERR4");
	fini(s, &x);
}

/* --- start, cancel, free ----------------------------------------------- */

static enum peal_err start(struct server *s, const struct peal_tftp_request *q,
			   struct result *x)
{
	struct peal_reason reason;

	peal_reason_clear(&reason);
	memset(x, 0, sizeof(*x));
	return peal_tftp_start(&x->t, s->loop, q, done, x, &reason);
}

static void refuses_bad_requests(void)
{
	struct server *s = server(NULL);
	struct peal_tftp_request q = request(s);
	struct result x;
	char name[2000];

	q.address = "tftp.example.net";
	CHECK_ERR(start(s, &q, &x), PEAL_EINVAL);
	q = request(s);
	q.name = "";
	CHECK_ERR(start(s, &q, &x), PEAL_EBADOP);
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	q.name = name;
	CHECK_ERR(start(s, &q, &x), PEAL_EBADOP);
	q = request(s);
	q.blksize = 7;
	CHECK_ERR(start(s, &q, &x), PEAL_EINVAL);
	q.blksize = 65465;
	CHECK_ERR(start(s, &q, &x), PEAL_EINVAL);
	q = request(s);
	q.port_lo = 2;
	q.port_hi = 1;
	CHECK_ERR(start(s, &q, &x), PEAL_EINVAL);
	peal_loop_run(s->loop, 0);
	CHECK_INT(x.calls, 0);
	CHECK_INT(s->count, 0);
	server_free(s);
}

static uint16_t free_port(void)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	uv_ip4_addr("127.0.0.1", 0, &a);
	REQUIRE(bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
	getsockname(fd, (struct sockaddr *)&a, &len);
	close(fd);
	return ntohs(a.sin_port);
}

static void keeps_to_its_local_ports(void)
{
	struct server *s = server(one_block);
	struct peal_tftp_request q = request(s);
	struct result x, y;

	q.port_lo = q.port_hi = free_port();
	CHECK_ERR(start(s, &q, &x), PEAL_OK);
	CHECK_ERR(start(s, &q, &y), PEAL_ELIMIT);
	peal_loop_run(s->loop, 0);
	CHECK_ERR(x.err, PEAL_OK);
	CHECK_INT(s->last_client_port, q.port_lo);
	CHECK_INT(y.calls, 0);
	fini(s, &x);
}

static void cancel_now(struct server *s, const unsigned char *p, size_t n)
{
	struct result *x = (struct result *)s->file;

	if (s->acks == 0) {
		(void)n;
		(void)p;
		ANSWER(s, 1, "\0\6blksize\0008\0");
		return;
	}
	peal_tftp_cancel(x->t);
	peal_tftp_cancel(x->t);
	CHECK_INT(x->calls, 0);
}

static void cancels_at_any_time(void)
{
	struct server *s = server(cancel_now);
	struct peal_tftp_request q = request(s);
	struct result x;

	CHECK_ERR(start(s, &q, &x), PEAL_OK);
	peal_tftp_cancel(x.t); /* before the first turn */
	CHECK_INT(x.calls, 0);
	peal_loop_run(s->loop, 0);
	CHECK_INT(x.calls, 1);
	CHECK_ERR(x.err, PEAL_ECANCELED);
	CHECK_INT(s->count, 0);

	s->file = (const unsigned char *)&x;
	CHECK_ERR(start(s, &q, &x), PEAL_OK);
	peal_loop_run(s->loop, 0);
	CHECK_INT(x.calls, 1);
	CHECK_ERR(x.err, PEAL_ECANCELED);
	settle(s);
	CHECK_STR(s->log, "RRQ ACK0 ERR0");
	peal_tftp_cancel(NULL);
	s->file = NULL;
	fini(s, &x);
}

static void stop_loop(struct server *s, const unsigned char *p, size_t n)
{
	(void)p;
	(void)n;
	peal_loop_stop(s->loop);
}

static void dies_with_its_loop(void)
{
	struct server *s = server(stop_loop);
	struct peal_tftp_request q = request(s);
	struct result x, y, z;

	CHECK_ERR(start(s, &q, &x), PEAL_OK);
	peal_loop_run(s->loop, 0);
	CHECK_ERR(start(s, &q, &y), PEAL_OK); /* never ran */
	CHECK_ERR(start(s, &q, &z), PEAL_OK);
	peal_tftp_cancel(z.t);
	server_free(s);
	CHECK_INT(x.calls + y.calls + z.calls, 0);
}

/* --- memory ------------------------------------------------------------ */

static int transfer(void *arg)
{
	const struct peal_tftp_request *like = arg;
	struct peal_tftp_request q;
	struct server *s;
	struct result x;
	enum peal_err err;

	s = server_try("127.0.0.1", like->body ? take : serve);
	if (!s)
		return 1;
	s->file = like->body ? NULL : (const unsigned char *)like->name;
	s->len = like->body ? 0 : strlen(like->name);
	s->options = 1;
	q = request(s);
	q.body = like->body;
	q.body_len = like->body_len;
	q.blksize = 8;
	err = start(s, &q, &x);
	if (!err) {
		peal_loop_run(s->loop, 0);
		err = x.err;
		CHECK_INT(x.calls, 1);
	}
	CHECK(err == PEAL_OK || err == PEAL_ENOMEM);
	fini(s, &x);
	return err != PEAL_OK;
}

static void survives_lack_of_memory(void)
{
	struct peal_tftp_request q;
	char text[4000];

	memset(&q, 0, sizeof(q));
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	q.name = text;
	CHECK(alloc_fail_each(transfer, &q) >= 6);
	q.body = "some bytes of a report";
	q.body_len = 22;
	CHECK(alloc_fail_each(transfer, &q) >= 5);
}

TEST_MAIN({ "fetches with and without options",
	    fetches_with_and_without_options },
	  { "fetches every size", fetches_every_size },
	  { "wraps the block number", wraps_the_block_number },
	  { "refuses more than the maximum", refuses_more_than_the_maximum },
	  { "a sink gets the file", a_sink_gets_the_file },
	  { "a sink may end it", a_sink_may_end_it },
	  { "a sink may cancel it", a_sink_may_cancel_it },
	  { "a sink has a maximum", a_sink_has_a_maximum },
	  { "fetches over IPv6", fetches_over_ipv6 },
	  { "names the errors of a server", names_the_errors_of_a_server },
	  { "asks again without options", asks_again_without_options },
	  { "ends at an error midway", ends_at_an_error_midway },
	  { "refuses an OACK that lies", refuses_an_oack_that_lies },
	  { "refuses options nobody asked for",
	    refuses_options_nobody_asked_for },
	  { "refuses packets that break the rules",
	    refuses_packets_that_break_the_rules },
	  { "ignores strangers", ignores_strangers },
	  { "never answers an error", never_answers_an_error },
	  { "survives a stranger that is gone",
	    survives_a_stranger_that_is_gone },
	  { "ignores other hosts", ignores_other_hosts },
	  { "repeats the request a few times",
	    repeats_the_request_a_few_times },
	  { "gives up when the server falls silent",
	    gives_up_when_the_server_falls_silent },
	  { "keeps a total deadline", keeps_a_total_deadline },
	  { "survives lost packets", survives_lost_packets },
	  { "says at once that nobody is there",
	    says_at_once_that_nobody_is_there },
	  { "says at once that the server died",
	    says_at_once_that_the_server_died },
	  { "says that there is no route", says_that_there_is_no_route },
	  { "answers repeats but not for ever",
	    answers_repeats_but_not_for_ever },
	  { "acknowledges the last block again",
	    acknowledges_the_last_block_again },
	  { "sends every size", sends_every_size },
	  { "wraps the block number upwards", wraps_the_block_number_upwards },
	  { "is no sorcerer's apprentice", is_no_sorcerers_apprentice },
	  { "sends lost blocks again", sends_lost_blocks_again },
	  { "hears that the disk is full", hears_that_the_disk_is_full },
	  { "refuses data in an upload", refuses_data_in_an_upload },
	  { "refuses bad requests", refuses_bad_requests },
	  { "keeps to its local ports", keeps_to_its_local_ports },
	  { "cancels at any time", cancels_at_any_time },
	  { "dies with its loop", dies_with_its_loop },
	  { "survives lack of memory", survives_lack_of_memory })
