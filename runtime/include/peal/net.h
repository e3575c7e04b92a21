/* net.h - names to addresses, and datagrams.
 *
 * Names are looked up through c-ares on the host's loop: no resolver threads.
 * An address literal is answered without a query. */
#ifndef PEAL_NET_H
#define PEAL_NET_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "peal/error.h"
#include "peal/loop.h"

struct peal_resolver;
struct peal_query;

/*   servers  comma list of host[:port] to ask instead of the system's, or
 *            NULL; copied
 *   timeout_ms, tries  of one server; 0: 2000 and 3 */
struct peal_resolver_options {
	const char *servers;
	unsigned timeout_ms;
	unsigned tries;
};
enum peal_err peal_resolver_new(struct peal_resolver **out, struct peal_loop *l,
				const struct peal_resolver_options *options);
void peal_resolver_free(struct peal_resolver *r); /* cancels; takes NULL */

enum peal_dns_type { PEAL_DNS_A, PEAL_DNS_AAAA, PEAL_DNS_ADDR, PEAL_DNS_SRV };

/* One answer.
 *   address   text form (A, AAAA, ADDR)
 *   target, port, priority, weight   (SRV)
 *   ttl_s     as the server said, 0 where unknown */
struct peal_dns_answer {
	char address[46];
	char target[256];
	uint16_t port, priority, weight;
	uint32_t ttl_s;
};
/* answers borrowed during the call; PEAL_EDNS (no such name, no answer),
 * PEAL_ETIMEOUT, PEAL_ECANCELED */
typedef void (*peal_resolve_fn)(enum peal_err err,
				const struct peal_dns_answer *answers,
				unsigned n, const struct peal_reason *reason,
				void *arg);
/* ADDR asks for A and AAAA, A answers first. use_hosts also reads the hosts
 * file. "localhost" and names under it stand for the loopback addresses and
 * are never asked for (RFC 6761). */
enum peal_err peal_resolve_start(struct peal_query **out,
				 struct peal_resolver *r, const char *name,
				 enum peal_dns_type type, int use_hosts,
				 peal_resolve_fn done, void *arg);
void peal_resolve_cancel(struct peal_query *q);

/* Send one datagram to an address literal; best effort, nothing is awaited.
 * PEAL_EINVAL (not a literal), PEAL_ECONNECT, PEAL_ELIMIT (too long) */
enum peal_err peal_datagram_send(const char *address, uint16_t port,
				 const void *bytes, size_t len);

/* "192.168.1.1" or "2001:db8::1" (no brackets) to a socket address.
 * PEAL_EINVAL */
enum peal_err peal_address_parse(const char *text, uint16_t port,
				 struct sockaddr_storage *out);

#endif
