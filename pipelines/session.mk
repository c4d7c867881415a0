# SPDX-License-Identifier: MIT
# System B: sessions of a shop. Who the users and items are comes from a generator; a deep Q-network learns what to show.
#
#     make -f pipelines/session.mk [BUILD=build] [SEEDS="1 2 3"] [THREADS=2] [QUICK=1]
#
# Two worlds of 1000 users and 50 items, `small` (states 42 wide) and `generated` (102 wide, the generator's users, items
# and their past); and both with all 500 items. In each:
#
#     random        any item
#     dqn           system B's network, without Double
#     double        system B's agent: Double DQN
#     double-early  that agent after a fifth of the sessions
#     dyna-q        so many sessions, too, and after each update one more with next states and rewards that a learned
#                   model foresees: what its updates are worth where sessions are dear
#
# Then the optional terms of the reward, for random and double: a price of items like the last ones, a bonus for items
# seldom shown, liking by half the product and half the cosine. A session has ten steps; the click-through rate
# is clicks by steps. Ends with the tables, mean and 95 % interval over the seeds, and pictures: moving averages of return,
# clicks and length of the sessions, and the generator's distributions.

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

OUT   := $(BUILD)/session$(if $(QUICK),-quick)
SEEDS ?= $(if $(QUICK),1,1 2 3)

EPISODES := $(if $(QUICK),60,1500)
EARLY    := $(if $(QUICK),60,300)
TRIALS   := $(if $(QUICK),30,300)
SMALLER  := $(if $(QUICK),--hidden 32$(comma)32 --batch 32 --warmup 100)
FEW      := $(if $(QUICK),20,50)
MANY     := $(if $(QUICK),40,500)

small         := session:items=$(FEW)
generated     := session:items=$(FEW),generated=1
small-all     := session:items=$(MANY)
generated-all := session:items=$(MANY),generated=1
similarity    := session:items=$(FEW),similarity=0.3
bonus         := session:items=$(FEW),bonus=0.3
mix           := session:items=$(FEW),mix=0.5

WORLDS := small generated
WIDE   := small-all generated-all
TERMS  := similarity bonus mix

dqn          := --no-double --episodes $(EPISODES)
double       := --episodes $(EPISODES)
double-early := --episodes $(EARLY)
dyna-q       := --episodes $(EARLY) --agent dyna-q --planning 1

# Runs: SEED/WORLD/SYSTEM. A system's name in the tables has its world's before it.
SYSTEMS := $(foreach world,$(WORLDS),$(addprefix $(world)/,random dqn double double-early dyna-q)) \
    $(foreach world,$(WIDE),$(addprefix $(world)/,random double))
OPTIONAL := $(foreach world,$(TERMS),$(addprefix $(world)/,random double))
LEARNT   := $(filter-out %/random,$(SYSTEMS) $(OPTIONAL))

# What is expected: system, column, least, most. Learning beats chance, by far.
EXPECTED := $(if $(QUICK),small-random return 3 6; small-double return 1 9; generated-dyna-q return 0 9, \
    small-random return 4 4.9; small-double return 6 9; small-dqn return 6 9; generated-random return 2.3 3.1; \
    generated-double return 4 8; small-all-double return 5.2 9; generated-all-double return 3.3 8)
EXPECTED_TERMS := $(if $(QUICK),similarity-double ctr .1 1,similarity-double ctr .6 1; mix-double ctr .6 1; bonus-double ctr .6 1)
EXPECTED_POPULATION := age_mean drawn 38 41; income_over_35000 drawn .45 .55; low_share drawn .45 .55; high_share drawn .11 .19; \
    low_interactions drawn 4.6 5.4; medium_interactions drawn 19 21; high_interactions drawn 47.5 52.5; \
    low_variance_over_mean drawn .8 1.2; high_variance_over_mean drawn .7 1.3

MAKEFLAGS += -j$(THREADS)
export DQ_THREADS := 1
.SILENT:
.SECONDARY:

PICTURES := $(addprefix $(OUT)/,population.png $(WORLDS:%=%.png) $(WIDE:%=%.png))
TABLES   := $(addprefix $(OUT)/,population.tsv table.tsv terms.tsv)

all: $(TABLES) $(PICTURES)
	echo
	echo "What the generator drew, beside what is stated:"
	echo
	$(SHOW) $(OUT)/population.tsv
	echo
	echo "Return, click-through rate and repetitions of a session of ten steps, without exploring:"
	echo
	$(SHOW) $(OUT)/table.tsv
	echo
	echo "With the optional terms of the reward:"
	echo
	$(SHOW) $(OUT)/terms.tsv
	echo
	echo "figures: $(PICTURES)"
	awk -v expected="$(EXPECTED_POPULATION)" -f $(HERE)/expect.awk $(OUT)/population.tsv
	awk -v expected="$(EXPECTED)" -f $(HERE)/expect.awk $(OUT)/table.tsv
	awk -v expected="$(EXPECTED_TERMS)" -f $(HERE)/expect.awk $(OUT)/terms.tsv

# ---- the generator ----

$(OUT)/population.dq:
	mkdir -p $(@D)
	dq-sim --quiet --users 2000 --items 500 -o $@

$(OUT)/events.tsv: $(OUT)/population.dq
	{ printf 'label\tmonth\tuser\n'; dq-cat --kind interactions $< | jq -r '[.label, .time[:7], .user] | @tsv' | sort -k 2,2; } > $@

$(OUT)/users.tsv: $(OUT)/population.dq $(OUT)/events.tsv
	dq-cat --kind users $< | jq -r '[.id, .age, .income, .activity] | @tsv' | \
	    awk 'BEGIN { FS = OFS = "\t"; print "id", "age", "income", "activity", "interactions" } NR == FNR { count[$$3]++; next } { print $$0, count[$$1] + 0 }' $(OUT)/events.tsv - > $@

$(OUT)/population.tsv: $(OUT)/users.tsv
	awk -f $(HERE)/session/population.awk $< > $@

$(OUT)/items.tsv: $(OUT)/population.dq
	{ printf 'category\tprice\tquality\n'; dq-cat --kind items $< | jq -r '[.category, .price, .quality] | @tsv' | sort; } > $@

# A row of users, one of items, one of what the users did with them.
$(OUT)/population.png $(OUT)/population.svg: $(OUT)/users.tsv $(OUT)/items.tsv $(OUT)/events.tsv
	$(PLOT) $@ --draw "histogram:x=age,bin=5,title=Users by age,xunit=years,ylabel=users" \
	    --draw "histogram:x=income,bin=10000,title=Users by income,ylabel=users" \
	    --draw "histogram:x=activity,order=low|medium|high,title=Users by activity,ylabel=users" \
	    --draw "histogram:x=category,title=Items by category,ylabel=items" \
	    --draw "histogram:x=price,bin=20,title=Items by price,ylabel=items" \
	    --draw "histogram:x=quality,bin=.25,title=Items by quality,ylabel=items" \
	    --draw "histogram:x=interactions,series=activity,order=low|medium|high,bin=2,title=Interactions of a user,xlabel=interactions of a user,ylabel=users" \
	    --draw "histogram:x=label,order=VIEW|CLICK|PURCHASE|RATING,title=Interactions by label,xlabel=what a user did with an item,ylabel=interactions" \
	    --draw "histogram:x=month,title=Interactions by month,ylabel=interactions" \
	    $< $< $< $(OUT)/items.tsv $(OUT)/items.tsv $(OUT)/items.tsv $< $(OUT)/events.tsv $(OUT)/events.tsv

# ---- learn: the same session's seeds for all systems, and others to be judged by ----

define live
$(foreach seed,$(SEEDS),$(patsubst %,$(OUT)/$(seed)/%.jsonl,$(filter $(1)/%,$(LEARNT)))): $(OUT)/%.jsonl:
	mkdir -p $$(@D)
	dq-train --quiet --preset session --env $($(1)) $(SMALLER) $$($$(*F)) \
	    --seed $$(firstword $$(subst /, ,$$*)) --log $$@.aside -o $$(@:.jsonl=.dq)
	mv $$@.aside $$@

$(foreach seed,$(SEEDS),$(patsubst %,$(OUT)/$(seed)/%.eval,$(filter $(1)/%,$(SYSTEMS) $(OPTIONAL)))): $(OUT)/%.eval:
	mkdir -p $$(@D)
	dq-eval --rollout --env $($(1)) --model $$(if $$(filter random,$$(*F)),random,$(OUT)/$$*.dq) --episodes $(TRIALS) \
	    --seed $$(firstword $$(subst /, ,$$*)) --format json | jq -rf $(HERE)/session/rollout.jq > $$@
endef
$(foreach world,$(WORLDS) $(WIDE) $(TERMS),$(eval $(call live,$(world))))

$(foreach seed,$(SEEDS),$(LEARNT:%=$(OUT)/$(seed)/%.eval)): $(OUT)/%.eval: $(OUT)/%.jsonl

# ---- the tables ----

# Under the names that summary.awk takes from files: SEED/WORLD-SYSTEM.eval.
named = $(foreach seed,$(SEEDS),$(foreach system,$(1),$(OUT)/$(seed)/$(subst /,-,$(system)).eval))

define name
$(OUT)/$(1)/$(subst /,-,$(2)).eval: $(OUT)/$(1)/$(2).eval
	ln -f $$< $$@
endef
$(foreach seed,$(SEEDS),$(foreach system,$(SYSTEMS) $(OPTIONAL),$(eval $(call name,$(seed),$(system)))))

$(OUT)/table.tsv: $(call named,$(SYSTEMS))
	awk -v measures="return ctr repeats" -f $(HERE)/summary.awk $^ > $@

$(OUT)/terms.tsv: $(call named,$(OPTIONAL))
	awk -v measures="return ctr repeats" -f $(HERE)/summary.awk $^ > $@

# ---- the pictures ----

define picture
$(OUT)/$(1).png: $(foreach seed,$(SEEDS),$(patsubst %,$(OUT)/$(seed)/%.jsonl,$(filter $(1)/%,$(LEARNT))))
	$(PLOT) $$@ --curves --metric return --metric clicks --smooth 50 \
	    $$(foreach log,$$^,$$(basename $$(notdir $$(log)))=$$(log))
endef
$(foreach world,$(WORLDS) $(WIDE),$(eval $(call picture,$(world))))

.PHONY: all
