"""Ask the advisory services about every pinned dependency: python scripts/audit.py. Exit 0 none known, 1 some, 3 not asked.

Runs pip-audit over constraints.txt in an environment of its own (it is no dependency of ours). Where no advisory service
can be reached it says so in one line and ends with 3, so that silence is never taken for a clean answer.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLACE = ROOT / ".venv-audit"
SERVICES = ("pypi", "osv")
AWAY = re.compile(r"ConnectionError|Max retries|Name or service|ServiceError|ConnectTimeout|ReadTimeout|Connection refused|404|403|50\d", re.I)  # fmt: skip


def tool() -> Path:
    """pip-audit, installed beside the project's own environment."""
    found = PLACE / "bin" / "pip-audit"
    if not found.exists():
        subprocess.run([sys.executable, "-m", "venv", str(PLACE)], check=True)
        install = [
            str(PLACE / "bin" / "pip"),
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "pip-audit",
        ]
        subprocess.run(install, check=True)
    return found


def ask(command: list[str], service: str) -> tuple[int, str]:
    """问一个服务: 0 none known, 1 some, 3 it could not be asked; and its words."""
    ran = subprocess.run(
        [*command, "--vulnerability-service", service], capture_output=True, text=True, check=False
    )
    words = ran.stdout + ran.stderr
    if (skipped := words.count("could not be audited")) and "known vulnerabilit" in words:
        words += f"\n{skipped} dependencies are unknown to this service"
        # What was found stands; that nothing was found in the rest is no answer about those that were not looked at.
        return (1 if re.search(r"Found \d+ known vulnerabilit", words) else 3), words
    if ran.returncode == 0 and "No known vulnerabilities found" in words:
        return 0, words
    if re.search(r"Found \d+ known vulnerabilit", words):
        return 1, words
    return 3, words


def main(command: list[str] | None = None) -> int:
    """每个服务问一遍, until one answers."""
    if command is None:
        try:
            asked = [
                str(tool()),
                "-r",
                str(ROOT / "constraints.txt"),
                "--no-deps",
                "--disable-pip",
                "--progress-spinner",
                "off",
            ]
        except (subprocess.CalledProcessError, OSError):
            print("NOT AUDITED: pip-audit could not be installed here")
            return 3
    else:
        asked = command
    for service in SERVICES:
        code, words = ask(asked, service)
        if code != 3:
            print(words)
            return code
        last = (words.strip().splitlines() or ["no words"])[-1]
        print(
            f"{service}: {'could not be reached' if AWAY.search(words) else 'gave no answer'}: {last[:200]}"
        )
    print("NOT AUDITED: no advisory service answered; run `make audit` on a machine with a network")
    return 3


if __name__ == "__main__":
    sys.exit(main())
