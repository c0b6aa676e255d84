"""What an exception in a student's function means, and what to do about it.

The public tests and the grader use the same texts. They depend on the type of the exception, its message and the line
of the function under test, and hold nothing else of these but names.
"""

import builtins
import re

_UNSET_RESULT = re.compile(r"(?:name|variable) '(?P<name>\w+)'")

# By type and part of the message; the first row that fits is used.
_MEANINGS = (
    ("UnboundLocalError", "", "That name is used before it has a value: is it misspelt, or set only in a branch that"
     " did not run?"),
    ("NameError", "", "Python knows no such name here: is it misspelt, or does it belong to another cell?"),
    ("KeyError", "{", "The braces stand in the key as they are: is there an f in front of the quotes?"),
    ("KeyError", "", "The dict has no such key: compare with the keys that it has, and count the layers."),
    ("IndexError", "list index", "The list is shorter than that: lists count from 0, layers from 1."),
    ("TypeError", "as a data type", "np.zeros takes the whole shape as one argument, in brackets of its own."),
    ("TypeError", "'tuple' object cannot be interp", "np.random.randn takes rows and columns, not a tuple of them."),
    ("TypeError", "'numpy.ndarray' object cannot be interp", "An array stands where a number belongs, such as an axis:"
     " np.max takes one array, np.maximum compares two of them entry by entry."),
    ("TypeError", "only integer scalar arrays", "An array stands where a number belongs, such as an axis, an index or"
     " a length: np.max takes one array, np.maximum compares two of them entry by entry."),
    ("TypeError", "converted to Python scalars", "int(), float() and the functions of math take one number:"
     " np.log takes a whole array, and A.astype(int) makes whole numbers of one."),
    ("TypeError", "Cannot cast ufunc", "An array of whole numbers cannot take fractions in place:"
     " write x = x / y for x /= y."),
    ("TypeError", "bitwise_xor", "In Python ^ is no power: two stars are."),
    ("TypeError", "can only concatenate str", "A text and a number cannot be added: str(l) makes a text of a number,"
     " and so do the braces in f\"W{l}\"."),
    ("TypeError", "instances of 'tuple'", "One side is a tuple, which has to be unpacked first: A, cache = …"),
    ("TypeError", "instances of 'list'", "One side is a list, which is no array yet: np.array makes one of it."),
    ("TypeError", "'tuple' and", "One side is a tuple, which has to be unpacked first: A, cache = …"),
    ("TypeError", "and 'tuple'", "One side is a tuple, which has to be unpacked first: A, cache = …"),
    ("TypeError", "'tuple' object does not support item", "A tuple cannot be changed: a list or a dict can."),
    ("TypeError", "tuple indices must be", "That is a tuple: its parts have numbers and no names."),
    ("TypeError", "list indices must be", "That is a list: its entries have numbers that count from 0, and no names."),
    ("TypeError", "'tuple' object is not a mapping", "A tuple stands where a dict is needed."),
    ("TypeError", "unexpected keyword", "That function has no argument of this name: look at its first line, or at"
     " its help."),
    ("TypeError", "invalid keyword argument", "That function has no argument of this name: np.sum has an axis,"
     " Python's own sum has none."),
    ("TypeError", "positional argument", "Compare the arguments of this call with the first line of the function that"
     " is called: how many are there, and in which order?"),
    ("TypeError", "'NoneType'", "Something there is None: does every function that you call return its value?"),
    ("TypeError", "is not callable", "Something that is no function stands in front of the brackets: is a * missing,"
     " or has a variable the name of a function?"),
    ("TypeError", "cannot unpack", "What stands on the right is one value, and cannot be unpacked into several names."),
    ("TypeError", "is not iterable", "A loop or an unpacking needs a list, a tuple or a range: range(n) counts to n."),
    ("TypeError", "is not subscriptable", "What stands in front of the square brackets is one value, without parts."),
    ("TypeError", "cannot be interpreted as an integer", "A whole number is needed there: // divides without a"
     " fraction, and len() counts."),
    ("ModuleNotFoundError", "", "Grading has the packages of the notebook's first cells only: NumPy is all you need."),
    ("AttributeError", "'NoneType' object has no attribute 'append'", "append changes the list itself and returns None:"
     " write caches.append(cache), without `caches =` in front of it."),
    ("AttributeError", "'NoneType'", "Something there is None: does every function that you call return its value?"),
    ("AttributeError", "'list' object", "That is a list, which is no array yet: np.array makes one of it."),
    ("AttributeError", "'tuple' object", "That is a tuple, which has to be unpacked first: A, cache = …"),
    ("AttributeError", "module 'numpy'", "NumPy has no function of this name: is it misspelt?"),
    ("AttributeError", "", "That value has nothing of this name: is it misspelt, or is it another kind of value than"
     " you expect?"),
    ("ValueError", "truth value", "A question about an array has one answer per entry; `if` and max() take only one."),
    ("ValueError", "to unpack", "There are not as many names on the left as there are values on the right."),
    ("ValueError", "inhomogeneous", "A tuple or a list stands where an array is needed: unpack it first."),
    ("ValueError", "broadcast", "Entry by entry (+ - * /) these shapes do not fit; the product of matrices is @."),
    ("ValueError", "aligned", "In a product the left factor needs as many columns as the right one has rows."),
    ("ValueError", "mismatch in its core dimension", "In a product the left factor needs as many columns as the right"
     " one has rows."),
    ("ValueError", "cannot reshape", "reshape keeps the number of entries: take the sizes from the array's own shape."),
    ("RecursionError", "", "The function calls itself again and again."),
    ("ZeroDivisionError", "", "A divisor is 0: where does it come from?"),
    ("SystemExit", "", "exit() and quit() end the kernel: leave them out."),
)  # fmt: skip


def meaning(names, message, line=""):
    """What an exception means; "" if that is not known.

    ``names``: the names of its class and of those that it inherits from; ``line``: the line of the function under test
    at which it was raised.
    """
    if "NameError" in names and (result := _unset_result(message, line)):
        return f"{result} is to be returned, and no line above sets it: is a line missing, or is the name misspelt?"
    return next((words for name, part, words in _MEANINGS if name in names and part in message), "")


def _unset_result(message, line):
    """The name that a line which was handed out returns, and that has no value; else ""."""
    found = _UNSET_RESULT.search(message)
    if not found or not line.startswith("return ") or hasattr(builtins, found["name"]):
        return ""
    return found["name"] if re.search(rf"\b{found['name']}\b", line) else ""


def class_names(error):
    """The names of an exception's class and of those that it inherits from, the most specific first."""
    return tuple(one.__name__ for one in type(error).__mro__)
