/* store.h - what store.c and txn.c share. Not a public header. */
#ifndef PEAL_BINDINGS_STORE_H
#define PEAL_BINDINGS_STORE_H

#include <lauxlib.h>
#include <lua.h>

#include "peal/store.h"

struct peal_lua_txn;

/* The userdata of a store. */
struct peal_lua_store {
	struct peal_store *s;      /* NULL: closed */
	struct peal_lua_txn *open; /* NULL: none */
	/* Of a copy: the last revision that it has in common with the folder
	 * of its original, where only those up to it are its past. */
	int copy;
	uint64_t forked;
};

/* Methods know their name, for the message when the handle is closed. */
void peal_lua_store_type(lua_State *L, const char *name, const luaL_Reg *meta,
			 const luaL_Reg *methods);
/* The store that a method was called on. */
struct peal_store *peal_lua_check_store(lua_State *L);

/* store:value() and txn:value() */
void peal_lua_push_value(lua_State *L, const struct peal_value *v);
/* nil, sentence, "unknown-name" */
int peal_lua_unknown_name(lua_State *L, const char *name);

void peal_lua_txn_type(lua_State *L);
/* store:begin() -> transaction | nil, sentence, word */
int peal_lua_txn_begin(lua_State *L);
/* Takes NULL, and one that is over. */
void peal_lua_txn_abort(struct peal_lua_txn *b);

#endif
