/* tftp.c - require "peal.tftp": one file down or up.
 *
 *   h = tftp.start(loop, request, fn)   fn(response) or fn(nil, sentence,
 *                                       word, response), once, from
 *                                       loop:run()
 *   h:cancel()
 *   tftp.name(path) -> file name for the path of a URL
 *
 * request: address, port, name, body, max, port_lo, port_hi, wait, total
 * (seconds), sendings, blksize, no_options, sink. With a body the file is
 * written; sink(bytes) -> true | nil, sentence, word takes it piece by piece,
 * as in peal.fetch.
 * response: body, bytes (kept or taken by the sink), peer, port, blksize, sent,
 * received, foreign (packets), error_code, error_text (both nil: the server
 * sent no ERROR), timing = {total}. */
#include <string.h>

#include "bindings.h"
#include "peal/limits.h"
#include "peal/tftp.h"

static void push_response(lua_State *L, const void *answer)
{
	const struct peal_tftp_response *r = answer;

	lua_createtable(L, 0, 11);
	peal_lua_set_bytes(L, "body", r->body, r->body_len);
	peal_lua_set_int(L, "bytes", (lua_Integer)r->received);
	peal_lua_set_text(L, "peer", r->peer);
	peal_lua_set_int(L, "port", r->peer_port);
	peal_lua_set_int(L, "blksize", r->blksize);
	peal_lua_set_int(L, "sent", (lua_Integer)r->packets_sent);
	peal_lua_set_int(L, "received", (lua_Integer)r->packets_received);
	peal_lua_set_int(L, "foreign", (lua_Integer)r->foreign);
	if (r->error_code >= 0) {
		peal_lua_set_int(L, "error_code", r->error_code);
		peal_lua_set_text(L, "error_text", r->error_text);
	}
	lua_createtable(L, 0, 1);
	peal_lua_set_number(L, "total", r->total_s);
	lua_setfield(L, -2, "timing");
}

static void on_done(enum peal_err err, const struct peal_tftp_response *r,
		    const struct peal_reason *reason, void *arg)
{
	peal_lua_operation_done(arg, err, reason, push_response, r);
}

/* fn hears of it from the loop. */
static void cancel(struct peal_lua_operation *op)
{
	peal_tftp_cancel(op->running);
}

static const struct peal_lua_operation_type operation = { "peal.tftp",
							  "under way", cancel };

static void read_request(lua_State *L, int index, struct peal_tftp_request *q)
{
	static const char *const keys[] = { "address", "port",    "name",
					    "body",    "max",     "port_lo",
					    "port_hi", "wait",    "sendings",
					    "total",   "blksize", "no_options",
					    "sink",    NULL };

	peal_lua_check_keys(L, index, keys);
	memset(q, 0, sizeof(*q));
	q->address = peal_lua_need_word(L, index, "address");
	q->name = peal_lua_need_word(L, index, "name");
	q->body = peal_lua_opt_text(L, index, "body", &q->body_len, NULL);
	q->port = (uint16_t)peal_lua_opt_int(L, index, "port", 0, 65535, 0);
	q->max = (size_t)peal_lua_opt_int(L, index, "max", 0, 1 << 30, 0);
	q->port_lo =
		(uint16_t)peal_lua_opt_int(L, index, "port_lo", 0, 65535, 0);
	q->port_hi =
		(uint16_t)peal_lua_opt_int(L, index, "port_hi", 0, 65535, 0);
	q->sendings =
		(unsigned)peal_lua_opt_int(L, index, "sendings", 0, 1000, 0);
	q->blksize =
		(unsigned)peal_lua_opt_int(L, index, "blksize", 0, 65464, 0);
	q->no_options = peal_lua_opt_bool(L, index, "no_options", 0);
	if (peal_lua_has_sink(L, index))
		q->sink = peal_lua_operation_feed;
	q->wait_ms = peal_lua_opt_ms(L, index, "wait");
	q->total_ms = peal_lua_opt_ms(L, index, "total");
}

/* tftp.start(loop, request, fn) -> handle | nil, sentence, word */
static int l_start(lua_State *L)
{
	struct peal_loop *l = peal_lua_check_loop(L, 1);
	struct peal_tftp_request q;
	struct peal_reason reason;
	struct peal_lua_operation *op;
	struct peal_tftp *t = NULL;
	enum peal_err err;

	luaL_checktype(L, 3, LUA_TFUNCTION);
	lua_settop(L, 3);
	read_request(L, 2, &q);
	op = peal_lua_operation_new(L, 1, 3, &operation);
	if (q.sink)
		peal_lua_operation_sink(L, 2);
	q.sink_arg = op;
	peal_reason_clear(&reason);
	err = peal_tftp_start(&t, l, &q, on_done, op, &reason);
	return peal_lua_operation_started(L, op, err, t, &reason);
}

/* tftp.name(path) -> name | nil, sentence, word */
static int l_name(lua_State *L)
{
	size_t len;
	const char *path = luaL_checklstring(L, 1, &len);
	char name[PEAL_LIMIT_URL + 1];
	struct peal_reason reason;
	enum peal_err err = PEAL_EBADOP;

	if (strlen(path) == len)
		err = peal_tftp_name(path, name, sizeof(name));
	if (err) {
		peal_fail(&reason, err,
			  "the path is no file name that TFTP can ask for");
		return peal_lua_fail(L, err, &reason);
	}
	lua_pushstring(L, name);
	return 1;
}

int luaopen_peal_tftp(lua_State *L)
{
	static const luaL_Reg functions[] = { { "start", l_start },
					      { "name", l_name },
					      { NULL, NULL } };

	peal_lua_operation_type(L, &operation);
	luaL_newlib(L, functions);
	return 1;
}
