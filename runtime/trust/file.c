/* file.c - see file.h */
#include "trust/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *last_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The superuser may have put it there for us. */
static enum peal_err check_own(const struct stat *st, const char *path,
			       unsigned flags, struct peal_reason *reason)
{
	const mode_t others = S_IRWXG | S_IRWXO;

	if (st->st_uid != geteuid() && st->st_uid != 0)
		return peal_fail(reason, PEAL_EPERM,
				 "%s belongs to another user", path);
	if ((flags & PEAL_FILE_SECRET) == PEAL_FILE_SECRET &&
	    (st->st_mode & others))
		return peal_fail(reason, PEAL_EPERM,
				 "%s can be read by others; type: "
				 "chmod 600 %s",
				 last_of(path), path);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return peal_fail(reason, PEAL_EPERM,
				 "%s can be written by others; "
				 "type: chmod 600 %s",
				 last_of(path), path);
	return PEAL_OK;
}

static enum peal_err check(int fd, const char *path, unsigned flags, size_t max,
			   struct peal_reason *reason)
{
	struct stat st;

	if (fstat(fd, &st))
		return PEAL_EIO;
	if (!S_ISREG(st.st_mode))
		return peal_fail(reason, PEAL_EINVAL, "%s is not a file", path);
	if (st.st_size > (off_t)max)
		return peal_fail(reason, PEAL_ETOOBIG,
				 "%s is larger than %zu bytes", path, max);
	return flags & PEAL_FILE_OWN ? check_own(&st, path, flags, reason) :
				       PEAL_OK;
}

static enum peal_err read_all(int fd, struct peal_buf *out)
{
	enum peal_err err;
	ssize_t n;

	for (;;) {
		if (out->len == out->cap) {
			err = peal_buf_reserve(out, 1);
			if (err == PEAL_ELIMIT)
				return PEAL_OK; /* it was checked: the end */
			if (err)
				return err;
		}
		n = read(fd, out->data + out->len, out->cap - out->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? PEAL_EIO : PEAL_OK;
		out->len += (size_t)n;
	}
}

enum peal_err peal_file_read_at(int dir, const char *name, const char *path,
				unsigned flags, struct peal_buf *out,
				struct peal_reason *reason)
{
	const int how = flags & PEAL_FILE_OWN ? O_NOFOLLOW : 0;
	enum peal_err err;
	int fd;

	/* O_NONBLOCK: a pipe under the name must not hang the open */
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | how);
	if (fd < 0 && errno == ELOOP && how)
		return peal_fail(
			reason, PEAL_EPERM,
			"%s is a symbolic link, which is not followed; "
			"put the file itself there, or name its own "
			"path",
			path);
	if (fd < 0)
		return peal_fail(reason, peal_err_errno(errno),
				 "%s cannot be opened: %s", path,
				 strerror(errno));
	err = check(fd, path, flags, out->max - out->len, reason);
	if (!err)
		err = read_all(fd, out);
	close(fd);
	return err;
}

enum peal_err peal_file_read(int dir, const char *name, unsigned flags,
			     struct peal_buf *out, struct peal_reason *reason)
{
	return peal_file_read_at(dir, name, name, flags, out, reason);
}
