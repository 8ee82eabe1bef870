"""把关: a night whose counts, money or unknown share jump against the last ones is held for a person to release."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from statistics import median
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import Engine

from engine.policy import Batch
from engine.program import Program
from store import audit, guard_causes
from store.database import writing
from store.nights import FINISHED, HELD, RELEASED, UNRELEASED, get_night, list_nights, set_state
from store.review import setting

if TYPE_CHECKING:
    from store.nights import Night

LOOK_BACK = 5


@dataclass(frozen=True)
class Limits:
    """把关的限: fractions of the last nights' median, and the least change that counts."""

    firms: float = 0.05
    fits: float = 0.30
    least_fits: int = 20
    money: float = 0.30
    least_money: float = 1_000_000.0
    unknown: float = 0.10
    filled: float = 0.10


@dataclass(frozen=True)
class Jump:
    """跳变: what jumped, on which item, from what to what, and what seems to have caused it."""

    what: str
    item: str
    before: float
    after: float
    cause: str = ""

    def words(self) -> str:
        """一行话."""
        where = f"{self.item} 的" if self.item else ""
        percent = self.what.endswith("占比")
        unit = "元" if self.what.endswith("金额") else "家"
        before, after = (f"{v:.1%}" if percent else f"{v:,.0f} {unit}" for v in (self.before, self.after))
        return f"{where}{self.what}由 {before} 变为 {after}" + (f"；{self.cause}" if self.cause else "")


def limits_of(engine: Engine) -> Limits:
    """本单位的限: the office's own where it set them."""
    own = setting(engine, "guard", {}) or {}
    names = {f.name for f in fields(Limits)}
    return Limits(**{k: v for k, v in own.items() if k in names})


def jumps(
    night: Night, before: Sequence[Night], limits: Limits,
    files: Callable[[Night], guard_causes.Files] = lambda last: {},
) -> list[Jump]:  # fmt: skip
    """跳变 of a night against the nights before it (newest first); `files` tells which came in since one of them."""
    past = [n for n in before if n.no != night.no and n.state not in UNRELEASED][:LOOK_BACK]
    if not past:
        return []
    found = _totals(night, past, limits) + _items(night, past, limits) + _vanished(night, past, limits)
    return _with_causes(night, past[0], found, limits, files(past[0]) if found else {})


def _totals(night: Night, past: Sequence[Night], limits: Limits) -> list[Jump]:
    found = []
    firms = float(median(n.counts["firms"] for n in past))
    if _jumped(firms, night.counts["firms"], limits.firms, 10):
        found.append(Jump("企业数", "", firms, night.counts["firms"]))
    money = float(median(n.counts["high_fen"] / 100 for n in past))
    now = night.counts["high_fen"] / 100
    if _jumped(money, now, limits.money, limits.least_money):
        found.append(Jump("符合的金额", "", money, now))
    unknown = float(median(_unknown(n.counts) for n in past))
    if abs(_unknown(night.counts) - unknown) > limits.unknown:
        found.append(Jump("待核实占比", "", unknown, _unknown(night.counts)))
    return found


def _unknown(counts: Mapping[Any, Any]) -> float:
    return counts["open"] / counts["pairs"] if counts["pairs"] else 0.0


def _items(night: Night, past: Sequence[Night], limits: Limits) -> list[Jump]:
    frames = [{r["item"]: r for r in n.items().to_dict("records")} for n in past]
    found = []
    for row in night.items().to_dict("records"):
        item = str(row["item"])
        earlier = [f[item] for f in frames if item in f and f[item]["batch"] == row["batch"]]
        if not earlier:
            continue
        fits = float(median(float(e["fits"]) for e in earlier))
        if _jumped(fits, float(row["fits"]), limits.fits, limits.least_fits):
            found.append(Jump("符合企业数", item, fits, float(row["fits"])))
        share, now = float(median(_unknown(e) for e in earlier)), _unknown(row)
        if abs(now - share) > limits.unknown:
            found.append(Jump("待核实占比", item, share, now))
    return found


def _vanished(night: Night, past: Sequence[Night], limits: Limits) -> list[Jump]:
    """Items of the last night that are gone before their batch was to close; whose time was over go in silence."""
    here = {(r["item"], r["batch"]) for r in night.items().to_dict("records")}
    gone = [r for r in past[0].items().to_dict("records") if (r["item"], r["batch"]) not in here]
    gone = [
        r for r in gone if r["fits"] >= limits.least_fits or r.get("high_fen", 0) / 100 >= limits.least_money
    ]
    if not gone:
        return []
    before, now = past[0].library(), night.library()
    found = []
    for row in gone:
        known = before.program(str(row["item"]))
        batch = known.item.batch(str(row["batch"])) if known else None
        if batch is not None and batch.opens <= night.as_of <= batch.closes:
            why = _why_gone(now.program(str(row["item"])), batch, night.as_of)
            found.append(Jump("符合企业数", str(row["item"]), float(row["fits"]), 0.0, why))
    return found


def _why_gone(program: Program | None, batch: Batch, as_of: date) -> str:
    if program is None:
        return "政策库里没有这一项了"
    item = program.item
    if item.status != "有效":
        return f"规则的状态改成了“{item.status}”"
    own = item.batch(batch.name)
    if own is None:
        return f"规则里没有“{batch.name}”这个批次了"
    return f"批次原来到 {batch.closes}，规则改成了 {own.opens} 至 {own.closes}，不含 {as_of}"


def _jumped(before: float, after: float, share: float, least: float) -> bool:
    change = abs(after - before)
    return change >= least and change > share * max(before, 1e-9)


# ---------------------------------------------------------------- causes


def _with_causes(
    night: Night, last: Night, found: list[Jump], limits: Limits, files: guard_causes.Files
) -> list[Jump]:
    if not found:
        return []
    cause = guard_causes.teller(night, last, limits.filled, files)
    items = {jump.item for jump in found} - {""}
    return [replace(j, cause=j.cause or cause([j.item] if j.item else items)) for j in found]


# ---------------------------------------------------------------- holding and releasing


def guard_night(engine: Engine, night: Night) -> list[Jump]:
    """把关: holds the night where it jumps, with the causes; what jumped. A night that was released stays released."""
    if night.state == RELEASED:
        return []

    def files(last: Night) -> guard_causes.Files:
        return guard_causes.arrived(engine, last.run.started, night.run.finished)

    found = jumps(night, list_nights(engine, night.home), limits_of(engine), files)
    because = "；".join(j.words() for j in found[:8])
    state = HELD if found else FINISHED
    set_state(engine, night.no, state, because)
    night.run.state, night.run.held_because = state, because
    return found


def release_night(engine: Engine, no: int, who: str, why: str, at: datetime) -> None:
    """放行: by a named person, with the ground; noted in the audit log. Raises ValueError."""
    night = get_night(engine, no)
    if night is None or night.state != HELD:
        raise ValueError(f"第 {no} 次比对没有被扣下")
    if not why.strip():
        raise ValueError("放行要写明理由")
    set_state(engine, no, RELEASED, f"{night.run.held_because}。{who}放行：{why}")
    with writing(engine) as opened:
        audit.record(opened, who, "放行比对", str(no), {"理由": why, "原因": night.run.held_because}, at)
