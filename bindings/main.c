/* main.c - the program peal. Makers who embed the core leave it out. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host.h"
#include "peal/alloc.h"

/* A standard stream that is closed must not become a file of the store. What
 * takes its place cannot be written, so that lost output is an error. */
static int keep_standard_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY | O_NOCTTY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0)
		return 0;
	close(fd);
	return 1;
}

int main(int argc, char **argv)
{
	lua_State *L;
	int code;

	if (argc == 2 && strcmp(argv[1], "--rule-worker") == 0)
		return peal_worker_main();
	if (!keep_standard_streams())
		return 1;
	/* a server that hangs up is an error of that transfer, not our end */
	signal(SIGPIPE, SIG_IGN);
	if (peal_alloc_hook_libraries()) {
		fputs("peal: cannot start: the libraries refuse\n", stderr);
		return 1;
	}
	L = peal_host_open();
	if (!L) {
		fputs("peal: cannot start: out of memory\n", stderr);
		return 1;
	}
	code = peal_host_main(L, argc, argv);
	lua_close(L);
	/* what failed earlier has left no errno */
	if (fflush(stdout) || ferror(stdout)) {
		fputs("peal: cannot write the output [io]\n", stderr);
		return code ? code : 1;
	}
	return code;
}
