"""政策自测: one firm of the visitor's own words against all items; the next question is the one that settles most."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import urlencode

from engine import kinds
from engine.columns import Builder, Columns
from engine.evaluate import Frame
from engine.explain import FIRM, explain
from engine.indicators import Dictionary, Indicator
from engine.literal import parse_number
from engine.match import Evidence, Match, Verdict
from engine.program import BoundItem, Program
from engine.words import say_amounts, say_money

SKIP = "?"
LONGEST = 60
UNITS = {kinds.MONEY: "万元", kinds.RATIO: "%"}


@dataclass(frozen=True)
class Question:
    """一问: an indicator (and year) with the number of items it would help to settle."""

    key: str
    words: str
    kind: str
    unit: str
    hint: str
    settles: tuple[str, ...]


@dataclass(frozen=True)
class Result:
    """一项结果: item, verdict, amount in words, and what is still to be seen or why not."""

    item: str
    title: str
    verdict: Verdict
    pay: str
    why: str
    free: bool


class Selftest:
    """自测: answers by key (指标 or 指标@年), evaluated by the engine; nothing is kept."""

    def __init__(
        self, programs: Sequence[Program], given: Mapping[str, str], today: date, dictionary: Dictionary
    ):
        self.dictionary = dictionary
        self.given = {
            k: v.strip()[:LONGEST]
            for k, v in given.items()
            if k.partition("@")[0] in dictionary and v.strip()
        }
        self.faults: dict[str, str] = {}
        self.bound = [
            p.bind(b) for p in programs if p.item.subject == "企业" and (b := p.item.live_batch(today))
        ]
        self.columns = self._columns()
        self.today = today
        frame = Frame(self.columns)  # one for all items: what they ask alike is worked out once
        self.matches = [(b, self._explained(b, frame)) for b in self.bound]

    def _explained(self, bound: BoundItem, frame: Frame) -> Match:
        """One item; what it would pay is worked out where the answers settle that it fits, and nowhere else looked at."""
        found = explain(
            replace(bound, benefit=None), self.columns, self.today, audience=FIRM, frame=frame, worked=False
        )
        if found.verdict != Verdict.ELIGIBLE or bound.benefit is None:
            return found
        return explain(bound, self.columns, self.today, audience=FIRM, frame=frame, worked=False)

    def _columns(self) -> Columns:
        record: dict[str, object] = {}
        for key, text in self.given.items():
            name, _, year = key.partition("@")
            if text == SKIP:
                continue
            try:
                value = self._value(text, self.dictionary[name])
            except ValueError as error:
                self.faults[key] = str(error)
                continue
            if year:
                yearly = record.setdefault(name, {})
                assert isinstance(yearly, dict)
                yearly[year] = value
            else:
                record[name] = value

        def complain(row: int, column: str, message: str) -> None:
            self.faults[column] = message

        # No register has been received of a visitor: what was not answered is unknown, never absent.
        return Builder(self.dictionary, complain, parse_number).build(["自测"], [record], frozenset())

    def _value(self, text: str, spec: Indicator) -> object:
        if spec.kind == kinds.BOOL or spec.kind in (kinds.TEXT, kinds.CODE, kinds.DATE):
            return text
        if spec.kind == kinds.LIST:
            return text.replace("，", "、").split("、")
        unit = UNITS.get(spec.kind, "")
        plain = text.replace(",", "").replace("，", "")
        return parse_number(plain + unit if plain[-1].isdigit() else plain, spec)

    def question(self) -> Question | None:
        """下一问: the missing fact that most undecided items wait for; None when nothing is left to ask."""
        waiting: dict[tuple[str, int | None], list[str]] = defaultdict(list)
        weight: Counter[tuple[str, int | None]] = Counter()
        for bound, match in self.matches:
            if match.verdict != Verdict.UNDETERMINED:
                continue
            missing = {s for e in match.evidence for s in _missing(e)}
            missing = {m for m in missing if _key(*m) not in self.given}
            for one in missing:
                waiting[one].append(bound.program.item.title)
                weight[one] += 1.0 / len(missing)  # type: ignore[assignment]
        if not waiting:
            return None
        name, year = max(waiting, key=lambda m: (round(weight[m], 6), len(waiting[m]), m[0], -(m[1] or 0)))
        spec = self.dictionary[name]
        words = f"企业{f' {year} 年' if year else ''}的{spec.label or name}"
        ask = {kinds.BOOL: f"{words}：是不是？", kinds.DATE: f"{words}是哪一天？"}.get(
            spec.kind, f"{words}是多少？"
        )
        if spec.kind in (kinds.TEXT, kinds.CODE, kinds.LIST):
            ask = f"{words}是什么？"
        hint = spec.note or (f"由{spec.department}登记" if spec.department else "")
        unit = UNITS.get(spec.kind, spec.unit)
        return Question(_key(name, year), ask, spec.kind, unit, hint, tuple(waiting[name, year]))

    @property
    def answered(self) -> int:
        return len(self.given)

    def counts(self) -> dict[str, int]:
        """各结论的项数."""
        found = Counter(str(m.verdict) for _, m in self.matches)
        return {v.value: found.get(v.value, 0) for v in Verdict}

    def results(self) -> list[Result]:
        """结果: 符合 first, then what is nearest, then what does not apply and why."""
        order = {Verdict.ELIGIBLE: 0, Verdict.UNDETERMINED: 1, Verdict.INELIGIBLE: 2}
        rows = sorted(
            self.matches, key=lambda r: (order[r[1].verdict], len(r[1].unknown), r[0].program.item.id)
        )
        return [_result(bound, match) for bound, match in rows]

    def without(self, key: str) -> str:
        """改回答: the address without one answer."""
        return "/zone/check?" + urlencode({k: v for k, v in self.given.items() if k != key})


def _key(name: str, year: int | None) -> str:
    return f"{name}@{year}" if year else name


def _missing(evidence: Evidence) -> list[tuple[str, int | None]]:
    """What an undecided condition still reads, below the nodes that are undecided themselves."""
    if evidence.verdict != Verdict.UNDETERMINED:
        return []
    if evidence.children:
        return [m for child in evidence.children for m in _missing(child)]
    return [(s.indicator, s.year) for s in evidence.seen if s.value is None]


def _result(bound: BoundItem, match: Match) -> Result:
    item = bound.program.item
    if match.verdict == Verdict.ELIGIBLE:
        why = "免申即享，不用申请" if item.delivery == "免申即享" else ""
    elif match.verdict == Verdict.UNDETERMINED:
        facts = [_key(*m).replace("@", " ") for e in match.evidence for m in _missing(e)]
        asks = [e.text for e in match.evidence if e.kind == "ask" and e.verdict == Verdict.UNDETERMINED]
        why = "还要看：" + "、".join(dict.fromkeys([*facts, *asks][:4]))
    else:
        failed = next((e for e in match.evidence if e.verdict == Verdict.INELIGIBLE), None)
        why = (
            f"“{failed.quote}”{('，' + failed.gap) if failed and failed.gap else ''}"
            if failed
            else "条件不满足"
        )
    pay = _due(match) or say_amounts(item.benefit)
    return Result(item.id, item.title, match.verdict, pay, why, item.delivery == "免申即享")


def _due(match: Match) -> str:
    """按回答应付的: what the answers come to, "" where they don't say."""
    low, high = match.amount_low, match.amount_high
    if not high:
        return ""
    return say_money(high) if low == high else f"最高 {say_money(high)}"
