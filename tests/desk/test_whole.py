"""整份文件试算: the kept answer is the analysts' own, made once, and never one that rests on what is no longer so."""

from __future__ import annotations

import io
import re
import threading
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import openpyxl
import pytest
from world import PASSWORD

import policies
from analysis import View, compare_all
from desk import whole as kept
from engine.grantmoves import AUTOMATIC
from policies.calendar import builtin_calendar
from store import accounts, grants
from store.grants import NewGrant

DOC, ITEM = "bs-2025-06", "bs-2025-06/rd-intensity"
PAGE = f"/desk/policies/{DOC}/impact"
USUAL = "研发费用[Y] >= 300万元"


def write(desk, text, path="items/rd-intensity.yaml"):
    """Another text in the document of the desk's own library."""
    (folder(desk) / path).write_text(text, encoding="utf-8")


def rule(desk, threshold):
    """The item's rule with another threshold, whatever it was."""
    bundled = Path(policies.__file__).with_name("library") / DOC / "items" / "rd-intensity.yaml"
    text = bundled.read_text(encoding="utf-8")
    assert USUAL in text
    write(desk, text.replace(USUAL, f"研发费用[Y] >= {threshold}"))


def view_of(desk):
    return View(desk.app.state.office.night())


def folder(desk):
    return desk.home / "library" / DOC


@pytest.fixture
def patient(monkeypatch):
    """Pages that wait for their answer, however slow the machine."""
    monkeypatch.setattr(kept, "PATIENCE", 60.0)


def test_the_answer_is_the_analysts_own_on_page_drawing_and_sheet(fresh, patient):
    client = fresh.client("lin")
    assert "没有一个事项有变化" in client.get(PAGE).text
    assert client.get(f"{PAGE}.xlsx").status_code == 404
    rule(fresh, "100万元")
    found = compare_all(view_of(fresh), view_of(fresh).with_document(folder(fresh)))
    page = client.get(PAGE).text
    assert found.words() in page and "C 制造业" in page and "原来不够：" in page
    assert "<svg" in client.get(f"{PAGE}.svg").text
    sheet = openpyxl.load_workbook(io.BytesIO(client.get(f"{PAGE}.xlsx").content)).active
    rows = [[c.value for c in row] for row in sheet.iter_rows()]
    head = next(n for n, row in enumerate(rows) if "统一社会信用代码" in row)
    assert [r[rows[head].index("统一社会信用代码")] for r in rows[head + 1 :]] == found.changes[
        "统一社会信用代码"
    ].tolist()
    assert PAGE in client.get("/desk/policies").text


def test_a_document_that_is_not_there_or_cannot_be_read_is_said_so(fresh, patient):
    client = fresh.client("lin")
    answer = client.get("/desk/policies/nothing/impact")
    assert answer.status_code == 404 and "没有编号是 nothing 的文件" in answer.text
    rule(fresh, "很多元")
    page = client.get(PAGE).text
    assert "这份文件的规则有错" in page and str(fresh.home) not in page
    assert client.get(f"{PAGE}.xlsx").status_code == 404


def test_it_is_reckoned_once_for_page_drawing_and_sheet(fresh, patient, monkeypatch):
    made = []
    real = kept.compare_all
    monkeypatch.setattr(kept, "compare_all", lambda *views: made.append(1) or real(*views))
    rule(fresh, "100万元")
    for end in ("", ".svg", ".xlsx", ""):
        assert fresh.client("lin").get(PAGE + end).status_code == 200
    assert fresh.client("admin").get(PAGE).status_code == 200
    assert made == [1]


def test_a_page_does_not_wait_for_a_long_answer(fresh, monkeypatch):
    going, seen = threading.Event(), threading.Event()
    real = kept.compare_all

    def slow(*views):
        seen.set()
        assert going.wait(60)
        return real(*views)

    monkeypatch.setattr(kept, "PATIENCE", 0.0)
    monkeypatch.setattr(kept, "compare_all", slow)
    rule(fresh, "100万元")
    client = fresh.client("lin")
    for _ in range(2):  # who comes while it is reckoned starts no second one
        page = client.get(PAGE).text
        assert "正在算" in page and 'http-equiv="refresh"' in page and f'href="{PAGE}"' in page
        assert seen.wait(60)
    going.set()
    assert client.get(f"{PAGE}.svg").status_code == 200, "who wants the drawing waits for it"
    assert "正在算" not in client.get(PAGE).text


def test_what_went_wrong_is_said_and_not_tried_again_and_again(fresh, patient, monkeypatch):
    made = []

    def broken(*_views):
        made.append(1)
        raise MemoryError

    monkeypatch.setattr(kept, "compare_all", broken)
    rule(fresh, "100万元")
    assert "没有算成" in fresh.client("lin").get(PAGE).text
    assert "没有算成" in fresh.client("lin").get(PAGE).text and made == [1]


def test_every_input_changes_what_the_answer_rests_on(fresh):
    night, place = fresh.app.state.office.night(), folder(fresh)
    first = kept.basis(night, place)
    assert kept.basis(night, place) == first
    run = night.run
    parts = {name: getattr(run, name) for name in type(run).model_fields}
    others = [
        {"no": night.no + 1}, {"as_of": date(2026, 6, 17)}, {"library_hash": "another"}, {"profiles_hash": "another"},
        {"answers_hash": "another"}, {"settings": {**run.settings, "received": "another"}},
    ]  # fmt: skip
    found = {first}
    for other in others:
        made = SimpleNamespace(**{**parts, **other})
        found.add(kept.basis(replace(night, run=made), place))
    text = (place / "items" / "rd-intensity.yaml").read_text(encoding="utf-8")
    document = (place / "document.yaml").read_text(encoding="utf-8")
    changes = [
        lambda: write(fresh, text.replace(USUAL, "研发费用[Y] >= 301万元")),
        lambda: write(fresh, text + "# 说明\n"),
        lambda: write(fresh, document + "# 说明\n", "document.yaml"),
        lambda: write(fresh, "另一段原文", "text.md"),
        lambda: write(fresh, text, "items/another.yaml"),
        lambda: (place / "items" / "another.yaml").rename(place / "items" / "renamed.yaml"),
        lambda: (place / "items" / "renamed.yaml").unlink(),
    ]
    for n, change in enumerate(changes[:6]):
        change()
        found.add(kept.basis(night, place))
        assert len(found) == len(others) + 2 + n
    changes[6]()
    assert kept.basis(night, place) in found, "without the file it is what it was"


def test_a_changed_budget_or_rule_is_seen_at_the_next_visit(fresh, patient):
    client = fresh.client("lin")
    said = []
    for threshold in ("100万元", "200万元", "100万元", "300万元"):
        rule(fresh, threshold)
        said.append(client.get(PAGE).text)
        found = compare_all(view_of(fresh), view_of(fresh).with_document(folder(fresh)))
        assert found.words() in said[-1]
    assert said[0] != said[1] and "没有一个事项有变化" in said[3]


def test_promises_are_asked_for_at_every_visit(fresh, patient):
    """A grant that is opened, moves or ends after the answer was kept stands on the page at once."""
    rule(fresh, "3000万元")
    client, office = fresh.client("lin"), fresh.app.state.office
    lost = compare_all(view_of(fresh), view_of(fresh).with_document(folder(fresh))).parts[0].lost
    code, batch = lost["统一社会信用代码"].iloc[0], view_of(fresh).bound(ITEM).batch.name
    assert "会受损" not in client.get(PAGE).text
    day, calendar = date(2026, 6, 1), builtin_calendar()
    made = NewGrant(
        code,
        office.name(office.night(), code),
        ITEM,
        batch,
        "研发投入强度奖励",
        "科技创新局",
        AUTOMATIC,
        100,
        100,
    )
    grants.open_grants(fresh.engine, [made], day, fresh.moment, calendar)
    page = client.get(PAGE).text
    assert "已承诺的 1 家次会受损（在办 1）" in page and "名单核查" in page
    (case,) = grants.find(fresh.engine, item=ITEM)
    firm, given_up = grants.Actor("张", "企业"), {"理由": "今年不需要"}
    grants.act(fresh.engine, case.id or 0, "放弃", firm, day, fresh.moment, calendar, given_up)
    assert "会受损" not in client.get(PAGE).text


def test_a_department_sees_its_own_items_only(fresh, patient):
    rule(fresh, "100万元")
    for login, department in (("ke", "科技创新局"), ("qita", "经济发展局")):
        accounts.create_person(
            fresh.engine, login, login, ["经办"], PASSWORD, by="测试", now=fresh.moment, department=department
        )
    title = view_of(fresh).program(ITEM).item.title
    assert title in fresh.client("ke").get(PAGE).text
    other = fresh.client("qita").get(PAGE).text
    assert title not in other.split("<main", 1)[1] and "没有一个事项有变化" in other
    assert fresh.client("qita").get(f"{PAGE}.svg").status_code == 404


def test_what_reads_the_same_is_not_reckoned(fresh):
    """A document that is what the night had costs no matching; one changed rule costs that of its own items alone."""
    view = view_of(fresh)
    same = view.with_document(folder(fresh))
    assert compare_all(view, same).parts == () and same._found == {} and view._found == {}
    rule(fresh, "100万元")
    other = view.with_document(folder(fresh))
    found = compare_all(view, other)
    assert [p.item for p in found.parts][:1] and ITEM in {p.item for p in found.parts}
    assert set(view._found) < set(other.changed)


def test_items_without_an_open_batch_are_named(fresh, patient):
    bundled = Path(policies.__file__).with_name("library") / DOC / "items" / "rd-intensity.yaml"
    text = bundled.read_text(encoding="utf-8")
    title = view_of(fresh).program(ITEM).item.title
    new = text.replace(ITEM, f"{DOC}/another").replace(f"title: {title}", "title: 还没开的事项")
    write(fresh, re.sub(r"(?m)^batches:\n(?:[ -].*\n)+", "", new), "items/another.yaml")
    page = fresh.client("lin").get(PAGE).text
    assert "没有一个事项有变化" in page and "1 个事项没有在办的批次，没有算：还没开的事项" in page


def test_a_change_that_only_opens_questions_is_told_in_figures_and_draws_no_empty_chart(fresh, patient):
    bundled = Path(policies.__file__).with_name("library") / DOC / "items" / "rd-increment.yaml"
    text = bundled.read_text(encoding="utf-8")
    write(fresh, text.replace(">= 200万元", ">= 1万元"), "items/rd-increment.yaml")
    (part,) = compare_all(view_of(fresh), view_of(fresh).with_document(folder(fresh))).parts
    assert part.before["fits"] == part.after["fits"] == 0 and part.before["open"] < part.after["open"]
    page = fresh.client("lin").get(PAGE).text
    assert f"待核实 {part.before['open']:.0f} → {part.after['open']:.0f} 家次" in page
    assert "impact.svg" not in page and "分行业、规模、区域" not in page
