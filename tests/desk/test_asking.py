"""数据需求函 and the samples beside a rule: what is asked of a department, and whether the rule still does what its author meant."""

from __future__ import annotations

from html import escape
from io import BytesIO
from urllib.parse import quote

from openpyxl import load_workbook

from desk.asking import by_department, wanted
from desk.pages.today import _owner, worth_asking


def test_a_letter_asks_one_department_for_what_undecided_matches_wait_for(desk):
    office = desk.app.state.office
    night = office.night()
    department, gaps = by_department(office, night)[0]
    cells = wanted(office, night, {g.name for g in gaps})
    assert cells and all(w.items for w in cells)
    columns = night.columns()
    for w in cells[:50]:
        row = office.row_numbers(night)[w.code]
        spec = columns.dictionary[w.indicator]
        if spec.kind in ("金额", "数量", "比例"):
            assert columns.number(w.indicator, w.year)[row] != columns.number(w.indicator, w.year)[row], w
    page = desk.client("lin").get("/desk/readiness").text
    assert f"/desk/readiness/letter.pdf?department={quote(department)}" in page
    paper = desk.client("lin").get("/desk/readiness/letter.pdf", params={"department": department})
    assert paper.status_code == 200 and paper.content[:5] == b"%PDF-"
    annex = desk.client("lin").get("/desk/readiness/letter.xlsx", params={"department": department})
    rows = list(load_workbook(BytesIO(annex.content)).active.iter_rows(values_only=True))
    head = next(i for i, r in enumerate(rows) if r[1] == "统一社会信用代码")
    assert [r[1] for r in rows[head + 1 :]] == [w.code for w in cells]
    assert desk.client("lin").get("/desk/readiness/letter.pdf?department=没有的局").status_code == 404
    assert desk.client("kan").get(f"/desk/readiness/letter.pdf?department={department}").status_code == 403
    assert "写需求函" in desk.client("lin").get("/desk/today").text


def test_what_is_worth_asking_is_said_in_full_and_two_conditions_are_not_one(desk):
    """Cut to twelve characters, conditions that begin alike were told, and counted, as one."""
    office = desk.app.state.office
    rows = worth_asking(office, office.night(), None)
    assert rows and len({(r["whole"], r["owner"]) for r in rows}) == len(rows)
    page = desk.client("lin").get("/desk/today").text
    for row in rows:
        short = row["what"].removesuffix("…")
        assert row["whole"].startswith(short) and (row["what"] == short or len(short) > 20), row
        assert f'title="{escape(row["whole"])}">{escape(row["what"])}' in page
    total = {}
    for row in rows:
        for part in whole_counts(office, row["whole"], row["owner"]):
            total[row["whole"], row["owner"]] = total.get((row["whole"], row["owner"]), 0) + part
    assert total == {(r["whole"], r["owner"]): r["count"] for r in rows}


def whole_counts(office, whole, owner):
    """Pairs of each item that wait for nothing but this very condition."""
    night = office.night()
    for item in office.items(night)["item"]:
        bound, hits = office.bound(night, item), office.hits(night, item)
        for numbered in bound.program.conditions if bound else ():
            if (numbered.condition.label or numbered.condition.quote) == whole and _owner(
                office, night, bound, numbered.id
            ) == owner:
                yield sum(
                    list(u) == [numbered.id] and not a
                    for u, a in zip(hits["unknown"], hits["only_ask"], strict=True)
                )


def test_an_item_says_whether_its_samples_pass(fresh):
    item = "bs-2025-06/rd-increment"
    assert "全部通过" in fresh.client("lin").get(f"/desk/items/{item}").text
    path = fresh.home / "library" / "bs-2025-06" / "items" / "rd-increment.test.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("verdict: 不符合", "verdict: 符合", 1), encoding="utf-8")
    page = fresh.client("lin").get(f"/desk/items/{item}").text
    assert "1 个不过" in page and "应为符合，算得不符合" in page
