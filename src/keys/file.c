/* Files with secrets: read whole, refused when open to others. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "keys/file.h"

enum { FILE_MAX = 16384 };

static const char *
words_for(int error)
{
	switch (error) {
	case ENOENT:
		return "does not exist; `rspctl pki make-test` makes all that a test needs";
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
	const char *wrong;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

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
