/* Files with secrets: found by path or as a systemd credential, refused when open to others. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "keys/file.h"

enum { FILE_MAX = 16384 };

/* The path of "credential:NAME", else the file as it was named. */
static const char *
find_path(const char *file, char path[4096])
{
	const char *name = strrchr(file, '/'), *folder = getenv("CREDENTIALS_DIRECTORY");

	name = name ? name + 1 : file;
	if (strncmp(name, "credential:", 11) != 0)
		return file;
	snprintf(path, 4096, "%s/%s", folder ? folder : "", name + 11);
	return path;
}

static const char *
words_for(int error)
{
	switch (error) {
	case ENOENT:
		return "does not exist";
	case EACCES:
	case EPERM:
		return "may not be read by this user";
	default:
		return "cannot be read";
	}
}

static const char *
judge(int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return words_for(errno);
	if (!S_ISREG(st.st_mode))
		return "is not a file";
	if (st.st_mode & (S_IROTH | S_IWOTH))
		return "is open to all users: chmod o-rw it";
	if (st.st_size > FILE_MAX)
		return "is too long for a key";
	return NULL;
}

static const char *
read_all(int fd, struct slice *out)
{
	uint8_t *p = calloc(1, FILE_MAX);
	size_t n = 0;
	ssize_t got;

	if (!p)
		return "does not fit into memory";
	while ((got = read(fd, p + n, FILE_MAX - n)) > 0)
		n += (size_t)got;
	*out = slice_of(p, n);
	if (got == 0)
		return NULL;
	keys_file_wipe(*out);
	return words_for(errno);
}

const char *
keys_file_read(const char *file, struct slice *out)
{
	char path[4096];
	const char *wrong;
	int fd = open(find_path(file, path), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return words_for(errno);
	wrong = judge(fd);
	if (!wrong)
		wrong = read_all(fd, out);
	close(fd);
	return wrong;
}

void
keys_file_wipe(struct slice octets)
{
	uint8_t *p = (uint8_t *)(uintptr_t)octets.p; /* ours: read_all made it */

	explicit_bzero(p, octets.n);
	free(p);
}
