/* control.c - see peal/control.h. Where the sockets come from is local.c's
 * matter.
 *
 * Handles of our own on plain sockets, not libuv's pipes: those cut long paths
 * off, and call back for ever where no descriptor is left to accept with. */
#include "peal/control.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "local.h"
#include "loop.h"
#include "peal/alloc.h"
#include "peal/buf.h"
#include "peal/limits.h"

enum {
	CHUNK = 16 << 10,
	READS = 16, /* chunks a turn: others wait, too */
	ACCEPTS = 16,
	PAUSE_MS = 200, /* out of descriptors or memory */
	LINGER_MS = 2000
};

/*   turn     a failed send ends the connection at the next turn
 *   err      that failure
 *   server   NULL: we connected, or it is gone
 *   linger   closed by us while bytes wait; both callbacks are NULL
 *   watched  events that libuv watches for
 *   deaf     it does not read any more
 *   in       the beginning of a line, searched for its end so far
 *   out      bytes that wait, behind `sent` that do not any more */
struct peal_control_peer {
	struct peal_guest guest;
	struct peal_deferred turn;
	struct peal_loop *loop;
	struct peal_control_server *server;
	struct peal_control_peer *next, **at;
	uv_poll_t poll;
	int fd; /* -1: closed, freed with its handle */
	int watched, deaf;
	enum peal_err err;
	struct peal_timer *linger;
	struct peal_buf in, out;
	size_t searched, sent;
	peal_control_line_fn line;
	peal_control_over_fn over;
	void *arg;
};

/*   pause   until descriptors may be free again
 *   file    of the socket as we made it */
struct peal_control_server {
	struct peal_guest guest;
	struct peal_loop *loop;
	struct peal_control_peer *first;
	unsigned peers;
	uv_poll_t poll;
	uv_timer_t pause;
	int open; /* handles */
	int fd;
	char *path;
	struct stat file;
	peal_control_peer_fn fn;
	void *arg;
};

/* --- a peer's end ------------------------------------------------------- */

static void peer_closed(uv_handle_t *handle)
{
	struct peal_control_peer *p = handle->data;

	peal_buf_fini_secret(&p->in);
	peal_buf_fini_secret(&p->out);
	peal_free(p);
}

static void unlist(struct peal_control_peer *p)
{
	if (!p->server)
		return;
	*p->at = p->next;
	if (p->next)
		p->next->at = p->at;
	p->server->peers--;
	p->server = NULL;
}

static void shut(struct peal_control_peer *p)
{
	peal_loop_leave(&p->guest);
	unlist(p);
	peal_timer_cancel(p->linger);
	p->linger = NULL;
	p->line = NULL;
	uv_close((uv_handle_t *)&p->poll, peer_closed);
	close(p->fd);
	p->fd = -1;
}

static void end(struct peal_control_peer *p, enum peal_err err)
{
	peal_control_over_fn over = p->over;

	shut(p);
	if (over)
		over(err, p->arg);
}

static void on_turn(struct peal_deferred *turn, int dropped)
{
	struct peal_control_peer *p =
		(void *)((char *)turn -
			 offsetof(struct peal_control_peer, turn));

	if (!dropped && p->fd >= 0)
		end(p, p->err);
}

static void peer_drop(struct peal_guest *guest)
{
	shut((void *)((char *)guest -
		      offsetof(struct peal_control_peer, guest)));
}

static enum peal_err doom(struct peal_control_peer *p, enum peal_err err)
{
	p->err = err;
	peal_loop_defer(p->loop, &p->turn);
	return err;
}

/* --- a peer's bytes ----------------------------------------------------- */

static size_t waiting(const struct peal_control_peer *p)
{
	return p->out.len - p->sent;
}

static void on_event(uv_poll_t *poll, int status, int events);

static void watch(struct peal_control_peer *p)
{
	int events = (p->line ? UV_READABLE : 0) |
		     (waiting(p) ? UV_WRITABLE : 0);

	if (events != p->watched)
		uv_poll_start(&p->poll, events, on_event);
	p->watched = events;
}

/* An idle peer costs no buffer. */
static void out_over(struct peal_control_peer *p)
{
	peal_buf_fini_secret(&p->out);
	p->sent = 0;
}

static void flush(struct peal_control_peer *p)
{
	ssize_t n;

	while (waiting(p) && !p->deaf) {
		n = send(p->fd, p->out.data + p->sent, waiting(p),
			 MSG_NOSIGNAL);
		if (n > 0)
			p->sent += (size_t)n;
		else if (errno == EAGAIN)
			break;
		else if (errno != EINTR)
			p->deaf = 1; /* what it has said before still counts */
	}
	if (!waiting(p) || p->deaf)
		out_over(p);
	watch(p);
}

/* What was sent makes room, but not at each call: many small lines to a slow
 * reader would move the queue again and again. */
static void make_room(struct peal_control_peer *p)
{
	struct peal_buf *b = &p->out;

	if (p->sent < b->len - p->sent)
		return;
	memmove(b->data, b->data + p->sent, waiting(p));
	b->len -= p->sent;
	p->sent = 0;
}

enum peal_err peal_control_send(struct peal_control_peer *p, const char *line,
				size_t len)
{
	enum peal_err err;

	if (len > PEAL_LIMIT_CONTROL_LINE || (len && memchr(line, '\n', len)))
		return PEAL_EINVAL;
	if (p->err || p->deaf)
		return p->err; /* over() follows */
	if (waiting(p) + len + 1 > PEAL_LIMIT_CONTROL_QUEUE)
		flush(p); /* it may have read since */
	if (waiting(p) + len + 1 > PEAL_LIMIT_CONTROL_QUEUE)
		return doom(p, PEAL_ELIMIT);
	if (p->sent)
		make_room(p);
	err = peal_buf_reserve(&p->out, len + 1);
	if (err)
		return doom(p, err);
	peal_buf_add(&p->out, line, len);
	peal_buf_add(&p->out, "\n", 1);
	flush(p);
	return PEAL_OK;
}

static enum peal_err too_long(size_t len)
{
	return len > PEAL_LIMIT_CONTROL_LINE ? PEAL_ELIMIT : PEAL_OK;
}

/* Hands out the lines that are complete. A callback may close the peer, whose
 * memory stays until the loop turns. */
static enum peal_err take_lines(struct peal_control_peer *p)
{
	struct peal_buf *b = &p->in;
	const unsigned char *end;
	size_t begin = 0, len;

	while (p->line && !p->err) {
		end = memchr(b->data + p->searched, '\n', b->len - p->searched);
		if (!end)
			break;
		len = (size_t)(end - b->data) - begin;
		if (too_long(len))
			return PEAL_ELIMIT;
		p->searched = begin + len + 1;
		p->line((const char *)b->data + begin, len, p->arg);
		begin = p->searched;
	}
	if (begin == b->len) {
		peal_buf_fini_secret(b);
	} else {
		memmove(b->data, b->data + begin, b->len - begin);
		b->len -= begin;
	}
	p->searched = b->len;
	return too_long(b->len);
}

/* 0: nothing more to read for now */
static int read_chunk(struct peal_control_peer *p)
{
	enum peal_err err = peal_buf_reserve(&p->in, CHUNK);
	ssize_t n;

	if (err) {
		end(p, err);
		return 0;
	}
	n = recv(p->fd, p->in.data + p->in.len, CHUNK, 0);
	if (n > 0) {
		p->in.len += (size_t)n;
		err = take_lines(p);
		if (err && p->line && !p->err)
			end(p, err);
		return n == CHUNK; /* else there was no more */
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		if (p->in.len == 0)
			peal_buf_fini(&p->in);
		return 0;
	}
	/* it closed without having read everything: closed, all the same */
	end(p, n == 0 || errno == ECONNRESET ? PEAL_OK : PEAL_EIO);
	return 0;
}

static void on_event(uv_poll_t *poll, int status, int events)
{
	struct peal_control_peer *p = poll->data;
	int i;

	if (p->err)
		return;
	/* libuv stops watching a socket that has an error, and maybe data */
	if (status < 0)
		p->watched = 0;
	if (status < 0 || events & UV_WRITABLE)
		flush(p);
	if (p->linger && !waiting(p)) {
		shut(p);
		return;
	}
	for (i = 0; i < READS && p->line && !p->err; i++)
		if (!read_chunk(p))
			break;
	if (p->fd >= 0 && !p->err)
		watch(p);
}

/* --- a peer's beginning ------------------------------------------------- */

/* The descriptor is the peer's on success only. */
static enum peal_err peer_new(struct peal_control_peer **out,
			      struct peal_loop *l, int fd)
{
	struct peal_control_peer *p = peal_zalloc(sizeof(*p));
	int rc;

	if (!p)
		return PEAL_ENOMEM;
	rc = uv_poll_init(peal_loop_uv(l), &p->poll, fd);
	if (rc) {
		peal_free(p);
		return peal_err_uv(rc);
	}
	p->poll.data = p;
	p->fd = fd;
	p->loop = l;
	p->turn.fn = on_turn;
	p->guest.drop = peer_drop;
	peal_buf_init(&p->in, PEAL_LIMIT_CONTROL_LINE + CHUNK);
	/* half of it may have been sent */
	peal_buf_init(&p->out, 2 * (size_t)PEAL_LIMIT_CONTROL_QUEUE);
	peal_loop_join(l, &p->guest);
	*out = p;
	return PEAL_OK;
}

enum peal_err peal_control_connect(struct peal_control_peer **out,
				   struct peal_loop *l, const char *path,
				   struct peal_reason *reason)
{
	enum peal_err err;
	int fd = -1;

	peal_reason_clear(reason);
	if (!out || !l || !path)
		return PEAL_EINVAL;
	err = peal_local_connect(&fd, path, reason);
	if (err)
		return err;
	err = peer_new(out, l, fd);
	if (err)
		close(fd);
	return err;
}

void peal_control_accept(struct peal_control_peer *p, peal_control_line_fn line,
			 peal_control_over_fn over, void *arg)
{
	p->line = line;
	p->over = over;
	p->arg = arg;
	watch(p);
}

static void on_linger_over(void *arg)
{
	struct peal_control_peer *p = arg;

	p->linger = NULL;
	shut(p);
}

void peal_control_close(struct peal_control_peer *p)
{
	if (!p)
		return;
	p->line = NULL;
	p->over = NULL;
	if (p->err)
		return; /* ends at the next turn */
	/* not for ever: it may never read */
	if (waiting(p) && !peal_timer_start(&p->linger, p->loop, LINGER_MS,
					    on_linger_over, p))
		watch(p);
	else
		shut(p);
}

/* --- the server --------------------------------------------------------- */

static void take_peer(struct peal_control_server *s, int fd)
{
	struct peal_control_peer *p;

	if (s->peers >= PEAL_LIMIT_CONTROL_PEERS || !peal_local_trusted(fd) ||
	    peer_new(&p, s->loop, fd)) {
		close(fd);
		return;
	}
	p->server = s;
	p->next = s->first;
	p->at = &s->first;
	if (p->next)
		p->next->at = &p->next;
	s->first = p;
	s->peers++;
	s->fn(p, s->arg);
	if (p->fd >= 0 && !p->line && !p->linger)
		peal_control_close(p);
}

static void on_connect(uv_poll_t *poll, int status, int events);

static void on_pause_over(uv_timer_t *timer)
{
	struct peal_control_server *s = timer->data;

	uv_poll_start(&s->poll, UV_READABLE, on_connect);
}

/* A socket that stays readable would wake us again at once. Who waits is
 * served when descriptors are free again. */
static void pause_accept(struct peal_control_server *s)
{
	uv_poll_stop(&s->poll);
	uv_update_time(peal_loop_uv(s->loop));
	uv_timer_start(&s->pause, on_pause_over, PAUSE_MS, 0);
}

/* The callback may free the server, whose memory stays until the loop
 * turns. */
static void on_connect(uv_poll_t *poll, int status, int events)
{
	struct peal_control_server *s = poll->data;
	int i, fd;

	(void)events;
	for (i = 0; i < ACCEPTS && s->fd >= 0; i++) {
		fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0) {
			take_peer(s, fd);
			continue;
		}
		if (errno == ECONNABORTED || errno == EINTR)
			continue;
		if (errno != EAGAIN || status < 0)
			pause_accept(s);
		return;
	}
}

static void server_closed(uv_handle_t *handle)
{
	struct peal_control_server *s = handle->data;

	if (--s->open)
		return;
	peal_free(s->path);
	peal_free(s);
}

/* A socket that another process has put there since is not ours to remove. */
static void remove_socket(const struct peal_control_server *s)
{
	struct stat now;

	if (lstat(s->path, &now) == 0 && now.st_dev == s->file.st_dev &&
	    now.st_ino == s->file.st_ino)
		unlink(s->path);
}

static void server_shut(struct peal_control_server *s)
{
	peal_loop_leave(&s->guest);
	remove_socket(s);
	uv_close((uv_handle_t *)&s->poll, server_closed);
	uv_close((uv_handle_t *)&s->pause, server_closed);
	close(s->fd);
	s->fd = -1;
}

static void server_drop(struct peal_guest *guest)
{
	server_shut((void *)((char *)guest -
			     offsetof(struct peal_control_server, guest)));
}

void peal_control_server_free(struct peal_control_server *s)
{
	struct peal_control_peer *p;
	peal_control_over_fn over;

	if (!s)
		return;
	while ((p = s->first) != NULL) {
		unlist(p);
		over = p->over;
		if (!p->linger)
			peal_control_close(p);
		if (over)
			over(PEAL_ECANCELED, p->arg);
	}
	server_shut(s);
}

static enum peal_err server_open(struct peal_control_server *s,
				 struct peal_reason *reason)
{
	uv_loop_t *uv = peal_loop_uv(s->loop);
	enum peal_err err = peal_local_listen(&s->fd, s->path, reason);
	int rc;

	if (err)
		return err;
	lstat(s->path, &s->file);
	rc = uv_poll_init(uv, &s->poll, s->fd);
	if (rc) {
		remove_socket(s);
		close(s->fd);
		return peal_fail(reason, peal_err_uv(rc), "%s",
				 uv_strerror(rc));
	}
	uv_timer_init(uv, &s->pause);
	s->poll.data = s->pause.data = s;
	s->open = 2;
	s->guest.drop = server_drop;
	peal_loop_join(s->loop, &s->guest);
	uv_poll_start(&s->poll, UV_READABLE, on_connect);
	return PEAL_OK;
}

enum peal_err peal_control_listen(struct peal_control_server **out,
				  struct peal_loop *l, const char *path,
				  peal_control_peer_fn fn, void *arg,
				  struct peal_reason *reason)
{
	struct peal_control_server *s;
	enum peal_err err = PEAL_ENOMEM;

	peal_reason_clear(reason);
	if (!out || !l || !path || !fn)
		return PEAL_EINVAL;
	s = peal_zalloc(sizeof(*s));
	if (!s)
		return PEAL_ENOMEM;
	s->loop = l;
	s->fn = fn;
	s->arg = arg;
	s->path = peal_strdup(path);
	if (s->path)
		err = server_open(s, reason);
	if (err) {
		peal_free(s->path);
		peal_free(s);
		return err;
	}
	*out = s;
	return PEAL_OK;
}
