"""分组: by which firms are looked at, and the official name beside every code."""

from __future__ import annotations

import numpy as np

from engine.columns import Columns
from engine.kinds import CODE, TEXT
from profiles.tables import bare_code, division_names, industry_names

GROUPS = ("行业门类", "企业规模", "登记地区划")
NO_DATA = "（无数据）"


def group_labels(columns: Columns, name: str) -> np.ndarray:
    """分组: each firm's value of a text or code indicator, shape (firms,). Raises ValueError for another kind.

    >>> len(group_labels(view.columns, "企业规模")) == len(view.columns)
    True
    """
    spec = columns.dictionary.get(name)
    if spec is None or spec.yearly or spec.kind not in (TEXT, CODE):
        raise ValueError(f"“{name}”不是可以分组的文字或代码指标，例如 企业规模、行业门类、登记地区划")
    cats = columns.category(name, None)
    return np.array([*cats.names, NO_DATA], object)[cats.codes]


def group_name(indicator: str, code: str) -> str:
    """名称 of a code by the official tables (GB/T 4754—2017, 行政区划); "" where the value speaks for itself or none is known.

    >>> group_name("行业门类", "C"), group_name("登记地区划", "120116"), group_name("企业规模", "小型")
    ('制造业', '滨海新区', '')
    """
    if "区划" in indicator:
        return division_names().get(code) or division_names().get(code[:6], "")
    return industry_names().get(bare_code(code), "") if "行业" in indicator else ""


def group_title(indicator: str, code: str) -> str:
    """代码和名称: as a head or a label shows them.

    >>> group_title("行业门类", "C"), group_title("企业规模", "小型")
    ('C 制造业', '小型')
    """
    return f"{code} {group_name(indicator, code)}".strip()
