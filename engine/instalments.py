"""分期: when each part of a grant is to be paid, from what the rule says; a plan that can't be told is said, not guessed."""

from __future__ import annotations

import calendar as months
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from engine.workdays import Calendar

KEYS = ("share", "amount", "after", "on", "when", "quote", "cite", "note")
HOW = "写“分期计划”，例如 600000@2026-07-01、400000@2027-07-01"
_UNITS = {"元": 100, "万元": 1_000_000, "亿元": 10_000_000_000}


class PlanUnknown(ValueError):
    """排不出: the rule does not say how much, or when."""


@dataclass(frozen=True)
class Instalment:
    """一期: its money in fen and the day from which it is paid; None where it waits for what `condition` names."""

    no: int
    fen: int
    begins: date | None
    condition: str = ""

    def kept(self) -> dict[str, object]:
        """As it is kept on the grant."""
        begins = self.begins.isoformat() if self.begins else None
        return {"期": self.no, "分": self.fen, "起": begins, "条件": self.condition}


def kept_plan(rows: object) -> tuple[Instalment, ...]:
    """分期 of a grant as kept; () where there is one payment only."""
    if not isinstance(rows, (list, tuple)):
        return ()
    return tuple(
        Instalment(r["期"], r["分"], date.fromisoformat(r["起"]) if r["起"] else None, r["条件"])
        for r in rows
    )


def plan(rows: Sequence[Mapping[str, str]], fen: int, on: date, calendar: Calendar) -> tuple[Instalment, ...]:
    """排分期: the rule's rows over a sum that finance passed on a day. Raises PlanUnknown; UnknownYear where 工作日 reach on.

    A row has `share` or `amount` (one row may have neither: it is the rest) and one of `after` (3个月, 1年, 20个工作日;
    counted from the day finance passed), `on` (a day), `when` (words of an event a person has to establish); the first
    row needs none and is due at once.
    """
    sums = _sums(rows, fen)
    return tuple(
        Instalment(no, part, *_begins(no, row, on, calendar))
        for no, (row, part) in enumerate(zip(rows, sums, strict=True), 1)
    )


def _sums(rows: Sequence[Mapping[str, str]], fen: int) -> list[int]:
    said = [_part(no, row, fen) for no, row in enumerate(rows, 1)]
    open_rows = [i for i, part in enumerate(said) if part is None]
    told = sum(part for part in said if part is not None)
    if len(open_rows) > 1:
        quote = next((r["quote"] for r in rows if r.get("quote")), "分期")
        raise PlanUnknown(f"规则写“{quote}”，没有写每期多少")
    if open_rows and told < fen:
        said[open_rows[0]] = fen - told
    elif open_rows or abs(told - fen) >= len(rows):  # a fen a row may be lost to rounding
        raise PlanUnknown(f"规则的各期合计 {told / 100:,.2f} 元，要付的是 {fen / 100:,.2f} 元")
    sums = [part for part in said if part is not None]
    sums[-1] += fen - sum(sums)
    return sums


def _part(no: int, row: Mapping[str, str], fen: int) -> int | None:
    if row.get("share"):
        found = re.fullmatch(r"(\d{1,3}(?:\.\d+)?)%", row["share"].strip())
        if found is None or not 0 < Decimal(found[1]) <= 100:
            raise PlanUnknown(f"第{no}期的比例“{row['share']}”读不懂")
        return int(fen * Decimal(found[1]) / 100)
    if row.get("amount"):
        found = re.fullmatch(r"(\d+(?:\.\d+)?)(元|万元|亿元)", row["amount"].strip())
        if found is None:
            raise PlanUnknown(f"第{no}期的金额“{row['amount']}”读不懂")
        return int(Decimal(found[1]) * _UNITS[found[2]])
    return None


def _begins(no: int, row: Mapping[str, str], on: date, calendar: Calendar) -> tuple[date | None, str]:
    if row.get("when"):
        return None, row["when"]
    if row.get("on"):
        try:
            return max(date.fromisoformat(row["on"]), on), ""
        except ValueError:
            raise PlanUnknown(f"第{no}期的日子“{row['on']}”读不懂") from None
    if row.get("after"):
        return _later(no, row["after"].strip(), on, calendar), ""
    if no == 1:
        return on, ""
    raise PlanUnknown(f"规则没有写第{no}期什么时候付")


def _later(no: int, after: str, on: date, calendar: Calendar) -> date:
    found = re.fullmatch(r"(\d{1,3})(日|天|个工作日|个月|年)", after)
    if found is None:
        raise PlanUnknown(f"第{no}期的时间“{after}”读不懂")
    count = int(found[1])
    match found[2]:
        case "个工作日":
            return calendar.add(on, count)
        case "日" | "天":
            return on + timedelta(days=count)
    month = on.month - 1 + count * (12 if found[2] == "年" else 1)
    year, month = on.year + month // 12, month % 12 + 1
    return date(year, month, min(on.day, months.monthrange(year, month)[1]))


def written_plan(text: str, fen: int) -> tuple[Instalment, ...]:
    """写下的分期: a person's own 金额@日期 in yuan, parted by 、. Raises PlanUnknown where it isn't the whole sum in order."""
    parts = []
    for no, word in enumerate((w for w in re.split(r"[、；;\s]+", text) if w), 1):
        found = re.fullmatch(r"([\d,]+(?:\.\d{1,2})?)@(\d{4}-\d{2}-\d{2})", word)
        try:
            if found is None:
                raise ValueError(word)
            day = date.fromisoformat(found[2])
        except ValueError:
            raise PlanUnknown(f"分期计划里的“{word}”要写成 600000@2026-07-01") from None
        parts.append(Instalment(no, int(Decimal(found[1].replace(",", "")) * 100), day))
    days = [p.begins for p in parts if p.begins]
    if sum(p.fen for p in parts) != fen or min((p.fen for p in parts), default=0) <= 0:
        raise PlanUnknown(
            f"分期计划合计 {sum(p.fen for p in parts) / 100:,.2f} 元，要付的是 {fen / 100:,.2f} 元"
        )
    if days != sorted(days):
        raise PlanUnknown("分期计划的日子要从早到晚")
    return tuple(parts)


def open_by(found: Sequence[Instalment], on: date) -> int:
    """到这一天可以付的: fen of the instalments whose day has come."""
    return sum(p.fen for p in found if p.begins is not None and p.begins <= on)


def next_of(found: Sequence[Instalment], paid: int, whole: int) -> Instalment | None:
    """下一期: the first that the money paid so far does not cover, of a sum that may since have been cut to `whole`."""
    reached = 0
    for part in found:
        reached += part.fen
        if paid < min(reached, whole):
            return part
    return None
