/* answer.c - what comes back: header lines and body, counted by ourselves.
 * libcurl's own limits are no bound: a length that lies, or none at all, gets
 * past them. */
#include <string.h>
#include <strings.h>

#include "fetch.h"

static int end(struct peal_fetch *f, enum peal_err err)
{
	if (!f->err)
		f->err = err;
	return 0; /* fewer bytes than offered: libcurl gives up */
}

void peal_answer_reset(struct peal_fetch *f)
{
	peal_buf_clear(&f->in);
	peal_buf_clear(&f->lines);
	f->seen = 0;
	f->response.received = 0;
	f->header_bytes = 0;
	f->has_length = f->chunked = f->headers_over = 0;
	f->response.status = 0;
}

/* Value of header `name` if that is what the line holds. */
static const char *value_of(const char *line, const char *name)
{
	size_t len = strlen(name);

	if (strncasecmp(line, name, len) != 0 || line[len] != ':')
		return NULL;
	line += len + 1;
	return line + strspn(line, " \t");
}

/* RFC 9110 8.6: digits only; two that differ are an attack or a fault. */
static enum peal_err read_length(struct peal_fetch *f, const char *text)
{
	size_t len = strspn(text, "0123456789");
	uint64_t n = 0;
	size_t i;

	if (len == 0 || len > 19 || text[len + strspn(text + len, " \t")])
		return peal_fail(&f->reason, PEAL_EPROTO,
				 "Content-Length is not a number");
	for (i = 0; i < len; i++)
		n = n * 10 + (uint64_t)(text[i] - '0');
	if (f->has_length && n != f->content_length)
		return peal_fail(&f->reason, PEAL_EPROTO,
				 "two different Content-Length headers");
	f->has_length = 1;
	f->content_length = n;
	return PEAL_OK;
}

static enum peal_err too_big(struct peal_fetch *f)
{
	return peal_fail(&f->reason, PEAL_ETOOBIG,
			 "the answer is larger than %zu bytes", f->max);
}

static enum peal_err headers_end(struct peal_fetch *f)
{
	if (f->response.status < 200)
		return PEAL_OK; /* an interim answer; another one follows */
	f->headers_over = 1;
	if (f->has_length && !f->chunked && f->content_length > f->max)
		return too_big(f);
	return PEAL_OK;
}

/* A line that begins with a blank continues the one before (RFC 9112 5.2). */
static enum peal_err unfold(struct peal_fetch *f, const char *line)
{
	if (f->lines.len == 0)
		return PEAL_EPROTO;
	f->lines.data[f->lines.len - 1] = ' ';
	return peal_buf_add(&f->lines, line, strlen(line) + 1);
}

static enum peal_err take_line(struct peal_fetch *f, char *line)
{
	const char *value;
	enum peal_err err = PEAL_OK;

	if (f->headers_over)
		return PEAL_OK; /* a trailer: nobody may rely on it */
	if (line[0] == '\0')
		return headers_end(f);
	if (line[0] == ' ' || line[0] == '\t')
		return unfold(f, line + strspn(line, " \t"));
	value = value_of(line, "Content-Length");
	if (value)
		err = read_length(f, value);
	else if (value_of(line, "Transfer-Encoding"))
		f->chunked = 1;
	if (err)
		return err;
	return peal_buf_add(&f->lines, line, strlen(line) + 1);
}

static int status_of(const char *line)
{
	const char *blank = strchr(line, ' ');

	if (!blank)
		return 0;
	blank += strspn(blank, " ");
	if (strspn(blank, "0123456789") < 3)
		return 0;
	return (blank[0] - '0') * 100 + (blank[1] - '0') * 10 + blank[2] - '0';
}

static void begin(struct peal_fetch *f, const char *line)
{
	size_t so_far = f->header_bytes;

	peal_answer_reset(f);
	f->header_bytes = so_far; /* a flood of interim answers counts, too */
	f->response.status = status_of(line);
}

static size_t on_header(char *bytes, size_t size, size_t n, void *arg)
{
	struct peal_fetch *f = arg;
	size_t len = size * n;
	char line[4096], *text = line;
	struct peal_buf spill;
	enum peal_err err = PEAL_OK;

	peal_resume_collect(f);
	f->header_bytes += len;
	if (f->header_bytes > PEAL_LIMIT_HEADERS) {
		peal_fail(&f->reason, PEAL_EPROTO,
			  "more than %d bytes of header lines",
			  PEAL_LIMIT_HEADERS);
		return (size_t)end(f, PEAL_EPROTO);
	}
	peal_buf_init(&spill, PEAL_LIMIT_HEADERS + 1);
	while (len && (bytes[len - 1] == '\n' || bytes[len - 1] == '\r'))
		len--;
	if (len < sizeof(line)) {
		memcpy(line, bytes, len);
		line[len] = '\0';
	} else {
		err = peal_buf_add(&spill, bytes, len);
		if (!err)
			err = peal_buf_add(&spill, "", 1);
		text = (char *)spill.data;
	}
	if (!err && strncmp(text, "HTTP/", 5) == 0 && !f->headers_over)
		begin(f, text);
	else if (!err)
		err = take_line(f, text);
	peal_buf_fini(&spill);
	if (err)
		return (size_t)end(f, err);
	return size * n;
}

/* The body of a challenge or of an error is no image. */
static int is_wanted(const struct peal_fetch *f)
{
	return f->response.status >= 200 && f->response.status < 300;
}

/* What the sink cancels meanwhile ends at the next turn, see
 * peal_fetch_cancel(). */
static enum peal_err pour(struct peal_fetch *f, const char *bytes, size_t len)
{
	enum peal_err err;

	f->fetcher->in_sink++;
	err = f->sink(bytes, len, f->sink_arg);
	f->fetcher->in_sink--;
	if (err && !f->err)
		peal_fail(&f->reason, err, "%s", peal_err_text(err));
	return f->err ? f->err : err;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct peal_fetch *f = arg;
	size_t len = size * n;
	int kept = !f->sink || is_wanted(f);
	enum peal_err err = PEAL_OK;

	peal_resume_collect(f);
	if (len > f->max - f->seen)
		return (size_t)end(f, too_big(f));
	f->seen += len;
	if (!f->sink)
		err = peal_buf_add(&f->in, bytes, len);
	else if (kept && len)
		err = pour(f, bytes, len);
	if (err)
		return (size_t)end(f, err);
	if (kept)
		f->response.received += len;
	return len;
}

static int starts(const char *bytes, size_t len, const char *with)
{
	return len >= strlen(with) && memcmp(bytes, with, strlen(with)) == 0;
}

/* libcurl tells here what it has no option for: each request as it goes out,
 * each byte that moves, and its own words about alerts and surplus bytes. */
static int on_debug(CURL *easy, curl_infotype type, char *bytes, size_t len,
		    void *arg)
{
	struct peal_fetch *f = arg;

	(void)easy;
	if (type == CURLINFO_TEXT) {
		if (starts(bytes, len, "Excess found") && !f->err) {
			f->err = PEAL_EPROTO;
			peal_fail(&f->reason, PEAL_EPROTO,
				  "the body is longer than Content-Length");
		}
		peal_tls_text(f, bytes, len);
		return 0;
	}
	f->moved_ms = peal_loop_now_ms(f->loop);
	if (type == CURLINFO_HEADER_OUT && !starts(bytes, len, "CONNECT ")) {
		f->response.sent++;
		peal_answer_reset(f);
	}
	return 0;
}

CURLcode peal_answer_set(struct peal_fetch *f)
{
	CURL *e = f->easy;
	CURLcode rc = CURLE_OK;

	PEAL_SET(rc, e, CURLOPT_HEADERFUNCTION, on_header);
	PEAL_SET(rc, e, CURLOPT_HEADERDATA, f);
	PEAL_SET(rc, e, CURLOPT_WRITEFUNCTION, on_body);
	PEAL_SET(rc, e, CURLOPT_WRITEDATA, f);
	PEAL_SET(rc, e, CURLOPT_DEBUGFUNCTION, on_debug);
	PEAL_SET(rc, e, CURLOPT_DEBUGDATA, f);
	PEAL_SET(rc, e, CURLOPT_VERBOSE, 1L);
	PEAL_SET(rc, e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	return rc;
}
