/* tcp.c - require "support.tcp": a server that says what it was told to say,
 * for answers that no decent server gives.
 *
 *   s = tcp.serve(answers, [address])   on a free port, in a process of its own
 *     answers  one for each connection, the last one for all that follow:
 *       "bytes"                  written after the request, then closed
 *       { "bytes", endless = piece }   then the piece, until the peer goes
 *       { "bytes", at_once = true }    without waiting for a request
 *       { hold = true }          nothing, until the peer goes
 *       { "bytes", relay = port, after = n }   as that server on 127.0.0.1
 *                                answers, cut off after n bytes; then the bytes
 *   s:port()   s:request(seconds) -> bytes | nil   in order of arrival
 *   s:close() */
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>

#include "support.h"

#define TYPE "support.tcp"

enum { REQUEST_MAX = 65536, CHUNK = 16384 };

struct server {
	pid_t pid;
	int log; /* our end of the log: one packet a request */
	int port;
};

/* --- in the child ------------------------------------------------------- */

static int write_all(int fd, const char *bytes, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = send(fd, bytes, len, MSG_NOSIGNAL);
		if (n <= 0)
			return 0;
		bytes += n;
		len -= (size_t)n;
	}
	return 1;
}

/* Bytes that follow the headers. */
static size_t body_length(const char *request)
{
	const char *at = strcasestr(request, "\r\nContent-Length:");

	return at ? strtoul(at + 17, NULL, 10) : 0;
}

static size_t read_request(int fd, char *bytes)
{
	size_t len = 0, wanted = 0;
	const char *end;
	ssize_t n;

	while (len < REQUEST_MAX - 1) {
		n = recv(fd, bytes + len, REQUEST_MAX - 1 - len, 0);
		if (n <= 0)
			break;
		len += (size_t)n;
		bytes[len] = '\0';
		end = strstr(bytes, "\r\n\r\n");
		if (!end)
			continue;
		wanted = (size_t)(end + 4 - bytes) + body_length(bytes);
		if (len >= wanted)
			break;
	}
	return len;
}

/* Until the peer has gone: an early close would be a reset, which throws away
 * what it has not read yet. */
static void drain(int fd)
{
	char bytes[CHUNK];

	while (recv(fd, bytes, sizeof(bytes), 0) > 0)
		;
}

static int connected_to(int port)
{
	struct sockaddr_in a;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	memset(&a, 0, sizeof(a));
	a.sin_family = AF_INET;
	a.sin_port = htons((uint16_t)port);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)))
		_exit(1);
	return fd;
}

static void relay(int fd, int port, size_t after)
{
	struct pollfd fds[2] = { { fd, POLLIN, 0 },
				 { connected_to(port), POLLIN, 0 } };
	char bytes[CHUNK];
	ssize_t n;

	while (after > 0 && poll(fds, 2, -1) > 0) {
		if (fds[0].revents) {
			n = recv(fd, bytes, sizeof(bytes), 0);
			if (n <= 0 || !write_all(fds[1].fd, bytes, (size_t)n))
				break;
		}
		if (fds[1].revents) {
			n = recv(fds[1].fd, bytes,
				 after < CHUNK ? after : CHUNK, 0);
			if (n <= 0 || !write_all(fd, bytes, (size_t)n))
				break;
			after -= (size_t)n;
		}
	}
	close(fds[1].fd);
}

/* The answer is on top of the stack: a copy of the parent's. */
static void answer(lua_State *L, int fd)
{
	const char *bytes, *piece;
	size_t len, piece_len;

	if (lua_type(L, -1) == LUA_TSTRING) {
		bytes = lua_tolstring(L, -1, &len);
		write_all(fd, bytes, len);
		return;
	}
	lua_rawgeti(L, -1, 1);
	bytes = lua_tolstring(L, -1, &len);
	lua_getfield(L, -2, "endless");
	piece = lua_tolstring(L, -1, &piece_len);
	if (bytes && !write_all(fd, bytes, len))
		return;
	while (piece && write_all(fd, piece, piece_len))
		;
}

static lua_Integer number(lua_State *L, const char *key)
{
	lua_Integer n;

	if (!lua_istable(L, -1))
		return 0;
	lua_getfield(L, -1, key);
	n = lua_isboolean(L, -1) ? lua_toboolean(L, -1) : lua_tointeger(L, -1);
	lua_pop(L, 1);
	return n;
}

static void serve_one(lua_State *L, int fd, int log)
{
	static char request[REQUEST_MAX];
	lua_Integer port = number(L, "relay"), after = number(L, "after");
	int hold = number(L, "hold") != 0;
	size_t len;

	if (port) {
		relay(fd, (int)port, (size_t)after);
	} else {
		len = number(L, "at_once") ? 0 : read_request(fd, request);
		send(log, request, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	answer(L, fd);
	if (!hold)
		shutdown(fd, SHUT_WR);
	drain(fd);
	close(fd);
}

/* The rest is the parent's, which may close it and mean it. */
static void close_others(int a, int b)
{
	unsigned lo = (unsigned)(a < b ? a : b), hi = (unsigned)(a < b ? b : a);

	if (lo > 3)
		syscall(SYS_close_range, 3U, lo - 1, 0U);
	if (hi > lo + 1)
		syscall(SYS_close_range, lo + 1, hi - 1, 0U);
	syscall(SYS_close_range, hi + 1, ~0U, 0U);
}

static void child(lua_State *L, int listener, int log, pid_t parent)
{
	lua_Integer count = (lua_Integer)lua_rawlen(L, 1), i;
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	close_others(listener, log);
	for (i = 1;; i += i < count) {
		fd = accept(listener, NULL, NULL);
		if (fd < 0)
			_exit(1);
		lua_settop(L, 1);
		lua_rawgeti(L, 1, i);
		serve_one(L, fd, log);
	}
}

/* --- in the parent ------------------------------------------------------ */

static int listener_on(const char *text, int *port)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memset(&a, 0, sizeof(a));
	a.sin_family = AF_INET;
	if (fd < 0 || inet_pton(AF_INET, text, &a.sin_addr) != 1 ||
	    bind(fd, (struct sockaddr *)&a, len) || listen(fd, 16) ||
	    getsockname(fd, (struct sockaddr *)&a, &len)) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	*port = ntohs(a.sin_port);
	return fd;
}

static void check_answers(lua_State *L)
{
	lua_Integer i, count;

	luaL_checktype(L, 1, LUA_TTABLE);
	count = (lua_Integer)lua_rawlen(L, 1);
	luaL_argcheck(L, count > 0, 1, "no answer");
	for (i = 1; i <= count; i++) {
		lua_rawgeti(L, 1, i);
		luaL_argcheck(
			L, lua_type(L, -1) == LUA_TSTRING || lua_istable(L, -1),
			1, "answers are strings or tables");
		lua_pop(L, 1);
	}
}

/* serve(answers, [address]) -> server */
static int l_serve(lua_State *L)
{
	const char *address = luaL_optstring(L, 2, "127.0.0.1");
	struct server *s;
	pid_t parent = getpid();
	int listener, logs[2];

	check_answers(L);
	s = lua_newuserdatauv(L, sizeof(*s), 0);
	s->pid = 0;
	s->log = -1;
	luaL_setmetatable(L, TYPE);
	listener = listener_on(address, &s->port);
	if (listener < 0)
		return luaL_error(L, "cannot listen on %s", address);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, logs)) {
		close(listener);
		return luaL_error(L, "no socket pair");
	}
	s->log = logs[0];
	s->pid = fork();
	if (s->pid == 0)
		child(L, listener, logs[1], parent);
	close(listener);
	close(logs[1]);
	if (s->pid < 0) {
		s->pid = 0;
		return luaL_error(L, "cannot fork");
	}
	return 1;
}

static int l_port(lua_State *L)
{
	struct server *s = luaL_checkudata(L, 1, TYPE);

	lua_pushinteger(L, s->port);
	return 1;
}

static int l_request(lua_State *L)
{
	struct server *s = luaL_checkudata(L, 1, TYPE);
	int ms = (int)(luaL_optnumber(L, 2, 0) * 1000);
	struct pollfd fd = { s->log, POLLIN, 0 };
	luaL_Buffer b;
	char *bytes;
	ssize_t n;

	poll(&fd, 1, ms);
	bytes = luaL_buffinitsize(L, &b, REQUEST_MAX);
	n = recv(s->log, bytes, REQUEST_MAX, MSG_DONTWAIT);
	if (n <= 0)
		return 0;
	luaL_pushresultsize(&b, (size_t)n);
	return 1;
}

static int l_close(lua_State *L)
{
	struct server *s = luaL_checkudata(L, 1, TYPE);

	if (s->pid) {
		kill(s->pid, SIGKILL);
		waitpid(s->pid, NULL, 0);
		s->pid = 0;
	}
	if (s->log >= 0)
		close(s->log);
	s->log = -1;
	return 0;
}

int luaopen_support_tcp(lua_State *L)
{
	static const luaL_Reg functions[] = { { "serve", l_serve },
					      { NULL, NULL } };
	static const luaL_Reg meta[] = { { "__gc", l_close },
					 { "__close", l_close },
					 { NULL, NULL } };
	static const luaL_Reg methods[] = { { "close", l_close },
					    { "port", l_port },
					    { "request", l_request },
					    { NULL, NULL } };

	luaL_newmetatable(L, TYPE);
	luaL_setfuncs(L, meta, 0);
	lua_newtable(L);
	luaL_setfuncs(L, methods, 0);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
	luaL_newlib(L, functions);
	return 1;
}
