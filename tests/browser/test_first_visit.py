"""The first visit of a fresh server, which may be a link to any page."""

import pytest


@pytest.mark.slow
def test_a_link_to_a_page_opens_the_whole_app_on_a_server_that_nobody_has_visited(fresh_lab, browser) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"{fresh_lab.url}/networks")
    page.wait_for_selector(".player[data-signature]")
    assert page.title() == "AdamQLR Lab"
    # Streamlit's own list of the folder's files would stand in the sidebar, and the page would be narrow.
    assert page.get_by_test_id("stSidebarNav").count() == 0
    assert page.get_by_role("link", name="Rosenbrock lab").is_visible()
    assert page.locator(".player").bounding_box()["width"] > 900
    page.close()
