/* memory.c - see memory.h */
#include "memory.h"

#include <libxml/parser.h>
#include <libxml/xmlerror.h>

#include "peal/alloc.h"

static _Thread_local unsigned long failures;

unsigned long peal_xml_failures(void)
{
	return failures;
}

static void *count(void *p)
{
	if (!p)
		failures++;
	return p;
}

static void *from_peal(size_t size)
{
	return count(peal_alloc(size));
}

static void *again_from_peal(void *p, size_t size)
{
	return count(peal_realloc(p, size));
}

static char *copy(const char *text)
{
	return count(peal_strdup(text));
}

/* Faults that belong to no parser would go to stderr: a library is silent. */
static void say_nothing(void *arg, const char *format, ...)
{
	(void)arg;
	(void)format;
}

enum peal_err peal_xml_hook(void)
{
	if (xmlMemSetup(peal_free, from_peal, again_from_peal, copy))
		return PEAL_EINTERNAL;
	xmlThrDefSetGenericErrorFunc(NULL, say_nothing);
	xmlSetGenericErrorFunc(NULL, say_nothing);
	xmlInitParser();
	return PEAL_OK;
}
