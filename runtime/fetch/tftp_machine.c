/* tftp_machine.c - see tftp_machine.h */
#include "fetch/tftp_machine.h"

#include <string.h>

#include "peal/alloc.h"

/* A server that sends a block again is answered, but not for ever: two
 * parties that answer each repeat double every packet ("sorcerer's
 * apprentice", RFC 1123, 4.2.3.1). The driver's own repeats go on. Our
 * choice. */
enum { REPEATS = 16 };

static size_t largest(const struct tftp_machine *m)
{
	size_t n = m->asked.blksize > TFTP_BLOCK ? m->asked.blksize :
						   TFTP_BLOCK;

	return TFTP_HEADER + n;
}

size_t tftp_machine_room(const struct tftp_machine *m)
{
	return largest(m) + 1;
}

static enum peal_err request(struct tftp_machine *m)
{
	m->out_len = tftp_packet_request(m->out, m->out_size,
					 m->body ? TFTP_WRQ : TFTP_RRQ, m->name,
					 m->plain ? NULL : &m->asked);
	return m->out_len ? PEAL_OK : PEAL_EBADOP;
}

enum peal_err tftp_machine_init(struct tftp_machine *m,
				const struct tftp_plan *plan)
{
	memset(m, 0, sizeof(*m));
	peal_reason_clear(&m->reason);
	m->code = -1;
	m->blksize = TFTP_BLOCK;
	m->body = plan->body;
	m->body_len = plan->body_len;
	m->plain = !plan->asked;
	if (plan->asked) {
		m->asked = *plan->asked;
		m->asked.has_tsize = 1;
		m->asked.tsize = plan->body ? plan->body_len : 0;
	}
	m->sink = plan->sink;
	m->sink_arg = plan->sink_arg;
	peal_buf_init(&m->in, plan->max);
	if (!*plan->name)
		return PEAL_EBADOP;

	m->out_size = TFTP_REQUEST_MAX;
	if (m->body && largest(m) > m->out_size)
		m->out_size = largest(m);
	m->name = peal_strdup(plan->name);
	m->out = peal_alloc(m->out_size);
	if (!m->name || !m->out)
		return PEAL_ENOMEM;
	return request(m);
}

void tftp_machine_fini(struct tftp_machine *m)
{
	peal_buf_fini_secret(&m->in);
	if (m->out)
		peal_wipe(m->out, m->out_size);
	peal_free(m->out);
	peal_free(m->name);
	m->out = NULL;
	m->name = NULL;
}

void tftp_machine_plain(struct tftp_machine *m)
{
	m->plain = 1;
	m->begun = 0;
	m->repeats = 0;
	m->code = -1;
	m->text[0] = '\0';
	request(m); /* shorter than the one that fitted */
}

/* End it, with an ERROR to the server. */
static enum tftp_step refuse(struct tftp_machine *m, enum peal_err err,
			     enum tftp_code code, const char *text)
{
	m->err = err;
	if (!m->reason.text[0])
		peal_fail(&m->reason, err, "%s", text);
	m->out_len = tftp_packet_error(m->out, m->out_size, code, text);
	return TFTP_FAIL;
}

static enum tftp_step send_ack(struct tftp_machine *m)
{
	m->out_len = tftp_packet_block(m->out, TFTP_ACK, (uint16_t)m->blocks);
	m->repeats = 0;
	return m->final ? TFTP_DONE : TFTP_SEND;
}

/* The next block of the body; the last one is shorter than a full block, and
 * may be empty. */
static enum tftp_step send_data(struct tftp_machine *m)
{
	size_t done = (size_t)m->blocks * m->blksize;
	size_t n = m->body_len - done;

	if (n > m->blksize)
		n = m->blksize;
	m->final = n < m->blksize;
	m->blocks++;
	tftp_packet_block(m->out, TFTP_DATA, (uint16_t)m->blocks);
	memcpy(m->out + TFTP_HEADER, m->body + done, n);
	m->out_len = TFTP_HEADER + n;
	return TFTP_SEND;
}

static enum tftp_step repeat(struct tftp_machine *m)
{
	if (m->repeats >= REPEATS)
		return TFTP_IGNORE;
	m->repeats++;
	return TFTP_REPEAT;
}

/* Its refusal goes to the server in the words of the protocol. */
static enum tftp_step not_taken(struct tftp_machine *m, enum peal_err err)
{
	switch (err) {
	case PEAL_ETOOBIG:
		return refuse(m, err, TFTP_DISK_FULL, "file too large");
	case PEAL_ENOMEM:
		return refuse(m, err, TFTP_UNDEFINED, "out of memory");
	case PEAL_ENOSPC:
		return refuse(m, err, TFTP_DISK_FULL, peal_err_text(err));
	default:
		return refuse(m, err, TFTP_UNDEFINED, peal_err_text(err));
	}
}

/* Twice what there is, up to the maximum, so that a file of any size is
 * copied a few times only. */
static enum peal_err store(struct tftp_machine *m, const unsigned char *bytes,
			   size_t len)
{
	struct peal_buf *b = &m->in;
	size_t want = b->len > len ? b->len : len;
	enum peal_err err;

	if (len > b->max - m->received)
		return PEAL_ETOOBIG;
	if (m->sink)
		return len ? m->sink(bytes, len, m->sink_arg) : PEAL_OK;
	if (want > b->max - b->len)
		want = b->max - b->len;
	if (len > b->cap - b->len) {
		err = peal_buf_reserve(b, want);
		if (err)
			return err;
	}
	return peal_buf_add(b, bytes, len);
}

static enum tftp_step take_block(struct tftp_machine *m,
				 const struct tftp_packet *p)
{
	enum peal_err err;

	if (p->len > m->blksize)
		return refuse(m, PEAL_EBADOP, TFTP_ILLEGAL,
			      "block larger than agreed");
	err = store(m, p->bytes, p->len);
	if (err)
		return not_taken(m, err);
	m->received += p->len;
	m->blocks++;
	m->final = p->len < m->blksize;
	return send_ack(m);
}

static enum tftp_step on_data(struct tftp_machine *m,
			      const struct tftp_packet *p)
{
	if (m->body)
		return m->begun ? refuse(m, PEAL_EBADOP, TFTP_ILLEGAL,
					 "data in an upload") :
				  TFTP_IGNORE;
	/* block 1 as the first answer: the server knows no options */
	if (p->block == (uint16_t)(m->blocks + 1)) {
		m->begun = 1;
		return take_block(m, p);
	}
	if (m->blocks && p->block == (uint16_t)m->blocks)
		return repeat(m);
	return TFTP_IGNORE;
}

static enum tftp_step on_ack(struct tftp_machine *m,
			     const struct tftp_packet *p)
{
	if (!m->body)
		return m->begun ? refuse(m, PEAL_EBADOP, TFTP_ILLEGAL,
					 "acknowledgement in a download") :
				  TFTP_IGNORE;
	/* one block a number: an acknowledgement that comes twice is not
	 * answered, or each block would go out twice from then on */
	if (p->block != (uint16_t)m->blocks)
		return TFTP_IGNORE;
	m->begun = 1;
	if (m->final) {
		m->out_len = 0;
		return TFTP_DONE;
	}
	return send_data(m);
}

static enum tftp_step on_oack(struct tftp_machine *m,
			      const struct tftp_packet *p)
{
	static const struct tftp_options none;
	enum peal_err err;

	if (m->begun)
		return !m->body && !m->blocks ? repeat(m) : TFTP_IGNORE;
	m->begun = 1;
	err = tftp_packet_options(p, m->plain ? &none : &m->asked, &m->granted,
				  &m->reason);
	if (err)
		return refuse(m, err, TFTP_BAD_OPTION, "option not acceptable");
	if (!m->body && m->granted.has_tsize && m->granted.tsize > m->in.max)
		return refuse(m, PEAL_ETOOBIG, TFTP_DISK_FULL,
			      "file too large");
	if (m->granted.blksize)
		m->blksize = m->granted.blksize;
	return m->body ? send_data(m) : send_ack(m);
}

static enum peal_err error_of(unsigned code)
{
	switch (code) {
	case TFTP_NOT_FOUND:
		return PEAL_EFNF;
	case TFTP_ACCESS:
		return PEAL_EACCESS;
	case TFTP_DISK_FULL:
		return PEAL_EDISKFULL;
	case TFTP_BAD_OPTION:
		return PEAL_EBADOPT;
	default:
		return PEAL_EBADOP;
	}
}

static enum tftp_step on_error(struct tftp_machine *m,
			       const struct tftp_packet *p)
{
	/* servers older than RFC 2347 answer 4 to what they do not know */
	if (!m->begun && !m->plain &&
	    (p->code == TFTP_BAD_OPTION || p->code == TFTP_ILLEGAL))
		return TFTP_PLAIN;
	m->begun = 1;
	m->code = (int)p->code;
	memcpy(m->text, p->text, sizeof(m->text));
	m->err = error_of(p->code);
	peal_fail(&m->reason, m->err, "%s (TFTP error %u)",
		  m->text[0] ? m->text : peal_err_text(m->err), p->code);
	m->out_len = 0; /* an ERROR is not answered */
	return TFTP_FAIL;
}

enum tftp_step tftp_machine_input(struct tftp_machine *m,
				  const unsigned char *bytes, size_t len)
{
	struct tftp_packet p;

	if (!tftp_packet_parse(bytes, len, &p))
		return m->begun ? refuse(m, PEAL_EBADOP, TFTP_ILLEGAL,
					 "malformed packet") :
				  TFTP_IGNORE;
	switch (p.op) {
	case TFTP_DATA:
		return on_data(m, &p);
	case TFTP_ACK:
		return on_ack(m, &p);
	case TFTP_OACK:
		return on_oack(m, &p);
	default:
		return on_error(m, &p);
	}
}
