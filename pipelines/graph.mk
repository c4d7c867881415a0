# SPDX-License-Identifier: MIT
# Shortest ways out of random walks: the illustrative example of Chen et al., "Decision transformer" (2021, section 3).
#
#     make -f pipelines/graph.mk [BUILD=build] [SEEDS="1 2 3"] [THREADS=2] [QUICK=1]
#
# A thousand random walks of at most twenty steps on a directed graph of 60 nodes: what is learnt of them? Ends with
# a table: the share of starts from which an agent goes a shortest way, and from which it goes a shorter one than any walk that
# began there.
#
#     dt      a decision transformer that wishes for the greatest return of the log: the goal in one step
#     clone   the same without returns: behaviour cloning
#     cql     conservative Q-learning

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

OUT     := $(BUILD)/graph$(if $(QUICK),-quick)
SEEDS   ?= $(if $(QUICK),1,1 2 3)
SYSTEMS := dt clone cql
GRAPH   := graph:nodes=60,steps=20
PLAYED  := $(foreach seed,$(SEEDS),$(SYSTEMS:%=$(OUT)/$(seed)/%.jsonl))

# What is expected: system, column, least, most.
EXPECTED := $(if $(QUICK),dt optimal .42 1; dt lost 0 .3,dt optimal .8 1; dt lost 0 .02; clone optimal 0 .3)

MAKEFLAGS += -j$(THREADS)
export DQ_THREADS := 1
.SILENT:
.SECONDARY:

all: $(OUT)/table.tsv
	echo
	$(SHOW) $<
	awk -v expected="$(EXPECTED)" -f $(HERE)/expect.awk $<

$(OUT)/walks.dq:
	mkdir -p $(@D)
	dq-sim --quiet $(GRAPH) --play 1000 -o $@

$(OUT)/walks.jsonl: $(OUT)/walks.dq
	dq-cat $< > $@

learn = mkdir -p $(@D) && dq-train --quiet --offline $(1) --lr-schedule one-cycle --validation 0 --seed $(*F) -o $@ $<
size := --encoder-width 32 $(if $(QUICK),--blocks 1 --lr 3e-3 --epochs 6,--lr 2e-3 --epochs 20)

$(OUT)/%/dt.dq: $(OUT)/walks.dq
	$(call learn,--agent dt --context 4 $(size))

$(OUT)/%/clone.dq: $(OUT)/walks.dq
	$(call learn,--agent dt --context 4 --wish none $(size))

$(OUT)/%/cql.dq: $(OUT)/walks.dq
	$(call learn,--agent dqn --conservative 0.5 --epochs 30)

$(PLAYED): %.jsonl: %.dq
	dq-sim --quiet $(GRAPH) --play 400 --model $< --seed 1 | dq-cat > $@

$(OUT)/table.tsv: $(OUT)/walks.jsonl $(PLAYED)
	python3 $(HERE)/graph/table.py $< $(foreach seed,$(SEEDS),$(foreach system,$(SYSTEMS),$(system)=$(OUT)/$(seed)/$(system).jsonl)) > $@

.PHONY: all
