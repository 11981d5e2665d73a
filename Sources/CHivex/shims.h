#ifndef SALVOR_CHIVEX_SHIMS_H
#define SALVOR_CHIVEX_SHIMS_H

#include <hivex.h>
#include <sys/syscall.h>
#include <unistd.h>

// A file that has no name and is gone with its descriptor: libhivex reads hives from paths alone. 1 is MFD_CLOEXEC; the
// call itself stands behind _GNU_SOURCE.
static inline int salvor_memory_file(const char *name) {
    return (int)syscall(SYS_memfd_create, name, 1U);
}

#endif
