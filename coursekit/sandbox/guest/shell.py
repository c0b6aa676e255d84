"""The shell of a child: runs the cells of one submission and publishes their outputs, as a real kernel would.

The fork server calls ``make_shell``, which imports everything and runs warm-up cells; the child calls ``attach``.
"""

import asyncio
import builtins
import getpass
import importlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from traitlets.config import Config

from .interactive import ZMQInteractiveShell, forget_last_error, no_getpass, no_input
from .streams import NAMES, OutputPublisher, OutStream

BACKEND = "module://matplotlib_inline.backend_inline"
_WARM_UP = (
    "import matplotlib.pyplot as plt\nimport numpy as np\n\ndef f(x):\n    return 1 / x\n\nplt.plot([0, 1]);",
    "%matplotlib inline\n%timeit -n 1 -r 1 f(2)\nnp.ones((2, 3))",
    "f(0)",
    "f(",
    "import asyncio\nawait asyncio.sleep(0)\nprint(display('x'))",
)


class Shell:
    """One IPython shell. Build it with ``make_shell``."""

    def __init__(self, ip: ZMQInteractiveShell) -> None:
        self._ip = ip
        self._snapshots: dict[str, dict[str, Any]] = {}
        self._pid = os.getpid()

    @property
    def namespace(self) -> dict[str, Any]:
        """The variables of the notebook."""
        namespace: dict[str, Any] = self._ip.user_ns
        return namespace

    def take_snapshot(self, name: str) -> None:
        """Store a shallow copy of the variables under ``name``."""
        self._snapshots[name] = dict(self.namespace)

    def restore(self, name: str) -> None:
        """Restore the variables of the snapshot ``name``. Raises KeyError if there is none."""
        kept = self._snapshots[name]
        self.namespace.clear()
        self.namespace.update(kept)

    def attach(self, send: Callable[[dict[str, Any]], None], folder: str) -> None:
        """Attach the shell to this process: outputs go to ``send``, and ``folder`` holds the captured streams."""
        self._pid = os.getpid()
        ignore_sigint()
        discard_fd = os.dup(1)
        self._publish_to(OutputPublisher(send, folder), discard_fd)
        self._new_loop()
        vars(builtins)["input"] = no_input
        getpass.getpass = no_getpass
        sys.breakpointhook = _ignore  # a kernel ignores a breakpoint that was left in a notebook
        self.namespace["_dh"][:] = [str(Path.cwd())]
        sys.argv = ["ipykernel_launcher.py"]
        if "" not in sys.path:
            sys.path.insert(0, "")  # as in a kernel: a cell may write a module and import it

    def run(self, source: str, store_history: bool) -> dict[str, Any]:
        """Run a cell. Its outputs are published meanwhile; returns how it ended."""
        ip = self._ip
        ip.exits = ip.failed_to_show = False
        ip.forget_transformed()
        self._publisher.open()
        try:
            ended_well = self._run_to_the_end(source, store_history)
        finally:
            ignore_sigint()
            if os.getpid() != self._pid:  # a process that the student's code forked has reached the end of the cell
                os._exit(0)
            self._publisher.flush()
            self._publisher.close()
        status = "ok" if ended_well and not ip.failed_to_show else "error"
        return {"status": status, "execution_count": ip.execution_count - 1, "exit": ip.exits}

    def _run_to_the_end(self, source: str, store_history: bool) -> bool:
        if self._loop.is_closed():  # a thread of the student's code has closed it
            self._new_loop()
        task = self._loop.create_task(self._execute(source, store_history))
        for _ in range(3):
            try:
                return self._loop.run_until_complete(task)
            except (KeyboardInterrupt, SystemExit, asyncio.CancelledError):  # from another task of the student's code
                task.cancel()
            except Exception as error:  # the loop was stopped or closed, or IPython broken from within
                self._ip.show_plainly(error)
                break
        self._new_loop()
        return False

    async def _execute(self, source: str, store_history: bool) -> bool:
        """Run the cell in a running event loop, as in a kernel; returns whether it succeeded."""
        ip = self._ip
        problem = None
        try:
            cell = ip.transform_cell(source)
        except Exception:
            cell, problem = source, sys.exc_info()
        if ip.should_run_async(source, transformed_cell=cell, preprocessing_exc_tuple=problem):
            running = asyncio.ensure_future(
                ip.run_cell_async(
                    source, store_history=store_history, transformed_cell=cell, preprocessing_exc_tuple=problem
                )
            )
            result = None
            with _interrupting(running):
                try:
                    result = await running
                finally:
                    ip.events.trigger("post_execute")
                    ip.events.trigger("post_run_cell", result)
        else:
            with interruptible():
                result = ip.run_cell(source, store_history=store_history)
        await asyncio.sleep(0)  # tasks that the cell created begin to run, as in a kernel
        return result is not None and bool(result.success)

    def _new_loop(self) -> None:
        self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)

    def _publish_to(self, publisher: OutputPublisher, discard_fd: int) -> None:
        self._publisher = publisher
        self._ip.publish_to(publisher)
        sys.stdout, sys.stderr = (OutStream(name, publisher, discard_fd) for name in NAMES)

    def _warm_up(self) -> None:
        """Run cells that trigger everything slow once, and remove all traces of them."""
        ip, before, streams = self._ip, dict(self.namespace), (sys.stdout, sys.stderr)
        heard = signal.getsignal(signal.SIGINT)
        self._publish_to(OutputPublisher(lambda event: None), discard_fd=1)
        self._new_loop()
        try:
            for source in _WARM_UP:
                self.run(source, store_history=True)
        finally:
            sys.stdout, sys.stderr = streams
            signal.signal(signal.SIGINT, heard)
            self._loop.close()
            asyncio.set_event_loop(None)
        ip.reset(new_session=True)
        ip.compile = ip.compiler_class()
        self.namespace.update({name: value for name, value in before.items() if name not in self.namespace})
        forget_last_error()


def make_shell() -> Shell:
    """A shell after its warm-up, ready to be forked: without threads or an event loop."""
    os.environ["MPLBACKEND"] = BACKEND
    import matplotlib

    # For `!command`, for the data sets, for `%load_ext`.
    for name in ("pexpect", "h5py", "IPython.core.magics.extension", "IPython.extensions.autoreload"):
        importlib.import_module(name)
    _reload_only_what_can_change()

    matplotlib.rcParams["backend"] = BACKEND
    config = Config()
    config.HistoryManager.enabled, config.HistoryManager.hist_file = False, ":memory:"
    config.IPKernelApp.connection_file = ""  # libraries look for this section to know a notebook
    shell = Shell(ZMQInteractiveShell.instance(config=config))
    shell._warm_up()
    return shell


def _reload_only_what_can_change() -> None:
    """Make ``%autoreload``, which checks every module before every cell, skip the modules that cannot change.

    It also skips reading their sources, hundreds of files, when it is loaded.
    """
    from IPython.extensions.autoreload import ModuleReloader
    from IPython.extensions.deduperreload.deduperreload import DeduperReloader

    look: Any = ModuleReloader.filename_and_mtime
    read: Any = DeduperReloader.update_sources
    folders = tuple(f"{folder}{os.sep}" for folder in {sys.prefix, sys.base_prefix})

    def is_fixed(module: Any) -> bool:
        where = getattr(module, "__file__", None)
        return isinstance(where, str) and where.startswith(folders)

    def look_if_it_can_change(self: ModuleReloader, module: Any) -> Any:
        return (None, None) if is_fixed(module) else look(self, module)

    def read_what_can_change(self: DeduperReloader) -> None:
        new = sys.modules.keys() - self.source_by_modname.keys()
        self.source_by_modname.update({name: "" for name in new if is_fixed(sys.modules[name])})
        read(self)

    ModuleReloader.filename_and_mtime = look_if_it_can_change  # type: ignore[method-assign]
    DeduperReloader.update_sources = read_what_can_change  # type: ignore[method-assign]


@contextmanager
def interruptible() -> Iterator[None]:
    """In this context, SIGINT raises KeyboardInterrupt, as in a kernel; outside it is ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        ignore_sigint()


@contextmanager
def _interrupting(running: "asyncio.Future[Any]") -> Iterator[None]:
    """In this context, SIGINT stops an asynchronous cell: if it awaits, by cancelling; else by KeyboardInterrupt."""
    loop = asyncio.get_running_loop()

    def stop(*_: object) -> None:
        if asyncio.current_task(loop) is not None:
            raise KeyboardInterrupt
        loop.call_soon_threadsafe(running.cancel)

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        ignore_sigint()


def ignore_sigint() -> None:
    """Ignore SIGINT. (Not with SIG_IGN, which the commands that a cell starts would inherit.)"""
    while True:
        try:
            signal.signal(signal.SIGINT, _ignore)
            return
        except KeyboardInterrupt:  # a SIGINT arrived just before
            continue


def _ignore(*_: object, **__: object) -> None:
    pass
