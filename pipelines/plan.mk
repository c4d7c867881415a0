# SPDX-License-Identifier: MIT
# Does planning help when labels are few? A tenth of the O*NET applicants' labels, measured; no outcome is promised.
#
#     make -f pipelines/plan.mk DATA=FOLDER [BUILD=build] [SEEDS="1 2 3"] [QUICK=1]
#
#     few        an agent from the labels of one training applicant in ten
#     few-more   the same agent, trained on those labels once more: the control, as many updates again
#     planned    the same agent, trained on transitions that its own world model dreamt: users it has no label of, jobs
#                drawn at random (dq-plan)
#     all        an agent from all labels: what the other nine tenths were worth

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

DATA  ?= ../shared/data/onet-jobs
OUT   := $(BUILD)/plan$(if $(QUICK),-quick)
SEEDS ?= $(if $(QUICK),1,1 2 3)
FEWER := 10

SYSTEMS := cosine-best few few-more planned all
