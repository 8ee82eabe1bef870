"""架构: the house rules of docs/decisions.md, kept by reading the imports of every module."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("engine", "policies", "profiles", "store", "analysis", "jobs", "desk")
# What a room may import of the others; jobs/cli, the front door, may import every room.
MAY = {
    "engine": set(),
    "policies": {"engine"},
    "profiles": {"engine"},
    "store": {"engine", "policies", "profiles"},
    "analysis": {"engine", "policies", "profiles", "store"},
    "jobs": {"engine", "policies", "profiles", "store", "analysis"},
    "desk": {"engine", "policies", "profiles", "store", "analysis"},
}
NOUNS = ("policy", "enterprise", "match", "errors")
NUMERIC = (
    "columns",
    "evaluate",
    "benefit",
    "matching",
    "allocate",
    "claims",
    "explain",
    "truth",
    "text",
    "score",
    "kernel",
)
OWNED = {
    "jieba": ("engine/text.py",),
    "sklearn": (
        "engine/text.py",
        "engine/score.py",
        "policies/decompose",
        "profiles/identify",
        "profiles/portrait",
    ),
    "sqlmodel": ("store/",),
    "sqlalchemy": ("store/",),
    "alembic": ("store/",),
    "apscheduler": ("jobs/schedule.py",),
    "fastapi": ("desk/",),
    "starlette": ("desk/",),
}
CLOCKS = {
    ("date", "today"),
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("time", "time"),
}


def modules() -> list[Path]:
    return sorted(p for room in ROOMS for p in (ROOT / room).rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> set[str]:
    out = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            out |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            out |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level:
            package = ".".join(path.relative_to(ROOT).parts[: -node.level])
            out |= {
                f"{package}.{node.module}" if node.module else f"{package}.{alias.name}"
                for alias in node.names
            }
    return out


def tops(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(path)}


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_arrows_only_go_down(path: Path) -> None:
    name = name_of(path)
    if name.startswith("jobs/cli/"):
        return
    room = name.split("/")[0]
    wrong = (tops(path) & set(ROOMS)) - MAY[room] - {room}
    assert not wrong, f"{name} imports {wrong}"


@pytest.mark.parametrize("noun", NOUNS)
def test_nouns_import_the_standard_library_alone(noun: str) -> None:
    path = ROOT / "engine" / f"{noun}.py"
    assert tops(path) - set(sys.stdlib_module_names) - {"engine"} == set()
    inner = {n for n in imports(path) if n.startswith("engine.")}
    assert {n.split(".")[1] for n in inner} <= set(NOUNS)


@pytest.mark.parametrize("path", sorted((ROOT / "engine").glob("*.py")), ids=name_of)
def test_numbers_stay_in_the_computing_files(path: Path) -> None:
    if path.stem.split("_")[0] in NUMERIC:
        return
    assert not tops(path) & {"numpy", "pandas"}, name_of(path)


@pytest.mark.parametrize("library", OWNED)
def test_every_library_has_its_owner(library: str) -> None:
    wrong = [
        name_of(p)
        for p in modules()
        if library in tops(p) and not any(name_of(p).startswith(o) for o in OWNED[library])
    ]
    assert wrong == []


@pytest.mark.parametrize("name", ["evaluate", "benefit", "matching", "truth", "program", "kernel"])
def test_a_score_cannot_reach_a_verdict(name: str) -> None:
    """Nothing a verdict is computed by imports scores or text, not even through another module."""
    seen, queue = set(), [name]
    while queue:
        module = queue.pop()
        if module in seen:
            continue
        seen.add(module)
        path = ROOT / "engine" / f"{module}.py"
        if path.is_file():
            queue += [n.split(".")[1] for n in imports(path) if n.startswith("engine.")]
    assert not seen & {"score", "text"}


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_the_clock_is_asked_only_at_the_rim(path: Path) -> None:
    name = name_of(path)
    if name.startswith(("jobs/", "desk/")):
        return
    asked = [
        f"{node.func.value.id}.{node.func.attr}"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and (node.func.value.id, node.func.attr) in CLOCKS
    ]
    assert asked == [], name


def test_no_two_test_files_have_one_name() -> None:
    """Without packages a test file's name is its module's: two of one name stop the whole suite at its collection."""
    names = [p.name for p in (ROOT / "tests").rglob("test_*.py")]
    assert sorted({n for n in names if names.count(n) > 1}) == []
