"""接口的文档: the examples of docs/api.md run as they stand, and the description holds against generated requests."""

from __future__ import annotations

import contextlib
import io
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import world
from browsing import served
from clients import Desk

from store import credentials, review

ROOT = Path(__file__).resolve().parents[2]


def blocks(kind: str) -> list[str]:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    return re.findall(rf"```{kind}\n(.*?)```", text, re.S)


@pytest.fixture
def reached(fresh: Desk, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    secret = credentials.create_token(
        fresh.engine, "admin", "示例", ["read", "write"], by="admin", now=world.NOW
    )
    with served(fresh.app) as base:
        monkeypatch.setenv("HUIQI_URL", base)
        monkeypatch.setenv("HUIQI_TOKEN", secret)
        yield fresh


def test_the_python_example_runs(reached: Desk) -> None:
    (example,) = blocks("python")
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(example, "docs/api.md", "exec"), {})
    (made,) = review.history(reached.engine)
    assert made.kind == "问企业" and said.getvalue().split()[0] == str(made.id)


@pytest.mark.skipif(shutil.which("curl") is None, reason="NO CURL: the shell example was not run")
def test_the_curl_example_runs(reached: Desk) -> None:
    examples = blocks("sh")
    assert len(examples) == 2
    done = subprocess.run(
        ["sh", "-e", "-c", "\n".join(examples)], capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    assert '"gained":' in done.stdout
    assert '"login":"admin"' in done.stdout and review.second_limit(reached.engine) == 300_000


def test_generated_requests_find_no_fault_of_the_server(tmp_path: Path) -> None:
    pytest.importorskip("schemathesis", reason="NO SCHEMATHESIS: the API was not fuzzed")
    sys.path.insert(0, str(ROOT / "scripts"))
    from fuzz_api import fuzz

    count, answers = fuzz(tmp_path / "home", examples=3, seed=7)
    assert count > 100 and answers.get("200", 0) > 20
