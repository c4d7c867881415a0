/* SPDX-License-Identifier: MIT
 *
 * The server's address, taken apart by curl's own parser, and the way there: directly or through a proxy.
 * That is decided here and not by curl, so that a message can say which way was taken.
 */
#include "port/http/curl.h"
#include "port/http/impl.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static char *url_part(CURLU *url, CURLUPart part, unsigned flags)
{
    char *text = NULL;
    return curl_url_get(url, part, &text, flags) == CURLUE_OK ? text : NULL;
}

static bool has_part(CURLU *url, CURLUPart part)
{
    char *text = url_part(url, part, 0);
    bool has = text && *text;
    curl_free(text);
    return has;
}

/* ---- queries ---- */

/* The values of a query, as they stand and decoded: an access token may be among them. api-version is what a
 * message is about. */
static bool add_secrets(dq_http *http, const char *query)
{
    static const char open[] = "api-version=";
    bool kept = true;
    for (size_t n; kept && *query; query += n + (query[n] == '&')) {
        n = strcspn(query, "&");
        const char *value = memchr(query, '=', n);
        if (!value || strncasecmp(query, open, sizeof open - 1) == 0) continue;
        int decoded_bytes = 0, bytes = (int)(query + n - ++value);
        char *decoded = curl_easy_unescape(NULL, value, bytes, &decoded_bytes);
        kept = dq_http_add_secret(http, value, (size_t)bytes) && decoded &&
               dq_http_add_secret(http, decoded, (size_t)decoded_bytes);
        curl_free(decoded);
    }
    return kept;
}

/* The address up to its query, without a slash at the end, and the query behind it. */
static bool cut_query(dq_http *http, const char *address)
{
    const char *mark = strchr(address, '?');
    size_t n = mark ? (size_t)(mark - address) : strlen(address);
    while (n > 0 && address[n - 1] == '/') n--;
    http->address = strndup(address, n);
    http->query = strdup(mark && mark[1] ? mark : "");
    return http->address && http->query && (!mark || add_secrets(http, mark + 1));
}

static bool name_server(dq_http *http, CURLU *url)
{
    char *host = url_part(url, CURLUPART_HOST, 0), *path = url_part(url, CURLUPART_PATH, 0);
    char *port = url_part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    bool named = host && port && path && asprintf(&http->server, "%s:%s", host, port) >= 0;
    for (size_t n = named ? strlen(path) : 0; n > 0 && path[n - 1] == '/';) path[--n] = '\0';
    named = named && asprintf(&http->shown, "%s%s", http->server, path) >= 0;
    if (named) dq_http_shorten(http->shown, DQ_HTTP_SHOWN);
    curl_free(host);
    curl_free(path);
    curl_free(port);
    return named;
}

/* An address that is refused is in no message: it may hold a secret. */
dq_status dq_http_read_address(dq_http *http, const char *address, dq_error *error)
{
    dq_status status = DQ_OK;
    CURLU *url = curl_url();
    if (!url) return dq_fail_memory(error, "an address");
    http->secure = strncasecmp(address, "https://", 8) == 0;
    bool web = strncasecmp(address, "http://", 7) == 0 || http->secure;
    if (!web || curl_url_set(url, CURLUPART_URL, address, 0) != CURLUE_OK)
        status = dq_fail(error, DQ_ERR_RANGE,
                         "the server's address is not http://HOST... or https://HOST...");
    else if (has_part(url, CURLUPART_USER) || has_part(url, CURLUPART_PASSWORD))
        status = dq_fail(error, DQ_ERR_RANGE, "the server's address may not hold a name or a password");
    else if (has_part(url, CURLUPART_FRAGMENT))
        status = dq_fail(error, DQ_ERR_RANGE, "the server's address may not hold a fragment (#...)");
    else if (!cut_query(http, address) || !name_server(http, url))
        status = dq_fail_memory(error, "an address");
    curl_url_cleanup(url);
    return status;
}

/* ---- hosts ---- */

typedef struct ip {
    int family; /* 0: a name */
    unsigned char bytes[16];
    unsigned bits; /* of the family */
} ip;

/* The n bytes of a host: an address of IPv4 in any of its forms, of IPv6 with or without its brackets (one
 * that stands for an IPv4 address is that). */
static ip read_ip(const char *host, size_t n)
{
    static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    char text[64];
    ip it = {0};
    bool brackets = n > 1 && host[0] == '[' && host[n - 1] == ']';
    if (brackets) host++, n -= 2;
    if (n >= sizeof text) return it;
    memcpy(text, host, n);
    text[n] = '\0';
    text[strcspn(text, "%")] = '\0'; /* an interface */
    if (inet_pton(AF_INET6, text, it.bytes) == 1) {
        it.family = AF_INET6;
        it.bits = 128;
        if (memcmp(it.bytes, mapped, sizeof mapped) != 0) return it;
        memmove(it.bytes, it.bytes + sizeof mapped, 4);
    } else if (brackets || inet_aton(text, (struct in_addr *)(void *)it.bytes) == 0) {
        return it;
    }
    it.family = AF_INET;
    it.bits = 32;
    return it;
}

/* A name without the dot of the root. */
static size_t name_length(const char *host)
{
    size_t n = strlen(host);
    return n > 1 && host[n - 1] == '.' ? n - 1 : n;
}

/* Whether a host of n bytes is `name`, or below it. */
static bool is_below(const char *host, size_t n, const char *name, size_t name_bytes)
{
    if (name_bytes == 0 || name_bytes > n || strncasecmp(host + n - name_bytes, name, name_bytes) != 0)
        return false;
    return n == name_bytes || host[n - name_bytes - 1] == '.';
}

bool dq_http_is_loopback(const char *host)
{
    static const unsigned char none[16] = {0}, one[16] = {[15] = 1};
    ip it = read_ip(host, strlen(host));
    if (it.family == AF_INET) return it.bytes[0] == 127 || memcmp(it.bytes, none, 4) == 0;
    if (it.family == AF_INET6) return memcmp(it.bytes, one, 16) == 0 || memcmp(it.bytes, none, 16) == 0;
    return is_below(host, name_length(host), "localhost", 9);
}

/* Whether the first bits of two addresses are the same. */
static bool same_net(const ip *a, const ip *b, unsigned bits)
{
    unsigned rest = bits % 8;
    if (a->family != b->family || bits > a->bits || memcmp(a->bytes, b->bytes, bits / 8) != 0) return false;
    return rest == 0 || (a->bytes[bits / 8] ^ b->bytes[bits / 8]) >> (8 - rest) == 0;
}

/* One word of a list: "example.org", ".example.org", "10.0.0.1", "10.0.0.0/8", "[::1]". */
static bool names(const char *word, size_t n, const char *host)
{
    ip it = read_ip(host, strlen(host));
    if (n == 1 && *word == '*') return true;
    if (it.family) {
        const char *slash = memchr(word, '/', n);
        ip net = read_ip(word, slash ? (size_t)(slash - word) : n);
        return net.family && same_net(&it, &net, slash ? (unsigned)strtoul(slash + 1, NULL, 10) : net.bits);
    }
    if (*word == '.') word++, n--;
    if (n > 1 && word[n - 1] == '.') n--;
    return is_below(host, name_length(host), word, n);
}

bool dq_http_is_listed(const char *list, const char *host)
{
    static const char between[] = ", \t";
    for (size_t n; list && *(list += strspn(list, between)); list += n)
        if (names(list, n = strcspn(list, between), host)) return true;
    return false;
}

/* ---- proxies ---- */

/* "HOST:PORT" of a proxy, whose address may hold a password. */
static void show_proxy(const char *proxy, char *shown, size_t room)
{
    CURLU *url = curl_url();
    bool read = url && curl_url_set(url, CURLUPART_URL, proxy,
                                    CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK;
    char *host = read ? url_part(url, CURLUPART_HOST, 0) : NULL;
    char *port = read ? url_part(url, CURLUPART_PORT, 0) : NULL;
    (void)snprintf(shown, room, " %s%s%s", host ? host : "", port ? ":" : "", port ? port : "");
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(url);
}

dq_status dq_http_choose_proxy(dq_http *http, const dq_http_config *config, dq_error *error)
{
    char shown[80], host[256];
    bool kept;
    (void)snprintf(host, sizeof host, "%.*s", (int)(strrchr(http->server, ':') - http->server), http->server);
    if (!config->proxy || !*config->proxy || dq_http_is_loopback(host) ||
        dq_http_is_listed(config->no_proxy, host)) {
        kept = (http->via = strdup("")) != NULL;
    } else {
        show_proxy(config->proxy, shown, sizeof shown);
        http->proxy = strdup(config->proxy);
        kept = http->proxy &&
               asprintf(&http->via, " through the proxy%s%s%.20s", shown, config->proxy_from ? " of " : "",
                        config->proxy_from ? config->proxy_from : "") >= 0;
    }
    return kept ? DQ_OK : dq_fail_memory(error, "an address");
}
