/* sandbox_inside.h - what the files of the sandbox share. Not a public header.
 *
 * A budget of instructions covers what a rule file runs: a count hook, which
 * coroutines inherit, and charges by functions in C for what they do in one
 * call and by the allocator for bytes. Once it is spent it stays spent: the
 * hook raises at every instruction, and whatever could catch that (pcall,
 * coroutine.resume ...) raises it again. */
#ifndef PEAL_BINDINGS_SANDBOX_INSIDE_H
#define PEAL_BINDINGS_SANDBOX_INSIDE_H

#include <lauxlib.h>
#include <lua.h>

#include "sandbox.h"

/* The largest block is this part of the memory: it bounds what a single
 * instruction costs, such as comparing two texts. */
enum { PEAL_BOX_PIECE = 16 };

enum peal_box_over {
	PEAL_BOX_WITHIN,
	PEAL_BOX_INSTRUCTIONS,
	PEAL_BOX_MEMORY,
};

/* Which lines of a file ran, where somebody asks; see sandbox_cover.c. */
struct peal_box_cover {
	char *lines; /* a bit each, from line 0; NULL: nobody asks */
	size_t len;  /* bytes */
	int last;    /* the line that ran last */
};

struct peal_box {
	lua_State *L;       /* NULL: to be made anew */
	lua_State *running; /* L or the coroutine that runs */
	size_t used;
	size_t memory; /* cap of used */
	size_t idle;   /* used when nothing is asked */
	uint64_t budget;
	uint64_t spent;
	int interval; /* instructions between two looks of the hook */
	int guarded;  /* a rule file runs */
	int refused;  /* the cap was met while it ran */
	enum peal_box_over over;
	int line; /* where that was, 0: not known */
	struct peal_box_cover cover;
	const char *path; /* of the file that is asked */
	const struct peal_snapshot_view *params;
};

/* --- sandbox_limit.c --- */

static inline struct peal_box *peal_box_of(lua_State *L)
{
	return *(struct peal_box **)lua_getextraspace(L);
}

/* An allocator for lua_newstate(); ud is the box. */
void *peal_box_allocate(void *ud, void *ptr, size_t osize, size_t nsize);

void peal_box_guard(struct peal_box *b);
void peal_box_unguard(struct peal_box *b);

/* Raises what nothing catches. */
int peal_box_stop(lua_State *L, enum peal_box_over over);

/* `n` more instructions' worth is about to be done. */
static inline void peal_box_charge(lua_State *L, uint64_t n)
{
	struct peal_box *b = peal_box_of(L);

	if (!b->guarded)
		return;
	b->spent = n < b->budget - b->spent ? b->spent + n : b->budget;
	if (b->spent == b->budget)
		peal_box_stop(L, PEAL_BOX_INSTRUCTIONS);
}

/* What moving bytes costs: about as long as this many instructions take. */
static inline uint64_t peal_box_bytes(size_t len)
{
	return len / 16 + 1;
}

/* Call it where a status other than LUA_OK was caught, with the error value on
 * top: raises again when that was a limit. */
void peal_box_caught(lua_State *L, int status);

/* Line of the innermost call in the file, 0: none. */
int peal_box_line(lua_State *L, const char *path);

/* --- sandbox_cover.c --- */

/* From now on lines are noted, of a file with this text. PEAL_ENOMEM */
enum peal_err peal_box_cover(struct peal_box *b, const char *text, size_t len);
void peal_box_uncovered(struct peal_box *b); /* and no more */
/* A line is about to run. */
void peal_box_cover_line(lua_State *L, lua_Debug *ar);
/* Into the reply's table on top: `lines` and `last`. */
void peal_box_cover_push(lua_State *L);
/* The same for a reply that is written by hand. */
enum peal_err peal_box_cover_put(const struct peal_box *b,
				 struct peal_buf *out);

/* --- the guarded library: each replaces globals of the state --- */

void peal_box_open_calls(lua_State *L); /* pcall, xpcall, coroutine */
void peal_box_open_texts(lua_State *L); /* string, utf8, tonumber */
void peal_box_open_match(
	lua_State *L); /* find, match, gmatch, gsub: sandbox_find.c */
void peal_box_open_tables(lua_State *L); /* table */

/* t[name] = function, which calls the one that was there and is charged for
 * the texts it is given. t is at the top. */
void peal_box_charge_texts(lua_State *L, const char *name);

/* --- sandbox_view.c --- */

void peal_box_open_view(lua_State *L);
/* Replaces the table on top by a view of it that cannot be changed, with
 * `param` in it. */
void peal_box_push_view(lua_State *L);
/* In the table on top: data in the place of its views. */
void peal_box_uncover(lua_State *L);
/* After a decision: forget the views made in it. */
void peal_box_drop_views(lua_State *L);

/* --- sandbox_file.c --- */

/* What came of asking a file. Texts are copied here, since the state may have
 * no memory left. */
struct peal_box_outcome {
	int ok;
	int line; /* 0: not known */
	const char *word;
	char sentence[1024];
};

void peal_box_open_files(lua_State *L);
/* A function that runs the file at the top level, with globals of its own, or
 * 0. Path and text at index 1 and 2. */
int peal_box_load(lua_State *L, struct peal_box_outcome *o);
/* Forget what is kept compiled. */
void peal_box_drop_files(lua_State *L);
/* As lua_pcall(), but errors get their sentence in `o`. */
int peal_box_call(lua_State *L, int args, int results,
		  struct peal_box_outcome *o);
/* The table a file returned is at the top: replaced by its decide function,
 * or 0. */
int peal_box_check(lua_State *L, const char *stage, struct peal_box_outcome *o);
/* Word "bad-rule-file"; the sentence begins with the file's path, and perhaps
 * a line. Returns 0. */
int peal_box_bad(lua_State *L, struct peal_box_outcome *o, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
