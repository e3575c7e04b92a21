/* tftp_socket.c - see tftp_socket.h */
#include "fetch/tftp_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "net/loop.h"

/* --- addresses --------------------------------------------------------- */

static const struct sockaddr_in *in4(const struct sockaddr_storage *a)
{
	return (const void *)a;
}

static const struct sockaddr_in6 *in6(const struct sockaddr_storage *a)
{
	return (const void *)a;
}

static uint16_t port_of(const struct sockaddr_storage *a)
{
	return a->ss_family == AF_INET6 ? in6(a)->sin6_port : in4(a)->sin_port;
}

socklen_t tftp_socket_size(const struct sockaddr_storage *a)
{
	return a->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) :
					  sizeof(struct sockaddr_in);
}

/* The scope of a link-local address counts where both sides name it. */
static int same_scope(uint32_t a, uint32_t b)
{
	return a == b || a == 0 || b == 0;
}

int tftp_socket_same_host(const struct sockaddr_storage *a,
			  const struct sockaddr_storage *b)
{
	if (a->ss_family != b->ss_family)
		return 0;
	if (a->ss_family == AF_INET)
		return in4(a)->sin_addr.s_addr == in4(b)->sin_addr.s_addr;
	return memcmp(&in6(a)->sin6_addr, &in6(b)->sin6_addr,
		      sizeof(struct in6_addr)) == 0 &&
	       same_scope(in6(a)->sin6_scope_id, in6(b)->sin6_scope_id);
}

int tftp_socket_same_peer(const struct sockaddr_storage *a,
			  const struct sockaddr_storage *b)
{
	return tftp_socket_same_host(a, b) && port_of(a) == port_of(b);
}

uint16_t tftp_socket_print(const struct sockaddr_storage *a, char *out,
			   size_t size)
{
	const void *bytes = a->ss_family == AF_INET6 ?
				    (const void *)&in6(a)->sin6_addr :
				    (const void *)&in4(a)->sin_addr;

	if (!inet_ntop(a->ss_family, bytes, out, (socklen_t)size))
		out[0] = '\0';
	return ntohs(port_of(a));
}

/* --- what ICMP says ---------------------------------------------------- */

#ifdef __linux__
#include <linux/errqueue.h>

enum { REPORTS = 64 }; /* taken at once; the rest wakes us again */

static void enable_reports(int fd, int family)
{
	int on = 1;

	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
	else
		setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
}

/* EMSGSIZE, for one, is news about the path, and the system acts upon it. */
static int is_end(int err)
{
	return err == ECONNREFUSED || err == EHOSTUNREACH ||
	       err == ENETUNREACH || err == EHOSTDOWN || err == EACCES ||
	       err == ENOPROTOOPT || err == EPROTO;
}

static int report_of(struct msghdr *m)
{
	struct sock_extended_err e;
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if ((c->cmsg_level == IPPROTO_IP &&
		     c->cmsg_type == IP_RECVERR) ||
		    (c->cmsg_level == IPPROTO_IPV6 &&
		     c->cmsg_type == IPV6_RECVERR)) {
			memcpy(&e, CMSG_DATA(c), sizeof(e));
			return (int)e.ee_errno;
		}
	}
	return 0;
}

/* One report: its errno if it is about `peer`, 0 if not, -1: none left. */
static int take_report(int fd, const struct sockaddr_storage *peer)
{
	struct sockaddr_storage to;
	char control[512], byte;
	struct iovec part = { &byte, sizeof(byte) };
	struct msghdr m;
	int err;

	memset(&m, 0, sizeof(m));
	memset(&to, 0, sizeof(to));
	m.msg_name = &to;
	m.msg_namelen = sizeof(to);
	m.msg_iov = &part;
	m.msg_iovlen = 1;
	m.msg_control = control;
	m.msg_controllen = sizeof(control);
	if (recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return -1;
	err = report_of(&m);
	return is_end(err) && tftp_socket_same_peer(&to, peer) ? err : 0;
}

int tftp_socket_error(int fd, const struct sockaddr_storage *peer)
{
	int i, one, found = 0;

	for (i = 0; i < REPORTS; i++) {
		one = take_report(fd, peer);
		if (one < 0)
			break;
		if (one)
			found = one;
	}
	return found;
}
#else
static void enable_reports(int fd, int family)
{
	(void)fd;
	(void)family;
}

int tftp_socket_error(int fd, const struct sockaddr_storage *peer)
{
	(void)fd;
	(void)peer;
	return 0;
}
#endif

/* --- opening ----------------------------------------------------------- */

static int bind_port(int fd, int family, uint16_t port)
{
	struct sockaddr_storage any;

	memset(&any, 0, sizeof(any));
	any.ss_family = (sa_family_t)family;
	if (family == AF_INET6)
		((struct sockaddr_in6 *)&any)->sin6_port = htons(port);
	else
		((struct sockaddr_in *)&any)->sin_port = htons(port);
	return bind(fd, (struct sockaddr *)&any, tftp_socket_size(&any)) ?
		       errno :
		       0;
}

/* A firewall may let only some local ports through. Where to begin is no
 * secret: who names a range gives up that any port might be it. */
static int bind_range(int fd, int family, uint16_t lo, uint16_t hi)
{
	unsigned n = (unsigned)(hi - lo) + 1, i;
	unsigned start = (unsigned)(uv_hrtime() / 1000 % n);
	int err = EADDRINUSE;

	for (i = 0; i < n && err == EADDRINUSE; i++)
		err = bind_port(fd, family, (uint16_t)(lo + (start + i) % n));
	return err;
}

enum peal_err tftp_socket_open(int *out, int family, uint16_t lo, uint16_t hi,
			       struct peal_reason *reason)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int err;

	if (fd < 0)
		return peal_fail(reason, peal_err_uv(-errno),
				 "cannot open a socket: %s", strerror(errno));
	enable_reports(fd, family);
	err = bind_range(fd, family, lo, hi);
	if (err) {
		close(fd);
		return peal_fail(reason,
				 err == EADDRINUSE ? PEAL_ELIMIT :
						     peal_err_uv(-err),
				 "no local port to be had: %s", strerror(err));
	}
	*out = fd;
	return PEAL_OK;
}
