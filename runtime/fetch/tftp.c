/* tftp.c - see peal/tftp.h. Sockets, ports and waiting; what the packets mean
 * is tftp_machine.c's matter.
 *
 * The socket is our own and is never connected: the server answers from a new
 * port. Errors that come by ICMP are then told on request only, and per
 * destination (IP_RECVERR), which is what we want: an ERROR of ours to a
 * stranger must not end the transfer when nobody is there to take it. */
#include "peal/tftp.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "fetch/tftp_machine.h"
#include "fetch/tftp_socket.h"
#include "net/loop.h"
#include "peal/alloc.h"
#include "peal/limits.h"
#include "peal/net.h"

enum {
	SERVER_PORT = 69,
	BLKSIZE = 1428, /* an Ethernet frame, with room for IPv6 */
	WAIT_MS = 5000,
	SENDINGS = 6,
	TOTAL_MS = 300000,
	LINGER_MS = 2000,
	LINGER_ACKS = 6,
	SENDS = 4, /* of one packet, past errors that are about others */
	FOREIGN_REPLIES = 3, /* a flood of strangers is not answered */
	READS = 16           /* datagrams a turn: others wait, too */
};

/*   poll   [0] for the request, [1] for the one without options: a libuv
 *          handle cannot change its socket
 *   wait   for an answer, then for repeats of the last block
 *   open   handles that are not closed yet; the last one frees
 *   over   `done` was called
 *   lost   errno: ICMP said that the peer cannot be reached
 *   ack    sent again for repeats of the last block */
struct peal_tftp {
	struct peal_guest guest;
	struct peal_deferred turn;
	struct peal_loop *loop;
	uv_poll_t poll[2];
	int fd[2];
	int at;
	uv_timer_t wait, total;
	int open;

	struct sockaddr_storage server, peer;
	int peer_known, over, canceled, lost;
	uint16_t port_lo, port_hi;
	unsigned wait_ms, sendings, sent, linger_acks, foreign_replies;
	unsigned char ack[TFTP_HEADER];

	struct tftp_machine m;
	unsigned char *body, *packet;
	size_t packet_size;
	uint64_t began_ms;
	struct peal_tftp_response response;
	peal_tftp_fn done;
	void *arg;
};

/* --- the socket -------------------------------------------------------- */

static void on_readable(uv_poll_t *poll, int status, int events);

static void watch(struct peal_tftp *t)
{
	uv_poll_start(&t->poll[t->at], UV_READABLE | UV_PRIORITIZED,
		      on_readable);
}

static enum peal_err open_port(struct peal_tftp *t, struct peal_reason *reason)
{
	uv_loop_t *uv = peal_loop_uv(t->loop);
	int fd = -1, rc;
	enum peal_err err = tftp_socket_open(&fd, t->server.ss_family,
					     t->port_lo, t->port_hi, reason);

	if (err)
		return err;
	rc = uv_poll_init(uv, &t->poll[t->at], fd);
	if (rc) {
		close(fd);
		return peal_fail(reason, peal_err_uv(rc), "%s",
				 uv_strerror(rc));
	}
	t->poll[t->at].data = t;
	t->fd[t->at] = fd;
	t->open++;
	watch(t);
	return PEAL_OK;
}

static void release(struct peal_tftp *t)
{
	peal_loop_leave(&t->guest);
	tftp_machine_fini(&t->m);
	if (t->body)
		peal_wipe(t->body, t->m.body_len);
	peal_free(t->body);
	if (t->packet)
		peal_wipe(t->packet, t->packet_size);
	peal_free(t->packet);
	peal_free(t);
}

static void on_closed(uv_handle_t *handle)
{
	struct peal_tftp *t = handle->data;

	if (--t->open == 0)
		release(t);
}

static void close_port(struct peal_tftp *t)
{
	if (t->fd[t->at] < 0)
		return;
	uv_close((uv_handle_t *)&t->poll[t->at], on_closed);
	close(t->fd[t->at]);
	t->fd[t->at] = -1;
}

/* Everything is freed when the last handle is closed. */
static void close_all(struct peal_tftp *t)
{
	close_port(t);
	if (!uv_is_closing((uv_handle_t *)&t->wait))
		uv_close((uv_handle_t *)&t->wait, on_closed);
	if (!uv_is_closing((uv_handle_t *)&t->total))
		uv_close((uv_handle_t *)&t->total, on_closed);
}

static void on_loop_free(struct peal_guest *guest)
{
	struct peal_tftp *t =
		(void *)((char *)guest - offsetof(struct peal_tftp, guest));

	t->over = 1;
	close_all(t);
}

/* --- the end ----------------------------------------------------------- */

static void on_linger_over(uv_timer_t *timer)
{
	close_all(timer->data);
}

/* The last ACK may be lost: answer repeats of the last block for a while, but
 * keep nobody waiting and no process alive for it. */
static void linger(struct peal_tftp *t)
{
	memcpy(t->ack, t->m.out, TFTP_HEADER);
	t->linger_acks = LINGER_ACKS;
	uv_unref((uv_handle_t *)&t->poll[t->at]);
	uv_unref((uv_handle_t *)&t->wait);
	uv_timer_start(&t->wait, on_linger_over, LINGER_MS, 0);
	uv_close((uv_handle_t *)&t->total, on_closed);
}

static void finish(struct peal_tftp *t, enum peal_err err,
		   const struct peal_reason *reason)
{
	struct peal_tftp_response *r = &t->response;
	int lingers = !err && !t->m.body;

	t->over = 1;
	uv_timer_stop(&t->wait);
	uv_timer_stop(&t->total);
	r->body = NULL;
	if (!err) {
		r->body = t->m.in.data ? t->m.in.data :
					 (const unsigned char *)"";
		r->body_len = t->m.in.len;
	}
	r->received = t->m.received;
	r->blksize = t->m.blksize;
	r->error_code = t->m.code;
	memcpy(r->error_text, t->m.text, sizeof(r->error_text));
	r->total_s = (double)(peal_loop_now_ms(t->loop) - t->began_ms) / 1000;
	r->peer_port = tftp_socket_print(&t->peer, r->peer, sizeof(r->peer));
	if (lingers)
		linger(t);
	t->done(err, r, reason, t->arg);

	peal_buf_fini_secret(&t->m.in);
	if (!lingers)
		close_all(t);
}

static void fail(struct peal_tftp *t, enum peal_err err, const char *text)
{
	struct peal_reason reason;

	peal_reason_clear(&reason);
	peal_fail(&reason, err, "%s", text);
	finish(t, err, &reason);
}

/* --- sending ----------------------------------------------------------- */

/* 0, or the errno of a destination that cannot be reached. What the network
 * drops, or the system has no buffer for just now, is sent again in time. */
static int send_to(struct peal_tftp *t, struct sockaddr_storage *to,
		   const unsigned char *bytes, size_t len)
{
	int tries, err = 0;

	for (tries = 0; tries < SENDS && !t->lost; tries++) {
		if (sendto(t->fd[t->at], bytes, len, 0, (struct sockaddr *)to,
			   tftp_socket_size(to)) >= 0) {
			t->response.packets_sent++;
			return 0;
		}
		if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM)
			return 0;
		/* maybe about an earlier packet, to somebody else */
		err = errno;
		t->lost = tftp_socket_error(t->fd[t->at], &t->peer);
	}
	return t->lost ? t->lost : err;
}

/* Best effort, before we go. */
static void tell(struct peal_tftp *t, enum tftp_code code, const char *text)
{
	unsigned char bytes[64];
	size_t len = tftp_packet_error(bytes, sizeof(bytes), code, text);

	if (t->peer_known)
		send_to(t, &t->peer, bytes, len);
}

static void unreachable(struct peal_tftp *t, int err)
{
	struct peal_reason reason;

	peal_reason_clear(&reason);
	peal_fail(&reason, PEAL_ECONNECT, "the server cannot be reached: %s",
		  strerror(err));
	finish(t, PEAL_ECONNECT, &reason);
}

static void on_wait(uv_timer_t *timer);

/* Send what the machine has, be it for the first time or not. */
static void send_out(struct peal_tftp *t)
{
	int err = send_to(t, &t->peer, t->m.out, t->m.out_len);

	t->sent++;
	if (err)
		unreachable(t, err);
	else
		uv_timer_start(&t->wait, on_wait, t->wait_ms, 0);
}

static void on_wait(uv_timer_t *timer)
{
	struct peal_tftp *t = timer->data;

	if (t->sent < t->sendings) {
		send_out(t);
		return;
	}
	tell(t, TFTP_UNDEFINED, "no answer in time");
	fail(t, PEAL_ETIMEOUT,
	     t->peer_known ? "the server fell silent" : "no answer in time");
}

static void on_total(uv_timer_t *timer)
{
	struct peal_tftp *t = timer->data;

	tell(t, TFTP_UNDEFINED, "out of time");
	fail(t, PEAL_ETIMEOUT, "the transfer took too long");
}

/* --- receiving --------------------------------------------------------- */

static void on_foreign(struct peal_tftp *t, struct sockaddr_storage *from,
		       size_t len)
{
	unsigned char bytes[32];
	int is_error = len >= 2 && t->packet[0] == 0 &&
		       t->packet[1] == TFTP_ERROR;

	t->response.foreign++;
	/* errors about errors would never end */
	if (is_error || t->foreign_replies >= FOREIGN_REPLIES)
		return;
	t->foreign_replies++;
	len = tftp_packet_error(bytes, sizeof(bytes), TFTP_UNKNOWN_ID,
				"unknown transfer");
	send_to(t, from, bytes, len);
}

static void ask_plainly(struct peal_tftp *t)
{
	struct peal_reason reason;
	enum peal_err err;

	/* a port of its own: packets of the first try must not count */
	close_port(t);
	t->at = 1;
	t->peer = t->server;
	t->peer_known = 0;
	t->lost = 0;
	tftp_machine_plain(&t->m);
	peal_reason_clear(&reason);
	err = open_port(t, &reason);
	if (err) {
		finish(t, err, &reason);
		return;
	}
	t->sent = 0;
	send_out(t);
}

/* Wait as the server was told to expect; never longer than we meant to. */
static void use_granted(struct peal_tftp *t)
{
	unsigned s = t->m.granted.timeout_s;

	if (s && s < t->m.asked.timeout_s && s * 1000 < t->wait_ms)
		t->wait_ms = s * 1000;
}

static void obey(struct peal_tftp *t, enum tftp_step step)
{
	switch (step) {
	case TFTP_IGNORE:
		break;
	case TFTP_REPEAT:
		send_to(t, &t->peer, t->m.out, t->m.out_len);
		break;
	case TFTP_PLAIN:
		ask_plainly(t);
		break;
	case TFTP_SEND:
		use_granted(t);
		t->sent = 0;
		send_out(t);
		break;
	case TFTP_DONE:
	case TFTP_FAIL:
		if (t->m.out_len)
			send_to(t, &t->peer, t->m.out, t->m.out_len);
		finish(t, t->m.err, &t->m.reason);
		break;
	}
}

static void on_repeat(struct peal_tftp *t, size_t len)
{
	if (len < TFTP_HEADER || t->packet[0] != 0 ||
	    t->packet[1] != TFTP_DATA || t->linger_acks == 0 ||
	    memcmp(t->packet + 2, t->ack + 2, 2) != 0)
		return;
	t->linger_acks--;
	send_to(t, &t->peer, t->ack, sizeof(t->ack));
}

static void on_packet(struct peal_tftp *t, struct sockaddr_storage *from,
		      size_t len)
{
	enum tftp_step step;

	if (!tftp_socket_same_host(from, &t->server) ||
	    (t->peer_known && !tftp_socket_same_peer(from, &t->peer))) {
		if (!t->over)
			on_foreign(t, from, len);
		return;
	}
	if (t->over) {
		on_repeat(t, len);
		return;
	}
	step = tftp_machine_input(&t->m, t->packet, len);
	if (t->canceled && !t->peer_known) {
		/* by the sink, when there was nobody yet to be told */
		t->peer_known = 1;
		t->peer = *from;
		tell(t, TFTP_UNDEFINED, "canceled");
	}
	if (t->canceled)
		return;
	if (!t->peer_known && step == TFTP_IGNORE) {
		t->response.foreign++;
		return;
	}
	/* the first valid answer names the server's port */
	t->peer_known = 1;
	t->peer = *from;
	t->response.packets_received++;
	obey(t, step);
}

/* 0: nothing left to read, or the transfer ended or changed its port. */
static int read_packet(struct peal_tftp *t)
{
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);
	int at = t->at, over = t->over;
	ssize_t n;

	memset(&from, 0, sizeof(from));
	n = recvfrom(t->fd[at], t->packet, t->packet_size, 0,
		     (struct sockaddr *)&from, &from_len);
	if (n < 0)
		return 0;
	on_packet(t, &from, (size_t)n);
	return t->at == at && t->over == over && !t->canceled;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct peal_tftp *t = poll->data;
	int i;

	/* libuv stops watching a socket that has an error and data */
	if (status < 0)
		watch(t);
	if (status < 0 || events & UV_PRIORITIZED)
		t->lost = tftp_socket_error(t->fd[t->at], &t->peer);
	for (i = 0; i < READS; i++)
		if (!read_packet(t))
			break;
	/* what has come before the error still counts */
	if (t->lost && !t->over)
		unreachable(t, t->lost);
}

/* --- start and cancel -------------------------------------------------- */

static void on_turn(struct peal_deferred *turn, int dropped)
{
	struct peal_tftp *t =
		(void *)((char *)turn - offsetof(struct peal_tftp, turn));

	if (dropped || t->over)
		return;
	if (t->canceled)
		fail(t, PEAL_ECANCELED, peal_err_text(PEAL_ECANCELED));
	else
		send_out(t);
}

void peal_tftp_cancel(struct peal_tftp *t)
{
	if (!t || t->over || t->canceled)
		return;
	t->canceled = 1;
	tell(t, TFTP_UNDEFINED, "canceled");
	uv_timer_stop(&t->wait);
	uv_timer_stop(&t->total);
	uv_poll_stop(&t->poll[t->at]);
	peal_loop_defer(t->loop, &t->turn);
}

static int out_of_range(const struct peal_tftp_request *q)
{
	return (q->blksize &&
		(q->blksize < TFTP_BLOCK_MIN || q->blksize > TFTP_BLOCK_MAX)) ||
	       q->port_lo > q->port_hi || (q->port_hi && !q->port_lo);
}

static enum peal_err take_request(struct peal_tftp *t,
				  const struct peal_tftp_request *q,
				  struct peal_reason *reason)
{
	if (out_of_range(q))
		return peal_fail(reason, PEAL_EINVAL,
				 "block size or ports out of range");
	if (peal_address_parse(q->address, q->port ? q->port : SERVER_PORT,
			       &t->server))
		return peal_fail(reason, PEAL_EINVAL, "not an address: %.60s",
				 q->address);
	t->peer = t->server;
	t->port_lo = q->port_lo;
	t->port_hi = q->port_hi;
	t->wait_ms = q->wait_ms ? q->wait_ms : WAIT_MS;
	t->sendings = q->sendings ? q->sendings : SENDINGS;
	if (!q->body)
		return PEAL_OK;
	t->body = (unsigned char *)peal_memdup0(q->body, q->body_len);
	return t->body ? PEAL_OK : PEAL_ENOMEM;
}

/* Seconds for the server, as many as we wait; it knows no smaller unit. */
static unsigned timeout_s(unsigned wait_ms)
{
	unsigned s = wait_ms / 1000 + (wait_ms % 1000 > 0);

	return s > 255 ? 255 : s;
}

static enum peal_err make_machine(struct peal_tftp *t,
				  const struct peal_tftp_request *q,
				  struct peal_reason *reason)
{
	const struct tftp_options asked = {
		.blksize = q->blksize ? q->blksize : BLKSIZE,
		.timeout_s = timeout_s(t->wait_ms),
	};
	const struct tftp_plan plan = {
		.name = q->name,
		.body = t->body,
		.body_len = q->body_len,
		.max = q->max  ? q->max :
		       q->sink ? PEAL_LIMIT_IMAGE :
				 PEAL_LIMIT_DOWNLOAD,
		.sink = q->sink,
		.sink_arg = q->sink_arg,
		.asked = q->no_options ? NULL : &asked,
	};
	enum peal_err err = tftp_machine_init(&t->m, &plan);

	if (err == PEAL_EBADOP)
		return peal_fail(reason, err, "the file name is %s",
				 *q->name ? "too long" : "empty");
	if (err)
		return err;
	t->packet_size = tftp_machine_room(&t->m);
	t->packet = peal_alloc(t->packet_size);
	return t->packet ? PEAL_OK : PEAL_ENOMEM;
}

static void start_timers(struct peal_tftp *t, unsigned total_ms)
{
	uv_loop_t *uv = peal_loop_uv(t->loop);

	uv_timer_init(uv, &t->wait);
	uv_timer_init(uv, &t->total);
	t->wait.data = t->total.data = t;
	t->open += 2;
	/* libuv counts from its cached time */
	uv_update_time(uv);
	uv_timer_start(&t->total, on_total, total_ms, 0);
}

enum peal_err peal_tftp_start(struct peal_tftp **out, struct peal_loop *l,
			      const struct peal_tftp_request *request,
			      peal_tftp_fn done, void *arg,
			      struct peal_reason *reason)
{
	struct peal_tftp *t;
	enum peal_err err;

	if (!l || !request || !request->address || !request->name || !done)
		return PEAL_EINVAL;
	t = peal_zalloc(sizeof(*t));
	if (!t)
		return PEAL_ENOMEM;
	t->loop = l;
	t->done = done;
	t->arg = arg;
	t->fd[0] = t->fd[1] = -1;
	t->turn.fn = on_turn;
	t->guest.drop = on_loop_free;
	t->began_ms = peal_loop_now_ms(l);

	err = take_request(t, request, reason);
	if (!err)
		err = make_machine(t, request, reason);
	if (!err)
		err = open_port(t, reason);
	if (err) {
		release(t); /* no handle is open yet */
		return err;
	}
	start_timers(t, request->total_ms ? request->total_ms : TOTAL_MS);
	peal_loop_join(l, &t->guest);
	peal_loop_defer(l, &t->turn);
	if (out)
		*out = t;
	return PEAL_OK;
}
