"""运维文档: the configuration that docs/operations.md prints is taken by nginx and systemd as it stands."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "operations.md").read_text("utf-8")


def block(mark: str) -> str:
    """The code block whose first line holds a mark."""
    found = [b for b in re.findall(r"```\n(.*?)```", PAGE, re.S) if mark in b.splitlines()[0]]
    assert len(found) == 1, mark
    return found[0]


def need(program: str) -> str:
    """A program, or a loud skip: the page is not proven without it."""
    found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        warnings.warn(f"{program} is not here: docs/operations.md is NOT checked against it", stacklevel=2)
        pytest.skip(f"needs {program} (Debian: apt-get install {program})")
    return found


def test_nginx_takes_the_page(tmp_path: Path) -> None:
    nginx, openssl = need("nginx"), need("openssl")
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=huiqi.example",
         "-keyout", tmp_path / "huiqi.key", "-out", tmp_path / "huiqi.pem"],
        check=True, capture_output=True, timeout=600,
    )  # fmt: skip
    site = block("# nginx").replace("/etc/ssl/huiqi", str(tmp_path / "huiqi"))
    (tmp_path / "site.conf").write_text(site, "utf-8")
    inside = "".join(
        f"{w}_temp_path {tmp_path}/{w};" for w in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid; error_log stderr; events {{}} http {{ access_log off; {inside} include {tmp_path}/site.conf; }}",
        "utf-8",
    )
    done = subprocess.run(
        [nginx, "-t", "-p", tmp_path, "-c", tmp_path / "nginx.conf"],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0 and "test is successful" in done.stderr, done.stderr
    assert "[warn]" not in done.stderr.replace('the "user" directive', ""), done.stderr
    broken = tmp_path / "site.conf"
    broken.write_text(site.replace("proxy_pass", "proxy_past"), "utf-8")
    again = subprocess.run(
        [nginx, "-t", "-p", tmp_path, "-c", tmp_path / "nginx.conf"],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert again.returncode != 0, "the check finds faults"


@pytest.mark.parametrize("name", ["huiqi-desk", "huiqi-schedule"])
def test_systemd_takes_the_page(name: str, tmp_path: Path) -> None:
    analyse = need("systemd-analyze")
    unit = block(f"/etc/systemd/system/{name}.service")
    here = Path(sys.executable).with_name("huiqi")
    words = unit.replace("/opt/huiqi/bin/huiqi", str(here)).replace("User=huiqi", "User=root")
    (tmp_path / f"{name}.service").write_text(words, "utf-8")
    done = subprocess.run(
        [analyse, "verify", "--man=no", "--generators=no", tmp_path / f"{name}.service"],
        capture_output=True, text=True, timeout=600, env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
    )  # fmt: skip
    about = [line for line in done.stderr.splitlines() if name in line]
    assert done.returncode == 0 and not about, done.stderr
    assert f"ExecStart=/opt/huiqi/bin/huiqi {name.removeprefix('huiqi-')} " in unit


@pytest.mark.parametrize("name", ["huiqi-desk", "huiqi-schedule"])
def test_the_commands_of_the_services_are_there(name: str) -> None:
    from typer.main import get_command

    from jobs.cli import _register, app

    if not app.registered_commands:
        _register()
    words = re.search(r"ExecStart=\S+ (.+)", block(f"/etc/systemd/system/{name}.service"))
    assert words
    command, *options = words[1].split()
    known = {o for p in get_command(app).commands[command].params for o in p.opts}  # type: ignore[attr-defined]
    assert {o for o in options if o.startswith("--")} <= known
