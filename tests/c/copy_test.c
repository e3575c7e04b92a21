/* copy_test.c - copies of a store, and its bytes opened somewhere else. */
#include <stdlib.h>

#include "peal/limits.h"

#include "alloc_fail.h"
#include "store_phone.h"

static struct peal_store *open_with(struct peal_schema *schema,
				    struct peal_store_options *o)
{
	struct peal_store *s;

	REQUIRE(!peal_store_open(&s, schema, o, NULL));
	return s;
}

/* Something of everything that a store can hold. */
static int fill(struct peal_store *s)
{
	const struct peal_source source = { 5, "profile", "Profile_Rule", "u" };
	struct peal_txn *t;

	if (peal_txn_begin(&t, s))
		return 1;
	peal_txn_keep_unknown(t, 1);
	if (peal_txn_source(t, &source) ||
	    put(t, "GPP_A", "a \"b\"\n\xff", PEAL_UA_RO, 0, 14) ||
	    put(t, "GPP_SA", "s3cret", PEAL_UA_NONE, 0, 15) ||
	    put(t, "Vendor_Thing", "x y", PEAL_UA_NONE, 0, 16) ||
	    peal_txn_set(t, "Station_Name", 12, "Bob", 3, PEAL_SET_BY_USER,
			 NULL) ||
	    peal_txn_state(t, "ns", "key", "\0\xff", 2)) {
		peal_txn_abort(t);
		return 1;
	}
	return peal_txn_commit(t, "resync", -7, NULL, NULL) != PEAL_OK;
}

static struct peal_store *filled(struct peal_schema *schema)
{
	struct peal_store_options o = { .path = NULL };
	struct peal_store *s = open_with(schema, &o);

	REQUIRE(!fill(s));
	return s;
}

static uint64_t set_one(struct peal_store *s, const char *name,
			const char *text)
{
	uint64_t revision = 0;
	struct peal_txn *t;

	REQUIRE(!peal_txn_begin(&t, s));
	CHECK_ERR(set_text(t, name, text), PEAL_OK);
	CHECK_ERR(peal_txn_commit(t, "test", 1, &revision, NULL), PEAL_OK);
	return revision;
}

static void same_bytes(const struct peal_store *a, const struct peal_store *b)
{
	unsigned char key_a[PEAL_STORE_KEY], key_b[PEAL_STORE_KEY];
	struct peal_buf x, y;

	peal_buf_init(&x, PEAL_LIMIT_STORE_FILE);
	peal_buf_init(&y, PEAL_LIMIT_STORE_FILE);
	CHECK_ERR(peal_store_bytes(a, &x, key_a), PEAL_OK);
	CHECK_ERR(peal_store_bytes(b, &y, key_b), PEAL_OK);
	CHECK_MEM(x.data, x.len, y.data, y.len);
	CHECK_MEM(key_a, sizeof(key_a), key_b, sizeof(key_b));
	peal_buf_fini(&x);
	peal_buf_fini(&y);
}

static void a_copy_holds_the_same(void)
{
	struct peal_schema *schema = phone_schema();
	struct peal_store *s = filled(schema), *copy;
	struct peal_value v;

	REQUIRE(!peal_store_copy(&copy, s));
	same_bytes(s, copy);
	CHECK_INT(peal_store_revision(copy), 1);
	v = get_value(copy, "GPP_A");
	CHECK_INT(v.ua, PEAL_UA_RO);
	CHECK_INT(v.line, 14);
	CHECK_STR(v.source.author, "profile");
	CHECK_INT(v.source.cycle, 5);
	CHECK(get_value(copy, "Station_Name").user_modified);
	CHECK(get_value(copy, "Vendor_Thing").flags & PEAL_PARAM_UNTYPED);
	/* once for both */
	CHECK(get_text(copy, "GPP_A") == get_text(s, "GPP_A"));
	peal_store_close(s);
	CHECK_STR(get_text(copy, "GPP_SA"), "s3cret");
	peal_store_close(copy);
	peal_schema_unref(schema);
}

static void neither_sees_the_others_changes(void)
{
	struct peal_schema *schema = phone_schema();
	struct peal_store *s = filled(schema), *copy;

	REQUIRE(!peal_store_copy(&copy, s));
	CHECK_INT(set_one(copy, "GPP_A", "copy's"), 2);
	CHECK_INT(set_one(copy, "Count", "7"), 3);
	CHECK_INT(set_one(s, "Vendor_Thing", "original's"), 2);
	CHECK_STR(get_text(s, "GPP_A"), "a \"b\"\n\xff");
	CHECK_STR(get_text(s, "Count"), "2");
	CHECK_STR(get_text(copy, "Vendor_Thing"), "x y");
	CHECK_STR(get_text(copy, "GPP_A"), "copy's");
	peal_store_close(copy);
	CHECK_STR(get_text(s, "GPP_A"), "a \"b\"\n\xff");
	peal_store_close(s);
	peal_schema_unref(schema);
}

static void a_copy_is_of_what_is_committed(void)
{
	struct peal_schema *schema = phone_schema();
	struct peal_store *s = filled(schema), *copy;
	struct peal_txn *t;

	REQUIRE(!peal_txn_begin(&t, s));
	CHECK_ERR(set_text(t, "GPP_A", "staged"), PEAL_OK);
	REQUIRE(!peal_store_copy(&copy, s));
	CHECK_STR(get_text(copy, "GPP_A"), "a \"b\"\n\xff");
	set_one(copy, "GPP_A", "writable meanwhile");
	peal_txn_abort(t);
	peal_store_close(copy);
	peal_store_close(s);
	peal_schema_unref(schema);
}

static void reopens_from_bytes(void)
{
	struct peal_schema *schema = phone_schema(), *other = phone_schema();
	struct peal_store *s = filled(schema), *again;
	unsigned char key[PEAL_STORE_KEY];
	struct peal_store_options o = { .key = key };
	char a[PEAL_FINGERPRINT_SIZE], b[PEAL_FINGERPRINT_SIZE];
	struct peal_buf bytes;

	peal_buf_init(&bytes, PEAL_LIMIT_STORE_FILE);
	CHECK_ERR(peal_store_bytes(s, &bytes, key), PEAL_OK);
	o.bytes = bytes.data;
	o.len = bytes.len;
	again = open_with(other, &o);
	same_bytes(s, again);
	peal_store_fingerprint(s, "s3cret", 6, a);
	peal_store_fingerprint(again, "s3cret", 6, b);
	CHECK_STR(a, b);
	CHECK_INT(set_one(again, "Count", "9"), 2);
	peal_buf_fini(&bytes);
	peal_store_close(again);
	peal_store_close(s);
	peal_schema_unref(schema);
	peal_schema_unref(other);
}

static void refuses_damaged_bytes(void)
{
	struct peal_schema *schema = phone_schema();
	struct peal_store *s = filled(schema), *again = NULL;
	unsigned char key[PEAL_STORE_KEY];
	struct peal_store_options o = { .path = NULL };
	struct peal_reason why;
	struct peal_buf bytes;
	size_t i;

	peal_buf_init(&bytes, PEAL_LIMIT_STORE_FILE);
	REQUIRE(!peal_store_bytes(s, &bytes, key));
	o.bytes = bytes.data;
	for (i = 0; i < bytes.len; i++) {
		o.len = i;
		CHECK_ERR(peal_store_open(&again, schema, &o, &why),
			  PEAL_EDAMAGED);
		o.len = bytes.len;
		bytes.data[i] ^= 1;
		CHECK_ERR(peal_store_open(&again, schema, &o, &why),
			  PEAL_EDAMAGED);
		bytes.data[i] ^= 1;
	}
	CHECK(!strstr(why.text, "s3cret"));
	CHECK(!again);
	o.path = "/nowhere";
	CHECK_ERR(peal_store_open(&again, schema, &o, &why), PEAL_EINVAL);
	peal_buf_fini(&bytes);
	peal_store_close(s);
	peal_schema_unref(schema);
}

/* Bytes that the copy of a store with `n` values of its own takes. */
static long copy_bytes(unsigned n)
{
	struct peal_param p = { .name = "Parameter_n_",
				.type = PEAL_T_STR,
				.count = n };
	struct peal_store_options o = { .path = NULL };
	struct peal_schema *schema;
	struct peal_store *s, *copy;
	struct alloc_fail a;
	struct peal_txn *t;
	char name[32];
	unsigned i;

	REQUIRE(!peal_schema_new(&schema));
	REQUIRE(!peal_schema_add(schema, &p, NULL));
	REQUIRE(!peal_schema_seal(schema));
	s = open_with(schema, &o);
	REQUIRE(!peal_txn_begin(&t, s));
	for (i = 1; i <= n; i++) {
		snprintf(name, sizeof(name), "Parameter_%u_", i);
		REQUIRE(!set_text(t, name, name));
	}
	REQUIRE(!peal_txn_commit(t, "test", 1, NULL, NULL));
	alloc_fail_begin(&a, 0, 0);
	REQUIRE(!peal_store_copy(&copy, s));
	peal_store_close(copy);
	alloc_fail_end(&a);
	CHECK_INT(a.live, 0);
	peal_store_close(s);
	peal_schema_unref(schema);
	return a.peak;
}

static void a_copy_costs_16_bytes_a_value(void)
{
	CHECK(copy_bytes(3000) < 3000 * 16 + 1024);
	CHECK(copy_bytes(1) < 1024);
}

static int round_trip(void *arg)
{
	struct peal_store_options o = { .path = NULL };
	unsigned char key[PEAL_STORE_KEY];
	struct peal_schema *schema = phone_schema();
	struct peal_store *s = NULL, *copy = NULL, *again = NULL;
	struct peal_buf bytes;
	int failed = 1;

	(void)arg;
	peal_buf_init(&bytes, PEAL_LIMIT_STORE_FILE);
	if (!schema || peal_store_open(&s, schema, &o, NULL) || fill(s) ||
	    peal_store_copy(&copy, s) || peal_store_bytes(copy, &bytes, key))
		goto out;
	o.bytes = bytes.data;
	o.len = bytes.len;
	o.key = key;
	failed = peal_store_open(&again, schema, &o, NULL) != PEAL_OK;
	/* the original is as it was, whatever failed */
	CHECK_STR(get_text(s, "GPP_SA"), "s3cret");
out:
	peal_buf_fini(&bytes);
	peal_store_close(again);
	peal_store_close(copy);
	peal_store_close(s);
	peal_schema_unref(schema);
	return failed;
}

static void no_memory(void)
{
	CHECK(alloc_fail_each(round_trip, NULL) > 30);
}

TEST_MAIN({ "a copy holds the same", a_copy_holds_the_same },
	  { "neither sees the other's changes",
	    neither_sees_the_others_changes },
	  { "a copy is of what is committed", a_copy_is_of_what_is_committed },
	  { "reopens from bytes", reopens_from_bytes },
	  { "refuses damaged bytes", refuses_damaged_bytes },
	  { "a copy costs 16 bytes a value", a_copy_costs_16_bytes_a_value },
	  { "no memory", no_memory })
