"""导入被杀: an import killed in the middle has left nothing, leaves no process behind, and is simply run again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from files import DICTIONARY, MARCH, REGISTER, code, numbers

from profiles import reading
from store.database import open_database
from store.firms import firm_codes
from store.imports import import_file
from tests.databases import database_in, new_database

# Kills itself at the second chunk, when the first is written but not committed.
PROGRAM = """
import os, signal, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from files import DICTIONARY, MARCH, REGISTER
from profiles import reading
from store.database import open_database
from store.imports import import_file

if __name__ == "__main__":
    reading.LONG = 0
    told = []
    def progress(done, rows):
        told.append(rows)
        if len(told) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
    import_file(open_database({url!r}), Path({path!r}), REGISTER, dictionary=DICTIONARY, arrived_at=MARCH,
                progress=progress, ahead={ahead})
"""


def still_there(mark: str) -> list[int]:
    """Processes that were started with the mark in their environment."""
    found = []
    for entry in Path("/proc").iterdir() if Path("/proc").is_dir() else ():
        if entry.name.isdigit():
            try:
                inside = f"HUIQI_TEST_MARK={mark}".encode() in (entry / "environ").read_bytes()
                state = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if inside and state[0] != "Z":
                found.append(int(entry.name))
    return found


@pytest.mark.parametrize("ahead", [False, True])
def test_an_import_killed_in_the_middle_has_left_nothing(tmp_path, database, ahead):
    new_database(tmp_path).dispose()
    data = tmp_path / "登记.csv"
    count = 2 * reading.CHUNK + 5
    lines = [f"{code(n)},企业{n},{n},存续\n" for n in range(1, count + 1)]
    data.write_text("代码,名称,资本,状态\n" + "".join(lines), "utf-8")
    url = database_in(tmp_path)
    program = tmp_path / "run.py"
    tests = str(Path(__file__).parent)
    program.write_text(PROGRAM.format(tests=tests, url=url, path=str(data), ahead=ahead), "utf-8")
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "HUIQI_TEST_MARK": str(tmp_path)}
    process = subprocess.Popen([sys.executable, str(program)], env=env)
    assert process.wait(600) == -signal.SIGKILL
    until = time.monotonic() + 120
    while still_there(str(tmp_path)) and time.monotonic() < until:
        time.sleep(0.1)
    assert still_there(str(tmp_path)) == []
    engine = open_database(url)
    try:
        assert firm_codes(engine) == []
        again = import_file(engine, data, REGISTER, dictionary=DICTIONARY, arrived_at=MARCH)
        assert numbers(again) == (count, count, 0, 0, 0, 0)
        assert len(firm_codes(engine)) == count
    finally:
        engine.dispose()
