/* SPDX-License-Identifier: MIT */
#include "env/env_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

dq_status dq_task_reserve(dq_task *task, size_t own, dq_error *error)
{
    size_t before = (own + 15) / 16 * 16, state = task->shape.state_width * sizeof(float);
    task->memory = calloc(1, before + state);
    if (!task->memory) return dq_fail(error, DQ_ERR_MEMORY, "no memory for the task %s", task->kind->name);
    task->memory_bytes = before + state;
    task->state = (float *)(void *)((unsigned char *)task->memory + before);
    return DQ_OK;
}

void dq_task_normals(float *to, size_t n, double scale, dq_rng *rng)
{
    for (size_t i = 0; i < n; i++) to[i] = (float)(scale * dq_rng_normal(rng));
}

double dq_task_sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

void dq_task_remember(float *history, const float *row, size_t rows, size_t width)
{
    if (rows == 0) return;
    memmove(history + width, history, (rows - 1) * width * sizeof *history);
    memcpy(history, row, width * sizeof *history);
}
