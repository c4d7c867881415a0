/* SPDX-License-Identifier: MIT
 *
 * SHA-256 by the examples of FIPS 180-4 and of NIST's CAVP.
 */
#include "port/files/sha256.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void digests(const void *data, size_t n, const char *expected)
{
    uint8_t digest[DQ_SHA256_BYTES];
    char hex[2 * DQ_SHA256_BYTES + 1];
    dq_sha256(data, n, digest);
    for (size_t i = 0; i < DQ_SHA256_BYTES; i++) (void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    assert_string_equal(hex, expected);
}

static void test_examples(void **state)
{
    (void)state;
    digests("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    digests("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    digests("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    digests("\xbd", 1, "68325720aabd7c82f30f554b313d0570c95accbb7dc4b5aae11204c08ffe732b");
}

static void test_a_million(void **state)
{
    (void)state;
    char *a = malloc(1000000);
    assert_non_null(a);
    memset(a, 'a', 1000000);
    digests(a, 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_examples), cmocka_unit_test(test_a_million)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
