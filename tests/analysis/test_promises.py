"""已承诺受损: a firm that was told it gets money has been promised it, whether a grant has begun or not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
import typer
from sqlmodel import select
from typer.testing import CliRunner

from analysis import Limits, View, compare, compare_all
from analysis.night import CODE
from jobs.cli import analyst
from store.database import session, writing
from store.grants import standings
from store.outbox import DUE, SENT, Push
from store.told import told

TAX = "cn-2023-12/small-profit"  # told and taken by the firm itself: it never opens a grant
GRANT = "bs-2025-06/rd-intensity"
CHANGE = {TAX: {"income": "应纳税所得额[Y] <= 50万元"}, GRANT: {"rd_scale": "研发费用[Y] >= 900万元"}}
AT = datetime(2026, 6, 17, 2, tzinfo=UTC)


@pytest.fixture
def sent(view: View) -> Iterator[set[str]]:
    """Half of those who would lose TAX were told; put back afterwards, since the night is every test's."""
    lost = compare(view, view.with_rule(TAX, conditions=CHANGE[TAX]), TAX).lost[CODE]
    chosen = set(lost.iloc[::2])
    assert len(chosen) > 2
    query = select(Push).where(Push.item == TAX, Push.channel == "inbox", Push.firm.in_(list(chosen)))  # type: ignore[attr-defined]

    def put(state: str, at: datetime | None) -> None:
        with writing(view.night.engine) as opened:
            for push in opened.exec(query):
                push.state, push.sent = state, at
                opened.add(push)

    with session(view.night.engine) as opened:
        assert {p.state for p in opened.exec(query)} == {DUE}
    put(SENT, AT)
    yield chosen
    put(DUE, None)


def test_who_was_only_told_is_promised_too_and_stands_apart(view: View, sent: set[str]) -> None:
    impact = compare(view, view.with_rule(TAX, conditions=CHANGE[TAX]), TAX)
    assert set(impact.promised[CODE]) == sent and set(impact.promised["承诺"]) == {"已告知"}
    assert set(impact.promised["办理状态"]) == {"2026-06-17 符合通知"}
    words = f"已承诺的 {len(sent)} 家会受损（已告知还没立项 {len(sent)}）"
    assert words in impact.words() and any(words in why for why in impact.approval(Limits(lost=10**6)))
    assert not [w for w in impact.approval(Limits(lost=10**6, promised=len(sent))) if "承诺" in w]
    assert "已告知" in impact._repr_html_()


def test_nobody_is_promised_what_only_waits_to_be_sent(view: View) -> None:
    impact = compare(view, view.with_rule(TAX, conditions=CHANGE[TAX]), TAX)
    assert len(impact.lost) and not len(impact.promised)
    batch = view.bound(TAX).batch.name
    assert told(view.night.engine, TAX, batch) == {}


def test_a_grant_under_way_is_told_as_under_way(view: View) -> None:
    impact = compare(view, view.with_rule(GRANT, conditions=CHANGE[GRANT]), GRANT)
    begun = {g.code for g in standings(view.night.engine, GRANT, view.bound(GRANT).batch.name)}
    assert begun and set(impact.promised[CODE]) == begun & set(impact.firms[CODE])
    assert set(impact.promised["承诺"]) == {"在办"}


def test_a_whole_document_and_the_command_say_both(
    view: View, home: Path, sent: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")  # so that no cell is folded
    changed = view
    for item, conditions in CHANGE.items():
        changed = changed.with_rule(item, conditions=conditions)
    whole = compare_all(view, changed)
    under_way = int((whole.promised["承诺"] == "在办").sum())
    assert (
        f"已承诺的 {under_way + len(sent)} 家次会受损（在办 {under_way}，已告知还没立项 {len(sent)}）"
        in whole.words()
    )
    app = typer.Typer()
    analyst.register(app)
    asked = ["impact", TAX, "--when", f"income={CHANGE[TAX]['income']}", "--home", str(home)]
    book = tmp_path / "影响.xlsx"
    shown = CliRunner().invoke(app, [*asked, "--excel", str(book)])
    assert (
        shown.exit_code == 0 and "已承诺、会受损的企业" in shown.stdout and "2026-06-17 符合" in shown.stdout
    )
    sheet = pd.read_excel(book, sheet_name="已承诺受损", header=None).astype(str)
    assert (sheet == "已告知").to_numpy().sum() == len(sent)
    told_json = json.loads(CliRunner().invoke(app, [*asked, "--json"]).stdout)
    assert {f["承诺"] for f in told_json["promised_firms"]} == {"已告知"} and set(
        told_json["promised"]
    ) == sent


def test_a_reminder_promises_no_money(view: View) -> None:
    item = next(i for i in view.items["item"] if view.live(i) and view.program(i).item.category == "提醒")
    with writing(view.night.engine) as opened:
        push = opened.exec(select(Push).where(Push.item == item, Push.kind == "inform")).first()
        assert push is not None
        push.state, push.sent = SENT, AT
        opened.add(push)
        firm, key = push.firm, push.key
    impact = compare(view, replace(view, gone=frozenset({item})), item)
    assert firm in set(impact.lost[CODE]) and not len(impact.promised)
    with writing(view.night.engine) as opened:
        push = opened.get(Push, key)
        assert push is not None
        push.state, push.sent = DUE, None
        opened.add(push)
