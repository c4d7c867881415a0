/* SPDX-License-Identifier: MIT
 *
 * Honest answers: a chat completion in the form that was asked for, with log-probabilities and usage, and
 * embeddings. The same question always has the same answer.
 */
#include "llm.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES_A_TOKEN = 4, MAX_TEXT = 8192, MAX_WIDTH = 8192 };

static int tokens_of(size_t bytes)
{
    return (int)((bytes + BYTES_A_TOKEN - 1) / BYTES_A_TOKEN);
}

static size_t prompt_bytes(const json_t *messages)
{
    size_t i, bytes = 0;
    json_t *message;
    json_array_foreach(messages, i, message) bytes += strlen(llm_text(message, "content"));
    return bytes;
}

json_t *llm_completion(llm_exchange *x, const char *content, const char *refusal, const char *finish,
                       json_t *logprobs)
{
    char id[32];
    int in = tokens_of(prompt_bytes(json_object_get(x->request, "messages")));
    int out = tokens_of(content ? strlen(content) : strlen(refusal ? refusal : ""));
    (void)snprintf(id, sizeof id, "chatcmpl-%016llx", (unsigned long long)x->key);
    return json_pack("{s:s,s:s,s:i,s:s,s:[{s:i,s:{s:s,s:s?,s:s?},s:o?,s:s}],s:{s:i,s:i,s:i}}", "id", id,
                     "object", "chat.completion", "created", 0, "model", llm_text(x->request, "model"),
                     "choices", "index", 0, "message", "role", "assistant", "content", content, "refusal",
                     refusal, "logprobs", logprobs, "finish_reason", finish, "usage", "prompt_tokens", in,
                     "completion_tokens", out, "total_tokens", in + out);
}

/* ---- the label and its form ---- */

static const json_t *schema_of(const json_t *request)
{
    const json_t *format = json_object_get(request, "response_format");
    const json_t *within = json_object_get(format, "json_schema");
    return json_object_get(within ? within : format, "schema");
}

const char *llm_form_of(const json_t *request)
{
    const char *type = llm_text(json_object_get(request, "response_format"), "type");
    if (strcmp(type, "json_schema") == 0) return "schema";
    if (strcmp(type, "json_object") == 0) return schema_of(request) ? "object" : "json";
    return "none";
}

static unsigned mask_of(const json_t *list)
{
    unsigned mask = 0;
    size_t i;
    json_t *value;
    json_array_foreach(list, i, value) for (unsigned l = 0; l < LLM_LABELS;
                                            l++) if (json_is_string(value) &&
                                                     strcmp(json_string_value(value), llm_labels[l]) == 0)
        mask |= 1u << l;
    return mask;
}

/* The name of the schema's property that is an enum of labels, or NULL. */
static const char *decision_of(const json_t *schema, unsigned *allowed)
{
    const char *name;
    json_t *property;
    json_object_foreach(json_object_get(schema, "properties"), name, property)
    {
        unsigned mask = mask_of(json_object_get(property, "enum"));
        if (!mask) continue;
        *allowed = mask;
        return name;
    }
    return NULL;
}

/* A wrong label of those allowed, for the share of questions that --mistakes says. */
static unsigned mistake(llm_exchange *x, unsigned label, unsigned allowed)
{
    uint64_t h = llm_hash(&x->key, sizeof x->key, llm_options_now.seed);
    if (llm_share(h) >= llm_options_now.mistakes || !(allowed & ~(1u << label))) return label;
    for (h = label + 1 + h % (LLM_LABELS - 1);; h++)
        if (h % LLM_LABELS != label && allowed >> h % LLM_LABELS & 1) return (unsigned)(h % LLM_LABELS);
}

/* The content, with the label at *at. Other required properties become a word. */
static void write_content(const json_t *schema, const char *decision, const char *label, char *text,
                          size_t *at)
{
    size_t used = 0;
    if (!decision) {
        used = (size_t)snprintf(text, MAX_TEXT, "DECISION: ");
        *at = used;
        (void)snprintf(text + used, MAX_TEXT - used, "%s", label);
        return;
    }
    const char *name, *separator = "{";
    json_t *property;
    json_object_foreach(json_object_get(schema, "properties"), name, property)
    {
        bool it = strcmp(name, decision) == 0;
        used += (size_t)snprintf(text + used, MAX_TEXT - used, "%s\"%.64s\":\"", separator, name);
        if (it) *at = used;
        used += (size_t)snprintf(text + used, MAX_TEXT - used, "%s\"", it ? label : "it is so");
        separator = ",";
    }
    (void)snprintf(text + used, MAX_TEXT - used, "}");
}

/* By JSON mode, without a schema. */
static void write_object(const char *label, char *text, size_t *at)
{
    static const char head[] = "{\"decision\": \"";
    *at = sizeof head - 1;
    (void)snprintf(text, MAX_TEXT, "%s%s\"}", head, label);
}

/* ---- log-probabilities ---- */

/* The judge is surer of some questions than of others: the label's probability is 0.55 to 0.95, the others
 * share the rest. */
static double probability(const llm_exchange *x, unsigned i, unsigned label, unsigned allowed)
{
    double sure = 0.55 + 0.4 * llm_share(llm_hash(&x->key, sizeof x->key, 7));
    int others = __builtin_popcount(allowed) - 1;
    if (others == 0) return 1;
    return i == label ? sure : (1 - sure) / others;
}

static json_t *token(const char *text, size_t bytes, double logprob)
{
    json_t *codes = json_array();
    for (size_t i = 0; i < bytes; i++) json_array_append_new(codes, json_integer((unsigned char)text[i]));
    return json_pack("{s:s%,s:f,s:o}", "token", text, bytes, "logprob", logprob, "bytes", codes);
}

static json_t *label_token(const llm_exchange *x, unsigned label, unsigned allowed, size_t bytes,
                           json_int_t top)
{
    json_t *alternatives = json_array();
    json_int_t given = 0;
    for (unsigned turn = 0; turn <= LLM_LABELS && given < top; turn++) {
        unsigned i = turn == 0 ? label : turn - 1; /* the likeliest first */
        if ((turn > 0 && i == label) || !(allowed >> i & 1)) continue;
        size_t n = bytes && bytes < strlen(llm_labels[i]) ? bytes : strlen(llm_labels[i]);
        json_array_append_new(alternatives, token(llm_labels[i], n, log(probability(x, i, label, allowed))));
        given++;
    }
    size_t n = bytes ? bytes : strlen(llm_labels[label]);
    json_t *it = token(llm_labels[label], n, log(probability(x, label, label, allowed)));
    json_object_set_new(it, "top_logprobs", alternatives);
    return it;
}

static void plain_token(json_t *tokens, const char *text, size_t bytes)
{
    if (!bytes) return;
    json_t *it = token(text, bytes, 0), *same = token(text, bytes, 0);
    json_object_set_new(it, "top_logprobs", json_pack("[o]", same));
    json_array_append_new(tokens, it);
}

static json_t *logprobs_of(const llm_exchange *x, const char *text, size_t at, unsigned label,
                           unsigned allowed)
{
    if (!json_is_true(json_object_get(x->request, "logprobs")) || llm_options_now.no_logprobs) return NULL;
    json_t *tokens = json_array();
    size_t bytes = strlen(llm_labels[label]), first = llm_options_now.split ? 2 : bytes;
    plain_token(tokens, text, at);
    json_array_append_new(tokens,
                          label_token(x, label, allowed, llm_options_now.split ? 2 : 0,
                                      json_integer_value(json_object_get(x->request, "top_logprobs"))));
    plain_token(tokens, text + at + first, bytes - first);
    plain_token(tokens, text + at + bytes, strlen(text + at + bytes));
    return json_pack("{s:o,s:n}", "content", tokens, "refusal");
}

json_t *llm_answer_chat(llm_exchange *x)
{
    const json_t *messages = json_object_get(x->request, "messages"), *schema = schema_of(x->request);
    if (!json_array_size(messages)) return NULL;
    char text[MAX_TEXT];
    size_t at = 0;
    unsigned allowed = 0;
    const char *decision = decision_of(schema, &allowed);
    if (!decision) allowed = llm_labels_named(messages);
    if (llm_options_now.null_by_schema && schema) return llm_completion(x, NULL, NULL, "stop", NULL);
    if (!allowed) return llm_completion(x, "Hello.", NULL, "stop", NULL);
    unsigned label = mistake(x, llm_judge(messages, allowed), allowed);
    if (strcmp(llm_form_of(x->request), "json") == 0)
        write_object(llm_labels[label], text, &at);
    else
        write_content(schema, decision, llm_labels[label], text, &at);
    return llm_completion(x, text, NULL, "stop", logprobs_of(x, text, at, label, allowed));
}

/* ---- embeddings ---- */

/* Signed feature hashing of words, at length 1; an empty text is the first axis. */
static void embed(const char *text, float *vector, unsigned width)
{
    static const char between[] = " \t\r\n,.;:!?\"'()";
    double sum = 0;
    memset(vector, 0, width * sizeof *vector);
    for (const char *word = text + strspn(text, between); *word; word += strspn(word, between)) {
        size_t n = strcspn(word, between);
        uint64_t h = llm_hash(word, n, 1);
        vector[(h >> 1) % width] += h & 1 ? 1 : -1;
        word += n;
    }
    for (unsigned i = 0; i < width; i++) sum += vector[i] * vector[i];
    if (sum == 0) vector[0] = 1, sum = 1;
    for (unsigned i = 0; i < width; i++) vector[i] = (float)(vector[i] / sqrt(sum));
}

static json_t *base64(const void *data, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *b = data;
    char *text = malloc(n / 3 * 4 + 8), *t = text;
    for (size_t i = 0; text && i < n; i += 3) {
        unsigned v = (unsigned)b[i] << 16 | (i + 1 < n ? (unsigned)b[i + 1] << 8 : 0) |
                     (i + 2 < n ? b[i + 2] : 0);
        *t++ = digits[v >> 18];
        *t++ = digits[v >> 12 & 63];
        *t++ = i + 1 < n ? digits[v >> 6 & 63] : '=';
        *t++ = i + 2 < n ? digits[v & 63] : '=';
    }
    json_t *it = text ? json_stringn(text, (size_t)(t - text)) : NULL;
    free(text);
    return it;
}

static json_t *embedding(const char *text, unsigned width, bool packed, json_int_t index)
{
    float vector[MAX_WIDTH];
    embed(text, vector, width);
    json_t *numbers = packed ? base64(vector, width * sizeof *vector) : json_array();
    for (unsigned i = 0; !packed && i < width; i++)
        json_array_append_new(numbers, json_real((double)vector[i]));
    return json_pack("{s:s,s:I,s:o}", "object", "embedding", "index", index, "embedding", numbers);
}

json_t *llm_answer_embeddings(llm_exchange *x)
{
    json_t *input = json_object_get(x->request, "input");
    json_int_t asked = json_integer_value(json_object_get(x->request, "dimensions"));
    bool packed = strcmp(llm_text(x->request, "encoding_format"), "base64") == 0;
    unsigned width = asked > 0 && asked <= MAX_WIDTH ? (unsigned)asked : llm_options_now.width;
    size_t count = json_is_string(input) ? 1 : json_array_size(input), bytes = 0;
    if (count == 0 || count > llm_options_now.batch) return NULL;
    json_t *data = json_array();
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_is_string(input) ? input : json_array_get(input, i));
        if (!text) {
            json_decref(data);
            return NULL;
        }
        bytes += strlen(text);
        json_array_append_new(data, embedding(text, width, packed, (json_int_t)i));
    }
    return json_pack("{s:s,s:o,s:s,s:{s:i,s:i}}", "object", "list", "data", data, "model",
                     llm_text(x->request, "model"), "usage", "prompt_tokens", tokens_of(bytes),
                     "total_tokens", tokens_of(bytes));
}
