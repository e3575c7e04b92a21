/* store.h - parameters and state that survive a power cut.
 *
 * A store holds, for one phone, the value of every parameter of its schema
 * (and of names kept untyped), with access, user flags and provenance, and
 * namespaced state beside them. Only what differs from the defaults costs
 * memory. Changes are made in a transaction: readers see old or new.
 *
 * On disk a store is a folder, mode 0700:
 *   rev-0000000012     one complete revision: readable text, last line its
 *                      SHA-256. Written as rev-....tmp, fsync, rename, fsync
 *                      of the folder. The newest valid one wins.
 *   lock               held (flock) while a process may write
 *   key                32 random octets that key the fingerprints of secrets
 * Old revisions are kept while all together stay under a limit, and never
 * fewer than two; those that changed state only make way first. A commit that changes nothing writes nothing.
 *
 * Owns      the folder; nobody else writes it.
 * Threads   one thread per store. */
#ifndef PEAL_STORE_H
#define PEAL_STORE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "peal/buf.h"
#include "peal/element.h"
#include "peal/error.h"
#include "peal/schema.h"

struct peal_store;
struct peal_txn;

/* The file operations underneath, so that a test can fail each in turn. All
 * return 0 or a positive count, or -errno. `dir` is a descriptor of the
 * store's folder; names have no slash. NULL members: the real ones.
 * Implementations open with O_NOFOLLOW | O_CLOEXEC. */
struct peal_file_ops {
	int (*create)(void *arg, int dir, const char *name, int mode);
	int (*open)(void *arg, int dir, const char *name);
	ssize_t (*write)(void *arg, int fd, const void *p, size_t n);
	ssize_t (*read)(void *arg, int fd, void *p, size_t n);
	int (*sync)(void *arg, int fd); /* of a file or of the folder */
	int (*close)(void *arg, int fd);
	int (*rename)(void *arg, int dir, const char *from, const char *to);
	int (*unlink)(void *arg, int dir, const char *name);
	void *arg;
};

struct peal_store_options {
	const char *path; /* folder, made if absent; NULL: memory only */
	int read_only;    /* no lock, no write; opens the newest revision */
	size_t keep;      /* bytes of all revisions; 0: PEAL_LIMIT_STORE_KEEP */
	const struct peal_file_ops *ops; /* NULL: the real ones */
	uint64_t revision; /* read_only: this one; 0: the newest */
	int start_over;    /* defaults, not PEAL_EDAMAGED; damaged files stay */
	/* Without a path: what peal_store_bytes() gave; NULL: the defaults and
	 * a key of its own. */
	const void *bytes;
	size_t len;
	const unsigned char *key; /* PEAL_STORE_KEY octets */
};

enum { PEAL_STORE_KEY = 32 };

/* Who wrote a value.
 *   author  "profile", "assign", "rule", "cli", "phone-file" ...
 *   rule    parameter whose rule it was ("Profile_Rule_B"), or ""
 *   url     without credentials, or "" */
struct peal_source {
	uint64_t cycle;
	const char *author;
	const char *rule;
	const char *url;
};

/* A value and all that is known of it. Texts are borrowed until the next
 * commit or close. */
struct peal_value {
	const char *name;
	const char *text;
	enum peal_type type;
	enum peal_ua ua;
	unsigned flags; /* enum peal_param_flag */
	int is_default; /* nobody wrote it: no source */
	int user_modified;
	int user_pref;
	struct peal_source source;
	uint64_t revision; /* that wrote the value; 0: default */
	long line;         /* in the profile, 0: none */
};

/* Open the store in options->path, making an empty one if there is none.
 *   out     set on success only; release with peal_store_close()
 *   schema  sealed; a reference is kept
 * A damaged newest revision is passed over; peal_store_note() tells.
 * PEAL_ELOCKED, PEAL_ENEWER, PEAL_EDAMAGED (no valid revision among several:
 * the damaged files stay, the caller decides), PEAL_EIO, PEAL_EPERM,
 * PEAL_ENOMEM */
enum peal_err peal_store_open(struct peal_store **out,
			      struct peal_schema *schema,
			      const struct peal_store_options *options,
			      struct peal_reason *reason);
void peal_store_close(struct peal_store *s);

/* An independent store in memory with what is committed in `s`: the same
 * parameters, state, revision and fingerprints, writable whatever `s` is.
 * Nothing that is done to it reaches a disk; its revisions go on counting
 * where those of `s` are. Texts are shared: 16 bytes a value. PEAL_ENOMEM */
enum peal_err peal_store_copy(struct peal_store **out,
			      const struct peal_store *s);

/* The whole revision in force as its file has it, added to `out`, and the key
 * of the fingerprints. Both are secret. PEAL_ENOMEM, PEAL_ELIMIT */
enum peal_err peal_store_bytes(const struct peal_store *s, struct peal_buf *out,
			       unsigned char key[PEAL_STORE_KEY]);

/* The n-th thing a person should know about the opening (a damaged revision
 * passed over, a left-over temporary file removed), or NULL past the last. */
const char *peal_store_note(const struct peal_store *s, unsigned n);

struct peal_schema *peal_store_schema(const struct peal_store *s);
/* Number of the newest committed revision, 0: none yet. */
uint64_t peal_store_revision(const struct peal_store *s);

/* Text of a parameter, by name or alias.
 *   text   borrowed until the next commit or close
 * PEAL_EUNKNOWN */
enum peal_err peal_store_get(const struct peal_store *s, const char *name,
			     size_t len, const char **text);
/* Everything about a parameter. PEAL_EUNKNOWN */
enum peal_err peal_store_value(const struct peal_store *s, const char *name,
			       size_t len, struct peal_value *out);
/* All parameters in registry order, then names kept untyped: i from 0;
 * PEAL_ENOENT past the last. */
enum peal_err peal_store_at(const struct peal_store *s, unsigned i,
			    struct peal_value *out);

/* What is another in `after` than in `before`, by text, access, user flags or
 * in being the default: parameters in registry order, then names kept untyped,
 * by name; those of either store.
 *   before  of the same schema; NULL: nothing was written yet
 *   at      zero at first; neither store may change on the way
 *   name    borrowed from its store
 * PEAL_ENOENT past the last, PEAL_EINVAL (another schema) */
struct peal_difference {
	unsigned before, after, extra_before, extra_after;
};
enum peal_err peal_store_changed(const struct peal_store *before,
				 const struct peal_store *after,
				 struct peal_difference *at, const char **name);

/* State: a text under namespace and key. Borrowed until the next commit.
 * PEAL_ENOENT */
enum peal_err peal_store_state(const struct peal_store *s, const char *ns,
			       const char *key, const char **text, size_t *len);
/* i-th key of a namespace in order of keys; PEAL_ENOENT past the last. */
enum peal_err peal_store_state_at(const struct peal_store *s, const char *ns,
				  unsigned i, const char **key,
				  const char **text, size_t *len);

/* Short keyed fingerprint of a secret, such as "#3fa9c1d2", the same for the
 * same text in the same store; "" for an empty text. */
#define PEAL_FINGERPRINT_SIZE 16
void peal_store_fingerprint(const struct peal_store *s, const char *text,
			    size_t len, char out[PEAL_FINGERPRINT_SIZE]);

/* Revisions on disk that are valid at least by name, oldest first: i from 0.
 * PEAL_ENOENT past the last. Open one with options.revision. */
struct peal_revision {
	uint64_t number;
	int64_t time;   /* s, UTC, of the commit as the caller gave it */
	uint64_t cycle; /* 0: none */
	size_t size;
	int state_only; /* it changed no parameter; 0 also where an older
			 * program wrote it, which did not say */
	char cause[64];
};
enum peal_err peal_store_revision_at(const struct peal_store *s, unsigned i,
				     struct peal_revision *out,
				     struct peal_reason *reason);

/* Begin a transaction; one at a time per store.
 * PEAL_ESTATE (one is open, or the store is read-only), PEAL_ENOMEM */
enum peal_err peal_txn_begin(struct peal_txn **out, struct peal_store *s);
/* Forget it; takes NULL. */
void peal_txn_abort(struct peal_txn *t);

/* Who writes from now on; copied. */
enum peal_err peal_txn_source(struct peal_txn *t,
			      const struct peal_source *source);
/* Keep names that no registry knows as untyped text (off at first). */
void peal_txn_keep_unknown(struct peal_txn *t, int on);

/* Write one value; the text "" empties it where the type admits that.
 *   flags  0 or PEAL_SET_*
 * PEAL_EUNKNOWN, PEAL_ETYPE (old value kept; reason says what fits),
 * PEAL_ENOMEM */
enum peal_set_flag {
	PEAL_SET_BY_USER = 1 /* marks the value user-modified */
};
enum peal_err peal_txn_set(struct peal_txn *t, const char *name,
			   size_t name_len, const char *text, size_t text_len,
			   unsigned flags, struct peal_reason *reason);
/* Back to the default, provenance forgotten. PEAL_EUNKNOWN */
enum peal_err peal_txn_reset(struct peal_txn *t, const char *name, size_t len);
/* All parameters back to their defaults (factory reset): user flags and
 * secrets too; state namespaces named in `keep` (NULL-terminated) stay. */
enum peal_err peal_txn_factory_reset(struct peal_txn *t,
				     const char *const *keep);
/* One element of a profile: attributes, empty-value rule, type check. What
 * cannot be applied becomes a note and is skipped; a peal_element_fn.
 * PEAL_ENOMEM, PEAL_ELIMIT */
enum peal_err peal_txn_element(const struct peal_element *e, void *txn);
/* text NULL removes the key. PEAL_EINVAL (name), PEAL_ELIMIT, PEAL_ENOMEM */
enum peal_err peal_txn_state(struct peal_txn *t, const char *ns,
			     const char *key, const char *text, size_t len);

/* What a profile's elements came to. */
struct peal_txn_counts {
	unsigned elements; /* seen */
	unsigned applied;  /* wrote a value, be it the same */
	unsigned unknown;  /* names in no registry */
	unsigned kept;     /* of these, kept as untyped text */
	unsigned bad;      /* values refused */
};
void peal_txn_counts(const struct peal_txn *t, struct peal_txn_counts *out);

/* What the last element of that name came to.
 *   USER  its text is not taken: the user's own stays
 *   KEPT  it asks for the text to stay as it is
 *   BAD   its text does not fit the type */
enum peal_touch {
	PEAL_TOUCH_NONE,
	PEAL_TOUCH_WRITTEN, /* be it with the text that is there already */
	PEAL_TOUCH_USER,
	PEAL_TOUCH_KEPT,
	PEAL_TOUCH_BAD
};
/*   index  of the parameter in the schema
 *   line   of the profile; may be NULL */
enum peal_touch peal_txn_touch(const struct peal_txn *t, unsigned index,
			       long *line);

/* Notes in order: i from 0, PEAL_ENOENT past the last. At most
 * PEAL_LIMIT_NOTES are kept; the counts go on.
 *   word  "bad-value", "unknown-name", "bad-attribute", "has-children" ...
 *   text  a sentence; never shows the value of a secret */
struct peal_note {
	const char *word;
	const char *name;
	const char *text;
	const char *suggest; /* nearest known name, or NULL */
	long line;
};
enum peal_err peal_txn_note(const struct peal_txn *t, unsigned i,
			    struct peal_note *out);

/* Value a reader of the transaction would see (staged, else committed). */
enum peal_err peal_txn_value(const struct peal_txn *t, const char *name,
			     size_t len, struct peal_value *out);

/* Changes against the committed values, in registry order: i from 0,
 * PEAL_ENOENT past the last. A change of access or user flags only has equal
 * texts. Borrowed until the next call on the transaction. */
struct peal_change {
	struct peal_value before;
	struct peal_value after;
};
enum peal_err peal_txn_change(const struct peal_txn *t, unsigned i,
			      struct peal_change *out);
/* Take back the staged change of one parameter. */
enum peal_err peal_txn_revoke(struct peal_txn *t, const char *name, size_t len);

/* Make it durable and visible, then free the transaction.
 *   cause     short word for the history: "resync", "set", "state"
 *   time      s, UTC, goes to the revision's head
 *   revision  set to the new revision's number, or to the current one when
 *             nothing changed and nothing was written; may be NULL
 * On failure the store is as it was, the temporary file is gone, and the
 * transaction is freed as well. PEAL_ENOSPC, PEAL_EROFS, PEAL_EIO, PEAL_ENOMEM,
 * PEAL_ELIMIT */
enum peal_err peal_txn_commit(struct peal_txn *t, const char *cause,
			      int64_t time, uint64_t *revision,
			      struct peal_reason *reason);

#endif
