/* worker_main.c - the process in which operators' rule files run: see host.h
 *
 * It opens no files and no libraries but Lua. Everything it needs is there
 * before it confines itself; from then on it reads questions and writes
 * answers until the other side hangs up. */
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "host.h"
#include "peal/limits.h"
#include "peal/worker.h"
#include "plain_form.h"
#include "sandbox.h"

enum {
	PARAMETERS = 3, /* descriptor */
	/* the box, a question, an answer, and what malloc cannot use */
	MEMORY = PEAL_LIMIT_BOX_MEMORY + 2 * PEAL_LIMIT_WORKER_FRAME + (8 << 20)
};

/* { ok = false, sentence =, word = }: what the box cannot say itself. 0 when
 * there is no memory even for that. */
static int refuse(struct peal_buf *out, const char *sentence, const char *word)
{
	const char *const texts[] = { "sentence", sentence, "word", word };
	enum peal_err err;
	size_t i;

	peal_buf_fini(out);
	err = peal_plain_put_tag(out, PEAL_PLAIN_BEGIN);
	if (!err)
		err = peal_plain_put_text(out, "ok", 2);
	if (!err)
		err = peal_plain_put_tag(out, PEAL_PLAIN_FALSE);
	for (i = 0; i < 4 && !err; i++)
		err = peal_plain_put_text(out, texts[i], strlen(texts[i]));
	return !err && !peal_plain_put_tag(out, PEAL_PLAIN_END);
}

/*   why  nothing can be asked, for this reason; or NULL
 * 0: no answer can be given, the end of the process is one. */
static int answer(struct peal_box *box, const struct peal_reason *why,
		  const struct peal_buf *question,
		  const struct peal_snapshot_view *params, struct peal_buf *out)
{
	enum peal_err err;

	if (why)
		return refuse(out, why->text, peal_err_name(PEAL_EIO));
	err = peal_box_ask(box, question->data, question->len, params, out);
	if (err == PEAL_ELIMIT)
		return refuse(out, "the decision is too long", "rule-limit");
	if (err == PEAL_ENOMEM)
		return refuse(out, "no memory for the decision", "rule-limit");
	return err ? refuse(out, peal_err_text(err), peal_err_name(err)) : 1;
}

static int serve(struct peal_box *box, const struct peal_reason *why,
		 const struct peal_snapshot_view *params)
{
	struct peal_buf question, out;
	enum peal_err err;

	do {
		peal_buf_init(&question, PEAL_LIMIT_WORKER_FRAME);
		peal_buf_init(&out, PEAL_LIMIT_WORKER_FRAME);
		err = peal_frame_read(&question);
		if (!err && !answer(box, why, &question, params, &out))
			err = PEAL_ENOMEM;
		if (!err)
			err = peal_frame_write(out.data, out.len);
		peal_buf_fini(&question);
		peal_buf_fini(&out);
	} while (!err);
	return err == PEAL_ENOENT ? 0 : 1;
}

/* 1, 0: there are none, -1 */
static int map_parameters(struct peal_snapshot_view *out)
{
	if (fcntl(PARAMETERS, F_GETFD) < 0)
		return 0;
	if (peal_snapshot_map(out, PARAMETERS))
		return -1;
	close(PARAMETERS);
	return 1;
}

int peal_worker_main(void)
{
	struct peal_snapshot_view view;
	struct peal_reason reason;
	const struct peal_reason *why = NULL;
	struct peal_box *box = NULL;
	int mapped = map_parameters(&view);

	prctl(PR_SET_NAME, "peal-rules");
	close(STDERR_FILENO); /* nobody reads it */
	if (mapped < 0 || peal_box_new(&box, NULL))
		return 1;
	if (peal_confine(MEMORY, &reason))
		why = &reason;
	/* _exit: what runs at a process's end would take calls that are
	 * forbidden now */
	_exit(serve(box, why, mapped ? &view : NULL));
}
