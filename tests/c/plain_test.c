/* plain_test.c - Lua data as bytes, and bytes that are none. */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "alloc_fail.h"
#include "peal/limits.h"
#include "plain.h"
#include "plain_form.h"
#include "sandbox.h"

static lua_State *state(void)
{
	lua_State *L = luaL_newstate();

	REQUIRE(L);
	luaL_openlibs(L);
	return L;
}

/* Pushes what an expression is. */
static void eval(lua_State *L, const char *text)
{
	lua_pushfstring(L, "return %s", text);
	REQUIRE(luaL_dostring(L, lua_tostring(L, -1)) == LUA_OK);
	lua_remove(L, -2);
}

/* The value, packed and unpacked, in the words of a small printer. */
static const char printer[] =
	"local function show(v)\n"
	"  if type(v) == 'number' then return ('%s:%q'):format(\n"
	"    math.type(v), v) end\n"
	"  if type(v) ~= 'table' then return ('%q'):format(v) end\n"
	"  local out = {}\n"
	"  for k, x in pairs(v) do out[#out + 1] = show(k) .. '=' .. show(x)\n"
	"  end\n"
	"  table.sort(out)\n"
	"  return '{' .. table.concat(out, ',') .. '}'\n"
	"end\n"
	"return show(...)";

static const char *shown(lua_State *L)
{
	REQUIRE(luaL_loadstring(L, printer) == LUA_OK);
	lua_insert(L, -2);
	lua_call(L, 1, 1);
	return lua_tostring(L, -1);
}

static void there_and_back(void)
{
	static const char *const values[] = {
		"nil",
		"true",
		"false",
		"0",
		"-1",
		"math.mininteger",
		"math.maxinteger",
		"0.0",
		"-0.0",
		"0.1",
		"1/0",
		"-1/0",
		"2^53",
		"''",
		"'a\\0b'",
		"('x'):rep(70000)",
		"{}",
		"{ 1, 2.0, 'x', false, { {} } }",
		"{ [3] = 1, [65536] = true, x = { y = 'z' } }",
	};
	lua_State *L = state();
	struct peal_buf b;
	const char *what = "";
	size_t i;

	peal_buf_init(&b, 1 << 20);
	for (i = 0; i < sizeof(values) / sizeof(*values); i++) {
		eval(L, values[i]);
		peal_buf_clear(&b);
		CHECK_ERR(peal_plain_pack(L, -1, &b, &what), PEAL_OK);
		CHECK(!what);
		CHECK_INT(lua_gettop(L), 1);
		shown(L);
		REQUIRE(peal_plain_unpack(L, b.data, b.len, NULL) == PEAL_OK);
		shown(L);
		CHECK_STR(lua_tostring(L, 2), lua_tostring(L, 1));
		lua_settop(L, 0);
	}
	peal_buf_fini(&b);
	lua_close(L);
}

static void several_behind_each_other(void)
{
	lua_State *L = state();
	struct peal_buf b;
	size_t used;

	peal_buf_init(&b, 1 << 10);
	eval(L, "{ 1 }");
	CHECK_ERR(peal_plain_pack(L, 1, &b, NULL), PEAL_OK);
	lua_pushliteral(L, "second");
	CHECK_ERR(peal_plain_pack(L, 2, &b, NULL), PEAL_OK);
	CHECK_ERR(peal_plain_unpack(L, b.data, b.len, NULL), PEAL_EINVAL);
	CHECK_INT(lua_gettop(L), 2);
	CHECK_ERR(peal_plain_unpack(L, b.data, b.len, &used), PEAL_OK);
	CHECK_ERR(peal_plain_unpack(L, b.data + used, b.len - used, NULL),
		  PEAL_OK);
	CHECK_STR(lua_tostring(L, -1), "second");
	peal_buf_fini(&b);
	lua_close(L);
}

static void what_is_not_plain(void)
{
	static const char *const values[][2] = {
		{ "print", "a function" },
		{ "{ { x = print } }", "a function" },
		{ "{ [print] = 1 }", "a function" },
		{ "{ [1.5] = 1 }",
		  "a key that is no text and no place in a list" },
		{ "{ [true] = 1 }",
		  "a key that is no text and no place in a list" },
		{ "{ { [0] = 1 } }",
		  "a key that is no text and no place in a list" },
		{ "{ [65537] = 1 }",
		  "a key that is no text and no place in a list" },
		{ "io.stdout", "a userdata" },
		{ "coroutine.create(print)", "a coroutine" },
		{ "(function() local t = {} t.t = t return t end)()",
		  "tables too deep in each other" },
	};
	lua_State *L = state();
	struct peal_buf b;
	const char *what;
	size_t i;

	peal_buf_init(&b, 1 << 20);
	peal_buf_add_str(&b, "before");
	for (i = 0; i < sizeof(values) / sizeof(*values); i++) {
		eval(L, values[i][0]);
		CHECK_ERR(peal_plain_pack(L, -1, &b, &what), PEAL_EINVAL);
		CHECK_STR(what, values[i][1]);
		CHECK_INT(lua_gettop(L), 1);
		CHECK_INT(b.len, 6);
		lua_settop(L, 0);
	}
	peal_buf_fini(&b);
	lua_close(L);
}

static void depth_and_number_of_tables(void)
{
	lua_State *L = state();
	struct peal_buf b;
	int i;

	peal_buf_init(&b, 4 << 20);
	lua_newtable(L);
	for (i = 1; i < PEAL_LIMIT_PLAIN_DEPTH; i++) {
		lua_newtable(L);
		lua_insert(L, -2);
		lua_rawseti(L, -2, 1);
	}
	CHECK_ERR(peal_plain_pack(L, -1, &b, NULL), PEAL_OK);
	CHECK_ERR(peal_plain_unpack(L, b.data, b.len, NULL), PEAL_OK);
	lua_settop(L, 1);
	lua_newtable(L);
	lua_insert(L, -2);
	lua_rawseti(L, -2, 1);
	CHECK_ERR(peal_plain_pack(L, -1, &b, NULL), PEAL_EINVAL);
	/* the same few tables, doubled often */
	eval(L, "(function() local t = {} for i = 1, 20 do t = { t, t } end "
		"return t end)()");
	CHECK_ERR(peal_plain_pack(L, -1, &b, NULL), PEAL_ELIMIT);
	eval(L, "('x'):rep(5 << 20)");
	CHECK_ERR(peal_plain_pack(L, -1, &b, NULL), PEAL_ELIMIT);
	peal_buf_fini(&b);
	lua_close(L);
}

static void runs_no_metamethod(void)
{
	lua_State *L = state();
	struct peal_buf b;

	peal_buf_init(&b, 1 << 10);
	eval(L, "setmetatable({ x = 1 }, { __index = error, __pairs = error, "
		"__len = error })");
	CHECK_ERR(peal_plain_pack(L, -1, &b, NULL), PEAL_OK);
	CHECK_ERR(peal_plain_unpack(L, b.data, b.len, NULL), PEAL_OK);
	CHECK_STR(shown(L), "{\"x\"=integer:1}");
	peal_buf_fini(&b);
	lua_close(L);
}

/* Every truncation of a value is refused, and so is every byte changed, or it
 * is another value: nothing is read past the end. */
static void damage(void)
{
	lua_State *L = state();
	struct peal_buf b;
	unsigned char *copy;
	size_t n, i;

	peal_buf_init(&b, 1 << 10);
	eval(L, "{ 'text', 1, 2.5, { true, x = false } }");
	REQUIRE(peal_plain_pack(L, -1, &b, NULL) == PEAL_OK);
	for (n = 0; n < b.len; n++) {
		copy = malloc(n ? n : 1);
		REQUIRE(copy);
		memcpy(copy, b.data, n);
		CHECK_ERR(peal_plain_unpack(L, copy, n, NULL), PEAL_EINVAL);
		free(copy);
	}
	CHECK_INT(lua_gettop(L), 1);
	for (n = 0; n < b.len; n++) {
		for (i = 1; i < 256; i++) {
			b.data[n] ^= (unsigned char)i;
			peal_plain_unpack(L, b.data, b.len, NULL);
			b.data[n] ^= (unsigned char)i;
			lua_settop(L, 1);
		}
	}
	peal_buf_fini(&b);
	lua_close(L);
}

static void keys_that_no_table_has(void)
{
	static const char nil_key[] = "{nt}";
	char nan_key[] = "{d12345678t}";
	lua_Number nan = 0;
	lua_State *L = state();

	nan /= nan;
	memcpy(nan_key + 2, &nan, 8);
	CHECK_ERR(peal_plain_unpack(L, nil_key, 4, NULL), PEAL_EINVAL);
	CHECK_ERR(peal_plain_unpack(L, nan_key, 12, NULL), PEAL_EINVAL);
	CHECK_ERR(peal_plain_unpack(L, NULL, 0, NULL), PEAL_EINVAL);
	CHECK_INT(lua_gettop(L), 0);
	lua_close(L);
}

/* Whole numbers that all fall into one place of a hash table take minutes to
 * read: each is compared with all those before it. */
static void keys_that_collide(void)
{
	enum { N = 1 << 18, STEP = 2 * N - 1 };
	lua_State *L = state();
	struct peal_buf b;
	lua_Integer i;

	peal_buf_init(&b, 4 << 20);
	peal_plain_put_tag(&b, PEAL_PLAIN_BEGIN);
	for (i = 1; i <= N + 1; i++) {
		peal_plain_put_integer(&b, i * STEP);
		peal_plain_put_tag(&b, PEAL_PLAIN_TRUE);
	}
	CHECK_ERR(peal_plain_put_tag(&b, PEAL_PLAIN_END), PEAL_OK);
	CHECK_ERR(peal_plain_unpack(L, b.data, b.len, NULL), PEAL_EINVAL);
	peal_buf_fini(&b);
	lua_close(L);
}

/* --- boxes, while memory fails --- */

static const char file[] =
	"return { stage = 'trigger', decide = function(phone)\n"
	"  local t = {} for i = 1, 50 do t[i] = ('x'):rep(i) end\n"
	"  return pcall(table.concat, t), phone.list[1] end }";

static void pack_request(struct peal_buf *b, const char *text, int cover)
{
	lua_State *L = state();

	lua_newtable(L);
	lua_pushboolean(L, cover);
	lua_setfield(L, -2, "cover");
	lua_pushstring(L, text);
	lua_setfield(L, -2, "text");
	lua_pushliteral(L, "rules/trigger.lua");
	lua_setfield(L, -2, "path");
	lua_pushliteral(L, "trigger");
	lua_setfield(L, -2, "stage");
	eval(L, "{ list = { 1 } }");
	lua_setfield(L, -2, "view");
	REQUIRE(peal_plain_pack(L, -1, b, NULL) == PEAL_OK);
	lua_close(L);
}

static int ask_a_box(void *arg)
{
	const struct peal_buf *request = arg;
	struct peal_box *box;
	struct peal_buf reply;
	enum peal_err err = peal_box_new(&box, NULL);
	int ok;

	if (err) {
		CHECK_ERR(err, PEAL_ENOMEM);
		return 1;
	}
	peal_buf_init(&reply, PEAL_LIMIT_WORKER_FRAME);
	err = peal_box_ask(box, request->data, request->len, NULL, &reply);
	CHECK(err == PEAL_OK || err == PEAL_ENOMEM);
	ok = !err && memmem(reply.data, reply.len, "rule-limit", 10) == NULL;
	peal_buf_fini(&reply);
	peal_box_free(box);
	return !ok;
}

static void boxes_without_memory(void)
{
	struct peal_buf request;
	long n;

	peal_buf_init(&request, 1 << 16);
	pack_request(&request, file, 0);
	n = alloc_fail_some(ask_a_box, &request, 100,
			    getenv("PEAL_LONG") ? 1 : 37);
	printf("a box and a decision: %ld allocations\n", n);
	peal_buf_fini(&request);
}

/* Which lines ran is told of an answer and of a failure. */
static void boxes_without_memory_for_lines(void)
{
	static const char *const texts[] = {
		file, "return { stage = 'trigger', decide = error }"
	};
	struct peal_buf request;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		peal_buf_init(&request, 1 << 16);
		pack_request(&request, texts[i], 1);
		alloc_fail_some(ask_a_box, &request, 1,
				getenv("PEAL_LONG") ? 1 : 7);
		peal_buf_fini(&request);
	}
}

static void boxes_and_bad_requests(void)
{
	static const char *const requests[] = { "", "n", "{}", "t", "{" };
	struct peal_box *box;
	struct peal_buf reply, request;
	size_t i;

	REQUIRE(peal_box_new(&box, NULL) == PEAL_OK);
	peal_buf_init(&reply, PEAL_LIMIT_WORKER_FRAME);
	for (i = 0; i < sizeof(requests) / sizeof(*requests); i++)
		CHECK_ERR(peal_box_ask(box, requests[i], strlen(requests[i]),
				       NULL, &reply),
			  PEAL_EINVAL);
	peal_buf_init(&request, 1 << 16);
	pack_request(&request, file, 0);
	CHECK_ERR(peal_box_ask(box, request.data, request.len, NULL, &reply),
		  PEAL_OK);
	CHECK(reply.len > 0);
	peal_buf_fini(&reply);
	peal_buf_init(&reply, 8); /* no room, not even for a failure */
	CHECK_ERR(peal_box_ask(box, request.data, request.len, NULL, &reply),
		  PEAL_ELIMIT);
	peal_buf_fini(&reply);
	peal_buf_fini(&request);
	peal_box_free(box);
	peal_box_free(NULL);
}

TEST_MAIN({ "there and back", there_and_back },
	  { "several", several_behind_each_other },
	  { "what is not plain", what_is_not_plain },
	  { "depth and number", depth_and_number_of_tables },
	  { "no metamethod", runs_no_metamethod }, { "damage", damage },
	  { "keys", keys_that_no_table_has },
	  { "keys that collide", keys_that_collide },
	  { "boxes without memory", boxes_without_memory },
	  { "boxes without memory for lines", boxes_without_memory_for_lines },
	  { "boxes and bad requests", boxes_and_bad_requests })
