"""评分一夜: the night's open pairs get the model's scores, beside its hits, and the verdicts stay as they were."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import policies
from analysis.disagree import COLUMNS
from analysis.scores import Scoring
from analysis.scores_file import load, save
from analysis.scores_learn import learn
from analysis.scores_people import bound_of, is_due, learn_again
from analysis.scores_settled import drift, lesson, outcomes, settled_pairs
from engine.grantmoves import State
from jobs.lists import list_frame
from jobs.replay import replay
from jobs.scoring import doubt_night, doubts_in_words, replay_scores, score_night
from policies.calendar import builtin_calendar
from profiles import sample
from store import grants
from store.database import open_database, session
from store.night_doubts import latest_doubts
from store.night_scores import scored_with
from store.nights import Night, Run, file_hash, latest_night
from store.office_settings import change
from tests.databases import database_in

DAY = date(2026, 6, 17)
DOCUMENTS = ("cn-2017-115", "bs-2025-05", "sets")
ITEM, ITEM_ASKED = "cn-2017-115/tech-sme", "bs-2025-05/loan-interest"


@pytest.fixture(scope="module")
def scored(database: str, tmp_path_factory: pytest.TempPathFactory):
    from jobs.nightly import run_night

    home = tmp_path_factory.mktemp("scored")
    sample.write_sample(sample.generate(200, 3), home / "inbox", 0.01)
    engine = open_database(database_in(home))
    library = home / "library"
    for name in DOCUMENTS:
        shutil.copytree(Path(policies.__file__).with_name("library") / name, library / name)
    report = run_night(engine, home, library, DAY, lambda: datetime(2026, 6, 17, 1, tzinfo=UTC))
    night = report.night
    assert night is not None and report.scored == 0 and scored_with(night.folder) == ""
    before = {p.name: file_hash(p) for p in (night.folder / "hits").iterdir()}
    version = save(learn(bound_of(night), night.columns(), night.answers()), home, {})
    count = score_night(night, home)
    return engine, home, night, before, version, count


def test_every_open_pair_has_a_score_and_no_other(scored) -> None:
    _, _, night, _, version, count = scored
    seen = 0
    for item in night.items()["item"]:
        hits = night.hits(item)
        if len(hits):
            waiting = hits["verdict"] == "待核实"
            assert hits["score"].notna().equals(waiting)
            seen += int(waiting.sum())
    assert seen == count > 100 and scored_with(night.folder) == version
    firm = night.hits(ITEM).iloc[0]
    own = night.firm_hits(firm["统一社会信用代码"]).set_index("item")["score"]
    assert own[ITEM] == pytest.approx(firm["score"], nan_ok=True)


def test_scores_change_no_verdict_and_no_byte_of_the_hits(scored) -> None:
    engine, home, night, before, *_ = scored
    assert {p.name: file_hash(p) for p in (night.folder / "hits").iterdir()} == before
    assert replay(engine, home, night.no) == []
    assert replay_scores(night, home) == []


def test_a_night_of_an_office_that_learns_keeps_what_words_and_rules_see_differently(scored) -> None:
    _, home, night, before, *_ = scored
    assert latest_doubts(home, night.no, DAY) is None, "no model was learned when the night ran"
    found = doubt_night(night, home)
    kept = latest_doubts(home, night.no, DAY)
    assert found is not None and kept is not None and kept.rows.equals(found.rows)
    assert list(kept.rows.columns) == COLUMNS and (kept.run, kept.day) == (night.no, DAY)
    assert "今夜对照过" in doubts_in_words(night, kept) and "2026-06-24 起" in doubts_in_words(night, kept)
    assert {p.name: file_hash(p) for p in (night.folder / "hits").iterdir()} == before


def test_words_and_rules_are_held_together_once_in_as_many_days_as_the_office_says(
    scored, monkeypatch
) -> None:
    engine, home, night, *_ = scored
    seeds: list[int] = []

    def found(view: object, most: int, seed: int) -> pd.DataFrame:
        seeds.append(seed)
        return pd.DataFrame(columns=COLUMNS)

    def later(days: int) -> Night:
        run = Run(
            **{**night.run.model_dump(), "no": night.no + 100 + days, "as_of": DAY + timedelta(days=days)}
        )
        made = Night(run, home, engine)
        made.folder.mkdir(parents=True, exist_ok=True)
        return made

    first = doubt_night(night, home)  # what another test of the module found stays
    assert first is not None and first.run == night.no
    monkeypatch.setattr("analysis.disagree.disagreements", found)
    try:
        for days in (1, 6):
            kept = doubt_night(later(days), home)
            assert kept is not None and kept.run == night.no
            assert f"第 {night.no} 次比对（2026-06-17）" in doubts_in_words(later(days), kept)
        assert seeds == []
        for days in (7, 8, 14):
            assert doubt_night(later(days), home) is not None
        assert len(set(seeds)) == len(seeds) == 2, "each week by other firms"
        assert doubt_night(later(3), home).run == night.no, "an earlier day does not know of later ones"
        change(engine, "doubts", ["every_days=1"], by="t", now=datetime(2026, 6, 18, tzinfo=UTC))
        assert doubt_night(later(15), home).run == night.no + 115 and len(seeds) == 3
    finally:
        change(engine, "doubts", ["every_days="], by="t", now=datetime(2026, 6, 18, tzinfo=UTC))
        for folder in (home / "nights").glob("1??"):
            shutil.rmtree(folder)


def test_an_old_night_keeps_its_model_when_another_takes_over(scored) -> None:
    engine, home, night, _, version, _ = scored
    model = load(home)
    for scorer in model.scorers.values():
        scorer.base_rate_ = 1 - scorer.base_rate_
    model.combiner.shift_ += 2
    other = save(model, home, {})
    try:
        assert other != version and score_night(night, home) == 0
        again = latest_night(engine, home)
        assert again is not None and scored_with(again.folder) == version and replay_scores(again, home) == []
    finally:
        from store.scores import promote_model

        promote_model(home, version)


def test_the_list_puts_first_what_is_worth_most_to_ask(scored) -> None:
    _, _, night, *_ = scored
    program = night.library().program(ITEM_ASKED)
    assert program is not None
    frame, _, words = list_frame(night, program)
    assert "期望金额" in words
    waiting = frame[frame["结论"] == "待核实"]
    assert (waiting["能符合的估计"].str.endswith("%")).all() and len(waiting) > 5


def test_what_was_settled_since_judges_the_old_model_and_the_new(scored) -> None:
    """A later night knows more: its settled pairs measure the scores given before, and decide whether a model takes over."""
    from store.review import Act, Pair, decide

    engine, home, night, *_ = scored
    assert settled_pairs(engine, home).empty
    pairs = night.open_pairs(ITEM_ASKED)["统一社会信用代码"].tolist()[:45]
    assert len(pairs) == 45
    now = datetime(2026, 6, 18, tzinfo=UTC)
    batch = night.bound(ITEM_ASKED).batch.name
    for code in pairs:
        seen = Pair(ITEM_ASKED, batch, code, "待核实")
        decide(engine, "张三", Act("不纳入", reason="6"), [seen], now)
    settled = settled_pairs(engine, home)
    assert len(settled) == 45 and not settled["held"].any() and set(settled["by"]) == {"复核"}
    assert drift(settled).count == 45
    assert drift(settled.assign(score=0.9)).alarm and not drift(settled.assign(score=0.0001)).alarm
    assert is_due(engine, home, date(2027, 1, 1)) != ""
    card = learn_again(engine, home)
    trial = card["trial"]
    assert trial["settled"] == 45 and card["promoted"] == (trial["brier_new"] < trial["brier_old"])
    assert trial["brier_new"] < trial["brier_untaught"]
    taught, untaught = load(home, card["version"]), load(home, card["version"])
    untaught.lesson = {}
    bound, rows = night.bound(ITEM_ASKED), np.arange(len(night.columns()))
    unknown = np.ones((len(rows), len(bound.conditions)), bool)
    lower, before = (Scoring(m, night.columns()).pairs(bound, rows, unknown) for m in (taught, untaught))
    assert (lower < before).all()  # forty-five refusals are learned from


def test_how_grants_came_out_is_learned_from(scored) -> None:
    """A paid grant says yes and a refused one no, whatever the latest facts say; one given up says nothing."""
    engine, home, night, *_ = scored
    batch = night.bound(ITEM).batch.name
    codes = night.open_pairs(ITEM)["统一社会信用代码"].tolist()[:4]
    now, calendar = datetime(2026, 6, 18, tzinfo=UTC), builtin_calendar()
    new = [grants.NewGrant(c, "甲", ITEM, batch, "入库", "科技局", "免申即享", 100, 100) for c in codes]
    grants.open_grants(engine, new, DAY, now, calendar)
    paid, refused, withdrawn, _ = grants.find(engine, item=ITEM)

    def act(case, action, role, **facts):
        grants.act(engine, case.id, action, grants.Actor("某", role), DAY, now, calendar, facts)

    act(paid, "通过名单", "经办", 核定金额=100)
    with session(engine) as opened:  # the steps between are the money's tests', not this one's
        case = opened.get_one(grants.GrantCase, paid.id)
        case.state = State.ARRIVED.value
        opened.add(case)
        opened.commit()
    act(refused, "不予兑现", "经办", 理由代码="6", 理由="不属于支持方向")
    act(withdrawn, "放弃", "企业", 理由="不要了")
    said = outcomes(engine)
    assert said == {(ITEM, batch, paid.code): True, (ITEM, batch, refused.code): False}
    mine = settled_pairs(engine, home).query("by == '兑现'").set_index("统一社会信用代码")["held"]
    assert mine.to_dict() == {paid.code: True, refused.code: False}
    act(refused, "重新核查", "复核", 理由="再看")
    assert (ITEM, batch, refused.code) not in outcomes(engine)


def test_a_lesson_is_held_back_and_needs_enough() -> None:
    p = np.full(400, 0.5)
    held = np.r_[np.ones(300), np.zeros(100)]
    moved = lesson(["甲"] * 400, p, held)
    assert 0.6 < moved[""] + moved["甲"] < np.log(3) and lesson(["甲"] * 10, p[:10], held[:10]) == {}
    few = lesson(["甲"] * 390 + ["乙"] * 10, p, np.r_[np.tile([0.0, 1.0], 195), np.zeros(10)])
    assert -0.6 < few["乙"] < 0  # ten refusals don't sink an item
