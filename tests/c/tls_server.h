/* tls_server.h - openssl s_server on a port of the system's choice, and the
 * certificates for it, made on the fly in a folder of their own. */
#ifndef PEAL_TEST_TLS_SERVER_H
#define PEAL_TEST_TLS_SERVER_H

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peal/alloc.h"
#include "test.h"

struct tls_server {
	pid_t pid;
	int out;
	unsigned port;
};

/* Runs a script of the shell in `folder`. */
static inline void shell(const char *folder, const char *script)
{
	pid_t pid = fork();
	int status = -1;

	REQUIRE(pid >= 0);
	if (pid == 0) {
		if (chdir(folder))
			_exit(126);
		execl("/bin/sh", "sh", "-ec", script, (char *)NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	REQUIRE(status == 0);
}

/* Runs the tests of a program over a folder of its own.
 *   folder   as mkdtemp() takes it; goes at the end
 *   script   fills it */
static inline int test_main_in(char *folder, const char *script,
			       const struct test_case *cases, size_t n,
			       int argc, char **argv)
{
	char remove_all[64];
	int code;

	REQUIRE(peal_alloc_hook_libraries() == PEAL_OK);
	REQUIRE(mkdtemp(folder) != NULL);
	shell(folder, script);
	code = test_main(cases, n, argc, argv);
	snprintf(remove_all, sizeof(remove_all), "rm -r '%s'", folder);
	shell("/", remove_all);
	return code;
}

/* The server says "ACCEPT 127.0.0.1:43211" once it listens, or just "ACCEPT"
 * where it was given the port. */
static inline unsigned read_port(int fd, unsigned given)
{
	char text[4096], *p;
	size_t len = 0;
	ssize_t n;

	for (;;) {
		n = read(fd, text + len, sizeof(text) - len - 1);
		REQUIRE(n > 0);
		len += (size_t)n;
		text[len] = '\0';
		p = strstr(text, "ACCEPT");
		if (!p || !strchr(p, '\n'))
			continue;
		return given ? given : (unsigned)atoi(p + 17);
	}
}

/* port 0: one that the system chooses */
static inline void tls_server_start_at(struct tls_server *s, unsigned port,
				       const char *folder, const char *options)
{
	char line[1000];
	int ends[2];

	snprintf(line, sizeof(line),
		 "exec openssl s_server -accept 127.0.0.1:%u %s 2>/dev/null "
		 "</dev/null",
		 port, options);
	REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
	s->pid = fork();
	REQUIRE(s->pid >= 0);
	if (s->pid == 0) {
		dup2(ends[1], 1);
		if (chdir(folder))
			_exit(126);
		execl("/bin/sh", "sh", "-c", line, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	s->out = ends[0];
	s->port = read_port(s->out, port);
}

static inline void tls_server_start(struct tls_server *s, const char *folder,
				    const char *options)
{
	tls_server_start_at(s, 0, folder, options);
}

static inline void tls_server_stop(struct tls_server *s)
{
	int status;

	kill(s->pid, SIGKILL);
	waitpid(s->pid, &status, 0);
	close(s->out);
}

/* root NAME KEY COMMON-NAME
 * cert NAME SUBJECT FROM TO ISSUER KEY EXTENSIONS [DIGEST], times in days from
 * now, KEY ec or a number of RSA bits */
#define CERT_FUNCTIONS                                                       \
	"key() {\n"                                                          \
	"  if [ $2 = ec ]; then openssl ecparam -name prime256v1 -genkey "   \
	"-noout -out $1.key; else openssl genrsa -out $1.key $2; fi\n"       \
	"  chmod 600 $1.key\n"                                               \
	"}\n"                                                                \
	"stamp() { date -u -d \"$1 days\" +%Y%m%d%H%M%SZ; }\n"               \
	"sign() {\n" /* NAME FROM TO DIGEST EXTENSIONS, then options */      \
	"  name=$1 from=$2 to=$3 md=$4; shift 4\n"                           \
	"  printf '%b\\n' \"$1\" > $name.ext; shift\n"                       \
	"  rm -rf $name.d; mkdir $name.d; : > $name.d/index\n"               \
	"  openssl rand -hex 8 > $name.d/serial\n"                           \
	"  printf '%s\\n' '[ca]' default_ca=d '[d]' policy=p "               \
	"database=$name.d/index serial=$name.d/serial "                      \
	"new_certs_dir=$name.d default_md=$md '[p]' CN=optional O=optional " \
	"OU=optional L=optional ST=optional > $name.cnf\n"                   \
	"  openssl ca -batch -config $name.cnf -notext -in $name.csr "       \
	"-out $name.pem -startdate $(stamp \"$from\") -enddate "             \
	"$(stamp \"$to\") -extfile $name.ext \"$@\"\n"                       \
	"}\n"                                                                \
	"root() {\n"                                                         \
	"  key $1 $2; openssl req -new -key $1.key -subj \"/CN=$3\" -out "   \
	"$1.csr\n"                                                           \
	"  sign $1 -1000 1000 sha256 basicConstraints=critical,CA:TRUE "     \
	"-selfsign -keyfile $1.key\n"                                        \
	"}\n"                                                                \
	"cert() {\n"                                                         \
	"  key $1 $6; openssl req -new -key $1.key -subj \"$2\" -out $1.csr" \
	"\n"                                                                 \
	"  sign $1 $3 $4 ${8:-sha256} \"$7\" -cert $5.pem -keyfile $5.key\n" \
	"}\n"

#endif
