"""整份文件的影响: every item that a new or changed document touches, and what they come to together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from analysis.effects import Impact, Limits, compare
from analysis.night import CODE, NAME, View
from analysis.promises import in_words
from store.database import Engine

FIRM_HEADS = [CODE, NAME, "事项数", "原应付高", "新应付高", "变化"]
GROUP_HEADS = ["按", "组", "名称", "原符合", "新符合", "进", "出", "原应付高", "新应付高"]


@dataclass(frozen=True, repr=False)
class Impacts:
    """整份文件的影响: one Impact an item that differs between two views.

    >>> len(compare_all(view, view).parts)
    0
    """

    parts: tuple[Impact, ...]

    @property
    def title(self) -> str:
        """标题.

        >>> compare_all(view, view).title
        '0 个事项'
        """
        return f"{len(self.parts)} 个事项"

    @property
    def table(self) -> pd.DataFrame:
        """一事项一行: firms before and after, who comes and goes, money in yuan, the share of the budget.

        >>> lower = view.with_rule("bs-2025-06/rd-intensity", conditions={"rd_scale": "研发费用[Y] >= 100万元"})
        >>> compare_all(view, lower).table["出"].tolist()
        [0]
        """
        rows = [
            {"事项": p.item, "名称": p.title, "原符合": int(p.before["fits"]), "新符合": int(p.after["fits"]),
             "进": len(p.gained), "出": len(p.lost), "原应付高": p.before["high"], "新应付高": p.after["high"],
             "预算": p.budget or float("nan"), "原占预算": _share(p.before, p), "新占预算": _share(p.after, p),
             "已承诺受损": len(p.promised)}
            for p in self.parts
        ]  # fmt: skip
        return pd.DataFrame(rows)

    @cached_property
    def changes(self) -> pd.DataFrame:
        """一企业一事项一行: who comes and goes where, for how much, and why; the most money first within an item.

        >>> lower = view.with_rule("bs-2025-06/rd-intensity", conditions={"rd_scale": "研发费用[Y] >= 100万元"})
        >>> len(compare_all(view, lower).changes) == len(compare(view, lower, "bs-2025-06/rd-intensity").firms)
        True
        """
        moved = [p.firms.assign(事项=p.item, 名称=p.title) for p in self.parts if len(p.firms)]
        return pd.concat(moved, ignore_index=True) if moved else pd.DataFrame()

    @cached_property
    def firms(self) -> pd.DataFrame:
        """一企业一行: what each firm wins or loses over all items and why, highest amounts in yuan; the greatest change first.

        >>> lower = view.with_rule("bs-2025-06/rd-intensity", conditions={"rd_scale": "研发费用[Y] >= 100万元"})
        >>> compare_all(view, lower).firms["统一社会信用代码"].is_unique
        True
        """
        if not len(self.changes):
            return pd.DataFrame(columns=FIRM_HEADS)
        every = self.changes.copy()
        every["变化"] = every["名称"] + "：" + every["变化"] + "（" + every["原因"] + "）"
        by = every.groupby([CODE, NAME], as_index=False, dropna=False)
        found = by.agg(
            事项数=("事项", "nunique"), 原应付高=("原应付高", _known_sum), 新应付高=("新应付高", _known_sum),
            变化=("变化", "；".join),
        )  # fmt: skip
        moved = (found["新应付高"].fillna(0.0) - found["原应付高"].fillna(0.0)).abs()
        order = found.assign(_moved=moved).sort_values(["_moved", CODE], ascending=[False, True])
        return order.drop(columns="_moved").reset_index(drop=True)

    @cached_property
    def groups(self) -> pd.DataFrame:
        """分行业、规模、区域: over all items; a firm that two items touch counts twice (家次).

        >>> lower = view.with_rule("bs-2025-06/rd-intensity", conditions={"rd_scale": "研发费用[Y] >= 100万元"})
        >>> list(dict.fromkeys(compare_all(view, lower).groups["按"]))
        ['行业门类', '企业规模', '登记地区划']
        """
        parts = [p.groups for p in self.parts]
        if not parts:
            return pd.DataFrame(columns=GROUP_HEADS)
        every = pd.concat(parts, ignore_index=True)
        order = {label: n for n, label in enumerate(dict.fromkeys(every["按"]))}
        sums = every.groupby(["按", "组", "名称"], as_index=False).sum(numeric_only=True)
        return sums.sort_values("按", key=lambda s: s.map(order), kind="stable", ignore_index=True)

    @property
    def groups_by_item(self) -> pd.DataFrame:
        """逐事项分行业、规模、区域.

        >>> lower = view.with_rule("bs-2025-06/rd-intensity", conditions={"rd_scale": "研发费用[Y] >= 100万元"})
        >>> set(compare_all(view, lower).groups_by_item["事项"])
        {'bs-2025-06/rd-intensity'}
        """
        parts = [p.groups.assign(事项=p.item)[["事项", *p.groups.columns]] for p in self.parts]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["事项", *GROUP_HEADS])

    @property
    def promised(self) -> pd.DataFrame:
        """已承诺受损: firms told of money or with a grant under way that would get less, one row a firm and item.

        >>> lower = view.with_rule("bs-2025-06/rd-intensity", conditions={"rd_scale": "研发费用[Y] >= 100万元"})
        >>> len(compare_all(view, lower).promised)
        0
        """
        parts = [p.promised.assign(事项=p.title) for p in self.parts if len(p.promised)]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()

    def promised_by(self, engine: Engine) -> Impacts:
        """重查承诺: the same changes against what was told and the grants as they stand in the store now; what was made of them is kept.

        >>> compare_all(view, view).promised_by(view.night.engine).parts
        ()
        """
        found = Impacts(tuple(p.promised_by(engine) for p in self.parts))
        found.__dict__.update(changes=self.changes, firms=self.firms, groups=self.groups)
        return found

    def approval(self, limits: Limits | None = None) -> list[str]:
        """要领导批准的理由, each with its item; and of the whole where no single item is beyond a limit but all together are.

        >>> compare_all(view, view).approval()
        []
        """
        limits = limits or Limits()
        out = [f"{p.title}：{why}" for p in self.parts for why in p.approval(limits)]
        more = sum(p.after["high"] - p.before["high"] for p in self.parts)
        gone = len({code for p in self.parts for code in p.lost[CODE]})
        if more > limits.yuan and not any("应付最多增加" in why for why in out):
            out.append(f"整份文件应付最多增加 {more / 1e4:,.2f} 万元，限额是 {limits.yuan / 1e4:,.2f} 万元")
        if gone > limits.lost and not any("家不再符合" in why for why in out):
            out.append(f"整份文件有 {gone} 家不再符合某一项，限额是 {limits.lost} 家")
        return out

    def as_dict(self) -> dict[str, Any]:
        """机器可读.

        >>> compare_all(view, view).as_dict()["items"]
        []
        """
        return {
            "items": [p.as_dict() for p in self.parts],
            "groups": self.groups.to_dict("records"),
            "approval": self.approval(),
        }

    def words(self) -> str:
        """一句话.

        >>> compare_all(view, view).words()
        '没有一个事项有变化'
        """
        if not self.parts:
            return "没有一个事项有变化"
        low, high = (sum(p.before["high"] for p in self.parts), sum(p.after["high"] for p in self.parts))
        text = (
            f"{self.title}有变化：进 {sum(len(p.gained) for p in self.parts)} 家次，"
            f"出 {sum(len(p.lost) for p in self.parts)} 家次，应付最多 {low / 1e4:,.2f} → {high / 1e4:,.2f} 万元"
        )
        was, now = sum(p.before["open"] for p in self.parts), sum(p.after["open"] for p in self.parts)
        text += f"；待核实 {was:.0f} → {now:.0f} 家次" if was != now else ""
        hurt = in_words(self.promised, "家次")
        return f"{text}；{hurt}" if hurt else text

    __repr__ = words

    def _repr_html_(self) -> str:
        from analysis.charts import impact_chart, svg
        from analysis.tables import show

        if not self.parts:
            return f"<p>{self.words()}</p>"
        parts = [f"<p>{self.words()}</p>", svg(impact_chart(self))]
        parts += [f"<p>要领导批准：{why}</p>" for why in self.approval()]
        tables = [("逐事项", self.table, 40), ("分行业、规模、区域（家次）", self.groups, 40), ("变化的企业", self.firms, 10),
                  ("已承诺受损", self.promised, 10)]  # fmt: skip
        parts += [
            f"<h4>{title}</h4>{show(frame, rows)._repr_html_()}"
            for title, frame, rows in tables
            if len(frame)
        ]
        return "".join(parts)


def compare_all(before: View, after: View) -> Impacts:
    """比较全部: every item that is changed, added or gone between two views of one night and whose answer differs.

    >>> lower = view.with_rule("bs-2025-06/rd-intensity", conditions={"rd_scale": "研发费用[Y] >= 100万元"})
    >>> [p.item for p in compare_all(view, lower).parts]
    ['bs-2025-06/rd-intensity']
    """
    touched = sorted({*before.changed, *after.changed, *before.gone, *after.gone})
    live = [i for i in touched if before.live(i) or after.live(i)]
    other = {i for i in live if not _same(before, after, i)}
    found = [compare(before, after, i) for i in live if not other.isdisjoint(_deciding(before, after, i))]
    return Impacts(tuple(p for p in found if len(p.firms)))


def _same(before: View, after: View, item: str) -> bool:
    """Whether the item reads the same in both views: then its matches are the same, without being reckoned."""
    return before.live(item) and after.live(item) and before.program(item) == after.program(item)


def _deciding(before: View, after: View, item: str) -> set[str]:
    """The item and those that decide with it what it pays, in either view."""
    return {item, *(p for view in (before, after) if view.live(item) for p in view.together(item))}


def _share(sums: dict[str, float], part: Impact) -> float:
    return sums["high"] / part.budget if part.budget else float("nan")


def _known_sum(amounts: pd.Series) -> float:
    """A sum that stays unknown where no part of it is known: never a 0 that nobody worked out."""
    return float(amounts.sum(min_count=1))
