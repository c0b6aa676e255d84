"""Warm-up: work shared by all submissions, which a sandbox does once before the first fork."""

import ast
from pathlib import Path

from nbformat import NotebookNode

from coursekit.model import notebooks
from coursekit.sandbox.fork_server import WarmUpCall


def calls(source: NotebookNode, files: dict[str, Path]) -> list[WarmUpCall]:
    """The warm-up calls of a source notebook: locked cells that only call a function of ``files`` with literals."""
    modules = {name.removesuffix(".py") for name in files if name.endswith(".py") and "/" not in name}
    trees = [
        tree
        for cell in source.cells
        if cell.cell_type == "code" and not notebooks.grader_metadata(cell)
        if (tree := notebooks.parsed(cell.source)) is not None
    ]
    imported = {
        name.asname or name.name: (node.module, name.name)
        for tree in trees
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module in modules
        for name in node.names
    }
    found = []
    for tree in trees:
        match tree.body:
            case [ast.Expr(ast.Call(ast.Name(name), args, keywords))] if name in imported:
                try:
                    given = [ast.literal_eval(arg) for arg in args]
                    named = {one.arg: ast.literal_eval(one.value) for one in keywords if one.arg}
                except ValueError:
                    continue
                found.append((*imported[name], given, named))
    return found
