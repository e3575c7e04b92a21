/* sandbox_cover.c - which lines of a rule file ran: for peal check.
 * Where nobody asks there is no hook for lines, and it costs nothing. */
#include <string.h>

#include "peal/alloc.h"
#include "plain_form.h"
#include "sandbox_inside.h"

enum peal_err peal_box_cover(struct peal_box *b, const char *text, size_t len)
{
	size_t i, lines = 2; /* 0 is none, and the last has no newline */

	for (i = 0; i < len; i++)
		lines += text[i] == '\n' || text[i] == '\r';
	b->cover.len = lines / 8 + 1;
	b->cover.lines = peal_zalloc(b->cover.len);
	return b->cover.lines ? PEAL_OK : PEAL_ENOMEM;
}

void peal_box_uncovered(struct peal_box *b)
{
	peal_free(b->cover.lines);
	memset(&b->cover, 0, sizeof(b->cover));
}

void peal_box_cover_line(lua_State *L, lua_Debug *ar)
{
	struct peal_box *b = peal_box_of(L);
	size_t line = (size_t)ar->currentline;

	if (!b->cover.lines || !b->path || line / 8 >= b->cover.len ||
	    !lua_getinfo(L, "S", ar) || ar->source[0] != '@' ||
	    strcmp(ar->source + 1, b->path) != 0)
		return;
	b->cover.lines[line / 8] |= (char)(1 << line % 8);
	b->cover.last = (int)line;
}

void peal_box_cover_push(lua_State *L)
{
	const struct peal_box_cover *c = &peal_box_of(L)->cover;

	if (!c->lines)
		return;
	lua_pushlstring(L, c->lines, c->len);
	lua_setfield(L, -2, "lines");
	lua_pushinteger(L, c->last);
	lua_setfield(L, -2, "last");
}

enum peal_err peal_box_cover_put(const struct peal_box *b, struct peal_buf *out)
{
	enum peal_err err;

	if (!b->cover.lines)
		return PEAL_OK;
	err = peal_plain_put_text(out, "lines", 5);
	if (!err)
		err = peal_plain_put_text(out, b->cover.lines, b->cover.len);
	return err;
}
