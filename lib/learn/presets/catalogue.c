/* SPDX-License-Identifier: MIT
 *
 * Agents of a catalogue, whose states are its users.
 */
#include "learn/presets/presets.h"

/* clang-format off */
/* ---- system A's numbers ---- */

const dq_setting dq_preset_users[] = {
    {"head", "actions"}, {"hidden", "1024,512,256"}, {"dropout", "0.2"}, {"loss", "mse"}, {"clip-norm", "0"},
    {"lr", "1e-3"}, {"gamma", "0.9"}, {"batch", "64"}, {"target-every", "1000"}, {"replay", "100000"}, {"warmup", "1000"},
    {"epsilon", "1"}, {"epsilon-min", "0.01"}, {"epsilon-form", "multiplicative"}, {"epsilon-decay", "0.995"},
    {"epsilon-by", "updates"}, {0}};
const dq_setting dq_preset_users_world[] = {{"world-hidden", "1024,512"}, {0}};
const dq_setting dq_preset_published[] = {
    {"batch", "128"}, {"weight-decay", "1e-5"}, {"epochs", "20"}, {"best-by", "loss"}, {"patience", "5"}, {0}};

/* ---- found on real labels: by lists, and by rows ---- */

const dq_setting dq_preset_lists[] = {
    {"epochs", "0"}, {"batch", "128"}, {"gamma", "0"}, {"best-by", "ndcg"}, {"validation", "0"}, {"hidden", "48"},
    {"hidden-inputs", "features"}, {"features", "auto"}, {"feature-scale", "4"}, {"direct", "on"}, {"direct-start", "2"},
    {"factored", "128"}, {"input-dropout", "0.2"}, {"dropout", "0"}, {"world-hidden", "256,128"}, {"lr", "2e-3"},
    {"lr-schedule", "one-cycle"}, {"beta2", "0.99"}, {"weight-decay", "1e-2"}, {"decay-form", "decoupled"}, {0}};
const dq_setting dq_preset_tuned[] = {
    {"batch", "256"}, {"gamma", "0"}, {"features", "all"}, {"lr", "3e-4"}, {"lr-schedule", "one-cycle"},
    {"dropout", "0.1"}, {"validation", "0.05"}, {0}};
const dq_setting dq_preset_reptile[] = {{"batch", "10"}, {"lr", "1e-3"}, {"lr-schedule", "constant"}, {0}};
/* clang-format on */
