/* process.c - see process.h
 *
 * The end of a process is seen through a descriptor of it (pidfd): no handler
 * of SIGCHLD that would belong to the whole program, no signal to a number
 * that has become another's, no waiting for what takes its time to die.
 * Kernels before 5.3 have none: there a process is seen to end when it closes
 * its socket, and is killed and waited for on the spot. */
#include "worker/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "net/loop.h"
#include "peal/alloc.h"

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

#ifdef __GLIBC__
#if __GLIBC_PREREQ(2, 34)
#define CAN_CLOSE_FROM
#endif
#endif

enum { CLEAR_OF_STDIO = 10 };

struct peal_process {
	uv_poll_t talk; /* of fd */
	uv_poll_t end;  /* of pidfd, where there is one */
	struct peal_loop *l;
	struct peal_guest guest;                  /* once nobody holds it */
	const struct peal_process_events *events; /* NULL: nobody does */
	void *arg;
	pid_t pid; /* 0: reaped */
	int fd, pidfd;
	int handles; /* not closed yet */
};

int peal_process_fd(const struct peal_process *p)
{
	return p->fd;
}

pid_t peal_process_pid(const struct peal_process *p)
{
	return p->pid;
}

/* --- spawning --- */

static int spawn_actions(posix_spawn_file_actions_t *a, int sock, int fd)
{
	int rc;

	rc = posix_spawn_file_actions_adddup2(a, sock, STDIN_FILENO);
	if (!rc)
		rc = posix_spawn_file_actions_adddup2(a, sock, STDOUT_FILENO);
	if (!rc)
		rc = posix_spawn_file_actions_addopen(a, STDERR_FILENO,
						      "/dev/null", O_WRONLY, 0);
	if (!rc && fd >= 0)
		rc = posix_spawn_file_actions_adddup2(a, fd, 3);
#ifdef CAN_CLOSE_FROM
	/* some libraries open without close-on-exec */
	if (!rc)
		rc = posix_spawn_file_actions_addclosefrom_np(a,
							      fd >= 0 ? 4 : 3);
#endif
	return rc;
}

static int spawn_attributes(posix_spawnattr_t *a)
{
	short flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
	sigset_t set;
	int rc;

#ifdef POSIX_SPAWN_SETSID
	flags |= POSIX_SPAWN_SETSID; /* no terminal, and no signals from it */
#endif
	sigemptyset(&set);
	rc = posix_spawnattr_setsigmask(a, &set);
	sigfillset(&set);
	if (!rc)
		rc = posix_spawnattr_setsigdefault(a, &set);
	return rc ? rc : posix_spawnattr_setflags(a, flags);
}

/* Descriptors above those of the process, so that none is overwritten before
 * it is put in its place. 0 or an errno. */
static int spawn(pid_t *pid, const struct peal_worker_options *o, int sock,
		 int fd)
{
	char *const environment[] = { NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int rc;

	rc = posix_spawn_file_actions_init(&actions);
	if (rc)
		return rc;
	rc = posix_spawnattr_init(&attributes);
	if (rc)
		goto out;
	rc = spawn_actions(&actions, sock, fd);
	if (!rc)
		rc = spawn_attributes(&attributes);
	if (!rc)
		rc = posix_spawn(pid, o->program, &actions, &attributes,
				 (char *const *)(uintptr_t)o->argv,
				 environment);
	posix_spawnattr_destroy(&attributes);
out:
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int raised(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, CLEAR_OF_STDIO);
}

/* 0 or an errno. */
static int start_at(struct peal_process *p, const struct peal_worker_options *o)
{
	int pair[2] = { -1, -1 }, sock = -1, fd = -1, rc = 0;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return errno;
	sock = raised(pair[1]);
	if (sock >= 0 && o->fd >= 0)
		fd = raised(o->fd);
	if (sock < 0 || (o->fd >= 0 && fd < 0))
		rc = errno;
	if (!rc)
		rc = spawn(&p->pid, o, sock, fd);
	close_fd(&pair[1]);
	close_fd(&sock);
	close_fd(&fd);
	if (rc) {
		p->pid = 0;
		close_fd(&pair[0]);
	}
	p->fd = pair[0];
	return rc;
}

/* --- its end --- */

static void send_kill(const struct peal_process *p)
{
	if (p->pidfd >= 0)
		syscall(SYS_pidfd_send_signal, p->pidfd, SIGKILL, NULL, 0);
	else if (p->pid)
		kill(p->pid, SIGKILL);
}

/* 1 when it is over. Somebody who ignores SIGCHLD leaves no status. */
static int reap(struct peal_process *p, int flags, int *status)
{
	pid_t pid;

	*status = -1;
	if (!p->pid)
		return 1;
	do
		pid = waitpid(p->pid, status, flags);
	while (pid < 0 && errno == EINTR);
	if (pid == 0)
		return 0;
	if (pid < 0)
		*status = -1;
	p->pid = 0;
	return 1;
}

static void on_closed(uv_handle_t *handle)
{
	struct peal_process *p = handle->data;

	if (--p->handles)
		return;
	close_fd(&p->fd);
	close_fd(&p->pidfd);
	peal_free(p);
}

static void close_handles(struct peal_process *p)
{
	peal_loop_leave(&p->guest);
	if (!uv_is_closing((uv_handle_t *)&p->talk))
		uv_close((uv_handle_t *)&p->talk, on_closed);
	if (p->pidfd >= 0 && !uv_is_closing((uv_handle_t *)&p->end))
		uv_close((uv_handle_t *)&p->end, on_closed);
}

static void over(struct peal_process *p, int status)
{
	const struct peal_process_events *events = p->events;

	p->events = NULL;
	if (events)
		events->ended(status, p->arg);
	close_handles(p);
}

static void on_end(uv_poll_t *handle, int rc, int flags)
{
	struct peal_process *p = handle->data;
	int status;

	(void)rc;
	(void)flags;
	if (reap(p, WNOHANG, &status))
		over(p, status);
}

static void on_ready(uv_poll_t *handle, int rc, int flags)
{
	struct peal_process *p = handle->data;

	if (p->events)
		p->events->ready(rc < 0 ? UV_READABLE : flags, p->arg);
}

void peal_process_watch(struct peal_process *p, int room, int waiting)
{
	uv_handle_t *talk = (uv_handle_t *)&p->talk;

	uv_poll_start(&p->talk, UV_READABLE | (room ? UV_WRITABLE : 0),
		      on_ready);
	if (waiting)
		uv_ref(talk);
	else
		uv_unref(talk);
}

void peal_process_hangup(struct peal_process *p)
{
	int status;

	send_kill(p);
	uv_poll_stop(&p->talk);
	if (p->pidfd >= 0) {
		uv_ref((uv_handle_t *)&p->end);
	} else {
		reap(p, 0, &status);
		over(p, status);
	}
}

static void drop_guest(struct peal_guest *g)
{
	peal_process_drop(
		(struct peal_process *)(void *)((char *)g -
						offsetof(struct peal_process,
							 guest)));
}

void peal_process_kill(struct peal_process *p)
{
	if (!p)
		return;
	p->events = NULL;
	peal_process_hangup(p);
	if (p->pid)
		peal_loop_join(p->l, &p->guest);
}

void peal_process_drop(struct peal_process *p)
{
	int status;

	if (!p)
		return;
	p->events = NULL;
	send_kill(p);
	reap(p, 0, &status);
	close_handles(p);
}

/* --- starting --- */

static int watch(struct peal_process *p)
{
	struct uv_loop_s *uv = peal_loop_uv(p->l);
	int rc = uv_poll_init(uv, &p->talk, p->fd);

	if (rc)
		return -rc;
	p->talk.data = p;
	p->handles = 1;
	if (p->pidfd >= 0 && uv_poll_init(uv, &p->end, p->pidfd))
		close_fd(&p->pidfd);
	if (p->pidfd >= 0) {
		p->end.data = p;
		p->handles = 2;
		uv_poll_start(&p->end, UV_READABLE, on_end);
		uv_unref((uv_handle_t *)&p->end);
	}
	peal_process_watch(p, 0, 0);
	return 0;
}

/* What never came to be watched. */
static void discard(struct peal_process *p)
{
	int status;

	send_kill(p);
	reap(p, 0, &status);
	close_fd(&p->fd);
	close_fd(&p->pidfd);
	peal_free(p);
}

static enum peal_err failed(const struct peal_worker_options *o, int errnum,
			    struct peal_reason *reason)
{
	enum peal_err err = PEAL_EIO;

	if (errnum == EMFILE || errnum == ENFILE)
		err = PEAL_ELIMIT;
	if (errnum == ENOMEM)
		err = PEAL_ENOMEM;
	return peal_fail(reason, err, "the worker %.150s cannot be started: %s",
			 o->program, strerror(errnum));
}

enum peal_err peal_process_start(struct peal_process **out, struct peal_loop *l,
				 const struct peal_worker_options *options,
				 const struct peal_process_events *events,
				 void *arg, struct peal_reason *reason)
{
	struct peal_process *p = peal_zalloc(sizeof(*p));
	int rc;

	if (!p)
		return PEAL_ENOMEM;
	p->l = l;
	p->events = events;
	p->arg = arg;
	p->fd = p->pidfd = -1;
	p->guest.drop = drop_guest;
	rc = start_at(p, options);
	if (!rc) {
		p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
		rc = watch(p);
	}
	if (rc) {
		discard(p);
		return failed(options, rc, reason);
	}
	*out = p;
	return PEAL_OK;
}
