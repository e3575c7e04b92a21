/* screen.c - around what is being typed. See editor.h
 *
 * libedit draws the prompt's last line and what is typed, and tells nobody
 * where that is: it follows from the texts and the width. */
#ifdef PEAL_HAVE_LIBEDIT
#include <stdlib.h>
#include <string.h>

#include "editor.h"
#include "peal/alloc.h"

/* Where the cursor is, from the beginning of the prompt's last line; with
 * `end`, where the end of what is typed is. */
static struct peal_place_on_screen place(const struct peal_editor *e, int end)
{
	const LineInfoW *info = e->lib->el_wline(e->el);
	const wchar_t *to = end ? info->lastchar : info->cursor;
	struct peal_place_on_screen at = { 0, 0 };

	peal_wide_place(&at, e->prompt, wcslen(e->prompt), e->width);
	peal_wide_place(&at, info->buffer, (size_t)(to - info->buffer),
			e->width);
	return at;
}

/* Rows of the prompt's lines before its last one. */
static unsigned rows_above(const struct peal_editor *e)
{
	wchar_t *text = peal_wide_dup(e->above, strlen(e->above));
	struct peal_place_on_screen at = { 0, 0 };

	if (text)
		peal_wide_place(&at, text, wcslen(text), e->width);
	peal_free(text);
	return at.row;
}

/* In the modes of an editor a newline may be nothing but a step down. */
static void put_lines(const char *text, size_t len)
{
	const char *end = text + len, *stop;

	while (text < end) {
		stop = memchr(text, '\n', (size_t)(end - text));
		if (!stop)
			stop = end;
		fwrite(text, 1, (size_t)(stop - text), stdout);
		fputs("\r\n", stdout);
		text = stop + 1;
	}
}

void peal_editor_show_above(const struct peal_editor *e)
{
	put_lines(e->above, strlen(e->above));
	fflush(stdout);
}

/* Take all of it from the screen; the cursor is where it began. */
static void erase(const struct peal_editor *e)
{
	unsigned row = place(e, 0).row + rows_above(e);

	fputs("\r", stdout);
	while (row--)
		fputs(e->up, stdout);
	fputs(e->clear_below, stdout);
}

static void draw(struct peal_editor *e)
{
	peal_editor_show_above(e);
	e->lib->el_set(e->el, EL_REFRESH);
	fflush(stdout);
}

void peal_editor_above(struct peal_editor *e, const char *text, size_t len)
{
	erase(e);
	put_lines(text, len);
	draw(e);
}

void peal_editor_below(struct peal_editor *e)
{
	unsigned rows = place(e, 1).row - place(e, 0).row;

	while (rows--)
		fputs("\n", stdout);
	fputs("\r\n", stdout);
	fflush(stdout);
}

void peal_editor_fit(struct peal_editor *e)
{
	unsigned width = peal_terminal_width();

	if (width == e->width)
		return;
	e->width = width;
	if (!e->reading) {
		e->lib->el_resize(e->el);
		return;
	}
	/* terminals wrap anew what they show, so that this is where it is */
	erase(e);
	e->lib->el_resize(e->el);
	draw(e);
}
#endif
