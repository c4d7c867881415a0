# SPDX-License-Identifier: MIT
# Real jobs, applicants and labels: does Dyna-Q rank them better than cosine does?
#
#     make -f pipelines/onet.mk DATA=FOLDER [BUILD=build] [SEEDS="1 2 3 4 5"] [QUICK=1]
#
# FOLDER holds system A's four collections and the judge's interactions. For each seed the occupations of the applicants
# are split 70 : 30 (pipelines/onet/split.py); every system learns from the one part's labels, if it learns, and ranks
# all jobs but their own for the other part's applicants, whom it has never seen. Ends with a table and a curve.

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

DATA  ?= ../shared/data/onet-jobs
OUT   := $(BUILD)/onet$(if $(QUICK),-quick)
SEEDS ?= $(if $(QUICK),1,1 2 3 4 5)

SYSTEMS := random popularity cosine-published cosine-best dyna-q dyna-q-gamma-0 dyna-q-published
EACH     = $(foreach seed,$(SEEDS),$(addprefix $(OUT)/$(seed)/,$(1)))

all: $(OUT)/table.tsv $(OUT)/curve.png
	column -ts $$'\t' $<
	echo "learning curve: $(OUT)/curve.png"

# ---- the data, split ----

$(OUT)/%/test.qrels:
	python3 $(HERE)/onet/split.py $(DATA) $(@D) $*

# ---- the core: learn from the one part ----

$(OUT)/%/dyna-q.dq: $(OUT)/%/test.qrels
	dq-export --schema jobs $(@D)/train | dq-reward --strategy logged | \
	    dq-train --offline --negatives 3 --validate-by occupation --seed $* --log $(@:.dq=.jsonl) $(SHORT) -o $@

$(OUT)/%/dyna-q-gamma-0.dq: $(OUT)/%/test.qrels
	dq-export --schema jobs $(@D)/train | dq-reward --strategy logged | \
	    dq-train --offline --negatives 3 --validate-by occupation --seed $* --gamma 0 --log $(@:.dq=.jsonl) $(SHORT) -o $@

$(OUT)/%/dyna-q-published.dq: $(OUT)/%/test.qrels
	dq-export --schema jobs $(@D)/train | dq-reward --strategy logged | \
	    dq-train --offline --preset published --negatives 3 --validate-by occupation --seed $* --log $(@:.dq=.jsonl) $(SHORT) -o $@

# ---- rank for the other ----

rank = dq-export --schema jobs $(@D)/test | dq-rank $(1) -k 100 --exclude-seen --format trec > $@

$(OUT)/%.run: $(OUT)/%.dq
	$(call rank,--model $<)

$(OUT)/%/cosine-published.run: $(OUT)/%/test.qrels  # the pairs that --schema jobs writes: hard:tech, soft:soft
	$(call rank,--by cosine)

$(OUT)/%/cosine-best.run: $(OUT)/%/test.qrels
	$(call rank,--by cosine --pair hard_skills:title)

$(OUT)/%/random.run: $(OUT)/%/test.qrels
	$(call rank,--by cosine --epsilon 1 --seed $*)

$(OUT)/%/popularity.run: $(OUT)/%/test.qrels  # how many of the other part's applicants would apply or save
	awk -v FS='"' '
	    FILENAME ~ /train/ { if ($$12 == "APPLY" || $$12 == "SAVE") wanted[$$8]++; next }
	    { for (job in wanted) if (job != $$8) print $$4, "Q0", job, 0, wanted[job], "popularity" }
	' $(@D)/train/interactions.jsonl $(@D)/test/interactions.jsonl > $@

# ---- judge ----

$(OUT)/%.eval: $(OUT)/%.run
	dq-eval --qrels $(@D)/test.qrels --run $< --format trec -m ndcg_cut_10 -m P_10 -m recip_rank -m map > $@

$(OUT)/table.tsv: $(call EACH,$(SYSTEMS:=.eval))
	awk -v measures="ndcg_cut_10 P_10 recip_rank map" -v against=cosine-best -f $(HERE)/summary.awk $^ > $@
