#ifndef SALVOR_COPENSSL_SHIMS_H
#define SALVOR_COPENSSL_SHIMS_H

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

// Swift imports functions, not macros: one static inline here for each macro that Salvor needs.

// TLS contexts and connections.
static inline int salvor_SSL_CTX_set_min_proto_version(SSL_CTX *context, int version) {
    return (int)SSL_CTX_set_min_proto_version(context, version);
}
static inline int salvor_SSL_CTX_set_max_proto_version(SSL_CTX *context, int version) {
    return (int)SSL_CTX_set_max_proto_version(context, version);
}
static inline long salvor_SSL_CTX_set_mode(SSL_CTX *context, long mode) {
    return SSL_CTX_set_mode(context, mode);
}
static inline long salvor_SSL_CTX_set_session_cache_mode(SSL_CTX *context, long mode) {
    return SSL_CTX_set_session_cache_mode(context, mode);
}
static inline long salvor_SSL_CTX_set_max_cert_list(SSL_CTX *context, long bytes) {
    return SSL_CTX_set_max_cert_list(context, bytes);
}
static inline int salvor_SSL_CTX_add1_chain_cert(SSL_CTX *context, X509 *certificate) {
    return (int)SSL_CTX_add1_chain_cert(context, certificate);
}
static inline void salvor_SSL_CTX_report_unexpected_eof(SSL_CTX *context) {
    SSL_CTX_clear_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
}

// A BIO of our own.
static inline void salvor_BIO_clear_retry_flags(BIO *bio) {
    BIO_clear_retry_flags(bio);
}
static inline void salvor_BIO_set_retry_read(BIO *bio) {
    BIO_set_retry_read(bio);
}

// Stacks are typed by macros.
static inline int salvor_sk_X509_num(const STACK_OF(X509) *stack) {
    return sk_X509_num(stack);
}
static inline X509 *salvor_sk_X509_value(const STACK_OF(X509) *stack, int index) {
    return sk_X509_value(stack, index);
}
static inline STACK_OF(X509) *salvor_sk_X509_new_null(void) {
    return sk_X509_new_null();
}
static inline int salvor_sk_X509_push(STACK_OF(X509) *stack, X509 *certificate) {
    return sk_X509_push(stack, certificate);
}
// Frees the stack, not what it holds.
static inline void salvor_sk_X509_free(STACK_OF(X509) *stack) {
    sk_X509_free(stack);
}
static inline void salvor_X509_EXTENSIONS_free(X509_EXTENSIONS *extensions) {
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}

// Alternative names: a union behind a typed stack, which Swift imports badly twice over.
static inline int salvor_GENERAL_NAMES_count(const GENERAL_NAMES *names) {
    return sk_GENERAL_NAME_num(names);
}
// The text of name `index` when it is a URI, not terminated by a zero; NULL when it is of another kind.
static inline const unsigned char *salvor_GENERAL_NAMES_uri(const GENERAL_NAMES *names, int index, int *length) {
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, index);
    if (name == NULL || name->type != GEN_URI) {
        return NULL;
    }
    *length = ASN1_STRING_length(name->d.uniformResourceIdentifier);
    return ASN1_STRING_get0_data(name->d.uniformResourceIdentifier);
}
// Adds a name: a URI (GEN_URI) or host (GEN_DNS) as text, an address (GEN_IPADD) as 4 or 16 bytes. 0 without memory.
static inline int salvor_GENERAL_NAMES_add(GENERAL_NAMES *names, int type, const unsigned char *bytes, int length) {
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_STRING *value = type == GEN_IPADD ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
    if (name == NULL || value == NULL || !ASN1_STRING_set(value, bytes, length)) {
        GENERAL_NAME_free(name);
        ASN1_STRING_free(value);
        return 0;
    }
    GENERAL_NAME_set0_value(name, type, value);
    if (!sk_GENERAL_NAME_push(names, name)) {
        GENERAL_NAME_free(name);
        return 0;
    }
    return 1;
}
// Adds to a request the extension that asks for these names.
static inline int salvor_X509_REQ_add_subject_alt_names(X509_REQ *request, GENERAL_NAMES *names) {
    STACK_OF(X509_EXTENSION) *extensions = NULL;
    int added = X509V3_add1_i2d(&extensions, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1
        && X509_REQ_add_extensions(request, extensions) == 1;
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    return added;
}

// Keys and certificates.
static inline EVP_PKEY *salvor_EVP_RSA_gen(unsigned int bits) {
    return EVP_RSA_gen(bits);
}
// An RSA key from its numbers: n and e alone, or d, both primes, their exponents and the coefficient behind them. NULL for
// numbers that are no key. The names stay in memory for as long as the builder points at them.
static inline EVP_PKEY *salvor_EVP_RSA_from_numbers(BIGNUM *const *numbers, int count) {
    static const char *const names[] = {
        "n", "e", "d", "rsa-factor1", "rsa-factor2", "rsa-exponent1", "rsa-exponent2", "rsa-coefficient1",
    };
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    OSSL_PARAM *parameters = NULL;
    EVP_PKEY *key = NULL;
    int good = builder != NULL && context != NULL && (count == 2 || count == 8);
    for (int index = 0; good && index < count; index++) {
        good = OSSL_PARAM_BLD_push_BN(builder, names[index], numbers[index]);
    }
    if (good && (parameters = OSSL_PARAM_BLD_to_param(builder)) != NULL && EVP_PKEY_fromdata_init(context) == 1) {
        EVP_PKEY_fromdata(context, &key, count == 8 ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, parameters);
    }
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    EVP_PKEY_CTX_free(context);
    return key;
}
static inline EVP_PKEY *salvor_EVP_EC_gen(const char *curve) {
    return EVP_EC_gen(curve);
}
static inline void salvor_X509V3_set_ctx(X509V3_CTX *context, X509 *issuer, X509 *subject) {
    X509V3_set_ctx_nodb(context);
    X509V3_set_ctx(context, issuer, subject, NULL, NULL, 0);
}

#endif
