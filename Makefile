# Every command people use. `make help` lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
RUN := PYTHONPATH=dev $(VENV)/bin/python
PYTEST := $(VENV)/bin/pytest
PRECOMMIT := $(VENV)/bin/pre-commit run --all-files --color never
DROPS := tests/e2e/test_nothing_is_dropped.py
E2E := --cluster-name grpc-operator-e2e --kind-bin dev/bin/kind \
	--kind-kubectl-bin $(VENV)/bin/kubectl
BENCH := PYTHONPATH=dev:operator:services/kit:services/kit/tests:services/user:services/user/gen:services/product:services/product/gen:services/order:services/order/gen:. $(VENV)/bin/python
# These tests wait more than they compute. A file, with its fixtures, stays in one process, and each
# process has a cluster of its own.
PARALLEL := --numprocesses 2 --dist loadfile
# Parts of `make test`: those in the first line run two at a time, the others one after the other.
QUICK := coverage services lint clients rest tutorial
CLUSTERS := integration e2e
STAMP := $(VENV)/.up-to-date

$(STAMP): pyproject.toml tools/localkind/pyproject.toml uv.lock dev/bin/bootstrap dev/bin/uv-requirements.txt $(wildcard operator/proxy_module/*)
	@dev/bin/bootstrap
	@PYTHONPATH=operator $(VENV)/bin/python -m proxy_module.build
	@touch $@

##@ Try it

.PHONY: demo
demo: $(STAMP) ## Cluster if none, images, helm install, an example service, calls shown
	@$(RUN) -m demo

.PHONY: down
down: $(STAMP) ## Delete the demo cluster
	@$(RUN) -m demo --delete

##@ Develop

.PHONY: init
init: $(STAMP) ## Make .venv with every locked dependency, the proxies' library, and install the git hooks
	@$(VENV)/bin/pre-commit install >/dev/null 2>&1 || echo "No git hooks: not a git checkout"

.PHONY: check
check: lint unit ## The quick loop, no cluster: lint, types, unit, golden and helm tests

.PHONY: lint
lint: $(STAMP) ## Every check of .pre-commit-config.yaml on every file of the repository
	@git rev-parse --is-inside-work-tree >/dev/null 2>&1 || { echo \
		"make lint needs a git checkout: git lists the files to check" >&2; exit 1; }
	@$(PRECOMMIT)

.PHONY: typing
typing: $(STAMP) ## Of these checks only mypy
	@$(PRECOMMIT) mypy

.PHONY: unit
unit: $(STAMP) ## Unit, golden, helm, Tiltfile, docs and localkind tests
	@$(VENV)/bin/localkind tools helm >/dev/null
	@$(PYTEST) -q -m "not cluster and not envoy and not clients and not tutorial and not conformance" tests tools

.PHONY: tutorial
tutorial: $(STAMP) ## Follow docs/write-a-service.md: every file, every command, what it prints
	@$(PYTEST) -q -m tutorial tests

.PHONY: coverage
coverage: $(STAMP) ## How much of the operator the unit and golden tests run; fails below the floor
	@$(VENV)/bin/coverage erase
	@$(VENV)/bin/coverage run -m pytest -q --timeout 300 $(PARALLEL) -m "not cluster and not envoy" tests/unit tests/golden
	@$(VENV)/bin/coverage combine -q
	@$(VENV)/bin/coverage report

.PHONY: rest
rest: $(STAMP) ## What `make unit` runs and `make coverage` does not
	@$(VENV)/bin/localkind tools helm >/dev/null
	@$(PYTEST) -q -m "not cluster and not envoy and not clients and not tutorial and not conformance" tests tools \
		--ignore tests/unit --ignore tests/golden

.PHONY: services
services: $(STAMP) ## Tests of the service kit and the services, with real databases and processes
	@$(PYTEST) -q $(PARALLEL) services

.PHONY: clients
clients: $(STAMP) ## Build the example clients and servers, and run them
	@$(PYTEST) -q -m clients tests/clients

.PHONY: conformance
conformance: $(STAMP) ## Suites of gRPC's peers: directly, through a plain Envoy and through the gateway
	@$(BENCH) -m tests.conformance

.PHONY: golden
golden: $(STAMP) ## Rewrite the golden files; read the diff before you commit it
	@$(PYTEST) -q tests/golden tests/helm --update-golden

.PHONY: gen
gen: $(STAMP) ## Rewrite every generated file: CRDs, chart, stubs, locks, reference docs
	@$(RUN) -m generate

.PHONY: gen-check
gen-check: $(STAMP) ## Fail when a generated file is stale
	@$(RUN) -m generate --check

##@ Test on a cluster

.PHONY: integration
integration: $(STAMP) ## Real Envoys, and the operator as a process against a real API server
	@$(PYTEST) $(PARALLEL) -m "envoy or conformance" tests
	@$(PYTEST) $(PARALLEL) --no-loadscope-reorder -m cluster tests/integration # few, long tests not last
	@$(PYTEST) -m cluster tools/localkind/tests # compare the machine before and after a cluster

.PHONY: e2e
e2e: $(STAMP) ## The chart and its pods on a real node, through pytest-kind
	@$(RUN) -m images
	@$(PYTEST) $(PARALLEL) -m cluster tests/e2e $(E2E)

.PHONY: drops
drops: $(STAMP) ## Of these tests only: 100,000 calls while everything changes (15 minutes)
	@$(RUN) -m images
	@$(PYTEST) -m cluster $(DROPS) $(E2E)

.PHONY: soak
soak: $(STAMP) ## Faults at random under calls; ARGS="SOAK_SECONDS=1800 SOAK_SEED=7" for longer or others
	@env $(ARGS) $(PYTEST) -m cluster -s tests/integration/test_soak.py

.PHONY: test
test: $(STAMP) ## Everything
	@echo "make $(QUICK): each prints its results when it has ended"
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target $(QUICK)
	@$(MAKE) --no-print-directory $(CLUSTERS)

##@ Measure

.PHONY: bench
bench: $(STAMP) ## CPU per request, route changes and memory, side by side with what there is else
	@$(BENCH) -m bench $(ARGS)

.PHONY: bench-report
bench-report: $(STAMP) ## Write the table of the last run of make bench into bench/README.md
	@$(BENCH) -m bench.report $(ARGS)

##@ Release

.PHONY: release
release: $(STAMP) ## Write what the commit of a release has: make release VERSION=0.2.0
	@$(RUN) -m release prepare "$(VERSION)"
	@$(MAKE) --no-print-directory gen
	@$(PYTEST) -q tests/helm --update-golden

.PHONY: package
package: $(STAMP) ## Chart, kit, grpcop and release notes into dist/; with TAG=vX.Y.Z it must be the version
	@$(RUN) -m release package $(TAG)

##@ Other

.PHONY: tools
tools: $(STAMP) ## Print the PATH that has kind, kubectl and helm: eval "$(make -s tools)"
	@ln -sf "$$($(VENV)/bin/localkind tools helm)" $(VENV)/bin/helm
	@echo 'export PATH="$(CURDIR)/dev/bin:$(CURDIR)/$(VENV)/bin:$$PATH"'

.PHONY: images
images: $(STAMP) ## Build every image of the repository
	@$(RUN) -m images

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*##"} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z0-9-]+:.*##/ {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
