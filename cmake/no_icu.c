/* no_icu.c - what Debian's static libxml2 wants of ICU and liblzma, refused.
 *
 * libxml2 asks ICU for encodings that it does not know itself, and liblzma to
 * open compressed files. peal hands it UTF-8 only and no file at all
 * (runtime/profile/profile.c), so neither is asked; but loading the two, with
 * the C++ library behind them, took half of the program's start. Asked after
 * all they refuse, and libxml2 reports an encoding it does not support. */
#include <stdint.h>
#include <unicode/ucnv.h>

/* liblzma's header need not be there */
int lzma_auto_decoder(void *stream, uint64_t memory, uint32_t flags);
int lzma_code(void *stream, int action);
void lzma_end(void *stream);
int lzma_properties_decode(void *filter, const void *allocator,
			   const uint8_t *bytes, size_t len);

enum { LZMA_PROG_ERROR = 11 };

UConverter *ucnv_open(const char *name, UErrorCode *err)
{
	(void)name;
	*err = U_UNSUPPORTED_ERROR;
	return NULL;
}

void ucnv_close(UConverter *converter)
{
	(void)converter;
}

void ucnv_convertEx(UConverter *to, UConverter *from, char **target,
		    const char *target_end, const char **source,
		    const char *source_end, UChar *pivot_start,
		    UChar **pivot_source, UChar **pivot_target,
		    const UChar *pivot_end, UBool reset, UBool flush,
		    UErrorCode *err)
{
	(void)to, (void)from, (void)target, (void)target_end, (void)source;
	(void)source_end, (void)pivot_start, (void)pivot_source;
	(void)pivot_target, (void)pivot_end, (void)reset, (void)flush;
	*err = U_UNSUPPORTED_ERROR;
}

void ucnv_setToUCallBack(UConverter *converter, UConverterToUCallback action,
			 const void *context, UConverterToUCallback *old_action,
			 const void **old_context, UErrorCode *err)
{
	(void)converter, (void)action, (void)context, (void)old_action;
	(void)old_context;
	*err = U_UNSUPPORTED_ERROR;
}

void ucnv_setFromUCallBack(UConverter *converter,
			   UConverterFromUCallback action, const void *context,
			   UConverterFromUCallback *old_action,
			   const void **old_context, UErrorCode *err)
{
	(void)converter, (void)action, (void)context, (void)old_action;
	(void)old_context;
	*err = U_UNSUPPORTED_ERROR;
}

/* Only their addresses are taken. */
void UCNV_TO_U_CALLBACK_STOP(const void *context, UConverterToUnicodeArgs *args,
			     const char *units, int32_t len,
			     UConverterCallbackReason reason, UErrorCode *err)
{
	(void)context, (void)args, (void)units, (void)len, (void)reason;
	*err = U_UNSUPPORTED_ERROR;
}

void UCNV_FROM_U_CALLBACK_STOP(const void *context,
			       UConverterFromUnicodeArgs *args,
			       const UChar *units, int32_t len, UChar32 point,
			       UConverterCallbackReason reason, UErrorCode *err)
{
	(void)context, (void)args, (void)units, (void)len, (void)point;
	(void)reason;
	*err = U_UNSUPPORTED_ERROR;
}

int lzma_auto_decoder(void *stream, uint64_t memory, uint32_t flags)
{
	(void)stream, (void)memory, (void)flags;
	return LZMA_PROG_ERROR;
}

int lzma_code(void *stream, int action)
{
	(void)stream, (void)action;
	return LZMA_PROG_ERROR;
}

void lzma_end(void *stream)
{
	(void)stream;
}

int lzma_properties_decode(void *filter, const void *allocator,
			   const uint8_t *bytes, size_t len)
{
	(void)filter, (void)allocator, (void)bytes, (void)len;
	return LZMA_PROG_ERROR;
}
