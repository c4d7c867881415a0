/* SPDX-License-Identifier: MIT */
#include "model.h"

#include "core/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TAGS = DQ_EMBED_TEXTS_MAX + 1 }; /* of a row */

dq_status model_open(model *m, model_options *options, dq_error *error)
{
    dq_status status = dq_ask_complete(&options->ask, &options->key, error);
    m->o = options;
    const dq_embeddings_config config = {.name = options->name,
                                         .options = &options->ask,
                                         .batch = options->batch,
                                         .max_chars = options->max_chars,
                                         .allow_missing = options->allow_missing};
    return status ? status : dq_embeddings_open(&m->embeddings, &config, error);
}

/* ---- whose text it is ---- */

static uint64_t tag_of(dq_text_place place)
{
    return place.row * TAGS + place.text;
}

/* "items 'i3', text title: " */
static void name_text(const model *m, uint64_t tag, char *name, size_t room)
{
    const dq_column *ids = dq_bundle_column(m->block, "id");
    size_t n = 0, text = (size_t)(tag % TAGS);
    const char *id = ids ? dq_column_text(ids, tag / TAGS, &n) : NULL;
    bool joined = text == DQ_EMBED_TEXTS_MAX;
    (void)snprintf(name, room, "%s '%.*s', %s%.40s: ", m->layout->kind, n > 60 ? 60 : (int)n, id ? id : "",
                   joined ? "its texts joined" : "text ", joined ? "" : m->layout->texts[text]);
}

/* Whose text it is about, before an error's words. */
static dq_status blame(const model *m, const dq_embeddings_miss *miss, dq_status status, dq_error *error)
{
    char name[160], words[sizeof error->reason];
    if (!miss->any) return status;
    name_text(m, miss->tag, name, sizeof name);
    (void)snprintf(words, sizeof words, "%s", error->reason);
    return dq_fail(error, status, "%s%s", name, words);
}

static void note_first(model *m, const dq_embeddings_miss *miss)
{
    char name[160];
    if (!miss->any || m->missed[0]) return;
    name_text(m, miss->tag, name, sizeof name);
    (void)snprintf(m->missed, sizeof m->missed, "%s%s", name, miss->reason);
}

/* ---- the width ---- */

static dq_status ask_for_width(void *self, unsigned thread, dq_text_place place, const char *text,
                               size_t bytes, float *to, dq_error *error)
{
    model *m = self;
    dq_embeddings_miss miss;
    (void)thread, (void)to;
    if (m->width || dq_utf8_blank(text, bytes)) return DQ_OK;
    dq_status status = dq_embeddings_width(m->embeddings, text, bytes, tag_of(place), &m->width, &miss,
                                           error);
    if (miss.any && !m->probed.any) m->probed = miss;
    return status ? blame(m, &miss, status, error) : DQ_OK;
}

/* None of the texts tells: blank ones do not, and neither do misses. They are zeros, as many as the model's
 * vectors are wide, so it is asked for a word. */
static dq_status ask_for_any(model *m, dq_error *error)
{
    static const char word[] = "width";
    dq_embeddings_miss miss;
    if (m->probed.any && !m->o->allow_missing) {
        (void)dq_fail(error, DQ_ERR_UNKNOWN, "%s (--allow-missing leaves zeros)", m->probed.reason);
        return blame(m, &m->probed, DQ_ERR_UNKNOWN, error);
    }
    dq_status status = dq_embeddings_width(m->embeddings, word, sizeof word - 1, 0, &m->width, &miss, error);
    if (status || m->width) return status;
    return dq_fail(error, DQ_ERR_UNKNOWN, "no text tells how wide the vectors are: %s", miss.reason);
}

dq_status model_find_width(model *m, const dq_bundle *block, const char *kind, const dq_embed_config *config,
                           dq_error *error)
{
    dq_arena arena = DQ_ARENA_EMPTY;
    dq_embed_config one = *config; /* whatever the width will be, the texts are the same */
    dq_embed_layout layout = {.kind = kind};
    if (m->width) return DQ_OK;
    one.width = 1;
    dq_status status = dq_embed_layout_add(&layout, &one, block, &arena, error);
    float *scratch = status ? NULL : calloc((size_t)block->rows * layout.width + 1, sizeof *scratch);
    if (!status && !scratch) status = dq_fail_memory(error, "vectors");
    dq_text_encoder probe = model_encoder(m, block, &layout);
    probe.encode = ask_for_width;
    probe.finish = NULL;
    if (!status) status = dq_embed_block(&layout, &one, block, &probe, scratch, error);
    if (!status && !m->width && layout.text_count) status = ask_for_any(m, error);
    free(scratch);
    dq_arena_free(&arena);
    return status;
}

/* ---- vectors ---- */

/* The model answers in its own time: vectors are there when wait_for_texts returns. */
static dq_status ask_for_text(void *self, unsigned thread, dq_text_place place, const char *text,
                              size_t bytes, float *to, dq_error *error)
{
    model *m = self;
    (void)thread;
    return dq_embeddings_put(m->embeddings, text, bytes, tag_of(place), m->width, to, error);
}

static dq_status wait_for_texts(void *self, dq_error *error)
{
    model *m = self;
    dq_embeddings_miss miss;
    dq_status status = dq_embeddings_wait(m->embeddings, &miss, error);
    if (status) return status == DQ_ERR_STOPPED ? status : blame(m, &miss, status, error);
    note_first(m, &miss);
    return DQ_OK;
}

dq_text_encoder model_encoder(model *m, const dq_bundle *block, const dq_embed_layout *layout)
{
    m->block = block;
    m->layout = layout;
    return (dq_text_encoder){.encode = ask_for_text, .finish = wait_for_texts, .self = m, .threads = 1};
}

/* ---- words ---- */

static void say(const model *m, const dq_cli *cli, const dq_common *common)
{
    const dq_embeddings_tally *t = dq_embeddings_tally_of(m->embeddings);
    uint64_t missing = t->refused + t->absent + t->unreadable;
    dq_cli_say(cli, common, "%llu texts: %llu answers from the cache, %llu requests",
               (unsigned long long)t->texts, (unsigned long long)t->hits, (unsigned long long)t->requests);
    if (t->cut)
        dq_cli_say(cli, common, "%llu texts were cut to %llu characters", (unsigned long long)t->cut,
                   (unsigned long long)m->o->max_chars);
    if (missing)
        dq_cli_say(cli, common,
                   "%llu texts have zeros in place of a vector: %llu refused, %llu not in the cache, %llu "
                   "without one in the answer; the first is %s",
                   (unsigned long long)missing, (unsigned long long)t->refused, (unsigned long long)t->absent,
                   (unsigned long long)t->unreadable, m->missed);
}

dq_status model_close(model *m, const dq_cli *cli, const dq_common *common, dq_status status, dq_error *error)
{
    const dq_ask_stats stats = m->embeddings ? dq_embeddings_stats(m->embeddings) : (dq_ask_stats){0};
    dq_ask_say_mended(&stats, cli, common);
    if (!status && m->embeddings && m->o->ask.dry_run) {
        dq_ask_print_plan(&stats, &m->o->ask, "texts");
    } else if (!status && m->embeddings) {
        say(m, cli, common);
    }
    return dq_embeddings_close(m->embeddings, status, error);
}
