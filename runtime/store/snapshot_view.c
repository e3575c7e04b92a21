/* snapshot_view.c - the reading side of peal/snapshot.h */
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "peal/limits.h"
#include "store/snapshot.h"

/* Everything is copied out after a check: the bytes are another's. */
static int load(const struct peal_snapshot_view *v, uint64_t at, void *to,
		size_t len)
{
	if (at > v->size || len > v->size - at)
		return 0;
	memcpy(to, (const unsigned char *)v->base + at, len);
	return 1;
}

static const char *bytes_of(const struct peal_snapshot_view *v,
			    struct peal_span s)
{
	if (s.at > v->size || s.len > v->size - s.at)
		return NULL;
	return (const char *)v->base + s.at;
}

static int is_named(const struct peal_snapshot_view *v,
		    const struct peal_snapshot_table *t, uint32_t index,
		    const char *name, size_t len)
{
	const char *have;
	struct peal_span s;

	if (index >= t->n ||
	    !load(v, t->names + (uint64_t)index * sizeof(s), &s, sizeof(s)))
		return 0;
	have = bytes_of(v, s);
	return have && s.len == len && memcmp(have, name, len) == 0;
}

int64_t peal_snapshot_seek(const struct peal_snapshot_view *v,
			   const struct peal_snapshot_table *t, uint32_t hash,
			   const char *name, size_t len, uint32_t *slot)
{
	struct peal_slot s;
	uint32_t i, k;

	for (k = 0; k < t->size; k++) {
		i = (hash + k) & (t->size - 1);
		if (!load(v, t->slots + (uint64_t)i * sizeof(s), &s, sizeof(s)))
			break;
		if (s.index < 0) {
			if (slot)
				*slot = i;
			break;
		}
		if (s.hash == hash &&
		    is_named(v, t, (uint32_t)s.index, name, len))
			return s.index;
	}
	return -1;
}

static int get_from(const struct peal_snapshot_view *v,
		    const struct peal_snapshot_table *t, uint32_t hash,
		    const char *name, size_t len, struct peal_span *text)
{
	int64_t i = peal_snapshot_seek(v, t, hash, name, len, NULL);

	return i >= 0 && load(v, t->texts + (uint64_t)i * sizeof(*text), text,
			      sizeof(*text));
}

enum peal_err peal_snapshot_get(const struct peal_snapshot_view *v,
				const char *name, size_t len, const char **text,
				size_t *text_len)
{
	struct peal_snapshot_head head;
	struct peal_span s;
	const char *bytes;
	uint32_t hash;

	if (!load(v, 0, &head, sizeof(head)) ||
	    head.magic != PEAL_SNAPSHOT_MAGIC)
		return PEAL_ENOENT;
	hash = peal_hash32(head.seed, name, len);
	if (!get_from(v, &head.known, hash, name, len, &s) &&
	    !get_from(v, &head.extra, hash, name, len, &s))
		return PEAL_ENOENT;
	bytes = bytes_of(v, s);
	if (!bytes)
		return PEAL_ENOENT;
	*text = bytes;
	*text_len = s.len;
	return PEAL_OK;
}

enum peal_err peal_snapshot_map(struct peal_snapshot_view *out, int fd)
{
	struct stat st;
	struct peal_snapshot_head head;
	void *base;

	if (fstat(fd, &st))
		return PEAL_EIO;
	if (st.st_size < (off_t)sizeof(head) ||
	    st.st_size > PEAL_LIMIT_SNAPSHOT)
		return PEAL_EINVAL;
	base = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (base == MAP_FAILED)
		return PEAL_EIO;
	memcpy(&head, base, sizeof(head));
	if (head.magic != PEAL_SNAPSHOT_MAGIC) {
		munmap(base, (size_t)st.st_size);
		return PEAL_EINVAL;
	}
	out->base = base;
	out->size = (size_t)st.st_size;
	return PEAL_OK;
}
