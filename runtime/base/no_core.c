/* no_core.c - see peal/no_core.h */
#include "peal/no_core.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/sanitized.h"

void peal_no_core(void)
{
	const struct rlimit none = { 0, 0 };

	if (PEAL_SANITIZED)
		return;
	/* a pipe in core_pattern gets dumps whatever the limit says */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	setrlimit(RLIMIT_CORE, &none);
}
