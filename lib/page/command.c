/* SPDX-License-Identifier: MIT */
#include "page/command.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static const char hidden[] = "***";

/* ---- what looks like a secret ---- */

static bool is_name(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.';
}

bool dq_page_names_secret(const char *name, size_t n)
{
    static const char *const words[] = {"key", "token", "secret",      "password",   "passwd",
                                        "pwd", "auth",  "credentials", "passphrase", NULL};
    for (size_t i = 0; words[i]; i++) {
        size_t bytes = strlen(words[i]);
        if (n < bytes || strncasecmp(name + n - bytes, words[i], bytes) != 0) continue;
        if (n == bytes || !isalnum((unsigned char)name[n - bytes - 1])) return true;
        /* apiKey, authToken */
        if (isupper((unsigned char)name[n - bytes]) && islower((unsigned char)name[n - bytes - 1]))
            return true;
    }
    return false;
}

/* Where a value that begins at `at` ends: at its quote, or at white space and what ends a part of an address.
 */
static size_t value_end(const char *text, size_t bytes, size_t at)
{
    if (at < bytes && (text[at] == '"' || text[at] == '\'')) {
        char quote = text[at++];
        while (at < bytes && text[at] != quote) at += quote == '"' && text[at] == '\\' ? 2 : 1;
        return at < bytes ? at + 1 : bytes;
    }
    while (at < bytes && !isspace((unsigned char)text[at]) && !strchr("&;\"'", text[at])) at++;
    return at;
}

/* The bytes of NAME=, NAME: or, in JSON, NAME": at a name's beginning, with the white space behind a colon,
 * where the name is a secret's; 0: it is none. */
static size_t secret_assigned(const char *text, size_t bytes, size_t at)
{
    size_t end = at;
    while (end < bytes && is_name(text[end])) end++;
    if (end == at || end == bytes || !dq_page_names_secret(text + at, end - at)) return 0;
    if (text[end] == '=') return end + 1 - at;
    if (text[end] == ' ' && at + 1 < end && text[at] == '-')
        return end + 1 - at; /* --key VALUE in one word */
    bool json = text[end] == '"' && end + 1 < bytes && text[end + 1] == ':';
    size_t value = end + (json ? 2 : 1);
    if (!json && (text[end] != ':' || value == bytes || text[value] != ' ')) return 0;
    while (value < bytes && text[value] == ' ') value++;
    return value - at;
}

static size_t scheme_before(const char *text, size_t bytes, size_t at)
{
    static const char *const schemes[] = {"Bearer ", "Basic ", NULL};
    for (size_t i = 0; schemes[i]; i++) {
        size_t n = strlen(schemes[i]);
        if (bytes - at > n && strncasecmp(text + at, schemes[i], n) == 0) return n;
    }
    return 0;
}

/* "://me:secret@": the bytes between :// and @; 0: there is nobody. */
static size_t user_of(const char *text, size_t bytes, size_t at)
{
    size_t last = 0;
    if (bytes - at < 3 || memcmp(text + at, "://", 3) != 0) return 0;
    for (size_t i = at + 3; i < bytes && !isspace((unsigned char)text[i]) && !strchr("/?#\"'", text[i]); i++)
        if (text[i] == '@') last = i - at - 3;
    return last;
}

/* How many bytes stand as they are before a secret that begins here, and how long it is; 0: none does. */
static size_t find_secret(const char *text, size_t bytes, size_t at, size_t *secret)
{
    bool begins = at == 0 || !is_name(text[at - 1]);
    size_t before = user_of(text, bytes, at);
    *secret = before;
    if (before) return 3;
    before = begins ? secret_assigned(text, bytes, at) : 0;
    if (!before && begins) before = scheme_before(text, bytes, at);
    if (!before) return 0;
    size_t scheme = scheme_before(text, bytes, at + before); /* Authorization: Bearer X */
    *secret = value_end(text, bytes, at + before + scheme) - at - before - scheme;
    return *secret ? before + scheme : 0;
}

dq_status dq_page_without_secrets(const char *text, size_t bytes, dq_json_text *to, dq_error *error)
{
    dq_status status = DQ_OK;
    size_t from = 0, at = 0;
    while (at < bytes && !status) {
        size_t secret, before = find_secret(text, bytes, at, &secret);
        at += before ? before : 1;
        if (!before) continue;
        status = dq_json_write_raw(to, text + from, at - from, error);
        if (!status) status = dq_json_write_raw(to, hidden, sizeof hidden - 1, error);
        at += secret;
        from = at;
    }
    return status ? status : dq_json_write_raw(to, text + from, bytes - from, error);
}

/* ---- the line ---- */

static bool needs_quotes(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)text[i]) && !strchr("_-.,:/=@%+*", text[i])) return true;
    return n == 0;
}

static void write_word(const char *text, size_t n, dq_html *out)
{
    bool quoted = needs_quotes(text, n);
    if (quoted) dq_html_raw(out, "&#39;");
    for (size_t from = 0, i = 0; i <= n; i++) {
        if (i < n && text[i] != '\'') continue;
        dq_html_text(out, text + from, i - from);
        if (i < n) dq_html_raw(out, "&#39;\\&#39;&#39;");
        from = i + 1;
    }
    if (quoted) dq_html_raw(out, "&#39;");
}

void dq_page_command_write(const char *const *words, size_t count, dq_html *out)
{
    bool secret = false; /* the word before names one: --api-key VALUE */
    for (size_t i = 0; i < count && !out->status; i++) {
        dq_json_text word = DQ_JSON_TEXT_EMPTY;
        if (i) dq_html_raw(out, " ");
        if (secret)
            dq_html_raw(out, hidden);
        else
            out->status = dq_page_without_secrets(words[i], strlen(words[i]), &word, out->error);
        if (!secret && !out->status) write_word(word.data ? word.data : "", word.bytes, out);
        dq_json_text_free(&word);
        secret = !secret && words[i][0] == '-' && dq_page_names_secret(words[i], strlen(words[i]));
    }
}
