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

enum peal_err peal_keyring_failed(struct peal_reason *reason, int e,
				  const char *what, const char *name)
{
	return peal_fail(reason, peal_err_errno(e), "keyring: %s %s: %s", what,
			 name, strerror(e));
}

/* --- folders --- */

static enum peal_err check_dir(int fd, const char *name,
			       struct peal_reason *reason)
{
	struct stat st;

	if (fstat(fd, &st))
		return peal_keyring_failed(reason, errno, "cannot look at",
					   name);
	if (st.st_uid != geteuid())
		return peal_fail(reason, PEAL_EPERM,
				 "the keyring's folder %s belongs to another "
				 "user",
				 name);
	if (st.st_mode & (S_IRWXG | S_IRWXO))
		return peal_fail(reason, PEAL_EPERM,
				 "the keyring's folder %s is open to others; "
				 "type: chmod 700 %s",
				 name, name);
	return PEAL_OK;
}

enum peal_err peal_keyring_dir(int dir, const char *name, int *out,
			       struct peal_reason *reason)
{
	enum peal_err err;

	*out = openat(dir, name,
		      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*out < 0 && errno == ENOENT)
		return PEAL_ENOENT;
	if (*out < 0 && (errno == ELOOP || errno == ENOTDIR))
		return peal_fail(reason, PEAL_EPERM,
				 "the keyring's %s is not a folder", name);
	if (*out < 0)
		return peal_keyring_failed(reason, errno, "cannot open", name);
	err = check_dir(*out, name, reason);
	if (err) {
		close(*out);
		*out = -1;
	}
	return err;
}

void peal_keyring_close_dir(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* The folder of the keyring and in it the one of the set. */
static enum peal_err open_set(struct peal_keyring *k, const char *name,
			      int *out, struct peal_reason *reason)
{
	int folder;
	enum peal_err err =
		peal_keyring_dir(AT_FDCWD, k->path, &folder, reason);

	*out = -1;
	if (!err)
		err = peal_keyring_dir(folder, name, out, reason);
	peal_keyring_close_dir(folder);
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

enum peal_err peal_keyring_list(int dir, struct peal_listing *l)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	memset(l, 0, sizeof(*l));
	if (!d) {
		peal_keyring_close_dir(fd);
		return PEAL_EIO;
	}
	while ((e = readdir(d)) != NULL)
		list_add(l, number_of(e->d_name));
	closedir(d);
	l->current = read_link(dir);
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

/* line: "sum  name" */
static enum peal_err read_one(int dir, char *line, struct peal_set *out,
			      struct peal_reason *reason)
{
	char hex[PEAL_SUM_SIZE + 1];
	const char *name = line + PEAL_SUM_SIZE + 2;
	struct peal_buf *text;
	enum peal_err err;

	if (strlen(line) < PEAL_SUM_SIZE + 3 || !peal_keyring_is_name(name))
		return PEAL_EDAMAGED;
	err = peal_set_add(out, name, &text);
	if (!err)
		err = peal_file_read(dir, name, PEAL_FILE_SECRET, text, reason);
	if (!err)
		err = peal_keyring_sum(text, hex);
	if (!err && memcmp(hex, line, PEAL_SUM_SIZE) != 0)
		err = PEAL_EDAMAGED;
	return err;
}

static enum peal_err read_files(int dir, struct peal_set *out,
				struct peal_reason *reason)
{
	struct peal_buf sums;
	enum peal_err err;
	char *line, *rest;

	peal_buf_init(&sums, PEAL_SUMS_SIZE);
	err = peal_file_read(dir, "sums", PEAL_FILE_SECRET, &sums, reason);
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
static enum peal_err read_generation(int dir, unsigned number,
				     struct peal_set *out,
				     struct peal_reason *reason)
{
	char name[PEAL_NUMBER_SIZE];
	enum peal_err err;
	int fd;

	snprintf(name, sizeof(name), "%u", number);
	err = peal_keyring_dir(dir, name, &fd, reason);
	if (!err)
		err = read_files(fd, out, reason);
	peal_keyring_close_dir(fd);
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

static int came_into_force(int dir, const struct peal_listing *l,
			   unsigned number)
{
	return l->current ? number <= l->current : is_finished(dir, number);
}

/* The newest one that came into force and is whole. A link that is lost names
 * none: then all that are finished count.
 *   tried   how many there were */
static enum peal_err read_first_whole(int dir, const struct peal_listing *l,
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

enum peal_err peal_keyring_newest(int dir, const char *name,
				  struct peal_set *out,
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
	int dir;
	enum peal_err err = open_set(k, name, &dir, reason);

	if (!err)
		err = peal_keyring_newest(dir, name, out, reason);
	peal_keyring_close_dir(dir);
	return err;
}
