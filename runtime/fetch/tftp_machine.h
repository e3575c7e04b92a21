/* tftp_machine.h - one TFTP transfer as a state machine. Private, pure: no
 * clock, no socket; packets in, a packet and a verdict out.
 *
 * The driver (tftp.c) owns transfer identifiers, waiting and repeating.
 * Source    RFC 1350, 2347, 2348, 2349. */
#ifndef PEAL_FETCH_TFTP_MACHINE_H
#define PEAL_FETCH_TFTP_MACHINE_H

#include "fetch/tftp_packet.h"
#include "peal/buf.h"
#include "peal/tftp.h"

/* What is to be transferred.
 *   name   copied
 *   body   NULL: read the file; else borrowed until tftp_machine_fini()
 *   asked  options of the request; tsize is filled in by the machine. NULL:
 *          plain RFC 1350
 *   sink   takes what is read instead of the buffer; NULL: kept */
struct tftp_plan {
	const char *name;
	const unsigned char *body;
	size_t body_len;
	size_t max;
	const struct tftp_options *asked;
	peal_tftp_sink_fn sink;
	void *sink_arg;
};

/*   plain     no options were asked for
 *   begun     the server has answered: its port is known
 *   blocks    DATA stored, or sent, so far; the block number is its low half
 *   final     the block of that number is the last
 *   repeats   how often the packet in `out` was asked for again
 *   out       the packet to send, and to repeat; out_len 0: none
 *   err, reason, code, text   why it failed; code -1: no ERROR came */
struct tftp_machine {
	char *name;
	const unsigned char *body;
	size_t body_len;
	struct tftp_options asked, granted;
	int plain, begun, final;
	unsigned blksize;
	unsigned long blocks;
	unsigned repeats;
	struct peal_buf in;
	uint64_t received; /* bytes, kept or handed to the sink */
	peal_tftp_sink_fn sink;
	void *sink_arg;
	unsigned char *out;
	size_t out_len, out_size;
	enum peal_err err;
	struct peal_reason reason;
	int code;
	char text[TFTP_TEXT];
};

enum tftp_step {
	TFTP_IGNORE, /* as if nothing had come; no timer is touched */
	TFTP_SEND,   /* progress: send `out`, begin to count anew */
	TFTP_REPEAT, /* send `out` once more, nothing else */
	TFTP_PLAIN,  /* ask again without options, from a new port */
	TFTP_DONE,   /* send `out` if there is one; success */
	TFTP_FAIL    /* send `out` if there is one; see err */
};

/* The request is in `out` afterwards.
 * PEAL_EBADOP (no name, or a too long one), PEAL_ENOMEM. To be undone by
 * tftp_machine_fini() in any case. */
enum peal_err tftp_machine_init(struct tftp_machine *m,
				const struct tftp_plan *plan);
void tftp_machine_fini(struct tftp_machine *m);

/* A datagram from the server. What may not be a first answer is TFTP_IGNORE
 * until one came. */
enum tftp_step tftp_machine_input(struct tftp_machine *m,
				  const unsigned char *bytes, size_t len);

/* After TFTP_PLAIN: a request without options is in `out`. */
void tftp_machine_plain(struct tftp_machine *m);

/* Octets that the largest packet needs, and one to tell a larger one by. */
size_t tftp_machine_room(const struct tftp_machine *m);

#endif
