/* bindings.h - what the binding files share. Not a public header.
 *
 * One file a module, narrow. Wrong use raises through luaL_check*; a failing
 * world returns nil, sentence, word, place. A userdata exists, closed, before
 * the thing in it can fail to open. */
#ifndef PEAL_BINDINGS_H
#define PEAL_BINDINGS_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "peal/buf.h"
#include "peal/error.h"

/* Put every module into package.preload ("peal.store" ...). */
void peal_open_bindings(lua_State *L);
/* Make the embedded scripts and the factory rules loadable. only: as the one
 * place that modules come from; else behind the others. */
void peal_open_embedded(lua_State *L, int only);

int luaopen_peal_chain(lua_State *L);
struct peal_cert_facts;

int luaopen_peal_control(lua_State *L);
int luaopen_peal_decode(lua_State *L);
int luaopen_peal_encode(lua_State *L);
int luaopen_peal_fetch(lua_State *L);
int luaopen_peal_issue(lua_State *L);
int luaopen_peal_jsontext(lua_State *L);
int luaopen_peal_keyring(lua_State *L);
int luaopen_peal_loop(lua_State *L);
int luaopen_peal_net(lua_State *L);
int luaopen_peal_sandbox(lua_State *L);
int luaopen_peal_schema(lua_State *L);
int luaopen_peal_store(lua_State *L);
int luaopen_peal_sys(lua_State *L);
int luaopen_peal_terminal(lua_State *L);
int luaopen_peal_tftp(lua_State *L);
int luaopen_peal_trust(lua_State *L);
int luaopen_peal_worker(lua_State *L);

/* nil, sentence, word, place: place is {line=, byte=} or nil. Returns 4. */
int peal_lua_fail(lua_State *L, enum peal_err err,
		  const struct peal_reason *reason);
/* The same without the nil in front. Pushes 3, returns 3. */
int peal_lua_push_error(lua_State *L, enum peal_err err,
			const struct peal_reason *reason);

/* Message handler: adds where it happened. Errors that are tables stay tables,
 * since callers compare them, and so does the lack of memory: there is none
 * for the places. */
int peal_lua_traceback(lua_State *L);
/* Is the value at `index` the message of a lack of memory? */
int peal_lua_is_memory_error(lua_State *L, int index);

/* A metatable in the registry, with methods that are found through it. */
void peal_lua_type(lua_State *L, const char *name, const luaL_Reg *meta,
		   const luaL_Reg *methods);

/* t[key] = value for the table t on top; text NULL is nil. */
void peal_lua_set_text(lua_State *L, const char *key, const char *text);
void peal_lua_set_bytes(lua_State *L, const char *key, const void *bytes,
			size_t len);
void peal_lua_set_int(lua_State *L, const char *key, lua_Integer n);
void peal_lua_set_number(lua_State *L, const char *key, lua_Number n);
void peal_lua_set_bool(lua_State *L, const char *key, int on);

/* Options come as a table; a key not in the NULL-terminated list raises. */
void peal_lua_check_keys(lua_State *L, int index, const char *const *keys);
/* Field of an options table, or the fallback where it is nil; wrong types
 * raise. The text is borrowed from the table. */
const char *peal_lua_opt_text(lua_State *L, int index, const char *key,
			      size_t *len, const char *fallback);
/* Text for C: one with a NUL inside raises. NULL where it is nil, which for
 * need_word() raises. */
const char *peal_lua_opt_word(lua_State *L, int index, const char *key);
const char *peal_lua_need_word(lua_State *L, int index, const char *key);
lua_Integer peal_lua_opt_int(lua_State *L, int index, const char *key,
			     lua_Integer lo, lua_Integer hi,
			     lua_Integer fallback);
int peal_lua_opt_bool(lua_State *L, int index, const char *key, int fallback);
/* Seconds, up to a day, as milliseconds; 0 where it is nil. */
unsigned peal_lua_opt_ms(lua_State *L, int index, const char *key);

/* What C does in the background for a Lua function: a transfer, a query, a
 * timer. A userdata that keeps itself, the loop and the function alive until
 * it is over; its metatable has :cancel(). The function is called once, from
 * the loop, on the main thread: the coroutine that asked may be dead by then.
 *
 *   op = peal_lua_operation_new(L, loop_index, fn_index, &type);
 *   err = peal_x_start(&x, ..., on_done, op, &reason);
 *   return peal_lua_operation_started(L, op, err, x, &reason);
 *
 * and on_done() calls peal_lua_operation_done(). */
struct peal_lua_operation {
	lua_State *L;  /* main thread; NULL: nobody is called any more */
	void *running; /* NULL: over */
	int self;      /* in the registry */
	int sink;      /* what the sink did last */
};

/* cancel is called while it runs; unless C calls back after that too, it ends
 * with peal_lua_operation_over(). */
struct peal_lua_operation_type {
	const char *name;  /* of the metatable */
	const char *state; /* what tostring() calls running; NULL: none */
	void (*cancel)(struct peal_lua_operation *op);
};
void peal_lua_operation_type(lua_State *L,
			     const struct peal_lua_operation_type *type);

/* Pushes the userdata; raises before anything is held. */
struct peal_lua_operation *
peal_lua_operation_new(lua_State *L, int loop_index, int fn_index,
		       const struct peal_lua_operation_type *type);
/* What the starting function returns to Lua: the userdata, which is on top,
 * or nil, sentence, word, place. */
int peal_lua_operation_started(lua_State *L, struct peal_lua_operation *op,
			       enum peal_err err, void *running,
			       const struct peal_reason *reason);

/* Pushes what C answered, one value or, without an error, several. It may
 * raise. */
typedef void (*peal_lua_push_fn)(lua_State *L, const void *answer);
/* fn(value) or fn(nil, sentence, word, value), without the value where there
 * is no answer; then it is over. The value is made inside the protected call:
 * a table that does not fit in memory must not end the process. An error is
 * kept and raised by loop:run(), which stops. */
void peal_lua_operation_done(struct peal_lua_operation *op, enum peal_err err,
			     const struct peal_reason *reason,
			     peal_lua_push_fn push, const void *answer);
/* It is over and the function is not called. */
void peal_lua_operation_over(struct peal_lua_operation *op);
/* fn(what push makes); it goes on. Do not touch op after it: fn may have
 * cancelled it. */
void peal_lua_operation_call(struct peal_lua_operation *op,
			     peal_lua_push_fn push, const void *arg);

/* The new operation, on top, keeps the value at `index` alive, too. */
void peal_lua_operation_keep(lua_State *L, int index);
/* Is there a function in the field `sink` of the request at `index`? The
 * second takes it into the new operation, on top; peal_lua_operation_feed()
 * with the operation calls it: sink(bytes) -> true | nil, sentence, word. When
 * it refuses or raises, fn gets nil, that sentence and its word. */
int peal_lua_has_sink(lua_State *L, int index);
void peal_lua_operation_sink(lua_State *L, int index);
enum peal_err peal_lua_operation_feed(const void *bytes, size_t len, void *op);

/* What operations are made of, for userdata that has several functions: calls,
 * from the loop, user value `slot` of the userdata in the registry under
 * `self`, if it is a function. User value 1 is the loop. L is the main thread;
 * NULL: nothing happens. push, which may be NULL, makes the arguments inside
 * the protected call; an error is raised by loop:run(), which stops. */
void peal_lua_call_back(lua_State *L, int self, int slot, peal_lua_push_fn push,
			const void *arg);

/* The error on top is raised by loop:run(), which stops; of several the first
 * one counts. Pops it, and never raises. */
void peal_lua_loop_fail(lua_State *L, int loop_index);

/* A buffer that an error in Lua does not lose, as a userdata on top; and its
 * bytes as a string, or nil, sentence, word, place. Wiped when freed.
 * push_buf returns how many values it pushed. */
struct peal_buf *peal_lua_new_buf(lua_State *L, size_t max);
int peal_lua_push_buf(lua_State *L, enum peal_err err, struct peal_buf *b);

/* Digits of `len` bytes, as a string on top. */
void peal_lua_push_hex(lua_State *L, const unsigned char *bytes, size_t len);

/* What is known of a certificate: into the table on top; a new table of a DER
 * one, with its names and purposes, or an error and nothing. */
void peal_lua_set_cert(lua_State *L, const struct peal_cert_facts *facts);
enum peal_err peal_lua_push_cert(lua_State *L, const unsigned char *der,
				 size_t len);
/* The functions of peal.trust about certificates, into the table on top. */
void peal_lua_open_certs(lua_State *L);

/* The C things in userdata of other binding files; raise on a wrong type or a
 * closed handle. */
struct peal_loop *peal_lua_check_loop(lua_State *L, int index);
struct peal_schema *peal_lua_check_schema(lua_State *L, int index);
struct peal_txn *peal_lua_check_txn(lua_State *L, int index);
struct peal_anchors *peal_lua_check_anchors(lua_State *L, int index);
struct peal_identity *peal_lua_check_identity(lua_State *L, int index);
struct peal_cert_set *peal_lua_check_cert_set(lua_State *L, int index);
struct peal_ciphers *peal_lua_check_ciphers(lua_State *L, int index);
struct peal_key *peal_lua_check_key(lua_State *L, int index);
const struct peal_snapshot *peal_lua_check_snapshot(lua_State *L, int index);

/* Push the userdata of another binding file, empty; the place for what it
 * holds. Their modules must have been opened. */
struct peal_identity **peal_lua_new_identity(lua_State *L);
struct peal_key **peal_lua_new_key(lua_State *L);

#endif
