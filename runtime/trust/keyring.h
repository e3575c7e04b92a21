/* keyring.h - one set of files in memory, and its way to the disk and back.
 * Private to runtime/. */
#ifndef PEAL_TRUST_KEYRING_H
#define PEAL_TRUST_KEYRING_H

#include "peal/keyring.h"

struct peal_set_file {
	char name[PEAL_KEYRING_NAME + 1];
	struct peal_buf text; /* wiped */
};

struct peal_set {
	unsigned number;
	unsigned n;
	struct peal_set_file files[PEAL_KEYRING_FILES];
};

/* Sets of a keyring without a folder. */
struct peal_set_entry {
	struct peal_set_entry *next;
	char name[PEAL_KEYRING_NAME + 1];
	struct peal_set set;
};

struct peal_keyring {
	char *path; /* NULL: memory */
	peal_keyring_step_fn step;
	void *arg;
	struct peal_set_entry *first;
};

void peal_set_init(struct peal_set *s);
void peal_set_fini(struct peal_set *s);
/* A place for one more file, its text empty. PEAL_ELIMIT */
enum peal_err peal_set_add(struct peal_set *s, const char *name,
			   struct peal_buf **text);
int peal_keyring_is_name(const char *name);

/* The newest whole generation of `name`, into `out`, initialised.
 * Errors as in peal/keyring.h; `reason` may say something beside PEAL_OK. */
enum peal_err peal_keyring_fetch(struct peal_keyring *k, const char *name,
				 struct peal_set *out,
				 struct peal_reason *reason);
/* Write it as the next generation, the number of which is set. */
enum peal_err peal_keyring_store(struct peal_keyring *k, const char *name,
				 struct peal_set *set,
				 struct peal_reason *reason);
/* Could it be written? Errors as of peal_keyring_ready(). */
enum peal_err peal_keyring_try(struct peal_keyring *k, const char *name,
			       struct peal_reason *reason);
enum peal_err peal_keyring_erase(struct peal_keyring *k, const char *name,
				 struct peal_reason *reason);

#endif
