/* libedit.h - the functions of libedit, loaded when they are needed. Private.
 *
 * By dlopen() and not by the linker: a command that asks nothing must not pay
 * for it, and a phone image may do without. */
#ifndef PEAL_TERM_LIBEDIT_H
#define PEAL_TERM_LIBEDIT_H

#include <histedit.h>

#include "peal/error.h"

#define PEAL_LIBEDIT(X)  \
	X(el_cursor)     \
	X(el_deletestr)  \
	X(el_end)        \
	X(el_get)        \
	X(el_init)       \
	X(el_resize)     \
	X(el_set)        \
	X(el_source)     \
	X(el_wget)       \
	X(el_wgets)      \
	X(el_winsertstr) \
	X(el_wline)      \
	X(el_wset)       \
	X(history_w)     \
	X(history_wend)  \
	X(history_winit)

struct peal_libedit {
#define PEAL_X(name) __typeof__(name) *name;
	PEAL_LIBEDIT(PEAL_X)
#undef PEAL_X
};

/* Loaded once for the process and kept, as a linker would have done it: a
 * callback of libedit's is given nothing that leads to it. NULL and a sentence
 * where there is none. */
const struct peal_libedit *peal_libedit(struct peal_reason *reason);

#endif
