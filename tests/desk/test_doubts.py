"""不一致的清单: what the words and a rule see differently is shown with the money, and what was looked at is on record."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from urllib.parse import unquote

import pandas as pd
import pytest

from analysis.disagree import COLUMNS
from desk import doubts
from desk.beside import beside
from store import audit, night_doubts, review


@pytest.fixture
def pair(fresh, monkeypatch):
    """One disagreement about a pair of the night, as the analysts' function says it."""
    office = fresh.app.state.office
    night = office.night()
    item = "bs-2025-04/steady-growth"
    hits = office.hits(night, item)
    hit = hits[hits["verdict"] == "符合"].iloc[0]
    row = [item, "规上工业企业稳增长奖励", hit["统一社会信用代码"], hit["企业名称"], "industrial", "规则判符合，文字不像", 0.02, 300000.0]  # fmt: skip
    monkeypatch.setattr(doubts, "disagreements", lambda view, most: pd.DataFrame([row], columns=COLUMNS))
    return row


def test_the_queue_is_worked_out_beside_the_visit_and_then_shown(fresh, pair, monkeypatch):
    office = fresh.app.state.office
    began = []
    monkeypatch.setattr(doubts, "beside", lambda name, work: began.append(work))
    client = fresh.client("fen")
    assert "正在拿企业的文字" in client.get("/desk/doubts").text and len(began) == 1
    began[0]()
    page = client.get("/desk/doubts").text
    assert pair[3] in page and "30.00" in page and "工业企业" in page
    assert office.memory.get(("doubts", office.night().no), lambda: None).rows[0].code == pair[2]


def test_what_was_looked_at_is_a_note_beside_the_match_and_leaves_the_queue(fresh, pair):
    office = fresh.app.state.office
    doubts.work_out(office, office.night())
    form = {"item": pair[0], "code": pair[2], "words": "行业代码登记错了，已请统计局核对"}
    assert fresh.post("kan", "/desk/doubts", **form).status_code == 403
    assert "没有记下" in unquote(
        fresh.post("fen", "/desk/doubts", **{**form, "words": ""}).headers["location"]
    )
    assert fresh.post("fen", "/desk/doubts", **form).status_code == 303
    assert pair[3] not in fresh.client("fen").get("/desk/doubts").text.split("</form>")[-1]
    assert "已请统计局核对" in fresh.client("fen").get("/desk/doubts?scope=看过的").text
    (made,) = review.notes_beginning(fresh.engine, doubts.SEEN)
    assert (made.kind, made.who, made.code) == ("备注", "fen", pair[2])
    assert audit.entries(fresh.engine, what="备注")[1] == 1
    assert office.states(office.night(), pair[0], made.batch)[pair[2]].word == "待处理"


def test_work_beside_a_visit_is_begun_once_and_a_fault_in_it_ends_it():
    begun, go = [], threading.Event()

    def work():
        begun.append(1)
        go.wait(120)
        raise RuntimeError("broken")

    assert beside(("test", 1), work) and not beside(("test", 1), work)
    go.set()
    for _ in range(3000):
        if beside(("test", 1), lambda: begun.append(2)):
            break
        time.sleep(0.02)
    assert begun[0] == 1


def test_what_the_night_kept_is_shown_without_any_work(fresh, pair, monkeypatch):
    office = fresh.app.state.office
    night = office.night()
    night_doubts.write_doubts(night.folder, pd.DataFrame([pair], columns=COLUMNS), night.as_of)
    monkeypatch.setattr(doubts, "disagreements", None)
    assert pair[3] in fresh.client("fen").get("/desk/doubts").text


def test_what_a_night_before_found_stands_for_a_week_and_only_where_the_rule_still_says_so(
    fresh, pair, monkeypatch
):
    """The day is the data's own; what the rule says otherwise by now is left out, and the page says when it was looked."""
    office = fresh.app.state.office
    night = office.night()
    hits = office.hits(night, pair[0])
    fits = hits[hits["verdict"] == "符合"]
    other = [*pair[:2], *fits.iloc[1][["统一社会信用代码", "企业名称"]], pair[4], "文字像，规则判不符合", 0.9, 1.0]  # fmt: skip
    gone = [*pair[:4], "a-condition-of-then", *pair[5:]]
    earlier = night.home / "nights" / "0"
    earlier.mkdir()
    day = night.as_of - timedelta(days=6)
    night_doubts.write_doubts(earlier, pd.DataFrame([pair, other, gone], columns=COLUMNS), day)
    monkeypatch.setattr(doubts, "disagreements", None)
    page = fresh.client("fen").get("/desk/doubts").text
    assert pair[3] in page
    assert other[3] not in page
    assert f"第 0 次比对（{day}）" in page
    assert f"{day + timedelta(days=7)} 起的那一夜再对照" in page
    office.memory.put(("doubts", night.no), doubts.NOT_YET)
    night_doubts.write_doubts(earlier, pd.DataFrame([pair], columns=COLUMNS), day - timedelta(days=1))
    begun = []
    monkeypatch.setattr(doubts, "beside", lambda name, work: begun.append(work))
    assert doubts.doubts(office, night) is None and begun, "a week ago is too long ago"
