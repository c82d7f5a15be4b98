#!/bin/sh
# Builds Quartet and runs its tests, from a bare Debian on. Arguments go to ctest (-R NAME, -L LABEL).
set -eu
cd "$(dirname "$0")/.."
runs/setup.sh --tests
cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DQUARTET_TESTS=ON
cmake --build build -j "$(nproc)"
ctest --test-dir build --output-on-failure -j "$(nproc)" "$@"
