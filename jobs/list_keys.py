"""名单的钥匙: a hash of all that a list prints but the night it names, so that a list that says the same is not made again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np

import analysis
from analysis import looking
from analysis.relevance import program_text
from engine.program import Program
from store.night_index import content_sums, kept_of
from store.night_scores import KeptScores, kept_scores
from store.nights import Night

KEYS = ".keys.json"
Content = Mapping[tuple[str, str], str]


def list_keys(night: Night) -> dict[str, str]:
    """各名单的钥匙 by item; none for a night older than content sums. It is made of the item's words, the content of its
    pairs, that of the night before where it differs (新 and 变 are marked against it), what they are ordered by, and the
    code that writes lists."""
    now, before = content_sums(night.folder), _content_before(night)
    if now is None or before is None:
        return {}
    programs = {p.item.id: p for p in night.library().programs}
    scores = kept_scores(night.folder)
    made, order = _code(), _order(night, night.library().programs)
    out = {}
    for (item, batch), sums in now.items():
        program = programs.get(item)
        if program is None:
            continue
        had = "" if night.run.previous is None else before.get((item, batch), "无")
        change = "" if had == sums else had
        parts = [made, *_words(program, batch), sums, change, order, _scores(scores, item)]
        out[item] = hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()
    return out


def keep_keys(folder: Path, keys: Mapping[str, str]) -> None:
    """存钥匙 beside the lists."""
    (folder / KEYS).write_text(json.dumps(keys, ensure_ascii=False), encoding="utf-8")


def kept_keys(folder: Path) -> dict[str, str]:
    """读钥匙; none where the lists were written without."""
    try:
        return json.loads((folder / KEYS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _content_before(night: Night) -> Content | None:
    previous = night.run.previous
    return {} if previous is None else content_sums(night.home / "nights" / str(previous))


def _words(program: Program, batch: str) -> list[object]:
    """What a list says of its item."""
    item = program.item
    names = [[c.id, c.condition.label or c.condition.quote or c.id] for c in program.conditions]
    return [item.id, item.title, batch, names]


def _order(night: Night, programs: Sequence[Program]) -> str:
    """What the order hangs on besides pairs and scores: what all firms say they do, and what all items say."""
    scopes = night.columns().category(looking.SCOPE, None)
    if not scopes.names:
        return ""
    digest = hashlib.sha256()
    for text in [*(block.codes for block in kept_of(night.folder).blocks), *scopes.names]:
        digest.update(f"{len(text)} {text}".encode(errors="surrogatepass"))
    digest.update(np.ascontiguousarray(scopes.codes).data)
    for program in programs:
        text = program_text(program)
        digest.update(f"{program.item.id} {len(text)} {text}".encode())
    return digest.hexdigest()


def _scores(scores: KeptScores | None, item: str) -> str:
    """The estimates on a list; whose they are its content says."""
    if scores is None:
        return ""
    return hashlib.sha256(np.ascontiguousarray(scores.of(item).values).data).hexdigest()


@cache
def _code() -> str:
    """The code that writes lists, in what order, and what it reads them with."""
    here, room = Path(__file__).parent, Path(analysis.__file__).parent
    files = [here / f"{n}.py" for n in ("lists", "list_keys", "sheets")]
    files += [room / f"{n}.py" for n in ("looking", "scores_money", "relevance")]
    store = [p for p in (here.parent / "store").glob("night*.py")]
    engine = [p for p in (here.parent / "engine").glob("text*.py")]
    digest = hashlib.sha256()
    for path in [*files, *sorted(store), *sorted(engine)]:
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()
