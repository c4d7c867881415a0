/* SPDX-License-Identifier: MIT
 *
 * How the client reads an address, and whether it goes through a proxy.
 */
#include "port/http/impl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static dq_http *open_http(const char *address, const char *proxy, const char *no_proxy)
{
    dq_http_config config = DQ_HTTP_DEFAULTS;
    dq_http *http;
    dq_error e = DQ_ERROR_NONE;
    config.address = address;
    config.proxy = proxy;
    config.proxy_from = "http_proxy";
    config.no_proxy = no_proxy;
    if (dq_http_new(&http, &config, &e)) fail_msg("%s: %s", address, e.reason);
    return http;
}

static void test_parts(void **state)
{
    static const struct {
        const char *address, *before, *query, *server, *shown;
    } rows[] = {
        {"http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1", "", "127.0.0.1:8080", "127.0.0.1:8080/v1"},
        {"http://127.0.0.1:8080///", "http://127.0.0.1:8080", "", "127.0.0.1:8080", "127.0.0.1:8080"},
        {"https://api.test", "https://api.test", "", "api.test:443", "api.test:443"},
        {"http://[::1]:11434/v1/", "http://[::1]:11434/v1", "", "[::1]:11434", "[::1]:11434/v1"},
        {"https://n.openai.azure.com/openai/deployments/gpt/?api-version=2024-10-21",
         "https://n.openai.azure.com/openai/deployments/gpt", "?api-version=2024-10-21",
         "n.openai.azure.com:443", "n.openai.azure.com:443/openai/deployments/gpt"},
        {"https://api.test?a=b/c&d=", "https://api.test", "?a=b/c&d=", "api.test:443", "api.test:443"},
        {"https://api.test/v1?", "https://api.test/v1", "", "api.test:443", "api.test:443/v1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        dq_http *http = open_http(rows[i].address, NULL, NULL);
        assert_string_equal(http->address, rows[i].before);
        assert_string_equal(http->query, rows[i].query);
        assert_string_equal(http->server, rows[i].server);
        assert_string_equal(http->shown, rows[i].shown);
        dq_http_free(http);
    }
}

static void test_a_long_path_is_cut_in_messages_alone(void **state)
{
    char address[400] = "http://h/";
    (void)state;
    memset(address + 9, 'p', 300);
    dq_http *http = open_http(address, NULL, NULL);
    assert_int_equal(strlen(http->address), 309);
    assert_int_equal(strlen(http->shown), DQ_HTTP_SHOWN);
    dq_http_free(http);
}

static void test_refused(void **state)
{
    static const char *const bad[] = {"ftp://h/v1",      "h/v1",       "",          "http://",
                                      "http://u:p@h/v1", "http://u@h", "http://h#f"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        dq_http_config config = DQ_HTTP_DEFAULTS;
        dq_http *http;
        dq_error e = DQ_ERROR_NONE;
        config.address = bad[i];
        assert_int_equal(dq_http_new(&http, &config, &e), DQ_ERR_RANGE);
        assert_null(strstr(e.reason, "u:p"));
    }
}

static void test_loopback(void **state)
{
    static const char *const here[] = {
        "127.0.0.1",          "127.8.9.10",  "127.1",   "localhost", "LocalHost.", "[::1]",
        "[::ffff:127.0.0.1]", "a.localhost", "0.0.0.0", "[::]",      "2130706433"};
    static const char *const there[] = {"128.0.0.1",
                                        "10.0.0.1",
                                        "[::2]",
                                        "[2001:db8::1]",
                                        "localhosts",
                                        "mylocalhost",
                                        "127.0.0.1.example.org"};
    (void)state;
    for (size_t i = 0; i < sizeof here / sizeof *here; i++)
        if (!dq_http_is_loopback(here[i])) fail_msg("%s", here[i]);
    for (size_t i = 0; i < sizeof there / sizeof *there; i++)
        if (dq_http_is_loopback(there[i])) fail_msg("%s", there[i]);
}

static void test_no_proxy(void **state)
{
    static const struct {
        const char *list, *host;
        bool listed;
    } rows[] = {
        {"*", "any.org", true},
        {"example.org", "example.org", true},
        {"example.org", "api.example.org", true},
        {".example.org", "api.example.org", true},
        {"EXAMPLE.org.", "api.example.org", true},
        {"example.org", "notexample.org", false},
        {"api.example.org", "example.org", false},
        {"a.org, b.org\tc.org", "b.org", true},
        {"a.org,,c.org", "c.org", true},
        {"a.org b.org", "d.org", false},
        {"10.0.0.1", "10.0.0.1", true},
        {"10.0.0.1", "10.0.0.10", false},
        {"10.0.0.0/8", "10.200.3.4", true},
        {"10.0.0.0/8", "11.0.0.1", false},
        {"192.168.4.0/22", "192.168.7.255", true},
        {"192.168.4.0/22", "192.168.8.0", false},
        {"10.0.0.0/33", "10.0.0.0", false},
        {"0.0.0.0/0", "8.8.8.8", true},
        {"2001:db8::/32", "[2001:db8::5]", true},
        {"[2001:db8::5]", "[2001:db8::5]", true},
        {"2001:db8::/32", "[2001:db9::5]", false},
        {"10.0.0.1", "name.org", false},
        {"", "name.org", false},
        {NULL, "name.org", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (dq_http_is_listed(rows[i].list, rows[i].host) != rows[i].listed)
            fail_msg("%s: %s", rows[i].list, rows[i].host);
}

static void test_the_way(void **state)
{
    static const struct {
        const char *address, *proxy, *no_proxy, *via;
    } rows[] = {
        {"http://api.test/v1", "http://me:secret@p.test:3128", NULL,
         " through the proxy p.test:3128 of http_proxy"},
        {"http://api.test/v1", "p.test:3128", "other.test", " through the proxy p.test:3128 of http_proxy"},
        {"http://api.test/v1", "p.test:3128", "test", ""},
        {"http://127.0.0.1:11434/v1", "p.test:3128", NULL, ""},
        {"http://localhost/v1", "p.test:3128", NULL, ""},
        {"http://[::1]:80/v1", "p.test:3128", NULL, ""},
        {"http://api.test/v1", "", NULL, ""},
        {"http://api.test/v1", NULL, NULL, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        dq_http *http = open_http(rows[i].address, rows[i].proxy, rows[i].no_proxy);
        assert_string_equal(http->via, rows[i].via);
        assert_int_equal(http->proxy != NULL, rows[i].via[0] != '\0');
        dq_http_free(http);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),    cmocka_unit_test(test_a_long_path_is_cut_in_messages_alone),
        cmocka_unit_test(test_refused),  cmocka_unit_test(test_loopback),
        cmocka_unit_test(test_no_proxy), cmocka_unit_test(test_the_way)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
