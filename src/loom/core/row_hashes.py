"""Hashes of rows that are the same on every machine, in every version and for every order of rows and columns.

A row's hash is the sum of its cells' hashes, each salted with its column's name: leaving a column out is a
subtraction, and the order of columns does not matter. The numbers are part of the format of data objects.
"""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]

_FIRST = np.uint64(0x9E3779B97F4A7C15)
_SECOND = np.uint64(0xD6E8FEB86659FD93)
_MISSING = np.uint64(0xA0761D6478BD642F)
_TEXT = np.uint64(0xE7037ED1A0B428DB)
_LONG_TEXT = 256


def salt_of(name: str) -> np.uint64:
    """What sets the cells of one column apart from equal cells of another."""
    return np.uint64(int.from_bytes(hashlib.sha256(f"loom column 1\n{name}".encode()).digest()[:8], "little"))


def mix(words: Hashes) -> Hashes:
    """Spread every bit over all, in place."""
    words ^= words >> np.uint64(32)
    words *= _FIRST
    words ^= words >> np.uint64(29)
    words *= _SECOND
    words ^= words >> np.uint64(32)
    return words


def cell_hashes(array: pa.Array, salt: np.uint64) -> Hashes:
    """One hash per cell; equal cells have equal hashes, and so have missing ones."""
    words = _of_text(array) if pa.types.is_string(array.type) else _of_values(array)
    if array.null_count:
        words[array.is_null().to_numpy(zero_copy_only=False)] = _MISSING
    words ^= salt
    return mix(words)


def fixed_values(array: pa.Array) -> NDArray[np.generic]:
    """The values of a column of numbers, dates or truth values; what missing cells hold is arbitrary."""
    type_ = array.type
    if pa.types.is_boolean(type_):
        array = array.cast(pa.uint8())
        type_ = array.type
    if pa.types.is_decimal128(type_):
        pairs: NDArray[np.generic] = np.frombuffer(array.buffers()[1], "<u8").reshape(-1, 2)
        return pairs[array.offset : array.offset + len(array)]
    kind = {"f": "<f", "u": "<u"}.get(_letter(type_), "<i")
    values = np.frombuffer(array.buffers()[1], np.dtype(f"{kind}{type_.bit_width // 8}"))
    return values[array.offset : array.offset + len(array)]


def _letter(type_: pa.DataType) -> str:
    if pa.types.is_floating(type_):
        return "f"
    return "u" if pa.types.is_unsigned_integer(type_) else "i"


def _of_values(array: pa.Array) -> Hashes:
    values = fixed_values(array)
    if values.ndim == 2:
        return mix(values[:, 0].astype(np.uint64)) ^ values[:, 1].astype(np.uint64)
    if values.dtype.kind == "f":
        numbers = values.astype(np.float64) + 0.0  # there is one zero
        return numbers.view(np.uint64)
    if values.dtype.kind == "u":
        return values.astype(np.uint64)
    return values.astype(np.int64).view(np.uint64)


def _of_text(array: pa.Array) -> Hashes:
    """Eight bytes of every cell at a time, all cells at once, until the longest is used up."""
    lengths, content = text_parts(array)
    starts = np.cumsum(lengths) - lengths
    hashes = (lengths.view(np.uint64) + np.uint64(1)) * _TEXT
    if not len(content):
        return hashes
    padded = np.zeros(len(content) + 8, np.uint8)
    padded[: len(content)] = content
    windows: Hashes = np.ndarray((len(content) + 1,), "<u8", padded, strides=(1,))
    active = np.flatnonzero(lengths)
    whole = len(active) == len(array)
    position = 0
    while len(active):
        if position >= _LONG_TEXT:
            _finish_long(hashes, active, content.tobytes(), starts, lengths)
            break
        left = lengths[active] - position if not whole or position else lengths
        words = windows[starts[active] + position] if not whole or position else windows[starts]
        short = np.flatnonzero(left < 8)
        words[short] &= (np.uint64(1) << (left[short].astype(np.uint64) * np.uint64(8))) - np.uint64(1)
        words ^= hashes[active] if not whole or position else hashes
        hashes[active] = mix(words)
        position += 8
        active = active[left > 8]
    return hashes


def _finish_long(
    hashes: Hashes,
    active: NDArray[np.int64],
    content: bytes,
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
) -> None:
    for index in active.tolist():
        rest = content[starts[index] + _LONG_TEXT : starts[index] + lengths[index]]
        hashes[index] ^= np.uint64(int.from_bytes(hashlib.blake2b(rest, digest_size=8).digest(), "little"))


def text_parts(array: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """The length of every cell, 0 where it is missing, and all bytes of the column one after the other."""
    if array.null_count:
        array = pc.fill_null(array, "")
    _, offsets, data = array.buffers()
    bounds = np.frombuffer(offsets, "<i4")[array.offset : array.offset + len(array) + 1].astype(np.int64)
    if data is None or not len(array) or bounds[0] == bounds[-1]:
        return np.zeros(len(array), np.int64), np.zeros(0, np.uint8)
    return np.diff(bounds), np.frombuffer(data, np.uint8)[bounds[0] : bounds[-1]]
