/* file.h - files of certificates and keys, read with care. Private. */
#ifndef PEAL_TRUST_FILE_H
#define PEAL_TRUST_FILE_H

#include "peal/buf.h"

enum {
	PEAL_FILE_OWN = 1,   /* no link, and nobody else can have written it */
	PEAL_FILE_SECRET = 3 /* that, and nobody else can read it */
};

/* The whole of a regular file, added to `out`, whose maximum is the limit.
 *   dir    descriptor of a folder, or AT_FDCWD
 * PEAL_ENOENT, PEAL_EPERM, PEAL_EINVAL, PEAL_ETOOBIG, PEAL_EIO, PEAL_ENOMEM */
enum peal_err peal_file_read(int dir, const char *name, unsigned flags,
			     struct peal_buf *out, struct peal_reason *reason);
/* That, for one whose folder was opened step by step.
 *   path   what sentences call it */
enum peal_err peal_file_read_at(int dir, const char *name, const char *path,
				unsigned flags, struct peal_buf *out,
				struct peal_reason *reason);

#endif
