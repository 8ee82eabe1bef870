"""推送的记号: nights that skip what they said before leave the same outbox as nights that ask every push again."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from store import outbox, push_asking, push_rows, push_unchanged, pushes, reach, waiting
from store.database import session, writing
from store.outbox import DEAD, SENT, Outcome, Push
from store.push_marks import PushMark
from store.review import change_setting
from tests.databases import new_database
from tests.store.test_pushes import AT, ONCE, D, FakeNight, delivery, library

__all__ = ["library"]  # a fixture
FIRMS = [f"F{i:02}" for i in range(14)]


class Both:
    """Two stores that live through the same: one with its marks, one whose marks are gone before every night."""

    def __init__(self, folder, library, chance):
        self.engines = [new_database(folder, name) for name in ("marked.db", "plain.db")]
        self.library, self.chance, self.no = library, chance, 0
        self.items = [ONCE, delivery(library, "免申即享")]
        self.fits = {(item, firm): "符合" for item in self.items for firm in FIRMS}
        self.money, self.missing, self.at = 1000.0, 0, AT
        self.summed = False  # whether the night's files say what its pairs come to

    def night(self) -> None:
        self.no += 1
        rows = [(item, firm, verdict, "") for (item, firm), verdict in sorted(self.fits.items())]
        told = []
        for plain, engine in enumerate(self.engines):
            night = FakeNight(self.library, rows, no=self.no)
            night.money, night.missing = self.money, self.missing
            night.folder = night if self.summed else night.folder
            if plain:
                with writing(engine) as opened:
                    opened.connection().execute(delete(PushMark))
            told.append(pushes.queue_pushes(engine, night, self.at.date(), self.at))
        assert told[0] == told[1]

    def each(self, act) -> None:
        for engine in self.engines:
            act(engine)

    def step(self) -> None:
        self.chance.choice(
            [self.change_pairs, self.change_money, self.change_firm, self.change_quiet, self.send, self.send,
             self.break_off, self.recheck, self.resend, self.tomorrow, self.change_channels, self.drop_item]
        )()  # fmt: skip

    def change_pairs(self) -> None:
        for _ in range(self.chance.randint(1, 3)):
            pair = self.chance.choice(self.items), self.chance.choice(FIRMS)
            if self.fits.pop(pair, None) is None:
                self.fits[pair] = "符合"

    def drop_item(self) -> None:
        item = self.chance.choice(self.items)
        gone = [pair for pair in self.fits if pair[0] == item]
        for pair in gone:
            del self.fits[pair]
        if not gone:
            self.fits |= {(item, firm): "符合" for firm in FIRMS}

    def change_money(self) -> None:
        self.money = self.chance.choice([1000.0, 2500.0])

    def change_firm(self) -> None:
        firm = self.chance.choice(FIRMS)
        change = self.chance.choice(
            [{"stopped": True}, {"stopped": False}, {"consent": True, "email": "a@b.cn"}, {"consent": False},
             {"refused": [ONCE]}, {"refused": []}, {"hold": "失信"}, {"hold": ""}]
        )  # fmt: skip
        self.each(lambda engine: reach.change_reach(engine, firm, self.at, **change))

    def change_quiet(self) -> None:
        day = self.at.date()
        quiet = self.chance.choice([[], [[day.isoformat(), (day + timedelta(days=1)).isoformat()]]])
        channels = self.chance.choice([[], ["smtp"]])
        self.each(
            lambda e: change_setting(e, "push", {"quiet": quiet, "channels": channels}, by="管", now=self.at)
        )

    def change_channels(self) -> None:
        self.each(lambda e: change_setting(e, "push", {"channels": ["smtp"]}, by="管", now=self.at))

    def send(self) -> None:
        channel, count = self.chance.choice(["webhook", "inbox", "smtp"]), self.chance.randint(1, 9)
        ends = [self.chance.choice([SENT, SENT, DEAD, "retry"]) for _ in range(count)]

        def act(engine) -> None:
            parcels = outbox.claim(engine, [channel], "w", self.at, count)
            outcomes = [Outcome(p, end, end) for p, end in zip(parcels, ends, strict=False)]
            outbox.record(engine, outcomes, self.at)
            outbox.let_fall(engine, lambda worker: True, self.at)

        self.each(act)

    def break_off(self) -> None:
        """A worker holds some while a night goes by, and falls."""
        self.each(lambda engine: outbox.claim(engine, ["webhook"], "x", self.at, 5))
        self.change_firm()
        self.night()
        self.each(lambda engine: outbox.let_fall(engine, lambda worker: True, self.at))

    def recheck(self) -> None:
        self.each(lambda engine: waiting.recheck(engine, self.at.date(), self.at))

    def resend(self) -> None:
        dead = [p.key for p in outbox.list_pushes(self.engines[0], states=[DEAD])]
        if dead:
            key = self.chance.choice(dead)
            self.each(lambda engine: outbox.resend(engine, key, self.at))

    def tomorrow(self) -> None:
        self.at += timedelta(days=self.chance.choice([1, 1, 8]))

    def rows(self) -> list[list[tuple]]:
        out = []
        for engine in self.engines:
            with session(engine) as opened:
                query = select(*Push.__table__.columns).order_by(Push.key)
                out.append(list(opened.connection().execute(query)))
        return out


def sums(night: FakeNight) -> dict[tuple[str, str], str] | None:
    """What the files of a night of layers say its pairs come to."""
    if not isinstance(night, FakeNight):
        return None
    batches = dict(night.items().itertuples(index=False))
    return {(item, batch): repr(night.hits(item).to_dict("list")) for item, batch in batches.items()}


@pytest.mark.parametrize("summed", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_nights_that_skip_leave_what_nights_that_ask_everything_leave(
    database, tmp_path, library, seed, summed, monkeypatch
):
    both = Both(tmp_path, library, random.Random(seed))
    both.summed = summed
    monkeypatch.setattr(push_unchanged, "content_sums", sums)
    asked = []
    plain = push_asking.Asked.refresh
    monkeypatch.setattr(
        push_asking.Asked, "refresh", lambda self, *a: (asked.append(self._opened), plain(self, *a))[1]
    )
    both.night()
    for _ in range(22):
        both.step()
        if both.chance.random() < 0.75:
            both.night()
        marked, full = both.rows()
        assert marked == full
    assert len(marked) >= 2 * len(FIRMS)
    first = [s for s in asked if s.get_bind().engine.url == both.engines[0].url]
    assert 0 < len(first) < len(asked) - len(first)  # some were skipped there
    both.each(lambda engine: engine.dispose())


def stop(both: Both, stopped: bool = True) -> None:
    both.each(lambda engine: reach.change_reach(engine, "F00", AT, stopped=stopped))


def rechecked_meanwhile(both: Both) -> None:
    stop(both)
    both.recheck()
    stop(both, False)


def resent_though_stopped(both: Both) -> None:
    def die(engine) -> None:
        outbox.record(
            engine, [Outcome(p, DEAD, "500") for p in outbox.claim(engine, ["webhook"], "w", AT, 99)], AT
        )

    both.each(die)
    stop(both)
    both.night()
    key = next(p.key for p in outbox.list_pushes(both.engines[0], firm="F00") if p.state == DEAD)
    both.each(lambda engine: outbox.resend(engine, key, AT))


def held_by_a_worker_meanwhile(both: Both) -> None:
    both.each(lambda engine: outbox.claim(engine, ["webhook"], "x", AT, 99))
    stop(both)
    both.night()
    both.each(lambda engine: outbox.let_fall(engine, lambda worker: True, AT))


def gone_for_a_night(both: Both) -> None:
    kept = dict(both.fits)
    both.fits = {pair: verdict for pair, verdict in kept.items() if pair[0] != ONCE}
    both.night()
    both.fits = kept


@pytest.mark.parametrize(
    "meanwhile", [rechecked_meanwhile, resent_though_stopped, held_by_a_worker_meanwhile, gone_for_a_night]
)
def test_what_changed_what_waits_takes_the_mark_away(database, tmp_path, library, meanwhile):
    both = Both(tmp_path, library, random.Random(0))
    both.night()
    both.night()
    meanwhile(both)
    before = both.rows()[1]
    both.night()
    marked, full = both.rows()
    assert full != before  # there was something to do
    assert marked == full
    both.each(lambda engine: engine.dispose())


def test_rows_spelt_in_the_statement_are_those_bound_one_by_one(database, tmp_path, library, monkeypatch):
    found = []
    for few in (1, 10**9):
        monkeypatch.setattr(push_rows, "FEW", few)
        both = Both(tmp_path / str(few), library, random.Random(0))
        both.each(
            lambda e: change_setting(e, "push", {"channels": ["smtp"], "quiet": [["2026-03-30", "2026-04-05"]]}, by="管", now=AT)
        )  # fmt: skip
        stop(both)
        both.night()
        found.append(both.rows()[0])
        both.each(lambda engine: engine.dispose())
    assert found[0] == found[1] and len({row.reason for row in found[0]}) >= 3
    like = (None, None, "o'b", 'c"d', 1, None, "?")
    monkeypatch.setattr(push_rows, "BODY", 2)
    assert push_rows._spelt(like) == ["?", "?", "?", "'c\"d'", "1", "NULL", "'?'"]
    monkeypatch.undo()
    assert push_rows._spelt(like)[2] == "'o''b'"
    assert push_rows._spelt((*like, "a\0b")) is None


def test_a_night_that_says_the_same_asks_no_push(engine, library, monkeypatch):
    rows = [(ONCE, firm, "符合", "") for firm in FIRMS]
    pushes.queue_pushes(engine, FakeNight(library, rows), D, AT)
    with session(engine) as opened:
        assert [m.item for m in opened.execute(select(PushMark)).scalars()] == [ONCE]
    monkeypatch.setattr(pushes, "_queue", lambda *a: pytest.fail("asked again"))
    with pytest.raises(BaseException, match="asked again"):
        pushes.queue_pushes(engine, FakeNight(library, rows[:-1], no=2), D, AT)
    pushes.queue_pushes(engine, FakeNight(library, rows, no=3), D, AT)


def test_of_what_did_not_change_no_pair_is_read(database, tmp_path, library, monkeypatch):
    """By the sums of the night's content: also where nobody is to be told, and again where a sum or a firm changed."""
    both = Both(tmp_path, library, random.Random(0))
    both.summed = True
    monkeypatch.setattr(push_unchanged, "content_sums", sums)
    both.fits = {(ONCE, firm): "待核实" if firm == "F00" else "符合" for firm in FIRMS}
    both.fits |= {(both.items[1], firm): "待核实" for firm in FIRMS}
    read = []
    plain = push_unchanged.Unchanged.is_new

    def is_new(self, about) -> bool:
        new = plain(self, about)
        read.extend([about.item.id] * new)
        return new

    monkeypatch.setattr(push_unchanged.Unchanged, "is_new", is_new)
    engine = both.engines[0]

    def night() -> list[str]:
        both.no += 1
        rows = [(item, firm, verdict, "") for (item, firm), verdict in sorted(both.fits.items())]
        one = FakeNight(library, rows, no=both.no)
        one.folder = one
        one.money = both.money
        read.clear()
        pushes.queue_pushes(engine, one, both.at.date(), both.at)
        return sorted(read)

    assert night() == sorted(both.items)
    assert night() == [] == night()
    both.at += timedelta(days=1)
    assert night() == []
    reach.change_reach(engine, "F01", both.at, stopped=True)
    assert night() == sorted(both.items), "whose item a firm is on is not known without reading"
    assert night() == []
    both.fits[both.items[1], "F02"] = "符合"
    assert night() == [both.items[1]]
    night()
    assert night() == []
    waiting_before = [(p.key, p.state) for p in outbox.list_pushes(engine)]
    assert night() == [] and [(p.key, p.state) for p in outbox.list_pushes(engine)] == waiting_before
    both.each(lambda e: e.dispose())
