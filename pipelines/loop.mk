# SPDX-License-Identifier: MIT
# The loop closed (docs/production.md): simulated users ask a server, whose log judges and trains the model that is promoted.
#
#     make -f pipelines/loop.mk [BUILD=build] [QUICK=1]
#
# A poor model serves users of system B's world, one item a request, half of them at random. After each round dq-train goes on
# from the log, and what it makes takes the old one's place where the lower bound of its estimate, by users whom it has not
# learnt from, is above the old one's mean. What is promoted is held against what then came; in the end the poor and the last
# model share the users, and an always-valid test tells them apart. Ends with tables and a picture of click-through.

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

OUT      := $(BUILD)/loop$(if $(QUICK),-quick)
WORLD    := session:users=200$(comma)items=20
SESSIONS := $(if $(QUICK),400,600)
ROUNDS   := $(if $(QUICK),3,10)

export ACCEPT = dq-eval --ope snips --epsilon 0.5 --map CLICK=1,IGNORE=0 --require-better \
    --target model:$$DQ_CANDIDATE --target model:$$DQ_STANDING --catalogue catalogue.dq $$DQ_HELD

all: $(OUT)/rounds.svg $(OUT)/checked
	@$(SHOW) $(OUT)/rounds.tsv; $(SHOW) $(OUT)/forecast.tsv; cat $(OUT)/ab.txt

$(OUT)/rounds.tsv: $(HERE)/loop/rounds.sh
	mkdir -p $(OUT)
	cd $(OUT) && bash $(abspath $(HERE))/loop/rounds.sh $(WORLD) $(SESSIONS) $(ROUNDS)

$(OUT)/rounds.svg: $(OUT)/rounds.tsv
	awk -F'\t' -v OFS='\t' '{ print $$1, $$6, NR == 1 ? "low" : $$6 - 1.96 * $$7, NR == 1 ? "high" : $$6 + 1.96 * $$7 }' $< | \
	    $(PLOT) $@ --draw 'lines:x=round,y=ctr,lower=low,upper=high,ymin=0,ymax=1,ylabel=click-through rate,title=Clicks of each round\, and the 95 % interval' -

# Nothing here depends on luck: a promoted model's click-through is within five standard errors of its estimate, the last
# round's above that of the poor model by as much, and the test tells the two apart (of few users: the difference is there).
$(OUT)/checked: $(OUT)/rounds.tsv
	awk -F'\t' 'NR > 1 { n++; se = ($$4 - $$3) / 3.92; d = $$5 - $$2; if (d * d > 25 * (se * se + $$6 * $$6)) { print "forecast", $$0; exit 1 } } END { exit !n }' $(OUT)/forecast.tsv
	awk -F'\t' '$$1 == 1 { poor = $$6; se = $$7 } { last = $$6; last_se = $$7 } END { exit !(last - poor > 5 * sqrt(se * se + last_se * last_se)) }' $(OUT)/rounds.tsv
	$(if $(QUICK),awk 'NR == 2 { exit !($$8 > 0.1) }',grep -q differs) $(OUT)/ab.txt
	touch $@

.PHONY: all
