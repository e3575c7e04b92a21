/* resolve.c - names to addresses through c-ares. See peal/net.h
 *
 * The channel's lookups are "b", DNS alone: the hosts file is read by us and
 * only where the caller asks for it, so that a check against DNS cannot be
 * answered by it. c-ares cannot take back a single query: one that was
 * cancelled goes on unheard, until none is left that anybody waits for. */
#include <ares.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <uv.h>

#include "loop.h"
#include "peal/alloc.h"
#include "peal/limits.h"
#include "peal/net.h"

/* RFC 1035 3.2.2, RFC 3596, RFC 2782 */
enum { CLASS_IN = 1, TYPE_A = 1, TYPE_AAAA = 28, TYPE_SRV = 33 };

struct peal_resolver {
	struct peal_loop *loop;
	ares_channel channel;
	uv_timer_t *timer;
	struct peal_query *first;
	unsigned asked; /* of c-ares, not answered yet */
};

struct peal_query {
	struct peal_deferred later;     /* first: cast back from it */
	struct peal_resolver *resolver; /* NULL once nobody waits */
	struct peal_query *next, **back;
	peal_resolve_fn done;
	void *arg;
	char name[256];
	enum peal_dns_type type;
	unsigned asked;
	int told;
	enum peal_err err;
	struct peal_reason reason;
	struct peal_dns_answer answers[PEAL_LIMIT_DNS_ANSWERS];
	unsigned n;
};

struct watch {
	uv_poll_t poll;
	struct peal_resolver *resolver;
	ares_socket_t fd;
};

static void drop(struct peal_query *q)
{
	if (q->told && q->asked == 0)
		peal_free(q);
}

static void tell(struct peal_deferred *d, int dropped)
{
	struct peal_query *q = (struct peal_query *)d;

	if (!dropped)
		q->done(q->err, q->err ? NULL : q->answers, q->err ? 0 : q->n,
			&q->reason, q->arg);
	q->told = 1;
	drop(q);
}

static void settle(struct peal_query *q, enum peal_err err)
{
	q->err = err;
	if (!q->resolver)
		return;
	*q->back = q->next;
	if (q->next)
		q->next->back = q->back;
	peal_loop_defer(q->resolver->loop, &q->later);
	q->resolver = NULL;
}

static void on_timer(uv_timer_t *timer);

/* After anything that may have changed what c-ares waits for. */
static void arm(struct peal_resolver *r)
{
	struct timeval tv, *left = ares_timeout(r->channel, NULL, &tv);
	uint64_t ms;

	if (!left || r->asked == 0) {
		uv_timer_stop(r->timer);
		return;
	}
	ms = (uint64_t)left->tv_sec * 1000 + (uint64_t)left->tv_usec / 1000;
	uv_update_time(peal_loop_uv(r->loop));
	uv_timer_start(r->timer, on_timer, ms + 1, 0);
}

static void on_timer(uv_timer_t *timer)
{
	struct peal_resolver *r = timer->data;

	ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	arm(r);
}

static void free_handle(uv_handle_t *handle)
{
	peal_free(handle);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct watch *w = poll->data;
	struct peal_resolver *r = w->resolver;
	int in = status < 0 || (events & UV_READABLE);
	int out = status < 0 || (events & UV_WRITABLE);

	ares_process_fd(r->channel, in ? w->fd : ARES_SOCKET_BAD,
			out ? w->fd : ARES_SOCKET_BAD);
	arm(r);
}

static struct watch *watch_new(struct peal_resolver *r, ares_socket_t fd)
{
	struct watch *w = peal_zalloc(sizeof(*w));

	if (!w)
		return NULL;
	if (uv_poll_init_socket(peal_loop_uv(r->loop), &w->poll, fd)) {
		peal_free(w);
		return NULL;
	}
	w->poll.data = w;
	w->resolver = r;
	w->fd = fd;
	return w;
}

struct finder {
	struct peal_resolver *resolver;
	ares_socket_t fd;
	struct watch *found;
};

static void look(uv_handle_t *handle, void *arg)
{
	struct finder *f = arg;
	struct watch *w = handle->data;

	if (handle->type == UV_POLL && !uv_is_closing(handle) &&
	    ((uv_poll_t *)handle)->poll_cb == on_ready &&
	    w->resolver == f->resolver && w->fd == f->fd)
		f->found = w;
}

/* c-ares has no place to keep a watch for a socket; there are one or two. */
static void on_socket(void *arg, ares_socket_t fd, int in, int out)
{
	struct peal_resolver *r = arg;
	struct finder f = { r, fd, NULL };

	uv_walk(peal_loop_uv(r->loop), look, &f);
	if (!in && !out) {
		if (!f.found)
			return;
		uv_poll_stop(&f.found->poll);
		uv_close((uv_handle_t *)&f.found->poll, free_handle);
		return;
	}
	/* without a watch the query ends by its timeout */
	if (!f.found)
		f.found = watch_new(r, fd);
	if (f.found)
		uv_poll_start(&f.found->poll,
			      (in ? UV_READABLE : 0) | (out ? UV_WRITABLE : 0),
			      on_ready);
}

static int on_socket_made(ares_socket_t fd, int type, void *arg)
{
	(void)type;
	(void)arg;
	return fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static enum peal_err from_ares(int status)
{
	switch (status) {
	case ARES_SUCCESS:
		return PEAL_OK;
	case ARES_ENOMEM:
		return PEAL_ENOMEM;
	case ARES_ETIMEOUT:
		return PEAL_ETIMEOUT;
	case ARES_ECANCELLED:
	case ARES_EDESTRUCTION:
		return PEAL_ECANCELED;
	default:
		return PEAL_EDNS;
	}
}

static enum peal_err open_channel(struct peal_resolver *r,
				  const struct peal_resolver_options *o)
{
	char lookups[] = "b";
	struct ares_options a = {
		.flags = ARES_FLAG_NOALIASES,
		.timeout = o && o->timeout_ms ? (int)o->timeout_ms : 2000,
		.tries = o && o->tries ? (int)o->tries : 3,
		.lookups = lookups,
		.sock_state_cb = on_socket,
		.sock_state_cb_data = r,
	};
	int rc = ares_init_options(&r->channel, &a,
				   ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS |
					   ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
					   ARES_OPT_SOCK_STATE_CB);

	if (rc)
		return rc == ARES_ENOMEM ? PEAL_ENOMEM : PEAL_EINTERNAL;
	ares_set_socket_configure_callback(r->channel, on_socket_made, NULL);
	if (!o || !o->servers)
		return PEAL_OK;
	rc = ares_set_servers_ports_csv(r->channel, o->servers);
	if (rc)
		return rc == ARES_ENOMEM ? PEAL_ENOMEM : PEAL_EINVAL;
	return PEAL_OK;
}

enum peal_err peal_resolver_new(struct peal_resolver **out, struct peal_loop *l,
				const struct peal_resolver_options *options)
{
	struct peal_resolver *r;
	enum peal_err err;

	if (!out || !l)
		return PEAL_EINVAL;
	/* counted by c-ares */
	if (ares_library_init_mem(ARES_LIB_INIT_ALL, peal_alloc, peal_free,
				  peal_realloc))
		return PEAL_ENOMEM;
	r = peal_zalloc(sizeof(*r));
	if (!r) {
		ares_library_cleanup();
		return PEAL_ENOMEM;
	}
	r->loop = l;
	r->timer = peal_zalloc(sizeof(*r->timer));
	if (!r->timer) {
		peal_resolver_free(r);
		return PEAL_ENOMEM;
	}
	uv_timer_init(peal_loop_uv(l), r->timer);
	r->timer->data = r;

	err = open_channel(r, options);
	if (err) {
		peal_resolver_free(r);
		return err;
	}
	*out = r;
	return PEAL_OK;
}

void peal_resolver_free(struct peal_resolver *r)
{
	if (!r)
		return;
	while (r->first)
		settle(r->first, PEAL_ECANCELED);
	if (r->channel)
		ares_destroy(r->channel);
	if (r->timer)
		uv_close((uv_handle_t *)r->timer, free_handle);
	peal_free(r);
	ares_library_cleanup();
}

/* IPv4 answers stay in front, whichever came first. */
static struct peal_dns_answer *add(struct peal_query *q, int in_front)
{
	unsigned at = q->n, i;

	if (q->n == PEAL_LIMIT_DNS_ANSWERS)
		return NULL;
	if (in_front)
		for (at = 0; at < q->n && !strchr(q->answers[at].address, ':');)
			at++;
	for (i = q->n++; i > at; i--)
		q->answers[i] = q->answers[i - 1];
	memset(&q->answers[at], 0, sizeof(q->answers[at]));
	return &q->answers[at];
}

static void add_address(struct peal_query *q, int family, const void *ip,
			int ttl)
{
	struct peal_dns_answer *a = add(q, family == AF_INET);

	if (!a)
		return;
	inet_ntop(family, ip, a->address, sizeof(a->address));
	a->ttl_s = ttl > 0 ? (uint32_t)ttl : 0;
}

static int take_a(struct peal_query *q, const unsigned char *bytes, int len)
{
	struct ares_addrttl list[PEAL_LIMIT_DNS_ANSWERS];
	int n = PEAL_LIMIT_DNS_ANSWERS, i;
	int rc = ares_parse_a_reply(bytes, len, NULL, list, &n);

	for (i = 0; rc == ARES_SUCCESS && i < n; i++)
		add_address(q, AF_INET, &list[i].ipaddr, list[i].ttl);
	return rc;
}

static int take_aaaa(struct peal_query *q, const unsigned char *bytes, int len)
{
	struct ares_addr6ttl list[PEAL_LIMIT_DNS_ANSWERS];
	int n = PEAL_LIMIT_DNS_ANSWERS, i;
	int rc = ares_parse_aaaa_reply(bytes, len, NULL, list, &n);

	for (i = 0; rc == ARES_SUCCESS && i < n; i++)
		add_address(q, AF_INET6, &list[i].ip6addr, list[i].ttl);
	return rc;
}

static int take_srv(struct peal_query *q, const unsigned char *bytes, int len)
{
	struct ares_srv_reply *list = NULL, *s;
	struct peal_dns_answer *a;
	int rc = ares_parse_srv_reply(bytes, len, &list);

	for (s = list; rc == ARES_SUCCESS && s; s = s->next) {
		a = add(q, 0);
		if (!a)
			break;
		snprintf(a->target, sizeof(a->target), "%s", s->host);
		a->port = s->port;
		a->priority = s->priority;
		a->weight = s->weight;
	}
	if (list)
		ares_free_data(list);
	return rc;
}

/* Of two failures the one that says less about the name is kept: after a
 * timeout nobody knows whether it exists. */
static void keep_failure(struct peal_query *q, int status)
{
	enum peal_err err = from_ares(status);

	if (q->err && (q->err != PEAL_EDNS || err == PEAL_EDNS))
		return;
	q->err = err;
	if (err == PEAL_ETIMEOUT)
		peal_fail(&q->reason, err, "no DNS server answered for %.120s",
			  q->name);
	else if (status == ARES_ENOTFOUND)
		peal_fail(&q->reason, err, "no such name in DNS: %.120s",
			  q->name);
	else if (status == ARES_ENODATA)
		peal_fail(&q->reason, err, "%.120s has no %s in DNS", q->name,
			  q->type == PEAL_DNS_SRV ? "SRV record" : "address");
	else
		peal_fail(&q->reason, err, "DNS for %.120s: %s", q->name,
			  ares_strerror(status));
}

static void answered(struct peal_query *q)
{
	enum peal_err err = q->err;

	if (q->n > 0)
		err = PEAL_OK;
	else if (err == PEAL_OK)
		err = PEAL_EDNS;
	if (err == PEAL_OK)
		peal_reason_clear(&q->reason);
	settle(q, err);
}

static void take(struct peal_query *q, int status,
		 int (*parse)(struct peal_query *, const unsigned char *, int),
		 const unsigned char *bytes, int len)
{
	struct peal_resolver *r = q->resolver;

	q->asked--;
	if (!r) { /* cancelled */
		drop(q);
		return;
	}
	r->asked--;
	if (status == ARES_SUCCESS)
		status = parse(q, bytes, len);
	if (status)
		keep_failure(q, status);
	if (q->asked == 0)
		answered(q);
}

static void on_a(void *arg, int status, int timeouts, unsigned char *bytes,
		 int len)
{
	(void)timeouts;
	take(arg, status, take_a, bytes, len);
}

static void on_aaaa(void *arg, int status, int timeouts, unsigned char *bytes,
		    int len)
{
	(void)timeouts;
	take(arg, status, take_aaaa, bytes, len);
}

static void on_srv(void *arg, int status, int timeouts, unsigned char *bytes,
		   int len)
{
	(void)timeouts;
	take(arg, status, take_srv, bytes, len);
}

static void from_hosts(struct peal_query *q, int family)
{
	struct hostent *host = NULL;
	char **ip;

	if (ares_gethostbyname_file(q->resolver->channel, q->name, family,
				    &host) != ARES_SUCCESS)
		return;
	for (ip = host->h_addr_list; *ip; ip++)
		add_address(q, family, *ip, 0);
	ares_free_hostent(host);
}

static int is_localhost(const char *name)
{
	static const char local[] = "localhost";
	size_t len = strlen(name), n = sizeof(local) - 1;

	if (len && name[len - 1] == '.')
		len--;
	if (len < n || strncasecmp(name + len - n, local, n) != 0)
		return 0;
	return len == n || name[len - n - 1] == '.';
}

/* 1 when no question is needed; there may be no answer all the same. */
static int known(struct peal_query *q, int use_hosts)
{
	int v4 = q->type == PEAL_DNS_A || q->type == PEAL_DNS_ADDR;
	int v6 = q->type == PEAL_DNS_AAAA || q->type == PEAL_DNS_ADDR;
	unsigned char ip[16];

	if (inet_pton(AF_INET, q->name, ip) == 1) {
		if (v4)
			add_address(q, AF_INET, ip, 0);
		return 1;
	}
	if (inet_pton(AF_INET6, q->name, ip) == 1) {
		if (v6)
			add_address(q, AF_INET6, ip, 0);
		return 1;
	}
	if (is_localhost(q->name)) {
		if (v4 && inet_pton(AF_INET, "127.0.0.1", ip) == 1)
			add_address(q, AF_INET, ip, 0);
		if (v6 && inet_pton(AF_INET6, "::1", ip) == 1)
			add_address(q, AF_INET6, ip, 0);
		return 1;
	}
	if (use_hosts && v4)
		from_hosts(q, AF_INET);
	if (use_hosts && v6)
		from_hosts(q, AF_INET6);
	return q->n > 0;
}

/* A single label is looked for in the network's own domains; a name with dots
 * is taken as it is, so that nobody's domain is appended to it. */
static void ask(struct peal_query *q, int type, ares_callback fn)
{
	ares_channel channel = q->resolver->channel;

	if (strchr(q->name, '.'))
		ares_query(channel, q->name, CLASS_IN, type, fn, q);
	else
		ares_search(channel, q->name, CLASS_IN, type, fn, q);
}

static void ask_all(struct peal_query *q)
{
	struct peal_resolver *r = q->resolver;
	enum peal_dns_type type = q->type;

	/* counted first: c-ares may answer at once */
	q->asked = type == PEAL_DNS_ADDR ? 2 : 1;
	r->asked += q->asked;
	if (type == PEAL_DNS_A || type == PEAL_DNS_ADDR)
		ask(q, TYPE_A, on_a);
	if (type == PEAL_DNS_AAAA || type == PEAL_DNS_ADDR)
		ask(q, TYPE_AAAA, on_aaaa);
	if (type == PEAL_DNS_SRV)
		ask(q, TYPE_SRV, on_srv);
	arm(r);
}

static int valid(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.:";
	size_t len = strlen(name);

	return len > 0 && len < 256 && name[0] != '.' &&
	       strspn(name, letters) == len && !strstr(name, "..");
}

enum peal_err peal_resolve_start(struct peal_query **out,
				 struct peal_resolver *r, const char *name,
				 enum peal_dns_type type, int use_hosts,
				 peal_resolve_fn done, void *arg)
{
	struct peal_query *q;

	if (!r || !name || !done || !valid(name))
		return PEAL_EINVAL;
	q = peal_zalloc(sizeof(*q));
	if (!q)
		return PEAL_ENOMEM;
	q->later.fn = tell;
	q->resolver = r;
	q->done = done;
	q->arg = arg;
	q->type = type;
	peal_reason_clear(&q->reason);
	snprintf(q->name, sizeof(q->name), "%s", name);
	q->next = r->first;
	q->back = &r->first;
	if (q->next)
		q->next->back = &q->next;
	r->first = q;
	if (out)
		*out = q;

	if (known(q, use_hosts)) {
		if (q->n == 0)
			keep_failure(q, ARES_ENODATA);
		answered(q);
	} else {
		ask_all(q);
	}
	return PEAL_OK;
}

void peal_resolve_cancel(struct peal_query *q)
{
	struct peal_resolver *r;

	if (!q)
		return;
	r = q->resolver;
	peal_reason_clear(&q->reason);
	if (r)
		r->asked -= q->asked;
	settle(q, PEAL_ECANCELED);
	/* nobody waits for any answer: close the sockets */
	if (r && r->asked == 0) {
		ares_cancel(r->channel);
		arm(r);
	}
}
