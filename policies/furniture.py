"""页面杂项: lines that a web page or a file-sharing site puts around a text (where one is, source, counters, sharing), no part of it."""

from __future__ import annotations

import re
from functools import lru_cache

# 来源：…, 浏览次数：…: what a site tells of a page.
_TOLD = re.compile(
    r"[【\[（(]?(?:(?:信息|文章|稿件|新闻)?来源|作者|编辑|责编|责任编辑|供稿|撰稿|(?:发布|更新|录入|成文|公开|刊登|上传|公布)(?:时间|日期)|"
    r"(?:浏览|阅读|点击|访问)(?:次数|量|数)?|字[号体](?:大小)?|索引号|主题(?:分类|词)|统一编号|文件状态|上传人|文档编号|"
    r"您?现?在?的?当前(?:所在)?(?:的)?位置|您现在的位置|今天是)\s*[：:|【]|时间[：:]\d{4}[-/.年]\d(?![^来]*[至到起前止—~～])"
)
_WHERE = re.compile(
    r"您?的?当前(?:所在)?的?位置|^首页[>＞»|/-]|(?:^|[>＞»])[^>＞»《》。；]{2,24}[>＞»]{1,2}[^>＞»《》。；]{2,24}[>＞»]"
)
# 打印 关闭, 上一篇, 相关阅读: what one may press.
_PRESSED = re.compile(
    r"(?:打印(?:本页)?|关闭(?:窗口|本页)?|分享(?:到|至)?|收藏|下载|举报|复制|返回(?:顶部|首页|列表)?|[上下]一[篇页条]|大|中|小|字体|更多|顶部|微信|微博|保存|"
    r"(?:点击)?查看(?:更多|全文|原文)|(?:展开|阅读)(?:全文|原文)|相关(?:附件|文章|阅读|推荐|链接|新闻|经验|资讯)?(?:推荐)?|推荐阅读|扫一扫.{0,16}|合集下载|文章插图|资源描述|"
    r"无标题文档|详情(?:如下|见下)?|(?:原文|全文)(?:如下)?|切换[^，。]{1,4}|附件下载|此页无正文)"
)
_FILES = re.compile(r"\.(?:png|jpe?g|gif|bmp)$|\.(?:docx?|pdf|xlsx?|wps)_第\d+页$|^第\d+页[/共]")
_OWNERS = re.compile(
    r"来自(?:网络|互联网)|不代表本[站网]|版权(?:所有|归)|免责声明|转载请|在线阅读|^欢迎(?:您)?(?:来到|光临|访问)|ICP备|会员分享|备案号[：:]"
)
_LONGEST, _SHORT = 120, 30


@lru_cache(maxsize=8192)
def is_furniture(line: str) -> bool:
    """页面杂项: whether a line belongs to the page and not to its text."""
    text = re.sub(r"\s+", "", line).strip("|｜·•")
    if not text or len(text) > _LONGEST:
        return False
    if len(text) <= _SHORT and _presses_only(text):
        return True
    return bool(_TOLD.match(text) or _WHERE.search(text) or _FILES.search(text) or _OWNERS.search(text))


def _presses_only(text: str) -> bool:
    left, pressed = _PRESSED.subn("", text)
    return bool(pressed) and not re.sub(r"[|｜/\[\]【】（）()：:>＞»、,，]", "", left)
