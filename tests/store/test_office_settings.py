"""本单位的设置: what a command may write is what its readers read, and a wrong word keeps nothing."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import UTC, date, datetime

import pytest

from analysis import effects
from jobs.schedule import PLANS, plans_of
from store import audit, guard, office_settings, pushes, review, suppress

AT = datetime(2026, 6, 1, 1, tzinfo=UTC)


def change(engine, group: str, *given: str) -> list[str]:
    return office_settings.change(engine, group, given, by="沈", now=AT)


def test_what_is_set_is_what_the_readers_read(engine):
    change(
        engine,
        "push",
        "channels=smtp、sms",
        "quiet=2026-10-01~2026-10-07 2026-06-19",
        "every_days=3",
        "ask_firms=否",
    )
    facts = suppress.load_facts(engine, date(2026, 6, 1))
    day = date(2026, 6, 19)
    assert facts.quiet == ((date(2026, 10, 1), date(2026, 10, 7)), (day, day)) and facts.every == 3
    assert pushes.channels_of(engine) == ("webhook", "inbox", "smtp", "sms")
    change(engine, "guard", "fits=45%", "least_money=2,000,000")
    assert guard.limits_of(engine) == guard.Limits(fits=0.45, least_money=2_000_000.0)
    change(engine, "guard", "fits=")
    assert guard.limits_of(engine).fits == guard.Limits().fits
    change(engine, "schedule", "night=01:15")
    assert next(p.at for p in plans_of(engine) if p.job == "night").isoformat() == "01:15:00"
    assert change(engine, "second_limit", "800000") == ["second_limit = 800,000.00"]
    assert review.second_limit(engine) == 800_000
    change(engine, "second_limit", "")
    assert review.second_limit(engine) == review.SECOND_LIMIT_YUAN
    assert audit.verify(engine).whole


def test_every_limit_and_job_can_be_set():
    named = {o.name for o in office_settings.options_of("guard")}
    assert named == {f.name for f in fields(guard.Limits)}
    assert {o.usual for o in office_settings.options_of("guard")} == {f.default for f in fields(guard.Limits)}
    assert {o.name: o.usual for o in office_settings.options_of("impact")} == asdict(effects.Limits())
    assert {o.name for o in office_settings.options_of("schedule")} == {p.job for p in PLANS}


@pytest.mark.parametrize(
    ("group", "given", "told"),
    [
        ("push", "channels=fax", "没有“fax”这个渠道：可以是 smtp apprise sms"),
        ("push", "quiet=2026-10-07~2026-10-01", "止日在起日之前"),
        ("push", "quiet=国庆", "要写成 2026-10-01~2026-10-07"),
        ("push", "every_days=-1", "要写成整数"),
        ("push", "every=3", "名称可以是 channels quiet every_days ask_firms"),
        ("guard", "fits=很多", "不是数"),
        ("schedule", "night=25:00", "要写成 01:30"),
        ("sets", "本区", "要写成 本区=120116"),
        ("fax", "a=1", "没有“fax”这组设置：可以是 push guard"),
    ],
)
def test_a_wrong_word_is_told_and_nothing_is_kept(engine, group: str, given: str, told: str):
    with pytest.raises(ValueError, match=told):
        change(engine, group, "every_days=9" if group == "push" else given, given)
    assert review.setting(engine, group) is None
