"""标注存储: the project's own annotations are well formed, hold no sentence, and fit the texts they were made on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from policies.decompose.annotations import FOLDER, digest, load_stored, quoted, stored
from policies.decompose.examples import gold_spans
from policies.decompose.learn import load_annotated, load_extra
from policies.decompose.roles import ROLES

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
needs_shared = pytest.mark.skipif(
    not (SHARED / "eval").is_dir(), reason="评测文本不在仓库里（../shared/eval）"
)
KINDS = {
    "items": set(
        ["subsidy", "award", "loan", "tax", "rent", "talent", "recognition", "service", "nurture", "other"]
    ),
    "benefits": set(["fixed", "rate", "range", "cap", "per_unit", "waiver", "other"]),
    "conditions": set(["place", "industry", "status", "numeric", "time", "event", "credit", "manual"]),
}
DELIVERY = {"application", "on_request", "no_application", "unspecified"}
NOUN = 12  # a field noun, a unit or a period has at most so many characters
FILES = sorted(FOLDER.glob("*.json"))


def holders(kept: dict[str, Any]) -> list[dict[str, Any]]:
    return [kept["general"], *kept["items"]]


def spans(holder: dict[str, Any]) -> Iterator[tuple[int, int]]:
    entries = [*holder.get("benefits", []), *holder.get("conditions", [])]
    if "window" in holder:
        entries.append(holder["window"])
    yield from ((e["start"], e["end"]) for e in entries)
    yield from (tuple(s) for name in ("exclusions", "materials") for s in holder.get(name, []))


def words(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for v in value.values():
            yield from words(v)
    elif isinstance(value, list):
        for v in value:
            yield from words(v)


def test_every_format_of_the_shared_texts_is_annotated() -> None:
    assert len(FILES) == 32


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem[:3])
def test_an_annotation_is_well_formed(path: Path) -> None:
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert re.fullmatch("[0-9a-f]{64}", kept["sha256"])
    assert list(kept["clauses"]) == [str(n) for n in range(1, len(kept["clauses"]) + 1)]
    assert all(roles and set(roles) <= set(ROLES) for roles in kept["clauses"].values())
    for holder in holders(kept):
        assert all(0 <= a < b <= kept["end"] for a, b in spans(holder))
        for name in ("benefits", "conditions"):
            assert {e["kind"] for e in holder.get(name, [])} <= KINDS[name]
    for item in kept["items"]:
        assert item["kind"] in KINDS["items"] and item["delivery"] in DELIVERY
        assert item["benefits"] and {str(n) for n in item["clauses"]} <= set(kept["clauses"])


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem[:3])
def test_an_annotation_holds_no_sentence(path: Path) -> None:
    kept = json.loads(path.read_text(encoding="utf-8"))
    long = [
        w for w in words(kept) if re.search("[一-鿿]", w) and (len(w) > NOUN or re.search("[，。；：]", w))
    ]
    assert long == []


def gold() -> tuple[str, dict[str, Any]]:
    text = "支持办法\n注册地在本区的企业，给予10万元补助。不重复享受。\n2026年1月1日起施行。\n首页\n"
    item: dict[str, Any] = {
        "kind": "subsidy",
        "delivery": "application",
        "title": "补助",
        "clauses": [2],
        "benefits": [{"quote": "给予10万元补助", "kind": "fixed", "amount": 100000, "when": "每年"}],
        "conditions": [
            {"quote": "注册地在本区", "kind": "place", "field": "注册地", "op": "in", "value": "本区"}
        ],
        "exclusions": ["不重复享受"],
        "window": {"quote": "2026年1月1日起", "from": "2026-01-01"},
    }
    roles = {"1": ["title"], "2": ["condition", "benefit"], "3": ["exclusion"], "4": ["window"]}
    return text, {"doc_kind": "办法", "clauses": roles, "items": [item], "general": {}}


def test_offsets_come_back_as_the_quotes_they_were(tmp_path: Path) -> None:
    text, annotated = gold()
    kept = stored(annotated, text)
    assert "补助" not in "".join(words(kept)) and kept["end"] == text.index("\n首页")
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "a.txt").write_text(text, encoding="utf-8")
    (tmp_path / "a.json").write_text(json.dumps(kept), encoding="utf-8")
    (tmp_path / "b.json").write_text(json.dumps(kept), encoding="utf-8")  # its text isn't there: left out
    (doc,) = load_stored(tmp_path, {"a": "某市"}, tmp_path)
    assert (doc.city, len(doc.clauses)) == ("某市", 4)
    found = gold_spans(doc)
    assert [text[a:b] for a, b in found.conditions] == ["注册地在本区"]
    assert [text[a:b] for (a, b), _, _ in found.benefits] == ["给予10万元补助"]
    assert [text[a:b] for a, b in found.exclusions] == ["不重复享受"]
    assert doc.gold["items"][0]["window"]["quote"] == "2026年1月1日起"


def test_another_text_is_refused() -> None:
    text, annotated = gold()
    with pytest.raises(ValueError, match="不是标注时的那一份原文"):
        quoted(stored(annotated, text), "a", text + "改")
    with pytest.raises(ValueError, match="引文不在原文里：给予10万元补助"):
        stored(annotated, text.replace("10万元", "20万元"))


@needs_shared
def test_annotations_fit_the_shared_texts() -> None:
    root = SHARED / "eval"
    for path in FILES:
        text = (root / "raw" / f"{path.stem}.txt").read_text(encoding="utf-8")
        assert json.loads(path.read_text(encoding="utf-8"))["sha256"] == digest(text)
    extra = load_extra(root)
    assert {d.stem for d in extra}.isdisjoint(d.stem for d in load_annotated(root))
    assert all(d.city != d.stem for d in extra)  # documents.csv names every city
