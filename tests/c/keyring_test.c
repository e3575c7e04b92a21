/* keyring_test.c - a keyring after a power cut at any point, with any operation
 * failing, and without memory. */
#include "peal/keyring.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "decode/crypto.h"
#include "peal/issue.h"
#include "test.h"

/* In memory where that can be had: thousands of syncs take long on a disk. */
static char folder[64];
static char path[80];

static void shell(const char *command)
{
	REQUIRE(system(command) == 0);
}

static void clean(void)
{
	char command[200];

	snprintf(command, sizeof(command), "rm -rf %s && mkdir -m 700 %s",
		 folder, folder);
	shell(command);
}

/* One set is of "a" and key 0, another of "b" and key 1. */
static struct peal_key *keys[2];

static void begin(void)
{
	unsigned i;

	if (keys[0])
		return;
	REQUIRE(peal_alloc_hook_libraries() == PEAL_OK);
	REQUIRE(peal_crypto_init() == PEAL_OK);
	snprintf(folder, sizeof(folder), "%s/peal-keyring-XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	REQUIRE(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/keys", folder);
	for (i = 0; i < 2; i++)
		REQUIRE(peal_key_new(&keys[i], "P-256", NULL) == PEAL_OK);
}

/* What a disk does: it may lose what was not synced. */
struct disk {
	long nth;     /* operation at which the power goes; 0: never */
	int error;    /* or that one alone fails with this */
	long count;   /* of operations */
	int cut;      /* it is gone */
	int switched; /* the link names what is new */
	char unsynced[16][80];
	unsigned n;
};

static void note_write(struct disk *d, const char *name)
{
	REQUIRE(d->n < 16);
	snprintf(d->unsynced[d->n++], sizeof(d->unsynced[0]), "%s", name);
}

static void note_sync(struct disk *d, const char *name)
{
	unsigned i;

	for (i = 0; i < d->n; i++)
		if (strcmp(d->unsynced[i], name) == 0)
			d->unsynced[i][0] = '\0';
}

static int on_step(void *arg, const char *what, const char *name)
{
	struct disk *d = arg;

	d->count++;
	if (d->nth && d->count == d->nth && d->error)
		return d->error;
	if (d->cut || (d->nth && d->count == d->nth && !d->error)) {
		d->cut = 1;
		return EIO; /* nothing more reaches the disk */
	}
	if (strcmp(what, "write") == 0)
		note_write(d, name);
	else if (strcmp(what, "sync") == 0)
		note_sync(d, name);
	else if (strcmp(what, "rename") == 0 && strcmp(name, "current") == 0)
		/* a name in front of contents that may be lost */
		for (unsigned i = 0; i < d->n; i++)
			CHECK_STR(d->unsynced[i], "");
	d->switched |= strcmp(what, "rename") == 0;
	return 0;
}

static struct peal_keyring *open_keyring(struct disk *d)
{
	struct peal_keyring_options o = { path, d ? on_step : NULL, d };
	struct peal_keyring *k = NULL;

	CHECK_ERR(peal_keyring_open(&k, &o, NULL), PEAL_OK);
	return k;
}

static enum peal_err install(struct peal_keyring *k, int which,
			     unsigned *generation, struct peal_reason *reason)
{
	const struct peal_keyring_file files[] = {
		{ "text", which ? "b" : "a", 1, NULL },
		{ "key.pem", NULL, 0, keys[which] },
	};

	return peal_keyring_install(k, "mic", files, 2, generation, reason);
}

/* 'a', 'b', or 0: no whole set. Text and key always belong together. */
static char installed(struct peal_reason *reason)
{
	struct peal_keyring *k = open_keyring(NULL);
	struct peal_key *key = NULL;
	struct peal_buf text, mine, read;
	char which = 0;

	peal_buf_init(&text, 100);
	peal_buf_init(&mine, 1000);
	peal_buf_init(&read, 1000);
	if (peal_keyring_read(k, "mic", "text", &text, reason) == PEAL_OK) {
		which = (char)text.data[0];
		CHECK_ERR(peal_keyring_key(k, "mic", "key.pem", &key, NULL),
			  PEAL_OK);
		peal_key_public(keys[which == 'b'], &mine);
		peal_key_public(key, &read);
		CHECK_MEM(read.data, read.len, mine.data, mine.len);
	}
	peal_key_unref(key);
	peal_buf_fini(&text);
	peal_buf_fini(&mine);
	peal_buf_fini(&read);
	peal_keyring_close(k);
	return which;
}

/* What the disk had not been told to keep is gone, as far as we can tell whose
 * it was: files of the newest generation. */
static void lose_unsynced(const struct disk *d)
{
	char name[200];
	unsigned i, n;

	for (i = 0; i < d->n; i++)
		for (n = 1; n < 10 && d->unsynced[i][0]; n++) {
			snprintf(name, sizeof(name), "%s/mic/%u/%s", path, n,
				 d->unsynced[i]);
			if (n > 2 && truncate(name, 0) && errno != ENOENT)
				CHECK(!"truncated");
		}
}

/* Sets 1 and 2 are in force or before; 3 is on its way. */
static void two_generations(void)
{
	struct peal_keyring *k;

	clean();
	k = open_keyring(NULL);
	CHECK_ERR(install(k, 1, NULL, NULL), PEAL_OK);
	CHECK_ERR(install(k, 0, NULL, NULL), PEAL_OK);
	peal_keyring_close(k);
}

static void survives_power_cuts(void)
{
	struct peal_keyring *k;
	struct peal_reason why;
	struct disk d;
	long nth, old = 0, fresh = 0;
	enum peal_err err;

	begin();
	for (nth = 1;; nth++) {
		two_generations();
		memset(&d, 0, sizeof(d));
		d.nth = nth;
		k = open_keyring(&d);
		err = install(k, 1, NULL, NULL);
		peal_keyring_close(k);
		if (!d.cut)
			break;
		lose_unsynced(&d);
		switch (installed(&why)) {
		case 'a':
			old++;
			CHECK(err != PEAL_OK);
			break;
		case 'b':
			fresh++;
			break;
		default:
			CHECK(!"old or new");
		}
		CHECK_STR(why.text, ""); /* nothing looks damaged */
		/* and life goes on */
		k = open_keyring(NULL);
		CHECK_ERR(install(k, 1, NULL, NULL), PEAL_OK);
		CHECK_INT(installed(NULL), 'b');
		peal_keyring_close(k);
	}
	CHECK_ERR(err, PEAL_OK);
	CHECK(old > 10 && fresh > 1);
}

static void survives_cuts_of_the_first_install(void)
{
	struct peal_keyring *k;
	struct peal_reason why;
	struct disk d;
	long nth;

	begin();
	for (nth = 1;; nth++) {
		clean();
		memset(&d, 0, sizeof(d));
		d.nth = nth;
		k = open_keyring(&d);
		install(k, 1, NULL, NULL);
		peal_keyring_close(k);
		if (!d.cut)
			break;
		CHECK(installed(&why) != 'a');
		CHECK(!strstr(why.text, "damaged")); /* there was nothing */
		k = open_keyring(NULL);
		CHECK_ERR(install(k, 0, NULL, NULL), PEAL_OK);
		CHECK_INT(installed(NULL), 'a');
		peal_keyring_close(k);
	}
	CHECK(nth > 10);
}

static void is_not_in_force_when_the_first_install_fails(void)
{
	struct peal_keyring *k;
	struct disk d;
	long nth;

	begin();
	for (nth = 1;; nth++) {
		clean();
		memset(&d, 0, sizeof(d));
		d.nth = nth;
		d.error = ENOSPC;
		k = open_keyring(&d);
		if (install(k, 1, NULL, NULL) && !d.switched)
			CHECK_INT(installed(NULL), 0);
		peal_keyring_close(k);
		if (d.count < nth)
			break;
	}
	CHECK(nth > 10);
}

static void never_brings_a_removed_set_back(void)
{
	struct peal_keyring *k;
	struct disk d;
	enum peal_err err;
	long nth;

	begin();
	for (nth = 1;; nth++) {
		two_generations();
		memset(&d, 0, sizeof(d));
		d.nth = nth;
		k = open_keyring(&d);
		err = peal_keyring_remove(k, "mic", NULL);
		peal_keyring_close(k);
		if (!d.cut)
			break;
		/* the older one would be a key that was given up */
		CHECK(installed(NULL) != 'b');
		if (err == PEAL_OK)
			CHECK_INT(installed(NULL), 0);
		k = open_keyring(NULL);
		peal_keyring_remove(k, "mic", NULL);
		CHECK_INT(installed(NULL), 0);
		CHECK_ERR(install(k, 1, NULL, NULL), PEAL_OK);
		CHECK_ERR(peal_keyring_remove(k, "mic", NULL), PEAL_OK);
		peal_keyring_close(k);
		CHECK_INT(rmdir(path), 0); /* nothing is left in it */
	}
	CHECK(nth > 5);
}

static void says_which_operation_failed(void)
{
	static const struct {
		int number;
		enum peal_err err;
	} errors[] = { { ENOSPC, PEAL_ENOSPC },
		       { EROFS, PEAL_EROFS },
		       { EIO, PEAL_EIO },
		       { EACCES, PEAL_EPERM } };
	struct peal_keyring *k;
	struct peal_reason why;
	struct disk d;
	enum peal_err err;
	unsigned i;
	long nth;

	begin();
	for (i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		for (nth = 1;; nth++) {
			two_generations();
			memset(&d, 0, sizeof(d));
			d.nth = nth;
			d.error = errors[i].number;
			k = open_keyring(&d);
			err = install(k, 1, NULL, &why);
			peal_keyring_close(k);
			if (d.count < nth)
				break;
			CHECK(installed(NULL) != 0);
			if (!err) /* an old one could not be removed */
				continue;
			CHECK_ERR(err, errors[i].err);
			CHECK(strncmp(why.text, "keyring: cannot ", 16) == 0);
			CHECK(strstr(why.text, path));
		}
}

static void tells_beforehand_what_would_fail(void)
{
	struct peal_keyring *k;
	struct peal_reason why;
	struct disk d;
	enum peal_err err;
	long nth, failed = 0;

	begin();
	for (nth = 1;; nth++) {
		two_generations();
		memset(&d, 0, sizeof(d));
		d.nth = nth;
		d.error = ENOSPC;
		k = open_keyring(&d);
		err = peal_keyring_ready(k, "mic", &why);
		peal_keyring_close(k);
		if (d.count < nth)
			break;
		CHECK_INT(installed(NULL), 'a');
		if (!err) /* a file that was there not, or would go later */
			continue;
		failed++;
		CHECK_ERR(err, PEAL_ENOSPC);
		CHECK(strncmp(why.text, "keyring: cannot ", 16) == 0);
		CHECK(strstr(why.text, path));
	}
	CHECK_ERR(err, PEAL_OK);
	CHECK(failed >= 4);
}

static void is_one_process_s_at_a_time(void)
{
	char name[100];
	struct peal_keyring *k;
	struct peal_reason why;
	int fd;

	begin();
	two_generations();
	k = open_keyring(NULL);
	snprintf(name, sizeof(name), "%s/mic", path);
	fd = open(name, O_RDONLY | O_DIRECTORY);
	REQUIRE(fd >= 0);
	REQUIRE(flock(fd, LOCK_EX) == 0);
	CHECK_ERR(install(k, 1, NULL, &why), PEAL_ELOCKED);
	CHECK_STR(why.text, "another process changes the keyring's mic");
	CHECK_INT(installed(NULL), 'a');
	close(fd);
	CHECK_ERR(install(k, 1, NULL, &why), PEAL_OK);
	peal_keyring_close(k);
}

static void counts_on_past_what_was_cut_off(void)
{
	struct peal_keyring *k;
	char name[100];
	unsigned n = 0;

	begin();
	two_generations();
	snprintf(name, sizeof(name), "%s/mic/7", path);
	REQUIRE(mkdir(name, 0700) == 0);
	k = open_keyring(NULL);
	CHECK_ERR(peal_keyring_generation(k, "mic", &n, NULL), PEAL_OK);
	CHECK_INT(n, 2);
	CHECK_ERR(install(k, 1, &n, NULL), PEAL_OK);
	CHECK_INT(n, 8);
	CHECK_INT(access(name, F_OK), -1);
	peal_keyring_close(k);
}

/* mbedTLS calls some keys broken when it has no memory to read them. */
static int without_memory(void *arg)
{
	const struct peal_keyring_options o = { arg, NULL, NULL };
	struct peal_keyring *k = NULL;
	struct peal_key *key = NULL;
	struct peal_buf text;
	unsigned n;
	enum peal_err err = peal_keyring_open(&k, &o, NULL);

	peal_buf_init(&text, 100);
	if (!err)
		err = peal_keyring_ready(k, "mic", NULL);
	if (!err)
		err = install(k, 0, NULL, NULL);
	if (!err)
		err = install(k, 1, NULL, NULL);
	if (!err)
		err = peal_keyring_generation(k, "mic", &n, NULL);
	if (!err)
		err = peal_keyring_read(k, "mic", "text", &text, NULL);
	if (!err)
		err = peal_keyring_key(k, "mic", "key.pem", &key, NULL);
	if (!err)
		err = peal_keyring_remove(k, "mic", NULL);
	CHECK(err == PEAL_OK || err == PEAL_ENOMEM || err == PEAL_EKEY);
	peal_key_unref(key);
	peal_buf_fini(&text);
	peal_keyring_close(k);
	return err;
}

static void does_without_memory(void)
{
	begin();
	clean();
	alloc_fail_some(without_memory, NULL, 60, 97);
	alloc_fail_some(without_memory, path, 30, 97);
	clean();
	CHECK_INT(rmdir(folder), 0);
}

TEST_MAIN({ "survives a power cut at any operation", survives_power_cuts },
	  { "survives one at the first install",
	    survives_cuts_of_the_first_install },
	  { "is not in force when its first install fails",
	    is_not_in_force_when_the_first_install_fails },
	  { "never brings a removed set back",
	    never_brings_a_removed_set_back },
	  { "says which operation failed", says_which_operation_failed },
	  { "tells beforehand what would fail",
	    tells_beforehand_what_would_fail },
	  { "is changed by one process at a time", is_one_process_s_at_a_time },
	  { "counts on past what was cut off",
	    counts_on_past_what_was_cut_off },
	  { "does without memory", does_without_memory })
