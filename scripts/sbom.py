"""Write the bill of materials (CycloneDX 1.6) of what is installed: python scripts/sbom.py [--out FILE].

Read from the metadata of the installed packages alone, so it needs no network: every package that the project needs at run
time, directly or through another, with version, licence, address in the index (purl), the SHA-256 of its own list of files
(RECORD), and who needs whom. The same installation gives the same file, byte for byte.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import uuid
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

PROJECT = "huiqi"


def canonical(name: str) -> str:
    """规范的包名 (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def needed(found: Distribution, extras: frozenset[str] = frozenset()) -> set[tuple[str, frozenset[str]]]:
    """直接需要的包 here, with their extras; markers of other systems and of extras not asked for are left out."""
    out = set()
    for text in found.requires or []:
        asked = Requirement(text)
        marks = [{"extra": e} for e in extras] or [{"extra": ""}]
        if asked.marker is None or any(asked.marker.evaluate(m) for m in marks):
            out.add((canonical(asked.name), frozenset(asked.extras)))
    return out


def closure(name: str) -> dict[str, set[str]]:
    """全部依赖: who needs whom, from the project down. Raises PackageNotFoundError where one is not installed."""
    graph: dict[str, set[str]] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting: list[tuple[str, frozenset[str]]] = [(canonical(name), frozenset())]
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        direct = needed(distribution(one[0]), one[1])
        graph.setdefault(one[0], set()).update(n for n, _ in direct)
        waiting += direct
    return graph


def component(name: str) -> dict[str, Any]:
    """一个部件 of the bill."""
    found = distribution(name)
    about = found.metadata
    made: dict[str, Any] = {
        "type": "library", "bom-ref": f"pkg:pypi/{name}@{found.version}", "name": about["Name"], "version": found.version,
        "purl": f"pkg:pypi/{name}@{found.version}", "licenses": licences(found),
    }  # fmt: skip
    record = found.read_text("RECORD")
    if record:
        made["hashes"] = [{"alg": "SHA-256", "content": hashlib.sha256(record.encode()).hexdigest()}]
        made["properties"] = [{"name": "hash-of", "value": "RECORD, which holds the SHA-256 of each file"}]
    return made


def licences(found: Distribution) -> list[dict[str, Any]]:
    """许可: the expression, else the classifiers, else the words of the package."""
    about = found.metadata
    if about.get("License-Expression"):
        return [{"expression": about["License-Expression"]}]
    named = [c.rpartition(" :: ")[2] for c in about.get_all("Classifier") or [] if c.startswith("License ::")]
    words = named or [(about.get("License") or "").strip().split("\n")[0][:80] or "not said"]
    return [{"license": {"name": w}} for w in words]


def bill(name: str = PROJECT) -> dict[str, Any]:
    """物料清单 of the project as it is installed."""
    graph = closure(name)
    others = sorted(n for n in graph if n != canonical(name))
    refs = {n: f"pkg:pypi/{n}@{distribution(n).version}" for n in graph}
    content = {
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "metadata": {"component": {**component(canonical(name)), "type": "application"}},
        "components": [component(n) for n in others],
        "dependencies": [{"ref": refs[n], "dependsOn": sorted(refs[d] for d in graph[n])} for n in sorted(graph)],
    }  # fmt: skip
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return {**content, "serialNumber": f"urn:uuid:{uuid.UUID(digest[:32])}"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("var/sbom.cdx.json"))
    given = parser.parse_args()
    try:
        made = bill()
    except PackageNotFoundError as missing:
        sys.exit(f"{missing.name} is not installed: run `make setup` first")
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"{given.out}: {len(made['components'])} components")


if __name__ == "__main__":
    main()
