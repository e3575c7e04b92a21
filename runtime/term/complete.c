/* complete.c - what could stand at the cursor. See editor.h */
#ifdef PEAL_HAVE_LIBEDIT
#include <string.h>

#include "editor.h"
#include "peal/alloc.h"
#include "peal/limits.h"

enum { LISTED_MAX = 200, GAP = 2 };

void peal_offers_init(struct peal_offers *o)
{
	peal_arena_init(&o->arena, PEAL_LIMIT_TYPED);
	o->first = NULL;
	o->last = &o->first;
	o->n = 0;
}

void peal_editor_offer(struct peal_editor *e, const char *text, size_t len)
{
	struct peal_offers *o = &e->offers;
	struct peal_offer *x = peal_arena_alloc(&o->arena, sizeof(*x));

	if (!x)
		return;
	x->text = peal_arena_dup(&o->arena, text, len);
	x->len = len;
	if (!x->text)
		return;
	*o->last = x;
	o->last = &x->next;
	o->n++;
}

/* Bytes that all of them begin with; whole characters. */
static size_t common(const struct peal_offers *o)
{
	const struct peal_offer *first = o->first, *x;
	size_t n = first->len, i;

	for (x = first->next; x; x = x->next) {
		for (i = 0;
		     i < n && i < x->len && x->text[i] == first->text[i];)
			i++;
		n = i;
	}
	while (n && n < first->len && (first->text[n] & 0xc0) == 0x80)
		n--;
	return n;
}

static unsigned columns(const char *text, size_t len, unsigned width)
{
	wchar_t *wide = peal_wide_dup(text, len);
	struct peal_place_on_screen at = { 0, 0 };

	if (wide)
		peal_wide_place(&at, wide, wcslen(wide), width);
	peal_free(wide);
	return at.row ? width : at.column;
}

static unsigned widest(const struct peal_editor *e)
{
	const struct peal_offer *x;
	unsigned most = 1, n;

	for (x = e->offers.first; x; x = x->next) {
		n = columns(x->text, x->len, e->width);
		most = n > most ? n : most;
	}
	return most;
}

static enum peal_err pad(struct peal_buf *out, unsigned n)
{
	enum peal_err err = PEAL_OK;

	while (n-- && !err)
		err = peal_buf_add(out, " ", 1);
	return err;
}

/* Across the rows, as words are read. */
static enum peal_err write_list(const struct peal_editor *e,
				struct peal_buf *out)
{
	unsigned each = widest(e) + GAP, i = 0, n = e->offers.n;
	unsigned in_row = e->width / each ? e->width / each : 1;
	const struct peal_offer *x = e->offers.first;
	enum peal_err err = PEAL_OK;
	int last;

	for (; x && i < LISTED_MAX && !err; x = x->next, i++) {
		err = peal_buf_add(out, x->text, x->len);
		last = !x->next || i + 1 == LISTED_MAX || (i + 1) % in_row == 0;
		if (!err && last)
			err = peal_buf_add_str(out, "\n");
		else if (!err)
			err = pad(out,
				  each - columns(x->text, x->len, e->width));
	}
	if (!err && n > LISTED_MAX)
		err = peal_buf_printf(out, "and %u more\n", n - LISTED_MAX);
	return err;
}

static unsigned char list(struct peal_editor *e)
{
	struct peal_buf out;

	peal_buf_init(&out, PEAL_LIMIT_TYPED);
	if (!write_list(e, &out))
		peal_editor_above(e, (char *)out.data, out.len);
	peal_buf_fini(&out);
	return CC_NORM;
}

/* The bytes behind `start` up to the cursor become what all offers share. */
static unsigned char insert(struct peal_editor *e, size_t start, size_t cursor,
			    size_t len)
{
	const char *typed = (const char *)e->line.data + start;
	wchar_t *old = peal_wide_dup(typed, cursor - start);
	wchar_t *text = peal_wide_dup(e->offers.first->text, len);

	if (old && text) {
		e->lib->el_deletestr(e->el, (int)wcslen(old));
		e->lib->el_winsertstr(e->el, text);
	}
	peal_free(old);
	peal_free(text);
	return e->offers.n > 1 ? CC_REFRESH_BEEP : CC_REFRESH;
}

static unsigned char take(struct peal_editor *e, size_t start, size_t cursor)
{
	size_t typed = cursor - start, len = common(&e->offers);
	const char *text = e->offers.first->text;
	int same = len == typed && memcmp(e->line.data + start, text, len) == 0;

	if (!same && (len >= typed || e->offers.n == 1))
		return insert(e, start, cursor, len);
	return e->offers.n > 1 ? list(e) : CC_NORM;
}

/* All that is typed, as UTF-8, and the byte of the cursor. */
static enum peal_err typed_line(struct peal_editor *e, size_t *cursor)
{
	const LineInfoW *info = e->lib->el_wline(e->el);
	enum peal_err err;

	peal_buf_clear(&e->line);
	err = peal_wide_put(&e->line, info->buffer,
			    (size_t)(info->cursor - info->buffer));
	*cursor = e->line.len;
	if (!err)
		err = peal_wide_put(&e->line, info->cursor,
				    (size_t)(info->lastchar - info->cursor));
	return err ? err : peal_buf_add(&e->line, "", 1);
}

unsigned char peal_editor_complete(EditLine *el, int ch)
{
	struct peal_editor *e = peal_editor_of(el);
	unsigned char result = CC_ERROR;
	size_t start, cursor;

	(void)ch;
	if (!e->options.complete || typed_line(e, &cursor))
		return CC_ERROR;
	peal_editor_leave(e);
	start = e->options.complete(e, (const char *)e->line.data, cursor,
				    e->options.arg);
	peal_editor_enter(e);
	if (e->offers.n && start <= cursor)
		result = take(e, start, cursor);
	peal_arena_fini(&e->offers.arena);
	peal_offers_init(&e->offers);
	return result;
}
#endif
