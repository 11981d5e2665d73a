#pragma once

// glibc's own header is not part of Swift's Glibc module.
#include <sys/pidfd.h>
