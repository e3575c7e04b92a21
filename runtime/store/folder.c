/* folder.c - see folder.h */
#include "store/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "decode/crypto.h"
#include "peal/alloc.h"
#include "store/revision.h"

enum { NAME_SIZE = 40, HEAD_SIZE = 4096 };

static void rev_name(char name[NAME_SIZE], uint64_t number, const char *end)
{
	snprintf(name, NAME_SIZE, "rev-%010" PRIu64 "%s", number, end);
}

/* The number in a revision's name, and what follows the digits; 0 when it is
 * no such name. */
static uint64_t rev_number(const char *name, const char **end)
{
	uint64_t n = 0;
	int digits = 0;
	char first;

	if (strncmp(name, "rev-", 4) != 0)
		return 0;
	name += 4;
	first = *name;
	for (; *name >= '0' && *name <= '9' && digits < 19; name++, digits++)
		n = n * 10 + (uint64_t)(*name - '0');
	*end = name;
	/* only as rev_name() writes it: ten digits, more without zeros ahead */
	if (digits < 10 || digits > 18 || (digits > 10 && first == '0'))
		return 0;
	return n;
}

static enum peal_err failed(struct peal_reason *reason, int errnum,
			    const char *what, const char *name)
{
	return peal_fail(reason, peal_err_errno(errnum), "%s %s: %s", what,
			 name, strerror(errnum));
}

void peal_folder_init(struct peal_folder *f, const struct peal_file_ops *ops)
{
	memset(f, 0, sizeof(*f));
	f->dir = -1;
	f->lock = -1;
	peal_file_ops_fill(&f->ops, ops);
}

void peal_folder_fini(struct peal_folder *f)
{
	if (f->lock >= 0)
		close(f->lock);
	if (f->dir >= 0)
		close(f->dir);
	peal_free(f->revs);
	f->lock = -1;
	f->dir = -1;
	f->revs = NULL;
}

/* --- opening --- */

/* A folder just made is in its parent only after the parent's sync. */
static void sync_parent(const struct peal_folder *f)
{
	int parent = openat(f->dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (parent < 0)
		return;
	fsync(parent);
	close(parent);
}

enum peal_err peal_folder_open(struct peal_folder *f, const char *path,
			       int read_only, struct peal_reason *reason)
{
	int made = 0;

	if (!read_only) {
		made = mkdir(path, 0700) == 0;
		if (!made && errno != EEXIST)
			return failed(reason, errno, "cannot make", path);
	}
	f->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->dir < 0)
		return failed(reason, errno, "cannot open", path);
	if (made)
		sync_parent(f);
	return PEAL_OK;
}

/* flock() and not a process number in the file: the kernel lets go of it when
 * the owner dies, however that happens. */
enum peal_err peal_folder_lock(struct peal_folder *f, const char *path,
			       struct peal_reason *reason)
{
	f->lock = openat(f->dir, "lock",
			 O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK,
			 0600);
	if (f->lock < 0)
		return failed(reason, errno, "cannot open lock in", path);
	while (flock(f->lock, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EINTR)
			continue;
		if (errno == EWOULDBLOCK)
			return peal_fail(reason, PEAL_ELOCKED,
					 "another process owns the store %s",
					 path);
		return failed(reason, errno, "cannot lock", path);
	}
	return PEAL_OK;
}

enum peal_err peal_folder_reserve(struct peal_folder *f)
{
	unsigned cap = f->cap_revs ? f->cap_revs * 2 : 16;
	struct peal_rev *revs;

	if (f->n_revs < f->cap_revs)
		return PEAL_OK;
	revs = peal_realloc(f->revs, cap * sizeof(*revs));
	if (!revs)
		return PEAL_ENOMEM;
	f->revs = revs;
	f->cap_revs = cap;
	return PEAL_OK;
}

static int rev_order(const void *a, const void *b)
{
	const struct peal_rev *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

static int is_leftover(const char *name)
{
	const char *end;

	if (strcmp(name, "key.tmp") == 0)
		return 1;
	return rev_number(name, &end) && strcmp(end, ".tmp") == 0;
}

struct listing {
	struct peal_folder *f;
	int clean;
	peal_note_fn note;
	void *arg;
};

static enum peal_err list_one(struct listing *l, const char *name)
{
	struct peal_folder *f = l->f;
	uint64_t number;
	const char *end;
	enum peal_err err;

	if (l->clean && is_leftover(name)) {
		if (f->ops.unlink(f->ops.arg, f->dir, name) < 0)
			return PEAL_OK; /* the next commit tries again */
		return l->note(l->arg,
			       "removed %s, left over from an interrupted "
			       "write",
			       name);
	}
	number = rev_number(name, &end);
	if (!number || *end)
		return PEAL_OK;
	err = peal_folder_reserve(f);
	if (err)
		return err;
	f->revs[f->n_revs].number = number;
	f->revs[f->n_revs].state_only = -1;
	f->revs[f->n_revs++].size = -1;
	return PEAL_OK;
}

enum peal_err peal_folder_list(struct peal_folder *f, int clean,
			       peal_note_fn note, void *arg,
			       struct peal_reason *reason)
{
	struct listing l = { f, clean, note, arg };
	enum peal_err err = PEAL_OK;
	struct dirent *entry;
	DIR *d;
	int fd;

	f->n_revs = 0;
	f->listed = 0;
	fd = openat(f->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return failed(reason, errno, "cannot list", "the store");
	d = fdopendir(fd);
	if (!d) {
		err = failed(reason, errno, "cannot list", "the store");
		close(fd);
		return err;
	}
	/* An error ends the list as its end does: taken for the end, it would
	 * hide revisions, and the next commit would write over one. */
	errno = 0;
	while (!err && (entry = readdir(d))) {
		err = list_one(&l, entry->d_name);
		errno = 0;
	}
	if (!err && errno)
		err = failed(reason, errno, "cannot list", "the store");
	closedir(d);
	f->listed = !err;
	if (f->n_revs)
		qsort(f->revs, f->n_revs, sizeof(*f->revs), rev_order);
	return err;
}

/* --- reading and writing files --- */

static int open_file(struct peal_folder *f, const char *name)
{
	int fd;

	do
		fd = f->ops.open(f->ops.arg, f->dir, name);
	while (fd == -EINTR);
	return fd;
}

static enum peal_err read_file(struct peal_folder *f, const char *name,
			       size_t most, struct peal_buf *out,
			       struct peal_reason *reason)
{
	int fd = open_file(f, name), n;
	enum peal_err err = PEAL_OK;
	struct stat st;

	if (fd == -ELOOP)
		return peal_fail(reason, PEAL_EDAMAGED, "%s is a symbolic link",
				 name);
	if (fd < 0)
		return failed(reason, -fd, "cannot open", name);
	if (fstat(fd, &st) < 0) {
		err = failed(reason, errno, "cannot open", name);
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		err = peal_fail(reason, PEAL_EDAMAGED, "%s is not a file",
				name);
		goto out;
	}
	/* one byte more shows the end without growing */
	if ((uint64_t)st.st_size < most)
		err = peal_buf_reserve(out, (size_t)st.st_size + 1);
	if (err)
		goto out;
	n = peal_read_all(&f->ops, fd, most, out);
	if (n == -ENOMEM)
		err = PEAL_ENOMEM;
	else if (n)
		err = peal_fail(reason, PEAL_EDAMAGED, "cannot read %s: %s",
				name, strerror(-n));
out:
	peal_close(&f->ops, fd);
	return err;
}

enum peal_err peal_folder_read(struct peal_folder *f, uint64_t number,
			       size_t most, struct peal_buf *out,
			       struct peal_reason *reason)
{
	char name[NAME_SIZE];

	rev_name(name, number, "");
	return read_file(f, name, most, out, reason);
}

/* Whatever holds the temporary name, a symbolic link included, is removed and
 * not followed. */
static int create_temp(struct peal_folder *f, const char *name)
{
	int fd, removed = 0;

	for (;;) {
		fd = f->ops.create(f->ops.arg, f->dir, name, 0600);
		if (fd == -EEXIST && !removed) {
			f->ops.unlink(f->ops.arg, f->dir, name);
			removed = 1;
		} else if (fd != -EINTR) {
			return fd;
		}
	}
}

static enum peal_err write_temp(struct peal_folder *f, const char *temp,
				const void *bytes, size_t len,
				struct peal_reason *reason)
{
	const char *what = "cannot write";
	int fd = create_temp(f, temp), n, closed;

	if (fd == -ENOENT)
		return peal_fail(reason, PEAL_EIO,
				 "the store's folder is gone");
	if (fd < 0)
		return failed(reason, -fd, "cannot make", temp);
	n = peal_write_all(&f->ops, fd, bytes, len);
	if (n == 0) {
		what = "cannot sync";
		n = peal_sync(&f->ops, fd);
	}
	closed = peal_close(&f->ops, fd);
	if (n == 0)
		n = closed;
	if (n == 0)
		return PEAL_OK;
	f->ops.unlink(f->ops.arg, f->dir, temp);
	return failed(reason, -n, what, temp);
}

static enum peal_err replace_file(struct peal_folder *f, const char *temp,
				  const char *name, const void *bytes,
				  size_t len, int *renamed,
				  struct peal_reason *reason)
{
	enum peal_err err = write_temp(f, temp, bytes, len, reason);
	int n;

	*renamed = 0;
	if (err)
		return err;
	*renamed = 1; /* a rename that reports failure may have happened */
	do
		n = f->ops.rename(f->ops.arg, f->dir, temp, name);
	while (n == -EINTR);
	if (n < 0) {
		f->ops.unlink(f->ops.arg, f->dir, temp);
		return failed(reason, -n, "cannot rename", temp);
	}
	n = peal_sync(&f->ops, f->dir);
	if (n < 0)
		return failed(reason, -n, "cannot sync the folder of", name);
	return PEAL_OK;
}

enum peal_err peal_folder_write(struct peal_folder *f, uint64_t number,
				const void *bytes, size_t len, int *renamed,
				struct peal_reason *reason)
{
	char temp[NAME_SIZE], name[NAME_SIZE];
	enum peal_err err;

	rev_name(temp, number, ".tmp");
	rev_name(name, number, "");
	err = replace_file(f, temp, name, bytes, len, renamed, reason);
	/* not to be found at the next start, as far as that can be had */
	if (err && *renamed)
		f->ops.unlink(f->ops.arg, f->dir, name);
	return err;
}

enum peal_err peal_folder_key(struct peal_folder *f, int make,
			      unsigned char key[PEAL_STORE_KEY],
			      peal_note_fn note, void *arg,
			      struct peal_reason *reason)
{
	enum peal_err err;
	struct peal_buf b;
	int renamed;

	peal_buf_init(&b, PEAL_STORE_KEY + 4096);
	err = read_file(f, "key", PEAL_STORE_KEY + 1, &b, reason);
	if (!err && b.len == PEAL_STORE_KEY) {
		memcpy(key, b.data, PEAL_STORE_KEY);
		goto out;
	}
	if (err && err != PEAL_ENOENT && err != PEAL_EDAMAGED)
		goto out;
	if (err != PEAL_ENOENT) {
		err = note(arg, "the file key is damaged, fingerprints of "
				"secrets will differ from older ones");
		if (err)
			goto out;
	}
	err = peal_random(key, PEAL_STORE_KEY);
	if (!err && make)
		err = replace_file(f, "key.tmp", "key", key, PEAL_STORE_KEY,
				   &renamed, reason);
out:
	peal_buf_fini_secret(&b);
	return err;
}

/* --- keeping --- */

void peal_folder_add(struct peal_folder *f, uint64_t number, size_t size,
		     int state_only)
{
	f->revs[f->n_revs].number = number;
	f->revs[f->n_revs].state_only = state_only;
	f->revs[f->n_revs++].size = (int64_t)size;
}

int64_t peal_folder_size(struct peal_folder *f, unsigned i)
{
	char name[NAME_SIZE];
	struct stat st;

	if (f->revs[i].size >= 0)
		return f->revs[i].size;
	rev_name(name, f->revs[i].number, "");
	if (fstatat(f->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	f->revs[i].size = st.st_size;
	return st.st_size;
}

enum peal_err peal_folder_head(struct peal_folder *f, unsigned i,
			       struct peal_revision *out,
			       struct peal_reason *reason)
{
	struct peal_rev *rev = &f->revs[i];
	int64_t size = peal_folder_size(f, i);
	struct peal_buf bytes;
	enum peal_err err;

	memset(out, 0, sizeof(*out));
	peal_buf_init(&bytes, HEAD_SIZE + 8192);
	err = peal_folder_read(f, rev->number, HEAD_SIZE, &bytes, reason);
	if (!err)
		err = peal_revision_head(bytes.data, bytes.len, out, reason);
	if (!err || err == PEAL_EDAMAGED) {
		out->number = rev->number;
		out->size = size > 0 ? (size_t)size : 0;
	}
	if (err != PEAL_ENOMEM)
		rev->state_only = !err && out->state_only;
	peal_buf_fini_secret(&bytes);
	return err;
}

/* Read when there is something to remove, and once. One that cannot be read
 * may have changed parameters. -1: memory or descriptors are short. */
static int state_only(struct peal_folder *f, unsigned i)
{
	struct peal_revision head;

	if (f->revs[i].state_only < 0)
		peal_folder_head(f, i, &head, NULL);
	return f->revs[i].state_only;
}

/* A removal that fails is not worth a word: the next commit tries again. */
static int remove_rev(struct peal_folder *f, unsigned i)
{
	char name[NAME_SIZE];
	int n;

	rev_name(name, f->revs[i].number, "");
	n = f->ops.unlink(f->ops.arg, f->dir, name);
	return n == 0 || n == -ENOENT;
}

static void forget(struct peal_folder *f, unsigned from, unsigned n)
{
	f->n_revs -= n;
	memmove(f->revs + from, f->revs + from + n,
		(f->n_revs - from) * sizeof(*f->revs));
}

static uint64_t total_size(struct peal_folder *f)
{
	uint64_t total = 0;
	unsigned i;

	for (i = 0; i < f->n_revs; i++) {
		int64_t size = peal_folder_size(f, i);

		total += size > 0 ? (uint64_t)size : 0;
	}
	return total;
}

/* The newest two stay, whatever they are. 0 when one did not go, or it is not
 * known which may: the next commit tries again, and parameters stay. */
static int prune_state(struct peal_folder *f, size_t keep)
{
	uint64_t total = total_size(f);
	unsigned i = 0;

	while (total > keep && i + 2 < f->n_revs) {
		int64_t size = peal_folder_size(f, i);
		int this = state_only(f, i), next = state_only(f, i + 1);

		if (this < 0 || next < 0)
			return 0;
		if (!this || !next) {
			i++;
			continue;
		}
		if (!remove_rev(f, i))
			return 0;
		total -= size > 0 ? (uint64_t)size : 0;
		forget(f, i, 1);
	}
	return 1;
}

void peal_folder_prune(struct peal_folder *f, size_t keep)
{
	uint64_t total = 0;
	unsigned i, from;

	if (!prune_state(f, keep))
		return;
	from = f->n_revs;
	while (from > 0) {
		int64_t size = peal_folder_size(f, from - 1);

		total += size > 0 ? (uint64_t)size : 0;
		if (total > keep && f->n_revs - from >= 2)
			break;
		from--;
	}
	for (i = 0; i < from; i++)
		if (!remove_rev(f, i))
			break;
	if (i)
		forget(f, 0, i);
}
