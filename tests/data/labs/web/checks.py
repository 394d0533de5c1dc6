"""Ask the server for its page."""

from typing import Any

from lpiclab.checks import expect, task


@task("page")
def test_page(web_client: Any, parameters: Any) -> None:
    """The page holds the secret."""
    page = web_client.run(f"curl -s http://{parameters.server}/").stdout.strip()
    expect(page, parameters.secret, why="empty", bytes=len(page))


@task("boot")
def test_service_is_enabled(web: Any) -> None:
    """The service starts with the machine."""
    expect(web.run("systemctl is-enabled named").stdout.strip(), "enabled", why="disabled")
