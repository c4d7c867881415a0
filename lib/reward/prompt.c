/* SPDX-License-Identifier: MIT
 *
 * A message is a list of pieces: words of the template as they are, and placeholders. The template is cut up
 * once; rendering copies.
 */
#include "reward/prompt.h"

#include "core/array.h"
#include "dq/arena.h"

#include <stdlib.h>
#include <string.h>

enum { MESSAGES = 2, NAME_MOST = 64, FENCES = 8 };

typedef enum piece_kind { WORDS, NAMED, TEXTS, ATTRIBUTES, FIRST_TEXT, ID } piece_kind;

typedef struct piece {
    struct piece *next;
    piece_kind kind;
    bool item;        /* of the item, not of the user */
    const char *text; /* WORDS: (bytes); NAMED: the name, NUL-terminated */
    size_t bytes;
} piece;

typedef struct prompt_message {
    const char *role;
    piece *first, *last;
} prompt_message;

struct dq_prompt {
    prompt_message messages[DQ_PROMPT_STAGES][MESSAGES];
    size_t counts[DQ_PROMPT_STAGES];
    const char **names[DQ_PROMPT_STAGES][2]; /* (name_counts) that a stage asks of users, and of items */
    size_t name_counts[DQ_PROMPT_STAGES][2];
    dq_arena arena;
};

static const char *const stage_names[] = {"first", "second", "once"};
static const char *const roles[] = {"system", "user"};

/* ---- cutting a template up ---- */

/* The template as it is being read: the message that lines belong to, and the fences open in it. */
typedef struct parser {
    dq_prompt *prompt;
    prompt_message *message;
    const char *open[FENCES]; /* names of the open tags, and their lengths */
    size_t open_bytes[FENCES], depth;
    uint64_t line;
    dq_error *error;
} parser;

static dq_status refuse(parser *p, const char *reason, const char *what, size_t bytes)
{
    dq_status status = dq_fail(p->error, DQ_ERR_FORMAT, "%.*s %s", (int)bytes, what, reason);
    if (p->error) p->error->record = p->line;
    return status;
}

static dq_status add_piece(parser *p, piece_kind kind, bool item, const char *text, size_t bytes)
{
    piece *made = dq_arena_zero(&p->prompt->arena, 1, sizeof *made);
    char *copy = dq_arena_text(&p->prompt->arena, text, bytes);
    if (!made || !copy) return dq_fail_memory(p->error, "a prompt");
    *made = (piece){.kind = kind, .item = item, .text = copy, .bytes = bytes};
    if (p->message->last)
        p->message->last->next = made;
    else
        p->message->first = made;
    p->message->last = made;
    return DQ_OK;
}

static size_t name_length(const char *text, size_t bytes)
{
    size_t n = 0;
    while (n < bytes && n < NAME_MOST &&
           ((text[n] >= 'a' && text[n] <= 'z') || (text[n] >= 'A' && text[n] <= 'Z') ||
            (text[n] >= '0' && text[n] <= '9') || text[n] == '_' || text[n] == '-' || text[n] == '.'))
        n++;
    return n;
}

/* "<name>" or "</name>" at text: its length, or 0. */
static size_t tag_length(const char *text, size_t bytes, bool *closes, const char **name, size_t *length)
{
    if (bytes < 3 || text[0] != '<') return 0;
    *closes = text[1] == '/';
    *name = text + 1 + *closes;
    *length = name_length(*name, bytes - (size_t)(*name - text));
    size_t end = (size_t)(*name - text) + *length;
    return *length && end < bytes && text[end] == '>' ? end + 1 : 0;
}

static dq_status take_tag(parser *p, bool closes, const char *name, size_t length)
{
    if (!closes) {
        if (p->depth == FENCES) return refuse(p, "stands in too many tags", name, length);
        p->open[p->depth] = name;
        p->open_bytes[p->depth++] = length;
        return DQ_OK;
    }
    bool matches = p->depth && p->open_bytes[p->depth - 1] == length &&
                   memcmp(p->open[p->depth - 1], name, length) == 0;
    if (!matches) return refuse(p, "is closed, but was not the last tag opened", name, length);
    p->depth--;
    return DQ_OK;
}

/* "{user.NAME}" or "{item.NAME}" at text: its length, or 0. */
static size_t placeholder_length(const char *text, size_t bytes, bool *item, const char **name,
                                 size_t *length)
{
    enum { SIDE = 6 }; /* "{user." */
    if (bytes < SIDE + 2) return 0;
    *item = memcmp(text, "{item.", SIDE) == 0;
    if (!*item && memcmp(text, "{user.", SIDE) != 0) return 0;
    *name = text + SIDE;
    *length = name_length(*name, bytes - SIDE);
    return *length && SIDE + *length < bytes && text[SIDE + *length] == '}' ? SIDE + *length + 1 : 0;
}

static piece_kind kind_of(const char *name, size_t n)
{
    static const struct {
        const char *name;
        piece_kind kind;
    } listed[] = {{"texts", TEXTS}, {"attributes", ATTRIBUTES}, {"first", FIRST_TEXT}, {"id", ID}};
    for (size_t i = 0; i < sizeof listed / sizeof *listed; i++)
        if (strlen(listed[i].name) == n && memcmp(listed[i].name, name, n) == 0) return listed[i].kind;
    return NAMED;
}

/* Cuts the words of a message into pieces. */
static dq_status cut(parser *p, const char *text, size_t bytes)
{
    size_t begun = 0, i = 0;
    dq_status status = DQ_OK;
    while (i < bytes && !status) {
        bool flag;
        const char *name;
        size_t length, n;
        if ((n = tag_length(text + i, bytes - i, &flag, &name, &length)) > 0) {
            status = take_tag(p, flag, name, length);
            i += n;
        } else if ((n = placeholder_length(text + i, bytes - i, &flag, &name, &length)) > 0) {
            if (!p->depth) return refuse(p, "stands outside a fence: <tag> ... </tag>", text + i, n);
            if (i > begun) status = add_piece(p, WORDS, false, text + begun, i - begun);
            if (!status) status = add_piece(p, kind_of(name, length), flag, name, length);
            begun = i += n;
        } else {
            p->line += text[i++] == '\n';
        }
    }
    if (!status && bytes > begun) status = add_piece(p, WORDS, false, text + begun, bytes - begun);
    if (!status && p->depth)
        status = refuse(p, "is opened and not closed", p->open[p->depth - 1], p->open_bytes[p->depth - 1]);
    return status;
}

/* ---- sections ---- */

static bool word_is(const char *text, size_t n, const char *word)
{
    return strlen(word) == n && memcmp(text, word, n) == 0;
}

/* The header "@STAGE ROLE" (bytes). */
static dq_status take_header(parser *p, const char *text, size_t bytes)
{
    const char *space = memchr(text, ' ', bytes);
    size_t n = space ? (size_t)(space - text) : bytes;
    for (size_t s = 0; space && s < DQ_PROMPT_STAGES; s++)
        for (size_t r = 0; r < MESSAGES; r++) {
            if (!word_is(text + 1, n - 1, stage_names[s]) || !word_is(space + 1, bytes - n - 1, roles[r]))
                continue;
            size_t *count = &p->prompt->counts[s];
            for (size_t m = 0; m < *count; m++)
                if (p->prompt->messages[s][m].role == roles[r]) return refuse(p, "stands twice", text, bytes);
            p->message = &p->prompt->messages[s][(*count)++];
            p->message->role = roles[r];
            return DQ_OK;
        }
    return refuse(p, "is not @first, @second or @once with system or user", text, bytes);
}

/* The next line from *at, without its end; false when there are no more. */
static bool next_line(const char *text, size_t bytes, size_t *at, const char **line, size_t *n)
{
    if (*at >= bytes) return false;
    const char *end = memchr(text + *at, '\n', bytes - *at);
    *line = text + *at;
    *n = end ? (size_t)(end - *line) : bytes - *at;
    *at += *n + (end != NULL);
    if (*n && (*line)[*n - 1] == '\r') (*n)--;
    return true;
}

/* A message's words without the blank lines around them. */
static dq_status take_words(parser *p, const char *from, const char *to)
{
    while (from < to && (*from == '\n' || *from == '\r')) p->line += *from++ == '\n';
    while (to > from && (to[-1] == '\n' || to[-1] == '\r' || to[-1] == ' ')) to--;
    p->depth = 0;
    if (from == to) return refuse(p, "message without words", "a", 1);
    return cut(p, from, (size_t)(to - from));
}

static dq_status parse(parser *p, const char *text, size_t bytes)
{
    const char *line, *words = NULL;
    size_t at = 0, n;
    uint64_t number = 0, begun = 0;
    dq_status status = DQ_OK;
    while (!status && next_line(text, bytes, &at, &line, &n)) {
        number++;
        if (n && line[0] == '@') {
            p->line = begun;
            if (words) status = take_words(p, words, line);
            p->line = number;
            if (!status) status = take_header(p, line, n);
            words = text + at;
            begun = number + 1;
        } else if (!words && n && line[0] != '#') {
            p->line = number;
            return refuse(p, "stands before the first @STAGE ROLE line", line, n < 40 ? n : 40);
        }
    }
    p->line = begun;
    if (!status && !words) return refuse(p, "has no @STAGE ROLE line", "the prompt", 10);
    return status ? status : take_words(p, words, text + bytes);
}

/* Each stage that is there has a user's message, behind the system's. */
static dq_status check_stages(dq_prompt *prompt, dq_error *error)
{
    for (size_t s = 0; s < DQ_PROMPT_STAGES; s++) {
        prompt_message *m = prompt->messages[s];
        if (!prompt->counts[s]) continue;
        if (prompt->counts[s] == 1 && m[0].role == roles[0])
            return dq_fail(error, DQ_ERR_FORMAT, "@%s has no user message", stage_names[s]);
        if (prompt->counts[s] == MESSAGES && m[0].role == roles[1]) {
            prompt_message user = m[0];
            m[0] = m[1];
            m[1] = user;
        }
    }
    return DQ_OK;
}

/* Notes the names that a stage asks for into `to`, unless that is NULL; returns how many. */
static size_t note_names(const dq_prompt *prompt, size_t stage, bool item, const char **to)
{
    size_t n = 0;
    for (size_t m = 0; m < prompt->counts[stage]; m++)
        for (const piece *p = prompt->messages[stage][m].first; p; p = p->next) {
            if (p->kind != NAMED || p->item != item) continue;
            if (to) to[n] = p->text;
            n++;
        }
    return n;
}

static dq_status list_names(dq_prompt *prompt, dq_error *error)
{
    for (size_t s = 0; s < DQ_PROMPT_STAGES; s++)
        for (size_t item = 0; item < 2; item++) {
            size_t n = prompt->name_counts[s][item] = note_names(prompt, s, item, NULL);
            const char **names = prompt->names[s][item] = dq_arena_zero(&prompt->arena, n, sizeof *names);
            if (!names) return dq_fail_memory(error, "a prompt");
            (void)note_names(prompt, s, item, names);
        }
    return DQ_OK;
}

dq_status dq_prompt_parse(dq_prompt **out, const char *text, size_t bytes, dq_error *error)
{
    *out = NULL;
    dq_prompt *prompt = calloc(1, sizeof *prompt);
    if (!prompt) return dq_fail_memory(error, "a prompt");
    parser p = {.prompt = prompt, .error = error};
    dq_status status = memchr(text, '\0', bytes) ? dq_fail(error, DQ_ERR_FORMAT, "a prompt with a NUL byte")
                                                 : parse(&p, text, bytes);
    if (!status) status = check_stages(prompt, error);
    if (!status) status = list_names(prompt, error);
    if (status) {
        dq_prompt_free(prompt);
        return status;
    }
    *out = prompt;
    return DQ_OK;
}

void dq_prompt_free(dq_prompt *prompt)
{
    if (!prompt) return;
    dq_arena_free(&prompt->arena);
    free(prompt);
}

/* ---- asking about it ---- */

bool dq_prompt_has(const dq_prompt *prompt, dq_prompt_stage stage)
{
    return prompt->counts[stage] > 0;
}

size_t dq_prompt_messages(const dq_prompt *prompt, dq_prompt_stage stage)
{
    return prompt->counts[stage];
}

const char *dq_prompt_role(const dq_prompt *prompt, dq_prompt_stage stage, size_t message)
{
    return prompt->messages[stage][message].role;
}

const char *dq_prompt_name(const dq_prompt *prompt, dq_prompt_stage stage, bool item, size_t i)
{
    return i < prompt->name_counts[stage][item] ? prompt->names[stage][item][i] : NULL;
}

/* ---- rendering ---- */

static bool reserve(dq_prompt_text *out, size_t more)
{
    return more <= SIZE_MAX - out->bytes &&
           dq_array_reserve(&out->data, &out->capacity, out->bytes + more, 1);
}

static bool append(dq_prompt_text *out, const char *text, size_t bytes)
{
    if (!bytes) return true;
    if (!reserve(out, bytes)) return false;
    memcpy(out->data + out->bytes, text, bytes);
    out->bytes += bytes;
    return true;
}

/* A row's text: no '<' of it is left. */
static bool append_fenced(dq_prompt_text *out, const char *text, size_t bytes)
{
    bool room = true;
    while (room && bytes) {
        const char *mark = memchr(text, '<', bytes);
        size_t n = mark ? (size_t)(mark - text) : bytes;
        room = append(out, text, n) && (!mark || append(out, "&lt;", 4));
        text += n + (mark != NULL);
        bytes -= n + (mark != NULL);
    }
    return room;
}

/* "name: text" for each that the row has. */
static bool append_listed(dq_prompt_text *out, const dq_prompt_field *fields, size_t count)
{
    bool room = true, first = true;
    for (size_t i = 0; room && i < count; i++) {
        if (!fields[i].text) continue;
        room = (first || append(out, "\n", 1)) &&
               append_fenced(out, fields[i].name, strlen(fields[i].name)) && append(out, ": ", 2) &&
               append_fenced(out, fields[i].text, fields[i].bytes);
        first = false;
    }
    return room;
}

static const dq_prompt_field *find_field(const dq_prompt_row *row, const char *name)
{
    for (size_t i = 0; i < row->count; i++)
        if (row->fields[i].text && strcmp(row->fields[i].name, name) == 0) return &row->fields[i];
    return NULL;
}

static const dq_prompt_field *first_text(const dq_prompt_row *row)
{
    for (size_t i = 0; i < row->text_count; i++)
        if (row->fields[i].text) return &row->fields[i];
    return NULL;
}

static bool append_piece(dq_prompt_text *out, const piece *p, const dq_prompt_row *row)
{
    const dq_prompt_field *field = NULL;
    switch (p->kind) {
    case WORDS: return append(out, p->text, p->bytes);
    case TEXTS: return append_listed(out, row->fields, row->text_count);
    case ATTRIBUTES: return append_listed(out, row->fields + row->text_count, row->count - row->text_count);
    case ID: return append_fenced(out, row->id, row->id_bytes);
    case FIRST_TEXT: field = first_text(row); break;
    case NAMED: field = find_field(row, p->text); break;
    }
    return !field || append_fenced(out, field->text, field->bytes);
}

dq_status dq_prompt_render(const dq_prompt *prompt, dq_prompt_stage stage, size_t message,
                           const dq_prompt_row *user, const dq_prompt_row *item, dq_prompt_text *out,
                           dq_error *error)
{
    for (const piece *p = prompt->messages[stage][message].first; p; p = p->next)
        if (!append_piece(out, p, p->item ? item : user)) return dq_fail_memory(error, "a prompt");
    return DQ_OK;
}

void dq_prompt_text_free(dq_prompt_text *text)
{
    free(text->data);
    *text = (dq_prompt_text){0};
}
