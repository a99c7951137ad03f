"""The page of the deployed stack in Chromium: every state that a person can meet, by mouse, by keyboard and on a phone.

It is opened at `localhost` and not at the address of the bucket, so that files come from another origin, as at AWS.
Screenshots are kept in `.local/screenshots/`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from itertools import count
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, Route, ViewportSize, expect

from local.tools import LOCAL
from tests.end_to_end.deployed_stack import DeployedStack

SCREENSHOTS = LOCAL / "screenshots"
AXE = LOCAL / "web/node_modules/axe-core/axe.min.js"
LISTEN = "window.refused = []; addEventListener('securitypolicyviolation', (e) => refused.push(e.violatedDirective))"
VIOLATIONS = "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes[0].html]))"
SCHEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
NEW_OWNERS = count()
Open = Callable[..., Page]
expect.set_options(timeout=20_000)

pytestmark = pytest.mark.emulator


@pytest.fixture
def opened(stack: DeployedStack, browser: Browser) -> Iterator[Open]:
    """Opens the page for a new owner, whose key is in the address; fails if its policy had to refuse anything."""
    pages: list[Page] = []

    def open_page(*, key: str | None = None, width: int = 1280) -> Page:
        given = key or stack.deployment.new_key(f"visitor-{next(NEW_OWNERS)}")
        page = browser.new_page(viewport=ViewportSize(width=width, height=900))
        page.add_init_script(LISTEN)
        page.set_default_timeout(20_000)
        page.goto(_address(stack) + (f"#key={given}" if given != "none" else ""))
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        assert page.evaluate("refused") == []
        page.context.close()


def test_from_an_empty_page_to_a_playing_track(stack: DeployedStack, opened: Open) -> None:
    """The wait has its reason and what is left; the track plays and seeks; its waveform is drawn."""
    stack.server.fault("slow", seconds=3)
    page = opened()
    assert "lp_" not in page.url
    page.get_by_role("button", name="slow pads over distant rain").click()
    page.get_by_text("More options").click()
    page.get_by_label("duration").fill("4")
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_text(re.compile(r"about \d+ s left"))).to_be_visible()
    expect(page.get_by_role("progressbar")).to_be_visible()
    _arrived(page)
    expect(page.get_by_role("status")).to_have_text("Your music is here.")
    expect(page.get_by_text(re.compile(r"^Today: 1 job, \$0"))).to_be_visible()
    page.locator("longplay-track .wave").wait_for()
    assert _played(page) == pytest.approx(3, abs=0.2)


def test_an_image_is_shown_with_its_prompt_as_the_text(opened: Open) -> None:
    """It has its size, its price and how long it is kept."""
    page = opened()
    page.get_by_text("Image", exact=True).click()
    _generate(page, "a city by the sea")
    image = page.get_by_role("img", name="a city by the sea")
    expect(image).to_have_js_property("naturalWidth", 512)
    expect(page.get_by_text("512 × 512")).to_be_visible()
    expect(page.get_by_text(re.compile(r"was charged\. Kept until"))).to_be_visible()


def test_by_keyboard_alone(stack: DeployedStack, opened: Open) -> None:
    """From the key to the end: no pointer is needed."""
    page = opened(key="none")
    expect(page.get_by_label("API key")).to_be_visible()
    _tab_to(page, "key")
    page.keyboard.type(stack.deployment.new_key(f"visitor-{next(NEW_OWNERS)}"))
    page.keyboard.press("Enter")
    expect(page.locator("#prompt")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("a slow walk")
    page.keyboard.press("Control+Enter")
    _arrived(page)
    _tab_to(page, None, tag="AUDIO")
    page.keyboard.press("Space")
    expect(page.locator("audio")).to_have_js_property("paused", False)


def test_a_wrong_key_is_told_in_words_for_a_visitor(opened: Open) -> None:
    """And it is not kept."""
    page = opened(key="lp_wrong_0")
    expect(page.get_by_role("alert")).to_contain_text("This key is not accepted")
    assert page.evaluate("sessionStorage.getItem('key')") is None


def test_an_equal_request_costs_nothing_and_a_canceled_one_says_so(stack: DeployedStack, opened: Open) -> None:
    """The money is said for each end."""
    page = opened()
    _generate(page, "a dance on a roof")
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_text("It cost nothing: an equal request had this result already.")).to_be_visible()
    stack.server.fault("loading", seconds=60)
    page.locator("#prompt").fill("a dance in a cellar")
    page.get_by_role("button", name="Generate").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("This was canceled.")).to_be_visible()
    expect(page.get_by_text("Nothing was charged.")).to_be_visible()


def test_a_failed_job_says_what_to_do_and_is_tried_again(stack: DeployedStack, opened: Open) -> None:
    """`Try again` makes a new job."""
    stack.server.fault("invalid")
    page = opened()
    page.locator("#prompt").fill("a song that fails")
    page.get_by_role("button", name="Generate").click()
    expect(page.locator(".chip.failed")).to_be_visible()
    stack.server.clear()
    page.get_by_role("button", name="Try again").click()
    _arrived(page)


def test_a_job_alone_used_again_copied_and_deleted(opened: Open) -> None:
    """Its address is one to keep."""
    page = opened()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    _generate(page, "it's a waltz")
    page.get_by_role("button", name="Copy as curl").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert "it'\\''s a waltz" in page.evaluate("navigator.clipboard.readText()")
    page.locator("article a").click()
    expect(page.get_by_role("link", name="All jobs")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="it's a waltz")).to_be_visible()
    page.get_by_role("button", name="Use again").click()
    expect(page.locator("#prompt")).to_have_value("it's a waltz")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename.endswith(".wav")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Nothing here yet.")).to_be_visible()


def test_another_key_shows_the_jobs_of_its_owner_alone(stack: DeployedStack, opened: Open) -> None:
    """Also where an answer to the first key is still on its way."""
    stack.server.fault("slow", seconds=4)
    page = opened()
    page.locator("#prompt").fill("a song of the first owner")
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    page.get_by_role("button", name="Forget it").click()
    page.get_by_label("API key").fill(stack.deployment.new_key(f"visitor-{next(NEW_OWNERS)}"))
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_text("Nothing here yet.")).to_be_visible()
    page.wait_for_timeout(5_000)
    expect(page.get_by_text("a song of the first owner")).to_have_count(0)


def test_an_unknown_job_is_told(opened: Open) -> None:
    """An old address leads to the reason, and to its page."""
    page = opened()
    page.evaluate("location.hash = '#/jobs/aaaaaaaaaaaaaaaaaaaaaaaaaa'")
    expect(page.get_by_role("alert")).to_contain_text("There is no such job")
    page.get_by_role("link", name="About this refusal").click()
    expect(page.get_by_role("heading", name="There is no such job")).to_be_visible()


def test_a_url_that_has_ended_is_renewed(opened: Open) -> None:
    """S3 answers 403 to it; the player asks for another one."""
    page = opened()
    ended: list[str] = []

    def refused(route: Route) -> None:
        ended.append(route.request.url)
        route.fulfill(status=403, body="Request has expired")

    page.route("**/files/**", refused, times=1)
    _generate(page, "a song with an old link")
    assert _played(page) == pytest.approx(3, abs=0.2)
    assert len(ended) == 1


def test_an_api_that_cannot_be_reached_is_told_until_it_can(stack: DeployedStack, opened: Open) -> None:
    """The job is followed all the while, and arrives."""
    stack.server.fault("slow", seconds=3)
    page = opened()
    page.locator("#prompt").fill("a song behind a tunnel")
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    page.context.set_offline(True)
    expect(page.get_by_role("alert")).to_contain_text("Longplay cannot be reached")
    page.context.set_offline(False)
    _arrived(page)
    expect(page.get_by_role("alert")).to_have_count(0)


def test_an_image_to_start_from_is_uploaded(stack: DeployedStack, opened: Open) -> None:
    """It goes to the bucket, and the model is one that takes it."""
    page = opened()
    page.get_by_text("Image", exact=True).click()
    _generate(page, "a red house")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    page.get_by_text("Video", exact=True).click()
    chosen = page.get_by_label("Start from an image")
    chosen.set_input_files({"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no image"})
    expect(page.get_by_role("alert")).to_contain_text("Choose a PNG, JPEG or WebP file.")
    image = download.value.path().read_bytes()
    chosen.set_input_files({"name": "house.png", "mimeType": "image/png", "buffer": image})
    expect(page.get_by_text("Starts from house.png.")).to_be_visible()
    stack.server.fault("loading", seconds=60)
    page.locator("#prompt").fill("the house burns")
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_role("heading", name="the house burns")).to_be_visible()
    page.get_by_text("Image", exact=True).click()
    card = page.locator("article", has=page.get_by_role("heading", name="the house burns"))
    card.get_by_role("button", name="Cancel").click()
    card.get_by_role("button", name="Use again").click()
    expect(page.get_by_text("Starts from the image of that job.")).to_be_visible()
    expect(page.locator("#prompt")).to_have_value("the house burns")


@pytest.mark.parametrize("width", [390, 1280])
def test_everyone_can_use_every_state(stack: DeployedStack, opened: Open, width: int) -> None:
    """Light and dark: no violation of axe's rules; nothing is wider than the window."""
    look = {"width": width}
    key = stack.deployment.new_key(f"visitor-{next(NEW_OWNERS)}")
    _checked(opened(key="none", **look), "key", **look)
    _checked(opened(key="lp_wrong_0", **look), "wrong key", **look)
    page = opened(key=key, **look)
    expect(page.get_by_text("Nothing here yet.")).to_be_visible()
    page.get_by_text("More options").click()
    _checked(page, "empty", **look)
    stack.server.fault("loading", seconds=30)
    page.locator("#prompt").fill("a walk in the rain")
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_text("The model is being loaded")).to_be_visible()
    _checked(page, "waiting", **look)
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".chip.canceled")).to_be_visible()
    stack.server.clear()
    stack.server.fault("invalid")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".chip.failed")).to_be_visible()
    stack.server.clear()
    _generate(page, "a walk in the sun")
    page.get_by_role("button", name="Generate").click()
    expect(page.locator(".chip", has_text="found")).to_be_visible()
    page.get_by_text("Image", exact=True).click()
    page.locator("#prompt").fill("a house in the sun")
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_role("img")).to_have_js_property("naturalWidth", 512)
    _checked(page, "ended", **look)


def _address(stack: DeployedStack) -> str:
    return stack.deployment.api_url.replace("127.0.0.1", "localhost") + "/"


def _generate(page: Page, prompt: str) -> None:
    page.locator("#prompt").fill(prompt)
    page.get_by_role("button", name="Generate").click()
    _arrived(page)


def _arrived(page: Page) -> None:
    expect(page.locator(".chip.succeeded").first).to_be_visible(timeout=30_000)


def _played(page: Page) -> float:
    """The place of the player after it has played and was set to 3 s."""
    expect(page.locator("audio")).to_have_js_property("readyState", 4)
    place: float = page.evaluate(
        """async () => {
          const audio = document.querySelector("audio");
          await audio.play();
          await new Promise((done) => audio.addEventListener("timeupdate", done, { once: true }));
          audio.currentTime = 3;
          await new Promise((done) => audio.addEventListener("seeked", done, { once: true }));
          return audio.currentTime;
        }"""
    )
    return place


def _tab_to(page: Page, name: str | None, *, tag: str = "INPUT") -> None:
    """Tab until this element has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        found = page.evaluate("[document.activeElement.tagName, document.activeElement.id]")
        if found[0] == tag and name in (None, found[1]):
            return
    raise AssertionError(f"no way to {name or tag} by keyboard")


@cache
def _axe() -> str:
    return AXE.read_text()


def _checked(page: Page, state: str, *, width: int) -> None:
    """Assert that the page can be used by everyone; keeps screenshots. The check itself sets styles."""
    SCREENSHOTS.mkdir(exist_ok=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    before = page.evaluate("refused.length")
    page.evaluate(_axe())
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # or colors are on their way to each other
        page.screenshot(path=SCREENSHOTS / f"{state.replace(' ', '-')}-{width}-{scheme}.png", full_page=True)
        violations = page.evaluate(VIOLATIONS)
        assert violations == [], (state, scheme)
    page.evaluate("(length) => { refused.length = length }", before)
