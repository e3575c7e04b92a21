/* gunzip.c - a gzip file of our own, in one piece. See peal/decode.h */
#include <limits.h>
#include <zlib.h>

#include "peal/alloc.h"
#include "stage.h"

static enum peal_err damaged(struct peal_reason *reason)
{
	return peal_fail(reason, PEAL_ECORRUPT,
			 "no whole gzip file, or a damaged one");
}

/* One window; *end: the last one. */
static enum peal_err window(z_stream *z, struct peal_buf *out, int *end,
			    struct peal_reason *reason)
{
	unsigned char bytes[PEAL_DECODE_WINDOW];
	enum peal_err err;
	int status;

	z->next_out = bytes;
	z->avail_out = sizeof(bytes);
	status = inflate(z, Z_NO_FLUSH);
	if (status == Z_MEM_ERROR)
		return PEAL_ENOMEM;
	*end = status == Z_STREAM_END;
	if (status != Z_OK && !*end)
		return damaged(reason);
	err = peal_buf_add(out, bytes, sizeof(bytes) - z->avail_out);
	peal_wipe(bytes, sizeof(bytes));
	if (err == PEAL_ELIMIT)
		return peal_fail(reason, PEAL_ETOOBIG,
				 "inflates to more than %zu bytes", out->max);
	return err;
}

enum peal_err peal_gunzip(const void *bytes, size_t len, struct peal_buf *out,
			  struct peal_reason *reason)
{
	z_stream z = { .zalloc = peal_z_alloc, .zfree = peal_z_free };
	enum peal_err err = PEAL_OK;
	int end = 0;

	peal_reason_clear(reason);
	if (len > UINT_MAX)
		return peal_fail(reason, PEAL_ETOOBIG, "more than %u bytes",
				 UINT_MAX);
	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
		return PEAL_ENOMEM;
	z.next_in = (unsigned char *)bytes;
	z.avail_in = (unsigned)len;
	while (!err && !end)
		err = window(&z, out, &end, reason);
	if (!err && z.avail_in)
		err = damaged(reason);
	inflateEnd(&z);
	return err;
}
