# Longplay's commands. Each installs what it needs, once, into .venv/ and .local/: Python >= 3.11, make and git are enough.

UV_VERSION = 0.13.8
CDK_VERSION = 2.1148.1
NODE_CLIENTS = openai@6.49.0 @huggingface/inference@4.13.30

# A command found on the path may be a stub that starts nothing, so each candidate is tried.
PYTHON = $(firstword $(foreach candidate,python3.13 python3.12 python3.11 python3,$(shell \
	$(candidate) -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(candidate))))
NO_PYTHON = Longplay needs Python 3.11 or newer with its venv module (Debian: apt install python3-venv). None was found

REQUIREMENTS = requirements.txt lambdas/requirements.txt local/requirements.txt tests/requirements.txt
CLOUD_TOOLS = .venv/ready .local/cdk/ready .local/web/ready
LOCAL_TOOLS = $(CLOUD_TOOLS) .local/emulator/ready .local/runtime/ready
CDK = .local/cdk/node_modules/.bin/cdk --no-notices
BOOTSTRAPPED = .venv/bin/python -c 'import boto3; boto3.client("cloudformation").describe_stacks(StackName="CDKToolkit")' 2>/dev/null
UV = .venv/bin/uv --quiet
LOCK = $(UV) pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command 'make lock'
LEFT = .local/left.json
# Hugging Face publishes it on GitHub alone; this is version 0.5.6.
TOOLKIT ?= git+https://github.com/huggingface/huggingface-inference-toolkit@833b5a2efd70c4e2c6a275c5866a0b82f3fc3e93
ERASE = .venv/bin/python -m infra.operate --stage $(STAGE) erase-data $(LEFT)
STAGE ?= prod
OPERATE = .venv/bin/python -m $(if $(LOCAL),local.operate,infra.operate --stage $(STAGE))

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export CDK_DISABLE_CLI_TELEMETRY = true

.PHONY: help run test toolkit check openapi bench lock deploy diff key keys key-revoke token doctor usage pause resume destroy space space-remove
.DELETE_ON_ERROR:

help:
	@echo 'make run                      the whole of it on this machine; ONCE=1 stops after two files'
	@echo '                              HF_TOKEN=hf_… asks the real Hugging Face, MODEL_SERVER=http://… any server like it'
	@echo '                              PORT=8400 serves there, STAGE=dev rehearses the caps and deadlines of that stage'
	@echo '                              SPACE=1 asks the app of your own Space, run here on Gradio'"'"'s server'
	@echo 'make test, check, bench       the tests; format, lint, types and words; the benchmarks'
	@echo 'make toolkit                  the local run on Hugging Face'"'"'s inference toolkit, with PyTorch (2 GB); not in make test'
	@echo 'make openapi                  writes docs/openapi.json and docs/reference.md, the description of the API'
	@echo 'make lock                     writes each requirements.txt from its requirements.in'
	@echo 'make deploy                   the stack in your AWS account: creates or updates it'
	@echo '                              by longplay.toml (see longplay.example.toml); STAGE=dev is another one beside it'
	@echo 'make diff                     what a deployment would change; changes nothing'
	@echo 'make destroy                  removes it, and leaves its files and jobs; DATA=1 deletes them too'
	@echo 'make key OWNER=name           an API key for a caller of the deployed stack'
	@echo 'make keys                     lists the keys without their values; make key-revoke KEY=id deletes one'
	@echo 'make token PROVIDER=name      stores a provider token there (asked for, never shown)'
	@echo 'make space, space-remove      your own Space at Hugging Face with free GPU time, private; and removes it'
	@echo 'make doctor                   looks whether each model would work, and says what to do where not; costs nothing'
	@echo 'make usage                    what each owner spent by day and model, as CSV'
	@echo 'make pause MINUTES=n, resume  takes no new jobs for a while; those under way finish'
	@echo '                              (LOCAL=1 makes these six speak to the run that serves on this machine)'

run: $(LOCAL_TOOLS) $(if $(SPACE),.local/space/ready)
	@.venv/bin/python -m local.run

test: $(LOCAL_TOOLS) .local/space/ready .local/clients/ready .local/client/ready
	@cd client && ../.local/client/bin/python -m pytest -q
	.venv/bin/pytest -q -n 2 --dist loadfile --no-loadscope-reorder

toolkit: $(LOCAL_TOOLS) .local/toolkit/ready
	.venv/bin/pytest -q -rA tests/end_to_end/toolkit

check: .venv/ready .local/client/ready
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy lambdas infra local benchmarks spaces web tests app.py
	@cd client && ../.local/client/bin/mypy src tests
	.venv/bin/codespell
	.venv/bin/python -m tests.project.words
	.venv/bin/python -m tests.project.description

# docs/openapi.json; a change that breaks clients is written only with BREAKING=1, and belongs into CHANGELOG.md.
openapi: .venv/ready
	@.venv/bin/python -m tests.project.description --write $(if $(BREAKING),--breaking)

# Each requirements.in is written by hand; its requirements.txt adds what those packages need, with hashes.
lock: .venv/ready
	@$(LOCK) lambdas/requirements.in -o lambdas/requirements.txt
	@$(LOCK) requirements.in -c lambdas/requirements.txt -o requirements.txt
	@for name in requirements runtime-requirements emulator-requirements space-requirements clients-requirements client-requirements; do $(LOCK) local/$$name.in -o local/$$name.txt || exit 1; done

bench: $(LOCAL_TOOLS)
	.venv/bin/python -m benchmarks

deploy: $(CLOUD_TOOLS)
	@$(OPERATE) review $(ARGS)
	@$(BOOTSTRAPPED) || $(CDK) bootstrap
	@$(CDK) deploy -c stage=$(STAGE) --require-approval never $(ARGS)
	@echo 'Store a provider token with `make token PROVIDER=huggingface`, make a key with `make key OWNER=name`.'

# The settings that a deployment would change, then every resource; changes nothing.
diff: $(CLOUD_TOOLS)
	@$(OPERATE) review --show $(ARGS)
	@$(CDK) diff -c stage=$(STAGE) $(ARGS)

# What is left has names that only the stack knows, so they are written down before it goes.
destroy: $(CLOUD_TOOLS)
	@$(if $(DATA),$(OPERATE) outputs >$(LEFT).new && mv $(LEFT).new $(LEFT))
	@$(CDK) destroy -c stage=$(STAGE) $(ARGS)
	@$(if $(DATA),$(ERASE) $(if $(filter --force,$(ARGS)),--yes) || { echo 'To come back to it: $(ERASE)'; exit 1; })

# Values come from the environment, to which make exports them, so that no shell runs what stands in them.
key: .venv/ready
	@: $(if $(OWNER),,$(error say whose key it is: make key OWNER=name))
	@$(OPERATE) key "$$OWNER"

keys: .venv/ready
	@$(OPERATE) keys

key-revoke: .venv/ready
	@: $(if $(KEY),,$(error say which key: make key-revoke KEY=id, as `make keys` lists them))
	@$(OPERATE) key-revoke "$$KEY"

token: .venv/ready
	@: $(if $(PROVIDER),,$(error say whose token it is: make token PROVIDER=huggingface))
	@$(OPERATE) token "$$PROVIDER"

space: .venv/ready
	@.venv/bin/python -m infra.operator.space create

space-remove: .venv/ready
	@.venv/bin/python -m infra.operator.space remove

doctor: .venv/ready
	@$(OPERATE) doctor

# CSV: make usage >usage.csv
usage: .venv/ready
	@$(OPERATE) usage

pause: .venv/ready
	@$(OPERATE) pause $${MINUTES:+"$$MINUTES"}

resume: .venv/ready
	@$(OPERATE) resume

# The installations. A stamp is written last, so one that broke off is done again.

.venv/ready: $(REQUIREMENTS)
	$(if $(PYTHON),,$(error $(NO_PYTHON)))
	@echo 'Installing into .venv/ (once)'
	@$(PYTHON) -m venv .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(UV) pip install --python .venv/bin/python $(REQUIREMENTS:%=--requirement %)
	@touch $@

.local/cdk/ready: .venv/ready
	@echo 'Installing the AWS CDK command into .local/ (once)'
	@npm install --silent --no-audit --no-fund --no-package-lock --prefix .local/cdk aws-cdk@$(CDK_VERSION)
	@touch $@

# The libraries of the page; the stack copies the files that a browser loads.
.local/web/ready: web/package.json .venv/ready
	@echo 'Installing the libraries of the page into .local/ (once)'
	@mkdir -p .local/web && cp web/package.json .local/web/
	@npm install --silent --no-audit --no-fund --no-package-lock --prefix .local/web
	@touch $@

# Our own client, from a wheel, with what its tests need; it has the same name as the code of the functions.
.local/client/ready: local/client-requirements.txt client/pyproject.toml $(shell find client/src -name '*.py') | .venv/ready
	@echo 'Installing our own client into .local/ (once)'
	@$(UV) venv --allow-existing --python .venv/bin/python .local/client
	@$(UV) pip install --python .local/client/bin/python --requirement $<
	@rm -rf .local/client/wheel
	@$(UV) build --wheel --out-dir .local/client/wheel client
	@$(UV) pip install --python .local/client/bin/python --no-deps --reinstall .local/client/wheel/*.whl
	@touch $@

# The clients of other people that the faces are for: npm's beside PyPI's.
.local/clients/ready: local/clients-requirements.txt .venv/ready
	@echo 'Installing clients of Hugging Face and OpenAI into .local/ (once)'
	@$(UV) venv --allow-existing --python .venv/bin/python .local/clients
	@$(UV) pip install --python .local/clients/bin/python --requirement $<
	@npm install --silent --no-audit --no-fund --no-package-lock --prefix .local/clients $(NODE_CLIENTS)
	@touch $@

# pip, and not uv: where PyTorch for CPUs alone is set up, it is set up for pip.
.local/toolkit/ready: tests/end_to_end/toolkit/requirements.txt
	@echo 'Installing the inference toolkit into .local/ (once, some minutes)'
	@$(PYTHON) -m venv .local/toolkit
	@.local/toolkit/bin/pip install --quiet --requirement $<
	@.local/toolkit/bin/pip install --quiet --no-deps '$(TOOLKIT)'
	@touch $@

# MiniStack pins a botocore of its own; its functions see only what AWS Lambda would give them.
.local/emulator/ready .local/runtime/ready .local/space/ready: .local/%/ready: local/%-requirements.txt .venv/ready
	@echo 'Installing the $* into .local/ (once)'
	@$(UV) venv --allow-existing --python .venv/bin/python .local/$*
	@$(UV) pip install --python .local/$*/bin/python --requirement $<
	@touch $@
