# SPDX-License-Identifier: MIT
# The demo: can a recommender learn a taste that nobody told it? `make demo` runs this; QUICK=1 is its short form.
#
# Twenty-eight applicants, the veterans, have each judged 150 of 300 jobs: a Dyna-Q agent is pre-trained on that.
# Twelve newcomers have judged 20 jobs: for each of them an agent is trained online on those, once from the pre-trained
# one and once from nothing. Then every system ranks the 280 jobs that the newcomers have not judged, and the held-out
# answers say how well.
# What is in data/demo, and what the hidden taste is, pipelines/demo/make_data.py tells.

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

DATA      := data/demo
OUT       := $(BUILD)/demo$(if $(QUICK),-quick)
NEWCOMERS := $(shell jq -r .id $(DATA)/newcomers.jsonl)
ONE       := $(firstword $(NEWCOMERS))
SEEN_JOBS := 20

# Small networks and short runs, so that all of this takes about a minute.
# Every program on one thread, as many at a time as there are cores: THREADS=1 takes them one after the other.
MAKEFLAGS += -j$(THREADS)
export DQ_THREADS := 1
.SILENT:

EMBED   := hash:128 --compare bio:description --compare skills:technical_skills
NET     := --hidden 256,64 --world-hidden 128
OFFLINE := --offline --loss mse --batch 64 --validation 0.15 --epochs $(if $(QUICK),5,20)
ONLINE  := --reward logged --steps 25 --episodes $(if $(QUICK),4,40) --warmup 50 --lr 5e-4 \
    --epsilon 0.5 --epsilon-decay 0.998

SYSTEMS := random popularity cosine dyna-q_untrained dyna-q_pre-trained dyna-q_trained_from_nothing \
    dyna-q_pre-trained_and_trained

# What is expected: system, column, least, most. The short form trains too little to promise an order.
EXPECTED := random ndcg_cut_10 0.05 0.30; cosine ndcg_cut_10 0.10 0.40; \
    $(if $(QUICK),,Dyna-Q_pre-trained ndcg_cut_10 0.55 0.95; Dyna-Q_pre-trained_and_trained ndcg_cut_10 0.70 0.95)

# Without gnuplot there are no pictures, nor the page that has them.
PICTURES := $(if $(shell command -v gnuplot),$(OUT)/learning.png $(OUT)/report.html)

all: $(OUT)/table.tsv $(PICTURES)
	$(HERE)/demo/report $(OUT) $(DATA) $(ONE) $(notdir $(PICTURES))
	awk -v expected="$(EXPECTED)" -f $(HERE)/expect.awk $(OUT)/table.tsv

# ---- what is known ----

$(OUT)/pretraining.dq: | $(OUT)  # the veterans, every job, and what they answered
	dq-export --users $(DATA)/veterans.jsonl --items $(DATA)/jobs.jsonl --interactions $(DATA)/veterans-answers.jsonl | \
	    dq-embed $(EMBED) | dq-reward --strategy logged -o $@

$(OUT)/practice.dq: | $(OUT)  # the newcomers, the jobs that they have seen, and what they answered
	head -n $(SEEN_JOBS) $(DATA)/jobs.jsonl > $(OUT)/seen-jobs.jsonl
	dq-export --users $(DATA)/newcomers.jsonl --items $(OUT)/seen-jobs.jsonl --interactions $(DATA)/newcomers-answers.jsonl | \
	    dq-embed $(EMBED) -o $@

$(OUT)/exam.dq: | $(OUT)  # the newcomers and every job; what they have answered says which to leave out
	dq-export --users $(DATA)/newcomers.jsonl --items $(DATA)/jobs.jsonl --interactions $(DATA)/newcomers-answers.jsonl | \
	    dq-embed $(EMBED) -o $@

# ---- learning ----

$(OUT)/pretrained.dq: $(OUT)/pretraining.dq
	echo "pre-training on the veterans' answers"
	dq-train $(OFFLINE) $(NET) --log $(@:.dq=.jsonl) -o $@ < $<

$(OUT)/untrained.dq: $(OUT)/practice.dq  # the networks as they are drawn
	dq-train --quiet --user $(ONE) --reward logged $(NET) --episodes 1 --steps 1 --warmup 1 --batch 1 --lr 1e-30 -o $@ < $<

$(OUT)/agents/%.dq: $(OUT)/practice.dq $(OUT)/pretrained.dq | $(OUT)/agents
	echo "training online for $*, from the pre-trained agent"
	dq-train --quiet --user $* $(ONLINE) $(NET) --init $(OUT)/pretrained.dq --log $(@:.dq=.jsonl) -o $@ < $<

$(OUT)/cold/%.dq: $(OUT)/practice.dq | $(OUT)/cold
	echo "training online for $*, from nothing"
	dq-train --quiet --user $* $(ONLINE) $(NET) --log $(@:.dq=.jsonl) -o $@ < $<

# ---- ranking: the jobs not judged yet, best first ----

RANK := dq-rank -k 280 --exclude-seen --format trec

$(OUT)/random.run: $(OUT)/exam.dq
	$(RANK) --by cosine --epsilon 1 < $< > $@

$(OUT)/popularity.run: $(OUT)/pretraining.dq $(OUT)/exam.dq  # as many veterans as would apply or save
	$(RANK) -q --by popularity --train $< --map APPLY=1,SAVE=1 $(OUT)/exam.dq > $@

$(OUT)/cosine.run: $(OUT)/exam.dq
	$(RANK) --by cosine < $< > $@

$(OUT)/dyna-q_untrained.run: $(OUT)/untrained.dq $(OUT)/exam.dq
	cat $^ | $(RANK) > $@

$(OUT)/dyna-q_pre-trained.run: $(OUT)/pretrained.dq $(OUT)/exam.dq
	cat $^ | $(RANK) > $@

$(OUT)/dyna-q_trained_from_nothing.run: $(NEWCOMERS:%=$(OUT)/cold/%.dq) $(OUT)/exam.dq
	for who in $(NEWCOMERS); do \
	    cat $(OUT)/cold/$$who.dq $(OUT)/exam.dq | $(RANK) --user $$who; \
	done > $@

$(OUT)/dyna-q_pre-trained_and_trained.run: $(NEWCOMERS:%=$(OUT)/agents/%.dq) $(OUT)/exam.dq
	for who in $(NEWCOMERS); do \
	    cat $(OUT)/agents/$$who.dq $(OUT)/exam.dq | $(RANK) --user $$who; \
	done > $@

# ---- judging ----

$(OUT)/table.tsv: $(SYSTEMS:%=$(OUT)/%.run)
	dq-eval --qrels $(DATA)/held-out.qrels $(^:%=--run %) -m ndcg@10 -m P@10 -m mrr --format tsv | \
	    awk -f $(HERE)/demo/table.awk > $@

# ---- the learning curve: reward an episode, newcomers' mean and spread ----

CURVES  = $(foreach who,$(NEWCOMERS),pre-trained=$(OUT)/agents/$(who).jsonl "from nothing=$(OUT)/cold/$(who).jsonl")

$(OUT)/learning.png: $(NEWCOMERS:%=$(OUT)/agents/%.dq) $(NEWCOMERS:%=$(OUT)/cold/%.dq)
	$(PLOT) $@ --curves --smooth 3 $(CURVES)

WARNING := $(if $(NO_RESULT),$(NO_RESULT). )

# ---- all of it as a page: tables, pictures, and what made what they come from ----

$(OUT)/rankings.html: $(SYSTEMS:%=$(OUT)/%.run)
	dq-eval --qrels $(DATA)/held-out.qrels $(^:%=--run %) -m ndcg@10 -m P@10 -m mrr --title "$(WARNING)Jobs not judged yet, ranked" --report $@ -o $(@:.html=.txt)

$(OUT)/curves.html: $(OUT)/learning.png
	dq-eval --curves --smooth 3 --title "$(WARNING)Training online" --report $@ --format tsv -o $(@:.html=.tsv) $(CURVES)

$(OUT)/report.html: $(OUT)/rankings.html $(OUT)/curves.html
	dq-eval --report $@ --title "$(WARNING)Can a recommender learn a taste that nobody told it?" $^

$(OUT) $(OUT)/agents $(OUT)/cold:
	mkdir -p $@

.PHONY: all
