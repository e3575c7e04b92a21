/* decode.c - see peal/decode.h and stage.h */
#include "peal/decode.h"

#include <string.h>
#include <strings.h>

#include "peal/alloc.h"
#include "peal/limits.h"
#include "stage.h"

static const char one_fault[] =
	"cannot be decrypted with this key, or is damaged inside";

void *peal_chain_add(struct peal_chain *c, size_t size, struct peal_stage *next)
{
	struct peal_stage *s = peal_zalloc(size);

	if (!s)
		return NULL;
	s->size = size;
	s->next = next;
	s->chain = c;
	s->made_before = c->made;
	c->made = s;
	return s;
}

static void chain_fini(struct peal_chain *c)
{
	struct peal_stage *s, *before;

	for (s = c->made; s; s = before) {
		before = s->made_before;
		if (s->fini)
			s->fini(s);
		/* plain text of secrets has been in their windows */
		peal_wipe(s, s->size);
		peal_free(s);
	}
}

void peal_chain_step(struct peal_chain *c, const char *step)
{
	if (c->facts && c->facts->steps_n < PEAL_DECODE_STEPS)
		c->facts->steps[c->facts->steps_n++] = step;
}

/* The end of every chain: plain text to the caller. */
struct out {
	struct peal_stage stage;
	peal_bytes_fn fn;
	void *arg;
};

static enum peal_err out_push(struct peal_stage *stage, const unsigned char *p,
			      size_t len, int last)
{
	struct out *s = (struct out *)stage;

	(void)last; /* the caller knows by our return */
	if (s->stage.chain->facts)
		s->stage.chain->facts->bytes_plain += len;
	return len ? s->fn(p, len, s->arg) : PEAL_OK;
}

/* Looks at the first bytes of the file: gzip or not? */
struct sniff {
	struct peal_stage stage;
	int decided;
	size_t len;
	unsigned char head[8];
};

static enum peal_err decide(struct sniff *s)
{
	struct peal_chain *c = s->stage.chain;

	s->decided = 1;
	if (s->len == 8 && memcmp(s->head, "Salted__", 8) == 0 && !c->cbc)
		return peal_fail(c->reason, PEAL_ECORRUPT, "encrypted, no key");
	if (s->len < 2 || s->head[0] != 0x1f || s->head[1] != 0x8b)
		return PEAL_OK;
	peal_chain_step(c, "gzip");
	s->stage.next = peal_stage_inflate(c, PEAL_INFLATE_FILE, s->stage.next);
	return s->stage.next ? PEAL_OK : PEAL_ENOMEM;
}

static enum peal_err sniff_push(struct peal_stage *stage,
				const unsigned char *p, size_t len, int last)
{
	struct sniff *s = (struct sniff *)stage;
	enum peal_err err;

	if (s->decided)
		return peal_push(s->stage.next, p, len, last);
	while (len && s->len < sizeof(s->head)) {
		s->head[s->len++] = *p++;
		len--;
	}
	if (s->len < sizeof(s->head) && !last)
		return PEAL_OK;
	err = decide(s);
	if (!err)
		err = peal_push(s->stage.next, s->head, s->len, 0);
	if (!err && (len || last))
		err = peal_push(s->stage.next, p, len, last);
	return err;
}

struct coding {
	const char *name;
	const char *step;
	int kind; /* enum peal_inflate, or one of these */
};
enum { IDENTITY = -1, AES128GCM = -2 };

static const struct coding *coding(const char *name, size_t len)
{
	static const struct coding codings[] = {
		{ "gzip", "gzip (coding)", PEAL_INFLATE_GZIP },
		{ "x-gzip", "gzip (coding)", PEAL_INFLATE_GZIP },
		{ "deflate", "deflate (coding)", PEAL_INFLATE_DEFLATE },
		{ "aes128gcm", "aes128gcm", AES128GCM },
		{ "identity", NULL, IDENTITY },
	};
	size_t i;

	for (i = 0; i < sizeof(codings) / sizeof(*codings); i++)
		if (strlen(codings[i].name) == len &&
		    strncasecmp(codings[i].name, name, len) == 0)
			return &codings[i];
	return NULL;
}

/* Content-Encoding, RFC 9110 8.4: applied in the order listed. */
struct codings {
	const struct coding *list[PEAL_LIMIT_CODINGS];
	unsigned n;
	int gcm;
};

static enum peal_err parse_codings(const char *text, struct codings *out,
				   struct peal_reason *reason)
{
	static const char between[] = ", \t";
	const struct coding *c;
	size_t len;

	memset(out, 0, sizeof(*out));
	while (text && *(text += strspn(text, between))) {
		len = strcspn(text, between);
		c = coding(text, len);
		if (!c)
			return peal_fail(reason, PEAL_ECODING,
					 "unknown content coding \"%.*s\"",
					 len < 40 ? (int)len : 40, text);
		text += len;
		if (c->kind == IDENTITY)
			continue;
		if (out->n == PEAL_LIMIT_CODINGS)
			return peal_fail(reason, PEAL_ECODING,
					 "more than %d content codings",
					 PEAL_LIMIT_CODINGS);
		out->list[out->n++] = c;
		out->gcm |= c->kind == AES128GCM;
	}
	return PEAL_OK;
}

static struct peal_stage *add_coding(struct peal_chain *c,
				     const struct coding *coding_,
				     struct peal_stage *next)
{
	if (!next || coding_->kind == AES128GCM)
		return next ? peal_stage_aes128gcm(c, next) : NULL;
	return peal_stage_inflate(c, (enum peal_inflate)coding_->kind, next);
}

/* Built from the end to the beginning; NULL: no memory. */
static struct peal_stage *build(struct peal_chain *c,
				const struct codings *list, peal_bytes_fn fn,
				void *arg)
{
	struct out *out = peal_chain_add(c, sizeof(*out), NULL);
	struct peal_stage *first;
	struct sniff *sniff;
	unsigned i;

	if (!out)
		return NULL;
	out->fn = fn;
	out->arg = arg;
	out->stage.push = out_push;
	sniff = peal_chain_add(c, sizeof(*sniff), &out->stage);
	if (!sniff)
		return NULL;
	sniff->stage.push = sniff_push;
	first = &sniff->stage;
	if (c->options->key && !list->gcm)
		first = peal_stage_aes(c, first);
	/* the coding listed last is the outermost */
	for (i = 0; i < list->n; i++)
		first = add_coding(c, list->list[i], first);
	for (i = list->n; i > 0; i--)
		peal_chain_step(c, list->list[i - 1]->step);
	return first;
}

static enum peal_err check(size_t len, const struct peal_decode_options *o,
			   const struct codings *list, struct peal_reason *r)
{
	if (o->key && o->key_len == 0)
		return peal_fail(r, PEAL_EINVAL, "the key is empty");
	if (list->gcm && (!o->ikm || o->ikm_len == 0))
		return peal_fail(r, PEAL_ECORRUPT,
				 "encrypted with aes128gcm, no key");
	if (len > PEAL_LIMIT_DOWNLOAD)
		return peal_fail(r, PEAL_ETOOBIG,
				 "the file has more than %d bytes",
				 PEAL_LIMIT_DOWNLOAD);
	return PEAL_OK;
}

/* Whoever alters an encrypted file on its way must not learn from us what the
 * change did to the plain text: not where, and not what kind of fault. Only
 * size is told apart, which takes the key to bring about. */
static void hide(const struct peal_chain *c, enum peal_err err)
{
	if (c->cbc && err == PEAL_ECORRUPT)
		peal_fail(c->reason, err, "%s", one_fault);
	else if (c->cbc && err == PEAL_ETOOBIG)
		peal_fail(c->reason, err, "too big when decrypted");
}

/*   end   called for the last bytes' verdict, or NULL */
static enum peal_err
run(const void *bytes, size_t len, const struct peal_decode_options *options,
    peal_bytes_fn fn, enum peal_err (*end)(struct peal_chain *c, void *arg),
    void *arg, struct peal_decode_facts *facts, struct peal_reason *reason)
{
	static const struct peal_decode_options none;
	struct peal_chain c = { 0 };
	struct codings list;
	struct peal_stage *first;
	enum peal_err err;

	c.options = options ? options : &none;
	c.facts = facts;
	c.reason = reason;
	peal_reason_clear(reason);
	if (facts) {
		memset(facts, 0, sizeof(*facts));
		facts->bytes_in = len;
	}
	err = parse_codings(c.options->codings, &list, reason);
	if (!err)
		err = check(len, c.options, &list, reason);
	if (err || (len == 0 && !c.options->key))
		return err;

	first = build(&c, &list, fn, arg);
	err = first ? peal_push(first, bytes ? bytes : (const void *)"", len,
				1) :
		      PEAL_ENOMEM;
	if (end && !err)
		err = end(&c, arg);
	hide(&c, err);
	chain_fini(&c);
	return err;
}

enum peal_err peal_decode_bytes(const void *bytes, size_t len,
				const struct peal_decode_options *options,
				peal_bytes_fn out, void *arg,
				struct peal_decode_facts *facts,
				struct peal_reason *reason)
{
	return run(bytes, len, options, out, NULL, arg, facts, reason);
}

struct xml {
	struct peal_profile *profile;
	struct peal_reason *reason;
};

static enum peal_err to_profile(const void *bytes, size_t len, void *arg)
{
	struct xml *x = arg;

	return peal_profile_feed(x->profile, bytes, len, x->reason);
}

static enum peal_err end_profile(struct peal_chain *c, void *arg)
{
	struct xml *x = arg;

	peal_chain_step(c, "xml");
	return peal_profile_finish(x->profile, x->reason);
}

enum peal_err peal_decode(const void *bytes, size_t len,
			  const struct peal_decode_options *options,
			  peal_element_fn sink, void *arg,
			  struct peal_decode_facts *facts,
			  struct peal_reason *reason)
{
	struct xml x = { NULL, reason };
	enum peal_err err;

	peal_reason_clear(reason);
	if (facts)
		memset(facts, 0, sizeof(*facts));
	err = peal_profile_new(&x.profile, options ? options->aliases : NULL,
			       options ? options->aliases_n : 0, sink, arg);
	if (err)
		return err;
	err = run(bytes, len, options, to_profile, end_profile, &x, facts,
		  reason);
	peal_profile_free(x.profile);
	return err;
}
