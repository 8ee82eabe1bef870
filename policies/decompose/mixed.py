"""拆分混句: a quote that states several things, as parts of which some are sure; each part is an exact piece of the quote."""

from __future__ import annotations

import re
from collections.abc import Callable

# Words that bind parts to each other: none of them then holds by itself.
_BOUND = re.compile(
    r"或|之一|任一|如|若|除|但|其中|按|可以|否则|为准|视同|视为|不受|以外|不足的|超过部分|至少|分别|累计|合计|上述|前款|该|其(?!他)|每|同一|未|不(?!低于|少于|超过|高于)|等(?=[，、]|$)"
)
_JOINTS = re.compile(r"[，；,;]|并且|且|同时(?!具备)|并(?=持续|依法|具有|具备|在|取得|从事|开展|实际)")
_HEAD = re.compile(r"的(?=[^的，。；]{2,}$)")
_LEAD = re.compile(r"^[^的，。；]{4,}?的(?=[^，。；]{3,})")


# Somebody else is spoken of: whom the applicant serves, hires or brings in.
_OF_OTHERS = re.compile(
    r"^(?:为|向|给|与|由|将|经|帮助|服务|引进|吸纳|招用|新招用|购买|销售|投资于|并购|收购|兼并)"
)


def parts_of(quote: str, sure: Callable[[str, int, bool], bool]) -> list[tuple[int, int]]:
    """拆分: (start, end) of the parts of a quote, at least one of them sure and one not; [] where it can't be cut so.

    `sure`: whether a piece at an offset of the quote fixes an expression by itself; its last argument says that the piece is cut off
    at 的, where a figure may have lost what it is the figure of.
    """
    if _BOUND.search(re.sub(r"（[^）]*）|\([^)]*\)", "", quote)):
        return []
    cuts = (
        (_at_joints(quote), False),
        (_at_subject(quote), False),
        (_at_head(quote), True),
        (_at_lead(quote), True),
    )
    for spans, at_de in cuts:
        told = [
            sure(quote[a:b], a, at_de) and not (_OF_OTHERS.match(quote[a:b]) and (at_de or b < len(quote)))
            for a, b in spans
        ]
        if len(spans) > 1 and any(told) and not all(told) and all(b - a > 2 for a, b in spans):
            return _again(quote, _joined(spans, told), sure) if not at_de else _joined(spans, told)
    return []


def _again(
    quote: str, spans: list[tuple[int, int]], sure: Callable[[str, int, bool], bool]
) -> list[tuple[int, int]]:
    """What is still asked after a cut at the joints, cut once more at 的 where that helps."""
    out: list[tuple[int, int]] = []
    for a, b in spans:
        inner: list[tuple[int, int]] = []
        if not sure(quote[a:b], a, False) and not _JOINTS.search(quote[a:b]):

            def behind(piece: str, at: int, at_de: bool, start: int = a) -> bool:
                return sure(piece, start + at, at_de)

            inner = parts_of(quote[a:b], behind)
        out += [(a + x, a + y) for x, y in inner] or [(a, b)]
    return out


def _at_joints(quote: str) -> list[tuple[int, int]]:
    depth, cuts = 0, [0]
    for i, ch in enumerate(quote):
        depth += (ch in "（(《“") - (ch in "）)》”")
        m = _JOINTS.match(quote, i) if depth == 0 else None
        if m:
            cuts += [i, m.end()]
    cuts.append(len(quote))
    return _trimmed(quote, list(zip(cuts[::2], cuts[1::2], strict=True)))


# Who must be or have something (投资机构应在本市注册); not a fund, a project or somebody the applicant engages.
_SUBJECT = re.compile(
    r"^(?!.*(?:中介|委托|会计|审计|检测|担保|合作|银行|第三方|上述|所在|出资))(?P<s>[^，。；的、]{2,16}(?:企业|公司|机构|单位))(?:应当?|必须|须|需)(?=在|具有|具备|为|是|于|已|依法)"
)


def _at_subject(quote: str) -> list[tuple[int, int]]:
    m = _SUBJECT.match(quote)
    return _trimmed(quote, [(0, m.end("s")), (m.end(), len(quote))]) if m else []


def _at_head(quote: str) -> list[tuple[int, int]]:
    m = _HEAD.search(quote)
    if m and re.search(r"的[^，。；的]{1,12}、", quote[: m.start()]):
        return []  # 取得专利的产品、列入目录的产品: the last noun is one of two
    return _trimmed(quote, [(0, m.start()), (m.end(), len(quote))]) if m else []


def _at_lead(quote: str) -> list[tuple[int, int]]:
    m = _LEAD.search(quote)
    return _trimmed(quote, [(0, m.end() - 1), (m.end(), len(quote))]) if m else []


def _trimmed(quote: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    out = []
    for a, b in spans:
        body = quote[a:b]
        a, b = a + len(body) - len(body.lstrip()), b - (len(body) - len(body.rstrip()))
        if b - a >= 2:
            out.append((a, b))
    return out


def _joined(spans: list[tuple[int, int]], told: list[bool]) -> list[tuple[int, int]]:
    """Neighbours that are both asked stay one question."""
    out: list[tuple[int, int]] = []
    for k, (a, b) in enumerate(spans):
        if out and not told[k] and not told[k - 1]:
            out[-1] = (out[-1][0], b)
        else:
            out.append((a, b))
    return out
