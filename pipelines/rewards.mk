# SPDX-License-Identifier: MIT
# What is a reward worth by where it comes from? The same pairs of the demo, labelled in five ways, train the same agent.
#
#     make -f pipelines/rewards.mk [BUILD=build] [SEEDS="1 2 3 4 5"] [THREADS=2] [QUICK=1]
#
#     cosine      the similarity of the vectors: costs nothing
#     llm         a language model plays the applicant, in two stages
#     hybrid      half of each
#     annealed    from the cosine to the model over the first passes of training (--cosine-weight 1:0@5), of hybrid's parts
#     logged      what the applicants themselves answered: the ceiling
#
# No network and no server: the model's answers are in data/rewards/demo.db.zst, which pipelines/rewards/make_cache made
# against the judge of tests/services, a stand-in for a model that knows what these applicants like. So the table says how
# the ways differ with a good judge, not how good a model of yours is: for that, run make_cache against it.

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

DATA  := data/demo
CACHE := data/rewards/demo.db.zst
OUT   := $(BUILD)/rewards$(if $(QUICK),-quick)
SEEDS ?= $(if $(QUICK),1,1 2 3 4 5)

EPOCHS  := $(if $(QUICK),4,20)
ANNEAL  := $(if $(QUICK),1,5)
NET     := --hidden 256,64 --no-world
OFFLINE := --offline --loss mse --batch 64 --validation 0.15 --epochs $(EPOCHS)
EMBED   := hash:128 --compare bio:description --compare skills:technical_skills
# What the cache was asked with: the same here and in make_cache, else its answers are not found.
ASK     := --model demo-judge --stages 2 --prompt jobs

SYSTEMS := cosine llm hybrid annealed logged
EACH     = $(foreach seed,$(SEEDS),$(SYSTEMS:%=$(OUT)/$(seed)/%$(1)))

# What is expected: system, column, least, most. The short form trains too little to promise an order.
EXPECTED := $(if $(QUICK),cosine ndcg_cut_10 0.02 0.50; llm ndcg_cut_10 0.02 0.60,cosine ndcg_cut_10 0.10 0.25; \
    llm ndcg_cut_10 0.25 0.45; hybrid ndcg_cut_10 0.10 0.30; logged ndcg_cut_10 0.33 0.52)

MAKEFLAGS += -j$(THREADS)
export DQ_THREADS := 1
.SILENT:
.SECONDARY:

all: $(OUT)/table.tsv $(OUT)/rewards.svg
	echo
	echo "Trained on one pair in three of the veterans', rewarded in five ways; mean and spread over seeds $(SEEDS):"
	echo
	$(SHOW) $<
	echo
	echo "the figure: $(OUT)/rewards.svg"
	awk -v expected="$(EXPECTED)" -f $(HERE)/expect.awk $<

# ---- the pairs: every third that a veteran has answered ----

$(OUT)/answers.jsonl: $(DATA)/veterans-answers.jsonl | $(OUT)
	awk 'NR % 3 == 0' $< > $@

$(OUT)/pairs.tsv: $(OUT)/answers.jsonl
	jq -r '[.user, .item] | @tsv' $< > $@

$(OUT)/catalogue.dq: $(OUT)/answers.jsonl
	dq-export --users $(DATA)/veterans.jsonl --items $(DATA)/jobs.jsonl --interactions $< | dq-embed $(EMBED) -o $@

# ---- their rewards ----

$(OUT)/rewards.db: $(CACHE) | $(OUT)
	zstd -dqf $< -o $@
	chmod 600 $@

REWARD = dq-reward -q --pairs-file $(OUT)/pairs.tsv

$(OUT)/cosine.dq $(OUT)/logged.dq: $(OUT)/%.dq: $(OUT)/catalogue.dq $(OUT)/pairs.tsv
	$(REWARD) --strategy $* -o $@ $<

$(OUT)/llm.dq $(OUT)/hybrid.dq: $(OUT)/%.dq: $(OUT)/catalogue.dq $(OUT)/pairs.tsv $(OUT)/rewards.db
	$(REWARD) --strategy $* $(ASK) --cache $(OUT)/rewards.db --cache-only -o $@ $<

# ---- learning, ranking the jobs that the newcomers have not met ----

TRAIN = dq-train --quiet $(OFFLINE) $(NET) --seed $(notdir $(@D))

define learn
$(OUT)/$(1)/annealed.dq: $(OUT)/hybrid.dq | $(OUT)/$(1)
	$$(TRAIN) --cosine-weight 1:0@$(ANNEAL) -o $$@ $$<

$(OUT)/$(1)/%.dq: $(OUT)/%.dq | $(OUT)/$(1)
	$$(TRAIN) -o $$@ $$<

$(OUT)/$(1):
	mkdir -p $$@
endef
$(foreach seed,$(SEEDS),$(eval $(call learn,$(seed))))

$(OUT)/exam.dq: | $(OUT)
	dq-export --users $(DATA)/newcomers.jsonl --items $(DATA)/jobs.jsonl --interactions $(DATA)/newcomers-answers.jsonl | \
	    dq-embed $(EMBED) -o $@

%.run: %.dq $(OUT)/exam.dq
	cat $^ | dq-rank -k 280 --exclude-seen --format trec > $@

# ---- the table and the figure ----

%.eval: %.run
	dq-eval --qrels $(DATA)/held-out.qrels --run $< -m ndcg@10 -m P@10 -m mrr --format trec > $@

$(OUT)/table.tsv: $(call EACH,.eval)
	awk -v measures="ndcg_cut_10 P_10 recip_rank" -v against=cosine -f $(HERE)/summary.awk $^ > $@

$(OUT)/rewards.svg: $(OUT)/table.tsv
	awk -f $(HERE)/rewards/bars.awk $< | \
	    $(PLOT) $@ --draw "bars:x=rewards,y=ndcg,lower=lower,upper=upper,ymin=0,ymax=1,ylabel=NDCG@10,title=Ranking of jobs not labelled\, by the rewards that trained the agent" -

$(OUT):
	mkdir -p $@

.PHONY: all
