# SPDX-License-Identifier: MIT
# Deep Q-networks in environments of Gymnasium, each a process of its own (docs/environments.md); `make bench` runs it where
# GYM_PYTHON is set. Gymnasium is not in Debian:
#
#     python3 -m venv gym && gym/bin/pip install gymnasium msgpack zstandard xxhash
#     make -f pipelines/gymnasium.mk GYM_PYTHON=gym/bin/python [BUILD=build] [SEEDS="1 2 3"] [THREADS=2] [QUICK=1]
#
# One setting for both: Double DQN with returns over 3 steps, 100000 steps of training, then the mean return of 100
# episodes without exploring, for each seed. The bar is 475 for CartPole-v1 (its own) and -100 for Acrobot-v1.

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

GYM_PYTHON ?= $(error GYM_PYTHON names a Python with gymnasium, msgpack, zstandard and xxhash)
OUT        := $(BUILD)/gymnasium$(if $(QUICK),-quick)
SEEDS      ?= $(if $(QUICK),1,1 2 3)
STEPS      := $(if $(QUICK),2000,100000)
EPISODES   := $(if $(QUICK),5,100)
ENVS       := CartPole-v1 Acrobot-v1
SETTING    := --agent dqn --double --n-step 3 --hidden 128,128 --lr 5e-4 --lr-schedule linear --target-every 500 --replay 100000

EXPECTED   := $(foreach s,$(SEEDS),CartPole-v1-$(s) return $(if $(QUICK),1,475) 500; Acrobot-v1-$(s) return $(if $(QUICK),-500,-100) 0;)

MAKEFLAGS += -j$(THREADS)
export DQ_THREADS := 1

# The environment is the folder, the seed the file.
ENV = --env-cmd '$(abspath $(dir $(GYM_PYTHON)))/$(notdir $(GYM_PYTHON)) $(HERE)/../examples/gymnasium_env.py $(notdir $(@D))'

all: $(OUT)/table.tsv
	@$(SHOW) $<
	@awk -v expected="$(EXPECTED)" -f $(HERE)/expect.awk $<

$(OUT)/table.tsv: $(foreach t,$(ENVS),$(SEEDS:%=$(OUT)/$(t)/%.judged))
	{ printf 'environment\treturn\tlow\thigh\tsd\n'; cat $^; } > $@

$(OUT)/%.judged: $(OUT)/%.dq
	dq-eval --rollout $(ENV) --episodes $(EPISODES) --model $< --format json | jq -r '["$(notdir $(@D))-$(basename $(@F))", .mean, .interval[0], .interval[1], .sd] | @tsv' > $@

$(OUT)/%.dq:
	@mkdir -p $(@D)
	dq-train --quiet $(ENV) $(SETTING) --total-steps $(STEPS) --seed $(basename $(@F)) --log $(@:.dq=.jsonl) -o $@

.PRECIOUS: $(OUT)/%.dq
