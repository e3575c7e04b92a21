/* trim.c - see peal/trim.h */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* dl_iterate_phdr() */
#endif
#include "peal/trim.h"

#include <stdint.h> /* says which libc it is, too */

#ifdef __GLIBC__

#include <link.h>
#include <malloc.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

/* Has the loader written into pages that look unwritten? */
static int is_relocated_text(const struct dl_phdr_info *object)
{
	const ElfW(Dyn) *d = NULL;
	int i;

	for (i = 0; i < object->dlpi_phnum; i++)
		if (object->dlpi_phdr[i].p_type == PT_DYNAMIC)
			d = (const void *)(object->dlpi_addr +
					   object->dlpi_phdr[i].p_vaddr);
	for (; d && d->d_tag != DT_NULL; d++)
		if (d->d_tag == DT_TEXTREL ||
		    (d->d_tag == DT_FLAGS && d->d_un.d_val & DF_TEXTREL))
			return 1;
	return 0;
}

/* Whole pages only: the ends may be shared with a segment that is written. */
static void drop(uintptr_t from, uintptr_t to, uintptr_t page)
{
	from = (from + page - 1) & ~(page - 1);
	to &= ~(page - 1);
	if (from < to)
		madvise((void *)from, to - from, MADV_DONTNEED);
}

static int drop_object(struct dl_phdr_info *object, size_t size, void *arg)
{
	const ElfW(Phdr) * p;
	uintptr_t page = *(const uintptr_t *)arg, at;
	int i;

	(void)size;
	if (is_relocated_text(object))
		return 0;
	for (i = 0; i < object->dlpi_phnum; i++) {
		p = &object->dlpi_phdr[i];
		at = object->dlpi_addr + p->p_vaddr;
		if (p->p_type == PT_LOAD && !(p->p_flags & PF_W))
			drop(at, at + p->p_filesz, page);
	}
	return 0;
}

void peal_trim(void)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	malloc_trim(0);
	dl_iterate_phdr(drop_object, &page);
}

#else

void peal_trim(void)
{
}

#endif
