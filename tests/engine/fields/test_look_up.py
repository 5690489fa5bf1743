"""Fields are found by name, with their arguments, and each declaration makes sense."""

from __future__ import annotations

import pytest

from engine.fields import FIELDS, UnknownField, look_up
from engine.fields.field import Argument, FieldType, Place
from engine.fields.unavailable import UNAVAILABLE
from engine.filters import compile  # noqa: A004


@pytest.mark.parametrize(
    ("name", "field", "argument"),
    [
        ("proc.name", "proc.name", None),
        ("evt.arg.fd", "evt.arg", "fd"),
        ("evt.arg[0]", "evt.arg", "0"),
        ("evt.arg[name]", "evt.arg", "name"),
        ("evt.type.is.3", "evt.type.is", "3"),
        ("evt.type", "evt.type", None),
        ("proc.aname[2]", "proc.aname", "2"),
        ("proc.aname", "proc.aname", None),
        ("thread.cgroup.cpuacct", "thread.cgroup", "cpuacct"),
        ("proc.env[HOME]", "proc.env", "HOME"),
        ("evt.around[1506127470000000000]", "evt.around", "1506127470000000000"),
        ("evt.buflen.file.in", "evt.buflen.file.in", None),
        ("container.label.io.kubernetes.pod.name", "container.label", "io.kubernetes.pod.name"),
    ],
)
def test_names_and_arguments(name: str, field: str, argument: str | None) -> None:
    assert look_up(name) == (FIELDS[field], argument)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("proc.nmae", "unknown field proc.nmae, did you mean proc.name"),
        ("", "unknown field "),
        ("fd.num[2]", "fd.num takes no argument"),
        ("fd.num.x", "unknown field fd.num.x"),
        ("evt.arg", "evt.arg needs an argument"),
        ("evt.arg[]", "expected an argument"),
        ("evt.arg[0", "no closing ]"),
        ("proc.aname[x]", "expected a whole number"),
        ("proc.aname[-1]", "expected a whole number"),
        ("proc.aname[²]", "expected a whole number"),
    ],
)
def test_what_is_no_field_says_why(name: str, message: str) -> None:
    with pytest.raises(UnknownField, match=r".") as caught:
        look_up(name)
    assert message in str(caught.value)


def test_near_names_are_offered_best_first() -> None:
    with pytest.raises(UnknownField) as caught:
        look_up("fd.nmae")
    assert caught.value.near[0] == "fd.name"


def test_text_made_of_codes_has_words_and_only_that() -> None:
    for field in FIELDS.values():
        assert (field.words is not None) == (field.place is Place.EVENT and field.type is FieldType.TEXT), field.name


def test_every_field_has_a_meaning_of_one_line() -> None:
    for field in FIELDS.values():
        assert field.meaning and "\n" not in field.meaning, field.name


def test_arguments_say_what_they_are_and_how_to_give_them() -> None:
    for field in FIELDS.values():
        assert bool(field.takes) == (field.argument is not Argument.NONE), field.name
        if field.argument is Argument.REQUIRED:
            assert field.example, field.name


@pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if field.example])
def test_examples_are_filters_about_their_field(name: str) -> None:
    compile(FIELDS[name].example)
    assert name in FIELDS[name].example


def test_a_field_is_either_there_or_not() -> None:
    assert not FIELDS.keys() & UNAVAILABLE.keys()
    with pytest.raises(UnknownField, match="not available: Mesos is not asked"):
        look_up("mesos.task.name")
