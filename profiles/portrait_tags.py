"""文本标签: what 企业名称 and 经营范围 suggest a firm does, at each level of GB/T 4754 and by theme.

Proposals only: scored, ordered, abstaining where unsure; an officer confirms, and where a department gives an
industry code the disagreement is shown, not resolved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import normalize

from engine.columns import Columns
from profiles import tables
from profiles.portrait_calibration import calibrated, first_two
from profiles.portrait_linear import load_arrays
from profiles.portrait_text import (
    ACCEPT,
    LEVELS,
    SHOW,
    Features,
    IndustryClassifier,
    made_clauses,
    scope_clauses,
)
from profiles.portrait_theme import NONE, ThemeClassifier

FOLDER = Path(__file__).resolve().parent / "portrait"
BLOCK = 4096  # firms scored at a time: 1,382 classes of 8 bytes each


@dataclass(frozen=True)
class TextTag:
    """文本标签: a proposed class of a level, its calibrated score, and whether it is sure enough to stand as a tag."""

    level: str  # 门类 大类 中类 小类 | 主题
    code: str
    name: str
    score: float
    state: str  # 标签 | 待确认 | 弃权


@dataclass(frozen=True)
class Proposals:
    """一家企业的文本标签: by level, best first; `agrees` with the department's code at each level, None without one."""

    tags: tuple[TextTag, ...]
    agrees: dict[str, bool | None]

    def best(self, level: str) -> TextTag | None:
        """首选: the first proposal of a level that is not abstained from."""
        return next((t for t in self.tags if t.level == level and t.state != "弃权"), None)


@cache
def industry_model() -> IndustryClassifier:
    """行业分类器: the bundled one."""
    divisions = {code: letter for code, letter in tables.industry_sections().items() if len(code) == 2}
    return IndustryClassifier.from_arrays(load_arrays(FOLDER / "industry.npz"), divisions)


@cache
def theme_model() -> ThemeClassifier:
    """主题分类器: the bundled one."""
    return ThemeClassifier.from_arrays(load_arrays(FOLDER / "themes.npz"))


def state_of(score: float) -> str:
    """标签 from ACCEPT on, 待确认 from SHOW on, else 弃权."""
    return "标签" if score >= ACCEPT else "待确认" if score >= SHOW else "弃权"


def text_tags(
    names: Sequence[str], scopes: Sequence[str], codes: Sequence[str | None] | None = None, top: int = 3
) -> list[Proposals]:
    """文本标签: proposals of many firms at once; `codes` are the departments' industry codes (C3983), where known.

    A firm whose scope says nothing gets no proposals.
    """
    known = codes if codes is not None else [None] * len(names)
    features = Features()
    found: list[Proposals] = []
    for start in range(0, len(names), BLOCK):
        part = slice(start, start + BLOCK)
        found += _block(names[part], scopes[part], known[part], top, features)
    return found


def _block(
    names: Sequence[str], scopes: Sequence[str], codes: Sequence[str | None], top: int, features: Features
) -> list[Proposals]:
    model = industry_model()
    share = model.probabilities(model.firms(names, scopes, features))
    columns: list[list[list[TextTag]]] = []
    official = tables.industry_names()
    for level in LEVELS:
        sums, classes = model.at_level(share, level)
        columns.append(_ranked(level, sums, classes, model.calibration_[level], top, official))
    columns.append(_themes(scopes, features, top))
    return [_proposals(row, columns, scopes[row], codes[row]) for row in range(len(names))]


def _proposals(row: int, columns: list[list[list[TextTag]]], scope: str, code: str | None) -> Proposals:
    if not scope_clauses(scope):
        return Proposals((), dict.fromkeys(LEVELS))
    tags = tuple(tag for column in columns for tag in column[row])
    model = industry_model()
    agrees: dict[str, bool | None] = {}
    for level in LEVELS:
        best = next((t for t in tags if t.level == level), None)
        bare = tables.bare_code(code) if code else ""
        comparable = best is not None and best.state != "弃权" and bare[:2] in model.sections
        agrees[level] = best.code == model.code_at(bare, level) if comparable and best else None
    return Proposals(tags, agrees)


def _ranked(
    level: str, share: NDArray, classes: NDArray, numbers: NDArray, top: int, names: dict[str, str]
) -> list[list[TextTag]]:
    """The best `top` of each row; the first is calibrated, the others share what it leaves in proportion."""
    first, second = first_two(share)
    sure = calibrated(first, second, numbers)
    few = np.argpartition(-share, min(top, share.shape[1]) - 1, axis=1)[:, :top]
    order = np.take_along_axis(
        few, np.argsort(-np.take_along_axis(share, few, axis=1), axis=1, kind="stable"), axis=1
    )
    rest = (1 - sure) / np.maximum(1 - first, 1e-9)
    found = []
    for row in range(len(share)):
        tags = []
        for place, column in enumerate(order[row].tolist()):
            # Calibration may lower the first below what is left for the second; the order stays.
            score = sure[row] if place == 0 else min(share[row, column] * rest[row], sure[row])
            code = str(classes[column])
            tags.append(
                TextTag(level, code, names.get(code, code), round(float(score), 4), state_of(float(score)))
            )
        found.append(tags)
    return found


def _themes(scopes: Sequence[str], features: Features, top: int) -> list[list[TextTag]]:
    """Themes are proposed by the clause that speaks for them most; 无 is never shown."""
    model = theme_model()
    clauses = [made_clauses(scope_clauses(scope)[:12]) for scope in scopes]
    flat = [c for part in clauses for c in part]
    found: list[list[TextTag]] = [[] for _ in scopes]
    if not flat:
        return found
    rows = features.rows_of(flat)
    share = model.probabilities(normalize(features.matrix()[rows].multiply(model.idf_).tocsr()))
    first, second = first_two(share)
    sure = calibrated(first, second, model.calibration_)
    names = model.model_.classes[share.argmax(axis=1)]
    owner = np.repeat(np.arange(len(scopes)), [len(part) for part in clauses])
    best: list[dict[str, float]] = [{} for _ in scopes]
    for row, name, score in zip(owner.tolist(), names.tolist(), sure.tolist(), strict=True):
        if name != NONE:
            best[row][name] = max(best[row].get(name, 0.0), score)
    for row, scores in enumerate(best):
        ranked = sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))[:top]
        found[row] = [TextTag("主题", name, name, round(score, 4), state_of(score)) for name, score in ranked]
    return found


@dataclass(frozen=True)
class Disagreement:
    """不一致: a firm whose department's 大类 is not the one its text is surely about."""

    firm: str
    name: str
    department: str
    department_name: str
    proposed: str
    proposed_name: str
    score: float


CONFIRMED = "确认行业代码"  # an officer's word (store.confirmations)


def disagreements(columns: Columns) -> list[Disagreement]:
    """不一致清单: the surest first; only proposals that stand as tags (ACCEPT) are worth a person's time, and firms whose
    industry a person has confirmed are settled."""
    texts = [columns.category(name, None) for name in ("企业名称", "经营范围", "行业代码", CONFIRMED)]
    names, scopes, codes, settled = ([c.names[i] if i >= 0 else "" for i in c.codes.tolist()] for c in texts)
    official = tables.industry_names()
    found = []
    for row, one in enumerate(text_tags(names, scopes, [code or None for code in codes])):
        best = one.best("大类")
        if settled[row] or best is None or best.state != "标签" or one.agrees["大类"] is not False:
            continue
        bare = tables.bare_code(codes[row])
        found.append(
            Disagreement(
                columns.codes[row],
                names[row],
                codes[row],
                official.get(bare, ""),
                best.code,
                best.name,
                best.score,
            )
        )
    return sorted(found, key=lambda d: (-d.score, d.firm))
