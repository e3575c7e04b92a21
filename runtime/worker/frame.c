/* frame.c - the worker's side of the frames of peal/worker.h */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "peal/buf.h"
#include "peal/limits.h"
#include "peal/worker.h"

enum { SMALL = 16 << 10 }; /* sent in one piece, for one wake-up */

/* PEAL_ENOENT when there was nothing at all. */
static enum peal_err read_all(void *to, size_t len)
{
	unsigned char *at = to;
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = read(STDIN_FILENO, at + done, len - done);
		if (n > 0)
			done += (size_t)n;
		else if (n == 0)
			return done ? PEAL_EIO : PEAL_ENOENT;
		else if (errno != EINTR)
			return PEAL_EIO;
	}
	return PEAL_OK;
}

enum peal_err peal_frame_read(struct peal_buf *out)
{
	uint32_t len;
	enum peal_err err = read_all(&len, sizeof(len));

	if (!err && len > PEAL_LIMIT_WORKER_FRAME)
		err = PEAL_ELIMIT;
	if (!err)
		err = peal_buf_reserve(out, len);
	if (err || len == 0)
		return err;
	err = read_all(out->data + out->len, len);
	if (err)
		return PEAL_EIO;
	out->len += len;
	return PEAL_OK;
}

static enum peal_err write_all(const void *bytes, size_t len)
{
	const unsigned char *at = bytes;
	ssize_t n;

	while (len) {
		n = write(STDOUT_FILENO, at, len);
		if (n < 0 && errno != EINTR)
			return PEAL_EIO;
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		}
	}
	return PEAL_OK;
}

enum peal_err peal_frame_write(const void *bytes, size_t len)
{
	uint32_t size = (uint32_t)len;
	unsigned char small[sizeof(size) + SMALL];
	enum peal_err err;

	if (len > PEAL_LIMIT_WORKER_FRAME)
		return PEAL_ELIMIT;
	if (len <= SMALL) {
		memcpy(small, &size, sizeof(size));
		if (len)
			memcpy(small + sizeof(size), bytes, len);
		return write_all(small, sizeof(size) + len);
	}
	err = write_all(&size, sizeof(size));
	return err ? err : write_all(bytes, len);
}
