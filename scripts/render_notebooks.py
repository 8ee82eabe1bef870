"""成页: run every notebook on a sample night and write HTML.

python scripts/render_notebooks.py [--home DIR] [--out DIR] [--firms N]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from analysis.percent import render  # noqa: E402


def main() -> None:
    """命令行入口."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, default=ROOT / "var" / "notebooks")
    parser.add_argument("--out", type=Path, default=ROOT / "var" / "notebooks" / "html")
    parser.add_argument("--firms", type=int, default=300)
    args = parser.parse_args()
    os.environ["HUIQI_HOME"] = str(args.home)
    command = "from jobs.cli import main; main()"
    subprocess.run(
        [sys.executable, "-c", command, "demo", "--no-push", "--firms", str(args.firms)],
        check=True,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    args.out.mkdir(parents=True, exist_ok=True)
    for path in sorted((ROOT / "notebooks").glob("*.py")):
        target = args.out / f"{path.stem}.html"
        target.write_text(render(path), encoding="utf-8")
        print(target)


if __name__ == "__main__":
    main()
