/* profile_test.c - the XML parser: what comes out, what is refused. */
#include "peal/profile.h"

#include "alloc_fail.h"
#include "peal/limits.h"
#include "profile/memory.h"
#include "test.h"

/* What came out, as text: name, attributes in [], value, line. */
struct seen {
	char text[4096];
	size_t len;
	unsigned n;
	struct peal_element last;
	enum peal_err answer; /* of the sink */
};

static void add(struct seen *s, const char *text, size_t len)
{
	if (len > sizeof(s->text) - 1 - s->len)
		len = sizeof(s->text) - 1 - s->len;
	memcpy(s->text + s->len, text, len);
	s->len += len;
	s->text[s->len] = '\0';
}

static enum peal_err sink(const struct peal_element *e, void *arg)
{
	static const char letters[] = "qpubct"; /* of the flags */
	static const char *const uas[] = { "na", "ro", "rw", "" };
	struct seen *s = arg;
	char text[64];
	unsigned i;

	s->n++;
	s->last = *e;
	add(s, e->name, e->name_len);
	add(s, "[", 1);
	add(s, uas[e->ua], strlen(uas[e->ua]));
	for (i = 0; i < 6; i++)
		if (e->flags & 1u << i)
			add(s, letters + i, 1);
	add(s, "]", 1);
	add(s, e->value, e->value_len < 80 ? e->value_len : 80);
	snprintf(text, sizeof(text), "@%ld;", e->line);
	add(s, text, strlen(text));
	return s->answer;
}

/* piece 0: all at once */
static enum peal_err parse(const char *xml, size_t len, size_t piece,
			   const struct peal_alias *aliases, unsigned n,
			   struct seen *s, struct peal_reason *r)
{
	struct peal_profile *p;
	enum peal_err err, again;
	size_t at, now;

	memset(s, 0, sizeof(*s));
	peal_reason_clear(r);
	err = peal_profile_new(&p, aliases, n, sink, s);
	if (err)
		return err;
	for (at = 0; at < len && !err; at += now) {
		now = piece && piece < len - at ? piece : len - at;
		err = peal_profile_feed(p, xml + at, now, r);
	}
	if (!err)
		err = peal_profile_finish(p, r);
	again = peal_profile_feed(p, "x", 1, NULL);
	if (err)
		CHECK_ERR(again, err); /* it sticks */
	peal_profile_free(p);
	return err;
}

struct example {
	const char *xml;
	const char *want; /* elements, or a piece of the reason */
	long line;        /* of the fault; 0: no fault */
	long byte;        /* of the fault, -1: not said */
};

static void check_pieces(const struct example *x)
{
	static const size_t pieces[] = { 0, 1, 2, 3, 7, 64 };
	struct peal_reason r;
	struct seen s;
	enum peal_err err;
	size_t i;

	for (i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		err = parse(x->xml, strlen(x->xml), pieces[i], NULL, 0, &s, &r);
		CHECK_ERR(err, x->line ? PEAL_ECORRUPT : PEAL_OK);
		if (!x->line) {
			CHECK_STR(s.text, x->want);
			continue;
		}
		if (!CHECK(strstr(r.text, x->want)))
			fprintf(stderr, "\t%s: %s\n", x->xml, r.text);
		if (!CHECK_INT(r.line, x->line))
			fprintf(stderr, "\t%s: %s\n", x->xml, r.text);
		if (x->byte >= 0 && !CHECK_INT(r.byte, x->byte))
			fprintf(stderr, "\t%s: %s\n", x->xml, r.text);
	}
}

static void check_all(const struct example *x, size_t n)
{
	for (; n; n--, x++)
		check_pieces(x);
}
#define CHECK_ALL(x) check_all(x, sizeof(x) / sizeof(*(x)))

#define F(x) "<flat-profile>" x "</flat-profile>"

static void reads_elements(void)
{
	static const struct example examples[] = {
		{ F("<GPP_A> 12345678\n </GPP_A>"), "GPP_A[]12345678@1;", 0,
		  0 },
		{ F("<Dial_Plan_1_>\n (S0 &lt;:18005551212&gt;)\n"
		    "</Dial_Plan_1_>"),
		  "Dial_Plan_1_[](S0 <:18005551212>)@1;", 0, 0 },
		{ F("<GPP_A>a\nb&#x2e;c&#40;</GPP_A>"), "GPP_A[]a b.c(@1;", 0,
		  0 },
		{ F("<A/><B ua=\"na\"></B><C> \n\t</C>"),
		  "A[]@1;B[na]@1;C[]@1;", 0, 0 },
		{ F("<S ua='rw'>\"\"</S><S ua=\"ro\"> \"\" </S>"),
		  "S[rwq]@1;S[roq]@1;", 0, 0 },
		{ F("<S ua='ro' preserve-value='y'>T A</S>"), "S[rop]T A@1;", 0,
		  0 },
		{ F("<S user-pref='y' um='y' group='x'>1</S>"), "S[u]1@1;", 0,
		  0 },
		{ F("<S ua='RW'>1</S><S ua='y'>2</S><S preserve-value='n'/>"),
		  "S[b]1@1;S[b]2@1;S[]@1;", 0, 0 },
		{ "<device a='b'><x>" F("<G>1</G>") "</x></device>", "G[]1@1;",
		  0, 0 },
		{ "<d xmlns:x='u' x:type='y'>" F("<G x:ua='rw'>1</G>") "</d>",
		  "G[]1@1;", 0, 0 },
		{ "<d xsi:type='undeclared'>" F("<G>1</G>") "</d>", "G[]1@1;",
		  0, 0 },
		{ "<a>" F("<A>1</A>") F("<B>2</B>") "<C>3</C></a>",
		  "A[]1@1;B[]2@1;", 0, 0 },
		{ F(F("<A>1</A>") "<B>2</B>"), "flat-profile[c]@1;B[]2@1;", 0,
		  0 },
		{ F("<A>1<B>2</B>3</A><C>4</C>"), "A[c]@1;C[]4@1;", 0, 0 },
		{ F("<A>a<!--x-->b<?pi d?>c</A>"), "A[]abc@1;", 0, 0 },
		{ F("<A><![CDATA[<x>&amp;]]]]><![CDATA[>]]></A>"),
		  "A[]<x>&amp;]]>@1;", 0, 0 },
		{ F("<p:A xmlns:p='u'>1</p:A>"), "p:A[]1@1;", 0, 0 },
		{ F("<A x='a>b' y=\"c'>\">1</A>"), "A[]1@1;", 0, 0 },
		{ F("<A>]] ></A><B>a > b</B>"), "A[]]] >@1;B[]a > b@1;", 0, 0 },
		{ "<?xml version='1.0' encoding='utf-8'?>\n<!-- c -->\n"
		  "<?xml-stylesheet href='x'?>\n" F("<A>1</A>") "\n<!-- e -->\n",
		  "A[]1@4;", 0, 0 },
		{ "<?xml version=\"1.0\" encoding=\"US-ASCII\"?>" F("<A>1</A>"),
		  "A[]1@1;", 0, 0 },
		{ "\xef\xbb\xbf<?xml version='1.0'?>" F("<A>\xc3\xa9</A>"),
		  "A[]\xc3\xa9@1;", 0, 0 },
		{ "\xef\xbb\xbf \n" F("<A>1</A>"), "A[]1@2;", 0, 0 },
		{ F(""), "", 0, 0 },
		{ "<flat-profile/>", "", 0, 0 },
		/* what the name rule and the writer have to live with */
		{ F("<A>\xf0\x9f\x93\x9e\xe2\x80\xae</A>"),
		  "A[]\xf0\x9f\x93\x9e\xe2\x80\xae@1;", 0, 0 },
		{ F("<A>%n%s$MA&lt;script&gt;</A>"), "A[]%n%s$MA<script>@1;", 0,
		  0 },
	};
	CHECK_ALL(examples);
}

static void turns_line_ends_into_blanks(void)
{
	static const struct example examples[] = {
		{ F("<A>a\r\nb\rc\nd</A>"), "A[]a b c d@1;", 0, 0 },
		{ F("<A>a&#13;&#10;b&#13;c&#10;d</A>"), "A[]a b c d@1;", 0, 0 },
		{ F("<A>a&#10;&#10;b</A>"), "A[]a  b@1;", 0, 0 },
		{ F("<A>a&#13;&#13;&#10;b</A>"), "A[]a  b@1;", 0, 0 },
		{ F("<A>a\tb\t</A>"), "A[]a\tb@1;", 0, 0 },
		{ F("<A>&#32;&#9;a&#32;</A>"), "A[]a@1;", 0, 0 },
		{ F("<A>a<!--\n\n-->\n</A>"), "A[]a@1;", 0, 0 },
	};
	CHECK_ALL(examples);
}

static void tells_the_line_of_the_start_tag(void)
{
	static const struct example examples[] = {
		{ "\r\n\r\n<flat-profile>\r\n<A>1</A>\r\n<B\r\n ua='rw'\r\n>x"
		  "\r\n</B><C/>\r\n</flat-profile>",
		  "A[]1@4;B[rw]x@5;C[]@8;", 0, 0 },
		{ "<flat-profile>\n<!-- \n\n --><A/>\n<B\n/></flat-profile>",
		  "A[]@4;B[]@5;", 0, 0 },
	};
	CHECK_ALL(examples);
}

static void refuses_what_is_no_profile(void)
{
	static const struct example examples[] = {
		{ F("<A>x&y</A>"), "&amp;", 1, -1 },
		{ F("<A>x & y</A>"), "&amp;", 1, -1 },
		{ F("<A>&x;</A>"), "&amp;", 1, -1 },
		{ "<!DOCTYPE f [<!ENTITY x SYSTEM \"f\">]>" F("<A>&x;</A>"),
		  "DOCTYPE", 1, 0 },
		{ "\n\n<!DOCTYPE f>" F(""), "DOCTYPE", 3, 2 },
		{ "<a/>", "<a> without a flat-profile", 0, -1 },
		{ "<Flat-Profile/>", "<Flat-Profile>", 0, -1 },
		{ "<p:flat-profile xmlns:p='u'/>", "without a flat-profile", 0,
		  -1 },
		{ "<flat-profile>\n<A>1</B></flat-profile>", "<A> of line 2", 2,
		  -1 },
		{ "<flat-profile>\n<A>1</A>\n", "ends inside <flat-profile>", 1,
		  -1 },
		{ "<flat-profile>\n<A>1", "ends inside <A>", 2, -1 },
		{ F("") "x", "follows", 1, -1 },
		{ F("") F(""), "follows", 1, -1 },
		{ F("<A b=c/>"), "attribute", 1, -1 },
		{ F("<A b='1' b='2'/>"), "twice", 1, -1 },
		{ F("<A b='<'/>"), "attribute", 1, -1 },
		{ F("<A>a]]>b</A>"), "]]>", 1, -1 },
		{ F("<A>&#0;</A>"), "character reference", 1, -1 },
		{ F("<A>&#xFFFE;</A>"), "character reference", 1, -1 },
		{ F("<A>\x01</A>"), "UTF-8", 1, 17 },
		{ F("\n<A>\xe9</A>"), "UTF-8", 2, 18 },
		{ F("<A>\xc0\xaf</A>"), "UTF-8", 1, 17 },
		{ F("<A>\xed\xa0\x80</A>"), "UTF-8", 1, 17 },
		{ F("<A>\xf4\x90\x80\x80</A>"), "UTF-8", 1, 17 },
		{ "<?xml version='1.0' encoding='ISO-8859-1'?>" F(""),
		  "encoding", 1, 30 },
		{ "<?xml version='1.0' encoding='UTF-7'?>" F(""), "encoding", 1,
		  30 },
		{ "<?xml version='1.0' encoding='UTF-16'?>" F(""), "encoding",
		  1, 30 },
		{ "<?xml version='1.0' encoding = \"cp037\" ?>" F(""),
		  "encoding", 1, -1 },
		{ "\n<?xml version='1.0'?>" F(""), "white space", 1, 0 },
		{ "<?xml version='1.0'", "not closed", 1, 0 },
		{ F("<!-- a -- b -->"), "hyphens", 1, -1 },
		{ F("<!-- a "), "", 1, -1 },
		{ F("<![CDATA[ a "), "", 1, -1 },
		{ F("<!ELEMENT a>"), "declaration", 1, -1 },
		{ "GPP_A \"x\";", "text that is not XML", 1, 0 },
		{ "\x30\x82\x01\x01\x02\x03", "binary", 1, 0 },
		{ "\x4c\x6f\xa7\x94", "not XML", 1, 0 }, /* EBCDIC */
		{ "\xff\xfe<", "UTF-16", 1, 0 },
		{ "+ADw-flat-profile+AD4-", "not XML", 1, 0 }, /* UTF-7 */
		{ "\x1f\x8b\x08", "gzip file inside", 1, 0 },
		{ "Salted__xxxx", "compress first, then encrypt", 1, 0 },
		{ "  \n ", "empty", 2, -1 },
		{ "<!DOCTYPE html>\n<html><body>Log in</body></html>", "HTML",
		  1, -1 },
		{ "<html><body><p>Log in<br></body></html>", "HTML", 1, -1 },
		{ "<HTML></HTML>", "HTML", 0, -1 },
		{ F("<A"), "", 1, -1 },
		{ F("<A></A"), "", 1, -1 },
		{ F("<A></A x='y'>"), "", 1, -1 },
		{ F("<1/>"), "", 1, -1 },
		{ F("<"), "", 1, -1 },
		{ F("<!"), "", 1, -1 },
	};
	struct example x;
	size_t i;

	for (i = 0; i < sizeof(examples) / sizeof(*examples); i++) {
		x = examples[i];
		if (x.line) {
			check_pieces(&x);
			continue;
		}
		/* a fault without a line */
		struct peal_reason r;
		struct seen s;

		CHECK_ERR(parse(x.xml, strlen(x.xml), 0, NULL, 0, &s, &r),
			  PEAL_ECORRUPT);
		CHECK(strstr(r.text, x.want));
	}
}

static void never_quotes_a_value(void)
{
	static const char *const bad[] = {
		F("<A>x&S3cret</A>"),  F("<A>x&S3cret;</A>"),
		F("<A b='S3cret<'/>"), F("<A>S3cret"),
		F("<A b=S3cret/>"),
	};
	struct peal_reason r;
	struct seen s;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		CHECK_ERR(parse(bad[i], strlen(bad[i]), 0, NULL, 0, &s, &r),
			  PEAL_ECORRUPT);
		CHECK(!strstr(r.text, "S3cret"));
	}
}

static void follows_aliases(void)
{
	static const struct peal_alias map[] = {
		{ "/CPE/SIP-Credentials/name", "Display_Name_1_" },
		{ "/auth-secret", "Password_1_" },
		{ "/name", "GPP_A" },
		{ "name", "GPP_B" }, /* same path: the first one wins */
		{ "/flat-profile/Old", "New" },
		{ "/outer", "GPP_C" },
		{ "/outer/inner", "GPP_D" },
	};
	static const struct example examples[] = {
		{ "<r><CPE><SIP-Credentials><name>J. Smith</name>"
		  "<auth-secret ua='ro'>73</auth-secret></SIP-Credentials>"
		  "</CPE></r>",
		  "Display_Name_1_[]J. Smith@1;Password_1_[ro]73@1;", 0, 0 },
		{ "<r><x><name>1</name></x>" F(
			  "<B>2</B><Old>3</Old>") "<name>4</name></r>",
		  "GPP_A[]1@1;B[]2@1;New[]3@1;GPP_A[]4@1;", 0, 0 },
		{ "<CPE><SIP-Credentials><x><name>1</name></x>"
		  "</SIP-Credentials></CPE>",
		  "GPP_A[]1@1;", 0, 0 },
		{ "<auth-secret>9</auth-secret>", "Password_1_[]9@1;", 0, 0 },
		{ "<r><outer>a<inner> b </inner>c</outer></r>",
		  "GPP_D[]b@1;GPP_C[c]@1;", 0, 0 },
	};
	struct peal_reason r;
	struct seen s;
	size_t i, piece;

	for (i = 0; i < sizeof(examples) / sizeof(*examples); i++)
		for (piece = 0; piece < 3; piece++) {
			CHECK_ERR(parse(examples[i].xml,
					strlen(examples[i].xml), piece, map, 7,
					&s, &r),
				  PEAL_OK);
			CHECK_STR(s.text, examples[i].want);
		}
	CHECK_ERR(parse("<r><nam/></r>", 13, 0, map, 7, &s, &r), PEAL_ECORRUPT);
}

/* A document made of one thing many times. */
struct maker {
	char *text;
	size_t len, cap;
};

static void put(struct maker *m, const char *text, size_t times)
{
	size_t len = strlen(text);

	if (m->len + len * times + 1 > m->cap) {
		m->cap = m->len + len * times + 4096;
		m->text = realloc(m->text, m->cap);
		REQUIRE(m->text);
	}
	for (; times; times--) {
		memcpy(m->text + m->len, text, len);
		m->len += len;
	}
	m->text[m->len] = '\0';
}

static void keeps_long_things(void)
{
	struct maker m = { 0 };
	struct peal_reason r;
	struct seen s;
	size_t i;
	static const struct {
		const char *open, *fill, *close;
		size_t times;
		const char *want;
	} rows[] = {
		{ "<A>1<!--", "comment \n", "-->2</A>\n<B/>", 20000,
		  "A[]12@2;B[]@20003;" },
		{ "<A>1<!--", "\xe2\x82\xac", "-->2</A><B/>", 40000,
		  "A[]12@2;B[]@2;" },
		{ "<?pi ", "? > \n", "?><A/>", 30000, "A[]@30002;" },
		{ "<A>", " \r\n", "x</A><B/>", 30000, "A[]x@2;B[]@30002;" },
		{ "<A>x", "\r\n ", "</A><B/>", 30000, "A[]x@2;B[]@30002;" },
		{ "<A><![CDATA[", "\n", "x]]></A><B/>", 70000,
		  "A[]x@2;B[]@70002;" },
		{ "\n", "<!---->", "<A>1</A>", 9000, "A[]1@3;" },
		{ "<A x='", "a>", "'>1</A>", 8000, "A[]1@2;" },
		{ "", "\n", "<A/>", 70000, "A[]@70002;" },
	};

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		m.len = 0;
		put(&m, "\n<flat-profile>", 1);
		put(&m, rows[i].open, 1);
		put(&m, rows[i].fill, rows[i].times);
		put(&m, rows[i].close, 1);
		put(&m, "</flat-profile>", 1);
		CHECK_ERR(parse(m.text, m.len, 0, NULL, 0, &s, &r), PEAL_OK);
		CHECK_STR(s.text, rows[i].want);
		CHECK_ERR(parse(m.text, m.len, 1, NULL, 0, &s, &r), PEAL_OK);
		CHECK_STR(s.text, rows[i].want);
	}
	free(m.text);
}

/* Values and the document are looked at many bytes at a time: what is special
 * is seen at every place of them. */
static void sees_every_byte(void)
{
	static const char begin[] = "<flat-profile><A>";
	const size_t from = sizeof(begin) - 1;
	struct peal_reason r;
	char xml[256], want[256];
	struct seen s;
	size_t len, at;

	for (len = 1; len <= 150; len += len < 40 ? 1 : 55) {
		for (at = 0; at < len; at++) {
			snprintf(xml, sizeof(xml),
				 "%s.%0*d.</A></flat-profile>", begin, (int)len,
				 0);
			xml[from + 1 + at] = '\n';
			snprintf(want, sizeof(want), ".%0*d.", (int)len, 0);
			want[1 + at] = ' ';
			CHECK_ERR(parse(xml, strlen(xml), 0, NULL, 0, &s, &r),
				  PEAL_OK);
			CHECK_INT(s.last.value_len, len + 2);
			CHECK(strncmp(s.text + 3, want,
				      len < 78 ? len + 2 : 80) == 0);
			xml[from + 1 + at] = '\xff';
			CHECK_ERR(parse(xml, strlen(xml), 0, NULL, 0, &s, &r),
				  PEAL_ECORRUPT);
			CHECK_INT(r.byte, from + 1 + at);
		}
	}
}

static void cuts_long_values(void)
{
	struct maker m = { 0 };
	struct peal_reason r;
	struct seen s;

	put(&m, "<flat-profile><A>", 1);
	put(&m, "x", PEAL_LIMIT_VALUE);
	put(&m, " \n", 100);
	put(&m, "</A></flat-profile>", 1);
	CHECK_ERR(parse(m.text, m.len, 0, NULL, 0, &s, &r), PEAL_OK);
	CHECK_INT(s.last.value_len, PEAL_LIMIT_VALUE);
	CHECK_INT(s.last.flags, 0);

	m.len = 0;
	put(&m, "<flat-profile><A>x", 1);
	put(&m, "\xe2\x82\xac", PEAL_LIMIT_VALUE / 3 + 1);
	put(&m, "</A><B>1</B></flat-profile>", 1);
	CHECK_ERR(parse(m.text, m.len, 0, NULL, 0, &s, &r), PEAL_OK);
	CHECK_INT(s.n, 2);
	CHECK(strstr(s.text, "A[t]x"));
	CHECK(strstr(s.text, "B[]1"));

	m.len = 0;
	put(&m, "<flat-profile><A>", 1);
	put(&m, "x", PEAL_LIMIT_VALUE);
	put(&m, " y</A></flat-profile>", 1);
	CHECK_ERR(parse(m.text, m.len, 0, NULL, 0, &s, &r), PEAL_OK);
	CHECK_INT(s.last.flags, PEAL_ELEMENT_TOO_LONG);
	free(m.text);
}

/* What libxml2 and we take beyond the document itself. */
enum { MEMORY_MAX = 6 << 20 };

static void check_bomb(struct maker *m, enum peal_err want, const char *why)
{
	struct alloc_fail a;
	struct peal_reason r;
	struct seen s;

	alloc_fail_begin(&a, 0, 0);
	CHECK_ERR(parse(m->text, m->len, 0, NULL, 0, &s, &r), want);
	alloc_fail_end(&a);
	if (!CHECK(strstr(r.text, why)))
		fprintf(stderr, "\t%s\n", r.text);
	CHECK_INT(a.live, 0);
	if (!CHECK(a.peak < MEMORY_MAX))
		fprintf(stderr, "\t%s: %ld bytes\n", why, a.peak);
	m->len = 0;
}

static void refuses_bombs(void)
{
	struct maker m = { 0 };
	size_t i;
	char text[64];

	put(&m, "<flat-profile><A ", 1);
	for (i = 0; i < 50000; i++) {
		snprintf(text, sizeof(text), "a%zu='' ", i);
		put(&m, text, 1);
	}
	put(&m, "/></flat-profile>", 1);
	check_bomb(&m, PEAL_ECORRUPT, "a start tag is too long");

	put(&m, "<flat-profile><A ", 1);
	for (i = 0; i < 65; i++) {
		snprintf(text, sizeof(text), "a%zu='' ", i);
		put(&m, text, 1);
	}
	put(&m, "/></flat-profile>", 1);
	check_bomb(&m, PEAL_ECORRUPT, "too many attributes");

	put(&m, "<flat-profile><A ", 1);
	for (i = 0; i < 64; i++) {
		snprintf(text, sizeof(text), "a%zu='' ", i);
		put(&m, text, 1);
	}
	put(&m, "/></flat-profile>", 1);
	check_bomb(&m, PEAL_OK, "");

	put(&m, "<a>", 300);
	check_bomb(&m, PEAL_ECORRUPT, "nested too deep");

	put(&m, "<flat-profile>", 1);
	put(&m, "<a/>", 250000);
	put(&m, "</flat-profile>", 1);
	check_bomb(&m, PEAL_ECORRUPT, "too many elements");

	put(&m, "<flat-profile><A>", 1);
	put(&m, "0123456789", 1100000);
	put(&m, "</A></flat-profile>", 1);
	check_bomb(&m, PEAL_OK, "");

	put(&m, "<flat-profile><A>", 1);
	put(&m, "0123456789", 1800000);
	put(&m, "</A></flat-profile>", 1);
	check_bomb(&m, PEAL_ETOOBIG, "too big");

	put(&m, "<flat-profile><A>&", 1);
	put(&m, "a", 9000000);
	check_bomb(&m, PEAL_ECORRUPT, "");

	put(&m, "<flat-profile><", 1);
	put(&m, "a", 9000000);
	check_bomb(&m, PEAL_ECORRUPT, "too long");

	put(&m, "<flat-profile><A b='", 1);
	put(&m, "a", 9000000);
	check_bomb(&m, PEAL_ECORRUPT, "too long");

	put(&m, "<flat-profile></", 1);
	put(&m, "a", 9000000);
	check_bomb(&m, PEAL_ECORRUPT, "too long");

	put(&m, "<?xml ", 1);
	put(&m, "a", 9000000);
	check_bomb(&m, PEAL_ECORRUPT, "not closed");

	put(&m, " ", 9000000);
	check_bomb(&m, PEAL_ECORRUPT, "");

	put(&m, "<flat-profile><!--", 1);
	put(&m, "a", 9000000);
	check_bomb(&m, PEAL_ECORRUPT, "");

	put(&m, "<flat-profile><![CDATA[", 1);
	put(&m, "]", 9000000);
	check_bomb(&m, PEAL_ECORRUPT, "");

	/* as many different names as fit */
	put(&m, "<flat-profile>", 1);
	for (i = 0; i < 1000; i++) {
		put(&m, "<", 1);
		put(&m, "n", 15000);
		snprintf(text, sizeof(text), "%zu/>", i);
		put(&m, text, 1);
	}
	check_bomb(&m, PEAL_ECORRUPT, "");

	put(&m, "<!DOCTYPE l [<!ENTITY a '0123456789'>", 1);
	for (i = 1; i < 10; i++) {
		snprintf(text, sizeof(text), "<!ENTITY a%zu '", i);
		put(&m, text, 1);
		snprintf(text, sizeof(text), "&a%zu;", i - 1);
		put(&m, text, 10);
		put(&m, "'>", 1);
	}
	put(&m, "]><flat-profile><A>&a9;</A></flat-profile>", 1);
	check_bomb(&m, PEAL_ECORRUPT, "DOCTYPE");

	put(&m,
	    "<!DOCTYPE f [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
	    "<flat-profile><A>&x;</A></flat-profile>",
	    1);
	check_bomb(&m, PEAL_ECORRUPT, "DOCTYPE");
	free(m.text);
}

/* The parser sees the same wherever the pieces end: also around its window
 * and with tokens of every kind across it. */
static void does_not_depend_on_the_pieces(void)
{
	static const char *const middles[] = {
		"<A x='1>2'>v</A>",    "<!-- c > -->",
		"<A>a&amp;b</A>",      "<A><![CDATA[x]]]]></A>",
		"<A>\xe2\x82\xac</A>", "<A>a\r\nb</A>",
		"<A>a]]>b</A>",        "<A>a&b</A>",
	};
	struct maker m = { 0 };
	struct peal_reason r, r1;
	struct seen s, s1;
	enum peal_err err;
	size_t i, shift, piece;

	for (i = 0; i < sizeof(middles) / sizeof(*middles); i++)
		for (shift = 0; shift < 24; shift++) {
			m.len = 0;
			put(&m, "<flat-profile><Z>", 1);
			put(&m, "z", 32768 - 17 - 4 - shift);
			put(&m, "</Z>", 1);
			put(&m, middles[i], 1);
			put(&m, "</flat-profile>", 1);
			err = parse(m.text, m.len, 0, NULL, 0, &s, &r);
			CHECK_INT(err != 0, i >= 6);
			for (piece = 1; piece < 40000; piece *= 7) {
				CHECK_ERR(parse(m.text, m.len, piece, NULL, 0,
						&s1, &r1),
					  err);
				CHECK_STR(s1.text, s.text);
				CHECK_STR(r1.text, r.text);
				CHECK_INT(r1.line, r.line);
				CHECK_INT(r1.byte, r.byte);
			}
		}
	free(m.text);
}

static void stops_when_the_sink_says_so(void)
{
	struct peal_profile *p;
	struct seen s = { .answer = PEAL_ELIMIT };

	REQUIRE(!peal_profile_new(&p, NULL, 0, sink, &s));
	CHECK_ERR(peal_profile_feed(p, F("<A/><B/>"), 37, NULL), PEAL_OK);
	CHECK_ERR(peal_profile_finish(p, NULL), PEAL_ELIMIT);
	CHECK_INT(s.n, 1);
	CHECK_ERR(peal_profile_finish(p, NULL), PEAL_ELIMIT);
	peal_profile_free(p);
	peal_profile_free(NULL);
}

static void refuses_too_many_aliases(void)
{
	struct peal_alias a[PEAL_LIMIT_ALIASES + 1] = { 0 };
	struct peal_profile *p = NULL;

	CHECK_ERR(peal_profile_new(&p, a, PEAL_LIMIT_ALIASES + 1, sink, NULL),
		  PEAL_ELIMIT);
	CHECK(p == NULL);
}

/* What is written is read back. */
static void writes_what_it_reads(void)
{
	static const struct {
		const char *text, *back;
	} rows[] = {
		{ "plain", "plain" },
		{ "a<b>&\"'c]]>", "a<b>&\"'c]]>" },
		{ "  ends  ", "ends" }, /* the format has no way */
		{ "two\nlines\r\n", "two lines" },
		{ "tab\tin", "tab\tin" },
		{ "\xc3\xa9\xf0\x9f\x93\x9e", "\xc3\xa9\xf0\x9f\x93\x9e" },
		{ "bad\xff\x01", "bad??" },
	};
	struct peal_value v = { .name = "A", .ua = PEAL_UA_RO };
	struct peal_buf b;
	struct peal_reason r;
	struct seen s;
	char want[128];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		peal_buf_init(&b, 1 << 16);
		v.text = rows[i].text;
		CHECK_ERR(peal_profile_begin(&b), PEAL_OK);
		CHECK_ERR(peal_profile_add(&b, &v, 0), PEAL_OK);
		CHECK_ERR(peal_profile_end(&b), PEAL_OK);
		CHECK_ERR(parse((char *)b.data, b.len, 0, NULL, 0, &s, &r),
			  PEAL_OK);
		snprintf(want, sizeof(want), "A[ro]%s@3;", rows[i].back);
		CHECK_STR(s.text, want);
		peal_buf_fini(&b);
	}
}

static void writes_attributes_and_leaves_secrets_out(void)
{
	struct peal_value v = { .name = "A",
				.text = "",
				.ua = PEAL_UA_RW,
				.user_pref = 1,
				.user_modified = 1 };
	struct peal_value secret = { .name = "P",
				     .text = "x",
				     .ua = PEAL_UA_NA,
				     .flags = PEAL_PARAM_SECRET };
	struct peal_value bad = { .name = "a b", .text = "x" };
	struct peal_buf b;

	peal_buf_init(&b, 60);
	CHECK_ERR(peal_profile_add(&b, &v, 0), PEAL_OK);
	CHECK_STR(peal_buf_cstr(&b),
		  "<A ua=\"rw\" user-pref=\"y\" um=\"y\"/>\n");
	peal_buf_clear(&b);
	CHECK_ERR(peal_profile_add(&b, &secret, 0), PEAL_OK);
	CHECK_INT(b.len, 0);
	CHECK_ERR(peal_profile_add(&b, &secret, PEAL_PROFILE_SECRETS), PEAL_OK);
	CHECK_STR(peal_buf_cstr(&b), "<P ua=\"na\">x</P>\n");
	CHECK_ERR(peal_profile_add(&b, &bad, 0), PEAL_EINVAL);
	/* over the maximum: as it was */
	v.text = "0123456789012345678901234567890123456789";
	CHECK_ERR(peal_profile_add(&b, &v, 0), PEAL_ELIMIT);
	CHECK_STR(peal_buf_cstr(&b), "<P ua=\"na\">x</P>\n");
	peal_buf_fini(&b);
}

static int whole_parse(void *arg)
{
	static const char xml[] =
		"<?xml version='1.0'?><d x='1'><flat-profile>\n"
		"<A ua='rw' y='&lt;&#65;'>a&amp;b<!-- c --></A>"
		"<p:B xmlns:p='u'><![CDATA[x]]></p:B><C><D/></C>"
		"</flat-profile></d>";
	struct peal_reason r;
	struct seen s;
	enum peal_err err;

	(void)arg;
	err = parse(xml, sizeof(xml) - 1, 0, NULL, 0, &s, &r);
	if (err == PEAL_OK)
		CHECK_STR(s.text, "A[rw]a&b@2;p:B[]x@2;C[c]@2;");
	else
		CHECK_ERR(err, PEAL_ENOMEM);
	return err != PEAL_OK;
}

static void lives_without_memory(void)
{
	CHECK(alloc_fail_each(whole_parse, NULL) > 10);
}

int main(int argc, char **argv)
{
	static const struct test_case cases[] = {
		{ "reads elements", reads_elements },
		{ "turns line ends into blanks", turns_line_ends_into_blanks },
		{ "tells the line of the start tag",
		  tells_the_line_of_the_start_tag },
		{ "refuses what is no profile", refuses_what_is_no_profile },
		{ "never quotes a value", never_quotes_a_value },
		{ "follows aliases", follows_aliases },
		{ "keeps long things", keeps_long_things },
		{ "sees every byte", sees_every_byte },
		{ "cuts long values", cuts_long_values },
		{ "refuses bombs", refuses_bombs },
		{ "does not depend on the pieces",
		  does_not_depend_on_the_pieces },
		{ "stops when the sink says so", stops_when_the_sink_says_so },
		{ "refuses too many aliases", refuses_too_many_aliases },
		{ "writes what it reads", writes_what_it_reads },
		{ "writes attributes, leaves secrets out",
		  writes_attributes_and_leaves_secrets_out },
		{ "lives without memory", lives_without_memory },
	};

	if (peal_xml_hook())
		return 1;
	return test_main(cases, sizeof(cases) / sizeof(*cases), argc, argv);
}
