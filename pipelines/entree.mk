# SPDX-License-Identifier: MIT
# Real sessions, split by time: where will somebody end who looks for a restaurant?
#
#     make -f pipelines/entree.mk DATA=FOLDER [BUILD=build] [SEEDS="1 2"] [THREADS=2] [QUICK=1]
#
# FOLDER holds Entree's Chicago sessions (UCI). What learns, learns from the sessions before April 1998; then every system
# ranks all restaurants for the sessions after it, none of which it has seen: all are cold starts, known by what they have
# looked at so far. The last restaurant of each is held out. Ends with a table over the seeds and a learning curve.
#
#     popularity    how often a restaurant was gone to, from another one
#     item-knn      cosine of the sessions that restaurants stood in
#     last-item     how often a restaurant followed the last one
#     dqn           a deep Q-network on the last three restaurants, conservative; gamma 0: what comes next
#     dqn-asked     the same with what was asked at each of them in the state (cheaper, nicer ...), and at the last one
#                   crossed with the restaurant
#     dqn-five      the same as dqn on the last five, each weighing 0.7 of the one after it
#     dqn-mean      the same as dqn on their mean, as system B has it
#     dqn-recency   the same on their mean, in which a restaurant weighs half as much as the one after it
#     dqn-clock     the same as dqn with hour and day of the week in the state. Only when a session began is known
#     dqn-gamma-.5  the same as dqn with a discount: what comes next, and what that leads to, to where the log was cut
#     dqn-ends      the same with a discount, where a session's last restaurant ends it
#     dqn-cf        the same on 64-wide vectors that the visits before April were factored into (dq-embed cf:64), not
#                   on one-hot ones
#     dqn-cf-plain  the same as dqn-cf without the conservative term: two drawn negatives a visit instead

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

DATA  ?= ../shared/data/uci-entree
OUT   := $(BUILD)/entree$(if $(QUICK),-quick)
SEEDS ?= $(if $(QUICK),1,1 2)

KNOWN   := popularity item-knn last-item
LEARNT  := dqn dqn-asked dqn-five dqn-mean dqn-recency dqn-clock dqn-gamma-.5 dqn-ends dqn-cf dqn-cf-plain
SYSTEMS := $(KNOWN) $(LEARNT)

# What is expected: system, column, least, most. The short form only proves that the pipeline runs and learns.
EXPECTED := popularity ndcg_cut_10 .05 .07; last-item ndcg_cut_10 .44 .48; item-knn ndcg_cut_10 .38 .41; \
    $(if $(QUICK),dqn ndcg_cut_10 .03 .50; dqn-asked ndcg_cut_10 .03 .60,dqn ndcg_cut_10 .46 .49; dqn success_10 .74 .79; \
    dqn-asked ndcg_cut_10 .56 .59)

MAKEFLAGS += -j$(THREADS)
export DQ_THREADS := 1
.SECONDARY:
.SILENT:

all: $(OUT)/table.tsv $(OUT)/learning.png
	@echo
	@$(SHOW) $<
	@echo
	@echo "learning curve: $(OUT)/learning.png"
	@awk -v expected="$(EXPECTED)" -f $(HERE)/expect.awk $<

# ---- the data, split ----

$(OUT)/test.qrels:
	python3 $(HERE)/entree/split.py $(DATA) $(OUT) $(if $(QUICK),1998-06-15,1998-04)

$(OUT)/train.dq $(OUT)/test.dq: $(OUT)/%.dq: $(OUT)/test.qrels
	dq-export --users $(@:.dq=-users.jsonl) --items $(OUT)/items.jsonl --interactions $(@:.dq=-visits.jsonl) | \
	    $(if $(QUICK),$(if $(filter train,$*),dq-cat --since 1998-05 --to stream,cat),cat) > $@

# Vectors from who met what, of the restaurants alone: a session's own vector would know where it ends.
$(OUT)/cf/items.jsonl: $(OUT)/train.dq
	mkdir -p $(@D)
	dq-cat --kind users $< > $(@D)/users.jsonl
	dq-cat --kind interactions $< > $(@D)/visits.jsonl
	dq-cat --kind items $< | jq -c 'del(.vector)' > $(@D)/bare.jsonl
	dq-export --users $(@D)/users.jsonl --items $(@D)/bare.jsonl --interactions $(@D)/visits.jsonl | \
	    dq-embed cf:64 | dq-cat --kind items > $@

$(OUT)/cf/train.dq: $(OUT)/cf/items.jsonl
	dq-export --users $(@D)/users.jsonl --items $< --interactions $(@D)/visits.jsonl -o $@

$(OUT)/cf/test.dq: $(OUT)/cf/items.jsonl $(OUT)/test.dq
	dq-export --users $(OUT)/test-users.jsonl --items $< --interactions $(OUT)/test-visits.jsonl -o $@

# ---- learn ----

# $(call learn,OPTIONS,HISTORY,GAMMA): a history of 3 and a discount of 0 where these are not given.
learn = mkdir -p $(@D) && dq-train --quiet --offline --sessions --agent dqn --history $(or $(2),3) --map VISIT=1 --gamma $(or $(3),0) --dropout 0.3 \
    --hidden $(if $(QUICK),64,512) --lr 1e-3 --lr-schedule one-cycle --epochs $(if $(QUICK),2,10) --seed $* \
    --log $(@:.dq=.jsonl) -o $@ $(1) $<

$(OUT)/%/dqn.dq: $(OUT)/train.dq
	$(call learn,--conservative 10)

$(OUT)/%/dqn-asked.dq: $(OUT)/train.dq
	$(call learn,--conservative 10 --event-attribute asked --event-cross)

$(OUT)/%/dqn-five.dq: $(OUT)/train.dq
	$(call learn,--conservative 10 --recency 0.7,5)

$(OUT)/%/dqn-mean.dq: $(OUT)/train.dq
	$(call learn,--conservative 10 --history-mean)

$(OUT)/%/dqn-recency.dq: $(OUT)/train.dq
	$(call learn,--conservative 10 --history-mean --recency 0.5)

$(OUT)/%/dqn-clock.dq: $(OUT)/train.dq
	$(call learn,--conservative 10 --clock)

$(OUT)/%/dqn-gamma-.5.dq: $(OUT)/train.dq
	$(call learn,--conservative 10,,0.5)

$(OUT)/%/dqn-ends.dq: $(OUT)/train.dq
	$(call learn,--conservative 10 --session-end terminal,,0.5)

$(OUT)/%/dqn-cf.dq: $(OUT)/cf/train.dq
	$(call learn,--conservative 10)

$(OUT)/%/dqn-cf-plain.dq: $(OUT)/cf/train.dq
	$(call learn,--negatives 2)

# ---- rank all restaurants, and judge ----

$(OUT)/visits.dq: $(OUT)/test.qrels
	dq-export --interactions $(OUT)/train-visits.jsonl -o $@

# The sessions without their first restaurants, to which nobody was led.
$(OUT)/moves.dq: $(OUT)/test.qrels
	awk -F'"' '$$4 == user; { user = $$4 }' $(OUT)/train-visits.jsonl | dq-export --interactions - -o $@

baseline = dq-rank --quiet --train $< -k 100 --format trec $(1) $(OUT)/test.dq > $@

$(OUT)/popularity.run: $(OUT)/moves.dq $(OUT)/test.dq
	$(call baseline,--by popularity)

$(OUT)/item-knn.run: $(OUT)/visits.dq $(OUT)/test.dq
	$(call baseline,--by item-knn)

$(OUT)/last-item.run: $(OUT)/visits.dq $(OUT)/test.dq
	$(call baseline,--by last-item --similarity follows)

define rank
$(KNOWN:%=$(OUT)/$(1)/%.run): $(OUT)/$(1)/%.run: $(OUT)/%.run
	mkdir -p $$(@D) && ln -f $$< $$@
$(LEARNT:%=$(OUT)/$(1)/%.run): $(OUT)/$(1)/%.run: $(OUT)/$(1)/%.dq $(OUT)/test.dq $(OUT)/cf/test.dq
	dq-rank --model $$< -k 100 --format trec $(OUT)/$$(if $$(filter dqn-cf%,$$*),cf/)test.dq > $$@
endef
$(foreach seed,$(SEEDS),$(eval $(call rank,$(seed))))

$(OUT)/%.eval: $(OUT)/%.run
	dq-eval --qrels $(OUT)/test.qrels --run $< --complete --format trec -m ndcg_cut_10 -m success_10 -m recip_rank > $@

$(OUT)/table.tsv: $(foreach seed,$(SEEDS),$(SYSTEMS:%=$(OUT)/$(seed)/%.eval))
	awk -v measures="ndcg_cut_10 success_10 recip_rank" -v against=last-item -f $(HERE)/summary.awk $^ > $@

$(OUT)/learning.png: $(OUT)/table.tsv
	$(PLOT) $@ --curves $(foreach seed,$(SEEDS),$(foreach system,$(LEARNT),$(system)=$(OUT)/$(seed)/$(system).jsonl))

.PHONY: all
