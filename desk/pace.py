"""步子: how many failed logins one address may make, and how fast anybody may ask, before they have to wait."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil

from fastapi import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

MOST = 30  # an office often comes from one address: enough for its slips, far too few to guess
WINDOW = timedelta(minutes=15)
ADDRESSES = 10_000


class Failures:
    """失败次数: by address, within the last quarter of an hour; the addresses longest silent are forgotten first.

    Kept in the process: a restart forgives, and the lock of a single login (`store.accounts`) stands beside it.
    """

    def __init__(self) -> None:
        self._seen: OrderedDict[str, list[datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def too_many(self, address: str, now: datetime) -> bool:
        """太多了: whether this address has to wait before its next try is looked at."""
        with self._lock:
            recent = [at for at in self._seen.get(address, []) if now - at < WINDOW]
            return len(recent) >= MOST

    def count(self, address: str, now: datetime) -> None:
        """记一次失败."""
        with self._lock:
            recent = [at for at in self._seen.pop(address, []) if now - at < WINDOW]
            self._seen[address] = [*recent[-MOST:], now]
            while len(self._seen) > ADDRESSES:
                self._seen.popitem(last=False)


# ---------------------------------------------------------------- how fast anybody may ask

RATES = "HUIQI_RATES"
COOKIES = ("huiqi_session", "huiqi_firm")
BURST = 20.0  # seconds of a rate that may be used at once: a page brings its pictures
SLOW_DOWN = "请求太快了，请稍等再试"


@dataclass(frozen=True)
class Limits:
    """限速: requests a minute of one address, of one session or token, and of one address without either."""

    address: int = 3000
    known: int = 600
    visitor: int = 300


def limits_of(env: Mapping[str, str]) -> Limits | None:
    """限速 of HUIQI_RATES: three numbers, `off`, or nothing for the usual. Raises ValueError."""
    words = re.split(r"[\s/,，]+", env.get(RATES, "").strip())
    words = [word for word in words if word]
    if not words:
        return Limits()
    if words == ["off"]:
        return None
    if len(words) != 3 or not all(re.fullmatch("[1-9][0-9]{0,6}", w) for w in words):
        raise ValueError(
            f"{RATES} 要写成三个数（每分钟：每地址、每会话或令牌、每访客），例如 3000 600 300，或 off"
        )
    return Limits(*map(int, words))


@dataclass
class Rates:
    """令牌桶: one for each address, session or token; what was not used for longest is forgotten first."""

    limits: Limits
    clock: Callable[[], float] = time.monotonic
    _left: OrderedDict[tuple[str, str], tuple[float, float]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait(self, *asking: tuple[str, str, int]) -> float:
        """要等几秒: takes one from each (kind, who, a minute) where all have one left; else takes none."""
        now = self.clock()
        with self._lock:
            found = []
            for kind, who, rate in asking:
                most = max(5.0, rate * BURST / 60)
                left, at = self._left.get((kind, who), (most, now))
                found.append(((kind, who), min(most, left + (now - at) * rate / 60), rate))
            short = max(((1 - left) * 60 / rate for _, left, rate in found if left < 1), default=0.0)
            for key, left, _ in found:
                self._left.pop(key, None)
                self._left[key] = (left if short else left - 1, now)
            while len(self._left) > ADDRESSES:
                self._left.popitem(last=False)
        return short


def who_asks(request: Request, limits: Limits) -> list[tuple[str, str, int]]:
    """谁在问: the address, and the session or token beside it; of secrets only a digest is kept."""
    address = request.client.host if request.client else ""
    asking = [("address", address, limits.address)]
    secret = request.headers.get("authorization") or next(
        (v for c in COOKIES if (v := request.cookies.get(c))), ""
    )
    if secret:
        return [*asking, ("known", hashlib.sha256(secret.encode()).hexdigest()[:24], limits.known)]
    return [*asking, ("visitor", address, limits.visitor)]


def paced(rates: Rates) -> Callable[[Request, Callable[[Request], Awaitable[Response]]], Awaitable[Response]]:
    """限速的中间件: 429 with Retry-After for who asks too fast; files of the desk and the health page are free."""

    async def check(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        if request.url.path.startswith(("/static/", "/healthz")):
            return await call_next(request)
        seconds = rates.wait(*who_asks(request, rates.limits))
        if not seconds:
            return await call_next(request)
        headers = {"Retry-After": str(ceil(seconds))}
        if request.url.path.startswith("/api"):
            return JSONResponse({"detail": SLOW_DOWN}, 429, headers)
        return PlainTextResponse(SLOW_DOWN, 429, headers)

    return check
