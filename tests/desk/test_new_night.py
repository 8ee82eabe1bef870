"""换夜: a desk that reads ahead goes on with the last night until the new one is read, and shows it whatever befalls."""

from __future__ import annotations

from datetime import timedelta

import pytest
import world
from clients import Desk

from desk.app import read_ahead
from store.nights import HELD, set_state


@pytest.fixture
def ahead(fresh: Desk) -> Desk:
    fresh.app.state.office.read = 0
    read_ahead(fresh.app.state.office)
    return fresh


def another(desk: Desk) -> int:
    """One more night, of the next day and other firms."""
    day = world.AS_OF + timedelta(days=1)
    desk.moment += timedelta(days=1)
    world.make_night(desk.engine, desk.home, 120, 8, day)
    night = desk.app.state.office.newest_released()
    assert night is not None
    return night.no


def shown(desk: Desk) -> tuple[int | None, int | None]:
    said = desk.anyone().get("/healthz").json()
    return said["night"], said["reading"]


def test_a_night_is_read_before_it_is_shown(ahead: Desk) -> None:
    first, reading = shown(ahead)
    assert first is not None and reading is None
    second = another(ahead)
    assert shown(ahead) == (first, second)
    assert ahead.client("lin").get("/desk/today").status_code == 200
    read_ahead(ahead.app.state.office)
    assert shown(ahead) == (second, None)
    made = ahead.app.state.office.memory
    item = next(iter(ahead.app.state.office.items(ahead.app.state.office.night())["item"]))
    made.get(("hits", second, item, ""), lambda: pytest.fail("shown before it was read"))


def test_the_first_night_is_shown_at_once(fresh: Desk) -> None:
    fresh.app.state.office.read = 0
    night, reading = shown(fresh)
    assert night is not None and reading == night
    assert fresh.client("lin").get("/desk/today").status_code == 200


@pytest.mark.parametrize("fault", [OSError("gone"), KeyError("odd")])
def test_a_night_that_cannot_be_read_is_shown_all_the_same(
    ahead: Desk, fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = another(ahead)

    def broken(night: object) -> None:
        raise fault

    monkeypatch.setattr(ahead.app.state.office, "warm", broken)
    read_ahead(ahead.app.state.office)
    assert shown(ahead) == (second, None)


def test_a_night_that_was_taken_back_is_not_shown_any_longer(ahead: Desk) -> None:
    first, _ = shown(ahead)
    assert first is not None
    second = another(ahead)
    set_state(ahead.engine, first, HELD)
    assert shown(ahead)[0] == second
