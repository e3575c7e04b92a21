/* host_torture_test.c - Lua and the scripts while memory fails: opening the
 * host, a resync in a world of its own, and the command line.
 *
 * Lua tries again after a collection, so that one failure alone reaches only
 * C. Each allocation fails alone, together with the one behind it, and with
 * all behind it. The first few hundred fail in turn, then some of them; with
 * PEAL_LONG set they are more. */
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "alloc_fail.h"
#include "host.h"

struct pressure {
	struct alloc_fail a;
	long times; /* failures still to come, the next one included */
};

static void *hook(void *ptr, size_t size, void *arg)
{
	struct pressure *p = arg;

	if (size && p->times > 1 && p->a.nth && p->a.made == p->a.nth) {
		p->a.nth++;
		p->times--;
	}
	return alloc_fail_hook(ptr, size, &p->a);
}

/* The counts of blocks go on: what was made before may be freed now. */
static void press(struct pressure *p, long nth, long times)
{
	p->a.made = 0;
	p->a.failed = 0;
	p->a.nth = nth;
	p->a.stay = times == LONG_MAX;
	p->times = p->a.stay ? 1 : times;
}

static void relieve(struct pressure *p)
{
	p->a.nth = 0;
	p->times = 1;
}

static void begin(struct pressure *p)
{
	memset(p, 0, sizeof(*p));
	relieve(p);
	peal_alloc_set(hook, p);
}

static const long times[] = { 1, 2, LONG_MAX };

/* --- steps --- */

struct steps {
	long nth, all, step;
};

static struct steps steps(long all, long step, long long_all, long long_step)
{
	struct steps s = { 1, all, step };

	if (getenv("PEAL_LONG")) {
		s.all = long_all;
		s.step = long_step;
	}
	return s;
}

static void next(struct steps *s)
{
	s->nth += s->nth < s->all ? 1 : s->step;
}

static void tell(const char *what, long runs, long allocations)
{
	printf("%s: %ld runs, %ld allocations\n", what, runs, allocations);
}

/* --- opening --- */

/* Every module but the command line's `run` functions. */
static const char load_all[] =
	"for _, name in ipairs { 'cli', 'cycle', 'explain', 'registry',\n"
	"  'world.live', 'world.virtual', 'cli.resync', 'cli.params',\n"
	"  'cli.profile', 'cli.rule', 'cli.eval', 'cli.explain' } do\n"
	"  require('peal.' .. name)\n"
	"end\n"
	"require 'peal.factory'\n"
	"local schema, sentence, word = require('peal.registry').load()\n"
	"if not schema then error(word .. ': ' .. sentence, 0) end\n";

/* libcurl calls some of it a bad URL or an unknown host, which it cannot be
 * here: ours is read and resolved before. */
static int speaks_of_memory(const char *text)
{
	return text &&
	       (strstr(text, "memory") || strstr(text, "resource") ||
		(strstr(text, "(libcurl ") && strstr(text, "[internal]")));
}

static void check_sentence(lua_State *L, int failed, long nth)
{
	const char *text = lua_tostring(L, -1);

	if (failed && !CHECK(speaks_of_memory(text)))
		fprintf(stderr, "\t(allocation %ld) %s\n", nth,
			text ? text : "no text");
}

static void open_once(struct pressure *p, long nth, long n)
{
	lua_State *L;
	int failed;

	begin(p);
	press(p, nth, n);
	L = peal_host_open();
	if (L) {
		failed = luaL_dostring(L, load_all);
		relieve(p);
		check_sentence(L, failed, nth);
		if (!p->a.failed)
			CHECK_INT(failed, 0);
		lua_close(L);
	}
	peal_alloc_set(NULL, NULL);
	if (!CHECK_INT(p->a.live, 0))
		fprintf(stderr, "\t(allocation %ld failing)\n", nth);
}

static void opens_or_says_why_not(void)
{
	struct steps s = steps(600, 97, 3000, 37);
	struct pressure p;
	long runs = 0;
	size_t i;

	do {
		for (i = 0; i < 3; i++, runs++)
			open_once(&p, s.nth, times[i]);
		next(&s);
	} while (p.a.failed);
	tell(test_run()->name, runs, p.a.made);
	CHECK(p.a.made > 1000);
}

/* --- a resync --- */

static void call(lua_State *L, const char *name, int results)
{
	lua_getfield(L, 1, name);
	if (lua_pcall(L, 0, results, 0)) {
		fprintf(stderr, "%s: %s\n", name, lua_tostring(L, -1));
		REQUIRE(!"a function of host_torture.lua failed");
	}
}

/* What is in the store now, read without pressure. */
static const char *state(lua_State *L)
{
	const char *text;

	call(L, "state", 1);
	text = lua_tostring(L, -1);
	lua_pop(L, 1);
	return text ? text : "neither old nor new";
}

/* 1 when it went well. */
static int resync(lua_State *L, struct pressure *p, long nth)
{
	int failed, ok;
	const char *found;

	lua_getfield(L, 1, "resync");
	failed = lua_pcall(L, 0, 3, 0);
	relieve(p);
	/* what was under way ends when it is collected */
	lua_gc(L, LUA_GCCOLLECT);
	found = state(L);
	ok = !failed && lua_toboolean(L, -3);
	if (failed) {
		check_sentence(L, 1, nth);
	} else if (ok) {
		CHECK_STR(found, "new");
		CHECK(lua_toboolean(L, -1)); /* its notes are there */
	} else if (!CHECK_STR(lua_tostring(L, -2), "resource")) {
		fprintf(stderr, "\t(allocation %ld)\n", nth);
	}
	if (!CHECK(!strcmp(found, "old") || !strcmp(found, "half") ||
		   !strcmp(found, "new")))
		fprintf(stderr, "\t(allocation %ld) %s\n", nth, found);
	lua_settop(L, 1);
	return ok;
}

static lua_State *new_world(struct pressure *p)
{
	lua_State *L;

	begin(p);
	L = peal_host_open();
	REQUIRE(L != NULL);
	if (luaL_dofile(L, PEAL_SOURCE_DIR "/tests/c/host_torture.lua")) {
		fprintf(stderr, "%s\n", lua_tostring(L, -1));
		REQUIRE(!"host_torture.lua");
	}
	return L;
}

static void end_world(lua_State *L, struct pressure *p)
{
	lua_close(L);
	peal_alloc_set(NULL, NULL);
	CHECK_INT(p->a.live, 0);
}

static void resyncs_or_leaves_the_store_whole(void)
{
	struct steps s = steps(400, 3, 1000000, 1);
	struct pressure p;
	lua_State *L = new_world(&p);
	long runs = 0, well = 0, made;
	size_t i;
	int failed;

	call(L, "reset", 0);
	CHECK(resync(L, &p, 0)); /* loads what is loaded late */
	do {
		failed = 0;
		for (i = 0; i < 3; i++, runs++) {
			call(L, "reset", 0);
			lua_gc(L, LUA_GCCOLLECT);
			press(&p, s.nth, times[i]);
			well += resync(L, &p, s.nth);
			failed |= p.a.failed > 0;
		}
		made = p.a.made;
		/* and the same state goes on working */
		CHECK(resync(L, &p, 0));
		next(&s);
	} while (failed);
	tell(test_run()->name, runs, made);
	CHECK(well > 0 && well < runs);
	end_world(L, &p);
}

/* --- JSON --- */

/* More names than the writer has room for at once, keys that are no texts, and
 * a text that grows. */
static const char write_json[] =
	"local json = require 'peal.json'\n"
	"local data = { list = { 1, 2.5, true, json.null }, [7] = {} }\n"
	"for i = 1, 40 do data['name ' .. i] = ('x\\n'):rep(i * 9) end\n"
	"local text = json.encode(data, true)\n"
	"return function()\n"
	"  if json.encode(data, true) ~= text then error 'another text' end\n"
	"end\n";

/* 1 when the text was written. */
static int write_once(lua_State *L, struct pressure *p, long nth, long n)
{
	int failed;

	lua_gc(L, LUA_GCCOLLECT);
	lua_pushvalue(L, 1);
	press(p, nth, n);
	failed = lua_pcall(L, 0, 0, 0);
	relieve(p);
	check_sentence(L, failed, nth);
	lua_settop(L, 1);
	return !failed;
}

static void writes_json_or_says_why_not(void)
{
	struct pressure p;
	lua_State *L;
	long nth = 0, runs = 0, well = 0;
	size_t i;

	begin(&p);
	L = peal_host_open();
	REQUIRE(L != NULL);
	REQUIRE(!luaL_dostring(L, write_json));
	do {
		nth++;
		for (i = 0; i < 3; i++, runs++)
			well += write_once(L, &p, nth, times[i]);
	} while (p.a.failed);
	tell(test_run()->name, runs, nth);
	CHECK(nth > 5);
	CHECK(well > 0 && well < runs);
	end_world(L, &p);
}

/* --- the command line --- */

struct line {
	char folder[64];
	const char *words[3]; /* command and arguments */
	char text[4096];      /* what it said on stderr */
};

static void slurp(const char *path, char *out, size_t size)
{
	FILE *f = fopen(path, "r");
	size_t n;

	REQUIRE(f != NULL);
	n = fread(out, 1, size - 1, f);
	out[n] = '\0';
	fclose(f);
}

/* Points one of our own descriptors at a file; the old one to put back. */
static int redirect(int target, const char *path)
{
	int old = dup(target);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	REQUIRE(old >= 0 && fd >= 0 && dup2(fd, target) == target);
	close(fd);
	return old;
}

static void restore(int target, int old)
{
	fflush(NULL);
	REQUIRE(dup2(old, target) == target);
	close(old);
}

/* The exit code of `peal WORDS --store FOLDER/st`. */
static int command(lua_State *L, struct line *x)
{
	char store[80], said[80], peal[] = "peal", option[] = "--store";
	char *argv[7] = { peal };
	int code, i, argc = 1, out, err;

	for (i = 0; i < 3 && x->words[i]; i++)
		argv[argc++] = strdup(x->words[i]);
	argv[argc] = option;
	argv[argc + 1] = store;
	snprintf(store, sizeof(store), "%s/st", x->folder);
	snprintf(said, sizeof(said), "%s/err", x->folder);
	fflush(NULL);
	out = redirect(1, "/dev/null");
	err = redirect(2, said);
	code = peal_host_main(L, argc + 2, argv);
	restore(1, out);
	restore(2, err);
	slurp(said, x->text, sizeof(x->text));
	for (i = 1; i < argc; i++)
		free(argv[i]);
	return code;
}

/* Code and words of one run; 1 when the failure was reached. */
static int command_once(struct line *x, long nth, long n)
{
	struct pressure p;
	lua_State *L;
	int code;

	begin(&p);
	L = peal_host_open();
	REQUIRE(L != NULL);
	press(&p, nth, n);
	code = command(L, x);
	relieve(&p);
	lua_close(L);
	peal_alloc_set(NULL, NULL);
	CHECK_INT(p.a.live, 0);
	if (!CHECK(code == 0 || (code == 1 && speaks_of_memory(x->text))) ||
	    !CHECK(!strstr(x->text, "traceback")))
		fprintf(stderr, "\t(allocation %ld) code %d: %s\n", nth, code,
			x->text);
	if (!p.a.failed && !CHECK_INT(code, 0))
		fprintf(stderr, "\t%s\n", x->text);
	return p.a.failed > 0;
}

static void command_each(struct line *x, struct steps s)
{
	long runs = 0;
	size_t i;
	int more;

	snprintf(x->folder, sizeof(x->folder), "/tmp/peal-host-XXXXXX");
	REQUIRE(mkdtemp(x->folder) != NULL);
	do {
		more = 0;
		for (i = 0; i < 3; i++, runs++)
			more |= command_once(x, s.nth, times[i]);
		next(&s);
	} while (more);
	tell(test_run()->name, runs, s.nth);
	snprintf(x->text, sizeof(x->text), "rm -r %s", x->folder);
	REQUIRE(system(x->text) == 0);
}

static void ends_a_command_with_a_sentence(void)
{
	struct line x = { .words = { "set", "GPP_A=1" } };

	command_each(&x, steps(200, 37, 3000, 37));
}

/* --- the real network --- */

/* Answers every connection with a profile, until it is killed. */
static void serve(int fd)
{
	static const char answer[] =
		"HTTP/1.1 200 OK\r\nContent-Length: 54\r\n\r\n"
		"<flat-profile><GPP_A>12345678</GPP_A>  </flat-profile>";
	char request[4096];
	int c;

	while ((c = accept(fd, NULL, NULL)) >= 0) {
		if (read(c, request, sizeof(request)) > 0 &&
		    write(c, answer, sizeof(answer) - 1) < 0)
			_exit(1);
		close(c);
	}
	_exit(0);
}

static pid_t start_server(uint16_t *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t pid, parent = getpid();

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	REQUIRE(fd >= 0 && !bind(fd, (struct sockaddr *)&a, len) &&
		!listen(fd, 16) &&
		!getsockname(fd, (struct sockaddr *)&a, &len));
	*port = ntohs(a.sin_port);
	pid = fork();
	REQUIRE(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent)
			serve(fd);
		_exit(1);
	}
	close(fd);
	return pid;
}

static void resyncs_over_http_or_says_why_not(void)
{
	struct steps s = steps(2, 29, 2, 3);
	char rule[64];
	struct line x = { .words = { "resync", rule } };
	uint16_t port;
	pid_t pid = start_server(&port);

	snprintf(rule, sizeof(rule), "http://127.0.0.1:%u/x", port);
	s.nth = 2600; /* before that the scripts are loaded */
	command_each(&x, s);
	REQUIRE(!kill(pid, SIGKILL) && waitpid(pid, NULL, 0) == pid);
}

/* The libraries keep some memory for good: they take it first. */
static void starts_the_libraries(void)
{
	struct pressure p;
	lua_State *L;

	REQUIRE(!peal_alloc_hook_libraries());
	L = new_world(&p);
	call(L, "reset", 0);
	CHECK(resync(L, &p, 0));
	lua_close(L);
	peal_alloc_set(NULL, NULL);
}

TEST_MAIN({ "starts_the_libraries", starts_the_libraries },
	  { "opens_or_says_why_not", opens_or_says_why_not },
	  { "resyncs_or_leaves_the_store_whole",
	    resyncs_or_leaves_the_store_whole },
	  { "writes_json_or_says_why_not", writes_json_or_says_why_not },
	  { "ends_a_command_with_a_sentence", ends_a_command_with_a_sentence },
	  { "resyncs_over_http_or_says_why_not",
	    resyncs_over_http_or_says_why_not })
