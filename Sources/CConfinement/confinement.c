#include "confinement.h"

#include "../CLinux/shims.h"

#include <string.h>

const char salvor_confined_argument[] = "--confined";

static const uint64_t address_bytes = (uint64_t)4 << 30;

__attribute__((constructor)) static void become_confined(int count, char **arguments) {
    if (count < 2 || strcmp(arguments[1], salvor_confined_argument) != 0) return;
    if (count < 3) _exit(64);
    if (salvor_no_new_privileges() != 0 || salvor_own_mounts() != 0 || salvor_drop_capabilities() != 0
        || salvor_limit_memory(address_bytes) != 0 || salvor_filter_system_calls() != 0)
        _exit(71);
    execvp(arguments[2], arguments + 2);
    _exit(errno == ENOENT ? 127 : 126);
}
