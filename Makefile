# The lab write-up "CNNs on MNIST": experiments -> records -> analysis -> report.
# `make help` lists the targets. Nothing here compares times: what is fresh is decided by
# fingerprints of configuration, code, records and templates.

PY := .venv/bin/python
LOCK = .venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
       --custom-compile-command "make lock"
# The tests of a file stay in one process: they share what they build.
PARALLEL = -n auto --dist loadfile --no-loadscope-reorder
profile = $(if $(PROFILE),--profile $(PROFILE)) $(if $(DATASET),--dataset $(DATASET))

.DEFAULT_GOAL := all
.PHONY: all experiment report readme watch status verify accept summary models schema bench test test-fast soak lint \
        setup setup-dev lock audit clean help

all: setup ## train what is missing or stale, then build the report (the default): [PROFILE= DATASET= MINUTES= ENGINE=ray RAY_ADDRESS=]
	@$(PY) -m experiments train $(profile) $(if $(MINUTES),--minutes "$(MINUTES)") $(if $(ENGINE),--engine "$(ENGINE)")
	@$(PY) -m report $(profile)

experiment: setup ## train one network, then refresh the report: MODEL=SEResNet34 [SEED= EPOCHS= LR= RESIDUAL= GR= RATIO= VARIANT= NO_BN=1 RECIPE=strong PROFILE= DATASET=]
	@$(PY) main.py --test --model "$(MODEL)" $(profile) \
	  $(if $(SEED),--seed "$(SEED)") $(if $(EPOCHS),--epochs "$(EPOCHS)") $(if $(LR),--lr "$(LR)") \
	  $(if $(RESIDUAL),--residual "$(RESIDUAL)") $(if $(GR),--gr "$(GR)") \
	  $(if $(RATIO),--ratio "$(RATIO)") $(if $(VARIANT),--variant "$(VARIANT)") \
	  $(if $(NO_BN),--no-bn) $(if $(RECIPE),--recipe "$(RECIPE)")

report: setup ## build the report from records, without training: [PROFILE= DATASET= RESULTS=folder OUT=folder]
	@$(PY) -m report $(profile) $(if $(RESULTS),--results "$(RESULTS)") $(if $(OUT),--out "$(OUT)")

readme: PROFILE ?= standard
readme: setup ## put a study's results and two figures into README.md and README.zh.md: [PROFILE=standard DATASET=]
	@$(PY) -m report readme $(profile)

watch: setup ## serve the report on localhost and refresh it as templates are saved: [PROFILE= DATASET=]
	@$(PY) -m report watch $(profile)

status: setup ## say which runs are missing or stale, and how long they should take: [PROFILE= DATASET=]
	@$(PY) -m experiments status $(profile)

verify: setup ## check a record, then train its run again and compare: RUN=LeNet.s0, or RUN=all without training [PROFILE= DATASET= RESULTS=folder]
	@$(PY) -m experiments.verification "$(RUN)" $(profile) $(if $(RESULTS),--results "$(RESULTS)")

accept: setup ## show that changed training code gives the same results, and renew its lock
	@$(PY) -m experiments.versions accept

summary: setup ## print a network's layers with shapes, parameters and MACs: MODEL=LeNet [GR= RATIO= RESIDUAL= VARIANT=]
	@$(PY) -m models "$(MODEL)" $(if $(GR),--gr "$(GR)") $(if $(RATIO),--ratio "$(RATIO)") \
	  $(if $(RESIDUAL),--residual "$(RESIDUAL)") $(if $(VARIANT),--variant "$(VARIANT)")

models: setup ## print parameters and MACs of every network
	@$(PY) -m models

schema: setup ## print the JSON schema of a record
	@$(PY) -m experiments schema

bench: setup ## training throughput beside the original's way: [ARGS="--networks LeNet --size 64 …"]
	@$(PY) -m experiments.benchmark $(ARGS)

test: setup-dev ## every test: units, a smoke run of the whole pipeline on MNIST, browser, PDF
	@$(PY) -m pytest $(PARALLEL) -m "not pipeline and not soak"
	@$(PY) -m pytest -m "pipeline and not soak"

test-fast: setup-dev ## the tests that need no training and no browser, on all cores
	@$(PY) -m pytest $(PARALLEL) -m "not pipeline and not browser and not soak"

soak: setup-dev ## kills, full disks and the like, a hundred times over (half an hour)
	@$(PY) -m pytest -m soak -s

lint: setup-dev ## style, types, and results typed into templates
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(PY) -m report lint

setup: ## virtual environment, packages and system libraries (all other targets do it themselves)
	@./setup.sh

setup-dev: ## the same, with what the tests need
	@./setup.sh dev

lock: setup-dev ## pin the versions of pyproject.toml's ranges anew, with the hashes of their files
	@$(LOCK) --extra report -o requirements.lock pyproject.toml
	@$(LOCK) --extra report --extra ray --extra dev -o requirements-dev.lock pyproject.toml

audit: setup-dev ## ask the package index about vulnerable and withdrawn releases among the locked
	@$(PY) -m tests.audit

clean: ## remove built reports and checkpoints; records, data and the environment stay
	@rm -rf report/out experiments/checkpoints

help: ## this list
	@echo "make: trains what is missing or stale, then builds the report (the same as make all)"
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | \
	  awk -F '\t' '{printf "  make %-11s %s\n", $$1, $$2}'
