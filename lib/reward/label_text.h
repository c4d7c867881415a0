/* SPDX-License-Identifier: MIT
 *
 * Where a text states a label. A statement is
 *
 *   - the value of a key "decision" in a closed {...}, at the beginning of a line or behind a mark (a colon,
 * a point, a fence's name), be it JSON or nearly: any quotes or none, trailing or full-width commas and
 *     colons, quotes unescaped inside of texts. The value is the label and nothing else
 *   - a line "DECISION: LABEL ...", also "My final decision = LABEL", with a label as its first word, and no
 *     other label; where nothing stands behind the colon, the next line, if it is a label and nothing else
 *   - a line that is "DECISION LABEL", "Decision is LABEL", "Answer: LABEL" and nothing else
 *   - the first or the last line, if it is a label and nothing else
 *
 * Marks (Markdown, quotes, punctuation, blanks, of Unicode too) and case do not count, but a label before a
 * question mark is not stated. A decision that is stated and is no label makes the text unreadable, and so
 * does an object at the beginning of a line that is not closed. A label that stands as a statement would, in
 * an object within a sentence or alone on a line in the middle, states nothing, but one that differs
 * contradicts.
 */
#ifndef DQ_REWARD_LABEL_TEXT_H
#define DQ_REWARD_LABEL_TEXT_H

#include "reward/judgement.h"

typedef struct dq_label_search {
    const dq_label_set *set;
    size_t label, at; /* stated, set->known: none so far; where */
    size_t mentioned; /* 1 + a label that stands alone and states nothing; 0: none */
    bool bad, differ; /* a statement that is no label of the set; two that differ */
} dq_label_search;

bool dq_label_is_word(char c);
bool dq_label_is_space(char c);
/* Whether more than blanks is there; text may be NULL. */
bool dq_label_has_words(const char *text, size_t n);

/* Notes the statements of objects, which become blanks. */
void dq_label_search_objects(dq_label_search *search, char *text, size_t n);
/* Notes those of lines, at last; settles what differs. */
void dq_label_search_lines(dq_label_search *search, const char *text, size_t n);

/* ---- for both ---- */

/* Whether n bytes are a word, in any case and with marks around it. */
bool dq_label_is(const char *text, size_t n, const char *word);
/* Notes what the n bytes behind text + from say of a decision: a label and nothing else, or none. `stated`:
 * it counts, and does not only contradict. */
void dq_label_note_value(dq_label_search *search, const char *text, size_t from, size_t n, bool stated);

#endif
