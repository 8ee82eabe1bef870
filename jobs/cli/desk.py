"""工作台命令: huiqi desk · admin create · verify-audit."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path
from typing import Annotated, Any

import typer

from jobs.cli.common import SHANGHAI, clock_of, library_path, now, telling
from jobs.cli.tables import lines

HomeOption = Annotated[Path | None, typer.Option("--home", help="数据文件夹；默认 HUIQI_HOME 或 var/")]


def register(app: typer.Typer) -> None:
    """登记命令."""
    app.command("desk")(desk_command)
    app.command("verify-audit")(verify_command)
    admin = typer.Typer(no_args_is_help=True, help="人员。\n\n例：huiqi admin create lin --name 林知遥")
    admin.command("create")(create_command)
    admin.command("password")(password_command)
    admin.command("second-factor")(second_factor_command)
    admin.command("secret-key")(secret_key_command)
    app.add_typer(admin, name="admin")


def open_home(home: Path | None) -> tuple[Any, Path]:
    """打开数据: the upgraded database and the data folder."""
    from store.database import database_url, open_database, upgrade
    from store.nights import home_folder

    folder = home or home_folder()
    env = dict(os.environ)
    if home is not None and not env.get("HUIQI_DB"):
        env["HUIQI_DB"] = str(folder / "huiqi.db")
    engine = open_database(database_url(env))
    upgrade(engine)
    return engine, folder


def desk_command(
    host: Annotated[str, typer.Option("--host", help="监听地址；只给本机用就不必改")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="端口")] = 8000,
    home: HomeOption = None,
) -> None:
    """开工作台：政策办、财政、专员在浏览器里办事；/zone 公开，/my 企业。

    例：huiqi desk --host 0.0.0.0 --port 8000
    """
    import uvicorn

    from desk.app import create_app
    from desk.oidc import FIRMS, from_environment
    from desk.outward import allowed_networks
    from desk.pace import limits_of
    from jobs import logs

    with telling():
        logs.configure(os.environ)
        listening = listen(host, port)
        engine, folder = open_home(home)
        clock = clock_of(engine)
        app = create_app(
            engine, folder, clock, zone=os.environ.get("HUIQI_ZONE", ""), library=library_path(None), warm=True,
            sign_on=from_environment(os.environ), firm_sign_on=from_environment(os.environ, FIRMS), showing=clock is not now, wall=now, networks=allowed_networks(os.environ),
            limits=limits_of(os.environ),
        )  # fmt: skip
    if clock is not now:
        typer.echo(f"这是演示数据，工作台上今天是 {clock().astimezone(SHANGHAI):%Y-%m-%d}")
    proxies = os.environ.get("HUIQI_TRUSTED_PROXIES", "127.0.0.1")
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE,
            forwarded_allow_ips=proxies,
        )
    )
    with telling():
        answer(listening, port)  # from here on a browser is answered, if only once the server has started
    typer.echo(f"工作台：http://{f'[{host}]' if ':' in host else host}:{port}/desk/today　按 Ctrl+C 停")
    server.run(sockets=[listening])
    if not server.started:
        raise typer.Exit(3)


KEEP_ALIVE = (
    65  # seconds: longer than proxies and programs keep a connection, or they ask on one that is just closing
)

TAKEN = "端口 {} 已有别的程序在用；换一个，例如 --port {}"


def answer(bound: socket.socket, port: int) -> None:
    """接听: makes a bound socket listen. Raises ValueError where another program was first."""
    try:
        bound.listen(2048)
    except OSError:
        bound.close()
        raise ValueError(TAKEN.format(port, port + 1)) from None


def listen(host: str, port: int) -> socket.socket:
    """占住端口: a bound socket that doesn't listen yet. Raises ValueError where the port or the address can't be had."""
    # TCP by name: asyncio turns off the waiting for more to send (Nagle) only where it can tell; each page took 40 ms more
    found = socket.socket(
        socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP
    )
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
    except OSError as error:
        found.close()
        if error.errno == errno.EADDRINUSE:
            raise ValueError(TAKEN.format(port, port + 1)) from None
        if error.errno == errno.EACCES:
            raise ValueError(f"没有权限用端口 {port}；用 1024 以上的，例如 --port 8000") from None
        raise ValueError(f"地址 {host} 用不了；本机用 127.0.0.1，让别人连用 0.0.0.0") from None
    found.set_inheritable(True)
    return found


def create_command(
    login: Annotated[str, typer.Argument(help="登录名")],
    name: Annotated[str, typer.Option("--name", help="姓名")] = "",
    role: Annotated[list[str], typer.Option("--role", help="角色，可以写多次；第一位不写就是 管理员")] = [],  # noqa: B006
    department: Annotated[str, typer.Option("--department", help="只看这个部门的事项；不写看全部")] = "",
    password: Annotated[
        str,
        typer.Option("--password", envvar="HUIQI_PASSWORD", prompt="密码", hide_input=True, help="不写就问"),
    ] = "",
    subject: Annotated[str, typer.Option("--subject", help="统一认证里这个人的编号")] = "",
    home: HomeOption = None,
) -> None:
    """新建人员；第一位管理员也用它。密码从 HUIQI_PASSWORD 或键盘来。

    例：huiqi admin create lin --name 林知遥 --role 经办
    """
    with telling():
        from store import accounts

        engine, _folder = open_home(home)
        if not password:
            raise ValueError("密码是空的")
        if not role:
            if accounts.people(engine):
                raise ValueError(f"已经有人员了，要写明 --role：{'、'.join(accounts.ROLES)}")
            role = ["管理员"]
        made = accounts.create_person(
            engine, login, name or login, list(role), password, by="命令行", now=now(), department=department
        )
        if subject:
            accounts.set_subject(engine, login, subject, by="命令行", now=now())
    typer.echo(f"建好了：{made.login}（{made.name}，{'、'.join(made.roles)}）")


def password_command(
    login: Annotated[str, typer.Argument(help="登录名")],
    password: Annotated[
        str,
        typer.Option(
            "--password", envvar="HUIQI_PASSWORD", prompt="新密码", hide_input=True, help="不写就问"
        ),
    ] = "",
    home: HomeOption = None,
) -> None:
    """重设密码，同时结束这个人的全部会话。

    例：huiqi admin password lin
    """
    with telling():
        from store import accounts

        engine, _folder = open_home(home)
        accounts.set_password(engine, login, password, by="命令行", now=now())
    typer.echo(f"{login} 的密码改好了")


def second_factor_command(
    login: Annotated[str, typer.Argument(help="登录名；不写就列出谁有、谁还没有")] = "",
    reset: Annotated[
        bool, typer.Option("--reset", help="忘掉这个人的动态口令和恢复码，换手机或丢了手机时用")
    ] = False,
    home: HomeOption = None,
) -> None:
    """动态口令：谁启用了；给丢了手机的人重设。

    例：huiqi admin second-factor lin --reset
    """
    with telling():
        from store import accounts, second_factor

        engine, _folder = open_home(home)
        if bool(login) != reset:
            raise ValueError("重设要写登录名和 --reset，例如 huiqi admin second-factor lin --reset")
        if reset:
            person = accounts.find_person(engine, login)
            if person is None or person.id is None:
                raise ValueError(f"没有登录名“{login}”")
            accounts.revoke_sessions(engine, login, by="命令行", now=now())
            had = second_factor.drop(engine, person.id, login, by="命令行", now=now())
            typer.echo(
                f"{login} 的动态口令重设了，会话都结束了"
                if had
                else f"{login} 没有启用动态口令，会话都结束了"
            )
            return
        having = second_factor.with_factor(engine)
        lines(
            ("登录名", "角色", "动态口令"),
            ((p.login, "、".join(p.roles), "启用" if p.id in having else "没有启用")
             for p in accounts.people(engine) if "企业" not in p.roles and p.active),
        )  # fmt: skip


def secret_key_command(
    reseal: Annotated[
        bool,
        typer.Option("--reseal", help="用 HUIQI_SECRET_KEY 里的第一个密钥把动态口令和回调的密钥都重新封存"),
    ] = False,
    home: HomeOption = None,
) -> None:
    """生成一个密钥，写进 HUIQI_SECRET_KEY 或 HUIQI_SECRET_KEY_FILE 指的文件；换密钥时新的写在旧的前面，再 --reseal。

    例：huiqi admin secret-key > /etc/huiqi.key
    """
    from store import sealed, second_factor, webhooks

    if not reseal:
        typer.echo(sealed.new_key())
        return
    with telling():
        engine, _folder = open_home(home)
        factors = second_factor.reseal(engine, "命令行", now())
        hooks = webhooks.reseal(engine, "命令行", now())
        typer.echo(f"封存了 {factors} 个动态口令的密钥、{hooks} 个回调的密钥")


def verify_command(
    anchor: Annotated[str, typer.Option("--anchor", help="以前记下的“笔数:哈希”，能查出尾部被截去")] = "",
    home: HomeOption = None,
) -> None:
    """核验操作记录的哈希链；断了退出码 1。

    例：huiqi verify-audit --anchor 1203:9f2c…
    """
    from store import audit

    with telling():
        engine, _folder = open_home(home)
        count, _, digest = anchor.partition(":")
        if anchor and not (count.isdecimal() and len(digest) == 64):
            raise ValueError("--anchor 要写成 笔数:哈希（64 位）")
        report = audit.verify(engine, (int(count), digest) if anchor else None)
    for fault in report.broken:
        typer.echo(f"断：{fault}", err=True)
    typer.echo(
        f"共 {report.count} 笔，{'完整' if report.whole else '不完整'}；存档用：{report.count}:{report.head}"
    )
    if not report.whole:
        raise typer.Exit(1)
