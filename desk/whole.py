"""整份文件试算: what a document's files would do to firms and money, reckoned once for all that it rests on."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass, field
from pathlib import Path

from analysis import Impacts, View, charts, compare_all
from desk.beside import beside
from desk.office import Office
from desk.web import plain_name
from store.nights import Night

PATIENCE = (
    0.2  # seconds a page waits for an answer that may come at once, before it says that it is being reckoned
)
READ = (".yaml", ".md")  # what rules are read from
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Whole:
    """整份文件的答案: the impact over all items with the department of each, or the fault in words.

    It holds what the night and the files say. Grants move while it is kept: `seen` asks for promises anew at each visit.
    """

    found: Impacts | None
    departments: tuple[str, ...] = ()
    fault: str = ""
    idle: tuple[
        tuple[str, str], ...
    ] = ()  # department and title of items without an open batch: nothing can be said of them
    _parts: dict[str, Impacts] = field(default_factory=dict, compare=False, repr=False)
    _drawn: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    def seen(self, office: Office, department: str) -> Impacts | None:
        """看得到的影响: of one department's items ("": all), with the promises that stand at this moment."""
        base = self._of(department)
        return None if base is None else base.promised_by(office.engine)

    def waiting(self, department: str) -> list[str]:
        """没有在办批次的事项, by title, of one department's ("": all)."""
        return [title for own, title in self.idle if department in ("", own)]

    def drawing(self, department: str) -> str:
        """图, as SVG."""
        if department not in self._drawn:
            base = self._of(department)
            assert base is not None
            self._drawn[department] = charts.svg(charts.impact_chart(base))
        return self._drawn[department]

    def _of(self, department: str) -> Impacts | None:
        if self.found is None or not department:
            return self.found
        if department not in self._parts:
            own = zip(self.found.parts, self.departments, strict=True)
            self._parts[department] = Impacts(tuple(p for p, d in own if d == department))
        return self._parts[department]


def folder_of(office: Office, doc: str) -> Path | None:
    """文件的文件夹 in the library where rules are published; None where there is no such document."""
    folder = office.library_root / plain_name(doc)
    return folder if (folder / "document.yaml").is_file() else None


def basis(night: Night, folder: Path) -> str:
    """所依据的: a digest of all that an answer rests on: the night with its rules, files, answers and money received, and
    every byte of the document that rules are read from (its budgets among them).
    """
    run = night.run
    known = [
        night.no, run.library_hash, run.profiles_hash, run.answers_hash, run.settings.get("received"), night.as_of.isoformat(),
    ]  # fmt: skip
    found = hashlib.sha256(json.dumps(known).encode())
    for path in sorted(p for p in folder.rglob("*") if p.suffix in READ):
        data = path.read_bytes()
        found.update(f"\n{path.relative_to(folder).as_posix()} {len(data)}\n".encode())
        found.update(data)
    return found.hexdigest()


def kept(office: Office, night: Night, doc: str, folder: Path) -> Whole | None:
    """记着的答案, only where it rests on what is there now."""
    last: tuple[str, Whole] | None = office.memory.get(("whole", doc), lambda: None)
    return last[1] if last is not None and last[0] == basis(night, folder) else None


def reckon(office: Office, night: Night, doc: str, folder: Path) -> Whole:
    """算, one document at a time; kept where the files stayed as they were meanwhile."""
    with _one_at_a_time:
        ready = kept(office, night, doc, folder)
        if ready is not None:
            return ready
        before = basis(night, folder)
        try:
            made = _reckoned(night, folder)
        except Exception:
            office.memory.put(("whole", doc), (before, Whole(None, fault=BROKEN)))
            raise
        if basis(night, folder) == before:
            office.memory.put(("whole", doc), (before, made))
        return made


BROKEN = "没有算成，原因记在服务的日志里；改了这份文件，或者下一次比对以后，会重新算"


def _reckoned(night: Night, folder: Path) -> Whole:
    view = View(night)
    try:
        after = view.with_document(folder)
    except ValueError as error:
        return Whole(None, fault=str(error))
    found = compare_all(view, after)
    own = (after.program(p.item) if after.live(p.item) else view.program(p.item) for p in found.parts)
    still = (p.item for i, p in after.changed.items() if not after.live(i) and not view.live(i))
    _ = found.changes, found.firms, found.groups  # made here, not while a page waits
    idle = tuple((item.department, item.title) for item in still if item.status != "失效")
    return Whole(found, tuple(program.item.department for program in own), idle=idle)


def soon(office: Office, night: Night, doc: str, folder: Path) -> Whole | None:
    """答案, if it is known or comes at once; else it is being reckoned beside the visit, and None."""
    ready = kept(office, night, doc, folder)
    if ready is not None:
        return ready
    done = threading.Event()

    def work() -> None:
        try:
            reckon(office, night, doc, folder)
        finally:
            done.set()

    if beside(("whole", doc), work):
        done.wait(PATIENCE)
    return kept(office, night, doc, folder)
