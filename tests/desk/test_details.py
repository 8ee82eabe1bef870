"""明细逐个看: each project, product or person of an enterprise stands on the page, in agreement with the item's own verdict."""

from __future__ import annotations

import html
import re
from urllib.parse import quote, unquote

import pypdfium2

from desk.details import detail_rows, narrowed, speakers
from engine.explain import explain
from store.review import answer_book


def test_the_rows_agree_with_the_verdict_of_the_enterprise(desk):
    office = desk.app.state.office
    night = office.night()
    seen = 0
    for item in ("bs-2025-08/equipment-invest", "bs-2025-03/talent-rent", "bs-2025-06/first-set"):
        bound = office.bound(night, item)
        own = night.columns().rows[bound.program.item.subject]
        for row in dict.fromkeys(own.owner.tolist()):
            code = night.columns().codes[row]
            one = office.one(night, code)
            rows = detail_rows(bound, one, night.as_of, night.answers())
            found = explain(bound, one, night.as_of, night.answers())
            assert len(rows) == int((own.owner == row).sum()) and [r.speaks for r in rows].count(True) == 1
            assert rows[0].verdict == str(found.verdict), "the row that speaks gives the verdict"
            marks = [str(e.verdict) for e in found.evidence]
            assert list(rows[0].marks) == marks
            seen += len(rows) > 1
    assert seen, "the sample must hold enterprises with several rows"


def test_the_page_lists_every_row_and_an_item_about_firms_has_none(desk):
    office = desk.app.state.office
    night = office.night()
    own = night.columns().rows["人才"]
    row = max(set(own.owner.tolist()), key=own.owner.tolist().count)
    code = night.columns().codes[row]
    page = desk.client("lin").get(f"/desk/matches/{code}/bs-2025-03/talent-rent").text
    part = page.split('id="details"')[1].split("</section>")[0]
    assert all(own.ids[i] in part for i in range(len(own.ids)) if own.owner[i] == row)
    assert 'id="details"' not in desk.client("lin").get(f"/desk/matches/{code}/bs-2025-03/stable-jobs").text


def several_rows(office, item):
    """(code, rows) of the first enterprise with more than one row that differ."""
    night = office.night()
    bound = office.bound(night, item)
    own = night.columns().rows[bound.program.item.subject]
    for row in dict.fromkeys(own.owner.tolist()):
        code = night.columns().codes[row]
        rows = detail_rows(bound, office.one(night, code), night.as_of, night.answers())
        if len({r.marks for r in rows}) > 1:
            return code, rows
    raise AssertionError("the sample must hold an enterprise whose rows differ")


def test_each_row_has_its_own_evidence(desk):
    office, item = desk.app.state.office, "bs-2025-08/equipment-invest"
    night = office.night()
    bound = office.bound(night, item)
    code, rows = several_rows(office, item)
    one = office.one(night, code)
    for row in rows:
        found = explain(
            bound, narrowed(one, bound.program.item.subject, row.id), night.as_of, night.answers()
        )
        assert str(found.verdict) == row.verdict and [str(e.verdict) for e in found.evidence] == list(
            row.marks
        )
    other = rows[-1].id
    page = desk.client("lin").get(f"/desk/matches/{code}/{item}", params={"row": other}).text
    assert f"下面是项目“{other}”的依据" in page and 'data-key="a"' not in page
    assert desk.client("lin").get(f"/desk/matches/{code}/{item}?row=nowhere").status_code == 404


def test_one_row_goes_on_paper_with_its_own_name_verdict_and_money(desk):
    office, client = desk.app.state.office, desk.client("lin")
    item, subject = "bs-2025-08/equipment-invest", "项目"
    code, rows = several_rows(office, item)
    own = next(r for r in rows if r.speaks)
    other = next(r for r in rows if r.marks != own.marks)
    for row in (own, other):
        asked = {} if row is own else {"row": row.id}
        page = client.get(f"/desk/matches/{code}/{item}", params=asked).text
        mark = page.split('class="sum"')[1].split("</p>")[0]
        assert f"{row.verdict}</span>" in mark and f"“{row.id}”" in mark
        link = re.search(r'href="([^"]+evidence\.pdf[^"]*)"', page)
        assert link is not None and (quote(row.id) in link[1]) == (row is other)
        answer = client.get(html.unescape(link[1]))
        assert row.id in unquote(answer.headers["content-disposition"])
        text = words_of(answer.content)
        assert f"{subject}：{row.id}（共{len(rows)}个）" in text and f"结论：{row.verdict}" in text
        assert all(r.id in text for r in rows), "each of the firm's projects is told"
        assert (f"整家企业的结论由“{own.id}”定：{own.verdict}" in text) == (row is other)


def words_of(pdf):
    """The text of a PDF without its spaces and line ends."""
    pages = pypdfium2.PdfDocument(pdf)
    return re.sub(r"\s", "", "".join(page.get_textpage().get_text_range() for page in pages))


def test_a_clerk_who_only_reads_gets_the_paper_too(desk):
    office, item = desk.app.state.office, "bs-2025-08/equipment-invest"
    code, _ = several_rows(office, item)
    assert "evidence.pdf" in desk.client("cai").get(f"/desk/matches/{code}/{item}").text
    assert "evidence.pdf" not in desk.client("kan").get(f"/desk/matches/{code}/{item}").text


def test_the_list_names_the_row_that_speaks(desk):
    office, item = desk.app.state.office, "bs-2025-08/equipment-invest"
    night, bound = office.night(), office.bound(office.night(), item)
    hits = office.hits(night, item)
    codes = [str(c) for c in hits["统一社会信用代码"]]
    found = speakers(bound, night.columns().take(office.rows(night, codes)), night.answers())
    for code, (name, count) in zip(codes, found, strict=True):
        rows = detail_rows(bound, office.one(night, code), night.as_of, night.answers())
        assert count == len(rows) and name == (rows[0].id if rows else "")
    page = desk.client("lin").get(f"/desk/items/{item}/matches?state=全部").text
    assert any(name and name in page for name, _ in found)


def test_an_answer_says_which_row_it_is_about(fresh):
    office, item = fresh.app.state.office, "bs-2025-06/first-set"
    night = office.night()
    bound = office.bound(night, item)
    ask = next(
        leaf.id or c.id
        for c in bound.program.conditions
        for leaf in c.condition.leaves()
        if leaf.kind == "ask"
    )
    own = night.columns().rows[bound.program.item.subject]
    code, row = night.columns().codes[int(own.owner[0])], own.ids[0]
    url = f"/desk/matches/{code}/{item}/answer"
    refused = fresh.post("lin", url, ask=ask, answer="是", why="看过样机")
    assert "逐个" in unquote(refused.headers["location"]) and not answer_book(fresh.engine).get(
        (item, bound.batch.name, ask), {}
    ).get(code)
    fresh.post("lin", url, ask=ask, answer="是", why="看过样机", row=row)
    assert answer_book(fresh.engine)[(item, bound.batch.name, ask)][code] == {row: True}
