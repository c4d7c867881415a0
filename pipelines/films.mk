# SPDX-License-Identifier: MIT
# System D: films are shown to users, one a step; a deep Q-network learns which, and its remedies are tried.
#
#     make -f pipelines/films.mk [BUILD=build] [SEEDS="1 2 3 4 5"] [THREADS=2] [QUICK=1]
#
#     random       any film
#     dqn          as published: 100 -> 64 -> 64 -> 10, a target copied every 10 episodes, the last step an end
#     cut          the last step cuts the episode off instead, and the state behind it keeps its value; so in all below
#     double       Double DQN; all below are double, too
#     dueling      value and advantages apart
#     actions      Q of a state and a film's vector, instead of an output a film
#     mean         the mean of the last five films, instead of their places
#     attention    attention over the last five films, instead of their places
#     drn          dueling, actions and attention, as DRN has it: the value sees the user alone
#
# Then cold start: twenty users whom nobody knows. `nothing` learns from their clicks alone; `adapted` goes on from an agent
# that was trained by simulation on 900 others, and `simulated` is that agent, which learns no more. The level is nine
# tenths of what `nothing` comes to in the end; what is compared is the steps until each is there.
#
# Ends with three tables, mean and 95 % interval over the seeds, and pictures: Q against the return that came, the
# variants' learning curves, the cold start.

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

OUT   := $(BUILD)/films$(if $(QUICK),-quick)
SEEDS ?= $(if $(QUICK),1,1 2 3 4 5)

STEPS     := $(if $(QUICK),20,100)
EPISODES  := $(if $(QUICK),60,1000)
EVALUATE  := --evaluate $(if $(QUICK),10,100) --evaluate-episodes $(if $(QUICK),20,200)
ADAPTING  := $(if $(QUICK),60,300)
CLOSELY   := --evaluate 10 --evaluate-episodes $(if $(QUICK),20,100)
LAST      := 3

WORLD := films:steps=$(STEPS)
CUT   := films:steps=$(STEPS),terminal=0
OTHER := $(CUT),users=1000,served=900
NEW   := $(CUT),users=1000,first=900,served=20

LEARNT   := dqn cut double dueling actions mean attention drn
VARIANTS := random $(LEARNT)
COLD     := nothing adapted simulated

dqn       :=
cut       :=
double    := --double
dueling   := --double --dueling
actions   := --double --head actions
mean      := --double --encoder mean
attention := --double --encoder attention
drn       := --double --dueling --head actions --encoder attention

# What is expected: system, column, least, most. As published DQN hardly beats chance, and does where the last step cuts
# off; Double takes away a part of what Q promises too much; who was trained by simulation is at the level of training
# from nothing in fewer steps.
EXPECTED = $(if $(QUICK),dqn return 5 80; double return 5 80,random return 170 200; dqn return 150 230; cut return 230 310; \
    double return 225 310; actions return 225 320)
EXPECTED_VALUES = $(if $(QUICK),dqn promised -5 60,dqn too-much 25 55; cut too-much 18 42; double too-much 10 32)
EXPECTED_COLD = $(if $(QUICK),adapted first 1 80,adapted first 200 300; adapted steps-saved 2000 25000)

MAKEFLAGS += -j$(THREADS)
export DQ_THREADS := 1
.SILENT:
.SECONDARY:

PICTURES := $(addprefix $(OUT)/,values.png variants.png cold-start.png)
TABLES   := $(addprefix $(OUT)/,table.tsv values.tsv cold-start.tsv)

all: $(TABLES) $(PICTURES)
	echo
	echo "Return, clicks and films watched to the end of an episode of $(STEPS) steps, without exploring:"
	echo
	$(SHOW) $(OUT)/table.tsv
	echo
	echo "Q at the start of an episode, against the discounted return that came:"
	echo
	$(SHOW) $(OUT)/values.tsv
	echo
	echo "New users: return at first and in the end; steps to nine tenths of what training from nothing ends at, and how many fewer:"
	echo
	$(SHOW) $(OUT)/cold-start.tsv
	echo
	echo "figures: $(PICTURES)"
	awk -v expected="$(EXPECTED)" -f $(HERE)/expect.awk $(OUT)/table.tsv
	awk -v expected="$(EXPECTED_VALUES)" -f $(HERE)/expect.awk $(OUT)/values.tsv
	awk -v expected="$(EXPECTED_COLD)" -f $(HERE)/expect.awk $(OUT)/cold-start.tsv

# ---- learn ----

LOGS := $(foreach seed,$(SEEDS),$(LEARNT:%=$(OUT)/$(seed)/%.jsonl))

$(LOGS): $(OUT)/%.jsonl:
	mkdir -p $(@D)
	dq-train --quiet --preset films --env $(if $(filter dqn,$(*F)),$(WORLD),$(CUT)) --episodes $(EPISODES) $(EVALUATE) \
	    $($(*F)) --seed $(*D) --log $@.aside -o $(@:.jsonl=.dq)
	mv $@.aside $@

$(SEEDS:%=$(OUT)/%/simulated.dq): $(OUT)/%/simulated.dq:
	mkdir -p $(@D)
	dq-train --quiet --preset films --double --env $(OTHER) --episodes $(EPISODES) --seed $* -o $@

ADAPT = dq-train --quiet --preset films --double --env $(NEW) --episodes $(ADAPTING) $(CLOSELY) --seed $*

$(SEEDS:%=$(OUT)/%/nothing.jsonl): $(OUT)/%/nothing.jsonl:
	mkdir -p $(@D)
	$(ADAPT) --log $@.aside -o $(@:.jsonl=.dq)
	mv $@.aside $@

# What it knows already needs little exploring, and a memory of the new users before it learns from them.
$(SEEDS:%=$(OUT)/%/adapted.jsonl): $(OUT)/%/adapted.jsonl: $(OUT)/%/simulated.dq
	$(ADAPT) --init $< --epsilon 0.05 --warmup $(if $(QUICK),100,1000) --log $@.aside -o $(@:.jsonl=.dq)
	mv $@.aside $@

# ---- the tables ----

# The last evaluations' means, in the form of trec_eval's lines.
$(foreach seed,$(SEEDS),$(LEARNT:%=$(OUT)/$(seed)/%.eval)): %.eval: %.jsonl
	jq -rn --argjson last $(LAST) -f $(HERE)/films/evaluations.jq $< > $@

ACT = dq-eval --rollout --episodes $(if $(QUICK),20,300) --format json

$(SEEDS:%=$(OUT)/%/random.eval): $(OUT)/%/random.eval:
	mkdir -p $(@D)
	$(ACT) --env $(WORLD) --model random --seed $* | \
	    jq -r '"return\tall\t\(.mean)", "clicks\tall\t\(.counts.clicks)", "finished\tall\t\(.counts.finished)"' > $@

$(OUT)/table.tsv: $(foreach seed,$(SEEDS),$(VARIANTS:%=$(OUT)/$(seed)/%.eval))
	awk -v measures="return clicks finished" -v against=dqn -f $(HERE)/summary.awk $^ > $@

$(OUT)/values.tsv: $(foreach seed,$(SEEDS),$(LEARNT:%=$(OUT)/$(seed)/%.eval))
	awk -v measures="promised came too-much" -f $(HERE)/summary.awk $^ > $@

$(SEEDS:%=$(OUT)/%/simulated.cold): $(OUT)/%/simulated.cold: $(OUT)/%/simulated.dq
	$(ACT) --env $(NEW) --model $< --seed $* | jq -r '"first\tall\t\(.mean)", "last\tall\t\(.mean)"' > $@

$(foreach seed,$(SEEDS),$(addprefix $(OUT)/$(seed)/,nothing.cold adapted.cold)): %.cold: %.jsonl
	jq -rn --slurpfile other $(@D)/nothing.jsonl -f $(HERE)/films/cold-start.jq $< > $@

$(SEEDS:%=$(OUT)/%/adapted.cold): $(OUT)/%/adapted.cold: $(OUT)/%/nothing.jsonl

$(OUT)/cold-start.tsv: $(foreach seed,$(SEEDS),$(COLD:%=$(OUT)/$(seed)/%.cold))
	awk -v measures="first last" -f $(HERE)/summary.awk $^ > $@.aside
	awk -v measures="steps-to-level steps-saved" -f $(HERE)/summary.awk $(filter-out %/simulated.cold,$^) | \
	    join -t $$'\t' -a 1 --nocheck-order $@.aside - > $@
	rm $@.aside

# ---- the pictures ----

$(OUT)/values-curves.tsv: $(LOGS)
	dq-eval --curves --metric evaluation_value --metric evaluation_discounted --format tsv -o $@ \
	    $(foreach seed,$(SEEDS),$(foreach name,$(LEARNT),$(name)=$(OUT)/$(seed)/$(name).jsonl))

$(OUT)/values.png: $(OUT)/values-curves.tsv
	sed 's/evaluation_value/Q at the start/; s/evaluation_discounted/the discounted return that came/' $< > $(@:.png=-named.tsv)
	$(PLOT) $@ $(foreach name,dqn double,--draw "lines:x=episode,y=mean,sd=sd,runs=runs,band=± sd,series=metric,where=group=$(name),\
	title=$(name),ymin=0,ylabel=return") $(@:.png=-named.tsv)

$(OUT)/variants.png: $(LOGS)
	$(PLOT) $@ --curves --metric evaluation_return \
	    $(foreach seed,$(SEEDS),$(foreach name,$(LEARNT),$(name)=$(OUT)/$(seed)/$(name).jsonl))

# Who was trained by simulation and does not adapt is a level line.
$(OUT)/cold-curves.tsv: $(SEEDS:%=$(OUT)/%/nothing.jsonl) $(SEEDS:%=$(OUT)/%/adapted.jsonl) $(SEEDS:%=$(OUT)/%/simulated.cold)
	dq-eval --curves --metric evaluation_return --smooth 3 --format tsv -o $@.aside \
	    $(foreach seed,$(SEEDS),$(foreach name,nothing adapted,$(name)=$(OUT)/$(seed)/$(name).jsonl))
	awk -f $(HERE)/films/cold-curves.awk $@.aside $(SEEDS:%=$(OUT)/%/simulated.cold) > $@
	rm $@.aside

$(OUT)/cold-start.png $(OUT)/cold-start.svg: $(OUT)/cold-curves.tsv
	$(PLOT) $@ --draw "lines:x=episode,y=mean,sd=sd,runs=runs,band=± sd,series=group,order=nothing|simulated|adapted,title=Return without exploring,ylabel=return" $<

.PHONY: all
