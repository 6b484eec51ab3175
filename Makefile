# Every command that a person or CI needs, and its variables.
.DEFAULT_GOAL := help
SHELL := /bin/bash
# The same is built everywhere: neither a go.work in a folder above nor what is set for
# other projects (GOFLAGS=-mod=vendor, GOOS, …) has a say.
export GOTOOLCHAIN := local
export GOWORK := off
export GOFLAGS := -mod=readonly -buildvcs=false
export GO111MODULE := on
export CGO_ENABLED := 1
unexport GOOS GOARCH GOROOT GOBIN GODEBUG GORACE GOGC GOMAXPROCS

# What a person sets must be heeded: a variable that no target here knows is a slip
# (KATAS=…, kata=…), and so is one that the target asked for does not take.
help_takes    :=
build_takes   :=
check_takes   := KATA FROM REPEAT SEED VERBOSE ALL FORCE SAVE
watch_takes   := KATA
hint_takes    := KATA STEP LEVEL
explain_takes := CODE
solution_takes := KATA STEP FORCE
diff_takes    := KATA STEP FORCE
reset_takes   := KATA
demo_takes    := KATA
grader_takes  :=
grade_takes   := CLASS ROSTER OUT KATA RUBRIC COLUMN REPEAT SEED TRUST
timeline_takes := KATA FROM SEED TEST TEXT TRACE SAVED
verify_takes  := KATA ONLY
test_takes    :=
lint_takes    :=
mutate_takes  := KATA SAMPLE
stress_takes  := STRESS SLOW
space  := $(subst ,, )
given  := $(foreach v,$(subst \$(space),_,$(MAKEOVERRIDES)),$(firstword $(subst =, ,$(v))))
goals  := $(or $(MAKECMDGOALS),help)
takes  := $(sort $(foreach g,$(goals),$($(g)_takes)))
wrong  := $(filter-out $(takes),$(filter-out CHECKER SHELL MAKE% GO% CC PATH HOME TMPDIR,$(given)))
ifneq ($(wrong),)
$(error make $(goals) does not take $(firstword $(wrong)); $(if $(takes),it takes $(takes),it takes no variable))
endif
# VERBOSE=0, ALL=no and FORCE=false say no.
override VERBOSE := $(filter-out 0 no false,$(VERBOSE))
override ALL := $(filter-out 0 no false,$(ALL))
override FORCE := $(filter-out 0 no false,$(FORCE))
override TEXT := $(filter-out 0 no false,$(TEXT))

# A value as one word of the shell, whatever it holds.
quoted = '$(subst ','\'',$(1))'

CHECKER := bin/checker
SOURCES := $(shell find checker -type f -not -name '*_test.go') go.mod go.sum

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

$(CHECKER): $(SOURCES)
	@test -e $@ || echo "building the checker, the first time only: about half a minute" >&2
	@# What is downloaded now need not be later: a check asks nobody.
	@go list -deps -test ./checker ./katas/... > /dev/null
	@go build -o $@ ./checker

build: $(CHECKER) ## build the checker into bin/

katas = -- $(foreach k,$(KATA),$(call quoted,$(k)))

check: $(CHECKER) ## check the katas: KATA=3 or spawn,pool  FROM=solutions  REPEAT=n  SEED=s  VERBOSE=1  ALL=1  FORCE=1
	@$(CHECKER) check $(if $(FROM),--from=$(call quoted,$(FROM))) $(if $(REPEAT),--repeat=$(call quoted,$(REPEAT))) $(if $(SEED),--seed=$(call quoted,$(SEED))) $(if $(VERBOSE),--verbose) $(if $(ALL),--all) $(if $(FORCE),--force) $(if $(SAVE),--save=$(call quoted,$(SAVE))) -- $(foreach k,$(KATA),$(call quoted,$(k)))

# It is built when it is first asked for: nobody else waits for what draws on a terminal.
bin/live: $(SOURCES)
	@test -e $@ || echo "building the watch, the first time only" >&2
	@go build -o $@ ./checker/live

watch: $(CHECKER) bin/live ## check at each save, live on the terminal: KATA=spawn
	@bin/live $(katas)

hint: $(CHECKER) ## show a hint: KATA=spawn  STEP=n  LEVEL=1..3
	@$(CHECKER) hint $(if $(STEP),--step=$(call quoted,$(STEP))) $(if $(LEVEL),--level=$(call quoted,$(LEVEL))) -- $(foreach k,$(KATA),$(call quoted,$(k)))

timeline: $(CHECKER) ## draw a run as a page: KATA=spawn  FROM=solutions  TEST=name  TEXT=1  TRACE=file  SAVED=dir
	@$(CHECKER) timeline $(if $(FROM),--from=$(call quoted,$(FROM))) $(if $(SAVED),--saved=$(call quoted,$(SAVED))) $(if $(SEED),--seed=$(call quoted,$(SEED))) $(if $(TEST),--test=$(call quoted,$(TEST))) $(if $(TEXT),--text) $(if $(TRACE),--trace=$(call quoted,$(TRACE))) -- $(foreach k,$(KATA),$(call quoted,$(k)))

explain: $(CHECKER) ## explain a finding: CODE=orphan, or all of them
	@$(CHECKER) explain -- $(foreach c,$(CODE),$(call quoted,$(c)))

solution diff: $(CHECKER)
	@$(CHECKER) $@ $(if $(STEP),--step=$(call quoted,$(STEP))) $(if $(FORCE),--force) $(katas)

solution: ## what the reference does at a step that you have passed: KATA=spawn  STEP=n  FORCE=1
diff: ## your source beside the reference after a step that you have passed: KATA=spawn  STEP=n  FORCE=1

reset demo: $(CHECKER)
	@$(CHECKER) $@ $(katas)

reset: ## begin a kata anew; what you wrote is kept beside it: KATA=spawn
demo: ## run the demonstration of a kata's solution: KATA=gil

verify: $(CHECKER) ## prove the content: stubs, solutions, every known mistake: KATA=…
	@$(CHECKER) verify $(if $(ONLY),--only=$(call quoted,$(ONLY))) -- $(foreach k,$(KATA),$(call quoted,$(k)))

.PHONY: help build check watch hint timeline explain solution diff reset demo verify

test: $(CHECKER) ## everything that must be green: vet, the checker's own tests, verify
	@go vet ./...
	@go test -race -timeout 20m ./checker/... ./solutions/...
	@$(CHECKER) slow --short
	@$(CHECKER) verify --quick

# Each linter is run at a pinned version; none is installed.
GOFUMPT     := go run mvdan.cc/gofumpt@v0.12.0
STATICCHECK := go run honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := go run golang.org/x/vuln/cmd/govulncheck@v1.9.0

lint: $(CHECKER) ## gofumpt, go vet (Linux and macOS), staticcheck, govulncheck, tests that say nothing
	@out=$$($(GOFUMPT) -l checker katas solutions testdata); test -z "$$out" || { echo "not formatted (gofumpt -w):"; echo "$$out"; exit 1; }
	@go vet ./...
	@GOOS=darwin go vet ./...
	@$(STATICCHECK) ./checker/... ./solutions/...
	@$(CHECKER) sentences > /dev/null || $(CHECKER) sentences
	@# A stub holds parts that only the learner will use: U1000 would name them all.
	@$(STATICCHECK) -checks inherit,-U1000 ./katas/...
	@out=$$($(GOVULNCHECK) ./... 2>&1) || if grep -q 'fetching vulnerabilities' <<<"$$out"; then \
		echo "govulncheck: not checked: its database cannot be reached"; else echo "$$out"; exit 1; fi

.PHONY: test lint

GRADER := bin/grader
OUT    ?= graded

$(GRADER): $(SOURCES)
	@go mod download
	@go build -o $@ ./checker/grader

grader: $(CHECKER) $(GRADER) ## build the grader, for instructors: bin/grader doctor

grade: grader ## grade a class: CLASS=DIR  ROSTER=FILE.csv  OUT=DIR  KATA=…  RUBRIC=FILE  COLUMN=…
	@$(GRADER) grade --out=$(call quoted,$(OUT)) $(if $(ROSTER),--roster=$(call quoted,$(ROSTER))) $(if $(KATA),--kata=$(call quoted,$(KATA))) $(if $(RUBRIC),--rubric=$(call quoted,$(RUBRIC))) $(if $(COLUMN),--column=$(call quoted,$(COLUMN))) $(if $(REPEAT),--repeat=$(call quoted,$(REPEAT))) $(if $(SEED),--seed=$(call quoted,$(SEED))) $(if $(filter-out 0 no false,$(TRUST)),--trust) -- $(call quoted,$(or $(CLASS),$(error make grade needs CLASS=FOLDER)))

.PHONY: grader grade

mutate: $(CHECKER) ## try the tests on small mistakes in the solutions: KATA=…  SAMPLE=n
	@$(CHECKER) mutate $(if $(SAMPLE),--sample=$(call quoted,$(SAMPLE))) -- $(foreach k,$(KATA),$(call quoted,$(k)))

bench-check: ## what a check costs, against plain go test; an unchanged set; a fresh machine
	@go test -run '^$$' -bench '^BenchmarkCheck$$' -benchtime 5x -timeout 1h ./checker
	@go test -run '^$$' -bench '^BenchmarkUnchanged$$' -benchtime 5x -timeout 1h ./checker
	@go test -run '^$$' -bench '^BenchmarkCold$$' -benchtime 1x -timeout 1h ./checker

bench-detect: ## how fast a deadlock is seen, and what share of the races of processes
	@go test -run '^$$' -bench Verdict -benchtime 100x ./checker/internal/tree/observe
	@go test -race -run '^$$' -bench 'Unlocked|WatchCost' -benchtime 100x ./checker/shm
	@go test -race -run '^$$' -bench Kinds -benchtime 40x -timeout 1h ./checker/shm
	@go test -run '^$$' -bench Unwatched ./checker/shm
	@go test -run '^$$' -bench Perturbation -benchtime 100x -timeout 1h ./checker

STRESS ?= 1000

stress: $(CHECKER) ## the long proofs of no false alarm: STRESS=1000 live runs under load, half as many dead; SLOW=1: on a slow machine
ifdef SLOW
	@$(CHECKER) slow --mistakes
else
	@PROKATA_STRESS=$(STRESS) go test -v -count=1 -run Stress -timeout 4h ./checker/internal/tree/observe
	@$(CHECKER) check --from solutions --repeat 50
	@$(CHECKER) verify
endif

.PHONY: mutate bench-check bench-detect stress
