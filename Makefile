# `make help` lists what there is to make. Every target does its own set-up.

INTEROP := tests/interop
SERVERS := target/servers
LIBRARY := target/release/libsocketio.a

.DEFAULT_GOAL := help
.PHONY: help demo test test-long fuzz lint test-rust models asan valgrind tsan miri test-python test-node test-bindings \
  test-interop bench bench-close servers header install setup clean FORCE

help: ## Say what there is to make.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

demo: setup servers ## Let C, Python, Node and a browser chat through a C server; stay up with its page on a terminal.
	@node demo/run.mjs $(SERVERS)

test: lint test-rust models asan valgrind test-python test-node test-bindings test-interop ## Run everything, in minutes.
	@scripts/setup browser
	@node demo/run.mjs $(SERVERS) --once --browser
	@for server in python node; do node demo/run.mjs $(SERVERS) --server $$server || exit 1; done

test-long: test tsan miri ## Run everything, the suites ten times over, 100,000 simulations, the fuzzer ten minutes per target.
	for round in 1 2 3 4 5 6 7 8 9 10; do scripts/interop $(SERVERS) || exit 1; done
	SEEDS=100000 cargo test --package socketio-tests --test fault_simulation -- --nocapture whatever_goes_wrong
	CARGO_PROFILE_DEV_OPT_LEVEL=2 MODEL_SCHEDULES=100000 scripts/models
	scripts/fuzz 600

lint: setup ## Check the form of the code.
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

test-rust: setup ## Run the Rust tests, those of the C programs among them.
	cargo test --workspace

models: setup ## Run what threads share under a model checker, which decides in what order they go on.
	scripts/models

asan: setup ## Run the C programs under AddressSanitizer, with its check for leaks: scripts/sanitize asan PROGRAM.. runs some.
	scripts/sanitize asan

valgrind: setup ## Run the C programs under valgrind.
	scripts/sanitize valgrind

tsan: setup ## Run the C programs under ThreadSanitizer; wants a nightly toolchain.
	scripts/sanitize tsan

miri: setup ## Run the unit tests of the boundary under Miri; wants a nightly toolchain.
	scripts/sanitize miri

test-node: setup ## Run the tests of the Node package, beside the official packages.
	node bindings/node/build.mjs
	cd bindings/node && cmp -s package-lock.json node_modules/.installed || { npm ci --ignore-scripts --no-fund --no-audit \
	  --loglevel=error && cp package-lock.json node_modules/.installed; }
	cd bindings/node && npm test

test-python: setup ## Test the Python package in an environment of its own, bindings/python/.venv.
	bindings/python/build
	cd bindings/python && .venv/bin/pytest --quiet

test-interop: setup servers ## Run official clients and servers against ours and against each other.
	scripts/interop $(SERVERS)

fuzz: setup ## Look for inputs that break something, 600 s for each target: make fuzz ARGS='60 c_api'.
	scripts/fuzz $(ARGS)

bench: servers ## Measure our servers beside others: make bench ARGS='--bindings python,node --scenarios echo,echo-16'.
	scripts/bench $(SERVERS) $(ARGS)

bench-close: servers ## Measure how long a server takes to close with 10,000 clients.
	for transport in websocket polling; do \
	  for round in 1 2 3; do $(SERVERS)/close-c 10000 $$transport || exit 1; done; done

servers: $(LIBRARY) ## Build the programs that tests, demo and benchmarks run, into target/servers.
	node bindings/node/build.mjs
	bindings/python/build
	tests/servers/build $(SERVERS) $(LIBRARY)
	cargo build --release --package socketio-tests --bin engine-echo
	install target/release/engine-echo $(SERVERS)

test-bindings: setup servers ## See that both bindings leave nothing behind, end in full traffic, and are undisturbed.
	scripts/bindings leaks
	scripts/bindings exits
	scripts/bindings interpose
	scripts/bindings asan

header: ## Generate the headers anew.
	UPDATE_HEADER=1 cargo test --package socketio-tests --test header

install: $(LIBRARY) ## Put headers, libraries and the pkg-config file in place: make install PREFIX=/usr/local DESTDIR=.
	ffi/install.sh $(or $(PREFIX),/usr/local) "$(DESTDIR)"

setup: ## Install what is missing of the tools and packages that demo and tests need.
	scripts/setup

clean: ## Remove what was built and installed here.
	cargo clean
	rm -rf $(INTEROP)/node_modules $(INTEROP)/.venv bindings/python/.venv bindings/node/node_modules bindings/node/socketio.node
	rm -rf $(addprefix tests/fuzz/,artifacts target work)

# Cargo knows best whether it is up to date.
$(LIBRARY): FORCE
	cargo build --release --package socketio-ffi
