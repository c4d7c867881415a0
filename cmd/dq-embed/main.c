/* SPDX-License-Identifier: MIT
 *
 * dq-embed: vectors for the texts of users and items, a filter whose memory is bounded by a block; for who
 * met what, which takes all of the stream; and vectors scaled.
 */
#include "cf.h"
#include "model.h"
#include "scale.h"

#include "core/words/nearest.h"
#include "data/label_map.h"
#include "embed/als.h"
#include "embed/hashing.h"
#include "math/cosine.h"
#include "math/parallel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WIDTH = 1 << 20 }; /* of hashing */

typedef struct options {
    dq_common common;
    const char *method; /* "hash:WIDTH", "cf:WIDTH", "cf", "openai:MODEL", "scale:HOW" or "scale" */
    bool cf;            /* cf:WIDTH or cf */
    cf_options als;
    scale_options scale;
    model_options model;
    uint32_t width; /* of a text's vector; 0: the model's */
    dq_texts fields, pairs;
    bool join;
    int weight;
    const char *prefix;
} options;

typedef struct state {
    options *o;
    model model;
    dq_hashing *hashing[DQ_PARALLEL_MAX]; /* where no model is asked */
    dq_filter filter;
    cf_factors factors; /* of --factors */
    dq_embed_layout users, items;
    unsigned threads;
    dq_arena arena; /* layouts */
    dq_progress progress;
} state;

static dq_status write_pairs(state *s, dq_bundle *out, dq_error *error)
{
    const dq_texts *given = &s->o->pairs;
    dq_pair_names pairs[sizeof given->at / sizeof given->at[0]];
    dq_pairing ranges[sizeof given->at / sizeof given->at[0]];
    size_t made;
    dq_status status = DQ_OK;
    if (given->count == 0) return DQ_OK;
    for (size_t i = 0; !status && i < given->count; i++)
        status = dq_pair_parse(given->at[i], &out->arena, &pairs[i], error);
    if (!status && s->users.known)
        status = dq_pairing_choose(
            pairs, given->count, (dq_layout){s->users.fields, s->users.field_count, s->users.width},
            (dq_layout){s->items.fields, s->items.field_count, s->items.width}, ranges, &made, error);
    return status ? status : dq_pairs_write(pairs, given->count, &out->arena, &out->meta, error);
}

/* Nothing to add: no texts here, and no pairs to write down. */
static bool is_left_alone(const state *s, const dq_embed_layout *layout)
{
    bool pairs = layout == &s->items && s->o->pairs.count && layout->width;
    return layout->text_count == 0 && !pairs;
}

static dq_status hash_text(void *self, unsigned thread, dq_text_place place, const char *text, size_t bytes,
                           float *to, dq_error *error)
{
    state *s = self;
    (void)place;
    return dq_hashing_text(s->hashing[thread], text, bytes, to, error);
}

static dq_text_encoder encoder_of(state *s, const dq_bundle *block, const dq_embed_layout *layout)
{
    if (s->o->model.name) return model_encoder(&s->model, block, layout);
    return (dq_text_encoder){.encode = hash_text, .self = s, .threads = s->threads};
}

static dq_status embed(state *s, dq_embed_layout *layout, const dq_bundle *in, dq_error *error)
{
    dq_bundle out = DQ_BUNDLE_EMPTY;
    float *vectors = NULL;
    dq_embed_config config = {.wanted = s->o->fields.at,
                              .wanted_count = s->o->fields.count,
                              .join = s->o->join,
                              .prefix = s->o->prefix,
                              .width = s->o->width};
    dq_status status = s->o->model.name ? model_find_width(&s->model, in, layout->kind, &config, error)
                                        : DQ_OK;
    if (s->o->model.name) config.width = s->model.width;
    if (!status) status = dq_embed_layout_add(layout, &config, in, &s->arena, error);
    if (status) return status;
    if (is_left_alone(s, layout)) return dq_filter_put(&s->filter, in, error);
    status = dq_embed_replace_vectors(in, layout->fields, layout->field_count, layout->width, &out, &vectors,
                                      error);
    const dq_text_encoder encoder = encoder_of(s, in, layout);
    if (!status) status = dq_embed_block(layout, &config, in, &encoder, vectors, error);
    if (!status && layout == &s->items) status = write_pairs(s, &out, error);
    if (!status) status = dq_filter_put(&s->filter, &out, error);
    dq_bundle_free(&out);
    dq_progress_step(&s->progress, s->progress.done + in->rows, NULL);
    return status;
}

static dq_status pass(state *s, const dq_bundle *in, dq_error *error)
{
    if (strcmp(in->kind, DQ_KIND_USERS) == 0) return embed(s, &s->users, in, error);
    if (strcmp(in->kind, DQ_KIND_ITEMS) == 0) return embed(s, &s->items, in, error);
    return dq_filter_put(&s->filter, in, error);
}

/* A name that no text has is a mistake, and so is a stream without texts. */
static dq_status check_names(const state *s, dq_error *error)
{
    if (s->users.text_count + s->items.text_count == 0)
        return dq_fail(error, DQ_ERR_UNKNOWN, "no user or item has a text to embed");
    for (size_t i = 0; i < s->o->fields.count; i++)
        if (!dq_embed_layout_has(&s->users, s->o->fields.at[i]) &&
            !dq_embed_layout_has(&s->items, s->o->fields.at[i]))
            return dq_fail(error, DQ_ERR_UNKNOWN, "no user or item has a text '%s'", s->o->fields.at[i]);
    return DQ_OK;
}

static dq_status stream(state *s, dq_error *error)
{
    dq_bundle bundle;
    bool more;
    dq_status status = DQ_OK;
    s->progress = dq_progress_start(&s->o->common, "embedding", "rows", 0);
    while (!status && !(status = dq_filter_next(&s->filter, &bundle, &more, error)) && more) {
        status = dq_filter_blame(&s->filter, pass(s, &bundle, error), error);
        dq_bundle_free(&bundle);
    }
    dq_progress_end(&s->progress);
    return status ? status : check_names(s, error);
}

/* One field, cf, from who met what. */
static dq_status factor(state *s, dq_cli *cli, const dq_common *common, dq_error *error)
{
    char field[256];
    const cf_options *als = &s->o->als;
    (void)snprintf(field, sizeof field, "%scf", s->o->prefix);
    dq_status status = als->factors ? cf_factors_read(&s->factors, als->factors, field, error) : DQ_OK;
    if (!status)
        status = dq_filter_open_with(&s->filter, cli, common, als->factors ? -1 : (int64_t)common->seed,
                                     s->factors.reader, error);
    return status ? status
                  : cf_run(&s->filter, als, als->factors ? &s->factors : NULL, s->o->width, field, cli,
                           common, error);
}

static dq_status init(state *s, dq_error *error)
{
    s->users.kind = DQ_KIND_USERS;
    s->items.kind = DQ_KIND_ITEMS;
    s->threads = dq_cli_threads(&s->o->common, 1);
    if (s->threads > DQ_PARALLEL_MAX) s->threads = DQ_PARALLEL_MAX;
    dq_status status = DQ_OK;
    if (s->o->model.name) return model_open(&s->model, &s->o->model, error);
    for (unsigned t = 0; !status && !s->o->cf && !s->o->scale.given && t < s->threads; t++)
        status = dq_hashing_new(&s->hashing[t], s->o->width, (dq_term_weight)s->o->weight, error);
    return status;
}

static void clean_up(state *s)
{
    for (unsigned t = 0; t < s->threads; t++) dq_hashing_free(s->hashing[t]);
    cf_factors_free(&s->factors);
    dq_arena_free(&s->arena);
}

/* What the first operand says. */
enum {
    HASH = 1,
    CF = 2,
    OPENAI = 4,
    FOLD = 8,
    SCALE = 16,
    RESCALE = 32,
    TEXTS = HASH | OPENAI,
    ADDS = TEXTS | CF | FOLD
};

static const dq_mode modes[] = {
    {HASH, "hash", "hash:WIDTH", .help = "texts by hashing their words (hash:WIDTH)"},
    {CF, "cf", "cf:WIDTH", .help = "factors of who met what (cf:WIDTH)"},
    {FOLD, "fold", "cf without a width",
     .help = "newcomers among factors that are there (cf --factors FILE)"},
    {OPENAI, "openai", "openai:MODEL", .help = "texts by a model that is asked (openai:MODEL)"},
    {SCALE, "scale", "scale:z or scale:unit",
     .help = "the vectors that are there, scaled (scale:z, scale:unit)"},
    {RESCALE, "rescale", "scale without a way",
     .help = "vectors scaled as those of another stream were (scale --factors FILE)"},
    {0}};

/* The width behind a method's name; 0 for another method, or no such width. */
static uint32_t width_of(const char *method, const char *name, unsigned long max)
{
    size_t n = strlen(name);
    char *end;
    if (strncmp(method, name, n) != 0 || method[n] < '1' || method[n] > '9') return 0;
    unsigned long width = strtoul(method + n, &end, 10);
    return *end || width > max ? 0 : (uint32_t)width;
}

/* scale:z, scale:unit, or scale. */
static unsigned parse_scale(dq_cli *cli, options *o)
{
    const char *how = o->method + strlen("scale");
    o->scale = (scale_options){.given = true, .fields = &o->fields, .how = DQ_SCALE_Z};
    if (strcmp(how, ":unit") == 0) o->scale.how = DQ_SCALE_UNIT;
    if (*how && strcmp(how, ":z") != 0 && strcmp(how, ":unit") != 0)
        dq_cli_usage(cli, "'%s' is neither scale:z nor scale:unit", o->method);
    if (*how) return SCALE;
    if (!o->als.factors)
        dq_cli_usage(cli, "scale: how? say scale:z or scale:unit, or as which stream: scale --factors FILE");
    o->scale.factors = o->als.factors;
    return RESCALE;
}

/* The first operand: hash:WIDTH, cf:WIDTH, cf, openai:MODEL, scale:HOW or scale. Kept as an option too, for
 * the head. */
static unsigned parse_method(dq_cli *cli, options *o)
{
    if (cli->operand_count == 0)
        dq_cli_usage(cli, "how? say hash:WIDTH, as in hash:256, cf:WIDTH, openai:MODEL or scale:z");
    static const char *const kinds[] = {"hash:", "openai:", "cf:", "cf", "scale:", "scale", NULL};
    const char *method = o->method = *cli->operands++;
    cli->operand_count--;
    if (strncmp(method, "openai:", 7) == 0 && method[7]) {
        o->model.name = method + 7;
        return OPENAI;
    }
    if (strcmp(method, "scale") == 0 || strncmp(method, "scale:", 6) == 0) return parse_scale(cli, o);
    o->cf = strcmp(method, "cf") == 0;
    if (o->cf && !o->als.factors)
        dq_cli_usage(cli, "cf: how wide? say cf:32, or into which factors newcomers go: cf --factors FILE");
    if (o->cf) return FOLD;
    o->cf = strncmp(method, "cf:", 3) == 0;
    o->width = o->cf ? width_of(method, "cf:", DQ_ALS_WIDTH_MAX) : width_of(method, "hash:", MAX_WIDTH);
    if (o->width == 0)
        dq_cli_usage(cli,
                     "'%s' is neither openai:MODEL, nor scale:z or scale:unit, nor hash:WIDTH with a width "
                     "of 1 to %d, "
                     "nor cf:WIDTH with one of 1 to %d%s",
                     method, MAX_WIDTH, DQ_ALS_WIDTH_MAX,
                     dq_hint_of_first(method, ':', dq_word_in, kinds).words);
    return o->cf ? CF : HASH;
}

static void check_map(const dq_cli *cli, const char *text)
{
    dq_label_map map = {0};
    dq_error e = DQ_ERROR_NONE;
    if (text && dq_label_map_parse(&map, text, &e)) dq_cli_refuse(cli, "--map", &e);
    dq_label_map_free(&map);
}

static void check_pairs(const dq_cli *cli, const dq_texts *pairs)
{
    dq_arena scratch = DQ_ARENA_EMPTY;
    dq_pair_names pair;
    dq_error e = DQ_ERROR_NONE;
    for (size_t i = 0; i < pairs->count; i++)
        if (dq_pair_parse(pairs->at[i], &scratch, &pair, &e)) dq_cli_refuse(cli, "--compare", &e);
    dq_arena_free(&scratch);
}

static const char *method_at(size_t i)
{
    static const char *const methods[] = {"hash:256", "openai:",    "cf:32", "cf",
                                          "scale:z",  "scale:unit", "scale", NULL};
    return methods[i];
}

static const dq_program program = {
    .name = "dq-embed",
    .guide = "your-model.md",
    .summary = "vectors for texts, by hashing or from a model; from who met what; or scaled",
    .operands = "hash:WIDTH|openai:MODEL|cf:WIDTH|cf|scale:HOW|scale [FILE]...",
    .operand_values = method_at,
    .modes = modes,
    .examples = {"dq-embed hash:256 --join < texts.dq | dq-rank --by cosine -k 10",
                 "dq-embed openai:MODEL --cache vectors.db --field bio --field description --compare "
                 "bio:description < c.dq"},
};
static const char *const weights[] = {"sqrt", "log", NULL};
static const char *const solvers[] = {"exact", "cg", NULL}; /* dq_als_method */

int main(int argc, char **argv)
{
    options o = {.common = DQ_COMMON_DEFAULTS, .prefix = "", .model = MODEL_DEFAULTS, .als = CF_DEFAULTS};
    const dq_option table[] = {
        {"field", 0, DQ_OPT_LIST, &o.fields, "TEXT",
         "embed this text, as a field of that name, or scale this field; repeated; users:TEXT or items:TEXT "
         "for one side (else every one)",
         .flags = DQ_OPT_PAYLOAD, .modes = TEXTS | SCALE},
        {"join", 0, DQ_OPT_FLAG, &o.join, NULL, "one field, text, from all the texts together",
         .flags = DQ_OPT_PAYLOAD, .modes = TEXTS},
        {"prefix", 0, DQ_OPT_TEXT, &o.prefix, "WORD", "put before the names of the new fields",
         .flags = DQ_OPT_PAYLOAD, .modes = ADDS},
        {"compare", 0, DQ_OPT_LIST, &o.pairs, "U:I",
         "make user field U and item field I the catalogue's pair to compare; repeated",
         .flags = DQ_OPT_PAYLOAD, .modes = TEXTS},
        {"weight", 0, DQ_OPT_CHOICE, &o.weight, "HOW", "a word's weight from its count",
         .flags = DQ_OPT_PAYLOAD, .choices = weights, .modes = HASH},
        {"map", 0, DQ_OPT_TEXT, &o.als.map, "LABEL=W,...",
         "weights of labels; a label outside has none (else an interaction weighs its reward, or 1)",
         .flags = DQ_OPT_PAYLOAD, .modes = CF},
        {"alpha", 0, DQ_OPT_REAL, &o.als.alpha, "X", "confidence of a unit of weight",
         .flags = DQ_OPT_PAYLOAD, .min = 0, .max = 1e9, .modes = CF},
        {"lambda", 0, DQ_OPT_REAL, &o.als.lambda, "X", "price of long vectors", .flags = DQ_OPT_PAYLOAD,
         .min = 1e-9, .max = 1e9, .modes = CF},
        {"sweeps", 0, DQ_OPT_COUNT, &o.als.sweeps, "N", "alternations", .flags = DQ_OPT_PAYLOAD, .min = 1,
         .max = 10000, .modes = CF},
        {"solve", 0, DQ_OPT_CHOICE, &o.als.solve, "HOW",
         "a sweep's new vector: the exact solution, or steps of conjugate gradients from the last vector",
         .flags = DQ_OPT_PAYLOAD, .choices = solvers, .modes = CF},
        {"cg-steps", 0, DQ_OPT_COUNT, &o.als.cg_steps, "N", "steps of conjugate gradients a sweep",
         .flags = DQ_OPT_PAYLOAD, .min = 1, .max = DQ_ALS_WIDTH_MAX, .modes = CF, .where = "solve=cg"},
        {"seed", 0, DQ_OPT_COUNT, &o.common.seed, "N", "seed of the vectors that the sweeps begin with",
         .min = 0, .max = 9.2e18, .modes = CF},
        {"factors", 0, DQ_OPT_TEXT, &o.als.factors, "FILE",
         "a stream that dq-embed made: what cf:WIDTH has made, among which newcomers get vectors by one "
         "solve; what scale has made, whose vectors these are scaled as",
         .modes = FOLD | RESCALE},
        {"method", 0, DQ_OPT_TEXT, &o.method, "METHOD", "the first operand",
         .flags = DQ_OPT_PAYLOAD | DQ_OPT_HIDDEN},
        {"batch", 'b', DQ_OPT_COUNT, &o.model.batch, "N", "texts in a request at most", 0, .min = 1,
         .max = DQ_EMBEDDINGS_BATCH, .modes = OPENAI},
        {"max-chars", 0, DQ_OPT_COUNT, &o.model.max_chars, "N",
         "cut a text to its first N characters (0: never)", .flags = DQ_OPT_PAYLOAD, .max = 1e9,
         .modes = OPENAI},
        {"allow-missing", 0, DQ_OPT_FLAG, &o.model.allow_missing, NULL,
         "zeros for a text that is refused, or has no vector in its answer or the cache",
         .flags = DQ_OPT_PAYLOAD, .modes = OPENAI},
        DQ_OPTIONS_ASK(o.model.ask, o.model.key, OPENAI, 'j'),
        DQ_OPTIONS_COMMON(o.common),
        {0},
    };
    dq_cli cli = dq_cli_parse(&program, table, argc, argv);
    state s = {.o = &o};
    dq_error e = DQ_ERROR_NONE;
    dq_cli_enter(&cli, parse_method(&cli, &o));
    check_pairs(&cli, &o.pairs);
    check_map(&cli, o.als.map);
    if (o.model.name) dq_ask_check(&o.model.ask, &cli);
    dq_common common = o.common;
    if (o.model.ask.dry_run) common.output = "/dev/null"; /* words go to stdout, no stream */
    dq_status status = init(&s, &e);
    if (!status && o.cf) status = factor(&s, &cli, &common, &e);
    if (!status && o.scale.given) status = scale_run(&s.filter, &o.scale, &cli, &common, &e);
    bool texts = !o.cf && !o.scale.given;
    if (!status && texts) status = dq_filter_open(&s.filter, &cli, &common, -1, &e);
    if (!status && texts) status = stream(&s, &e);
    status = model_close(&s.model, &cli, &common, status, &e);
    if (!o.scale.given) status = dq_filter_close(&s.filter, status, &e);
    clean_up(&s);
    return dq_cli_finish(&cli, status, &e);
}
