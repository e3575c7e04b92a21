/* keyring.c - sets of keys and certificates. See peal/keyring.h */
#include "trust/keyring.h"

#include <stdio.h>
#include <string.h>

#include "peal/alloc.h"
#include "trust/key.h"

/* --- a set --- */

void peal_set_init(struct peal_set *s)
{
	memset(s, 0, sizeof(*s));
}

void peal_set_fini(struct peal_set *s)
{
	unsigned i;

	for (i = 0; i < s->n; i++)
		peal_buf_fini_secret(&s->files[i].text);
	peal_set_init(s);
}

enum peal_err peal_set_add(struct peal_set *s, const char *name,
			   struct peal_buf **text)
{
	struct peal_set_file *f;

	if (s->n == PEAL_KEYRING_FILES)
		return PEAL_ELIMIT;
	f = &s->files[s->n++];
	snprintf(f->name, sizeof(f->name), "%s", name);
	peal_buf_init(&f->text, PEAL_LIMIT_PEM);
	*text = &f->text;
	return PEAL_OK;
}

static const struct peal_buf *find(const struct peal_set *s, const char *file)
{
	unsigned i;

	for (i = 0; i < s->n; i++)
		if (strcmp(s->files[i].name, file) == 0)
			return &s->files[i].text;
	return NULL;
}

int peal_keyring_is_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= PEAL_KEYRING_NAME && !strchr("._-", name[0]) &&
	       name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-")] ==
		       '\0';
}

static enum peal_err check_name(const char *name, struct peal_reason *reason)
{
	if (peal_keyring_is_name(name))
		return PEAL_OK;
	return peal_fail(reason, PEAL_EINVAL,
			 "not a name in a keyring: %.80s (a-z, 0-9, . _ -)",
			 name);
}

/* A text with a private key in it would lie there for everybody to read. */
static int has_private(const void *text, size_t len)
{
	return len && memmem(text, len, "PRIVATE KEY", 11) != NULL;
}

/* --- in memory --- */

static struct peal_set_entry **place(struct peal_keyring *k, const char *name)
{
	struct peal_set_entry **at = &k->first;

	while (*at && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	return at;
}

static enum peal_err keep(struct peal_keyring *k, const char *name,
			  struct peal_set *set)
{
	struct peal_set_entry *e = *place(k, name);

	if (!e) {
		e = peal_zalloc(sizeof(*e));
		if (!e)
			return PEAL_ENOMEM;
		snprintf(e->name, sizeof(e->name), "%s", name);
		e->next = k->first;
		k->first = e;
	}
	set->number = e->set.number + 1;
	peal_set_fini(&e->set);
	e->set = *set; /* its texts go along */
	set->n = 0;
	return PEAL_OK;
}

static void forget(struct peal_set_entry **at)
{
	struct peal_set_entry *e = *at;

	*at = e->next;
	peal_set_fini(&e->set);
	peal_free(e);
}

static enum peal_err copy(const struct peal_set *from, struct peal_set *to)
{
	struct peal_buf *text;
	enum peal_err err = PEAL_OK;
	unsigned i;

	to->number = from->number;
	for (i = 0; i < from->n && !err; i++) {
		err = peal_set_add(to, from->files[i].name, &text);
		if (!err)
			err = peal_buf_add(text, from->files[i].text.data,
					   from->files[i].text.len);
	}
	return err;
}

/* --- the keyring --- */

enum peal_err peal_keyring_open(struct peal_keyring **out,
				const struct peal_keyring_options *options,
				struct peal_reason *reason)
{
	struct peal_keyring *k;

	peal_reason_clear(reason);
	if (!out || !options)
		return PEAL_EINVAL;
	k = peal_zalloc(sizeof(*k));
	if (!k)
		return PEAL_ENOMEM;
	k->step = options->step;
	k->arg = options->arg;
	if (options->path) {
		k->path = peal_strdup(options->path);
		if (!k->path) {
			peal_free(k);
			return PEAL_ENOMEM;
		}
	}
	*out = k;
	return PEAL_OK;
}

void peal_keyring_close(struct peal_keyring *k)
{
	if (!k)
		return;
	while (k->first)
		forget(&k->first);
	peal_free(k->path);
	peal_free(k);
}

static enum peal_err absent(const char *name, struct peal_reason *reason)
{
	return peal_fail(reason, PEAL_ENOENT, "the keyring has no %s", name);
}

static enum peal_err fetch(struct peal_keyring *k, const char *name,
			   struct peal_set *out, struct peal_reason *reason)
{
	const struct peal_set_entry *e;
	enum peal_err err;

	peal_reason_clear(reason);
	err = check_name(name, reason);
	if (err)
		return err;
	if (k->path)
		return peal_keyring_fetch(k, name, out, reason);
	e = *place(k, name);
	return e ? copy(&e->set, out) : absent(name, reason);
}

static enum peal_err add_file(struct peal_set *set,
			      const struct peal_keyring_file *f,
			      struct peal_reason *reason)
{
	struct peal_buf *text;
	enum peal_err err = check_name(f->name, reason);

	if (err)
		return err;
	if (find(set, f->name) || strcmp(f->name, "sums") == 0)
		return peal_fail(reason, PEAL_EINVAL,
				 "a file of the name %s is there already",
				 f->name);
	if (!f->key && has_private(f->text, f->len))
		return peal_fail(reason, PEAL_EINVAL,
				 "%s has a private key in it: hand that over "
				 "as a key",
				 f->name);
	err = peal_set_add(set, f->name, &text);
	if (!err)
		err = f->key ? peal_key_pem(f->key, text) :
			       peal_buf_add(text, f->text, f->len);
	return err;
}

enum peal_err peal_keyring_install(struct peal_keyring *k, const char *name,
				   const struct peal_keyring_file *files,
				   unsigned n, unsigned *generation,
				   struct peal_reason *reason)
{
	struct peal_set set;
	enum peal_err err;
	unsigned i;

	peal_reason_clear(reason);
	if (!k || !name || (n && !files))
		return PEAL_EINVAL;
	peal_set_init(&set);
	err = check_name(name, reason);
	for (i = 0; i < n && !err; i++)
		err = add_file(&set, &files[i], reason);
	if (!err)
		err = k->path ? peal_keyring_store(k, name, &set, reason) :
				keep(k, name, &set);
	if (!err && generation)
		*generation = set.number;
	peal_set_fini(&set);
	return err;
}

enum peal_err peal_keyring_ready(struct peal_keyring *k, const char *name,
				 struct peal_reason *reason)
{
	enum peal_err err;

	peal_reason_clear(reason);
	if (!k || !name)
		return PEAL_EINVAL;
	err = check_name(name, reason);
	if (!err && k->path)
		err = peal_keyring_try(k, name, reason);
	return err;
}

enum peal_err peal_keyring_remove(struct peal_keyring *k, const char *name,
				  struct peal_reason *reason)
{
	struct peal_set_entry **at;
	enum peal_err err;

	peal_reason_clear(reason);
	if (!k || !name)
		return PEAL_EINVAL;
	err = check_name(name, reason);
	if (err)
		return err;
	if (k->path)
		return peal_keyring_erase(k, name, reason);
	at = place(k, name);
	if (!*at)
		return absent(name, reason);
	forget(at);
	return PEAL_OK;
}

/* --- reading --- */

enum peal_err peal_keyring_generation(struct peal_keyring *k, const char *name,
				      unsigned *out, struct peal_reason *reason)
{
	struct peal_set set;
	enum peal_err err;

	if (!k || !name || !out)
		return PEAL_EINVAL;
	peal_set_init(&set);
	err = fetch(k, name, &set, reason);
	if (!err)
		*out = set.number;
	peal_set_fini(&set);
	return err;
}

/* A file of the set, or why not. */
static enum peal_err need(const struct peal_set *set, const char *name,
			  const char *file, const struct peal_buf **text,
			  struct peal_reason *reason)
{
	*text = find(set, file);
	if (*text)
		return PEAL_OK;
	return peal_fail(reason, PEAL_ENOENT, "the keyring's %s has no %s",
			 name, file);
}

enum peal_err peal_keyring_read(struct peal_keyring *k, const char *name,
				const char *file, struct peal_buf *out,
				struct peal_reason *reason)
{
	const struct peal_buf *text;
	struct peal_set set;
	enum peal_err err;

	if (!k || !name || !file || !out)
		return PEAL_EINVAL;
	peal_set_init(&set);
	err = fetch(k, name, &set, reason);
	if (!err)
		err = need(&set, name, file, &text, reason);
	if (!err && has_private(text->data, text->len))
		err = peal_fail(reason, PEAL_EPERM,
				"%s is a private key, which is not shown",
				file);
	if (!err)
		err = peal_buf_add(out, text->data, text->len);
	peal_set_fini(&set);
	return err;
}

static enum peal_err parse_key(const struct peal_set *set, const char *name,
			       const char *file, struct peal_key **out,
			       struct peal_reason *reason)
{
	const struct peal_buf *text;
	struct peal_reason why;
	enum peal_err err = need(set, name, file, &text, reason);

	if (err)
		return err;
	err = peal_key_parse(out, text->len ? text->data : (void *)"",
			     text->len, &why);
	if (err == PEAL_EKEY)
		peal_fail(reason, err, "the keyring's %s/%s: %s", name, file,
			  why.text);
	return err;
}

enum peal_err peal_keyring_key(struct peal_keyring *k, const char *name,
			       const char *file, struct peal_key **out,
			       struct peal_reason *reason)
{
	struct peal_set set;
	enum peal_err err;

	if (!k || !name || !file || !out)
		return PEAL_EINVAL;
	peal_set_init(&set);
	err = fetch(k, name, &set, reason);
	if (!err)
		err = parse_key(&set, name, file, out, reason);
	peal_set_fini(&set);
	return err;
}

static enum peal_err make_identity(const struct peal_set *set, const char *name,
				   struct peal_identity **out,
				   struct peal_reason *reason)
{
	const struct peal_buf *cert;
	struct peal_key *key = NULL;
	struct peal_reason why;
	enum peal_err err = need(set, name, "cert.pem", &cert, reason);

	if (!err)
		err = parse_key(set, name, "key.pem", &key, reason);
	if (err)
		return err;
	err = peal_identity_new(out, cert->len ? cert->data : (void *)"",
				cert->len, key, &why);
	if (err == PEAL_EKEY)
		peal_fail(reason, err, "the keyring's %s: %s", name, why.text);
	peal_key_unref(key);
	return err;
}

enum peal_err peal_keyring_identity(struct peal_keyring *k, const char *name,
				    struct peal_identity **out,
				    struct peal_reason *reason)
{
	struct peal_set set;
	enum peal_err err;

	if (!k || !name || !out)
		return PEAL_EINVAL;
	peal_set_init(&set);
	err = fetch(k, name, &set, reason);
	if (!err)
		err = make_identity(&set, name, out, reason);
	peal_set_fini(&set);
	return err;
}
