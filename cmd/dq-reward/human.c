/* SPDX-License-Identifier: MIT */
#include "human.h"

#include "core/array.h"
#include "label/answer_log.h"
#include "terminal.h"

#include <stdlib.h>
#include <string.h>

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
    dq_answer_log *answers;
    dq_terminal *terminal;
    uint32_t *user, *item; /* pairs submitted and not yet taken: [at, count) */
    size_t at, count, capacity;
    uint32_t introduced; /* the user whose profile was shown last */
    uint64_t answered;
};

/* Keeps an answer, or takes one back (label NULL). */
static dq_status keep_answer(dq_human *h, uint32_t user, uint32_t item, const char *label, dq_error *error)
{
    size_t u, i;
    const char *user_id = dq_entities_id(&h->catalogue->users, user, &u);
    const char *item_id = dq_entities_id(&h->catalogue->items, item, &i);
    return dq_answer_log_keep(h->answers, user_id, u, item_id, i, label, error);
}

/* The label that a pair has, or NULL. */
static const char *find_answer(const dq_human *h, uint32_t user, uint32_t item)
{
    size_t u, i;
    const char *user_id = dq_entities_id(&h->catalogue->users, user, &u);
    const char *item_id = dq_entities_id(&h->catalogue->items, item, &i);
    return dq_answer_log_find(h->answers, user_id, u, item_id, i);
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
    (void)dq_fail(error, DQ_ERR_STOPPED, "stopped after %llu answers; the same command goes on",
                  (unsigned long long)h->answered);
    return dq_error_at(error, h->path, DQ_NO_RECORD);
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
    *h = (dq_human){.catalogue = catalogue, .map = map, .path = answers, .introduced = DQ_ABSENT};
    return dq_answer_log_open(&h->answers, answers, error);
}

void dq_human_close(dq_human *h)
{
    if (!h) return;
    dq_terminal_close(h->terminal);
    dq_answer_log_close(h->answers);
    free(h->user);
    free(h->item);
    free(h);
}
