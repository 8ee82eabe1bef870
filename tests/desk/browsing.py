"""A desk served on loopback and a real browser before it, with Chinese type, watched for what must not happen."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import socket
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from world import PASSWORD

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="NO BROWSER: chromium is not installed, nobody's day was played"
)


@contextlib.contextmanager
def served(app: Any) -> Iterator[str]:
    """The application on a free port of loopback, for as long as the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        for _ in range(1200):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1).close()
                break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(60)


FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{folder}</dir><dir>/usr/share/fonts</dir><cachedir>{cache}</cachedir></fontconfig>
"""


@contextlib.contextmanager
def browser() -> Iterator[Any]:
    """Chromium, with the Chinese fonts that the PDFs use where the machine has none of its own."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory(prefix="huiqi-fonts-") as folder, sync_playwright() as playwright:
        env: dict[str, str | float | bool] = dict(os.environ)
        spec = importlib.util.find_spec("pylopdf_fonts_zh_cn")
        if spec is not None and spec.origin is not None and "FONTCONFIG_FILE" not in env:
            conf = Path(folder) / "fonts.conf"
            conf.write_text(FONTS.format(folder=Path(spec.origin).parent, cache=folder), encoding="utf-8")
            env["FONTCONFIG_FILE"] = str(conf)
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"], env=env)
        try:
            yield opened
        finally:
            opened.close()


class Watch:
    """What must not happen while somebody works: console errors, faults of script, requests to other hosts."""

    def __init__(self, page: Any, host: str):
        self.faults: list[str] = []
        page.on("console", lambda m: self.faults.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: self.faults.append(str(e)))
        page.on("request", lambda r: self.check(r.url, host))

    def check(self, address: str, host: str) -> None:
        if urlsplit(address).netloc != host and not address.startswith("data:"):
            self.faults.append(f"asked of another host: {address}")


def focused(page: Any, target: str) -> None:
    """Wait until an element that matches has the focus: pages and forms give it a moment after they show."""
    page.wait_for_function("css => document.activeElement && document.activeElement.matches(css)", arg=target)


@contextlib.contextmanager
def leads(page: Any) -> Iterator[None]:
    """What is done in the block leads to another page, which is there when the block ends.

    A page that was loaded stays "loaded" until the next one begins, so waiting for that state would wait for nothing.
    """
    with page.expect_navigation(wait_until="load"):
        yield


def enter(page: Any, base: str, login: str) -> None:
    """Log in by keys."""
    page.goto(f"{base}/desk/login")
    page.fill("#login", login)
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/today")


def too_wide(page: Any) -> int:
    """Pixels by which the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def serious_faults(page: Any) -> list[str]:
    """What axe-core calls serious or critical on the page, with the elements."""
    from axe_playwright_python.sync_playwright import Axe

    options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{v['id']} ({v['impact']}): {node['html'][:140]} — {node['failureSummary'].splitlines()[-1].strip()[:160]}"
        for v in found
        if v["impact"] in ("serious", "critical")
        for node in v["nodes"][:4]
    ]
