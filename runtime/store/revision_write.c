/* revision_write.c - a content as text. See revision.h */
#include <string.h>

#include "decode/crypto.h"
#include "store/revision.h"

static void put(struct peal_buf *out, const char *text, size_t len)
{
	memcpy(out->data + out->len, text, len);
	out->len += len;
}

static void put_str(struct peal_buf *out, const char *text)
{
	put(out, text, strlen(text));
}

static void put_uint(struct peal_buf *out, const char *before, uint64_t n)
{
	char digits[24];
	size_t at = sizeof(digits);

	put_str(out, before);
	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	put(out, digits + at, sizeof(digits) - at);
}

static void put_int(struct peal_buf *out, const char *before, int64_t n)
{
	put_str(out, before);
	if (n < 0)
		put_uint(out, "-", (uint64_t) - (n + 1) + 1);
	else
		put_uint(out, "", (uint64_t)n);
}

/* Length of the valid UTF-8 character at p, 0: none. RFC 3629. */
static size_t utf8(const unsigned char *p, size_t left)
{
	size_t n = p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	size_t i;

	if (n == 0 || p[0] > 0xf4 || n > left)
		return 0;
	for (i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

static void put_escape(struct peal_buf *out, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	char x[4] = { '\\', 'x', hex[c >> 4], hex[c & 15] };

	switch (c) {
	case '"':
	case '\\':
		x[1] = (char)c;
		break;
	case '\n':
		x[1] = 'n';
		break;
	case '\r':
		x[1] = 'r';
		break;
	case '\t':
		x[1] = 't';
		break;
	default:
		put(out, x, 4);
		return;
	}
	put(out, x, 2);
}

static int plain(unsigned char c)
{
	return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

static void put_quoted(struct peal_buf *out, const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text, *end = p + len;
	size_t n;

	out->data[out->len++] = '"';
	while (p < end) {
		for (n = 0; p + n < end && plain(p[n]);)
			n++;
		put(out, (const char *)p, n);
		p += n;
		if (p == end)
			break;
		n = utf8(p, (size_t)(end - p));
		if (n)
			put(out, (const char *)p, n);
		else
			put_escape(out, *p);
		p += n ? n : 1;
	}
	out->data[out->len++] = '"';
}

/* Bare where that can be read back. */
static void put_word(struct peal_buf *out, const char *before, const char *text,
		     size_t len)
{
	size_t i = 0;

	while (i < len && plain((unsigned char)text[i]) && text[i] != ' ')
		i++;
	put_str(out, before);
	if (len && i == len)
		put(out, text, len);
	else
		put_quoted(out, text, len);
}

static void put_text(struct peal_buf *out, const char *before,
		     const struct peal_text *text)
{
	if (text->len)
		put_word(out, before, text->bytes, text->len);
}

/* Room for one line: four bytes for each of its texts' bytes, and the rest. */
static enum peal_err line_room(struct peal_buf *out, size_t texts)
{
	return peal_buf_reserve(out, 4 * texts + 256);
}

static enum peal_err write_writer(struct peal_buf *out, unsigned i,
				  const struct peal_writer *w)
{
	enum peal_err err =
		line_room(out, w->author->len + w->rule->len + w->url->len);

	if (err)
		return err;
	put_uint(out, "source ", i);
	put_uint(out, " rev=", w->revision);
	if (w->cycle)
		put_uint(out, " cycle=", w->cycle);
	put_text(out, " author=", w->author);
	put_text(out, " rule=", w->rule);
	put_text(out, " url=", w->url);
	put_str(out, "\n");
	return PEAL_OK;
}

static enum peal_err write_param(struct peal_buf *out, const char *name,
				 size_t name_len, const struct peal_entry *e,
				 enum peal_ua ua, int untyped)
{
	size_t len = e->text ? e->text->len : 0;
	enum peal_err err = line_room(out, name_len + len);

	if (err)
		return err;
	put_str(out, "param ");
	put(out, name, name_len);
	if (e->text) {
		put_str(out, " ");
		put_quoted(out, e->text->bytes, len);
	}
	if (e->ua != (unsigned)ua) {
		put_str(out, " ua=");
		put_str(out, peal_ua_name((enum peal_ua)e->ua));
	}
	if (e->user_modified)
		put_str(out, " user-modified");
	if (e->user_pref)
		put_str(out, " user-pref");
	if (untyped)
		put_str(out, " untyped");
	if (e->source != PEAL_NO_SOURCE)
		put_uint(out, " from=", e->source);
	if (e->line)
		put_uint(out, " line=", e->line);
	put_str(out, "\n");
	return PEAL_OK;
}

static enum peal_err write_params(struct peal_buf *out,
				  const struct peal_schema *schema,
				  const struct peal_params *params)
{
	enum peal_err err = PEAL_OK;
	unsigned i;

	for (i = 0; i < params->n_writers && !err; i++)
		err = write_writer(out, i, &params->writers[i]);
	for (i = 0; i < params->n_entries && !err; i++) {
		const struct peal_entry *e = &params->entries[i];
		const struct peal_param *p = &schema->params[e->index];

		err = write_param(out, p->name, strlen(p->name), e, p->ua, 0);
	}
	for (i = 0; i < params->n_extras && !err; i++) {
		const struct peal_extra *x = &params->extras[i];

		err = write_param(out, x->name->bytes, x->name->len, &x->entry,
				  PEAL_UA_NA, 1);
	}
	return err;
}

static enum peal_err write_state(struct peal_buf *out,
				 const struct peal_state *s)
{
	enum peal_err err =
		line_room(out, s->ns->len + s->key->len + s->value->len);

	if (err)
		return err;
	put_text(out, "state ", s->ns);
	put_text(out, " ", s->key);
	put_str(out, " ");
	put_quoted(out, s->value->bytes, s->value->len);
	put_str(out, "\n");
	return PEAL_OK;
}

static enum peal_err write_sum(struct peal_buf *out)
{
	unsigned char sum[PEAL_SHA256_SIZE];
	char text[2 * PEAL_SHA256_SIZE + 1];
	enum peal_err err = peal_buf_reserve(out, 128);

	if (!err)
		err = peal_sha256(out->data, out->len, sum);
	if (err)
		return err;
	put_str(out, "sha256 ");
	peal_hex(sum, sizeof(sum), text);
	put_str(out, text);
	put_str(out, "\n");
	return PEAL_OK;
}

enum peal_err peal_revision_write(struct peal_buf *out,
				  const struct peal_schema *schema,
				  const struct peal_params *params,
				  const struct peal_states *states,
				  const struct peal_revision *head)
{
	enum peal_err err = line_room(out, sizeof(head->cause));
	unsigned i;

	if (err)
		return err;
	put_uint(out, "peal-store ", PEAL_STORE_FORMAT);
	put_uint(out, "\nrevision ", head->number);
	put_int(out, " time=", head->time);
	if (head->cycle)
		put_uint(out, " cycle=", head->cycle);
	put_word(out, " cause=", head->cause, strlen(head->cause));
	put_str(out, head->state_only ? " state-only\n" : "\n");
	err = write_params(out, schema, params);
	for (i = 0; i < states->n && !err; i++)
		err = write_state(out, &states->list[i]);
	return err ? err : write_sum(out);
}
