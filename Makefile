# Nothing but Go and make is needed for: demo, build. The tests want bash, curl and jq as well: they run the GitHub Action's steps.
TOOL := go tool -modfile=internal/tools/go.mod
PKG  ?= ./internal/s3copy
FUZZ ?= .
FUZZTIME ?= 20s
KEYS ?= 10000
CROSS ?= all
ROUNDS ?= 200
SOAK ?= 30m
LOADKEYS ?= 10000000
SCENARIOS ?= fresh,resync,resume,throttled,faults,fresh-hostile,resync-hot,resync-unicode

.PHONY: demo test check build race lint fmt tidy update fuzz fuzz-all faults real suite bench torture reliability soak load cross snapshot

demo: ## the whole story on an embedded sandbox: no account, no network
	go run ./cmd/xplan demo

test: ## the tests; needs the sandbox only, and other servers where XPLAN_REQUIRE names them
	go test -timeout 30m ./...

check: lint tidy race ## what CI runs, beside the suite on all servers

build: ; go build -trimpath -o bin/xplan ./cmd/xplan
cross: ; XPLAN_TEST_CROSS=$(CROSS) go test -count=1 -timeout 60m -run 'TestEveryTargetOfAReleaseBuilds' -v ./internal/arch # for every system that a release is for
snapshot: ## a release's archives, sums and SBOMs in dist/, and no release: goreleaser is built from source, a quarter of an hour
	go build -C internal/tools/release -o $(CURDIR)/bin/goreleaser github.com/goreleaser/goreleaser/v2
	GITHUB_REPOSITORY=OWNER/xplan bin/goreleaser release --snapshot --clean
race:  ; go test -race -shuffle=on -timeout 60m ./...
lint:  ; $(TOOL) golangci-lint run --allow-parallel-runners ./...
fmt:   ; $(TOOL) golangci-lint fmt ./...
tidy:  ; go mod tidy -diff
update: ; go test ./cmd/xplan ./internal/view ./schemas ./internal/arch -update && XPLAN_UPDATE=1 go test ./internal/compile # then read the diff
fuzz:  ; go test -run='^$$' -fuzz='^$(FUZZ)$$' -fuzztime=1m $(PKG)
fuzz-all: ; FUZZTIME=$(FUZZTIME) internal/tools/fuzz.sh # every fuzzer for FUZZTIME, and how many inputs each has run
faults: ## every request of every call, and every operation of a run, goes wrong in every way: half an hour; the tests try a sample
	XPLAN_TEST_FAULTS=all go test -count=1 -timeout 90m -v -run 'TestEvery(MethodHasItsFaults|CallSurvivesEveryFault)' ./internal/awsapi | grep -v '^=== '
	XPLAN_TEST_FAULTS=all go test -count=1 -timeout 90m -v -run 'TestARunSurvivesEveryFault' ./test | grep -v '^=== '
real:  ; XPLAN_TEST_TREE=whole XPLAN_REQUIRE=versitygw go test ./test -run ATreeOfFiles -v -timeout 60m # 20,000 files and two of 3 GiB: 15 GB of disk, minutes
torture: ## a run dies at every point, and at ROUNDS random moments by kill -9: most of an hour
	XPLAN_TEST_CRASHES=all go test -count=1 -timeout 90m -v -run 'Test(ARun|ACutOver)SurvivesItsDeath' ./cmd/xplan | grep -v '^=== '
	XPLAN_TEST_KILLS=$(ROUNDS) go test -count=1 -timeout 90m -v -run 'TestRecipeGoesOn' ./test | grep -v '^=== '
reliability: ; internal/tools/reliability.sh # every figure of docs/reliability.md again: hours; ONLY=WORDS for the commands that hold them
soak: ## one process for SOAK, with requests going wrong: applies again and again, and one long copy; what it holds stays flat
	XPLAN_TEST_SOAK=$(SOAK) go test -count=1 -timeout 3h -v -run 'TestASoakOf' ./cmd/xplan | grep -v '^=== '
load: ## ten million copies of which one request in a hundred fails, and a hundred pairs in one plan: half an hour on an idle machine
	go run ./internal/bench -scenarios load -arms xplan -keys $(LOADKEYS) -in-flight 64 -timeout 4h -out -
	XPLAN_TEST_PAIRS=100 go test -count=1 -timeout 30m -v -run 'TestManyPairs' ./cmd/xplan | grep -v '^=== '
suite: ; XPLAN_REQUIRE=moto,versitygw,aws-cli,yaml-language-server,ssh-keygen go test -count=1 ./test/...
bench: ; go run ./internal/bench -scenarios '$(SCENARIOS)' -keys $(KEYS) # minutes; more: SCENARIOS='*' KEYS=200000
