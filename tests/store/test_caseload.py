"""台账的查法: what the database counts and orders is what going through every grant by hand gives."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

import policies
from engine.fulfilment import lateness
from engine.grantmoves import FINAL
from jobs import demo
from policies.library import load_library
from profiles.dictionary import builtin_dictionary
from store import caseload, grants
from store.calendars import office_calendar
from store.caseload import SCOPES, Caseload
from tests.databases import new_database

DAY = date(2026, 6, 17)


@pytest.fixture(scope="module")
def engine(tmp_path_factory, database):
    made = new_database(tmp_path_factory.mktemp("caseload"))
    library = load_library(Path(policies.__file__).with_name("library"), builtin_dictionary(), {})
    demo.earlier_grants(made, library, 1500, 1, DAY)
    undated = grants.NewGrant("91120116MA0000002X", "", "a/b", "2026", "", "商务局", "申报兑现", None, 500)
    grants.open_grants(
        made, [undated], date(2019, 1, 7), datetime(2026, 6, 17, tzinfo=UTC), office_calendar(made)
    )
    yield made
    made.dispose()


def by_hand(engine, load, scope, day):
    calendar = office_calendar(engine)
    out = []
    for c in grants.find(engine, item=load.item or None):
        late = None if c.state in FINAL else lateness(c.due, day, calendar)
        if load.department not in ("", c.department) or (load.firms is not None and c.code not in load.firms):
            continue
        broken = None if c.state in FINAL or c.state == "到账" else lateness(c.promised, day, calendar)
        inside = {
            "在办": c.state not in FINAL and c.state != "到账",
            "逾期": late is not None and late > 0,
            "超承诺": broken is not None and broken > 0,
            "轮到我": c.state not in FINAL and c.holder in load.turns,
            "已到账": c.state in ("到账", "办结"),
            "不再办": c.state in FINAL and c.state != "办结",
        }[scope]
        if inside:
            due = c.promised if scope == "超承诺" else c.due
            out.append((c.state in FINAL, due is None, due or date.max, c.id))
    return sorted(out)


@pytest.mark.parametrize("day", [DAY, date(2026, 6, 20), date(2026, 5, 5), date(2040, 1, 1)])
@pytest.mark.parametrize("scope", SCOPES)
def test_counts_and_pages_are_those_of_going_through_all(engine, scope, day, monkeypatch):
    monkeypatch.setattr(caseload, "BUCKET", 64)
    calendar = office_calendar(engine)
    departments = sorted({c.department for c in grants.find(engine)})
    firms = frozenset(c.code for c in grants.find(engine)[:9])
    for given in (
        Caseload(turns=frozenset({"经办", "财政"})), Caseload(departments[1], turns=frozenset({"经办"})),
        Caseload(firms=firms, turns=frozenset({"企业"})), Caseload(item="bs-2025-04/upscale"),
    ):  # fmt: skip
        load = given.on(day, calendar)
        wanted = [row[-1] for row in by_hand(engine, load, scope, day)]
        found = [c.id for c in caseload.page(engine, load, scope, 0, 1000)]
        assert found == wanted
        assert [c.id for c in caseload.page(engine, load, scope, 3, 4)] == wanted[3:7]
        whole = caseload.parts(engine, load)
        for start in range(0, len(wanted) + 40, 37):
            far = [c.id for c in caseload.page(engine, load, scope, start, 40, whole)]
            assert far == wanted[start : start + 40]
        parts = [p for p in whole if p.within(scope, load.turns)]
        assert sum(p.count for p in parts) == len(wanted)
        held = {c.id: c for c in grants.find(engine)}
        assert sum(p.amount for p in parts) == sum(held[i].amount or 0 for i in wanted)
        assert sum(p.undecided for p in parts) == sum(held[i].amount is None for i in wanted)


def test_the_years_money_is_what_came_is_on_its_way_and_is_on_notice(engine):
    cases = [c for c in grants.find(engine) if c.opened.year == 2026]
    found = {words: (fen, n) for words, fen, n in caseload.money_of_year(engine, 2026)}
    assert found["已到账"] == (sum(c.arrived for c in cases), sum(c.arrived > 0 for c in cases))
    assert found["已拨出未到账"][0] == sum(c.ordered for c in cases) > 0
    assert found["公示中"][1] == sum(c.state == "公示" for c in cases) > 0
    assert caseload.money_of_year(engine, 2020) == [
        ("已到账", 0, 0),
        ("已拨出未到账", 0, 0),
        ("公示中", 0, 0),
    ]
