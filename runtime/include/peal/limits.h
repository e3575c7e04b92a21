/* limits.h - every cap of the runtime in one place.
 *
 * The documents of the phones give none: these are our choice, changeable at
 * build time (-DPEAL_LIMIT_X=n). Sizes in bytes, times in the unit named. */
#ifndef PEAL_LIMITS_H
#define PEAL_LIMITS_H

#define PEAL_LIMIT(name, value) name = (value)

enum {
#ifndef PEAL_LIMIT_DOWNLOAD
	PEAL_LIMIT(PEAL_LIMIT_DOWNLOAD, 5 << 20), /* a profile as fetched */
#endif
#ifndef PEAL_LIMIT_INFLATED
	PEAL_LIMIT(PEAL_LIMIT_INFLATED, 16 << 20), /* after gunzip */
#endif
#ifndef PEAL_LIMIT_CODINGS
	PEAL_LIMIT(PEAL_LIMIT_CODINGS, 4), /* stacked HTTP content codings */
#endif
#ifndef PEAL_LIMIT_XML_DEPTH
	PEAL_LIMIT(PEAL_LIMIT_XML_DEPTH, 64),
#endif
#ifndef PEAL_LIMIT_XML_ELEMENTS
	PEAL_LIMIT(PEAL_LIMIT_XML_ELEMENTS, 20000),
#endif
#ifndef PEAL_LIMIT_XML_ATTRIBUTES
	PEAL_LIMIT(PEAL_LIMIT_XML_ATTRIBUTES, 64), /* on one element */
#endif
#ifndef PEAL_LIMIT_XML_TAG
	PEAL_LIMIT(PEAL_LIMIT_XML_TAG, 16 << 10), /* one start tag */
#endif
#ifndef PEAL_LIMIT_NAME
	PEAL_LIMIT(PEAL_LIMIT_NAME, 127), /* a parameter name */
#endif
#ifndef PEAL_LIMIT_VALUE
	PEAL_LIMIT(PEAL_LIMIT_VALUE, 8192), /* a parameter value */
#endif
#ifndef PEAL_LIMIT_RULE
	PEAL_LIMIT(PEAL_LIMIT_RULE, 4096), /* Rule and Log types */
#endif
#ifndef PEAL_LIMIT_ALIASES
	PEAL_LIMIT(PEAL_LIMIT_ALIASES, 30),
#endif
#ifndef PEAL_LIMIT_NOTES
	PEAL_LIMIT(PEAL_LIMIT_NOTES, 256), /* warnings kept of one profile */
#endif
#ifndef PEAL_LIMIT_PARAMS
	PEAL_LIMIT(PEAL_LIMIT_PARAMS, 65000), /* schema plus unknown names */
#endif
#ifndef PEAL_LIMIT_SCHEMA
	PEAL_LIMIT(PEAL_LIMIT_SCHEMA, 64 << 20), /* texts of a schema */
#endif
#ifndef PEAL_LIMIT_STORE_FILE
	PEAL_LIMIT(PEAL_LIMIT_STORE_FILE, 16 << 20), /* one revision */
#endif
#ifndef PEAL_LIMIT_STORE_KEEP
	PEAL_LIMIT(PEAL_LIMIT_STORE_KEEP, 2 << 20), /* all revisions kept */
#endif
#ifndef PEAL_LIMIT_STATE
	PEAL_LIMIT(PEAL_LIMIT_STATE, 1 << 20), /* one value of state */
#endif
#ifndef PEAL_LIMIT_HEADERS
	PEAL_LIMIT(PEAL_LIMIT_HEADERS, 64 << 10), /* of one HTTP response */
#endif
#ifndef PEAL_LIMIT_URL
	PEAL_LIMIT(PEAL_LIMIT_URL, 8192),
#endif
#ifndef PEAL_LIMIT_PEM
	PEAL_LIMIT(PEAL_LIMIT_PEM, 1 << 20), /* one file of certificates */
#endif
#ifndef PEAL_LIMIT_CERTS
	PEAL_LIMIT(PEAL_LIMIT_CERTS, 512), /* certificates in such a file */
#endif
#ifndef PEAL_LIMIT_CHAIN
	PEAL_LIMIT(PEAL_LIMIT_CHAIN, 16), /* certificates of a peer kept */
#endif
#ifndef PEAL_LIMIT_SESSIONS
	PEAL_LIMIT(PEAL_LIMIT_SESSIONS, 64), /* of TLS, kept by one fetcher */
#endif
#ifndef PEAL_LIMIT_SESSION
	PEAL_LIMIT(PEAL_LIMIT_SESSION, 8 << 10), /* one of them */
#endif
#ifndef PEAL_LIMIT_SESSIONS_BYTES
	PEAL_LIMIT(PEAL_LIMIT_SESSIONS_BYTES, 256 << 10),
#endif
#ifndef PEAL_LIMIT_DNS_ANSWERS
	PEAL_LIMIT(PEAL_LIMIT_DNS_ANSWERS, 64),
#endif
#ifndef PEAL_LIMIT_IMAGE
	PEAL_LIMIT(PEAL_LIMIT_IMAGE, 512 << 20), /* a firmware image */
#endif
#ifndef PEAL_LIMIT_BOX_MEMORY
	PEAL_LIMIT(PEAL_LIMIT_BOX_MEMORY, 16 << 20), /* of operators' rules */
#endif
#ifndef PEAL_LIMIT_BOX_INSTRUCTIONS
	/* of one decision; about a tenth of its second */
	PEAL_LIMIT(PEAL_LIMIT_BOX_INSTRUCTIONS, 10000000),
#endif
#ifndef PEAL_LIMIT_PLAIN_DEPTH
	PEAL_LIMIT(PEAL_LIMIT_PLAIN_DEPTH, 32),
#endif
#ifndef PEAL_LIMIT_SNAPSHOT
	PEAL_LIMIT(PEAL_LIMIT_SNAPSHOT, 16 << 20), /* parameters for rules */
#endif
#ifndef PEAL_LIMIT_WORKER_FRAME
	PEAL_LIMIT(PEAL_LIMIT_WORKER_FRAME, 4 << 20), /* a question, a reply */
#endif
#ifndef PEAL_LIMIT_CONTROL_LINE
	PEAL_LIMIT(PEAL_LIMIT_CONTROL_LINE, 1 << 20),
#endif
#ifndef PEAL_LIMIT_CONTROL_QUEUE
	PEAL_LIMIT(PEAL_LIMIT_CONTROL_QUEUE, 4 << 20), /* unread by a peer */
#endif
#ifndef PEAL_LIMIT_CONTROL_PEERS
	PEAL_LIMIT(PEAL_LIMIT_CONTROL_PEERS, 64), /* at one socket */
#endif
#ifndef PEAL_LIMIT_HISTORY
	PEAL_LIMIT(PEAL_LIMIT_HISTORY, 1 << 20), /* file of a line editor */
#endif
#ifndef PEAL_LIMIT_TYPED
	PEAL_LIMIT(PEAL_LIMIT_TYPED, 1 << 20), /* a line that was typed */
#endif
#ifndef PEAL_LIMIT_JSON
	PEAL_LIMIT(PEAL_LIMIT_JSON, 128 << 20), /* a text that is written */
#endif
#ifndef PEAL_LIMIT_JSON_DEPTH
	PEAL_LIMIT(PEAL_LIMIT_JSON_DEPTH, 64),
#endif
	PEAL_LIMIT_END_ = 0
};

#endif
