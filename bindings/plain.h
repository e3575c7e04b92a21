/* plain.h - plain Lua data as bytes: between boxes, workers and the engine.
 *
 * nil, booleans, integers, floats, strings, and tables of these, whose keys are
 * strings and the places of a list; no functions, userdata, cycles or
 * metatables. Bounded by the buffer's maximum and by PEAL_LIMIT_PLAIN_DEPTH. The
 * form is private to one build of peal: it crosses
 * pipes, never machines. The reader trusts nothing. */
#ifndef PEAL_PLAIN_H
#define PEAL_PLAIN_H

#include <lua.h>
#include <stddef.h>

#include "peal/buf.h"
#include "peal/error.h"

/* Append the value at `index`. Runs no metamethod (a table's __pairs, __index
 * are not asked), raises nothing.
 *   what  set to what cannot be carried ("a function"), or NULL
 * PEAL_EINVAL (not plain; too deep, as a cycle is), PEAL_ELIMIT, PEAL_ENOMEM */
enum peal_err peal_plain_pack(lua_State *L, int index, struct peal_buf *out,
			      const char **what);

/* Push the value. Raises when Lua has no memory; call it protected.
 *   used  bytes read; may be NULL (then all must be used)
 * PEAL_EINVAL (nothing is pushed) */
enum peal_err peal_plain_unpack(lua_State *L, const void *bytes, size_t len,
				size_t *used);

#endif
