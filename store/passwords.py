"""密码: refused where it is among the most common ones or soon guessed; the lists lie in a package, nothing is asked of anybody."""

from __future__ import annotations

LEAST_GUESSES = 10**8  # a lock after five failures leaves a guesser some 500 tries a day
LONGEST = 72  # the estimate grows with the square of the length; what is longer is not guessed


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
