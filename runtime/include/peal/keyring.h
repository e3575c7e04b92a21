/* keyring.h - private keys and their certificates, in generations.
 *
 *	FOLDER/NAME/<n>/root.pem ...  one generation, and `sums` of its files
 *	FOLDER/NAME/current           symbolic link to its number
 *
 * A set of files that belong together is installed as a whole: written and
 * made durable beside the one in force, which stays as it was until the link
 * is switched. A power cut at any point leaves the old set or the new one. The
 * set before stays, for the day on which the current one cannot be read.
 * Owns      everything in the folder, modes 0700 and 0600. What belongs to
 *           another user or is a link where none is due is not touched.
 * Threads   one thread per handle; several processes may share a folder. */
#ifndef PEAL_KEYRING_H
#define PEAL_KEYRING_H

#include <stddef.h>

#include "peal/buf.h"
#include "peal/error.h"
#include "peal/identity.h"
#include "peal/key.h"

struct peal_keyring;

/* Told before each operation that changes the disk: "mkdir", "create",
 * "write", "sync", "link", "rename", "unlink", and of what. Not 0: it is not
 * done, and fails with that errno. For tests. */
typedef int (*peal_keyring_step_fn)(void *arg, const char *what,
				    const char *name);

struct peal_keyring_options {
	const char *path; /* folder, made when first written; NULL: memory */
	peal_keyring_step_fn step; /* NULL: nobody */
	void *arg;
};

/* PEAL_EPERM, PEAL_ENOMEM */
enum peal_err peal_keyring_open(struct peal_keyring **out,
				const struct peal_keyring_options *options,
				struct peal_reason *reason);
void peal_keyring_close(struct peal_keyring *k); /* takes NULL */

enum { PEAL_KEYRING_FILES = 16, PEAL_KEYRING_NAME = 64 };

/* A text or, where `key` is set, a private key. Names of sets and files are
 * made of a-z, 0-9, '.', '_' and '-', and begin with none of the last three. */
struct peal_keyring_file {
	const char *name;
	const void *text;
	size_t len;
	struct peal_key *key;
};

/* Make these files the set `name`.
 *   generation  its number, larger than any before; may be NULL
 * PEAL_EINVAL, PEAL_ELOCKED (another process is at it), PEAL_EPERM,
 * PEAL_ENOSPC, PEAL_EROFS, PEAL_EIO, PEAL_ENOMEM */
enum peal_err peal_keyring_install(struct peal_keyring *k, const char *name,
				   const struct peal_keyring_file *files,
				   unsigned n, unsigned *generation,
				   struct peal_reason *reason);
/* Could a set of that name be installed now? Its folder is made, and a file is
 * written there and removed. Errors as of peal_keyring_install() */
enum peal_err peal_keyring_ready(struct peal_keyring *k, const char *name,
				 struct peal_reason *reason);
/* Forget the set, as far as a file system forgets. PEAL_ENOENT */
enum peal_err peal_keyring_remove(struct peal_keyring *k, const char *name,
				  struct peal_reason *reason);

/* The rest reads the current generation; where that one is damaged, the one
 * before: `reason` says so then, beside PEAL_OK.
 * PEAL_ENOENT, PEAL_EDAMAGED (nothing whole is left), PEAL_EPERM, PEAL_ENOMEM
 */
enum peal_err peal_keyring_generation(struct peal_keyring *k, const char *name,
				      unsigned *out,
				      struct peal_reason *reason);
/* A file's text, added to `out`. PEAL_EPERM for one with a private key. */
enum peal_err peal_keyring_read(struct peal_keyring *k, const char *name,
				const char *file, struct peal_buf *out,
				struct peal_reason *reason);
enum peal_err peal_keyring_key(struct peal_keyring *k, const char *name,
			       const char *file, struct peal_key **out,
			       struct peal_reason *reason);
/* Of cert.pem and key.pem. */
enum peal_err peal_keyring_identity(struct peal_keyring *k, const char *name,
				    struct peal_identity **out,
				    struct peal_reason *reason);

#endif
