"""Opens NetCDF files and refuses damaged ones."""

from __future__ import annotations

import contextlib
import math
import pathlib

import netCDF4  # noqa: F401  what xarray reads with; missing, it would not say so
import numpy as np
import xarray

# Bytes of a value, by its type's number in the header.
TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 4, 6: 8, 7: 1, 8: 2, 9: 4, 10: 8, 11: 8}


class BadInput(Exception):
    """What was given cannot be analysed; the message says where, what and the remedy."""


class File:
    """An open file: all that its xarray.Dataset has, and BadInput for a variable that it has not."""

    def __init__(self, path: pathlib.Path, dataset: xarray.Dataset):
        self._path, self._dataset = path, dataset

    def __getattr__(self, name: str):
        return getattr(self._dataset, name)

    def __getitem__(self, name: str) -> xarray.DataArray:
        if name not in self._dataset.variables:
            raise _unreadable(self._path, f"no variable {name}")
        return self._dataset[name]


@contextlib.contextmanager
def open_dataset(path: pathlib.Path):
    """The File. Raises BadInput, also for a file that ends early (NetCDF reads zeros past its end) and
    for damage that shows only when values are read; other errors within the `with` pass."""
    with contextlib.ExitStack() as stack:
        try:
            dataset = stack.enter_context(_opened(path))
        except (BadInput, ImportError):
            raise
        except Exception as error:  # of a damaged header anything
            raise _unreadable(path, f"{type(error).__name__}: {error}") from error
        try:
            yield File(path, dataset)
        except (OSError, RuntimeError, UnicodeError) as error:  # netCDF4's, and of names
            raise _unreadable(path, f"{type(error).__name__}: {error}") from error


def _opened(path: pathlib.Path) -> xarray.Dataset:
    """Raises BadInput for a file that ends early or is empty, whatever xarray raises for others."""
    size = path.stat().st_size
    try:
        with open(path, "rb") as file:
            needed = needed_bytes(file)
    except EOFError:
        raise BadInput(f"{path}: truncated, its {size} bytes end within the header; copy it again or run "
                       "again") from None
    if size < needed:
        raise BadInput(f"{path}: truncated, {size} of {needed} bytes; copy it again or run again")
    dataset = xarray.open_dataset(path, engine="netcdf4", decode_times=False)
    if 0 in (dataset.sizes.get("trial"), dataset.sizes.get("time")):
        dataset.close()
        raise BadInput(f"{path}: holds no trial yet; wait, or resume the run")
    return dataset


def _unreadable(path: pathlib.Path, why: str) -> BadInput:
    return BadInput(f"{path}: not a readable NetCDF file of this version ({why}); copy it again or run "
                    "again")


def texts(variable) -> list[str]:
    """What a variable of names holds, one per element."""
    return [(text.decode() if isinstance(text, bytes) else str(text)).strip(" \0")
            for text in np.atleast_1d(variable.values)]


def needed_bytes(file) -> int:
    """Size that the header of a classic or CDF-5 file asks for, without padding at its end; 0 for
    other files. Raises EOFError within the header, LookupError for a damaged one.

    The layout is in "The NetCDF Classic Format Specification".
    """
    magic = file.read(4)
    if magic not in (b"CDF\x01", b"CDF\x02", b"CDF\x05"):
        return 0
    wide = 8 if magic[3] == 5 else 4

    def number(width: int = wide) -> int:
        data = file.read(width)
        if len(data) < width:
            raise EOFError
        return int.from_bytes(data, "big")

    def skip(size: int) -> None:
        file.seek(_padded(size), 1)

    def entries():
        """Steps through a list, past each entry's name."""
        number(4)  # the list's tag
        for _ in range(number()):
            skip(number())
            yield

    def skip_attributes() -> None:
        for _ in entries():
            skip(TYPE_BYTES[number(4)] * number())

    records = number()
    dimensions = [number() for _ in entries()]
    skip_attributes()
    end, record_parts = file.tell(), []
    for _ in entries():
        shape = [dimensions[number()] for _ in range(number())]
        skip_attributes()
        value = TYPE_BYTES[number(4)]
        number()  # the size, which overflows
        begin = number(4 if magic[3] == 1 else 8)
        if shape and shape[0] == 0:  # the record dimension
            record_parts.append((begin, value * math.prod(shape[1:])))
        else:
            end = max(end, begin + value * math.prod(shape))
    if records and record_parts:
        sizes = [size for _, size in record_parts]
        record = sizes[0] if len(sizes) == 1 else sum(map(_padded, sizes))
        end = max(end, *(begin + (records - 1) * record + size for begin, size in record_parts))
    return end


def _padded(size: int) -> int:
    return -(-size // 4) * 4
