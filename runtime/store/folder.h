/* folder.h - the files of a store: listing, lock, key, one revision in or out.
 *
 * What changes the disk goes through peal_file_ops; reasons name the file. */
#ifndef PEAL_FOLDER_H
#define PEAL_FOLDER_H

#include "peal/buf.h"
#include "peal/store.h"

struct peal_rev {
	uint64_t number;
	int64_t size;   /* -1: not asked yet */
	int state_only; /* it changed no parameter; -1: not asked yet */
};

struct peal_folder {
	int dir;                  /* descriptor, -1: memory only */
	int lock;                 /* -1: none */
	struct peal_file_ops ops; /* all members set */
	struct peal_rev *revs;    /* oldest first */
	unsigned n_revs, cap_revs;
	int listed; /* revs is what was there */
};

/* Told about what a person should know; PEAL_ENOMEM only. */
typedef enum peal_err (*peal_note_fn)(void *arg, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

void peal_folder_init(struct peal_folder *f, const struct peal_file_ops *ops);
void peal_folder_fini(struct peal_folder *f);
enum peal_err peal_folder_open(struct peal_folder *f, const char *path,
			       int read_only, struct peal_reason *reason);
enum peal_err peal_folder_lock(struct peal_folder *f, const char *path,
			       struct peal_reason *reason);
/* List the revisions anew; if `clean`, remove left-over temporary files. */
enum peal_err peal_folder_list(struct peal_folder *f, int clean,
			       peal_note_fn note, void *arg,
			       struct peal_reason *reason);
/* Read the key, or make it if `make`; without one a random key is used. */
enum peal_err peal_folder_key(struct peal_folder *f, int make,
			      unsigned char key[PEAL_STORE_KEY],
			      peal_note_fn note, void *arg,
			      struct peal_reason *reason);

/* At most `most` bytes of a revision, added to `out`. PEAL_ENOENT;
 * PEAL_EDAMAGED when it cannot be read though it is there. */
enum peal_err peal_folder_read(struct peal_folder *f, uint64_t number,
			       size_t most, struct peal_buf *out,
			       struct peal_reason *reason);
/* Write and make durable. On failure the temporary file is gone; whether the
 * revision is there after a power cut is open only if *renamed. */
enum peal_err peal_folder_write(struct peal_folder *f, uint64_t number,
				const void *bytes, size_t len, int *renamed,
				struct peal_reason *reason);
/* Room in the list for one more revision. */
enum peal_err peal_folder_reserve(struct peal_folder *f);
void peal_folder_add(struct peal_folder *f, uint64_t number, size_t size,
		     int state_only);
/* Remove revisions while all together pass `keep` bytes: first those in which
 * state alone has changed, and in the next one again, so that an idle phone
 * does not wear its history away; then the oldest. */
void peal_folder_prune(struct peal_folder *f, size_t keep);

/* Size of a revision, -1 when it is not there. */
int64_t peal_folder_size(struct peal_folder *f, unsigned i);
/* Head of a revision. PEAL_ENOENT; PEAL_EDAMAGED: number and size are set all
 * the same. */
enum peal_err peal_folder_head(struct peal_folder *f, unsigned i,
			       struct peal_revision *out,
			       struct peal_reason *reason);

/* files.c */
void peal_file_ops_fill(struct peal_file_ops *out,
			const struct peal_file_ops *in);
/* 0 or -errno; short writes and EINTR are gone on with. */
int peal_write_all(const struct peal_file_ops *ops, int fd, const void *bytes,
		   size_t len);
int peal_sync(const struct peal_file_ops *ops, int fd);
int peal_close(const struct peal_file_ops *ops, int fd);
/* Add what is in the file, at most `most` bytes; 0 or -errno, -ENOMEM. */
int peal_read_all(const struct peal_file_ops *ops, int fd, size_t most,
		  struct peal_buf *out);

#endif
