"""落库: sound rows of a batch to contents and sightings; what is ambiguous waits for a person."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from sqlalchemy import String, cast, insert, select
from sqlmodel import Session, col, delete

from profiles.codes import proposals, why_not
from profiles.file import SHANGHAI
from profiles.ingest import Parsed, Row, Trouble, digest
from profiles.source import Source
from store.identity import DISMISSED, WAITING, IdentityAnswer, PendingRow
from store.observations import (
    LANDED,
    Content,
    Firm,
    FirmRelation,
    Sighting,
    SourceBatch,
    bulk_insert,
    columns,
    next_id,
    pieces,
)

NAME_ONLY, OLD_NUMBER, ORGANISATION, SLIP, TWICE = (
    "只有名称",
    "旧注册号",
    "组织机构代码",
    "代码存疑",
    "同一企业两行不同",
)


SETTLE = "huiqi identity list 看几行的号，对的用 huiqi identity answer 号 代码，其余用 --none"


class Counts(Protocol):
    """计数: what a landing adds to."""

    new: int
    changed: int
    unchanged: int
    rejected: int
    to_confirm: int
    problems: list[Trouble]


class _Before(NamedTuple):
    effective: date
    arrived: datetime
    digest: int
    content: int
    day: date | None


def _rank(one: _Before) -> tuple[date, datetime, int]:
    return one.effective, one.arrived, one.digest


Place = tuple[int, str]
Spot = tuple[int, str, date | None]
OUTCOMES = ("new", "changed", "unchanged")


class _Mine:
    """What this batch has landed, by firm, key and day: a million rows must fit, so that plain arrays hold them."""

    def __init__(self) -> None:
        self._at: dict[Any, int] = {}
        self.digest, self.content, self.line = array("q"), array("q"), array("q")
        self.outcome, self.fresh = bytearray(), bytearray()

    def find(self, spot: Spot) -> int | None:
        """The row that stands there already."""
        return self._at.get(spot if spot[1] or spot[2] else spot[0])

    def add(self, spot: Spot, mark: int, content: int, line: int, outcome: int, fresh: bool) -> None:
        self._at[spot if spot[1] or spot[2] else spot[0]] = len(self.digest)
        self.digest.append(mark)
        self.content.append(content)
        self.line.append(line)
        self.outcome.append(outcome)
        self.fresh.append(fresh)


C, F, S, B = (columns(model) for model in (Content, Firm, Sighting, SourceBatch))


class Landing:
    """落库 of one batch, chunk by chunk, inside the caller's transaction and under the import lock."""

    def __init__(self, opened: Session, source: Source, batch: SourceBatch):
        self._opened, self._source, self._batch = opened, source, batch
        self._connection = opened.connection()
        self._batch_id = int(batch.id or 0)
        self._arrived = batch.arrived_at
        self._arrival_day = batch.arrived_at.astimezone(SHANGHAI).date()
        self._next_firm = next_id(self._connection, "firm")
        self._next_content = next_id(self._connection, "content")
        self._mine = _Mine()
        self._contested: dict[Spot, list[PendingRow]] = {}
        self._refs: dict[Spot, tuple[tuple[str, str], ...]] = {}
        self._answers = self._kept_answers()
        self._first_firm = self._next_firm
        self._held_firms: dict[str, int] = {}
        self._earlier = self._landed_batches()
        self.queued = 0

    def land(self, parsed: Parsed, counts: Counts) -> None:
        """落一批行."""
        self._settle_unsure(parsed, counts)
        firms = self._firms(parsed.codes)
        places = list(zip([firms[code] for code in parsed.codes], parsed.keys, strict=True))
        before = self._before(places)
        contents: list[tuple[Any, ...]] = []
        sightings: list[tuple[int, int, str | None]] = []
        related: list[tuple[int, tuple[tuple[str, str], ...]]] = []
        told = [0, 0, 0]
        find, add, source, batch = self._mine.find, self._mine.add, self._source.source, self._batch_id
        for i, place in enumerate(places):
            written = parsed.days[i]
            spot = (*place, _day(written) if written else None)
            mark = parsed.digests[i]
            mine = find(spot)
            if mine is not None:
                self._again(parsed, i, spot, mark, mine, counts)
                continue
            outcome, content = self._compare(before.get(place), spot[2], mark)
            fresh = content is None
            if content is None:
                content = self._next_content
                self._next_content += 1
                contents.append((content, place[0], source, place[1], mark, parsed.contents[i]))
            sightings.append((content, batch, written))
            add(spot, mark, content, parsed.lines[i], outcome, fresh)
            told[outcome] += 1
            if parsed.refs[i]:
                self._refs[spot] = parsed.refs[i]
                related.append((place[0], parsed.refs[i]))
        counts.new, counts.changed, counts.unchanged = (
            held + more
            for held, more in zip((counts.new, counts.changed, counts.unchanged), told, strict=True)
        )
        bulk_insert(
            self._connection, "content", ("id", "firm_id", "source", "key", "digest", "body"), contents
        )
        bulk_insert(self._connection, "sighting", ("content_id", "batch_id", "day"), sightings)
        self._relate(related)

    def finish(self, counts: Counts) -> None:
        """收尾: rows of one file that contradict each other about one firm all wait; none of them lands."""
        for spot, waiting in self._contested.items():
            place = self._mine.find(spot)
            assert place is not None
            content = self._mine.content[place]
            body, code = self._connection.execute(
                select(C.body, F.code).join(Firm, F.id == C.firm_id).where(C.id == content)
            ).one()
            outcome = OUTCOMES[self._mine.outcome[place]]
            setattr(counts, outcome, getattr(counts, outcome) - 1)
            self._connection.execute(
                delete(Sighting).where(
                    col(Sighting.content_id) == content, col(Sighting.batch_id) == self._batch_id
                )
            )
            if self._mine.fresh[place]:
                self._connection.execute(delete(Content).where(col(Content.id) == content))
            refs = self._refs.get(spot, ())
            for kind, other in dict.fromkeys(refs):
                self._unrelate(spot[0], kind, other)
            day = spot[2].isoformat() if spot[2] else None
            first = Row(self._mine.line[place], code, "", "", "", spot[1], day, body, refs)
            waiting.insert(0, self._pending(first, TWICE))
            for one in waiting:
                message = f"{one.code} 在这个文件里有几行不同的内容，哪一行对要人定：{SETTLE}"
                self._wait(one, counts, message)

    def _again(self, parsed: Parsed, i: int, spot: Spot, mark: int, mine: int, counts: Counts) -> None:
        """A second row about the same firm and day: the same (nothing to do) or a contradiction."""
        if mark == self._mine.digest[mine] and spot not in self._contested:
            counts.unchanged += 1
            return
        row = Row(
            parsed.lines[i], parsed.codes[i], parsed.names[i], "", "", parsed.keys[i], parsed.days[i],
            parsed.contents[i], parsed.refs[i],
        )  # fmt: skip
        self._contested.setdefault(spot, []).append(self._pending(row, TWICE))

    def _compare(self, before: list[_Before] | None, day: date | None, mark: int) -> tuple[int, int | None]:
        """Place in OUTCOMES, and the content that says the same already."""
        if not before:
            return 0, None
        same = next((b.content for b in before if b.digest == mark), None)
        if any(b.digest == mark and b.day == day and day is not None for b in before):
            return 2, same
        effective = day or self._arrival_day
        # The row that speaks on that day; where this one is older than all of them, the first that came after it.
        earlier = [b for b in before if b.effective <= effective]
        ranked = max(earlier, key=_rank) if earlier else min(before, key=_rank)
        return (2 if ranked.digest == mark else 1), same

    def _firms(self, codes: list[str]) -> dict[str, int]:
        """Ids of the firms; those seen for the first time get one."""
        held = self._held_firms
        asked = [code for code in dict.fromkeys(codes) if code not in held]
        for part in pieces(asked if self._first_firm > 1 else ()):
            held.update(self._pairs(select(F.code, F.id).where(F.code.in_(part))))
        fresh = [code for code in asked if code not in held]
        rows = list(enumerate(fresh, self._next_firm))
        self._next_firm += len(rows)
        bulk_insert(self._connection, "firm", ("id", "code"), rows)
        held.update((code, number) for number, code in rows)
        return held

    def _before(self, places: list[Place]) -> dict[Place, list[_Before]]:
        """What landed batches of this source said of these firms."""
        found: dict[Place, list[_Before]] = {}
        known = sorted({firm for firm, _ in places if firm < self._first_firm})
        if not known or not self._earlier:
            return found
        if known[-1] - known[0] < 3 * len(known):
            conditions = [C.firm_id.between(known[0], known[-1])]
        else:
            conditions = [C.firm_id.in_(part) for part in pieces(known)]
        # Plain texts: turning a million days and moments into objects one by one takes longer than reading them.
        day = cast(S.day, String)
        for condition in conditions:
            query = (
                select(C.firm_id, C.key, C.digest, C.id, day, S.batch_id)
                .join(Sighting, S.content_id == C.id)
                .where(condition, C.source == self._source.source)
            )
            for firm, key, mark, content, dated, batch in self._connection.execute(query):
                arrival = self._earlier.get(batch)
                if arrival is not None:
                    on = _day(dated) if dated else None
                    one = _Before(on or arrival[1], arrival[0], mark, content, on)
                    found.setdefault((firm, key), []).append(one)
        return found

    def _landed_batches(self) -> dict[int, tuple[datetime, date]]:
        query = select(B.id, B.arrived_at).where(
            B.source == self._source.source, B.state == LANDED, B.id != self._batch_id
        )
        return {
            number: (at, at.astimezone(SHANGHAI).date()) for number, at in self._connection.execute(query)
        }

    def _pairs(self, query: Any) -> dict[Any, Any]:
        return {first: second for first, second in self._connection.execute(query)}

    def _relate(self, related: list[tuple[int, tuple[tuple[str, str], ...]]]) -> None:
        rows = [
            {"firm_id": firm, "batch_id": self._batch_id, "kind": kind, "other": other}
            for firm, refs in related
            for kind, other in dict.fromkeys(refs)
        ]
        if rows:
            self._connection.execute(insert(FirmRelation), rows)

    def _unrelate(self, firm: int, kind: str, other: str) -> None:
        R = columns(FirmRelation)
        one = (
            select(R.id)
            .where(R.firm_id == firm, R.batch_id == self._batch_id, R.kind == kind, R.other == other)
            .limit(1)
        )
        self._connection.execute(delete(FirmRelation).where(col(FirmRelation.id).in_(one)))

    def _settle_unsure(self, parsed: Parsed, counts: Counts) -> None:
        """Rows without a valid code: a kept answer lands them, a hint lets them wait, else they are rejected."""
        existing = self._existing(parsed.unsure)
        for row in parsed.unsure:
            answer = self._answers.get(row.code) or self._answers.get(row.name if not row.code else "")
            if answer is not None and answer.code:
                parsed.add(replace(row, code=answer.code))
                continue
            why = "" if answer is not None else self._why(row, existing)
            if why:
                self._wait(self._pending(row, why), counts, _words(row, why))
            else:
                counts.rejected += 1
                said = (
                    why_not(row.code) if answer is None else f"“{row.code or row.name}”已由人认定不是本档企业"
                )
                counts.problems.append(Trouble(row.line, self._source.firm.code, "code", _shown(row, said)))

    def _existing(self, rows: Iterable[Row]) -> set[str]:
        """Of the codes that look like the wrong ones, those that have a file."""
        likely = {one for row in rows for one in proposals(row.code)}
        found: set[str] = set()
        for part in pieces(likely):
            found.update(self._connection.execute(select(F.code).where(F.code.in_(part))).scalars())
        return found

    def _why(self, row: Row, existing: set[str]) -> str:
        said = why_not(row.code)
        if not row.code and row.number:
            return OLD_NUMBER
        if not row.code and row.organisation:
            return ORGANISATION
        if not row.code:
            return NAME_ONLY if row.name and row.name not in self._source.missing_marks else ""
        if "旧注册号" in said:
            return OLD_NUMBER
        if "组织机构代码" in said and len(row.code) == 9:
            return ORGANISATION
        likely = proposals(row.code)
        if likely and ("标准不用" in said or existing.intersection(likely)):
            return SLIP
        return ""

    def _pending(self, row: Row, why: str) -> PendingRow:
        identity = "|".join((row.name, row.number, row.organisation, why))
        return PendingRow(
            batch_id=self._batch_id, source=self._source.source, line=row.line, why=why, code=row.code, name=row.name,
            number=row.number, organisation=row.organisation, key=row.key,
            day=date.fromisoformat(row.day) if row.day else None, content=row.content, refs=[list(r) for r in row.refs],
            digest=digest(row.code, row.key + "|" + identity, row.content + (row.day or "")),
        )  # fmt: skip

    def _wait(self, row: PendingRow, counts: Counts, words: str) -> None:
        counts.to_confirm += 1
        counts.problems.append(Trouble(row.line, self._source.firm.code, "to-confirm", words))
        pending = columns(PendingRow)
        query = select(pending.id).where(
            pending.digest == row.digest,
            pending.source == row.source,
            pending.state.in_((WAITING, DISMISSED)),
        )
        if self._connection.execute(query).first() is None:
            self._opened.add(row)
            self.queued += 1

    def _kept_answers(self) -> dict[str, IdentityAnswer]:
        query = select(IdentityAnswer).where(
            col(IdentityAnswer.source) == self._source.source, col(IdentityAnswer.withdrawn_at).is_(None)
        )
        return {answer.written: answer for answer in self._opened.scalars(query) if answer.written}


@lru_cache(maxsize=4096)
def _day(text: str) -> date:
    return date.fromisoformat(text)


def _shown(row: Row, said: str) -> str:
    return f"{row.code or '（空）'}：{said}" if said else "没有统一社会信用代码，也没有名称"


def _words(row: Row, why: str) -> str:
    if why == SLIP:
        return f"{row.code}：{why_not(row.code)}；像是 {'、'.join(proposals(row.code)[:3])}，等人确认"
    if why == NAME_ONLY:
        return f"只有名称“{row.name}”，名称不能认定企业，等人确认"
    return f"{row.code or row.number or row.organisation}：{why}，等人确认是哪一家"
