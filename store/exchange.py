"""档案的导出与导入: one firm's file as YAML and back, a whole store to a folder and back; nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.engine import Connection, Engine

from engine.indicators import Dictionary
from profiles.exchange import body_of, by_section, dump_yaml, parse_yaml, readable, stated
from profiles.file import resolve
from profiles.ingest import digest
from store.corrections import Correction
from store.database import writing
from store.firms import firm_seen
from store.identity import IdentityAnswer, PendingRow
from store.observations import (
    BatchEvent,
    BatchTrouble,
    Content,
    Firm,
    FirmRelation,
    Sighting,
    SourceBatch,
    SourceDeclaration,
    columns,
    lock_imports,
    next_id,
)

C, F, S, B, D, R, K, P, A, T = (
    columns(model)
    for model in (
        Content, Firm, Sighting, SourceBatch, SourceDeclaration, FirmRelation, Correction, PendingRow, IdentityAnswer,
        BatchTrouble,
    )
)  # fmt: skip
STORE_FILE = "store.yaml"
FORMAT = 1
ADDED = "补录"
_BATCH = ("source", "declaration", "file_name", "file_digest", "day", "arrived_at", "by", "rows", "new", "changed", "unchanged",
          "rejected", "to_confirm", "state", "note", "header", "taken_back_at", "taken_back_by")  # fmt: skip


def export_firm(
    engine: Engine, code: str, as_of: date, dictionary: Dictionary, *, origins: bool = True
) -> str:
    """导出一家: its file as YAML: values as of `as_of` to read, and all that was ever seen, to read back.

    `origins` False leaves out declarations and batches (they stand in the folder's store.yaml).
    Raises ValueError where there is no such firm.
    """
    with engine.connect() as connection:
        firm = connection.execute(select(F.id).where(F.code == code)).scalar()
        if firm is None:
            raise ValueError(f"没有 {code} 的档案")
        plain = _firm_plain(connection, firm, code, dictionary, origins)
    facts = resolve(firm_seen(engine, code), as_of, dictionary)
    current = {
        section: {f"{f.indicator}@{f.year}" if f.year else f.indicator: stated(f, dictionary) for f in found}
        for section, found in by_section(facts, dictionary).items()
    }
    return dump_yaml(
        {"格式": FORMAT, "统一社会信用代码": code, "截至": as_of.isoformat(), "现值": current, **plain}
    )


def import_firm(engine: Engine, text: str, dictionary: Dictionary, *, file: str = "") -> str:
    """导入一家: what its YAML holds and the store lacks; returns the code. Raises ValueError for a changed record."""
    with writing(engine) as opened:
        lock_imports(opened.connection())
        return _Reader(opened.connection(), dictionary).firm(parse_yaml(text, file), file)


def export_store(
    engine: Engine,
    folder: Path,
    as_of: date,
    dictionary: Dictionary,
    told: Callable[[int, int], None] | None = None,
) -> int:
    """导出全库: one YAML a firm under `folder`, and store.yaml with what belongs to no firm; returns how many firms."""
    folder.mkdir(parents=True, exist_ok=True)
    with engine.connect() as connection:
        codes = list(connection.execute(select(F.code).order_by(F.code)).scalars())
        (folder / STORE_FILE).write_text(dump_yaml(_store_plain(connection)), "utf-8")
    for done, code in enumerate(codes, 1):
        (folder / f"{code}.yaml").write_text(
            export_firm(engine, code, as_of, dictionary, origins=False), "utf-8"
        )
        if told:
            told(done, len(codes))
    return len(codes)


def import_store(
    engine: Engine, folder: Path, dictionary: Dictionary, told: Callable[[int, int], None] | None = None
) -> int:
    """导入全库: every YAML of a folder that `export_store` wrote, whole or not at all; returns how many firms."""
    files = sorted(path for path in folder.glob("*.yaml") if path.name != STORE_FILE)
    with writing(engine) as opened:
        lock_imports(opened.connection())
        reader = _Reader(opened.connection(), dictionary)
        if (folder / STORE_FILE).is_file():
            reader.store(parse_yaml((folder / STORE_FILE).read_text("utf-8"), STORE_FILE))
        for done, path in enumerate(files, 1):
            reader.firm(parse_yaml(path.read_text("utf-8"), path.name), path.name)
            if told:
                told(done, len(files))
    return len(files)


def _firm_plain(
    connection: Connection, firm: int, code: str, dictionary: Dictionary, origins: bool
) -> dict[str, Any]:
    query = (
        select(C.id, C.source, C.key, C.digest, C.body, B.uid, S.day)
        .join(Sighting, S.content_id == C.id)
        .join(SourceBatch, B.id == S.batch_id)
        .where(C.firm_id == firm)
        .order_by(C.source, C.key, B.arrived_at, B.uid)
    )
    records: dict[int, dict[str, Any]] = {}
    uids: set[str] = set()
    for number, source, key, mark, body, uid, day in connection.execute(query):
        record = records.setdefault(
            number,
            {"来源": source, "键": key, "摘要": f"{mark & (2**64 - 1):016x}", "见于": [],
             "内容": readable(json.loads(body), dictionary)},
        )  # fmt: skip
        record["见于"].append({"批次": uid, "数据日期": day.isoformat() if day else None})
        uids.add(uid)
    related = connection.execute(
        select(R.kind, R.other, B.uid).join(SourceBatch, B.id == R.batch_id).where(R.firm_id == firm)
        .order_by(R.kind, R.other, B.uid)
    ).all()  # fmt: skip
    uids.update(uid for _, _, uid in related)
    asked = connection.execute(select(Correction).where(K.firm_id == firm).order_by(K.filed_at)).mappings()
    found = _batches_plain(connection, uids) if origins else []
    return {
        "来源声明": _declarations_plain(connection, {one["declaration"] for one in found}),
        "批次": found,
        "记录": list(records.values()),
        "关系": [{"类别": kind, "对方": other, "批次": uid} for kind, other, uid in related],
        "异议更正": [_plain_row(row, drop=("id", "firm_id")) for row in asked],
    }


def _store_plain(connection: Connection) -> dict[str, Any]:
    """What belongs to no firm's file: all batches, their findings, waiting rows and kept answers."""
    batches = _batches_plain(connection, None)
    uid = _pairs(connection, select(B.id, B.uid))
    troubles: dict[str, list[list[Any]]] = {}
    for row in connection.execute(select(T.batch_id, T.line, T.column, T.code, T.message).order_by(T.id)):
        troubles.setdefault(uid[row[0]], []).append(list(row[1:]))
    waiting = []
    for one in connection.execute(select(PendingRow).order_by(P.id)).mappings():
        plain = _plain_row(one, drop=("id",))
        plain["batch_id"], plain["landed_batch"] = uid[one["batch_id"]], uid.get(one["landed_batch"])
        waiting.append(plain)
    answers = [
        _plain_row(one, drop=("id",))
        for one in connection.execute(select(IdentityAnswer).order_by(A.id)).mappings()
    ]
    return {
        "格式": FORMAT,
        "来源声明": _declarations_plain(connection, {one["declaration"] for one in batches}),
        "批次": batches,
        "退回清单": troubles,
        "待认领": waiting,
        "认领答案": answers,
    }


def _batches_plain(connection: Connection, uids: set[str] | None) -> list[dict[str, Any]]:
    query = select(SourceBatch).order_by(B.arrived_at, B.uid)
    rows = list(connection.execute(query if uids is None else query.where(B.uid.in_(list(uids)))).mappings())
    parents = {row["part_of"] for row in rows if row["part_of"]}
    named = _pairs(connection, select(B.id, B.uid).where(B.id.in_(list(parents))))
    if uids is not None and set(named.values()) - uids:
        return _batches_plain(connection, uids | set(named.values()))
    return [
        {
            "uid": row["uid"],
            **{k: v for k, v in _plain_row(row).items() if k in _BATCH},
            "part_of": named.get(row["part_of"]),
        }
        for row in rows
    ]


def _declarations_plain(connection: Connection, digests: Iterable[str]) -> dict[str, Any]:
    rows = connection.execute(select(D.digest, D.text).where(D.digest.in_(list(digests))).order_by(D.digest))
    return {mark: json.loads(text) for mark, text in rows}


def _pairs(connection: Connection, query: Any) -> dict[Any, Any]:
    return {first: second for first, second in connection.execute(query)}


def _plain_row(row: Any, drop: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, date | datetime) else value
        for name, value in row.items()
        if name not in drop
    }


class _Reader:
    """Writes what a YAML holds and the store lacks, inside the caller's transaction."""

    def __init__(self, connection: Connection, dictionary: Dictionary):
        self._connection, self._dictionary = connection, dictionary
        self._next_firm = next_id(connection, "firm")
        self._next_content = next_id(connection, "content")
        self._batches: dict[str, int] = _pairs(connection, select(B.uid, B.id))
        self._touched: set[int] = set()

    def firm(self, plain: dict[str, Any], file: str) -> str:
        code = plain.get("统一社会信用代码")
        if not isinstance(code, str) or plain.get("格式") != FORMAT:
            raise ValueError(f"{file}  不是本系统导出的档案文件（格式 {FORMAT}）")
        self._origins(plain)
        firm = self._firm_id(code)
        held = {
            (source, key, mark): number
            for number, source, key, mark in self._connection.execute(
                select(C.id, C.source, C.key, C.digest).where(C.firm_id == firm)
            )
        }
        for record in plain["记录"]:
            self._record(code, firm, record, held, file)
        self._relations(firm, plain["关系"])
        self._corrections(firm, plain["异议更正"])
        return code

    def store(self, plain: dict[str, Any]) -> None:
        fresh = {one["uid"] for one in plain["批次"]} - set(self._batches)
        self._origins(plain)
        for uid, rows in plain["退回清单"].items():
            if uid in fresh:
                found = [dict(zip(("line", "column", "code", "message"), row, strict=True)) for row in rows]
                self._insert(BatchTrouble, [{"batch_id": self._batches[uid], **row} for row in found])
        for one in plain["待认领"]:
            if one["batch_id"] in fresh:
                row = {
                    **one,
                    "batch_id": self._batches[one["batch_id"]],
                    "landed_batch": self._batches.get(one["landed_batch"]),
                }
                self._insert(PendingRow, [_typed(row)])
        if fresh:
            known = {
                (s, w, str(at)) for s, w, at in self._connection.execute(select(A.source, A.written, A.at))
            }
            answers = [_typed(one) for one in plain["认领答案"]]
            self._insert(
                IdentityAnswer, [a for a in answers if (a["source"], a["written"], str(a["at"])) not in known]
            )

    def _origins(self, plain: dict[str, Any]) -> None:
        known = set(self._connection.execute(select(D.digest)).scalars())
        for mark, declaration in plain["来源声明"].items():
            if mark not in known:
                text = json.dumps(declaration, ensure_ascii=False)
                self._insert(
                    SourceDeclaration, [{"digest": mark, "name": declaration["source"], "text": text}]
                )
        for one in sorted(plain["批次"], key=lambda one: one["part_of"] is not None):
            if one["uid"] not in self._batches:
                row = _typed({k: v for k, v in one.items() if k in _BATCH})
                row.update(uid=one["uid"], part_of=self._batches.get(one["part_of"]))
                made = self._connection.execute(insert(SourceBatch).values(**row))
                self._batches[one["uid"]] = int(made.inserted_primary_key[0])  # type: ignore[index]

    def _firm_id(self, code: str) -> int:
        found = self._connection.execute(select(F.id).where(F.code == code)).scalar()
        if found is not None:
            return int(found)
        self._insert(Firm, [{"id": self._next_firm, "code": code}])
        self._next_firm += 1
        return self._next_firm - 1

    def _record(self, code: str, firm: int, record: dict[str, Any], held: dict[Any, int], file: str) -> None:
        body = body_of(record["内容"], self._dictionary)
        mark = digest(code, record["键"], body)
        if f"{mark & (2**64 - 1):016x}" != record["摘要"]:
            raise ValueError(
                f"{file}  来源“{record['来源']}”的一条记录与摘要不符：导出的记录不能改，要更正请走异议更正"
            )
        place = (record["来源"], record["键"], mark)
        number = held.get(place)
        if number is None:
            number = held[place] = self._next_content
            self._next_content += 1
            row = {
                "id": number,
                "firm_id": firm,
                "source": place[0],
                "key": place[1],
                "digest": mark,
                "body": body,
            }
            self._insert(Content, [row])
        lost = next((one["批次"] for one in record["见于"] if one["批次"] not in self._batches), None)
        if lost:
            raise ValueError(
                f"{file}  提到的批次 {lost} 不在库里：这个文件要连同文件夹里的 {STORE_FILE} 一起导入"
            )
        seen = set(self._connection.execute(select(S.batch_id).where(S.content_id == number)).scalars())
        rows: list[dict[str, Any]] = [
            {"content_id": number, "batch_id": self._batches[one["批次"]],
             "day": date.fromisoformat(one["数据日期"]) if one["数据日期"] else None}
            for one in record["见于"]
        ]  # fmt: skip
        fresh = [row for row in rows if row["batch_id"] not in seen]
        self._insert(Sighting, fresh)
        self._touch(row["batch_id"] for row in fresh)

    def _relations(self, firm: int, relations: list[dict[str, Any]]) -> None:
        known = set(
            self._connection.execute(select(R.kind, R.other, R.batch_id).where(R.firm_id == firm)).all()
        )
        rows = [(one["类别"], one["对方"], self._batches[one["批次"]]) for one in relations]
        names = ("kind", "other", "batch_id")
        fresh = [dict(zip(names, row, strict=True)) for row in rows if row not in {tuple(k) for k in known}]
        self._insert(FirmRelation, [{"firm_id": firm, **row} for row in fresh])

    def _corrections(self, firm: int, asked: list[dict[str, Any]]) -> None:
        known = {
            (one.indicator, one.year, one.filed_at)
            for one in self._connection.execute(
                select(K.indicator, K.year, K.filed_at).where(K.firm_id == firm)
            )
        }
        rows = [_typed(one) for one in asked]
        fresh = [row for row in rows if (row["indicator"], row["year"], row["filed_at"]) not in known]
        self._insert(Correction, [{"firm_id": firm, **row} for row in fresh])

    def _touch(self, batches: Iterator[int]) -> None:
        """A snapshot learns from events which batches to look at again."""
        for batch in batches:
            if batch not in self._touched:
                self._touched.add(batch)
                arrived = self._connection.execute(select(B.arrived_at).where(B.id == batch)).scalar_one()
                self._insert(BatchEvent, [{"batch_id": batch, "kind": ADDED, "at": arrived}])

    def _insert(self, model: Any, rows: list[dict[str, Any]]) -> None:
        if rows:
            self._connection.execute(insert(model), rows)


def _typed(row: Mapping[str, Any]) -> dict[str, Any]:
    """Days and moments back from their ISO texts."""
    moments = ("arrived_at", "taken_back_at", "filed_at", "answered_at", "at", "withdrawn_at")
    out = dict(row)
    for name in moments:
        if out.get(name):
            out[name] = datetime.fromisoformat(out[name])
    if out.get("day"):
        out["day"] = date.fromisoformat(out["day"])
    return out
