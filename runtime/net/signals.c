/* signals.c - see peal/loop.h */
#include <stddef.h>
#include <uv.h>

#include "loop.h"
#include "peal/alloc.h"

struct peal_signals {
	struct peal_guest guest;
	uv_signal_t uv[PEAL_SIGNALS_MAX];
	unsigned open; /* the last handle that closes frees */
	peal_signal_fn fn;
	void *arg;
};

static void on_signal(uv_signal_t *handle, int number)
{
	struct peal_signals *s = handle->data;

	s->fn(number, s->arg);
}

static void on_closed(uv_handle_t *handle)
{
	struct peal_signals *s = handle->data;

	if (--s->open == 0)
		peal_free(s);
}

static void close_all(struct peal_signals *s)
{
	unsigned i, n = s->open;

	peal_loop_leave(&s->guest);
	if (n == 0)
		peal_free(s); /* not even the first one could be made */
	for (i = 0; i < n; i++)
		uv_close((uv_handle_t *)&s->uv[i], on_closed);
}

static void on_loop_free(struct peal_guest *guest)
{
	close_all(
		(void *)((char *)guest - offsetof(struct peal_signals, guest)));
}

static int watch(struct peal_signals *s, uv_loop_t *uv, int number)
{
	uv_signal_t *handle = &s->uv[s->open];
	int rc = uv_signal_init(uv, handle);

	if (rc)
		return rc;
	handle->data = s;
	s->open++;
	uv_unref((uv_handle_t *)handle);
	return uv_signal_start(handle, on_signal, number);
}

enum peal_err peal_signals_start(struct peal_signals **out, struct peal_loop *l,
				 const int *numbers, unsigned n,
				 peal_signal_fn fn, void *arg)
{
	struct peal_signals *s;
	unsigned i;
	int rc = 0;

	if (!l || !numbers || !fn || n == 0 || n > PEAL_SIGNALS_MAX)
		return PEAL_EINVAL;
	s = peal_zalloc(sizeof(*s));
	if (!s)
		return PEAL_ENOMEM;
	s->fn = fn;
	s->arg = arg;
	s->guest.drop = on_loop_free;
	peal_loop_join(l, &s->guest);
	for (i = 0; i < n && rc == 0; i++)
		rc = watch(s, peal_loop_uv(l), numbers[i]);
	if (rc) {
		close_all(s);
		return peal_err_uv(rc);
	}
	if (out)
		*out = s;
	return PEAL_OK;
}

void peal_signals_cancel(struct peal_signals *s)
{
	if (s)
		close_all(s);
}
