/* http_server.h - a small HTTP server on the loop under test, for answers that
 * no decent server gives. The test hands in one function; it is called with
 * each complete request and writes what it likes. */
#ifndef PEAL_TEST_HTTP_SERVER_H
#define PEAL_TEST_HTTP_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <uv.h>

#include "peal/loop.h"
#include "test.h"

struct conn;
typedef void (*request_fn)(struct conn *c, const char *request);

struct server {
	uv_tcp_t tcp;
	uint16_t port;
	request_fn fn;
	int connections, requests, closed;
	char last[16384]; /* the last request, whole */
	void *arg;
};

struct conn {
	uv_tcp_t tcp;
	uv_timer_t timer;
	struct server *server;
	char in[16384];
	size_t len;
	const char *drip; /* text given out byte by byte */
	int closing;
	int handles; /* left to be closed */
};

struct out {
	uv_write_t req;
	char bytes[];
};

static inline void conn_free(uv_handle_t *h)
{
	struct conn *c = h->data;

	if (--c->handles == 0)
		free(c);
}

static inline void conn_close(struct conn *c)
{
	if (c->closing)
		return;
	c->closing = 1;
	c->server->closed++;
	uv_close((uv_handle_t *)&c->tcp, conn_free);
	uv_close((uv_handle_t *)&c->timer, conn_free);
}

static inline void on_out(uv_write_t *req, int status)
{
	(void)status;
	free(req->data);
}

static inline void conn_send(struct conn *c, const char *bytes, size_t len)
{
	struct out *o;
	uv_buf_t buf;

	if (c->closing)
		return;
	o = malloc(sizeof(*o) + len);
	memcpy(o->bytes, bytes, len);
	o->req.data = o;
	buf = uv_buf_init(o->bytes, (unsigned)len);
	if (uv_write(&o->req, (uv_stream_t *)&c->tcp, &buf, 1, on_out))
		free(o);
}

static inline void conn_text(struct conn *c, const char *text)
{
	conn_send(c, text, strlen(text));
}

static inline void on_half_closed(uv_shutdown_t *req, int status)
{
	struct conn *c = req->handle->data;

	(void)status;
	free(req);
	conn_close(c);
}

/* All that was sent arrives, then the end. */
static inline void conn_finish(struct conn *c)
{
	uv_shutdown_t *req = malloc(sizeof(*req));

	if (uv_shutdown(req, (uv_stream_t *)&c->tcp, on_half_closed)) {
		free(req);
		conn_close(c);
	}
}

static inline void on_drip(uv_timer_t *t)
{
	struct conn *c = t->data;

	if (*c->drip)
		conn_send(c, c->drip++, 1);
	else
		uv_timer_stop(t);
}

static inline void conn_drip(struct conn *c, const char *text, unsigned ms)
{
	c->drip = text;
	uv_timer_start(&c->timer, on_drip, ms, ms);
}

/* More than anybody wants, as fast as it is taken. */
static inline void on_flood(uv_timer_t *t)
{
	struct conn *c = t->data;
	static char block[65536];

	memset(block, 'x', sizeof(block));
	if (uv_stream_get_write_queue_size((uv_stream_t *)&c->tcp) <
	    sizeof(block))
		conn_send(c, block, sizeof(block));
}

static inline void conn_flood(struct conn *c)
{
	uv_timer_start(&c->timer, on_flood, 0, 1);
}

static inline size_t body_length(const char *request)
{
	const char *p;

	for (p = request; (p = strchr(p, '\n')) != NULL;)
		if (strncasecmp(++p, "Content-Length:", 15) == 0)
			return strtoul(p + 15, NULL, 10);
	return 0;
}

static inline void take_requests(struct conn *c)
{
	char *end;
	size_t all;

	while (!c->closing && (end = strstr(c->in, "\r\n\r\n")) != NULL) {
		all = (size_t)(end + 4 - c->in) + body_length(c->in);
		if (c->len < all)
			return;
		memcpy(c->server->last, c->in, all);
		c->server->last[all] = '\0';
		memmove(c->in, c->in + all, c->len - all + 1);
		c->len -= all;
		c->server->requests++;
		c->server->fn(c, c->server->last);
	}
}

static inline void on_in(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	struct conn *c = s->data;

	(void)buf;
	if (n < 0) {
		conn_close(c);
		return;
	}
	c->len += (size_t)n;
	c->in[c->len] = '\0';
	take_requests(c);
}

static inline void on_room(uv_handle_t *h, size_t size, uv_buf_t *buf)
{
	struct conn *c = h->data;

	(void)size;
	*buf = uv_buf_init(c->in + c->len,
			   (unsigned)(sizeof(c->in) - c->len - 1));
}

static inline void on_accept(uv_stream_t *s, int status)
{
	struct server *v = s->data;
	struct conn *c = calloc(1, sizeof(*c));

	REQUIRE(status == 0);
	c->server = v;
	c->handles = 2;
	uv_tcp_init(s->loop, &c->tcp);
	uv_timer_init(s->loop, &c->timer);
	c->tcp.data = c->timer.data = c;
	REQUIRE(uv_accept(s, (uv_stream_t *)&c->tcp) == 0);
	uv_tcp_nodelay(&c->tcp, 1);
	v->connections++;
	uv_read_start((uv_stream_t *)&c->tcp, on_room, on_in);
}

static inline void server_open(struct server *v, struct peal_loop *l,
			       request_fn fn)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int len = sizeof(a);

	memset(v, 0, sizeof(*v));
	v->fn = fn;
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	uv_tcp_init(peal_loop_uv(l), &v->tcp);
	v->tcp.data = v;
	REQUIRE(uv_tcp_bind(&v->tcp, (struct sockaddr *)&a, 0) == 0);
	REQUIRE(uv_listen((uv_stream_t *)&v->tcp, 16, on_accept) == 0);
	uv_tcp_getsockname(&v->tcp, (struct sockaddr *)&a, &len);
	v->port = ntohs(a.sin_port);
	/* it waits, but keeps no loop running */
	uv_unref((uv_handle_t *)&v->tcp);
}

static inline void close_connection(uv_handle_t *h, void *arg)
{
	struct server *v = arg;
	struct conn *c = h->data;

	if (h->type == UV_TCP && h != (uv_handle_t *)&v->tcp &&
	    !uv_is_closing(h) && c->server == v)
		conn_close(c);
}

/* The loop must turn once more before the server's memory may go. */
static inline void server_close(struct server *v, struct peal_loop *l)
{
	uv_walk(peal_loop_uv(l), close_connection, v);
	uv_close((uv_handle_t *)&v->tcp, NULL);
	peal_loop_run(l, 1);
}

#endif
