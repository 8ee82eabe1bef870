"""记住: what a night left behind goes with the next nights, and what many ask for at once is made once."""

from __future__ import annotations

import threading
import time

import pytest

from desk.office import Memory


def test_what_nobody_asked_for_between_two_nights_goes() -> None:
    memory = Memory(1000)
    for night in range(1, 31):
        memory.turn(night)
        memory.turn(night)  # every page asks which night is on show
        for item in range(20):
            memory.get(("hits", night, item), lambda: object())
        memory.get(("library", "x"), lambda: object())
        assert len(memory) <= 2 * 20 + 1
    kept = memory.get(("library", "x"), lambda: pytest.fail("asked for every night, and still gone"))
    assert kept is not None
    memory.turn(31)
    again = []
    memory.get(("hits", 29, 0), lambda: again.append(1))
    assert again == [1]


def test_the_least_used_goes_first() -> None:
    memory = Memory(2)
    for key in "abac":
        memory.get(key, lambda: 1)
    memory.get("a", lambda: pytest.fail("a was used last"))
    made = []
    memory.get("b", lambda: made.append(1))
    assert made == [1]


def test_many_at_once_make_it_once_and_a_failure_is_made_again() -> None:
    memory, made = Memory(10), []

    def make() -> int:
        made.append(1)
        time.sleep(0.05)
        if len(made) == 1:
            raise OSError("the file was not there yet")
        return memory.get("inner", lambda: 7)

    def ask() -> None:
        try:
            told.append(memory.get("x", make))
        except OSError:
            told.append(0)

    told: list[int] = []
    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
        time.sleep(0.004)  # some come while the first makes it, some after it failed
    for thread in threads:
        thread.join(60)
    assert sorted(told) == [0] + [7] * 19 and len(made) == 2 and not memory._gates
