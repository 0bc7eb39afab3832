"""The operators of code mutants: small changes of a Python source, made by what the grammar says and by no rule.

Text that is written for people is left as it is: docstrings, sentences, what an exception or a problem response says.
So are annotations, imports, decorators and the labels of random streams (``ids.child("customers")``), of which no
behaviour depends.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, ParentNodeProvider, PositionProvider

OPERATORS = (
    "comparison",
    "boundary",
    "boolean",
    "constant",
    "string-case",
    "arithmetic",
    "slice",
    "swallowed-exception",
    "dropped-statement",
    "dropped-call",
    "swapped-argument",
    "early-return",
    "changed-default",
)
"""The names of the operators; a change that two of them make counts for the first."""

_SAYS_SOMETHING = re.compile(r"[A-Za-z'][,.:]? [A-Za-z']")
_TEXTS = {"Refused": 1, "problem": 1, "WrongEntry": 0, "BodyRejected": 0, "AddressRefused": 0}
"""What is called with a text for people, and the place of that argument."""
_COMPARISONS = {
    cst.Equal: "!=",
    cst.NotEqual: "==",
    cst.LessThan: ">=",
    cst.LessThanEqual: ">",
    cst.GreaterThan: "<=",
    cst.GreaterThanEqual: "<",
    cst.In: "not in",
    cst.NotIn: "in",
    cst.Is: "is not",
    cst.IsNot: "is",
}
_BOUNDARIES = {cst.LessThan: "<=", cst.LessThanEqual: "<", cst.GreaterThan: ">=", cst.GreaterThanEqual: ">"}
_ARITHMETIC = {
    cst.Add: "-",
    cst.Subtract: "+",
    cst.Multiply: "/",
    cst.Divide: "*",
    cst.FloorDivide: "*",
    cst.Modulo: "*",
    cst.Power: "*",
    cst.BitAnd: "|",
    cst.BitOr: "&",
    cst.LeftShift: ">>",
    cst.RightShift: "<<",
}
_FEW_ARGUMENTS = 2
_LONGEST_LINE = 160


@dataclass(frozen=True)
class Edit:
    """One change of a source.

    Args:
        operator: The name of the operator that makes it.
        function: The function or class that it is in, as in a qualified name; ``<module>`` for none.
        number: Which it is of those with this operator in this function, from 1 on.
        lines: The first and the last line of what is changed, from 1 on.
        executes: The lines of which one is executed whenever the change has an effect; none if that is as the module
            is imported.
        names: What is defined by the change, if it takes effect as the module is imported.
        start: Where the text to be replaced begins, in characters.
        end: Where it ends.
        text: What takes its place.
    """

    operator: str
    function: str
    number: int
    lines: tuple[int, int]
    executes: tuple[int, int] | None
    names: tuple[str, ...]
    start: int
    end: int
    text: str

    def applied(self, source: str) -> str:
        """The source with this change."""
        return source[: self.start] + self.text + source[self.end :]

    def told(self, source: str) -> str:
        """The change for people: the line in which it is, before and after."""
        begin, end = source.rfind("\n", 0, self.start) + 1, source.find("\n", self.end)
        head, tail = source[begin : self.start], source[self.end : len(source) if end < 0 else end]
        return " → ".join(_shortened(head + text + tail) for text in (source[self.start : self.end], self.text))


def edits(source: str) -> list[Edit]:
    """Every change that the operators make of a source, in the order of their places.

    Args:
        source: The text of a Python module.
    """
    return edits_and_functions(source)[0]


def edits_and_functions(source: str) -> tuple[list[Edit], dict[str, str]]:
    """Every change of a source, and the text of each function and class.

    Args:
        source: The text of a Python module.

    Returns:
        The changes in the order of their places, and the texts by qualified name, that of the module as ``<module>``.
    """
    visitor = _Visitor(source)
    MetadataWrapper(cst.parse_module(source), unsafe_skip_copy=True).visit(visitor)
    numbers: Counter[tuple[str, str]] = Counter()
    found: dict[tuple[int, int, str], Edit] = {}
    for each in sorted(visitor.found, key=lambda each: (each.start, each.end, OPERATORS.index(each.operator))):
        same = (each.start, each.end, each.text)
        if same not in found and source[each.start : each.end] != each.text:
            numbers[each.function, each.operator] += 1
            found[same] = replace(each, number=numbers[each.function, each.operator])
    return list(found.values()), {"<module>": source, **visitor.sources}


class _Visitor(cst.CSTVisitor):
    """Gathers the changes of a module.

    Args:
        source: The text of the module.
    """

    METADATA_DEPENDENCIES = (PositionProvider, ParentNodeProvider)

    def __init__(self, source: str) -> None:
        super().__init__()
        self.found: list[Edit] = []
        self.sources: dict[str, str] = {}
        self._source = source
        self._starts = [0]
        for line in source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._scopes: list[str] = []
        self._bodies: list[tuple[int, int]] = []
        self._names: tuple[str, ...] = ()

    # ------------------------------------------------------------------------------------------------------ where it is

    def _range(self, node: cst.CSTNode) -> CodeRange:
        found: CodeRange = self.get_metadata(PositionProvider, node)
        return found

    def _span(self, node: cst.CSTNode) -> tuple[int, int]:
        found = self._range(node)
        return (
            self._starts[found.start.line - 1] + found.start.column,
            self._starts[found.end.line - 1] + found.end.column,
        )

    def _text(self, node: cst.CSTNode) -> str:
        start, end = self._span(node)
        return self._source[start:end]

    def _parent(self, node: cst.CSTNode) -> cst.CSTNode:
        found: cst.CSTNode = self.get_metadata(ParentNodeProvider, node)
        return found

    def _add(self, operator: str, node: cst.CSTNode, text: str, *, executes: tuple[int, int] | None = None) -> None:
        """Replace a node by a text."""
        where = self._range(node)
        lines = where.start.line, where.end.line
        self._insert(operator, self._span(node), text, lines, executes or (lines if self._bodies else None))

    def _insert(
        self,
        operator: str,
        span: tuple[int, int],
        text: str,
        lines: tuple[int, int],
        executes: tuple[int, int] | None,
    ) -> None:
        function = ".".join(self._scopes) or "<module>"
        self.found.append(Edit(operator, function, 0, lines, executes, self._names, *span, text))

    # -------------------------------------------------------------------------------------------- what is left as it is

    def visit_Annotation(self, _node: cst.Annotation) -> bool:
        return False

    def visit_Decorator(self, _node: cst.Decorator) -> bool:
        return False

    def visit_Import(self, _node: cst.Import) -> bool:
        return False

    def visit_ImportFrom(self, _node: cst.ImportFrom) -> bool:
        return False

    def visit_Expr(self, node: cst.Expr) -> bool:
        if isinstance(node.value, cst.SimpleString | cst.ConcatenatedString):
            return False  # a docstring
        if self._bodies and not isinstance(node.value, cst.Yield | cst.Ellipsis):
            self._drop(node)
        return True

    def visit_Arg(self, node: cst.Arg) -> bool:
        """Whether an argument is more than a text for people or a label."""
        call = self._parent(node)
        if not isinstance(call, cst.Call):
            return True
        place = call.args.index(node)
        return _called(call) != "child" and _TEXTS.get(_called(call)) != place

    # ------------------------------------------------------------------------------------------------------- the scopes

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        self._scopes.append(node.name.value)
        self.sources[".".join(self._scopes)] = self._text(node)

    def leave_ClassDef(self, _node: cst.ClassDef) -> None:
        self._scopes.pop()

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self._scopes.append(node.name.value)
        self.sources[".".join(self._scopes)] = self._text(node)
        self._bodies.append((self._range(node.body).start.line, self._range(node.body).end.line))
        self._early_returns(node)

    def leave_FunctionDef(self, _node: cst.FunctionDef) -> None:
        self._scopes.pop()
        self._bodies.pop()

    def visit_SimpleStatementLine(self, node: cst.SimpleStatementLine) -> None:
        if not self._bodies:
            self._names = tuple(_defined(node))

    def leave_SimpleStatementLine(self, _node: cst.SimpleStatementLine) -> None:
        if not self._bodies:
            self._names = ()

    def visit_Assign(self, node: cst.Assign) -> bool:
        targets = [each.target for each in node.targets]
        if self._bodies and not any(isinstance(target, cst.Name | cst.Tuple) for target in targets):
            self._drop(node)
        return not any(isinstance(target, cst.Name) and target.value == "__all__" for target in targets)

    # ---------------------------------------------------------------------------------------------------- the operators

    def visit_ComparisonTarget(self, node: cst.ComparisonTarget) -> None:
        for operator, replaced in (("comparison", _COMPARISONS), ("boundary", _BOUNDARIES)):
            text = next((text for kind, text in replaced.items() if isinstance(node.operator, kind)), None)
            if text:
                self._add(operator, node.operator, text)

    def visit_BooleanOperation(self, node: cst.BooleanOperation) -> None:
        self._add("boolean", node.operator, "or" if isinstance(node.operator, cst.And) else "and")
        whole = self._outer(node)
        for side in (node.left, node.right):
            self._add_over(whole, "boolean", self._whole_text(side))

    def visit_UnaryOperation(self, node: cst.UnaryOperation) -> None:
        if isinstance(node.operator, cst.Not):
            self._add("boolean", node, self._whole_text(node.expression))
        elif isinstance(node.operator, cst.Minus):
            self._add("arithmetic", node, self._whole_text(node.expression))

    def visit_If(self, node: cst.If) -> None:
        self._negate(node.test)
        if node.orelse is None and self._bodies:
            self._drop(node)

    def visit_IfExp(self, node: cst.IfExp) -> None:
        self._negate(node.test)

    def visit_CompIf(self, node: cst.CompIf) -> None:
        self._negate(node.test)

    def visit_While(self, node: cst.While) -> None:
        self._negate(node.test)

    def visit_Name(self, node: cst.Name) -> None:
        if node.value in {"True", "False"}:
            parent = self._parent(node)
            operator = "changed-default" if isinstance(parent, cst.Param) else "boolean"
            self._add(operator, node, "False" if node.value == "True" else "True", executes=self._of_default(parent))

    def visit_Integer(self, node: cst.Integer) -> None:
        parent = self._parent(node)
        operator = "changed-default" if isinstance(parent, cst.Param) else "constant"
        executes = self._of_default(parent)
        for value in dict.fromkeys((node.evaluated_value + 1, max(node.evaluated_value - 1, 0))):
            self._add(operator, node, str(value), executes=executes)

    def visit_Float(self, node: cst.Float) -> None:
        self._add("constant", node, repr(node.evaluated_value + 1))

    def visit_SimpleString(self, node: cst.SimpleString) -> None:
        value = node.evaluated_value
        parent = self._parent(node)
        text = value if isinstance(value, str) else value.decode("latin-1")
        if _SAYS_SOMETHING.search(text) or isinstance(parent, cst.ConcatenatedString):
            return
        executes = self._of_default(parent)
        prefix, quote = node.prefix, node.quote
        content = node.raw_value
        longer = f"{prefix}{quote}{content}x{quote}"
        self._add("changed-default" if isinstance(parent, cst.Param) else "constant", node, longer, executes=executes)
        if content.isalnum() or "\\" not in content:
            self._add("string-case", node, f"{prefix}{quote}{_other_case(content)}{quote}", executes=executes)

    def visit_FormattedStringText(self, node: cst.FormattedStringText) -> None:
        if not _SAYS_SOMETHING.search(node.value) and "\\" not in node.value:
            self._add("string-case", node, _other_case(node.value))

    def visit_BinaryOperation(self, node: cst.BinaryOperation) -> None:
        text = next((text for kind, text in _ARITHMETIC.items() if isinstance(node.operator, kind)), None)
        if text:
            self._add("arithmetic", node.operator, text)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        if isinstance(node.operator, cst.AddAssign | cst.SubtractAssign):
            self._add("arithmetic", node.operator, "-=" if isinstance(node.operator, cst.AddAssign) else "+=")
        self._drop(node)

    def visit_Slice(self, node: cst.Slice) -> None:
        for bound in (node.lower, node.upper):
            if bound is not None:
                self._add("slice", bound, "")

    def visit_Call(self, node: cst.Call) -> None:
        if isinstance(node.func, cst.Attribute) and not node.args:
            self._add("dropped-call", node, self._whole_text(node.func.value))
        plain = [arg for arg in node.args if arg.keyword is None and not arg.star]
        if len(plain) == len(node.args) == 1 and not isinstance(node.func, cst.Attribute) and _called(node) != "super":
            self._add("dropped-call", node, f"({self._text(plain[0].value)})")
        if len(plain) >= _FEW_ARGUMENTS and _called(node) not in _TEXTS:
            (start, first_end), (second_start, end) = self._outer(plain[0].value), self._outer(plain[1].value)
            between = self._source[first_end:second_start]
            where = self._range(node)
            lines = where.start.line, where.end.line
            text = f"{self._source[second_start:end]}{between}{self._source[start:first_end]}"
            self._insert("swapped-argument", (start, end), text, lines, lines if self._bodies else None)

    def visit_Raise(self, node: cst.Raise) -> None:
        self._drop(node)

    def visit_Del(self, node: cst.Del) -> None:
        self._drop(node)

    def visit_ExceptHandler(self, node: cst.ExceptHandler) -> None:
        first = node.body.body[0]
        if isinstance(node.body, cst.IndentedBlock) and self._text(node.body).strip() != "pass":
            span = self._span(first)[0], self._span(node.body.body[-1])[1]
            lines = self._range(first).start.line, self._range(node.body.body[-1]).end.line
            self._insert("swallowed-exception", span, "pass", lines, lines)

    # ------------------------------------------------------------------------------------------------------------ tools

    def _of_default(self, parent: cst.CSTNode) -> tuple[int, int] | None:
        """The lines that run where a default of a parameter counts; None for anything else."""
        return self._bodies[-1] if isinstance(parent, cst.Param) and self._bodies else None

    def _outer(self, node: cst.BaseExpression) -> tuple[int, int]:
        """Where an expression stands, with the parentheses round it."""
        start, end = self._span(node)
        for left, right in zip(reversed(node.lpar), node.rpar, strict=True):
            start, end = self._span(left)[0], self._span(right)[1]
        return start, end

    def _whole_text(self, node: cst.BaseExpression) -> str:
        start, end = self._outer(node)
        text = self._source[start:end]
        return f"({text})" if "\n" in text and not node.lpar else text

    def _add_over(self, span: tuple[int, int], operator: str, text: str) -> None:
        start, end = span
        lines = self._line(start), self._line(end)
        self._insert(operator, span, text, lines, lines if self._bodies else None)

    def _line(self, offset: int) -> int:
        return next(number for number, start in enumerate(self._starts) if start > offset)

    def _negate(self, test: cst.BaseExpression) -> None:
        if isinstance(test, cst.Comparison) or (
            isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not)
        ):
            return  # other operators have that
        self._add("boolean", test, f"not ({self._text(test)})")

    def _drop(self, node: cst.CSTNode) -> None:
        """Have a statement do nothing."""
        where = self._range(node)
        first = where.start.line, where.start.line
        self._insert("dropped-statement", self._span(node), "pass", (where.start.line, where.end.line), first)

    def _early_returns(self, node: cst.FunctionDef) -> None:
        """Have a function return before it does anything."""
        statements = list(node.body.body)
        if not isinstance(node.body, cst.IndentedBlock):
            return
        if _is_docstring(statements[0]):
            statements.pop(0)
        if not statements or _is_abstract(node):
            return
        where = self._range(statements[0])
        start, _ = self._span(statements[0])
        end = self._span(statements[-1])[1]
        lines = where.start.line, where.start.line
        replaced = self._source[start:end]
        for value in _early_values(node.returns):
            text = f"return {value}".strip()
            if replaced.strip() != text:
                self._insert("early-return", (start, end), text, lines, lines)


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}…"


def _called(call: cst.Call) -> str:
    """The last name of what is called."""
    if isinstance(call.func, cst.Attribute):
        return call.func.attr.value
    return call.func.value if isinstance(call.func, cst.Name) else ""


def _is_docstring(statement: cst.CSTNode) -> bool:
    return (
        isinstance(statement, cst.SimpleStatementLine)
        and isinstance(statement.body[0], cst.Expr)
        and isinstance(statement.body[0].value, cst.SimpleString | cst.ConcatenatedString)
    )


def _is_abstract(node: cst.FunctionDef) -> bool:
    names = {each.decorator.value for each in node.decorators if isinstance(each.decorator, cst.Name)}
    return "abstractmethod" in names


def _early_values(returns: cst.Annotation | None) -> Sequence[str]:
    """What a function returns that ends at once."""
    kind = returns.annotation.value if returns and isinstance(returns.annotation, cst.Name) else ""
    return {"bool": ("True", "False"), "str": ('""',), "int": ("0",), "None": ("",)}.get(kind, ("None",))


def _defined(line: cst.SimpleStatementLine) -> Iterator[str]:
    """The names that a statement of a module or a class gives a value."""
    for statement in line.body:
        targets: Sequence[cst.BaseExpression] = ()
        if isinstance(statement, cst.Assign):
            targets = [each.target for each in statement.targets]
        elif isinstance(statement, cst.AnnAssign):
            targets = [statement.target]
        for target in targets:
            elements = [each.value for each in target.elements] if isinstance(target, cst.Tuple) else [target]
            yield from (each.value for each in elements if isinstance(each, cst.Name))


def _other_case(text: str) -> str:
    """A text with its letters in the other case."""
    swap: Callable[[str], str] = str.lower if text.upper() == text else str.upper
    return swap(text)
