# SPDX-License-Identifier: MIT
# System A's comparison of agents, on the demo's data: one trained from nothing against one that was pre-trained, for
# each newcomer; what they earn over many episodes, what in their first steps (cold start), and how they learnt.
#
#     make -f pipelines/compare.mk [BUILD=build] [THREADS=2] [QUICK=1]
#
# The agents are the demo's. They act here on the 280 jobs that the newcomers have not judged, and are paid by the
# held-out answers, an item at most once an episode: what they earn is what they have generalised.

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

DATA := data/demo
DEMO := $(BUILD)/demo$(if $(QUICK),-quick)
OUT  := $(BUILD)/compare$(if $(QUICK),-quick)

# Ten steps an episode; a hundred episodes for each of the twelve newcomers, in turn.
EPISODES := $(if $(QUICK),120,1200)
MODELS   := --model trained.dq --model pre-trained.dq --model pre-trained-and-trained.dq \
    --model untrained --model cosine --model random

# What is expected: system, column, least, most.
EXPECTED := random mean 0.00 0.10; trained.dq mean 0.30 0.90; pre-trained-and-trained.dq mean 0.40 0.90

export DQ_THREADS := 1
.SILENT:

all: $(OUT)/episodes.txt $(OUT)/means.tsv $(OUT)/cold-start.txt $(OUT)/learning.png
	echo
	echo "What the agents earn a step on jobs that they have not met, against the one trained from nothing:"
	echo
	cat $(OUT)/episodes.txt
	echo
	echo "Cold start, step by step:"
	echo
	cat $(OUT)/cold-start.txt
	echo
	echo "losses and rewards while learning, mean and spread over the newcomers: $(OUT)/learning.png"
	awk -v expected="$(EXPECTED)" -f $(HERE)/expect.awk $(OUT)/means.tsv

# ---- the agents, by the demo ----

$(DEMO)/table.tsv $(DEMO)/learning.png &:
	$(MAKE) -f $(HERE)/demo.mk BUILD=$(BUILD) QUICK=$(QUICK) THREADS=$(THREADS) $(DEMO)/table.tsv $(DEMO)/learning.png

$(OUT)/trained.dq: $(DEMO)/table.tsv | $(OUT)
	cat $(DEMO)/cold/*.dq > $@

$(OUT)/pre-trained-and-trained.dq: $(DEMO)/table.tsv | $(OUT)
	cat $(DEMO)/agents/*.dq > $@

$(OUT)/pre-trained.dq: $(DEMO)/table.tsv | $(OUT)
	cp $(DEMO)/pretrained.dq $@

$(OUT)/learning.png: $(DEMO)/learning.png | $(OUT)
	cp $< $@

# ---- where they act: the newcomers, the jobs they have not judged, the held-out answers ----

$(OUT)/unseen.dq: $(DATA)/held-out.qrels | $(OUT)
	awk 'BEGIN { word[3] = "APPLY"; word[2] = "SAVE"; word[1] = "CLICK"; word[0] = "IGNORE" } \
	    { printf "{\"user\": \"%s\", \"item\": \"%s\", \"label\": \"%s\"}\n", $$1, $$3, word[$$4] }' $< > $(OUT)/answers.jsonl
	jq -r .item $(OUT)/answers.jsonl | sort -u > $(OUT)/unseen.ids
	grep -F -f <(sed 's/.*/"id": "&"/' $(OUT)/unseen.ids) $(DATA)/jobs.jsonl > $(OUT)/jobs.jsonl
	dq-export --users $(DATA)/newcomers.jsonl --items $(OUT)/jobs.jsonl --interactions $(OUT)/answers.jsonl | \
	    dq-embed hash:128 --compare bio:description --compare skills:technical_skills -o $@

# ---- the comparisons ----

AGENTS = $(OUT)/trained.dq $(OUT)/pre-trained.dq $(OUT)/pre-trained-and-trained.dq
ACT    = cd $(OUT) && dq-eval $(MODELS) --distinct --steps 10 --episodes $(EPISODES) unseen.dq

$(OUT)/episodes.txt: $(OUT)/unseen.dq $(AGENTS)
	$(ACT) --rollout > $(@F)

$(OUT)/cold-start.txt: $(OUT)/unseen.dq $(AGENTS)
	$(ACT) --cold-start > $(@F)

$(OUT)/means.tsv: $(OUT)/unseen.dq $(AGENTS)
	$(ACT) --rollout --format tsv | \
	    awk 'BEGIN { FS = OFS = "\t"; print "system", "mean" } $$2 == "mean" { print $$1, $$4 }' > $(@F)

$(OUT):
	mkdir -p $@

.PHONY: all
