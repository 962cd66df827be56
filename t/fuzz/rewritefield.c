/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A header field with addresses keeps its name, its lines and the number of
 * its addresses, whatever they become. */
#include "store/rewrite.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "pure/hdraddr.h"

static struct conf conf;
static struct domains domains;
static struct rewrite rewrite;

static void
start(void)
{
	static const char text[] = "myhostname = mail.example.org\n"
	    "mydomain = example.org\nmyorigin = $mydomain\n"
	    "mydestination = $mydomain\nappend_dot_mydomain = yes\n"
	    "recipient_delimiter = +\nmasquerade_domains = example.org\n"
	    "canonical_maps = inline:{ { bob@example.org = b }"
	    " { alice = a.lice@example.net } { @x.example = @y.example } }\n";
	char dir[] = "/tmp/malle-fuzz-XXXXXX", path[64];
	struct why why;
	FILE *f;

	MUST(mkdtemp(dir) != NULL);
	(void)snprintf(path, sizeof(path), "%s/main.cf", dir);
	f = fopen(path, "w");
	MUST(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
	MUST(conf_load(&conf, dir, &why) == 0);
	MUST(unlink(path) == 0 && rmdir(dir) == 0);
	MUST(domains_open(&domains, &conf, &why) == 0);
	MUST(rewrite_open(&rewrite, &conf, &domains, &why) == 0);
}

/* How many addresses (good: not counting what is none) a list has. */
static size_t
count(const char *s, size_t len, enum hdraddr_next kind)
{
	enum hdraddr_next next;
	struct hdraddr h;
	struct str out;
	size_t n = 0;

	str_init(&out);
	hdraddr_init(&h, s, len);
	while ((next = hdraddr_next(&h, &out)) != HDRADDR_END)
		n += next == kind;
	str_free(&out);
	return n;
}

static void
check(const char *field, size_t len, const struct str *out)
{
	const char *colon = memchr(field, ':', len);
	size_t name = colon != NULL ? (size_t)(colon - field) + 1 : len;
	enum hdraddr_next kind;

	MUST(!out->bad);
	MUST(out->len >= name && memcmp(out->s, field, name) == 0);
	MUST(str_count_lf(out->s, out->len) == str_count_lf(field, len));
	for (kind = HDRADDR_ADDRESS; kind <= HDRADDR_BAD; kind++)
		MUST(count(out->s + name, out->len - name, kind) ==
		    count(field + name, len - name, kind));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool started;
	char *field = malloc(size + 1);
	struct str out;
	int sender;

	MUST(field != NULL);
	memcpy(field, data, size);
	if (!started)
		start();
	started = true;
	for (sender = 0; sender < 2; sender++) {
		str_init(&out);
		rewrite_field(&rewrite, sender != 0, field, size, &out);
		check(field, size, &out);
		str_free(&out);
	}
	free(field);
	return 0;
}
