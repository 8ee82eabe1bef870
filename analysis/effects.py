"""政策影响: before and after a change: who comes, who goes, for how much, and against which budget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.night import CODE, NAME, View
from engine.columns import Columns
from store.grants import find

GROUPS = {"行业门类": "industry", "企业规模": "size", "登记地区划": "district"}
UNKNOWN = "（无数据）"


@dataclass(frozen=True)
class Impact:
    """影响: `firms` one row a firm that changes; `groups` by industry, size and district; sums in yuan."""

    item: str
    title: str
    firms: pd.DataFrame
    groups: pd.DataFrame
    before: dict[str, float]
    after: dict[str, float]
    budget: float | None
    promised: pd.DataFrame

    @property
    def gained(self) -> pd.DataFrame:
        """新符合的企业."""
        return self.firms[self.firms["变化"] == "新符合"]

    @property
    def lost(self) -> pd.DataFrame:
        """不再符合的企业."""
        return self.firms[self.firms["变化"] == "不再符合"]

    def as_dict(self) -> dict[str, Any]:
        """机器可读."""
        return {
            "item": self.item, "before": self.before, "after": self.after, "budget": self.budget,
            "gained": self.gained[CODE].tolist(), "lost": self.lost[CODE].tolist(),
            "changed": self.firms.loc[self.firms["变化"] == "金额变", CODE].tolist(),
            "promised": self.promised[CODE].tolist(),
        }  # fmt: skip

    def words(self) -> str:
        """一句话."""
        b, a = self.before, self.after
        text = (
            f"{self.title}：符合 {b['fits']:.0f} → {a['fits']:.0f} 家（新 {len(self.gained)}，退 {len(self.lost)}），"
            f"待核实 {b['open']:.0f} → {a['open']:.0f} 家，应付 {_wan(b)} → {_wan(a)} 万元"
        )
        if self.budget:
            text += f"，占预算 {b['high'] / self.budget:.0%} → {a['high'] / self.budget:.0%}"
        if len(self.promised):
            text += f"；已告知或在办的 {len(self.promised)} 家会受损"
        return text

    def _repr_html_(self) -> str:
        from analysis.charts import impact_chart, svg

        return f"<p>{self.words()}</p>{svg(impact_chart(self))}{self.firms.to_html(index=False)}"


def compare(before: View, after: View, item: str) -> Impact:
    """比较: the same item in two views of one night. Raises ValueError for views of different data."""
    if before.night.run.profiles_hash != after.night.run.profiles_hash:
        raise ValueError("两边的企业数据不是同一份，比较不出规则的影响")
    b, a = before.hits(item), after.hits(item)
    frame = b[[CODE, NAME]].copy()
    frame["原结论"], frame["新结论"] = b["verdict"], a["verdict"]
    for name in ("paid_low", "paid_high"):
        frame[f"原{name}"], frame[f"新{name}"] = b[name], a[name]
    was, now = (b["verdict"] == "符合").to_numpy(), (a["verdict"] == "符合").to_numpy()
    money = ~np.isclose(b["paid_high"], a["paid_high"], equal_nan=True) | ~np.isclose(
        b["paid_low"], a["paid_low"], equal_nan=True
    )
    other = (b["verdict"] != a["verdict"]).to_numpy()
    kinds = [now & ~was, was & ~now, was & now & money, other]
    frame["变化"] = np.select(kinds, ["新符合", "不再符合", "金额变", "待核实变"], "")
    for label in GROUPS:
        frame[label] = _labels(before.columns, label)
    batch = after.bound(item).batch
    return Impact(
        item, after.program(item).item.title,
        frame[frame["变化"] != ""].drop(columns=list(GROUPS)).rename(columns=_money_name).reset_index(drop=True),
        _by_group(frame, was, now), _sums(b), _sums(a), batch.budget, _promised(before, item, batch.name, frame),
    )  # fmt: skip


def _money_name(name: str) -> str:
    return name.replace("paid_low", "应付低").replace("paid_high", "应付高")


def _labels(columns: Columns, name: str) -> np.ndarray:
    cats = columns.category(name, None)
    return np.array([*cats.names, UNKNOWN], object)[cats.codes]


def _by_group(frame: pd.DataFrame, was: np.ndarray, now: np.ndarray) -> pd.DataFrame:
    parts = []
    for label in GROUPS:
        table = pd.DataFrame(
            {"组": frame[label], "原符合": was, "新符合": now,
             "原应付高": frame["原paid_high"].fillna(0.0), "新应付高": frame["新paid_high"].fillna(0.0)}
        ).groupby("组", as_index=False).sum()  # fmt: skip
        table.insert(0, "按", label)
        parts.append(table[(table["原符合"] > 0) | (table["新符合"] > 0)])
    return pd.concat(parts, ignore_index=True)


def _sums(hits: pd.DataFrame) -> dict[str, float]:
    fits = hits[hits["verdict"] == "符合"]
    return {
        "fits": float(len(fits)),
        "open": float((hits["verdict"] == "待核实").sum()),
        "low": float(fits["paid_low"].sum()),
        "high": float(fits["paid_high"].sum()),
        "unknown_amounts": float(fits["paid_high"].isna().sum()),
    }


def _promised(view: View, item: str, batch: str, frame: pd.DataFrame) -> pd.DataFrame:
    """已承诺受损: firms with a grant under way that no longer fit or get less."""
    cases = {c.code: c.state for c in find(view.night.engine, item=item, batch=batch)}
    less = frame["新paid_high"].fillna(0.0) < frame["原paid_high"].fillna(0.0) - 0.005
    hurt = frame[(less | (frame["变化"] == "不再符合")) & frame[CODE].isin(list(cases))]
    out = hurt[[CODE, NAME, "原结论", "新结论", "原paid_high", "新paid_high"]].rename(columns=_money_name)
    out["办理状态"] = [cases[c] for c in hurt[CODE]]
    return out.reset_index(drop=True)


def _wan(sums: dict[str, float]) -> str:
    return f"{sums['low'] / 1e4:,.2f}–{sums['high'] / 1e4:,.2f}"
