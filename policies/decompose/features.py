"""特征: what the learned parts see of a clause: its words, its layout and what stands around it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from policies.segment import Clause, role_of_field

from .cues import cues_of, heads_of, words_of
from .linear import Features
from .prior import prior_features

_MARKS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("money", re.compile(r"\d\s*(?:[亿万千百]?元|万)|[一二三五十百]万元")),
    ("percent", re.compile(r"\d\s*[%％‰]|百分")),
    ("day", re.compile(r"\d{4}\s*[年.\-/]\s*\d{1,2}")),
    ("phone", re.compile(r"\d{7,}|\d{3,4}-\d{6,}")),
    ("web", re.compile(r"https?:|www\.|@|邮箱|网址")),
    ("book", re.compile(r"《[^》]+》")),
    ("docno", re.compile(r"〔\d{4}〕|\[\d{4}\]")),
    ("colon", re.compile(r"[：:]")),
)
CUE_WEIGHT, WORD_WEIGHT = 1.0, 0.35
NEAR = 0.5  # of what the neighbours say
_TOLD = ("mark", "prior", "cue", "len", "sort", "bare", "lead")


def plain(text: str) -> str:
    """无空白: a clause as it reads, without the spaces that layout put into it."""
    return re.sub(r"\s+", "", text)


def layout(c: Clause, total: int) -> dict[str, float]:
    """版面特征: length, label, punctuation, marks and place of a clause in its document."""
    text = plain(c.text)
    size = len(text)
    out = {
        f"len:{min(size // 8, 12)}": 1.0,
        f"sort:{c.sort or '-'}": 1.0,
        f"end:{text[-1:]}": 1.0,
        f"start:{text[:1]}": 1.0,
        f"line:{int(c.first)}{int(c.last)}": 1.0,
        f"fieldrole:{role_of_field(c.field_name)}": 1.5,
        f"place:{10 * c.number // (total + 1)}": 1.0,
        f"block:{int(c.block > 0)}": 1.0,
        f"deep:{len(c.headings)}": 1.0,
    }
    if c.number <= 3:
        out[f"top:{c.number}{'s' if size > 24 and text.endswith(('。', '；')) else ''}"] = 1.0
    if total - c.number < 4:
        out[f"bottom:{total - c.number}"] = 1.0
    for name, pattern in _MARKS:
        if pattern.search(text):
            out[f"mark:{name}"] = 1.0
    if c.sort == "h" and c.first and c.last and size < 20:
        out["bare"] = 1.0
    if c.first and not c.last and size < 40 and c.label:
        out["lead"] = 1.0
    if c.first and c.last and c.label and size < 30 and not re.search(r"[。；]$", text):
        out["labelled"] = 1.0
    out |= {f"cue:{name}": CUE_WEIGHT for name in cues_of(text)}
    return out


def words(text: str, prefix: str, pairs: bool = True) -> dict[str, float]:
    """词特征: words and pairs of words, each once."""
    found = words_of(text)
    out = {f"{prefix}:{w}": WORD_WEIGHT for w in found}
    if pairs:
        out |= {f"{prefix}:{a}_{b}": WORD_WEIGHT for a, b in itertools.pairwise(found)}
    return out


def clause_features(
    clauses: Sequence[Clause], said: Sequence[Features] | None = None
) -> list[dict[str, float]]:
    """条款特征: one mapping a clause, with the words of its headings and the edges of its neighbours; `said`: its prior
    features, where they are known already."""
    said = prior_features(clauses) if said is None else said
    own = [words(c.text, "w") for c in clauses]
    edges = [words_of(c.text) for c in clauses]
    by_number = {c.number: i for i, c in enumerate(clauses)}
    marks = [layout(c, len(clauses)) | dict(p) for c, p in zip(clauses, said, strict=True)]
    out = []
    for i, c in enumerate(clauses):
        row = own[i] | marks[i]
        for depth, number in enumerate(reversed(c.headings[-2:])):
            at = by_number[number]
            row |= {f"h{depth}:{w}": WORD_WEIGHT for w in edges[at][:10]}
            row |= {f"head{depth}:{name}": 1.0 for name in heads_of(plain(clauses[at].text)[:40])}
        row |= {f"field:{name}": 1.0 for name in heads_of(c.field_name)}
        if c.headings:
            lead = by_number[c.headings[-1]]
            strength = 1.5 if re.search(r"[：:]\s*$", clauses[lead].text) else 0.5
            row |= {f"lead{k}": strength for k in marks[lead] if k.startswith(("cue", "prior"))}
        for name, j in (("p", i - 1), ("n", i + 1)):
            if 0 <= j < len(clauses):
                row |= {f"{name}:{w}": NEAR * WORD_WEIGHT for w in edges[j][:2] + edges[j][-1:]}
                row |= {f"{name}{k}": NEAR * v for k, v in marks[j].items() if k.startswith(_TOLD)}
        out.append(row)
    return out
