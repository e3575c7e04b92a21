/* editor.c - see peal/terminal.h and editor.h */
#ifdef PEAL_HAVE_LIBEDIT
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "editor.h"
#include "history.h"
#include "peal/alloc.h"
#include "peal/limits.h"

struct peal_editor *peal_editor_of(EditLine *el)
{
	struct peal_editor *e = NULL;

	peal_libedit(NULL)->el_wget(el, EL_CLIENTDATA, &e);
	return e;
}

void peal_editor_enter(struct peal_editor *e)
{
	if (e->utf8)
		e->outside = uselocale(e->utf8);
}

void peal_editor_leave(struct peal_editor *e)
{
	if (e->utf8)
		uselocale(e->outside);
}

/* --- what libedit asks for --- */

static wchar_t *prompt_of(EditLine *el)
{
	return peal_editor_of(el)->prompt;
}

/* One byte; 0: the end, -1: e->failed. Bytes stay in the terminal until they
 * are wanted: whoever reads it next gets the rest. */
static int next_byte(struct peal_editor *e, unsigned char *out)
{
	struct pollfd in = { STDIN_FILENO, POLLIN, 0 };
	ssize_t n;

	for (;;) {
		while (poll(&in, 1, 0) <= 0 && !e->failed)
			e->failed = e->options.wait(e->options.arg);
		if (e->failed)
			return -1;
		n = read(STDIN_FILENO, out, 1);
		if (n >= 0)
			return (int)n;
		if (errno != EINTR && errno != EAGAIN)
			return 0; /* the terminal is gone */
	}
}

/* A whole character; bytes that make none are passed over. */
static int read_one(struct peal_editor *e, wchar_t *out)
{
	unsigned char bytes[4];
	size_t n = 0;
	int got;

	for (;;) {
		got = next_byte(e, &bytes[n]);
		if (got <= 0)
			return got;
		if (n && (bytes[n] & 0xc0) != 0x80) {
			bytes[0] = bytes[n];
			n = 0;
		}
		n++;
		if (peal_wide_one(bytes, n, out))
			return 1;
		if (n == sizeof(bytes) || (bytes[0] & 0xc0) != 0xc0)
			n = 0;
	}
}

static int read_char(EditLine *el, wchar_t *out)
{
	struct peal_editor *e = peal_editor_of(el);
	int got;

	peal_editor_leave(e);
	got = read_one(e, out);
	peal_editor_enter(e);
	peal_editor_fit(e);
	return got;
}

/* --- keys --- */

static unsigned char on_interrupt(EditLine *el, int ch)
{
	struct peal_editor *e = peal_editor_of(el);

	(void)ch;
	e->interrupted = 1;
	peal_editor_below(e);
	return CC_EOF;
}

/* The end on an empty line; else the character at the cursor goes. */
static unsigned char on_end(EditLine *el, int ch)
{
	struct peal_editor *e = peal_editor_of(el);
	const LineInfoW *info = e->lib->el_wline(el);

	(void)ch;
	if (info->lastchar == info->buffer) {
		peal_editor_below(e);
		return CC_EOF;
	}
	if (info->cursor == info->lastchar)
		return CC_ERROR;
	e->lib->el_cursor(el, 1);
	e->lib->el_deletestr(el, 1);
	return CC_REFRESH;
}

/* As the terminal would do it, were it not ours; and back again, whatever the
 * shell made of its modes meanwhile. */
static unsigned char on_suspend(EditLine *el, int ch)
{
	struct peal_editor *e = peal_editor_of(el);
	struct termios ours;

	(void)ch;
	if (tcgetattr(STDIN_FILENO, &ours))
		return CC_ERROR;
	peal_editor_below(e);
	peal_terminal_restore();
	peal_terminal_end();
	kill(0, SIGTSTP);
	peal_terminal_begin(STDIN_FILENO);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &ours);
	peal_editor_show_above(e);
	e->lib->el_set(el, EL_REFRESH);
	return CC_NORM;
}

/* Also what people know from other editors and libedit does not do by itself:
 * search with ^R, words with Ctrl and an arrow. */
static void bind_keys(const struct peal_editor *e)
{
	const struct peal_libedit *l = e->lib;
	EditLine *el = e->el;

	/* the narrow call would never free its copies of the names */
	l->el_wset(el, EL_ADDFN, L"peal-interrupt", L"Interrupt", on_interrupt);
	l->el_wset(el, EL_ADDFN, L"peal-end", L"End or delete", on_end);
	l->el_wset(el, EL_ADDFN, L"peal-suspend", L"Suspend", on_suspend);
	l->el_wset(el, EL_ADDFN, L"peal-complete", L"Complete",
		   peal_editor_complete);
	l->el_set(el, EL_BIND, "^R", "em-inc-search-prev", NULL);
	l->el_set(el, EL_BIND, "\\e[1;5C", "em-next-word", NULL);
	l->el_set(el, EL_BIND, "\\e[1;5D", "ed-prev-word", NULL);
	l->el_set(el, EL_BIND, "\\e[3~", "ed-delete-next-char", NULL);
	l->el_source(el, NULL); /* what its user wants otherwise */
	l->el_set(el, EL_BIND, "^I", "peal-complete", NULL);
	l->el_set(el, EL_BIND, "^C", "peal-interrupt", NULL);
	l->el_set(el, EL_BIND, "^D", "peal-end", NULL);
	l->el_set(el, EL_BIND, "^Z", "peal-suspend", NULL);
}

/* --- opening --- */

/* Terminals are told apart before libedit complains of them. */
static enum peal_err check_terminal(struct peal_reason *reason)
{
	const char *term = getenv("TERM");

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return peal_fail(reason, PEAL_EINVAL,
				 "lines are edited at a terminal only");
	if (!term || !*term || strcmp(term, "dumb") == 0)
		return peal_fail(reason, PEAL_EINVAL,
				 "the terminal (TERM=%s) cannot edit lines",
				 term ? term : "");
	return PEAL_OK;
}

static void remember(const char *line, size_t len, void *arg)
{
	struct peal_editor *e = arg;
	wchar_t *wide = peal_wide_dup(line, len);
	HistEventW event;

	if (wide)
		e->lib->history_w(e->history, &event, H_ENTER, wide);
	peal_free(wide);
}

/* A history that cannot be read is no reason to have no editor: add() tells. */
static enum peal_err open_history(struct peal_editor *e)
{
	HistEventW event;

	e->history = e->lib->history_winit();
	if (!e->history)
		return PEAL_ENOMEM;
	e->lib->history_w(e->history, &event, H_SETSIZE,
			  (int)e->options.history_max);
	e->lib->history_w(e->history, &event, H_SETUNIQUE, 1);
	e->lib->el_wset(e->el, EL_HIST, e->lib->history_w, e->history);
	if (e->options.history)
		peal_history_load(e->options.history, e->options.history_max,
				  remember, e, NULL);
	return PEAL_OK;
}

static enum peal_err open_libedit(struct peal_editor *e,
				  struct peal_reason *reason)
{
	e->complaints = fopen("/dev/null", "we");
	if (!e->complaints)
		return PEAL_ENOMEM;
	e->el = e->lib->el_init(e->options.name, stdin, stdout, e->complaints);
	if (!e->el)
		return PEAL_ENOMEM;
	e->lib->el_wset(e->el, EL_CLIENTDATA, e);
	e->lib->el_get(e->el, EL_GETTC, "up", &e->up);
	e->lib->el_get(e->el, EL_GETTC, "cd", &e->clear_below);
	if (!e->up || !e->clear_below)
		return peal_fail(reason, PEAL_EINVAL,
				 "the terminal (TERM=%.60s) cannot edit lines",
				 getenv("TERM"));
	e->lib->el_set(e->el, EL_EDITOR, "emacs");
	e->lib->el_set(e->el, EL_SIGNAL, 0);
	e->lib->el_wset(e->el, EL_PROMPT, prompt_of);
	e->lib->el_wset(e->el, EL_GETCFN, read_char);
	bind_keys(e);
	return open_history(e);
}

enum peal_err peal_editor_open(struct peal_editor **out,
			       const struct peal_editor_options *options,
			       struct peal_reason *reason)
{
	struct peal_editor *e;
	enum peal_err err = check_terminal(reason);

	if (err)
		return err;
	e = peal_zalloc(sizeof(*e));
	if (!e)
		return PEAL_ENOMEM;
	e->options = *options;
	e->width = peal_terminal_width();
	peal_buf_init(&e->line, PEAL_LIMIT_TYPED);
	peal_offers_init(&e->offers);
	e->lib = peal_libedit(reason);
	err = e->lib ? PEAL_OK : PEAL_ENOENT;
	if (!err && options->history) {
		e->options.history = peal_strdup(options->history);
		err = e->options.history ? PEAL_OK : PEAL_ENOMEM;
	}
	if (!err) {
		e->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
		peal_editor_enter(e);
		err = open_libedit(e, reason);
		peal_editor_leave(e);
	}
	if (err) {
		peal_editor_close(e);
		return err;
	}
	*out = e;
	return PEAL_OK;
}

void peal_editor_close(struct peal_editor *e)
{
	if (!e)
		return;
	if (e->reading) {
		peal_terminal_restore();
		peal_terminal_end();
	}
	if (e->el)
		e->lib->el_end(e->el);
	if (e->history)
		e->lib->history_wend(e->history);
	if (e->complaints)
		fclose(e->complaints);
	if (e->utf8)
		freelocale(e->utf8);
	peal_buf_fini_secret(&e->line);
	peal_arena_fini(&e->offers.arena);
	peal_free((char *)e->options.history);
	peal_free(e->prompt);
	peal_free(e->above);
	peal_free(e);
}

/* --- reading --- */

/* The modes of an editor before there is a prompt: else what is typed as soon
 * as it shows would be shown twice. ^C and ^Z come as keys; told of that,
 * libedit would forget it again. */
static void take_keys(const struct peal_editor *e)
{
	struct termios modes;

	e->lib->el_set(e->el, EL_PREP_TERM, 1);
	if (tcgetattr(STDIN_FILENO, &modes))
		return;
	modes.c_cc[VINTR] = _POSIX_VDISABLE;
	modes.c_cc[VSUSP] = _POSIX_VDISABLE;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &modes);
}

static enum peal_err set_prompt(struct peal_editor *e, const char *prompt)
{
	const char *last = strrchr(prompt, '\n');

	last = last ? last + 1 : prompt;
	peal_free(e->above);
	peal_free(e->prompt);
	e->prompt = peal_wide_dup(last, strlen(last));
	e->above = peal_alloc((size_t)(last - prompt) + 1);
	if (!e->prompt || !e->above)
		return PEAL_ENOMEM;
	memcpy(e->above, prompt, (size_t)(last - prompt));
	e->above[last - prompt] = '\0';
	return PEAL_OK;
}

static const wchar_t *read_wide(struct peal_editor *e, int *n)
{
	const wchar_t *line;

	peal_editor_enter(e);
	take_keys(e);
	peal_editor_fit(e);
	peal_editor_show_above(e);
	e->reading = 1;
	line = e->lib->el_wgets(e->el, n);
	if (e->failed)
		peal_editor_below(e);
	e->reading = 0;
	peal_editor_leave(e);
	return line;
}

static enum peal_err keep_line(struct peal_editor *e, const wchar_t *wide,
			       size_t n)
{
	enum peal_err err;

	peal_buf_clear(&e->line);
	if (n && wide[n - 1] == L'\n')
		n--;
	err = peal_wide_put(&e->line, wide, n);
	return err ? err : peal_buf_add(&e->line, "", 1);
}

enum peal_err peal_editor_read(struct peal_editor *e, const char *prompt,
			       enum peal_typed *typed, const char **line,
			       size_t *len)
{
	const wchar_t *wide;
	enum peal_err err;
	int n = 0;

	if (e->reading)
		return PEAL_ESTATE;
	err = set_prompt(e, prompt);
	if (!err)
		err = peal_terminal_begin(STDIN_FILENO);
	if (err)
		return err;
	e->failed = PEAL_OK;
	e->interrupted = 0;
	wide = read_wide(e, &n);
	peal_terminal_restore();
	peal_terminal_end();
	if (e->failed)
		return e->failed;
	*typed = e->interrupted ? PEAL_TYPED_INTERRUPT :
		 wide           ? PEAL_TYPED_LINE :
				  PEAL_TYPED_END;
	err = keep_line(e, wide, wide && n > 0 ? (size_t)n : 0);
	*line = (const char *)e->line.data;
	*len = err ? 0 : e->line.len - 1;
	return err;
}

void peal_editor_print(struct peal_editor *e, const char *text, size_t len)
{
	if (!e->reading) {
		fwrite(text, 1, len, stdout);
		if (!len || text[len - 1] != '\n')
			fputc('\n', stdout);
		fflush(stdout);
		return;
	}
	peal_editor_enter(e);
	peal_editor_above(e, text, len);
	peal_editor_leave(e);
}

void peal_editor_resized(struct peal_editor *e)
{
	peal_editor_enter(e);
	peal_editor_fit(e);
	peal_editor_leave(e);
}

enum peal_err peal_editor_add(struct peal_editor *e, const char *line,
			      size_t len, struct peal_reason *reason)
{
	remember(line, len, e);
	if (!e->options.history)
		return PEAL_OK;
	return peal_history_append(e->options.history, line, len, reason);
}

#endif
