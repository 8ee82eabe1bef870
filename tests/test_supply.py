"""物料清单与依赖审计: the bill names everything needed at run time as pinned, and an audit that was not made is not taken for a clean one."""

from __future__ import annotations

import json
import os
import re
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from scripts import audit, sbom

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def made():
    try:
        return sbom.bill()
    except sbom.PackageNotFoundError as missing:
        if os.environ.get("CI"):
            raise  # there the tree is set up whole, and a part that is missing is a fault
        pytest.skip(f"{missing.name} is not installed: this tree was not set up by `make setup`")


def test_the_bill_names_every_run_time_dependency_as_pinned(made) -> None:
    pinned = {}
    for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines():
        name, _, number = line.partition("==")
        pinned[sbom.canonical(name)] = number
    listed = {c["purl"].split("/")[1].split("@")[0]: c["version"] for c in made["components"]}
    direct = {n for n, _ in sbom.needed(sbom.distribution("huiqi"))}
    assert direct <= set(listed) and len(listed) > len(direct)
    assert {n: v for n, v in listed.items() if pinned.get(n) != v} == {}, (
        "installed otherwise than pinned, or not pinned"
    )
    assert "pytest" not in listed and "hypothesis" not in listed


def test_the_bill_is_whole_and_the_same_each_time(made) -> None:
    assert made == sbom.bill()
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.6")
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", made["serialNumber"])
    refs = {c["bom-ref"] for c in made["components"]} | {made["metadata"]["component"]["bom-ref"]}
    assert len(refs) == len(made["components"]) + 1
    assert {d["ref"] for d in made["dependencies"]} == refs
    assert all(set(d["dependsOn"]) <= refs for d in made["dependencies"])
    assert all(c["licenses"] and len(c["hashes"][0]["content"]) == 64 for c in made["components"])
    assert version("pandas") in json.dumps(made)


def stand_in(folder: Path, body: str) -> list[str]:
    path = folder / "tool.py"
    path.write_text(f"import sys\n{body}\n", encoding="utf-8")
    return [sys.executable, str(path)]


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ("print('No known vulnerabilities found')", 0, "No known"),
        ("print('Found 2 known vulnerabilities in 1 package'); sys.exit(1)", 1, "Found 2"),
        ("sys.exit('ConnectionError: Max retries exceeded')", 3, "NOT AUDITED"),
        ("sys.exit(0)", 3, "NOT AUDITED"),
        ("print('x Dependency not found on PyPI and could not be audited: x (1)'); print('No known vulnerabilities found')", 3, "1 dependencies are unknown"),
        ("print('x could not be audited: x (1)'); print('Found 1 known vulnerability in 1 package'); sys.exit(1)", 1, "Found 1"),
        ("print('No known vulnerabilities found') if sys.argv[-1] == 'osv' else sys.exit('404')", 0, "pypi: could not be reached"),
    ],
)  # fmt: skip
def test_only_an_answer_counts_as_one(tmp_path: Path, capsys, body: str, code: int, said: str) -> None:
    assert audit.main(stand_in(tmp_path, body)) == code
    assert said in capsys.readouterr().out
