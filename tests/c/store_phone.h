/* store_phone.h - a small phone for the tests of the store. */
#ifndef PEAL_STORE_PHONE_H
#define PEAL_STORE_PHONE_H

#include "peal/store.h"
#include "test.h"

/* Resync_Periodic 3600, Station_Name "" rw, GPP_A "", Line_Enable_1_.._4_ Yes,
 * Privacy_Header Disabled, GPP_SA "" secret, Count 2 (0..100). NULL when
 * there is no memory. */
static inline struct peal_schema *phone_schema(void)
{
	static const char *const privacy[] = { "Disabled", "none", "id", NULL };
	const struct peal_param list[] = {
		{ .name = "Resync_Periodic",
		  .type = PEAL_T_SCHEDULE,
		  .deflt = "3600" },
		{ .name = "Station_Name",
		  .type = PEAL_T_STR,
		  .max = 63,
		  .ua = PEAL_UA_RW },
		{ .name = "GPP_A", .type = PEAL_T_STR },
		{ .name = "Line_Enable_n_",
		  .type = PEAL_T_BOOL,
		  .count = 4,
		  .deflt = "Yes",
		  .flags = PEAL_PARAM_REBOOT },
		{ .name = "Privacy_Header",
		  .type = PEAL_T_CHOICE,
		  .choices = privacy,
		  .deflt = "Disabled" },
		{ .name = "GPP_SA",
		  .type = PEAL_T_STR,
		  .max = 20,
		  .flags = PEAL_PARAM_SECRET },
		{ .name = "Count", .type = PEAL_T_UNS, .hi = 100, .deflt = "2" },
	};
	struct peal_schema *s;
	size_t i;

	if (peal_schema_new(&s))
		return NULL;
	for (i = 0; i < sizeof(list) / sizeof(*list); i++)
		if (peal_schema_add(s, &list[i], NULL))
			goto fail;
	if (peal_schema_alias(s, "Periodic", "Resync_Periodic", NULL) ||
	    peal_schema_seal(s))
		goto fail;
	return s;
fail:
	peal_schema_unref(s);
	return NULL;
}

static inline enum peal_err set_text(struct peal_txn *t, const char *name,
				     const char *text)
{
	return peal_txn_set(t, name, strlen(name), text, strlen(text), 0, NULL);
}

static inline const char *get_text(const struct peal_store *s, const char *name)
{
	const char *text;

	if (peal_store_get(s, name, strlen(name), &text))
		return NULL;
	return text;
}

static inline const char *get_state(const struct peal_store *s, const char *ns,
				    const char *key)
{
	const char *text;
	size_t len;

	return peal_store_state(s, ns, key, &text, &len) ? NULL : text;
}

static inline struct peal_value get_value(const struct peal_store *s,
					  const char *name)
{
	struct peal_value v = { .name = NULL };

	CHECK_ERR(peal_store_value(s, name, strlen(name), &v), PEAL_OK);
	return v;
}

static inline void write_source(struct peal_txn *t, uint64_t cycle,
				const char *author)
{
	struct peal_source source = { cycle, author, "Profile_Rule",
				      "http://s/p.xml" };

	CHECK_ERR(peal_txn_source(t, &source), PEAL_OK);
}

/* One element as the parser would hand it on; NULL: an empty element. */
static inline enum peal_err put(struct peal_txn *t, const char *name,
				const char *value, enum peal_ua ua,
				unsigned flags, long line)
{
	struct peal_element e = { .name = name,
				  .name_len = strlen(name),
				  .value = value ? value : "",
				  .value_len = value ? strlen(value) : 0,
				  .ua = ua,
				  .flags = flags,
				  .line = line };

	return peal_txn_element(&e, t);
}

#endif
