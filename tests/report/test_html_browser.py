"""The page in a browser: accessible in every mode, silent, offline, and doing what it should."""

import pytest

from tests.report_kit import built

pytestmark = pytest.mark.browser

COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"], "resultTypes": ["violations"]}


@pytest.fixture(params=[1440, 390])
def width(request):
    return request.param


@pytest.fixture
def opened(browser):
    """Open the page as a browser of these options does."""
    contexts = []

    def opened(**options):
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.said, page.asked = [], []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto((built() / "report.html").as_uri())
        return page

    yield opened
    for context in contexts:
        for page in context.pages:
            assert page.said == []
            assert set(page.asked) == {page.asked[0]}
        context.close()


@pytest.fixture
def page(opened, width):
    return opened(viewport={"width": width, "height": 900}, locale="zh-CN")


def choose(page, group, value):
    page.check(f"#{group}-{value}", force=True)


def heads(page):
    """The languages in sight."""
    return [lang for lang in ("zh", "en") if page.locator(f".col.{lang} h1").is_visible()]


def test_axe_finds_nothing(page, width):
    """Everything in sight, with a card open; in both languages, and in both colours."""
    from axe_playwright_python.sync_playwright import Axe

    page.add_style_tag(content=".row { content-visibility: visible !important }")
    page.evaluate(
        "document.querySelectorAll('details:not(.card), .card:first-child').forEach("
        "each => { each.open = true; })"
    )
    choose(page, "mode", "en" if width == 1440 else "both")
    page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done, 500)))")
    for theme, options in (("light", {"resultTypes": ["violations"]}), ("dark", COLOURS)):
        choose(page, "theme", theme)
        found = Axe().run(page, options=options).response["violations"]
        shown = [(item["id"], [node["html"][:200] for node in item["nodes"][:3]]) for item in found]
        assert not shown, theme


def test_it_is_light(page):
    """Elements, and what a change of language costs."""
    assert page.evaluate("document.querySelectorAll('*').length") < 20_000
    metrics = page.context.new_cdp_session(page)
    metrics.send("Performance.enable")

    def spent():
        found = metrics.send("Performance.getMetrics")["metrics"]
        return next(item["value"] for item in found if item["name"] == "TaskDuration")

    before = spent()
    choose(page, "mode", "en")
    page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done, 100)))")
    assert spent() - before < 0.5  # seconds of the processor


def test_the_place_is_kept_when_the_language_changes(page):
    page.goto(page.url + "#zh-fig-depth")
    for mode in ("en", "both", "zh"):
        before = tops(page, "fig-depth")
        box = page.locator(f"label:has(#mode-{mode})").bounding_box()
        page.mouse.click(box["x"] + 9, box["y"] + 9)
        after = tops(page, "fig-depth")
        assert min(abs(one - other) for one in before for other in after) < 3, mode


def tops(page, name):
    return page.evaluate(
        "name => [...document.querySelectorAll(`#zh-${name}, #en-${name}`)].filter("
        "each => each.getClientRects().length).map(each => each.getBoundingClientRect().top)",
        name,
    )


def test_languages_of_which_none_is_wider_than_the_screen(page, width):
    for mode, shown in (("zh", ["zh"]), ("en", ["en"]), ("both", ["zh", "en"])):
        choose(page, "mode", mode)
        assert heads(page) == shown
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if mode == "en":
            assert page.evaluate("document.documentElement.lang") == "en"
    page.reload()
    assert heads(page) == ["zh", "en"]


def test_side_by_side_keeps_sections_level(page, width):
    choose(page, "mode", "both")
    tops = page.evaluate(
        "[...document.querySelectorAll('.row')].map(row => [...row.children].map("
        "col => col.querySelector('h2, h3')?.getBoundingClientRect().top))"
    )
    for zh, en in tops[1:]:
        if width > 960 and zh is not None:
            assert abs(zh - en) < 3


def test_a_link_into_the_hidden_language_leads_to_its_counterpart(page):
    page.goto(page.url + "#en-fig-depth")
    shown = page.locator("#zh-fig-depth")
    assert shown.is_visible() and abs(shown.bounding_box()["y"]) < 900


def test_dark_and_light(page):
    def paper():
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    choose(page, "theme", "dark")
    dark = paper()
    choose(page, "theme", "light")
    assert paper() != dark
    choose(page, "theme", "auto")
    page.emulate_media(color_scheme="dark")
    assert paper() == dark


def test_a_number_says_where_it_comes_from(page, width):
    link = page.locator(".col.zh .finding a.n").first
    link.scroll_into_view_if_needed()
    link.focus()
    tip = page.locator("#tip")
    assert tip.is_visible()
    sources = page.evaluate("JSON.parse(document.getElementById('sources').textContent)")
    source = sources[int(link.get_attribute("data-source"))].split("; ")[0]
    network, _, field = source.partition(".s")
    assert source in tip.inner_text()
    assert link.get_attribute("aria-describedby") == "tip"
    page.keyboard.press("Escape")
    assert not tip.is_visible()
    if width > 960:
        link.hover()
        assert tip.is_visible()
        link.click()
        assert page.url.endswith(f"#zh-run-{network}")
        card = page.locator(f"[id='zh-run-{network}']")
        assert card.locator("table").is_visible()  # built now
        if field.endswith("test.accuracy"):  # the tip says what the card says
            link.focus()
            assert card.locator(".num").nth(7).inner_text() in tip.inner_text()


def test_a_reference_shows_what_it_leads_to(page):
    page.locator(".col.zh a.ref[href='#zh-fig-accuracy']").first.focus()
    assert page.locator("#tip svg").is_visible()
    page.locator(".col.zh a.cite").first.focus()
    assert "[" in page.locator("#tip").inner_text()


def test_everything_can_be_reached_by_keyboard(page):
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    number = page.locator(".col.zh .finding a.n").first
    assert number.evaluate("each => each.tabIndex") == -1  # there are hundreds
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "tab-numbers"
    page.keyboard.press("Enter")
    assert number.evaluate("each => each.tabIndex") == 0
    page.keyboard.press("Tab")
    if page.locator(".up").is_visible():
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "mode-zh"
    page.keyboard.press("ArrowRight")
    assert "en" in heads(page)


def test_it_reads_without_scripts(opened, width):
    page = opened(viewport={"width": width, "height": 900}, java_script_enabled=False)
    assert heads(page) == ["zh"]
    page.locator("label", has=page.locator("#mode-en")).click()
    assert heads(page) == ["en"]


@pytest.mark.parametrize(
    ("locale", "lang"), [("zh-TW", "zh-Hans"), ("en-GB", "en"), ("de-DE", "en")]
)
def test_it_opens_in_the_language_of_the_browser(opened, locale, lang):
    """Until the reader chooses one."""
    page = opened(locale=locale)
    assert page.evaluate("document.documentElement.lang") == lang
    choose(page, "mode", "zh" if lang == "en" else "en")
    page.reload()
    assert page.evaluate("document.documentElement.lang") != lang
