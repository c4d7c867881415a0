# SPDX-License-Identifier: MIT
# What planning buys: Sutton and Barto's Dyna maze (Reinforcement Learning, 2018, example 8.1 and figure 8.2).
#
#     make -f pipelines/maze.mk [BUILD=build] [THREADS=2] [QUICK=1]
#
# Tabular Dyna-Q with 0, 5 and 50 planning steps a step, 30 runs each; the runs of one seed start alike. Ends with a table
# and the book's figure: steps per episode, mean over the runs. An agent is near-optimal from the first episode in
# which its runs take at most 22 steps on average: the shortest way has 14, and one step in ten is random. The book
# has about 25, 5 and 3 episodes; a look-up in a small table is all there is to it, so the short form does the same.

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

OUT      := $(BUILD)/maze$(if $(QUICK),-quick)
SEEDS    ?= $(shell seq 30)
PLANNING := 0 5 50
NO_RESULT := # the short form is the whole one
LOGS     := $(foreach n,$(PLANNING),$(SEEDS:%=$(OUT)/%/$(n).jsonl))

# What is expected: planning steps, column, least, most.
EXPECTED := 0 near-optimal 20 30; 5 near-optimal 4 7; 50 near-optimal 2 4; \
    0 last-ten 15 22; 5 last-ten 15 20; 50 last-ten 15 20

MAKEFLAGS += -j$(THREADS)
export DQ_THREADS := 1
.SILENT:
.SECONDARY:

all: $(OUT)/table.tsv $(OUT)/maze.png
	echo
	echo "Episodes to near-optimal with 0, 5 and 50 planning steps (the book: about 25, 5 and 3); steps of episodes:"
	echo
	$(SHOW) $<
	echo
	echo "the figure: $(OUT)/maze.png"
	awk -v expected="$(EXPECTED)" -f $(HERE)/expect.awk $<

$(LOGS): $(OUT)/%.jsonl:
	mkdir -p $(@D)
	dq-train --quiet --preset maze --planning $(*F) --seed $(*D) --log $@.aside -o /dev/null
	mv $@.aside $@

$(OUT)/curves.tsv: $(LOGS)
	dq-eval --curves --metric steps --format tsv -o $@ $(foreach n,$(PLANNING),$(SEEDS:%=$(n)=$(OUT)/%/$(n).jsonl))

$(OUT)/table.tsv: $(OUT)/curves.tsv
	awk -f $(HERE)/maze/table.awk $< > $@

$(OUT)/maze.png: $(OUT)/curves.tsv
	sed '1s/^group/planning steps/' $< | $(PLOT) $@ --draw "lines:x=episode,y=mean,runs=runs,series=planning steps,log=y,ymark=14=14: the shortest way,\
	title=Steps of an episode by planning steps,ylabel=steps" -

.PHONY: all
