/* registry.h - inside of a schema, for the files of this folder. */
#ifndef PEAL_REGISTRY_H
#define PEAL_REGISTRY_H

#include "peal/arena.h"
#include "peal/schema.h"
#include "store/intern.h"

/* Where a name leads. */
struct peal_slot {
	uint32_t hash;
	int32_t index; /* -1: free */
};

struct peal_table {
	struct peal_slot *slots; /* a power of two, open addressing */
	uint32_t size;
	uint32_t used;
};

struct peal_alias_def {
	const char *alias;
	const char *name;
	int target; /* index, once sealed */
};

struct peal_schema {
	unsigned refs;
	int sealed;
	struct peal_arena arena; /* texts of the definitions */
	struct peal_param *defs; /* as added; families not expanded */
	unsigned n_defs, cap_defs;
	struct peal_table def_names; /* of defs, until sealed */
	struct peal_alias_def *aliases;
	unsigned n_aliases, cap_aliases;
	unsigned total; /* parameters the definitions come to */

	/* from here on when sealed */
	struct peal_param *params; /* families expanded */
	unsigned n_params;
	char *names; /* of the members of families */
	struct peal_table lookup;
	uint64_t *letters; /* for suggestions, made when first asked */

	struct peal_intern texts;
};

/* types.c */
enum peal_err peal_type_check(const struct peal_param *p, const char *text,
			      size_t len, struct peal_buf *out,
			      struct peal_reason *reason);
int peal_type_empty_ok(const struct peal_param *p);
/* Would the check leave the text as it is? 0: perhaps. */
int peal_type_is_canonical(const struct peal_param *p, const char *text,
			   size_t len);

/* numbers.c: check a value of the numeric types, write its canonical form. */
enum peal_err peal_check_uns(const struct peal_param *p, const char *text,
			     size_t len, struct peal_buf *out,
			     struct peal_reason *reason);
enum peal_err peal_check_sig(const struct peal_param *p, const char *text,
			     size_t len, struct peal_buf *out,
			     struct peal_reason *reason);
enum peal_err peal_check_port(const struct peal_param *p, const char *text,
			      size_t len, struct peal_buf *out,
			      struct peal_reason *reason);
enum peal_err peal_check_decimal(const struct peal_param *p, const char *text,
				 size_t len, struct peal_buf *out,
				 struct peal_reason *reason);
enum peal_err peal_check_schedule(const struct peal_param *p, const char *text,
				  size_t len, struct peal_buf *out,
				  struct peal_reason *reason);
/* 1 and the number when all of the text is decimal or, if `hex`, 0x hex. */
int peal_parse_uint(const char *text, size_t len, int hex, uint64_t *out);

/* hosts.c */
enum peal_err peal_check_ip(const struct peal_param *p, const char *text,
			    size_t len, struct peal_buf *out,
			    struct peal_reason *reason);
enum peal_err peal_check_fqdn(const struct peal_param *p, const char *text,
			      size_t len, struct peal_buf *out,
			      struct peal_reason *reason);

/* schema.c: a name may stand bare in a revision file. */
int peal_name_ok(const char *name, size_t len);

#endif
