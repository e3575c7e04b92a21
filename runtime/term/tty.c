/* tty.c - modes of a terminal, and putting them back. See peal/terminal.h */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "peal/alloc.h"
#include "peal/terminal.h"

static const int deadly[] = { SIGTERM, SIGHUP, SIGINT, SIGQUIT };
enum { DEADLY = sizeof(deadly) / sizeof(*deadly) };

/* A signal handler is given nothing but a number, and a process has one
 * terminal: this cannot be but static. */
static struct {
	volatile sig_atomic_t active;
	int fd;
	struct termios modes;
	struct sigaction before[DEADLY];
	int at_exit;
} guarded;

unsigned peal_terminal_width(void)
{
	struct winsize size;

	if ((ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col) ||
	    (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col))
		return size.ws_col;
	return 80;
}

void peal_terminal_restore(void)
{
	int before = errno;

	if (guarded.active)
		tcsetattr(guarded.fd, TCSANOW, &guarded.modes);
	errno = before;
}

/* Die of it all the same; the shell's prompt comes on a line of its own. */
static void on_deadly(int number)
{
	ssize_t ignored;

	peal_terminal_restore();
	ignored = write(guarded.fd, "\n", 1);
	(void)ignored;
	signal(number, SIG_DFL);
	raise(number);
}

static void catch_deadly(void)
{
	struct sigaction act;
	int i;

	memset(&act, 0, sizeof(act));
	act.sa_handler = on_deadly;
	sigemptyset(&act.sa_mask);
	for (i = 0; i < DEADLY; i++) {
		sigaction(deadly[i], NULL, &guarded.before[i]);
		if (guarded.before[i].sa_handler == SIG_DFL)
			sigaction(deadly[i], &act, NULL);
	}
}

enum peal_err peal_terminal_begin(int fd)
{
	struct termios modes;

	if (tcgetattr(fd, &modes))
		return PEAL_EINVAL;
	guarded.fd = fd;
	guarded.modes = modes;
	if (!guarded.at_exit)
		guarded.at_exit = atexit(peal_terminal_restore) == 0;
	guarded.active = 1;
	catch_deadly();
	return PEAL_OK;
}

void peal_terminal_end(void)
{
	struct sigaction now;
	int i;

	if (!guarded.active)
		return;
	guarded.active = 0;
	for (i = 0; i < DEADLY; i++) {
		sigaction(deadly[i], NULL, &now);
		if (now.sa_handler == on_deadly)
			sigaction(deadly[i], &guarded.before[i], NULL);
	}
}

/* --- a secret --- */

static enum peal_err read_line(int fd, char *out, size_t size)
{
	enum peal_err err = PEAL_OK;
	size_t n = 0;
	ssize_t got;
	char c;

	for (;;) {
		got = read(fd, &c, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return PEAL_ENOENT;
		if (c == '\n')
			break;
		if (n + 1 < size)
			out[n++] = c;
		else
			err = PEAL_ELIMIT;
	}
	out[n] = '\0';
	return err;
}

enum peal_err peal_terminal_secret(const char *prompt, char *out, size_t size)
{
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	enum peal_err err = fd < 0 ? PEAL_ENOENT : peal_terminal_begin(fd);
	struct termios quiet;

	if (err)
		goto out;
	quiet = guarded.modes;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	/* what was typed before the question is no answer to it */
	if (tcsetattr(fd, TCSAFLUSH, &quiet) ||
	    write(fd, prompt, strlen(prompt)) < 0)
		err = PEAL_EIO;
	if (!err)
		err = read_line(fd, out, size);
	if (write(fd, "\n", 1) < 0 && !err)
		err = PEAL_EIO;
	peal_terminal_restore();
	peal_terminal_end();
out:
	if (err)
		peal_wipe(out, size);
	if (fd >= 0)
		close(fd);
	return err == PEAL_EINVAL ? PEAL_ENOENT : err;
}
