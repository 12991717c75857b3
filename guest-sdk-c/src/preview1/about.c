// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What is known of files that are open, and changing it.
#include <string.h>

#include "about.h"
#include "files.h"

static __wasi_timestamp_t nanoseconds(const wasi_filesystem_types_option_datetime_t *time)
{
	return time->is_some ? time->val.seconds * 1000000000ULL + time->val.nanoseconds : 0;
}

void wb_fill_filestat(__wasi_filestat_t *to, const wasi_filesystem_types_descriptor_stat_t *from,
		      const wasi_filesystem_types_metadata_hash_value_t *hash)
{
	memset(to, 0, sizeof(*to));
	// WASI does not tell which file it is; files that are the same have the same of this.
	to->dev = 1;
	to->ino = hash->lower;
	to->filetype = wb_file_type(from->type);
	to->nlink = from->link_count;
	to->size = from->size;
	to->atim = nanoseconds(&from->data_access_timestamp);
	to->mtim = nanoseconds(&from->data_modification_timestamp);
	to->ctim = nanoseconds(&from->status_change_timestamp);
}

int32_t P1(fd_filestat_get)(int32_t fd, __wasi_filestat_t *about)
{
	const struct wb_file *file = wb_file_at(fd);
	wasi_filesystem_types_metadata_hash_value_t hash;
	wasi_filesystem_types_descriptor_stat_t found;
	wasi_filesystem_types_error_code_t error;

	if (!file)
		return __WASI_ERRNO_BADF;
	if (file->kind != WB_FILE_OPEN) {
		memset(about, 0, sizeof(*about));
		return __WASI_ERRNO_SUCCESS;
	}
	if (!wasi_filesystem_types_method_descriptor_stat(wb_descriptor(file), &found, &error) ||
	    !wasi_filesystem_types_method_descriptor_metadata_hash(wb_descriptor(file), &hash, &error))
		return wb_file_errno(error);
	wb_fill_filestat(about, &found, &hash);
	return __WASI_ERRNO_SUCCESS;
}

int32_t P1(fd_filestat_set_size)(int32_t fd, int64_t size)
{
	const struct wb_file *file = wb_opened(fd);
	wasi_filesystem_types_error_code_t error;

	return file ? wb_done(wasi_filesystem_types_method_descriptor_set_size(wb_descriptor(file), size, &error), &error) : __WASI_ERRNO_BADF;
}

bool wb_new_time(wasi_filesystem_types_new_timestamp_t *time, int64_t value, bool set, bool now)
{
	if (set && now)
		return false;
	time->tag = set ? WASI_FILESYSTEM_TYPES_NEW_TIMESTAMP_TIMESTAMP
			: now ? WASI_FILESYSTEM_TYPES_NEW_TIMESTAMP_NOW : WASI_FILESYSTEM_TYPES_NEW_TIMESTAMP_NO_CHANGE;
	time->val.timestamp.seconds = (uint64_t)value / 1000000000;
	time->val.timestamp.nanoseconds = (uint64_t)value % 1000000000;
	return true;
}

int32_t P1(fd_filestat_set_times)(int32_t fd, int64_t access, int64_t modification, int32_t flags)
{
	const struct wb_file *file = wb_opened(fd);
	wasi_filesystem_types_new_timestamp_t times[2];
	wasi_filesystem_types_error_code_t error;

	if (!file)
		return __WASI_ERRNO_BADF;
	if (!wb_new_time(&times[0], access, flags & __WASI_FSTFLAGS_ATIM, flags & __WASI_FSTFLAGS_ATIM_NOW) ||
	    !wb_new_time(&times[1], modification, flags & __WASI_FSTFLAGS_MTIM, flags & __WASI_FSTFLAGS_MTIM_NOW))
		return __WASI_ERRNO_INVAL;
	return wb_done(wasi_filesystem_types_method_descriptor_set_times(wb_descriptor(file), &times[0], &times[1], &error), &error);
}

int32_t P1(fd_sync)(int32_t fd)
{
	const struct wb_file *file = wb_opened(fd);
	wasi_filesystem_types_error_code_t error;

	if (!file)
		return wb_file_at(fd) ? __WASI_ERRNO_INVAL : __WASI_ERRNO_BADF;
	return wb_done(wasi_filesystem_types_method_descriptor_sync(wb_descriptor(file), &error), &error);
}

int32_t P1(fd_datasync)(int32_t fd)
{
	const struct wb_file *file = wb_opened(fd);
	wasi_filesystem_types_error_code_t error;

	if (!file)
		return wb_file_at(fd) ? __WASI_ERRNO_INVAL : __WASI_ERRNO_BADF;
	return wb_done(wasi_filesystem_types_method_descriptor_sync_data(wb_descriptor(file), &error), &error);
}

// The kinds of advice have the same order in both.
int32_t P1(fd_advise)(int32_t fd, int64_t offset, int64_t length, int32_t advice)
{
	const struct wb_file *file = wb_opened(fd);
	wasi_filesystem_types_error_code_t error;

	if (!file)
		return wb_file_at(fd) ? __WASI_ERRNO_SPIPE : __WASI_ERRNO_BADF;
	if (advice < __WASI_ADVICE_NORMAL || advice > __WASI_ADVICE_NOREUSE)
		return __WASI_ERRNO_INVAL;
	return wb_done(wasi_filesystem_types_method_descriptor_advise(wb_descriptor(file), offset, length, advice, &error), &error);
}

// WASI 0.2 does not have it.
int32_t P1(fd_allocate)(int32_t fd, int64_t offset, int64_t length)
{
	(void)offset;
	(void)length;
	return wb_file_at(fd) ? __WASI_ERRNO_NOTSUP : __WASI_ERRNO_BADF;
}

_Static_assert(__WASI_ADVICE_NORMAL == WASI_FILESYSTEM_TYPES_ADVICE_NORMAL, "kinds of advice");
_Static_assert(__WASI_ADVICE_NOREUSE == WASI_FILESYSTEM_TYPES_ADVICE_NO_REUSE, "kinds of advice");
