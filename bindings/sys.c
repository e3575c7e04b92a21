/* sys.c - require "peal.sys": clocks, dice and files, for worlds and tools.
 *
 *   sys.time()  sys.monotonic()                            seconds
 *   sys.random(n) octets   sys.random_int(lo, hi)          from the system
 *   sys.list(dir)  sys.stat(path)
 *   sys.rename(from, to)  sys.remove(path) -> true | nil, sentence, word
 *   sys.create(path, bytes) -> true | nil, sentence, word
 *       a new file that only its owner may read, on the disk when it returns
 *   sys.mkdir(path)  only its owner may enter
 *   sys.pid()
 *   sys.notify(text) -> true, or false where nobody asked to be told
 *   sys.watchdog() -> seconds | nil     the service manager waits so long
 *   sys.trim()      gives back memory that a waiting process can do without
 *   sys.no_core()   no dump of this process's memory: it holds private keys
 *   sys.local_address([peer]) -> text | nil
 *   sys.versions() -> { peal =, Lua =, libcurl = ... } */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "bindings.h"
#include "peal/net.h"
#include "peal/no_core.h"
#include "peal/trim.h"
#include "peal/version.h"

static int push_clock(lua_State *L, clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	lua_pushnumber(L, (lua_Number)t.tv_sec + (lua_Number)t.tv_nsec / 1e9);
	return 1;
}

static int l_time(lua_State *L)
{
	return push_clock(L, CLOCK_REALTIME);
}

static int l_monotonic(lua_State *L)
{
	return push_clock(L, CLOCK_MONOTONIC);
}

static int fail_errno(lua_State *L, int number, const char *what)
{
	struct peal_reason reason;

	peal_fail(&reason, PEAL_EIO, "%s: %s", what, strerror(number));
	return peal_lua_fail(L, peal_err_errno(number), &reason);
}

static void octets(lua_State *L, void *out, size_t len)
{
	unsigned char *p = out;
	ssize_t n;

	while (len) {
		n = getrandom(p, len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			luaL_error(L, "the system has no random octets");
		p += n;
		len -= (size_t)n;
	}
}

static int l_random(lua_State *L)
{
	lua_Integer n = luaL_checkinteger(L, 1);
	luaL_Buffer b;
	char *p;

	luaL_argcheck(L, n >= 0 && n <= 1 << 20, 1, "0..1048576 octets");
	p = luaL_buffinitsize(L, &b, (size_t)n);
	octets(L, p, (size_t)n);
	luaL_pushresultsize(&b, (size_t)n);
	return 1;
}

/* Draws again instead of taking a remainder: no value is likelier. */
static int l_random_int(lua_State *L)
{
	lua_Integer lo = luaL_checkinteger(L, 1), hi = luaL_checkinteger(L, 2);
	lua_Unsigned span, draw, limit;

	luaL_argcheck(L, lo <= hi, 2, "the interval is empty");
	span = (lua_Unsigned)hi - (lua_Unsigned)lo + 1; /* 0: all of them */
	limit = span ? (lua_Unsigned)-1 - (0 - span) % span : 0;
	do
		octets(L, &draw, sizeof(draw));
	while (span && draw > limit);
	if (span)
		draw %= span;
	lua_pushinteger(L, (lua_Integer)((lua_Unsigned)lo + draw));
	return 1;
}

struct dir {
	DIR *d;
};

static int l_dir_gc(lua_State *L)
{
	struct dir *b = lua_touserdata(L, 1);

	if (b->d)
		closedir(b->d);
	b->d = NULL;
	return 0;
}

static int compare(lua_State *L)
{
	lua_pushboolean(L, lua_compare(L, 1, 2, LUA_OPLT));
	return 1;
}

/* sys.list(dir) -> names, sorted, without "." and ".." | nil, ... */
static int l_list(lua_State *L)
{
	const char *path = luaL_checkstring(L, 1);
	struct dir *b = lua_newuserdatauv(L, sizeof(*b), 0);
	struct dirent *e;
	lua_Integer n = 0;

	b->d = NULL;
	lua_createtable(L, 0, 1);
	lua_pushcfunction(L, l_dir_gc);
	lua_setfield(L, -2, "__gc");
	lua_setmetatable(L, -2);
	b->d = opendir(path);
	if (!b->d)
		return fail_errno(L, errno, path);
	lua_getglobal(L, "table");
	lua_getfield(L, -1, "sort");
	lua_newtable(L);
	while ((e = readdir(b->d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		lua_pushstring(L, e->d_name);
		lua_rawseti(L, -2, ++n);
	}
	closedir(b->d);
	b->d = NULL;
	lua_pushvalue(L, -1);
	lua_insert(L, -3);
	lua_pushcfunction(L, compare);
	lua_call(L, 2, 0);
	return 1;
}

static const char *check_path(lua_State *L, int index)
{
	size_t len;
	const char *path = luaL_checklstring(L, index, &len);

	luaL_argcheck(L, strlen(path) == len, index, "a NUL in a path");
	return path;
}

static int done(lua_State *L, int rc, const char *what)
{
	if (rc)
		return fail_errno(L, errno, what);
	lua_pushboolean(L, 1);
	return 1;
}

/* sys.rename(from, to): in one step, in place of what is there */
static int l_rename(lua_State *L)
{
	const char *from = check_path(L, 1), *to = check_path(L, 2);

	return done(L, rename(from, to), from);
}

/* sys.remove(path): a file, or an empty folder */
static int l_remove(lua_State *L)
{
	const char *path = check_path(L, 1);

	return done(L, remove(path), path);
}

static int l_mkdir(lua_State *L)
{
	const char *path = check_path(L, 1);

	return done(L, mkdir(path, 0700), path);
}

static int l_pid(lua_State *L)
{
	lua_pushinteger(L, getpid());
	return 1;
}

/* Address of the service manager's socket: a path, or "@name" for one without
 * a file. 0: not an address. */
static socklen_t manager(const char *text, struct sockaddr_un *sa)
{
	size_t n = strlen(text);

	memset(sa, 0, sizeof(*sa));
	sa->sun_family = AF_UNIX;
	if ((text[0] != '/' && text[0] != '@') || n < 2 ||
	    n >= sizeof(sa->sun_path))
		return 0;
	memcpy(sa->sun_path, text, n);
	if (text[0] == '@')
		sa->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
}

static int tell(const struct sockaddr_un *sa, socklen_t sa_len,
		const char *text, size_t len)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int number = 0;

	if (fd < 0)
		return errno;
	if (sendto(fd, text, len, MSG_NOSIGNAL, (const struct sockaddr *)sa,
		   sa_len) < 0)
		number = errno;
	close(fd);
	return number;
}

static int l_no_core(lua_State *L)
{
	(void)L;
	peal_no_core();
	return 0;
}

/* sys.notify("READY=1") -> true | false | nil, sentence, word. Protocol of
 * sd_notify(3), which is all that there is to it. */
static int l_notify(lua_State *L)
{
	size_t len;
	const char *text = luaL_checklstring(L, 1, &len);
	const char *to = getenv("NOTIFY_SOCKET");
	struct peal_reason reason;
	struct sockaddr_un sa;
	socklen_t sa_len;
	int number;

	if (!to || !*to) {
		lua_pushboolean(L, 0);
		return 1;
	}
	sa_len = manager(to, &sa);
	if (!sa_len) {
		peal_fail(&reason, PEAL_EINVAL,
			  "NOTIFY_SOCKET is no address: %.100s", to);
		return peal_lua_fail(L, PEAL_EINVAL, &reason);
	}
	number = tell(&sa, sa_len, text, len);
	if (number)
		return fail_errno(L, number, to);
	lua_pushboolean(L, 1);
	return 1;
}

/* A whole number above 0 and nothing else; 0: it is not. */
static unsigned long long env_number(const char *name)
{
	const char *text = getenv(name);
	size_t n = text ? strspn(text, "0123456789") : 0;

	if (n == 0 || n > 18 || text[n])
		return 0;
	return strtoull(text, NULL, 10);
}

/* sys.watchdog() -> seconds | nil, as sd_watchdog_enabled(3): none where the
 * variables are meant for another process. */
static int l_watchdog(lua_State *L)
{
	unsigned long long us = env_number("WATCHDOG_USEC");

	if (getenv("WATCHDOG_PID") &&
	    env_number("WATCHDOG_PID") != (unsigned long long)getpid())
		us = 0;
	if (us == 0)
		lua_pushnil(L);
	else
		lua_pushnumber(L, (lua_Number)us / 1e6);
	return 1;
}

/* A start needs much more than what follows. Only the GNU library keeps it. */
static int l_trim(lua_State *L)
{
	(void)L;
	peal_trim();
	return 0;
}

static const char *file_type(mode_t mode)
{
	if (S_ISREG(mode))
		return "file";
	if (S_ISDIR(mode))
		return "directory";
	if (S_ISSOCK(mode))
		return "socket";
	return "other";
}

static int l_stat(lua_State *L)
{
	struct stat st;

	if (stat(luaL_checkstring(L, 1), &st)) {
		lua_pushnil(L);
		return 1;
	}
	lua_createtable(L, 0, 6);
	peal_lua_set_text(L, "type", file_type(st.st_mode));
	peal_lua_set_int(L, "size", (lua_Integer)st.st_size);
	peal_lua_set_number(L, "mtime",
			    (lua_Number)st.st_mtim.tv_sec +
				    (lua_Number)st.st_mtim.tv_nsec / 1e9);
	peal_lua_set_int(L, "mode", st.st_mode & 07777);
	peal_lua_set_number(L, "ctime",
			    (lua_Number)st.st_ctim.tv_sec +
				    (lua_Number)st.st_ctim.tv_nsec / 1e9);
	peal_lua_set_int(L, "inode", (lua_Integer)st.st_ino);
	return 1;
}

static int write_all(int fd, const char *bytes, size_t len)
{
	ssize_t n;

	for (; len; bytes += n, len -= (size_t)n) {
		n = write(fd, bytes, len);
		if (n < 0)
			return -1;
	}
	return fsync(fd);
}

static int l_create(lua_State *L)
{
	const char *path = luaL_checkstring(L, 1);
	size_t len;
	const char *bytes = luaL_checklstring(L, 2, &len);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct peal_reason reason;
	int number;

	if (fd >= 0 && write_all(fd, bytes, len) == 0) {
		close(fd);
		lua_pushboolean(L, 1);
		return 1;
	}
	number = errno;
	if (fd >= 0) {
		close(fd);
		unlink(path);
	}
	peal_fail(&reason, peal_err_errno(number), "%s: %s", path,
		  strerror(number));
	return peal_lua_fail(L, peal_err_errno(number), &reason);
}

static int own_address(const struct sockaddr_storage *peer, char *text,
		       socklen_t size)
{
	struct sockaddr_storage me;
	socklen_t len = sizeof(me);
	socklen_t peer_len = peer->ss_family == AF_INET ?
				     sizeof(struct sockaddr_in) :
				     sizeof(struct sockaddr_in6);
	int fd = socket(peer->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const void *ip;
	int ok;

	if (fd < 0)
		return 0;
	/* no packet is sent: the kernel only chooses a route */
	ok = connect(fd, (const struct sockaddr *)peer, peer_len) == 0 &&
	     getsockname(fd, (struct sockaddr *)&me, &len) == 0;
	close(fd);
	if (!ok)
		return 0;
	ip = me.ss_family == AF_INET ?
		     (const void *)&((struct sockaddr_in *)&me)->sin_addr :
		     (const void *)&((struct sockaddr_in6 *)&me)->sin6_addr;
	return inet_ntop(me.ss_family, ip, text, size) != NULL;
}

/* The address by which `peer` would see us; without one, any public one. */
static int l_local_address(lua_State *L)
{
	const char *peer = luaL_optstring(L, 1, "192.0.2.1"); /* RFC 5737 */
	struct sockaddr_storage sa;
	char text[INET6_ADDRSTRLEN];

	if (peal_address_parse(peer, 9, &sa) ||
	    !own_address(&sa, text, sizeof(text)))
		lua_pushnil(L);
	else
		lua_pushstring(L, text);
	return 1;
}

static int l_versions(lua_State *L)
{
	struct peal_version list[PEAL_VERSIONS];
	int i;

	peal_versions(list);
	lua_createtable(L, 0, PEAL_VERSIONS + 1);
	for (i = 0; i < PEAL_VERSIONS; i++)
		peal_lua_set_text(L, list[i].name, list[i].text);
	lua_pushliteral(L, LUA_VERSION_MAJOR "." LUA_VERSION_MINOR
					     "." LUA_VERSION_RELEASE);
	lua_setfield(L, -2, "Lua");
	return 1;
}

int luaopen_peal_sys(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{ "create", l_create },
		{ "list", l_list },
		{ "local_address", l_local_address },
		{ "mkdir", l_mkdir },
		{ "monotonic", l_monotonic },
		{ "no_core", l_no_core },
		{ "notify", l_notify },
		{ "pid", l_pid },
		{ "random", l_random },
		{ "random_int", l_random_int },
		{ "remove", l_remove },
		{ "rename", l_rename },
		{ "stat", l_stat },
		{ "time", l_time },
		{ "trim", l_trim },
		{ "versions", l_versions },
		{ "watchdog", l_watchdog },
		{ NULL, NULL },
	};

	luaL_newlib(L, functions);
	return 1;
}
