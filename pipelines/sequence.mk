# SPDX-License-Identifier: MIT
# System C: an agent learns an order of items by trial and error, and learns anew when the order changes.
#
#     make -f pipelines/sequence.mk [BUILD=build] [SEEDS="1 ... 20"] [NETWORK_SEEDS="1 2 3"] [THREADS=2] [QUICK=1]
#
#     table     Q-learning: A B C D E among a distractor Z for 15 trials, then A D C B E for 100, the table kept
#     network   DQN: ten places, no distractor; 150 episodes of 20 trials, then the reverse order for 150 more
#
# A right item earns 1 and leads on, a wrong one costs 1 and leads one back; ten errors end a trial. Ends with a table of the
# first and last trials of each block, mean and 95 % interval over the seeds, and pictures: success, errors and
# distractors by trial, the block change marked; what the table holds of the distractor; the table itself.

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

OUT           := $(BUILD)/sequence$(if $(QUICK),-quick)
SEEDS         ?= $(shell seq $(if $(QUICK),5,20))
NETWORK_SEEDS ?= $(if $(QUICK),1,1 2 3)
SNAPSHOTS     := $(if $(QUICK),15 115,1 3 5 10 15 16 18 20 25 30 40 50 70 90 115)

# The network's short form: four places, and a rate that learns them in seconds.
CHANGE  := $(if $(QUICK),300,3000)
NETWORK := --preset sequence-dqn $(if $(QUICK),--env sequence:length=4$(comma)distractors=0$(comma)change=300$(comma)then=2 \
    --episodes 600 --lr 2e-3 --hidden 32$(comma)32)

BLOCKS   := table-ABCDE table-ADCBE network-forward network-reversed
EVALS    := $(foreach seed,$(SEEDS),$(addprefix $(OUT)/$(seed)/,table-ABCDE.eval table-ADCBE.eval)) \
    $(foreach seed,$(NETWORK_SEEDS),$(addprefix $(OUT)/$(seed)/,network-forward.eval network-reversed.eval))
MEASURES := success_first success_last errors_first errors_last distracted_last

# What is expected: block, column, least, most. Both orders are learnt; the change of order costs errors anew.
EXPECTED := table-ABCDE success_last .80 1; table-ABCDE errors_last 0 5; table-ADCBE success_first 0 .80; \
    table-ADCBE success_last .95 1; table-ADCBE errors_last 0 1.5; table-ADCBE distracted_last 0 .4; \
    $(if $(QUICK),network-forward success_last .8 1; network-reversed success_last .5 1, \
    network-forward success_last .99 1; network-reversed success_first 0 .9; network-reversed success_last .99 1)

MAKEFLAGS += -j$(THREADS)
export DQ_THREADS := 1
.SILENT:
.SECONDARY:

PICTURES := $(addprefix $(OUT)/,table.png network.png distractor.png q-table.png)

all: $(OUT)/table.tsv $(PICTURES)
	echo
	echo "The first and last trials of each block (table: 5 of 15 and 10 of 100; network: 100 of $(CHANGE)):"
	echo
	$(SHOW) $<
	echo
	echo "figures: $(PICTURES)"
	awk -v expected="$(EXPECTED)" -f $(HERE)/expect.awk $<

# ---- learn ----

$(SEEDS:%=$(OUT)/%/table.jsonl): $(OUT)/%/table.jsonl:
	mkdir -p $(@D)
	dq-train --quiet --preset sequence --seed $* --log $@.aside -o $(@D)/table.dq
	mv $@.aside $@

$(NETWORK_SEEDS:%=$(OUT)/%/network.jsonl): $(OUT)/%/network.jsonl:
	mkdir -p $(@D)
	dq-train --quiet $(NETWORK) --seed $* --log $@.aside -o $(@D)/network.dq
	mv $@.aside $@

# The same run, ended after so many trials: trials, place, item, Q.
$(SEEDS:%=$(OUT)/%/snapshots.tsv): $(OUT)/%/snapshots.tsv:
	mkdir -p $(@D)
	for trials in $(SNAPSHOTS); do \
	    dq-train --quiet --preset sequence --seed $* --episodes $$trials | dq-cat | \
	        jq -rs --arg trials $$trials -f $(HERE)/sequence/q-table.jq; \
	done > $@

# ---- the table ----

block = jq -rn --argjson from $(1) --argjson count $(2) --argjson window $(3) -f $(HERE)/sequence/block.jq $< > $@

$(OUT)/%/table-ABCDE.eval: $(OUT)/%/table.jsonl
	$(call block,0,15,5)

$(OUT)/%/table-ADCBE.eval: $(OUT)/%/table.jsonl
	$(call block,15,100,10)

$(OUT)/%/network-forward.eval: $(OUT)/%/network.jsonl
	$(call block,0,$(CHANGE),100)

$(OUT)/%/network-reversed.eval: $(OUT)/%/network.jsonl
	$(call block,$(CHANGE),$(CHANGE),100)

$(OUT)/table.tsv: $(EVALS)
	awk -v measures="$(MEASURES)" -f $(HERE)/summary.awk \
	    $(foreach block,$(BLOCKS),$(filter %/$(block).eval,$(EVALS))) > $@

# ---- the pictures ----

$(OUT)/table.png: $(SEEDS:%=$(OUT)/%/table.jsonl)
	$(PLOT) $@ --curves --metric success --metric errors --metric distracted --smooth 5 --mark "15=now A D C B E" $(^:%=table=%)

$(OUT)/network.png: $(NETWORK_SEEDS:%=$(OUT)/%/network.jsonl)
	$(PLOT) $@ --curves --metric success --metric errors --smooth 100 --mark "$(CHANGE)=now the reverse order" $(^:%=network=%)

$(OUT)/snapshots.tsv: $(SEEDS:%=$(OUT)/%/snapshots.tsv)
	awk -f $(HERE)/sequence/means.awk $^ > $@

$(OUT)/distractor.png: $(OUT)/snapshots.tsv
	$(PLOT) $@ --draw "lines:x=trials,y=Q,series=place,where=item=Z,title=Q of the distractor by place,xlabel=trial,xmin=0,xmax=115,\
	ylabel=mean over the seeds,xmark=15=now A D C B E" $<

$(OUT)/q-table.png: $(OUT)/snapshots.tsv
	$(PLOT) $@ $(foreach trials,15 115,--draw "grid:x=item,y=Q,series=place,where=trials=$(trials),title=After $(trials) trials") $<

.PHONY: all
