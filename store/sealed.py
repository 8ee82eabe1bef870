"""封存: secrets that have to be read again are kept encrypted, under a key that never lies in the database or in a backup."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

KEY, KEY_FILE = "HUIQI_SECRET_KEY", "HUIQI_SECRET_KEY_FILE"
MARK = "f1:"  # before what is sealed: no base32 text begins so


class SealError(ValueError):
    """封存错误: no key, none that fits, or no key at all in what is said to be one; the message is for the server's keeper."""


@dataclass(frozen=True)
class Seals:
    """封存得怎样: secrets kept plain, sealed ones that open, and sealed ones that do not."""

    plain: int = 0
    whole: int = 0
    shut: int = 0


def new_key() -> str:
    """新密钥: 256 random bits, as `HUIQI_SECRET_KEY` wants them."""
    return Fernet.generate_key().decode()


def keys(env: Mapping[str, str] = os.environ) -> MultiFernet | None:
    """密钥: from the environment, or the file it names; several stand side by side, the first one seals, all of them open.

    None where none is set. Raises SealError where what is set is no key.
    """
    words = env.get(KEY, "").split()
    if not words and env.get(KEY_FILE, "").strip():
        path = Path(env[KEY_FILE].strip())
        try:
            words = path.read_text("ascii").split()
        except (OSError, ValueError) as error:
            raise SealError(f"{KEY_FILE} 指的文件读不了：{path}（{type(error).__name__}）") from None
        if not words:
            raise SealError(
                f"{KEY_FILE} 指的文件是空的：{path}；用 huiqi admin secret-key 生成一个密钥写进去"
            )
    if not words:
        return None
    try:
        return MultiFernet([Fernet(word) for word in words])
    except ValueError:
        raise SealError(
            f"{KEY} 不是密钥（要 32 个随机字节的 base64）：用 huiqi admin secret-key 生成一个"
        ) from None


def is_sealed(kept: str) -> bool:
    """封存了没有."""
    return kept.startswith(MARK)


def seal(secret: str, whose: str, given: MultiFernet | None) -> str:
    """封存, bound to whose it is, so that it opens in nobody else's row; as it is where there is no key."""
    if given is None:
        return secret
    return MARK + given.encrypt(f"{whose}\n{secret}".encode()).decode()


def unseal(kept: str, whose: str, given: MultiFernet | None) -> str:
    """打开; what was never sealed is itself. Raises SealError where no key opens it, or it is another's."""
    if not is_sealed(kept):
        return kept
    if given is None:
        raise SealError(f"密钥没有设：{KEY} 或 {KEY_FILE}")
    try:
        owner, _, secret = given.decrypt(kept.removeprefix(MARK).encode()).decode().partition("\n")
    except (InvalidToken, ValueError):
        raise SealError(f"{KEY} 里没有封存时的那个密钥") from None
    if owner != whose:
        raise SealError("这是别人的密文")
    return secret


def counted(kept: Iterable[tuple[str, str]], given: MultiFernet | None) -> Seals:
    """数一数 what is kept, each with whose it is."""
    plain = whole = shut = 0
    for secret, whose in kept:
        try:
            unseal(secret, whose, given)
        except SealError:
            shut += 1
        else:
            whole, plain = whole + is_sealed(secret), plain + (not is_sealed(secret))
    return Seals(plain, whole, shut)


def demanded() -> MultiFernet:
    """要有密钥. Raises SealError where none is set."""
    given = keys()
    if given is None:
        raise SealError(f"先设 {KEY} 或 {KEY_FILE}；用 huiqi admin secret-key 生成一个密钥")
    return given
