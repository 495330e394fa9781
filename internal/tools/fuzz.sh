#!/bin/sh
# Runs every fuzzer of the module for FUZZTIME, one after the other, and lists how many inputs each has run.
# Inputs are hardly made smaller: that would take most of the time. What is found stays in the package's testdata/fuzz, and fails its tests from then on.
set -u
time=${FUZZTIME:-20s}
failed=0
total=0
fuzzers=0
for file in $(grep -rl --include='*_test.go' '^func Fuzz' . | sort); do
	dir=$(dirname "$file")
	for name in $(sed -n 's/^func \(Fuzz[A-Za-z0-9]*\)(f \*testing.F).*/\1/p' "$file"); do
		if ! out=$(go test -run='^$' -fuzz="^$name\$" -fuzztime="$time" -fuzzminimizetime=10x -parallel="${FUZZPARALLEL:-2}" "$dir" 2>&1); then
			echo "$out"
			failed=1
		fi
		n=$(echo "$out" | sed -n 's/.*execs: \([0-9]*\).*/\1/p' | tail -1)
		printf '%-36s %-24s %12s inputs\n' "$name" "$dir" "${n:-0}"
		total=$((total + ${n:-0}))
		fuzzers=$((fuzzers + 1))
	done
done
printf '%d fuzzers, %d inputs\n' "$fuzzers" "$total"
exit $failed
