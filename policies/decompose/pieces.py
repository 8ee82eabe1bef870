"""片段判别: which atoms of a clause are conditions, benefits, exclusions or materials, and where each begins."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from policies.segment import Clause

from .cues import cues_of, heads_of, words_of
from .features import plain
from .linear import LinearModel
from .numbers import KEYS, mention_features, mentions
from .prior import prior_features
from .quantities import Quantity, quantities
from .roles import ROLES
from .spans import Atom, View, atoms_of, view_of

LABELS = ("condition", "more_condition", "benefit", "more_benefit", "exclusion", "material")


@dataclass(slots=True)
class Reading:
    """通读: one document cut, viewed and scored; what every later step works on."""

    text: str
    clauses: list[Clause]
    views: list[View]
    roles: np.ndarray
    heads: list[str]
    mentions: list[list[Quantity]] = field(default_factory=list)
    keys: list[np.ndarray] = field(default_factory=list)  # per clause: mentions × KEYS
    atoms: list[Atom] = field(default_factory=list)
    labels: np.ndarray = field(default_factory=lambda: np.zeros((0, len(LABELS))))
    said: list[dict[str, float]] = field(default_factory=list)  # per clause: a reader's first opinion


def start_reading(
    text: str, clauses: list[Clause], roles: np.ndarray, said: list[dict[str, float]] | None = None
) -> Reading:
    """起读: views, mentions and atoms of a document whose roles are scored; `said`: its prior features, where known already."""
    views = [view_of(c) for c in clauses]
    by_number = {c.number: c for c in clauses}
    heads = [plain("".join(by_number[n].text for n in c.headings[-2:]))[:60] for c in clauses]
    reading = Reading(text, clauses, views, roles, heads)
    reading.said = prior_features(clauses) if said is None else said
    reading.mentions = [mentions(v.flat) for v in views]
    reading.atoms = [a for i, v in enumerate(views) for a in atoms_of(i, v.flat)]
    return reading


def role_map(roles: np.ndarray) -> dict[str, float]:
    """角色表: role → score of one clause."""
    return dict(zip(ROLES, map(float, roles), strict=True))


def mention_rows(reading: Reading) -> list[list[dict[str, float]]]:
    """数字样本: one mapping a mention, clause by clause."""
    out = []
    for i, found in enumerate(reading.mentions):
        roles = role_map(reading.roles[i])
        flat = reading.views[i].flat
        out.append([mention_features(flat, q, found, roles, reading.heads[i]) for q in found])
    return out


_SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("starts_to", re.compile(r"^(?:对于?|凡)")),
    ("starts_in", re.compile(r"^(?:在|于|从|自|经|被|获|通过|新|首次|每)")),
    ("ends_of", re.compile(r"(?:的|者|后|时|期间|之内|以内|前)$")),
    (
        "ends_firm",
        re.compile(r"(?:企业|单位|机构|项目|人员|团队|人才|个人|组织|产品|毕业生|申请人|园区|基地|平台)$"),
    ),
    (
        "starts_give",
        re.compile(r"^(?:另|再|可|均|并)?(?:一次性|分别|最高|每|按|给予|予以|奖|补|资助|享受|优先|减|免)"),
    ),
    ("each", re.compile(r"^(?:单个|每个|每家|每年|同一|单项|年度|累计|最高|总额|合计)")),
    ("brackets", re.compile(r"（[^）]*）$")),
    ("urges", re.compile(r"^(?:支持|鼓励|引导|推动|推进|加快|促进|优先|重点)")),
    ("list", re.compile(r"[^、]+、[^、]+、")),
)


def atom_rows(reading: Reading) -> list[dict[str, float]]:
    """片段样本: one mapping an atom; needs the mentions' key scores."""
    bare = [_own(reading, a) for a in reading.atoms]
    out = []
    for i, a in enumerate(reading.atoms):
        row = dict(bare[i])
        c = reading.clauses[a.clause]
        row |= {
            f"role:{name}": 1.5 * float(s)
            for name, s in zip(ROLES, reading.roles[a.clause], strict=True)
            if s > 0.03
        }
        row |= {f"said:{name}": 0.7 * v for name, v in reading.said[a.clause].items()}
        row |= {f"field:{name}": 1.0 for name in heads_of(c.field_name)}
        row |= {f"head:{name}": 0.7 for name in heads_of(reading.heads[a.clause])}
        for name, j in (("p", i - 1), ("n", i + 1)):
            near = reading.atoms[j] if 0 <= j < len(reading.atoms) else None
            if near is not None and near.clause == a.clause:
                row |= {f"{name}{k}": 0.7 * v for k, v in bare[j].items() if not k.startswith("w:")}
            else:
                row[f"{name}none"] = 1.0
        if c.first:
            row["line_first"] = 1.0
        if c.label:
            row["labelled"] = 1.0
        out.append(row)
    return out


def _own(reading: Reading, a: Atom) -> dict[str, float]:
    text = a.text
    out = {f"w:{w}": 0.4 for w in words_of(text)}
    found = words_of(text)
    if found:
        out |= {f"first:{found[0]}": 0.6, f"last:{found[-1]}": 0.6}
    out |= {f"cue:{name}": 1.0 for name in cues_of(text)}
    out |= {f"shape:{name}": 1.0 for name, p in _SHAPES if p.search(text)}
    out[f"mark:{a.before}"] = 1.0
    out[f"len:{min(len(text) // 5, 9)}"] = 1.0
    for q, scores in zip(reading.mentions[a.clause], reading.keys[a.clause], strict=True):
        if a.a <= q.start < a.b:
            for key, s in zip(KEYS, scores, strict=True):
                out[f"key:{key}"] = max(out.get(f"key:{key}", 0.0), 1.5 * float(s))
    for q in quantities(text):
        if q.kind in ("years", "count"):
            out[f"has:{q.kind}"] = 1.0
    return out


@dataclass(slots=True)
class Piece:
    """片段: flat[a:b] of one clause that states one thing, with its score."""

    label: str
    clause: int
    a: int
    b: int
    score: float


def pieces_of(reading: Reading, model: LinearModel) -> list[Piece]:
    """成片: atoms above their thresholds, joined where an atom carries on what the one before began."""
    t: Mapping[str, float] = dict(zip(model.names, map(float, model.threshold), strict=True))
    at = {name: k for k, name in enumerate(model.names)}
    out: list[Piece] = []
    for label in ("condition", "benefit"):
        more = f"more_{label}"
        open_: Piece | None = None
        last = -2
        for i, a in enumerate(reading.atoms):
            held, cont = float(reading.labels[i, at[label]]), float(reading.labels[i, at[more]])
            if held < t[label]:
                continue
            if open_ is not None and open_.clause == a.clause and last == i - 1 and cont >= t[more]:
                open_.b, open_.score = a.b, max(open_.score, held)
            else:
                open_ = Piece(label, a.clause, a.a, a.b, held)
                out.append(open_)
            last = i
    return sorted(out, key=lambda p: (p.clause, p.a))


def rows_flat(rows: Sequence[Sequence[dict[str, float]]]) -> list[dict[str, float]]:
    """摊平: rows of all clauses in one list."""
    return [r for group in rows for r in group]
