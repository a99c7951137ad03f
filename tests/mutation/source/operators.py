"""Single-line mutants of a Python file: what each operator puts in the place of which text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

_COMPARED = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),  # codespell:ignore
}
_COMPUTED = {ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "/"), ast.Div: ("/", "*")}
_JOINED = {ast.And: ("and", "or"), ast.Or: ("or", "and")}
_SWAPPED = {"min": "max", "max": "min", "any": "all", "all": "any"}


@dataclass(frozen=True, order=True)
class Mutation:
    """A file's text from `start` to `end` (in bytes) replaced by `after`; `line` counts from 1."""

    path: str
    line: int
    start: int
    end: int
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {' '.join(self.before.split())!r} -> {self.after!r}"

    def applied(self, source: str) -> str:
        """The file with the mutant in it."""
        data = source.encode()
        return (data[: self.start] + self.after.encode() + data[self.end :]).decode()


def mutations(path: str, source: str) -> list[Mutation]:
    """All mutants of the file, in its order; neither annotations, decorators nor texts are changed."""
    file = _File(path, source)
    return sorted({mutation for node in _code(ast.parse(source)) for mutation in _of(file, node)})


def _code(node: ast.AST) -> Iterator[ast.AST]:
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "bases", "keywords" if _is_class(node) else ""):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield child
                yield from _code(child)


def _is_class(node: ast.AST) -> bool:
    return isinstance(node, ast.ClassDef)


class _File:
    """A file's bytes, and where its nodes are in them."""

    def __init__(self, path: str, source: str) -> None:
        self.path = path
        self.data = source.encode()
        self.lines = [0, *(match.end() for match in re.finditer(b"\n", self.data))]

    def span(self, node: ast.AST) -> tuple[int, int]:
        """The node's first byte, and the one after its last."""
        place: dict[str, int] = vars(node)
        start = self.lines[place["lineno"] - 1] + place["col_offset"]
        return start, self.lines[place["end_lineno"] - 1] + place["end_col_offset"]

    def text(self, node: ast.AST) -> str:
        """The node as it is written."""
        start, end = self.span(node)
        return self.data[start:end].decode()

    def replaced(self, node: ast.AST, after: str) -> Mutation:
        """A mutant with other text for a node."""
        return self.between(*self.span(node), after)

    def between(self, start: int, end: int, after: str) -> Mutation:
        """A mutant with other text for some bytes."""
        line = self.data.count(b"\n", 0, start) + 1
        return Mutation(self.path, line, start, end, self.data[start:end].decode(), after)

    def operator(self, left: ast.AST, right: ast.AST, before: str, after: str) -> Iterator[Mutation]:
        """A mutant with another operator between two nodes."""
        start, end = self.span(left)[1], self.span(right)[0]
        word = rb"\s+".join(re.escape(part).encode() for part in before.split())
        if match := re.search(word, self.data[start:end]):
            yield self.between(start + match.start(), start + match.end(), after)


def _of(file: _File, node: ast.AST) -> Iterator[Mutation]:
    yield from _operators(file, node)
    yield from _values(file, node)
    yield from _statements(file, node)


def _operators(file: _File, node: ast.AST) -> Iterator[Mutation]:
    match node:
        case ast.Compare(left=left, ops=ops, comparators=rights):
            for one, op, other in zip([left, *rights], ops, rights, strict=False):
                yield from file.operator(one, other, *_COMPARED[type(op)])
        case ast.BoolOp(op=op, values=values):
            for one, other in pairwise(values):
                yield from file.operator(one, other, *_JOINED[type(op)])
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _COMPUTED and not _texts(left, right):
            yield from file.operator(left, right, *_COMPUTED[type(op)])
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield file.replaced(node, file.text(operand))


def _texts(*nodes: ast.AST) -> bool:
    return any(
        isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
        for node in nodes
    )


def _values(file: _File, node: ast.AST) -> Iterator[Mutation]:
    match node:
        case ast.Constant(value=bool() as value):
            yield file.replaced(node, str(not value))
        case ast.Constant(value=int() | float() as value):
            yield file.replaced(node, str(value + 1))
        case ast.Call(func=ast.Name(id=name) as function) if name in _SWAPPED:
            yield file.replaced(function, _SWAPPED[name])
        case ast.Call(func=ast.Name(id="replace"), keywords=keywords) if len(keywords) > 1:
            for keyword in keywords:
                yield _without(file, keyword)
        case ast.IfExp(test=test, body=body, orelse=other):
            swapped = f"{file.text(other)} if {file.text(test)} else {file.text(body)}"
            yield file.replaced(node, swapped)


def _without(file: _File, keyword: ast.keyword) -> Mutation:
    start, end = file.span(keyword)
    comma = re.compile(rb",\s*").match(file.data, end)
    return file.between(start, comma.end() if comma else end, "")


def _statements(file: _File, node: ast.AST) -> Iterator[Mutation]:
    match node:
        case ast.If(test=test) | ast.While(test=test):
            yield file.replaced(test, f"not ({file.text(test)})")
        case ast.Return(value=ast.AST() as value) if not (isinstance(value, ast.Constant) and value.value is None):
            yield file.replaced(value, "None")
        case ast.Expr(value=ast.Call() as call):
            yield file.replaced(call, "...")
