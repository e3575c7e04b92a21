/* embedded.h - scripts/ and rules/ as they are inside the program.
 * The build makes the tables (embed.lua): sorted by name, without two of a
 * name. */
#ifndef PEAL_EMBEDDED_H
#define PEAL_EMBEDDED_H

#include <stddef.h>

/*   name  of a script the module's ("peal.cli"), of a rule its file's without
 *         ending ("trigger")
 *   data  bytecode or text, followed by a NUL that len does not count
 *   path  in the source ("scripts/peal/cli/init.lua"): the chunk's name, after
 *         an @, where data is text */
struct peal_embedded {
	const char *name;
	const unsigned char *data;
	size_t len;
	const char *path;
};

extern const struct peal_embedded peal_embedded_scripts[];
extern const size_t peal_embedded_scripts_n;
extern const struct peal_embedded peal_embedded_rules[];
extern const size_t peal_embedded_rules_n;

#endif
