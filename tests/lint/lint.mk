# SPDX-License-Identifier: MIT
# `make lint` runs this with LINT, a folder for stamps, and FLAGS, those of the compiler. Each tool leaves a stamp a file,
# so that only what has changed is looked at again; gcc names the headers for all three.

.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
SHELL     := /bin/bash

# One room needs Open MPI.
override FLAGS += $(patsubst -I%,-isystem %,$(shell pkg-config --cflags ompi-c 2>/dev/null))
ABSENT := $(if $(shell pkg-config --exists ompi-c 2>/dev/null || echo no),lib/mpi)
$(if $(ABSENT),$(info lint: $(ABSENT) is passed over: Open MPI is not installed))
FILES  := $(sort $(filter-out $(ABSENT:%=%/%),$(shell find lib cmd tests examples -name '*.c')))
# C++ in front of a library: what clang-tidy and cppcheck know of it. gcc 12's analyser knows C alone.
SHIMS  := $(sort $(shell find lib -name '*.cc'))
SHELLS := $(sort $(shell grep -rlE '^\#!.*\b(ba|)sh$$|^\#!.*bats$$' .ci cmd pipelines tests) $(wildcard pipelines/*/*.bash tests/*.bash tests/*/*.bash))
TOOLS  := gcc tidy cppcheck
# lib/core/status.c defines what facts.h says something about; tests do without.
facts   = $(if $(filter lib/core/status.c tests/%,$<),,-include tests/lint/facts.h)

all: $(foreach tool,$(TOOLS),$(FILES:%.c=$(LINT)/$(tool)/%.ok)) $(foreach tool,tidy cppcheck,$(SHIMS:%.cc=$(LINT)/$(tool)/%.ok)) $(LINT)/shell.ok

# gcc 12 does not follow a pointer that memcpy copies, as dq_array_reserve() and dq_buffers_take() do, nor one kept inside a
# block that it points into (an arena's): it takes them for null, unwritten or lost. clang's analyser looks for null,
# sanitizers for the unwritten and the lost, in every test. And it counts a vector's bits as if it were one number.
GCC_SKIPS := $(addprefix -Wno-analyzer-,null-dereference null-argument use-of-uninitialized-value malloc-leak shift-count-overflow)
# A test that gets no memory may end as it likes.
TEST_SKIPS := $(addprefix -Wno-analyzer-,possible-null-argument possible-null-dereference)
$(LINT)/gcc/%.ok: %.c tests/lint/lint.mk tests/lint/facts.h
	@mkdir -p $(@D)
	@gcc $(FLAGS) $(facts) -O1 -fanalyzer $(GCC_SKIPS) $(if $(filter tests/%,$<),$(TEST_SKIPS)) -fdiagnostics-path-format=none -Werror \
	    -MMD -MP -MF $(@:.ok=.d) -MT '$(TOOLS:%=$(LINT)/%/$*.ok)' -c $< -o $@

$(LINT)/tidy/%.ok: %.c $(wildcard .clang-tidy */.clang-tidy) tests/lint/facts.h
	@mkdir -p $(@D)
	@clang-tidy --quiet $< -- $(FLAGS) $(facts) > $(@:.ok=.out) 2>&1 && touch $@ || { cat $(@:.ok=.out); exit 1; }

# As the Makefile builds them: faiss.cc alone has exceptions.
SHIM_FLAGS = $(patsubst -std=c11,-std=c++17 $(if $(filter lib/port/faiss/%,$<),-fPIC -fvisibility=hidden,-fno-exceptions -fno-rtti),$(FLAGS))
$(LINT)/tidy/%.ok: %.cc $(wildcard .clang-tidy */.clang-tidy) tests/lint/lint.mk
	@mkdir -p $(@D)
	@g++ $(SHIM_FLAGS) -MM -MP -MF $(@:.ok=.d) -MT '$(LINT)/tidy/$*.ok $(LINT)/cppcheck/$*.ok' $<
	@clang-tidy --quiet $< -- $(SHIM_FLAGS) > $(@:.ok=.out) 2>&1 && touch $@ || { cat $(@:.ok=.out); exit 1; }

$(LINT)/cppcheck/%.ok: %.cc tests/lint/cppcheck
	@mkdir -p $(@D)
	@cppcheck --quiet --error-exitcode=1 --enable=style,warning,performance,portability --inline-suppr --template=gcc \
	    --suppressions-list=tests/lint/cppcheck --library=posix,gnu --language=c++ --std=c++17 -D_GNU_SOURCE -Iinclude -Ilib -Icmd $<
	@touch $@

$(LINT)/cppcheck/%.ok: %.c tests/lint/cppcheck
	@mkdir -p $(@D)
	@cppcheck --quiet --error-exitcode=1 --enable=style,warning,performance,portability --inline-suppr --template=gcc \
	    --suppressions-list=tests/lint/cppcheck --library=posix,gnu --std=c11 -D_GNU_SOURCE -Iinclude -Ilib -Icmd $<
	@touch $@

# Notes of style are not asked for, nor what does not hold in bats or is meant:
#   SC2154 bats sets output, stderr and lines          SC2164 bats stops where cd fails
#   SC2046, SC2206 options in one word are split       SC2010 a test knows the names of its files
#   SC2054, SC2258, SC1010, SC2238, SC2266 commas in values, "fi" as a word, a file named as a command, a bar of jq
$(LINT)/shell.ok: $(SHELLS)
	@mkdir -p $(@D)
	@shellcheck -x -S warning -e SC2154,SC2164,SC2046,SC2206,SC2010,SC2054,SC2258,SC1010,SC2238,SC2266 $(SHELLS)
	@touch $@

-include $(FILES:%.c=$(LINT)/gcc/%.d) $(SHIMS:%.cc=$(LINT)/tidy/%.d)
.PHONY: all
