/* revision.h - the text of a revision.
 *
 *	peal-store 1
 *	revision 7 time=1763800000 cycle=5 cause=resync state-only
 *	source 0 rev=6 cycle=4 author=profile rule=Profile_Rule url=http://s/x
 *	param Resync_Periodic "600" from=0 line=14
 *	param Station_Name "Bob" ua=rw user-modified user-pref from=1
 *	param Line_Enable_2_ ua=ro
 *	param Vendor_Thing "a \"b\"\n" untyped from=0 line=20
 *	state retry index "3"
 *	sha256 <64 hex digits over all lines before>
 *
 * State-only is said where no parameter changed; older programs never say it.
 * One line a value, so that a person can read and grep it. A param without
 * text has its default and only an access of its own; access is told where it
 * differs from the definition's. Words stand bare unless they have blanks,
 * quotes, backslashes or control characters; in quotes \" \\ \n \r \t and \xHH
 * are read, and whatever is not valid UTF-8 is written as \xHH.
 * Every format to come begins with "peal-store N" and ends with the sha256
 * line, so that an old program can tell a newer file from a damaged one. It
 * passes over kinds of lines and attributes that it does not know. */
#ifndef PEAL_REVISION_H
#define PEAL_REVISION_H

#include "peal/buf.h"
#include "store/folder.h"
#include "store/overlay.h"

enum { PEAL_STORE_FORMAT = 1 };

/* Add the whole file of one revision to `out`. PEAL_ENOMEM, PEAL_ELIMIT */
enum peal_err peal_revision_write(struct peal_buf *out,
				  const struct peal_schema *schema,
				  const struct peal_params *params,
				  const struct peal_states *states,
				  const struct peal_revision *head);

/* Read a file into empty `params` and `states`, which are the caller's to
 * free, also after a failure. Bytes are changed in place.
 * PEAL_EDAMAGED with the line, PEAL_ENEWER (read as far as it is known),
 * PEAL_ENOMEM */
enum peal_err peal_revision_read(unsigned char *bytes, size_t len,
				 struct peal_schema *schema,
				 struct peal_params *params,
				 struct peal_states *states,
				 struct peal_revision *head, peal_note_fn note,
				 void *arg, struct peal_reason *reason);

/* Only the head, from the first bytes of a file. */
enum peal_err peal_revision_head(unsigned char *bytes, size_t len,
				 struct peal_revision *head,
				 struct peal_reason *reason);

#endif
