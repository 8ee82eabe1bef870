"""拆解: a policy's text in, roles, items and general conditions out, every piece with its exact quote and score."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from policies.segment import Clause, role_of_field, segment

from .benefits import benefits_of, keyed
from .conditions import parse_condition
from .grouping import group
from .linear import LinearModel, load_models
from .numbers import KEYS
from .pieces import LABELS, Piece, Reading, atom_rows, mention_rows, pieces_of, rows_flat, start_reading
from .quantities import quantities
from .roles import ROLES, chosen_roles, role_scores
from .spans import trimmed
from .windows import issued_day, window_in

MODELS = Path(__file__).resolve().parent.parent / "models" / "decompose.npz"
NAMES = ("roles1", "roles2", "keys", "atoms", "merge")
Models = Mapping[str, LinearModel]


@cache
def stored_models() -> Models:
    """已存模型: the fitted models of the project, read once."""
    return load_models(MODELS, NAMES)


@dataclass(slots=True)
class Item:
    """拆出事项: one thing a firm could be told, before it becomes a rule file."""

    clauses: list[int]
    pieces: list[Piece]
    benefits: list[dict[str, Any]]
    conditions: list[dict[str, Any]] = field(default_factory=list)
    exclusions: list[dict[str, Any]] = field(default_factory=list)
    materials: list[dict[str, Any]] = field(default_factory=list)
    window: dict[str, Any] = field(default_factory=dict)
    title: str = ""
    delivery: str = "unspecified"
    score: float = 0.0


@dataclass(slots=True)
class Decomposition:
    """拆解结果: the clauses with roles, the items, and what binds all of them."""

    text: str
    clauses: list[Clause]
    scores: np.ndarray
    roles: list[list[str]]
    items: list[Item]
    conditions: list[dict[str, Any]]
    exclusions: list[dict[str, Any]]
    issued: str | None = None

    def as_json(self) -> dict[str, Any]:
        """评测格式: the mapping that eval/score_decomposition.py reads."""
        return {
            "clauses": [
                {
                    "start": c.start,
                    "end": c.end,
                    "label": c.label,
                    "roles": r,
                    "score": round(float(s.max()), 3),
                }
                for c, r, s in zip(self.clauses, self.roles, self.scores, strict=True)
            ],
            "general": {"conditions": self.conditions, "exclusions": self.exclusions},
            "items": [
                {
                    "id": n,
                    "title": i.title,
                    "clauses": [self.clauses[k].number for k in i.clauses],
                    "delivery": i.delivery,
                    "score": round(i.score, 3),
                    "benefits": i.benefits,
                    "conditions": i.conditions,
                    "exclusions": i.exclusions,
                    "materials": i.materials,
                    "window": i.window,
                }
                for n, i in enumerate(self.items, 1)
            ],
        }


def decompose(text: str, models: Models | None = None) -> Decomposition:
    """拆解一份文件: everything the models and the grammar find in a text."""
    models = models or stored_models()
    clauses = segment(text)
    if not clauses:
        return Decomposition(text, [], np.zeros((0, len(ROLES))), [], [], [], [])
    scores = role_scores(clauses, models["roles1"], models["roles2"])
    reading = read_pieces(text, clauses, scores, models)
    roles = chosen_roles(scores, models["roles2"])
    return assemble(reading, roles, models)


def read_pieces(text: str, clauses: list[Clause], scores: np.ndarray, models: Models) -> Reading:
    """读片段: numbers keyed and atoms labelled."""
    reading = start_reading(text, clauses, scores)
    rows = mention_rows(reading)
    set_keys(reading, models["keys"].scores(rows_flat(rows)))
    reading.labels = models["atoms"].scores(atom_rows(reading))
    return reading


def set_keys(reading: Reading, scores: np.ndarray) -> None:
    """记键: key scores of all mentions, split by clause."""
    at = 0
    reading.keys = []
    for found in reading.mentions:
        reading.keys.append(scores[at : at + len(found)].reshape(-1, len(KEYS)))
        at += len(found)


def assemble(reading: Reading, roles: list[list[str]], models: Models) -> Decomposition:
    """成项: pieces to items, then what binds them."""
    pieces = with_numbers(reading, pieces_of(reading, models["atoms"]))
    items = [
        _item(reading, g) for g in group(reading, kept_benefits(reading, pieces, roles), models["merge"])
    ]
    general = _share_conditions(reading, pieces, items, roles)
    out = Decomposition(reading.text, reading.clauses, reading.roles, roles, items, general, [])
    out.issued = issued_day([c.text for c in reading.clauses])
    out.exclusions = _share_exclusions(reading, items, roles, models["atoms"])
    _share_materials(reading, items, roles, models["atoms"])
    _share_windows(reading, items, roles, out.issued)
    return out


def with_numbers(reading: Reading, pieces: Sequence[Piece]) -> list[Piece]:
    """补片段: an atom that holds a benefit's number is a benefit piece, whatever its words were taken for."""
    out = list(pieces)
    held = [(p.clause, p.a, p.b) for p in out if p.label == "benefit"]
    for a in reading.atoms:
        probe = Piece("benefit", a.clause, a.a, a.b, 0.5)
        found = keyed(reading, probe)
        if found and not any(c == a.clause and s <= found[0][0].start < e for c, s, e in held):
            probe.score = max(s for _, _, s in found)
            out.append(probe)
    return sorted(out, key=lambda p: (p.clause, p.a, p.label))


_BARRED = {
    "title",
    "preamble",
    "authority",
    "contact",
    "material",
    "procedure",
    "window",
    "orientation",
    "other",
    "definition",
}


def kept_benefits(reading: Reading, pieces: Sequence[Piece], roles: list[list[str]]) -> list[Piece]:
    """可信奖补: benefit pieces of clauses that give something; words alone in a clause of another role give nothing."""
    out = []
    for p in pieces:
        if p.label == "benefit" and "benefit" not in roles[p.clause] and not keyed(reading, p):
            continue
        if (
            p.label == "benefit"
            and "benefit" not in roles[p.clause]
            and reading.roles[p.clause][ROLES.index("benefit")] < 0.08
        ):
            continue
        out.append(p)
    return out


def _item(reading: Reading, run: list[Piece]) -> Item:
    score = max(p.score for p in run)
    return Item(sorted({p.clause for p in run}), run, benefits_of(reading, run), score=score)


def _entry(reading: Reading, clause: int, a: int, b: int, score: float) -> dict[str, Any]:
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
    out = _entry(reading, p.clause, p.a, p.b, p.score) | {"kind": parsed.kind}
    if parsed.op:
        out |= {"field": parsed.field, "op": parsed.op, "value": parsed.value, "unit": parsed.unit}
    if parsed.period:
        out["period"] = parsed.period
    return out


def _share_conditions(
    reading: Reading, pieces: Sequence[Piece], items: list[Item], roles: list[list[str]]
) -> list[dict[str, Any]]:
    general = []
    for p in pieces:
        if p.label != "condition":
            continue
        entry = _condition(reading, p)
        owners = owners_of(reading, p, items)
        for i in owners:
            items[i].conditions.append(dict(entry))
        if not owners:
            general.append(entry)
    return general


def owners_of(reading: Reading, p: Piece, items: Sequence[Item]) -> list[int]:
    """归属: the items a condition binds: those of its own sentence, else of its own point; none: all of the document."""
    if len(items) == 1:
        return [0]
    here = [(q.a, n) for n, i in enumerate(items) for q in i.pieces if q.clause == p.clause]
    if here:
        behind = [x for x in here if x[0] >= p.a]
        return [min(behind)[1]] if behind else [max(here)[1]]
    c = reading.clauses[p.clause]
    above = [h for h in c.headings] + ([c.number] if c.heading else [])
    for heading in reversed(above):
        under = [
            n
            for n, i in enumerate(items)
            if any(
                heading in reading.clauses[k].headings or reading.clauses[k].number == heading
                for k in i.clauses
            )
        ]
        if len(under) == 1:
            return under
        if under:
            line = [n for n in under if any(reading.clauses[k].line == c.line for k in items[n].clauses)]
            return line[:1] if len(line) == 1 else (under if len(under) <= 4 and c.block == heading else [])
    return []


def _labelled(reading: Reading, clause: int, label: str, model: LinearModel) -> list[tuple[int, int, float]]:
    k = LABELS.index(label)
    runs: list[tuple[int, int, float]] = []
    last = -2
    for n, a in enumerate(reading.atoms):
        score = float(reading.labels[n, k])
        if a.clause == clause and score >= model.threshold[k]:
            if last == n - 1 and runs:
                runs[-1] = (runs[-1][0], a.b, max(score, runs[-1][2]))
            else:
                runs.append((a.a, a.b, score))
            last = n
    return runs


def _body(flat: str) -> tuple[int, int]:
    from .spans import _LEAD

    lead = _LEAD.match(flat)
    return (lead.end() if lead else 0), len(flat)


def _share_exclusions(
    reading: Reading, items: list[Item], roles: list[list[str]], model: LinearModel
) -> list[dict[str, Any]]:
    general: list[dict[str, Any]] = []
    for k, names in enumerate(roles):
        if "exclusion" not in names:
            continue
        score = float(reading.roles[k][ROLES.index("exclusion")])
        runs = _labelled(reading, k, "exclusion", model)
        if not runs or not {"condition", "benefit"} & set(names):
            runs = [(*_body(reading.views[k].flat), score)]
        for a, b, s in runs:
            entry = _entry(reading, k, a, b, s)
            owners = owners_of(reading, Piece("exclusion", k, a, b, s), items)
            for n in owners:
                items[n].exclusions.append(dict(entry))
            if not owners:
                general.append(entry)
    return general


_NOT_PAPER = re.compile(
    r"装订|封面|胶装|按.{0,6}顺序|一式.{1,3}份$|电子版发|提交以下|如下[：:]?$|包括[：:]?$|：$|原件备查$"
)


def _share_materials(reading: Reading, items: list[Item], roles: list[list[str]], model: LinearModel) -> None:
    if not items:
        return
    for k, names in enumerate(roles):
        if "material" not in names or "title" in names:
            continue
        flat = reading.views[k].flat
        runs = _labelled(reading, k, "material", model)
        if "procedure" not in names and not _NOT_PAPER.search(flat):
            runs = [(*_body(flat), 1.0)]
        for a, b, s in runs:
            entry = _entry(reading, k, a, b, s)
            for n in owners_of(reading, Piece("material", k, a, b, s), items) or range(len(items)):
                items[n].materials.append(dict(entry))


_VALID = re.compile(r"施行|实施|执行|有效期|实行年限|解释|废止|政策期限|适用期")


def _share_windows(reading: Reading, items: list[Item], roles: list[list[str]], issued: str | None) -> None:
    year = int(issued[:4]) if issued else None
    general: dict[str, Any] = {}
    for k, names in enumerate(roles):
        c, flat = reading.clauses[k], reading.views[k].flat
        timed = role_of_field(c.field_name) == "window"
        own = [i for i in items if k in i.clauses]
        if not ("window" in names or timed or own):
            continue
        found = window_in(flat, year, issued)
        if not found or (not timed and _VALID.search(flat) and not re.search(r"申[报请]|受理|填报", flat)):
            continue
        entry = _entry(reading, k, *_body(flat), 1.0) | found
        if own and not timed:
            for i in own:
                i.window = i.window or entry
        elif not own and (
            not general or (timed and "系统" in flat) or (re.search(r"网上|填报", flat) and "from" in found)
        ):
            general = entry
    for i in items:
        i.window = i.window or dict(general)
