"""测速 names: written names altered by rule, looked for among as many known ones; all names are invented."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jobs.bench.match import Report, Row, timed
from profiles import tables
from profiles.identify import NameIndex
from profiles.names import normal_names
from profiles.sample.registry import industries

# Brands as registers have them: two to four characters, a few of them very common.
BRAND = "".join(chr(0x4E00 + 37 * n) for n in range(540))
TAILS = list("达信诺通瑞科维特恒源思创凯格合盛隆兴泰丰和源鑫宏伟华")
FORMS = ("有限公司", "有限责任公司", "股份有限公司", "集团有限公司")
FORM_SHARES = (0.62, 0.28, 0.08, 0.02)
MARKS = ("", " ", "·", "　")
Alter = Callable[[str, np.random.Generator], str]


def make_names(count: int, seed: int) -> list[str]:
    """造名称: `count` different names, region · brand · trade · form, the same for the same arguments."""
    rng = np.random.default_rng([seed, count])
    places = list(tables.division_names().values())
    regions = np.array(["", "天津", "天津市", "天津滨海", *places])
    trades = np.array(sorted({word for words in industries().words for word in words}))
    weight = 1 / (1 + np.arange(len(BRAND))) ** 0.6
    names: dict[str, None] = {}
    while len(names) < count:
        n = count
        brands = np.array(list(BRAND))[rng.choice(len(BRAND), size=(n, 2), p=weight / weight.sum())]
        tail = np.where(rng.random(n) < 0.4, np.array(TAILS)[rng.integers(len(TAILS), size=n)], "")
        near = np.where(rng.random(n) < 0.5, rng.integers(4, size=n), rng.integers(len(regions), size=n))
        parts = (regions[near], brands[:, 0], brands[:, 1], tail, trades[rng.integers(len(trades), size=n)],
                 np.array(FORMS)[rng.choice(len(FORMS), size=n, p=FORM_SHARES)])  # fmt: skip
        names.update(dict.fromkeys("".join(row) for row in zip(*(p.tolist() for p in parts), strict=True)))
    return list(names)[:count]


def alter_names(names: Sequence[str], seed: int) -> list[str]:
    """改名称: each name written as another department might: form, brackets, width, remark, one character wrong."""
    rng = np.random.default_rng([seed, len(names), 1])
    kinds = rng.integers(len(ALTERATIONS), size=len(names)).tolist()
    return [ALTERATIONS[kind](name, rng) for kind, name in zip(kinds, names, strict=True)]


def bench_names(count: int, seed: int, repeat: int) -> Report:
    """测速: build the index over `count` names and find the best five for each of as many written ones."""
    report = Report(count, 1)
    known = make_names(count, seed)
    written = alter_names(known, seed)
    NameIndex(known[:1000]).candidates(written[:1000])  # libraries loaded before the clock runs
    cpu = time.process_time()
    seconds, result = timed(repeat, lambda: NameIndex(known).candidates(written))
    found: Any = result
    report.facts["CPU 秒（每次）"] = (time.process_time() - cpu) / repeat
    report.rows.append(Row("huiqi 建索引并找候选", seconds))
    built, index = timed(1, lambda: NameIndex(known))
    report.rows.append(Row("其中建索引", built))
    del index
    normal = normal_names(known)
    first = [candidates[0][0] if candidates else -1 for candidates in found]
    right = [at >= 0 and (at == i or normal[at] == normal[i]) for i, at in enumerate(first)]
    five = [any(at == i for at, _ in candidates) or right[i] for i, candidates in enumerate(found)]
    report.facts["recall@1"] = sum(right) / count
    report.facts["recall@5"] = sum(five) / count
    if report.facts["recall@1"] < 0.98:
        report.problems.append(f"recall@1 只有 {report.facts['recall@1']:.4f}，应当不低于 0.98")
    return report


def _form(name: str, rng: np.random.Generator) -> str:
    if name.endswith("有限责任公司"):
        return name.removesuffix("有限责任公司") + "有限公司"
    return name.removesuffix("有限公司") + "有限责任公司"


def _bracket(name: str, rng: np.random.Generator) -> str:
    return f"（{name[:2]}）{name[2:]}"


def _remark(name: str, rng: np.random.Generator) -> str:
    return f"{name}（曾用名：{name[-9:-4]}商行）"


def _wide(name: str, rng: np.random.Generator) -> str:
    at = int(rng.integers(2, len(name) - 4))
    return name[:at] + MARKS[int(rng.integers(len(MARKS)))] + name[at:] + " "


def _drop(name: str, rng: np.random.Generator) -> str:
    at = int(rng.integers(1, len(name) - 4))
    return name[:at] + name[at + 1 :]


def _wrong(name: str, rng: np.random.Generator) -> str:
    at = int(rng.integers(1, len(name) - 4))
    return name[:at] + BRAND[int(rng.integers(len(BRAND)))] + name[at + 1 :]


def _region(name: str, rng: np.random.Generator) -> str:
    return name.removeprefix("天津市") if name.startswith("天津市") else "天津市" + name


ALTERATIONS: tuple[Alter, ...] = (_form, _bracket, _remark, _wide, _drop, _wrong, _region)
