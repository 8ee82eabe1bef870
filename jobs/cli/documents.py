"""文件命令: huiqi decompose · items."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from jobs.cli.common import telling


def register(app: typer.Typer) -> None:
    """登记命令."""
    app.command("decompose")(decompose_command)


def decompose_command(
    file: Annotated[Path, typer.Argument(help="政策文件 .docx .pdf .html .txt .md")],
    as_json: Annotated[bool, typer.Option("--json", help="写成 JSON")] = False,
) -> None:
    """拆解一份政策文件：条款角色、事项、条件、奖补标准，逐条带原文。

    例：huiqi decompose 若干措施.docx --json
    """
    with telling():
        from policies.decompose.pipeline import decompose
        from policies.read import read_document

        answer = decompose(read_document(file)).as_json()
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False, indent=1))
        return
    for item in answer["items"]:
        typer.echo(f"{item['id']}. {item['title']}")
        for b in item["benefits"]:
            typer.echo(f"   奖补  {b['quote']}")
        for c in item["conditions"]:
            typer.echo(f"   条件  {c['quote']}")
