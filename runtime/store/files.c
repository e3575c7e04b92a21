/* files.c - the real file operations, and loops round them. See folder.h */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "store/folder.h"

static int result(int n)
{
	return n < 0 ? -errno : n;
}

static int real_create(void *arg, int dir, const char *name, int mode)
{
	(void)arg;
	return result(openat(
		dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		mode));
}

/* O_NONBLOCK: a pipe planted under the name must not hang the open. */
static int real_open(void *arg, int dir, const char *name)
{
	(void)arg;
	return result(openat(dir, name,
			     O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
}

static ssize_t real_write(void *arg, int fd, const void *p, size_t n)
{
	ssize_t done = write(fd, p, n);

	(void)arg;
	return done < 0 ? -errno : done;
}

static ssize_t real_read(void *arg, int fd, void *p, size_t n)
{
	ssize_t done = read(fd, p, n);

	(void)arg;
	return done < 0 ? -errno : done;
}

static int real_sync(void *arg, int fd)
{
	(void)arg;
	return result(fsync(fd));
}

static int real_close(void *arg, int fd)
{
	(void)arg;
	return result(close(fd));
}

static int real_rename(void *arg, int dir, const char *from, const char *to)
{
	(void)arg;
	return result(renameat(dir, from, dir, to));
}

static int real_unlink(void *arg, int dir, const char *name)
{
	(void)arg;
	return result(unlinkat(dir, name, 0));
}

void peal_file_ops_fill(struct peal_file_ops *out,
			const struct peal_file_ops *in)
{
	static const struct peal_file_ops none;
	const struct peal_file_ops *o = in ? in : &none;

	out->create = o->create ? o->create : real_create;
	out->open = o->open ? o->open : real_open;
	out->write = o->write ? o->write : real_write;
	out->read = o->read ? o->read : real_read;
	out->sync = o->sync ? o->sync : real_sync;
	out->close = o->close ? o->close : real_close;
	out->rename = o->rename ? o->rename : real_rename;
	out->unlink = o->unlink ? o->unlink : real_unlink;
	out->arg = o->arg;
}

int peal_write_all(const struct peal_file_ops *ops, int fd, const void *bytes,
		   size_t len)
{
	const unsigned char *p = bytes;
	ssize_t n;

	while (len) {
		n = ops->write(ops->arg, fd, p, len);
		if (n == -EINTR)
			continue;
		if (n <= 0)
			return n ? (int)n : -EIO;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* An error is final: after it the kernel may have dropped the pages, and a
 * second sync would report success for bytes that are gone. */
int peal_sync(const struct peal_file_ops *ops, int fd)
{
	int n;

	do
		n = ops->sync(ops->arg, fd);
	while (n == -EINTR);
	return n;
}

/* Linux closes the descriptor even when it says EINTR. */
int peal_close(const struct peal_file_ops *ops, int fd)
{
	int n = ops->close(ops->arg, fd);

	return n == -EINTR ? 0 : n;
}

int peal_read_all(const struct peal_file_ops *ops, int fd, size_t most,
		  struct peal_buf *out)
{
	size_t room;
	ssize_t n;

	while (most) {
		if (out->len == out->cap && peal_buf_reserve(out, 4096))
			return -ENOMEM;
		room = out->cap - out->len;
		n = ops->read(ops->arg, fd, out->data + out->len,
			      room < most ? room : most);
		if (n == -EINTR)
			continue;
		if (n <= 0)
			return (int)n;
		out->len += (size_t)n;
		most -= (size_t)n;
	}
	return 0;
}
