# SPDX-License-Identifier: MIT
# A night with make: chunk by chunk, $(OUT)/lists at the end.
#
#     make -j 8 -k -f pipelines/nightly/nightly.mk CATALOGUE=catalogue.dq OUT=night
#
# After any end the same line goes on: chunks that are done are not begun again, nor are agents that are done in others. Settings
# are those of the command line, of the environment, or night.env's. With -k a chunk in which an agent failed does not stop the
# others; the lists are made when all chunks are done, or with a FALLBACK in any case, of the agents that are there.
NIGHT := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
include $(NIGHT)/../common.mk

settings := CATALOGUE OUT OPTIONS FALLBACK RANK CHUNK
$(foreach name,$(settings),$(eval $(name) ?= $(shell . $(abspath $(NIGHT))/night.env; echo "$$$(name)")))
export $(settings)
THREADS := 1
export THREADS
.SILENT:

all: $(OUT)/chunks.made
	$(MAKE) -f $(NIGHT)/nightly.mk $(OUT)/lists || { status=$$?; [ -z "$(FALLBACK)" ] || $(NIGHT)/finish; exit $$status; }

$(OUT)/chunks.made: $(CATALOGUE)
	$(NIGHT)/prepare
	touch $@

$(OUT)/done/%: $(OUT)/chunks/% $(CATALOGUE) | $(OUT)/done
	$(NIGHT)/chunk $<
	touch $@

$(OUT)/lists: $(patsubst $(OUT)/chunks/%,$(OUT)/done/%,$(wildcard $(OUT)/chunks/*))
	$(NIGHT)/finish

$(OUT)/done:
	mkdir -p $@
.PHONY: all
