/* store_fault_test.c - a store on a disk, in a process and with memory that
 * fail: every operation in turn, every cut, every flipped byte. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "decode/crypto.h"
#include "store/folder.h"

#include "alloc_fail.h"
#include "store_phone.h"

/* --- a folder --- */

static char base[64];

static void begin_test(void)
{
	/* syncs cost nothing there, and there are many */
	snprintf(base, sizeof(base), "/dev/shm/peal-fault-XXXXXX");
	if (mkdtemp(base))
		return;
	snprintf(base, sizeof(base), "/tmp/peal-fault-XXXXXX");
	REQUIRE(mkdtemp(base));
}

static void end_test(void)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -rf '%s'", base);
	REQUIRE(system(command) == 0);
}

static const char *in(const char *name)
{
	static char paths[4][200];
	static unsigned turn;
	char *path = paths[turn++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", base, name);
	return path;
}

static size_t read_bytes(const char *path, char *out, size_t most)
{
	FILE *f = fopen(path, "rb");
	size_t n;

	REQUIRE(f);
	n = fread(out, 1, most, f);
	fclose(f);
	return n;
}

static void write_bytes(const char *path, const char *bytes, size_t len)
{
	FILE *f = fopen(path, "wb");

	REQUIRE(f);
	REQUIRE(fwrite(bytes, 1, len, f) == len);
	fclose(f);
}

static void copy_folder(const char *from, const char *to)
{
	char source[500], target[500], bytes[8192];
	struct dirent *e;
	DIR *d = opendir(from);

	REQUIRE(d && mkdir(to, 0700) == 0);
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(source, sizeof(source), "%s/%s", from, e->d_name);
		snprintf(target, sizeof(target), "%s/%s", to, e->d_name);
		write_bytes(target, bytes,
			    read_bytes(source, bytes, sizeof(bytes)));
	}
	closedir(d);
}

static void drop_folder(const char *path)
{
	char command[300];

	snprintf(command, sizeof(command), "rm -rf '%s'", path);
	REQUIRE(system(command) == 0);
}

static int has_temp(const char *path)
{
	struct dirent *e;
	int found = 0;
	DIR *d = opendir(path);

	REQUIRE(d);
	while ((e = readdir(d)))
		found |= strstr(e->d_name, ".tmp") != NULL;
	closedir(d);
	return found;
}

/* --- file operations that fail, or tell what they did --- */

enum how { FAIL, SHORT, FAIL_AFTER };

struct disk {
	struct peal_file_ops real;
	struct peal_file_ops ops;
	long calls;
	long nth; /* this one fails, from 1; 0: none */
	int errnum;
	enum how how;
	int hits;
	char log[200]; /* one letter a call: create, write, sync ... */
	size_t n_log;
	unsigned long last; /* number of the revision renamed to last */
	int cuts;           /* copy the folder after each change to cut-N */
	long n_cuts;
};

/* 1 when this call is the one. */
static int due(struct disk *d, char letter)
{
	if (d->n_log < sizeof(d->log) - 1)
		d->log[d->n_log++] = letter;
	d->calls++;
	if (d->nth != d->calls)
		return 0;
	d->hits++;
	return 1;
}

static void cut(struct disk *d)
{
	char name[40];

	if (!d->cuts)
		return;
	snprintf(name, sizeof(name), "cut-%ld", d->n_cuts++);
	copy_folder(in("store"), in(name));
}

/* FAIL_AFTER: it happened, and failure is reported all the same. */
#define CALL(d, letter, expression)  \
	int n, hit = due(d, letter); \
                                     \
	if (hit && (d)->how == FAIL) \
		return -(d)->errnum; \
	n = (expression);            \
	if (n >= 0)                  \
		cut(d);              \
	return hit && (d)->how == FAIL_AFTER ? -(d)->errnum : n
static int f_create(void *arg, int dir, const char *name, int mode)
{
	struct disk *d = arg;

	if (d->how == FAIL_AFTER) { /* a descriptor would be lost */
		due(d, 'c');
		return d->real.create(NULL, dir, name, mode);
	}
	CALL(d, 'c', d->real.create(NULL, dir, name, mode));
}

static int f_open(void *arg, int dir, const char *name)
{
	struct disk *d = arg;

	return due(d, 'o') ? -d->errnum : d->real.open(NULL, dir, name);
}

static ssize_t f_write(void *arg, int fd, const void *p, size_t n)
{
	struct disk *d = arg;
	ssize_t done;

	if (due(d, 'w')) {
		if (d->how != SHORT)
			return -d->errnum;
		n = n > 7 ? 7 : n;
	}
	if (d->cuts && n > 100) /* so that there are cuts inside */
		n = 100;
	done = d->real.write(NULL, fd, p, n);
	cut(d);
	return done;
}

static ssize_t f_read(void *arg, int fd, void *p, size_t n)
{
	struct disk *d = arg;

	if (due(d, 'r')) {
		if (d->how != SHORT)
			return -d->errnum;
		n = n > 7 ? 7 : n;
	}
	return d->real.read(NULL, fd, p, n);
}

static int f_sync(void *arg, int fd)
{
	struct disk *d = arg;

	CALL(d, 's', d->real.sync(NULL, fd));
}

static int f_close(void *arg, int fd)
{
	struct disk *d = arg;
	int hit = due(d, 'l'), n = d->real.close(NULL, fd);

	return hit ? -d->errnum : n;
}

static int f_rename(void *arg, int dir, const char *from, const char *to)
{
	struct disk *d = arg;
	unsigned long number = 0;

	/* no number twice, whatever became of the first */
	if (sscanf(to, "rev-%lu", &number) == 1) {
		CHECK(number > d->last || d->errnum == EINTR);
		d->last = number;
	}
	CALL(d, 'n', d->real.rename(NULL, dir, from, to));
}

static int f_unlink(void *arg, int dir, const char *name)
{
	struct disk *d = arg;

	CALL(d, 'u', d->real.unlink(NULL, dir, name));
}

static void disk_init(struct disk *d)
{
	memset(d, 0, sizeof(*d));
	peal_file_ops_fill(&d->real, NULL);
	d->ops.create = f_create;
	d->ops.open = f_open;
	d->ops.write = f_write;
	d->ops.read = f_read;
	d->ops.sync = f_sync;
	d->ops.close = f_close;
	d->ops.rename = f_rename;
	d->ops.unlink = f_unlink;
	d->ops.arg = d;
}

static enum peal_err open_on(struct peal_store **out,
			     struct peal_schema *schema, const char *path,
			     const struct peal_file_ops *ops)
{
	struct peal_store_options o = { .path = path, .ops = ops, .keep = 1 };

	return peal_store_open(out, schema, &o, NULL);
}

static enum peal_err commit_count(struct peal_store *s, const char *text)
{
	struct peal_txn *t;
	enum peal_err err = peal_txn_begin(&t, s);

	if (!err)
		err = set_text(t, "Count", text);
	if (!err)
		err = peal_txn_state(t, "test", "count", text, strlen(text));
	if (err) {
		peal_txn_abort(t);
		return err;
	}
	return peal_txn_commit(t, "test", 1, NULL, NULL);
}

/* A store with revisions 1 to 3, Count 3. */
static void make_store(struct peal_schema *schema, const char *path)
{
	struct peal_store *s;

	REQUIRE(!open_on(&s, schema, path, NULL));
	REQUIRE(!commit_count(s, "1"));
	REQUIRE(!commit_count(s, "5"));
	REQUIRE(!commit_count(s, "3"));
	peal_store_close(s);
}

/* Text and state move together, or something is mixed. */
static const char *count_of(const struct peal_store *s)
{
	const char *text = get_text(s, "Count");
	const char *state = get_state(s, "test", "count");

	if (state)
		CHECK_STR(state, text);
	return text;
}

static int is_one_of(const char *text, const char *a, const char *b)
{
	return strcmp(text, a) == 0 || strcmp(text, b) == 0;
}

/* --- each operation of a commit fails --- */

static enum peal_err wanted_error(int errnum)
{
	return peal_err_errno(errnum);
}

/* One commit with the nth operation failing; 1 when it was reached. */
static int fail_commit(struct peal_schema *schema, long nth, int errnum,
		       enum how how)
{
	struct peal_store *s;
	struct disk d;
	enum peal_err err;

	make_store(schema, in("store"));
	disk_init(&d);
	REQUIRE(!open_on(&s, schema, in("store"), &d.ops));
	d.calls = 0;
	d.nth = nth;
	d.errnum = errnum;
	d.how = how;
	err = commit_count(s, "9");
	d.nth = 0;
	if (errnum == EINTR || how == SHORT) {
		CHECK_ERR(err, PEAL_OK);
	} else if (err) {
		CHECK_ERR(err, wanted_error(errnum));
		CHECK_STR(count_of(s), "3");
		CHECK_INT(peal_store_revision(s), 3);
		if (how == FAIL) {
			CHECK(!has_temp(in("store")));
		}
		/* and it goes on as if nothing had been */
		CHECK_ERR(commit_count(s, "8"), PEAL_OK);
		CHECK_STR(count_of(s), "8");
		CHECK(peal_store_revision(s) >= 4);
	}
	peal_store_close(s);

	REQUIRE(!open_on(&s, schema, in("store"), NULL));
	CHECK_STR(count_of(s), err ? "8" : "9");
	peal_store_close(s);
	drop_folder(in("store"));
	return d.hits;
}

static void each_operation_fails(void)
{
	static const int errors[] = { EIO, ENOSPC, EROFS, EMFILE, EINTR };
	struct peal_schema *schema = phone_schema();
	long failing = 0;
	size_t i;
	long n;

	begin_test();
	for (i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		for (n = 1; fail_commit(schema, n, errors[i], FAIL); n++)
			failing++;
		CHECK(n > 6); /* create, write, sync, close, rename, sync */
	}
	for (n = 1; fail_commit(schema, n, EIO, FAIL_AFTER); n++)
		failing++;
	for (n = 1; fail_commit(schema, n, 0, SHORT); n++)
		;
	CHECK(failing > 30);
	end_test();
	peal_schema_unref(schema);
}

static enum peal_err commit_state(struct peal_store *s, const char *text)
{
	struct peal_txn *t;
	enum peal_err err = peal_txn_begin(&t, s);

	if (!err)
		err = peal_txn_state(t, "test", "big", text, strlen(text));
	if (err) {
		peal_txn_abort(t);
		return err;
	}
	return peal_txn_commit(t, "state", 1, NULL, NULL);
}

/* After a restart it is read which revisions may go; one operation of that,
 * and of all else, finds no descriptor. 1 when it was reached. */
static int fail_pruning(struct peal_schema *schema, long nth)
{
	struct peal_store_options o = { .path = in("store") };
	char text[1000] = "";
	struct peal_revision r;
	struct peal_store *s;
	struct disk d;
	unsigned i, n = 0;

	make_store(schema, in("store"));
	REQUIRE(!peal_store_open(&s, schema, &o, NULL));
	for (i = 0; i < 3; i++) {
		snprintf(text, sizeof(text), "%0900u", i);
		REQUIRE(!commit_state(s, text));
	}
	peal_store_close(s);
	disk_init(&d);
	o.ops = &d.ops;
	o.keep = 3000;
	REQUIRE(!peal_store_open(&s, schema, &o, NULL));
	d.calls = d.n_log = 0;
	d.nth = nth;
	d.errnum = EMFILE;
	commit_state(s, "x");
	d.nth = 0;
	for (i = 0; !peal_store_revision_at(s, i, &r, NULL); i++)
		n += !r.state_only;
	if (d.log[nth - 1] != 'r') /* a file that gives no bytes is damaged */
		CHECK_INT(n, 2);
	peal_store_close(s);
	drop_folder(in("store"));
	return d.hits;
}

static void pruning_that_fails_takes_no_parameters(void)
{
	struct peal_schema *schema = phone_schema();
	long n;

	begin_test();
	for (n = 1; fail_pruning(schema, n); n++)
		;
	CHECK(n > 10);
	end_test();
	peal_schema_unref(schema);
}

/* A sync that failed is final; after one of the folder the disk may show old
 * or new, the process shows old, and no number is used twice. */
static void a_failed_sync_is_not_tried_again(void)
{
	struct peal_schema *schema = phone_schema();
	struct peal_store *s;
	struct disk d;

	begin_test();
	make_store(schema, in("store"));
	disk_init(&d);
	REQUIRE(!open_on(&s, schema, in("store"), &d.ops));
	d.errnum = EIO;
	for (d.nth = 1; d.nth <= 6; d.nth++) {
		memset(d.log, 0, sizeof(d.log));
		d.calls = d.n_log = 0;
		CHECK_ERR(commit_count(s, "9"), PEAL_EIO);
		CHECK_STR(count_of(s), "3");
		if (d.nth == 3)
			CHECK_STR(d.log, "cwslu");
		if (d.nth == 6)
			CHECK_STR(d.log, "cwslnsu");
	}
	d.nth = 0;
	CHECK_ERR(commit_count(s, "9"), PEAL_OK);
	/* two renames were tried before this one */
	CHECK_INT(peal_store_revision(s), 3 + 2 + 1);
	peal_store_close(s);
	end_test();
	peal_schema_unref(schema);
}

/* The bytes are on the disk before the name is, and the name before anybody
 * is told: with this order every subset of unsynced writes is old or new. */
static void syncs_in_order(void)
{
	struct peal_schema *schema = phone_schema();
	struct peal_store *s;
	struct disk d;

	begin_test();
	disk_init(&d);
	REQUIRE(!open_on(&s, schema, in("store"), &d.ops));
	CHECK_STR(d.log, "ocwslns"); /* the key */
	memset(d.log, 0, sizeof(d.log));
	d.n_log = 0;
	CHECK_ERR(commit_count(s, "9"), PEAL_OK);
	CHECK_STR(d.log, "cwslns");
	memset(d.log, 0, sizeof(d.log));
	d.n_log = 0;
	CHECK_ERR(commit_count(s, "9"), PEAL_OK); /* no change */
	CHECK_STR(d.log, "");
	peal_store_close(s);
	end_test();
	peal_schema_unref(schema);
}

/* --- each operation of an opening fails --- */

static void opening_fails_cleanly(void)
{
	static const int errors[] = { EIO, EMFILE, ENOSPC, EROFS, EINTR };
	struct peal_schema *schema = phone_schema();
	struct peal_store *s;
	struct disk d;
	size_t i;
	int fresh;
	long n;

	begin_test();
	for (i = 0; i < 2 * sizeof(errors) / sizeof(*errors); i++) {
		fresh = i % 2 == 0;
		for (n = 1;; n++) {
			if (!fresh)
				make_store(schema, in("store"));
			disk_init(&d);
			d.nth = n;
			d.errnum = errors[i / 2];
			if (open_on(&s, schema, in("store"), &d.ops) == 0) {
				/* a revision that cannot be read is passed
				 * over, aloud */
				if (!fresh)
					CHECK(is_one_of(count_of(s), "3",
							peal_store_note(s, 0) ?
								"5" :
								"3"));
				peal_store_close(s);
			}
			if (!d.hits)
				break;
			CHECK_ERR(open_on(&s, schema, in("store"), NULL),
				  PEAL_OK);
			CHECK_STR(count_of(s), fresh ? "2" : "3");
			peal_store_close(s);
			drop_folder(in("store"));
		}
		CHECK(n > 2);
		drop_folder(in("store"));
	}
	end_test();
	peal_schema_unref(schema);
}

/* --- power cuts --- */

/* A copy of the folder after each change is what a power cut could leave. */
static void cuts_leave_old_or_new(void)
{
	struct peal_schema *schema = phone_schema();
	struct peal_store *s;
	char name[40];
	struct disk d;
	int old = 0, now = 0;
	long i;

	begin_test();
	make_store(schema, in("store"));
	disk_init(&d);
	REQUIRE(!open_on(&s, schema, in("store"), &d.ops));
	d.cuts = 1;
	REQUIRE(!commit_count(s, "9"));
	peal_store_close(s);
	CHECK(d.n_cuts >= 7);
	for (i = 0; i < d.n_cuts; i++) {
		snprintf(name, sizeof(name), "cut-%ld", i);
		REQUIRE(!open_on(&s, schema, in(name), NULL));
		CHECK(is_one_of(count_of(s), "3", "9"));
		old += strcmp(count_of(s), "3") == 0;
		now += strcmp(count_of(s), "9") == 0;
		CHECK(!has_temp(in(name)));
		CHECK_ERR(commit_count(s, "7"), PEAL_OK);
		peal_store_close(s);
	}
	CHECK(old >= 4);
	CHECK(now >= 1);
	end_test();
	peal_schema_unref(schema);
}

/* What was never synced may come back as nothing: a renamed file of length 0
 * must not win. */
static void an_empty_file_does_not_win(void)
{
	struct peal_schema *schema = phone_schema();
	struct peal_store *s;

	begin_test();
	make_store(schema, in("store"));
	write_bytes(in("store/rev-0000000004"), "", 0);
	write_bytes(in("store/rev-0000000005.tmp"), "peal-store 1\n", 13);
	write_bytes(in("store/rev-12"), "x", 1); /* no name of ours */
	REQUIRE(!open_on(&s, schema, in("store"), NULL));
	CHECK_STR(count_of(s), "3");
	CHECK(peal_store_note(s, 1)); /* damaged, and a left-over */
	CHECK(!has_temp(in("store")));
	CHECK_ERR(commit_count(s, "4"), PEAL_OK);
	CHECK_INT(peal_store_revision(s), 5); /* 4 is not used again */
	peal_store_close(s);
	end_test();
	peal_schema_unref(schema);
}

/* --- damage --- */

static char newest[8192];
static size_t newest_len;

static void check_fallback(struct peal_schema *schema, const char *bytes,
			   size_t len, const char *what, size_t at)
{
	struct peal_store_options o = { .path = in("store"), .read_only = 1 };
	struct peal_store *s;
	long failed = test_run()->failed;

	write_bytes(in("store/rev-0000000003"), bytes, len);
	REQUIRE(!peal_store_open(&s, schema, &o, NULL));
	CHECK_STR(count_of(s), "5");
	CHECK_INT(peal_store_revision(s), 2);
	CHECK(peal_store_note(s, 0) != NULL);
	peal_store_close(s);
	if (test_run()->failed > failed)
		fprintf(stderr, "\t%s at %zu\n", what, at);
}

static void damage_is_found(void)
{
	struct peal_schema *schema = phone_schema();
	static char bytes[sizeof(newest)];
	size_t i;

	begin_test();
	make_store(schema, in("store"));
	newest_len =
		read_bytes(in("store/rev-0000000003"), newest, sizeof(newest));
	CHECK(newest_len > 150);
	for (i = 0; i < newest_len; i++) {
		memcpy(bytes, newest, newest_len);
		bytes[i] = (char)(bytes[i] ^ (1 << (i % 8)));
		check_fallback(schema, bytes, newest_len, "flipped", i);
		check_fallback(schema, newest, i, "cut", i);
	}
	memcpy(bytes, newest, newest_len);
	bytes[newest_len] = '\n';
	check_fallback(schema, bytes, newest_len + 1, "longer", i);
	end_test();
	peal_schema_unref(schema);
}

static void nothing_whole_is_said(void)
{
	struct peal_schema *schema = phone_schema();
	struct peal_store_options o = { .path = NULL };
	struct peal_reason why;
	struct peal_store *s;
	struct stat st;

	begin_test();
	make_store(schema, in("store"));
	write_bytes(in("store/rev-0000000002"), "x", 1);
	write_bytes(in("store/rev-0000000003"), "", 0);
	o.path = in("store");
	CHECK_ERR(peal_store_open(&s, schema, &o, &why), PEAL_EDAMAGED);
	CHECK(why.text[0]);
	CHECK(stat(in("store/rev-0000000002"), &st) == 0); /* still there */
	o.start_over = 1;
	o.path = in("store");
	CHECK_ERR(peal_store_open(&s, schema, &o, &why), PEAL_OK);
	CHECK(peal_store_note(s, 2) != NULL);
	CHECK_STR(count_of(s), "2");
	CHECK_ERR(commit_count(s, "4"), PEAL_OK);
	CHECK_INT(peal_store_revision(s), 4);
	peal_store_close(s);
	end_test();
	peal_schema_unref(schema);
}

/* Write a revision with a right checksum round these lines. */
static void forge(const char *path, const char *lines)
{
	unsigned char sum[PEAL_SHA256_SIZE];
	char file[4096];
	size_t len = strlen(lines), i;

	REQUIRE(len < 3000 && !peal_sha256(lines, len, sum));
	memcpy(file, lines, len);
	memcpy(file + len, "sha256 ", 7);
	for (i = 0; i < sizeof(sum); i++)
		snprintf(file + len + 7 + 2 * i, 3, "%02x", sum[i]);
	file[len + 71] = '\n';
	write_bytes(path, file, len + 72);
}

static void a_newer_format_is_not_written_over(void)
{
	struct peal_schema *schema = phone_schema();
	struct peal_store_options o = { .read_only = 1 };
	struct peal_reason why;
	struct peal_store *s;

	begin_test();
	make_store(schema, in("store"));
	forge(in("store/rev-0000000009"),
	      "peal-store 2\nrevision 9 time=1 shape=round\n"
	      "colour of=sky \"blue\"\nparam Count \"77\" shiny\n");
	CHECK_ERR(open_on(&s, schema, in("store"), NULL), PEAL_ENEWER);
	o.path = in("store");
	CHECK_ERR(peal_store_open(&s, schema, &o, &why), PEAL_OK);
	CHECK_STR(get_text(s, "Count"), "77");
	CHECK(peal_store_note(s, 0) != NULL);
	peal_store_close(s);
	end_test();
	peal_schema_unref(schema);
}

static void malformed_lines_are_damage(void)
{
	static const char *const lines[] = {
		"peal-store 1\n",
		"peal-store x\nrevision 9\n",
		"revision 9\npeal-store 1\n",
		"peal-store 1\nrevision 9 time=x\n",
		"peal-store 1\nrevision 9\nparam\n",
		"peal-store 1\nrevision 9\nparam Count \"4\n",
		"peal-store 1\nrevision 9\nparam Count \"\\q\"\n",
		"peal-store 1\nrevision 9\nparam Count \"\\x4\"\n",
		"peal-store 1\nrevision 9\nparam Count \"4\" from=0\n",
		"peal-store 1\nrevision 9\nsource 1\n",
		"peal-store 1\nrevision 9\nsource 0 cycle=x\n",
		"peal-store 1\nrevision 9\nparam Unknown \"a\\x00b\"\n",
		"peal-store 1\nrevision 9\nstate a b\n",
		"peal-store 1\nrevision 9\nstate a\n",
		"peal-store 1\nrevision 9\nstate a \"\" \"x\"\n",
		"peal-store 1\nrevision 9\nstate \"a b\" c \"x\"\n",
		"peal-store 1\nrevision 9\n\n",
		"peal-store 1\nrevision 9\nparam Count \"4\"",
	};
	struct peal_schema *schema = phone_schema();
	struct peal_store *s;
	size_t i;

	begin_test();
	make_store(schema, in("store"));
	for (i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		forge(in("store/rev-0000000009"), lines[i]);
		REQUIRE(!open_on(&s, schema, in("store"), NULL));
		if (!CHECK_STR(count_of(s), "3"))
			fprintf(stderr, "\t%s\n", lines[i]);
		peal_store_close(s);
	}
	/* out of order, twice, and by an alias: read, and put in order */
	forge(in("store/rev-0000000009"),
	      "peal-store 1\nrevision 9\n"
	      "param Zeta \"z\"\nparam Count \"4\"\nparam Alpha \"a\"\n"
	      "param Zeta \"y\"\nparam GPP_A \"g\"\nparam Periodic \"60\"\n"
	      "param Resync_Periodic \"120\"\nstate b x \"1\"\n"
	      "state a x \"1\"\nstate a x \"1\"\n");
	REQUIRE(!open_on(&s, schema, in("store"), NULL));
	CHECK_STR(get_text(s, "Count"), "4");
	CHECK_STR(get_text(s, "GPP_A"), "g");
	CHECK_STR(get_text(s, "Resync_Periodic"), "120");
	CHECK_STR(get_text(s, "Alpha"), "a");
	CHECK(get_text(s, "Zeta") != NULL);
	CHECK_STR(get_state(s, "a", "x"), "1");
	CHECK_STR(get_state(s, "b", "x"), "1");
	peal_store_close(s);
	end_test();
	peal_schema_unref(schema);
}

/* --- what others may plant or take away --- */

static void links_are_not_followed(void)
{
	struct peal_schema *schema = phone_schema();
	struct peal_store *s;
	char bytes[16];

	begin_test();
	make_store(schema, in("store"));
	write_bytes(in("victim"), "untouched", 9);
	REQUIRE(!open_on(&s, schema, in("store"), NULL));
	REQUIRE(!symlink(in("victim"), in("store/rev-0000000004.tmp")));
	CHECK_ERR(commit_count(s, "4"), PEAL_OK);
	peal_store_close(s);
	CHECK_INT(read_bytes(in("victim"), bytes, sizeof(bytes)), 9);
	CHECK_MEM(bytes, 9, "untouched", 9);

	/* a link under a revision's name is no revision, a pipe neither */
	REQUIRE(!symlink(in("store/rev-0000000004"),
			 in("store/rev-0000000006")));
	REQUIRE(!mkfifo(in("store/rev-0000000007"), 0600));
	REQUIRE(!open_on(&s, schema, in("store"), NULL));
	CHECK_STR(count_of(s), "4");
	CHECK(peal_store_note(s, 1) != NULL);
	peal_store_close(s);
	end_test();
	peal_schema_unref(schema);
}

static void a_folder_taken_away_is_an_error(void)
{
	struct peal_schema *schema = phone_schema();
	struct peal_reason why;
	struct peal_store *s;
	struct peal_txn *t;

	begin_test();
	make_store(schema, in("store"));
	REQUIRE(!open_on(&s, schema, in("store"), NULL));
	drop_folder(in("store"));
	REQUIRE(!peal_txn_begin(&t, s));
	CHECK_ERR(set_text(t, "Count", "9"), PEAL_OK);
	CHECK_ERR(peal_txn_commit(t, "test", 1, NULL, &why), PEAL_EIO);
	CHECK_STR(why.text, "the store's folder is gone");
	CHECK_STR(get_text(s, "Count"), "3");
	peal_store_close(s);
	end_test();
	peal_schema_unref(schema);
}

static void a_damaged_key_is_replaced(void)
{
	struct peal_schema *schema = phone_schema();
	struct peal_store *s;
	char bytes[64];

	begin_test();
	make_store(schema, in("store"));
	write_bytes(in("store/key"), "short", 5);
	REQUIRE(!open_on(&s, schema, in("store"), NULL));
	CHECK(peal_store_note(s, 0) && strstr(peal_store_note(s, 0), "key"));
	peal_store_close(s);
	CHECK_INT(read_bytes(in("store/key"), bytes, sizeof(bytes)), 32);
	end_test();
	peal_schema_unref(schema);
}

/* --- no memory --- */

/* Everything a transaction can do, on a store that has something. */
static int busy(struct peal_schema *schema, const char *path)
{
	static const char *const keep[] = { "test", NULL };
	struct peal_source source = { 1, "profile", "Profile_Rule", "u" };
	struct peal_txn *t = NULL;
	struct peal_store *s;
	struct peal_change c;
	struct peal_note n;
	char name[20];
	int i;

	if (open_on(&s, schema, path, NULL))
		return 1;
	if (peal_txn_begin(&t, s) || peal_txn_source(t, &source) ||
	    put(t, "GPP_A", "x", PEAL_UA_RO, 0, 1) ||
	    put(t, "Count", "bad", PEAL_UA_NONE, 0, 2) ||
	    set_text(t, "Periodic", "1,2") || peal_txn_factory_reset(t, keep))
		goto fail;
	peal_txn_keep_unknown(t, 1);
	for (i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "Unknown_%d", 40 - i);
		if (put(t, name, "text", PEAL_UA_NONE, 0, 3) ||
		    peal_txn_state(t, "x", name, "1", 1))
			goto fail;
	}
	if (set_text(t, "GPP_A", "final") || peal_txn_change(t, 0, &c) ||
	    peal_txn_note(t, 0, &n) || peal_txn_revoke(t, "Unknown_3", 9))
		goto fail;
	i = (int)peal_txn_commit(t, "test", 1, NULL, NULL);
	/* what a reader sees is whole in either case */
	CHECK_STR(get_text(s, "GPP_A"), i ? "" : "final");
	CHECK(!!get_text(s, "Unknown_1") == !i);
	peal_store_close(s);
	return i;
fail:
	peal_txn_abort(t);
	peal_store_close(s);
	return 1;
}

static int in_memory(void *arg)
{
	struct peal_schema *schema = phone_schema();
	int err;

	(void)arg;
	if (!schema)
		return 1;
	err = busy(schema, NULL);
	peal_schema_unref(schema);
	return err;
}

static int on_disk(void *arg)
{
	struct peal_schema *schema = phone_schema();
	int err;

	(void)arg;
	if (!schema)
		return 1;
	drop_folder(in("run"));
	copy_folder(in("store"), in("run"));
	err = busy(schema, in("run"));
	peal_schema_unref(schema);
	return err;
}

static void no_memory(void)
{
	struct peal_schema *schema;

	CHECK(alloc_fail_each(in_memory, NULL) > 50);
	begin_test();
	schema = phone_schema();
	make_store(schema, in("store"));
	peal_schema_unref(schema);
	CHECK(alloc_fail_each(on_disk, NULL) > 50);
	end_test();
}

TEST_MAIN({ "each operation fails", each_operation_fails },
	  { "pruning that fails takes no parameters",
	    pruning_that_fails_takes_no_parameters },
	  { "a failed sync is not tried again",
	    a_failed_sync_is_not_tried_again },
	  { "syncs in order", syncs_in_order },
	  { "opening fails cleanly", opening_fails_cleanly },
	  { "cuts leave old or new", cuts_leave_old_or_new },
	  { "an empty file does not win", an_empty_file_does_not_win },
	  { "damage is found", damage_is_found },
	  { "nothing whole is said", nothing_whole_is_said },
	  { "a newer format is not written over",
	    a_newer_format_is_not_written_over },
	  { "malformed lines are damage", malformed_lines_are_damage },
	  { "links are not followed", links_are_not_followed },
	  { "a folder taken away is an error",
	    a_folder_taken_away_is_an_error },
	  { "a damaged key is replaced", a_damaged_key_is_replaced },
	  { "no memory", no_memory })
