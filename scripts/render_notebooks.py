"""成页: run notebooks on a data folder's night and write HTML; without a night there it makes a sample of its own.

python scripts/render_notebooks.py [--home DIR] [--out DIR] [--firms N] [调规则 …]
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
    parser.add_argument("names", nargs="*", help="part of a notebook's name; without any, all of them")
    args = parser.parse_args()
    chosen = [
        path
        for path in sorted((ROOT / "notebooks").glob("*.py"))
        if not args.names or any(name in path.stem for name in args.names)
    ]
    if not chosen:
        names = "、".join(p.stem for p in sorted((ROOT / "notebooks").glob("*.py")))
        parser.error(f"没有这样的一份；有 {names}")
    os.environ["HUIQI_HOME"] = str(args.home)
    command = "from jobs.cli import main; main()"
    if not (args.home / "nights").is_dir():
        subprocess.run(
            [sys.executable, "-c", command, "demo", "--no-push", "--firms", str(args.firms)],
            check=True,
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )
    args.out.mkdir(parents=True, exist_ok=True)
    for path in chosen:
        target = args.out / f"{path.stem}.html"
        target.write_text(render(path), encoding="utf-8")
        print(target)


if __name__ == "__main__":
    main()
