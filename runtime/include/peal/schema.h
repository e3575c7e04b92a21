/* schema.h - which parameters exist: name, type, default, range, access.
 *
 * One schema is compiled per host and shared by all its phones. It is built
 * once (add, alias, seal) and read-only afterwards. Interned texts of the
 * stores that use it live here too: equal values of many phones are one text.
 * Owns      copies of everything it is given.
 * Threads   one thread per host.
 * Source    MPP provisioning guide, "Parameters" and "Data types". */
#ifndef PEAL_SCHEMA_H
#define PEAL_SCHEMA_H

#include <stddef.h>
#include <stdint.h>

#include "peal/buf.h"
#include "peal/error.h"

/* enum, word in the registry. Canonical form in parentheses. */
/* clang-format off */
#define PEAL_TYPES(X)                                                        \
	X(STR, "Str")         /* text up to max bytes; 0: PEAL_LIMIT_VALUE */ \
	X(BOOL, "Bool")       /* Yes No Enable Disable 1 0 (Yes, No) */       \
	X(CHOICE, "Choice")   /* case and runs of blanks ignored */           \
	X(UNS, "Uns")         /* decimal or 0x hex (decimal) */               \
	X(SIG, "Sig")         /* optional sign (decimal) */                   \
	X(FLOAT, "Float")     /* up to max decimals */                        \
	X(TIME, "Time")       /* seconds, decimals past max are dropped */    \
	X(PWR, "PwrLevel")    /* one decimal */                               \
	X(IP, "IP")           /* dotted quad */                               \
	X(FQDN, "FQDN")       /* host[:port], at most 63 bytes of name */     \
	X(PORT, "Port")       /* 0..65535, decimal or hex */                  \
	X(SCHEDULE, "Schedule") /* n[+m],... */                               \
	X(HHMM, "HHmm")       /* "0000".."2400" */                            \
	X(LIST, "List")       /* comma separated; numbers from choices */     \
	X(RULE, "Rule")       /* profile rule or condition, PEAL_LIMIT_RULE */ \
	X(URL, "URL")         /* text up to max bytes */                      \
	X(DIAL, "DialPlanScript")
/* clang-format on */

/* clang-format off */
enum peal_type {
#define PEAL_X(code, word) PEAL_T_##code,
	PEAL_TYPES(PEAL_X)
#undef PEAL_X
	PEAL_T_COUNT
};
/* clang-format on */

/* "Str" ...; for a bad value NULL. */
const char *peal_type_name(enum peal_type type);
/* PEAL_ENOENT for no such word. */
enum peal_err peal_type_find(enum peal_type *out, const char *word);

enum peal_ua { PEAL_UA_NA, PEAL_UA_RO, PEAL_UA_RW, PEAL_UA_NONE };
const char *peal_ua_name(enum peal_ua ua); /* "na", "ro", "rw" */

enum peal_param_flag {
	PEAL_PARAM_SECRET = 1,   /* never printed in clear */
	PEAL_PARAM_REBOOT = 2,   /* a change takes a reboot to act */
	PEAL_PARAM_EMPTY_OK = 4, /* admits "" though its type does not */
	PEAL_PARAM_UNTYPED = 8,  /* kept though no registry knows it */
	PEAL_PARAM_CHARS = 16    /* Str: max and min count UTF-8 characters */
};

/* One parameter, or one family.
 *   name     element name, such as "Resync_At__HHmm_"; a family has "_n_" in
 *            it once, such as "Line_Enable_n_", and count > 0
 *   count    a family's highest number, 1..count; 0: a single parameter
 *   max      bytes (Str, URL; see PEAL_PARAM_CHARS), decimals (Float, Time)
 *            or unused
 *   min      fewest bytes of a Str that is not empty
 *   lo, hi   range of Uns, Sig, both inclusive; lo > hi: the type's own range
 *   bits     8, 16, 32 or 64 for Uns and Sig, 0: 32
 *   choices  NULL or a NULL-terminated list of canonical spellings (Choice,
 *            List); for Choice "alias=canonical" adds an accepted spelling
 *   deflt    default as text, NULL: empty */
struct peal_param {
	const char *name;
	enum peal_type type;
	unsigned count;
	unsigned max, min;
	unsigned bits;
	int64_t lo, hi;
	const char *const *choices;
	const char *deflt;
	enum peal_ua ua;
	unsigned flags; /* enum peal_param_flag */
};

struct peal_schema;

/* Release with peal_schema_unref(). */
enum peal_err peal_schema_new(struct peal_schema **out);
struct peal_schema *peal_schema_ref(struct peal_schema *s);
void peal_schema_unref(struct peal_schema *s); /* takes NULL */

/* Add a parameter or family; the same name again replaces what was there (a
 * maker's file comes after the built-in one).
 * PEAL_ETYPE (a default its own type refuses), PEAL_EINVAL, PEAL_ENOMEM,
 * PEAL_ELIMIT, PEAL_ESTATE (sealed) */
enum peal_err peal_schema_add(struct peal_schema *s, const struct peal_param *p,
			      struct peal_reason *reason);
/* `alias` is read as `name`, which must exist. */
enum peal_err peal_schema_alias(struct peal_schema *s, const char *alias,
				const char *name, struct peal_reason *reason);
/* No more additions; builds the lookup. */
enum peal_err peal_schema_seal(struct peal_schema *s);

/* Index of a name or alias, case-sensitive, or -1. Constant time. */
int peal_schema_find(const struct peal_schema *s, const char *name, size_t len);
/* Number of parameters, families expanded. Indices run in registry order. */
unsigned peal_schema_count(const struct peal_schema *s);
/* Borrowed; `deflt` and `name` are those of the single parameter. NULL for an
 * index out of range. */
const struct peal_param *peal_schema_param(const struct peal_schema *s,
					   unsigned index);
/* The known name nearest to `name` (small edit distance, case), or NULL. */
const char *peal_schema_suggest(const struct peal_schema *s, const char *name,
				size_t len);

/* Check `text` against a parameter and write its canonical form to `out`
 * (cleared first).
 * PEAL_ETYPE with a reason that says what would fit, PEAL_ENOMEM */
enum peal_err peal_schema_check(const struct peal_schema *s, unsigned index,
				const char *text, size_t len,
				struct peal_buf *out,
				struct peal_reason *reason);
/* 1 when the type admits the empty text. */
int peal_schema_empty_ok(const struct peal_schema *s, unsigned index);

#endif
