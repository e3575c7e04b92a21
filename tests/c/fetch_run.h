/* fetch_run.h - one fetcher, one server on one loop, and what came of it. */
#ifndef PEAL_TEST_FETCH_RUN_H
#define PEAL_TEST_FETCH_RUN_H

#include <stdio.h>

#include "http_server.h"
#include "peal/fetch.h"
#include "test.h"

struct run {
	struct peal_loop *l;
	struct peal_fetcher *f;
	struct server server;
	int done;
	enum peal_err err;
	int status;
	unsigned sent;
	int exhausted;
	char body[4096];
	size_t body_len;
	uint64_t received;
	char headers[4096]; /* newline-separated */
	char reason[256];
	char peer[46];
	unsigned port;
	double total_s;
};

static inline void keep(enum peal_err err, const struct peal_fetch_response *r,
			const struct peal_reason *reason, void *arg)
{
	struct run *x = arg;
	size_t i, n = r->body_len < sizeof(x->body) ? r->body_len : 0;

	x->done++;
	x->err = err;
	x->status = r->status;
	x->sent = r->sent;
	x->exhausted = r->auth_exhausted;
	x->body_len = r->body_len;
	x->received = r->received;
	if (n)
		memcpy(x->body, r->body, n);
	x->body[n] = '\0';
	n = r->headers_len < sizeof(x->headers) ? r->headers_len : 0;
	if (n)
		memcpy(x->headers, r->headers, n);
	for (i = 0; i < n; i++)
		if (x->headers[i] == '\0')
			x->headers[i] = '\n';
	x->headers[n] = '\0';
	snprintf(x->reason, sizeof(x->reason), "%s", reason->text);
	snprintf(x->peer, sizeof(x->peer), "%s", r->peer);
	x->port = r->peer_port;
	x->total_s = r->total_s;
}

static inline void begin(struct run *x, request_fn fn)
{
	memset(x, 0, sizeof(*x));
	REQUIRE(peal_loop_new(&x->l) == PEAL_OK);
	REQUIRE(peal_fetcher_new(&x->f, x->l) == PEAL_OK);
	server_open(&x->server, x->l, fn);
	x->server.arg = x;
}

static inline void end(struct run *x)
{
	peal_fetcher_free(x->f);
	server_close(&x->server, x->l);
	peal_loop_free(x->l);
}

/* Until done was called; kept connections may hold the loop longer. */
static inline void wait_done(struct run *x, int n)
{
	while (x->done < n)
		REQUIRE(peal_loop_run(x->l, 1) == PEAL_OK);
}

static inline enum peal_err go(struct run *x, struct peal_fetch_request *r,
			       const char *path)
{
	char url[9000];
	enum peal_err err;

	snprintf(url, sizeof(url), "http://pv.telco.net:%u%s", x->server.port,
		 path);
	r->url = url;
	r->address = "127.0.0.1";
	x->done = 0;
	err = peal_fetch_start(NULL, x->f, r, keep, x, NULL);
	if (err)
		return err;
	CHECK_INT(x->done, 0);
	wait_done(x, 1);
	return x->err;
}

static inline enum peal_err get(struct run *x, const char *path)
{
	struct peal_fetch_request r = { 0 };

	return go(x, &r, path);
}

/* The answer is the text the test put into server.arg's place. */
static const char *canned;

static inline void say(struct conn *c, const char *request)
{
	(void)request;
	conn_text(c, canned);
}

#endif
