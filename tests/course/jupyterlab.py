"""A headless Chromium on a JupyterLab of the course, for the tests in it and for the pictures of the docs."""

import dataclasses
import json
import shutil
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright

from coursekit.lab.plan import LabServer

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PANEL = ".jp-NotebookPanel:not(.lm-mod-hidden)"
# To end hangs only; a quiet machine needs 5 s, and a minute.
TIMEOUT_MS = 300_000
RUNNING_MS = 1_800_000  # for a whole notebook, which trains networks
expect.set_options(timeout=TIMEOUT_MS)


def find_browser() -> str | None:
    """The executable of the first browser found on PATH."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


@contextmanager
def browser(executable: str) -> Iterator[Browser]:
    """A headless browser that talks to nobody of its own accord."""
    quiet = [
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-quic",
    ]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=executable,
            headless=True,
            args=["--no-sandbox", "--disable-gpu", "--no-first-run", *quiet],
        )
        try:
            yield started
        finally:
            started.close()


def observable(server: LabServer, home: Path) -> LabServer:
    """The same server with a home of its own, and with its application and all its cells within reach."""
    files = dict(server.files)
    path = next(path for path in files if path.name == "default_setting_overrides.json")
    wanted = {
        "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none", "scrollPastEnd": False},
        "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
    }
    files[path] = json.dumps(json.loads(files[path]) | wanted)
    homes = {"HOME": home, "USERPROFILE": home, "MPLCONFIGDIR": home / "matplotlib"}
    one_thread = {"OMP_NUM_THREADS": "1"}  # other tests run beside it, and threads that wait for each other crawl
    homes |= {f"XDG_{name}_HOME": home / name.lower() for name in ("CONFIG", "CACHE", "DATA", "STATE")}
    return dataclasses.replace(
        server,
        files=files,
        environment=server.environment | {name: str(place) for name, place in homes.items()} | one_thread,
        command=(*server.command, "--LabApp.expose_app_in_browser=True"),
    )


def context(browser: Browser, server: LabServer, outside: list[str], **options: Any) -> BrowserContext:
    """For pages of the server; the addresses of requests to anybody else are put into ``outside``."""

    def note(request: Request) -> None:
        scheme, _, rest = request.url.partition("://")
        if scheme in ("http", "https", "ws", "wss") and rest.partition("/")[0] != ours:
            outside.append(request.url)

    ours = server.url.partition("://")[2]
    made = browser.new_context(**{"viewport": {"width": 1300, "height": 1000}} | options)
    made.set_default_timeout(TIMEOUT_MS)
    made.on("request", note)
    return made


def open_notebook(page: Page, server: LabServer, path: str) -> None:
    """JupyterLab shows the notebook, and its kernel is ready."""
    page.goto(f"{server.url}/lab/tree/{path}?token={server.token}&reset")
    page.wait_for_selector("#jupyterlab-splash", state="detached")
    page.wait_for_selector(f"{PANEL} .jp-Notebook .jp-Cell")
    _evaluate(
        page,
        """async () => {
             await jupyterapp.restored;
             const { context, sessionContext } = jupyterapp.shell.currentWidget;
             await context.ready;
             await sessionContext.ready;
             await sessionContext.session.kernel.info; }""",
    )


def run_all(page: Page, *, go_on: bool = False) -> list[dict[str, Any]]:
    """Every code cell has run, or without ``go_on`` those up to the first error; all cells as JSON.

    JupyterLab's own Run All stops at an error. ``go_on`` runs cell by cell, as with Shift+Enter.
    """
    cells: list[dict[str, Any]] = _evaluate(
        page,
        """async goOn => {
             const { content, context } = jupyterapp.shell.currentWidget;
             if (!goOn) await jupyterapp.commands.execute("notebook:run-all-cells");
             else for (const [index, { model }] of content.widgets.entries()) {
               if (model.type !== "code") continue;
               content.activeCellIndex = index;
               await jupyterapp.commands.execute("notebook:run-cell");
             }
             return context.model.toJSON().cells; }""",
        go_on,
        RUNNING_MS,
    )
    page.wait_for_selector(f"{PANEL} .jp-Notebook-ExecutionIndicator[data-status=idle]")
    page.wait_for_function("() => [...document.images].every(image => image.complete)")
    return cells


def _evaluate(page: Page, function: str, argument: Any = None, timeout_ms: int = TIMEOUT_MS) -> Any:
    """What the asynchronous function returns; Playwright itself would wait for it without end."""
    late = f"new Promise((_, fail) => setTimeout(() => fail(new Error('not done in time')), {timeout_ms}))"
    return page.evaluate(f"argument => Promise.race([({function})(argument), {late}])", argument)


def cell(page: Page, cell_id: str) -> Any:
    """The locator of one cell, by its id."""
    index = page.evaluate(
        "id => jupyterapp.shell.currentWidget.content.widgets.findIndex(cell => cell.model.id === id)",
        cell_id,
    )
    assert index >= 0, f"no cell {cell_id}"
    return page.locator(f"{PANEL} .jp-Cell").nth(index)


def execute(page: Page, command: str) -> None:
    """One of JupyterLab's commands has been carried out, as from its menus."""
    _evaluate(page, "async command => { await jupyterapp.commands.execute(command); }", command)


def in_kernel(page: Page, code: str) -> str:
    """What the open notebook's kernel prints when it runs the code, which leaves no trace in the notebook."""
    printed: str = _evaluate(
        page,
        """async code => {
             const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel, said = [];
             const asked = kernel.requestExecute({ code, store_history: false, silent: false });
             asked.onIOPub = ({ content }) => said.push(content.text ?? content.evalue ?? "");
             await asked.done;
             return said.join(""); }""",
        textwrap.dedent(code),
    )
    return printed


def errors(cells: list[dict[str, Any]]) -> dict[str, str]:
    """What each cell that ended in an error said, by its id."""
    return {
        cell["id"]: f"{output['ename']}: {output['evalue']}"
        for cell in cells
        for output in cell.get("outputs", ())
        if output["output_type"] == "error"
    }
