"""改正与重训: the officer's corrections beside the annotated documents, and the facts of a fitted model."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import sklearn

from .annotations import load_stored
from .examples import Annotated
from .linear import LinearModel
from .roles import ROLE_WORDS, ROLES, in_code
from .written import load_written


def model_facts(docs: Sequence[Annotated], models: Mapping[str, LinearModel], as_of: str) -> dict[str, Any]:
    """模型卡数据: what a model was fitted from; counts a role, no sentence of any document."""
    digest = hashlib.sha256()
    for d in docs:
        digest.update(d.stem.encode() + b"\0" + d.text.encode())
    total = sum(d.role_labels.sum(axis=0) for d in docs)
    return {
        "date": as_of,
        "scikit_learn": sklearn.__version__,
        "documents": len(docs),
        "clauses": sum(len(d.clauses) for d in docs),
        "roles": {r: int(n) for r, n in zip(ROLES, total, strict=True)},
        "features": {name: len(m.vocabulary) for name, m in models.items()},
        "data_sha256": digest.hexdigest(),
    }


def load_annotated(root: Path) -> list[Annotated]:
    """标注集: the documents of a folder with raw/ (texts) and gold/ (annotations); documents.csv may name their city.

    Raises ValueError where an annotation doesn't fit its text.
    """
    cities = _cities(root)
    out = []
    for path in sorted((root / "gold").glob("*.json")):
        gold = json.loads(path.read_text(encoding="utf-8"))
        gold["clauses"] = in_code(gold.get("clauses", {}))
        source = root / "raw" / str(gold.get("file", ""))
        if not source.is_file():
            raise ValueError(f"{path.name} 说的原文 {source.name} 不在 raw/ 里")
        doc = Annotated(
            path.stem, cities.get(path.stem, path.stem), source.read_text(encoding="utf-8"), gold
        ).prepare()
        if len(gold.get("clauses", {})) != len(doc.clauses):
            raise ValueError(
                f"{path.name} 标了 {len(gold.get('clauses', {}))} 条，原文有 {len(doc.clauses)} 条；改正要在同一份原文上做"
            )
        out.append(doc)
    return out


def _cities(root: Path) -> dict[str, str]:
    if not (root / "documents.csv").is_file():
        return {}
    with (root / "documents.csv").open(encoding="utf-8") as rows:
        return {r["stem"]: r["city"] for r in csv.DictReader(rows)}


def load_extra(root: Path) -> list[Annotated]:
    """另加标注: the project's own annotations (policies/models/annotations) of the texts in root/raw that have no gold.

    Raises ValueError where a text isn't the annotated one.
    """
    gold = {p.stem for p in (root / "gold").glob("*.json")}
    return [d for d in load_stored(root, _cities(root)) if d.stem not in gold]


def load_taught(root: Path) -> list[Annotated]:
    """全部教材: the annotated documents of a folder, the project's own annotations of its other texts, and the written texts.

    Raises ValueError as `load_annotated` and `load_extra` do.
    """
    return [*load_annotated(root), *load_extra(root), *load_written()]


def correction_of(answer: Mapping[str, Any], file: str) -> dict[str, Any]:
    """改正底稿: a decomposition (`huiqi decompose --json`) as the annotation an officer corrects and keeps."""
    return {
        "file": file,
        "clauses": {str(n): c["roles"] for n, c in enumerate(answer["clauses"], 1)},
        "general": answer["general"],
        "items": answer["items"],
    }


def keep_correction(
    folder: Path, stem: str, text: str, answer: Mapping[str, Any], roles_read: bool = True
) -> Path:
    """留改正: a text and its decomposition, to be corrected or as corrected, where it is learnt from; returns the annotation.

    For whoever corrects it the roles' Chinese words and every clause's text stand in front; they are not read again.
    `roles_read` is false where people settled the pieces but nobody read the clauses' roles. Raises ValueError where a correction of another text has that name.
    """
    raw, gold = folder / "raw" / f"{stem}.txt", folder / "gold" / f"{stem}.json"
    if raw.is_file() and raw.read_text(encoding="utf-8") != text:
        raise ValueError(f"{raw} 已有另一份原文的改正，请换一个名字")
    for path in (raw, gold):
        path.parent.mkdir(parents=True, exist_ok=True)
    raw.write_text(text, encoding="utf-8")
    kept = {
        "角色": "、".join(f"{role} {words}" for role, words in ROLE_WORDS.items()),
        "条文": {str(n): text[c["start"] : c["end"]].strip() for n, c in enumerate(answer["clauses"], 1)},
        **correction_of(answer, raw.name),
        **({} if roles_read else {"roles_read": False}),
    }
    told = json.dumps(kept, ensure_ascii=False, indent=1)
    gold.write_text(told + "\n", encoding="utf-8")
    return gold


class NotBetter(ValueError):
    """学了反而差: what was learnt did worse where it was tested, so it was not taken."""


def learn_corrections(
    folder: Path, home: Path, day: str, texts: Sequence[str] = (), anyway: bool = False
) -> str:
    """学改正: remember what an office corrected (a folder with raw/ and gold/) in its data folder, after a test.

    Every correction is read by what the others taught; where a figure falls nothing is kept, unless `anyway`. `texts` are
    the office's other documents: of how many of their clauses the reading changes is told. Raises ValueError.
    """
    from .corrections import judge, moved_clauses, of_memory, read_corrections
    from .own import learn, office_memory, own_path, save
    from .pipeline import decompose

    docs = read_corrections(folder)
    memory, now = learn(docs), office_memory(home)
    told = ["只有一份改正，没有别的可以验；只有和改正过的一字不差（序号、数字不算）的条款会照改正读"]
    if len(docs) > 1:
        found = judge(docs, of_memory, decompose)
        told = [found.words()]
        if found.worse and not anyway:
            raise NotBetter(
                f"没有学：学了反而差，{'、'.join(found.worse)}降了。{told[0]}。看看是不是同样的话有的改成这样、有的改成那样；一定要学加 --anyway"
            )
    if texts:
        moved, total = moved_clauses(texts, memory, now)
        told.append(f"政策库里 {len(texts)} 份文件 {total} 条，说法会变的 {moved} 条")
    path = own_path(home)
    save(path, memory, [d.stem for d in docs], day)
    rows = sum(len(d.clauses) for d in docs)
    told.append(
        f"已学 {len(docs)} 份改正 {rows} 条 → {path}（升级软件不会丢；要忘掉：huiqi decompose --forget）"
    )
    return "\n".join(told)


def forget(home: Path) -> str:
    """忘掉: what was learnt; the corrections themselves stay where they are."""
    from .own import own_path

    path = own_path(home)
    if not path.is_file():
        return "没有学过改正，没有什么可忘"
    path.unlink()
    return f"已忘掉学过的改正（{path}）；改正文件没有动，随时可以再学"


def relearn(folder: Path, bases: Sequence[Path], day: str, anyway: bool = False) -> str:
    """重训: refit the project's models with corrections (a folder with raw/ and gold/) beside the base sets, after a test.

    The new models replace the project's only if every correction is sound and corrections held out are read no worse than
    now. Raises ValueError.
    """
    from .corrections import TOLERANCE, judge, read_corrections
    from .linear import save_models
    from .pipeline import MODELS, decompose, stored_models
    from .training import train

    own = {d.stem: d for d in read_corrections(folder)}
    base = {d.stem: d for root in bases for d in [*load_annotated(root), *load_extra(root)]}
    docs = base | own
    if len(docs) < MIN_DOCUMENTS:
        raise ValueError(
            f"只有 {len(docs)} 份标注，至少要 {MIN_DOCUMENTS} 份才能重训；请用 --base 连同原来的标注集"
        )
    chosen = [*docs.values(), *load_written()]

    def refit(held: Sequence[Annotated]) -> Any:
        # The office's own few texts are what it will read again: each counts as often as several of the others.
        taught = [d for d in chosen if d.stem not in own] + [d for d in held for _ in range(OWN_COUNTS)]
        models = train(taught)
        return lambda text: decompose(text, models)

    told = "只有一份改正，没有别的可以验"
    if len(own) > 1:
        found = judge(list(own.values())[:MOST_TESTED], refit, decompose)
        told = found.words()
        if found.worse and not anyway:
            raise NotBetter(
                f"没有换模型：重训反而差，{'、'.join(found.worse)}降了 {TOLERANCE} 以上。{told}。一定要换加 --anyway"
            )
    models = train([*chosen, *(d for d in own.values() for _ in range(OWN_COUNTS - 1))])
    save_models(MODELS, models, model_facts(chosen, models, day))
    stored_models.cache_clear()
    return f"{told}\n用 {len(docs)} 份文件（其中改正 {len(own)} 份）和 {len(chosen) - len(docs)} 份范文重训完成 → {MODELS}；升级软件会换掉它，改正还在 {folder}"


MIN_DOCUMENTS = 10
OWN_COUNTS = 8
MOST_TESTED = 6  # each is a whole training
