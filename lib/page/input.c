/* SPDX-License-Identifier: MIT */
#include "page/input.h"

#include "core/hex.h"
#include "inspect/lineage.h"
#include "page/command.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- lineage ---- */

/* Makers below each other, as lists in lists. */
typedef struct tree {
    dq_html *out;
    unsigned open; /* lists that are open */
} tree;

static void close_lists(tree *t, unsigned depth)
{
    for (; t->open > depth; t->open--) dq_html_raw(t->out, "</li></ul>");
}

static dq_status write_section(void *arg, const dq_value *digest, const dq_value *rows, dq_error *error)
{
    tree *t = arg;
    (void)error;
    close_lists(t, 0);
    dq_html_raw(t->out, "<p>Section <code>");
    if (digest && digest->type == DQ_STRING) dq_html_text(t->out, digest->as.string, digest->count);
    dq_html_raw(t->out, "</code>");
    for (uint32_t i = 0; i < rows->count; i++) {
        const dq_value *kind = &rows->as.map[i].key;
        dq_html_printf(t->out, ", %" PRId64 " ", dq_value_integer(&rows->as.map[i].value, 0));
        dq_html_text(t->out, kind->as.string, kind->count);
    }
    dq_html_raw(t->out, "</p>\n");
    return t->out->status;
}

/* A text as it is, another value as JSON; without secrets. */
static void write_value(const dq_value *v, dq_html *out)
{
    dq_json_text json = DQ_JSON_TEXT_EMPTY, shown = DQ_JSON_TEXT_EMPTY;
    bool text = v->type == DQ_STRING;
    if (!out->status && !text) out->status = dq_json_write(&json, v, out->error);
    if (!out->status)
        out->status = dq_page_without_secrets(text ? v->as.string : json.data, text ? v->count : json.bytes,
                                              &shown, out->error);
    dq_html_text(out, shown.data ? shown.data : "", shown.bytes);
    dq_json_text_free(&json);
    dq_json_text_free(&shown);
}

static void write_option(const char *name, size_t bytes, const dq_value *value, dq_html *out)
{
    dq_html_raw(out, " <code>");
    dq_html_text(out, name, bytes);
    dq_html_raw(out, "=");
    if (dq_page_names_secret(name, bytes))
        dq_html_raw(out, "***");
    else
        write_value(value, out);
    dq_html_raw(out, "</code>");
}

static dq_status write_maker(void *arg, unsigned depth, const dq_value *maker, dq_error *error)
{
    tree *t = arg;
    dq_html *out = t->out;
    const dq_value *program = dq_map_get(maker, "program"), *version = dq_map_get(maker, "version"),
                   *options = dq_map_get(maker, "options"), *seed = dq_map_get(maker, "seed");
    (void)error;
    close_lists(t, depth + 1);
    dq_html_raw(out, t->open == depth + 1 ? "</li>\n<li>" : "<ul>\n<li>");
    t->open = depth + 1;
    dq_html_raw(out, "<b>");
    if (program) write_value(program, out);
    dq_html_raw(out, "</b> ");
    if (version) write_value(version, out);
    if (seed && seed->type == DQ_INT) write_option("seed", 4, seed, out);
    for (uint32_t i = 0; options && options->type == DQ_MAP && i < options->count; i++)
        write_option(options->as.map[i].key.as.string, options->as.map[i].key.count,
                     &options->as.map[i].value, out);
    return out->status;
}

/* ---- bytes ---- */

/* A file whose bytes are counted and summed as they are read. */
typedef struct file {
    int fd;
    uint64_t bytes;
    dq_sha256_sum *sum;
} file;

static dq_status read_file(void *arg, void *to, size_t n, size_t *got, dq_error *error)
{
    file *f = arg;
    ssize_t r;
    do r = read(f->fd, to, n);
    while (r < 0 && errno == EINTR);
    if (r < 0) return dq_fail_errno(error, errno, "cannot read");
    *got = (size_t)r;
    f->bytes += *got;
    dq_sha256_add(f->sum, to, *got);
    return DQ_OK;
}

static dq_status read_stream(dq_source *source, dq_html *lineage, dq_error *error)
{
    tree t = {.out = lineage};
    const dq_lineage_visitor visitor = {&t, write_section, write_maker};
    dq_reader *in = NULL;
    dq_status status = dq_reader_open_source(&in, source, error);
    if (!status) status = dq_lineage_visit(in, &visitor, NULL, error);
    close_lists(&t, 0);
    dq_reader_close(in);
    return status ? status : lineage->status;
}

/* What is neither a stream nor plain text is still summed as it lies there. */
static dq_status read_rest(file *f, dq_error *error)
{
    char buffer[65536];
    size_t got = 1;
    dq_status status = DQ_OK;
    while (got && !status) status = read_file(f, buffer, sizeof buffer, &got, error);
    return status;
}

static dq_status read_all(file *f, const char *name, dq_html *lineage, dq_error *error)
{
    dq_source *source = NULL;
    bool is_stream = false;
    dq_status status = dq_source_open_fn(&source, name, read_file, f, error);
    if (!status) status = dq_source_is_stream(source, &is_stream, error);
    if (!status && is_stream) {
        status = read_stream(source, lineage, error);
        source = NULL; /* the reader has closed it */
    }
    dq_source_close(source);
    return status ? status : read_rest(f, error);
}

dq_status dq_page_input_read(dq_page_input *input, const char *path, dq_error *error)
{
    bool standard = strcmp(path, "-") == 0;
    *input = (dq_page_input){.name = standard ? "standard input" : path, .lineage = {.error = error}};
    file f = {.fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC), .sum = dq_sha256_new()};
    dq_status status = f.sum ? DQ_OK : dq_fail_memory(error, "a digest");
    if (!status && f.fd < 0) status = dq_fail_errno(error, errno, "cannot open");
    if (!status) status = read_all(&f, input->name, &input->lineage, error);
    uint8_t digest[DQ_SHA256_BYTES] = {0};
    if (f.sum) dq_sha256_end(f.sum, digest);
    dq_hex_write(input->digest, digest, sizeof digest);
    input->bytes = f.bytes;
    input->lineage.error = NULL;
    dq_sha256_free(f.sum);
    if (f.fd > STDIN_FILENO) (void)close(f.fd);
    return status ? dq_error_at(error, input->name, DQ_NO_RECORD) : DQ_OK;
}

void dq_page_input_free(dq_page_input *input)
{
    dq_html_free(&input->lineage);
}

/* ---- all ---- */

void dq_page_inputs_write(const dq_page_input *inputs, size_t count, dq_html *out)
{
    if (count == 0) return;
    dq_html_raw(
        out,
        "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Inputs\">\n"
        "<table class=\"inputs\"><caption><div>Inputs</div></caption>\n<thead><tr><th scope=\"col\" "
        "style=\"min-width:14ch\">file</th>"
        "<th scope=\"col\" class=\"n\">bytes</th><th scope=\"col\">SHA-256</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < count; i++) {
        dq_html_raw(out, "<tr><th scope=\"row\">");
        dq_html_words(out, inputs[i].name);
        dq_html_printf(out, "</th><td class=\"n\">%" PRIu64 "</td><td><code>%s</code></td></tr>\n",
                       inputs[i].bytes, inputs[i].digest);
    }
    dq_html_raw(out, "</tbody></table>\n</div>\n");
    for (size_t i = 0; i < count; i++) {
        if (!inputs[i].lineage.text.bytes) continue;
        dq_html_raw(out, "<details class=\"lineage\" open><summary>What made ");
        dq_html_words(out, inputs[i].name);
        dq_html_raw(out, "</summary>\n");
        dq_html_append(out, inputs[i].lineage.text.data, inputs[i].lineage.text.bytes);
        dq_html_raw(out, "\n</details>\n");
    }
}
