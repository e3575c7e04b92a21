/* keyring_disk.h - what reading and writing a keyring's folder share. Private
 * to keyring_read.c and keyring_write.c. */
#ifndef PEAL_TRUST_KEYRING_DISK_H
#define PEAL_TRUST_KEYRING_DISK_H

#include "decode/crypto.h"
#include "trust/keyring.h"

/* A line of `sums` is 64 digits, two blanks and a name. */
enum {
	PEAL_SUM_SIZE = 2 * PEAL_SHA256_SIZE,
	PEAL_NUMBER_SIZE = 12,
	PEAL_LINE_SIZE = 96,
	PEAL_SUMS_SIZE = PEAL_KEYRING_FILES * (PEAL_SUM_SIZE + PEAL_LINE_SIZE)
};

/* Generations that lie there, largest first, as far as anybody looks. */
enum { PEAL_GENERATIONS = 32 };
struct peal_listing {
	unsigned numbers[PEAL_GENERATIONS];
	unsigned n;
	unsigned current; /* 0: the link names none */
};

/* An open folder, and where it is, for sentences: they cut a path that is
 * longer. */
enum { PEAL_PLACE_SIZE = 200 };
struct peal_place {
	int fd; /* -1: it is not open */
	char path[PEAL_PLACE_SIZE];
};

/* A failure in that folder. */
enum peal_err peal_keyring_failed(struct peal_reason *reason, int e,
				  const char *what, const struct peal_place *in,
				  const char *name);

/* Go into a folder that is ours alone; in: NULL for a path from anywhere. out:
 * not open on every error. PEAL_ENOENT without a sentence */
enum peal_err peal_keyring_enter(struct peal_place *out,
				 const struct peal_place *in, const char *name,
				 struct peal_reason *reason);
void peal_keyring_leave(struct peal_place *p); /* also one not open */
/* Where `name` is in that folder. */
void peal_keyring_path(char out[PEAL_PLACE_SIZE], const struct peal_place *in,
		       const char *name);
enum peal_err peal_keyring_list(const struct peal_place *dir,
				struct peal_listing *l);

/* The newest whole generation in the folder of a set. */
enum peal_err peal_keyring_newest(const struct peal_place *dir,
				  const char *name, struct peal_set *out,
				  struct peal_reason *reason);
enum peal_err peal_keyring_sum(const struct peal_buf *text,
			       char hex[PEAL_SUM_SIZE + 1]);

#endif
