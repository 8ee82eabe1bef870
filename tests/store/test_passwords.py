"""密码: the most common, the soon guessed and one's own name are refused; a sentence is not."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

import pytest
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from store import accounts, passwords
from store.accounts import SHORTEST_PASSWORD, AccountError
from store.passwords import why_weak

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def test_none_of_the_common_ones_will_do() -> None:
    common = [p for p in FREQUENCY_LISTS["passwords"] if len(p) >= SHORTEST_PASSWORD]
    assert len(common) > 20
    assert [p for p in common if not why_weak(p)] == [] and not [p for p in common if not why_weak(p.upper())]


@pytest.mark.parametrize(
    "weak",
    ["password1234", "Passw0rd12345", "qwertyuiop12", "123456789012", "aaaaaaaaaaaaaaaa", "1qaz2wsx3edc", "linzhiyu20262026", "iloveyou1234",
     "abcabcabcabcabc", "huiqihuiqihuiqi"],
)  # fmt: skip
def test_soon_guessed(weak: str) -> None:
    assert why_weak(weak, ("linzhiyu",))


@pytest.mark.parametrize(
    "fine",
    [
        "correct horse battery",
        "春天的第三条河边有七棵柳",
        "kR7-vumbo-ladder",
        "thirteen-horses-1",
        "x" * 3 + "Qm4vRt9Lw2Zp",
    ],
)
def test_sentences_and_random_ones_will_do(fine: str) -> None:
    assert why_weak(fine) == ""


def test_accounts_hold_to_it(engine) -> None:
    with pytest.raises(AccountError, match=r"最常用|太好猜"):
        accounts.create_person(engine, "lin", "林", ["经办"], "password1234", by="x", now=NOW)
    accounts.create_person(engine, "lin", "林", ["经办"], "kR7-vumbo-ladder", by="x", now=NOW)
    with pytest.raises(AccountError, match="太好猜"):
        accounts.set_password(engine, "lin", "linlinlinlinlin", by="x", now=NOW)


def test_few_are_hashed_at_once_however_many_come(monkeypatch: pytest.MonkeyPatch) -> None:
    inside, most, lock = 0, 0, threading.Lock()

    class Slow:
        def verify(self, password: str, kept: str) -> bool:
            nonlocal inside, most
            with lock:
                inside += 1
                most = max(most, inside)
            time.sleep(0.005)
            with lock:
                inside -= 1
            return password == kept

    monkeypatch.setattr(passwords, "_hasher", lambda: Slow())
    answers: list[bool] = []
    come = [
        threading.Thread(target=lambda n=n: answers.append(passwords.matches(str(n), "7"))) for n in range(40)
    ]
    for one in come:
        one.start()
    for one in come:
        one.join()
    assert most == passwords.AT_ONCE and sorted(answers) == [False] * 39 + [True]


def test_a_turn_is_given_back_where_hashing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def verify(self, password: str, kept: str) -> bool:
            raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(passwords, "_hasher", lambda: Broken())
        for _ in range(passwords.AT_ONCE + 1):
            with pytest.raises(MemoryError):
                passwords.matches("a", "b")
    assert passwords.matches("a sentence of one's own", passwords.hashed("a sentence of one's own"))
