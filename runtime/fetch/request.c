/* request.c - what is asked of libcurl. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fetch.h"
#include "peal/alloc.h"
#include "peal/net.h"

static int is_literal(const char *text)
{
	struct sockaddr_storage sa;

	return peal_address_parse(text, 0, &sa) == PEAL_OK;
}

/* One part of a URL, as a block of ours; NULL: not there or no memory. */
static char *part(CURLU *u, CURLUPart what, unsigned flags)
{
	char *text = NULL, *copy;

	if (curl_url_get(u, what, &text, flags))
		return NULL;
	copy = peal_strdup(text);
	curl_free(text);
	return copy;
}

/* "[::1]" -> "::1" */
static void strip_brackets(char *host)
{
	size_t len = strlen(host);

	if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
		memmove(host, host + 1, len - 2);
		host[len - 2] = '\0';
	}
}

static enum peal_err parse_url(CURLU *u, const char *url,
			       struct peal_reason *reason)
{
	CURLUcode rc;

	if (strlen(url) > PEAL_LIMIT_URL)
		return peal_fail(reason, PEAL_EURL,
				 "the URL is longer than %d bytes",
				 PEAL_LIMIT_URL);
	rc = curl_url_set(u, CURLUPART_URL, url,
			  CURLU_PATH_AS_IS | CURLU_NON_SUPPORT_SCHEME);
	if (rc == CURLUE_OUT_OF_MEMORY)
		return PEAL_ENOMEM;
	if (rc)
		return peal_fail(reason, PEAL_EURL, "not a valid URL: %s",
				 curl_url_strerror(rc));
	return PEAL_OK;
}

static enum peal_err check_scheme(struct peal_fetch *f, CURLU *u,
				  struct peal_reason *reason)
{
	char *scheme = part(u, CURLUPART_SCHEME, 0);
	enum peal_err err = PEAL_OK;

	if (!scheme)
		return PEAL_ENOMEM;
	f->https = strcmp(scheme, "https") == 0;
	if (!f->https && strcmp(scheme, "http") != 0)
		err = peal_fail(reason, PEAL_ESCHEME,
				"scheme %.20s is not http or https", scheme);
	peal_free(scheme);
	return err;
}

static enum peal_err check_user(CURLU *u, struct peal_reason *reason)
{
	char *user = part(u, CURLUPART_USER, 0);
	char *password = part(u, CURLUPART_PASSWORD, 0);
	int found = user || password;

	peal_free(user);
	if (password)
		peal_wipe(password, strlen(password));
	peal_free(password);
	if (found)
		return peal_fail(reason, PEAL_EURL,
				 "the URL holds credentials; give them apart");
	return PEAL_OK;
}

/* Every connection goes to a literal, so that libcurl never looks a name up.
 * SNI, Host and the name rule use the URL's host all the same, and libcurl
 * keeps connections to different addresses apart. */
static enum peal_err pin(struct peal_fetch *f, CURLU *u, const char *address,
			 struct peal_reason *reason)
{
	char *port, text[80];
	int n;

	if (!is_literal(address))
		return peal_fail(reason, PEAL_EINVAL,
				 "'%.60s' is not an address", address);
	port = part(u, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	if (!port)
		return PEAL_ENOMEM;
	n = snprintf(text, sizeof(text),
		     strchr(address, ':') ? "::[%s]:%s" : "::%s:%s", address,
		     port);
	peal_free(port);
	if (n < 0 || (size_t)n >= sizeof(text))
		return PEAL_EINVAL;
	f->connect_to = curl_slist_append(NULL, text);
	return f->connect_to ? PEAL_OK : PEAL_ENOMEM;
}

/* libcurl forgets a '?' with nothing behind it, servers do not: "reflect.pl?".
 * As the end of the path it stays, in the request and in Digest's uri. */
static enum peal_err keep_question_mark(CURLU *u)
{
	char *query = NULL, *path, *longer;
	int empty = curl_url_get(u, CURLUPART_QUERY, &query, CURLU_GET_EMPTY) ==
			    CURLUE_OK &&
		    query[0] == '\0';
	CURLUcode rc = CURLUE_OUT_OF_MEMORY;
	size_t len;

	curl_free(query);
	if (!empty)
		return PEAL_OK;
	path = part(u, CURLUPART_PATH, 0);
	if (!path)
		return PEAL_ENOMEM;
	len = strlen(path);
	longer = peal_realloc(path, len + 2);
	if (longer) {
		path = longer;
		memcpy(path + len, "?", 2);
		rc = curl_url_set(u, CURLUPART_QUERY, NULL, 0);
	}
	if (!rc)
		rc = curl_url_set(u, CURLUPART_PATH, path, 0);
	peal_free(path);
	return rc ? PEAL_ENOMEM : PEAL_OK;
}

static enum peal_err read_url(struct peal_fetch *f, CURLU *u,
			      const struct peal_fetch_request *r,
			      struct peal_reason *reason)
{
	enum peal_err err = parse_url(u, r->url, reason);

	if (!err)
		err = check_scheme(f, u, reason);
	if (!err)
		err = check_user(u, reason);
	if (err)
		return err;
	f->host = part(u, CURLUPART_HOST, 0);
	if (!f->host)
		return PEAL_ENOMEM;
	err = keep_question_mark(u);
	if (err)
		return err;
	strip_brackets(f->host);
	if (r->proxy)
		return PEAL_OK;
	if (r->address)
		return pin(f, u, r->address, reason);
	if (!is_literal(f->host))
		return peal_fail(reason, PEAL_EINVAL,
				 "no address given for host %.100s", f->host);
	return PEAL_OK;
}

/* A proxy goes by its address: it has no need of its name. */
static enum peal_err read_proxy(struct peal_fetch *f, CURLU *u,
				const struct peal_fetch_request *r,
				struct peal_reason *reason)
{
	char *scheme, *host, *port, text[96];
	const char *address = r->proxy_address;
	enum peal_err err = parse_url(u, r->proxy, reason);

	if (err)
		return err;
	scheme = part(u, CURLUPART_SCHEME, 0);
	host = part(u, CURLUPART_HOST, 0);
	port = part(u, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	err = PEAL_ENOMEM;
	if (!scheme || !host)
		goto out;
	strip_brackets(host);
	err = PEAL_EINVAL;
	if (strcmp(scheme, "http") != 0 || !port) {
		peal_fail(reason, err, "the proxy is not http://host:port");
		goto out;
	}
	if (!address)
		address = host;
	if (!is_literal(address)) {
		peal_fail(reason, err, "no address given for proxy %.100s",
			  address);
		goto out;
	}
	snprintf(text, sizeof(text),
		 strchr(address, ':') ? "http://[%s]:%s" : "http://%s:%s",
		 address, port);
	f->proxy = peal_strdup(text);
	f->proxied = 1;
	err = f->proxy ? PEAL_OK : PEAL_ENOMEM;
out:
	peal_free(scheme);
	peal_free(host);
	peal_free(port);
	return err;
}

static enum peal_err add_header(struct peal_fetch *f, const char *text)
{
	struct curl_slist *longer = curl_slist_append(f->headers, text);

	if (!longer)
		return PEAL_ENOMEM;
	f->headers = longer;
	return PEAL_OK;
}

/* libcurl takes "Name:" as "do not send it"; "Name;" sends it empty. */
static enum peal_err add_empty(struct peal_fetch *f, const char *name,
			       size_t len)
{
	char text[128];

	if (len + 2 > sizeof(text))
		return PEAL_EINVAL;
	memcpy(text, name, len);
	text[len] = ';';
	text[len + 1] = '\0';
	return add_header(f, text);
}

static enum peal_err read_header(struct peal_fetch *f, const char *text,
				 struct peal_reason *reason)
{
	const char *colon = strchr(text, ':'), *p;

	for (p = text; *p; p++)
		if (((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7f)
			break;
	if (!colon || colon == text || *p ||
	    strcspn(text, " \t") < (size_t)(colon - text))
		return peal_fail(reason, PEAL_EINVAL,
				 "a header is not \"Name: value\"");
	if (colon[1 + strspn(colon + 1, " \t")] == '\0')
		return add_empty(f, text, (size_t)(colon - text));
	return add_header(f, text);
}

static int given(const struct peal_fetch_request *r, const char *name)
{
	const char *const *h;

	for (h = r->headers; h && *h; h++)
		if (strncasecmp(*h, name, strlen(name)) == 0)
			return 1;
	return 0;
}

static enum peal_err read_headers(struct peal_fetch *f,
				  const struct peal_fetch_request *r,
				  struct peal_reason *reason)
{
	/* what libcurl would add of its own accord */
	static const char *const unwanted[] = { "Accept:", "Content-Type:",
						"Expect:", NULL };
	const char *const *h;
	enum peal_err err = PEAL_OK;

	for (h = r->headers; !err && h && *h; h++)
		err = read_header(f, *h, reason);
	for (h = unwanted; !err && *h; h++)
		if (!given(r, *h))
			err = add_header(f, *h);
	return err;
}

static enum peal_err dup_text(char **out, const char *text)
{
	if (!text)
		return PEAL_OK;
	*out = peal_strdup(text);
	return *out ? PEAL_OK : PEAL_ENOMEM;
}

static enum peal_err read_rest(struct peal_fetch *f,
			       const struct peal_fetch_request *r)
{
	enum peal_err err = dup_text(&f->user, r->user);

	if (!err)
		err = dup_text(&f->password, r->password);
	if (!err)
		err = dup_text(&f->proxy_user, r->proxy_user);
	if (!err)
		err = dup_text(&f->proxy_password, r->proxy_password);
	if (!err && r->body) {
		f->body = (unsigned char *)peal_memdup0(r->body, r->body_len);
		f->body_len = r->body_len;
		err = f->body ? PEAL_OK : PEAL_ENOMEM;
	}
	f->acts = r->method && strcmp(r->method, "GET") != 0;
	f->auth = r->auth;
	f->sink = r->sink;
	f->sink_arg = r->sink_arg;
	f->max = r->sink ? PEAL_LIMIT_IMAGE : PEAL_LIMIT_DOWNLOAD;
	if (r->max)
		f->max = r->max;
	f->connect_ms = r->connect_ms ? r->connect_ms : 10000;
	f->idle_ms = r->idle_ms ? r->idle_ms : 30000;
	f->total_ms = r->total_ms ? r->total_ms : 300000;
	return err;
}

static int known_method(const char *m)
{
	return !m || strcmp(m, "GET") == 0 || strcmp(m, "POST") == 0 ||
	       strcmp(m, "PUT") == 0;
}

static enum peal_err hold_policy(struct peal_fetch *f)
{
	struct peal_tls_policy *p = &f->tls;
	const char *dns_failure = p->dns_failure;

	peal_anchors_ref(p->anchors);
	peal_identity_ref(p->identity);
	peal_cert_set_ref(p->rejected);
	peal_cert_set_ref(p->pinned);
	peal_cert_set_ref(p->removed);
	peal_ciphers_ref(p->ciphers);
	p->dns_failure = NULL;
	return dup_text((char **)&p->dns_failure, dns_failure);
}

enum peal_err peal_request_read(struct peal_fetch *f,
				const struct peal_fetch_request *r,
				struct peal_reason *reason)
{
	CURLU *u, *proxy = NULL;
	enum peal_err err;

	if (!known_method(r->method))
		return peal_fail(reason, PEAL_EINVAL,
				 "the method is not GET, POST or PUT");
	f->url = u = curl_url();
	if (r->proxy)
		proxy = curl_url();
	if (!u || (r->proxy && !proxy)) {
		curl_url_cleanup(proxy);
		return PEAL_ENOMEM;
	}
	err = read_url(f, u, r, reason);
	if (!err && f->https && !r->tls)
		err = peal_fail(reason, PEAL_EINVAL,
				"https without a TLS policy");
	if (!err && f->https) {
		f->tls = *r->tls;
		err = hold_policy(f);
	}
	if (!err && r->proxy)
		err = read_proxy(f, proxy, r, reason);
	if (!err)
		err = read_headers(f, r, reason);
	if (!err)
		err = read_rest(f, r);
	curl_url_cleanup(proxy);
	return err;
}

/* Children of the program must not inherit a server's connection. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose,
				 struct curl_sockaddr *a)
{
	struct peal_fetch *f = arg;
	struct peal_fetch_response *r = &f->response;
	const struct sockaddr_in *v4 = (const void *)&a->addr;
	const struct sockaddr_in6 *v6 = (const void *)&a->addr;

	(void)purpose;
	if (a->family == AF_INET) {
		inet_ntop(AF_INET, &v4->sin_addr, r->peer, sizeof(r->peer));
		r->peer_port = ntohs(v4->sin_port);
	} else if (a->family == AF_INET6) {
		inet_ntop(AF_INET6, &v6->sin6_addr, r->peer, sizeof(r->peer));
		r->peer_port = ntohs(v6->sin6_port);
	}
	f->socket = socket(a->family,
			   a->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
			   a->protocol);
	return f->socket;
}

/* Connected, TLS and all, and about to send a request. */
static int before_request(void *arg, char *peer, char *local, int peer_port,
			  int local_port)
{
	struct peal_fetch *f = arg;

	(void)local;
	(void)local_port;
	f->connected = 1;
	f->moved_ms = peal_loop_now_ms(f->loop);
	peal_fetch_arm(f); /* from now on silence counts */
	snprintf(f->response.peer, sizeof(f->response.peer), "%s", peer);
	f->response.peer_port = (uint16_t)peer_port;
	if (f->response.sent >= 3) {
		f->over_budget = 1;
		return CURL_PREREQFUNC_ABORT;
	}
	if (f->acts && f->response.sent && !f->response.status) {
		f->err = peal_fail(&f->reason, PEAL_ECONNECT,
				   "%s closed the connection without an "
				   "answer, after it may have read what was "
				   "sent",
				   f->host);
		return CURL_PREREQFUNC_ABORT;
	}
	if (f->https && peal_tls_connected(f))
		return CURL_PREREQFUNC_ABORT;
	return CURL_PREREQFUNC_OK;
}

static int close_socket(void *arg, curl_socket_t socket)
{
	peal_resume_closed(arg, socket);
	return close(socket);
}

static CURLcode set_method(struct peal_fetch *f, const char *method)
{
	CURL *e = f->easy;
	CURLcode rc = CURLE_OK;

	if (f->body || strcmp(method, "GET") != 0) {
		PEAL_SET(rc, e, CURLOPT_POST, 1L);
		PEAL_SET(rc, e, CURLOPT_POSTFIELDS,
			 f->body ? (char *)f->body : "");
		PEAL_SET(rc, e, CURLOPT_POSTFIELDSIZE_LARGE,
			 (curl_off_t)f->body_len);
	}
	if (strcmp(method, "POST") != 0)
		PEAL_SET(rc, e, CURLOPT_CUSTOMREQUEST, method);
	/* Where a kept connection turns out to be dead libcurl sends the
	 * request again, whatever it is (RFC 9110 9.2.2: only what does no
	 * harm twice). before_request() would refuse that. */
	PEAL_SET(rc, e, CURLOPT_FRESH_CONNECT, (long)f->acts);
	return rc;
}

static CURLcode set_proxy(struct peal_fetch *f)
{
	CURL *e = f->easy;
	CURLcode rc = CURLE_OK;

	/* the empty text keeps libcurl from the environment's proxies */
	PEAL_SET(rc, e, CURLOPT_PROXY, f->proxy ? f->proxy : "");
	PEAL_SET(rc, e, CURLOPT_NOPROXY, "");
	if (!f->proxy || !f->proxy_user)
		return rc;
	PEAL_SET(rc, e, CURLOPT_PROXYAUTH,
		 (long)(CURLAUTH_BASIC | CURLAUTH_DIGEST));
	PEAL_SET(rc, e, CURLOPT_PROXYUSERNAME, f->proxy_user);
	PEAL_SET(rc, e, CURLOPT_PROXYPASSWORD,
		 f->proxy_password ? f->proxy_password : "");
	return rc;
}

/* A libcurl built without .netrc does not know the option. */
static CURLcode no_netrc(CURL *e)
{
	CURLcode rc =
		curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);

	return rc == CURLE_UNKNOWN_OPTION ? CURLE_OK : rc;
}

static CURLcode set_basics(struct peal_fetch *f, struct peal_fetcher *fetcher)
{
	CURL *e = f->easy;
	CURLcode rc = CURLE_OK;

	PEAL_SET(rc, e, CURLOPT_PRIVATE, f);
	PEAL_SET(rc, e, CURLOPT_ERRORBUFFER, f->curl_error);
	PEAL_SET(rc, e, CURLOPT_NOSIGNAL, 1L);
	PEAL_SET(rc, e, CURLOPT_CURLU, f->url);
	PEAL_SET(rc, e, CURLOPT_PROTOCOLS_STR, "http,https");
	PEAL_SET(rc, e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	PEAL_SET(rc, e, CURLOPT_PATH_AS_IS, 1L);
	PEAL_SET(rc, e, CURLOPT_FOLLOWLOCATION, 0L);
	rc = rc ? rc : no_netrc(e);
	PEAL_SET(rc, e, CURLOPT_HTTP09_ALLOWED, 0L);
	PEAL_SET(rc, e, CURLOPT_HTTP_CONTENT_DECODING, 0L);
	PEAL_SET(rc, e, CURLOPT_HTTPHEADER, f->headers);
	PEAL_SET(rc, e, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	PEAL_SET(rc, e, CURLOPT_OPENSOCKETDATA, f);
	PEAL_SET(rc, e, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
	PEAL_SET(rc, e, CURLOPT_CLOSESOCKETDATA, fetcher);
	PEAL_SET(rc, e, CURLOPT_PREREQFUNCTION, before_request);
	PEAL_SET(rc, e, CURLOPT_PREREQDATA, f);
	/* the deadlines are ours */
	PEAL_SET(rc, e, CURLOPT_CONNECTTIMEOUT_MS, 86400000L);
	if (f->connect_to)
		PEAL_SET(rc, e, CURLOPT_CONNECT_TO, f->connect_to);
	return rc;
}

enum peal_err peal_request_set(struct peal_fetch *f,
			       struct peal_fetcher *fetcher,
			       const struct peal_fetch_request *r)
{
	CURLcode rc = set_basics(f, fetcher);

	rc = rc ? rc : set_method(f, r->method ? r->method : "GET");
	rc = rc ? rc : set_proxy(f);
	rc = rc ? rc : peal_answer_set(f);
	if (f->https)
		rc = rc ? rc : peal_tls_set(f, fetcher->forgotten);
	if (rc == CURLE_OUT_OF_MEMORY)
		return PEAL_ENOMEM;
	return rc ? PEAL_EINTERNAL : PEAL_OK;
}
