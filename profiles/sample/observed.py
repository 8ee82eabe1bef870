"""样例可见数据: what the departments know of the truth: whole firms missing, cells missing, amounts rounded."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from profiles.sample.departments import SHEETS, Field, Sheet
from profiles.sample.facts import CODE, Sample

NAME = "企业名称"


@dataclass(frozen=True)
class Observed:
    """可见数据: `frame` like the truth with what no department knows left empty; `known` marks a source's firms."""

    frame: pd.DataFrame
    lists: dict[str, pd.DataFrame]
    known: dict[str, np.ndarray]


def _rng(sample: Sample, word: str) -> np.random.Generator:
    return np.random.default_rng([sample.seed, zlib.crc32(word.encode())])


def observe(sample: Sample) -> Observed:
    """可见数据: the departments' knowledge, the same for the same sample; the code and name are always there."""
    truth = sample.truth
    columns: dict[str, object] = {CODE: truth[CODE], NAME: truth[NAME]}
    known = {}
    for sheet in SHEETS:
        rng = _rng(sample, sheet.source)
        if sheet.subject:
            continue
        there = _firms_of(sheet, truth, rng)
        known[sheet.source] = there
        for name, field in _columns_of(sheet):
            blank = ~there | (rng.random(len(truth)) < field.gap)
            columns[name] = as_told(truth[name], field).mask(blank)
    lists = {}
    for sheet in SHEETS:
        if sheet.subject:
            rows = sample.lists[sheet.subject].copy()
            for field in sheet.fields:
                rows[field.indicator] = as_told(rows[field.indicator], field)
            lists[sheet.subject] = rows
    return Observed(pd.DataFrame(columns), lists, known)


def _columns_of(sheet: Sheet) -> list[tuple[str, Field]]:
    years = [f"@{year}" for year in sheet.years] or [""]
    return [(field.indicator + year, field) for year in years for field in sheet.fields]


def _firms_of(sheet: Sheet, truth: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    there = rng.random(len(truth)) < sheet.coverage
    if sheet.only and sheet.only in truth.columns and sheet.shape == "long":
        there &= marked(truth[sheet.only])
    return there


def marked(column: pd.Series) -> np.ndarray:
    """有此标记: a date or text that is there, a flag that is true, a number above zero."""
    if column.dtype == "boolean":
        return column.fillna(False).to_numpy(dtype=bool)
    if pd.api.types.is_numeric_dtype(column):
        return (column.fillna(0) > 0).to_numpy(dtype=bool)
    return column.notna().to_numpy(dtype=bool)


def as_told(column: pd.Series, field: Field) -> pd.Series:
    """按部门口径取整: amounts in 万元 carry two decimals, percentages two."""
    if field.unit == "万元":
        return (column / 100).round() * 100
    return column.round(4) if field.unit == "%" else column
