"""范文: the texts written for the project are whole, teach every role, and quote nothing of the shared documents."""

from __future__ import annotations

from pathlib import Path

import pytest

from policies.decompose.examples import gold_spans
from policies.decompose.roles import ROLES
from policies.decompose.written import load_written, parse_written

SHARED = Path(__file__).resolve().parents[2].parent / "shared"


def test_a_mark_becomes_a_quote_with_its_place() -> None:
    doc = parse_written(
        "a",
        "<t>某措施\n{c1:新入库}的企业，{b1:奖励5万元}；{c1,2:连续入库}的{b2:再奖励3万元}。<w>有效期三年。\n",
    )
    assert doc.text == "某措施\n新入库的企业，奖励5万元；连续入库的再奖励3万元。有效期三年。\n"
    assert doc.gold["clauses"] == {
        "1": ["title"],
        "2": ["benefit", "condition"],
        "3": ["benefit", "condition"],
        "4": ["window"],
    }
    one, two = doc.gold["items"]
    assert [c["quote"] for c in one["conditions"]] == ["新入库", "连续入库"]
    assert [c["quote"] for c in two["conditions"]] == ["连续入库"]
    for entry in (*one["conditions"], *one["benefits"], *two["benefits"]):
        assert doc.text.startswith(entry["quote"], entry["start"])


@pytest.mark.parametrize(
    ("marked", "word"), [("某句没有角色。", "没有标角色"), ("{c1:新入库的企业，奖励。", "标记没写完整")]
)
def test_a_text_that_is_not_marked_whole_is_refused(marked: str, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        parse_written("a", marked)


def test_written_texts_are_whole_and_each_a_city_of_its_own() -> None:
    docs = load_written()
    assert len({d.city for d in docs}) == len(docs) >= 40
    taught = sum(d.role_labels.sum(axis=0) for d in docs)
    assert all(n > 5 for n in taught), dict(zip(ROLES, taught, strict=True))
    for d in docs:
        assert len(d.clauses) == len(d.gold["clauses"]), d.stem
        marked = sum(len(i["benefits"]) for i in d.gold["items"])
        assert len(gold_spans(d).benefits) == marked, d.stem


@pytest.mark.skipif(not (SHARED / "eval").is_dir(), reason="评测文本不在仓库里（../shared/eval）")
def test_written_texts_quote_no_shared_document() -> None:
    shared = "\n".join(p.read_text(encoding="utf-8") for p in sorted((SHARED / "eval" / "raw").glob("*.txt")))
    for d in load_written():
        for c in d.clauses:
            said = c.text.strip()
            assert len(said) < 30 or said not in shared, (d.stem, said)
