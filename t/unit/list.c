/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pure/list.h"

#include <arpa/inet.h>

#include "pure/str.h"
#include "tap.h"

static const struct {
	const char *list, *joined;
} words[] = {
	{ "", "" },
	{ " ,\t\r\n, ", "" },
	{ "a", "a|" },
	{ "a,b", "a|b|" },
	{ ",a,, b\n\tc ,", "a|b|c|" },
	{ "one two,three", "one|two|three|" }
};

static const struct {
	const char *list, *domain;
	bool in;
} domains[] = {
	{ "example.org", "example.org", true },
	{ "example.org", "EXAMPLE.Org", true },
	{ "Example.ORG", "example.org", true },
	{ "example.org", "xample.org", false },
	{ "example.org", "example.or", false },
	{ "example.org", "example.orgx", false },
	{ "example.org", "sub.example.org", false },
	{ "a.b, example.org c.d", "example.org", true },
	{ "a.b, example.org c.d", "c.d", true },
	{ ".example.org", "sub.example.org", true },
	{ ".example.org", "a.b.EXAMPLE.org", true },
	{ ".example.org", "example.org", false },
	{ ".example.org", "notexample.org", false },
	{ ".example.org", ".example.org", true },
	{ "example.org", "", false },
	{ "", "example.org", false },
	{ "", "", false },
	{ "localhost", "localhost", true }
};

static const struct {
	const char *list, *address;
	int in;
} networks[] = {
	{ "127.0.0.0/8", "127.0.0.1", 1 },
	{ "127.0.0.0/8", "127.255.255.255", 1 },
	{ "127.0.0.0/8", "126.255.255.255", 0 },
	{ "127.0.0.0/8", "128.0.0.0", 0 },
	{ "127.0.0.0/8 [::1]/128", "::1", 1 },
	{ "127.0.0.0/8 [::1]/128", "::2", 0 },
	{ "[::1/128]", "::1", 1 },
	{ "::1/128", "::1", 1 },
	{ "[::1]", "::1", 1 },
	{ "192.0.2.7", "192.0.2.7", 1 },
	{ "192.0.2.7", "192.0.2.6", 0 },
	{ "192.0.2.7", "192.0.2.8", 0 },
	{ "[192.0.2.7]", "192.0.2.7", 1 },
	{ "192.0.2.7/32", "192.0.2.7", 1 },
	{ "192.0.2.8/31", "192.0.2.9", 1 },
	{ "192.0.2.8/31", "192.0.2.10", 0 },
	{ "192.0.2.8/31", "192.0.2.7", 0 },
	{ "10.128.0.0/9", "10.128.0.0", 1 },
	{ "10.128.0.0/9", "10.255.255.255", 1 },
	{ "10.128.0.0/9", "10.127.255.255", 0 },
	{ "10.0.0.0/15", "10.1.255.255", 1 },
	{ "10.0.0.0/15", "10.2.0.0", 0 },
	{ "0.0.0.0/0", "203.0.113.9", 1 },
	{ "0.0.0.0/0", "2001:db8::1", 0 },
	{ "[::]/0", "2001:db8::1", 1 },
	{ "[::]/0", "203.0.113.9", 0 },
	{ "[2001:db8::]/33", "2001:db8:7fff::1", 1 },
	{ "[2001:db8::]/33", "2001:db8:8000::1", 0 },
	{ "[2001:db8::]/127", "2001:db8::1", 1 },
	{ "[2001:db8::]/127", "2001:db8::2", 0 },
	{ "", "127.0.0.1", 0 },
	{ "!10.0.0.5, 10.0.0.0/8", "10.0.0.5", 0 },
	{ "!10.0.0.5, 10.0.0.0/8", "10.0.0.6", 1 },
	{ "10.0.0.0/8 !10.0.0.5", "10.0.0.5", 1 },
	{ "![::1] [::]/0", "::1", 0 },
	/* What is no network is an error where it stands, not before. */
	{ "10.0.0.0/8 nonsense", "10.0.0.1", 1 },
	{ "nonsense 10.0.0.0/8", "10.0.0.1", -1 },
	{ "10.0.0.0/8 nonsense", "127.0.0.1", -1 },
	{ "127.0.0.0/33", "127.0.0.1", -1 },
	{ "[::1]/129", "::1", -1 },
	{ "127.0.0.0/", "127.0.0.1", -1 },
	{ "127.0.0.0/-1", "127.0.0.1", -1 },
	{ "127.0.0.0/8/8", "127.0.0.1", -1 },
	{ "127.0.0/8", "127.0.0.1", -1 },
	{ "127.1", "127.0.0.1", -1 },
	{ "256.0.0.1", "127.0.0.1", -1 },
	{ "0127.0.0.1", "127.0.0.1", -1 },
	{ "1[2]7.0.0.1", "127.0.0.1", -1 },
	{ "127.0.0.1]", "127.0.0.1", -1 },
	{ "[127.0.0.1", "127.0.0.1", -1 },
	{ "[[127.0.0.1]]", "127.0.0.1", -1 },
	{ "[]", "127.0.0.1", -1 },
	{ "!", "127.0.0.1", -1 },
	{ "!!127.0.0.1", "127.0.0.1", -1 },
	{ "/8", "127.0.0.1", -1 },
	{ "fe80::1%eth0", "::1", -1 },
	{ "hash:/etc/networks", "127.0.0.1", -1 },
	{ "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:d"
	  "ddd:eeee:ffff", "::1", -1 }
};

static void
split(void)
{
	const char *list, *word;
	char joined[80];
	size_t i, n, len;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		list = words[i].list;
		for (n = 0; (word = list_next(&list, &len)) != NULL;
		    n += len + 1) {
			memcpy(joined + n, word, len);
			joined[n + len] = '|';
		}
		is_mem(joined, n, words[i].joined, strlen(words[i].joined),
		    "words");
	}
}

/* Each element in "|", "!" where braces do not match and what is left then. */
static const struct {
	const char *list, *joined;
} elements[] = {
	{ "", "" },
	{ " ,\t\n", "" },
	{ "a", "a|" },
	{ " a, b\tc\n", "a|b|c|" },
	{ "hash:/a,texthash:/b", "hash:/a|texthash:/b|" },
	{ "{hash:/with blank} x", "hash:/with blank|x|" },
	{ "{ hash:/with blank , } x", "hash:/with blank|x|" },
	{ "inline:{ a = b, {c = d, e} } x", "inline:{ a = b, {c = d, e} }|x|" },
	{ "{{a b} c}", "{a b} c|" },
	{ "{}", "|" },
	{ "{ }", "|" },
	{ "{a}b c", "{a}b|c|" },
	{ "{a", "!{a" },
	{ "x, {a b", "x|! {a b" },
	{ "a} b", "!a} b" },
	{ "x {a}} b", "x|! {a}} b" }
};

static void
split_elements(void)
{
	const char *list, *element;
	struct str joined;
	size_t i, len;
	int more;

	str_init(&joined);
	for (i = 0; i < sizeof(elements) / sizeof(elements[0]); i++) {
		str_reset(&joined);
		list = elements[i].list;
		while ((more = list_next_element(&list, &element, &len)) > 0)
			str_printf(&joined, "%.*s|", (int)len, element);
		if (more < 0)
			str_printf(&joined, "!%s", list + (list[0] == ','));
		is_mem(joined.s, joined.len, elements[i].joined,
		    strlen(elements[i].joined), elements[i].list);
	}
	str_free(&joined);
}

int
main(void)
{
	unsigned char raw[16];
	const char *bad;
	size_t i, len;
	char name[200];

	split();
	split_elements();
	for (i = 0; i < sizeof(domains) / sizeof(domains[0]); i++)
		ok(list_has_domain(domains[i].list, domains[i].domain) ==
		    domains[i].in, "\"%s\" in \"%s\"", domains[i].domain,
		    domains[i].list);
	for (i = 0; i < sizeof(networks) / sizeof(networks[0]); i++) {
		int family = strchr(networks[i].address, ':') != NULL ?
		    AF_INET6 : AF_INET;

		(void)inet_pton(family, networks[i].address, raw);
		(void)snprintf(name, sizeof(name), "%s in \"%s\"",
		    networks[i].address, networks[i].list);
		is_int(list_has_network(networks[i].list, family, raw, &bad,
		    &len), networks[i].in, name);
	}
	(void)list_has_network("10.0.0.1, non/sense x", AF_INET, raw, &bad,
	    &len);
	is_mem(bad, len, LIT("non/sense"), "the bad entry is named");
	return tap_done();
}
