"""A notebook of oddities: whatever a student's cell may do to a kernel that can be seen in its outputs.

One cell each, in this order, by name. Cells that only one run in a thousand shows alike have no place here.
"""

import re

_NOTEBOOK = r"""
# %% streams
import sys
print('one')
print('two', file=sys.stderr)
sys.stdout.write('three')
print()
# %% no-newline
print('a', end='')
print('b', end='', flush=True)
sys.stderr.write('c')
# %% stderr-first
print('e', file=sys.stderr)
print('o')
# %% stderr-flushed
print('o')
print('e', file=sys.stderr, flush=True)
print('p')
# %% stream-around-display
print('a')
display('x')
print('b')
print('c', file=sys.stderr)
display('y')
print('d')
# %% writelines
sys.stdout.writelines(['a\n', 'b\n'])
# %% write-bytes
sys.stdout.write(b'bytes')
# %% no-buffer
sys.stdout.buffer.write(b'bytes')
# %% stream-facts
(sys.stdout.isatty(), sys.stdout.encoding, sys.stdout.writable(), sys.stdout.closed)
# %% long-lines
print('x' * 300_000)
print('y' * 150_000, file=sys.stderr)
# %% many-lines
for i in range(3000):
    print(i)
# %% unicode
print('Größe ∂W 🎉 \x00 \x1b[31mred\x1b[0m \r over')
# %% result
1 + 1
# %% result-underscore
_ + 1, Out[_i and max(Out)], In[-2]
# %% result-none
None
# %% result-quiet
5;
# %% result-repr
class A:
    def __repr__(self):
        return 'line 1\nline 2'
A()
# %% result-html
class H:
    def _repr_html_(self):
        return '<b>x</b>'

    def __repr__(self):
        return 'H'

H()
# %% result-mimebundle
class M:
    def _repr_mimebundle_(self, include=None, exclude=None):
        return {'text/plain': 'm', 'application/json': {'a': [1, 2.5, None]}}, {'text/plain': {'width': 3}}
M()
# %% result-array
import numpy as np
np.arange(12.0).reshape(3, 4)
# %% result-long
list(range(2000))
# %% result-dict
{'b': [1, {'c': (2, 3)}], 'a': {4, 5}, 'long': 'x' * 100}
# %% display-several
display(1, 'two', [3])
# %% display-kinds
from IPython.display import HTML, Latex, Markdown, JSON, SVG, Math
svg = SVG('<svg xmlns="http://www.w3.org/2000/svg"></svg>')
for d in HTML('<i>h</i>'), Latex('$x$'), Markdown('**m**'), JSON({'a': 1}), Math('y'), svg:
    display(d)
# %% display-raw
display({'text/plain': 'plain', 'text/html': '<b>h</b>'}, raw=True)
# %% display-bytes
import base64
png = base64.b64decode(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
)
display({'image/png': png, 'text/plain': 'dot'}, raw=True)
# %% display-image
from IPython.display import Image
Image(data=png, width=30)
# %% display-pretty
class P:
    def _repr_pretty_(self, p, cycle):
        p.text('pretty')
P()
# %% display-id
handle = display('first', display_id='one')
print('between')
handle.update('second')
# %% display-id-later
handle.update('third')
# %% display-id-twice
h = display('old', display_id=True)
h.display('new')
# %% update-unknown
from IPython.display import update_display
update_display('x', display_id='unheard-of')
# %% clear
from IPython.display import clear_output
print('gone')
clear_output()
print('there')
# %% clear-wait
for i in range(3):
    clear_output(wait=True)
    print('step', i)
# %% clear-wait-last
print('stays')
clear_output(wait=True)
# %% error
def f(x):
    y = x - 1
    return 1 / y

def g():
    return f(1)

g()
# %% error-earlier-cell
g()
# %% error-chained
try:
    g()
except ZeroDivisionError as error:
    raise ValueError('chained') from error
# %% error-context
try:
    {}['x']
except KeyError:
    undefined_name
# %% error-in-library
np.zeros((2, 3)) @ np.zeros((2, 3))
# %% error-in-numpy-python
np.linalg.inv(np.zeros((2, 2)))
# %% error-recursion
def r():
    return r()
r()
# %% error-long-cell
a = 1
a = 1
a = 1
a = 1
a = 1
a = 1
a = 1
a = 1
a = 1
a = 1
a = 1
a = 1
a = 1
a = 1
a = 1
a = 1
a = 1
a = 1
a = 1
a = 1
raise RuntimeError('here')
b = 2
b = 2
b = 2
b = 2
b = 2
b = 2
b = 2
b = 2
b = 2
b = 2
b = 2
b = 2
b = 2
b = 2
b = 2
b = 2
b = 2
b = 2
b = 2
b = 2
# %% error-multiline-message
raise ValueError('line 1\nline 2\n  line 3')
# %% error-notes
e = ValueError('x')
e.add_note('a note')
raise e
# %% error-group
raise ExceptionGroup('several', [ValueError(1), TypeError(2)])
# %% error-class
class Odd(Exception):
    pass
raise Odd
# %% error-assert
assert 1 == 2, 'not equal'
# %% error-import
import there_is_no_such_module
# %% error-name
undefined_thing
# %% error-print-exc
import traceback
try:
    f(1)
except ZeroDivisionError:
    traceback.print_exc()
# %% error-tb
%tb
# %% syntax
def f(:
    pass
# %% syntax-unclosed
print('a'
x = 3
# %% syntax-indent
if True:
print('x')
# %% syntax-tab
if True:
        x = 1
	y = 2
# %% syntax-string
x = 'abc
# %% syntax-return
return 5
# %% syntax-eval
eval('1 +')
# %% syntax-later
x = 1
y = = 2
# %% syntax-warning
x = 5
x is 5
# %% repr-raises
class R:
    def __repr__(self):
        raise ValueError('no repr')
R()
# %% repr-raises-display
display(R())
print('after')
# %% repr-html-raises
class RH:
    def _repr_html_(self):
        1 / 0
    def __repr__(self):
        return 'RH'
RH()
# %% repr-not-a-string
class N:
    def __repr__(self):
        return 5
N()
# %% interrupt
import os, signal, time
print('before')
os.kill(os.getpid(), signal.SIGINT)
time.sleep(10)
print('after')
# %% interrupt-function
def spin():
    while True:
        pass
signal.setitimer(signal.ITIMER_REAL, 0.2)
signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
spin()
# %% interrupt-caught
try:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(10)
except KeyboardInterrupt:
    print('caught')
# %% interrupt-await
import asyncio
asyncio.get_running_loop().call_later(0.1, os.kill, os.getpid(), signal.SIGINT)
await asyncio.sleep(10)
# %% after-interrupt
print('still here')
# %% sys-exit
import sys
sys.exit(3)
# %% sys-exit-function
def leave():
    sys.exit('bye')
leave()
# %% raise-system-exit
raise SystemExit
# %% exit-keeping
exit(keep_kernel=True)
# %% generator-exit
raise GeneratorExit
# %% figure
%matplotlib inline
import matplotlib.pyplot as plt
plt.plot([1, 2, 3])
plt.title('t')
print('drawn')
# %% figure-result
plt.figure(figsize=(2, 1)).add_subplot().plot([1, 2])[0].get_linestyle()
# %% figure-show
plt.plot([1]); plt.show()
print('after')
# %% figure-two
plt.figure(figsize=(2, 1)); plt.figure(figsize=(1, 2)); print(plt.get_fignums())
# %% figure-closed
print(plt.get_fignums(), plt.gcf().number)
plt.close('all')
# %% figure-object
fig, ax = plt.subplots(figsize=(2, 1))
plt.close(fig)
fig
# %% figure-error
plt.figure(figsize=(2, 1))
1 / 0
# %% figure-settings
plt.rcParams['figure.figsize'] = (1.0, 1.0)
plt.imshow(np.eye(3)); plt.axis('off');
# %% figure-transparent
plt.figure(figsize=(1, 1), facecolor='none').add_subplot()
None
# %% figure-warning
plt.figure(figsize=(1, 1)).suptitle('\u4e2d')
None
# %% backend
import matplotlib
matplotlib.get_backend(), plt.isinteractive()
# %% figure-svg
%config InlineBackend.figure_formats = ['png', 'jpeg']
plt.figure(figsize=(1, 1)); plt.plot([1]);
# %% figure-png-again
%config InlineBackend.figure_format = 'png'
plt.figure(figsize=(1, 1)); plt.plot([1]);
# %% autoreload
%load_ext autoreload
%autoreload 2
# %% autoreload-write
with open('reloaded_module.py', 'w') as file:
    file.write('value = 1')
import reloaded_module
reloaded_module.value
# %% autoreload-changed
with open('reloaded_module.py', 'w') as file:
    file.write('value = 23456')
os.utime('reloaded_module.py', (1, 2_000_000_000))
# %% autoreload-seen
reloaded_module.value
# %% timeit
%timeit -n 2 -r 1 sum(range(100))
# %% time-cell
%%time
x = 5
print(x)
# %% time-line
%time 2 + 3
# %% capture
%%capture taken
print('hidden')
print('also', file=sys.stderr)
display('shown later')
5
# %% capture-shown
print(taken.stdout, taken.stderr, taken.outputs)
taken.show()
# %% capture-output
from IPython.utils.capture import capture_output
with capture_output() as c:
    print('x')
c.stdout
# %% redirect
from contextlib import redirect_stdout
from io import StringIO
with redirect_stdout(StringIO()) as s:
    print('in')
s.getvalue()
# %% command
!echo out; echo err >&2; printf 'no newline'
# %% command-failing
!exit 3
_exit_code
# %% command-variable
name = 'value'
!echo {name} $name
# %% command-assigned
lines = !printf 'a\nb\n'
lines
# %% command-background
!true &
# %% bash
%%bash
echo out
echo err >&2
# %% bash-failing
%%bash
exit 5
# %% system
import os
print('before')
os.system('echo from a command; echo error >&2')
time.sleep(0.1)
# %% subprocess
import subprocess
print(subprocess.run(['echo', 'x'], capture_output=True, text=True).stdout)
# %% subprocess-shown
subprocess.run([sys.executable, '-c', 'print(7)'])
time.sleep(0.1)
# %% descriptor
os.write(1, b'raw \xff bytes\n')
time.sleep(0.1)
# %% dup2
saved = os.dup(1)
os.dup2(os.open('taken.txt', os.O_WRONLY | os.O_CREAT), 1)
os.system('echo elsewhere')
os.dup2(saved, 1)
os.close(saved)
print(open('taken.txt').read())
# %% cd
import tempfile
here = os.getcwd()
%cd /
# %% cd-back
%cd -q {here}
os.getcwd() == here
# %% pwd
%pwd
# %% writefile
%%writefile helper_module.py
def help_me():
    return 1 / 0
# %% import-written
import helper_module
helper_module.help_me()
# %% run-script
%run helper_module.py
# %% input
input('name? ')
# %% input-function
def ask():
    return input()
ask()
# %% getpass
import getpass
getpass.getpass()
# %% stdin
sys.stdin.read()
# %% await
async def later():
    await asyncio.sleep(0.01)
    return 'awaited'
print('x')
await later()
# %% await-error
async def fail():
    await asyncio.sleep(0)
    1 / 0
await fail()
# %% await-gather
await asyncio.gather(later(), later())
# %% asyncio-run
coroutine = later()
try:
    asyncio.run(coroutine)
finally:
    coroutine.close()
# %% async-for
async def numbers():
    for i in range(3):
        yield i
[i async for i in numbers()]
# %% loop
asyncio.get_running_loop().is_running(), asyncio.get_event_loop() is asyncio.get_running_loop()
# %% thread
import threading
t = threading.Thread(target=lambda: print('from a thread'))
t.start()
t.join()
# %% thread-error
t = threading.Thread(target=lambda: 1 / 0, name='T')
t.start()
t.join()
# %% logging
import logging
print('first')
logging.warning('careful')
logging.getLogger('x').error('bad')
logging.info('unseen')
# %% warning
import warnings
warnings.warn('mind this')
# %% warning-function
def w():
    warnings.warn('deep', RuntimeWarning, stacklevel=2)
w()
# %% warning-numpy
np.array([1.0]) / 0
# %% warning-again
np.log(np.array([0.0]))
# %% warning-deprecated
warnings.warn('old', DeprecationWarning)
# %% warning-error
with warnings.catch_warnings():
    warnings.simplefilter('error')
    np.array([1.0]) / 0
# %% del-raises
class D:
    def __del__(self):
        1 / 0
D()
None
# %% main
__name__, sys.modules['__main__'].__dict__ is globals(), __import__('__main__').f.__name__
# %% shell
type(get_ipython()).__name__, 'IPKernelApp' in get_ipython().config, get_ipython().execution_count
# %% names
sorted(name for name in globals() if name.startswith('_'))[:20]
# %% builtins
__builtins__.__name__, __IPYTHON__, display.__name__
# %% getsource
import inspect
print(inspect.getsource(g))
# %% pickle
import pickle
pickle.loads(pickle.dumps(g)) is g
# %% dataclass
from dataclasses import dataclass
@dataclass
class Point:
    x: int
Point(3)
# %% help
help(f)
# %% question
np.dot?
# %% question-source
f??
# %% unknown-magic
%no_such_magic
# %% unknown-cell-magic
%%no_such_magic
x
# %% magic-usage
%timeit
# %% who
%reset_selective -f ^Point$
'Point' in globals()
# %% html-magic
%%html
<b>bold</b>
# %% latex-magic
%%latex
$x$
# %% lsmagic
len(get_ipython().magics_manager.magics['cell']) > 10
# %% history
%history -n 1-2
# %% comments-only
# nothing
# %% several-expressions
1
2
3
# %% interactivity
from IPython.core.interactiveshell import InteractiveShell
InteractiveShell.ast_node_interactivity = 'all'
# %% interactivity-all
1
2
# %% interactivity-back
InteractiveShell.ast_node_interactivity = 'last_expr'
# %% semicolons
a = 1; b = 2; a + b
# %% future
from __future__ import annotations
def t(x: no_such_type):
    return 1
t(1)
# %% walrus
(n := 5) + 1
# %% displayhook
import sys
sys.displayhook('hooked')
# %% print-in-display
class PD:
    def __repr__(self):
        print('printing')
        return 'PD'
PD()
# %% multiprocessing
import multiprocessing
p = multiprocessing.get_context('fork').Process(target=print, args=('child',))
p.start()
p.join()
time.sleep(0.1)
p.exitcode
# %% custom-traceback
class C(Exception):
    def _render_traceback_(self):
        return ['custom']
raise C()
# %% xmode
%xmode Plain
# %% xmode-plain
g()
# %% xmode-back
%xmode Context
# %% debugger
import pdb
pdb.Pdb.__module__
# %% set-trace
def traced():
    x = 1
    pdb.set_trace()
    return x
traced()
# %% breakpoint
breakpoint()
# %% colors
%colors nocolor
# %% colors-error
f(1)
# %% no-history
_no = 5
_no
# %% no-history-error
f(1)
# %% exec
exec('print(1)\nraise ValueError(2)')
# %% lambda-error
(lambda: [][1])()
# %% comprehension-error
[1 / i for i in (1, 0)]
# %% decorator
import functools
def deco(fn):
    @functools.wraps(fn)
    def inner(*a):
        return fn(*a)
    return inner
@deco
def broken(x):
    return x.nothing
broken(1)
# %% matrix
np.set_printoptions(precision=3)
print(np.random.RandomState(1).randn(2, 2))
np.random.RandomState(1).randn(2, 2)
# %% environment
os.environ['TERM'], os.environ['FORCE_COLOR'], os.environ['PAGER'], os.environ['MPLBACKEND']
"""

ODDITIES = {
    name: source.strip("\n") for name, source in re.findall(r"^# %% (\S+)\n(.*?)(?=^# %%|\Z)", _NOTEBOOK, re.M | re.S)
}
