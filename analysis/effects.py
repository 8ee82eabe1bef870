"""政策影响: before and after a change: who comes, who goes, for how much, and against which budget."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from analysis.groups import GROUPS, group_labels, group_name
from analysis.night import CODE, HALF_A_FEN, NAME, View
from analysis.promises import OFFERED, in_words, promised
from analysis.reasons import reasons
from store.database import Engine

KINDS = ("新符合", "不再符合", "金额变", "待核实变")


@dataclass(frozen=True)
class Limits:
    """审批限额: a change beyond any of them needs a leader's approval before it is published.

    `lost` firms that no longer fit, `yuan` more in highest payable money, `over_budget` share of the batch's budget,
    `promised` firms already told or under way that would lose.

    >>> Limits(lost=10).lost
    10
    """

    lost: int = 0
    yuan: float = 1_000_000
    over_budget: float = 1.0
    promised: int = 0


@dataclass(frozen=True, repr=False)
class Impact:
    """影响: `firms` one row a firm that changes, with the reason, the most money first; `groups` by industry, size and
    district with their official names; `promised` who was told or is under way and would lose; sums in yuan; `offered`
    whether telling a firm of the item promises it anything.

    >>> compare(view, view, "bs-2025-06/rd-intensity").words().startswith("研发投入强度奖励：符合")
    True
    """

    item: str
    title: str
    batch: str
    firms: pd.DataFrame
    groups: pd.DataFrame
    before: dict[str, float]
    after: dict[str, float]
    budget: float | None
    promised: pd.DataFrame
    offered: bool = True

    @cached_property
    def gained(self) -> pd.DataFrame:
        """新符合的企业.

        >>> lower = view.with_rule("bs-2025-06/rd-intensity", conditions={"rd_scale": "研发费用[Y] >= 100万元"})
        >>> len(compare(view, lower, "bs-2025-06/rd-intensity").gained) > 0
        True
        """
        return self.firms[self.firms["变化"] == "新符合"]

    @cached_property
    def lost(self) -> pd.DataFrame:
        """不再符合的企业.

        >>> higher = view.with_rule("bs-2025-06/rd-intensity", conditions={"rd_scale": "研发费用[Y] >= 900万元"})
        >>> set(compare(view, higher, "bs-2025-06/rd-intensity").lost["变化"])
        {'不再符合'}
        """
        return self.firms[self.firms["变化"] == "不再符合"]

    def promised_by(self, engine: Engine) -> Impact:
        """重查承诺: the same change against what was told and the grants as they stand in the store now.

        >>> compare(view, view, "bs-2025-06/rd-intensity").promised_by(view.night.engine).promised.empty
        True
        """
        found = replace(self, promised=promised(engine, self.item, self.batch, self.firms, self.offered))
        found.__dict__.update(gained=self.gained, lost=self.lost)  # no grant has a say in them
        return found

    def approval(self, limits: Limits | None = None) -> list[str]:
        """要领导批准的理由: one sentence each where the change goes beyond a limit; empty where none does.

        >>> compare(view, view, "bs-2025-06/rd-intensity").approval()
        []
        """
        limits = limits or Limits()
        more = self.after["high"] - self.before["high"]
        share = self.after["high"] / self.budget if self.budget else 0.0
        out = []
        if len(self.lost) > limits.lost:
            out.append(f"{len(self.lost)} 家不再符合，限额是 {limits.lost} 家")
        if more > limits.yuan:
            out.append(f"应付最多增加 {more / 1e4:,.2f} 万元，限额是 {limits.yuan / 1e4:,.2f} 万元")
        if share > limits.over_budget and more > 0:
            out.append(f"应付最多占预算的 {share:.0%}，限额是 {limits.over_budget:.0%}")
        if len(self.promised) > limits.promised:
            out.append(f"{in_words(self.promised)}，限额是 {limits.promised} 家")
        return out

    def summary(self) -> dict[str, float]:
        """几家几元: counts of firms, and highest payable money in yuan as far as it is known.

        >>> compare(view, view, "bs-2025-06/rd-intensity").summary()["多出"]
        0
        """
        kept = self.firms[self.firms["变化"] == "金额变"]
        return {
            "原符合": int(self.before["fits"]), "新符合": int(self.after["fits"]), "多出": len(self.gained),
            "少掉": len(self.lost), "金额变": len(kept), "多出金额": float(self.gained["新应付高"].sum()),
            "少掉金额": float(self.lost["原应付高"].sum()),
            "金额变动": float(kept["新应付高"].sum() - kept["原应付高"].sum()),
            "待核实增减": int(self.after["open"] - self.before["open"]), "原应付": self.before["high"],
            "新应付": self.after["high"],
        }  # fmt: skip

    def as_dict(self) -> dict[str, Any]:
        """机器可读.

        >>> sorted(compare(view, view, "bs-2025-06/rd-intensity").as_dict())[:3]
        ['after', 'approval', 'before']
        """
        return {
            "item": self.item, "before": self.before, "after": self.after, "budget": self.budget,
            "gained": self.gained[CODE].tolist(), "lost": self.lost[CODE].tolist(),
            "changed": self.firms.loc[self.firms["变化"] == "金额变", CODE].tolist(),
            "promised": self.promised[CODE].tolist(), "promised_firms": self.promised.to_dict("records"),
            "approval": self.approval(),
            "groups": self.groups.to_dict("records"), "firms": self.firms.to_dict("records"),
        }  # fmt: skip

    def words(self) -> str:
        """一句话.

        >>> "应付" in compare(view, view, "bs-2025-06/rd-intensity").words()
        True
        """
        b, a = self.before, self.after
        text = (
            f"{self.title}：符合 {b['fits']:.0f} → {a['fits']:.0f} 家（新 {len(self.gained)}，退 {len(self.lost)}），"
            f"待核实 {b['open']:.0f} → {a['open']:.0f} 家，应付 {_wan(b)} → {_wan(a)} 万元"
        )
        if self.budget:
            text += f"，占预算 {b['high'] / self.budget:.0%} → {a['high'] / self.budget:.0%}"
        return "；".join([text, *self.remarks()])

    def remarks(self) -> list[str]:
        """要留意的: promises that would be broken, sums that only cuts moved, firms that gain a match but no money.

        >>> compare(view, view, "bs-2025-06/rd-intensity").remarks()
        []
        """
        out = []
        if hurt := in_words(self.promised):
            out.append(hurt)
        if n := int(self.firms["只因核减"].sum()):
            out.append(f"{n} 家的金额只因额度核减或就高而变，标准没有变")
        if empty := int((self.gained["新应付高"].fillna(0.0) == 0).sum()):
            out.append(f"新进的 {empty} 家没有钱可发：奖补标准够不着他们，要不要一起改标准")
        if unknown := int(self.after["unknown_amounts"]):
            out.append(f"改后符合的 {unknown} 家金额待定，没有算进应付")
        return out

    __repr__ = words

    def _repr_html_(self) -> str:
        from analysis.charts import impact_chart, svg
        from analysis.tables import show

        parts = [f"<p>{self.words()}</p>", svg(impact_chart(self))]
        parts += [f"<p>要领导批准：{why}</p>" for why in self.approval()]
        tables = [
            ("分行业、规模、区域", self.groups, 40),
            ("变化的企业", self.firms.drop(columns=["原应付低", "新应付低", "只因核减"]), 10),
            ("已承诺受损", self.promised, 10),
        ]
        parts += [
            f"<h4>{title}</h4>{show(frame, rows)._repr_html_()}"
            for title, frame, rows in tables
            if len(frame)
        ]
        return "".join(parts)


def compare(before: View, after: View, item: str) -> Impact:
    """比较: the same item in two views of one night; where one of them lacks it, nobody fits there.

    Raises ValueError for views of different data, or an item without an open batch in both.

    >>> impact = compare(view, view, "bs-2025-06/rd-intensity")
    >>> len(impact.gained), len(impact.lost)
    (0, 0)
    """
    if before.night.run.profiles_hash != after.night.run.profiles_hash:
        raise ValueError("两边的企业数据不是同一份，比较不出规则的影响")
    stands = next((v for v in (after, before) if v.live(item)), None)
    if stands is None:
        raise ValueError(f"{item} 在 {after.night.as_of} 没有在办的批次")
    b, a = _side(before, item, stands), _side(after, item, stands)
    frame = b[[CODE, NAME]].copy()
    frame["原结论"], frame["新结论"] = b["verdict"], a["verdict"]
    for name in ("paid_low", "paid_high"):
        # who does not qualify gets nothing: that is known, not 待定
        frame[f"原{name}"] = b[name].where(b["verdict"] != "不符合", 0.0)
        frame[f"新{name}"] = a[name].where(a["verdict"] != "不符合", 0.0)
    was, now = (b["verdict"] == "符合").to_numpy(), (a["verdict"] == "符合").to_numpy()
    money = ~(_alike(b, a, "paid_high") & _alike(b, a, "paid_low"))
    other = (b["verdict"] != a["verdict"]).to_numpy()
    kinds = [now & ~was, was & ~now, was & now & money, other]
    frame["变化"] = np.select(kinds, KINDS, "")
    frame["只因核减"] = (frame["变化"] == "金额变") & _alike(b, a, "high") & _alike(b, a, "low")
    for label in GROUPS:
        frame[label] = group_labels(before.columns, label)
    batch = stands.bound(item).batch
    moved = frame[frame["变化"] != ""].drop(columns=[*GROUPS])
    moved["原因"] = reasons(before, after, item, moved)
    firms = _by_money(moved.rename(columns=_money_name))
    offered = stands.program(item).item.category in OFFERED
    return Impact(
        item, stands.program(item).item.title, batch.name, firms, _by_group(frame, was, now), _sums(b), _sums(a),
        batch.budget, promised(before.night.engine, item, batch.name, firms, offered), offered,
    )  # fmt: skip


def _alike(before: pd.DataFrame, after: pd.DataFrame, sums: str) -> np.ndarray:
    """The same to the fen, or unknown on both sides."""
    return np.isclose(before[sums], after[sums], rtol=0.0, atol=HALF_A_FEN, equal_nan=True)


def _by_money(firms: pd.DataFrame) -> pd.DataFrame:
    """The greatest change of money first, then the greatest sum; unknown sums after known ones."""
    moved = (firms["新应付高"].fillna(0.0) - firms["原应付高"].fillna(0.0)).abs()
    order = firms.assign(_moved=moved, _sum=firms[["原应付高", "新应付高"]].max(axis=1).fillna(0.0))
    order = order.sort_values(["_moved", "_sum", CODE], ascending=[False, False, True], kind="stable")
    return order.drop(columns=["_moved", "_sum"]).reset_index(drop=True)


def _side(view: View, item: str, stands: View) -> pd.DataFrame:
    """The item's answers in a view; all 不符合 without money where it isn't there."""
    if view.live(item):
        return view.amounts(item)
    frame = stands.amounts(item).copy()
    frame["verdict"] = "不符合"
    frame[["low", "high", "paid_low", "paid_high"]] = np.nan
    return frame


def _money_name(name: str) -> str:
    return name.replace("paid_low", "应付低").replace("paid_high", "应付高")


def _by_group(frame: pd.DataFrame, was: np.ndarray, now: np.ndarray) -> pd.DataFrame:
    parts = []
    for label in GROUPS:
        table = pd.DataFrame(
            {"组": frame[label], "原符合": was, "新符合": now, "进": now & ~was, "出": was & ~now,
             "原应付高": frame["原paid_high"].fillna(0.0), "新应付高": frame["新paid_high"].fillna(0.0)}
        ).groupby("组", as_index=False).sum()  # fmt: skip
        table.insert(1, "名称", [group_name(label, code) for code in table["组"]])
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


def _wan(sums: dict[str, float]) -> str:
    return f"{sums['low'] / 1e4:,.2f}–{sums['high'] / 1e4:,.2f}"
