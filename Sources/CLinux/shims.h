#ifndef SALVOR_CLINUX_SHIMS_H
#define SALVOR_CLINUX_SHIMS_H

#include <errno.h>
#include <linux/dm-ioctl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

// Swift calls no variadic function, glibc wraps no openat2, and Swift's Glibc module is built without _GNU_SOURCE.

// O_PATH: a descriptor that only names a place.
static const int salvor_path_only = 010000000;

// A pipe whose ends no child inherits.
static inline int salvor_pipe(int ends[2]) {
    return (int)syscall(SYS_pipe2, ends, 02000000);
}

// Opens `path`, names alone, below `directory`: no "..", no link of any kind, no other mount.
// Returns a descriptor, or -1 with errno.
static inline int salvor_open_beneath(int directory, const char *path, uint64_t flags) {
    struct open_how how = {
        .flags = flags,
        .mode = 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
    };
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

// From here on neither this process nor what it starts can gain rights: set-user-ID programs run as their caller.
static inline int salvor_no_new_privileges(void) {
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

// Bounds what this process may take: bytes of address space and of a file, seconds of a processor. 0 for success.
static inline int salvor_limit(uint64_t address_bytes, uint64_t processor_seconds) {
    struct rlimit memory = {address_bytes, address_bytes}, time = {processor_seconds, processor_seconds + 1}, none = {0, 0};
    // A file in memory is a file.
    return setrlimit(RLIMIT_AS, &memory) | setrlimit(RLIMIT_CPU, &time) | setrlimit(RLIMIT_FSIZE, &memory)
        | setrlimit(RLIMIT_CORE, &none);
}

// Writes out and forgets what the kernel holds of a block device, so that the next read comes from the device.
static inline int salvor_flush_block_device(int descriptor) {
    return ioctl(descriptor, BLKFLSBUF, 0);
}

// Unmounts without following a link at `path`; `lazily` only takes it out of sight.
static inline int salvor_unmount(const char *path, int lazily) {
    return umount2(path, UMOUNT_NOFOLLOW | (lazily ? MNT_DETACH : 0));
}

// Makes a hole: the bytes read as zero and take no space. The file keeps its length.
static inline int salvor_punch_hole(int descriptor, int64_t offset, int64_t length) {
    return (int)syscall(SYS_fallocate, descriptor, 0x3 /* FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE */, offset, length);
}

// Shares the whole content of `source`, where the file system can.
static inline int salvor_clone_file(int descriptor, int source) {
    return ioctl(descriptor, _IOW(0x94, 9, int) /* FICLONE */, source);
}

// Copies inside the kernel, between the same offsets of both files. Returns the bytes copied, or -1 with errno.
static inline int64_t salvor_copy_range(int source, int target, int64_t offset, int64_t count) {
    int64_t from = offset, to = offset;
    return syscall(SYS_copy_file_range, source, &from, target, &to, (size_t)count, 0u);
}

// The next byte at or after `offset` that is not in a hole, or the next hole. -1 with ENXIO past the last data.
static inline int64_t salvor_seek_data(int descriptor, int64_t offset) {
    return lseek(descriptor, offset, 3 /* SEEK_DATA */);
}

static inline int64_t salvor_seek_hole(int descriptor, int64_t offset) {
    return lseek(descriptor, offset, 4 /* SEEK_HOLE */);
}

// Device mapper: one request, in a buffer that begins with a struct dm_ioctl.
static const unsigned long salvor_dm_create = DM_DEV_CREATE;
static const unsigned long salvor_dm_load = DM_TABLE_LOAD;
static const unsigned long salvor_dm_resume = DM_DEV_SUSPEND;
static const unsigned long salvor_dm_remove = DM_DEV_REMOVE;
static inline int salvor_device_mapper(int control, unsigned long request, void *buffer) {
    return ioctl(control, request, buffer);
}

#endif
