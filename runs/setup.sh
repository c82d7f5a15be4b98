#!/bin/sh
# Installs the Debian packages that Quartet is built from (with --tests, also those of its tests).
# Does nothing where all are there.
set -eu

packages="git g++ cmake ninja-build openmpi-bin libopenmpi-dev libboost-serialization-dev libnetcdf-dev
  librandom123-dev libcli11-dev libtomlplusplus-dev libfmt-dev
  python3 python3-xarray python3-netcdf4 python3-matplotlib"
[ "${1:-}" = --tests ] && packages="$packages libgtest-dev netcdf-bin"

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "runs/setup.sh: this is not Debian; install what these packages hold:" $packages >&2
  exit 0
fi

missing=
for package in $packages; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
    missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "runs/setup.sh: packages are missing and there is no sudo; as root, run:" >&2
    echo "  apt-get update && apt-get install --no-install-recommends -y$missing" >&2
    exit 1
  fi
  as_root=sudo
fi
echo "Installing (takes a few minutes)$missing"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq
$as_root apt-get install --no-install-recommends -y -qq $missing >/dev/null
