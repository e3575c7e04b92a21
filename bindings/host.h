/* host.h - opens Lua with peal in it: bindings, scripts and factory rules.
 *
 * The scripts and rules are part of the program; nothing is looked up on disk
 * and LUA_PATH and the like are not consulted. */
#ifndef PEAL_BINDINGS_HOST_H
#define PEAL_BINDINGS_HOST_H

#include <locale.h>

#include <lua.h>

/* A state with the standard libraries, the bindings, the embedded scripts as
 * modules ("peal.cycle") and the factory rules (require "peal.factory"). Its
 * memory comes from peal_alloc. NULL when there is none.
 * Close with lua_close(). */
lua_State *peal_host_open(void);

/* From here on this thread reads and writes as in the "C" locale, whatever the
 * process or a script sets: a trace has 0.5 and never 0,5, and FILE is file in
 * Turkish as well. Returns the thread's locale of before, for uselocale(). */
locale_t peal_host_locale(void);

/* Run the command line in that locale; returns the exit code (0 ok, 1 failed, 2 usage,
 * 3 refused by a rule). */
int peal_host_main(lua_State *L, int argc, char **argv);

/* What a program is when it is started with the argument --rule-worker alone:
 * the process in which the rule files of operators run (peal/worker.h). It
 * needs no state and no libraries; call it before anything else. Ends when the
 * program that started it does; returns the exit code if it cannot begin. */
int peal_worker_main(void);

#endif
