/* tftp_packet_test.c - packets, and the state machine without a network. */
#include "fetch/tftp_machine.h"
#include "fetch/tftp_packet.h"
#include "peal/tftp.h"
#include "test.h"

static const struct tftp_options usual = { .blksize = 1428, .timeout_s = 5 };

static void to_hex(const unsigned char *p, size_t n, char *out)
{
	size_t i;

	for (i = 0; i < n; i++)
		snprintf(out + 2 * i, 3, "%02x", p[i]);
	out[2 * n] = '\0';
}

/* A literal with its NULs, without the one C adds. */
#define BYTES(text) (const unsigned char *)(text), sizeof(text) - 1

static void check_hex(const unsigned char *p, size_t n, const char *wanted)
{
	char hex[4096];

	REQUIRE(n < sizeof(hex) / 2);
	to_hex(p, n, hex);
	CHECK_STR(hex, wanted);
}

static void builds_requests(void)
{
	struct tftp_options asked = usual;
	unsigned char out[TFTP_REQUEST_MAX];
	size_t n;

	n = tftp_packet_request(out, sizeof(out), TFTP_RRQ, "basic.txt", NULL);
	check_hex(out, n, "000162617369632e747874006f6374657400");
	asked.has_tsize = 1;
	n = tftp_packet_request(out, sizeof(out), TFTP_RRQ, "basic.txt",
				&asked);
	CHECK_INT(n, 49);
	check_hex(out, n,
		  "000162617369632e747874006f63746574007473697a65003000"
		  "626c6b73697a6500313432380074696d656f7574003500");
	asked.tsize = 100;
	n = tftp_packet_request(out, sizeof(out), TFTP_WRQ, "r", &asked);
	check_hex(out, n,
		  "000272006f63746574007473697a650031303000"
		  "626c6b73697a6500313432380074696d656f7574003500");
}

static void refuses_what_does_not_fit(void)
{
	char name[TFTP_NAME_MAX + 2];
	unsigned char out[TFTP_REQUEST_MAX];
	size_t n, size;

	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	CHECK_INT(tftp_packet_request(out, sizeof(out), TFTP_RRQ, name, &usual),
		  0);
	n = tftp_packet_request(out, sizeof(out), TFTP_RRQ, "name", &usual);
	for (size = 0; size < n; size++)
		CHECK_INT(tftp_packet_request(out, size, TFTP_RRQ, "name",
					      &usual),
			  0);
	CHECK_INT(tftp_packet_error(out, 8, TFTP_ILLEGAL, "long text"), 0);
	CHECK_INT(tftp_packet_error(out, 3, TFTP_ILLEGAL, ""), 0);
}

static void parses_what_servers_send(void)
{
	struct tftp_packet p;

	CHECK(tftp_packet_parse(BYTES("\0\3\0\7abc"), &p));
	CHECK_INT(p.op, TFTP_DATA);
	CHECK_INT(p.block, 7);
	CHECK_MEM(p.bytes, p.len, "abc", 3);
	CHECK(tftp_packet_parse(BYTES("\0\4\xff\xff"), &p));
	CHECK_INT(p.op, TFTP_ACK);
	CHECK_INT(p.block, 65535);
	CHECK(tftp_packet_parse(BYTES("\0\5\0\1File not found\0"), &p));
	CHECK_INT(p.op, TFTP_ERROR);
	CHECK_INT(p.code, 1);
	CHECK_STR(p.text, "File not found");
	CHECK(tftp_packet_parse(BYTES("\0\5\0\2"), &p));
	CHECK_STR(p.text, "");
	CHECK(tftp_packet_parse(BYTES("\0\5\0\2no end"), &p));
	CHECK_STR(p.text, "no end");

	CHECK(!tftp_packet_parse(BYTES(""), &p));
	CHECK(!tftp_packet_parse(BYTES("\0"), &p));
	CHECK(!tftp_packet_parse(BYTES("\0\3\0"), &p));
	CHECK(!tftp_packet_parse(BYTES("\0\5\0"), &p));
	CHECK(!tftp_packet_parse(BYTES("\0\1a\0octet\0"), &p));
	CHECK(!tftp_packet_parse(BYTES("\0\2a\0octet\0"), &p));
	CHECK(!tftp_packet_parse(BYTES("\0\7\0\0"), &p));
	CHECK(!tftp_packet_parse(BYTES("\1\3\0\1x"), &p));
}

static void makes_texts_fit_for_a_log(void)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "two\r\nlines", "two??lines" },
		{ "\033[2J\007bell\177", "?[2J?bell?" },
		{ "nicht gefunden: \303\244", "nicht gefunden: \303\244" },
		{ "Latin \344 1", "Latin ? 1" },
		{ "C1 \302\233 control", "C1 ?? control" },
		{ "overlong \300\257", "overlong ??" },
		{ "surrogate \355\240\200", "surrogate ???" },
		{ "cut \342\202", "cut ??" },
		{ "euro \342\202\254", "euro \342\202\254" },
	};
	unsigned char in[512];
	struct tftp_packet p;
	size_t i, n;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		n = tftp_packet_error(in, sizeof(in), TFTP_UNDEFINED,
				      rows[i].in);
		CHECK(tftp_packet_parse(in, n, &p));
		CHECK_STR(p.text, rows[i].out);
	}
	/* a long text ends with a whole character */
	memset(in, 0, sizeof(in));
	memcpy(in, "\0\5\0\0x", 5);
	for (i = 5; i + 1 < 300; i += 2)
		memcpy(in + i, "\303\244", 2);
	CHECK(tftp_packet_parse(in, 300, &p));
	CHECK_INT(strlen(p.text), TFTP_TEXT - 1);
	CHECK_STR(p.text + TFTP_TEXT - 3, "\303\244");
}

#define OACK(text) BYTES("\0\6" text)

static enum peal_err options(const unsigned char *bytes, size_t len,
			     struct tftp_options *out)
{
	struct tftp_options asked = usual;
	struct peal_reason reason;
	struct tftp_packet p;

	asked.has_tsize = 1;
	REQUIRE(tftp_packet_parse(bytes, len, &p));
	peal_reason_clear(&reason);
	return tftp_packet_options(&p, &asked, out, &reason);
}

static void takes_granted_options(void)
{
	struct tftp_options o;

	CHECK_ERR(options(OACK("tsize\00059\0blksize\0001428\0"), &o), PEAL_OK);
	CHECK_INT(o.blksize, 1428);
	CHECK_INT(o.tsize, 59);
	CHECK_INT(o.has_tsize, 1);
	CHECK_INT(o.timeout_s, 0);
	CHECK_ERR(options(OACK("BLKSIZE\0008\0TimeOut\0005\0"), &o), PEAL_OK);
	CHECK_INT(o.blksize, 8);
	CHECK_INT(o.timeout_s, 5);
	CHECK_ERR(options(OACK(""), &o), PEAL_OK);
	CHECK_INT(o.blksize, 0);
}

static void refuses_options_that_lie(void)
{
	static const struct {
		const char *why, *text;
		size_t len;
	} rows[] = {
#define ROW(why, text) { why, "\0\6" text, sizeof(text) + 1 }
		ROW("larger than asked", "blksize\0001429\0"),
		ROW("below the least", "blksize\0007\0"),
		ROW("zero", "blksize\0000\0"),
		ROW("wraps to 1428", "blksize\00018446744073709553044\0"),
		ROW("wraps 32 bits", "blksize\0004294968724\0"),
		ROW("a sign", "blksize\000+512\0"),
		ROW("negative", "blksize\000-1\0"),
		ROW("a blank", "blksize\000 512\0"),
		ROW("text", "blksize\000many\0"),
		ROW("no value", "blksize\0\0"),
		ROW("not asked", "windowsize\00016\0"),
		ROW("no name", "\0\0"),
		ROW("twice", "blksize\000512\0blksize\000512\0"),
		ROW("tsize twice", "tsize\0001\0tsize\0001\0"),
		ROW("a longer wait", "timeout\0006\0"),
		ROW("no wait", "timeout\0000\0"),
		ROW("no NUL", "blksize\000512"),
		ROW("no value text", "blksize\0"),
		ROW("rubbish", "\377\377\377\377"),
#undef ROW
	};
	struct tftp_options o;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (!CHECK_ERR(options((const unsigned char *)rows[i].text,
				       rows[i].len, &o),
			       PEAL_EBADOPT))
			fprintf(stderr, "\t%s\n", rows[i].why);
}

/* --- the machine ------------------------------------------------------- */

static struct tftp_machine machine(const char *body, size_t max)
{
	struct tftp_machine m;
	struct tftp_plan plan = {
		.name = "f",
		.body = (const unsigned char *)body,
		.body_len = body ? strlen(body) : 0,
		.max = max,
		.asked = &usual,
	};

	REQUIRE(tftp_machine_init(&m, &plan) == PEAL_OK);
	return m;
}

static void answers_as_the_documents_say(void)
{
	struct tftp_machine m = machine(NULL, 1000);

	CHECK_INT(tftp_machine_input(&m, OACK("tsize\00059\0"
					      "blksize\0001428\0")),
		  TFTP_SEND);
	check_hex(m.out, m.out_len, "00040000");
	CHECK_INT(tftp_machine_input(&m, OACK("tsize\00059\0")), TFTP_REPEAT);
	CHECK_INT(tftp_machine_input(&m, BYTES("\0\3\0\1short")), TFTP_DONE);
	check_hex(m.out, m.out_len, "00040001");
	CHECK_MEM(m.in.data, m.in.len, "short", 5);
	tftp_machine_fini(&m);
}

static void holds_strange_first_answers_for_none(void)
{
	struct tftp_machine m = machine(NULL, 1000), w = machine("x", 0);

	CHECK_INT(tftp_machine_input(&m, BYTES("")), TFTP_IGNORE);
	CHECK_INT(tftp_machine_input(&m, BYTES("\0\3\0\2late")), TFTP_IGNORE);
	CHECK_INT(tftp_machine_input(&m, BYTES("\0\3\0\0zero")), TFTP_IGNORE);
	CHECK_INT(tftp_machine_input(&m, BYTES("\0\4\0\0")), TFTP_IGNORE);
	CHECK_INT(tftp_machine_input(&m, BYTES("\0\1f\0octet\0")), TFTP_IGNORE);
	CHECK_INT(m.begun, 0);
	CHECK_INT(tftp_machine_input(&w, BYTES("\0\4\0\1")), TFTP_IGNORE);
	CHECK_INT(tftp_machine_input(&w, BYTES("\0\3\0\1x")), TFTP_IGNORE);
	CHECK_INT(w.begun, 0);
	tftp_machine_fini(&m);
	tftp_machine_fini(&w);
}

static void stops_at_the_maximum(void)
{
	struct tftp_machine m = machine(NULL, 4);

	CHECK_INT(tftp_machine_input(&m, BYTES("\0\3\0\1four!")), TFTP_FAIL);
	CHECK_ERR(m.err, PEAL_ETOOBIG);
	CHECK_INT(m.out[3], TFTP_DISK_FULL);
	tftp_machine_fini(&m);
	m = machine(NULL, 4);
	CHECK_INT(tftp_machine_input(&m, BYTES("\0\3\0\1four")), TFTP_DONE);
	CHECK_INT(m.in.len, 4);
	tftp_machine_fini(&m);
	m = machine(NULL, 58);
	CHECK_INT(tftp_machine_input(&m, OACK("tsize\00059\0")), TFTP_FAIL);
	CHECK_ERR(m.err, PEAL_ETOOBIG);
	CHECK_INT(m.out[3], TFTP_DISK_FULL);
	tftp_machine_fini(&m);
}

static void decodes_names_once(void)
{
	static const struct {
		const char *path, *name; /* NULL: refused */
	} rows[] = {
		{ "/basic.txt", "basic.txt" },
		{ "//abs/f", "/abs/f" },
		{ "/a%20b", "a b" },
		{ "/cisco/config/CP-8841-3PCC.cfg",
		  "cisco/config/CP-8841-3PCC.cfg" },
		{ "/f?x=1&y", "f?x=1&y" },
		{ "/%2541", "%41" },
		{ "/%2f%2F", "//" },
		{ "/%c3%A4", "\303\244" },
		{ "f", "f" },
		{ "", NULL },
		{ "/", NULL },
		{ "/a%00b", NULL },
		{ "/%", NULL },
		{ "/%4", NULL },
		{ "/%zz", NULL },
		{ "/%4g", NULL },
		{ "/%-1", NULL },
	};
	char out[64];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (!rows[i].name) {
			CHECK_ERR(peal_tftp_name(rows[i].path, out, 64),
				  PEAL_EBADOP);
			continue;
		}
		CHECK_ERR(peal_tftp_name(rows[i].path, out, 64), PEAL_OK);
		CHECK_STR(out, rows[i].name);
	}
	CHECK_ERR(peal_tftp_name("/abc", out, 4), PEAL_OK);
	CHECK_ERR(peal_tftp_name("/abcd", out, 4), PEAL_ELIMIT);
}

TEST_MAIN({ "builds requests", builds_requests },
	  { "refuses what does not fit", refuses_what_does_not_fit },
	  { "parses what servers send", parses_what_servers_send },
	  { "makes texts fit for a log", makes_texts_fit_for_a_log },
	  { "takes granted options", takes_granted_options },
	  { "refuses options that lie", refuses_options_that_lie },
	  { "answers as the documents say", answers_as_the_documents_say },
	  { "holds strange first answers for none",
	    holds_strange_first_answers_for_none },
	  { "stops at the maximum", stops_at_the_maximum },
	  { "decodes names once", decodes_names_once })
