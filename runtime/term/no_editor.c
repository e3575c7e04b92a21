/* no_editor.c - what a build without libedit's header has. See
 * peal/terminal.h */
#ifndef PEAL_HAVE_LIBEDIT
#include "peal/terminal.h"

enum peal_err peal_editor_open(struct peal_editor **out,
			       const struct peal_editor_options *options,
			       struct peal_reason *reason)
{
	(void)out;
	(void)options;
	return peal_fail(reason, PEAL_ENOENT, "built without libedit");
}

void peal_editor_close(struct peal_editor *e)
{
	(void)e;
}

enum peal_err peal_editor_read(struct peal_editor *e, const char *prompt,
			       enum peal_typed *typed, const char **line,
			       size_t *len)
{
	(void)e;
	(void)prompt;
	(void)typed;
	(void)line;
	(void)len;
	return PEAL_ENOENT;
}

void peal_editor_print(struct peal_editor *e, const char *text, size_t len)
{
	(void)e;
	(void)text;
	(void)len;
}

void peal_editor_resized(struct peal_editor *e)
{
	(void)e;
}

void peal_editor_offer(struct peal_editor *e, const char *text, size_t len)
{
	(void)e;
	(void)text;
	(void)len;
}

enum peal_err peal_editor_add(struct peal_editor *e, const char *line,
			      size_t len, struct peal_reason *reason)
{
	(void)e;
	(void)line;
	(void)len;
	(void)reason;
	return PEAL_ENOENT;
}
#endif
