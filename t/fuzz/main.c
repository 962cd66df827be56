/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Gives a fuzz target the files it is called with, and those in directories:
 * a main for compilers without libFuzzer. */
#include <dirent.h>
#include <err.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "fuzz.h"

static unsigned replayed;

/* In memory of just its size, so that a sanitizer sees the end. */
static void
replay_file(const char *path, size_t size)
{
	uint8_t *buf = malloc(size > 0 ? size : 1);
	FILE *f = fopen(path, "rb");

	if (buf == NULL || f == NULL || fread(buf, 1, size, f) != size)
		err(EX_NOINPUT, "%s", path);
	(void)fclose(f);
	(void)fprintf(stderr, "# %s\n", path);
	(void)LLVMFuzzerTestOneInput(buf, size);
	free(buf);
	replayed++;
}

static void
replay(const char *path)
{
	struct dirent *entry;
	struct stat st;
	char *name;
	DIR *dir;

	if (stat(path, &st) != 0)
		err(EX_NOINPUT, "%s", path);
	if (!S_ISDIR(st.st_mode)) {
		replay_file(path, (size_t)st.st_size);
		return;
	}
	dir = opendir(path);
	if (dir == NULL)
		err(EX_NOINPUT, "%s", path);
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (asprintf(&name, "%s/%s", path, entry->d_name) < 0)
			err(EX_OSERR, "%s", path);
		replay(name);
		free(name);
	}
	(void)closedir(dir);
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	(void)printf("%u inputs\n", replayed);
	return replayed > 0 ? EX_OK : EX_NOINPUT;
}
