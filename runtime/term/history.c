/* history.c - see history.h */
#include "history.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peal/buf.h"
#include "peal/limits.h"

static enum peal_err failed(struct peal_reason *reason, const char *path)
{
	int errnum = errno;

	return peal_fail(reason, peal_err_errno(errnum),
			 "cannot keep the history in %.150s: %s", path,
			 strerror(errnum));
}

/* Never through a link, and never something else than a file. */
static int open_file(const char *path, int flags)
{
	int fd = open(path, flags | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0600);
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (!(st.st_mode & 077) || fchmod(fd, 0600) == 0))
		return fd;
	if (S_ISREG(st.st_mode) == 0)
		errno = EINVAL;
	close(fd);
	return -1;
}

/* The end of the file is the newest: what lies before the cap is forgotten. */
static enum peal_err read_end(int fd, struct peal_buf *out)
{
	off_t size = lseek(fd, 0, SEEK_END);
	enum peal_err err;
	ssize_t n;

	if (size < 0)
		return PEAL_EIO;
	if (size > PEAL_LIMIT_HISTORY)
		lseek(fd, size - PEAL_LIMIT_HISTORY, SEEK_SET);
	else
		lseek(fd, 0, SEEK_SET);
	err = peal_buf_reserve(out, PEAL_LIMIT_HISTORY);
	while (!err && out->len < PEAL_LIMIT_HISTORY) {
		n = read(fd, out->data + out->len,
			 PEAL_LIMIT_HISTORY - out->len);
		if (n < 0 && errno != EINTR)
			return PEAL_EIO;
		if (n == 0)
			break;
		out->len += n > 0 ? (size_t)n : 0;
	}
	return err;
}

/* Where the last `max` lines begin; a cut first line is left out. */
static size_t newest(const struct peal_buf *b, unsigned max)
{
	size_t at = b->len, n = 0;

	while (at > 0) {
		if (b->data[at - 1] == '\n' && n++ == max)
			break;
		at--;
	}
	if (at == 0 && b->len == PEAL_LIMIT_HISTORY)
		while (at < b->len && b->data[at++] != '\n')
			;
	return at;
}

/* In place; the new length. */
static size_t unescape(char *line, size_t len)
{
	size_t i, n = 0;

	for (i = 0; i < len; i++) {
		if (line[i] != '\\' || i + 1 == len) {
			line[n++] = line[i];
			continue;
		}
		i++;
		line[n++] = line[i] == 'n' ? '\n' : line[i];
	}
	return n;
}

static void tell(struct peal_buf *b, size_t from, peal_history_fn fn, void *arg)
{
	char *p = (char *)b->data + from, *end = (char *)b->data + b->len;
	char *stop;

	for (; p < end; p = stop + 1) {
		stop = memchr(p, '\n', (size_t)(end - p));
		if (!stop)
			break;
		if (stop > p)
			fn(p, unescape(p, (size_t)(stop - p)), arg);
	}
}

static enum peal_err write_all(int fd, const unsigned char *p, size_t len)
{
	ssize_t n;

	while (len) {
		n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return PEAL_EIO;
		p += n;
		len -= (size_t)n;
	}
	return PEAL_OK;
}

/* Only what stays, by rename. A line that another session appends meanwhile is
 * lost: not worth a lock. */
static void cut_back(const char *path, const struct peal_buf *b, size_t from)
{
	char temp[4096];
	int fd, n = snprintf(temp, sizeof(temp), "%s.tmp", path);

	if (n < 0 || (size_t)n >= sizeof(temp))
		return;
	unlink(temp);
	fd = open_file(temp, O_WRONLY | O_CREAT | O_EXCL);
	if (fd < 0)
		return;
	if (write_all(fd, b->data + from, b->len - from) ||
	    rename(temp, path) < 0)
		unlink(temp);
	close(fd);
}

enum peal_err peal_history_load(const char *path, unsigned max,
				peal_history_fn fn, void *arg,
				struct peal_reason *reason)
{
	struct peal_buf b;
	enum peal_err err;
	size_t from;
	int fd = open_file(path, O_RDONLY);

	if (fd < 0)
		return errno == ENOENT ? PEAL_OK : failed(reason, path);
	peal_buf_init(&b, PEAL_LIMIT_HISTORY);
	err = read_end(fd, &b);
	if (err == PEAL_EIO)
		err = failed(reason, path);
	if (!err && b.len) {
		from = newest(&b, max);
		if (from)
			cut_back(path, &b, from);
		tell(&b, from, fn, arg);
	}
	peal_buf_fini_secret(&b);
	close(fd);
	return err;
}

enum peal_err peal_history_append(const char *path, const char *line,
				  size_t len, struct peal_reason *reason)
{
	enum peal_err err = PEAL_OK;
	struct peal_buf b;
	size_t i;
	int fd;

	peal_buf_init(&b, 2 * len + 1);
	for (i = 0; i < len && !err; i++) {
		if (line[i] == '\n')
			err = peal_buf_add(&b, "\\n", 2);
		else if (line[i] == '\\')
			err = peal_buf_add(&b, "\\\\", 2);
		else
			err = peal_buf_add(&b, &line[i], 1);
	}
	if (!err)
		err = peal_buf_add(&b, "\n", 1);
	if (err)
		goto out;
	fd = open_file(path, O_WRONLY | O_APPEND | O_CREAT);
	if (fd < 0 || write_all(fd, b.data, b.len))
		err = failed(reason, path);
	if (fd >= 0)
		close(fd);
out:
	peal_buf_fini_secret(&b);
	return err;
}
