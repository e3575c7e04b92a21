/* sandbox_limit.c - memory and instructions of a box, see sandbox_inside.h */
#include <string.h>

#include "bindings.h"
#include "peal/alloc.h"
#include "sandbox_inside.h"

enum {
	INTERVAL = 1000,
	/* bytes of new memory that cost one instruction */
	PER_INSTRUCTION = 32,
	/* what raising, unwinding and catching an error takes */
	CAUGHT = 50,
};

static void spend(struct peal_box *b, uint64_t n)
{
	b->spent = n < b->budget - b->spent ? b->spent + n : b->budget;
}

int peal_box_line(lua_State *L, const char *path)
{
	lua_Debug ar;
	int level;

	if (!path)
		return 0;
	for (level = 0; lua_getstack(L, level, &ar); level++)
		if (lua_getinfo(L, "Sl", &ar) && ar.source[0] == '@' &&
		    strcmp(ar.source + 1, path) == 0)
			return ar.currentline;
	return 0;
}

/* A refusal makes Lua collect all garbage and ask again: that is charged, or a
 * rule near the cap could make it do nothing else. The place is noted now,
 * for none is left when the memory error arrives. */
static void refuse(struct peal_box *b)
{
	int line = peal_box_line(b->running, b->path);

	b->refused = 1;
	if (line)
		b->line = line;
	spend(b, b->used / PER_INSTRUCTION);
}

void *peal_box_allocate(void *ud, void *ptr, size_t osize, size_t nsize)
{
	struct peal_box *b = ud;
	size_t more;
	void *p;

	if (!ptr)
		osize = 0; /* it is the kind of object then */
	if (nsize == 0) {
		b->used -= osize;
		peal_free(ptr);
		return NULL;
	}
	more = nsize > osize ? nsize - osize : 0;
	if (more > b->memory - b->used ||
	    (more && b->guarded && nsize > b->memory / PEAL_BOX_PIECE)) {
		if (b->guarded)
			refuse(b);
		return NULL;
	}
	p = peal_realloc(ptr, nsize);
	if (!p)
		return NULL;
	b->used = b->used - osize + nsize;
	if (b->guarded)
		spend(b, more / PER_INSTRUCTION);
	return p;
}

int peal_box_stop(lua_State *L, enum peal_box_over over)
{
	struct peal_box *b = peal_box_of(L);

	if (!b->over) {
		b->over = over;
		if (over == PEAL_BOX_INSTRUCTIONS)
			b->line = peal_box_line(L, b->path);
	}
	b->spent = b->budget;
	lua_pushnil(L); /* takes no memory; nobody looks at it */
	return lua_error(L);
}

static void count(lua_State *L, lua_Debug *ar)
{
	struct peal_box *b = peal_box_of(L);

	if (ar->event == LUA_HOOKLINE) {
		peal_box_cover_line(L, ar);
		return;
	}
	spend(b, (uint64_t)b->interval);
	if (b->over || b->spent == b->budget) {
		lua_sethook(L, count, LUA_MASKCOUNT, 1);
		peal_box_stop(L, PEAL_BOX_INSTRUCTIONS);
	}
}

void peal_box_guard(struct peal_box *b)
{
	b->interval = b->budget < INTERVAL ? 1 : INTERVAL;
	b->spent = 0;
	b->over = PEAL_BOX_WITHIN;
	b->refused = 0;
	b->line = 0;
	b->running = b->L;
	b->guarded = 1;
	lua_sethook(b->L, count,
		    LUA_MASKCOUNT | (b->cover.lines ? LUA_MASKLINE : 0),
		    b->interval);
}

void peal_box_unguard(struct peal_box *b)
{
	b->guarded = 0;
	b->running = b->L;
	lua_sethook(b->L, NULL, 0, 0);
}

/* The auxiliary library raises its lack of memory as a common error. */
void peal_box_caught(lua_State *L, int status)
{
	struct peal_box *b = peal_box_of(L);

	if (!b->guarded)
		return;
	if (b->over)
		peal_box_stop(L, b->over);
	if (status == LUA_ERRMEM ||
	    (b->refused && peal_lua_is_memory_error(L, -1)))
		peal_box_stop(L, PEAL_BOX_MEMORY);
	spend(b, CAUGHT);
	if (b->spent == b->budget)
		peal_box_stop(L, PEAL_BOX_INSTRUCTIONS);
}
