/* store_test.c - values, transactions and state of a store in memory, and its
 * folder on a disk that works. */
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peal/limits.h"

#include "alloc_fail.h"
#include "store_phone.h"

#define NONE PEAL_UA_NONE

static struct peal_store *open_with(struct peal_schema *schema,
				    const char *path)
{
	struct peal_store_options o = { .path = path };
	struct peal_reason why;
	struct peal_store *s;

	if (!CHECK_ERR(peal_store_open(&s, schema, &o, &why), PEAL_OK)) {
		fprintf(stderr, "\t%s\n", why.text);
		exit(1);
	}
	return s;
}

static struct peal_store *memory_phone(void)
{
	struct peal_schema *schema = phone_schema();
	struct peal_store *s = open_with(schema, NULL);

	peal_schema_unref(schema);
	return s;
}

static struct peal_txn *begin(struct peal_store *s)
{
	struct peal_txn *t;

	REQUIRE(!peal_txn_begin(&t, s));
	return t;
}

static uint64_t commit(struct peal_txn *t)
{
	uint64_t revision = 0;

	CHECK_ERR(peal_txn_commit(t, "test", 1000, &revision, NULL), PEAL_OK);
	return revision;
}

static void set_one(struct peal_store *s, const char *name, const char *text)
{
	struct peal_txn *t = begin(s);

	CHECK_ERR(set_text(t, name, text), PEAL_OK);
	commit(t);
}

static const char *note_word(struct peal_txn *t, unsigned i)
{
	struct peal_note n;

	return peal_txn_note(t, i, &n) ? NULL : n.word;
}

/* --- values --- */

static void reads_defaults(void)
{
	struct peal_store *s = memory_phone();
	struct peal_value v = get_value(s, "Periodic");

	CHECK_STR(v.name, "Resync_Periodic");
	CHECK_STR(v.text, "3600");
	CHECK_INT(v.type, PEAL_T_SCHEDULE);
	CHECK_INT(v.is_default, 1);
	CHECK_INT(v.revision, 0);
	CHECK_STR(v.source.author, "");
	CHECK_INT(get_value(s, "Station_Name").ua, PEAL_UA_RW);
	CHECK(!get_text(s, "Nope"));
	CHECK_INT(peal_store_revision(s), 0);
	peal_store_close(s);
}

static void commits(void)
{
	struct peal_store *s = memory_phone();
	struct peal_txn *t = begin(s);
	struct peal_value v;

	write_source(t, 5, "profile");
	CHECK_ERR(set_text(t, "Periodic", "600 , 1200"), PEAL_OK);
	CHECK_ERR(set_text(t, "Count", "101"), PEAL_ETYPE);
	CHECK_ERR(set_text(t, "Nope", "1"), PEAL_EUNKNOWN);
	CHECK_STR(get_text(s, "Resync_Periodic"), "3600"); /* old until then */
	CHECK_ERR(peal_txn_value(t, "Resync_Periodic", 15, &v), PEAL_OK);
	CHECK_STR(v.text, "600,1200");
	CHECK_INT(commit(t), 1);
	v = get_value(s, "Resync_Periodic");
	CHECK_STR(v.text, "600,1200");
	CHECK_STR(v.source.author, "profile");
	CHECK_STR(v.source.rule, "Profile_Rule");
	CHECK_STR(v.source.url, "http://s/p.xml");
	CHECK_INT(v.source.cycle, 5);
	CHECK_INT(v.revision, 1);
	CHECK_INT(v.is_default, 0);
	CHECK_STR(get_text(s, "Count"), "2");
	peal_store_close(s);
}

static void aborts(void)
{
	struct peal_store *s = memory_phone();
	struct peal_txn *t = begin(s), *second;

	CHECK_ERR(peal_txn_begin(&second, s), PEAL_ESTATE);
	CHECK_ERR(set_text(t, "GPP_A", "x"), PEAL_OK);
	peal_txn_abort(t);
	CHECK_STR(get_text(s, "GPP_A"), "");
	t = begin(s);
	peal_txn_abort(t);
	peal_txn_abort(NULL);
	peal_store_close(s);
}

static void writes_nothing_twice(void)
{
	struct peal_store *s = memory_phone();
	struct peal_txn *t = begin(s);

	CHECK_INT(commit(t), 0);
	set_one(s, "GPP_A", "x");
	CHECK_INT(peal_store_revision(s), 1);
	t = begin(s);
	write_source(t, 9, "cli");
	/* back and forth is no change, and the old author stays */
	CHECK_ERR(set_text(t, "GPP_A", "y"), PEAL_OK);
	CHECK_ERR(set_text(t, "GPP_A", "x"), PEAL_OK);
	CHECK_INT(commit(t), 1);
	CHECK_STR(get_value(s, "GPP_A").source.author, "");
	peal_store_close(s);
}

/* A default that somebody wrote is remembered, but nothing has changed. */
static void remembers_written_defaults(void)
{
	struct peal_store *s = memory_phone();
	struct peal_txn *t = begin(s);
	struct peal_change c;

	write_source(t, 3, "profile");
	CHECK_ERR(put(t, "Resync_Periodic", "3600", NONE, 0, 14), PEAL_OK);
	CHECK_ERR(peal_txn_change(t, 0, &c), PEAL_ENOENT);
	CHECK_INT(commit(t), 1);
	CHECK_STR(get_value(s, "Resync_Periodic").source.author, "profile");
	CHECK_INT(get_value(s, "Resync_Periodic").line, 14);
	CHECK_INT(get_value(s, "Resync_Periodic").is_default, 0);
	peal_store_close(s);
}

static void resets(void)
{
	struct peal_store *s = memory_phone();
	struct peal_txn *t;

	set_one(s, "GPP_A", "x");
	t = begin(s);
	CHECK_ERR(peal_txn_reset(t, "GPP_A", 5), PEAL_OK);
	CHECK_ERR(peal_txn_reset(t, "Nope", 4), PEAL_EUNKNOWN);
	CHECK_INT(commit(t), 2);
	CHECK_INT(get_value(s, "GPP_A").is_default, 1);
	CHECK_INT(get_value(s, "GPP_A").revision, 0);
	peal_store_close(s);
}

static void factory_reset(void)
{
	static const char *const keep[] = { "certs", NULL };
	struct peal_store *s = memory_phone();
	struct peal_txn *t = begin(s);

	peal_txn_keep_unknown(t, 1);
	CHECK_ERR(put(t, "GPP_SA", "secret", PEAL_UA_RO, 0, 1), PEAL_OK);
	CHECK_ERR(peal_txn_set(t, "GPP_A", 5, "u", 1, PEAL_SET_BY_USER, NULL),
		  PEAL_OK);
	CHECK_ERR(put(t, "Vendor", "1", NONE, 0, 1), PEAL_OK);
	CHECK_ERR(peal_txn_state(t, "certs", "a", "1", 1), PEAL_OK);
	CHECK_ERR(peal_txn_state(t, "retry", "a", "1", 1), PEAL_OK);
	commit(t);
	CHECK_INT(get_value(s, "GPP_A").user_modified, 1);

	t = begin(s);
	CHECK_ERR(set_text(t, "Count", "7"), PEAL_OK);
	CHECK_ERR(peal_txn_state(t, "retry", "b", "1", 1), PEAL_OK);
	CHECK_ERR(peal_txn_factory_reset(t, keep), PEAL_OK);
	CHECK_ERR(set_text(t, "Periodic", "60"), PEAL_OK);
	commit(t);
	CHECK_STR(get_text(s, "GPP_SA"), "");
	CHECK_INT(get_value(s, "GPP_SA").ua, PEAL_UA_NA);
	CHECK_INT(get_value(s, "GPP_A").user_modified, 0);
	CHECK_STR(get_text(s, "Count"), "2");
	CHECK_STR(get_text(s, "Resync_Periodic"), "60");
	CHECK(!get_text(s, "Vendor"));
	CHECK_STR(get_state(s, "certs", "a"), "1");
	CHECK(!get_state(s, "retry", "a"));
	CHECK(!get_state(s, "retry", "b"));
	peal_store_close(s);
}

/* --- elements --- */

struct vector {
	const char *what;
	const char *name;
	const char *value; /* NULL: empty element */
	enum peal_ua ua;
	unsigned flags;
	const char *text; /* after */
	enum peal_ua access;
	const char *note; /* word, or NULL */
};

/* Initially Resync_Periodic 3600, GPP_A "old", Station_Name "Bob" rw. */
static const struct vector vectors[] = {
	{ "sets", "GPP_A", "12345678", NONE, 0, "12345678", PEAL_UA_NA, NULL },
	{ "empties", "GPP_A", NULL, NONE, 0, "", PEAL_UA_NA, NULL },
	{ "empties, na", "GPP_A", NULL, PEAL_UA_NA, 0, "", PEAL_UA_NA, NULL },
	{ "empty rw keeps", "Station_Name", NULL, PEAL_UA_RW, 0, "Bob",
	  PEAL_UA_RW, NULL },
	{ "empty rw keeps, sets access", "GPP_A", NULL, PEAL_UA_RW, 0, "old",
	  PEAL_UA_RW, NULL },
	{ "quotes empty", "Station_Name", NULL, PEAL_UA_RW,
	  PEAL_ELEMENT_QUOTED_EMPTY, "", PEAL_UA_RW, NULL },
	{ "preserves", "Station_Name", "Travel Agent 1", PEAL_UA_RO,
	  PEAL_ELEMENT_PRESERVE, "Bob", PEAL_UA_RO, NULL },
	{ "refuses text", "Resync_Periodic", "abc", NONE, 0, "3600", PEAL_UA_NA,
	  "bad-value" },
	{ "canonical", "Line_Enable_1_", "no", NONE, 0, "No", PEAL_UA_NA,
	  NULL },
	{ "refuses, access holds", "Line_Enable_2_", "Ja", PEAL_UA_RO, 0, "Yes",
	  PEAL_UA_RO, "bad-value" },
	{ "empty Bool is the default", "Line_Enable_1_", NULL, NONE, 0, "Yes",
	  PEAL_UA_NA, NULL },
	{ "empty Choice rw keeps", "Privacy_Header", NULL, PEAL_UA_RW, 0,
	  "Disabled", PEAL_UA_RW, NULL },
	{ "quoted empty Bool is bad", "Line_Enable_1_", NULL, NONE,
	  PEAL_ELEMENT_QUOTED_EMPTY, "Yes", PEAL_UA_NA, "bad-value" },
	{ "too long", "GPP_A", "cut", PEAL_UA_RO, PEAL_ELEMENT_TOO_LONG, "old",
	  PEAL_UA_RO, "bad-value" },
	{ "bad access", "GPP_A", "n", NONE, PEAL_ELEMENT_BAD_UA, "n",
	  PEAL_UA_NA, "bad-attribute" },
	{ "children", "GPP_A", "n", PEAL_UA_RW, PEAL_ELEMENT_CHILDREN, "old",
	  PEAL_UA_NA, "has-children" },
	{ "choice", "Privacy_Header", "ID", NONE, 0, "id", PEAL_UA_NA, NULL },
	{ "alias", "Periodic", "0", NONE, 0, "0", PEAL_UA_NA, NULL },
	{ "hex", "Count", "0x10", NONE, 0, "16", PEAL_UA_NA, NULL },
};

static struct peal_store *vector_phone(void)
{
	struct peal_store *s = memory_phone();
	struct peal_txn *t = begin(s);

	write_source(t, 1, "before");
	CHECK_ERR(set_text(t, "GPP_A", "old"), PEAL_OK);
	CHECK_ERR(set_text(t, "Station_Name", "Bob"), PEAL_OK);
	commit(t);
	return s;
}

static void takes_elements(void)
{
	size_t i;

	for (i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		const struct vector *x = &vectors[i];
		struct peal_store *s = vector_phone();
		struct peal_txn *t = begin(s);
		struct peal_value v;
		long failed = test_run()->failed;

		write_source(t, 2, "profile");
		CHECK_ERR(put(t, x->name, x->value, x->ua, x->flags, 7),
			  PEAL_OK);
		CHECK_STR(note_word(t, 0), x->note);
		commit(t);
		v = get_value(s, x->name);
		CHECK_STR(v.text, x->text);
		CHECK_INT(v.ua, x->access);
		peal_store_close(s);
		if (test_run()->failed > failed)
			fprintf(stderr, "\tin \"%s\"\n", x->what);
	}
}

/* One after the other: an empty rw element keeps what came before it. */
static void takes_them_in_order(void)
{
	struct peal_store *s = vector_phone();
	struct peal_txn *t = begin(s);
	struct peal_txn_counts c;

	write_source(t, 2, "profile");
	put(t, "GPP_A", "1", NONE, 0, 1);
	put(t, "GPP_A", "2", NONE, 0, 2);
	put(t, "GPP_A", NULL, PEAL_UA_RW, 0, 3);
	put(t, "Line_Enable_1_", "no", NONE, 0, 4);
	put(t, "line_enable_1_", "no", NONE, 0, 5);
	put(t, "Nope", "1", NONE, 0, 6);
	put(t, "Count", "x", NONE, 0, 7);
	peal_txn_counts(t, &c);
	CHECK_INT(c.elements, 7);
	CHECK_INT(c.applied, 3);
	CHECK_INT(c.unknown, 2);
	CHECK_INT(c.kept, 0);
	CHECK_INT(c.bad, 1);
	commit(t);
	CHECK_STR(get_text(s, "GPP_A"), "2");
	CHECK_INT(get_value(s, "GPP_A").ua, PEAL_UA_RW);
	CHECK_INT(get_value(s, "GPP_A").line, 2); /* who wrote the text */
	CHECK_STR(get_text(s, "Line_Enable_1_"), "No");
	CHECK(!get_text(s, "Nope"));
	peal_store_close(s);
}

static void user_set(struct peal_store *s, const char *name, const char *text)
{
	struct peal_txn *t = begin(s);

	CHECK_ERR(peal_txn_set(t, name, strlen(name), text, strlen(text),
			       PEAL_SET_BY_USER, NULL),
		  PEAL_OK);
	commit(t);
}

static void put_one(struct peal_store *s, const char *name, const char *value,
		    enum peal_ua ua, unsigned flags)
{
	struct peal_txn *t = begin(s);

	write_source(t, 8, "profile");
	CHECK_ERR(put(t, name, value, ua, flags, 5), PEAL_OK);
	commit(t);
}

static void respects_user_preferences(void)
{
	struct peal_store *s = memory_phone();
	struct peal_value v;

	/* not modified: user-pref writes the text */
	put_one(s, "GPP_A", "P", NONE, PEAL_ELEMENT_USER_PREF);
	v = get_value(s, "GPP_A");
	CHECK_STR(v.text, "P");
	CHECK(v.user_pref && !v.user_modified);
	/* modified: it keeps the user's, be the element empty or not */
	user_set(s, "GPP_A", "U");
	put_one(s, "GPP_A", "Q", PEAL_UA_RO, PEAL_ELEMENT_USER_PREF);
	put_one(s, "GPP_A", NULL, NONE, PEAL_ELEMENT_USER_PREF);
	v = get_value(s, "GPP_A");
	CHECK_STR(v.text, "U");
	CHECK_INT(v.ua, PEAL_UA_RO);
	CHECK(v.user_pref && v.user_modified);
	/* preserve-value and an empty rw leave both flags alone */
	put_one(s, "GPP_A", "Q", NONE, PEAL_ELEMENT_PRESERVE);
	put_one(s, "GPP_A", NULL, PEAL_UA_RW, 0);
	v = get_value(s, "GPP_A");
	CHECK(v.user_pref && v.user_modified);
	CHECK_STR(v.text, "U");
	/* without user-pref the profile takes over, with its name */
	put_one(s, "GPP_A", "U", NONE, 0);
	v = get_value(s, "GPP_A");
	CHECK(!v.user_pref && !v.user_modified);
	CHECK_STR(v.source.author, "profile");
	CHECK_INT(v.line, 5);
	peal_store_close(s);
}

static enum peal_touch touched(struct peal_store *s, struct peal_txn *t,
			       const char *name, long *line)
{
	struct peal_schema *schema = peal_store_schema(s);
	int index = peal_schema_find(schema, name, strlen(name));

	return peal_txn_touch(t, (unsigned)index, line);
}

static void tells_what_became_of_an_element(void)
{
	struct peal_store *s = memory_phone();
	struct peal_txn *t;
	long line = -1;

	user_set(s, "GPP_A", "U");
	put_one(s, "Station_Name", "b", NONE, 0);
	t = begin(s);
	CHECK_INT(touched(s, t, "GPP_A", &line), PEAL_TOUCH_NONE);
	CHECK_INT(line, 0);
	CHECK_ERR(put(t, "GPP_A", "x", NONE, PEAL_ELEMENT_USER_PREF, 7),
		  PEAL_OK);
	CHECK_ERR(put(t, "Station_Name", "b", NONE, 0, 8), PEAL_OK);
	CHECK_ERR(put(t, "Count", "3", NONE, PEAL_ELEMENT_PRESERVE, 9),
		  PEAL_OK);
	CHECK_ERR(put(t, "Privacy_Header", "x", NONE, 0, 10), PEAL_OK);
	CHECK_INT(touched(s, t, "GPP_A", &line), PEAL_TOUCH_USER);
	CHECK_INT(line, 7);
	CHECK_INT(touched(s, t, "Station_Name", &line), PEAL_TOUCH_WRITTEN);
	CHECK_INT(line, 8);
	CHECK_INT(touched(s, t, "Count", NULL), PEAL_TOUCH_KEPT);
	CHECK_INT(touched(s, t, "Privacy_Header", NULL), PEAL_TOUCH_BAD);
	CHECK_INT(touched(s, t, "GPP_SA", NULL), PEAL_TOUCH_NONE);
	CHECK_INT(peal_txn_touch(t, (unsigned)-1, &line), PEAL_TOUCH_NONE);
	peal_txn_abort(t);
	peal_store_close(s);
}

static void keeps_secrets_out_of_notes(void)
{
	struct peal_store *s = memory_phone();
	struct peal_txn *t = begin(s);
	struct peal_note n;

	put(t, "GPP_SA", "s3cr3t-that-is-too-long-for-it", NONE, 0, 12);
	REQUIRE(!peal_txn_note(t, 0, &n));
	CHECK_STR(n.word, "bad-value");
	CHECK_STR(n.name, "GPP_SA");
	CHECK_STR(n.text, "bad value for GPP_SA: longer than 20 bytes");
	CHECK_INT(n.line, 12);
	CHECK(!n.suggest);
	peal_txn_abort(t);
	peal_store_close(s);
}

static void caps_notes(void)
{
	struct peal_store *s = memory_phone();
	struct peal_txn *t = begin(s);
	struct peal_txn_counts c;
	struct peal_note n;
	char name[PEAL_LIMIT_NAME + 1];
	unsigned i;

	for (i = 0; i < 5000; i++) {
		memset(name, 'x', sizeof(name) - 1);
		snprintf(name + sizeof(name) - 8, 8, "%07u", i);
		CHECK_ERR(put(t, i ? name : "gpp_a", "1", NONE, 0, i), PEAL_OK);
	}
	peal_txn_counts(t, &c);
	CHECK_INT(c.unknown, 5000);
	CHECK_ERR(peal_txn_note(t, PEAL_LIMIT_NOTES - 1, &n), PEAL_OK);
	CHECK_STR(n.word, "unknown-name");
	CHECK(!n.suggest);
	CHECK_ERR(peal_txn_note(t, PEAL_LIMIT_NOTES, &n), PEAL_ENOENT);
	CHECK_ERR(peal_txn_note(t, 0, &n), PEAL_OK);
	CHECK_STR(n.suggest, "GPP_A");
	CHECK_INT(commit(t), 0); /* unknown names are not kept unless asked */
	peal_store_close(s);
}

/* --- names that no registry knows --- */

static void keeps_unknown_names(void)
{
	struct peal_store *s = memory_phone();
	struct peal_txn *t = begin(s);
	struct peal_txn_counts c;
	struct peal_note n;
	struct peal_value v;
	unsigned i;

	write_source(t, 4, "profile");
	peal_txn_keep_unknown(t, 1);
	put(t, "Zeta", "z", NONE, 0, 1);
	put(t, "Alpha", "a", PEAL_UA_RO, 0, 2);
	put(t, "Alpha", NULL, PEAL_UA_RW, 0, 3); /* changes nothing */
	put(t, "Empty", NULL, NONE, 0, 4);
	peal_txn_counts(t, &c);
	CHECK_INT(c.unknown, 4);
	CHECK_INT(c.kept, 3);
	for (i = 0; i < 4; i++) {
		CHECK_ERR(peal_txn_note(t, i, &n), PEAL_OK);
		CHECK_STR(n.word, "unknown-name");
		CHECK_INT(strncmp(n.text, "unknown, kept as plain text: ", 29),
			  0);
	}
	put(t, "Gamma", NULL, PEAL_UA_RW, 0, 5); /* has no text to keep */
	CHECK_ERR(peal_txn_note(t, 4, &n), PEAL_OK);
	CHECK_STR(n.text, "no such parameter: Gamma");
	commit(t);
	v = get_value(s, "Alpha");
	CHECK_STR(v.text, "a");
	CHECK_INT(v.ua, PEAL_UA_RO);
	CHECK(v.flags & PEAL_PARAM_UNTYPED);
	CHECK_INT(v.line, 2);
	CHECK_STR(v.source.author, "profile");
	CHECK_STR(get_text(s, "Empty"), "");
	/* in order of names, after the known ones */
	REQUIRE(!peal_store_at(s, 10, &v));
	CHECK_STR(v.name, "Alpha");
	REQUIRE(!peal_store_at(s, 12, &v));
	CHECK_STR(v.name, "Zeta");
	CHECK_ERR(peal_store_at(s, 13, &v), PEAL_ENOENT);

	t = begin(s);
	CHECK_ERR(set_text(t, "Alpha", "b"), PEAL_OK); /* known by now */
	CHECK_ERR(set_text(t, "Beta", "b"), PEAL_EUNKNOWN);
	CHECK_ERR(peal_txn_reset(t, "Zeta", 4), PEAL_OK);
	CHECK_ERR(peal_txn_value(t, "Zeta", 4, &v), PEAL_EUNKNOWN);
	commit(t);
	CHECK_STR(get_text(s, "Alpha"), "b");
	CHECK(!get_text(s, "Zeta"));
	CHECK_STR(get_text(s, "Empty"), "");
	peal_store_close(s);
}

/* --- changes --- */

static void lists_changes(void)
{
	struct peal_store *s = vector_phone();
	struct peal_txn *t = begin(s);
	struct peal_change c;

	peal_txn_keep_unknown(t, 1);
	put(t, "Zeta", "z", NONE, 0, 1);
	put(t, "Alpha", "a", NONE, 0, 1);
	put(t, "Count", "3", NONE, 0, 2);
	put(t, "GPP_A", "old", PEAL_UA_RO, 0, 3);
	put(t, "Station_Name", "Bob", NONE, 0, 4);
	REQUIRE(!peal_txn_change(t, 0, &c));
	CHECK_STR(c.before.name, "GPP_A"); /* access only */
	CHECK_STR(c.before.text, "old");
	CHECK_STR(c.after.text, "old");
	CHECK_INT(c.after.ua, PEAL_UA_RO);
	REQUIRE(!peal_txn_change(t, 1, &c));
	CHECK_STR(c.after.name, "Count");
	CHECK_STR(c.before.text, "2");
	CHECK_STR(c.after.text, "3");
	CHECK_INT(c.before.is_default, 1);
	REQUIRE(!peal_txn_change(t, 2, &c));
	CHECK_STR(c.after.name, "Alpha");
	CHECK_STR(c.before.text, "");
	REQUIRE(!peal_txn_change(t, 3, &c));
	CHECK_STR(c.after.name, "Zeta");
	CHECK_ERR(peal_txn_change(t, 4, &c), PEAL_ENOENT);

	CHECK_ERR(peal_txn_revoke(t, "GPP_A", 5), PEAL_OK);
	CHECK_ERR(peal_txn_revoke(t, "Zeta", 4), PEAL_OK);
	CHECK_ERR(peal_txn_revoke(t, "Nope", 4), PEAL_EUNKNOWN);
	REQUIRE(!peal_txn_change(t, 0, &c));
	CHECK_STR(c.after.name, "Count");
	CHECK_ERR(peal_txn_change(t, 2, &c), PEAL_ENOENT);
	commit(t);
	CHECK_INT(get_value(s, "GPP_A").ua, PEAL_UA_NA);
	CHECK(!get_text(s, "Zeta"));
	CHECK_STR(get_text(s, "Alpha"), "a");
	CHECK_STR(get_text(s, "Count"), "3");
	peal_store_close(s);
}

/* --- state --- */

static void holds_state(void)
{
	struct peal_store *s = memory_phone();
	struct peal_txn *t = begin(s);
	const char *key, *text;
	size_t len;

	CHECK_ERR(peal_txn_state(t, "b", "2", "two", 3), PEAL_OK);
	CHECK_ERR(peal_txn_state(t, "b", "1", "a\0\n", 3), PEAL_OK);
	CHECK_ERR(peal_txn_state(t, "a", "x", "0", 1), PEAL_OK);
	CHECK_ERR(peal_txn_state(t, "a", "x", "1", 1), PEAL_OK);
	CHECK_ERR(peal_txn_state(t, "c", "x", "1", 1), PEAL_OK);
	CHECK_ERR(peal_txn_state(t, "c", "x", NULL, 0), PEAL_OK);
	CHECK_ERR(peal_txn_state(t, "", "x", "1", 1), PEAL_EINVAL);
	CHECK_ERR(peal_txn_state(t, "a b", "x", "1", 1), PEAL_EINVAL);
	CHECK_ERR(peal_txn_state(t, "a", "", "1", 1), PEAL_EINVAL);
	CHECK_ERR(peal_txn_state(t, "a", "y", "", PEAL_LIMIT_STATE + 1),
		  PEAL_ELIMIT);
	CHECK_INT(commit(t), 1);
	CHECK_STR(get_state(s, "a", "x"), "1");
	CHECK(!get_state(s, "c", "x"));
	CHECK_ERR(peal_store_state_at(s, "b", 0, &key, &text, &len), PEAL_OK);
	CHECK_STR(key, "1");
	CHECK_MEM(text, len, "a\0\n", 3);
	CHECK_ERR(peal_store_state_at(s, "b", 1, &key, &text, &len), PEAL_OK);
	CHECK_STR(key, "2");
	CHECK_ERR(peal_store_state_at(s, "b", 2, &key, &text, &len),
		  PEAL_ENOENT);
	CHECK_ERR(peal_store_state_at(s, "c", 0, &key, &text, &len),
		  PEAL_ENOENT);

	t = begin(s); /* the same again is no change */
	CHECK_ERR(peal_txn_state(t, "a", "x", "2", 1), PEAL_OK);
	CHECK_ERR(peal_txn_state(t, "a", "x", "1", 1), PEAL_OK);
	CHECK_ERR(peal_txn_state(t, "zz", "x", NULL, 0), PEAL_OK);
	CHECK_INT(commit(t), 1);
	t = begin(s);
	CHECK_ERR(peal_txn_state(t, "a", "x", NULL, 0), PEAL_OK);
	CHECK_INT(commit(t), 2);
	CHECK(!get_state(s, "a", "x"));
	peal_store_close(s);
}

/* --- sharing --- */

static void shares_texts(void)
{
	struct peal_schema *schema = phone_schema();
	struct peal_store *a = open_with(schema, NULL);
	struct peal_store *b = open_with(schema, NULL);

	set_one(a, "GPP_A", "the same for both");
	set_one(b, "GPP_A", "the same for both");
	CHECK(get_text(a, "GPP_A") == get_text(b, "GPP_A"));
	peal_store_close(a);
	CHECK_STR(get_text(b, "GPP_A"), "the same for both");
	peal_store_close(b);
	peal_schema_unref(schema);
}

/* Allocations and bytes, which do not depend on the machine's mood, grow as
 * the number of parameters does. */
static void figures(unsigned n, long *made, long *bytes)
{
	struct peal_param p = { .name = "Parameter_n_",
				.type = PEAL_T_STR,
				.count = n };
	struct peal_schema *schema;
	struct peal_store *s;
	struct alloc_fail a;
	struct peal_txn *t;
	char name[32], text[16];
	unsigned i;

	alloc_fail_begin(&a, 0, 0);
	REQUIRE(!peal_schema_new(&schema));
	REQUIRE(!peal_schema_add(schema, &p, NULL));
	REQUIRE(!peal_schema_seal(schema));
	s = open_with(schema, NULL);
	t = begin(s);
	for (i = 1; i <= n; i++) {
		snprintf(name, sizeof(name), "Parameter_%u_", i);
		snprintf(text, sizeof(text), "value %u", i);
		REQUIRE(!set_text(t, name, text));
	}
	commit(t);
	*made = a.made;
	*bytes = a.peak;
	peal_store_close(s);
	peal_schema_unref(schema);
	alloc_fail_end(&a);
	CHECK_INT(a.live, 0);
}

static void grows_in_step(void)
{
	long made[2], bytes[2];

	figures(1000, &made[0], &bytes[0]);
	figures(16000, &made[1], &bytes[1]);
	CHECK(made[1] < made[0] * 18);
	CHECK(bytes[1] < bytes[0] * 20);
}

/* --- the folder --- */

static char folder[64];

static void new_folder(void)
{
	snprintf(folder, sizeof(folder), "/tmp/peal-store-XXXXXX");
	REQUIRE(mkdtemp(folder));
}

static void remove_folder(void)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	REQUIRE(system(command) == 0);
}

static char *path_of(const char *name)
{
	static char path[200];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static int is_there(const char *name)
{
	struct stat st;

	return lstat(path_of(name), &st) == 0;
}

static int mode_of(const char *name)
{
	struct stat st;

	return lstat(path_of(name), &st) ? -1 : (int)(st.st_mode & 0777);
}

static const char every_byte[] =
	"\x01\x02\t\n\r\x1b \"\\'\x7f\xc3\xa9\xf0\x9f\x98\x80\xff\xc3(\xed\xa0"
	"\x80\xc0\x80\xf5";

static void survives_a_restart(void)
{
	struct peal_schema *schema = phone_schema();
	struct peal_store *s;
	struct peal_value v;
	struct peal_txn *t;
	const char *text;
	size_t len;

	new_folder();
	s = open_with(schema, path_of("phone"));
	t = begin(s);
	write_source(t, 5, "profile");
	peal_txn_keep_unknown(t, 1);
	put(t, "GPP_A", every_byte, PEAL_UA_RO, 0, 14);
	put(t, "Line_Enable_2_", NULL, PEAL_UA_RO, PEAL_ELEMENT_PRESERVE, 15);
	put(t, "Vendor.Thing-1", "x y", NONE, 0, 16);
	put(t, "Count", "2", NONE, 0, 17);
	CHECK_ERR(peal_txn_set(t, "Station_Name", 12, "Bob", 3,
			       PEAL_SET_BY_USER, NULL),
		  PEAL_OK);
	CHECK_ERR(peal_txn_state(t, "ns", "key with \"blanks\"", "\0\xff", 2),
		  PEAL_OK);
	CHECK_ERR(peal_txn_state(t, "ns", "empty", "", 0), PEAL_OK);
	commit(t);
	set_one(s, "GPP_SA", "s3cret");
	peal_store_close(s);
	CHECK_INT(mode_of("phone"), 0700);
	CHECK_INT(mode_of("phone/rev-0000000001"), 0600);
	CHECK_INT(mode_of("phone/key"), 0600);

	s = open_with(schema, path_of("phone"));
	CHECK(!peal_store_note(s, 0));
	CHECK_INT(peal_store_revision(s), 2);
	v = get_value(s, "GPP_A");
	CHECK_STR(v.text, every_byte);
	CHECK_INT(v.ua, PEAL_UA_RO);
	CHECK_INT(v.line, 14);
	CHECK_INT(v.source.cycle, 5);
	CHECK_INT(v.revision, 1);
	CHECK_STR(v.source.url, "http://s/p.xml");
	v = get_value(s, "Line_Enable_2_");
	CHECK_INT(v.ua, PEAL_UA_RO);
	CHECK_INT(v.is_default, 1);
	CHECK_STR(v.text, "Yes");
	v = get_value(s, "Vendor.Thing-1");
	CHECK_STR(v.text, "x y");
	CHECK(v.flags & PEAL_PARAM_UNTYPED);
	CHECK_INT(get_value(s, "Count").line, 17);
	CHECK_INT(get_value(s, "Count").is_default, 0);
	CHECK_INT(get_value(s, "Station_Name").user_modified, 1);
	CHECK_INT(get_value(s, "GPP_SA").revision, 2);
	CHECK_ERR(peal_store_state(s, "ns", "key with \"blanks\"", &text, &len),
		  PEAL_OK);
	CHECK_MEM(text, len, "\0\xff", 2);
	CHECK_STR(get_state(s, "ns", "empty"), "");
	t = begin(s); /* what was read back is not written again */
	put(t, "Count", "2", NONE, 0, 99);
	CHECK_INT(commit(t), 2);
	peal_store_close(s);
	remove_folder();
	peal_schema_unref(schema);
}

/* A maker's file lost two parameters and narrowed a third. */
static void loses_no_value_of_a_removed_parameter(void)
{
	struct peal_schema *schema = phone_schema(), *less;
	struct peal_param p = {
		.name = "Count", .type = PEAL_T_UNS, .hi = 50, .deflt = "1"
	};
	struct peal_store *s;

	new_folder();
	s = open_with(schema, folder);
	set_one(s, "Count", "99");
	set_one(s, "GPP_A", "kept");
	peal_store_close(s);

	REQUIRE(!peal_schema_new(&less));
	REQUIRE(!peal_schema_add(less, &p, NULL));
	REQUIRE(!peal_schema_seal(less));
	s = open_with(less, folder);
	CHECK_STR(get_text(s, "GPP_A"), "kept");
	CHECK_STR(get_text(s, "Count"), "1");
	CHECK(peal_store_note(s, 0) && strstr(peal_store_note(s, 0), "Count"));
	set_one(s, "Count", "3");
	peal_store_close(s);

	s = open_with(schema, folder); /* and it is typed again */
	CHECK_STR(get_text(s, "GPP_A"), "kept");
	CHECK_INT(get_value(s, "GPP_A").flags, 0);
	CHECK_STR(get_text(s, "Count"), "3");
	peal_store_close(s);
	remove_folder();
	peal_schema_unref(schema);
	peal_schema_unref(less);
}

static void keeps_history(void)
{
	struct peal_schema *schema = phone_schema();
	struct peal_store_options o = { .path = folder, .keep = 1 };
	struct peal_revision r;
	struct peal_store *s;

	new_folder();
	s = open_with(schema, folder);
	set_one(s, "Count", "1");
	set_one(s, "Count", "5");
	set_one(s, "Count", "6");
	peal_store_close(s);

	REQUIRE(!peal_store_open(&s, schema, &o, NULL));
	CHECK_ERR(peal_store_revision_at(s, 0, &r, NULL), PEAL_OK);
	CHECK_INT(r.number, 1);
	CHECK_INT(r.time, 1000);
	CHECK_STR(r.cause, "test");
	CHECK(r.size > 100);
	set_one(s, "Count", "7"); /* over the limit: never fewer than two */
	CHECK_ERR(peal_store_revision_at(s, 0, &r, NULL), PEAL_OK);
	CHECK_INT(r.number, 3);
	CHECK_ERR(peal_store_revision_at(s, 2, &r, NULL), PEAL_ENOENT);
	CHECK(!is_there("rev-0000000002"));

	o.read_only = 1;
	o.revision = 3;
	{
		struct peal_store *old;
		struct peal_txn *t;

		REQUIRE(!peal_store_open(&old, schema, &o, NULL));
		CHECK_STR(get_text(old, "Count"), "6");
		CHECK_ERR(peal_txn_begin(&t, old), PEAL_ESTATE);
		peal_store_close(old);
		o.revision = 2;
		CHECK_ERR(peal_store_open(&old, schema, &o, NULL), PEAL_ENOENT);
	}
	peal_store_close(s);
	remove_folder();
	peal_schema_unref(schema);
}

static void set_state(struct peal_store *s, const char *text)
{
	struct peal_txn *t = begin(s);

	CHECK_ERR(peal_txn_state(t, "test", "key", text, strlen(text)),
		  PEAL_OK);
	commit(t);
}

static unsigned count_revisions(const struct peal_store *s, unsigned state_only)
{
	struct peal_revision r;
	unsigned i, n = 0;

	for (i = 0; !peal_store_revision_at(s, i, &r, NULL); i++)
		n += (unsigned)r.state_only == state_only;
	return n;
}

/* An idle phone that is restarted after each commit of state. */
static void keeps_parameter_history_over_restarts(void)
{
	struct peal_schema *schema = phone_schema();
	struct peal_store_options o = { .path = folder, .keep = 6000 };
	struct peal_store *s;
	char text[1000] = "";
	int i;

	new_folder();
	s = open_with(schema, folder);
	set_one(s, "Count", "1");
	set_one(s, "Count", "5");
	set_one(s, "Count", "6");
	peal_store_close(s);
	for (i = 0; i < 20; i++) {
		REQUIRE(!peal_store_open(&s, schema, &o, NULL));
		snprintf(text, sizeof(text), "%0900d", i);
		set_state(s, text);
		CHECK_INT(count_revisions(s, 0), 3);
		CHECK(count_revisions(s, 1) <= 5);
		peal_store_close(s);
	}
	remove_folder();
	peal_schema_unref(schema);
}

/* In memory, with names that come and go. */
static void tells_what_changed(void)
{
	static const char *const wanted[] = { "Count", "Alpha", "Beta" };
	struct peal_schema *schema = phone_schema();
	struct peal_difference at = { 0 };
	struct peal_store *s, *copy;
	const char *name;
	struct peal_txn *t;
	unsigned n = 0;

	REQUIRE(!peal_store_open(&s, schema, &(struct peal_store_options){ 0 },
				 NULL));
	t = begin(s);
	peal_txn_keep_unknown(t, 1);
	CHECK_ERR(set_text(t, "Beta", "x"), PEAL_OK);
	commit(t);
	REQUIRE(!peal_store_copy(&copy, s));
	CHECK_ERR(peal_store_changed(s, copy, &at, &name), PEAL_ENOENT);
	t = begin(copy);
	peal_txn_keep_unknown(t, 1);
	CHECK_ERR(set_text(t, "Alpha", "x"), PEAL_OK);
	CHECK_ERR(set_text(t, "Count", "6"), PEAL_OK);
	CHECK_ERR(peal_txn_reset(t, "Beta", 4), PEAL_OK);
	commit(t);
	memset(&at, 0, sizeof(at));
	for (; !peal_store_changed(s, copy, &at, &name) && n < 3; n++)
		CHECK_STR(name, wanted[n]);
	CHECK_INT(n, 3);
	peal_store_close(copy);
	peal_store_close(s);
	peal_schema_unref(schema);
}

static void fingerprints(void)
{
	char a[PEAL_FINGERPRINT_SIZE], b[PEAL_FINGERPRINT_SIZE];
	struct peal_schema *schema = phone_schema();
	struct peal_store *s;

	new_folder();
	s = open_with(schema, folder);
	peal_store_fingerprint(s, "secret", 6, a);
	CHECK_INT(strlen(a), 9);
	CHECK(a[0] == '#');
	peal_store_fingerprint(s, "secreT", 6, b);
	CHECK(strcmp(a, b) != 0);
	peal_store_fingerprint(s, "", 0, b);
	CHECK_STR(b, "");
	peal_store_close(s);
	s = open_with(schema, folder);
	peal_store_fingerprint(s, "secret", 6, b);
	CHECK_STR(b, a);
	peal_store_close(s);
	s = open_with(schema, NULL); /* another store, another key */
	peal_store_fingerprint(s, "secret", 6, b);
	CHECK(strcmp(a, b) != 0);
	peal_store_close(s);
	remove_folder();
	peal_schema_unref(schema);
}

/* --- other processes --- */

/* What opening the folder in a child comes to. */
static int opened_elsewhere(struct peal_schema *schema)
{
	struct peal_store_options o = { .path = folder };
	struct peal_store *s;
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit((int)peal_store_open(&s, schema, &o, NULL));
	REQUIRE(pid > 0 && waitpid(pid, &status, 0) == pid);
	return WEXITSTATUS(status);
}

static void has_one_owner(void)
{
	struct peal_schema *schema = phone_schema();
	struct peal_store_options o = { .path = folder, .read_only = 1 };
	struct peal_store *s, *reader;
	int pipes[2];
	pid_t pid;
	char c;

	new_folder();
	s = open_with(schema, folder);
	set_one(s, "Count", "5");
	CHECK_ERR((enum peal_err)opened_elsewhere(schema), PEAL_ELOCKED);
	/* readers need no lock */
	CHECK_ERR(peal_store_open(&reader, schema, &o, NULL), PEAL_OK);
	CHECK_STR(get_text(reader, "Count"), "5");
	peal_store_close(reader);
	peal_store_close(s);
	CHECK_ERR((enum peal_err)opened_elsewhere(schema), PEAL_OK);

	/* the lock of a process that was killed is free */
	REQUIRE(pipe(pipes) == 0);
	pid = fork();
	if (pid == 0) {
		s = open_with(schema, folder);
		if (write(pipes[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	REQUIRE(pid > 0 && read(pipes[0], &c, 1) == 1);
	CHECK_ERR((enum peal_err)opened_elsewhere(schema), PEAL_ELOCKED);
	kill(pid, SIGKILL);
	REQUIRE(waitpid(pid, NULL, 0) == pid);
	CHECK_ERR((enum peal_err)opened_elsewhere(schema), PEAL_OK);
	close(pipes[0]);
	close(pipes[1]);
	remove_folder();
	peal_schema_unref(schema);
}

static void warns_of_an_open_folder(void)
{
	struct peal_schema *schema = phone_schema();
	struct peal_store *s;

	new_folder();
	REQUIRE(!chmod(folder, 0775));
	s = open_with(schema, folder);
	CHECK(peal_store_note(s, 0) &&
	      strstr(peal_store_note(s, 0), "other users"));
	peal_store_close(s);
	remove_folder();
	peal_schema_unref(schema);
}

static void reads_without_a_folder(void)
{
	struct peal_schema *schema = phone_schema();
	struct peal_store_options o = { .path = folder, .read_only = 1 };
	struct peal_store *s;

	new_folder();
	/* nothing is made by a reader */
	CHECK_ERR(peal_store_open(&s, schema, &o, NULL), PEAL_OK);
	CHECK_INT(peal_store_revision(s), 0);
	peal_store_close(s);
	CHECK(!is_there("key"));
	CHECK(!is_there("lock"));
	o.path = path_of("nowhere");
	CHECK_ERR(peal_store_open(&s, schema, &o, NULL), PEAL_ENOENT);
	remove_folder();
	peal_schema_unref(schema);
}

TEST_MAIN({ "reads defaults", reads_defaults }, { "commits", commits },
	  { "aborts", aborts },
	  { "writes nothing twice", writes_nothing_twice },
	  { "remembers written defaults", remembers_written_defaults },
	  { "resets", resets }, { "factory reset", factory_reset },
	  { "takes elements", takes_elements },
	  { "takes them in order", takes_them_in_order },
	  { "respects user preferences", respects_user_preferences },
	  { "tells what became of an element",
	    tells_what_became_of_an_element },
	  { "keeps secrets out of notes", keeps_secrets_out_of_notes },
	  { "caps notes", caps_notes },
	  { "keeps unknown names", keeps_unknown_names },
	  { "lists changes", lists_changes }, { "holds state", holds_state },
	  { "shares texts", shares_texts }, { "grows in step", grows_in_step },
	  { "survives a restart", survives_a_restart },
	  { "loses no value of a removed parameter",
	    loses_no_value_of_a_removed_parameter },
	  { "keeps history", keeps_history },
	  { "keeps parameter history over restarts",
	    keeps_parameter_history_over_restarts },
	  { "tells what changed", tells_what_changed },
	  { "fingerprints", fingerprints }, { "has one owner", has_one_owner },
	  { "warns of an open folder", warns_of_an_open_folder },
	  { "reads without a folder", reads_without_a_folder })
