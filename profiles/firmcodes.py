"""Arrow 列: codes that become texts only where somebody reads them, and numbers without a copy."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


class FirmCodes(Sequence[str]):
    """企业代码列: a sequence of texts over an Arrow column without nulls; a million Python texts are made when asked for."""

    def __init__(self, column: pa.Array):
        self.arrow = column

    @cached_property
    def _texts(self) -> list[str]:
        return self.arrow.to_pylist()

    def __len__(self) -> int:
        return len(self.arrow)

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[str]: ...
    def __getitem__(self, at: Any) -> Any:
        if not isinstance(at, slice):
            return self._texts[at] if "_texts" in self.__dict__ else self.arrow[int(at)].as_py()
        start, stop, step = at.indices(len(self))
        return FirmCodes(self.arrow.slice(start, max(stop - start, 0))) if step == 1 else self._texts[at]

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def take(self, rows: np.ndarray) -> FirmCodes:
        """取行."""
        return FirmCodes(self.arrow.take(pa.array(rows)))

    def __contains__(self, code: object) -> bool:
        return code in self._texts


def arrow_codes(codes: Sequence[str]) -> pa.Array:
    """企业代码 as an Arrow column, taken as it is where it is one."""
    return codes.arrow if isinstance(codes, FirmCodes) else pa.array(list(codes), pa.string())


def all_distinct(column: pa.Array) -> bool:
    """没有缺的和重的: whether every code is there, not empty and different from the rest; may say no too often, never yes."""
    if not len(column):
        return True
    if column.null_count or pc.min(pc.binary_length(column)).as_py() == 0:
        return False
    marks = _marks(column)
    if marks is None:
        return pc.count_distinct(column).as_py() == len(column)
    marks.sort()
    return bool((marks[1:] != marks[:-1]).all())


def text_marks(column: pa.Array) -> np.ndarray:
    """代码的数: 64 well mixed bits a text, the same for equal texts whatever stands beside them."""
    if not len(column):
        return np.zeros(0, np.uint64)
    texts = column.to_pylist() if (marks := _marks(column)) is None else None
    if texts is not None:
        return np.array([_mark_of(t) for t in texts], np.uint64)
    assert marks is not None
    with np.errstate(over="ignore"):
        mixed = (marks ^ (marks >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
        return mixed ^ (mixed >> np.uint64(32))


def _mark_of(text: str) -> np.uint64:
    one = pa.array([text])
    return text_marks(one)[0] if text else np.uint64(0)


def _marks(column: pa.Array) -> np.ndarray | None:
    """A number of 64 bits a text, equal for equal texts, where all texts have one length; sorting numbers is far quicker
    than hashing texts."""
    _, offsets, data = column.buffers()
    if column.type != pa.string() or data is None:
        return None
    ends = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1]
    size = int(ends[1] - ends[0])
    if not (np.diff(ends) == size).all():
        return None
    letters = np.frombuffer(data, np.uint8)[ends[0] : ends[-1]].reshape(-1, size)
    wide = np.zeros((len(column), (size + 7) // 8 * 8), np.uint8)
    wide[:, :size] = letters
    out = np.zeros(len(column), np.uint64)
    with np.errstate(over="ignore"):
        for word in wide.view(np.uint64).T:
            out = (out ^ word) * np.uint64(0x9E3779B97F4A7C15)
            out ^= out >> np.uint64(29)
    return out


def floats_of(column: pa.ChunkedArray) -> np.ndarray:
    """数值列: float64 with NaN for null, in Arrow's own memory where it is one piece that may be written.

    What stands in a null's place means nothing to Arrow, so NaN may: hundreds of fresh megabytes cost more than reading.
    """
    if column.num_chunks != 1 or not column.null_count:
        return column.to_numpy()
    piece = column.chunk(0)
    known, data = piece.buffers()
    if not data.is_mutable or piece.offset:
        return column.to_numpy()
    memory = (ctypes.c_double * len(piece)).from_address(data.address)
    memory.owner = data  # type: ignore[attr-defined]  # keeps Arrow's memory as long as the array that looks at it
    values = np.ctypeslib.as_array(memory)
    bits = np.unpackbits(np.frombuffer(known, np.uint8), count=len(piece), bitorder="little")
    values[bits == 0] = np.nan
    return values


def codes_of(indices: pa.Array) -> np.ndarray:
    """类别码: int32 of whole numbers, -1 for null. Arrow's own functions for that load pandas, where it is installed, to ask
    whether what they are given is pandas's: a third of a second."""
    known = indices.buffers()[0]
    if not indices.null_count or known is None:
        return indices.to_numpy(zero_copy_only=False).astype(np.int32)
    width = indices.type.bit_width // 8
    kind = "u" if pa.types.is_unsigned_integer(indices.type) else "i"
    places = np.frombuffer(indices.buffers()[1], f"{kind}{width}", len(indices), indices.offset * width)
    bits = np.unpackbits(np.frombuffer(known, np.uint8), bitorder="little")
    codes = places.astype(np.int32)
    codes[bits[indices.offset : indices.offset + len(indices)] == 0] = -1
    return codes
