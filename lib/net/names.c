/* SPDX-License-Identifier: MIT
 *
 * The names of what a network can be, in the order of the enumerations.
 */
#include "net/loss.h"
#include "net/net.h"

#include <stddef.h>

const char *const dq_activation_names[] = {"relu", "gelu", "tanh", NULL};
const char *const dq_precision_names[] = {"f32", "bf16", NULL};
const char *const dq_head_names[] = {"outputs", "actions", NULL};
const char *const dq_encoder_names[] = {"none", "mean", "attention", "sasrec", NULL};
const char *const dq_loss_names[] = {"mse", "huber", "softmax", "pairwise", NULL};
const char *const dq_hidden_inputs_names[] = {"all", "features", NULL};
