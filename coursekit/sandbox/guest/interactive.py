"""IPython as ipykernel sets it up, but with an ``OutputPublisher`` in place of ZeroMQ.

Everything that a notebook can see of its kernel should be the same: class names that libraries ask for, numbering,
tracebacks, display ids, magics. What ipykernel adds beyond that (comms, subshells, a debugger) is left out.
"""

import base64
import contextlib
import math
import os
import pdb
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from IPython.core import debugger, page
from IPython.core.autocall import ZMQExitAutocall
from IPython.core.compilerop import CachingCompiler
from IPython.core.display import Javascript
from IPython.core.display_functions import display
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.error import StdinNotImplementedError, UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_magic, magics_class
from traitlets import Any as AnyTrait
from traitlets import Bool, Instance, Type, default

from .streams import OutputPublisher

_OURS = str(Path(__file__).parent)


def plain(value: Any) -> Any:
    """The value as data for JSON; bytes as base64. Raises ValueError for other types."""
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(item) for item in value]
    raise ValueError(f"Can't clean for JSON: {value!r}")


class Compiler(CachingCompiler):
    """Gives cells file names of ipykernel's form, the same in every run, because warnings show them."""

    def get_code_name(self, raw_code: str, code: str, number: int) -> str:
        """A name derived from the cell's source."""
        return f"/tmp/ipykernel_1/{zlib.crc32(raw_code.encode('utf-8', 'surrogatepass'))}.py"


class Results(DisplayHook):
    """Publishes the value of a cell's last expression."""

    publisher = AnyTrait()

    def start_displayhook(self) -> None:
        """Prepare for a new value."""
        super().start_displayhook()
        self._data: dict[str, Any] = {}
        self._metadata: dict[str, Any] = {}

    def write_output_prompt(self) -> None:
        """Does nothing: the number is part of the event."""

    def write_format_data(self, format_dict: dict[str, Any], md_dict: dict[str, Any] | None = None) -> None:
        """Keep the formatted value."""
        self._data, self._metadata = format_dict, md_dict or {}

    def finish_displayhook(self) -> None:
        """Publish the formatted value, if there is one."""
        if self._data:
            data, metadata = plain(self._data), plain(self._metadata)
            output = {"output_type": "execute_result", "data": data, "metadata": metadata}
            self.publisher.emit({"output": {**output, "execution_count": self.prompt_count}})
        self._is_active = False

    def log_output(self, format_dict: dict[str, Any]) -> None:
        """Does nothing: there is no history on disk."""


class Displays(DisplayPublisher):
    """Publishes what ``display`` shows, updates and clears."""

    publisher = AnyTrait()

    def publish(  # type: ignore[override]
        self,
        data: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        *,
        transient: dict[str, Any] | None = None,
        update: bool = False,
        **_: Any,
    ) -> None:
        """Publish a display or, with ``update``, the new content of all displays with its id."""
        self._validate_data(data, metadata)
        output = {"output_type": "display_data", "data": plain(data), "metadata": plain(metadata or {})}
        event: dict[str, Any] = {"update" if update else "output": output}
        name = (transient or {}).get("display_id")
        self.publisher.emit(event if name is None else {**event, "display_id": str(name)})

    def clear_output(self, wait: bool = False) -> None:
        """Clear the cell's outputs; with ``wait``, only when the next one comes."""
        self.publisher.emit({"clear": {"wait": bool(wait)}})


@magics_class
class KernelMagics(Magics):
    """Magics that ipykernel adds to IPython or changes."""

    @line_magic
    def autosave(self, arg_s: str) -> None:
        """Set the autosave interval of the classic notebook, in seconds."""
        try:
            interval = int(arg_s)
        except ValueError as error:
            raise UsageError(f"%autosave requires an integer, got {arg_s!r}") from error
        script = Javascript(f"IPython.notebook.set_autosave_interval({1000 * interval})")
        display(script, include=["application/javascript"])
        print(f"Autosaving every {interval} seconds" if interval else "Autosave disabled")

    @line_magic
    def less(self, arg_s: str) -> None:
        """Show a file through the pager."""
        _page(arg_s)

    @line_magic
    def more(self, arg_s: str) -> None:
        """Show a file through the pager."""
        _page(arg_s)


def _page(name: str) -> None:
    if not name:
        raise UsageError("Missing filename.")
    page.page(Path(name).read_text(encoding="utf-8"))


class ZMQInteractiveShell(InteractiveShell):
    """IPython's shell for one submission. Named as in ipykernel: libraries recognise a notebook by the name."""

    displayhook_class = Type(Results)
    display_pub_class = Type(Displays)
    compiler_class = Type(Compiler)
    autoindent = Bool(False)
    exiter = Instance(ZMQExitAutocall)
    keepkernel_on_exit = None
    exits = False
    failed_to_show = False
    _transformed: tuple[str, str] | None = None  # the last cell's source, and its transformed code

    @default("exiter")
    def _default_exiter(self) -> ZMQExitAutocall:
        return ZMQExitAutocall(self)

    def publish_to(self, publisher: OutputPublisher) -> None:
        """Send all outputs to ``publisher`` from now on."""
        self.publisher = publisher
        self.displayhook.publisher = publisher  # type: ignore[attr-defined]
        self.display_pub.publisher = publisher  # type: ignore[attr-defined]

    def init_ipython_dir(self, ipython_dir: Any) -> None:
        """Does nothing: no configuration is read from or written to a home folder."""

    def init_profile_dir(self, profile_dir: Any) -> None:
        """No folder: magics like ``%cd`` store their data in this dictionary."""
        self.db = {}

    def init_pdb(self) -> None:
        """Replace ``pdb`` by IPython's debugger, as in a kernel."""
        super().init_pdb()
        vars(pdb).update(Pdb=debugger.InterruptiblePdb, set_trace=debugger.set_trace)

    def init_virtualenv(self) -> None:
        """Does nothing: the interpreter's own packages are the only ones."""

    def init_environment(self) -> None:
        """Set ipykernel's environment variables for the commands that a cell starts: colours, but no pager."""
        os.environ.update(TERM="xterm-color", CLICOLOR="1", FORCE_COLOR="1", CLICOLOR_FORCE="1")
        os.environ.update(PAGER="cat", GIT_PAGER="cat")

    def init_hooks(self) -> None:
        """Disable the pager, which help texts open: its text is no output of a cell."""
        super().init_hooks()
        self.set_hook("show_in_pager", page.as_hook(lambda *args, **kwargs: None), 99)

    def init_magics(self) -> None:
        """Register IPython's magics and the kernel's."""
        super().init_magics()
        self.register_magics(KernelMagics)

    def transform_cell(self, raw_cell: str) -> str:
        """The Python code of a cell. The last one is cached, because IPython asks twice for each cell."""
        if self._transformed is None or self._transformed[0] != raw_cell:
            self._transformed = (raw_cell, super().transform_cell(raw_cell))
        return self._transformed[1]

    def forget_transformed(self) -> None:
        """Clear the cache of ``transform_cell``: a cell may change how the next one is transformed."""
        self._transformed = None

    def enable_gui(self, gui: str | None = None) -> None:
        """Does nothing: there are no windows with events to process."""

    def ask_exit(self) -> None:
        """Record that the cell asked its kernel to exit."""
        self.exits = not self.keepkernel_on_exit

    @contextmanager
    def _tee(self, channel: str) -> Iterator[None]:
        """Does nothing: a second copy of the text for the history would fill the memory in an endless print."""
        yield

    def _format_exception_for_storage(self, *args: Any, **kwargs: Any) -> list[str]:
        """Does nothing: tracebacks are not formatted again for a history on disk."""
        return []

    def _get_exc_info(self, exc_tuple: Any = None) -> Any:
        found = super()._get_exc_info(exc_tuple)
        _hide_our_frames(found[1])
        return found

    def _showtraceback(self, etype: type[BaseException], evalue: BaseException, stb: list[str]) -> None:
        if self.displayhook.is_active:  # the value of the last expression could not be shown: the cell failed
            self.failed_to_show = True
        output = {"output_type": "error", "ename": etype.__name__, "evalue": _message(evalue)}
        self.publisher.emit({"output": {**output, "traceback": [str(line) for line in stb]}})
        self._last_traceback = stb

    def show_plainly(self, error: BaseException) -> None:
        """Show an error without IPython, if IPython itself failed."""
        name, message = type(error).__name__, _message(error)
        output = {"output_type": "error", "ename": name, "evalue": message, "traceback": [f"{name}: {message}"]}
        self.publisher.emit({"output": output})


def no_input(prompt: str = "") -> str:
    """Raise the exception of an ipykernel without input requests."""
    raise StdinNotImplementedError("raw_input was called, but this frontend does not support input requests.")


def no_getpass(prompt: str = "Password: ", stream: Any = None) -> str:
    """Raise the exception of an ipykernel without input requests."""
    raise StdinNotImplementedError("getpass was called, but this frontend does not support input requests.")


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "<exception str() failed>"


def _hide_our_frames(error: BaseException | None) -> None:
    """Remove this package's frames, and those of its ``with``, from the tracebacks of an error and of its causes."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        step: TracebackType | None = error.__traceback__
        while step is not None:
            names: tuple[str, ...] = (_OURS,)
            while step.tb_next is not None and step.tb_next.tb_frame.f_code.co_filename.startswith(names):
                step.tb_next = step.tb_next.tb_next
                names = (_OURS, contextlib.__file__)
            step = step.tb_next
        error = error.__cause__ or error.__context__


def forget_last_error() -> None:
    """Delete the last error, which ``%tb`` and ``%debug`` would show."""
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        if hasattr(sys, name):
            delattr(sys, name)
