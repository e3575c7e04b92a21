/* fetch.c - start, cancel, deadlines, the end. See peal/fetch.h */
#include "fetch.h"

#include <string.h>

#include "peal/alloc.h"

enum { REQUESTS_MAX = 3 }; /* one without credentials, two with */

static int library_fits(void)
{
	const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);

	return v->ssl_version && strncmp(v->ssl_version, "mbedTLS/3", 9) == 0;
}

enum peal_err peal_fetcher_new(struct peal_fetcher **out, struct peal_loop *l)
{
	struct peal_fetcher *f;
	enum peal_err err;

	if (!out || !l)
		return PEAL_EINVAL;
	/* counted by libcurl; the functions matter the first time only */
	if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, peal_alloc, peal_free,
				 peal_realloc, peal_strdup, peal_calloc))
		return PEAL_ENOMEM;
	f = peal_zalloc(sizeof(*f));
	if (!f) {
		curl_global_cleanup();
		return PEAL_ENOMEM;
	}
	f->loop = l;
	/* our TLS hook would be handed another library's structures */
	err = library_fits() ? peal_curl_loop_open(f) : PEAL_EINTERNAL;
	if (err) {
		peal_fetcher_free(f);
		return err;
	}
	*out = f;
	return PEAL_OK;
}

void peal_fetcher_free(struct peal_fetcher *f)
{
	if (!f)
		return;
	while (f->first)
		peal_fetch_cancel(f->first);
	peal_curl_loop_close(f);
	while (f->kept)
		peal_resume_closed(f, f->kept->socket);
	peal_sessions_clear(&f->sessions);
	peal_free(f);
	curl_global_cleanup();
}

enum peal_err peal_fetcher_export(const struct peal_fetcher *f,
				  struct peal_buf *out)
{
	return f && out ? peal_sessions_export(&f->sessions, out) : PEAL_EINVAL;
}

unsigned peal_fetcher_import(struct peal_fetcher *f, const void *bytes,
			     size_t len)
{
	return f && bytes ? peal_sessions_import(&f->sessions, bytes, len) : 0;
}

/* libcurl closes idle connections with all it has, and that only while nothing
 * runs. Until then they are not found, see peal_tls_set(). */
static void close_idle(struct peal_fetcher *f)
{
	if (f->stale && !f->first && peal_curl_loop_renew(f) == PEAL_OK)
		f->stale = 0;
}

void peal_fetcher_forget(struct peal_fetcher *f)
{
	if (!f)
		return;
	peal_sessions_clear(&f->sessions);
	f->forgotten++;
	f->stale = 1;
	close_idle(f);
}

static void wipe_text(char *text)
{
	if (text)
		peal_wipe(text, strlen(text));
	peal_free(text);
}

static void release_policy(struct peal_tls_policy *p)
{
	peal_anchors_unref(p->anchors);
	peal_identity_unref(p->identity);
	peal_cert_set_unref(p->rejected);
	peal_cert_set_unref(p->pinned);
	peal_cert_set_unref(p->removed);
	peal_ciphers_unref(p->ciphers);
	peal_free((char *)p->dns_failure);
}

static void release(struct peal_fetch *f)
{
	if (f->easy)
		curl_easy_cleanup(f->easy);
	curl_slist_free_all(f->headers);
	curl_slist_free_all(f->connect_to);
	curl_url_cleanup(f->url);
	peal_free(f->host);
	peal_free(f->proxy);
	wipe_text(f->user);
	wipe_text(f->password);
	wipe_text(f->proxy_user);
	wipe_text(f->proxy_password);
	if (f->body)
		peal_wipe(f->body, f->body_len);
	peal_free(f->body);
	peal_buf_fini_secret(&f->in);
	peal_buf_fini(&f->lines);
	peal_buf_fini(&f->der);
	peal_resume_reset(f);
	release_policy(&f->tls);
	peal_free(f);
}

static void timer_closed(uv_handle_t *handle)
{
	release(handle->data);
}

static void fill_response(struct peal_fetch *f)
{
	struct peal_fetch_response *r = &f->response;

	r->body = f->in.data;
	r->body_len = f->in.len;
	r->headers = (const char *)f->lines.data;
	r->headers_len = f->lines.len;
	curl_easy_getinfo(f->easy, CURLINFO_CONNECT_TIME, &r->connect_s);
	curl_easy_getinfo(f->easy, CURLINFO_APPCONNECT_TIME, &r->tls_s);
	curl_easy_getinfo(f->easy, CURLINFO_STARTTRANSFER_TIME,
			  &r->first_byte_s);
	if (f->https)
		peal_tls_facts(f);
	r->total_s = (double)(peal_loop_now_ms(f->loop) - f->began_ms) / 1000;
}

static void tell(struct peal_deferred *d, int dropped)
{
	struct peal_fetch *f = (struct peal_fetch *)d;

	if (!dropped) {
		fill_response(f);
		f->done(f->err, &f->response, &f->reason, f->arg);
	}
	uv_close((uv_handle_t *)&f->timer, timer_closed);
}

/* Takes the transfer from libcurl; `done` follows at the next turn. */
static void settle(struct peal_fetch *f, enum peal_err err)
{
	f->err = err;
	if (!f->fetcher)
		return; /* over already */
	curl_multi_remove_handle(f->fetcher->multi, f->easy);
	*f->back = f->next;
	if (f->next)
		f->next->back = f->back;
	f->fetcher = NULL;
	uv_timer_stop(&f->timer);
	peal_loop_defer(f->loop, &f->later);
}

static enum peal_err late(struct peal_fetch *f, uint64_t now)
{
	if (f->err)
		return f->err; /* doomed */
	if (now - f->began_ms >= f->total_ms)
		return peal_fail(&f->reason, PEAL_ETIMEOUT,
				 "%s gave no complete answer within %u s",
				 f->host, f->total_ms / 1000);
	if (!f->connected && now - f->connect_began_ms >= f->connect_ms)
		return peal_fail(&f->reason, PEAL_ETIMEOUT,
				 "no connection to %s within %u s", f->host,
				 f->connect_ms / 1000);
	if (f->connected && now - f->moved_ms >= f->idle_ms)
		return peal_fail(&f->reason, PEAL_ETIMEOUT,
				 "%s sent nothing for %u s", f->host,
				 f->idle_ms / 1000);
	return PEAL_OK;
}

static void on_deadline(uv_timer_t *timer)
{
	struct peal_fetch *f = timer->data;
	enum peal_err err = late(f, peal_loop_now_ms(f->loop));

	if (err)
		settle(f, err);
	else
		peal_fetch_arm(f);
}

void peal_fetch_doom(struct peal_fetch *f, enum peal_err err)
{
	if (!f->err)
		f->err = err;
	uv_timer_start(&f->timer, on_deadline, 0, 0);
}

void peal_fetch_arm(struct peal_fetch *f)
{
	uint64_t now = peal_loop_now_ms(f->loop);
	uint64_t total = f->began_ms + f->total_ms;
	uint64_t other = f->connected ? f->moved_ms + f->idle_ms :
					f->connect_began_ms + f->connect_ms;
	uint64_t next = other < total ? other : total;

	uv_update_time(peal_loop_uv(f->loop));
	uv_timer_start(&f->timer, on_deadline, next > now ? next - now : 0, 0);
}

static CURLcode set_login(struct peal_fetch *f, long method)
{
	CURL *e = f->easy;
	CURLcode rc = CURLE_OK;

	PEAL_SET(rc, e, CURLOPT_HTTPAUTH, method);
	PEAL_SET(rc, e, CURLOPT_USERNAME, f->user);
	PEAL_SET(rc, e, CURLOPT_PASSWORD, f->password ? f->password : "");
	return rc;
}

/* One method and no more: with several libcurl would first ask again without
 * credentials. The handle is used again, it knows the server's nonce. */
static int log_in(struct peal_fetch *f)
{
	long offered = 0, method = 0;

	if (f->response.status != 401 || !f->user ||
	    f->response.sent >= REQUESTS_MAX)
		return 0;
	curl_easy_getinfo(f->easy, CURLINFO_HTTPAUTH_AVAIL, &offered);
	if ((offered & (long)CURLAUTH_BASIC) && (f->auth & PEAL_AUTH_BASIC))
		method = (long)CURLAUTH_BASIC;
	if ((offered & (long)CURLAUTH_DIGEST) && (f->auth & PEAL_AUTH_DIGEST))
		method = (long)CURLAUTH_DIGEST;
	return method && set_login(f, method) == CURLE_OK;
}

static int again(struct peal_fetch *f)
{
	f->connected = 0;
	f->connect_began_ms = peal_loop_now_ms(f->loop);
	f->alert = -1;
	peal_resume_reset(f);
	curl_multi_remove_handle(f->fetcher->multi, f->easy);
	return curl_multi_add_handle(f->fetcher->multi, f->easy) == CURLM_OK;
}

static void repeat(struct peal_fetch *f)
{
	if (again(f))
		peal_fetch_arm(f);
	else
		settle(f, PEAL_ENOMEM);
}

void peal_fetch_over(struct peal_fetch *f, CURLcode code)
{
	enum peal_err err;

	if (peal_resume_failed(f, code)) {
		repeat(f);
		return;
	}
	err = peal_outcome(f, code);
	if (!err && code == CURLE_OK && log_in(f)) {
		repeat(f);
		return;
	}
	if (!err && f->response.status == 401 && f->user &&
	    f->response.sent >= REQUESTS_MAX)
		f->response.auth_exhausted = 1;
	if (!err && f->response.status == 407 && f->proxy_user)
		f->response.auth_exhausted = 1;
	settle(f, err);
}

static enum peal_err begin(struct peal_fetch *f, struct peal_fetcher *fetcher,
			   const struct peal_fetch_request *request,
			   struct peal_reason *reason)
{
	enum peal_err err = peal_request_read(f, request, reason);

	if (err)
		return err;
	/* one byte of room for a NUL */
	peal_buf_init(&f->in, f->max + 1);
	f->easy = curl_easy_init();
	if (!f->easy)
		return PEAL_ENOMEM;
	err = peal_request_set(f, fetcher, request);
	if (err)
		return err;
	if (curl_multi_add_handle(fetcher->multi, f->easy))
		return PEAL_ENOMEM;
	return PEAL_OK;
}

static void enlist(struct peal_fetch *f, struct peal_fetcher *fetcher)
{
	f->fetcher = fetcher;
	f->next = fetcher->first;
	f->back = &fetcher->first;
	if (f->next)
		f->next->back = &f->next;
	fetcher->first = f;
	uv_timer_init(peal_loop_uv(f->loop), &f->timer);
	f->timer.data = f;
	peal_fetch_arm(f);
}

enum peal_err peal_fetch_start(struct peal_fetch **out, struct peal_fetcher *f,
			       const struct peal_fetch_request *request,
			       peal_fetch_fn done, void *arg,
			       struct peal_reason *reason)
{
	struct peal_fetch *t;
	enum peal_err err;

	peal_reason_clear(reason);
	if (!f || !request || !request->url || !done)
		return PEAL_EINVAL;
	if (f->in_sink)
		return peal_fail(reason, PEAL_ESTATE,
				 "a sink cannot start a transfer");
	t = peal_zalloc(sizeof(*t));
	if (!t)
		return PEAL_ENOMEM;
	t->later.fn = tell;
	t->loop = f->loop;
	t->done = done;
	t->arg = arg;
	t->alert = -1;
	t->began_ms = t->connect_began_ms = t->moved_ms =
		peal_loop_now_ms(f->loop);
	peal_reason_clear(&t->reason);
	peal_buf_init(&t->lines, PEAL_LIMIT_HEADERS + 1024);
	/* mbedTLS takes no longer message, so no more certificates */
	peal_buf_init(&t->der, MBEDTLS_SSL_IN_CONTENT_LEN);
	close_idle(f);

	err = begin(t, f, request, reason);
	if (err) {
		release(t);
		return err;
	}
	enlist(t, f);
	if (out)
		*out = t;
	return PEAL_OK;
}

void peal_fetch_cancel(struct peal_fetch *fetch)
{
	if (!fetch)
		return;
	if (fetch->fetcher && fetch->fetcher->in_sink) {
		peal_fetch_doom(fetch, PEAL_ECANCELED);
		return;
	}
	peal_reason_clear(&fetch->reason);
	settle(fetch, PEAL_ECANCELED);
}

int peal_fetcher_busy(const struct peal_fetcher *f)
{
	return f && f->in_sink;
}
