#ifndef SALVOR_CHIVEX_SHIMS_H
#define SALVOR_CHIVEX_SHIMS_H

#include <hivex.h>
#endif
