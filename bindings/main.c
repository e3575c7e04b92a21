/* main.c - the program peal. Makers who embed the core leave it out. */
#include <signal.h>
#include <stdio.h>

#include "host.h"
#include "peal/alloc.h"

int main(int argc, char **argv)
{
	lua_State *L;
	int code;

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
	if (fflush(stdout) || ferror(stdout)) {
		perror("peal: writing the output");
		return code ? code : 1;
	}
	return code;
}
