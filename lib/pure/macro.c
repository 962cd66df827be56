/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/macro.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "pure/num.h"

/* A stretch of text being read. */
struct span {
	const char *s, *end;
};

/* Recursion follows the nesting of the text, and LIMIT_CONF_DEPTH ends it. */
static bool expand(struct macro *, struct str *, struct span, unsigned depth);

static bool
fail(struct macro *m, const char *what, struct span at)
{
	int len = at.end - at.s < 60 ? (int)(at.end - at.s) : 60;

	(void)snprintf(m->error, sizeof(m->error), "%s: \"%.*s\"", what, len,
	    at.s);
	return false;
}

static void
skip_blanks(struct span *t)
{
	while (t->s < t->end && *t->s == ' ')
		t->s++;
}

static struct span
take_name(struct span *t)
{
	struct span name = { t->s, t->s };

	while (name.end < t->end &&
	    (isalnum((unsigned char)*name.end) || *name.end == '_'))
		name.end++;
	t->s = name.end;
	return name;
}

/* Takes "{text}" or "(text)"; false if the other brace is missing. */
static bool
take_braces(struct span *t, struct span *inner)
{
	char open = *t->s, close = open == '{' ? '}' : ')';
	const char *s;
	size_t level = 0;

	for (s = t->s; s < t->end; s++) {
		level += *s == open;
		level -= *s == close;
		if (level == 0) {
			*inner = (struct span){ t->s + 1, s };
			t->s = s + 1;
			return true;
		}
	}
	return false;
}

static bool
at_char(struct span t, char c)
{
	return t.s < t.end && *t.s == c;
}

static bool
put_value(struct macro *m, struct str *out, struct span name, unsigned depth)
{
	bool final = false;
	const char *v = m->lookup(m->ctx, name.s, (size_t)(name.end - name.s),
	    &final);

	if (v == NULL)
		return true;
	if (!final)
		return expand(m, out, (struct span){ v, v + strlen(v) },
		    depth + 1);
	str_puts(out, v);
	return true;
}

/* What stands behind "?": text, {text} or {text}:{text}; behind ":" only the
 * first two.  An absent text is empty. */
static bool
put_branch(struct macro *m, struct str *out, struct span t, bool truth,
    unsigned depth)
{
	struct span look, then, other = { t.s, t.s };
	bool two = t.s[-1] == '?';

	if (!two)
		truth = !truth;
	look = t;
	skip_blanks(&look);
	if (!at_char(look, '{'))
		return !truth || expand(m, out, t, depth + 1);
	if (!take_braces(&look, &then))
		return fail(m, "missing } in", t);
	skip_blanks(&look);
	if (two && at_char(look, ':')) {
		look.s++;
		skip_blanks(&look);
		if (!at_char(look, '{') || !take_braces(&look, &other))
			return fail(m, "missing {text} after : in", t);
		skip_blanks(&look);
	}
	if (look.s != look.end)
		return fail(m, "text after } in", t);
	return expand(m, out, truth ? then : other, depth + 1);
}

static bool
take_operator(struct span *t, char op[static 3])
{
	size_t n = 0;

	while (n < 2 && t->s < t->end && strchr("=!<>", *t->s) != NULL)
		op[n++] = *t->s++;
	op[n] = '\0';
	return strcmp(op, "==") == 0 || strcmp(op, "!=") == 0 ||
	    strcmp(op, "<") == 0 || strcmp(op, "<=") == 0 ||
	    strcmp(op, ">") == 0 || strcmp(op, ">=") == 0;
}

/* As numbers if both are, else as text. */
static bool
compare(const struct str *a, const char *op, const struct str *b)
{
	uint64_t x, y;
	int d;

	if (num_parse(a->s, a->len, UINT64_MAX, &x) &&
	    num_parse(b->s, b->len, UINT64_MAX, &y))
		d = (x > y) - (x < y);
	else
		d = strcmp(a->s, b->s);
	if (op[0] == '!')
		return d != 0;
	return (d == 0 && strchr(op, '=') != NULL) ||
	    (d < 0 && op[0] == '<') || (d > 0 && op[0] == '>');
}

/* ${{a} == {b} ? ...} */
static bool
put_comparison(struct macro *m, struct str *out, struct span t,
    unsigned depth)
{
	struct span whole = t, left, right;
	struct str a, b;
	char op[3];
	bool ok, truth = false;

	if (!take_braces(&t, &left))
		return fail(m, "missing } in", whole);
	skip_blanks(&t);
	if (!take_operator(&t, op))
		return fail(m, "not an operator (== != < <= > >=) in", whole);
	skip_blanks(&t);
	if (at_char(t, '{')) {
		if (!take_braces(&t, &right))
			return fail(m, "missing } in", whole);
		skip_blanks(&t);
	} else {
		right = (struct span){ t.s, t.s };
		while (t.s < t.end && strchr("?: ", *t.s) == NULL)
			t.s++;
		right.end = t.s;
		skip_blanks(&t);
	}
	if (!at_char(t, '?') && !at_char(t, ':'))
		return fail(m, "missing ? or : in", whole);
	t.s++;
	str_init(&a);
	str_init(&b);
	ok = expand(m, &a, left, depth + 1) && expand(m, &b, right, depth + 1);
	if (ok)
		truth = compare(&a, op, &b);
	str_free(&a);
	str_free(&b);
	return ok && put_branch(m, out, t, truth, depth);
}

/* What stands between the braces of ${...}. */
static bool
put_reference(struct macro *m, struct str *out, struct span t, unsigned depth)
{
	struct span whole = t, name;
	const char *v;
	bool final;

	skip_blanks(&t);
	if (at_char(t, '{'))
		return put_comparison(m, out, t, depth);
	name = take_name(&t);
	skip_blanks(&t);
	if (name.s == name.end)
		return fail(m, "empty macro name", whole);
	if (t.s == t.end)
		return put_value(m, out, name, depth);
	if (*t.s != '?' && *t.s != ':')
		return fail(m, "bad character in macro name", whole);
	t.s++;
	v = m->lookup(m->ctx, name.s, (size_t)(name.end - name.s), &final);
	return put_branch(m, out, t, v != NULL && v[0] != '\0', depth);
}

static bool
put_dollar(struct macro *m, struct str *out, struct span *t, unsigned depth)
{
	struct span whole = *t, inner;

	t->s++;
	if (at_char(*t, '$')) {
		t->s++;
		str_putc(out, '$');
		return true;
	}
	if (at_char(*t, '{') || at_char(*t, '(')) {
		if (!take_braces(t, &inner))
			return fail(m, "truncated macro reference", whole);
		return put_reference(m, out, inner, depth);
	}
	inner = take_name(t);
	if (inner.s == inner.end)
		return fail(m, "empty macro name (write $$ for a dollar sign)",
		    whole);
	return put_value(m, out, inner, depth);
}

static bool
expand(struct macro *m, struct str *out, struct span t, unsigned depth)
{
	struct span whole = t;
	const char *dollar;

	if (depth > LIMIT_CONF_DEPTH)
		return fail(m, "unreasonable macro call nesting", whole);
	m->work += (size_t)(t.end - t.s) + 1;
	if (m->work > LIMIT_CONF_WORK)
		return fail(m, "too many macro calls", whole);
	while (t.s < t.end) {
		dollar = memchr(t.s, '$', (size_t)(t.end - t.s));
		if (dollar == NULL)
			dollar = t.end;
		str_put(out, t.s, (size_t)(dollar - t.s));
		t.s = dollar;
		if (t.s < t.end && !put_dollar(m, out, &t, depth))
			return false;
		if (out->bad || out->len > LIMIT_CONF_VALUE)
			return fail(m, "too long when expanded", whole);
	}
	return true;
}

bool
macro_expand(struct macro *m, struct str *out, const char *text, size_t len)
{
	m->work = 0;
	m->error[0] = '\0';
	return expand(m, out, (struct span){ text, text + len }, 0);
}
