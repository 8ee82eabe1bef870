"""明细逐个看: each project, product or person of an enterprise stands on the page, in agreement with the item's own verdict."""

from __future__ import annotations

from desk.details import detail_rows
from engine.explain import explain


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
