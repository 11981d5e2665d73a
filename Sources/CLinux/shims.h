#ifndef SALVOR_CLINUX_SHIMS_H
#define SALVOR_CLINUX_SHIMS_H

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/dm-ioctl.h>
#include <linux/filter.h>
#include <linux/msdos_fs.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <stddef.h>
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

// A file that has no name, lies in memory and is gone with its last descriptor. 1 is MFD_CLOEXEC.
static inline int salvor_memory_file(const char *name) {
    return (int)syscall(SYS_memfd_create, name, 1U);
}

// Opens `path`, names alone, below `directory`: no "..", no link of any kind, no other mount. `mode` is of a file that is
// made. Returns a descriptor, or -1 with errno.
static inline int salvor_open_beneath(int directory, const char *path, uint64_t flags, uint64_t mode) {
    struct open_how how = {
        .flags = flags,
        .mode = mode,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
    };
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

// From here on neither this process nor what it starts can gain rights: set-user-ID programs run as their caller.
static inline int salvor_no_new_privileges(void) {
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

// From here on this process has mounts of its own: what it mounts, others see only below a directory that is shared. 0x20000
// is CLONE_NEWNS; the call's name stands behind _GNU_SOURCE.
static inline int salvor_own_mounts(void) {
    return (int)syscall(SYS_unshare, 0x20000);
}

// Makes a directory a mount, so that what is mounted below it is seen alike in every namespace that has come from this one.
static inline int salvor_share_mounts(const char *path) {
    return mount(path, path, NULL, MS_BIND, NULL) != 0 ? -1 : mount(NULL, path, NULL, MS_SHARED, NULL);
}

// Bounds the address space of this process, and leaves no core of it behind. 0 for success.
static inline int salvor_limit_memory(uint64_t address_bytes) {
    struct rlimit memory = {address_bytes, address_bytes}, none = {0, 0};
    return setrlimit(RLIMIT_AS, &memory) | setrlimit(RLIMIT_CORE, &none);
}

// The same, with seconds of a processor, and a bound on each file: one in memory is a file, too.
static inline int salvor_limit(uint64_t address_bytes, uint64_t processor_seconds) {
    struct rlimit file = {address_bytes, address_bytes}, time = {processor_seconds, processor_seconds + 1};
    return salvor_limit_memory(address_bytes) | setrlimit(RLIMIT_CPU, &time) | setrlimit(RLIMIT_FSIZE, &file);
}

// Takes from what this process executes next every capability but those that mounting by FUSE takes, opening devices, and
// ntfs-3g's own dropping of its groups.
static inline int salvor_drop_capabilities(void) {
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++) {
        if (capability == CAP_SYS_ADMIN || capability == CAP_DAC_OVERRIDE || capability == CAP_SETGID
            || capability == CAP_SETUID)
            continue;
        // Whoever has no right to drop has none to lose.
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno != EPERM) return -1;
    }
    return 0;
}

// System calls that no program needs that reads a disk and answers FUSE: they fail with EPERM from here on, on another
// architecture's numbers all of them.
static inline int salvor_filter_system_calls(void) {
#define SALVOR_DENY(call) \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##call, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
#if defined(__x86_64__)
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
#else
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_AARCH64, 1, 0),
#endif
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        SALVOR_DENY(socket), SALVOR_DENY(socketpair), SALVOR_DENY(ptrace), SALVOR_DENY(process_vm_readv),
        SALVOR_DENY(process_vm_writev), SALVOR_DENY(init_module), SALVOR_DENY(finit_module), SALVOR_DENY(delete_module),
        SALVOR_DENY(kexec_load), SALVOR_DENY(kexec_file_load), SALVOR_DENY(bpf), SALVOR_DENY(perf_event_open),
        SALVOR_DENY(unshare), SALVOR_DENY(setns), SALVOR_DENY(pivot_root), SALVOR_DENY(chroot), SALVOR_DENY(reboot),
        SALVOR_DENY(swapon), SALVOR_DENY(swapoff), SALVOR_DENY(keyctl), SALVOR_DENY(add_key), SALVOR_DENY(request_key),
        SALVOR_DENY(userfaultfd), SALVOR_DENY(io_uring_setup), SALVOR_DENY(open_by_handle_at), SALVOR_DENY(kcmp),
        SALVOR_DENY(settimeofday), SALVOR_DENY(clock_settime), SALVOR_DENY(sethostname), SALVOR_DENY(setdomainname),
        SALVOR_DENY(mknodat),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
#undef SALVOR_DENY
    struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

// glibc gives each thread that allocates an arena of its own, up to eight a processor, and gives little of it back.
static inline void salvor_few_arenas(void) {
    mallopt(M_ARENA_MAX, 2);
}

// FAT keeps a file's attributes, and no more: FILE_ATTRIBUTE_* bits. 0 for success.
static inline int salvor_fat_attributes(int descriptor, uint32_t *attributes) {
    return ioctl(descriptor, FAT_IOCTL_GET_ATTRIBUTES, attributes);
}

static inline int salvor_set_fat_attributes(int descriptor, uint32_t attributes) {
    return ioctl(descriptor, FAT_IOCTL_SET_ATTRIBUTES, &attributes);
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
