"""密码: refused where it is among the most common ones or soon guessed (by lists that lie in a package); Argon2, a few at once."""

from __future__ import annotations

import os
import secrets
import threading
from functools import lru_cache

from pwdlib import PasswordHash

LEAST_GUESSES = 10**8  # a lock after five failures leaves a guesser some 500 tries a day
LONGEST = 72  # the estimate grows with the square of the length; what is longer is not guessed
# A hash holds 64 MiB and runs on four threads of its own. A hundred that log in at once took 3 GB and left the thread
# that answers everybody else one part in some four hundred of the processors: nobody had a page for 14 s.
AT_ONCE = max(1, len(os.sched_getaffinity(0)) // 2)
_turns = threading.BoundedSemaphore(AT_ONCE)


@lru_cache(maxsize=1)
def _hasher() -> PasswordHash:
    return PasswordHash.recommended()


@lru_cache(maxsize=1)
def decoy() -> str:
    """假的摘要: of a password that nobody knows, so that an unknown login costs the same time."""
    return hashed(secrets.token_urlsafe(16))


def hashed(password: str) -> str:
    """密码的摘要 (Argon2), with its parameters and salt."""
    with _turns:
        return _hasher().hash(password)


def matches(password: str, kept: str) -> bool:
    """密码对不对, against a digest; waits for a turn."""
    with _turns:
        return _hasher().verify(password, kept)


def why_weak(password: str, about: tuple[str, ...] = ()) -> str:
    """为什么不行: "" where it will do; `about` are words a guesser would try first, such as the login."""
    from zxcvbn import zxcvbn
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    if password.lower() in FREQUENCY_LISTS["passwords"]:
        return "这个密码在最常用（也最先被猜）的密码之列，请换一个"
    words = [w for w in (*about, "huiqi", "惠企", "惠企直达") if w]
    if int(zxcvbn(password[:LONGEST], user_inputs=words)["guesses"]) < LEAST_GUESSES:
        return "这个密码太好猜（常用词、键盘顺序、重复或自己的名字），请换一句自己记得住、别人想不到的话"
    return ""
