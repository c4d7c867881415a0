# SPDX-License-Identifier: MIT
# Does planning help when labels are few? A tenth of the O*NET applicants' labels, measured; no outcome is promised.
#
#     make -f pipelines/plan.mk DATA=FOLDER [BUILD=build] [SEEDS="1 2 3"] [THREADS=2] [QUICK=1]
#
#     cosine-best         what needs no label
#     few                 an agent from the labels of one training applicant in ten
#     few-more            that agent, trained on the same labels once more: the control
#     planned             that agent, trained on what its own world model dreamt: every training applicant, labelled or
#                         not, with twenty jobs that no label is known of (dq-plan --pairs unseen)
#     planned-and-labels  that agent, trained on both together
#     all                 an agent from all labels: what the other nine tenths are worth
#
# docs/onet.md has the outcome.

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

DATA  ?= ../shared/data/onet-jobs
OUT   := $(BUILD)/plan$(if $(QUICK),-quick)
SEEDS ?= $(if $(QUICK),1,1 2 3)
SMALL := $(if $(QUICK),--hidden 128)
WORLD := $(if $(QUICK),--world-hidden 64)
FEWER := 10
FEW   := --negatives 3 --epochs $(if $(QUICK),3,30)
MANY  := --no-world --epochs $(if $(QUICK),3,10)
DREAM := --pairs unseen --per-user 20

SYSTEMS := cosine-best few few-more planned planned-and-labels all
EACH     = $(foreach seed,$(SEEDS),$(SYSTEMS:%=$(OUT)/$(seed)/%$(1)))

# What is expected: system, column, least, most. Of the comparison itself only that it was made.
EXPECTED := cosine-best ndcg_cut_10 .40 .52; few ndcg_cut_10 $(if $(QUICK),.01 .55,.40 .52); planned ndcg_cut_10 $(if $(QUICK),.01 .55,.38 .52); \
    all ndcg_cut_10 $(if $(QUICK),.05 .60,.49 .58)

MAKEFLAGS += -j$(THREADS)
export DQ_THREADS := 1

all: $(OUT)/table.tsv
	@echo
	@column -ts $$'\t' $<
	@awk -v expected="$(EXPECTED)" -f $(HERE)/expect.awk $<

# ---- the data: split, and few of the labels ----

$(OUT)/%/few/test.qrels:
	python3 $(HERE)/onet/split.py $(DATA) $(@D) $* $(FEWER)

$(OUT)/%/every/test.qrels:
	python3 $(HERE)/onet/split.py $(DATA) $(@D) $*

$(OUT)/%/few-labels.dq: $(OUT)/%/few/test.qrels
	dq-export --schema jobs $(<D)/train | dq-reward --strategy logged -o $@

$(OUT)/%/all-labels.dq: $(OUT)/%/every/test.qrels
	dq-export --schema jobs $(<D)/train | dq-reward --strategy logged -o $@

# ---- learning ----

TRAIN = dq-train --quiet --offline --loss mse --validation .05 --validate-by occupation --seed $* $(SMALL)

$(OUT)/%/few.dq: $(OUT)/%/few-labels.dq
	$(TRAIN) $(FEW) $(WORLD) -o $@ $<

$(OUT)/%/all.dq: $(OUT)/%/all-labels.dq
	$(TRAIN) $(MANY) --negatives 3 -o $@ $<

$(OUT)/%/few-more.dq: $(OUT)/%/few-labels.dq $(OUT)/%/few.dq
	$(TRAIN) $(FEW) --no-world --init $(@D)/few.dq -o $@ $<

$(OUT)/%/dreams.dq: $(OUT)/%/few.dq $(OUT)/%/few-labels.dq
	dq-export --schema jobs $(@D)/few/train | dq-plan --model $< $(DREAM) --seed $* -o $@

$(OUT)/%/planned.dq: $(OUT)/%/dreams.dq $(OUT)/%/few.dq
	$(TRAIN) $(MANY) --init $(@D)/few.dq -o $@ $<

$(OUT)/%/planned-and-labels.dq: $(OUT)/%/few-labels.dq $(OUT)/%/dreams.dq $(OUT)/%/few.dq
	cat $(@D)/few-labels.dq $(@D)/dreams.dq | $(TRAIN) $(MANY) --init $(@D)/few.dq -o $@

# ---- ranking for the applicants of other occupations, and judging ----

$(OUT)/%.run: $(OUT)/%.dq
	dq-export --schema jobs $(@D)/few/test | dq-rank --model $< -k 100 --exclude-seen --format trec > $@

$(OUT)/%/cosine-best.run: $(OUT)/%/few/test.qrels
	dq-export --schema jobs $(<D)/test | dq-rank --by cosine --compare hard_skills:title -k 100 --exclude-seen --format trec > $@

$(OUT)/%.eval: $(OUT)/%.run
	dq-eval --qrels $(@D)/few/test.qrels --run $< --format trec -m ndcg_cut_10 -m P_10 -m recip_rank > $@

$(OUT)/table.tsv: $(call EACH,.eval)
	awk -v measures="ndcg_cut_10 P_10 recip_rank" -v against=few -f $(HERE)/summary.awk $^ > $@

# What lies between, named here so that make keeps it, and makes it when it is missing.
between: $(call EACH,.run) $(foreach seed,$(SEEDS),$(addprefix $(OUT)/$(seed)/,few.dq few-more.dq planned.dq \
    planned-and-labels.dq all.dq dreams.dq few-labels.dq all-labels.dq few/test.qrels every/test.qrels))

.PHONY: all between
