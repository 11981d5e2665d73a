#ifndef SALVOR_COPENSSL_SHIMS_H
#define SALVOR_COPENSSL_SHIMS_H

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

// Swift imports functions, not macros: one static inline here for each macro that Salvor needs.

#endif
