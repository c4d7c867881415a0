# SPDX-License-Identifier: MIT
# Real jobs, applicants and labels: does Dyna-Q rank them better than cosine does?
#
#     make -f pipelines/onet.mk DATA=FOLDER [BUILD=build] [SEEDS="1 2 3 4 5"] [THREADS=2] [QUICK=1]
#
# FOLDER holds system A's four collections and a judge's interactions. For each seed the occupations of the applicants
# are split 70 : 30 (onet/split.py). What learns, learns from the one part's labels; then every system ranks all jobs
# but their own for the other part's applicants, whom it has never seen. Ends with a table over the seeds and a curve.
#
#     random             drawn
#     popularity         the jobs that most of the one part would apply to or save
#     cosine-published   mean cosine of the published pairs of fields, hard:tech and soft:soft
#     cosine-best        cosine of the best single pair of fields, hard:title
#     kernel-ridge       from the likeness of applicants to their labels, smoothed over like jobs (onet/rivals.py, scikit-learn)
#     kernel-ridge-history    that, with the job that an applicant holds
#     boosted-trees      LambdaMART on features of a pair within its list (onet/rivals.py, lightgbm)
#     boosted-trees-history   that, with the job that an applicant holds
#     dyna-q             dq-train --offline with its own defaults (softmax over each applicant's list of all jobs, features of
#                        a pair within its list, a factored head)
#     dyna-q-history     that, with the job that an applicant holds as state (--history seen)
#     dyna-q-tenth       dyna-q, from the labels of one training applicant in ten
#     dyna-q-rows        the loss of rows, --loss mse, with cosines of all pairs of fields as further inputs
#     dyna-q-plain       that without those inputs: system A's network
#     dyna-q-gamma-.9    that of rows with system A's discount, and a target copied often enough to matter
#     dyna-q-constant    that of rows with a constant learning rate
#     dyna-q-published   system A's numbers for pre-training (--preset published)
#
# What made the difference, as measured (docs/onet.md has the figures): the cosines of every two fields as further inputs,
# above all, which the network need not find out from few labels; then more occupations to learn from; the
# learning rate that rises and falls to zero; keeping the epoch with the best order of held-out rows and not the least
# squared error, which turns before the ranking does; less dropout; fewer occupations held out. The discount adds the
# same to every job's value, since s' = s, and so changes nothing in their order but costs accuracy.

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

DATA  ?= ../shared/data/onet-jobs
OUT   := $(BUILD)/onet$(if $(QUICK),-quick)
SEEDS ?= $(if $(QUICK),1,1 2 3 4 5)
SMALL := $(if $(QUICK),--epochs 3 --hidden 128 --no-world)

# Rivals are measured where their packages are (Debian's python3-sklearn, PyPI's lightgbm), and else left out with a word.
# The short form leaves out the trees, which take longest.
PYTHON ?= /usr/bin/python3
has     = $(shell $(PYTHON) -c 'import sklearn, $(1)' 2> /dev/null && echo yes)
rival   = $(if $(call has,$(2)),$(1) $(1)-history,$(if $(filter picture,$(MAKECMDGOALS)),,$(info onet.mk: no $(2) in $(PYTHON): $(1) and $(1)-history are left out)))
RIVALS := $(call rival,kernel-ridge,numpy) $(if $(QUICK),,$(call rival,boosted-trees,lightgbm))

SYSTEMS := random popularity cosine-published cosine-best $(RIVALS) dyna-q dyna-q-history dyna-q-tenth \
    dyna-q-rows dyna-q-plain dyna-q-gamma-.9 dyna-q-constant dyna-q-published
EACH     = $(foreach seed,$(SEEDS),$(SYSTEMS:%=$(OUT)/$(seed)/%$(1)))

# What is expected: system, column, least, most. The short form only proves that the pipeline runs and learns.
EXPECTED := cosine-published ndcg_cut_10 .08 .16; cosine-best ndcg_cut_10 .40 .52; random ndcg_cut_10 0 .03; \
    $(if $(filter kernel-ridge,$(RIVALS)),kernel-ridge ndcg_cut_10 .56 .63; kernel-ridge-history ndcg_cut_10 .69 .76;) \
    $(if $(filter boosted-trees,$(RIVALS)),boosted-trees ndcg_cut_10 .61 .68; boosted-trees-history ndcg_cut_10 .73 .80;) \
    $(if $(QUICK),dyna-q ndcg_cut_10 .05 .66; dyna-q-history ndcg_cut_10 .05 .78,dyna-q ndcg_cut_10 .62 .67; \
    dyna-q-history ndcg_cut_10 .70 .77; dyna-q-tenth ndcg_cut_10 .54 .60; dyna-q-rows ndcg_cut_10 .49 .58; dyna-q-plain ndcg_cut_10 .40 .52)

# Every program on one thread, as many at a time as there are cores.
MAKEFLAGS += -j$(THREADS)
export DQ_THREADS := 1
export OPENBLAS_NUM_THREADS := 1

all: $(OUT)/table.tsv $(OUT)/learning.png
	@echo
	@$(SHOW) $<
	@echo
	@echo "learning curve: $(OUT)/learning.png"
	@awk -v expected="$(EXPECTED)" -f $(HERE)/expect.awk $<

# ---- the data, split ----

$(OUT)/%/test.qrels:
	python3 $(HERE)/onet/split.py $(DATA) $(@D) $*

$(OUT)/%/tenth/test.qrels:
	python3 $(HERE)/onet/split.py $(DATA) $(@D) $* 10

# ---- learn from the one part; a world model changes nothing in the ranking, so the others go without ----

learn = dq-export --schema jobs $(@D)$(2)/train | dq-reward --strategy logged | \
    dq-train --quiet --offline --validate-by occupation --seed $* $(1) $(SMALL) --log $(@:.dq=.jsonl) -o $@

$(OUT)/%/dyna-q.dq: $(OUT)/%/test.qrels
	$(call learn)

$(OUT)/%/dyna-q-history.dq: $(OUT)/%/test.qrels
	$(call learn,--history seen)

$(OUT)/%/dyna-q-tenth.dq: $(OUT)/%/tenth/test.qrels
	$(call learn,,/tenth)

rows = --no-world --loss mse --negatives 3

$(OUT)/%/dyna-q-rows.dq: $(OUT)/%/test.qrels
	$(call learn,$(rows))

$(OUT)/%/dyna-q-plain.dq: $(OUT)/%/test.qrels
	$(call learn,$(rows) --features none)

$(OUT)/%/dyna-q-gamma-.9.dq: $(OUT)/%/test.qrels
	$(call learn,$(rows) --gamma 0.9 --target-every 200)

$(OUT)/%/dyna-q-constant.dq: $(OUT)/%/test.qrels
	$(call learn,$(rows) --lr-schedule constant)

$(OUT)/%/dyna-q-published.dq: $(OUT)/%/test.qrels
	$(call learn,--no-world --negatives 3 --preset published)

# ---- rank for the other ----

rank = dq-export --schema jobs $(@D)/test | dq-rank $(1) -k 100 --exclude-seen --format trec > $@

$(OUT)/%.run: $(OUT)/%.dq
	$(call rank,--model $<)

$(OUT)/%/cosine-published.run: $(OUT)/%/test.qrels
	$(call rank,--by cosine)

$(OUT)/%/cosine-best.run: $(OUT)/%/test.qrels
	$(call rank,--by cosine --compare hard_skills:title)

$(OUT)/%/random.run: $(OUT)/%/test.qrels
	$(call rank,--by cosine --epsilon 1 --seed $*)

$(OUT)/%/popularity.run: $(OUT)/%/test.qrels
	dq-export --interactions $(@D)/train/interactions.jsonl -o $(@D)/train-labels.dq
	$(call rank,-q --by popularity --train $(@D)/train-labels.dq --map APPLY=1$(comma)SAVE=1)

define learnt_otherwise
$(OUT)/%/$(1).run: $(OUT)/%/test.qrels
	$(PYTHON) $(HERE)/onet/rivals.py $(1) $$(@D) $$* > $$@

$(OUT)/%/$(1)-history.run: $(OUT)/%/test.qrels
	$(PYTHON) $(HERE)/onet/rivals.py $(1) $$(@D) $$* history > $$@
endef
$(foreach r,$(filter-out %-history,$(RIVALS)),$(eval $(call learnt_otherwise,$(r))))

# ---- judge ----

$(OUT)/%.eval: $(OUT)/%.run
	dq-eval --qrels $(@D)/test.qrels --run $< --format trec -m ndcg_cut_10 -m P_10 -m recip_rank -m map > $@

$(OUT)/table.tsv: $(call EACH,.eval)
	awk -v measures="ndcg_cut_10 P_10 recip_rank map" -v against=cosine-best -f $(HERE)/summary.awk $^ > $@

$(OUT)/learning.png: $(call EACH,.eval)
	$(PLOT) $@ --curves $(foreach seed,$(SEEDS),$(foreach system,$(filter dyna-q%,$(SYSTEMS)), \
	    $(system)=$(OUT)/$(seed)/$(system).jsonl))

# ---- README's picture, from the full run as docs/onet.md has it, or from a table of yours: picture TABLE=build/onet/table.tsv ----

TABLE   ?= docs/onet.tsv
PICTURE ?= docs/onet.svg

picture:
	awk -f $(HERE)/onet/picture.awk $(TABLE) | $(PLOT) $(PICTURE) --draw "bars:x=system,y=ndcg,lower=lower,upper=upper,series=input,\
	    ymin=0,ymax=1,ylabel=NDCG@10 (1: the order of the judge),title=Which of 923 jobs fit? For applicants whose occupation is new,\
	    note=Real occupations (O*NET): mean of five splits\, 95 % interval" -

# What lies between, named here so that make keeps it, and makes it when it is missing.
between: $(call EACH,.run) $(foreach seed,$(SEEDS),$(patsubst %,$(OUT)/$(seed)/%.dq,$(filter dyna-q%,$(SYSTEMS)))) $(SEEDS:%=$(OUT)/%/test.qrels)

.PHONY: all between picture
