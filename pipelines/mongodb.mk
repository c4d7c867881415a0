# SPDX-License-Identifier: MIT
# System A from MongoDB to the table: the catalogue and the labels leave the database once, an agent learns from most of
# the labels, and every system ranks each applicant's other jobs, judged by the labels that nobody has learnt from.
#
#     MONGODB_URI=mongodb://user:password@host/rl_jobsdb make -f pipelines/mongodb.mk [BUILD=build] [THREADS=2]
#     make -f pipelines/mongodb.mk QUICK=1      a server of its own (it needs Go), filled with the demo's data
#
# Needs the collections of --schema jobs and `interactions` with labels. The URI comes from the environment, so that a
# password stands neither on a command line nor in what make prints. One label in five of each applicant is held out.

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

OUT     := $(BUILD)/mongodb$(if $(QUICK),-quick)
SYSTEMS := random cosine dyna-q
MODEL   := $(if $(QUICK),--epochs 5 --hidden 64,--epochs 60)
export BUILD
export DQ_THREADS := $(THREADS)

# What is expected of the demo's data, where words mislead: system, column, least, most. Of others' data nothing is.
EXPECTED := $(if $(QUICK),random ndcg_cut_10 0 .06; cosine ndcg_cut_10 0 .06; Dyna-Q ndcg_cut_10 .03 .5)

all: $(OUT)/table.tsv
	@echo
	@$(SHOW) $<
	@$(if $(QUICK),awk -v expected="$(EXPECTED)" -f $(HERE)/expect.awk $<)

# ---- out of the database, once: every later step reads this file ----

ifneq ($(QUICK),)
$(OUT)/catalogue.dq: $(wildcard data/demo/*.jsonl)
	$(HERE)/mongodb/collections data/demo $(OUT)/rl_jobsdb
	$(HERE)/mongodb/with-server $(OUT)/rl_jobsdb dq-export --schema jobs -o $@
else
$(OUT)/catalogue.dq: | $(OUT)
	@: $${MONGODB_URI:?names the database, in the environment}
	DQ_MONGODB_URI=$$MONGODB_URI dq-export --schema jobs -o $@
endif

# ---- the labels, split ----

$(OUT)/all.jsonl: $(OUT)/catalogue.dq
	dq-cat $< > $@

$(OUT)/learnt.jsonl: $(OUT)/all.jsonl
	jq -c 'select(.kind == "interactions")' $< | awk -F'"user":"' '{ split($$2, id, "\""); if (++n[id[1]] % 5) print }' > $@

$(OUT)/held-out.qrels: $(OUT)/all.jsonl
	jq -r 'select(.kind == "interactions") | [.user, .item, ({APPLY: 3, SAVE: 2, CLICK: 1}[.label] // 0)] | @tsv' $< | \
	    awk -F'\t' '++n[$$1] % 5 == 0 { print $$1, 0, $$2, $$3 }' > $@

$(OUT)/known.dq: $(OUT)/all.jsonl $(OUT)/learnt.jsonl
	dq-export --users $< --items $< --interactions $(OUT)/learnt.jsonl \
	    --compare hard_skills:tech_skills --compare soft_skills:soft_skills -o $@

# ---- learn, rank, judge ----

$(OUT)/dyna-q.dq: $(OUT)/known.dq
	dq-reward --strategy logged < $< | dq-train --quiet --offline --loss mse --negatives 1 $(MODEL) -o $@

RANK := dq-rank -k 100 --exclude-seen --format trec

$(OUT)/dyna-q.run: $(OUT)/dyna-q.dq $(OUT)/known.dq
	$(RANK) --model $^ > $@

$(OUT)/cosine.run: $(OUT)/known.dq
	$(RANK) --by cosine $< > $@

$(OUT)/random.run: $(OUT)/known.dq
	$(RANK) --by cosine --epsilon 1 $< > $@

$(OUT)/table.tsv: $(OUT)/held-out.qrels $(SYSTEMS:%=$(OUT)/%.run)
	dq-eval --qrels $< $(SYSTEMS:%=--run $(OUT)/%.run) -m ndcg@10 -m P@10 -m mrr --format tsv | \
	    awk -f $(HERE)/demo/table.awk > $@

$(OUT):
	mkdir -p $@

.PHONY: all
