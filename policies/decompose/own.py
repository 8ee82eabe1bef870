"""本局的学习: what an office's corrections say of texts like those corrected, kept in the data folder.

The project's models stay as they are; what is kept is the words that were corrected with what they are, so that it goes on top
of whatever models the next version of the software brings. Weights fitted to a few texts were tried and did harm on held-out
texts of the same place (docs/decomposition.md); a clause or phrase that comes again is what corrections do say.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from policies.segment import Clause

from .examples import Annotated, atom_labels, gold_spans
from .linear import sigmoid
from .pieces import LABELS, Reading, start_reading
from .roles import ROLES

# The first time that people read some words, against what a sure model says (a score of 0.95 is a logit of 2.9).
ONCE, MOST = 4.0, 6.0
_LEAST = 4  # characters: what is shorter means one thing here and another there
_MARKS = re.compile(r"[\s，。；、：:;,.（）()《》“”\"'〔〕\[\]【】\-—_#*]+")
_NUMBER = re.compile(r"[\d０-９]+(?:\.\d+)?%?|[一二三四五六七八九十百千万亿两]{2,}")
_LABEL = re.compile(
    r"^\s*[（(]?[一二三四五六七八九十\d]{1,3}[）)、.．]\s*|^第[一二三四五六七八九十百\d]+[条章节款]\s*"
)

Counts = dict[str, list[list[int]]]  # key → per label: times yes, times no


@dataclass(slots=True)
class Memory:
    """记得的改正: by the words of a clause, the roles that people gave it; by the words of a phrase, its labels."""

    clauses: Counts = field(default_factory=dict)
    atoms: Counts = field(default_factory=dict)

    def roles(self, clauses: Sequence[Clause], scores: np.ndarray) -> np.ndarray:
        """改后的角色得分: clauses × roles; clauses that nobody has read stay as the model scores them."""
        return _moved(self.clauses, [_key(c.text) for c in clauses], scores)

    def labels(self, reading: Reading, scores: np.ndarray) -> np.ndarray:
        """改后的片段得分: atoms × labels."""
        return _moved(self.atoms, _atom_keys(reading), scores)

    def met(self, clauses: Sequence[Clause]) -> int:
        """几条认得: clauses whose roles people have read."""
        return sum(_key(c.text) in self.clauses for c in clauses)


def _moved(known: Counts, keys: Sequence[str], scores: np.ndarray) -> np.ndarray:
    out = scores.copy()
    for row, key in enumerate(keys):
        if (counts := known.get(key)) is None:
            continue
        yes, no = np.array(counts, dtype=float).T
        told = np.clip(ONCE * (yes - no) / np.maximum(1.0, np.sqrt(yes + no)), -MOST, MOST)
        own = np.clip(scores[row], 1e-6, 1 - 1e-6)
        out[row] = sigmoid(np.log(own / (1 - own)) + told)
    return out


def _key(text: str) -> str:
    """The words without labels, numbers and marks, so that 第三条…200万元 is remembered for 第五条…300万元."""
    plain = _MARKS.sub("", _NUMBER.sub("0", _LABEL.sub("", text)))
    return plain if len(plain) >= _LEAST else ""


def _atom_keys(reading: Reading) -> list[str]:
    return [_key(atom.text) for atom in reading.atoms]


def learn(docs: Sequence[Annotated]) -> Memory:
    """记下改正: every clause and phrase of annotated documents with what people made of it."""
    clauses: dict[str, np.ndarray] = defaultdict(lambda: np.zeros((len(ROLES), 2), int))
    atoms: dict[str, np.ndarray] = defaultdict(lambda: np.zeros((len(LABELS), 2), int))
    for d in docs:
        reading = start_reading(d.text, d.clauses, np.zeros((len(d.clauses), len(ROLES))))
        if d.gold.get("roles_read", True):
            for c, own in zip(d.clauses, d.role_labels, strict=True):
                _count(clauses, _key(c.text), own)
        for key, own in zip(_atom_keys(reading), atom_labels(reading, gold_spans(d)), strict=True):
            _count(atoms, key, own)
    return Memory({k: v.tolist() for k, v in clauses.items()}, {k: v.tolist() for k, v in atoms.items()})


def _count(into: dict[str, np.ndarray], key: str, own: np.ndarray) -> None:
    if key:
        into[key][:, 0] += own > 0
        into[key][:, 1] += own <= 0


VERSION = 1


def own_path(home: Path) -> Path:
    """记在哪."""
    return home / "models" / "corrections.json"


def save(path: Path, memory: Memory, documents: Sequence[str], day: str) -> None:
    """存: as JSON that says what it was learnt from; the file before it stays beside it until the new one is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {
        "version": VERSION, "date": day, "documents": list(documents), "roles": list(ROLES), "labels": list(LABELS),
        "clauses": memory.clauses, "atoms": memory.atoms,
    }  # fmt: skip
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(told, ensure_ascii=False) + "\n", encoding="utf-8")
    fresh.replace(path)


def office_memory(home: Path) -> Memory | None:
    """本局记得的; None where it has learnt nothing yet. Raises ValueError where the file can't be read."""
    path = own_path(home)
    return _read(path, path.stat().st_mtime_ns) if path.is_file() else None


@lru_cache(maxsize=4)
def _read(path: Path, changed: int) -> Memory:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["version"] != VERSION:
            raise ValueError(f"是第 {told['version']} 版的写法，这个软件读第 {VERSION} 版")
        return Memory(
            _by_name(told["clauses"], told["roles"], ROLES), _by_name(told["atoms"], told["labels"], LABELS)
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path} 读不出来（{error}）；删掉它，再 huiqi decompose --learn 改正 学一次"
        ) from error


def _by_name(counts: Mapping[str, list[list[int]]], was: Sequence[str], names: Sequence[str]) -> Counts:
    """Counts in the order of today's names; a name that is new was never seen."""
    at = [was.index(name) if name in was else None for name in names]
    return {key: [[0, 0] if k is None else list(own[k]) for k in at] for key, own in counts.items()}
