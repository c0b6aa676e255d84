"""IPython as ipykernel sets it up, with another way out: what is shown goes to an ``Outlet`` in place of ZeroMQ.

Everything a notebook can see of its kernel is meant to be the same: names of classes that libraries ask for, numbering,
tracebacks, display ids, magics. What ipykernel adds by ways of its own (comms, subshells, a debugger) is left out.
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
    """The value as JSON-able data; bytes as base64. A ValueError where it cannot be."""
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
    """Gives cells file names of the same form as ipykernel does, the same ones in every run: warnings tell them."""

    def get_code_name(self, raw_code: str, code: str, number: int) -> str:
        """A name made of the cell's source."""
        return f"/tmp/ipykernel_1/{zlib.crc32(raw_code.encode('utf-8', 'surrogatepass'))}.py"


class Results(DisplayHook):
    """Sends the value of a cell's last expression."""

    publisher = AnyTrait()

    def start_displayhook(self) -> None:
        """The value is about to be formatted."""
        super().start_displayhook()
        self._data: dict[str, Any] = {}
        self._metadata: dict[str, Any] = {}

    def write_output_prompt(self) -> None:
        """The number is part of the event."""

    def write_format_data(self, format_dict: dict[str, Any], md_dict: dict[str, Any] | None = None) -> None:
        """Keep the formatted value."""
        self._data, self._metadata = format_dict, md_dict or {}

    def finish_displayhook(self) -> None:
        """The formatted value is sent, if there is one."""
        if self._data:
            data, metadata = plain(self._data), plain(self._metadata)
            output = {"output_type": "execute_result", "data": data, "metadata": metadata}
            self.publisher.emit({"output": {**output, "execution_count": self.prompt_count}})
        self._is_active = False

    def log_output(self, format_dict: dict[str, Any]) -> None:
        """Nothing is kept for a history on disk."""


class Displays(DisplayPublisher):
    """Sends what ``display`` shows, updates and clears."""

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
        """Send a display or, with ``update``, what takes the place of all displays of its id."""
        self._validate_data(data, metadata)
        output = {"output_type": "display_data", "data": plain(data), "metadata": plain(metadata or {})}
        event: dict[str, Any] = {"update" if update else "output": output}
        name = (transient or {}).get("display_id")
        self.publisher.emit(event if name is None else {**event, "display_id": str(name)})

    def clear_output(self, wait: bool = False) -> None:
        """Have the cell's outputs so far taken away; with ``wait``, when the next one comes."""
        self.publisher.emit({"clear": {"wait": bool(wait)}})


@magics_class
class KernelMagics(Magics):
    """Magics that ipykernel has and a bare IPython has not, or not in this way."""

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
    """IPython's shell for one submission. Named as in ipykernel: libraries look at the name to know a notebook."""

    displayhook_class = Type(Results)
    display_pub_class = Type(Displays)
    compiler_class = Type(Compiler)
    autoindent = Bool(False)
    exiter = Instance(ZMQExitAutocall)
    keepkernel_on_exit = None
    exits = False
    failed_to_show = False
    _transformed: tuple[str, str] | None = None  # the last cell, and what became of it

    @default("exiter")
    def _default_exiter(self) -> ZMQExitAutocall:
        return ZMQExitAutocall(self)

    def publish_to(self, publisher: OutputPublisher) -> None:
        """From now on everything is shown through ``outlet``."""
        self.publisher = publisher
        self.displayhook.publisher = publisher  # type: ignore[attr-defined]
        self.display_pub.publisher = publisher  # type: ignore[attr-defined]

    def init_ipython_dir(self, ipython_dir: Any) -> None:
        """There is none: nothing is read from or written to anybody's home."""

    def init_profile_dir(self, profile_dir: Any) -> None:
        """There is none; what magics like ``%cd`` remember is kept here."""
        self.db = {}

    def init_pdb(self) -> None:
        """``pdb`` is IPython's, as in a kernel."""
        super().init_pdb()
        vars(pdb).update(Pdb=debugger.InterruptiblePdb, set_trace=debugger.set_trace)

    def init_virtualenv(self) -> None:
        """The interpreter's own packages are all there are."""

    def init_environment(self) -> None:
        """What ipykernel tells the commands that a cell starts: colours, but no pager."""
        os.environ.update(TERM="xterm-color", CLICOLOR="1", FORCE_COLOR="1", CLICOLOR_FORCE="1")
        os.environ.update(PAGER="cat", GIT_PAGER="cat")

    def init_hooks(self) -> None:
        """The pager, which help texts open, shows nothing: its text is no output of a cell."""
        super().init_hooks()
        self.set_hook("show_in_pager", page.as_hook(lambda *args, **kwargs: None), 99)

    def init_magics(self) -> None:
        """IPython's magics and those of the kernel."""
        super().init_magics()
        self.register_magics(KernelMagics)

    def transform_cell(self, raw_cell: str) -> str:
        """The Python of a cell. Asked for twice in a row, as IPython does with every cell, it is worked out once."""
        if self._transformed is None or self._transformed[0] != raw_cell:
            self._transformed = (raw_cell, super().transform_cell(raw_cell))
        return self._transformed[1]

    def forget_transformed(self) -> None:
        """The next cell is transformed anew, even if it is the same: the one before may have changed how."""
        self._transformed = None

    def enable_gui(self, gui: str | None = None) -> None:
        """Nothing: there is no window whose events would have to be served."""

    def ask_exit(self) -> None:
        """The cell asked its kernel to exit."""
        self.exits = not self.keepkernel_on_exit

    @contextmanager
    def _tee(self, channel: str) -> Iterator[None]:
        """No second copy of the text in the history: a runaway print would fill the memory."""
        yield

    def _format_exception_for_storage(self, *args: Any, **kwargs: Any) -> list[str]:
        """No second formatting of tracebacks, for a history on disk."""
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
        """The error is shown without IPython's help, where that is what broke."""
        name, message = type(error).__name__, _message(error)
        output = {"output_type": "error", "ename": name, "evalue": message, "traceback": [f"{name}: {message}"]}
        self.publisher.emit({"output": output})


def no_input(prompt: str = "") -> str:
    """Raise what ipykernel raises where nobody can be asked."""
    raise StdinNotImplementedError("raw_input was called, but this frontend does not support input requests.")


def no_getpass(prompt: str = "Password: ", stream: Any = None) -> str:
    """Raise what ipykernel raises where nobody can be asked."""
    raise StdinNotImplementedError("getpass was called, but this frontend does not support input requests.")


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "<exception str() failed>"


def _hide_our_frames(error: BaseException | None) -> None:
    """The tracebacks of the error, and of those that led to it, show none of this package, nor of its ``with``."""
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
    """No trace is left of the last error: ``%tb`` and ``%debug`` would show it."""
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        if hasattr(sys, name):
            delattr(sys, name)
