/* worker.c - see peal/worker.h */
#include "peal/worker.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <uv.h>

#include "net/loop.h"
#include "peal/alloc.h"
#include "peal/buf.h"
#include "peal/limits.h"
#include "worker/process.h"

enum {
	CHUNK = 16 << 10,
	/* ends before an answer until starting it is put off, from a second
	 * to half a minute */
	DEATHS = 5,
	PAUSE_MS = 1000,
	PAUSE_MAX_MS = 30000
};

enum call_state { WAITS, STARTS, ASKED, OVER };

struct peal_worker_call {
	struct peal_worker *w;
	struct peal_worker_call *next;
	enum call_state state;
	unsigned char *frame;
	size_t len, sent;
	unsigned deadline_ms;
	void (*before)(void *arg);
	peal_worker_fn done;
	void *arg;
	enum peal_err err; /* of one that is over */
	struct peal_reason reason;
};

struct peal_worker {
	struct peal_deferred turn;
	struct peal_guest guest;
	struct peal_loop *l; /* NULL: it is gone */
	struct peal_worker_options options;
	struct peal_process *process;          /* NULL: none runs */
	struct peal_worker_call *first, **end; /* waiting */
	struct peal_worker_call *asked;        /* or NULL */
	struct peal_worker_call *over;         /* still to be told */
	struct peal_timer *deadline;
	struct peal_buf in;
	unsigned starts, deaths;
	uint64_t not_before_ms;
	int busy; /* in a turn of ours */
	int freed;
};

static void wake(struct peal_worker *w)
{
	peal_loop_defer(w->l, &w->turn);
}

/* --- calls --- */

static void call_free(struct peal_worker_call *c)
{
	peal_free(c->frame);
	peal_free(c);
}

static void calls_free(struct peal_worker_call *c)
{
	struct peal_worker_call *next;

	for (; c; c = next) {
		next = c->next;
		call_free(c);
	}
}

static struct peal_worker_call *take_first(struct peal_worker *w)
{
	struct peal_worker_call *c = w->first;

	if (!c)
		return NULL;
	w->first = c->next;
	if (!w->first)
		w->end = &w->first;
	c->next = NULL;
	return c;
}

static void unlink_call(struct peal_worker *w, struct peal_worker_call *c)
{
	struct peal_worker_call **at = &w->first;

	while (*at && *at != c)
		at = &(*at)->next;
	if (*at)
		*at = c->next;
	for (w->end = &w->first; *w->end;)
		w->end = &(*w->end)->next;
	c->next = NULL;
}

/* It is told at the next turn: in order, and never within a call of ours. */
static void end_call(struct peal_worker_call *c, enum peal_err err,
		     const struct peal_reason *reason)
{
	struct peal_worker *w = c->w;
	struct peal_worker_call **at = &w->over;

	c->state = OVER;
	c->err = err;
	if (reason)
		c->reason = *reason;
	while (*at)
		at = &(*at)->next;
	*at = c;
	wake(w);
}

/* No call is under way any more. */
static struct peal_worker_call *take_asked(struct peal_worker *w)
{
	struct peal_worker_call *c = w->asked;

	w->asked = NULL;
	peal_timer_cancel(w->deadline);
	w->deadline = NULL;
	return c;
}

static void stop_process(struct peal_worker *w)
{
	peal_process_kill(w->process);
	w->process = NULL;
	peal_buf_fini(&w->in);
}

/* The call under way ends so, and its process with it. */
static void give_up(struct peal_worker *w, enum peal_err err,
		    const struct peal_reason *reason)
{
	struct peal_worker_call *c = take_asked(w);

	stop_process(w);
	if (c)
		end_call(c, err, reason);
}

static void tell(struct peal_worker_call *c)
{
	c->done(c->err, NULL, 0, c->reason.text[0] ? &c->reason : NULL, c->arg);
	call_free(c);
}

/* --- what comes back --- */

enum answer { INCOMPLETE, WHOLE, TOO_LONG, TOO_MUCH };

static enum answer look(const struct peal_buf *in)
{
	uint32_t len;

	if (in->len < sizeof(len))
		return INCOMPLETE;
	memcpy(&len, in->data, sizeof(len));
	if (len > PEAL_LIMIT_WORKER_FRAME)
		return TOO_LONG;
	if (in->len - sizeof(len) > len)
		return TOO_MUCH;
	return in->len - sizeof(len) == len ? WHOLE : INCOMPLETE;
}

/* `done` may ask again, cancel, and free the worker. */
static void complete(struct peal_worker *w)
{
	struct peal_worker_call *c = take_asked(w);
	struct peal_buf in = w->in;

	peal_buf_init(&w->in, in.max);
	w->deaths = 0;
	if (w->process)
		peal_process_watch(w->process, 0, 0);
	if (w->first)
		wake(w);
	c->state = OVER;
	c->done(PEAL_OK, in.data + sizeof(uint32_t), in.len - sizeof(uint32_t),
		NULL, c->arg);
	call_free(c);
	peal_buf_fini(&in);
}

/* Take in what has come; 0 when there is no more for now. */
static int gather(struct peal_worker *w, enum peal_err *err, int *closed)
{
	int fd = peal_process_fd(w->process);
	unsigned char chunk[CHUNK];
	ssize_t n;

	do
		n = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return 0;
	*closed = n <= 0;
	if (n <= 0)
		return 0;
	*err = peal_buf_add(&w->in, chunk, (size_t)n);
	return *err == PEAL_OK;
}

static void judge(struct peal_worker *w, enum peal_err err)
{
	enum answer answer = look(&w->in);
	struct peal_reason why;

	if (!w->asked && w->in.len) {
		stop_process(w); /* nobody asked */
	} else if (err == PEAL_ENOMEM) {
		give_up(w, err, NULL);
	} else if (answer == TOO_LONG) {
		peal_fail(&why, PEAL_ELIMIT,
			  "the worker's answer is over %d bytes",
			  PEAL_LIMIT_WORKER_FRAME);
		give_up(w, PEAL_ELIMIT, &why);
	} else if (answer == TOO_MUCH || err) {
		peal_fail(&why, PEAL_EPARTIAL,
			  "the worker answered more than it was asked");
		give_up(w, PEAL_EPARTIAL, &why);
	} else if (answer == WHOLE) {
		complete(w);
	}
}

static void say_end(struct peal_reason *why, int status)
{
	if (status != -1 && WIFSIGNALED(status))
		peal_fail(why, PEAL_EPARTIAL,
			  "the worker ended (killed by signal %d)",
			  WTERMSIG(status));
	else if (status != -1 && WIFEXITED(status))
		peal_fail(why, PEAL_EPARTIAL, "the worker ended (exit code %d)",
			  WEXITSTATUS(status));
	else
		peal_fail(why, PEAL_EPARTIAL, "the worker ended");
}

static void count_death(struct peal_worker *w)
{
	unsigned ms = PAUSE_MS, i;

	w->deaths++;
	for (i = DEATHS; i < w->deaths && ms < PAUSE_MAX_MS; i++)
		ms *= 2;
	if (ms > PAUSE_MAX_MS)
		ms = PAUSE_MAX_MS;
	w->not_before_ms = peal_loop_now_ms(w->l) + ms;
}

/* The answer may lie in the socket already; 1: all of it does. */
static int catch_up(struct peal_worker *w)
{
	enum peal_err err = PEAL_OK;
	int closed;

	while (w->asked && look(&w->in) == INCOMPLETE &&
	       gather(w, &err, &closed))
		;
	return w->asked && look(&w->in) == WHOLE;
}

static void on_ended(int status, void *arg)
{
	struct peal_worker *w = arg;
	struct peal_reason why;
	int answered = catch_up(w);

	w->process = NULL;
	count_death(w);
	if (answered) {
		complete(w);
		return;
	}
	say_end(&why, status);
	give_up(w, PEAL_EPARTIAL, &why);
	wake(w);
}

/* --- asking --- */

static void on_deadline(void *arg)
{
	struct peal_worker *w = arg;

	w->deadline = NULL; /* it is over */
	/* if we were late ourselves, the answer is not */
	if (catch_up(w))
		complete(w);
	else
		give_up(w, PEAL_ETIMEOUT, NULL);
}

/* A process that has ended is noticed by the loop, not here. */
static void send_frame(struct peal_worker *w)
{
	struct peal_worker_call *c = w->asked;
	int fd = peal_process_fd(w->process), full = 0;
	ssize_t n;

	while (c->sent < c->len && !full) {
		n = send(fd, c->frame + c->sent, c->len - c->sent,
			 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n >= 0)
			c->sent += (size_t)n;
		else if (errno == EAGAIN)
			full = 1;
		else if (errno != EINTR)
			break;
	}
	peal_process_watch(w->process, full, 1);
}

static void on_ready(int flags, void *arg)
{
	struct peal_worker *w = arg;
	enum peal_err err = PEAL_OK;
	int closed = 0;

	if (flags & UV_WRITABLE && w->asked)
		send_frame(w);
	if (!(flags & (UV_READABLE | UV_DISCONNECT)))
		return;
	gather(w, &err, &closed);
	if (closed)
		peal_process_hangup(w->process);
	else
		judge(w, err);
}

static const struct peal_process_events events = { on_ready, on_ended };

/* It may have ended, or spoken unasked, and the loop not seen it yet. */
static int is_quiet(const struct peal_worker *w)
{
	char c;
	ssize_t n = recv(peal_process_fd(w->process), &c, 1,
			 MSG_PEEK | MSG_DONTWAIT);

	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static enum peal_err start(struct peal_worker *w, struct peal_reason *why)
{
	enum peal_err err;
	uint64_t now = peal_loop_now_ms(w->l);

	if (w->process && is_quiet(w))
		return PEAL_OK;
	stop_process(w);
	if (w->deaths >= DEATHS && now < w->not_before_ms)
		return peal_fail(why, PEAL_EIO,
				 "the worker %.100s has ended %u times without "
				 "an answer: it is not started for %u s",
				 w->options.program, w->deaths,
				 (unsigned)(w->not_before_ms - now + 999) /
					 1000);
	err = peal_process_start(&w->process, w->l, &w->options, &events, w,
				 why);
	if (!err)
		w->starts++;
	return err;
}

static void ask_first(struct peal_worker *w)
{
	struct peal_worker_call *c = take_first(w);
	enum peal_err err;

	err = start(w, &c->reason);
	if (err) {
		end_call(c, err, NULL);
		return;
	}
	c->state = STARTS;
	w->asked = c;
	if (c->before)
		c->before(c->arg);
	if (w->asked != c) /* thought better of */
		return;
	c->state = ASKED;
	err = peal_timer_start(&w->deadline, w->l, c->deadline_ms, on_deadline,
			       w);
	if (err) {
		w->deadline = NULL;
		give_up(w, err, NULL);
		return;
	}
	send_frame(w);
}

static void release(struct peal_worker *w)
{
	calls_free(w->over);
	peal_buf_fini(&w->in);
	peal_free((void *)(uintptr_t)w->options.program);
	peal_free((void *)(uintptr_t)w->options.argv);
	peal_free(w);
}

static void on_turn(struct peal_deferred *d, int dropped)
{
	struct peal_worker *w = (struct peal_worker *)(void *)d;
	struct peal_worker_call *c;

	w->busy = 1; /* who is called may free the worker */
	while (!dropped && (c = w->over) != NULL) {
		w->over = c->next;
		tell(c);
	}
	if (!w->freed && !dropped && !w->asked && w->first)
		ask_first(w);
	w->busy = 0;
	if (w->freed && !w->turn.listed)
		release(w);
}

enum peal_err peal_worker_ask(struct peal_worker_call **out,
			      struct peal_worker *w, const void *bytes,
			      size_t len, unsigned deadline_ms,
			      void (*before)(void *arg), peal_worker_fn done,
			      void *arg)
{
	uint32_t size = (uint32_t)len;
	struct peal_worker_call *c;

	if (!w || !w->l || w->freed || (!bytes && len) || !deadline_ms || !done)
		return PEAL_EINVAL;
	if (len > PEAL_LIMIT_WORKER_FRAME)
		return PEAL_ELIMIT;
	c = peal_zalloc(sizeof(*c));
	if (!c)
		return PEAL_ENOMEM;
	c->w = w;
	c->deadline_ms = deadline_ms;
	c->before = before;
	c->done = done;
	c->arg = arg;
	c->len = sizeof(size) + len;
	c->frame = peal_alloc(c->len);
	if (!c->frame) {
		call_free(c);
		return PEAL_ENOMEM;
	}
	memcpy(c->frame, &size, sizeof(size));
	if (len)
		memcpy(c->frame + sizeof(size), bytes, len);
	*w->end = c;
	w->end = &c->next;
	wake(w);
	if (out)
		*out = c;
	return PEAL_OK;
}

void peal_worker_cancel(struct peal_worker_call *c)
{
	struct peal_worker *w;

	if (!c)
		return;
	w = c->w;
	switch (c->state) {
	case WAITS:
		unlink_call(w, c);
		end_call(c, PEAL_ECANCELED, NULL);
		break;
	case STARTS:
		end_call(take_asked(w), PEAL_ECANCELED, NULL);
		break;
	case ASKED:
		give_up(w, PEAL_ECANCELED, NULL);
		break;
	case OVER:
		c->err = PEAL_ECANCELED;
		break;
	}
}

/* --- a worker --- */

/* The pointers and the texts in one block. */
static const char *const *copy_argv(const char *const *argv)
{
	size_t n = 0, size = 0, i, len;
	char **copy, *text;

	for (; argv[n]; n++)
		size += strlen(argv[n]) + 1;
	copy = peal_alloc((n + 1) * sizeof(*copy) + size);
	if (!copy)
		return NULL;
	text = (char *)(copy + n + 1);
	for (i = 0; i < n; i++) {
		len = strlen(argv[i]) + 1;
		copy[i] = memcpy(text, argv[i], len);
		text += len;
	}
	copy[n] = NULL;
	return (const char *const *)copy;
}

static struct peal_worker *of_guest(struct peal_guest *g)
{
	return (struct peal_worker *)(void *)((char *)g -
					      offsetof(struct peal_worker,
						       guest));
}

/* The loop goes first: nobody is told. */
static void drop(struct peal_guest *g)
{
	struct peal_worker *w = of_guest(g);

	if (w->asked) {
		w->asked->next = w->over;
		w->over = take_asked(w);
	}
	peal_process_drop(w->process);
	w->process = NULL;
	calls_free(w->over);
	calls_free(w->first);
	w->over = NULL;
	w->first = NULL;
	w->end = &w->first;
	w->l = NULL;
}

enum peal_err peal_worker_new(struct peal_worker **out, struct peal_loop *l,
			      const struct peal_worker_options *options)
{
	struct peal_worker *w;

	if (!out || !l || !options || !options->program || !options->argv)
		return PEAL_EINVAL;
	w = peal_zalloc(sizeof(*w));
	if (!w)
		return PEAL_ENOMEM;
	w->turn.fn = on_turn;
	w->guest.drop = drop;
	w->l = l;
	w->end = &w->first;
	peal_buf_init(&w->in, PEAL_LIMIT_WORKER_FRAME + CHUNK);
	w->options.fd = options->fd;
	w->options.program = peal_strdup(options->program);
	w->options.argv = copy_argv(options->argv);
	if (!w->options.program || !w->options.argv) {
		release(w);
		return PEAL_ENOMEM;
	}
	peal_loop_join(l, &w->guest);
	*out = w;
	return PEAL_OK;
}

void peal_worker_free(struct peal_worker *w)
{
	struct peal_worker_call *c;

	if (!w || w->freed)
		return;
	w->freed = 1;
	if (!w->l) {
		release(w);
		return;
	}
	peal_loop_leave(&w->guest);
	if (w->asked)
		peal_worker_cancel(w->asked);
	stop_process(w);
	while ((c = take_first(w)) != NULL)
		end_call(c, PEAL_ECANCELED, NULL);
	if (w->over || w->turn.listed || w->busy)
		wake(w);
	else
		release(w);
}

pid_t peal_worker_pid(const struct peal_worker *w)
{
	return w->process ? peal_process_pid(w->process) : 0;
}

unsigned peal_worker_starts(const struct peal_worker *w)
{
	return w->starts;
}
