# The lab write-up "CNNs on MNIST": experiments -> records -> analysis -> results -> report.
# `make help` lists the targets. Nothing here compares times: what is fresh is decided by
# fingerprints of configuration, code, records and templates.

PY := .venv/bin/python
LOCK = .venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
       --custom-compile-command "make lock"
# The tests of a file stay in one process: they share what they build.
PARALLEL = -n auto --dist loadfile --no-loadscope-reorder
FAST = -n auto --dist worksteal -m "not pipeline and not browser and not soak"
# Only variables of the command line count, not those that a shell happens to export:
# $(call arg,SEED,seed) is --seed "1" for `make SEED=1`, and nothing without SEED=.
given = $(if $(findstring command line,$(origin $(1))),$($(1)))
arg = $(if $(call given,$(1)),--$(2) "$($(1))")
# make report RESULTS=folder: the results of other records lie under the name of their folder.
source = $(if $(call given,RESULTS),--source "analysis/out/$$(basename "$(RESULTS)")",$(profile))
profile = $(call arg,PROFILE,profile) $(call arg,DATASET,dataset)
unexport PYTHONPATH PYTHONHOME

.DEFAULT_GOAL := all
named := $(filter-out MAKEOVERRIDES -%,$(foreach v,$(.VARIABLES),$(if $(findstring command line,$(origin $(v))),$(v))))
ifneq ($(named),)
wrong := $(shell $(or $(call given,PYTHON),python3) experiments/support/make_variables.py "$(or $(MAKECMDGOALS),all)" $(named))
$(if $(wrong),$(error $(wrong)))
endif

.PHONY: all experiment predict probe runs figure report docx tex md handin readme watch names status verify accept summary models schema bench test test-fast ranges soak lint \
        setup setup-dev lock audit clean clean-all help

all: setup ## train what is missing or stale, then build the report (the default): [PROFILE= DATASET= MINUTES= SAVE=1 LOG=tensorboard ENGINE=ray RAY_ADDRESS=]
	@$(PY) -m experiments train $(profile) $(call arg,MINUTES,minutes) $(call arg,ENGINE,engine) \
	  $(if $(filter-out no,$(call given,SAVE)),--save) $(call arg,LOG,log)
	@$(PY) -m analysis $(profile)
	@$(PY) -m report $(profile)

experiment: setup ## train a network, keep its weights, refresh the report: MODEL=SEResNet34 [SEED= EPOCHS= LR= RESIDUAL= GR= RATIO=2,4,8 VARIANT= NO_BN=1 RECIPE=strong PROFILE= DATASET= SAVE=no LOG=tensorboard REPORT=no]
	@$(PY) main.py --test $(call arg,MODEL,model) $(profile) $(call arg,SEED,seed) \
	  $(call arg,EPOCHS,epochs) $(call arg,LR,lr) $(call arg,RESIDUAL,residual) $(call arg,GR,gr) \
	  $(call arg,RATIO,ratio) $(call arg,VARIANT,variant) $(if $(call given,NO_BN),--no-bn) \
	  $(call arg,RECIPE,recipe) $(if $(filter no,$(call given,SAVE)),,--save) \
	  $(call arg,LOG,log) $(call arg,REPORT,report)

predict: setup ## say which digit a photo shows, by a trained network: MODEL=ResNet18 IMAGE=my.png [PROFILE= DATASET=]
	@$(PY) -m experiments.prediction "$(call given,MODEL)" "$(call given,IMAGE)" $(profile)

probe: setup ## measure block gains and channel weights again, from kept weights, as JSON: RUN=SEResNet18.s0 [PROFILE= DATASET=]
	@$(PY) -m experiments.training.probes "$(call given,RUN)" $(profile)

runs: setup ## all runs and epochs as CSV and Parquet tables: [PROFILE= DATASET= RESULTS=folder]
	@$(PY) -m analysis.frames $(profile) $(call arg,RESULTS,results)

report: setup ## build the report from records, without training: [PROFILE= DATASET= RESULTS=folder OUT=folder]
	@$(PY) -m analysis $(profile) $(call arg,RESULTS,results)
	@$(PY) -m report $(source) $(call arg,OUT,out)

docx: setup ## the report as Word files, with pandoc: [LANG=zh|en PROFILE= DATASET=]
	@$(PY) -m analysis $(profile)
	@$(PY) -m report handin --format docx $(call arg,LANG,lang) $(profile)

tex: setup ## the report as LaTeX folders, with pandoc: [LANG=zh|en PROFILE= DATASET=]
	@$(PY) -m analysis $(profile)
	@$(PY) -m report handin --format tex $(call arg,LANG,lang) $(profile)

md: setup ## the report as Markdown, with pandoc: [LANG=zh|en PROFILE= DATASET=]
	@$(PY) -m analysis $(profile)
	@$(PY) -m report handin --format md $(call arg,LANG,lang) $(profile)

handin: setup ## the report in one of these formats: [FORMAT=docx|tex|md LANG=zh|en PROFILE= DATASET=]
	@$(PY) -m analysis $(profile)
	@$(PY) -m report handin $(call arg,FORMAT,format) $(call arg,LANG,lang) $(profile)

figure: setup ## draw one figure, as SVG, PDF and PNG: NAME=depth [PROFILE= DATASET= RESULTS=folder]
	@$(PY) -m analysis "$(call given,NAME)" $(profile) $(call arg,RESULTS,results)

readme: setup ## put a study's results and two figures into README.md and README.zh.md: [PROFILE=standard DATASET=]
	@$(PY) -m analysis $(or $(call arg,PROFILE,profile),--profile standard) $(call arg,DATASET,dataset)
	@$(PY) -m report readme $(or $(call arg,PROFILE,profile),--profile standard) $(call arg,DATASET,dataset)

watch: setup ## serve the report on localhost and refresh it as templates are saved: [PROFILE= DATASET= PORT=]
	@$(PY) -m analysis $(profile)
	@$(PY) -m report watch $(profile) $(call arg,PORT,port)

names: setup ## list what a template can refer to: figures, tables, findings, runs, works: [PROFILE= DATASET=]
	@$(PY) -m analysis $(profile)
	@$(PY) -m report names $(profile)

status: setup ## say which runs are missing or stale, and how long they should take: [PROFILE= DATASET=], for programs: [JSON=1]
	@$(PY) -m experiments status $(profile) $(if $(call given,JSON),--json)

verify: setup ## check a record, then train its run again and compare: RUN=LeNet.s0, or RUN=all without training [PROFILE= DATASET= RESULTS=folder]
	@$(PY) -m experiments.verification "$(call given,RUN)" $(profile) $(call arg,RESULTS,results)

accept: setup ## show that changed training code gives the same results, and renew its lock
	@$(PY) -m experiments.versions accept

summary: setup ## print a network's layers with shapes, parameters and MACs: MODEL=LeNet [GR= RATIO= RESIDUAL= VARIANT=]
	@$(PY) -m models "$(call given,MODEL)" $(call arg,GR,gr) $(call arg,RATIO,ratio) \
	  $(call arg,RESIDUAL,residual) $(call arg,VARIANT,variant)

models: setup ## print parameters and MACs of every network
	@$(PY) -m models

schema: setup ## print the JSON schema of a record
	@$(PY) -m experiments schema

bench: setup ## training throughput beside the original's way: [ARGS="--networks LeNet --size 64 …"]
	@$(PY) -m experiments.training.benchmark $(call given,ARGS)

test: setup-dev ## what CI runs: units, a smoke run of the whole pipeline on MNIST, browser, PDF (ten minutes on two cores)
	@$(PY) -m pytest $(PARALLEL)

test-fast: setup-dev ## the tests that need no training, no documents, no commands of their own and no browser: before every commit
	@$(PY) -m pytest $(FAST)

ranges: setup-dev ## test-fast with the lowest or newest versions of pyproject.toml, in an environment apart: [RESOLUTION=lowest-direct|highest]
	@.venv/bin/uv venv -q --clear --python .venv/bin/python .cache/ranges
	@.venv/bin/uv pip install -q --python .cache/ranges -r pyproject.toml --extra report --extra ray --extra dev \
	  --resolution $(or $(call given,RESOLUTION),lowest-direct)
	@.cache/ranges/bin/python -m pytest $(FAST)

soak: setup-dev ## the rest: kills, full disks and the like, a hundred times over (an hour)
	@$(PY) -m pytest -m soak -s

lint: setup-dev ## style, types, and results typed into templates
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(PY) -m report lint

setup: ## virtual environment, packages and system libraries; other targets do it too: [TORCH=cpu|cuda TORCH_INDEX=url PYTHON=path]
	@PYTHON="$(call given,PYTHON)" ./setup.sh run "$(call given,TORCH)"

setup-dev: ## the same, with what the tests need
	@PYTHON="$(call given,PYTHON)" ./setup.sh dev "$(call given,TORCH)"

lock: setup-dev ## pin the versions of pyproject.toml's ranges anew, with the hashes of their files
	@$(LOCK) --extra report -o requirements.lock pyproject.toml
	@$(LOCK) --extra report --extra ray --extra dev -o requirements-dev.lock pyproject.toml

audit: setup-dev ## ask the package index about vulnerable and withdrawn releases among the locked
	@$(PY) -m tests.audit

clean: ## remove results, reports and caches
	@rm -rf analysis/out report/out .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis

clean-all: clean ## also checkpoints of unfinished runs, downloaded data and .venv; records stay
	@for path in experiments/checkpoints data .venv; do \
	  if [ -e "$$path" ]; then echo "deleting $$path"; rm -rf "$$path"; fi; done

help: ## this list
	@echo "make: trains what is missing or stale, then builds the report (the same as make all)"
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | \
	  awk -F '\t' '{printf "  make %-11s %s\n", $$1, $$2}'
