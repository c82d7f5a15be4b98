#!/bin/sh
# runs/quickstart.sh [FLAGS]
# From a fresh clone to a figure: installs what is missing, builds, runs the first experiment on
# four ranks, and sets it beside what people do. FLAGS go to `quartet run`, for example --full; the
# DIR of --out counts from the clone.
set -eu
for argument in "$@"; do
  case "$argument" in -h | --help) sed -n '2,/^[^#]/s/^# *//p' "$0" && exit 0 ;; esac
done
cd "$(dirname "$0")/.."
experiment=runs/experiments/cerebellar_vs_dopaminergic.toml

out=results/cerebellar_vs_dopaminergic
previous=
for argument in "$@"; do
  case "$argument" in --out=*) out=${argument#--out=} ;; esac
  [ "$previous" = --out ] && out=$argument
  previous=$argument
done
if [ -e "$out/resolved.toml" ]; then
  echo "runs/quickstart.sh: $out exists already; remove it (rm -r '$out'), write --out DIR, or" >&2
  echo "continue it (build/quartet resume '$out')" >&2
  exit 2
elif [ -e "$out" ]; then
  echo "runs/quickstart.sh: $out exists already and is no run directory; write --out DIR" >&2
  exit 2
fi

runs/setup.sh
cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DQUARTET_TESTS=OFF
cmake --build build -j "${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}"

build/quartet run "$experiment" "$@"
build/quartet score "$out"
echo "Figure: $(build/quartet plot "$out")"
