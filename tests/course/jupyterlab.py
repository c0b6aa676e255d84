"""A headless Chromium on a JupyterLab of the course: what the tests in it, and the pictures for the docs, need."""

import dataclasses
import json
import shutil
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from coursekit import lab

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PANEL = ".jp-NotebookPanel:not(.lm-mod-hidden)"
TIMEOUT_MS = 60_000


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


def observable(server: lab.Server, home: Path, **settings: dict[str, Any]) -> lab.Server:
    """The same server, with a home of its own and its application and all cells within reach of the browser.

    Keyword arguments are more settings of JupyterLab, by plugin (``apputils__themes`` for
    ``@jupyterlab/apputils-extension:themes``).
    """
    files = dict(server.files)
    path = next(path for path in files if path.name == "default_setting_overrides.json")
    overrides = json.loads(files[path])
    overrides["@jupyterlab/notebook-extension:tracker"] = {"windowingMode": "none", "scrollPastEnd": False}
    overrides["@jupyterlab/docmanager-extension:plugin"] = {"autosave": False}
    for name, values in settings.items():
        extension, plugin = name.split("__")
        overrides[f"@jupyterlab/{extension}-extension:{plugin}"] = values
    files[path] = json.dumps(overrides)
    homes = {"HOME": home, "USERPROFILE": home, "MPLCONFIGDIR": home / "matplotlib"}
    homes |= {f"XDG_{name}_HOME": home / name.lower() for name in ("CONFIG", "CACHE", "DATA", "STATE")}
    return dataclasses.replace(
        server,
        files=files,
        environment=server.environment | {name: str(place) for name, place in homes.items()},
        command=(*server.command, "--LabApp.expose_app_in_browser=True"),
    )


def new_page(browser: Browser, outside: list[str], server: lab.Server, **options: Any) -> Page:
    """A page of its own; the addresses of requests to anybody but the server are put into ``outside``."""
    page = browser.new_page(**{"viewport": {"width": 1300, "height": 1000}} | options)
    page.set_default_timeout(TIMEOUT_MS)
    ours = server.url.split("://")[1]
    page.on(
        "request",
        lambda request: (
            outside.append(request.url)
            if request.url.split("://")[0] in ("http", "https", "ws", "wss")
            and request.url.split("/")[2] != ours
            else None
        ),
    )
    return page


def open_notebook(page: Page, server: lab.Server, path: str) -> None:
    """JupyterLab shows the notebook, and its kernel is ready."""
    page.goto(f"{server.url}/lab/tree/{path}?token={server.token}&reset")
    page.wait_for_selector("#jupyterlab-splash", state="detached")
    page.wait_for_selector(f"{PANEL} .jp-Notebook .jp-Cell")
    page.evaluate(
        """async () => { await jupyterapp.restored; const panel = jupyterapp.shell.currentWidget;
           await panel.context.ready; await panel.sessionContext.ready; await panel.sessionContext.session.kernel.info; }"""
    )


def run_all(page: Page, *, go_on: bool = False) -> list[dict[str, Any]]:
    """Every code cell has run, or with ``go_on=False`` those up to the first error; all cells as JSON.

    JupyterLab's own Run All stops at the first error. ``go_on`` runs cell by cell, as a student does with Shift+Enter.
    """
    cells: list[dict[str, Any]] = page.evaluate(
        """async ([goOn, limit]) => {
             const panel = jupyterapp.shell.currentWidget, notebook = panel.content;
             const work = async () => {
               if (!goOn) return jupyterapp.commands.execute("notebook:run-all-cells");
               for (let i = 0; i < notebook.widgets.length; i++) {
                 if (notebook.widgets[i].model.type !== "code") continue;
                 notebook.activeCellIndex = i;
                 await jupyterapp.commands.execute("notebook:run-cell");
               } };
             const late = new Promise((_, fail) => setTimeout(() => fail(new Error("the cells do not come to an end")), limit));
             await Promise.race([work(), late]);
             return panel.context.model.toJSON().cells; }""",
        [go_on, TIMEOUT_MS],
    )
    page.wait_for_selector(f"{PANEL} .jp-Notebook-ExecutionIndicator[data-status=idle]")
    page.wait_for_function("() => [...document.images].every(image => image.complete)")
    return cells


def cell(page: Page, cell_id: str) -> Any:
    """The locator of one cell, by its id."""
    index = page.evaluate(
        "id => jupyterapp.shell.currentWidget.content.widgets.findIndex(cell => cell.model.id === id)",
        cell_id,
    )
    assert index >= 0, f"no cell {cell_id}"
    return page.locator(f"{PANEL} .jp-Cell").nth(index)


def in_kernel(page: Page, code: str) -> str:
    """What the open notebook's kernel prints when it runs the code, which leaves no trace in the notebook."""
    printed: str = page.evaluate(
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
