"""比对批次: nights, what they were made of and what they found; hits as Parquet by item, runs in the database."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import BigInteger, Engine, select
from sqlmodel import Field, SQLModel, col

from engine.columns import Columns
from engine.evaluate import Frame
from engine.explain import OFFICE, Provenance, explain
from engine.match import Match
from engine.matching import AnswerBook, RowIndex, enterprise_answers
from engine.program import BoundItem
from policies.library import Library, load_library
from policies.library_cache import load_kept
from profiles.arrow_columns import CODE, open_columns
from profiles.dictionary import builtin_dictionary
from store import night_reads
from store.database import fen_column, id_column, json_column, session, utc_column, writing
from store.night_answers import answers_of_text
from store.night_blocks import NAME, file_hash, firm_names
from store.night_scores import scored_with, with_scores
from store.versions import open_kept_library

UNGUARDED, FINISHED, HELD, RELEASED = "待把关", "完成", "扣下", "放行"
UNRELEASED = (UNGUARDED, HELD)  # nights that nobody may act upon yet


class Run(SQLModel, table=True):
    """批次运行: one night with the hashes of everything it was made of; never changed once finished but its state."""

    __tablename__ = "run"
    no: int | None = Field(default=None, sa_column=id_column())
    as_of: date = Field(index=True)
    started: datetime = Field(sa_column=utc_column())
    finished: datetime = Field(sa_column=utc_column())
    state: str = "完成"  # 待把关 | 完成 | 扣下 | 放行
    held_because: str = ""
    library_hash: str = ""
    profiles_hash: str = ""
    answers_hash: str = ""
    hits_hash: str = ""
    previous: int | None = None
    software: str = ""
    counts: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    settings: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())


class ItemRun(SQLModel, table=True):
    """事项运行: one item of a night in figures; amounts in fen, None unknown."""

    __tablename__ = "item_run"
    id: int | None = Field(default=None, sa_column=id_column())
    run: int = Field(index=True, foreign_key="run.no", sa_type=BigInteger)
    item: str = Field(index=True)
    batch: str
    title: str = ""
    category: str = ""
    delivery: str = ""
    department: str = ""
    pairs: int = Field(default=0, sa_type=BigInteger)
    fits: int = Field(default=0, sa_type=BigInteger)
    open: int = Field(default=0, sa_type=BigInteger)
    low_fen: int = Field(default=0, sa_column=fen_column())
    high_fen: int = Field(default=0, sa_column=fen_column())
    unknown_amounts: int = Field(default=0, sa_type=BigInteger)
    new_fits: int = Field(default=0, sa_type=BigInteger)
    gone: int = Field(default=0, sa_type=BigInteger)


__all__ = ["NAME", "file_hash", "firm_names"]  # what was here first


def home_folder(env: Mapping[str, str] = os.environ) -> Path:
    """数据文件夹: HUIQI_HOME, default var/ here."""
    return Path(env.get("HUIQI_HOME", "").strip() or "var")


@dataclass(frozen=True)
class Night:
    """一夜: a finished run and its files."""

    run: Run
    home: Path
    engine: Engine

    @property
    def no(self) -> int:
        assert self.run.no is not None
        return self.run.no

    @property
    def as_of(self) -> date:
        return self.run.as_of

    @property
    def state(self) -> str:
        return self.run.state

    @property
    def counts(self) -> dict[str, Any]:
        return self.run.counts

    @property
    def folder(self) -> Path:
        return self.home / "nights" / str(self.no)

    @property
    def profiles(self) -> Path:
        """企业数据文件 it was matched on."""
        return self.home / "versions" / f"profiles-{self.run.profiles_hash}.parquet"

    def items(self) -> pd.DataFrame:
        """事项一览: one row an item, amounts in yuan."""
        columns = ("item", "title", "batch", "category", "delivery", "department", "pairs", "fits", "open",
                   "unknown_amounts", "new_fits", "gone")  # fmt: skip
        with session(self.engine) as opened:
            query = select(ItemRun).where(col(ItemRun.run) == self.no).order_by(col(ItemRun.item))
            rows = list(opened.execute(query).scalars())
            frame = pd.DataFrame([{c: getattr(r, c) for c in columns} for r in rows], columns=list(columns))
            frame["low"] = [r.low_fen / 100 for r in rows]
            frame["high"] = [r.high_fen / 100 for r in rows]
        return frame

    def hits(self, item: str) -> pd.DataFrame:
        """一事项的名单: pairs 符合 or 待核实 with `change` (新 变 or empty) against the night before; cached."""
        return _hits(self, item)

    def pairs(self, item: str, columns: Sequence[str]) -> pa.Table | None:
        """一事项的对子: some columns of all of them as they were written, without what changed since; None for none."""
        return night_reads.item_table(self.folder, item, columns)

    def fitting(self, item: str) -> set[str]:
        """符合的企业: codes."""
        table = night_reads.item_table(self.folder, item, [CODE, "verdict"])
        return (
            set()
            if table is None
            else set(table.filter(pc.equal(table["verdict"], "符合"))[CODE].to_pylist())
        )

    def open_pairs(self, item: str) -> pd.DataFrame:
        """待核实的一对对: code and unknown conditions, read afresh."""
        table = night_reads.item_table(self.folder, item, [CODE, "unknown", "verdict"])
        if table is None:
            return pd.DataFrame(columns=[CODE, "unknown"])
        return table.filter(pc.equal(table["verdict"], "待核实")).select([CODE, "unknown"]).to_pandas()

    def firm_hits(self, code: str) -> pd.DataFrame:
        """一企业的名单: its pairs over all items."""
        table = night_reads.firm_table(self.folder, code, self.row(code))
        if table is None:
            return pd.DataFrame()
        frames = [
            with_scores(frame, self.folder, str(item))
            for item, frame in night_reads.plain(table).to_pandas().groupby("item", sort=False)
        ]
        return pd.concat(frames, ignore_index=True)

    def firm_pairs(self, code: str, columns: Sequence[str]) -> list[dict[str, Any]]:
        """一企业的几列: of its pairs over all items, without what changed and without scores."""
        table = night_reads.firm_table(self.folder, code, self.row(code), columns)
        return [] if table is None else night_reads.plain(table).to_pylist()

    def part(self, item: str, columns: Sequence[str]) -> pd.DataFrame:
        """一事项的几列: of its pairs in the order of the firms, without what changed."""
        table = night_reads.item_table(self.folder, item, columns)
        return pd.DataFrame(columns=list(columns)) if table is None else table.to_pandas()

    def columns_of(self, item: str, columns: Sequence[str]) -> pa.Table | None:
        """一事项的几列 as an Arrow table with plain texts; None where nobody is on its list."""
        return night_reads.item_table(self.folder, item, columns)

    def pair(self, item: str, code: str, columns: Sequence[str]) -> dict[str, Any] | None:
        """一对的结果: some columns of it, None where the firm is 不符合 or was not there."""
        return night_reads.pair(self.folder, item, code, columns)

    def library(self) -> Library:
        """政策库: as it was that night."""
        return _library(self.home, self.run.library_hash)

    def columns(self) -> Columns:
        """数据列: as they were that night."""
        loaded = self.run.settings.get("loaded")
        names = None if loaded is None else tuple(loaded)
        return _columns(self.home, self.run.profiles_hash, self.run.library_hash, names)

    def answers(self) -> AnswerBook:
        """答复簿: as it was that night."""
        path = self.home / "versions" / f"answers-{self.run.answers_hash}.jsonl"
        return answers_of_text(path.read_text(encoding="utf-8"))

    def received(self) -> dict[tuple[str, str], float]:
        """已兑现: yuan by (code, group) as it was that night, of groups that pay the difference."""
        digest = self.run.settings.get("received")
        if digest is None:
            return {}
        text = (self.home / "versions" / f"received-{digest}.jsonl").read_text(encoding="utf-8")
        rows = [json.loads(line) for line in text.splitlines()]
        return {(r[CODE], r["group"]): r["yuan"] for r in rows}

    def row(self, code: str) -> int | None:
        """企业在数据列里的行号."""
        return _row_numbers(self.home, self.run.profiles_hash).get(code)

    def bound(self, item: str) -> BoundItem | None:
        """在办事项: an item with the batch that was live that night."""
        program = self.library().program(item)
        batch = program.item.live_batch(self.as_of) if program else None
        return program.bind(batch) if program and batch else None

    def explain(
        self, code: str, item: str, provenance: Provenance | None = None, audience: str = OFFICE
    ) -> Match | None:
        """依据: one pair of that night, None where the firm or the item was not in it."""
        bound, row = self.bound(item), self.row(code)
        if bound is None or row is None:
            return None
        one = self.columns().take(np.array([row]))
        return explain(bound, one, self.as_of, self.answers(), provenance, audience)

    def funnel(self, item: str) -> pd.DataFrame:
        """漏斗: per numbered condition in the rule's order, firms dropped there and firms remaining."""
        return _funnel(self, item)


def latest_night(engine: Engine, home: Path | None = None, released: bool = False) -> Night | None:
    """最近一夜; `released` leaves out nights that the guard holds or has not looked at."""
    with session(engine) as opened:
        query = select(Run).order_by(Run.no.desc()).limit(1)  # type: ignore[union-attr]
        if released:
            query = query.where(col(Run.state).not_in(UNRELEASED))
        run = opened.execute(query).scalars().first()
        if run is not None:
            opened.expunge(run)
    return None if run is None else Night(run, home or home_folder(), engine)


def night_on_show(engine: Engine, home: Path, today: date) -> Night | None:
    """在看的一夜: the released night of the latest day up to today, the last of that day; a look ahead where there is no other.

    A look back made later (`nightly --as-of` an earlier day) is kept and can be asked for by number, but takes no one's place.
    """
    query: Any = select(Run).where(col(Run.state).not_in(UNRELEASED))
    order = ((col(Run.as_of) > today).asc(), col(Run.as_of).desc(), col(Run.no).desc())
    with session(engine) as opened:
        run = opened.execute(query.order_by(*order).limit(1)).scalars().first()
        if run is not None:
            opened.expunge(run)
    return None if run is None else Night(run, home, engine)


def later_night(engine: Engine, night: Night, today: date) -> int | None:
    """更近的一夜: the number of a released night of a later day, or a later one of the same day; None where there is none.

    Nights dated after `today` (looks ahead) do not count.
    """
    newer = (col(Run.as_of) > night.as_of) | ((col(Run.as_of) == night.as_of) & (col(Run.no) > night.no))
    query: Any = select(col(Run.no)).where(col(Run.state).not_in(UNRELEASED), newer, col(Run.as_of) <= today)
    with session(engine) as opened:
        return opened.execute(query.order_by(col(Run.as_of).desc(), col(Run.no).desc()).limit(1)).scalar()


def last_night_of(engine: Engine, first: date, last: date, home: Path) -> Night | None:
    """一段日子里最后一夜 that was released."""
    query = select(Run).where(col(Run.as_of).between(first, last), col(Run.state).not_in(UNRELEASED))
    with session(engine) as opened:
        run = (
            opened.execute(query.order_by(col(Run.as_of).desc(), col(Run.no).desc()).limit(1))
            .scalars()
            .first()
        )
        if run is not None:
            opened.expunge(run)
    return None if run is None else Night(run, home, engine)


def get_night(engine: Engine, no: int, home: Path | None = None) -> Night | None:
    """某一夜."""
    with session(engine) as opened:
        run = opened.get(Run, no)
        if run is not None:
            opened.expunge(run)
    return None if run is None else Night(run, home or home_folder(), engine)


def list_nights(engine: Engine, home: Path | None = None) -> list[Night]:
    """各夜, newest first."""
    with session(engine) as opened:
        runs = list(opened.execute(select(Run).order_by(Run.no.desc())).scalars())  # type: ignore[union-attr]
        for run in runs:
            opened.expunge(run)
    return [Night(run, home or home_folder(), engine) for run in runs]


def set_state(engine: Engine, no: int, state: str, because: str = "") -> None:
    """改状态: hold or release a night."""
    with writing(
        engine
    ) as opened:  # read, then written: a plain transaction fails where another writes in between
        run = opened.get(Run, no)
        if run is None:
            raise ValueError(f"没有第 {no} 次比对")
        run.state, run.held_because = state, because
        opened.add(run)


# Files of a night never change, so what is read of them is kept by what they are called.

_frames: dict[tuple[str, int, str, str], pd.DataFrame] = {}
KEPT_FRAMES = 64


def forget() -> None:
    """忘掉: frames, columns and pairs read of past nights, for a process that lives through many and is done with this one."""
    _frames.clear()
    _columns.cache_clear()
    _row_numbers.cache_clear()
    night_reads.forget()


def _hits(night: Night, item: str) -> pd.DataFrame:
    key = (str(night.home.resolve()), night.no, item, scored_with(night.folder))
    found = _frames.get(key)
    if found is None:
        found = with_scores(_read_hits(night, item), night.folder, item)
        if len(_frames) >= KEPT_FRAMES:
            _frames.pop(next(iter(_frames)))
        _frames[key] = found
    return found


def _read_hits(night: Night, item: str) -> pd.DataFrame:
    table = night_reads.item_table(night.folder, item)
    if table is None:
        return pd.DataFrame()
    frame = table.to_pandas()
    previous = night.run.previous
    columns = [CODE, "verdict", "paid_high"]
    earlier = (
        night_reads.item_table(night.home / "nights" / str(previous), item, columns) if previous else None
    )
    if earlier is None:
        frame["change"] = "新" if previous else ""
        return frame
    before = earlier.to_pandas().set_index(CODE)
    joined = before.reindex(frame[CODE])
    was, paid = joined["verdict"].to_numpy(), joined["paid_high"].to_numpy(dtype=float)
    new = pd.isna(was)
    now = frame["paid_high"].to_numpy(dtype=float)
    same_money = (now == paid) | (np.isnan(now) & np.isnan(paid))
    changed = ~new & ((frame["verdict"].to_numpy() != was) | ~same_money)
    frame["change"] = np.where(new, "新", np.where(changed, "变", ""))
    return frame


@lru_cache(maxsize=4)
def _library(home: Path, digest: str) -> Library:
    words = builtin_dictionary()
    return load_kept(digest, words, lambda: open_kept_library(home, digest, load_library, words))


@lru_cache(maxsize=2)
def _columns(home: Path, digest: str, library: str, loaded: tuple[str, ...] | None) -> Columns:
    path = home / "versions" / f"profiles-{digest}.parquet"
    columns = open_columns(path, _library(home, library).dictionary)  # it may have indicators of its own
    columns.loaded = None if loaded is None else frozenset(loaded)
    return columns


@lru_cache(maxsize=2)
def _row_numbers(home: Path, digest: str) -> dict[str, int]:
    path = home / "versions" / f"profiles-{digest}.parquet"
    return {code: i for i, code in enumerate(pq.read_table(path, columns=[CODE])[CODE].to_pylist())}


def _funnel(night: Night, item: str) -> pd.DataFrame:
    bound = night.bound(item)
    columns = night.columns()
    if bound is None:
        return pd.DataFrame(columns=["id", "dropped", "unknown", "remaining"])
    frame = Frame(columns)
    book = enterprise_answers(bound, night.answers(), RowIndex(columns.codes), len(columns))
    alive = np.ones(len(columns), bool)
    rows = []
    for numbered, tree in zip(bound.program.conditions, bound.conditions, strict=True):
        truth = frame.tree(tree, book)
        dropped = int((alive & truth.fails).sum())
        alive &= truth.maybe
        rows.append(
            {"id": numbered.id, "quote": numbered.condition.quote, "cite": numbered.condition.cite,
             "dropped": dropped, "unknown": int((alive & truth.unknown).sum()), "remaining": int(alive.sum())}
        )  # fmt: skip
    return pd.DataFrame(rows)
