/* libedit.c - see libedit.h */
#ifdef PEAL_HAVE_LIBEDIT
#include "libedit.h"

#include <dlfcn.h>

static struct peal_libedit loaded;

static void *library(void)
{
	static const char *const names[] = { "libedit.so.2", "libedit.so.0",
					     "libedit.so" };
	void *handle = NULL;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names) && !handle; i++)
		handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
	return handle;
}

/* The last function of the list is there when all of them are. */
static int find_all(void *handle)
{
	struct peal_libedit found;

/* what ISO C calls no conversion, POSIX asks for */
#define PEAL_X(name)                                  \
	*(void **)&found.name = dlsym(handle, #name); \
	if (!found.name)                              \
		return 0;
	PEAL_LIBEDIT(PEAL_X)
#undef PEAL_X
	loaded = found;
	return 1;
}

const struct peal_libedit *peal_libedit(struct peal_reason *reason)
{
	void *handle;

	if (loaded.el_init)
		return &loaded;
	handle = library();
	if (handle && find_all(handle))
		return &loaded;
	if (handle)
		dlclose(handle);
	peal_fail(reason, PEAL_ENOENT, "%s",
		  handle ? "the libedit of this machine is too old" :
			   "there is no libedit on this machine");
	return NULL;
}
#endif
