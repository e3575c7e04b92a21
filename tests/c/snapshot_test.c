/* snapshot_test.c - the parameters that another process reads. */
#include "peal/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "alloc_fail.h"
#include "peal/limits.h"
#include "store/snapshot.h"
#include "store_phone.h"

struct bench {
	struct peal_schema *schema;
	struct peal_store *store;
	struct peal_snapshot *s;
};

static struct peal_store *store_of(struct peal_schema *schema)
{
	const struct peal_store_options o = { .path = NULL };
	struct peal_store *store = NULL;

	REQUIRE(peal_store_open(&store, schema, &o, NULL) == PEAL_OK);
	return store;
}

static void begin(struct bench *b)
{
	b->schema = phone_schema();
	REQUIRE(b->schema);
	b->store = store_of(b->schema);
	REQUIRE(peal_snapshot_new(&b->s) == PEAL_OK);
}

static void end(struct bench *b)
{
	peal_snapshot_free(b->s);
	peal_store_close(b->store);
	peal_schema_unref(b->schema);
}

static void put_text(struct peal_store *store, const char *name,
		     const char *text)
{
	struct peal_txn *t;

	REQUIRE(peal_txn_begin(&t, store) == PEAL_OK);
	peal_txn_keep_unknown(t, 1);
	CHECK_ERR(set_text(t, name, text), PEAL_OK);
	CHECK_ERR(peal_txn_commit(t, "test", 0, NULL, NULL), PEAL_OK);
}

/* NULs are shown as '|'. */
static const char *shown(const struct peal_snapshot_view *v, const char *name)
{
	static char out[512];
	const char *text;
	size_t len, i;

	if (peal_snapshot_get(v, name, strlen(name), &text, &len))
		return NULL;
	REQUIRE(len < sizeof(out));
	for (i = 0; i < len; i++)
		out[i] = text[i] ? text[i] : '|';
	out[len] = '\0';
	return out;
}

static const char *own(const struct bench *b, const char *name)
{
	struct peal_snapshot_view v;

	peal_snapshot_own_view(b->s, &v);
	return shown(&v, name);
}

static void write_with(struct bench *b,
		       const struct peal_snapshot_override *over, unsigned n)
{
	CHECK_ERR(peal_snapshot_write(b->s, b->store, over, n), PEAL_OK);
}

static void all_that_the_store_has(void)
{
	struct bench b;

	begin(&b);
	CHECK(own(&b, "Count") == NULL); /* nothing was written yet */
	put_text(b.store, "Station_Name", "Desk 7");
	put_text(b.store, "Line_Enable_3_", "No");
	put_text(b.store, "Resync_Periodic", "60");
	put_text(b.store, "Of_a_later_release", "kept");
	write_with(&b, NULL, 0);
	CHECK_STR(own(&b, "Station_Name"), "Desk 7");
	CHECK_STR(own(&b, "Line_Enable_3_"), "No");
	CHECK_STR(own(&b, "Line_Enable_4_"), "Yes");
	CHECK_STR(own(&b, "Count"), "2");
	CHECK_STR(own(&b, "GPP_A"), "");
	CHECK_STR(own(&b, "Resync_Periodic"), "60");
	CHECK_STR(own(&b, "Periodic"), "60"); /* an alias */
	CHECK_STR(own(&b, "Of_a_later_release"), "kept");
	CHECK(own(&b, "Of_a_later_releas") == NULL);
	CHECK(own(&b, "Line_Enable_5_") == NULL);
	CHECK(own(&b, "") == NULL);
	end(&b);
}

static void written_again(void)
{
	struct bench b;

	begin(&b);
	put_text(b.store, "Station_Name", "Desk 7");
	put_text(b.store, "Unknown", "1");
	write_with(&b, NULL, 0);
	put_text(b.store, "Station_Name", "");
	put_text(b.store, "GPP_A", "new");
	write_with(&b, NULL, 0);
	CHECK_STR(own(&b, "Station_Name"), "");
	CHECK_STR(own(&b, "GPP_A"), "new");
	CHECK_STR(own(&b, "Unknown"), "1");
	end(&b);
}

static void another_store(void)
{
	struct bench b, other;

	begin(&b);
	begin(&other);
	put_text(b.store, "GPP_A", "one");
	put_text(other.store, "GPP_A", "two");
	put_text(other.store, "Unknown", "2");
	write_with(&b, NULL, 0);
	CHECK_ERR(peal_snapshot_write(b.s, other.store, NULL, 0), PEAL_OK);
	CHECK_STR(own(&b, "GPP_A"), "two");
	CHECK_STR(own(&b, "Unknown"), "2");
	end(&other); /* the snapshot holds the schema */
	write_with(&b, NULL, 0);
	CHECK_STR(own(&b, "GPP_A"), "one");
	CHECK(own(&b, "Unknown") == NULL);
	end(&b);
}

/* Texts of the file, for what must not be in them. */
static int holds(const struct bench *b, const char *text)
{
	struct peal_snapshot_view v;

	peal_snapshot_own_view(b->s, &v);
	return memmem(v.base, v.size, text, strlen(text)) != NULL;
}

static void secrets_are_references(void)
{
	const struct peal_snapshot_override over[] = { { "GPP_SA",
							 "hunter3" } };
	const struct peal_snapshot_override none[] = { { "GPP_SA", "" } };
	struct bench b;

	begin(&b);
	write_with(&b, NULL, 0);
	CHECK_STR(own(&b, "GPP_SA"), "");
	put_text(b.store, "GPP_SA", "hunter2");
	write_with(&b, NULL, 0);
	CHECK_STR(own(&b, "GPP_SA"), "|GPP_SA|");
	CHECK(!holds(&b, "hunter"));
	write_with(&b, over, 1);
	CHECK_STR(own(&b, "GPP_SA"), "|GPP_SA|");
	CHECK(!holds(&b, "hunter"));
	write_with(&b, none, 1);
	CHECK_STR(own(&b, "GPP_SA"), "");
	end(&b);
}

/* Default, alias and all. */
static void secrets_through_an_alias(void)
{
	const struct peal_param p = { .name = "Pass",
				      .type = PEAL_T_STR,
				      .deflt = "factory",
				      .flags = PEAL_PARAM_SECRET };
	const struct peal_snapshot_override over[] = { { "Old_Pass", "x" } };
	const struct peal_snapshot_override none[] = { { "Old_Pass", "" } };
	struct bench b;

	REQUIRE(peal_schema_new(&b.schema) == PEAL_OK);
	REQUIRE(peal_schema_add(b.schema, &p, NULL) == PEAL_OK);
	REQUIRE(peal_schema_alias(b.schema, "Old_Pass", "Pass", NULL) ==
		PEAL_OK);
	REQUIRE(peal_schema_seal(b.schema) == PEAL_OK);
	b.store = store_of(b.schema);
	REQUIRE(peal_snapshot_new(&b.s) == PEAL_OK);
	write_with(&b, NULL, 0);
	CHECK_STR(own(&b, "Pass"), "|Pass|");
	CHECK_STR(own(&b, "Old_Pass"), "|Old_Pass|");
	CHECK(!holds(&b, "factory"));
	write_with(&b, over, 1);
	CHECK_STR(own(&b, "Old_Pass"), "|Old_Pass|");
	write_with(&b, none, 1);
	CHECK_STR(own(&b, "Old_Pass"), "");
	CHECK_STR(own(&b, "Pass"), "|Pass|");
	put_text(b.store, "Pass", "");
	write_with(&b, NULL, 0);
	CHECK_STR(own(&b, "Old_Pass"), "");
	end(&b);
}

static void values_for_this_time(void)
{
	const struct peal_snapshot_override over[] = {
		{ "GPP_A", "for now" },    { "Unknown", "too" },
		{ "Nobody_knows", "new" }, { "Periodic", "5" },
		{ "GPP_A", "the last" },   { "Count", "" },
	};
	struct bench b;

	begin(&b);
	put_text(b.store, "Unknown", "1");
	put_text(b.store, "GPP_A", "stored");
	write_with(&b, over, 6);
	CHECK_STR(own(&b, "GPP_A"), "the last");
	CHECK_STR(own(&b, "Unknown"), "too");
	CHECK_STR(own(&b, "Nobody_knows"), "new");
	CHECK_STR(own(&b, "Periodic"), "5");
	CHECK_STR(own(&b, "Resync_Periodic"), "3600");
	CHECK_STR(own(&b, "Count"), "");
	write_with(&b, NULL, 0);
	CHECK_STR(own(&b, "GPP_A"), "stored");
	CHECK_STR(own(&b, "Unknown"), "1");
	CHECK(own(&b, "Nobody_knows") == NULL);
	CHECK_STR(own(&b, "Count"), "2");
	end(&b);
}

static void many_unknown_names(void)
{
	struct peal_txn *t;
	struct bench b;
	char name[32];
	int i;

	begin(&b);
	REQUIRE(peal_txn_begin(&t, b.store) == PEAL_OK);
	peal_txn_keep_unknown(t, 1);
	for (i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "Unknown_%d", i);
		CHECK_ERR(set_text(t, name, name + 8), PEAL_OK);
	}
	CHECK_ERR(peal_txn_commit(t, "test", 0, NULL, NULL), PEAL_OK);
	write_with(&b, NULL, 0);
	for (i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "Unknown_%d", i);
		CHECK_STR(own(&b, name), name + 8);
	}
	end(&b);
}

static void too_much_is_an_error_and_leaves_nothing(void)
{
	enum { N = PEAL_LIMIT_SNAPSHOT / PEAL_LIMIT_VALUE + 1 };
	static struct peal_snapshot_override over[N];
	static char text[PEAL_LIMIT_VALUE + 1], names[N][16];
	struct bench b;
	int i;

	begin(&b);
	memset(text, 'x', PEAL_LIMIT_VALUE);
	for (i = 0; i < N; i++) {
		snprintf(names[i], sizeof(names[i]), "N%d", i);
		over[i].name = names[i];
		over[i].text = text;
	}
	CHECK_ERR(peal_snapshot_write(b.s, b.store, over, N), PEAL_ELIMIT);
	CHECK(own(&b, "Count") == NULL);
	CHECK(own(&b, "N0") == NULL);
	write_with(&b, over, 2);
	CHECK_STR(own(&b, "Count"), "2");
	end(&b);
}

static void readers_cannot_write(void)
{
	struct peal_snapshot_view v;
	struct bench b;
	int fd;

	begin(&b);
	fd = peal_snapshot_fd(b.s);
	CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) ==
	      MAP_FAILED);
	CHECK(pwrite(fd, "x", 1, 0) < 0);
	CHECK(ftruncate(fd, 4096) < 0);
	CHECK(ftruncate(fd, PEAL_LIMIT_SNAPSHOT + 4096) < 0);
	CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) < 0);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	CHECK_ERR(peal_snapshot_map(&v, fd), PEAL_OK);
	CHECK(mprotect((void *)(uintptr_t)v.base, 4096,
		       PROT_READ | PROT_WRITE) < 0);
	/* what is written later is seen through the map made before */
	write_with(&b, NULL, 0);
	CHECK_STR(shown(&v, "Count"), "2");
	munmap((void *)(uintptr_t)v.base, v.size);
	end(&b);
}

static void only_a_snapshot_is_mapped(void)
{
	struct peal_snapshot_view v;
	int fd = memfd_create("other", MFD_CLOEXEC);

	CHECK_ERR(peal_snapshot_map(&v, -1), PEAL_EIO);
	CHECK_ERR(peal_snapshot_map(&v, fd), PEAL_EINVAL);
	CHECK(ftruncate(fd, 4096) == 0);
	CHECK_ERR(peal_snapshot_map(&v, fd), PEAL_EINVAL);
	CHECK(ftruncate(fd, PEAL_LIMIT_SNAPSHOT + 1) == 0);
	CHECK_ERR(peal_snapshot_map(&v, fd), PEAL_EINVAL);
	close(fd);
}

/* Bytes that are no snapshot lead nowhere outside of them: the sanitizers
 * watch. */
static void damaged_bytes_stay_inside(void)
{
	const struct peal_snapshot_override over[] = { { "Unknown", "1" } };
	static const char *const names[] = { "Count", "GPP_A", "Unknown", "x" };
	enum { SIZE = 4096 };
	struct peal_snapshot_view v;
	unsigned char *bytes = malloc(SIZE);
	const char *text;
	unsigned seed = 1;
	size_t len, sum = 0;
	struct bench b;
	int i, k;

	begin(&b);
	write_with(&b, over, 1);
	peal_snapshot_own_view(b.s, &v);
	REQUIRE(bytes);
	for (i = 0; i < 20000; i++) {
		memcpy(bytes, v.base, SIZE);
		for (k = 0; k < 4; k++) {
			seed = seed * 1103515245 + 12345;
			/* past the magic; mostly where the tables are */
			bytes[4 + (seed >> 8) % (i % 2 ? 80 : SIZE - 4)] =
				(unsigned char)(seed >> 24);
		}
		for (k = 0; k < 4; k++) {
			struct peal_snapshot_view bad = { bytes, SIZE };

			if (peal_snapshot_get(&bad, names[k], strlen(names[k]),
					      &text, &len))
				continue;
			while (len)
				sum += (unsigned char)text[--len];
		}
	}
	CHECK(sum > 0);
	free(bytes);
	end(&b);
}

static int work(void *arg)
{
	const struct peal_snapshot_override over[] = { { "GPP_A", "1" } };
	struct bench *b = arg;
	struct peal_snapshot *s = NULL;
	enum peal_err err = peal_snapshot_new(&s);

	if (!err)
		err = peal_snapshot_write(s, b->store, over, 1);
	peal_snapshot_free(s);
	return err != PEAL_OK;
}

static void every_allocation_may_fail(void)
{
	struct bench b;

	begin(&b);
	CHECK(alloc_fail_each(work, &b) >= 1);
	end(&b);
}

TEST_MAIN({ "all that the store has", all_that_the_store_has },
	  { "written again", written_again },
	  { "another store", another_store },
	  { "secrets are references", secrets_are_references },
	  { "secrets through an alias", secrets_through_an_alias },
	  { "values for this time", values_for_this_time },
	  { "many unknown names", many_unknown_names },
	  { "too much", too_much_is_an_error_and_leaves_nothing },
	  { "readers cannot write", readers_cannot_write },
	  { "only a snapshot is mapped", only_a_snapshot_is_mapped },
	  { "damaged bytes", damaged_bytes_stay_inside },
	  { "every allocation may fail", every_allocation_may_fail })
