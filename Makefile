# SPDX-License-Identifier: MIT
# dq: reinforcement-learning recommenders as Unix pipelines. `make list` prints what can be made.
#
#   make demo                        installs what is missing, builds, runs the main job
#   make check                       installs what is missing, builds, runs every test
#   make CC=clang                    another compiler
#   make check SANITIZER=address,undefined
#   make install DESTDIR= PREFIX=/usr/local

.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
SHELL     := /bin/bash

PREFIX    ?= /usr/local
SANITIZER ?=
comma     := ,
B         := build$(if $(SANITIZER),/$(subst $(comma),-,$(SANITIZER)))

# ---- parts: a new program, room or port is one line here ----

# Programs, and beside cmd/PROGRAM.c the parts of cmd/ and lib/port/ that each takes. COMMON goes into all.
COMMON          := cmd/cli cmd/cli_help cmd/progress
ASK             := cmd/ask cmd/ask_desk cmd/ask_send cmd/ask_ledger cmd/ask_options cmd/ask_print port/cache \
                   port/cache_claim port/cache_entry port/cache_ledger port/cache_owner port/cache_sql port/http port/http_client \
                   port/http_pace port/json port/sha256
PROGRAMS        := dq-export dq-embed dq-reward dq-train dq-plan dq-rank dq-eval dq-sim dq-cat
dq-export.parts := cmd/export_options cmd/export_schema cmd/export_collections cmd/export_side cmd/export_join \
                   cmd/export_interactions cmd/export_files cmd/export_array cmd/export_table \
                   cmd/export_document cmd/export_value cmd/export_block cmd/export_tally port/json port/jsonl \
                   port/csv port/npy port/safetensors port/mongo port/mongo_cursor port/mongo_bson port/mongo_vector
dq-embed.parts  := cmd/filter cmd/parallel cmd/embed_layout cmd/embed_block cmd/embed_model cmd/embed_factors \
                   cmd/catalogue cmd/transitions $(ASK)
dq-reward.parts := cmd/catalogue cmd/filter cmd/parallel cmd/transitions cmd/reward_pairs cmd/reward_label cmd/reward_answer \
                   cmd/reward_write cmd/reward_human cmd/terminal cmd/reward_judge cmd/reward_llm cmd/reward_read \
                   cmd/reward_prompt cmd/reward_input cmd/reward_options cmd/prompts $(ASK)
dq-train.parts  := cmd/catalogue cmd/corpus cmd/train_setup cmd/train_online cmd/train_offline cmd/train_each \
                   cmd/train_reward cmd/train_labeller cmd/train_weight \
                   cmd/train_checkpoint cmd/train_log cmd/train_env cmd/train_env_options cmd/train_env_log cmd/envs \
                   cmd/train_logged cmd/train_logged_options cmd/train_logged_input cmd/events \
                   cmd/envs_play cmd/env_process cmd/coprocess port/json
dq-plan.parts   := cmd/catalogue cmd/corpus cmd/plan_pairs cmd/plan_states cmd/plan_rollout cmd/plan_lists
dq-rank.parts   := cmd/catalogue cmd/rank_stream cmd/rank_feed cmd/rank_items cmd/rank_block cmd/rank_score \
                   cmd/rank_agents cmd/rank_sessions cmd/events cmd/rank_seen cmd/rank_kept cmd/rank_list cmd/rank_write cmd/rank_merge port/json
dq-eval.parts   := cmd/eval_input cmd/eval_measure cmd/eval_compare cmd/eval_print cmd/eval_curves cmd/eval_plot \
                   cmd/eval_rollout cmd/eval_rollout_print cmd/eval_env cmd/eval_env_print cmd/envs cmd/envs_play \
                   cmd/env_process cmd/coprocess cmd/catalogue cmd/corpus cmd/reward_label cmd/parallel port/json \
                   port/trec
dq-sim.parts    := cmd/sim_population cmd/sim_play cmd/catalogue cmd/corpus cmd/env_serve cmd/env_process cmd/envs \
                   cmd/envs_play cmd/coprocess
dq-cat.parts    := cmd/cat_select cmd/cat_time cmd/cat_print cmd/cat_tsv cmd/cat_check cmd/cat_files cmd/cat_join cmd/catalogue \
                   cmd/transitions port/json port/npy port/safetensors

# Programs that are a script: cmd/NAME.py on Debian's Python.
SCRIPTS := dq-tune

# What unit tests take of cmd/.
test_coprocess.parts := cmd/coprocess

# Rooms of the base library; port/ stays out of it, so that a program links only the foreign libraries it uses.
ROOMS := core wire math learn reward rank measure

# Debian packages: what is built with, and what tests and the demo run.
PACKAGES := build-essential pkg-config libopenblas-dev libmsgpack-dev libzstd-dev libxxhash-dev libjansson-dev \
            zlib1g-dev libcmocka-dev bats gnuplot-nox scdoc zstd jq python3 python3-msgpack python3-zstandard \
            python3-numpy python3-xxhash python3-pymongo python3-pymongo-ext python3-bson python3-bson-ext openssl bsdextrautils procps \
            libcurl4-openssl-dev nettle-dev \
            libmicrohttpd-dev curl apache2-utils libsqlite3-dev sqlite3 libmongoc-dev
PKGS     := openblas msgpack libzstd libxxhash jansson zlib libcurl nettle libmicrohttpd sqlite3 libmongoc-1.0

# ---- flags ----

CC       ?= cc
ifeq ($(origin CC),default)
CC       := cc
endif
WARN     := -Wall -Wextra -Wpedantic -Wshadow -Wconversion
OPT      ?= -O3 -g
CFLAGS   ?=
ALL_CFLAGS  = -std=c11 -D_GNU_SOURCE $(OPT) $(WARN) -ffp-contract=off -fno-math-errno -pthread -Iinclude $(PKG_CFLAGS) $(SAN) $(CFLAGS)
ALL_LDFLAGS = -Wl,--as-needed -pthread $(SAN) $(LDFLAGS)
SAN         = $(if $(SANITIZER),-fsanitize=$(SANITIZER) -fno-omit-frame-pointer -fno-sanitize-recover=all)
PKG_CFLAGS  = $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(PKGS) 2>/dev/null))
LIBS        = $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lm

# ---- building ----

LIB_SRC  := $(foreach room,$(ROOMS),$(wildcard lib/$(room)/*.c))
PORT_SRC := $(wildcard lib/port/*.c)
CMD_SRC  := $(wildcard cmd/*.c)
UNIT_SRC := $(wildcard tests/unit/*.c)
SERVER_SRC := $(wildcard tests/services/*.c)
HELPER_SRC := $(wildcard tests/fault/*.c)
OBJ      := $(patsubst %.c,$(B)/obj/%.o,$(LIB_SRC) $(PORT_SRC) $(CMD_SRC) $(UNIT_SRC) $(SERVER_SRC) $(HELPER_SRC))
BUILT    := $(foreach p,$(PROGRAMS),$(if $(wildcard cmd/$(p).c),$(B)/$(p)))
UNITS    := $(patsubst tests/unit/%.c,$(B)/unit/%,$(UNIT_SRC))
SCRIPTED := $(SCRIPTS:%=$(B)/%)
SERVERS  := $(B)/services/llm_server $(B)/services/http_post
HELPERS  := $(patsubst tests/fault/%.c,$(B)/helpers/%,$(HELPER_SRC))
MAN      := $(patsubst docs/man/%.scd,$(B)/man/%,$(wildcard docs/man/*.scd))
COMP     := $(patsubst $(B)/%,$(B)/completions/%,$(BUILT) $(SCRIPTED))

all: $(BUILT) $(SCRIPTED) $(MAN) $(COMP) ## build every program, man page and completion into build/

$(B)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(B)/libdq.a: $(patsubst %.c,$(B)/obj/%.o,$(LIB_SRC))
	@rm -f $@
	ar rcs $@ $^

# For the unit tests alone: each takes the ports that it calls.
$(B)/libport.a: $(patsubst %.c,$(B)/obj/%.o,$(PORT_SRC))
	@rm -f $@
	ar rcs $@ $^

part = $(B)/obj/$(if $(filter port/%,$(1)),lib/)$(1).o

.SECONDEXPANSION:
$(BUILT): $(B)/%: $(B)/obj/cmd/%.o $(foreach x,$(COMMON),$(B)/obj/$(x).o) $$(foreach x,$$($$*.parts),$$(call part,$$x)) $(B)/libdq.a
	$(CC) $(ALL_LDFLAGS) $^ $(LIBS) -o $@

# The prompts that dq-reward is shipped with, as C.
PROMPTS := jobs items
$(B)/obj/cmd/prompts.c: $(PROMPTS:%=data/prompts/%.txt) Makefile
	@mkdir -p $(@D)
	{ echo '#include <stddef.h>'; for p in $(PROMPTS); do \
	    echo "extern const unsigned char dq_prompt_$$p[]; extern const size_t dq_prompt_$${p}_bytes;"; \
	    echo "const unsigned char dq_prompt_$$p[] = {"; od -An -v -tu1 data/prompts/$$p.txt | sed 's/\([0-9]\{1,\}\)/\1,/g'; \
	    echo "}; const size_t dq_prompt_$${p}_bytes = sizeof dq_prompt_$$p;"; done; } > $@

$(B)/obj/cmd/prompts.o: $(B)/obj/cmd/prompts.c
	$(CC) $(ALL_CFLAGS) -c $< -o $@

$(SCRIPTED): $(B)/%: cmd/%.py cmd/cli.h
	sed "s/@VERSION@/$$(sed -n 's/^#define DQ_VERSION "\(.*\)"/\1/p' cmd/cli.h)/" $< > $@
	@chmod 755 $@

$(UNITS): $(B)/unit/%: $(B)/obj/tests/unit/%.o $$(foreach x,$$($$*.parts),$$(call part,$$x)) $(B)/libport.a $(B)/libdq.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ $(LIBS) -lcmocka -o $@

# Helpers of the fault tests, one file each.
$(HELPERS): $(B)/helpers/%: $(B)/obj/tests/fault/%.o $(B)/libport.a $(B)/libdq.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ $(LIBS) -o $@

# The servers that tests start; all of llm_*.c is one of them.
$(B)/services/llm_server: $(patsubst %.c,$(B)/obj/%.o,$(wildcard tests/services/llm_*.c))
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ $(LIBS) -o $@

$(B)/services/http_post: $(B)/obj/tests/services/http_post.o $(B)/libport.a $(B)/libdq.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ $(LIBS) -o $@

$(B)/services/llm_tastes.h: tests/services/make_tastes.py pipelines/demo/make_data.py
	@mkdir -p $(@D)
	python3 $^ > $@

$(B)/obj/tests/services/llm_judge.o: $(B)/services/llm_tastes.h
$(B)/obj/tests/services/llm_judge.o: ALL_CFLAGS += -I$(B)/services

$(B)/man/%: docs/man/%.scd
	@mkdir -p $(@D)
	scdoc < $< > $@

$(B)/completions/%: $(B)/%
	@mkdir -p $(@D)
	$< --completion > $@

-include $(OBJ:.o=.d)

# ---- the two commands ----

demo: deps ## install what is missing, build, and run the main job on embedded data
	@$(MAKE) --no-print-directory all
	@$(MAKE) --no-print-directory -f pipelines/demo.mk BUILD=$(B)

check: deps ## install what is missing, build, and run every test
	@$(MAKE) --no-print-directory all units
	@BUILD=$(B) SANITIZER=$(SANITIZER) bash tests/run

deps: ## install the Debian packages that are missing (apt, through sudo when not root)
	@bash tests/deps $(PACKAGES)

# ---- the rest ----

units: $(UNITS) $(SERVERS) $(HELPERS)

bench: all $(SERVERS) ## time against peers in the same run (TORCH_PYTHON names a Python with PyTorch 2)
	@BUILD=$(B) bash tests/bench/run
	@if [ -n "$(GYM_PYTHON)" ]; then $(MAKE) --no-print-directory -f pipelines/gymnasium.mk BUILD=$(B) GYM_PYTHON=$(GYM_PYTHON); \
	else echo "gymnasium: left out (GYM_PYTHON names a Python with it; pipelines/gymnasium.mk says more)"; fi

fuzz: ## fuzz the stream reader with libFuzzer (clang) for FUZZ_SECONDS (60)
	@BUILD=$(B) bash tests/fuzz/run

install: all ## install programs, headers, man pages, completions under DESTDIR/PREFIX
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/include/dq $(DESTDIR)$(PREFIX)/lib \
	    $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	install -m 755 $(BUILT) $(SCRIPTED) $(DESTDIR)$(PREFIX)/bin
	install -m 644 include/dq/*.h $(DESTDIR)$(PREFIX)/include/dq
	install -m 644 $(B)/libdq.a $(DESTDIR)$(PREFIX)/lib
	install -m 644 $(MAN) $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 $(COMP) $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	install -d $(DESTDIR)$(PREFIX)/share/dq/prompts
	install -m 644 $(PROMPTS:%=data/prompts/%.txt) $(DESTDIR)$(PREFIX)/share/dq/prompts

format: ## lay the C files out as .clang-format says
	clang-format -i $(LIB_SRC) $(PORT_SRC) $(CMD_SRC) $(UNIT_SRC) $(SERVER_SRC) $(HELPER_SRC) $(wildcard tests/services/*.h include/dq/*.h cmd/*.h lib/*/*.h)

clean: ## remove build/
	rm -rf build

list: ## print this list
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

.PHONY: all demo check deps units bench fuzz install format clean list
