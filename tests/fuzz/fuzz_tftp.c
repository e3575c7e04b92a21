/* fuzz_tftp.c - hostile answers to a TFTP client: any packets in any order.
 *
 * Input: one octet of mode, then packets, each behind two octets of length.
 * The rest of a short input is the last packet. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/tftp_machine.h"
#include "peal/tftp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { UPLOAD = 1, PLAIN = 2, SMALL = 4, NAME = 8, MAX = 5000 };

static void check(int ok)
{
	if (!ok)
		abort();
}

static void name(const uint8_t *data, size_t size)
{
	char path[256], out[200];

	if (size >= sizeof(path))
		size = sizeof(path) - 1;
	memcpy(path, data, size);
	path[size] = '\0';
	if (peal_tftp_name(path, out, sizeof(out)) == PEAL_OK)
		check(strlen(out) > 0 && strlen(out) <= strlen(path));
}

/* As the driver does it; 0: over. */
static int obey(struct tftp_machine *m, enum tftp_step step)
{
	check(m->out_len <= m->out_size);
	check(m->in.len <= MAX);
	check(m->blksize >= TFTP_BLOCK_MIN && m->blksize <= TFTP_BLOCK_MAX);
	switch (step) {
	case TFTP_PLAIN:
		check(!m->plain);
		tftp_machine_plain(m);
		check(m->out_len > 0);
		return 1;
	case TFTP_FAIL:
		check(m->err != PEAL_OK);
		return 0;
	case TFTP_DONE:
		check(m->err == PEAL_OK && m->final && m->begun);
		return 0;
	case TFTP_SEND:
	case TFTP_REPEAT:
		check(m->out_len >= TFTP_HEADER && m->begun);
		return 1;
	default:
		return 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned char body[3000];
	struct tftp_options asked = { .blksize = 1428, .timeout_s = 5 };
	struct tftp_plan plan = { .name = "f", .max = MAX };
	struct tftp_machine m;
	unsigned char *packet;
	size_t n;
	int on = 1, mode;

	if (size < 1)
		return 0;
	mode = data[0];
	data++;
	size--;
	if (mode & NAME) {
		name(data, size);
		return 0;
	}
	asked.blksize = mode & SMALL ? 16 : 1428;
	plan.asked = mode & PLAIN ? NULL : &asked;
	plan.body = mode & UPLOAD ? body : NULL;
	plan.body_len = mode & UPLOAD ? sizeof(body) : 0;
	check(tftp_machine_init(&m, &plan) == PEAL_OK);
	while (on && size > 2) {
		n = (size_t)data[0] << 8 | data[1];
		data += 2;
		size -= 2;
		n = n > size ? size : n;
		n = n > tftp_machine_room(&m) ? tftp_machine_room(&m) : n;
		packet = malloc(n); /* so that reading past it is seen */
		memcpy(packet, data, n);
		on = obey(&m, tftp_machine_input(&m, packet, n));
		free(packet);
		data += n;
		size -= n;
	}
	tftp_machine_fini(&m);
	return 0;
}
