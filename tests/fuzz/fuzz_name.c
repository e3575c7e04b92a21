/* fuzz_name.c - the name rule on any bytes: lines of host, SANs, CN. */
#include <stdlib.h>
#include <string.h>

#include "peal/trust.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	const char *sans[16];
	char *text, *line, *next;
	unsigned n = 0;

	if (size == 0)
		return 0;
	text = malloc(size);
	if (!text)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	for (line = strchr(text, '\n'); line && n < 16; line = next) {
		*line++ = '\0';
		next = strchr(line, '\n');
		sans[n++] = line;
	}
	/* the common name is the rest, NULs and all */
	line = text + strlen(text);
	peal_name_matches(text, sans, n, line, size - 1 - (size_t)(line - text),
			  data[0] & 1);
	free(text);
	return 0;
}
