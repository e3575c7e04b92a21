/* torture_test.c - whole runs, each allocation failing in turn: a profile
 * from its encrypted bytes into a store on disk, the other direction, and the
 * opening of a store with a history. Whatever fails: nothing leaks, the error
 * is the one for memory, and the store is old or new. */
#include <dirent.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "peal/decode.h"
#include "peal/encode.h"
#include "peal/store.h"

enum { TEXTS = 120, NUMBERS = 60, SECRETS = 40, UNKNOWN = 12 };

static const char pass[] = "SecretPhrase1234";
static const unsigned char salt[8] = "8 bytes!";

/* --- a phone with a few hundred parameters ---------------------------- */

static enum peal_err new_schema(struct peal_schema **out)
{
	static const char *const choices[] = { "Disabled", "none", "id", NULL };
	const struct peal_param list[] = {
		{ .name = "Text_n_", .type = PEAL_T_STR, .count = TEXTS },
		{ .name = "Number_n_",
		  .type = PEAL_T_UNS,
		  .count = NUMBERS,
		  .hi = 1000,
		  .deflt = "7" },
		{ .name = "Secret_n_",
		  .type = PEAL_T_STR,
		  .count = SECRETS,
		  .flags = PEAL_PARAM_SECRET },
		{ .name = "Privacy",
		  .type = PEAL_T_CHOICE,
		  .choices = choices,
		  .deflt = "Disabled" },
		{ .name = "Periodic", .type = PEAL_T_SCHEDULE, .deflt = "3600" },
		{ .name = "Sort", .type = PEAL_T_LIST, .choices = choices },
	};
	struct peal_schema *s;
	enum peal_err err = peal_schema_new(&s);
	size_t i;

	if (err)
		return err;
	for (i = 0; !err && i < sizeof(list) / sizeof(*list); i++)
		err = peal_schema_add(s, &list[i], NULL);
	if (!err)
		err = peal_schema_alias(s, "Interval", "Periodic", NULL);
	if (!err)
		err = peal_schema_seal(s);
	if (err)
		peal_schema_unref(s);
	else
		*out = s;
	return err;
}

static void put(struct peal_buf *b, const char *stem, int n, const char *text)
{
	REQUIRE(!peal_buf_printf(b, "<%s_%d_ ua=\"rw\">%s %d</%s_%d_>\n", stem,
				 n, text, n, stem, n));
}

/* Known and unknown names, references, values that are refused, notes. */
static struct peal_buf new_document(void)
{
	struct peal_buf b;
	int i;

	peal_buf_init(&b, 1 << 20);
	REQUIRE(!peal_buf_add_str(&b, "<?xml version=\"1.0\"?>\n"
				      "<device><flat-profile>\n"));
	for (i = 1; i <= TEXTS; i++)
		put(&b, "Text", i, "a &amp; b &#x20AC; c<!-- d -->");
	for (i = 1; i <= NUMBERS; i++) /* the last ten are too large */
		REQUIRE(!peal_buf_printf(&b, "<Number_%d_>%d</Number_%d_>", i,
					 i * 20, i));
	for (i = 1; i <= SECRETS; i++)
		put(&b, "Secret", i, "s3cr3t");
	for (i = 1; i <= UNKNOWN; i++)
		put(&b, "Txet", i, "kept");
	REQUIRE(!peal_buf_add_str(
		&b, "<Interval>60,120</Interval><Privacy> ID </Privacy>\n"
		    "<Sort>2,1</Sort><Nest><A/></Nest>"
		    "</flat-profile></device>\n"));
	return b;
}

static struct peal_buf new_file(void)
{
	struct peal_buf xml = new_document(), gz, out;

	peal_buf_init(&gz, 1 << 20);
	peal_buf_init(&out, 1 << 20);
	REQUIRE(!peal_encode_gzip(xml.data, xml.len, 9, &gz));
	REQUIRE(!peal_encode_aes(gz.data, gz.len, pass, strlen(pass),
				 PEAL_KDF_MD5, salt, &out));
	peal_buf_fini(&xml);
	peal_buf_fini(&gz);
	return out;
}

/* --- folders ------------------------------------------------------------ */

/* What syncs is tested elsewhere; thousands of them take their time. */
static int no_sync(void *arg, int fd)
{
	(void)arg;
	(void)fd;
	return 0;
}

static const struct peal_file_ops ops = { .sync = no_sync };

struct folder {
	char path[64];
};

static struct folder new_folder(void)
{
	struct folder f;

	snprintf(f.path, sizeof(f.path), "/tmp/peal-torture-XXXXXX");
	REQUIRE(mkdtemp(f.path) != NULL);
	return f;
}

/* Removes the files whose names hold `part`; how many they were. */
static int sweep(const struct folder *f, const char *part)
{
	DIR *d = opendir(f->path);
	struct dirent *e;
	int n = 0;

	REQUIRE(d != NULL);
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.' || !strstr(e->d_name, part))
			continue;
		n++;
		REQUIRE(unlinkat(dirfd(d), e->d_name, 0) == 0);
	}
	closedir(d);
	return n;
}

static void remove_folder(struct folder *f)
{
	sweep(f, "");
	REQUIRE(rmdir(f->path) == 0);
}

static struct peal_store_options in_folder(const struct folder *f)
{
	struct peal_store_options o = { .path = f->path, .ops = &ops };

	return o;
}

static int text_is(const struct peal_store *s, const char *name,
		   const char *want)
{
	const char *text;

	return !peal_store_get(s, name, strlen(name), &text) &&
	       strcmp(text, want) == 0;
}

/* --- a profile into a store -------------------------------------------- */

struct job {
	struct folder folder;
	struct peal_buf file;
	struct peal_schema *schema; /* made outside, for looking */
	enum peal_err err;
	int committed;
	struct peal_reason reason;
};

static enum peal_err apply(struct job *j, struct peal_store *s)
{
	const struct peal_decode_options o = { .key = pass,
					       .key_len = strlen(pass) };
	const struct peal_source source = { 3, "profile", "Profile_Rule",
					    "http://h/x" };
	struct peal_decode_facts facts;
	struct peal_change change;
	struct peal_txn *t;
	enum peal_err err = peal_txn_begin(&t, s);

	if (err)
		return err;
	peal_txn_keep_unknown(t, 1);
	err = peal_txn_source(t, &source);
	if (!err)
		err = peal_decode(j->file.data, j->file.len, &o,
				  peal_txn_element, t, &facts, &j->reason);
	if (!err)
		err = peal_txn_change(t, 0, &change);
	if (!err)
		err = peal_txn_state(t, "engine", "cycle", "3", 1);
	if (err) {
		peal_txn_abort(t);
		return err;
	}
	err = peal_txn_commit(t, "resync", 1000, NULL, &j->reason);
	j->committed = err == PEAL_OK;
	/* readers of this very handle see what was promised */
	CHECK(text_is(s, "Text_1_",
		      j->committed ? "a & b \xe2\x82\xac c 1" : "old"));
	return err;
}

static int decode_and_commit(void *arg)
{
	struct job *j = arg;
	struct peal_store_options o = in_folder(&j->folder);
	struct peal_schema *schema = NULL;
	struct peal_store *s = NULL;

	j->committed = 0;
	peal_reason_clear(&j->reason);
	j->err = new_schema(&schema);
	if (!j->err)
		j->err = peal_store_open(&s, schema, &o, &j->reason);
	if (!j->err)
		j->err = apply(j, s);
	peal_store_close(s);
	peal_schema_unref(schema);
	return j->err != PEAL_OK;
}

/* What the next start finds; then the folder is as it was. */
static void check_outcome(struct job *j)
{
	struct peal_store_options o = in_folder(&j->folder);
	struct peal_store *s;

	if (j->err)
		CHECK_ERR(j->err, PEAL_ENOMEM);
	CHECK_INT(sweep(&j->folder, ".tmp"), 0);
	REQUIRE(!peal_store_open(&s, j->schema, &o, NULL));
	CHECK(peal_store_note(s, 0) == NULL);
	CHECK_INT(peal_store_revision(s), j->committed ? 2 : 1);
	if (j->committed) {
		CHECK(text_is(s, "Text_120_", "a & b \xe2\x82\xac c 120"));
		CHECK(text_is(s, "Number_50_", "1000"));
		CHECK(text_is(s, "Number_51_", "7"));
		CHECK(text_is(s, "Secret_40_", "s3cr3t 40"));
		CHECK(text_is(s, "Txet_12_", "kept 12"));
		CHECK(text_is(s, "Periodic", "60,120"));
		CHECK(text_is(s, "Privacy", "id"));
	} else {
		CHECK(text_is(s, "Text_1_", "old"));
		CHECK(text_is(s, "Text_120_", ""));
		CHECK(text_is(s, "Privacy", "Disabled"));
	}
	peal_store_close(s);
	sweep(&j->folder, "rev-0000000002");
}

static void set_one(struct peal_store *s, const char *name, const char *text)
{
	struct peal_txn *t;

	REQUIRE(!peal_txn_begin(&t, s));
	REQUIRE(!peal_txn_set(t, name, strlen(name), text, strlen(text), 0,
			      NULL));
	REQUIRE(!peal_txn_commit(t, "set", 0, NULL, NULL));
}

static void new_job(struct job *j)
{
	struct peal_store_options o;
	struct peal_store *s;

	memset(j, 0, sizeof(*j));
	j->folder = new_folder();
	j->file = new_file();
	REQUIRE(!new_schema(&j->schema));
	o = in_folder(&j->folder);
	REQUIRE(!peal_store_open(&s, j->schema, &o, NULL));
	set_one(s, "Text_1_", "old");
	peal_store_close(s);
}

static void end_job(struct job *j)
{
	peal_schema_unref(j->schema);
	peal_buf_fini(&j->file);
	remove_folder(&j->folder);
}

/* As alloc_fail_each(), with a look at the store after every run. */
static void fails_each_in_turn(alloc_fail_fn work, struct job *j)
{
	long nth = 1, runs = 0;
	int more, stay;

	do {
		more = 0;
		for (stay = 0; stay < 2; stay++) {
			more |= alloc_fail_once(work, j, nth, stay);
			check_outcome(j);
			runs++;
		}
		nth++;
	} while (more);
	printf("%s: %ld allocations, %ld runs\n", test_run()->name, nth - 2,
	       runs);
	CHECK(nth > 100);
}

static void takes_a_profile_or_leaves_the_store(void)
{
	struct job j;

	new_job(&j);
	CHECK_INT(decode_and_commit(&j), 0);
	check_outcome(&j);
	fails_each_in_turn(decode_and_commit, &j);
	end_job(&j);
}

/* --- the other direction ----------------------------------------------- */

struct writing {
	struct peal_store *store;
	struct peal_buf first; /* what a run without failures makes */
};

static enum peal_err write_values(const struct peal_store *s,
				  struct peal_buf *xml)
{
	struct peal_value v;
	unsigned i;
	enum peal_err err = peal_profile_begin(xml);

	for (i = 0; !err && peal_store_at(s, i, &v) == PEAL_OK; i++)
		err = peal_profile_add(xml, &v, PEAL_PROFILE_SECRETS);
	return err ? err : peal_profile_end(xml);
}

static int encode(void *arg)
{
	static const unsigned char salt16[16] = "16 bytes of salt";
	struct writing *w = arg;
	struct peal_buf xml, gz, aes, gcm;
	enum peal_err err;

	peal_buf_init(&xml, 1 << 20);
	peal_buf_init(&gz, 1 << 20);
	peal_buf_init(&aes, 1 << 20);
	peal_buf_init(&gcm, 1 << 20);
	err = write_values(w->store, &xml);
	if (!err)
		err = peal_encode_gzip(xml.data, xml.len, 9, &gz);
	if (err)
		CHECK_INT(gz.len, 0);
	else
		err = peal_encode_aes(gz.data, gz.len, pass, strlen(pass),
				      PEAL_KDF_SHA256, salt, &aes);
	if (err)
		CHECK_INT(aes.len, 0);
	else
		err = peal_encode_aes128gcm(aes.data, aes.len, "ikm", 3, salt16,
					    64, &gcm);
	if (err) {
		CHECK_ERR(err, PEAL_ENOMEM);
		CHECK_INT(gcm.len, 0);
	} else if (w->first.len) {
		CHECK_MEM(gcm.data, gcm.len, w->first.data, w->first.len);
	} else {
		w->first = gcm;
		peal_buf_init(&gcm, 0);
	}
	peal_buf_fini(&xml);
	peal_buf_fini(&gz);
	peal_buf_fini(&aes);
	peal_buf_fini(&gcm);
	return err != PEAL_OK;
}

static void writes_a_profile_or_nothing(void)
{
	struct writing w = { NULL, { 0 } };
	struct peal_store_options o = { 0 };
	struct peal_schema *schema;
	char name[32];
	int i;

	REQUIRE(!new_schema(&schema));
	REQUIRE(!peal_store_open(&w.store, schema, &o, NULL));
	for (i = 1; i <= TEXTS; i++) {
		snprintf(name, sizeof(name), "Text_%d_", i);
		set_one(w.store, name, "<a> & \"b\" \xe2\x82\xac");
	}
	REQUIRE(encode(&w) == 0);
	printf("%s: %ld allocations\n", test_run()->name,
	       alloc_fail_each(encode, &w));
	peal_buf_fini(&w.first);
	peal_store_close(w.store);
	peal_schema_unref(schema);
}

/* --- a store with a history --------------------------------------------- */

struct opening {
	struct folder folder;
	struct peal_schema *schema;
	int read_only;
};

static int open_and_look(void *arg)
{
	struct opening *x = arg;
	struct peal_store_options o = in_folder(&x->folder);
	struct peal_revision r;
	struct peal_store *s;
	enum peal_err err;
	unsigned i;

	o.read_only = x->read_only;
	err = peal_store_open(&s, x->schema, &o, NULL);
	if (err) {
		CHECK_ERR(err, PEAL_ENOMEM);
		return 1;
	}
	CHECK_INT(peal_store_revision(s), 5);
	CHECK(text_is(s, "Text_1_", "five"));
	CHECK(strstr(peal_store_note(s, 0), "damaged") != NULL);
	for (i = 0; !err; i++)
		err = peal_store_revision_at(s, i, &r, NULL);
	peal_store_close(s);
	if (err == PEAL_ENOENT) {
		CHECK_INT(i, 7);
		return 0;
	}
	/* the sixth is damaged: its head too */
	if (err == PEAL_EDAMAGED && i == 6)
		return 0;
	CHECK_ERR(err, PEAL_ENOMEM);
	return 1;
}

static void opens_a_history_or_says_why_not(void)
{
	static const char *const texts[] = { "one",  "two",  "three",
					     "four", "five", "six" };
	struct opening x;
	struct peal_store_options o;
	struct peal_store *s;
	char path[96];
	size_t i;

	x.folder = new_folder();
	o = in_folder(&x.folder);
	REQUIRE(!new_schema(&x.schema));
	REQUIRE(!peal_store_open(&s, x.schema, &o, NULL));
	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		set_one(s, "Text_1_", texts[i]);
	peal_store_close(s);
	snprintf(path, sizeof(path), "%s/rev-0000000006", x.folder.path);
	REQUIRE(truncate(path, 20) == 0);
	for (x.read_only = 0; x.read_only < 2; x.read_only++)
		printf("%s: %ld allocations\n", test_run()->name,
		       alloc_fail_each(open_and_look, &x));
	peal_schema_unref(x.schema);
	remove_folder(&x.folder);
}

/* The libraries keep some memory for good: they take it first. */
static void starts_the_libraries(void)
{
	struct job j;

	REQUIRE(!peal_alloc_hook_libraries());
	new_job(&j);
	REQUIRE(decode_and_commit(&j) == 0);
	end_job(&j);
}

TEST_MAIN({ "starts_the_libraries", starts_the_libraries },
	  { "takes_a_profile_or_leaves_the_store",
	    takes_a_profile_or_leaves_the_store },
	  { "writes_a_profile_or_nothing", writes_a_profile_or_nothing },
	  { "opens_a_history_or_says_why_not",
	    opens_a_history_or_says_why_not })
