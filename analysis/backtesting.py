"""回测: a past list of what was really paid against what the rules find; names are linked, never guessed."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.night import CODE, View
from analysis.paid_lists import link, read_paid_list


@dataclass(frozen=True, repr=False)
class Backtest:
    """回测结果: paid and 符合, paid and not, 符合 and not paid, rows that link to nobody; money in yuan. `doubts` are rows
    that count but want a look: another name beside the code, a firm named twice.

    >>> nobody = pd.DataFrame({"统一社会信用代码": [""], "企业名称": ["查无此名有限公司"], "金额": [1.0]})
    >>> backtest(view, "bs-2025-03/unemployment-refund", nobody).unlinked["原因"].tolist()
    ['没有叫这个名称的企业，请补代码']
    """

    item: str
    matched: pd.DataFrame
    missed: pd.DataFrame
    unpaid: pd.DataFrame
    unlinked: pd.DataFrame
    doubts: pd.DataFrame
    quotes: dict[str, str] = field(default_factory=dict)

    @property
    def differs(self) -> pd.DataFrame:
        """金额不同: matched firms that were paid another sum than the rules say, beyond 1 元; not those paid an unknown sum.

        >>> nobody = pd.DataFrame({"统一社会信用代码": [""], "企业名称": ["查无此名有限公司"], "金额": [1.0]})
        >>> len(backtest(view, "bs-2025-03/unemployment-refund", nobody).differs)
        0
        """
        paid = self.matched["已付"]
        off = (paid < self.matched["paid_low"] - 1) | (paid > self.matched["paid_high"] + 1)
        return self.matched[off].reset_index(drop=True)

    @property
    def recall(self) -> float:
        """查全: share of the list that the rules find 符合; a row that can't be read or linked counts as not found, so that
        an unreadable list passes no gate; 0 for an empty list.

        >>> nobody = pd.DataFrame({"统一社会信用代码": [""], "企业名称": ["查无此名有限公司"], "金额": [1.0]})
        >>> backtest(view, "bs-2025-03/unemployment-refund", nobody).recall
        0.0
        """
        rows = len(self.matched) + len(self.missed) + len(self.unlinked)
        return len(self.matched) / rows if rows else 0.0

    @property
    def recall_of_linked(self) -> float:
        """只看认出的查全: share of the linked firms alone.

        >>> nobody = pd.DataFrame({"统一社会信用代码": [""], "企业名称": ["查无此名有限公司"], "金额": [1.0]})
        >>> backtest(view, "bs-2025-03/unemployment-refund", nobody).recall_of_linked
        0.0
        """
        linked = len(self.matched) + len(self.missed)
        return len(self.matched) / linked if linked else 0.0

    @property
    def blame(self) -> pd.DataFrame:
        """归因: conditions that fail or are undecided for firms that were paid, in the policy's words.

        >>> nobody = pd.DataFrame({"统一社会信用代码": [""], "企业名称": ["查无此名有限公司"], "金额": [1.0]})
        >>> list(backtest(view, "bs-2025-03/unemployment-refund", nobody).blame.columns)
        ['条件', '原因', '企业', '原文']
        """
        rows = [(c, "不符合") for fails in self.missed["fails"] for c in fails]
        rows += [(c, "缺数据或待判断") for left in self.missed["unknown"] for c in left]
        frame = pd.DataFrame(rows, columns=["条件", "原因"])
        out = frame.value_counts().rename("企业").reset_index()
        return out.assign(原文=[self.quotes.get(c, "") for c in out["条件"]])

    def as_dict(self) -> dict[str, Any]:
        """机器可读.

        >>> nobody = pd.DataFrame({"统一社会信用代码": [], "企业名称": [], "金额": []})
        >>> backtest(view, "bs-2025-03/unemployment-refund", nobody).as_dict()["recall"]
        0.0
        """
        return {
            "item": self.item, "recall": round(self.recall, 4), "recall_of_linked": round(self.recall_of_linked, 4),
            "unread": len(self.unlinked), "matched": len(self.matched),
            "missed": self.missed[CODE].tolist(), "unpaid": self.unpaid[CODE].tolist(),
            "unlinked": self.unlinked.to_dict("records"),
            "doubts": self.doubts.to_dict("records"), "differs": self.differs[CODE].tolist(), "blame": self.blame.to_dict("records"),
            "unpaid_yuan": float(self.unpaid["paid_high"].sum()),
        }  # fmt: skip

    def words(self) -> str:
        """一句话.

        >>> nobody = pd.DataFrame({"统一社会信用代码": [], "企业名称": [], "金额": []})
        >>> backtest(view, "bs-2025-03/unemployment-refund", nobody).words()[:10]
        '名单上认出 0 家，'
        """
        only = f"（只看认出的 {self.recall_of_linked:.0%}）" if len(self.unlinked) else ""
        text = (
            f"名单上认出 {len(self.matched) + len(self.missed)} 家，读不出 {len(self.unlinked)} 行，规则判符合 "
            f"{len(self.matched)} 家，查全 {self.recall:.0%}{only}；符合而不在名单上 {len(self.unpaid)} 家，"
            f"最高 {self.unpaid['paid_high'].sum() / 1e4:,.2f} 万元"
        )
        if n := len(self.differs):
            text += f"；{n} 家付的数和规则算的不一样"
        if n := len(self.doubts):
            text += f"；{n} 行认出了但要看一眼"
        return text

    __repr__ = words

    def _worded(self, hits: pd.DataFrame) -> pd.DataFrame:
        """Conditions by the policy's words in place of ids."""
        out = hits.copy()
        for name in ("fails", "unknown"):
            out[name] = [[self.quotes.get(c, c) for c in ids] for ids in hits[name]]
        return out

    def _repr_html_(self) -> str:
        from analysis.tables import show

        parts = [
            ("付了、规则却不符合", self._worded(self.missed)),
            ("归因", self.blame),
            ("金额不同", self.differs.drop(columns=["fails", "unknown"])),
            ("读不出的行（算在查全的分母里）", self.unlinked),
            ("认出了但要看一眼", self.doubts),
        ]
        return f"<p>{self.words()}</p>" + "".join(
            f"<h4>{name}</h4>{show(frame)._repr_html_()}" for name, frame in parts if len(frame)
        )


def backtest(view: View, item: str, paid: pd.DataFrame | Path | str) -> Backtest:
    """回测: `paid` a list's path or a frame as `read_paid_list` gives it.

    >>> hits = view.hits("bs-2025-03/unemployment-refund")
    >>> paid = hits[hits["verdict"] == "符合"].head(3)[["统一社会信用代码", "企业名称"]].assign(金额=1000.0)
    >>> backtest(view, "bs-2025-03/unemployment-refund", paid).recall
    1.0
    """
    table = read_paid_list(Path(paid)) if isinstance(paid, Path | str) else paid
    linked, unlinked, doubts = link(view, table)
    hits = view.hits(item)
    on_list = hits[hits[CODE].isin(list(linked))].copy()
    on_list["已付"] = [linked[c][0] for c in on_list[CODE]]
    on_list["认定"] = [linked[c][1] for c in on_list[CODE]]
    fits = hits["verdict"] == "符合"
    return Backtest(
        item,
        on_list[on_list["verdict"] == "符合"].reset_index(drop=True),
        on_list[on_list["verdict"] != "符合"].reset_index(drop=True),
        hits[fits & ~hits[CODE].isin(list(linked))].reset_index(drop=True),
        unlinked,
        doubts,
        {c.id: f"{c.condition.cite}：{c.condition.quote}" for c in view.program(item).conditions},
    )
