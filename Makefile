# Parley's doors. Nothing but Python 3.11 or newer and make need be there: the rest is fetched into .venv and .tools.

UV_VERSION := 0.13.9
TOOLS := .tools
UV := $(TOOLS)/uv-$(UV_VERSION)/bin/uv
SAM := $(TOOLS)/sam/bin/sam
PY := .venv/bin/python
# On all cores; what shares one deployment, or one browser, stays together.
PYTEST := $(PY) -m pytest -n auto --dist loadgroup

# What a deployment runs on; `make run` builds for this machine instead (BUILD_FOR).
RUNTIME ?= python3.13
ARCHITECTURE ?= arm64
PLATFORM_arm64 := aarch64-manylinux_2_28
PLATFORM_x86_64 := x86_64-manylinux_2_28
COMPILE_WITH ?= $(RUNTIME)
TARGET ?= $(RUNTIME)-$(ARCHITECTURE)
BUILD_FOR ?= --python-version $(RUNTIME:python%=%) --python-platform $(PLATFORM_$(ARCHITECTURE))
# botocore describes 400 services; these are the ones that the Lambdas call.
AWS_SERVICES := dynamodb kms s3 scheduler sqs ssm sts

# Pillow brings AVIF and fonts along, CEL its extensions, each with all of CEL in it.
UNUSED := cel_expr_python/ext PIL/_avif* PIL/_imagingft* PIL/_imagingtk* pillow.libs/libavif* pillow.libs/libfreetype* pillow.libs/libharfbuzz* pillow.libs/libbrotli*

export UV_PYTHON_DOWNLOADS := never
export SAM_CLI_TELEMETRY := 0
# Without bytecode every process would compile all that it imports.
unexport VIRTUAL_ENV PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test test-quick check bench load openapi build deploy redrive register clean environment

help: ## List these targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

run: environment ## Run Parley on this machine and print the address of its chat (PORT=8000, TELEGRAM_TOKEN=...).
	@$(PY) -m infra.local

test: environment ## Run every test, the embedded deployment's too.
	$(PYTEST)

test-quick: environment ## Run the quick tests: no deployment, build or browser.
	$(PYTEST) -m "not deployed and not slow"

check: environment ## What CI runs: format, lint, types, import contracts, template, tests.
	.venv/bin/ruff format --check
	.venv/bin/ruff check
	.venv/bin/mypy
	.venv/bin/lint-imports
	AWS_DEFAULT_REGION=$${AWS_DEFAULT_REGION:-us-east-1} $(SAM) validate --lint
	$(PYTEST)

bench: environment ## Measure CPU per turn and cold starts.
	$(PY) -m tests.benchmarks

load: environment ## Let people loose in the web chat, and tell what limits (PEOPLE=40 SECONDS=60).
	$(PY) -m tests.load --seconds $(or $(SECONDS),60) $(if $(PEOPLE),--people $(PEOPLE))

openapi: environment ## Write the OpenAPI document of the API, and the table of its routes in the README, anew.
	$(PY) -m infra.openapi

build: environment ## Build the Lambdas' artifact for AWS (RUNTIME=python3.13 ARCHITECTURE=arm64).
	$(SAM) build --parameter-overrides PythonRuntime=$(RUNTIME) Architecture=$(ARCHITECTURE)

deploy: build ## Build and deploy to the AWS account that the shell is logged in to.
	$(SAM) deploy --guided

register: environment ## Tell the messengers every bot's webhook anew, after the API's address has changed (STACK=parley).
	$(PY) -m infra.register --stack $(or $(STACK),parley)

redrive: environment ## Send dead letters back, and tell why they lay there (QUEUE=outbound STACK=parley).
	@$(PY) -m infra.redrive $(QUEUE) --stack $(or $(STACK),parley)

clean: ## Forget the embedded run's state and every build; .venv and .tools stay.
	@test ! -x $(PY) || $(PY) -m infra.local.forget
	rm -rf .local .aws-sam .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

# ── The environment ─────────────────────────────────────────────────────────────────────────────────

environment: .venv/.synced $(SAM)

# The first Python of 3.11 or newer that works; PYTHON=... names another.
define FIND_PYTHON
python=; for candidate in $(PYTHON) python3 python3.13 python3.12 python3.11 python3.14 python; do \
	if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python="$$candidate"; break; fi; \
done; \
if test -z "$$python"; then \
	echo "Parley needs Python 3.11 or newer, and none is on PATH; install one, or say PYTHON=/path/to/python make run." >&2; exit 1; \
fi
endef

$(UV):
	@$(FIND_PYTHON); echo "==> uv $(UV_VERSION), with $$python"; \
	if ! "$$python" -m venv $(TOOLS)/uv-$(UV_VERSION) > $(TOOLS)-venv.log 2>&1; then \
		rm -rf $(TOOLS)/uv-$(UV_VERSION); \
		echo "$$python cannot make a virtual environment (on Debian and Ubuntu: apt install python3-venv):" >&2; \
		tail -3 $(TOOLS)-venv.log >&2; rm -f $(TOOLS)-venv.log; exit 1; \
	fi; rm -f $(TOOLS)-venv.log; \
	$(TOOLS)/uv-$(UV_VERSION)/bin/python -m pip install -qq --disable-pip-version-check uv==$(UV_VERSION) \
		|| { rm -rf $(TOOLS)/uv-$(UV_VERSION); echo "uv could not be installed: is PyPI reachable?" >&2; exit 1; }

.venv/.synced: pyproject.toml uv.lock | $(UV)
	@$(FIND_PYTHON); echo "==> Parley's environment (.venv)"; \
	$(UV) sync --frozen --quiet --python "$$(command -v $$python)"
	@touch $@

$(SAM): infra/sam/pyproject.toml infra/sam/uv.lock | $(UV)
	@$(FIND_PYTHON); echo "==> the SAM CLI (.tools/sam)"; \
	UV_PROJECT_ENVIRONMENT=$(CURDIR)/$(TOOLS)/sam $(UV) sync --frozen --quiet --project infra/sam --python "$$(command -v $$python)"
	@touch $@

# ── The artifact ────────────────────────────────────────────────────────────────────────────────────
# `sam build` calls build-<logical id> for each Lambda. The artifact is made once and copied, so that all
# get the same bytes and one zip is uploaded. It is made anew when its name, a digest of its sources, is new.

ARTIFACT = .aws-sam/artifacts/$(TARGET)-$(shell { echo '$(BUILD_FOR) $(COMPILE_WITH)'; \
	find functions shared uv.lock Makefile -type f ! -path '*/__pycache__/*' | LC_ALL=C sort | xargs sha256sum; } | sha256sum | cut -c1-16)

build-%: | $(UV)
	@test -n "$(ARTIFACTS_DIR)" || { echo "build-$* is for 'sam build'; say make build." >&2; exit 1; }
	@test -d "$(ARTIFACT)" || $(MAKE) --no-print-directory artifact ARTIFACT="$(ARTIFACT)"
	cp -R "$(ARTIFACT)/." "$(ARTIFACTS_DIR)"

.PHONY: artifact
artifact: | $(UV)
	rm -rf .aws-sam/artifacts/$(TARGET)-* && mkdir -p "$(ARTIFACT).making"
	$(UV) export --frozen --quiet --no-default-groups --no-emit-project \
		| $(UV) pip install --quiet --target "$(ARTIFACT).making" $(BUILD_FOR) --only-binary :all: --no-deps -r -
	cp -R functions shared "$(ARTIFACT).making"
	cd "$(ARTIFACT).making" && rm -rf bin bazel-project .lock $(UNUSED) \
		&& find . -type d \( -name __pycache__ -o -name tests \) -prune -exec rm -rf {} + \
		&& find botocore/data -mindepth 1 -maxdepth 1 -type d $(foreach service,$(AWS_SERVICES),! -name $(service)) -exec rm -rf {} +
	@$(COMPILE)
	mv "$(ARTIFACT).making" "$(ARTIFACT)"

# A Lambda cannot keep what it compiles, so without bytecode it compiles everything in each cold start.
# Only the runtime's own Python can make it; the hash seed makes it the same on every machine.
define COMPILE
if "$(COMPILE_WITH)" -c 'import sys; sys.exit("python%d.%d" % sys.version_info[:2] != "$(RUNTIME)")' 2>/dev/null; then \
	PYTHONHASHSEED=0 "$(COMPILE_WITH)" -m compileall -q -j 0 --invalidation-mode unchecked-hash -s "$(ARTIFACT).making" "$(ARTIFACT).making"; \
else \
	echo "No $(COMPILE_WITH) on PATH: the artifact goes without bytecode, and cold starts take about a second longer." >&2; \
fi
endef
