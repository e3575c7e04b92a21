/* terminal.h - what terminal.c and interrupt.c share. Not a public header. */
#ifndef PEAL_BINDINGS_TERMINAL_H
#define PEAL_BINDINGS_TERMINAL_H

#include <lauxlib.h>
#include <lua.h>

/* terminal.interruptible(fn, ...) -> true, results | false, error */
int peal_lua_interruptible(lua_State *L);
/* terminal.interrupted() -> boolean */
int peal_lua_interrupted(lua_State *L);
/* Make coroutine.resume and coroutine.wrap known to the two. */
void peal_lua_track_coroutines(lua_State *L);

#endif
