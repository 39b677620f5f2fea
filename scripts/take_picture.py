"""Take the README's pictures of a running portal with demo data: `.venv/bin/python scripts/take_picture.py`.

Reads what `make run` printed from the environment: BASE (default http://127.0.0.1:8000) and PORTAL_DEMO_PASSWORD
(default: the password of this installation). Needs the packages of `requirements-dev.txt` and Chromium; both are
there after `make test`. Writes docs/img/portal.png (a desk) and docs/img/phone.png (a phone).
"""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Any

import machine
from PIL import Image
from playwright.sync_api import sync_playwright

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
PICTURES = machine.ROOT / "docs" / "img"
LARGEST_BYTES = 300_000


def main() -> None:
    base = os.environ.get("BASE", "http://127.0.0.1:8000")
    password = os.environ.get("PORTAL_DEMO_PASSWORD") or kept_password()
    browser_path = machine.chromium() or machine.stop("没有找到 Chromium / no Chromium found")
    with sync_playwright() as run:
        browser = run.chromium.launch(executable_path=browser_path, args=list(FLAGS))
        desk = logged_in(browser, base, "bureau-bj", password, width=1440, height=900)
        desk.goto(f"{base}/worklogs/figures/?year={date.today().year - 1}")
        desk.locator("main table tbody th a").first.click()
        # The clause and the parts behind a figure are what the portal is for: unfold the first one.
        desk.locator("details.explain summary").first.click()
        desk.wait_for_load_state("networkidle")
        take(desk, "portal.png", full_page=True)
        phone = logged_in(browser, base, "planner-bj", password, width=390, height=844)
        phone.goto(f"{base}/worklogs/new/")
        phone.wait_for_load_state("networkidle")
        take(phone, "phone.png")
        browser.close()


def kept_password() -> str:
    """The demo password that this installation made for itself."""
    folder = Path(os.environ.get("PORTAL_DATA_DIR") or machine.ROOT / "var")
    try:
        return (folder / "keys" / "demo_password").read_text().strip()
    except OSError:
        machine.stop("请先 make run，或用 PORTAL_DEMO_PASSWORD 给出示例口令 / run the portal first")


def logged_in(browser: Any, base: str, name: str, password: str, *, width: int, height: int) -> Any:
    """A page of a demo login, at home. Ends the program when the login is refused."""
    page = browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN").new_page()
    page.goto(f"{base}/accounts/login/")
    page.fill("[name=login]", name)
    page.fill("[name=password]", password)
    page.press("[name=password]", "Enter")
    page.wait_for_load_state("networkidle")
    if "/home/" not in page.url:
        machine.stop(f"{name} 登录未成功，请核对口令 / {name} could not log in")
    return page


def take(page: Any, name: str, *, full_page: bool = False) -> None:
    """Save the page with few colours, so that the picture stays small."""
    path = PICTURES / name
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=path, full_page=full_page)
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(128).save(path, optimize=True)
    size = path.stat().st_size
    machine.say(f"{path.relative_to(machine.ROOT)}：{size // 1024} KB")
    if size > LARGEST_BYTES:
        machine.stop(f"{name} 超过 {LARGEST_BYTES // 1000} KB / too large")


if __name__ == "__main__":
    main()
