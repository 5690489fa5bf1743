"""What the grammar reads, how it prints, and where it stops."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.filters import FilterError, parse, quote
from engine.filters.parser import MAX_LENGTH, MAX_NESTING
from engine.filters.syntax import And, Comparison, Exists, Expression, FieldName, Name, Not, Or, Text, Transform, Values
from tests.engine.filters.trees import trees


def check(name: str) -> Exists:
    return Exists(FieldName(name))


A, B, C = check("a.a"), check("b.b"), check("c.c")


def compared(text: str) -> Comparison:
    tree = parse(text)
    assert isinstance(tree, Comparison)
    return tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a.a exists or b.b exists and c.c exists", Or((A, And((B, C))))),
        ("(a.a exists or b.b exists) and c.c exists", And((Or((A, B)), C))),
        ("not a.a exists and b.b exists", And((Not(A), B))),
        ("not(a.a exists and b.b exists)", Not(And((A, B)))),
        ("not not not a.a exists", Not(A)),
        ("not (not a.a exists)", A),
        ("a.a exists or(b.b exists)", Or((A, B))),
        ("(a.a exists)and(b.b exists)", And((A, B))),
        (" \t\r\n\b a.a\nexists ", A),
        ("a.a exists or b.b exists or c.c exists", Or((A, B, C))),
        ("a.a exists or (b.b exists or c.c exists)", Or((A, Or((B, C))))),
        ("a_macro and not other", And((Name("a_macro"), Not(Name("other"))))),
        ("notify.me exists", check("notify.me")),
    ],
)
def test_structure(text: str, tree: Expression) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "operator", "value"),
    [
        ("a.b=x", "=", b"x"),
        ("a.b == x", "=", b"x"),
        ("evt.dir=<", "=", b"<"),
        ("evt.dir=>", "=", b">"),
        ("a.b!=''", "!=", b""),
        ("a.b>=-5", ">=", b"-5"),
        ("a.b < 1.5e+3", "<", b"1.5e+3"),
        ('a.b contains "x y"', "contains", b"x y"),
        ("a.b icontains X", "icontains", b"X"),
        ("a.b bcontains 474554", "bcontains", b"474554"),
        ("a.b startswith /etc", "startswith", b"/etc"),
        ("a.b bstartswith 47", "bstartswith", b"47"),
        ("a.b endswith .conf", "endswith", b".conf"),
        ("a.b glob /etc/*.[ch]", "glob", b"/etc/*.[ch]"),
        ("a.b iglob *", "iglob", b"*"),
        ("a.b regex '.*(x|y)'", "regex", b".*(x|y)"),
        ("a.b = oneof", "=", b"oneof"),
        ("a.b = and", "=", b"and"),
        ("a.b = é", "=", "é".encode()),
    ],
)
def test_comparison_with_one_value(text: str, operator: str, value: bytes) -> None:
    assert parse(text) == Comparison(FieldName("a.b" if "a.b" in text else "evt.dir"), operator, Text(value))


@pytest.mark.parametrize(
    ("text", "operator", "values"),
    [
        ("a.b in (x, 'y z')", "in", (b"x", b"y z")),
        ("a.b in(x,y)", "in", (b"x", b"y")),
        ("a.b intersects ( x )", "intersects", (b"x",)),
        ("a.b pmatch (/etc, /usr/*)", "pmatch", (b"/etc", b"/usr/*")),
        ("a.b in ()", "in", ()),
    ],
)
def test_comparison_with_a_list(text: str, operator: str, values: tuple[bytes, ...]) -> None:
    assert parse(text) == Comparison(FieldName("a.b"), operator, Values(tuple(map(Text, values))))


@pytest.mark.parametrize("quantifier", ["oneof", "anyof", "allof"])
def test_a_quantifier_takes_a_list(quantifier: str) -> None:
    tree = compared(f"a.b contains {quantifier} (x, y)")
    assert (tree.operator, tree.quantifier, tree.right) == ("contains", quantifier, Values((Text(b"x"), Text(b"y"))))


@pytest.mark.parametrize(
    ("written", "field"),
    [
        ("evt.arg.fd", FieldName("evt.arg.fd")),
        ("evt.arg[0]", FieldName("evt.arg", "0")),
        ("evt.type.is.2", FieldName("evt.type.is.2")),
        ("proc.env[ PATH ]", FieldName("proc.env", "PATH")),
        ("container.mount[/a/*]", FieldName("container.mount", "/a/*")),
        ("k8s.pod.label['a b']", FieldName("k8s.pod.label", "a b")),
    ],
)
def test_arguments_of_fields(written: str, field: FieldName) -> None:
    assert parse(f"{written} exists") == Exists(field)


def test_transformers_nest_and_stand_on_both_sides() -> None:
    left = Transform("len", (Transform("basename", (FieldName("fd.name"),)),))
    assert parse("len(basename( fd.name )) >= val(proc.x)") == Comparison(
        left, ">=", Transform("val", (FieldName("proc.x"),))
    )
    assert compared("a.b in val(c.d)").right == Transform("val", (FieldName("c.d"),))
    assert str(parse('join("-",(a.b,c.d))=x')) == 'join("-", (a.b, c.d)) = x'
    assert compared("getopt(proc.args, 'x:')[x] = 1").left == Transform(
        "getopt", (FieldName("proc.args"), Text(b"x:")), "x"
    )


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (r'"\b\f\n\r\t\\\/"', b"\b\f\n\r\t\\/"),
        (r'"say \"hi\""', b'say "hi"'),
        (r"'it\'s'", b"it's"),
        (r"""'"'""", b'"'),
        (r'"\x41\xff\x00"', b"A\xff\x00"),
        (r'"a\ b"', b"a\\b"),
        (r'"C:\\"', b"C:\\"),
        ('"( ) , = \n"', b"( ) , = \n"),
        ('"é"', "é".encode()),
    ],
)
def test_quoted_text(written: str, value: bytes) -> None:
    assert compared(f"a.b = {written}").right == Text(value)


@pytest.mark.parametrize(
    ("text", "position", "expected"),
    [
        ("", 0, "a field"),
        ("  ", 2, "a field"),
        ("a.b", 3, "an operator"),
        ("a.b=", 4, "a value"),
        ("a.b contains a=b", 14, "end of the filter"),
        ("a.b=x y", 6, "end of the filter"),
        ("(a.b=x", 6, ")"),
        ("a.b=x)", 5, "end of the filter"),
        ("a.b in (x,", 10, "a value"),
        ("a.b in (x,)", 10, "a value"),
        ("a.b in (x y)", 10, ", or )"),
        ("a.b in x.y", 7, "a list"),
        ("a.b in 5", 7, "a list"),
        ('a.b="x', 4, "closing"),
        (r'a.b="\q"', 5, "\\n"),
        (r"""a.b="\'" """, 5, '\\"'),
        (r'a.b="\x4"', 5, "\\xHH"),
        ("a.b='\0'", 5, ""),
        ("a.b=x\0", 5, "end of the filter"),
        ('a.b contains"x"', 12, "a blank"),
        ("a.b contain x", 4, "an operator"),
        ("a.b CONTAINS x", 4, "an operator"),
        ("a.b not in (x)", 4, "an operator"),
        ("a.b = anyof (x", 14, ")"),
        ("a.b < anyof (x)", 12, "end of the filter"),
        ("a.b exists and", 14, "a field"),
        ("a.b exists and or", 15, "a field"),
        ("a.b exists AND b.c exists", 11, "and"),
        ("a.b[", 4, "an argument"),
        ("a.b[x exists", 6, "]"),
        ("a.b[] exists", 4, "an argument"),
        ("name=x", 0, "a field such as"),
        ("lower(a.b)=x", 0, ""),
        ("tolower(x)=x", 8, "quotes"),
        ("tolower(a.b", 11, ")"),
        ("a.b = foo(c.d)", 6, ""),
        ("a.b = \ud800", 6, "UTF-8"),
        ("x" * (MAX_LENGTH + 1), MAX_LENGTH, "at most"),
    ],
)
def test_errors_name_their_place_and_what_was_expected(text: str, position: int, expected: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text)
    assert caught.value.position == position
    assert expected in caught.value.expected
    assert f"at character {position + 1}: " in str(caught.value)


def test_errors_name_what_was_perhaps_meant() -> None:
    with pytest.raises(FilterError) as caught:
        parse("proc.name containz x")
    assert caught.value.near[0] == "contains"
    assert "did you mean contains" in str(caught.value)
    with pytest.raises(FilterError) as caught:
        parse("tolowr(a.b) = x")
    assert caught.value.near == ("tolower",)


@pytest.mark.parametrize(("opened", "closed"), [("(", ")"), ("not (", ")"), ("val(", ") = 1")])
def test_nesting_has_a_limit(opened: str, closed: str) -> None:
    def nested(levels: int) -> str:
        if opened == "val(":
            return opened * levels + "a.b" + ")" * levels + " = 1"
        return opened * levels + "a.b exists" + closed * levels

    assert str(parse(nested(MAX_NESTING)))
    with pytest.raises(FilterError, match="nested too deeply"):
        parse(nested(MAX_NESTING + 1))


def test_long_chains_are_not_nesting() -> None:
    tree = parse(" or ".join(["a.b exists"] * 4000))
    assert isinstance(tree, Or)
    assert len(tree.operands) == 4000
    assert parse("not " * 10_001 + "a.b exists") == Not(check("a.b"))


@given(trees)
@settings(max_examples=500, deadline=None)
def test_printed_trees_read_back_the_same(tree: Expression) -> None:
    assert parse(str(tree)) == tree


@given(st.binary())
def test_any_bytes_can_be_quoted(value: bytes) -> None:
    assert compared(f"a.b = {quote(value)}").right == Text(value)
    assert quote(value).isprintable()


@given(st.integers())
def test_numbers_are_quoted_as_themselves(value: int) -> None:
    assert quote(value) == str(value)


_PIECES = ["(", ")", " ", "and ", "or ", "not ", "=", "!=", "<", ",", "'", '"', "\\", "[", "]", "a.b", "in", "exists"]
_PIECES += ["contains ", "anyof ", "val(", "tolower(", "\\x4", "\0", "é", "\ud800", "proc.name", "1e9", "x"]


@given(st.text(max_size=60) | st.lists(st.sampled_from(_PIECES), max_size=40).map("".join))
@settings(max_examples=2000, deadline=None)
def test_any_text_is_a_tree_or_an_error_inside_it(text: str) -> None:
    try:
        tree = parse(text)
    except FilterError as error:
        assert 0 <= error.position <= len(text)
    else:
        assert parse(str(tree)) == tree
