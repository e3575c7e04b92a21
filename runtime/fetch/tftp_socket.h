/* tftp_socket.h - the UDP socket of a transfer, and its addresses. Private.
 *
 * It is never connected: a TFTP server answers from a new port. What ICMP
 * says about a datagram is then told on request only, and by destination
 * (IP_RECVERR of Linux), which is what we want: an ERROR of ours to a
 * stranger must not end the transfer when nobody is there to take it.
 * Elsewhere nothing is ever reported; a transfer to a closed port ends by its
 * timer then. */
#ifndef PEAL_FETCH_TFTP_SOCKET_H
#define PEAL_FETCH_TFTP_SOCKET_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "peal/error.h"

/* Not blocking, bound to a local port from lo to hi, both 0: any.
 * PEAL_ELIMIT (descriptors, ports), PEAL_EPERM, PEAL_ENOMEM, PEAL_EIO */
enum peal_err tftp_socket_open(int *out, int family, uint16_t lo, uint16_t hi,
			       struct peal_reason *reason);

/* Take all reports off the socket. The errno of one that says `peer` cannot
 * be reached, 0: there was none. Reports about others are dropped. */
int tftp_socket_error(int fd, const struct sockaddr_storage *peer);

socklen_t tftp_socket_size(const struct sockaddr_storage *a);
int tftp_socket_same_host(const struct sockaddr_storage *a,
			  const struct sockaddr_storage *b);
int tftp_socket_same_peer(const struct sockaddr_storage *a,
			  const struct sockaddr_storage *b);
/* Address as text; returns the port. */
uint16_t tftp_socket_print(const struct sockaddr_storage *a, char *out,
			   size_t size);

#endif
