# SPDX-License-Identifier: MIT
# What every pipeline shares: a bash that stops at the first failure, in the middle of a pipe too; the programs that
# were just built before any others on PATH; a half-made file is removed, so a second run goes on where one failed.

SHELL       := /bin/bash
.SHELLFLAGS := -o pipefail -euc
.DELETE_ON_ERROR:
MAKEFLAGS   += --no-builtin-rules --no-print-directory

BUILD   ?= build
HERE    := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
THREADS ?= $(shell nproc)
QUICK   ?=
export PATH := $(abspath $(BUILD)):$(PATH)

comma := ,
empty :=
space := $(empty) $(empty)

# What QUICK=1 makes proves that a pipeline runs, and nothing else: each picture and each table says so.
export NO_RESULT := $(if $(QUICK),QUICK: no result)
PLOT = dq-eval $(if $(NO_RESULT),--title "$(NO_RESULT)") --plot
SHOW = bash $(HERE)/show
