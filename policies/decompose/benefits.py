"""奖补解析: amounts, rates, caps and ranges of an item's benefit pieces, lists paired by position."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from .numbers import KEYS, VERB
from .pieces import Piece, Reading
from .quantities import NUM, Quantity, number
from .spans import trimmed

_PER = re.compile(
    r"每(?P<u>[^，。；、\d]{1,6}?)(?:" + VERB + r"|不超过|最高|一次性|\d)|/(?P<v>[^，。；、\d]{1,5})"
)
_LEAST = re.compile(r"不低于|不少于|不得低于")
_CN_MONEY = re.compile(rf"{NUM}(?:万|亿)?元")


def keyed(reading: Reading, piece: Piece) -> list[tuple[Quantity, str, float]]:
    """带键数字: the quantities of a piece that are money, rate or cap, with their scores."""
    out = []
    for q, scores in zip(reading.mentions[piece.clause], reading.keys[piece.clause], strict=True):
        if piece.a <= q.start < piece.b:
            k = int(scores.argmax())
            if KEYS[k] != "none":
                out.append((q, KEYS[k], float(scores[k])))
    return out


def benefits_of(reading: Reading, pieces: Sequence[Piece]) -> list[dict[str, Any]]:
    """奖补: the benefits of one item, one entry a distinct number or pair of numbers."""
    out: list[dict[str, Any]] = []
    by_clause: dict[int, list[Piece]] = {}
    for p in pieces:
        by_clause.setdefault(p.clause, []).append(p)
    for run in by_clause.values():
        out += _clause_benefits(reading, run)
    return _without_repeats(reading, out)


def _quote(reading: Reading, piece: Piece) -> dict[str, Any]:
    view = reading.views[piece.clause]
    a, b = view.span(*trimmed(view.flat, piece.a, piece.b))
    return {"quote": reading.text[a:b], "start": a, "score": round(piece.score, 3), "_clause": piece.clause}


def _clause_benefits(reading: Reading, run: Sequence[Piece]) -> list[dict[str, Any]]:
    """The numbers of one clause, caps paired with the rates they bound."""
    found = [(q, key, p) for p in run for q, key, _ in keyed(reading, p)]
    flat = reading.views[run[0].clause].flat
    rates = [x for x in found if x[1] == "rate"]
    caps = [x for x in found if x[1] == "cap" and x[0].kind == "money"]
    amounts = [x for x in found if x[1] == "amount"]
    out: list[dict[str, Any]] = []
    used_caps: set[int] = set()
    if rates and caps:
        pairs, used_caps = _pair(flat, rates, caps)
        for (q, _, p), cap in pairs:
            out.append(
                _quote(reading, p) | _value(flat, q, "rate") | ({"cap": cap} if cap is not None else {})
            )
    else:
        out += [_quote(reading, p) | _value(flat, q, "rate") for q, _, p in rates]
    out += [_quote(reading, p) | _value(flat, q, "amount") for q, _, p in amounts]
    for i, (q, _, p) in enumerate(caps):
        if i not in used_caps:
            out.append(_quote(reading, p) | {"kind": "cap", "cap": _plain(q.high)})
    for q, key, p in found:
        if key == "cap" and q.kind == "percent":
            out.append(_quote(reading, p) | _value(flat, q, "rate") | {"up_to": True})
    told = {(b["start"]) for b in out}
    for p in run:
        entry = _quote(reading, p)
        if entry["start"] not in told:
            out.append(
                entry | {"kind": "waiver" if re.search(r"免[收征费]|减免", entry["quote"]) else "other"}
            )
    return out


Found = tuple[Quantity, str, Piece]


def _pair(
    flat: str, rates: Sequence[Found], caps: Sequence[Found]
) -> tuple[list[tuple[Found, float | None]], set[int]]:
    """Rates with the caps that bound them: one cap bounds all rates before it; several caps after one rate are its levels."""
    out: list[tuple[Found, float | None]] = []
    used: set[int] = set()
    for n, rate in enumerate(rates):
        stop = rates[n + 1][0].start if n + 1 < len(rates) else 10**9
        mine = [i for i, c in enumerate(caps) if rate[0].start < c[0].start < stop]
        if not mine and n + 1 < len(rates):
            mine = [i for i, c in enumerate(caps) if c[0].start > rate[0].start][:1]
        if not mine and n == 0 and len(rates) == 1:
            mine = [i for i, c in enumerate(caps) if not _of_loan(flat, c[0], rate[0])][:2]
        used |= set(mine)
        out += [(rate, _plain(caps[i][0].high)) for i in mine] or [(rate, None)]
    return out, used


def _of_loan(flat: str, cap: Quantity, rate: Quantity) -> bool:
    """Whether a ceiling told before a rate is that of a loan, not of what is paid at the rate."""
    return cap.end <= rate.start and bool(
        re.match(r"元?(?:以内)?的?[^，。；]{0,12}(?:贷款|担保|授信|借款)", flat[cap.end :])
    )


def _plain(value: float) -> float | int:
    return int(value) if value == int(value) else round(value, 6)


def _value(flat: str, q: Quantity, key: str) -> dict[str, Any]:
    left, right = flat[: q.start], flat[q.end : q.end + 8]
    near = re.split(r"[，。；]", left)[-1]
    if q.is_range:
        return {"kind": "range", "min": _plain(q.low), "max": _plain(q.high)}
    if _LEAST.search(near[-8:]):
        return {"kind": "range", "min": _plain(q.high)}
    if key == "rate":
        out: dict[str, Any] = {
            "kind": "rate",
            "rate": round(q.high, 4) if q.unit == "分数" else _plain(q.high),
        }
        base = re.search(r"(?:按照?|照|参照其?|给予|占)(?P<b>[^，。；]{2,30}?)的?(?:最高)?(?:不超过)?$", near)
        return out | ({"base": base["b"].removesuffix("的")} if base else {})
    per = re.search(r"每(?P<u>[^，。；、\d]{1,6}?)(?:" + VERB + r"|一次性|$)", near[-14:]) or re.match(
        r"/(?P<u>[^，。；、\d]{1,5})", right
    )
    per = per or re.search(r"（[^）]{0,2}元/(?P<u>[^）]{1,5})）：$", left)
    out = {"kind": "per_unit" if per else "fixed", "amount": _plain(q.high)}
    return out | ({"per": per["u"]} if per else {})


def _without_repeats(reading: Reading, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same number told again in another field (内容, 测算) of one item counts once."""
    seen: dict[tuple[Any, ...], int] = {}
    out = []
    for entry in entries:
        clause = entry.pop("_clause")
        numbers = tuple((k, entry[k]) for k in ("amount", "rate", "cap", "min", "max") if k in entry)
        before = seen.get(numbers)
        c = reading.clauses[clause]
        if (
            numbers
            and before is not None
            and before != clause
            and reading.clauses[before].block == c.block
            and c.field_name
        ):
            continue
        if numbers:
            seen[numbers] = clause
        out.append(entry)
    return out


__all__ = ["benefits_of", "keyed", "number"]
