"""编译好的政策库: kept by the hash of everything it was made of, so that thousands of rule files are read once.

The key holds the rule files' bytes, place words, dictionary and our own code; whatever differs makes another key, so a
stale entry is never found (see policies.cache_files).
"""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache, partial
from io import BytesIO
from pathlib import Path
from typing import Any

import engine
from engine.errors import Place
from engine.indicators import Dictionary
from engine.yamltext import Node
from policies.cache_files import cache_folder, read_entry, write_entry
from policies.library import Library, LoadedItem, load_library

WORTH_KEEPING = 200  # items from which reading the files takes longer than looking here
WORTH_OPENING = 20  # items from which a library in an archive, unpacked and read each time, does
KEPT = 8  # entries; the oldest go


def load_compiled(
    root: Path,
    dictionary: Dictionary,
    sets: Mapping[str, Sequence[str]] | None = None,
    cache: Path | None = None,
    keep: Callable[[Callable[[], None]], object] = lambda job: job(),
) -> Library:
    """读政策库 for matching: as `load_library`, but its items' YAML nodes may be empty. What was read is kept by a job that is
    given to `keep`, to be done at once or beside what comes next. Raises LibraryError."""
    folder = cache or cache_folder()
    key = library_key(root, dictionary, sets or {})
    found = _read(folder / f"library-{key}.pickle")
    if found is not None:
        found.root = root
        return found
    library = load_library(root, dictionary, sets)
    if len(library.items) >= WORTH_KEEPING:
        keep(partial(_write, folder, f"library-{key}.pickle", library))
    return library


def load_kept(
    digest: str, dictionary: Dictionary, load: Callable[[], Library], cache: Path | None = None
) -> Library:
    """读存下的政策库 by the hash of its files and place words: what `load` gives, whose items' YAML nodes may be empty."""
    folder = cache or cache_folder()
    made_of = _made_of(f"kept {digest}", dictionary)
    name = f"library-{made_of.hexdigest()}.pickle"
    found = _read(folder / name)
    if found is not None:
        return found
    library = load()
    if len(library.items) >= WORTH_OPENING:
        _write(folder, name, library)
    return library


def library_key(root: Path, dictionary: Dictionary, sets: Mapping[str, Sequence[str]]) -> str:
    """政策库的钥匙: a hash of the files read of it, the words given with it, and the code that compiles it."""
    digest = _made_of(repr(sorted(sets.items())), dictionary)
    for file_path, name in sorted(_files(str(root), "")) if root.is_dir() else []:
        with open(file_path, "rb") as file:
            data = file.read()
        digest.update(f"{name} {len(data)}\n".encode() + data)
    return digest.hexdigest()


def _made_of(begin: str, dictionary: Dictionary) -> Any:
    """A hash begun with the dictionary and the code that compiles."""
    digest = hashlib.sha256(f"{software_key()} {begin}".encode())
    digest.update(repr(sorted(dictionary.items(), key=lambda entry: entry[0])).encode())
    return digest


@cache
def software_key() -> str:
    """程序的钥匙: a hash of Python's version and of the code that compiles, plans and matches."""
    digest = hashlib.sha256(sys.version.encode())
    for folder in (Path(engine.__file__).parent, Path(__file__).parent):
        for path in sorted(folder.glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _files(folder: str, under: str) -> list[tuple[str, str]]:
    """Files that a library is read of, by path and name below it; cases are none of them."""
    out: list[tuple[str, str]] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                out += _files(entry.path, f"{under}{entry.name}/")
            elif entry.name.endswith((".yaml", ".md")) and not entry.name.endswith(".test.yaml"):
                out.append((entry.path, under + entry.name))
    return out


def _read(path: Path) -> Library | None:
    data = read_entry(path)
    if data is None:
        return None
    stream = BytesIO(data)
    unpickler = pickle.Unpickler(stream)
    library: Library = unpickler.load()
    while stream.tell() < len(data):
        name, document = unpickler.load()
        library.documents[name] = document
    return library


def _write(folder: Path, name: str, library: Library) -> None:
    # A cache that can't be written is no reason to fail, nor is a note that another thread makes of what is being packed.
    with suppress(OSError, RuntimeError):
        write_entry(folder, name, _packed(library), KEPT)


def _packed(library: Library) -> bytes:
    """The library packed without what is known by the addresses of this process, and without YAML nodes: they are the
    larger part, and matching does not look at them. It may be in use meanwhile, so its documents are packed one by one:
    each holds the interpreter's lock while it lasts."""
    nothing, shared = Node(None, Place("")), replace(library.shared, bound={})

    def item(loaded: LoadedItem) -> LoadedItem:
        program = loaded.program and replace(loaded.program, bound=shared.bound)
        return replace(loaded, root=nothing, program=program)

    out = BytesIO()
    pickler = pickle.Pickler(out, pickle.HIGHEST_PROTOCOL)
    pickler.dump(replace(library, documents={}, shared=shared))
    for name, document in library.documents.items():
        pickler.dump((name, replace(document, items=[item(loaded) for loaded in document.items])))
    return out.getvalue()
