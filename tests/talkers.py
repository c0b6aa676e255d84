"""Hostile notebooks that try to show what their functions are called with, each in another way.

Every one is composed of four parts, drawn with its number as the seed: how the inputs become text, where the text is
put during a call, how a cell or something left behind shows it, and how the process ends.
"""

import random
from typing import Any

SPELLINGS = {
    "repr": "repr(what)",
    "lists": "str([getattr(one, 'tolist', lambda: one)() for one in what])",
    "six digits": "' '.join('%.6f' % float(x) for one in what for x in np.ravel(flat(one)))",
    "sixteen digits": "' '.join('%.16g' % float(x) for one in what for x in np.ravel(flat(one)))",
    "hexadecimal": "' '.join(np.asarray(flat(one), dtype=float).tobytes().hex() for one in what)",
    "json": "json.dumps([np.ravel(flat(one)).tolist() for one in what])",
}
# ``text`` is what was seen in a call, ``SEEN`` all of it so far.
PLACES = {
    "print": "print(text); print(text, file=sys.__stdout__); print(text, file=sys.stderr)",
    "descriptors": "[os.write(fd, text.encode()) for fd in (1, 2)]",
    "the grader's line": "os.write(3, json.dumps({'output': {'output_type': 'stream', 'name': 'stdout',"
    " 'text': text}}).encode() + b'\\n')",
    "an exception": "raise ValueError(text)",
    "an exception's name": "raise type('E' + text[:5000], (Exception,), {})(text)",
    "a chain of exceptions": "raise RuntimeError('x') from KeyError(text)",
    "notes": "error = ValueError('x'); error.add_note(text); raise error",
    "an exit": "raise SystemExit(text)",
    "a group": "raise ExceptionGroup(text, [ValueError(text)])",
    "a representation": "return type('V', (), {'__repr__': lambda self: text, '__str__': lambda self: text})()",
    "attribute names": "[setattr(builtins, word, 1) for word in text.split()[:200]]; return type(text[:999], (), {})()",
    "dictionary keys": "return {word: 0.0 for word in text.split()[:200]}",
    "names in a dtype": "return np.zeros(2, dtype=[(word, 'f8') for word in dict.fromkeys(text.split()[:50])])",
    "text": "return text",
    "warnings": "warnings.warn(text); warnings.showwarning(text, UserWarning, text[:100], 1)",
    "a figure": "figure = plt.figure(); figure.suptitle(text[:300]); plt.show(); figure.savefig('seen.png')",
    "a figure's name": "plt.figure(num=text[:300], label=text); plt.title(text[:300]); display(plt.gcf())",
    "HTML": "display({'text/html': '<b>' + text + '</b>', 'text/plain': text}, raw=True)",
    "a published display": "get_ipython().display_pub.publish({'text/plain': text}, {'text': text})",
    "a file": "open('seen.txt', 'a').write(text); open('/tmp/seen.txt', 'a').write(text)",
    "file names": "[open(word[:100].replace('/', '_'), 'w').close() for word in text.split()[:50]]",
    "folder names": "os.makedirs(text.split()[0][:100].replace('/', '_'), exist_ok=True)",
    "the notebook's own file": "[open(name, 'a').write(text) for name in os.listdir() if os.path.isfile(name)]",
    "the environment": "os.environ['SEEN'] = text.replace('\\0', '')[:10000]; sys.argv.append(text)",
    "logging": "logging.basicConfig(force=True); logging.error(text); syslog()",
    "a traceback": "sys.excepthook(ValueError, ValueError(text), None); get_ipython().showtraceback()",
    "source lines": "linecache.cache['seen'] = (1, None, [text], 'seen')\n    exec(compile('1 / 0', 'seen', 'exec'))",
    "documentation": "np.__doc__ = me.__doc__ = me.__name__ = me.__qualname__ = text",
    "the history": "get_ipython().history_manager.store_inputs(1, text)",
    "a finalizer": "HELD.append(Says(text)); HELD.pop()",
}
SHOWS = {
    "a cell": "print(SEEN, os.path.exists('seen.txt') and open('seen.txt').read(), os.listdir(), sys.argv)",
    "a value": "(SEEN, np.__doc__ if SEEN else '', sys.argv)",
    "a thread": "threading.Thread(target=lambda: [print(SEEN, flush=True) or time.sleep(0.01) for _ in range(300)],"
    " daemon=True).start()",
    "at exit": "atexit.register(lambda: (print(SEEN), open('seen.txt', 'a').write(repr(SEEN))))",
    "a trace": "sys.setprofile(lambda frame, event, what: event == 'return' and len(SEEN) % 7 == 6 and print(SEEN))",
    "a timer": "threading.Timer(0.05, lambda: display(repr(SEEN))).start()",
    "a child": "os.fork() or (time.sleep(0.2), print(SEEN), os._exit(0))",
    "hooks of the shell": "[get_ipython().events.register(name, lambda *_: print(SEEN)) for name in"
    " ('pre_run_cell', 'post_run_cell', 'post_execute')]",
    "an error of a cell": "if SEEN: raise ValueError(repr(SEEN))",
    "a patched stream": "sys.stdout.write = (lambda old: lambda text: old(text + repr(SEEN)))(sys.stdout.write)",
}
ENDS = {
    "none": "",
    "kill": "os.kill(os.getpid(), 9)",
    "exit": "os._exit(7)",
    "interrupt": "raise KeyboardInterrupt(text)",
    "recursion": "return me(*what) if len(SEEN) % 50 else 0.0",
}
START = """
import atexit, builtins, json, linecache, logging, os, sys, threading, time, warnings
import numpy as np
import matplotlib.pyplot as plt
from IPython.display import display
SEEN, HELD = [], []
class Says:
    def __init__(self, text): self.text = text
    def __del__(self): print(self.text)
def flat(one):
    try: return np.asarray(one, dtype=float)
    except Exception: return [x for value in getattr(one, "values", lambda: one)() for x in np.ravel(flat(value))] \\
        if isinstance(one, dict | list | tuple) else [0.0]
def syslog():
    import syslog as log
    log.syslog(SEEN[-1][:100])
def called_by_the_grader():
    frame = sys._getframe()
    while frame is not None:
        found = frame.f_locals.get("request")
        if isinstance(found, dict) and "cases" in found: return True
        frame = frame.f_back
    return False
"""
ANSWER = """
def {name}(*what):
    me = {name}
    text = {spelling}
    if not called_by_the_grader(): return 0.0
    SEEN.append(text)
    if len(SEEN) > {after}: {end}
    {place}
    return 0.0
"""


def parts(number: int) -> tuple[str, str, str, str]:
    """The names of the parts of one notebook. Every place comes within as many notebooks as there are places."""
    draws = random.Random(number)
    place = list(PLACES)[number % len(PLACES)]
    return draws.choice(list(SPELLINGS)), place, draws.choice(list(SHOWS)), draws.choice(list(ENDS))


def notebook(room: Any, number: int) -> Any:
    """A notebook without one right answer, whose functions all show what they are called with."""
    spelling, place, show, end = parts(number)
    answers = {
        name: ANSWER.format(
            name=name,
            spelling=SPELLINGS[spelling],
            place=PLACES[place],
            end=ENDS[end] or "pass",
            after=random.Random(number).choice((1, 5, 20)),
        )
        for name in room.points
    }
    shown = SHOWS[show]
    middle = list(room.points)[len(room.points) // 2]
    return room.notebook(answers, start=START, behind={middle: shown}, end=shown)
