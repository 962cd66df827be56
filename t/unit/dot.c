/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * DATA framing against a reference that looks at the whole text at once:
 * every string of five octets over CR LF . A NUL, in some surroundings, cut
 * at every place.  There is one end or none, and it is where the reference
 * sees it.
 */
#include "pure/dot.h"

#include "tap.h"

struct result {
	char out[64];
	size_t len;	/* of out */
	size_t used;
	bool done;
	size_t bare_lf;
};

/* The line at s: its length without its end; *end counts that.  False: it
 * has none. */
static bool
reference_line(const char *s, size_t len, bool lf_only, size_t *n,
    size_t *end)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '\r' && i + 1 < len && s[i + 1] == '\n') {
			*n = i;
			*end = 2;
			return true;
		}
		if (lf_only && s[i] == '\n') {
			*n = i;
			*end = 1;
			return true;
		}
	}
	return false;
}

static void
reference(struct result *r, const char *s, size_t len, bool lf_only)
{
	size_t n, end;

	*r = (struct result){ .used = len };
	for (size_t at = 0; reference_line(s + at, len - at, lf_only, &n,
	    &end); at += n + end) {
		if (n == 1 && s[at] == '.') {
			r->done = true;
			r->used = at + n + end;
			return;
		}
		for (size_t i = s[at] == '.' && n > 0; i < n; i++) {
			r->bare_lf += s[at + i] == '\n';
			r->out[r->len++] = s[at + i] == '\r' ? ' ' : s[at + i];
		}
		r->out[r->len++] = '\n';
	}
}

/* Feeds s in pieces: cuts[] are places to cut at, in order, up to len. */
static void
feed(struct result *r, const char *s, size_t len, bool lf_only,
    const size_t *cut, size_t ncut)
{
	struct dot d;
	size_t at = 0, n, used, out_len;
	char out[70];

	*r = (struct result){ .len = 0 };
	dot_init(&d, lf_only);
	for (size_t i = 0; i <= ncut && d.state != DOT_DONE; i++) {
		n = (i < ncut ? cut[i] : len) - at;
		memset(out, '#', sizeof(out));
		used = dot_feed(&d, s + at, n, out, &out_len);
		if (out_len > n + 2 || out[n + 2] != '#')
			printf("Bail out! wrote behind its buffer\n");
		memcpy(r->out + r->len, out, out_len);
		r->len += out_len;
		at += used;
		if (used != n && d.state != DOT_DONE)
			break;
	}
	r->used = at;
	r->done = d.state == DOT_DONE;
	r->bare_lf = d.bare_lf;
	/* After the end nothing is taken any more. */
	if (r->done && dot_feed(&d, ".\r\n", 3, out, &out_len) + out_len != 0)
		r->used = SIZE_MAX;
}

/* Is the result the reference's?  Without an end, the last line is still
 * open: what is there of it may have come out or not. */
static bool
agrees(const struct result *got, const struct result *want, bool lf_only)
{
	if (got->done != want->done || got->used != want->used)
		return false;
	if (got->done)
		return got->len == want->len &&
		    memcmp(got->out, want->out, want->len) == 0 &&
		    (lf_only || got->bare_lf == want->bare_lf);
	return got->len >= want->len &&
	    memcmp(got->out, want->out, want->len) == 0;
}

static unsigned cases;

static bool
one(const char *before, const char *five, const char *after, bool lf_only)
{
	struct result want, got;
	size_t b = strlen(before), a = strlen(after), len = b + 5 + a;
	size_t cut[40], k;
	char s[40];

	memcpy(s, before, b);
	memcpy(s + b, five, 5);
	memcpy(s + b + 5, after, a);
	reference(&want, s, len, lf_only);
	for (k = 0; k <= 7; k++) {
		for (size_t i = 0; i < len; i++)
			cut[i] = k < 6 ? b + k : i;
		/* One cut at each place, all in one, each octet alone. */
		feed(&got, s, len, lf_only, cut,
		    k < 6 ? 1 : k == 6 ? 0 : len);
		cases++;
		if (!agrees(&got, &want, lf_only)) {
			tap_show("in  ", s, len);
			tap_show("got ", got.out, got.len);
			tap_show("want", want.out, want.len);
			printf("# way %zu: end %d at %zu, want %d at %zu\n",
			    k, got.done, got.used, want.done, want.used);
			return false;
		}
	}
	return true;
}

static void
differential(bool lf_only)
{
	static const char octet[] = { '\r', '\n', '.', 'A', '\0' };
	static const char *const before[] = { "", "A", "A\r\n", "A\r\n.",
	    "A\n", "A\r\n.\r" };
	static const char *const after[] = { "", "\r\n.\r\nQUIT\r\n", "\n",
	    ".\r\nA\r\n.\r\n" };
	char five[5];
	unsigned bad = 0;

	cases = 0;
	for (unsigned v = 0; v < 3125; v++) {
		for (unsigned i = 0, w = v; i < 5; i++, w /= 5)
			five[i] = octet[w % 5];
		for (unsigned b = 0; b < 6; b++)
			for (unsigned a = 0; a < 4; a++)
				if (bad < 5)
					bad += !one(before[b], five, after[a],
					    lf_only);
	}
	ok(bad == 0, "%u cases agree with the reference, %s", cases,
	    lf_only ? "LF only" : "CRLF");
}

/* What is said in so many words, so that the reference cannot be wrong in
 * the same way. */
static void
table(void)
{
	static const struct {
		const char *in;
		size_t in_len, used;	/* used 0: no end */
		const char *out;
		size_t out_len;
		bool lf_only;
	} row[] = {
		{ LIT(".\r\n"), 3, LIT(""), false },
		{ LIT("a\r\n.\r\nb"), 6, LIT("a\n"), false },
		{ LIT("..\r\n...\r\n.a\r\n.\r\n"), 16, LIT(".\n..\na\n"),
		    false },
		{ LIT("a\n.\r\nb\r\n.\r\n"), 11, LIT("a\n.\nb\n"), false },
		{ LIT("a\r\n.\nb\r\n.\r\n"), 11, LIT("a\n\nb\n"), false },
		{ LIT("a\n.\nb\r\n.\r\n"), 10, LIT("a\n.\nb\n"), false },
		{ LIT("a\r.\r\nb\r\n.\r\n"), 11, LIT("a .\nb\n"), false },
		{ LIT("a\r.\rb\r\n.\r\n"), 10, LIT("a . b\n"), false },
		{ LIT("a\r\n.\rb\r\n.\r\n"), 11, LIT("a\n b\n"), false },
		{ LIT("a\r\n\0.\r\nb\r\n.\r\n"), 13,
		    LIT("a\n\0.\nb\n"), false },
		{ LIT("a\r\n.\0\r\nb\r\n.\r\n"), 13, LIT("a\n\0\nb\n"), false },
		{ LIT("a\r\r\n.\r\n"), 7, LIT("a \n"), false },
		{ LIT("a\r\n.\r\r\n.\r\n"), 10, LIT("a\n \n"), false },
		{ LIT("a\x8a.\x8d\x8a\r\n.\r\n"), 10,
		    LIT("a\x8a.\x8d\x8a\n"), false },
		{ LIT("a\n.\n"), 0, LIT("a\n.\n"), false },
		{ LIT("a\r\n."), 0, LIT("a\n"), false },
		{ LIT("a\n.\nb"), 4, LIT("a\n"), true },
		{ LIT(".\n"), 2, LIT(""), true },
		{ LIT("..\n.a\n.\n"), 8, LIT(".\na\n"), true },
		{ LIT("a\r.\n.\n"), 6, LIT("a .\n"), true }
	};
	struct result got;

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		feed(&got, row[i].in, row[i].in_len, row[i].lf_only, NULL, 0);
		is_mem(got.out, got.len, row[i].out, row[i].out_len, "text");
		is_int((intmax_t)(got.done ? got.used : 0),
		    (intmax_t)row[i].used, "end");
	}
	feed(&got, LIT("a\nb\n\r\n.\r\n"), false, NULL, 0);
	is_int((intmax_t)got.bare_lf, 2, "bare LFs are counted");
}

int
main(void)
{
	table();
	differential(false);
	differential(true);
	return tap_done();
}
