/* tftp.h - a TFTP client of our own on the host's loop, down and up.
 *
 * Octet mode, options blksize, tsize and timeout, one fresh port per transfer,
 * answers taken from the transfer's own peer only, lock-step.
 * Why not libcurl's: it takes blocks from any sender, fails on tsize 0, stalls
 * under the socket interface, and image builders leave it out.
 * Source    RFC 1350, 2347, 2348, 2349; packet wait and counts are our choice:
 *           5 s, 6 sendings of one packet, 300 s in all. */
#ifndef PEAL_TFTP_H
#define PEAL_TFTP_H

#include <stddef.h>
#include <stdint.h>

#include "peal/error.h"
#include "peal/loop.h"

struct peal_tftp;

/* Copied by peal_tftp_start().
 *   address   literal of the server; port 0: 69
 *   name      file name on the wire, not empty, no NUL (see peal_tftp_name)
 *   body      NULL: read the file; else write these bytes
 *   max       bytes accepted; 0: PEAL_LIMIT_DOWNLOAD, with a sink
 *             PEAL_LIMIT_IMAGE
 *   port_lo, port_hi   local ports to choose from; 0: any
 *   wait_ms, sendings, total_ms   0: 5000, 6, 300000
 *   blksize   0: 1428 */
/* Takes the file piece by piece instead of a buffer; bytes borrowed during the
 * call. It may cancel; not PEAL_OK: the transfer ends with that error. */
typedef enum peal_err (*peal_tftp_sink_fn)(const void *bytes, size_t len,
					   void *arg);

struct peal_tftp_request {
	const char *address;
	uint16_t port;
	const char *name;
	const void *body;
	size_t body_len;
	size_t max;
	uint16_t port_lo, port_hi;
	unsigned wait_ms, sendings, total_ms;
	unsigned blksize;
	int no_options;         /* plain RFC 1350 */
	peal_tftp_sink_fn sink; /* NULL: the file is kept */
	void *sink_arg;
};

/* Borrowed during the call of `done`.
 *   error_code, error_text   of the server's ERROR packet, -1 and "": none;
 *                            control characters replaced */
struct peal_tftp_response {
	const unsigned char *body;
	size_t body_len;
	uint64_t received; /* bytes, kept or handed to the sink */
	char peer[46];
	uint16_t peer_port;
	unsigned blksize;
	unsigned long packets_sent, packets_received, foreign;
	int error_code;
	char error_text[128];
	double total_s;
};
typedef void (*peal_tftp_fn)(enum peal_err err,
			     const struct peal_tftp_response *response,
			     const struct peal_reason *reason, void *arg);

/* To `done`: PEAL_EFNF (error 1), PEAL_EACCESS (2), PEAL_EDISKFULL (3),
 * PEAL_EBADOP (0, 4-7, malformed), PEAL_EBADOPT (8 again without options, or
 * an OACK that lies), PEAL_ETOOBIG, PEAL_ETIMEOUT (silence),
 * PEAL_ECONNECT (port unreachable), PEAL_ECANCELED, PEAL_ENOMEM */
enum peal_err peal_tftp_start(struct peal_tftp **out, struct peal_loop *l,
			      const struct peal_tftp_request *request,
			      peal_tftp_fn done, void *arg,
			      struct peal_reason *reason);
void peal_tftp_cancel(struct peal_tftp *t);

/* File name for the path of a URL: exactly one leading '/' removed, percent
 * escapes decoded once, a query kept. PEAL_EBADOP: empty, %00 or a bad
 * escape. */
enum peal_err peal_tftp_name(const char *path, char *out, size_t size);

#endif
