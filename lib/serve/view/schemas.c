/* SPDX-License-Identifier: MIT
 *
 * What the views over HTTP take and give, field by field.
 */
#include "serve/view/schemas.h"

#include "serve/view/view.h"

#define TEXT_OR_NULL   (DQ_SERVE_STRING | DQ_SERVE_NULL)
#define NUMBER_OR_NULL (DQ_SERVE_NUMBER | DQ_SERVE_NULL)
#define ANYTHING                                                                                             \
    (DQ_SERVE_STRING | DQ_SERVE_NUMBER | DQ_SERVE_BOOLEAN | DQ_SERVE_LIST | DQ_SERVE_OBJECT | DQ_SERVE_NULL)

static const dq_serve_field page_fields[] = {
    {"limit", DQ_SERVE_INTEGER, .min = 1, .max = DQ_VIEW_LIMIT, .help = "how many (20)"},
    {"after", DQ_SERVE_STRING, .max_length = 1024,
     .help = "the id to go on behind: `next` of the page before"},
    {"q", DQ_SERVE_STRING, .max_length = 256,
     .help = "words in an id, a text or an attribute, whatever their case"},
    {0}};
static const dq_serve_field values_fields[] = {
    {"user_id", DQ_SERVE_STRING, .required = true, .max_length = 1024, .help = "whose values"},
    {"n", DQ_SERVE_INTEGER, .min = 1, .max = DQ_VIEW_VALUES_MOST, .help = "items of each model (10)"},
    {0}};
const dq_serve_schema dq_view_page_query = {.name = "Page", .fields = page_fields};
const dq_serve_schema dq_view_values_query = {.name = "ValuesQuery", .fields = values_fields};

static const dq_serve_schema named = {.name = "Named", .any = ANYTHING};
#define DESCRIBED                                                                                            \
    {"texts", DQ_SERVE_OBJECT, .required = true, .of = &named, .help = "by name"},                           \
        {"attributes", DQ_SERVE_OBJECT, .required = true, .of = &named, .help = "by name"},                  \
    {                                                                                                        \
        "interactions", DQ_SERVE_INTEGER, .required = true, .help = "so many in the catalogue"               \
    }
#define ITEM                                                                                                 \
    {"item_id", DQ_SERVE_STRING, .required = true, .help = "an item"},                                       \
    {                                                                                                        \
        "title", TEXT_OR_NULL, .required = true, .help = "what it is called"                                 \
    }
#define USER                                                                                                 \
    {                                                                                                        \
        "user_id", DQ_SERVE_STRING, .required = true, .help = "a user"                                       \
    }
#define DONE                                                                                                 \
    {"label", TEXT_OR_NULL, .required = true, .help = "what was done"},                                      \
        {"reward", NUMBER_OR_NULL, .required = true, .help = "what it is worth"},                            \
    {                                                                                                        \
        "time", ANYTHING, .required = true, .help = "as the catalogue has it"                                \
    }

static const dq_serve_field user_done_fields[] = {ITEM, DONE, {0}};
static const dq_serve_field item_done_fields[] = {USER, DONE, {0}};
static const dq_serve_schema user_done = {.name = "DoneByUser", .fields = user_done_fields};
static const dq_serve_schema item_done = {.name = "DoneWithItem", .fields = item_done_fields};
static const dq_serve_field user_fields[] = {USER,
                                             DESCRIBED,
                                             {"history", DQ_SERVE_LIST, .of_type = DQ_SERVE_OBJECT,
                                              .of = &user_done,
                                              .help = "the latest first; of one user alone"},
                                             {0}};
static const dq_serve_field item_fields[] = {ITEM,
                                             DESCRIBED,
                                             {"history", DQ_SERVE_LIST, .of_type = DQ_SERVE_OBJECT,
                                              .of = &item_done,
                                              .help = "the latest first; of one item alone"},
                                             {0}};
const dq_serve_schema dq_view_user_answer = {.name = "User", .fields = user_fields};
const dq_serve_schema dq_view_item_answer = {.name = "Item", .fields = item_fields};
#define PAGED                                                                                                \
    {"next", TEXT_OR_NULL, .required = true, .help = "the id to go on behind; null: that is all"},           \
    {                                                                                                        \
        "total", DQ_SERVE_INTEGER, .required = true, .help = "of all, whatever was looked for"               \
    }
static const dq_serve_field users_fields[] = {{"users", DQ_SERVE_LIST, .required = true,
                                               .of_type = DQ_SERVE_OBJECT, .of = &dq_view_user_answer,
                                               .help = "a page of them"},
                                              PAGED,
                                              {0}};
static const dq_serve_field items_fields[] = {{"items", DQ_SERVE_LIST, .required = true,
                                               .of_type = DQ_SERVE_OBJECT, .of = &dq_view_item_answer,
                                               .help = "a page of them"},
                                              PAGED,
                                              {0}};
const dq_serve_schema dq_view_users_answer = {.name = "Users", .fields = users_fields};
const dq_serve_schema dq_view_items_answer = {.name = "Items", .fields = items_fields};

static const dq_serve_field bin_fields[] = {
    {"from", DQ_SERVE_NUMBER, .required = true, .help = "its beginning"},
    {"to", DQ_SERVE_NUMBER, .required = true, .help = "its end; only the last bin holds it"},
    {"count", DQ_SERVE_INTEGER, .required = true, .help = "so many"},
    {0}};
static const dq_serve_schema bin = {.name = "Bin", .fields = bin_fields};
#define BINS                                                                                                 \
    {                                                                                                        \
        "bins", DQ_SERVE_LIST, .of_type = DQ_SERVE_OBJECT, .of = &bin, .help = "of one width"                \
    }
static const dq_serve_field histogram_fields[] = {
    {"mean", NUMBER_OR_NULL, .required = true, .help = "of all; null: there is nothing"},
    {"min", NUMBER_OR_NULL, .required = true, .help = "the least"},
    {"max", NUMBER_OR_NULL, .required = true, .help = "the greatest"},
    BINS,
    {0}};
static const dq_serve_field counted_fields[] = {
    {"value", ANYTHING, .required = true, .help = "a value"},
    {"count", DQ_SERVE_INTEGER, .required = true, .help = "so many have it"},
    {"reward", NUMBER_OR_NULL, .help = "of a label: what it is worth"},
    {0}};
static const dq_serve_schema histogram = {.name = "Histogram", .fields = histogram_fields};
static const dq_serve_schema counted = {.name = "CountedValue", .fields = counted_fields};
static const dq_serve_field attribute_fields[] = {
    {"attribute", DQ_SERVE_STRING, .required = true, .help = "its name"},
    BINS,
    {"values", DQ_SERVE_LIST, .of_type = DQ_SERVE_OBJECT, .of = &counted,
     .help = "of no numbers: the most frequent"},
    {"others", DQ_SERVE_INTEGER, .help = "so many have another value"},
    {0}};
static const dq_serve_schema attribute = {.name = "Attribute", .fields = attribute_fields};
static const dq_serve_field distributions_fields[] = {
    {"interactions", DQ_SERVE_INTEGER, .required = true, .help = "in all"},
    {"labels", DQ_SERVE_LIST, .required = true, .of_type = DQ_SERVE_OBJECT, .of = &counted,
     .help = "the most frequent first"},
    {"rewards", DQ_SERVE_OBJECT, .required = true, .of = &histogram, .help = "of interactions that have one"},
    {"item_popularity", DQ_SERVE_OBJECT, .required = true, .of = &histogram,
     .help = "interactions of an item"},
    {"user_activity", DQ_SERVE_OBJECT, .required = true, .of = &histogram, .help = "interactions of a user"},
    {"users", DQ_SERVE_LIST, .required = true, .of_type = DQ_SERVE_OBJECT, .of = &attribute,
     .help = "their attributes"},
    {"items", DQ_SERVE_LIST, .required = true, .of_type = DQ_SERVE_OBJECT, .of = &attribute,
     .help = "their attributes"},
    {0}};
const dq_serve_schema dq_view_distributions_answer = {.name = "Distributions",
                                                      .fields = distributions_fields};

static const dq_serve_field value_fields[] = {
    {"model", DQ_SERVE_STRING, .required = true, .help = "its name"},
    {"q", NUMBER_OR_NULL, .required = true, .help = "what the item is worth in the long run"},
    {"world", NUMBER_OR_NULL, .required = true, .help = "the reward that its world model predicts"},
    {"rank", DQ_SERVE_INTEGER, .required = true, .help = "the item's place by q"},
    {0}};
static const dq_serve_schema value_answer = {.name = "Value", .fields = value_fields};
static const dq_serve_field valued_fields[] = {
    ITEM,
    {"popularity", DQ_SERVE_INTEGER, .required = true, .help = "interactions of all users"},
    {"label", TEXT_OR_NULL, .required = true, .help = "what this user did with it last"},
    {"values", DQ_SERVE_LIST, .required = true, .of_type = DQ_SERVE_OBJECT, .of = &value_answer,
     .help = "of each model"},
    {0}};
static const dq_serve_field valuing_fields[] = {
    {"name", DQ_SERVE_STRING, .required = true, .help = "of the model"},
    {"kind", TEXT_OR_NULL, .required = true, .help = "dqn, dyna-q ..."},
    {"world", DQ_SERVE_BOOLEAN, .required = true, .help = "whether it has a world model"},
    {"error", TEXT_OR_NULL, .required = true, .help = "why it has no values here"},
    {0}};
static const dq_serve_schema valued = {.name = "ValuedItem", .fields = valued_fields};
static const dq_serve_schema valuing = {.name = "ValuingModel", .fields = valuing_fields};
static const dq_serve_field values_answer_fields[] = {
    USER,
    {"models", DQ_SERVE_LIST, .required = true, .of_type = DQ_SERVE_OBJECT, .of = &valuing, .help = "all"},
    {"items", DQ_SERVE_LIST, .required = true, .of_type = DQ_SERVE_OBJECT, .of = &valued,
     .help = "the best of each model"},
    {0}};
const dq_serve_schema dq_view_values_answer = {.name = "Values", .fields = values_answer_fields};

static const dq_serve_field model_fields[] = {
    {"name", DQ_SERVE_STRING, .required = true, .help = "as --model names it"},
    {"share", DQ_SERVE_NUMBER, .required = true, .help = "of the users"},
    {"loaded", DQ_SERVE_BOOLEAN, .required = true, .help = "whether it serves"},
    {"kind", TEXT_OR_NULL, .required = true, .help = "dqn, dyna-q ..."},
    {"world", DQ_SERVE_BOOLEAN, .required = true, .help = "whether it has a world model"},
    {"digest", TEXT_OR_NULL, .required = true, .help = "of its file's section, as dq-cat --lineage has it"},
    {"error", TEXT_OR_NULL, .required = true, .help = "why its file was not taken up"},
    {0}};
static const dq_serve_field job_fields[] = {
    {"job", DQ_SERVE_INTEGER, .required = true, .help = "its number"},
    {"what", DQ_SERVE_STRING, .required = true, .help = "init, train, pipeline"},
    {"state", DQ_SERVE_STRING, .required = true, .help = "running, done, failed, cancelled"},
    {"stage", TEXT_OR_NULL, .required = true, .help = "init, reward, train, recommend"},
    {"model", TEXT_OR_NULL, .required = true, .help = "the model that is replaced"},
    {"unit", TEXT_OR_NULL, .required = true, .help = "episode, epoch"},
    {"episode", DQ_SERVE_INTEGER, .required = true, .help = "so many are done"},
    {"episodes", DQ_SERVE_INTEGER, .required = true, .help = "of so many"},
    {"message", TEXT_OR_NULL, .required = true, .help = "how it ended"},
    {0}};
static const dq_serve_field label_fields[] = {
    {"label", DQ_SERVE_STRING, .required = true, .help = "what a user may do"},
    {"reward", DQ_SERVE_NUMBER, .required = true, .help = "what it is worth"},
    {0}};
static const dq_serve_schema model_answer = {.name = "Model", .fields = model_fields};
static const dq_serve_schema job_answer = {.name = "Job", .fields = job_fields};
static const dq_serve_schema label_answer = {.name = "Label", .fields = label_fields};
static const dq_serve_field status_fields[] = {
    {"demo", DQ_SERVE_BOOLEAN, .required = true, .help = "whether it makes data and trains"},
    {"version", DQ_SERVE_STRING, .required = true, .help = "of the program"},
    {"users", DQ_SERVE_INTEGER, .required = true, .help = "in the catalogue"},
    {"items", DQ_SERVE_INTEGER, .required = true, .help = "in the catalogue"},
    {"interactions", DQ_SERVE_INTEGER, .required = true, .help = "in the catalogue"},
    {"simulated", DQ_SERVE_BOOLEAN, .required = true, .help = "whether dq-sim made up the catalogue"},
    {"models", DQ_SERVE_LIST, .required = true, .of_type = DQ_SERVE_OBJECT, .of = &model_answer,
     .help = "in the order of --model"},
    {"job", DQ_SERVE_OBJECT | DQ_SERVE_NULL, .required = true, .of = &job_answer, .help = "the latest"},
    {"labels", DQ_SERVE_LIST, .required = true, .of_type = DQ_SERVE_OBJECT, .of = &label_answer,
     .help = "of --map"},
    {0}};
const dq_serve_schema dq_view_status_answer = {.name = "Status", .fields = status_fields};
