/* keyring_write.c - put a generation in force, or remove them all. See
 * peal/keyring.h */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peal/alloc.h"
#include "trust/keyring_disk.h"

/* Not a name of a file or a generation. */
#define TRIAL ".trial"
enum { PEAL_TRIAL_SIZE = 16 << 10 };

/* --- operations that change the disk; 0 or an errno --- */

static int step(struct peal_keyring *k, const char *what, const char *name)
{
	return k->step ? k->step(k->arg, what, name) : 0;
}

static int make_dir(struct peal_keyring *k, int dir, const char *name)
{
	int e = step(k, "mkdir", name);

	if (e)
		return e;
	return mkdirat(dir, name, S_IRWXU) ? errno : 0;
}

/* An error is final: the pages may be gone, and the next sync succeed. */
static int sync_fd(struct peal_keyring *k, int fd, const char *name)
{
	int e = step(k, "sync", name);

	if (e)
		return e;
	return fsync(fd) ? errno : 0;
}

static int rename_in(struct peal_keyring *k, int dir, const char *from,
		     const char *to)
{
	int e = step(k, "rename", to);

	if (e)
		return e;
	return renameat(dir, from, dir, to) ? errno : 0;
}

static int unlink_in(struct peal_keyring *k, int dir, const char *name,
		     int flags)
{
	int e = step(k, "unlink", name);

	if (e)
		return e;
	return unlinkat(dir, name, flags) ? errno : 0;
}

static int link_in(struct peal_keyring *k, int dir, const char *text,
		   const char *name)
{
	int e = unlink_in(k, dir, name, 0); /* of an install that was cut off */

	if (e && e != ENOENT)
		return e;
	e = step(k, "link", name);
	if (e)
		return e;
	return symlinkat(text, dir, name) ? errno : 0;
}

static int write_all(int fd, const unsigned char *p, size_t len)
{
	ssize_t n;

	while (len) {
		n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? errno : EIO;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_file(struct peal_keyring *k, int dir, const char *name,
		      const struct peal_buf *text)
{
	int e = step(k, "create", name), closed, fd;

	if (e)
		return e;
	fd = openat(dir, name,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    S_IRUSR | S_IWUSR);
	if (fd < 0)
		return errno;
	e = step(k, "write", name);
	if (!e)
		e = write_all(fd, text->data, text->len);
	if (!e)
		e = sync_fd(k, fd, name);
	closed = close(fd) ? errno : 0;
	return e ? e : closed;
}

/* --- writing --- */

/* A folder's entry is durable when the folder that it lies in is. */
static int sync_parent(struct peal_keyring *k, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *parent = peal_memdup0(path, slash ? (size_t)(slash - path) : 0);
	int e, fd;

	if (!parent)
		return ENOMEM;
	fd = open(slash == path ? "/" :
		  slash         ? parent :
				  ".",
		  O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	e = fd < 0 ? errno : sync_fd(k, fd, "parent");
	if (fd >= 0)
		close(fd);
	peal_free(parent);
	return e;
}

/* Open the folder, making it where it is not there. */
static enum peal_err make_folder(struct peal_keyring *k, struct peal_place *out,
				 struct peal_reason *reason)
{
	int e = make_dir(k, AT_FDCWD, k->path);

	out->fd = -1;
	if (e == 0)
		e = sync_parent(k, k->path);
	if (e && e != EEXIST)
		return peal_keyring_failed(reason, e, "make", NULL, k->path);
	return peal_keyring_enter(out, NULL, k->path, reason);
}

/* The folder of the set, made where it is not there, and locked. */
static enum peal_err make_set(struct peal_keyring *k, const char *name,
			      struct peal_place *out,
			      struct peal_reason *reason)
{
	struct peal_place folder;
	enum peal_err err = make_folder(k, &folder, reason);
	int e;

	out->fd = -1;
	if (err)
		return err;
	e = make_dir(k, folder.fd, name);
	if (e == 0)
		e = sync_fd(k, folder.fd, "folder");
	if (e && e != EEXIST)
		err = peal_keyring_failed(reason, e, "make", &folder, name);
	if (!err)
		err = peal_keyring_enter(out, &folder, name, reason);
	peal_keyring_leave(&folder);
	if (!err && flock(out->fd, LOCK_EX | LOCK_NB))
		err = peal_fail(reason, PEAL_ELOCKED,
				"another process changes the keyring's %s",
				name);
	return err;
}

static enum peal_err write_sums(struct peal_keyring *k, int dir,
				const struct peal_set *set, int *e)
{
	struct peal_buf sums;
	char hex[PEAL_SUM_SIZE + 1];
	enum peal_err err = PEAL_OK;
	unsigned i;

	peal_buf_init(&sums, PEAL_SUMS_SIZE);
	for (i = 0; i < set->n && !err; i++) {
		err = peal_keyring_sum(&set->files[i].text, hex);
		if (!err)
			err = peal_buf_printf(&sums, "%s  %s\n", hex,
					      set->files[i].name);
	}
	if (!err)
		*e = write_file(k, dir, "sums", &sums);
	peal_buf_fini(&sums);
	return err;
}

static enum peal_err write_files(struct peal_keyring *k,
				 const struct peal_place *dir,
				 const struct peal_set *set,
				 struct peal_reason *reason)
{
	const char *name = "sums";
	enum peal_err err = PEAL_OK;
	unsigned i;
	int e = 0;

	for (i = 0; i < set->n && e == 0; i++) {
		name = set->files[i].name;
		e = write_file(k, dir->fd, name, &set->files[i].text);
	}
	if (e == 0) {
		name = "sums";
		err = write_sums(k, dir->fd, set, &e);
	}
	if (!err && e == 0)
		e = sync_fd(k, dir->fd, "generation");
	return e ? peal_keyring_failed(reason, e, "write", dir, name) : err;
}

/* Failures are not worth a word: the next install tries again. */
static void remove_tree(struct peal_keyring *k, int dir, const char *name)
{
	struct dirent *e;
	DIR *d = NULL;
	int fd = openat(dir, name,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0)
		d = fdopendir(fd);
	if (!d && fd >= 0)
		close(fd);
	while (d && (e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			unlink_in(k, fd, e->d_name, 0);
	if (d)
		closedir(d);
	unlink_in(k, dir, name, AT_REMOVEDIR);
}

static void remove_generation(struct peal_keyring *k, int dir, unsigned number)
{
	char name[PEAL_NUMBER_SIZE];

	snprintf(name, sizeof(name), "%u", number);
	remove_tree(k, dir, name);
}

static enum peal_err write_generation(struct peal_keyring *k,
				      const struct peal_place *dir,
				      const struct peal_set *set,
				      struct peal_reason *reason)
{
	char name[PEAL_NUMBER_SIZE];
	struct peal_place place;
	enum peal_err err;
	int e;

	snprintf(name, sizeof(name), "%u", set->number);
	e = make_dir(k, dir->fd, name);
	if (e)
		return peal_keyring_failed(reason, e, "make", dir, name);
	err = peal_keyring_enter(&place, dir, name, reason);
	if (!err)
		err = write_files(k, &place, set, reason);
	peal_keyring_leave(&place);
	if (err)
		remove_generation(k, dir->fd, set->number);
	return err;
}

/* Until the link is renamed the new generation is taken back, for without a
 * link it would count. From then on it is the current one, or will be after a
 * power cut. */
static enum peal_err switch_to(struct peal_keyring *k,
			       const struct peal_place *dir, unsigned number,
			       struct peal_reason *reason)
{
	char text[PEAL_NUMBER_SIZE];
	int e = sync_fd(k, dir->fd, "set"); /* it is there before it is named */

	snprintf(text, sizeof(text), "%u", number);
	if (e == 0)
		e = link_in(k, dir->fd, text, "current.new");
	if (e == 0)
		e = rename_in(k, dir->fd, "current.new", "current");
	if (e)
		remove_generation(k, dir->fd, number);
	else
		e = sync_fd(k, dir->fd, "set");
	return e ? peal_keyring_failed(reason, e, "switch to generation", dir,
				       text) :
		   PEAL_OK;
}

/* The number of the generation that is good now, 0: none. One that may not be
 * read is no reason to remove those that may be. */
static enum peal_err number_in_force(const struct peal_place *dir,
				     const char *name, unsigned *out,
				     struct peal_reason *reason)
{
	struct peal_set set;
	struct peal_reason why;
	enum peal_err err;

	peal_set_init(&set);
	err = peal_keyring_newest(dir, name, &set, &why);
	*out = err ? 0 : set.number;
	peal_set_fini(&set);
	if (err == PEAL_ENOENT || err == PEAL_EDAMAGED)
		return PEAL_OK;
	if (err && reason)
		*reason = why;
	return err;
}

static enum peal_err install(struct peal_keyring *k,
			     const struct peal_place *dir, const char *name,
			     struct peal_set *set, struct peal_reason *reason)
{
	unsigned before = 0, i;
	struct peal_listing l;
	enum peal_err err = peal_keyring_list(dir, &l);

	if (!err)
		err = number_in_force(dir, name, &before, reason);
	if (err)
		return err;
	set->number = (l.n ? l.numbers[0] : 0) + 1;
	err = write_generation(k, dir, set, reason);
	if (!err)
		err = switch_to(k, dir, set->number, reason);
	for (i = 0; i < l.n && !err; i++)
		if (l.numbers[i] != before)
			remove_generation(k, dir->fd, l.numbers[i]);
	return err;
}

enum peal_err peal_keyring_store(struct peal_keyring *k, const char *name,
				 struct peal_set *set,
				 struct peal_reason *reason)
{
	struct peal_place dir;
	enum peal_err err = make_set(k, name, &dir, reason);

	if (!err)
		err = install(k, &dir, name, set, reason);
	peal_keyring_leave(&dir);
	return err;
}

/* As many bytes as a set of certificates and keys has, about. */
static enum peal_err try_write(struct peal_keyring *k,
			       const struct peal_place *dir,
			       struct peal_reason *reason)
{
	static const char zeros[1024];
	struct peal_buf text;
	enum peal_err err = PEAL_OK;
	unsigned i;
	int e;

	peal_buf_init(&text, PEAL_TRIAL_SIZE);
	for (i = 0; i < PEAL_TRIAL_SIZE / sizeof(zeros) && !err; i++)
		err = peal_buf_add(&text, zeros, sizeof(zeros));
	if (!err) {
		unlink_in(k, dir->fd, TRIAL, 0); /* of one that was cut off */
		e = write_file(k, dir->fd, TRIAL, &text);
		unlink_in(k, dir->fd, TRIAL, 0);
		if (e)
			err = peal_keyring_failed(reason, e, "write", dir,
						  TRIAL);
	}
	peal_buf_fini(&text);
	return err;
}

enum peal_err peal_keyring_try(struct peal_keyring *k, const char *name,
			       struct peal_reason *reason)
{
	struct peal_place dir;
	unsigned number;
	enum peal_err err = make_set(k, name, &dir, reason);

	if (!err)
		err = number_in_force(&dir, name, &number, reason);
	if (!err)
		err = try_write(k, &dir, reason);
	peal_keyring_leave(&dir);
	return err;
}

/* --- removing --- */

static void remove_set(struct peal_keyring *k, int folder, const char *name)
{
	struct peal_listing l = { .n = 0 };
	struct peal_place dir;
	unsigned i;

	dir.fd = openat(folder, name,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir.fd >= 0 && peal_keyring_list(&dir, &l) == PEAL_OK)
		for (i = 0; i < l.n; i++)
			remove_generation(k, dir.fd, l.numbers[i]);
	peal_keyring_leave(&dir);
	remove_tree(k, folder, name);
}

/* Moved aside first, in one step: what is half removed must not look like a
 * set that has lost its link. */
enum peal_err peal_keyring_erase(struct peal_keyring *k, const char *name,
				 struct peal_reason *reason)
{
	char aside[PEAL_LINE_SIZE];
	struct peal_place folder;
	enum peal_err err = peal_keyring_enter(&folder, NULL, k->path, reason);
	int e;

	if (!err) {
		snprintf(aside, sizeof(aside), ".removed-%s", name);
		remove_set(k, folder.fd, aside); /* one that was cut off */
		e = rename_in(k, folder.fd, name, aside);
		if (e == 0)
			e = sync_fd(k, folder.fd, "folder");
		if (e == 0)
			remove_set(k, folder.fd, aside);
		else if (e == ENOENT)
			err = PEAL_ENOENT;
		else
			err = peal_keyring_failed(reason, e, "remove", &folder,
						  name);
	}
	peal_keyring_leave(&folder);
	if (err == PEAL_ENOENT)
		return peal_fail(reason, err, "the keyring has no %s", name);
	return err;
}
