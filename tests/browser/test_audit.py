"""The look at texts itself: it finds what is wrong, and only that."""

import pytest
from playwright.sync_api import Browser

from tests.browser.desk import AUDIT

GOOD = """<body style="background:#111;color:#eee"><p>Fine</p>
<p style="width:40px;overflow:hidden;text-overflow:ellipsis;white-space:nowrap">Shortened on purpose</p>
<div style="height:20px;overflow:auto"><p>Far</p><p>down</p></div></body>"""
BAD = {
    "cut off": '<div style="width:30px;overflow:hidden;white-space:nowrap">Too long for it</div>',
    "overlap": '<p style="position:absolute;top:10px;left:10px">One</p><p style="position:absolute;top:14px;left:14px">Other</p>',
    "contrast": '<p style="color:#777;background:#999">Faint</p>',
}


def look(browser: Browser, body: str) -> list[str]:
    page = browser.new_page()
    page.set_content(body)
    found = list(page.evaluate(AUDIT)["problems"])
    page.close()
    return found


def test_it_passes_texts_that_are_fine(browser: Browser) -> None:
    assert look(browser, GOOD) == []


@pytest.mark.parametrize("kind", list(BAD))
def test_it_finds_what_is_wrong(browser: Browser, kind: str) -> None:
    [problem] = look(browser, BAD[kind])
    assert problem.startswith(kind)


def test_it_looks_into_shadow_roots(browser: Browser) -> None:
    inside = '<div><template shadowrootmode="open"><p style="color:#222;background:#000">Hidden in there</p></template></div>'
    page = browser.new_page()
    page.goto("about:blank")
    page.evaluate("(html) => document.body.setHTMLUnsafe(html)", inside)
    [problem] = page.evaluate(AUDIT)["problems"]
    page.close()
    assert problem.startswith("contrast")
