/* store.c - see peal/store.h */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "decode/crypto.h"
#include "peal/alloc.h"
#include "peal/limits.h"
#include "store/inside.h"
#include "store/revision.h"

/* --- opening --- */

static enum peal_err add_note(void *arg, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static enum peal_err add_note(void *arg, const char *fmt, ...)
{
	struct peal_store *s = arg;
	char text[320], **notes;
	va_list args;

	if (s->n_notes == PEAL_LIMIT_NOTES)
		return PEAL_OK;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	notes = peal_realloc(s->notes, (s->n_notes + 1) * sizeof(*notes));
	if (!notes)
		return PEAL_ENOMEM;
	s->notes = notes;
	notes[s->n_notes] = peal_strdup(text);
	if (!notes[s->n_notes])
		return PEAL_ENOMEM;
	s->n_notes++;
	return PEAL_OK;
}

static void drop_content(struct peal_store *s)
{
	peal_params_free(&s->schema->texts, &s->params);
	peal_states_free(&s->schema->texts, &s->states);
}

/* What was read, unless it was damaged. */
static void keep_content(struct peal_store *s, enum peal_err err,
			 const struct peal_revision *head)
{
	if (err && err != PEAL_ENEWER)
		drop_content(s);
	else
		s->head = *head;
}

static enum peal_err load_one(struct peal_store *s, uint64_t number,
			      struct peal_reason *reason)
{
	struct peal_revision head;
	struct peal_buf file;
	enum peal_err err;

	peal_buf_init(&file, PEAL_LIMIT_STORE_FILE + 8192);
	err = peal_folder_read(&s->folder, number, PEAL_LIMIT_STORE_FILE, &file,
			       reason);
	if (!err)
		err = peal_revision_read(file.data, file.len, s->schema,
					 &s->params, &s->states, &head,
					 add_note, s, reason);
	head.number = number;
	head.size = file.len;
	keep_content(s, err, &head);
	peal_buf_fini_secret(&file);
	return err;
}

static enum peal_err newer(struct peal_store *s, uint64_t number,
			   struct peal_reason *reason)
{
	if (s->read_only)
		return add_note(s,
				"revision %llu comes from a newer program, "
				"what this one does not know is passed over",
				(unsigned long long)number);
	return peal_fail(reason, PEAL_ENEWER,
			 "revision %llu comes from a newer program and is not "
			 "written over",
			 (unsigned long long)number);
}

/* The newest revision that is whole. PEAL_ENOENT when a reader's list is out
 * of date. */
static enum peal_err load_newest(struct peal_store *s,
				 struct peal_reason *reason)
{
	unsigned i = s->folder.n_revs;
	struct peal_reason why;
	enum peal_err err;
	uint64_t number;

	while (i-- > 0) {
		number = s->folder.revs[i].number;
		peal_reason_clear(&why);
		err = load_one(s, number, &why);
		if (err == PEAL_ENEWER)
			return newer(s, number, reason);
		if (err == PEAL_OK)
			return err;
		if (err != PEAL_EDAMAGED) {
			if (reason)
				*reason = why;
			return err;
		}
		err = add_note(s,
			       "revision %llu is damaged and passed over%s%s",
			       (unsigned long long)number,
			       why.text[0] ? ": " : "", why.text);
		if (err)
			return err;
	}
	return PEAL_EDAMAGED;
}

/* A writer may remove old revisions while a reader looks for one: it looks
 * again, a few times. */
static enum peal_err load(struct peal_store *s, int start_over,
			  struct peal_reason *reason)
{
	enum peal_err err;
	int tries = 0;

	do {
		err = peal_folder_list(&s->folder, !s->read_only, add_note, s,
				       reason);
		if (err || s->folder.n_revs == 0)
			return err;
		s->next = s->folder.revs[s->folder.n_revs - 1].number + 1;
		err = load_newest(s, reason);
	} while (err == PEAL_ENOENT && s->read_only && ++tries < 5);
	if (err == PEAL_EDAMAGED && start_over)
		return add_note(s, "no revision is whole: all values are the "
				   "defaults");
	if (err == PEAL_EDAMAGED)
		return peal_fail(reason, err,
				 "none of the store's revisions is whole");
	return err;
}

/* The others are listed when somebody asks: most who look back do not, and it
 * takes longer than all else. */
static enum peal_err load_exactly(struct peal_store *s, uint64_t number,
				  struct peal_reason *reason)
{
	enum peal_err err = load_one(s, number, reason);

	if (err == PEAL_ENEWER)
		err = newer(s, number, reason);
	return err;
}

/* Who may write into the folder may plant a revision. */
static enum peal_err note_mode(struct peal_store *s, const char *path)
{
	struct stat st;

	if (fstat(s->folder.dir, &st) < 0 || !(st.st_mode & 022))
		return PEAL_OK;
	return add_note(s, "other users may write into %s: chmod go-w %s", path,
			path);
}

static enum peal_err open_folder(struct peal_store *s,
				 const struct peal_store_options *o,
				 struct peal_reason *reason)
{
	enum peal_err err;

	err = peal_folder_open(&s->folder, o->path, o->read_only, reason);
	if (!err && !o->read_only)
		err = peal_folder_lock(&s->folder, o->path, reason);
	if (!err)
		err = note_mode(s, o->path);
	if (!err && o->revision)
		err = load_exactly(s, o->revision, reason);
	else if (!err)
		err = load(s, o->start_over, reason);
	if (err)
		return err;
	return peal_folder_key(&s->folder, !o->read_only, s->key, add_note, s,
			       reason);
}

/* What one call of peal_store_bytes() gave, somewhere else. */
static enum peal_err open_bytes(struct peal_store *s,
				const struct peal_store_options *o,
				struct peal_reason *reason)
{
	struct peal_revision head = { 0 };
	struct peal_buf file;
	enum peal_err err;

	peal_buf_init(&file, PEAL_LIMIT_STORE_FILE);
	err = peal_buf_add(&file, o->bytes, o->len);
	if (err == PEAL_ELIMIT)
		err = peal_fail(reason, PEAL_EDAMAGED,
				"a revision has at most %d bytes",
				PEAL_LIMIT_STORE_FILE);
	if (!err)
		err = peal_revision_read(file.data, file.len, s->schema,
					 &s->params, &s->states, &head,
					 add_note, s, reason);
	head.size = o->len;
	keep_content(s, err, &head);
	peal_buf_fini_secret(&file);
	if (err == PEAL_ENEWER)
		err = newer(s, s->head.number, reason);
	s->next = s->head.number + 1;
	return err;
}

static enum peal_err fill(struct peal_store *s,
			  const struct peal_store_options *o,
			  struct peal_reason *reason)
{
	enum peal_err err;

	if (o->path)
		return open_folder(s, o, reason);
	err = o->bytes ? open_bytes(s, o, reason) : PEAL_OK;
	if (err || !o->key)
		return err ? err : peal_random(s->key, sizeof(s->key));
	memcpy(s->key, o->key, sizeof(s->key));
	return PEAL_OK;
}

enum peal_err peal_store_open(struct peal_store **out,
			      struct peal_schema *schema,
			      const struct peal_store_options *options,
			      struct peal_reason *reason)
{
	struct peal_store *s;
	enum peal_err err;

	peal_reason_clear(reason);
	if (!out || !schema || !options || !schema->sealed ||
	    (options->revision && !options->read_only) ||
	    (options->path && (options->bytes || options->key)))
		return PEAL_EINVAL;
	s = peal_zalloc(sizeof(*s));
	if (!s)
		return PEAL_ENOMEM;
	s->schema = peal_schema_ref(schema);
	s->keep = options->keep ? options->keep : PEAL_LIMIT_STORE_KEEP;
	s->read_only = options->read_only;
	s->next = 1;
	peal_folder_init(&s->folder, options->ops);
	err = fill(s, options, reason);
	if (err) {
		peal_store_close(s);
		return err;
	}
	*out = s;
	return PEAL_OK;
}

void peal_store_close(struct peal_store *s)
{
	if (!s)
		return;
	drop_content(s);
	peal_folder_fini(&s->folder);
	while (s->n_notes)
		peal_free(s->notes[--s->n_notes]);
	peal_free(s->notes);
	peal_wipe(s->key, sizeof(s->key));
	peal_schema_unref(s->schema);
	peal_free(s);
}

const char *peal_store_note(const struct peal_store *s, unsigned n)
{
	return n < s->n_notes ? s->notes[n] : NULL;
}

/* --- reading --- */

struct peal_schema *peal_store_schema(const struct peal_store *s)
{
	return s->schema;
}

uint64_t peal_store_revision(const struct peal_store *s)
{
	return s->head.number;
}

static const struct peal_writer *writer(const struct peal_store *s,
					const struct peal_entry *e)
{
	if (!e || e->source == PEAL_NO_SOURCE)
		return NULL;
	return &s->params.writers[e->source];
}

static void known_value(const struct peal_store *s, unsigned index,
			struct peal_value *out)
{
	const struct peal_entry *e = peal_params_entry(&s->params, index);

	peal_value_fill(out, &s->schema->params[index], e, writer(s, e));
}

static void extra_value(const struct peal_store *s, const struct peal_extra *x,
			struct peal_value *out)
{
	peal_value_fill_extra(out, x->name->bytes, &x->entry,
			      writer(s, &x->entry));
}

enum peal_err peal_store_get(const struct peal_store *s, const char *name,
			     size_t len, const char **text)
{
	int index = peal_schema_find(s->schema, name, len);
	const struct peal_entry *e;
	const struct peal_extra *x;

	if (index >= 0) {
		e = peal_params_entry(&s->params, (unsigned)index);
		*text = e && e->text ? e->text->bytes :
				       s->schema->params[index].deflt;
		return PEAL_OK;
	}
	x = peal_params_extra(&s->params, name, len);
	if (!x)
		return PEAL_EUNKNOWN;
	*text = x->entry.text->bytes;
	return PEAL_OK;
}

enum peal_err peal_store_value(const struct peal_store *s, const char *name,
			       size_t len, struct peal_value *out)
{
	int index = peal_schema_find(s->schema, name, len);
	const struct peal_extra *x;

	if (index >= 0) {
		known_value(s, (unsigned)index, out);
		return PEAL_OK;
	}
	x = peal_params_extra(&s->params, name, len);
	if (!x)
		return PEAL_EUNKNOWN;
	extra_value(s, x, out);
	return PEAL_OK;
}

enum peal_err peal_store_at(const struct peal_store *s, unsigned i,
			    struct peal_value *out)
{
	unsigned n = s->schema->n_params;

	if (i < n)
		known_value(s, i, out);
	else if (i - n < s->params.n_extras)
		extra_value(s, &s->params.extras[i - n], out);
	else
		return PEAL_ENOENT;
	return PEAL_OK;
}

enum peal_err peal_store_state(const struct peal_store *s, const char *ns,
			       const char *key, const char **text, size_t *len)
{
	unsigned at = peal_states_seek(&s->states, ns, key);
	const struct peal_state *x = s->states.list + at;

	if (at == s->states.n || strcmp(x->ns->bytes, ns) != 0 ||
	    strcmp(x->key->bytes, key) != 0)
		return PEAL_ENOENT;
	*text = x->value->bytes;
	*len = x->value->len;
	return PEAL_OK;
}

enum peal_err peal_store_state_at(const struct peal_store *s, const char *ns,
				  unsigned i, const char **key,
				  const char **text, size_t *len)
{
	unsigned at = peal_states_seek(&s->states, ns, NULL);
	const struct peal_state *x;

	if (i >= s->states.n - at)
		return PEAL_ENOENT;
	x = &s->states.list[at + i];
	if (strcmp(x->ns->bytes, ns) != 0)
		return PEAL_ENOENT;
	*key = x->key->bytes;
	*text = x->value->bytes;
	*len = x->value->len;
	return PEAL_OK;
}

void peal_store_fingerprint(const struct peal_store *s, const char *text,
			    size_t len, char out[PEAL_FINGERPRINT_SIZE])
{
	unsigned char sum[PEAL_SHA256_SIZE];

	out[0] = '\0';
	if (len == 0)
		return;
	if (peal_hmac_sha256(s->key, sizeof(s->key), text, len, sum)) {
		snprintf(out, PEAL_FINGERPRINT_SIZE, "#????????");
		return;
	}
	snprintf(out, PEAL_FINGERPRINT_SIZE, "#%02x%02x%02x%02x", sum[0],
		 sum[1], sum[2], sum[3]);
	peal_wipe(sum, sizeof(sum));
}

enum peal_err peal_store_revision_at(const struct peal_store *s, unsigned i,
				     struct peal_revision *out,
				     struct peal_reason *reason)
{
	/* what is read is noted when first asked for: no change to be seen */
	struct peal_folder *f = (struct peal_folder *)&s->folder;
	enum peal_err err = PEAL_OK;

	peal_reason_clear(reason);
	memset(out, 0, sizeof(*out));
	if (f->dir >= 0 && !f->listed)
		err = peal_folder_list(f, 0, add_note, (void *)s, reason);
	if (err)
		return err;
	if (i >= f->n_revs)
		return PEAL_ENOENT;
	return peal_folder_head(f, i, out, reason);
}
