"""约束归属: conditions and exclusions to the items they bind, or to the whole document."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from policies.segment import field_of

from .conditions import parse_condition
from .model import Item
from .pieces import Piece, Reading
from .quantities import quantities
from .roles import ROLES
from .spans import body_of, trimmed


def entry(reading: Reading, clause: int, a: int, b: int, score: float) -> dict[str, Any]:
    """引文: the exact quote of flat[a:b] with where it starts and its score."""
    view = reading.views[clause]
    s, e = view.span(*trimmed(view.flat, a, b))
    return {"quote": reading.text[s:e], "start": s, "score": round(score, 3)}


def _condition(reading: Reading, p: Piece) -> dict[str, Any]:
    view = reading.views[p.clause]
    a, b = trimmed(view.flat, p.a, p.b)
    tops = frozenset(q.high for q in quantities(view.flat[: p.a]) if q.kind != "years")
    parsed = parse_condition(
        view.flat[a:b], tops if re.search(r"至|到|—|-", view.flat[: p.a]) else frozenset()
    )
    out = entry(reading, p.clause, p.a, p.b, p.score) | {"kind": parsed.kind}
    if parsed.op:
        out |= {"field": parsed.field, "op": parsed.op, "value": parsed.value, "unit": parsed.unit}
    if parsed.period:
        out["period"] = parsed.period
    return out


def share_conditions(
    reading: Reading, pieces: Sequence[Piece], items: list[Item], roles: list[list[str]]
) -> list[dict[str, Any]]:
    general = []
    for p in pieces:
        if p.label != "condition" or not _plausible(p, roles[p.clause]):
            continue
        entry = _condition(reading, p)
        owners = owners_of(reading, p, items)
        for i in owners:
            items[i].conditions.append(dict(entry))
        if not owners:
            general.append(entry | ({"scope": "unsure"} if _narrow(reading, p.clause) else {}))
    return general


_DRY = {"title", "preamble", "contact", "other", "material", "authority", "orientation", "procedure"}


def _plausible(p: Piece, names: Sequence[str]) -> bool:
    """A condition outside clauses that state conditions or benefits needs a better score."""
    if {"condition", "benefit"} & set(names):
        return True
    return p.score >= (0.75 if set(names) <= _DRY else 0.5)


def _narrow(reading: Reading, clause: int) -> bool:
    """Whether a clause stands under a point that speaks of some only (引导…需要符合以下条件：), so that it may not bind all."""
    c = reading.clauses[clause]
    if not c.headings:
        return False
    lead = reading.clauses[c.headings[-1] - 1]
    flat = reading.views[c.headings[-1] - 1].flat
    body = flat[body_of(flat)[0] :]
    return bool(lead.label) and len(body) > 8 and not field_of(body)


def owners_of(reading: Reading, p: Piece, items: Sequence[Item]) -> list[int]:
    """归属: the items a piece binds: those of its own sentence, else of the point that its heading names, else of its own
    section; none: the whole document."""
    if len(items) == 1:
        return [0]
    if items and p.clause in items[0].clauses and items[0].title_only:
        return [0]
    here = [(q.a, n) for n, i in enumerate(items) for q in i.pieces if q.clause == p.clause]
    if here:
        behind = [x for x in here if x[0] >= p.a]
        return [min(behind)[1]] if behind else [max(here)[1]]
    return _named_owners(reading, p, items) or _near_owners(reading, p, items)


def _named_owners(reading: Reading, p: Piece, items: Sequence[Item]) -> list[int]:
    """Items whose own heading carries the name of another heading over a piece (2．精品剧目 under 内容 and under 条件)."""
    wanted = _names(reading, p.clause)
    if not wanted:
        return []
    hits = []
    for n, i in enumerate(items):
        for k in i.clauses:
            own = _names(reading, k)
            if any(name in own and own[name] != at for name, at in wanted.items()):
                hits.append(n)
                break
    return hits if len(hits) < len(items) else []


def _names(reading: Reading, clause: int) -> dict[str, int]:
    """The names of the headings over a clause and of the clause itself, with where they stand."""
    c = reading.clauses[clause]
    out = {}
    for number in (*c.headings, c.number):
        k = number - 1
        flat = reading.views[k].flat
        a, _ = body_of(flat)
        if reading.clauses[k].sort == "方向1":
            out[reading.clauses[k].label] = number
        name = re.sub(
            r"(?:支持|申报|申请|项目|需要|应当?|须|同时)?(?:符合|具备|满足)?(?:以下|下列)?条件?[：:。]?$",
            "",
            flat[a:],
        )
        if 4 <= len(name) <= 24 and not field_of(name):
            out[name] = number
    return out


NEAR = 3  # a statement this many clauses away still speaks of the item


def _near_owners(reading: Reading, p: Piece, items: Sequence[Item]) -> list[int]:
    c = reading.clauses[p.clause]
    for heading in reversed([*c.headings, *([c.number] if c.heading else [])]):
        under = [
            n
            for n, i in enumerate(items)
            if any(
                heading in reading.clauses[k].headings or reading.clauses[k].number == heading
                for k in i.clauses
            )
        ]
        near = [n for n in under if min(abs(k - p.clause) for k in items[n].clauses) <= NEAR]
        if len(under) == 1:
            return under if near or c.field_name else []
        if under:
            line = [n for n in near if any(reading.clauses[k].line == c.line for k in items[n].clauses)]
            if len(line) == 1:
                return line
            return under if c.block == heading and len(under) <= 8 else []
    return []


_BARS = re.compile(
    r"不予(?!退还)|不得(?!低于|少于|高于|超过)|不再(?!要求|需|另)|不重复|重复(?:享受|申报|资助|奖励)|就高|从优|择高|追[回缴]|收回|取消.{0,14}资格|不享受|不能享受|停止(?:享受|申报)|"
    r"只能(?:享受|申[报请领]|领)|仅(?:可|能|限)?(?:享受|申[报请领]|[^，]{0,6}一次)|只(?:享受|支持|[^，]{0,5})一次|限[^，。；]{0,6}一次|除外|不属于|不适用|不纳入|不列入|不支持|不作为|不给予"
)
_BRACKET = re.compile(r"（(?P<x>(?:不含|不包括|除)[^（）]{2,60}|[^（）]{2,40}除外)）")
_AFTER = re.compile(r"，(?P<x>(?:不含|不包括)[^，。；（）]{2,40})")


def share_exclusions(reading: Reading, items: list[Item], roles: list[list[str]]) -> list[dict[str, Any]]:
    """排除: 就高不重复, 失信不予支持, 不含… to the items they bind; what binds all comes back."""
    general: list[dict[str, Any]] = []
    for k, names in enumerate(roles):
        score = float(reading.roles[k][ROLES.index("exclusion")])
        for a, b in barred_spans(reading, k, names, score):
            found = entry(reading, k, a, b, score)
            owners = owners_of(reading, Piece("exclusion", k, a, b, score), items)
            for n in owners:
                items[n].exclusions.append(dict(found))
            if not owners:
                general.append(found)
    return general


def barred_spans(reading: Reading, k: int, names: Sequence[str], score: float) -> list[tuple[int, int]]:
    """排除片段: the spans of a clause that shut something or somebody out."""
    flat = reading.views[k].flat
    out = [
        m.span("x")
        for p in (_BRACKET, _AFTER)
        for m in p.finditer(flat)
        if {"condition", "benefit"} & set(names)
    ]
    if "title" in names or {"procedure", "contact", "authority"} >= set(names):
        return out
    start, end = body_of(flat)
    if "exclusion" in names and not {"condition", "benefit"} & set(names):
        return [*out, (start, end)]
    if "exclusion" not in names and score < 0.12:
        return out
    parts = [(m.start(), m.end()) for m in re.finditer(r"(?:（[^）]*）|[^，；:：])+", flat[start:end])]
    parts = [(a + start, b + start) for a, b in parts]
    hits = [n for n, (a, b) in enumerate(parts) if _BARS.search(re.sub(r"（[^）]*）", "", flat[a:b]))]
    if hits:
        first = hits[0]
        while first > 0 and re.search(r"[的者后]$|^若|^如", flat[parts[first - 1][0] : parts[first - 1][1]]):
            first -= 1
        out.append((parts[first][0], parts[hits[-1]][1]))
    elif "exclusion" in names and not out and score > 0.6:
        out.append((start, end))
    return out
