# Pausepoint. The two that a newcomer needs: make run, make test.
# Everything else: make help.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

# Every folder with Go in it.
ROOMS := $(filter-out static,$(sort $(foreach f,$(wildcard */*.go */*/*.go),$(firstword $(subst /, ,$f))))) $(wildcard static/*.go)
GO_SOURCES := $(shell find $(ROOMS) -name '*.go' -o -name '*.sql' -o -name openapi.json)
CLIENT_SOURCES := $(shell find static/src static/public static/index.html static/vite.config.ts static/tsconfig.json -type f 2>/dev/null)
BIN := bin/pausepoint
TOOL := go tool -modfile=tools/go.mod
ARGS ?=

.PHONY: help
help: ## this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# ---- run

.PHONY: run build
run: need-run build ## install what is missing, build, and start with files below ./data (ARGS="--addr :9000" adds flags)
	./$(BIN) serve $(ARGS)

build: $(BIN) ## the browser client and the server, into bin/pausepoint

$(BIN): $(GO_SOURCES) go.mod go.sum static/dist/index.html
	go build -trimpath -o $@ ./cmd/pausepoint

static/dist/index.html: static/node_modules/.package-lock.json $(CLIENT_SOURCES)
	cd static && npm run --silent build
	@touch $@

static/node_modules/.package-lock.json: static/package.json static/package-lock.json
	cd static && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

e2e/node_modules/.package-lock.json: e2e/package.json e2e/package-lock.json
	cd e2e && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: need-run need-test
need-run:
	@scripts/need ffmpeg ffprobe=ffmpeg

need-test: need-run
	@scripts/need gcc /usr/include/stdlib.h=libc6-dev chromium firefox-esr ip=iproute2 unshare=util-linux \
		/usr/lib/postgresql/15/bin/initdb=postgresql-15 redis-server

# ---- tests

.PHONY: test test-go test-client test-browser
test: need-test build check test-browser ## everything: format, lint, race tests, the client's unit tests, real browsers

# Three packages at once on two cores: some of them mostly wait.
test-go: static/dist/index.html bin/versitygw ## Go tests with the race detector
	go test -race -p 3 -timeout 15m ./...

test-client: static/node_modules/.package-lock.json ## type check, lint and unit tests of the browser client
	cd static && npm run --silent lint && npm run --silent check && npm test --silent

test-browser: need-test build bin/impair bin/stores bin/versitygw e2e/node_modules/.package-lock.json ## the whole story in real Chromium, bad networks in Firefox too (artefacts in e2e/artifacts)
	cd e2e && npm test --silent
	cd e2e && ../scripts/apart npm test --silent

bin/impair bin/stores: bin/%: $(GO_SOURCES)
	go build -o $@ ./bench/$*

# The S3 server that tests start. To build it takes more than a minute, once.
bin/versitygw: tools/s3.mod tools/s3.sum
	go build -modfile=tools/s3.mod -o $@ github.com/versity/versitygw/cmd/versitygw

.PHONY: check fmt lint lint-browser generate generated
check: need-test generated lint lint-browser test-go test-client ## the gate before a commit

fmt: static/node_modules/.package-lock.json ## format Go and TypeScript
	$(TOOL) gofumpt -w $(ROOMS)
	cd static && npm run --silent format
	cd e2e && npm run --silent format

lint: static/dist/index.html
	@out=$$($(TOOL) gofumpt -l $(ROOMS)); \
	if [ -n "$$out" ]; then echo "not formatted (make fmt):"; echo "$$out"; exit 1; fi
	go vet ./...
	$(TOOL) staticcheck ./...

lint-browser: static/node_modules/.package-lock.json e2e/node_modules/.package-lock.json
	cd e2e && npm run --silent lint && npm run --silent check

generate: ## files that are generated from others
	go generate ./room/event

generated: ## are the generated files up to date?
	go test ./room/event/gen

.PHONY: picture
picture: test-browser ## the README's picture, as the browser tests have just made it
	cp e2e/artifacts/call.png docs/call.png

.PHONY: check-deploy check-image
check-deploy: need-test static/dist/index.html bin/versitygw ## would docker compose and Kubernetes take what is in compose.yaml and deploy/, does it start servers that understand it, does HAProxy bring people to three of them, and do those who watch see something where servers do not reach each other?
	@scripts/need haproxy
	go test -C deploy -count 1 ./...
	go test -tags balancer -count 1 -timeout 20m -run 'TestDeployments|TestBalancer|TestAudienceThatNothingComesTo' ./cmd/pausepoint

check-image: need-run static/dist/index.html ## builds the Dockerfile without a container engine, and runs the image (as root; about 10 minutes)
	@scripts/need buildah debootstrap curl pgrep=procps
	scripts/check-image

# ---- long forms

.PHONY: fuzz bench
FUZZTIME ?= 30s
fuzz: ## every fuzz target for FUZZTIME (default 30s each)
	@for pkg in $$(go list ./...); do \
	  for f in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "== $$pkg $$f"; go test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x $$pkg; \
	  done; done

.PHONY: test-acme
test-acme: need-test static/dist/index.html bin/versitygw ## a certificate from a real ACME server, which is built first
	go build -modfile=tools/acme.mod -o bin/acme/ github.com/letsencrypt/pebble/v2/cmd/...
	PAUSEPOINT_TEST_ACME=$(CURDIR)/bin/acme go test -tags acme -count=1 -run TestAuthority ./cmd/pausepoint

.PHONY: soak-sfu
soak-sfu: ## joins, aborts, reconnects and crowds by the thousand against the media plane (ARGS="-only churn -n 2000")
	go run ./bench/soak $(ARGS)

bench: bin/versitygw ## benchmarks, six runs each, for benchstat
	go test -run '^$$' -bench . -benchmem -count 6 ./...

.PHONY: bench-recorder
bench-recorder: need-test ## forwarding with and without recording, and what a recorded track costs (about 2 minutes; prints a table)
	@mkdir -p bin
	go test -run '^$$' -bench BesideRecording -benchtime 30x ./recorder >bin/bench-recorder.txt
	go test -run '^$$' -bench FortyTracks -benchtime 5x ./recorder >>bin/bench-recorder.txt
	@awk -f scripts/bench-recorder.awk bin/bench-recorder.txt

.PHONY: faults-recorder
faults-recorder: ## recorders of 8 tracks are killed 120 times on a fast clock and on the real one; the power fails in thousands of ways
	RECORDER_KILLS=120 go test -count 1 -v -timeout 60m -run 'IsKilled|PowerFails' ./recorder
	RECORDER_KILLS=120 RECORDER_CLOCK=real go test -count 1 -v -timeout 30m -run IsKilled ./recorder

.PHONY: faults
FAULTS ?= 500
faults: need-test static/dist/index.html ## one node of three is killed, stopped or cut off FAULTS times (default 500) during calls; Redis is away for 10 minutes
	PAUSEPOINT_TEST_FAULTS=$(FAULTS) go test -count 1 -v -parallel 4 -timeout 180m -run ManyNodesHold ./cmd/pausepoint

.PHONY: step-recorder
step-recorder: ## a call of four hours on clocks that are 100 ppm off: what is recorded stays in step (time is virtual; about 10 minutes)
	RECORDER_CALL=4h go test -count 1 -v -timeout 90m -run EverythingStays ./recorder

.PHONY: bench-network
bench-network: need-test build bin/impair e2e/node_modules/.package-lock.json ## sound and pictures over bad networks, a minute each (figures in e2e/artifacts/network.jsonl)
	cd e2e && NETWORK=long ../scripts/apart npm test --silent

.PHONY: bench-sync
bench-sync: need-test build bin/impair e2e/node_modules/.package-lock.json ## how far browsers are apart that watch together (about 40 minutes; figures in e2e/artifacts/sync.json)
	cd e2e && SYNC=long npm test --silent -- --no-deps sync.spec.ts

.PHONY: bench-replay
bench-replay: need-test build e2e/node_modules/.package-lock.json ## how quickly a replay of four people starts and seeks, in Chromium and Firefox (about 12 minutes; figures in e2e/artifacts/replay.json)
	cd e2e && REPLAY=long npm test --silent -- --no-deps seek.spec.ts

.PHONY: bench-audience
bench-audience: ## what a lesson costs that is watched from other servers (about 3 minutes; SHORT=1: 20 s; ARGS="-observers 200,300": so many at one other server; figures in bin/)
	go build -o bin/sfubench ./bench/sfubench
	bin/sfubench -audience $(if $(SHORT),-short,-rounds 2) -out bin/bench-audience.json $(ARGS)

.PHONY: bench-others
bench-others: need-run build ## whole servers beside each other: ours, LiveKit's (built first) and with GALENE=program Galène's (about 6 minutes; SHORT=1: one; figures in bin/)
	@scripts/need ip=iproute2 unshare=util-linux
	go build -modfile=tools/livekit.mod -o bin/livekit-server github.com/livekit/livekit-server/cmd/server
	go build -o bin/others ./bench/others
	scripts/apart bin/others -livekit bin/livekit-server $(if $(GALENE),-galene $(GALENE)) $(if $(SHORT),-short) -out bin/bench-others.json $(ARGS)

.PHONY: bench-load
DURATION ?= 60s
bench-load: need-run build ## what one server carries on this machine: calls and a lesson, measured for DURATION each (default 60s; about 7 minutes)
	@scripts/need curl jq taskset=util-linux
	@scripts/bench-load $(BIN) $(DURATION)

.PHONY: bench-sfu
bench-sfu: ## what forwarding costs, beside pion and bare sending (about 15 minutes; SHORT=1: about 80 s; figures in bin/)
	go build -o bin/sfubench ./bench/sfubench
	bin/sfubench $(if $(SHORT),-short) -out bin/bench-sfu.json $(ARGS)
