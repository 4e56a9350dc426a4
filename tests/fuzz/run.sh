#!/bin/sh
# Fuzzes each target for the given number of seconds (10 by default) from the seeds, and stops at
# the first crash. It needs cargo-fuzz, and a compiler that accepts the sanitizers' flags: stable
# does with RUSTC_BOOTSTRAP.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)
seconds=${1:-10}
for target in responses references; do
    corpus=$root/target/fuzz-corpus/$target
    mkdir -p "$corpus"
    cd "$root"
    RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir tests/fuzz --target-dir target/fuzz "$target" \
        "$corpus" "tests/fuzz/seeds/$target" -- -max_total_time="$seconds" -max_len=4096 \
        -artifact_prefix="$corpus-" >"$corpus.log" 2>&1 || {
        cat "$corpus.log"
        exit 1
    }
    echo "$target: nothing found in $seconds s"
done
