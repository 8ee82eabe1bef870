"""推送、兑现、就绪度命令: huiqi push · pushes · fulfil · readiness · schedule."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """登记命令."""
    from jobs.cli import grants_fulfil, grants_money, grants_push, grants_see

    grants_push.register(app)
    grants_fulfil.register(app)
    grants_money.register(app)
    assert grants_see  # its commands register themselves with fulfil
