/* snapshot.c - see peal/snapshot.h; how it lies in the file: snapshot.h */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "peal/alloc.h"
#include "peal/limits.h"
#include "store/inside.h"
#include "store/snapshot.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

enum { STEP = 1 << 16 /* reserved at once */ };

struct peal_snapshot {
	int fd;
	unsigned char *base;
	size_t used, reserved;
	struct peal_schema *schema; /* whose names are in it, or NULL */
	size_t fixed;               /* where what changes begins */
	uint32_t defaults;          /* struct peal_span[known.n] */
};

/* --- the file --- */

static int memory_file(void)
{
	int fd = memfd_create("peal-parameters", MFD_CLOEXEC | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL) /* Linux before 6.3 */
		fd = memfd_create("peal-parameters",
				  MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return fd;
}

/* Our own map is writable and was made before; no other can be. */
static int seal(int *fd)
{
	const int fixed = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	char path[32];
	int reader;

	if (fcntl(*fd, F_ADD_SEALS, fixed | F_SEAL_FUTURE_WRITE) == 0)
		return 1;
	if (errno != EINVAL || fcntl(*fd, F_ADD_SEALS, fixed))
		return 0;
	/* Linux before 5.1: hand out a descriptor that cannot write */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", *fd);
	reader = open(path, O_RDONLY | O_CLOEXEC);
	if (reader < 0)
		return 0;
	close(*fd);
	*fd = reader;
	return 1;
}

static void write_head(struct peal_snapshot *s,
		       const struct peal_snapshot_head *head)
{
	memcpy(s->base, head, sizeof(*head));
}

static void clear(struct peal_snapshot *s)
{
	struct peal_snapshot_head head;

	memset(&head, 0, sizeof(head));
	head.magic = PEAL_SNAPSHOT_MAGIC;
	write_head(s, &head);
	peal_schema_unref(s->schema);
	s->schema = NULL;
	s->used = sizeof(head);
}

/* Memory that is not there would show as SIGBUS when it is touched. */
static enum peal_err reserve(struct peal_snapshot *s, size_t end)
{
	size_t more = (end - s->reserved + STEP - 1) / STEP * STEP;

	if (more > PEAL_LIMIT_SNAPSHOT - s->reserved)
		more = PEAL_LIMIT_SNAPSHOT - s->reserved;
	if (fallocate(s->fd, 0, (off_t)s->reserved, (off_t)more) &&
	    (errno == ENOSPC || errno == ENOMEM))
		return PEAL_ENOMEM;
	s->reserved += more;
	return PEAL_OK;
}

static enum peal_err open_file(struct peal_snapshot *s)
{
	void *base;

	s->fd = memory_file();
	if (s->fd < 0)
		return errno == EMFILE || errno == ENFILE ? PEAL_ELIMIT :
							    PEAL_EIO;
	if (ftruncate(s->fd, PEAL_LIMIT_SNAPSHOT))
		return PEAL_EIO;
	base = mmap(NULL, PEAL_LIMIT_SNAPSHOT, PROT_READ | PROT_WRITE,
		    MAP_SHARED, s->fd, 0);
	if (base == MAP_FAILED)
		return errno == ENOMEM ? PEAL_ENOMEM : PEAL_EIO;
	s->base = base;
	if (reserve(s, sizeof(struct peal_snapshot_head)))
		return PEAL_ENOMEM;
	return seal(&s->fd) ? PEAL_OK : PEAL_EIO;
}

enum peal_err peal_snapshot_new(struct peal_snapshot **out)
{
	struct peal_snapshot *s;
	enum peal_err err;

	if (!out)
		return PEAL_EINVAL;
	s = peal_zalloc(sizeof(*s));
	if (!s)
		return PEAL_ENOMEM;
	err = open_file(s);
	if (err) {
		peal_snapshot_free(s);
		return err;
	}
	clear(s);
	*out = s;
	return PEAL_OK;
}

void peal_snapshot_free(struct peal_snapshot *s)
{
	if (!s)
		return;
	if (s->base)
		munmap(s->base, PEAL_LIMIT_SNAPSHOT);
	if (s->fd >= 0)
		close(s->fd);
	peal_schema_unref(s->schema);
	peal_free(s);
}

int peal_snapshot_fd(const struct peal_snapshot *s)
{
	return s->fd;
}

void peal_snapshot_own_view(const struct peal_snapshot *s,
			    struct peal_snapshot_view *out)
{
	out->base = s->base;
	out->size = PEAL_LIMIT_SNAPSHOT;
}

/* --- writing --- */

/* One write, up to its first failure. */
struct writing {
	struct peal_snapshot *s;
	struct peal_snapshot_head head;
	enum peal_err err;
};

/* Offset of `len` bytes. After a failure it is 0, where nobody may write. */
static uint32_t take(struct writing *w, size_t len)
{
	struct peal_snapshot *s = w->s;
	size_t at = s->used;

	if (!w->err && len > PEAL_LIMIT_SNAPSHOT - at)
		w->err = PEAL_ELIMIT;
	if (!w->err && at + len > s->reserved)
		w->err = reserve(s, at + len);
	if (w->err)
		return 0;
	s->used = at + len;
	return (uint32_t)at;
}

static uint32_t take_array(struct writing *w, size_t n, size_t size)
{
	uint32_t at;

	w->s->used = (w->s->used + 7) / 8 * 8; /* the limit is a multiple */
	at = n > PEAL_LIMIT_SNAPSHOT / size ? 0 : take(w, n * size);
	if (!at && !w->err)
		w->err = PEAL_ELIMIT;
	return at;
}

static struct peal_span *spans(const struct peal_snapshot *s, uint32_t at)
{
	return (struct peal_span *)(void *)(s->base + at);
}

static struct peal_slot *slots(const struct peal_snapshot *s, uint32_t at)
{
	return (struct peal_slot *)(void *)(s->base + at);
}

static struct peal_span put(struct writing *w, const char *bytes, size_t len)
{
	struct peal_span span = { 0, (uint32_t)len };

	if (!len)
		return span;
	span.at = take(w, len);
	if (w->err)
		span.len = 0;
	else
		memcpy(w->s->base + span.at, bytes, len);
	return span;
}

static struct peal_span put_name(struct writing *w, const char *name,
				 size_t len)
{
	struct peal_span span = { take(w, len + 2), (uint32_t)len };
	unsigned char *to = w->s->base + span.at;

	if (w->err)
		return (struct peal_span){ 0, 0 };
	to[0] = '\0';
	memcpy(to + 1, name, len);
	to[len + 1] = '\0';
	span.at++;
	return span;
}

static struct peal_span reference(struct peal_span name)
{
	return (struct peal_span){ name.at - 1, name.len + 2 };
}

/* What a reader sees of a text. */
static struct peal_span shown(struct writing *w, unsigned flags,
			      struct peal_span name, const char *text,
			      size_t len)
{
	if (len && flags & PEAL_PARAM_SECRET)
		return reference(name);
	return put(w, text, len);
}

/* An alias shows what its parameter shows; a secret is asked for by the name
 * that was used. */
static struct peal_span through_alias(unsigned flags, struct peal_span name,
				      struct peal_span text)
{
	if (text.len && flags & PEAL_PARAM_SECRET)
		return reference(name);
	return text;
}

static void write_names(struct writing *w, const struct peal_schema *schema)
{
	struct peal_snapshot *s = w->s;
	struct peal_snapshot_table *t = &w->head.known;
	struct peal_span *names = spans(s, t->names);
	struct peal_span *texts = spans(s, s->defaults);
	unsigned n = schema->n_params, i;

	for (i = 0; i < n && !w->err; i++) {
		const struct peal_param *p = &schema->params[i];

		names[i] = put_name(w, p->name, strlen(p->name));
		texts[i] = shown(w, p->flags, names[i], p->deflt,
				 strlen(p->deflt));
	}
	for (i = 0; i < schema->n_aliases && !w->err; i++) {
		const struct peal_alias_def *a = &schema->aliases[i];

		names[n + i] = put_name(w, a->alias, strlen(a->alias));
		texts[n + i] =
			(struct peal_span){ 0, 0 }; /* see write_aliases() */
	}
}

/* The part that stays as long as the schema does. */
static enum peal_err write_schema(struct writing *w, struct peal_schema *schema)
{
	struct peal_snapshot *s = w->s;
	struct peal_snapshot_table *t = &w->head.known;

	clear(s);
	t->n = schema->n_params + schema->n_aliases;
	t->size = schema->lookup.size;
	t->slots = take_array(w, t->size, sizeof(struct peal_slot));
	t->names = take_array(w, t->n, sizeof(struct peal_span));
	t->texts = take_array(w, t->n, sizeof(struct peal_span));
	s->defaults = take_array(w, t->n, sizeof(struct peal_span));
	if (w->err)
		return w->err;
	memcpy(slots(s, t->slots), schema->lookup.slots,
	       t->size * sizeof(struct peal_slot));
	write_names(w, schema);
	if (w->err)
		return w->err;
	memcpy(w->head.seed, schema->texts.seed, sizeof(w->head.seed));
	s->schema = peal_schema_ref(schema);
	s->fixed = s->used;
	return PEAL_OK;
}

static void write_values(struct writing *w, const struct peal_store *store)
{
	const struct peal_schema *schema = store->schema;
	struct peal_span *texts = spans(w->s, w->head.known.texts);
	const struct peal_span *names = spans(w->s, w->head.known.names);
	const struct peal_entry *e = store->params.entries;
	const struct peal_entry *end = e + store->params.n_entries;

	memcpy(texts, spans(w->s, w->s->defaults),
	       schema->n_params * sizeof(*texts));
	for (; e < end; e++)
		if (e->text)
			texts[e->index] = shown(w,
						schema->params[e->index].flags,
						names[e->index], e->text->bytes,
						e->text->len);
}

static void write_aliases(struct writing *w, const struct peal_schema *schema)
{
	struct peal_span *texts = spans(w->s, w->head.known.texts);
	const struct peal_span *names = spans(w->s, w->head.known.names);
	unsigned n = schema->n_params, i;
	int target;

	for (i = 0; i < schema->n_aliases; i++) {
		target = schema->aliases[i].target;
		if (target >= 0)
			texts[n + i] =
				through_alias(schema->params[target].flags,
					      names[n + i], texts[target]);
	}
}

/* A table for up to `n` names that no registry knows. */
static enum peal_err begin_extra(struct writing *w, unsigned n)
{
	struct peal_snapshot_table *t = &w->head.extra;

	memset(t, 0, sizeof(*t));
	if (n == 0)
		return PEAL_OK;
	for (t->size = 16; t->size / 2 < n;)
		t->size *= 2;
	t->slots = take_array(w, t->size, sizeof(struct peal_slot));
	t->names = take_array(w, n, sizeof(struct peal_span));
	t->texts = take_array(w, n, sizeof(struct peal_span));
	if (!w->err)
		memset(slots(w->s, t->slots), 0xff,
		       t->size * sizeof(struct peal_slot));
	return w->err;
}

static void write_extra(struct writing *w, const char *name, size_t name_len,
			const char *text, size_t len)
{
	struct peal_snapshot_table *t = &w->head.extra;
	uint32_t hash = peal_hash32(w->head.seed, name, name_len);
	uint32_t slot = 0;
	struct peal_snapshot_view v;
	int64_t i;

	peal_snapshot_own_view(w->s, &v);
	i = peal_snapshot_seek(&v, t, hash, name, name_len, &slot);
	if (i < 0) {
		i = t->n++;
		spans(w->s, t->names)[i] = put_name(w, name, name_len);
		slots(w->s, t->slots)[slot] =
			(struct peal_slot){ hash, (int32_t)i };
	}
	spans(w->s, t->texts)[i] = put(w, text, len);
}

static unsigned flags_of(const struct peal_schema *schema, unsigned i)
{
	if (i >= schema->n_params)
		i = (unsigned)schema->aliases[i - schema->n_params].target;
	return schema->params[i].flags;
}

/* By the very name: an alias and its parameter are overridden one by one. */
static void write_override(struct writing *w, const struct peal_schema *schema,
			   const struct peal_snapshot_override *o)
{
	const struct peal_snapshot_table *t = &w->head.known;
	size_t len = strlen(o->name);
	struct peal_snapshot_view v;
	struct peal_span name;
	int64_t i;

	peal_snapshot_own_view(w->s, &v);
	i = peal_snapshot_seek(&v, t, peal_hash32(w->head.seed, o->name, len),
			       o->name, len, NULL);
	if (i < 0) {
		write_extra(w, o->name, len, o->text, strlen(o->text));
		return;
	}
	name = spans(w->s, t->names)[i];
	spans(w->s, t->texts)[i] = shown(w, flags_of(schema, (unsigned)i), name,
					 o->text, strlen(o->text));
}

static enum peal_err write_changing(struct writing *w,
				    const struct peal_store *store,
				    const struct peal_snapshot_override *over,
				    unsigned n)
{
	const struct peal_params *p = &store->params;
	unsigned i;

	w->s->used = w->s->fixed;
	if (begin_extra(w, p->n_extras + n))
		return w->err;
	write_values(w, store);
	write_aliases(w, store->schema);
	for (i = 0; i < p->n_extras && !w->err; i++)
		write_extra(w, p->extras[i].name->bytes, p->extras[i].name->len,
			    p->extras[i].entry.text->bytes,
			    p->extras[i].entry.text->len);
	for (i = 0; i < n && !w->err; i++)
		write_override(w, store->schema, &over[i]);
	return w->err;
}

enum peal_err peal_snapshot_write(struct peal_snapshot *s,
				  const struct peal_store *store,
				  const struct peal_snapshot_override *over,
				  unsigned n)
{
	struct writing w = { .s = s, .err = PEAL_OK };

	if (!s || !store || (n && !over))
		return PEAL_EINVAL;
	memcpy(&w.head, s->base, sizeof(w.head));
	if (s->schema != store->schema) {
		memset(&w.head, 0, sizeof(w.head));
		w.head.magic = PEAL_SNAPSHOT_MAGIC;
		write_schema(&w, store->schema);
	}
	if (!w.err)
		write_changing(&w, store, over, n);
	if (w.err)
		clear(s);
	else
		write_head(s, &w.head);
	return w.err;
}
