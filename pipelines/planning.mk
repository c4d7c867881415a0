# SPDX-License-Identifier: MIT
# Where does planning pay for recommenders? On O*NET's jobs and labels, offline and online; no outcome is promised.
#
#     make -f pipelines/planning.mk DATA=FOLDER [BUILD=build] [SEEDS="1 2 3 4 5"] [THREADS=2] [QUICK=1]
#
# FOLDER is that of onet.mk. docs/planning.md has the outcome.
#
# Offline. Of the training applicants one in a hundred, ten or three has labels. Every system makes 150 batches from
# the same drawn weights; what differs is the lists that it learns from:
#
#     few                 an agent from these labels: the control
#     student             from these labels, and for every other training applicant the twenty jobs that an ensemble
#                         of three such agents expects most of, with the rewards that it expects
#     student-of-world    the same of three world models, which know an applicant and a job by their vectors and the
#                         cosines of these
#     teachers            the ensemble of agents itself
#     world               the world models themselves
#
# Online. An agent that was pre-trained by rows on a third of the applicants' labels goes on with one new applicant, who
# answers for the jobs that it shows, one of 100 drawn ones a step. How many answers does it take until its first
# choice earns 95 % of what can be had? (planning/answers.py) Twenty applicants, of occupations that nobody learnt from:
#
#     features            pre-trained with cosines of all pairs of fields as further inputs; one update a step
#     features-planning-5 that, with five planning updates a step
#     features-updates-6  that, with as many updates as features-planning-5, all on real answers: its control
#     none, none-planning-5, none-updates-6    pre-trained without these inputs
#     reptile             pre-trained as features, but by Reptile (dq-train --meta reptile)
#     cold                not pre-trained
#
# Ends with two tables of paired comparisons, offline over occupations, online over seeds, and a figure of each.

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

DATA   ?= ../shared/data/onet-jobs
OUT    := $(BUILD)/planning$(if $(QUICK),-quick)
USED   := $(if $(QUICK),$(OUT)/fewer,$(DATA))
SEEDS  ?= $(if $(QUICK),1,1 2 3 4 5)
FEWER  ?= $(if $(QUICK),10,100 10 3)
SMALL  := $(if $(QUICK),--epochs 5)

SYSTEMS := few student student-of-world teachers world
EACH     = $(foreach seed,$(SEEDS),$(foreach fewer,$(FEWER),$(SYSTEMS:%=$(OUT)/offline/$(fewer)/$(seed)/%$(1))))

# What is expected: system, column, least, most; offline of the most labels. Of the comparisons only that they were made.
EXPECTED := $(if $(QUICK),few mean .2 1; student mean .1 1; student-of-world mean 0 1,few mean .58 .66; student mean .5 .66; teachers mean .58 .66)
ANSWERED := $(if $(QUICK),features first 0 1; cold reward 0 1,features first .45 .8; features reward .6 .9; cold first 0 .3)

MAKEFLAGS += -j$(THREADS)
export DQ_THREADS := 1
export OPENBLAS_NUM_THREADS := 1

all: $(OUT)/offline.txt $(OUT)/offline.svg $(OUT)/online.txt $(OUT)/online.svg
	@cat $(OUT)/offline.txt $(OUT)/online.txt
	@awk -v expected="$(EXPECTED)" -f $(HERE)/expect.awk $(OUT)/offline-means.tsv
	@awk -v expected="$(ANSWERED)" -f $(HERE)/expect.awk $(OUT)/online-means.tsv
	@echo "figures: $(OUT)/offline.svg and $(OUT)/online.svg"

# ---- offline: the data, split, with few labels ----

$(OUT)/fewer/interactions.jsonl.zst:
	python3 $(HERE)/planning/fewer.py $(DATA) $(@D) 40

$(OUT)/offline/%/test.qrels: $(if $(QUICK),$(OUT)/fewer/interactions.jsonl.zst)
	python3 $(HERE)/onet/split.py $(USED) $(@D) $(notdir $*) $(firstword $(subst /, ,$*))

# ---- teachers and students ----

# An agent from the labels of a folder of the split.
learn = dq-export --schema jobs $(@D)/$(1) | dq-reward --quiet --strategy logged | \
    dq-train --quiet --offline --validate-by occupation --seed $(notdir $*) $(2) $(SMALL) -o $@

$(OUT)/offline/%/few.dq: $(OUT)/offline/%/test.qrels
	$(call learn,train,--models 3)

$(OUT)/offline/%/teachers.dq: $(OUT)/offline/%/test.qrels
	$(call learn,train,--no-world --q-models 3)

# What is dreamt stands beside the labels, as an interaction with a reward; whoever has labels keeps these alone.
learn_dreams = rm -rf $(@D)/$(1) && cp -r $(@D)/train $(@D)/$(1) && \
    jq -r 'select(.label != "SEEN").user' $(@D)/train/interactions.jsonl | sort -u > $(@D)/$(1)/heard && \
    dq-export --schema jobs $(@D)/train | dq-rank --quiet --model $< $(2) -k 20 --exclude-seen --format jsonl | \
    jq -nc --rawfile heard $(@D)/$(1)/heard '($$heard | split("\n") | map({key: ., value: 1}) | from_entries) as $$heard | \
        inputs | select($$heard[.user] | not) | {user, item, reward: .score}' >> $(@D)/$(1)/interactions.jsonl && \
    $(call learn,$(1),--no-world)

$(OUT)/offline/%/student.dq: $(OUT)/offline/%/teachers.dq
	$(call learn_dreams,dreamt)

$(OUT)/offline/%/student-of-world.dq: $(OUT)/offline/%/few.dq
	$(call learn_dreams,dreamt-by-world,--by world)

# ---- ranking for applicants of other occupations ----

rank = dq-export --schema jobs $(@D)/test | dq-rank --quiet --model $< $(1) -k 100 --exclude-seen --format trec > $@

$(OUT)/offline/%.run: $(OUT)/offline/%.dq
	$(call rank)

$(OUT)/offline/%/world.run: $(OUT)/offline/%/few.dq
	$(call rank,--by world)

$(OUT)/offline/%.eval: $(OUT)/offline/%.run
	dq-eval --quiet --qrels $(@D)/test.qrels --run $< --format trec -m ndcg_cut_10 -m P_10 > $@

$(OUT)/offline.tsv: $(call EACH,.eval)
	for file in $^; do IFS=/ read -r fewer seed system < <(echo "$${file#$(OUT)/offline/}"); \
	    awk -v OFS='\t' -v fewer=$$fewer -v seed=$$seed -v who="$${system%.eval}" \
	        '$$2 == "all" { print who, fewer, seed, $$1, $$3 }' $$file; done | \
	    sed '1i system\tfewer\tseed\tmeasure\tvalue' > $@

# Each share of labels by itself: what differs from the control. Applicants of an occupation have the same labels, so an
# occupation of a split is a unit.
$(OUT)/offline/units.tsv: $(call EACH,.run)
	for file in $^; do IFS=/ read -r fewer seed system < <(echo "$${file#$(OUT)/offline/}"); \
	    dq-eval --quiet --qrels $${file%/*}/test.qrels --run $$file -q --format trec -m ndcg_cut_10 | \
	    awk -v OFS='\t' -v fewer=$$fewer -v seed=$$seed -v who="$${system%.run}" '$$2 != "all" { split($$2, o, "/"); sum[o[1]] += $$3; n[o[1]]++ } \
	        END { for (u in sum) print fewer, who, seed "/" u, "NDCG@10", sum[u] / n[u] }' | sort; done > $@

$(OUT)/offline.txt: $(OUT)/offline/units.tsv
	for fewer in $(FEWER); do echo; echo "offline, one applicant in $$fewer has labels"; echo; \
	    awk -F '\t' -v fewer=$$fewer '$$1 == fewer' $< | cut -f 2- | sed '1i system\tunit\tmeasure\tvalue' | \
	    dq-eval --paired --against few --adjust none -; done > $@

$(OUT)/offline.svg: $(OUT)/offline.tsv
	awk -v measure=ndcg_cut_10 -f $(HERE)/planning/means.awk $< > $(@:.svg=-means.tsv)
	$(PLOT) $@ --draw 'bars:x=labels,y=mean,lower=lower,upper=upper,series=system,ymin=0,ymax=1,xlabel=applicants with labels,ylabel=NDCG@10' \
	    $(@:.svg=-means.tsv)

# ---- online: pre-training ----

ONLINE := features features-planning-5 features-updates-6 none none-planning-5 none-updates-6 reptile cold
ASKED  := $(if $(QUICK),4,20)
STEPS  := $(if $(QUICK),10,100)

MAP  := --map APPLY=1,SAVE=0.6,CLICK=0.3,IGNORE=0
rows := dq-train --quiet --offline --loss mse --validate-by occupation $(MAP) --hidden 64 $(if $(QUICK),--epochs 1,) --seed
FEATURES := --features all --feature-scale 4

$(OUT)/online/%/test.qrels: $(if $(QUICK),$(OUT)/fewer/interactions.jsonl.zst)
	python3 $(HERE)/onet/split.py $(USED) $(@D) $* 3

$(OUT)/online/%/labels.dq: $(OUT)/online/%/test.qrels
	dq-export --schema jobs $(@D)/train | dq-reward --quiet --strategy logged -o $@

$(OUT)/online/%/asked.dq: $(OUT)/online/%/test.qrels
	python3 $(HERE)/planning/asked.py $(@D) $(ASKED)
	dq-export --schema jobs $(@D)/asked -o $@

long := --negatives 3 --lr 1e-3 --batch 64 --world-hidden 64 $(if $(QUICK),,--epochs 20)
meta := --negatives 1 --no-world --meta reptile

$(OUT)/online/%/features.dq: $(OUT)/online/%/labels.dq
	$(rows) $* $(FEATURES) $(long) -o $@ $<

$(OUT)/online/%/none.dq: $(OUT)/online/%/labels.dq
	$(rows) $* --features none $(long) -o $@ $<

$(OUT)/online/%/reptile.dq: $(OUT)/online/%/labels.dq
	$(rows) $* $(FEATURES) $(meta) -o $@ $<

# ---- online: an applicant after the other; every system meets the same jobs ----

ask = for user in $$(cat $(@D)/asked/users); do \
    dq-train --quiet --user $$user --reward logged $(MAP) --hidden 64 --dropout 0 --gamma 0 --epsilon 0.1 --epsilon-min 0.1 \
        --steps 1 --episodes $(STEPS) --candidates 100 --batch 8 --warmup 8 --evaluate 10 --evaluate-episodes 40 --seed $* \
        $(1) --log $@.part -o $@.dq $(@D)/asked.dq; cat $@.part; done > $@; rm -f $@.part $@.dq

$(OUT)/online/%/cold.log: $(OUT)/online/%/asked.dq
	$(call ask,--no-world $(FEATURES))

define asks
$(OUT)/online/%/$(1).log: $(OUT)/online/%/asked.dq $(OUT)/online/%/$(2).dq
	$$(call ask,--init $$(word 2,$$^) $(3))
endef
$(foreach pre,features none,$(eval $(call asks,$(pre),$(pre),--no-world)))
$(foreach pre,features none,$(eval $(call asks,$(pre)-planning-5,$(pre),--world-hidden 64 --planning 5)))
$(foreach pre,features none,$(eval $(call asks,$(pre)-updates-6,$(pre),--no-world --updates 6)))
$(eval $(call asks,reptile,reptile,--no-world))

LOGS = $(foreach seed,$(SEEDS),$(ONLINE:%=$(OUT)/online/$(seed)/%.log))

# ---- online: what it came to ----

$(OUT)/online.tsv: $(LOGS)
	python3 $(HERE)/planning/answers.py values $(OUT)/online > $@

# Pairs of systems that tell one thing each: system and its control.
PAIRS := features-planning-5:features features-updates-6:features features-planning-5:features-updates-6 none-planning-5:none \
    none-updates-6:none none-planning-5:none-updates-6 features:none reptile:features cold:features

$(OUT)/online-means.tsv: $(LOGS)
	python3 $(HERE)/planning/answers.py means $(OUT)/online > $@

$(OUT)/online.txt: $(OUT)/online.tsv $(OUT)/online-means.tsv
	{ echo; echo "online, means over seeds"; echo; $(SHOW) $(OUT)/online-means.tsv; \
	echo; echo "online, a less b, seed by seed"; echo; \
	for pair in $(PAIRS); do for measure in answers_95 answers_90 first reward; do \
	    awk -F '\t' -v a=$${pair%:*} -v b=$${pair#*:} -v measure=$$measure 'NR == 1 || (($$1 == a || $$1 == b) && $$3 == measure)' $< | \
	    dq-eval --paired --against $${pair#*:} --test t --adjust none --format tsv -; done; done | \
	    awk -F '\t' -v OFS='\t' '$$1 == "a" { if (!headed++) print $$1, $$2, $$3, $$7, $$10, $$11, $$13, "a > b"; next } \
	        { print $$1, $$2, $$3, sprintf("%.3f", $$7), $$10, $$11, $$13, $$20 " of " $$4 }' | $(SHOW); } > $@

$(OUT)/online.svg: $(LOGS)
	python3 $(HERE)/planning/answers.py curves $(OUT)/online > $(@:.svg=-curves.tsv)
	$(PLOT) $@ --draw 'lines:x=answers,y=reward,sd=sd,runs=seeds,band=± sd over seeds,series=system,panel=panel,ymin=0,ymax=1,ylabel=share of the reward that can be had' \
	    $(@:.svg=-curves.tsv)

between: $(call EACH,.run) $(LOGS) $(foreach seed,$(SEEDS),$(foreach fewer,$(FEWER),$(addprefix $(OUT)/offline/$(fewer)/$(seed)/,test.qrels \
    few.dq student.dq student-of-world.dq teachers.dq)) $(addprefix $(OUT)/online/$(seed)/,test.qrels labels.dq asked.dq features.dq \
    none.dq reptile.dq))

.PHONY: all between
