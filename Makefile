# `make demo` shows the program at work, `make test` runs all tests; both work on a machine that has only Rust, make
# and a C compiler.

CANREACH := $(or $(CARGO_TARGET_DIR),target)/release/canreach

# Labs whose sentences hold, and broken variants of them: there canreach exits with 1 and says why.
HOLDING := nat-double-forward bridged
BROKEN := nat-no-forward no-publish nothing-open guest-loopback-publish app-on-loopback wrong-container-port \
    firewalld-host-network firewalld-not-reloaded default-bridge-names two-networks network-none \
    firewalld-published nat-forward-exposes-lan

.PHONY: demo test lint bench reality build book screenshots z3

demo: build
	@for lab in $(HOLDING); do \
	    printf '\n$$ canreach check examples/%s\n' $$lab; \
	    $(CANREACH) check examples/$$lab || exit 1; \
	done
	@for lab in $(BROKEN); do \
	    printf '\n$$ canreach check examples/%s\n' $$lab; \
	    code=0; $(CANREACH) check examples/$$lab || code=$$?; \
	    if [ $$code -ne 1 ]; then echo "examples/$$lab is broken, but the exit code is $$code" >&2; exit 1; fi; \
	done
	@printf '\n%s labs hold, %s broken ones were found out\n' $(words $(HOLDING)) $(words $(BROKEN))

test: z3
	cargo test --locked --no-fail-fast

# Runs random labs with real daemons, as root, and compares; LIVE_SEED and LIVE_LABS choose them. See
# tests/integration/live.rs.
reality: z3
	sh .ci/install-daemons
	cargo test --locked --test integration real_daemons -- --ignored --nocapture

lint: z3
	cargo fmt --check
	cargo clippy --locked --all-targets -- --deny warnings

bench: z3
	cargo bench --locked --bench check

# The page of examples/production as a browser shows it: light in English, dark in Korean. Needs Chromium and a Korean font
# (fonts-nanum, fonts-noto-cjk).
SHOT := chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1280,760

screenshots: build
	$(CANREACH) report examples/production -o $(or $(CARGO_TARGET_DIR),target)/report.html
	$(CANREACH) --lang ko report examples/production -o $(or $(CARGO_TARGET_DIR),target)/report-ko.html
	$(SHOT) --blink-settings=preferredColorScheme=1 --screenshot=docs/pictures/report.png \
	    file://$(abspath $(or $(CARGO_TARGET_DIR),target))/report.html
	$(SHOT) --blink-settings=preferredColorScheme=0 --screenshot=docs/pictures/report-ko-dark.png \
	    file://$(abspath $(or $(CARGO_TARGET_DIR),target))/report-ko.html

# The book in book/html, from the pages of the whole repository. mdBook is fetched where it is missing.
MDBOOK_VERSION := 0.5.4
MDBOOK := $(or $(CARGO_TARGET_DIR),target)/mdbook/bin/mdbook

book: build $(MDBOOK)
	cargo run --locked --example book -- $(CANREACH)
	$(MDBOOK) build book

$(MDBOOK):
	cargo install --locked --no-default-features --features search mdbook --version $(MDBOOK_VERSION) \
	    --root $(or $(CARGO_TARGET_DIR),target)/mdbook

build: z3
	cargo build --locked --release

z3:
	@sh .ci/install-z3
