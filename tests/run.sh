#!/bin/sh
# Builds Quartet and runs its tests, from a bare Debian on. Arguments go to ctest (-R NAME, -L LABEL).
set -eu
case "${1:-}" in
  -h | --help)
    echo "usage: tests/run.sh [arguments of ctest]"
    echo "Installs what is missing, builds Quartet, and runs its tests (some 20 minutes on 2 cores, the build included). Examples:"
    echo "  tests/run.sh                     # all"
    echo "  tests/run.sh -R system.restart   # those with this in their name"
    echo "  tests/run.sh -L system           # those with this label (models, regions, mpi, runs, system)"
    echo "tests/README.md says what they test; ctest --help lists its arguments."
    exit 0
    ;;
esac
cd "$(dirname "$0")/.."
runs/setup.sh --tests
cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DQUARTET_TESTS=ON
cmake --build build -j "${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}"
ctest --test-dir build --output-on-failure -j "$(nproc)" "$@"
