/* history.h - the file of lines that are remembered, one a line: \n and \\
 * stand for a newline and a backslash. Private.
 *
 * It is private to its owner, grows by appending, so that several sessions may
 * share it, and is cut back when it is opened. */
#ifndef PEAL_TERM_HISTORY_H
#define PEAL_TERM_HISTORY_H

#include <stddef.h>

#include "peal/error.h"

/* Called for each line that is remembered, oldest first, at most `max`. */
typedef void (*peal_history_fn)(const char *line, size_t len, void *arg);
/* PEAL_OK when there is none. */
enum peal_err peal_history_load(const char *path, unsigned max,
				peal_history_fn fn, void *arg,
				struct peal_reason *reason);
enum peal_err peal_history_append(const char *path, const char *line,
				  size_t len, struct peal_reason *reason);

#endif
