// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// needs: --dir /proc --dir /etc --dir /tmp
// Files of folders that were given: Linux' flags and numbers, paths that fds remember (so that they can be capabilities), the
// machine's own files.
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <mntent.h>
#include <pwd.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "check.h"
#include "../src/paths.h"

#define CHECK_FAILS(call, number) \
	do { \
		errno = 0; \
		CHECK_IS(call, -1); \
		CHECK_IS(errno, number); \
	} while (0)

static char folder[] = "/tmp/wasm-bpf-files-XXXXXX";

static const char *in_folder(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void test_flags(void)
{
	const char *path = in_folder("file");
	char text[16];
	int fd;

	CHECK_IS(O_CREAT, 0100);
	CHECK_IS(O_DIRECTORY, 0200000);
	CHECK_FAILS(open(path, O_RDWR), ENOENT);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	CHECK_IS(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	CHECK_IS(write(fd, "0123456789", 10), 10);
	CHECK_IS(lseek(fd, 0, SEEK_SET), 0);
	CHECK_IS(read(fd, text, sizeof(text)), 10);
	CHECK_IS(pread(fd, text, 3, 7), 3);
	CHECK(!memcmp(text, "789", 3));
	CHECK_IS(close(fd), 0);
	CHECK_FAILS(open(path, O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
	fd = open(path, O_WRONLY | O_APPEND);
	CHECK_IS(fcntl(fd, F_GETFL), O_WRONLY | O_APPEND);
	CHECK_IS(write(fd, "a", 1), 1);
	CHECK_FAILS(read(fd, text, 1), EBADF);
	CHECK_IS(close(fd), 0);
	fd = open(path, O_RDONLY);
	CHECK_IS(lseek(fd, 0, SEEK_END), 11);
	CHECK_FAILS(write(fd, "a", 1), EBADF);
	CHECK_IS(close(fd), 0);
	fd = open(path, O_RDWR | O_TRUNC);
	CHECK_IS(lseek(fd, 0, SEEK_END), 0);
	CHECK_IS(close(fd), 0);
	CHECK_FAILS(open(path, O_RDONLY | O_DIRECTORY), ENOTDIR);
	CHECK_FAILS(open(folder, O_RDWR | O_TMPFILE, 0600), EOPNOTSUPP);
	fd = creat(path, 0600);
	CHECK(fd >= 0);
	CHECK_IS(close(fd), 0);
	CHECK_FAILS(close(fd), EBADF);
	CHECK_FAILS(fcntl(fd, F_GETFD), EBADF);
}

static void test_paths(void)
{
	int directory, fd, other;
	DIR *listed;
	FILE *stream;

	CHECK_IS(mkdir(in_folder("sub"), 0700), 0);
	directory = open(in_folder("sub"), O_RDONLY | O_DIRECTORY);
	CHECK(directory >= 0);
	CHECK_TEXT(wb_path_of(directory), in_folder("sub"));
	fd = openat(directory, "inside", O_RDWR | O_CREAT, 0600);
	CHECK(fd >= 0);
	CHECK_TEXT(wb_path_of(fd), in_folder("sub/inside"));
	other = openat(AT_FDCWD, in_folder("sub/inside"), O_RDONLY);
	CHECK_TEXT(wb_path_of(other), in_folder("sub/inside"));
	CHECK_IS(close(fd), 0);
	CHECK(!wb_path_of(fd));
	// The number is another file's now.
	stream = fopen(in_folder("stream"), "w");
	CHECK(stream);
	CHECK_IS(fileno(stream), fd);
	CHECK_TEXT(wb_path_of(fd), in_folder("stream"));
	CHECK_IS(fclose(stream), 0);
	CHECK(!wb_path_of(fd));
	listed = opendir(in_folder("sub"));
	CHECK(listed);
	CHECK_TEXT(wb_path_of(dirfd(listed)), in_folder("sub"));
	CHECK_IS(closedir(listed), 0);
	CHECK(!wb_path_of(0) && !wb_path_of(-1) && !wb_path_of(1000));

	// Relative to a folder, and to the working directory.
	CHECK_IS(chdir(folder), 0);
	fd = open("sub/inside", O_RDONLY);
	CHECK(fd >= 0);
	CHECK_TEXT(wb_path_of(fd), in_folder("sub/inside"));
	CHECK_IS(close(fd), 0);
	CHECK_IS(close(other), 0);

	// A folder can be duplicated, a file cannot.
	fd = dup(directory);
	CHECK(fd >= 0 && fd != directory);
	CHECK_TEXT(wb_path_of(fd), in_folder("sub"));
	CHECK_IS(close(fd), 0);
	CHECK_FAILS(dup(STDOUT_FILENO), EOPNOTSUPP);
	CHECK_IS(dup2(directory, directory), directory);
	CHECK_FAILS(dup2(directory, 1), EOPNOTSUPP);
	CHECK_FAILS(dup2(1234, 1), EBADF);
	CHECK_FAILS(dup3(directory, directory, 0), EINVAL);
	CHECK_IS(close(directory), 0);
}

// A path opened once more, as what the interface takes.
static void test_capabilities(void)
{
	wasi_filesystem_types_own_descriptor_t descriptor;
	wasi_filesystem_types_descriptor_type_t type;
	wasi_filesystem_types_error_code_t code;
	int fd;

	CHECK_IS(wb_open_path("/etc/passwd", &descriptor), 0);
	CHECK(wasi_filesystem_types_method_descriptor_get_type(wasi_filesystem_types_borrow_descriptor(descriptor), &type, &code));
	CHECK_IS(type, WASI_FILESYSTEM_TYPES_DESCRIPTOR_TYPE_REGULAR_FILE);
	wasi_filesystem_types_descriptor_drop_own(descriptor);
	// The folder itself, and one that is reached from another.
	CHECK_IS(wb_open_path("/etc", &descriptor), 0);
	wasi_filesystem_types_descriptor_drop_own(descriptor);
	CHECK_IS(wb_open_path("/etc/../proc/./sys/kernel/../..", &descriptor), 0);
	CHECK(wasi_filesystem_types_method_descriptor_get_type(wasi_filesystem_types_borrow_descriptor(descriptor), &type, &code));
	CHECK_IS(type, WASI_FILESYSTEM_TYPES_DESCRIPTOR_TYPE_DIRECTORY);
	wasi_filesystem_types_descriptor_drop_own(descriptor);
	CHECK_ERR(wb_open_path("/usr/bin/env", &descriptor), ENOENT);
	CHECK_ERR(wb_open_path("/etcetera", &descriptor), ENOENT);
	CHECK_ERR(wb_open_path("/etc/nosuchfile", &descriptor), ENOENT);
	CHECK_ERR(wb_open_path("", &descriptor), ENOENT);
	CHECK_ERR(wb_open_path("/etc/passwd/x", &descriptor), ENOTDIR);

	fd = open(folder, O_RDONLY | O_DIRECTORY);
	CHECK_IS(wb_open_path_of(fd, &descriptor), 0);
	wasi_filesystem_types_descriptor_drop_own(descriptor);
	CHECK_IS(close(fd), 0);
	CHECK_ERR(wb_open_path_of(fd, &descriptor), EBADF);
	CHECK_ERR(wb_open_path_of(STDIN_FILENO, &descriptor), EBADF);
}

static void test_at(void)
{
	int directory = open(folder, O_RDONLY | O_DIRECTORY);
	struct stat status;
	char text[64];

	CHECK_IS(AT_FDCWD, -100);
	CHECK_IS(mkdirat(directory, "d", 0700), 0);
	CHECK_IS(symlinkat("d", directory, "link"), 0);
	CHECK_IS(readlinkat(directory, "link", text, sizeof(text)), 1);
	CHECK_IS(fstatat(directory, "link", &status, 0), 0);
	CHECK(S_ISDIR(status.st_mode));
	CHECK_IS(fstatat(directory, "link", &status, AT_SYMLINK_NOFOLLOW), 0);
	CHECK(S_ISLNK(status.st_mode) && !S_ISFIFO(status.st_mode));
	CHECK_IS(faccessat(directory, "d", F_OK, 0), 0);
	CHECK_IS(renameat(directory, "d", AT_FDCWD, in_folder("e")), 0);
	CHECK_FAILS(unlinkat(directory, "e", 0), EISDIR);
	CHECK_IS(unlinkat(directory, "e", AT_REMOVEDIR), 0);
	CHECK_IS(unlinkat(AT_FDCWD, in_folder("link"), 0), 0);
	CHECK_FAILS(fstatat(AT_FDCWD, in_folder("e"), &status, 0), ENOENT);
	CHECK_IS(close(directory), 0);
}

static void test_temporary(void)
{
	char pattern[128], bad[] = "/tmp/XXXX";
	FILE *stream;
	int fd;

	snprintf(pattern, sizeof(pattern), "%s/tXXXXXX", folder);
	fd = mkstemp(pattern);
	CHECK(fd >= 0 && !strstr(pattern, "XXXXXX"));
	CHECK_IS(close(fd), 0);
	CHECK_IS(unlink(pattern), 0);
	CHECK_FAILS(mkstemp(bad), EINVAL);
	stream = tmpfile();
	CHECK(stream);
	CHECK(fputs("kept", stream) >= 0);
	rewind(stream);
	CHECK(fgets(pattern, sizeof(pattern), stream));
	CHECK_TEXT(pattern, "kept");
	CHECK_IS(fclose(stream), 0);
}

static void test_machine(void)
{
	struct utsname names;
	struct sysinfo info;
	struct passwd *user, room, *found;
	struct group *group;
	struct mntent *entry;
	char line[256], host[65], text[128];
	double loads[3];
	bool has_proc = false;
	FILE *stream;

	// With --dir /proc as on the machine itself.
	stream = fopen("/proc/sys/kernel/osrelease", "r");
	CHECK(stream && fgets(line, sizeof(line), stream));
	fclose(stream);
	line[strcspn(line, "\n")] = 0;
	CHECK_IS(uname(&names), 0);
	CHECK_TEXT(names.sysname, "Linux");
	CHECK_TEXT(names.release, line);
	CHECK(*names.version && *names.machine);
	CHECK_IS(gethostname(host, sizeof(host)), 0);
	CHECK_TEXT(host, names.nodename);
	CHECK_FAILS(gethostname(host, 1), ENAMETOOLONG);
	CHECK_IS(sysinfo(&info), 0);
	CHECK(info.totalram > 0 && info.mem_unit == 1024 && info.uptime > 0 && info.procs > 0);
	CHECK_IS(getloadavg(loads, 3), 3);

	stream = setmntent("/proc/mounts", "r");
	CHECK(stream);
	while ((entry = getmntent(stream)))
		has_proc |= !strcmp(entry->mnt_dir, "/proc") && !strcmp(entry->mnt_type, "proc") && hasmntopt(entry, "rw") &&
			!hasmntopt(entry, "r");
	CHECK(has_proc);
	CHECK_IS(endmntent(stream), 1);

	user = getpwuid(0);
	CHECK(user);
	CHECK_TEXT(user->pw_name, "root");
	CHECK_TEXT(user->pw_dir, "/root");
	user = getpwnam("daemon");
	CHECK(user && user->pw_uid == 1);
	errno = 0;
	CHECK(!getpwnam("no such user") && !errno);
	CHECK_IS(getpwuid_r(0, &room, text, sizeof(text), &found), 0);
	CHECK(found == &room && !strcmp(room.pw_name, "root"));
	CHECK_IS(getpwuid_r(0, &room, text, 4, &found), ERANGE);
	CHECK(!found);
	group = getgrgid(0);
	CHECK(group);
	CHECK_TEXT(group->gr_name, "root");
	CHECK(getgrnam("daemon") && getgrnam("daemon")->gr_gid == 1);
}

int main(void)
{
	CHECK(mkdtemp(folder));
	test_flags();
	test_paths();
	test_capabilities();
	test_at();
	test_temporary();
	test_machine();

	unlink(in_folder("file"));
	unlink(in_folder("stream"));
	unlink(in_folder("sub/inside"));
	CHECK_IS(rmdir(in_folder("sub")), 0);
	CHECK_IS(rmdir(folder), 0);
	return 0;
}
