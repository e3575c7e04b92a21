/* datagram.c - addresses as text, and one datagram at a time. See peal/net.h */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "peal/net.h"

static enum peal_err parse_v4(const char *text, uint16_t port,
			      struct sockaddr_storage *out)
{
	struct sockaddr_in sa = { .sin_family = AF_INET };

	if (inet_pton(AF_INET, text, &sa.sin_addr) != 1)
		return PEAL_EINVAL;
	sa.sin_port = htons(port);
	memcpy(out, &sa, sizeof(sa));
	return PEAL_OK;
}

enum peal_err peal_address_parse(const char *text, uint16_t port,
				 struct sockaddr_storage *out)
{
	struct sockaddr_in6 sa = { .sin6_family = AF_INET6 };

	if (!text || !out)
		return PEAL_EINVAL;
	memset(out, 0, sizeof(*out));
	if (parse_v4(text, port, out) == PEAL_OK)
		return PEAL_OK;
	if (inet_pton(AF_INET6, text, &sa.sin6_addr) != 1)
		return PEAL_EINVAL;
	sa.sin6_port = htons(port);
	memcpy(out, &sa, sizeof(sa));
	return PEAL_OK;
}

enum peal_err peal_datagram_send(const char *address, uint16_t port,
				 const void *bytes, size_t len)
{
	struct sockaddr_storage to;
	socklen_t to_len = sizeof(struct sockaddr_in);
	enum peal_err err = PEAL_OK;
	int fd;

	if ((!bytes && len) || peal_address_parse(address, port, &to))
		return PEAL_EINVAL;
	if (to.ss_family == AF_INET6)
		to_len = sizeof(struct sockaddr_in6);
	fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return errno == EMFILE || errno == ENFILE ? PEAL_ELIMIT :
							    PEAL_ECONNECT;
	if (sendto(fd, bytes, len, MSG_NOSIGNAL, (struct sockaddr *)&to,
		   to_len) < 0)
		err = errno == EMSGSIZE ? PEAL_ELIMIT : PEAL_ECONNECT;
	close(fd);
	return err;
}
