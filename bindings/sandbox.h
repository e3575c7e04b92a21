/* sandbox.h - a Lua state of its own for the rule files of operators.
 *
 * A box holds the pure library (scripts/peal/environment.lua and what it
 * needs), compiles the text of rule files and asks them, one decision a call.
 * Nothing that a file does in one decision can be seen in the next: its main
 * chunk runs anew in a fresh environment each time. Data cross as plain bytes
 * (plain.h), so that no table, function or metatable is shared.
 *
 * What a file may use up: memory (a capped allocator; one block, so one text,
 * at most a sixteenth of it) and instructions (a budget that covers all
 * coroutines and stays spent: neither pcall nor a handler nor __close can
 * outlive it). Functions in C are charged for what they do in one call:
 * string.rep, table.move, patterns step by step. What is left are single
 * instructions that are slow, such as reading a number from a text of a
 * megabyte: a file of these is stopped after minutes only, which is why
 * operators' files run in a worker process that can be killed (worker.h).
 * Threads   one thread per box. */
#ifndef PEAL_SANDBOX_H
#define PEAL_SANDBOX_H

#include <stddef.h>
#include <stdint.h>

#include "peal/buf.h"
#include "peal/error.h"
#include "peal/snapshot.h"

struct peal_box;

/*   memory        bytes of the whole state; 0: PEAL_LIMIT_BOX_MEMORY (16 MiB)
 *   instructions  of one decision, about; 0: PEAL_LIMIT_BOX_INSTRUCTIONS */
struct peal_box_options {
	size_t memory;
	uint64_t instructions;
};

/* PEAL_ENOMEM, PEAL_EINTERNAL */
enum peal_err peal_box_new(struct peal_box **out,
			   const struct peal_box_options *options);
void peal_box_free(struct peal_box *b); /* takes NULL */

/* One decision.
 *   request  packed { stage =, path =, text =, view = or nil }; without a view
 *            the file is loaded and checked only. cover = true: the reply
 *            tells which of its lines ran, `lines` (a bit each, line 0 in
 *            the lowest of the first byte) and `last`, the last one of them
 *   params   what view.param reads; NULL: it is empty
 *   reply    emptied, then packed { ok = true, n =, a, b, c, d } (at most four
 *            results; for a check none), or { ok = false, sentence =, word =,
 *            line = or nil }
 * Words: "bad-rule-file" (does not load, is no rule file, fails),
 * "rule-limit" (sentence says which). A box that ran out of memory is made
 * anew by itself. Fails itself only for a request that is no plain data
 * (PEAL_EINVAL) and when there is no memory for the reply (PEAL_ENOMEM). */
enum peal_err peal_box_ask(struct peal_box *b, const void *request, size_t len,
			   const struct peal_snapshot_view *params,
			   struct peal_buf *reply);

#endif
