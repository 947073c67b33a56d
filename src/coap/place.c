/*
 * The UDP address and port of a listener, and that it is ours alone. libcoap binds with SO_REUSEADDR, which for
 * UDP means that a second process binds too, without a word, and takes the datagrams; so we ask the kernel
 * ourselves first. Between the question and libcoap's binding, a name in the kernel's list of abstract Unix
 * sockets, which ends with the process, keeps other instances out.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "coap/int.h"

bool
coap_place_read(const char *address, uint16_t port, coap_address_t *out)
{
	coap_address_init(out);
	if (inet_pton(AF_INET, address, &out->addr.sin.sin_addr) == 1) {
		out->addr.sin.sin_family = AF_INET;
		out->addr.sin.sin_port = htons(port);
		out->size = sizeof out->addr.sin;
		return true;
	}
	if (inet_pton(AF_INET6, address, &out->addr.sin6.sin6_addr) != 1)
		return false;
	out->addr.sin6.sin6_family = AF_INET6;
	out->addr.sin6.sin6_port = htons(port);
	out->size = sizeof out->addr.sin6;
	return true;
}

/* Binds for a moment, alone. What is wrong as an errno, or 0. */
static int
bind_alone(const coap_address_t *a)
{
	int fd = socket(a->addr.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), off = 0, error = 0;

	if (fd < 0)
		return errno;
	if (a->addr.sa.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
	if (bind(fd, &a->addr.sa, a->size) < 0)
		error = errno;
	close(fd);
	return error;
}

static int
take_name(const char *address, uint16_t port)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int n = snprintf(
		name.sun_path + 1, sizeof name.sun_path - 1, "rspd coap udp %s %u", address, port);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 &&
		bind(fd, (struct sockaddr *)&name,
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

int
coap_place_lock(const char *address, uint16_t port, char why[COAP_WHY])
{
	coap_address_t a;
	int error, fd;

	if (!coap_place_read(address, port, &a)) {
		snprintf(why, COAP_WHY, "%s is no numeric address", address);
		return -1;
	}
	fd = take_name(address, port);
	error = fd < 0 ? EADDRINUSE : bind_alone(&a);
	if (!error)
		return fd;
	if (error == EADDRINUSE)
		snprintf(why, COAP_WHY,
			"another process has %s UDP port %u: each belongs to one instance of rspd; "
			"stop the other, or take another address or port",
			address, port);
	else if (error == EACCES)
		snprintf(why, COAP_WHY,
			"UDP port %u is privileged and rspd has given its privileges up: restart "
			"rspd, or take a port from 1024 on",
			port);
	else
		snprintf(why, COAP_WHY, "cannot use %s UDP port %u: %s", address, port,
			strerror(error));
	if (fd >= 0)
		close(fd);
	return -1;
}
