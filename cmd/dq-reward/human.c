/* SPDX-License-Identifier: MIT */
#include "human.h"
#include "core/array.h"
#include "terminal.h"

#include "dq/source.h"
#include "port/files/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct answer_key {
    char key;
    const char *label;
} answer_key;

static const answer_key answer_keys[] = {{'a', "APPLY"}, {'s', "SAVE"}, {'c', "CLICK"}, {'i', "IGNORE"}};
enum { ANSWERS = sizeof answer_keys / sizeof *answer_keys };

struct dq_human {
    const dq_catalogue *catalogue;
    const dq_label_map *map;
    const char *path;
    int fd;           /* the answers, locked, at their end */
    dq_index pairs;   /* user, NUL, item: every pair that the file names */
    uint32_t *labels; /* (pairs) a row of names, or DQ_ABSENT */
    size_t room;
    dq_index names; /* each with its NUL */
    dq_terminal *terminal;
    uint32_t *user, *item; /* pairs submitted and not yet taken: [at, count) */
    size_t at, count, capacity;
    uint32_t introduced; /* the user whose profile was shown last */
    uint64_t answered;
};

/* ---- the answers ---- */

static dq_status blame(const dq_human *h, dq_status status, dq_error *error)
{
    if (status) (void)dq_error_at(error, h->path, DQ_NO_RECORD);
    return status;
}

static dq_status remember(dq_human *h, const char *user, size_t u, const char *item, size_t i,
                          const char *label, size_t n, dq_error *error)
{
    uint32_t row, name = DQ_ABSENT;
    char *key = malloc(u + 1 + i);
    if (!key) return dq_fail(error, DQ_ERR_MEMORY, "no memory for answers");
    memcpy(key, user, u);
    key[u] = '\0';
    memcpy(key + u + 1, item, i);
    dq_status status = dq_index_add(&h->pairs, key, u + 1 + i, &row, NULL, error);
    free(key);
    if (!status && label) status = dq_index_add(&h->names, label, n + 1, &name, NULL, error);
    if (status) return status;
    if (!dq_array_reserve(&h->labels, &h->room, (size_t)row + 1, sizeof *h->labels))
        return dq_fail(error, DQ_ERR_MEMORY, "no memory for answers");
    h->labels[row] = name;
    return DQ_OK;
}

static dq_status read_answer(dq_human *h, const char *line, size_t n, dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_value v;
    dq_status status = dq_json_parse(line, n, &arena, &v, error);
    const dq_value *user = status ? NULL : dq_map_get(&v, "user");
    const dq_value *item = status ? NULL : dq_map_get(&v, "item");
    const dq_value *label = status ? NULL : dq_map_get(&v, "label");
    bool taken_back = label && label->type == DQ_NIL;
    if (!status && (!user || user->type != DQ_STRING || !item || item->type != DQ_STRING || !label ||
                    (label->type != DQ_STRING && !taken_back)))
        status = dq_fail(error, DQ_ERR_FORMAT, "no answer: a line has user, item and label");
    if (!status)
        status = remember(h, user->as.string, user->count, item->as.string, item->count,
                          taken_back ? NULL : label->as.string, taken_back ? 0 : label->count, error);
    dq_arena_free(&arena);
    return status;
}

/* A last line without its end was being written when something ended: it is no answer. */
static dq_status cut_torn_line(dq_human *h, dq_error *error)
{
    off_t end = lseek(h->fd, 0, SEEK_END), keep = end;
    char last = '\n';
    while (keep > 0 && pread(h->fd, &last, 1, keep - 1) == 1 && last != '\n') keep--;
    if (keep < end && ftruncate(h->fd, keep) != 0)
        return dq_fail_errno(error, errno, "cannot cut a torn line off");
    (void)lseek(h->fd, 0, SEEK_END);
    return DQ_OK;
}

static dq_status read_answers(dq_human *h, dq_error *error)
{
    dq_source *source;
    char *line = NULL;
    size_t n;
    uint64_t record = 0;
    dq_status status = dq_source_open(&source, h->path, error);
    if (status) return status;
    while (!(status = dq_source_line(source, &line, &n, error)) && line) {
        record++;
        status = n ? read_answer(h, line, n, error) : DQ_OK;
        if (!status) continue;
        (void)dq_error_at(error, h->path, record);
        break;
    }
    dq_source_close(source);
    return status;
}

static dq_status open_answers(dq_human *h, dq_error *error)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct stat st;
    h->fd = open(h->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (h->fd < 0 || fstat(h->fd, &st) != 0) return dq_fail_errno(error, errno, "cannot open");
    if (!S_ISREG(st.st_mode)) return dq_fail(error, DQ_ERR_UNSUPPORTED, "answers are kept in a regular file");
    if (fcntl(h->fd, F_OFD_SETLK, &whole) != 0)
        return dq_fail(error, DQ_ERR_IO, "another session writes its answers here");
    dq_status status = cut_torn_line(h, error);
    return status ? status : read_answers(h, error);
}

static bool whole_write(int fd, const char *data, size_t n)
{
    while (n) {
        ssize_t w = write(fd, data, n);
        if (w < 0 && errno != EINTR) return false;
        if (w > 0) {
            data += w;
            n -= (size_t)w;
        }
    }
    return fdatasync(fd) == 0;
}

/* Keeps an answer, or takes one back (label NULL), on the disk first. */
static dq_status keep_answer(dq_human *h, uint32_t user, uint32_t item, const char *label, dq_error *error)
{
    size_t u, i, n = label ? strlen(label) : 0;
    const char *user_id = dq_entities_id(&h->catalogue->users, user, &u);
    const char *item_id = dq_entities_id(&h->catalogue->items, item, &i);
    dq_json_text line = DQ_JSON_TEXT_EMPTY;
    dq_status status = dq_json_write_raw(&line, "{\"user\":", 8, error);
    if (!status) status = dq_json_write_string(&line, user_id, u, error);
    if (!status) status = dq_json_write_raw(&line, ",\"item\":", 8, error);
    if (!status) status = dq_json_write_string(&line, item_id, i, error);
    if (!status) status = dq_json_write_raw(&line, ",\"label\":", 9, error);
    if (!status && label) status = dq_json_write_string(&line, label, n, error);
    if (!status && !label) status = dq_json_write_raw(&line, "null", 4, error);
    if (!status) status = dq_json_write_raw(&line, "}\n", 2, error);
    if (!status && !whole_write(h->fd, line.data, line.bytes))
        status = dq_fail_errno(error, errno, "cannot keep an answer");
    dq_json_text_free(&line);
    if (!status) status = remember(h, user_id, u, item_id, i, label, n, error);
    return blame(h, status, error);
}

/* The label that a pair has, or NULL. */
static const char *find_answer(const dq_human *h, uint32_t user, uint32_t item)
{
    size_t u, i, n;
    const char *user_id = dq_entities_id(&h->catalogue->users, user, &u);
    const char *item_id = dq_entities_id(&h->catalogue->items, item, &i);
    char *key = malloc(u + 1 + i);
    if (!key) return NULL;
    memcpy(key, user_id, u);
    key[u] = '\0';
    memcpy(key + u + 1, item_id, i);
    uint32_t row = dq_index_find(&h->pairs, key, u + 1 + i);
    free(key);
    if (row == DQ_ABSENT || h->labels[row] == DQ_ABSENT) return NULL;
    return dq_index_id(&h->names, h->labels[row], &n);
}

/* ---- a question ---- */

static void show_texts(dq_human *h, const dq_entities *entities, uint32_t row)
{
    static const char *const prefixes[] = {"text.", "attr."};
    const dq_row *at = &entities->rows[row];
    const dq_bundle *b = &entities->bundles[at->bundle];
    for (size_t p = 0; p < 2; p++)
        for (size_t c = 0; c < b->column_count; c++) {
            const char *name = b->columns[c].name;
            size_t n, skip = strlen(prefixes[p]);
            if (strncmp(name, prefixes[p], skip) != 0 || dq_dtype_size(b->columns[c].type) != 0) continue;
            const char *text = dq_column_text(&b->columns[c], at->row, &n);
            if (!text || n == 0) continue;
            dq_terminal_line(h->terminal, true, "%s", name + skip);
            dq_terminal_text(h->terminal, text, n);
        }
}

/* c: looked at it, and left. */
static const char keys_help[] = "[a]pply [s]ave [c]lick [i]gnore [u]ndo [q]uit";

static void show_pair(dq_human *h, uint32_t user, uint32_t item, size_t place, size_t of)
{
    size_t u, i;
    const char *user_id = dq_entities_id(&h->catalogue->users, user, &u);
    const char *item_id = dq_entities_id(&h->catalogue->items, item, &i);
    if (h->introduced != user) {
        dq_terminal_line(h->terminal, false, "%s", "");
        dq_terminal_line(h->terminal, true, "You are %.*s", (int)u, user_id);
        show_texts(h, &h->catalogue->users, user);
        h->introduced = user;
    }
    dq_terminal_line(h->terminal, false, "%s", "");
    if (of > 1)
        dq_terminal_line(h->terminal, true, "%zu of %zu: %.*s", place, of, (int)i, item_id);
    else
        dq_terminal_line(h->terminal, true, "%.*s", (int)i, item_id);
    show_texts(h, &h->catalogue->items, item);
    dq_terminal_text(h->terminal, keys_help, sizeof keys_help - 1);
}

static dq_status ask(dq_human *h, uint32_t user, uint32_t item, size_t place, size_t of, char *key,
                     dq_error *error)
{
    dq_status status = h->terminal ? DQ_OK : dq_terminal_open(&h->terminal, error);
    if (status) return status;
    show_pair(h, user, item, place, of);
    status = dq_terminal_ask(h->terminal, "asciuq", key, error);
    for (size_t k = 0; !status && k < ANSWERS; k++) {
        if (answer_keys[k].key != *key) continue;
        dq_terminal_line(h->terminal, false, "%s", answer_keys[k].label);
        status = keep_answer(h, user, item, answer_keys[k].label, error);
        h->answered++;
    }
    return status;
}

static dq_status stop(const dq_human *h, dq_error *error)
{
    return blame(h,
                 dq_fail(error, DQ_ERR_STOPPED, "stopped after %llu answers; the same command goes on",
                         (unsigned long long)h->answered),
                 error);
}

/* ---- the source of labels ---- */

static dq_status submit(void *self, const uint32_t *user, const uint32_t *item, size_t n, dq_error *error)
{
    dq_human *h = self;
    if (h->at == h->count) h->at = h->count = 0;
    size_t capacity = dq_array_capacity(h->capacity, h->count + n);
    if (capacity > h->capacity && (!dq_array_resize(&h->user, capacity, sizeof *h->user) ||
                                   !dq_array_resize(&h->item, capacity, sizeof *h->item)))
        return dq_fail(error, DQ_ERR_MEMORY, "no memory for pairs");
    h->capacity = capacity;
    memcpy(h->user + h->count, user, n * sizeof *user);
    memcpy(h->item + h->count, item, n * sizeof *item);
    h->count += n;
    return DQ_OK;
}

/* Every pair without an answer in turn; `u` goes back to the one before, whenever it was answered. */
static dq_status ask_all(dq_human *h, const uint32_t *user, const uint32_t *item, size_t n, dq_error *error)
{
    dq_status status = DQ_OK;
    for (size_t i = 0; !status && i < n;) {
        char key;
        if (find_answer(h, user[i], item[i])) {
            i++;
            continue;
        }
        status = ask(h, user[i], item[i], i + 1, n, &key, error);
        if (!status && key == 'q') return stop(h, error);
        if (!status && key == 'u' && i == 0)
            dq_terminal_line(h->terminal, true, "There is nothing to undo: what came before is in use.");
        if (!status && key == 'u' && i > 0) {
            i--;
            status = keep_answer(h, user[i], item[i], NULL, error);
        }
    }
    return status;
}

static dq_status take(void *self, size_t n, dq_verdict *verdicts, dq_error *error)
{
    dq_human *h = self;
    const uint32_t *user = h->user + h->at, *item = h->item + h->at;
    dq_status status = ask_all(h, user, item, n, error);
    for (size_t i = 0; !status && i < n; i++) {
        double reward = 0;
        const char *label = find_answer(h, user[i], item[i]);
        bool mapped = label && dq_label_map_find(h->map, label, strlen(label), &reward);
        verdicts[i] = (dq_verdict){.label = label, .reward = (float)reward, .none = !mapped};
    }
    h->at += n;
    return status;
}

dq_label_source dq_human_source(dq_human *human)
{
    return (dq_label_source){.submit = submit, .take = take, .self = human};
}

dq_status dq_human_open(dq_human **human, const char *answers, const dq_catalogue *catalogue,
                        const dq_label_map *map, dq_error *error)
{
    dq_human *h = *human = calloc(1, sizeof *h);
    if (!h) return dq_fail(error, DQ_ERR_MEMORY, "no memory for answers");
    *h = (dq_human){.catalogue = catalogue, .map = map, .path = answers, .fd = -1, .introduced = DQ_ABSENT};
    return blame(h, open_answers(h, error), error);
}

void dq_human_close(dq_human *h)
{
    if (!h) return;
    dq_terminal_close(h->terminal);
    if (h->fd >= 0) (void)close(h->fd);
    dq_index_free(&h->pairs);
    dq_index_free(&h->names);
    free(h->labels);
    free(h->user);
    free(h->item);
    free(h);
}
