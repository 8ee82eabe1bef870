"""改正: an office's corrected decompositions: read strictly, since whoever writes them is no programmer; learnt from with a test."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policies.segment import segment

from .examples import Annotated, Span, gold_spans, place
from .model import Decomposition
from .own import Memory, learn
from .pipeline import decompose
from .roles import ROLE_WORDS, ROLES, in_code

TOLERANCE = 0.005  # a figure that falls by less is chance
MOST_FAULTS = 12
Reader = Callable[[str], Decomposition]


def read_corrections(folder: Path) -> list[Annotated]:
    """读改正: every gold/*.json of a folder beside its text in raw/. Raises ValueError with every fault, each with its place."""
    paths = sorted((folder / "gold").glob("*.json"))
    if not paths:
        raise ValueError(
            f"{folder} 里没有改正（{folder.name}/gold/*.json）；先 huiqi decompose 文件 --correct {folder}"
        )
    docs, faults = [], []
    for path in paths:
        try:
            gold = json.loads(path.read_text(encoding="utf-8"))
        except json.JSONDecodeError as error:
            faults.append(
                f"{path} 第 {error.lineno} 行第 {error.colno} 列不是 JSON：看看那里和上一行的逗号、引号、括号"
            )
            continue
        except UnicodeDecodeError:
            faults.append(f"{path} 不是 UTF-8 编码：请用 UTF-8 另存")
            continue
        source = folder / "raw" / str(gold.get("file", "") if isinstance(gold, dict) else "")
        if not isinstance(gold, dict) or not source.is_file():
            faults.append(
                f"{path}：file 写的原文 {source.name or '（空）'} 不在 {folder / 'raw'} 里；原文和改正要成对"
            )
            continue
        text = source.read_text(encoding="utf-8")
        gold["clauses"] = in_code(gold.get("clauses"))
        wrong = [f"{path}：{words}" for words in _faults(gold, text)]
        faults += wrong
        if not wrong:
            docs.append(Annotated(path.stem, path.stem, text, gold).prepare())
    if faults:
        more = [f"…… 另有 {len(faults) - MOST_FAULTS} 处"] if len(faults) > MOST_FAULTS else []
        raise ValueError("改正里有错，没有学：\n" + "\n".join([*faults[:MOST_FAULTS], *more]))
    return docs


def _faults(gold: Mapping[str, Any], text: str) -> Iterator[str]:
    """What is wrong with one correction: clauses that are not there, roles nobody knows, quotes that the text hasn't."""
    clauses, wanted = gold.get("clauses"), len(segment(text))
    if not isinstance(clauses, dict) or len(clauses) != wanted:
        have = len(clauses) if isinstance(clauses, dict) else 0
        yield f"clauses 有 {have} 条，原文切成 {wanted} 条；一条不能多也不能少，不要改条号，只改角色"
        return
    for number, roles in clauses.items():
        if not isinstance(roles, list) or not roles:
            yield f'第 {number} 条没有角色；写成 ["条件"] 这样，拿不准的写 ["其他"]'
            continue
        for role in roles:
            if role not in ROLES:
                yield f"第 {number} 条的角色“{role}”不认识；可以写：{'、'.join(f'{r}（{w}）' for r, w in ROLE_WORDS.items())}"
    items, general = gold.get("items"), gold.get("general") or {}
    if (
        not isinstance(items, list)
        or not isinstance(general, dict)
        or any(not isinstance(i, dict) for i in items)
    ):
        yield "items 要是 [ … ]，general 要是 { … }；从底稿改，不要改外面的结构"
        return
    for where, holder in [
        ("general", general),
        *((f"第 {n} 个事项", item) for n, item in enumerate(items, 1)),
    ]:
        for key, words in (
            ("benefits", "奖补"),
            ("conditions", "条件"),
            ("exclusions", "排除"),
            ("materials", "材料"),
        ):
            for entry in holder.get(key) or []:
                quote = (
                    entry
                    if isinstance(entry, str)
                    else entry.get("quote")
                    if isinstance(entry, dict)
                    else None
                )
                if not quote or place(text, entry, []) is None:
                    yield f"{where}的{words}“{quote}”在原文里找不到；引文要和原文一字不差，标点、空格也算"


@dataclass(frozen=True)
class Verdict:
    """验学: the figures of corrected documents before and after learning from the others; shares of 1."""

    documents: int
    before: Mapping[str, float]
    after: Mapping[str, float]

    @property
    def worse(self) -> list[str]:
        """变差的."""
        return [name for name, was in self.before.items() if self.after[name] < was - TOLERANCE]

    def words(self) -> str:
        """一句话."""
        told = "，".join(f"{name} {was:.3f} → {self.after[name]:.3f}" for name, was in self.before.items())
        return f"逐份留出来验（{self.documents} 份，学别的份、验这一份）：{told}"


def judge(docs: Sequence[Annotated], learnt: Callable[[Sequence[Annotated]], Reader], now: Reader) -> Verdict:
    """逐份验: every document read by what the others taught, against how it is read now."""
    before, after = Tally(), Tally()
    for n, doc in enumerate(docs):
        before.add(doc, now(doc.text))
        after.add(doc, learnt([*docs[:n], *docs[n + 1 :]])(doc.text))
    return Verdict(len(docs), before.figures(), after.figures())


def of_memory(docs: Sequence[Annotated]) -> Reader:
    """记住了怎么读."""
    memory = learn(docs)
    return lambda text: decompose(text, memory=memory)


class Tally:
    """计数: hits, said and right of roles, benefits and conditions."""

    def __init__(self) -> None:
        self._counts = {name: [0, 0, 0] for name in ("条款角色", "奖补", "条件")}

    def add(self, doc: Annotated, found: Decomposition) -> None:
        """一份."""
        read = doc.gold.get("roles_read", True)
        for own, said in zip(doc.role_labels.astype(bool), found.roles, strict=True) if read else ():
            right = {r for r, on in zip(ROLES, own, strict=True) if on}
            self._more("条款角色", len(right & set(said)), len(said), len(right))
        gold = gold_spans(doc)
        lists = {
            "奖补": ([s for s, _, _ in gold.benefits], [e for i in found.items for e in i.benefits]),
            "条件": (gold.conditions, [*found.conditions, *(e for i in found.items for e in i.conditions)]),
        }
        for name, (right_spans, entries) in lists.items():
            wanted = set(right_spans)
            said_spans = {(int(e["start"]), int(e["start"]) + len(e["quote"])) for e in entries}
            self._more(name, _met(said_spans, wanted), len(said_spans), len(wanted))

    def _more(self, name: str, hits: int, said: int, right: int) -> None:
        for k, n in enumerate((hits, said, right)):
            self._counts[name][k] += n

    def figures(self) -> dict[str, float]:
        """F1 of each; 1 where there was nothing to find and nothing was said."""
        return {
            n: 2 * hits / (said + right) if said + right else 1.0
            for n, (hits, said, right) in self._counts.items()
        }


def _met(said: set[Span], wanted: set[Span]) -> int:
    """Pairs, each used once, that share at least half of what both cover."""
    left, met = set(wanted), 0
    for a, b in sorted(said):
        best = max(left, key=lambda s: min(b, s[1]) - max(a, s[0]), default=None)
        if best is not None and 2 * (min(b, best[1]) - max(a, best[0])) >= max(b, best[1]) - min(a, best[0]):
            left.discard(best)
            met += 1
    return met


def moved_clauses(texts: Sequence[str], memory: Memory, now: Memory | None) -> tuple[int, int]:
    """别的文件: of how many clauses what is said of them would change, of how many."""
    moved = total = 0
    for text in texts:
        was, will = decompose(text, memory=now).roles, decompose(text, memory=memory).roles
        moved += sum(a != b for a, b in zip(was, will, strict=True))
        total += len(was)
    return moved, total
