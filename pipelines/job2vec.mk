# SPDX-License-Identifier: MIT
# 3,448 job titles and their 100-dimensional vectors, from .npy to exact nearest titles:
#
#   make -f pipelines/job2vec.mk DATA=../shared/data/job2vec
#   make -f pipelines/job2vec.mk DATA=../shared/data/job2vec QUICK=1      NumPy checks 200 titles, not all
#
# Every title is a user and an item; its list begins with itself. The result is $(OUT)/neighbours.tsv (user, rank, item,
# score), and NumPy, by another way to the same numbers, agrees or the pipeline fails.

.DELETE_ON_ERROR:
SHELL  := /bin/bash -o pipefail
DATA   ?= ../shared/data/job2vec
BUILD  ?= build
OUT    := $(BUILD)/job2vec
QUICK  ?=
PYTHON ?= /usr/bin/python3
export PATH := $(abspath $(BUILD)):$(PATH)

V := $(DATA)/vectors.npy.zst
T := $(DATA)/titles.txt

ifeq ($(wildcard $(V)),)
all:
	@echo "job2vec: skipped, no $(V) (DATA names the folder)"
else
all: $(OUT)/checked
	@echo "Titles next to 'teacher':"
	@awk -F '\t' '$$1 == "teacher" { printf "  %2d  %-40s %.3f\n", $$2, $$3, $$4 }' $(OUT)/neighbours.tsv
	@echo "All: $(OUT)/neighbours.tsv"
endif

$(OUT)/neighbours.tsv: $(V) $(T)
	@mkdir -p $(OUT)
	dq-export --users $(V) --user-ids $(T) --items $(V) --item-ids $(T) | dq-rank --by cosine -k 10 --format tsv > $@

$(OUT)/checked: $(OUT)/neighbours.tsv pipelines/job2vec-check.py
	$(PYTHON) pipelines/job2vec-check.py $(V) $(T) $< $(if $(QUICK),200)
	@touch $@

clean:
	rm -rf $(OUT)

.PHONY: all clean
