/* curl_loop.c - libcurl's multi interface on libuv.
 *
 * Level-triggered polling only: what mbedTLS has read from the socket and not
 * handed on (a session ticket, say) makes an edge-triggered loop stall. */
#include "fetch.h"
#include "peal/alloc.h"

struct watch {
	uv_poll_t poll;
	struct peal_fetcher *fetcher;
	curl_socket_t fd;
};

/* Nothing of the caller runs from here: done is deferred. */
static void take_messages(struct peal_fetcher *f)
{
	CURLMsg *message;
	struct peal_fetch *fetch;
	CURL *easy;
	CURLcode code;
	int left;

	while ((message = curl_multi_info_read(f->multi, &left)) != NULL) {
		if (message->msg != CURLMSG_DONE)
			continue;
		easy = message->easy_handle;
		code = message->data.result;
		curl_easy_getinfo(easy, CURLINFO_PRIVATE, &fetch);
		peal_fetch_over(fetch, code);
	}
}

static void act(struct peal_fetcher *f, curl_socket_t fd, int what)
{
	struct peal_fetch *t;
	int running;
	CURLMcode rc = curl_multi_socket_action(f->multi, fd, what, &running);

	take_messages(f);
	if (!rc)
		return;
	/* libcurl ran out of memory in its lists and does not say for whom:
	 * without this they would wait for their deadlines */
	for (t = f->first; t; t = t->next)
		peal_fetch_doom(t, PEAL_ENOMEM);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct watch *w = poll->data;
	int what = 0;

	if (status < 0)
		what = CURL_CSELECT_ERR;
	if (events & UV_READABLE)
		what |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		what |= CURL_CSELECT_OUT;
	act(w->fetcher, w->fd, what);
}

static void on_timer(uv_timer_t *timer)
{
	act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static int set_timer(CURLM *multi, long ms, void *arg)
{
	struct peal_fetcher *f = arg;

	(void)multi;
	if (ms < 0) {
		uv_timer_stop(f->timer);
		return 0;
	}
	uv_update_time(peal_loop_uv(f->loop));
	return uv_timer_start(f->timer, on_timer, (uint64_t)ms, 0) ? -1 : 0;
}

static void free_handle(uv_handle_t *handle)
{
	peal_free(handle);
}

static struct watch *watch_new(struct peal_fetcher *f, curl_socket_t fd)
{
	struct watch *w = peal_zalloc(sizeof(*w));

	if (!w)
		return NULL;
	if (uv_poll_init_socket(peal_loop_uv(f->loop), &w->poll, fd)) {
		peal_free(w);
		return NULL;
	}
	w->poll.data = w;
	w->fetcher = f;
	w->fd = fd;
	return w;
}

static void watch_free(struct watch *w)
{
	uv_poll_stop(&w->poll);
	uv_close((uv_handle_t *)&w->poll, free_handle);
}

/* An error returned to libcurl would end the whole fetcher, for ever. */
static void doom(CURL *easy)
{
	struct peal_fetch *fetch = NULL;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &fetch);
	if (fetch)
		peal_fetch_doom(fetch, PEAL_ENOMEM);
}

static int set_socket(CURL *easy, curl_socket_t fd, int what, void *arg,
		      void *socket_arg)
{
	struct peal_fetcher *f = arg;
	struct watch *w = socket_arg;
	int events = 0;

	if (what == CURL_POLL_REMOVE) {
		if (w) {
			curl_multi_assign(f->multi, fd, NULL);
			watch_free(w);
		}
		return 0;
	}
	if (!w) {
		w = watch_new(f, fd);
		if (!w) {
			doom(easy);
			return 0;
		}
		curl_multi_assign(f->multi, fd, w);
	}
	if (what & CURL_POLL_IN)
		events |= UV_READABLE;
	if (what & CURL_POLL_OUT)
		events |= UV_WRITABLE;
	if (uv_poll_start(&w->poll, events, on_ready))
		doom(easy);
	return 0;
}

static enum peal_err set_multi(struct peal_fetcher *f)
{
	CURLM *m = f->multi;

	if (curl_multi_setopt(m, CURLMOPT_SOCKETFUNCTION, set_socket) ||
	    curl_multi_setopt(m, CURLMOPT_SOCKETDATA, f) ||
	    curl_multi_setopt(m, CURLMOPT_TIMERFUNCTION, set_timer) ||
	    curl_multi_setopt(m, CURLMOPT_TIMERDATA, f) ||
	    curl_multi_setopt(m, CURLMOPT_PIPELINING, CURLPIPE_NOTHING) ||
	    curl_multi_setopt(m, CURLMOPT_MAXCONNECTS, 16L))
		return PEAL_EINTERNAL;
	return PEAL_OK;
}

enum peal_err peal_curl_loop_open(struct peal_fetcher *f)
{
	f->timer = peal_zalloc(sizeof(*f->timer));
	if (!f->timer)
		return PEAL_ENOMEM;
	uv_timer_init(peal_loop_uv(f->loop), f->timer);
	f->timer->data = f;
	f->multi = curl_multi_init();
	if (!f->multi)
		return PEAL_ENOMEM;
	return set_multi(f);
}

enum peal_err peal_curl_loop_renew(struct peal_fetcher *f)
{
	CURLM *fresh = curl_multi_init();

	if (!fresh)
		return PEAL_ENOMEM;
	curl_multi_cleanup(f->multi);
	uv_timer_stop(f->timer);
	f->multi = fresh;
	return set_multi(f);
}

void peal_curl_loop_close(struct peal_fetcher *f)
{
	if (f->multi)
		curl_multi_cleanup(f->multi); /* closes kept connections */
	if (f->timer)
		uv_close((uv_handle_t *)f->timer, free_handle);
}
