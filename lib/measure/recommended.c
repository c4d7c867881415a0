/* SPDX-License-Identifier: MIT
 *
 * Measures of a user's list beyond whether it is right: means over the items that it has among its first k.
 * Items that the catalogue lacks are passed over; NAN where none is left.
 */
#include "measure/measures_impl.h"

#include "math/cosine.h"

#include <math.h>
#include <string.h>

typedef double item_fn(const dq_facts *facts, uint32_t item);

static double mean_of_items(const dq_recommended *l, double k, item_fn *value)
{
    double sum = 0, n = 0;
    for (size_t i = 0; i < l->judged->retrieved && (double)i < k; i++) {
        if (l->item[i] == DQ_ABSENT) continue;
        sum += value(l->facts, l->item[i]);
        n++;
    }
    return n > 0 ? sum / n : NAN;
}

/* Self-information log2(users / users who met the item) (Zhou and others, PNAS 107, 2010); an item that
 * nobody met counts as met by one. */
static double surprise(const dq_facts *facts, uint32_t item)
{
    return log2((double)facts->users / fmax(dq_facts_met(facts, item), 1));
}

static double popularity(const dq_facts *facts, uint32_t item)
{
    return dq_facts_met(facts, item);
}

static double is_tail(const dq_facts *facts, uint32_t item)
{
    return dq_facts_in_tail(facts, item);
}

double dq_novelty(const dq_recommended *l, double k)
{
    return l->facts->users ? mean_of_items(l, k, surprise) : NAN;
}

double dq_average_popularity(const dq_recommended *l, double k)
{
    return mean_of_items(l, k, popularity);
}

double dq_tail_share(const dq_recommended *l, double k)
{
    return mean_of_items(l, k, is_tail);
}

/* Relevant ones among the first k that the primitive method, which recommends the k most popular to all,
 * would not have shown (Murakami, Mori and Orihara 2008; Ge and others, RecSys 2010). */
double dq_serendipity(const dq_recommended *l, double k)
{
    const dq_judged_ranking *q = l->judged;
    double n = 0;
    for (size_t i = 0; i < q->retrieved && (double)i < k; i++)
        n += q->hits[i + 1] > q->hits[i] && l->item[i] != DQ_ABSENT &&
             !dq_facts_is_popular(l->facts, l->item[i], k);
    return n / k;
}

/* Mean of 1 - cosine over all pairs of items (Ziegler and others, WWW 2005; Smyth and McClave 2001). */
double dq_diversity(const dq_recommended *l, double k)
{
    const dq_entities *items = &l->facts->catalogue->items;
    const dq_field whole = {.width = items->width},
                   *field = l->about == DQ_WHOLE_VECTOR ? &whole : &items->fields[l->about];
    const dq_pairing range = {field->offset, field->offset, field->width};
    double sum = 0, pairs = 0;
    for (size_t i = 0; i < l->judged->retrieved && (double)i < k; i++)
        for (size_t j = 0; j < i; j++) {
            if (l->item[i] == DQ_ABSENT || l->item[j] == DQ_ABSENT) continue;
            sum += 1 - dq_cosine(items->vectors[l->item[i]], items->vectors[l->item[j]], &range, 1);
            pairs++;
        }
    return pairs > 0 ? sum / pairs : NAN;
}

/* Adds an item to the values that it has, in equal parts that sum to 1; to none: 0. */
static double add_values(const dq_attribute *a, uint32_t item, double *shares)
{
    size_t n;
    const uint32_t *values = dq_attribute_of(a, item, &n);
    for (size_t i = 0; i < n; i++) shares[values[i]] += 1 / (double)n;
    return n > 0;
}

/* Kullback and Leibler's divergence, in nats, of the list's shares of an attribute's values, q, from those of
 * what the user met, p (Steck, RecSys 2018, equation 6): sum of p log(p / ((1 - a) q + a p)), a = 0.01. An
 * item with several values counts for each in equal parts; one without any is passed over. */
double dq_calibration(const dq_recommended *l, double k)
{
    const double a = 0.01;
    const dq_attribute *about = &l->facts->attributes[l->about];
    size_t n, values = dq_index_count(&about->values);
    const dq_pairset_pair *met = dq_facts_history(l->facts, l->user, &n);
    double *p = about->shares, *q = p + values, met_total = 0, shown_total = 0, sum = 0;
    memset(p, 0, 2 * values * sizeof *p);
    for (size_t i = 0; i < n; i++) met_total += add_values(about, met[i].item, p);
    for (size_t i = 0; i < l->judged->retrieved && (double)i < k; i++)
        if (l->item[i] != DQ_ABSENT) shown_total += add_values(about, l->item[i], q);
    if (met_total == 0 || shown_total == 0) return NAN;
    for (size_t g = 0; g < values; g++)
        if (p[g] > 0) {
            double wanted = p[g] / met_total, shown = q[g] / shown_total;
            sum += wanted * log(wanted / ((1 - a) * shown + a * wanted));
        }
    return sum;
}
