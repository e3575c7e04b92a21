/* terminal.h - a person at a terminal: its modes, and a line editor.
 *
 * The editor is libedit, loaded when the first one is opened, so that nothing
 * else pays for it; a build without its header, or a machine without the
 * library, has none. What is typed and shown is UTF-8, whatever the locale is.
 * Terminals are those that understand ECMA-48 (every one in use does).
 * Threads   one editor a process: there is one standard input. */
#ifndef PEAL_TERMINAL_H
#define PEAL_TERMINAL_H

#include <stddef.h>

#include "peal/error.h"

/* Columns of the terminal on standard output (or input); 80 where it is none
 * or does not say. */
unsigned peal_terminal_width(void);

/* From here to the end the modes of the terminal `fd` may be changed: they are
 * put back when the process exits, or dies by TERM, HUP, INT or QUIT (those
 * that nobody else has a handler for). Not nested. PEAL_EINVAL (no terminal) */
enum peal_err peal_terminal_begin(int fd);
/* The modes of the beginning; also from a signal handler, and at any time. */
void peal_terminal_restore(void);
void peal_terminal_end(void);

/* Ask for a line that is not shown as it is typed, at the terminal of the
 * process, wherever its streams go. Blocks.
 *   out   with a NUL, without the newline
 * PEAL_ENOENT (no terminal, or its end), PEAL_ELIMIT (a longer line) */
enum peal_err peal_terminal_secret(const char *prompt, char *out, size_t size);

struct peal_editor;

/*   name          of the program, as its user's .editrc calls it
 *   history       file that remembers lines, or NULL; made with mode 0600
 *   history_max   lines that are remembered
 *   wait          called when nothing has been typed: returns when there may be
 *                 something; an error ends the reading with that error
 *   complete      calls peal_editor_offer() for each text that could stand from
 *                 some byte on up to the cursor; returns that byte. NULL: none */
struct peal_editor_options {
	const char *name;
	const char *history;
	unsigned history_max;
	enum peal_err (*wait)(void *arg);
	size_t (*complete)(struct peal_editor *e, const char *line,
			   size_t cursor, void *arg);
	void *arg;
};

/* An editor at standard input and output.
 * PEAL_ENOENT (no libedit), PEAL_EINVAL (no terminal, or one that cannot move
 * its cursor), PEAL_ENOMEM */
enum peal_err peal_editor_open(struct peal_editor **out,
			       const struct peal_editor_options *options,
			       struct peal_reason *reason);
void peal_editor_close(struct peal_editor *e); /* takes NULL */

enum peal_typed {
	PEAL_TYPED_LINE,
	PEAL_TYPED_END,      /* Ctrl-D on an empty line, or the terminal went */
	PEAL_TYPED_INTERRUPT /* Ctrl-C */
};
/* Read a line. The terminal is as it was before when this returns.
 *   prompt   may have several lines
 *   line     borrowed until the next call; without its newline; may have some
 *            inside, when it comes from the history
 * PEAL_ESTATE (it is reading), PEAL_ENOMEM, what wait returned */
enum peal_err peal_editor_read(struct peal_editor *e, const char *prompt,
			       enum peal_typed *typed, const char **line,
			       size_t *len);

/* Print whole lines: while a line is being read above it, which is kept. */
void peal_editor_print(struct peal_editor *e, const char *text, size_t len);
/* The terminal has another size; found out at the next key anyway. */
void peal_editor_resized(struct peal_editor *e);

/* A candidate, from within complete. Memory that lacks loses it. */
void peal_editor_offer(struct peal_editor *e, const char *text, size_t len);

/* Remember a line; what must not be remembered is the caller's to know.
 * PEAL_EIO ... (the file cannot be written; this session remembers it) */
enum peal_err peal_editor_add(struct peal_editor *e, const char *line,
			      size_t len, struct peal_reason *reason);

#endif
