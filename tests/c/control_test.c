/* control_test.c - lines between two ends of a socket, on one loop. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "alloc_fail.h"
#include "peal/control.h"
#include "peal/limits.h"
#include "test.h"

enum { SEEN = 8192 };

struct stage;

/* One end: what it heard, and how it ended. */
struct ear {
	struct peal_control_peer *p; /* NULL: over */
	struct stage *stage;
	char seen[SEEN]; /* lines, each with a '|' behind */
	size_t longest;
	int lines, overs;
	enum peal_err err;
};

struct stage {
	struct peal_loop *l;
	struct peal_control_server *s;
	char dir[64], path[400];
	struct ear ears[80]; /* of the server's side */
	int peers;
	int refuse;  /* do not accept */
	int free_it; /* the server, within the callback */
	void (*on_line)(struct ear *e, const char *line, size_t len);
	int lines, overs; /* of all ears; run() stops at a change */
};

static void hear(const char *line, size_t len, void *arg)
{
	struct ear *e = arg;
	size_t used = strlen(e->seen);

	e->lines++;
	if (len > e->longest)
		e->longest = len;
	if (used + len + 2 < SEEN) {
		memcpy(e->seen + used, line, len);
		strcpy(e->seen + used + len, "|");
	}
	e->stage->lines++;
	if (e->stage->on_line && e >= e->stage->ears && e < e->stage->ears + 80)
		e->stage->on_line(e, line, len);
}

static void over(enum peal_err err, void *arg)
{
	struct ear *e = arg;

	e->overs++;
	e->err = err;
	e->p = NULL;
	e->stage->overs++;
}

static void on_peer(struct peal_control_peer *p, void *arg)
{
	struct stage *g = arg;
	struct ear *e = &g->ears[g->peers];

	REQUIRE(g->peers < 80);
	g->peers++;
	if (g->free_it) {
		peal_control_server_free(g->s);
		g->s = NULL;
	}
	if (g->refuse || g->free_it)
		return;
	e->stage = g;
	e->p = p;
	peal_control_accept(p, hear, over, e);
}

static void begin(struct stage *g)
{
	memset(g, 0, sizeof(*g));
	strcpy(g->dir, "/tmp/peal-test-XXXXXX");
	REQUIRE(mkdtemp(g->dir) != NULL);
	snprintf(g->path, sizeof(g->path), "%s/control", g->dir);
	REQUIRE(peal_loop_new(&g->l) == PEAL_OK);
	REQUIRE(peal_control_listen(&g->s, g->l, g->path, on_peer, g, NULL) ==
		PEAL_OK);
}

static void end(struct stage *g)
{
	peal_control_server_free(g->s);
	peal_loop_free(g->l);
	CHECK(access(g->path, F_OK) != 0);
	rmdir(g->dir);
}

/* A plain socket, for what no peer of ours would do. */
static int plain(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	REQUIRE(fd >= 0 && strlen(path) < sizeof(sa.sun_path));
	strcpy(sa.sun_path, path);
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa))) {
		close(fd);
		return -1;
	}
	return fd;
}

static void connect_ear(struct stage *g, struct ear *e)
{
	memset(e, 0, sizeof(*e));
	e->stage = g;
	REQUIRE(peal_control_connect(&e->p, g->l, g->path, NULL) == PEAL_OK);
	peal_control_accept(e->p, hear, over, e);
}

#define RUN_UNTIL(g, cond)                                            \
	do {                                                          \
		while (!(cond))                                       \
			REQUIRE(peal_loop_run((g)->l, 1) == PEAL_OK); \
	} while (0)

static void say(struct peal_control_peer *p, const char *text)
{
	CHECK_ERR(peal_control_send(p, text, strlen(text)), PEAL_OK);
}

/* --- lines -------------------------------------------------------------- */

static void echo(struct ear *e, const char *line, size_t len)
{
	CHECK_ERR(peal_control_send(e->p, line, len), PEAL_OK);
}

static void lines_go_both_ways(void)
{
	struct stage g;
	struct ear me;
	struct stat st;

	begin(&g);
	CHECK(stat(g.path, &st) == 0 && S_ISSOCK(st.st_mode));
	CHECK_INT(st.st_mode & 07777, 0600);
	g.on_line = echo;
	connect_ear(&g, &me);
	say(me.p, "one");
	say(me.p, "");
	say(me.p, "three");
	RUN_UNTIL(&g, me.lines == 3);
	CHECK_STR(me.seen, "one||three|");
	CHECK_STR(g.ears[0].seen, "one||three|");
	peal_control_close(me.p);
	RUN_UNTIL(&g, g.ears[0].overs);
	CHECK_ERR(g.ears[0].err, PEAL_OK);
	CHECK_INT(me.overs, 0);
	end(&g);
}

static void a_newline_is_not_sent(void)
{
	struct stage g;
	struct ear me;

	begin(&g);
	connect_ear(&g, &me);
	CHECK_ERR(peal_control_send(me.p, "a\nb", 3), PEAL_EINVAL);
	say(me.p, "c");
	RUN_UNTIL(&g, g.lines == 1);
	CHECK_STR(g.ears[0].seen, "c|");
	peal_control_close(me.p);
	end(&g);
}

static void pieces_become_lines(void)
{
	static const char text[] = "first line\n";
	struct stage g;
	size_t i;
	int fd;

	begin(&g);
	fd = plain(g.path);
	RUN_UNTIL(&g, g.peers == 1);
	for (i = 0; text[i]; i++) {
		CHECK_INT(g.lines, 0);
		CHECK_INT(write(fd, text + i, 1), 1);
		peal_loop_run(g.l, 1);
	}
	CHECK_STR(g.ears[0].seen, "first line|");
	CHECK_INT(write(fd, "a\nb\n\nc", 6), 6);
	RUN_UNTIL(&g, g.lines == 4);
	CHECK_STR(g.ears[0].seen, "first line|a|b||");
	CHECK_INT(write(fd, "d\n", 2), 2);
	RUN_UNTIL(&g, g.lines == 5);
	CHECK_STR(g.ears[0].seen, "first line|a|b||cd|");
	close(fd);
	RUN_UNTIL(&g, g.overs);
	end(&g);
}

static void half_a_line_is_dropped(void)
{
	struct stage g;
	int fd;

	begin(&g);
	fd = plain(g.path);
	CHECK_INT(write(fd, "whole\nhal", 9), 9);
	close(fd);
	RUN_UNTIL(&g, g.overs);
	CHECK_STR(g.ears[0].seen, "whole|");
	CHECK_ERR(g.ears[0].err, PEAL_OK);
	end(&g);
}

/* --- limits ------------------------------------------------------------- */

static char *long_line(size_t len)
{
	char *text = malloc(len + 1);

	REQUIRE(text != NULL);
	memset(text, 'x', len);
	text[len] = '\0';
	return text;
}

static void write_while_running(struct stage *g, int fd, const char *bytes,
				size_t len)
{
	ssize_t n;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (len && !g->overs) {
		n = write(fd, bytes, len);
		if (n < 0) {
			REQUIRE(errno == EAGAIN || errno == EPIPE);
			peal_loop_run(g->l, 1);
			continue;
		}
		bytes += n;
		len -= (size_t)n;
	}
}

static void the_longest_line(void)
{
	char *text = long_line(PEAL_LIMIT_CONTROL_LINE + 1);
	struct stage g;
	struct ear me;
	int fd;

	begin(&g);
	connect_ear(&g, &me);
	CHECK_ERR(peal_control_send(me.p, text, PEAL_LIMIT_CONTROL_LINE + 1),
		  PEAL_EINVAL);
	CHECK_ERR(peal_control_send(me.p, text, PEAL_LIMIT_CONTROL_LINE),
		  PEAL_OK);
	RUN_UNTIL(&g, g.lines == 1);
	CHECK_INT(g.ears[0].longest, PEAL_LIMIT_CONTROL_LINE);

	fd = plain(g.path);
	RUN_UNTIL(&g, g.peers == 2);
	write_while_running(&g, fd, text, PEAL_LIMIT_CONTROL_LINE + 1);
	RUN_UNTIL(&g, g.overs == 1);
	CHECK_ERR(g.ears[1].err, PEAL_ELIMIT);
	CHECK_INT(g.ears[1].lines, 0);
	close(fd);

	/* the same with its end in sight */
	text[PEAL_LIMIT_CONTROL_LINE] = '\n';
	g.overs = 0;
	fd = plain(g.path);
	RUN_UNTIL(&g, g.peers == 3);
	write_while_running(&g, fd, "x", 1);
	write_while_running(&g, fd, text, PEAL_LIMIT_CONTROL_LINE + 1);
	RUN_UNTIL(&g, g.overs == 1);
	CHECK_ERR(g.ears[2].err, PEAL_ELIMIT);
	close(fd);

	say(me.p, "alive");
	RUN_UNTIL(&g, g.lines == 2);
	peal_control_close(me.p);
	free(text);
	end(&g);
}

static void who_does_not_read_is_cut_off(void)
{
	char *text = long_line(100000);
	struct stage g;
	enum peal_err err = PEAL_OK;
	size_t sent = 0;
	int fd;

	begin(&g);
	fd = plain(g.path);
	RUN_UNTIL(&g, g.peers == 1);
	while (!err && sent < 100000000) {
		err = peal_control_send(g.ears[0].p, text, 100000);
		sent += 100000;
	}
	CHECK_ERR(err, PEAL_ELIMIT);
	CHECK(sent > PEAL_LIMIT_CONTROL_QUEUE);
	CHECK(sent < PEAL_LIMIT_CONTROL_QUEUE + (2 << 20));
	CHECK_INT(g.overs, 0); /* never from within the call */
	CHECK_ERR(peal_control_send(g.ears[0].p, "x", 1), PEAL_ELIMIT);
	RUN_UNTIL(&g, g.overs);
	CHECK_ERR(g.ears[0].err, PEAL_ELIMIT);
	CHECK_INT(g.ears[0].overs, 1);
	close(fd);
	free(text);
	end(&g);
}

/* A megabyte at a time to one that reads: nothing is lost, nobody is cut
 * off. */
static void a_slow_reader_gets_everything(void)
{
	char *text = long_line(PEAL_LIMIT_CONTROL_LINE);
	struct stage g;
	struct ear me;
	int i, n = 0;

	begin(&g);
	connect_ear(&g, &me);
	RUN_UNTIL(&g, g.peers == 1);
	for (i = 0; i < 30; i++) {
		while (n - me.lines >= 3)
			peal_loop_run(g.l, 1);
		CHECK_ERR(peal_control_send(g.ears[0].p, text,
					    PEAL_LIMIT_CONTROL_LINE - i),
			  PEAL_OK);
		n++;
	}
	RUN_UNTIL(&g, me.lines == 30);
	CHECK_INT(me.longest, PEAL_LIMIT_CONTROL_LINE);
	peal_control_close(me.p);
	free(text);
	end(&g);
}

static void one_too_many(void)
{
	struct ear *me = calloc(100, sizeof(*me));
	struct stage g;
	int i, heard = 0;

	REQUIRE(me != NULL);
	begin(&g);
	for (i = 0; i < 100; i++)
		connect_ear(&g, &me[i]);
	RUN_UNTIL(&g, g.peers == PEAL_LIMIT_CONTROL_PEERS &&
			      g.overs == 100 - PEAL_LIMIT_CONTROL_PEERS);
	for (i = 0; i < 100; i++)
		if (me[i].p)
			say(me[i].p, "here");
	RUN_UNTIL(&g, g.lines == PEAL_LIMIT_CONTROL_PEERS);
	/* one goes, the next one comes */
	for (i = 0; i < 100 && !me[i].p; i++)
		;
	peal_control_close(me[i].p);
	me[i].p = NULL;
	RUN_UNTIL(&g, g.overs == 101 - PEAL_LIMIT_CONTROL_PEERS);
	connect_ear(&g, &me[i]);
	say(me[i].p, "late");
	RUN_UNTIL(&g, g.peers == PEAL_LIMIT_CONTROL_PEERS + 1 &&
			      g.lines == PEAL_LIMIT_CONTROL_PEERS + 1);
	for (i = 0; i < 100; i++) {
		heard += me[i].p != NULL;
		peal_control_close(me[i].p);
	}
	CHECK_INT(heard, PEAL_LIMIT_CONTROL_PEERS);
	end(&g);
	free(me);
}

static int open_files(void)
{
	int i, n = 0;

	for (i = 0; i < 1024; i++)
		n += fcntl(i, F_GETFD) >= 0;
	return n;
}

static void many_come_and_go(void)
{
	struct stage g;
	struct ear me;
	int i, before;

	begin(&g);
	g.on_line = echo;
	before = open_files();
	for (i = 0; i < 100; i++) {
		g.peers = 0;
		memset(g.ears, 0, sizeof(g.ears[0]));
		connect_ear(&g, &me);
		say(me.p, "x");
		RUN_UNTIL(&g, me.lines == 1);
		peal_control_close(me.p);
		RUN_UNTIL(&g, g.ears[0].overs == 1);
	}
	CHECK_INT(open_files(), before);
	end(&g);
}

static void count_turn(uv_prepare_t *handle)
{
	++*(int *)handle->data;
}

static void stop(void *arg)
{
	struct stage *g = arg;

	peal_loop_stop(g->l);
}

/* Turns of the loop within `ms`. */
static int turns(struct stage *g, unsigned ms)
{
	uv_prepare_t handle;
	int n = 0;

	uv_prepare_init(peal_loop_uv(g->l), &handle);
	handle.data = &n;
	uv_prepare_start(&handle, count_turn);
	CHECK_ERR(peal_timer_start(NULL, g->l, ms, stop, g), PEAL_OK);
	peal_loop_run(g->l, 0);
	uv_close((uv_handle_t *)&handle, NULL);
	peal_loop_run(g->l, 1);
	return n;
}

static void out_of_descriptors(void)
{
	struct stage g;
	struct rlimit old, low;
	int fd, first;

	begin(&g);
	fd = plain(g.path);
	/* no number is free below the limit */
	first = dup(fd);
	REQUIRE(first >= 0);
	getrlimit(RLIMIT_NOFILE, &old);
	low = old;
	low.rlim_cur = (rlim_t)first + 1;
	setrlimit(RLIMIT_NOFILE, &low);
	CHECK(turns(&g, 300) < 12);
	CHECK_INT(g.peers, 0);
	setrlimit(RLIMIT_NOFILE, &old);
	RUN_UNTIL(&g, g.peers == 1);
	close(fd);
	close(first);
	RUN_UNTIL(&g, g.overs);
	end(&g);
}

static void an_idle_server_sleeps(void)
{
	struct stage g;
	struct ear me;

	begin(&g);
	connect_ear(&g, &me);
	RUN_UNTIL(&g, g.peers == 1);
	CHECK(turns(&g, 200) <= 3);
	peal_control_close(me.p);
	end(&g);
}

/* --- beginnings and ends ------------------------------------------------ */

static void sent_before_closed(void)
{
	char *text = long_line(PEAL_LIMIT_CONTROL_LINE);
	struct stage g;
	struct ear me;

	begin(&g);
	connect_ear(&g, &me);
	RUN_UNTIL(&g, g.peers == 1);
	say(g.ears[0].p, text); /* more than the system keeps */
	say(g.ears[0].p, "bye");
	peal_control_close(g.ears[0].p);
	RUN_UNTIL(&g, me.overs);
	CHECK_INT(me.lines, 2);
	CHECK_ERR(me.err, PEAL_OK);
	CHECK_INT(g.ears[0].overs, 0);
	free(text);
	end(&g);
}

/* Its words arrive though it did not listen to ours. */
static void last_words_are_heard(void)
{
	struct stage g;
	int fd;

	begin(&g);
	fd = plain(g.path);
	RUN_UNTIL(&g, g.peers == 1);
	say(g.ears[0].p, "unread");
	CHECK_INT(write(fd, "last\n", 5), 5);
	close(fd); /* a reset: it has not read */
	say(g.ears[0].p, "to nobody");
	RUN_UNTIL(&g, g.overs);
	CHECK_STR(g.ears[0].seen, "last|");
	CHECK_ERR(g.ears[0].err, PEAL_OK);
	end(&g);
}

static void close_in_line(struct ear *e, const char *line, size_t len)
{
	(void)line;
	(void)len;
	peal_control_close(e->p);
	e->p = NULL;
}

static void closed_from_within(void)
{
	struct stage g;
	struct ear me;

	begin(&g);
	g.on_line = close_in_line;
	connect_ear(&g, &me);
	say(me.p, "one");
	say(me.p, "two");
	RUN_UNTIL(&g, me.overs);
	CHECK_STR(g.ears[0].seen, "one|");
	CHECK_INT(g.ears[0].overs, 0);
	end(&g);
}

static void flood_in_line(struct ear *e, const char *line, size_t len)
{
	static char text[100000];
	int i;

	(void)line;
	(void)len;
	memset(text, 'x', sizeof(text));
	for (i = 0; i < 100; i++)
		peal_control_send(e->p, text, sizeof(text));
	peal_control_close(e->p); /* after it has failed */
	e->p = NULL;
}

static void failed_then_closed(void)
{
	struct stage g;
	int fd;

	begin(&g);
	g.on_line = flood_in_line;
	fd = plain(g.path);
	CHECK_INT(write(fd, "a\nb\n", 4), 4);
	RUN_UNTIL(&g, g.lines);
	turns(&g, 0);
	CHECK_INT(g.ears[0].lines, 1);
	CHECK_INT(g.ears[0].overs, 0);
	close(fd);
	end(&g);
}

static void free_in_line(struct ear *e, const char *line, size_t len)
{
	(void)line;
	(void)len;
	peal_control_server_free(e->stage->s);
	e->stage->s = NULL;
}

static void freed_with_peers(void)
{
	struct stage g;
	struct ear me[3];
	int i;

	begin(&g);
	g.on_line = free_in_line;
	for (i = 0; i < 3; i++)
		connect_ear(&g, &me[i]);
	RUN_UNTIL(&g, g.peers == 3);
	say(g.ears[0].p, "first");
	say(me[1].p, "free");
	RUN_UNTIL(&g, g.overs == 6);
	for (i = 0; i < 3; i++) {
		CHECK_ERR(g.ears[i].err, PEAL_ECANCELED);
		CHECK_ERR(me[i].err, PEAL_OK);
	}
	CHECK(me[0].lines + me[1].lines + me[2].lines == 1);
	end(&g);

	begin(&g); /* in the callback about a new peer */
	g.free_it = 1;
	connect_ear(&g, &me[0]);
	RUN_UNTIL(&g, me[0].overs);
	end(&g);
}

static void not_accepted_is_closed(void)
{
	struct stage g;
	struct ear me;

	begin(&g);
	g.refuse = 1;
	connect_ear(&g, &me);
	RUN_UNTIL(&g, me.overs);
	CHECK_INT(g.peers, 1);
	CHECK_ERR(me.err, PEAL_OK);
	end(&g);
}

static void the_loop_goes_first(void)
{
	struct stage g;
	struct ear me;

	begin(&g);
	connect_ear(&g, &me);
	RUN_UNTIL(&g, g.peers == 1);
	say(me.p, "x");
	peal_loop_free(g.l);
	CHECK_INT(g.overs + g.lines, 0);
	CHECK(access(g.path, F_OK) != 0);
	rmdir(g.dir);
}

/* --- paths and users ---------------------------------------------------- */

static void nobody_listens(void)
{
	struct peal_control_peer *p = NULL;
	struct peal_reason reason;
	struct stage g;
	char path[500];
	FILE *f;

	begin(&g);
	snprintf(path, sizeof(path), "%s/none", g.dir);
	CHECK_ERR(peal_control_connect(&p, g.l, path, &reason), PEAL_ENOENT);
	CHECK(strstr(reason.text, "nobody listens at") != NULL);
	CHECK_ERR(peal_control_connect(&p, g.l, "/none/none", NULL),
		  PEAL_ENOENT);
	CHECK_ERR(peal_control_connect(&p, g.l, "", NULL), PEAL_EINVAL);
	f = fopen(path, "w");
	fclose(f);
	CHECK_ERR(peal_control_connect(&p, g.l, path, &reason), PEAL_ENOENT);
	CHECK(p == NULL);
	unlink(path);
	end(&g);
}

static void a_dead_socket_is_replaced(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct peal_control_server *other;
	struct stage g;
	struct ear me;
	char path[500];
	FILE *f;
	int fd;

	begin(&g);
	peal_control_server_free(g.s);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	strcpy(sa.sun_path, g.path);
	CHECK_INT(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	close(fd);
	CHECK_INT(plain(g.path), -1);
	CHECK_ERR(peal_control_connect(&me.p, g.l, g.path, NULL), PEAL_ENOENT);
	REQUIRE(peal_control_listen(&g.s, g.l, g.path, on_peer, &g, NULL) ==
		PEAL_OK);
	connect_ear(&g, &me);
	RUN_UNTIL(&g, g.peers == 1);
	peal_control_close(me.p);

	/* a file is not */
	snprintf(path, sizeof(path), "%s/file", g.dir);
	f = fopen(path, "w");
	fclose(f);
	CHECK_ERR(peal_control_listen(&other, g.l, path, on_peer, &g, NULL),
		  PEAL_EEXIST);
	CHECK(access(path, F_OK) == 0);
	unlink(path);
	end(&g);
}

static void another_ones_socket_stays(void)
{
	struct peal_control_server *late;
	struct stage g;

	begin(&g);
	REQUIRE(peal_control_listen(&late, g.l, g.path, on_peer, &g, NULL) ==
		PEAL_OK);
	peal_control_server_free(g.s);
	g.s = late;
	CHECK(access(g.path, F_OK) == 0);
	end(&g);
}

static void a_long_path_works(void)
{
	struct peal_control_server *s;
	struct peal_control_peer *p;
	struct stage g;
	char dir[400], path[600];
	int before;

	begin(&g);
	snprintf(dir, sizeof(dir), "%s/%0200d", g.dir, 1);
	REQUIRE(mkdir(dir, 0700) == 0);
	snprintf(path, sizeof(path), "%s/control", dir);
	before = open_files();
	REQUIRE(peal_control_listen(&s, g.l, path, on_peer, &g, NULL) ==
		PEAL_OK);
	REQUIRE(peal_control_connect(&p, g.l, path, NULL) == PEAL_OK);
	RUN_UNTIL(&g, g.peers == 1);
	peal_control_close(p);
	RUN_UNTIL(&g, g.overs);
	peal_control_server_free(s);
	turns(&g, 0);
	CHECK_INT(open_files(), before);
	CHECK(access(path, F_OK) != 0);
	/* a name that fits nowhere */
	snprintf(path, sizeof(path), "%s/%0150d", g.dir, 1);
	CHECK_ERR(peal_control_listen(&s, g.l, path, on_peer, &g, NULL),
		  PEAL_ELIMIT);
	rmdir(dir);
	end(&g);
}

/* As another user: says what it got. */
static int stranger(const char *path)
{
	char c;
	int fd;

	if (setgid(65534) || setuid(65534))
		return 3;
	fd = plain(path);
	if (fd < 0)
		return errno == EACCES ? 1 : 3;
	if (write(fd, "let me in\n", 10) < 0 && errno != EPIPE)
		return 3;
	return read(fd, &c, 1) <= 0 ? 2 : 0;
}

static int stranger_runs(struct stage *g)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		_exit(stranger(g->path));
	while (waitpid(pid, &status, WNOHANG) == 0)
		turns(g, 5);
	return WEXITSTATUS(status);
}

static void strangers_are_not_heard(void)
{
	struct stage g;

	if (geteuid() != 0) {
		printf("skipped, needs root: strangers are not heard\n");
		return;
	}
	signal(SIGPIPE, SIG_IGN);
	begin(&g);
	chmod(g.dir, 0755);
	CHECK_INT(stranger_runs(&g), 1); /* the mode of the socket */
	chmod(g.path, 0666);
	CHECK_INT(stranger_runs(&g), 2); /* and its uid */
	CHECK_INT(g.peers, 0);
	end(&g);
}

/* A listener of another user's is not believed, unless it is root's. */
static void a_strangers_socket_is_not_used(void)
{
	struct peal_control_peer *p = NULL;
	struct peal_reason reason;
	struct stage g;

	if (geteuid() != 0) {
		printf("skipped, needs root: a stranger's socket\n");
		return;
	}
	begin(&g);
	peal_control_server_free(g.s);
	chmod(g.dir, 0777);
	REQUIRE(seteuid(65534) == 0);
	REQUIRE(peal_control_listen(&g.s, g.l, g.path, on_peer, &g, NULL) ==
		PEAL_OK);
	REQUIRE(seteuid(0) == 0);
	chmod(g.path, 0666);
	REQUIRE(seteuid(65533) == 0);
	CHECK_ERR(peal_control_connect(&p, g.l, g.path, &reason), PEAL_EPERM);
	CHECK(strstr(reason.text, "another user") != NULL);
	REQUIRE(seteuid(0) == 0);
	CHECK_ERR(peal_control_connect(&p, g.l, g.path, NULL), PEAL_OK);
	peal_control_close(p);
	end(&g);
}

/* --- memory ------------------------------------------------------------- */

static struct stage sweep;

static int work(void *arg)
{
	static struct ear me;
	struct stage *g = arg;
	enum peal_err err;
	int result = 1, i;

	g->peers = g->lines = g->overs = 0;
	g->s = NULL;
	memset(g->ears, 0, sizeof(g->ears[0]));
	memset(&me, 0, sizeof(me));
	me.stage = g;
	if (peal_loop_new(&g->l))
		return 1;
	if (peal_control_listen(&g->s, g->l, g->path, on_peer, g, NULL) ||
	    peal_control_connect(&me.p, g->l, g->path, NULL))
		goto out;
	peal_control_accept(me.p, hear, over, &me);
	g->on_line = NULL;
	err = peal_control_send(me.p, "hello", 5);
	for (i = 0; i < 3 && !err && !g->lines && !g->overs; i++)
		peal_loop_run(g->l, 1);
	if (g->lines && g->ears[0].p)
		err = peal_control_send(g->ears[0].p, "world", 5);
	for (i = 0; i < 3 && !err && g->lines < 2 && !g->overs; i++)
		peal_loop_run(g->l, 1);
	result = g->lines != 2;
	peal_control_close(me.p);
out:
	peal_control_server_free(g->s);
	peal_loop_free(g->l);
	return result;
}

static void every_allocation_may_fail(void)
{
	memset(&sweep, 0, sizeof(sweep));
	strcpy(sweep.dir, "/tmp/peal-test-XXXXXX");
	REQUIRE(mkdtemp(sweep.dir) != NULL);
	snprintf(sweep.path, sizeof(sweep.path), "%s/control", sweep.dir);
	CHECK(alloc_fail_each(work, &sweep) >= 6);
	rmdir(sweep.dir);
}

int main(int argc, char **argv)
{
	static const struct test_case cases[] = {
		{ "lines go both ways", lines_go_both_ways },
		{ "a newline is not sent", a_newline_is_not_sent },
		{ "pieces become lines", pieces_become_lines },
		{ "half a line is dropped", half_a_line_is_dropped },
		{ "the longest line", the_longest_line },
		{ "who does not read is cut off",
		  who_does_not_read_is_cut_off },
		{ "a slow reader gets everything",
		  a_slow_reader_gets_everything },
		{ "one too many", one_too_many },
		{ "many come and go", many_come_and_go },
		{ "out of descriptors", out_of_descriptors },
		{ "an idle server sleeps", an_idle_server_sleeps },
		{ "sent before closed", sent_before_closed },
		{ "last words are heard", last_words_are_heard },
		{ "closed from within", closed_from_within },
		{ "failed then closed", failed_then_closed },
		{ "freed with peers", freed_with_peers },
		{ "not accepted is closed", not_accepted_is_closed },
		{ "the loop goes first", the_loop_goes_first },
		{ "nobody listens", nobody_listens },
		{ "a dead socket is replaced", a_dead_socket_is_replaced },
		{ "another one's socket stays", another_ones_socket_stays },
		{ "a long path works", a_long_path_works },
		{ "strangers are not heard", strangers_are_not_heard },
		{ "a stranger's socket is not used",
		  a_strangers_socket_is_not_used },
		{ "every allocation may fail", every_allocation_may_fail },
	};

	signal(SIGPIPE, SIG_IGN);
	REQUIRE(peal_alloc_hook_libraries() == PEAL_OK);
	return test_main(cases, sizeof(cases) / sizeof(*cases), argc, argv);
}
