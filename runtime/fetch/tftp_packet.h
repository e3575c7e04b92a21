/* tftp_packet.h - the packets of TFTP, to and from bytes. Private, pure.
 *
 * Builders return the length of the packet, 0 when it does not fit.
 * Source    RFC 1350 (packets), 2347 (options), 2348 (blksize), 2349 (tsize,
 *           timeout). */
#ifndef PEAL_FETCH_TFTP_PACKET_H
#define PEAL_FETCH_TFTP_PACKET_H

#include <stddef.h>
#include <stdint.h>

#include "peal/error.h"

enum tftp_op {
	TFTP_RRQ = 1,
	TFTP_WRQ,
	TFTP_DATA,
	TFTP_ACK,
	TFTP_ERROR,
	TFTP_OACK
};

enum tftp_code {
	TFTP_UNDEFINED,
	TFTP_NOT_FOUND,
	TFTP_ACCESS,
	TFTP_DISK_FULL,
	TFTP_ILLEGAL,
	TFTP_UNKNOWN_ID,
	TFTP_EXISTS,
	TFTP_NO_USER,
	TFTP_BAD_OPTION
};

enum {
	TFTP_HEADER = 4,        /* of DATA, ACK and ERROR */
	TFTP_BLOCK = 512,       /* without the option */
	TFTP_BLOCK_MIN = 8,     /* RFC 2348 */
	TFTP_BLOCK_MAX = 65464, /* RFC 2348 */
	TFTP_NAME_MAX = 1023,   /* our choice: the packet is never fragmented */
	TFTP_REQUEST_MAX = 1200,
	TFTP_TEXT = 128
};

/* Options asked for, or granted.
 *   blksize    0: not among them
 *   timeout_s  0: not among them
 *   has_tsize  tsize may be 0 */
struct tftp_options {
	unsigned blksize;
	unsigned timeout_s;
	int has_tsize;
	uint64_t tsize;
};

/*   block     of DATA and ACK
 *   bytes     of DATA, or the options of OACK; borrowed from the input
 *   code, text   of ERROR; the text is fit for a log */
struct tftp_packet {
	enum tftp_op op;
	uint16_t block;
	const unsigned char *bytes;
	size_t len;
	unsigned code;
	char text[TFTP_TEXT];
};

/* 1: a packet a server may send; 0: malformed, or a request. */
int tftp_packet_parse(const unsigned char *bytes, size_t len,
		      struct tftp_packet *out);

/* Options of an OACK against those asked for: PEAL_EBADOPT when it lies (not
 * asked, larger than asked, out of range, twice, no text). */
enum peal_err tftp_packet_options(const struct tftp_packet *oack,
				  const struct tftp_options *asked,
				  struct tftp_options *out,
				  struct peal_reason *reason);

/*   op     TFTP_RRQ or TFTP_WRQ
 *   asked  NULL: no options */
size_t tftp_packet_request(unsigned char *out, size_t size, enum tftp_op op,
			   const char *name, const struct tftp_options *asked);
size_t tftp_packet_error(unsigned char *out, size_t size, enum tftp_code code,
			 const char *text);
/* Header of DATA, or a whole ACK: TFTP_HEADER octets. */
size_t tftp_packet_block(unsigned char *out, enum tftp_op op, uint16_t block);

#endif
