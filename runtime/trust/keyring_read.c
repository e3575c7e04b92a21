/* keyring_read.c - find and read a whole generation. See peal/keyring.h */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trust/file.h"
#include "trust/keyring_disk.h"

/* --- folders --- */

void peal_keyring_path(char out[PEAL_PLACE_SIZE], const struct peal_place *in,
		       const char *name)
{
	const char *before = in ? in->path : "";
	size_t n = strnlen(before, PEAL_PLACE_SIZE - 1);

	memmove(out, before, n);
	snprintf(out + n, PEAL_PLACE_SIZE - n, in ? "/%s" : "%s", name);
}

enum peal_err peal_keyring_failed(struct peal_reason *reason, int e,
				  const char *what, const struct peal_place *in,
				  const char *name)
{
	char path[PEAL_PLACE_SIZE];

	peal_keyring_path(path, in, name);
	return peal_fail(reason, peal_err_errno(e), "keyring: cannot %s %s: %s",
			 what, path, strerror(e));
}

static enum peal_err check_dir(const struct peal_place *p,
			       struct peal_reason *reason)
{
	struct stat st;

	if (fstat(p->fd, &st))
		return peal_keyring_failed(reason, errno, "look at", NULL,
					   p->path);
	if (st.st_uid != geteuid())
		return peal_fail(reason, PEAL_EPERM,
				 "the keyring's folder %s belongs to another "
				 "user",
				 p->path);
	if (st.st_mode & (S_IRWXG | S_IRWXO))
		return peal_fail(reason, PEAL_EPERM,
				 "a folder of the keyring is open to others; "
				 "type: chmod 700 %s",
				 p->path);
	return PEAL_OK;
}

enum peal_err peal_keyring_enter(struct peal_place *out,
				 const struct peal_place *in, const char *name,
				 struct peal_reason *reason)
{
	enum peal_err err;

	peal_keyring_path(out->path, in, name);
	out->fd = openat(in ? in->fd : AT_FDCWD, name,
			 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (out->fd < 0 && errno == ENOENT)
		return PEAL_ENOENT;
	if (out->fd < 0 && (errno == ELOOP || errno == ENOTDIR))
		return peal_fail(reason, PEAL_EPERM,
				 "the keyring's %s is not a folder", out->path);
	if (out->fd < 0)
		return peal_keyring_failed(reason, errno, "open", NULL,
					   out->path);
	err = check_dir(out, reason);
	if (err)
		peal_keyring_leave(out);
	return err;
}

void peal_keyring_leave(struct peal_place *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

/* The folder of the keyring and in it the one of the set. */
static enum peal_err open_set(struct peal_keyring *k, const char *name,
			      struct peal_place *out,
			      struct peal_reason *reason)
{
	struct peal_place folder;
	enum peal_err err = peal_keyring_enter(&folder, NULL, k->path, reason);

	out->fd = -1;
	if (!err)
		err = peal_keyring_enter(out, &folder, name, reason);
	peal_keyring_leave(&folder);
	if (err == PEAL_ENOENT)
		return peal_fail(reason, err, "the keyring has no %s", name);
	return err;
}

/* 0: not a number as we write them */
static unsigned number_of(const char *text)
{
	unsigned n = 0;

	if (text[0] == '0' || strlen(text) > 9)
		return 0;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return 0;
		n = n * 10 + (unsigned)(*text - '0');
	}
	return n;
}

static unsigned read_link(int dir)
{
	char text[PEAL_NUMBER_SIZE];
	ssize_t n = readlinkat(dir, "current", text, sizeof(text) - 1);

	if (n < 0)
		return 0;
	text[n] = '\0';
	return number_of(text);
}

/* Keeps the list sorted; past its end the smallest fall off. */
static void list_add(struct peal_listing *l, unsigned number)
{
	unsigned i;

	if (number == 0 || (l->n == PEAL_GENERATIONS &&
			    number < l->numbers[PEAL_GENERATIONS - 1]))
		return;
	if (l->n < PEAL_GENERATIONS)
		l->n++;
	for (i = l->n - 1; i > 0 && l->numbers[i - 1] < number; i--)
		l->numbers[i] = l->numbers[i - 1];
	l->numbers[i] = number;
}

enum peal_err peal_keyring_list(const struct peal_place *dir,
				struct peal_listing *l)
{
	int fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	memset(l, 0, sizeof(*l));
	if (!d) {
		if (fd >= 0)
			close(fd);
		return PEAL_EIO;
	}
	while ((e = readdir(d)) != NULL)
		list_add(l, number_of(e->d_name));
	closedir(d);
	l->current = read_link(dir->fd);
	return PEAL_OK;
}

/* --- reading --- */

enum peal_err peal_keyring_sum(const struct peal_buf *text,
			       char hex[PEAL_SUM_SIZE + 1])
{
	unsigned char digest[PEAL_SHA256_SIZE];
	enum peal_err err = peal_sha256(text->len ? text->data : (void *)"",
					text->len, digest);

	peal_hex(digest, sizeof(digest), hex);
	return err;
}

static enum peal_err read_file(const struct peal_place *dir, const char *name,
			       struct peal_buf *out, struct peal_reason *reason)
{
	char path[PEAL_PLACE_SIZE];

	peal_keyring_path(path, dir, name);
	return peal_file_read_at(dir->fd, name, path, PEAL_FILE_SECRET, out,
				 reason);
}

/* line: "sum  name" */
static enum peal_err read_one(const struct peal_place *dir, char *line,
			      struct peal_set *out, struct peal_reason *reason)
{
	char hex[PEAL_SUM_SIZE + 1];
	const char *name = line + PEAL_SUM_SIZE + 2;
	struct peal_buf *text;
	enum peal_err err;

	if (strlen(line) < PEAL_SUM_SIZE + 3 || !peal_keyring_is_name(name))
		return PEAL_EDAMAGED;
	err = peal_set_add(out, name, &text);
	if (!err)
		err = read_file(dir, name, text, reason);
	if (!err)
		err = peal_keyring_sum(text, hex);
	if (!err && memcmp(hex, line, PEAL_SUM_SIZE) != 0)
		err = PEAL_EDAMAGED;
	return err;
}

static enum peal_err read_files(const struct peal_place *dir,
				struct peal_set *out,
				struct peal_reason *reason)
{
	struct peal_buf sums;
	enum peal_err err;
	char *line, *rest;

	peal_buf_init(&sums, PEAL_SUMS_SIZE);
	err = read_file(dir, "sums", &sums, reason);
	if (!err && !peal_buf_cstr(&sums))
		err = PEAL_ENOMEM;
	rest = err ? NULL : (char *)sums.data;
	while (!err && (line = strtok_r(rest, "\n", &rest)) != NULL)
		err = read_one(dir, line, out, reason);
	if (!err && out->n == 0)
		err = PEAL_EDAMAGED; /* cut off */
	peal_buf_fini(&sums);
	return err;
}

/* What lacks memory or permission is that; all else is damage. */
static enum peal_err read_generation(const struct peal_place *dir,
				     unsigned number, struct peal_set *out,
				     struct peal_reason *reason)
{
	char name[PEAL_NUMBER_SIZE];
	struct peal_place place;
	enum peal_err err;

	snprintf(name, sizeof(name), "%u", number);
	err = peal_keyring_enter(&place, dir, name, reason);
	if (!err)
		err = read_files(&place, out, reason);
	peal_keyring_leave(&place);
	out->number = number;
	if (!err || err == PEAL_ENOMEM || err == PEAL_EPERM)
		return err;
	peal_set_fini(out);
	return PEAL_EDAMAGED;
}

/* `sums` is written last: without it, it never came into force. */
static int is_finished(int dir, unsigned number)
{
	char name[PEAL_NUMBER_SIZE + sizeof("/sums")];
	struct stat st;

	snprintf(name, sizeof(name), "%u/sums", number);
	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_size > 0;
}

static int came_into_force(const struct peal_place *dir,
			   const struct peal_listing *l, unsigned number)
{
	return l->current ? number <= l->current : is_finished(dir->fd, number);
}

/* The newest one that came into force and is whole. A link that is lost names
 * none: then all that are finished count.
 *   tried   how many there were */
static enum peal_err read_first_whole(const struct peal_place *dir,
				      const struct peal_listing *l,
				      struct peal_set *out, unsigned *tried,
				      struct peal_reason *reason)
{
	enum peal_err err = PEAL_EDAMAGED;
	unsigned i;

	*tried = 0;
	for (i = 0; i < l->n && err == PEAL_EDAMAGED; i++) {
		if (!came_into_force(dir, l, l->numbers[i]))
			continue;
		peal_reason_clear(reason);
		err = read_generation(dir, l->numbers[i], out, reason);
		++*tried;
	}
	return err;
}

enum peal_err peal_keyring_newest(const struct peal_place *dir,
				  const char *name, struct peal_set *out,
				  struct peal_reason *reason)
{
	struct peal_listing l;
	unsigned tried;
	enum peal_err err = peal_keyring_list(dir, &l);

	if (err)
		return err;
	err = read_first_whole(dir, &l, out, &tried, reason);
	if (err == PEAL_EDAMAGED && tried == 0)
		return peal_fail(reason, PEAL_ENOENT, "the keyring has no %s",
				 name);
	if (err == PEAL_EDAMAGED)
		return peal_fail(reason, err,
				 "the keyring's %s is damaged and there is no "
				 "copy of it",
				 name);
	if (!err && (tried > 1 || (l.current && out->number != l.current)))
		peal_fail(reason, PEAL_OK,
			  "the keyring's %s is damaged; what was installed "
			  "before it, generation %u, is used",
			  name, out->number);
	return err;
}

enum peal_err peal_keyring_fetch(struct peal_keyring *k, const char *name,
				 struct peal_set *out,
				 struct peal_reason *reason)
{
	struct peal_place dir;
	enum peal_err err = open_set(k, name, &dir, reason);

	if (!err)
		err = peal_keyring_newest(&dir, name, out, reason);
	peal_keyring_leave(&dir);
	return err;
}
