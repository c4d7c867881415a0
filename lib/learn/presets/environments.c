/* SPDX-License-Identifier: MIT
 *
 * Agents in environments.
 */
#include "learn/presets/presets.h"

/* clang-format off */
/* System B: 42 -> 256 -> 256 -> 128 -> items. The numbers are its code's, which are each one of those that it
 * searches; episodes are what it counts the target's copies and epsilon's fall in. */
const dq_setting dq_preset_session[] = {
    {"agent", "dqn"}, {"env", "session"}, {"episodes", "1000"},
    {"hidden", "256,256,128"}, {"dropout", "0.2"}, {"dropout-layers", "2"}, {"double", "on"}, {"gamma", "0.95"},
    {"lr", "1e-3"}, {"lr-schedule", "linear"}, {"loss", "mse"}, {"clip-norm", "1"},
    {"target-every", "50"}, {"target-by", "episodes"},
    {"batch", "32"}, {"replay", "10000"}, {"warmup", "32"},
    {"epsilon", "1"}, {"epsilon-min", "0.01"},
    {"epsilon-form", "multiplicative"}, {"epsilon-decay", "0.995"}, {"epsilon-by", "episodes"},
    {"history-mean", "on"}, {0}};

/* System C, the table. */
const dq_setting dq_preset_sequence[] = {
    {"agent", "tabular"}, {"env", "sequence:change=15"}, {"episodes", "115"}, {"alpha", "0.1"}, {"gamma", "0.95"},
    {"epsilon", "0.1"}, {"epsilon-min", "0.1"},
    {"epsilon-form", "multiplicative"}, {"epsilon-decay", "1"}, {"epsilon-by", "updates"}, {0}};

/* System C, the network. The target follows as in the tutorial that its other numbers are from. */
const dq_setting dq_preset_sequence_dqn[] = {
    {"agent", "dqn"}, {"env", "sequence:length=10,distractors=0,change=3000,then=2"}, {"episodes", "6000"},
    {"hidden", "128,128"}, {"dropout", "0"}, {"gamma", "0.99"}, {"lr", "1e-4"}, {"loss", "huber"},
    {"clip-norm", "0"}, {"clip-value", "1"}, {"tau", "0.005"}, {"target-every", "1"},
    {"batch", "128"}, {"replay", "10000"}, {"warmup", "128"},
    {"epsilon", "0.9"}, {"epsilon-min", "0.05"}, {"epsilon-form", "exponential"}, {"epsilon-over", "200"},
    {"epsilon-decay", "1"}, {"epsilon-by", "steps"}, {0}};

/* System D: 100 -> 64 -> 64 -> 10. */
const dq_setting dq_preset_films[] = {
    {"agent", "dqn"}, {"env", "films"}, {"episodes", "1000"},
    {"hidden", "64,64"}, {"dropout", "0"}, {"gamma", "0.95"}, {"lr", "1e-3"}, {"loss", "mse"}, {"clip-norm", "0"},
    {"target-every", "10"}, {"target-by", "episodes"},
    {"batch", "32"}, {"replay", "10000"}, {"warmup", "32"},
    {"epsilon", "1"}, {"epsilon-min", "0.01"},
    {"epsilon-form", "multiplicative"}, {"epsilon-decay", "0.995"}, {"epsilon-by", "updates"},
    {"history", "5"}, {"session-steps", "0"}, {"session-count", "off"}, {0}};

/* Sutton and Barto's example 8.1. */
const dq_setting dq_preset_maze[] = {
    {"agent", "tabular"}, {"env", "maze"}, {"episodes", "50"}, {"alpha", "0.1"}, {"gamma", "0.95"},
    {"planning", "50"}, {"epsilon", "0.1"}, {"epsilon-min", "0.1"},
    {"epsilon-form", "multiplicative"}, {"epsilon-decay", "1"}, {"epsilon-by", "updates"}, {0}};
/* clang-format on */
