/* process.c - require "support.process": programs, datagrams and files for
 * the specs, waited for by events and never by sleeping.
 *
 *   p = process.spawn(argv, {env=, cwd=, stdin=, stdout=, stderr=, path=})
 *     env     table of additions (false removes); cwd a folder
 *     stdin   a udp endpoint to inherit; else /dev/null
 *     stdout, stderr   files to append to; else /dev/null
 *     pty     true: a terminal of its own instead of the three
 *     p:pid() p:kill([signal]) p:wait(seconds) -> "exited"|"killed", number
 *     or nil when it still runs
 *   The child is the leader of a group of its own. It dies with us; a group
 *   that is collected is killed.
 *     p:read(seconds) -> bytes | nil, "eof" or "timeout"; p:write(bytes)
 *     p:resize(rows, columns)   of its terminal, which p:hang_up() closes;
 *     p:cooked() -> does it echo and edit by itself, as a shell wants it?
 *   process.udp([address]) -> u   bound to a free port
 *     u.port() u:recv(seconds) -> bytes, address, port | nil
 *     u:send(address, port, bytes) u:close()
 *   process.free_port("tcp"|"udp", [address])
 *   process.connects(address, port) -> boolean, at once
 *   process.grown(path, size, seconds, [p]) -> size | nil
 *     waits until the file is larger than size, the time is over, or p ended
 *   process.temp_dir() process.mkdir(path) process.remove(path), folders too,
 *   process.chmod(path, mode) process.uid() process.now(), monotonic s */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>

#include "support.h"

#define TYPE "support.process"
#define TYPE_UDP "support.udp"

enum { ARGS_MAX = 128, ENV_MAX = 256, DATAGRAM = 65536 };

struct process {
	pid_t pid; /* 0: reaped */
	int fd;    /* pidfd */
	int how, number;
	int terminal; /* our side, or -1 */
	pid_t keeper; /* of the terminal's session */
	int leash;    /* closed, it ends */
};

struct udp {
	int fd;
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int left_ms(double deadline)
{
	double ms = (deadline - now()) * 1000;

	return ms <= 0 ? 0 : ms > 1e8 ? 100000000 : (int)ms + 1;
}

static int failed(lua_State *L, const char *what)
{
	int err = errno;

	lua_pushnil(L);
	lua_pushfstring(L, "%s: %s", what, strerror(err));
	return 2;
}

/* --- spawning ---------------------------------------------------------- */

struct plan {
	const char *argv[ARGS_MAX + 1];
	const char *env[ENV_MAX + 1];
	const char *cwd, *out, *err;
	int in;
	int pty, terminal; /* its side, or -1 */
};

static void read_argv(lua_State *L, int index, struct plan *plan)
{
	int i;

	luaL_checktype(L, index, LUA_TTABLE);
	for (i = 0; lua_rawgeti(L, index, i + 1) != LUA_TNIL; i++) {
		luaL_argcheck(L, i < ARGS_MAX, index, "too many arguments");
		luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, index,
			      "arguments are strings");
		plan->argv[i] = lua_tostring(L, -1);
		lua_pop(L, 1); /* the table holds it */
	}
	lua_pop(L, 1);
	luaL_argcheck(L, i > 0, index, "no program");
	plan->argv[i] = NULL;
}

static int overridden(lua_State *L, int env, const char *entry)
{
	const char *eq = strchr(entry, '=');
	int type;

	if (!eq)
		return 1;
	lua_pushlstring(L, entry, (size_t)(eq - entry));
	type = lua_gettable(L, env);
	lua_pop(L, 1);
	return type != LUA_TNIL;
}

/* Ours, with additions. New texts stay on the stack. */
static void read_env(lua_State *L, int env, struct plan *plan)
{
	char **e;
	int n = 0;

	for (e = environ; *e && n < ENV_MAX; e++)
		if (!env || !overridden(L, env, *e))
			plan->env[n++] = *e;
	if (env) {
		lua_pushnil(L);
		while (lua_next(L, env) && n < ENV_MAX) {
			if (lua_isstring(L, -1)) {
				luaL_checkstack(L, 4, "environment");
				plan->env[n++] = lua_pushfstring(
					L, "%s=%s", lua_tostring(L, -2),
					lua_tostring(L, -1));
				lua_insert(L, -3);
			}
			lua_pop(L, 1);
		}
	}
	plan->env[n] = NULL;
}

static const char *field(lua_State *L, int index, const char *key)
{
	const char *text = NULL;

	if (lua_getfield(L, index, key) != LUA_TNIL)
		text = luaL_checkstring(L, -1);
	lua_pop(L, 1);
	return text;
}

static void read_options(lua_State *L, int index, struct plan *plan)
{
	struct udp *u;
	int env = 0;

	plan->in = -1;
	plan->terminal = -1;
	if (lua_isnoneornil(L, index)) {
		read_env(L, 0, plan);
		return;
	}
	luaL_checktype(L, index, LUA_TTABLE);
	plan->cwd = field(L, index, "cwd");
	plan->out = field(L, index, "stdout");
	plan->err = field(L, index, "stderr");
	if (lua_getfield(L, index, "stdin") != LUA_TNIL) {
		u = luaL_checkudata(L, -1, TYPE_UDP);
		plan->in = u->fd;
	}
	lua_pop(L, 1);
	lua_getfield(L, index, "pty");
	plan->pty = lua_toboolean(L, -1);
	lua_pop(L, 1);
	if (lua_getfield(L, index, "env") == LUA_TTABLE)
		env = lua_gettop(L);
	read_env(L, env, plan);
}

static void onto(int fd, const char *path, int flags, int target)
{
	if (fd < 0)
		fd = open(path ? path : "/dev/null", flags, 0644);
	if (fd < 0 || dup2(fd, target) < 0)
		_exit(126);
}

static void onto_streams(const struct plan *plan)
{
	int fd;

	if (plan->terminal < 0) {
		onto(plan->in, NULL, O_RDONLY, 0);
		onto(-1, plan->out, O_WRONLY | O_CREAT | O_APPEND, 1);
		onto(-1, plan->err, O_WRONLY | O_CREAT | O_APPEND, 2);
		return;
	}
	for (fd = 0; fd <= 2; fd++)
		onto(plan->terminal, NULL, 0, fd);
}

static void child(const struct plan *plan, pid_t parent)
{
	sigset_t none;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(125);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (plan->cwd && chdir(plan->cwd))
		_exit(126);
	onto_streams(plan);
	syscall(SYS_close_range, 3U, ~0U, 0U);
	execvpe(plan->argv[0], (char *const *)(uintptr_t)plan->argv,
		(char *const *)(uintptr_t)plan->env);
	_exit(127);
}

/* A new terminal: our side, and the child's in the plan. */
static int open_terminal(struct plan *plan)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (grantpt(fd) == 0 && unlockpt(fd) == 0)
		plan->terminal =
			open(ptsname(fd), O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (plan->terminal < 0 || ioctl(fd, TIOCSWINSZ, &size)) {
		close(fd);
		return -1;
	}
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static void set_signals(void (*fn)(int))
{
	static const int all[] = { SIGHUP, SIGINT, SIGQUIT, SIGTTOU };
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(*all); i++)
		signal(all[i], fn);
}

/* A terminal's session is led by a process of ours: when its leader ends, the
 * kernel throws away what nobody has read yet. The program is its sibling and
 * our child. */
static void keep_session(struct plan *plan, pid_t parent, int leash, int born)
{
	pid_t pid;
	char c;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	set_signals(SIG_IGN);
	/* nothing else stays open, least of all other keepers' leashes */
	if (dup2(plan->terminal, 0) || dup2(leash, 1) != 1 ||
	    dup2(born, 2) != 2 || syscall(SYS_close_range, 3U, ~0U, 0U))
		_exit(126);
	plan->terminal = 0;
	if (setsid() < 0 || ioctl(0, TIOCSCTTY, 0))
		_exit(126);
	pid = (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0) {
		setpgid(0, 0);
		tcsetpgrp(0, getpid());
		set_signals(SIG_DFL);
		child(plan, parent);
	}
	if (write(2, &pid, sizeof(pid)) != sizeof(pid))
		_exit(126);
	close(2);
	while (read(1, &c, 1) < 0 && errno == EINTR)
		;
	_exit(0);
}

/* The program's process; -1 and errno. */
static pid_t fork_at_terminal(struct process *p, struct plan *plan,
			      pid_t parent)
{
	int leash[2], born[2];
	pid_t pid = -1;

	if (pipe2(leash, O_CLOEXEC))
		return -1;
	if (pipe2(born, O_CLOEXEC)) {
		close(leash[0]);
		close(leash[1]);
		return -1;
	}
	p->keeper = fork();
	if (p->keeper == 0)
		keep_session(plan, parent, leash[0], born[1]);
	close(leash[0]);
	close(born[1]);
	p->leash = leash[1];
	if (p->keeper < 0 || read(born[0], &pid, sizeof(pid)) != sizeof(pid))
		pid = -1;
	close(born[0]);
	return pid;
}

/* spawn(argv, options) -> process | nil, sentence */
static int l_spawn(lua_State *L)
{
	struct plan plan;
	struct process *p;
	pid_t parent = getpid();

	memset(&plan, 0, sizeof(plan));
	lua_settop(L, 2);
	read_argv(L, 1, &plan);
	read_options(L, 2, &plan);
	p = lua_newuserdatauv(L, sizeof(*p), 0);
	memset(p, 0, sizeof(*p));
	p->fd = p->terminal = p->leash = -1;
	luaL_setmetatable(L, TYPE);
	if (plan.pty && (p->terminal = open_terminal(&plan)) < 0)
		return failed(L, "terminal");

	p->pid = plan.pty ? fork_at_terminal(p, &plan, parent) : fork();
	if (p->pid == 0)
		child(&plan, parent);
	if (plan.terminal >= 0)
		close(plan.terminal);
	if (p->pid < 0) {
		p->pid = 0;
		return failed(L, "fork");
	}
	setpgid(p->pid, p->pid); /* whoever of us comes first */
	p->fd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	if (p->fd < 0)
		return failed(L, "pidfd_open");
	return 1;
}

/* 1: over, and reaped. */
static int reap(struct process *p, int flags)
{
	int status;

	if (!p->pid)
		return 1;
	if (waitpid(p->pid, &status, flags) != p->pid)
		return 0;
	/* what it has started must not outlive it */
	kill(-p->pid, SIGKILL);
	p->pid = 0;
	p->how = WIFSIGNALED(status);
	p->number = p->how ? WTERMSIG(status) : WEXITSTATUS(status);
	return 1;
}

static int l_wait(lua_State *L)
{
	struct process *p = luaL_checkudata(L, 1, TYPE);
	double deadline = now() + luaL_checknumber(L, 2);
	struct pollfd fd = { p->fd, POLLIN, 0 };

	while (!reap(p, WNOHANG)) {
		if (left_ms(deadline) == 0)
			return 0;
		poll(&fd, 1, left_ms(deadline));
	}
	lua_pushstring(L, p->how ? "killed" : "exited");
	lua_pushinteger(L, p->number);
	return 2;
}

static int l_kill(lua_State *L)
{
	struct process *p = luaL_checkudata(L, 1, TYPE);
	int sig = (int)luaL_optinteger(L, 2, SIGTERM);

	lua_pushboolean(L, p->pid && kill(p->pid, sig) == 0);
	return 1;
}

static int l_pid(lua_State *L)
{
	struct process *p = luaL_checkudata(L, 1, TYPE);

	lua_pushinteger(L, p->pid);
	return 1;
}

/* --- a terminal --------------------------------------------------------- */

static struct process *check_terminal(lua_State *L)
{
	struct process *p = luaL_checkudata(L, 1, TYPE);

	luaL_argcheck(L, p->terminal >= 0, 1, "it has no terminal");
	return p;
}

/* Has it ended, and is all that it wrote read? The poll() brings up what is
 * still on its way. */
static int drained(const struct process *p)
{
	struct pollfd fds[2] = { { p->fd, POLLIN, 0 },
				 { p->terminal, POLLIN, 0 } };

	if (p->pid && poll(&fds[0], 1, 0) <= 0)
		return 0;
	return poll(&fds[1], 1, 0) <= 0;
}

static int l_read(lua_State *L)
{
	struct process *p = check_terminal(L);
	double deadline = now() + luaL_checknumber(L, 2);
	struct pollfd fds[2] = { { p->terminal, POLLIN, 0 },
				 { p->fd, POLLIN, 0 } };
	char bytes[4096];
	ssize_t n;

	for (;;) {
		n = read(p->terminal, bytes, sizeof(bytes));
		if (n > 0) {
			lua_pushlstring(L, bytes, (size_t)n);
			return 1;
		}
		if (n == 0 || (errno != EAGAIN && errno != EINTR) ||
		    drained(p)) {
			lua_pushnil(L);
			lua_pushliteral(L, "eof");
			return 2;
		}
		if (left_ms(deadline) == 0)
			break;
		poll(fds, 2, left_ms(deadline));
	}
	lua_pushnil(L);
	lua_pushliteral(L, "timeout");
	return 2;
}

/* A terminal takes only as much as its reader leaves room for. */
static int l_write(lua_State *L)
{
	struct process *p = check_terminal(L);
	double deadline = now() + 30;
	struct pollfd fd = { p->terminal, POLLOUT, 0 };
	size_t len;
	const char *bytes = luaL_checklstring(L, 2, &len);
	ssize_t n;

	while (len && left_ms(deadline)) {
		n = write(p->terminal, bytes, len);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return failed(L, "terminal");
		bytes += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
		if (n < 0)
			poll(&fd, 1, left_ms(deadline));
	}
	lua_pushboolean(L, len == 0);
	return 1;
}

static int l_resize(lua_State *L)
{
	struct process *p = check_terminal(L);
	struct winsize size = {
		.ws_row = (unsigned short)luaL_checkinteger(L, 2),
		.ws_col = (unsigned short)luaL_checkinteger(L, 3)
	};

	if (ioctl(p->terminal, TIOCSWINSZ, &size))
		return failed(L, "terminal");
	return 0;
}

static int l_hang_up(lua_State *L)
{
	struct process *p = luaL_checkudata(L, 1, TYPE);

	if (p->terminal >= 0)
		close(p->terminal);
	if (p->leash >= 0)
		close(p->leash);
	p->terminal = p->leash = -1;
	if (p->keeper > 0)
		waitpid(p->keeper, NULL, 0);
	p->keeper = 0;
	return 0;
}

static int l_cooked(lua_State *L)
{
	const tcflag_t all = ICANON | ECHO | ISIG;
	struct termios t;

	if (tcgetattr(check_terminal(L)->terminal, &t))
		return failed(L, "terminal");
	lua_pushboolean(L, (t.c_lflag & all) == all && (t.c_iflag & ICRNL) &&
				   (t.c_oflag & OPOST));
	return 1;
}

static int l_process_gc(lua_State *L)
{
	struct process *p = luaL_checkudata(L, 1, TYPE);

	if (p->pid) {
		kill(-p->pid, SIGKILL);
		kill(p->pid, SIGKILL);
		reap(p, 0);
	}
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
	return l_hang_up(L);
}

/* --- datagrams and ports ----------------------------------------------- */

static socklen_t address(lua_State *L, const char *text, int port,
			 struct sockaddr_storage *out)
{
	struct sockaddr_in *a = (struct sockaddr_in *)out;
	struct sockaddr_in6 *b = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &a->sin_addr) == 1) {
		a->sin_family = AF_INET;
		a->sin_port = htons((uint16_t)port);
		return sizeof(*a);
	}
	if (inet_pton(AF_INET6, text, &b->sin6_addr) != 1)
		luaL_error(L, "not an address: %s", text);
	b->sin6_family = AF_INET6;
	b->sin6_port = htons((uint16_t)port);
	return sizeof(*b);
}

static int port_of(const struct sockaddr_storage *a)
{
	return ntohs(a->ss_family == AF_INET6 ?
			     ((const struct sockaddr_in6 *)a)->sin6_port :
			     ((const struct sockaddr_in *)a)->sin_port);
}

/* A socket on a free port; -1 and errno. */
static int bound(lua_State *L, const char *text, int type, int *port)
{
	struct sockaddr_storage a;
	socklen_t len = address(L, text, 0, &a);
	int fd = socket(a.ss_family, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)&a, len) ||
	    getsockname(fd, (struct sockaddr *)&a, &len)) {
		close(fd);
		return -1;
	}
	*port = port_of(&a);
	return fd;
}

static int l_free_port(lua_State *L)
{
	static const char *const kinds[] = { "tcp", "udp", NULL };
	int udp = luaL_checkoption(L, 1, "tcp", kinds);
	int port, fd = bound(L, luaL_optstring(L, 2, "127.0.0.1"),
			     udp ? SOCK_DGRAM : SOCK_STREAM, &port);

	if (fd < 0)
		return failed(L, "no port");
	close(fd);
	lua_pushinteger(L, port);
	return 1;
}

static int l_connects(lua_State *L)
{
	struct sockaddr_storage a;
	socklen_t len = address(L, luaL_checkstring(L, 1),
				(int)luaL_checkinteger(L, 2), &a);
	int fd = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	lua_pushboolean(L, fd >= 0 && connect(fd, (struct sockaddr *)&a, len) ==
					      0);
	if (fd >= 0)
		close(fd);
	return 1;
}

static int l_udp(lua_State *L)
{
	const char *text = luaL_optstring(L, 1, "127.0.0.1");
	struct udp *u = lua_newuserdatauv(L, sizeof(*u), 0);
	int port;

	u->fd = -1;
	luaL_setmetatable(L, TYPE_UDP);
	u->fd = bound(L, text, SOCK_DGRAM, &port);
	if (u->fd < 0)
		return failed(L, "no port");
	return 1;
}

static struct udp *check_udp(lua_State *L)
{
	struct udp *u = luaL_checkudata(L, 1, TYPE_UDP);

	luaL_argcheck(L, u->fd >= 0, 1, "endpoint is closed");
	return u;
}

static int l_port(lua_State *L)
{
	struct sockaddr_storage a;
	socklen_t len = sizeof(a);

	memset(&a, 0, sizeof(a));
	getsockname(check_udp(L)->fd, (struct sockaddr *)&a, &len);
	lua_pushinteger(L, port_of(&a));
	return 1;
}

static int l_recv(lua_State *L)
{
	struct udp *u = check_udp(L);
	double deadline = now() + luaL_optnumber(L, 2, 0);
	struct pollfd fd = { u->fd, POLLIN, 0 };
	struct sockaddr_storage a;
	socklen_t len = sizeof(a);
	char text[INET6_ADDRSTRLEN] = "";
	luaL_Buffer b;
	char *bytes;
	ssize_t n;

	while (poll(&fd, 1, left_ms(deadline)) < 0 && errno == EINTR)
		;
	bytes = luaL_buffinitsize(L, &b, DATAGRAM);
	n = recvfrom(u->fd, bytes, DATAGRAM, MSG_DONTWAIT,
		     (struct sockaddr *)&a, &len);
	if (n < 0)
		return 0;
	luaL_pushresultsize(&b, (size_t)n);
	inet_ntop(a.ss_family,
		  a.ss_family == AF_INET6 ?
			  (void *)&((struct sockaddr_in6 *)&a)->sin6_addr :
			  (void *)&((struct sockaddr_in *)&a)->sin_addr,
		  text, sizeof(text));
	lua_pushstring(L, text);
	lua_pushinteger(L, port_of(&a));
	return 3;
}

static int l_send(lua_State *L)
{
	struct udp *u = check_udp(L);
	struct sockaddr_storage a;
	socklen_t len = address(L, luaL_checkstring(L, 2),
				(int)luaL_checkinteger(L, 3), &a);
	size_t n;
	const char *bytes = luaL_checklstring(L, 4, &n);

	if (sendto(u->fd, bytes, n, 0, (struct sockaddr *)&a, len) < 0)
		return failed(L, "send");
	lua_pushboolean(L, 1);
	return 1;
}

static int l_close(lua_State *L)
{
	struct udp *u = luaL_checkudata(L, 1, TYPE_UDP);

	if (u->fd >= 0)
		close(u->fd);
	u->fd = -1;
	return 0;
}

/* --- files ------------------------------------------------------------- */

static long long size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -1 : (long long)st.st_size;
}

/* An inotify descriptor on the file's folder: it may not exist yet. */
static int watch_folder(const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 1;
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (fd < 0 || n >= sizeof(folder))
		return fd;
	memcpy(folder, slash ? path : ".", n);
	folder[n] = '\0';
	inotify_add_watch(fd, folder, IN_CREATE | IN_MODIFY | IN_MOVED_TO);
	return fd;
}

static int l_grown(lua_State *L)
{
	const char *path = luaL_checkstring(L, 1);
	long long before = luaL_optinteger(L, 2, -1), size;
	double deadline = now() + luaL_checknumber(L, 3);
	struct process *p = luaL_testudata(L, 4, TYPE);
	struct pollfd fds[2] = { { watch_folder(path), POLLIN, 0 },
				 { p ? p->fd : -1, POLLIN, 0 } };
	char events[4096];

	/* watched first, looked at then: nothing is missed */
	for (;;) {
		size = size_of(path);
		if (size > before || left_ms(deadline) == 0 ||
		    (fds[1].revents & POLLIN))
			break;
		poll(fds, 2, left_ms(deadline));
		while (read(fds[0].fd, events, sizeof(events)) > 0)
			;
	}
	if (fds[0].fd >= 0)
		close(fds[0].fd);
	if (size <= before)
		return 0;
	lua_pushinteger(L, size);
	return 1;
}

static int l_temp_dir(lua_State *L)
{
	char path[] = "/tmp/peal-test-XXXXXX";

	if (!mkdtemp(path))
		return failed(L, path);
	chmod(path, 0755); /* servers that gave up root read from it */
	lua_pushstring(L, path);
	return 1;
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static int l_remove(lua_State *L)
{
	const char *path = luaL_checkstring(L, 1);

	lua_pushboolean(L,
			nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
	return 1;
}

static int l_mkdir(lua_State *L)
{
	const char *path = luaL_checkstring(L, 1);

	if (mkdir(path, (mode_t)luaL_optinteger(L, 2, 0755)))
		return failed(L, path);
	lua_pushvalue(L, 1);
	return 1;
}

static int l_chmod(lua_State *L)
{
	const char *path = luaL_checkstring(L, 1);

	if (chmod(path, (mode_t)luaL_checkinteger(L, 2)))
		return failed(L, path);
	lua_pushboolean(L, 1);
	return 1;
}

static int l_uid(lua_State *L)
{
	lua_pushinteger(L, geteuid());
	return 1;
}

static int l_now(lua_State *L)
{
	lua_pushnumber(L, now());
	return 1;
}

static void new_type(lua_State *L, const char *name, lua_CFunction gc,
		     const luaL_Reg *methods)
{
	luaL_newmetatable(L, name);
	lua_pushcfunction(L, gc);
	lua_setfield(L, -2, "__gc");
	lua_newtable(L);
	luaL_setfuncs(L, methods, 0);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
}

int luaopen_support_process(lua_State *L)
{
	static const luaL_Reg functions[] = { { "chmod", l_chmod },
					      { "connects", l_connects },
					      { "free_port", l_free_port },
					      { "grown", l_grown },
					      { "mkdir", l_mkdir },
					      { "now", l_now },
					      { "remove", l_remove },
					      { "spawn", l_spawn },
					      { "temp_dir", l_temp_dir },
					      { "udp", l_udp },
					      { "uid", l_uid },
					      { NULL, NULL } };
	static const luaL_Reg process[] = {
		{ "cooked", l_cooked }, { "hang_up", l_hang_up },
		{ "kill", l_kill },     { "pid", l_pid },
		{ "read", l_read },     { "resize", l_resize },
		{ "wait", l_wait },     { "write", l_write },
		{ NULL, NULL }
	};
	static const luaL_Reg udp[] = { { "close", l_close },
					{ "port", l_port },
					{ "recv", l_recv },
					{ "send", l_send },
					{ NULL, NULL } };

	new_type(L, TYPE, l_process_gc, process);
	new_type(L, TYPE_UDP, l_close, udp);
	luaL_newlib(L, functions);
	return 1;
}
