/* support.h - C modules of the test interpreter. */
#ifndef PEAL_TESTS_SUPPORT_H
#define PEAL_TESTS_SUPPORT_H

#include <lua.h>

int luaopen_support_process(lua_State *L);
int luaopen_support_tcp(lua_State *L);

#endif
