/* SPDX-License-Identifier: MIT
 *
 * The protocol of environments, both ends. An even first byte: the rest is what an environment's process
 * says, and nothing of it that is no finite number reaches the agent. An odd one: the rest is what an agent
 * asks dq's own environment that the byte chooses, whose answers are a sound stream of finite numbers.
 */
#include "buffer.h"

#include "rollout/server.h"
#include "rollout/vec_env.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const dq_maker maker = {.program = "fuzz", .version = "0", .seed = -1};

/* ---- a process that says these bytes ---- */

static void check_states(const dq_vec_env *envs, const float *states)
{
    size_t n = envs->config.count * envs->shape.state_width;
    for (size_t i = 0; i < n; i++) fuzz_finite((double)states[i]);
}

static dq_status live(dq_vec_env *envs, dq_error *error)
{
    uint32_t actions[2] = {0, envs->shape.action_count - 1};
    dq_status status = dq_vec_env_begin(envs, error);
    if (status) return status;
    check_states(envs, envs->states);
    status = dq_vec_env_step(envs, actions, error);
    if (status) return status;
    check_states(envs, envs->next);
    for (size_t i = 0; i < envs->config.count; i++) {
        fuzz_finite((double)envs->steps[i].reward);
        for (size_t c = 0; c < DQ_ENV_COUNTERS; c++) fuzz_finite(envs->counted[i][c]);
    }
    dq_vec_env_advance(envs);
    return DQ_OK;
}

static void hear(fuzz_bytes rest)
{
    char path[300], command[340];
    dq_error e = DQ_ERROR_NONE;
    fuzz_buffer said = {0};
    dq_vec_env *envs;
    fuzz_make_stream(&rest, &said);
    (void)snprintf(path, sizeof path, "%s/said.dq", fuzz_folder());
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(said.data, 1, said.n, f) != said.n || fclose(f)) fuzz_fail("no file");
    (void)snprintf(command, sizeof command, "exec cat %s", path);
    const dq_vec_env_config config = {.command = command, .count = 2, .maker = &maker};
    dq_status status = dq_vec_env_open(&envs, &config, &e);
    for (int step = 0; !status && step < 8; step++) status = live(envs, &e);
    status = dq_vec_env_close(envs, status, &e);
    if (status) fuzz_failed(&e);
    fuzz_buffer_free(&said);
}

/* ---- an agent that asks these bytes ---- */

/* Every answer has as many rows as its question, and finite numbers. */
static void check_answers(const char *path)
{
    dq_error e = DQ_ERROR_NONE;
    dq_reader *reader;
    dq_bundle b;
    int got = -1;
    if (dq_reader_open(&reader, &path, 1, &e)) return; /* it had nothing to say */
    while ((got = dq_reader_next(reader, &b, &e)) > 0) {
        for (size_t i = 0; i < b.column_count; i++) {
            const dq_column *c = &b.columns[i];
            uint64_t n = dq_dtype_size(c->type) ? c->shape[0] * dq_column_width(c) : 0;
            for (uint64_t k = 0; k < n; k++) fuzz_finite(dq_column_number(c, k));
        }
        dq_bundle_free(&b);
    }
    if (got < 0 && e.status != DQ_ERR_TRUNCATED) fuzz_fail("it answered no stream: %s", e.reason);
    dq_reader_close(reader);
}

static void put_in_place(int file, int place)
{
    if (file < 0 || dup2(file, place) != place) fuzz_fail("no descriptor");
    if (file != place) (void)close(file);
}

static void serve(fuzz_bytes rest, unsigned choice)
{
    static const char *const names[] = {"cartpole", "maze",  "chain",
                                        "sequence", "films", "session:users=3,items=5"};
    char path[40];
    dq_error e = DQ_ERROR_NONE;
    fuzz_buffer asked = {0};
    fuzz_make_stream(&rest, &asked);
    put_in_place(open(fuzz_file(asked.data, asked.n), O_RDONLY), STDIN_FILENO);
    int out = memfd_create("answers", 0), kept = dup(out);
    put_in_place(out, STDOUT_FILENO);
    if (dq_env_server_run(names[choice % (sizeof names / sizeof *names)], &maker, &e)) fuzz_refused(&e);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", kept);
    check_answers(path);
    (void)close(kept);
    fuzz_buffer_free(&asked);
}

static void read_protocol(const uint8_t *data, size_t n)
{
    fuzz_bytes rest = {data, n};
    unsigned choice = fuzz_byte(&rest);
    if (choice & 1)
        serve(rest, choice / 2);
    else
        hear(rest);
}

const fuzz_target fuzz_it = {.read = read_protocol, .memory = 32 << 20, .per_byte = 4000};
