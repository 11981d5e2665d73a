#ifndef SALVOR_CZLIB_SHIMS_H
#define SALVOR_CZLIB_SHIMS_H

#include <zlib.h>

// deflateInit2 and inflateInit2 are macros over these, with the header's version and size filled in.
static inline int salvor_deflate_init2(z_stream *stream, int level, int window_bits, int memory_level) {
    return deflateInit2(stream, level, Z_DEFLATED, window_bits, memory_level, Z_DEFAULT_STRATEGY);
}

static inline int salvor_inflate_init2(z_stream *stream, int window_bits) {
    return inflateInit2(stream, window_bits);
}

#endif
