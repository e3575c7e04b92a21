/* local.c - see local.h */
#include "local.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "loop.h"

/* An address, and the folder that it goes through; -1: none */
struct place {
	struct sockaddr_un sa;
	int folder;
};

static enum peal_err fail(struct peal_reason *reason, const char *path,
			  int number)
{
	return peal_fail(reason, peal_err_uv(-number), "%.150s: %s", path,
			 strerror(number));
}

/* An address holds 107 bytes of path. Longer ones go through a descriptor of
 * the folder, which only needs /proc. */
static enum peal_err through_folder(struct place *at, const char *path,
				    struct peal_reason *reason)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];
	size_t n = slash ? (size_t)(slash - path) : 0;

	if (n == 0 || n >= sizeof(folder))
		return peal_fail(reason, PEAL_ELIMIT,
				 "the name of the socket is too long");
	memcpy(folder, path, n);
	folder[n] = '\0';
	at->folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (at->folder < 0)
		return fail(reason, path, errno);
	n = (size_t)snprintf(at->sa.sun_path, sizeof(at->sa.sun_path),
			     "/proc/self/fd/%d/%s", at->folder, slash + 1);
	if (n >= sizeof(at->sa.sun_path))
		return peal_fail(reason, PEAL_ELIMIT,
				 "the name of the socket is too long");
	return PEAL_OK;
}

static enum peal_err place_open(struct place *at, const char *path,
				struct peal_reason *reason)
{
	size_t n = strlen(path);

	memset(at, 0, sizeof(*at));
	at->folder = -1;
	at->sa.sun_family = AF_UNIX;
	if (n == 0)
		return peal_fail(reason, PEAL_EINVAL, "the socket has no name");
	if (n >= sizeof(at->sa.sun_path))
		return through_folder(at, path, reason);
	memcpy(at->sa.sun_path, path, n);
	return PEAL_OK;
}

static void place_close(struct place *at)
{
	if (at->folder >= 0)
		close(at->folder);
}

/* The caller owns the folder: a socket there belongs to a process that is
 * gone. Anything else is somebody's file. */
static enum peal_err make_room(const struct place *at, const char *path,
			       struct peal_reason *reason)
{
	struct stat st;

	if (lstat(at->sa.sun_path, &st))
		return errno == ENOENT ? PEAL_OK : fail(reason, path, errno);
	if (!S_ISSOCK(st.st_mode))
		return peal_fail(reason, PEAL_EEXIST,
				 "%.150s is there already and is no socket",
				 path);
	if (unlink(at->sa.sun_path))
		return fail(reason, path, errno);
	return PEAL_OK;
}

static int open_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* The mode is set between bind() and listen(): until then nobody can connect,
 * so that it does not matter what the umask left open. The umask itself is the
 * process's, and other threads' business, too. */
static int bind_and_listen(int fd, const struct place *at)
{
	if (bind(fd, (const struct sockaddr *)&at->sa, sizeof(at->sa)))
		return errno;
	if (chmod(at->sa.sun_path, 0600) || listen(fd, SOMAXCONN)) {
		int number = errno;

		unlink(at->sa.sun_path);
		return number;
	}
	return 0;
}

enum peal_err peal_local_listen(int *out, const char *path,
				struct peal_reason *reason)
{
	struct place at;
	enum peal_err err = place_open(&at, path, reason);
	int fd = -1, number;

	if (!err)
		err = make_room(&at, path, reason);
	if (err)
		goto out;
	fd = open_socket();
	number = fd < 0 ? errno : bind_and_listen(fd, &at);
	if (number)
		err = fail(reason, path, number);
	if (number && fd >= 0)
		close(fd);
	if (!err)
		*out = fd;
out:
	place_close(&at);
	return err;
}

static enum peal_err refused(struct peal_reason *reason, const char *path,
			     int number)
{
	switch (number) {
	case ENOENT:
	case ENOTDIR:
	case ECONNREFUSED:
		return peal_fail(reason, PEAL_ENOENT,
				 "nobody listens at %.150s", path);
	case EAGAIN:
		return peal_fail(reason, PEAL_ELIMIT,
				 "too many wait for %.150s; try again later",
				 path);
	default:
		return fail(reason, path, number);
	}
}

static enum peal_err connect_to(int fd, const struct place *at,
				const char *path, struct peal_reason *reason)
{
	if (connect(fd, (const struct sockaddr *)&at->sa, sizeof(at->sa)))
		return refused(reason, path, errno);
	/* the administrator may talk to anybody's */
	if (geteuid() != 0 && !peal_local_trusted(fd))
		return peal_fail(reason, PEAL_EPERM,
				 "another user listens at %.150s", path);
	return PEAL_OK;
}

enum peal_err peal_local_connect(int *out, const char *path,
				 struct peal_reason *reason)
{
	struct place at;
	enum peal_err err = place_open(&at, path, reason);
	int fd = -1;

	if (err == PEAL_ENOENT) /* not even the folder */
		err = refused(reason, path, ENOENT);
	if (err)
		goto out;
	fd = open_socket();
	if (fd < 0)
		err = fail(reason, path, errno);
	else
		err = connect_to(fd, &at, path, reason);
	if (err && fd >= 0)
		close(fd);
	if (!err)
		*out = fd;
out:
	place_close(&at);
	return err;
}

int peal_local_trusted(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return 0;
	return peer.uid == geteuid() || peer.uid == 0;
}
