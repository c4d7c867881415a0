/* SPDX-License-Identifier: MIT */
#include "reward/thoughts.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum { NAME_MOST = 40, TAG_MOST = 120 };

/* A tag or special token: its bytes, its name in lower case. */
typedef struct tag {
    size_t bytes;
    bool closes, special; /* </name>; <|name|> */
    bool spaced;          /* < name > */
    char name[NAME_MOST];
} tag;

static void blank(char *text, size_t from, size_t to)
{
    if (to > from) memset(text + from, ' ', to - from);
}

static bool one_of(const char *name, const char *const *list)
{
    while (*list && strcmp(name, *list) != 0) list++;
    return *list != NULL;
}

/* ---- tags ---- */

/* Bytes of `what`, where text begins with it. */
static size_t begins(const char *text, size_t n, const char *what)
{
    size_t bytes = strlen(what);
    return n >= bytes && memcmp(text, what, bytes) == 0 ? bytes : 0;
}

/* The brackets that tags stand in: those of XML, also escaped, Mistral's, Kimi's. */
static const struct brackets {
    const char *open, *close;
} brackets[] = {{"<", ">"}, {"&lt;", "&gt;"}, {"[", "]"}, {"\xe2\x97\x81", "\xe2\x96\xb7"}};

enum { BRACKETS = sizeof brackets / sizeof *brackets };

/* | or its full-width form. */
static size_t bar(const char *text, size_t n)
{
    size_t bytes = begins(text, n, "|");
    return bytes ? bytes : begins(text, n, "\xef\xbd\x9c");
}

static bool is_name(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == ':' || c == '-' || c == '.' || (c & 0x80);
}

/* Where the tag's closing bracket is, behind attributes of one line; 0: nowhere. */
static size_t find_close(const char *text, size_t n, size_t at, const char *close)
{
    for (size_t i = at; i < n && i < at + TAG_MOST && text[i] != '\n' && text[i] != '<'; i++)
        if (begins(text + i, n - i, close)) return i;
    return 0;
}

/* Reads the tag that text begins with. */
static bool read_tag(const char *text, size_t n, tag *t)
{
    size_t i = 0, used = 0, b = 0;
    while (b < BRACKETS && !(i = begins(text, n, brackets[b].open))) b++;
    if (b == BRACKETS) return false;
    *t = (tag){.spaced = i < n && text[i] == ' '};
    i += t->spaced;
    t->closes = i < n && text[i] == '/';
    i += t->closes;
    bool gap = t->closes && i < n && text[i] == ' ';
    t->spaced |= gap;
    i += gap;
    size_t bar_bytes = bar(text + i, n - i);
    t->special = bar_bytes > 0;
    i += bar_bytes;
    for (; i < n && is_name(text[i]) && used + 1 < NAME_MOST && !bar(text + i, n - i); i++) {
        if (begins(text + i, n - i, brackets[b].close)) break;
        t->name[used++] = (char)tolower((unsigned char)text[i]);
    }
    size_t end = used ? find_close(text, n, i, brackets[b].close) : 0;
    t->bytes = end + strlen(brackets[b].close);
    return end > 0;
}

/* ---- thoughts ---- */

/* Whether a name is one of thinking: by what it says, however a model puts it ("longcat_think"). */
static bool is_of_thoughts(const char *name)
{
    static const char *const stems[] = {"think",   "thought",    "reason",    "reflect",
                                        "scratch", "analys",     "monologue", "rationale",
                                        "ponder",  "brainstorm", "contempl",  "deliberat"};
    static const char *const names[] = {"details", "internal", "plan", "planning", "cot", "draft", NULL};
    if (begins(name, strlen(name), "no")) return false; /* "no_think" */
    for (size_t i = 0; i < sizeof stems / sizeof *stems; i++)
        if (strstr(name, stems[i])) return true;
    return one_of(name, names);
}

/* Gemma's <|channel>thought ... <channel|>; of gpt-oss's <|channel|> see below. */
static int thinks_in_channel(const char *text, size_t n)
{
    size_t open = begins(text, n, "<|channel>");
    if (open) return begins(text + open, n - open, "final") ? 0 : 1;
    return begins(text, n, "<channel|>") ? -1 : 0;
}

/* Whether the tag that text begins with opens (1) or closes (-1) a thought; 0: neither. */
static int thinks(const char *text, size_t n, const tag *t)
{
    static const char *const behind[] = {"end_of_", "end_"};
    const char *name = t->name;
    int way = t->closes ? -1 : 1;
    if (strcmp(name, "unused94") == 0 || strcmp(name, "unused95") == 0) return name[7] == '4' ? 1 : -1;
    if (strcmp(name, "channel") == 0) return thinks_in_channel(text, n);
    for (size_t i = 0, bytes = 0; i < sizeof behind / sizeof *behind && !bytes; i++)
        if ((bytes = begins(name, strlen(name), behind[i]))) name += bytes, way = -1;
    return is_of_thoughts(name) ? way : 0;
}

static void blank_thoughts(char *text, size_t n)
{
    size_t depth = 0, from = 0, gone = 0; /* gone: up to here all is blank */
    tag t;
    for (size_t i = 0; i < n; i++) {
        int way = read_tag(text + i, n - i, &t) ? thinks(text + i, n - i, &t) : 0;
        if (way == 0) continue;
        size_t end = i + t.bytes;
        if (way > 0 && depth++ == 0) {
            from = i;
        } else if (way < 0 && depth == 0) {
            blank(text, gone, end);
            gone = end;
        } else if (way < 0 && --depth == 0) {
            blank(text, from, end);
        }
        i = end - 1;
    }
    if (depth) blank(text, from, n);
}

/* ---- channels ---- */

/* Where the text behind the last `what` begins, 0: there is none. */
static size_t behind_last(const char *text, size_t n, const char *what)
{
    size_t found = 0, bytes = strlen(what);
    const char *at = text;
    while ((at = memmem(at, n - (size_t)(at - text), what, bytes))) {
        at += bytes;
        found = (size_t)(at - text);
    }
    return found;
}

/* Whether a message's head, which ends at `end`, is that of an answer: its channel is "final", or it has none
 * and names at most the role. */
static bool is_final(const char *text, size_t end)
{
    size_t message = behind_last(text, end, "<|message|>"), start = behind_last(text, end, "<|start|>");
    size_t channel = behind_last(text, end, "<|channel|>"), begin = start > channel ? start : channel;
    if (message > begin) return false;
    while (begin < end && isspace((unsigned char)text[begin])) begin++;
    if (begins(text + begin, end - begin, "final")) return true;
    return channel <= start && (begin == end || strncmp(text + begin, "assistant", end - begin) == 0);
}

/* Thoughts without tags, by the words that they begin with and those that end them: gpt-oss's channels whose
 * marks are lost, Granite's, Apriel's. */
static const struct {
    const char *begin, *end;
} spoken[] = {{"analysis", "assistantfinal"},
              {"Here is my thought process:", "Here is my response:"},
              {"Here's my thought process:", "Here's my response:"},
              {"Here are my reasoning steps:", "[BEGIN FINAL RESPONSE]"}};

/* Where the answer begins behind thoughts without tags; 0: there are none, n: it never does. */
static size_t behind_spoken(const char *text, size_t n)
{
    size_t skip = 0, from = 0;
    while (skip < n && isspace((unsigned char)text[skip])) skip++;
    for (size_t i = 0; i < sizeof spoken / sizeof *spoken; i++) {
        size_t begin = begins(text + skip, n - skip, spoken[i].begin),
               end = behind_last(text, n, spoken[i].end);
        bool heading = begin && skip + begin < n && text[skip + begin] == ':'; /* "analysis: ..." is prose */
        if (!end && begin && !heading) end = n;
        if (end > from) from = end;
    }
    return from;
}

/* The same of channels. */
static size_t behind_channels(const char *text, size_t n)
{
    static const char message[] = "<|message|>";
    size_t said = behind_last(text, n, message);
    if (said) return is_final(text, said - (sizeof message - 1)) ? said : n;
    return behind_last(text, n, "<|channel|>") ? n : 0;
}

/* ---- what stands around an answer ---- */

static bool is_special(const tag *t)
{
    static const char *const names[] = {"s",   "eos",  "bos",  "pad", "end_of_turn", "start_of_turn",
                                        "eot", "turn", "inst", "eod", "end_of_text", "endoftext",
                                        "unk", NULL};
    return t->special || one_of(t->name, names);
}

static bool is_wrapper(const tag *t)
{
    static const char *const names[] = {
        "answer", "final_answer", "final", "decision",          "response",        "output", "result",
        "reply",  "begin_of_box", "label", "begin_of_solution", "begin_of_answer", NULL};
    return one_of(t->name, names);
}

/* The role behind a token that begins a turn. */
static void blank_role(char *text, size_t n)
{
    static const char *const roles[] = {"assistant", "model", "ai"};
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        size_t bytes = begins(text, n, roles[i]);
        if (bytes && (bytes == n || text[bytes] == '\n' || text[bytes] == '<')) blank(text, 0, bytes);
    }
}

static void blank_tokens(char *text, size_t n)
{
    bool said = false;
    tag t;
    for (size_t i = 0; i < n; i++) {
        bool token = read_tag(text + i, n - i, &t) && !t.spaced && (is_wrapper(&t) || is_special(&t));
        if (!token) {
            said |= !isspace((unsigned char)text[i]);
        } else if (is_wrapper(&t)) {
            blank(text, i, i + t.bytes);
        } else {
            blank(text, i, said ? n : i + t.bytes);
            if (!said) blank_role(text + i + t.bytes, n - i - t.bytes);
        }
    }
}

/* All is decided on the whole text: thoughts may mention the marks of others. */
void dq_thoughts_blank(char *text, size_t n)
{
    size_t channels = behind_channels(text, n), from = channels ? channels : behind_spoken(text, n);
    size_t more = channels && channels < n ? behind_spoken(text + channels, n - channels) : 0;
    blank_thoughts(text, n);
    blank(text, 0, from + more);
    blank_tokens(text, n);
}
