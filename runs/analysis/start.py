"""Starts a script of this folder, and says what to install where a package is missing.

    start.py SCRIPT [ARGUMENT ...]

A script that is started by itself imports this module first, for the same quiet end.
"""

import pathlib
import runpy
import signal
import sys

PACKAGES = "python3-xarray python3-netcdf4 python3-matplotlib"

sys.dont_write_bytecode = True  # the sources may be installed where nobody may write
signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C and `| head` end it without a word
signal.signal(signal.SIGPIPE, signal.SIG_DFL)

if __name__ == "__main__":
    del sys.argv[0]
    try:
        runpy.run_path(str(pathlib.Path(__file__).with_name(sys.argv[0])), run_name="__main__")
    except ModuleNotFoundError as error:
        print(f"{sys.argv[0]}: {sys.executable} has no {error.name}; install it (apt-get install "
              f"{PACKAGES})", file=sys.stderr)
        sys.exit(1)
