"""评分一夜: the night's open pairs get the model's scores, beside its hits, and the verdicts stay as they were."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

import policies
from analysis.scores_file import load, save
from analysis.scores_learn import learn
from jobs.lists import list_frame
from jobs.replay import replay
from jobs.scoring import replay_scores, score_night
from profiles import sample
from store.database import open_database
from store.night_scores import scored_with
from store.nights import file_hash, latest_night
from tests.databases import database_in

DAY = date(2026, 6, 17)
ITEM = "cn-2017-115/tech-sme"


@pytest.fixture(scope="module")
def scored(database: str, tmp_path_factory: pytest.TempPathFactory):
    from jobs.nightly import run_night

    home = tmp_path_factory.mktemp("scored")
    sample.write_sample(sample.generate(200, 3), home / "inbox", 0.01)
    engine = open_database(database_in(home))
    library = Path(policies.__file__).with_name("library")
    report = run_night(engine, home, library, DAY, lambda: datetime(2026, 6, 17, 1, tzinfo=UTC))
    night = report.night
    assert night is not None and report.scored == 0 and scored_with(night.folder) == ""
    before = {p.name: file_hash(p) for p in (night.folder / "hits").iterdir()}
    bound = [b for b in map(night.bound, night.items()["item"]) if b is not None]
    chosen = [b for b in bound if b.program.item.id.startswith(("cn-", "bs-2025-05"))]
    version = save(learn(chosen, night.columns(), night.answers()), home, {})
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
    program = night.library().program("bs-2025-05/loan-interest")
    assert program is not None
    frame, _ = list_frame(night, program)
    waiting = frame[frame["结论"] == "待核实"]
    assert (waiting["能符合的估计"].str.endswith("%")).all() and len(waiting) > 5


def test_what_was_settled_since_judges_the_old_model_and_the_new(scored) -> None:
    """A later night knows more: its settled pairs measure the scores given before, and decide whether a model takes over."""
    from analysis.scores_people import drift, is_due, learn_again, settled_pairs
    from store.review import Act, Pair, decide

    engine, home, night, *_ = scored
    assert settled_pairs(engine, home).empty
    pairs = night.open_pairs("bs-2025-05/loan-interest")["统一社会信用代码"].tolist()[:45]
    assert len(pairs) == 45
    now = datetime(2026, 6, 18, tzinfo=UTC)
    batch = night.bound("bs-2025-05/loan-interest").batch.name
    for code in pairs:
        seen = Pair("bs-2025-05/loan-interest", batch, code, "待核实")
        decide(engine, "张三", Act("不纳入", reason="6"), [seen], now)
    settled = settled_pairs(engine, home)
    assert len(settled) == 45 and not settled["held"].any()
    assert drift(settled).count == 45
    assert drift(settled.assign(score=0.9)).alarm and not drift(settled.assign(score=0.0001)).alarm
    assert is_due(engine, home, date(2027, 1, 1)) != ""
    card = learn_again(engine, home)
    trial = card["trial"]
    assert trial["settled"] == 45 and card["promoted"] == (trial["brier_new"] < trial["brier_old"])
