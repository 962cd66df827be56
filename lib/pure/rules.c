/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/rules.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "pure/tableline.h"

#define BLANKS	" \t\r\n\v\f"

enum { MAX_DEPTH = 32 };

/* The guards that are open. */
struct parser {
	struct rules *rules;
	size_t open[MAX_DEPTH];
	size_t depth;
	bool no_memory;
};

static struct rule *
add(struct parser *p)
{
	struct rules *r = p->rules;
	struct rule *more;
	size_t room;

	if (r->n == r->room) {
		room = r->room * 2 + 16;
		more = reallocarray(r->rule, room, sizeof(*more));
		if (more == NULL) {
			p->no_memory = true;
			return NULL;
		}
		r->rule = more;
		r->room = room;
	}
	r->rule[r->n] = (struct rule){ 0 };
	return &r->rule[r->n++];
}

static void
trim_end(char *s)
{
	size_t len = strlen(s);

	while (len > 0 && strchr(BLANKS, s[len - 1]) != NULL)
		s[--len] = '\0';
}

/* Reads "$1", "${1}", "$(1)" at s: what follows it, and the number; NULL for
 * anything else. */
static const char *
read_group(const char *s, size_t *number)
{
	char close = s[1] == '{' ? '}' : s[1] == '(' ? ')' : '\0';

	s += 1 + (close != '\0');
	if (*s < '0' || *s > '9')
		return NULL;
	*number = (size_t)(*s++ - '0');
	if (*s >= '0' && *s <= '9')
		return NULL;
	if (close != '\0' && *s++ != close)
		return NULL;
	return s;
}

static const char *
check_value(const struct rules_kind *kind, const struct rule *rule)
{
	size_t groups = kind->groups != NULL ? kind->groups(rule->pattern) : 0;
	const char *s = rule->value;
	size_t number;

	while (kind->groups != NULL && (s = strchr(s, '$')) != NULL) {
		if (s[1] == '$') {
			s += 2;
			continue;
		}
		s = read_group(s, &number);
		if (s == NULL)
			return "after $ comes a number, or another $";
		if (rule->not)
			return "$number in a rule with !";
		if (number == 0 || number > groups)
			return "there are not so many () for $number";
	}
	return NULL;
}

static void
drop(const struct rules_kind *kind, struct rule *rule)
{
	if (rule->pattern != NULL)
		kind->free(rule->pattern);
	free(rule->value);
}

/* "[!] PATTERN [VALUE]" */
static const char *
parse_rule(struct parser *p, char *text, bool guard, unsigned line)
{
	struct rules *r = p->rules;
	struct rule *rule;
	const char *wrong;
	char *rest;

	rule = add(p);
	if (rule == NULL)
		return NULL;
	for (text += strspn(text, BLANKS); *text == '!';
	    text += 1 + strspn(text + 1, BLANKS))
		rule->not = !rule->not;
	rule->guard = guard;
	rule->line = line;
	wrong = r->kind->compile(&rule->pattern, text, &rest);
	if (wrong == NULL) {
		rest += strspn(rest, BLANKS);
		trim_end(rest);
		rule->value = strdup(rest);
		p->no_memory = rule->value == NULL;
		if (guard && *rest != '\0')
			wrong = "text after the pattern of an if";
		else if (!guard && *rest == '\0')
			wrong = "no value after the pattern";
		else if (!guard && !p->no_memory)
			wrong = check_value(r->kind, rule);
	}
	if (wrong != NULL || p->no_memory) {
		drop(r->kind, rule);
		r->n--;
	}
	return wrong;
}

/* A guard that cannot be read lets nothing through: its rules would match
 * what they were not meant for. */
static const char *
parse_if(struct parser *p, char *text, unsigned line)
{
	const char *wrong;
	struct rule *never;

	if (p->depth == MAX_DEPTH)
		return "too many if in each other";
	wrong = parse_rule(p, text, true, line);
	if (wrong != NULL && (never = add(p)) != NULL) {
		never->guard = true;
		never->line = line;
	}
	if (p->no_memory)
		return wrong;
	p->open[p->depth++] = p->rules->n - 1;
	return wrong;
}

static bool
is_word(const char *s, const char *word, size_t len)
{
	return strncasecmp(s, word, len) == 0 &&
	    (s[len] == '\0' || strchr(BLANKS "!", s[len]) != NULL);
}

static const char *
parse_line(struct parser *p, char *text, unsigned line)
{
	if (strchr(BLANKS, text[0]) != NULL)
		return "logical line must not start with whitespace";
	if (is_word(text, "if", 2))
		return parse_if(p, text + 2, line);
	if (!is_word(text, "endif", 5))
		return parse_rule(p, text, false, line);
	if (p->depth == 0)
		return "endif without if";
	p->depth--;
	p->rules->rule[p->open[p->depth]].next = p->rules->n;
	return text[5 + strspn(text + 5, BLANKS)] != '\0' ?
	    "text after endif" : NULL;
}

bool
rules_parse(struct rules *r, const struct rules_kind *kind, const char *text,
    size_t len, void (*fault)(void *, unsigned, const char *), void *ctx)
{
	struct parser p = { .rules = r };
	struct tableline lines;
	const char *wrong;

	*r = (struct rules){ .kind = kind };
	tableline_init_text(&lines, text, len);
	while (!p.no_memory && tableline_next(&lines)) {
		if (lines.text.bad)
			wrong = "the line is too long";
		else if (strlen(lines.text.s) != lines.text.len)
			wrong = "NUL in a line: this is no text file";
		else
			wrong = parse_line(&p, lines.text.s, lines.line);
		if (wrong != NULL)
			fault(ctx, lines.line, wrong);
	}
	while (p.depth > 0) {
		r->rule[p.open[--p.depth]].next = r->n;
		fault(ctx, r->rule[p.open[p.depth]].line, "if without endif");
	}
	tableline_free(&lines);
	return !p.no_memory;
}

void
rules_free(struct rules *r)
{
	while (r->n > 0)
		drop(r->kind, &r->rule[--r->n]);
	free(r->rule);
	r->rule = NULL;
}

static void
put_value(const struct rule *rule, bool expand, const char *key,
    const regmatch_t *group, struct str *value)
{
	const char *s = rule->value, *end;
	const regmatch_t *g;
	size_t number;

	while (expand && (end = strchr(s, '$')) != NULL) {
		str_put(value, s, (size_t)(end - s));
		if (end[1] == '$') {
			str_putc(value, '$');
			s = end + 2;
			continue;
		}
		s = read_group(end, &number);
		g = &group[number];
		if (g->rm_so >= 0)
			str_put(value, key + g->rm_so,
			    (size_t)(g->rm_eo - g->rm_so));
	}
	str_puts(value, s);
}

bool
rules_find(const struct rules *r, const char *key, struct str *value)
{
	regmatch_t group[RULES_GROUPS];
	const struct rule *rule;
	bool match;
	size_t i;

	for (i = 0; i < r->n; ) {
		rule = &r->rule[i++];
		if (rule->pattern == NULL)
			match = false;
		else
			match = r->kind->match(rule->pattern, key, group) !=
			    rule->not;
		if (rule->guard && !match)
			i = rule->next;
		else if (!rule->guard && match) {
			put_value(rule, r->kind->groups != NULL, key, group,
			    value);
			return true;
		}
	}
	return false;
}
