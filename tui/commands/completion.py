"""`tui completion`: what makes a shell complete commands, options, fields, views and chisels.

The scripts hold the options; names that a user may add to are asked for when they are needed.
"""

from __future__ import annotations

import argparse
import sys

from tui.cli import COMMANDS
from tui.declared import Command, Option, command
from tui.exit_codes import Exit

_SHELLS = ("bash", "zsh", "fish")
_FILES = ("FILE", "CAPTURE", "FOLDER")
_NAMES = {"VIEW": "views", "NAME [ARGS]": "chisels", "NAME": "chisels", "FILTER": "fields", "FORMAT": "fields",
          "SEARCH": "fields", "COLUMN": ""}  # fmt: skip
"""What the values of options are names of."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command's options."""
    parser = subparsers.add_parser(
        "completion",
        usage="tui completion bash | zsh | fish",
        description="Print what makes a shell complete the words of this program. For bash: "
        'eval "$(tui completion bash)" in ~/.bashrc; for zsh the same in ~/.zshrc; for fish: '
        "tui completion fish > ~/.config/fish/completions/tui.fish",
        allow_abbrev=False,
    )
    parser.add_argument("shell", metavar="SHELL", nargs="?", choices=_SHELLS, help="bash, zsh or fish")
    parser.add_argument("--names", choices=("fields", "views", "chisels"), help="print names, one a line")


def run(asked: argparse.Namespace) -> int:
    """Print; returns the exit status."""
    if asked.names:
        sys.stdout.write("".join(f"{name}\n" for name in _names(asked.names)))
        return Exit.OK
    if asked.shell is None:
        sys.stderr.write("tui completion: for which shell? bash, zsh or fish\n")
        return Exit.USAGE
    commands = [command(name) for name in ("", *COMMANDS)]
    sys.stdout.write({"bash": _bash, "zsh": _zsh, "fish": _fish}[asked.shell](commands))
    return Exit.OK


def _names(kind: str) -> list[str]:
    """Names of a kind that are plain words, and so harm no shell."""
    if kind == "views":
        from views import load as load_views

        found = list(load_views().views)
    elif kind == "chisels":
        from engine.chisels.library import load

        found = list(load().chisels)
    else:
        from engine.fields import FIELDS

        found = list(FIELDS)
    return [name for name in found if all(each.isalnum() or each in "._-" for each in name)]


def _values(option: Option) -> str:
    """What a shell is to offer: words, ``files``, or ``names KIND``; empty for nothing."""
    if option.choices:
        return " ".join(option.choices)
    if option.value in _FILES:
        return "files"
    kind = _NAMES.get(option.value, "")
    return f"names {kind}" if kind else ""


def _words(of: Command) -> str:
    return " ".join(name for option in of.options for name in option.names)


def _positional(of: Command) -> str:
    return next((values for option in of.options if not option.names and (values := _values(option))), "")


def _cases(commands: list[Command]) -> dict[str, str]:
    """What bash and zsh alike decide by: the words of a command, and what the value of an option is."""
    options, values = [], []
    for of in commands:
        name = of.name or "-"
        options.append(f"        {name}) options='{_words(of)}' rest='{_positional(of)}' ;;")
        for option in of.options:
            if option.names and option.value:
                pattern = "|".join(f"{name}:{each}" for each in option.names)
                values.append(f"        {pattern}) want='{_values(option) or 'none'}' ;;")
    return {"first": " ".join(COMMANDS), "options": "\n".join(options), "values": "\n".join(values)}


def _bash(commands: list[Command]) -> str:
    """A function for bash."""
    return _BASH.format(**_cases(commands))


def _zsh(commands: list[Command]) -> str:
    """The same for zsh."""
    return _ZSH.format(**_cases(commands))


_BASH = """\
_tui_words() {{
    local IFS=$'\\n' name=- word="${{COMP_WORDS[COMP_CWORD]}}" before="${{COMP_WORDS[COMP_CWORD-1]}}"
    local want='' options='' rest=''
    case " {first} " in
        *" ${{COMP_WORDS[1]}} "*) [ "$COMP_CWORD" -gt 1 ] && name="${{COMP_WORDS[1]}}" ;;
    esac
    case "$name" in
{options}
    esac
    case "$name:$before" in
{values}
    esac
    if [ -z "$want" ]; then
        case "$word" in
            -*) want="$options" ;;
            *) want="$rest"; [ "$COMP_CWORD" -eq 1 ] && want='{first}' ;;
        esac
    fi
    COMPREPLY=()
    case "$want" in
        none|'') ;;
        files) COMPREPLY=( $(compgen -f -- "$word") ) ;;
        names*)
            want="$("${{COMP_WORDS[0]}}" completion --names "${{want#names }}")"
            COMPREPLY=( $(compgen -W "$want" -- "$word") )
            ;;
        *) COMPREPLY=( $(compgen -W "${{want// /$'\\n'}}" -- "$word") ) ;;
    esac
}}
complete -o filenames -F _tui_words tui syscope
"""


_ZSH = """\
_tui_words() {{
    local name=- word="${{words[CURRENT]}}" before="${{words[CURRENT-1]}}" want='' options='' rest=''
    case " {first} " in
        *" ${{words[2]}} "*) (( CURRENT > 2 )) && name="${{words[2]}}" ;;
    esac
    case "$name" in
{options}
    esac
    case "$name:$before" in
{values}
    esac
    if [[ -z "$want" ]]; then
        case "$word" in
            -*) want="$options" ;;
            *) want="$rest"; (( CURRENT == 2 )) && want='{first}' ;;
        esac
    fi
    case "$want" in
        none|'') ;;
        files) _files ;;
        names*) want="$("${{words[1]}}" completion --names "${{want#names }}")"; compadd -- ${{(f)want}} ;;
        *) compadd -- ${{=want}} ;;
    esac
}}
(( $+functions[compdef] )) || {{ autoload -U compinit && compinit }}
compdef _tui_words tui syscope
"""


def _fish(commands: list[Command]) -> str:
    """A line for each option."""
    lines = [
        f"complete -c tui -n __fish_use_subcommand -f -a {name} -d {_quoted(what)}" for name, what in COMMANDS.items()
    ]
    for of in commands:
        when = "__fish_use_subcommand" if not of.name else f"'__fish_seen_subcommand_from {of.name}'"
        for option in of.options:
            values = _values(option)
            offered = (
                f"-a '(tui completion --names {values.removeprefix('names ')})'" if values.startswith("names ") else ""
            )
            if values == "files":
                offered = "-F"
            elif values and not offered:
                offered = f"-a {_quoted(values)}"
            flags = [f"-s {name[1:]}" if len(name) == 2 else f"-l {name[2:]}" for name in option.names]
            if not flags and not offered:
                continue
            takes = "-x" if option.names and option.value and offered != "-F" else "-r" if offered == "-F" else "-f"
            parts = ["complete -c tui", f"-n {when}", *flags, takes, offered, f"-d {_quoted(option.meaning)}"]
            lines.append(" ".join(part for part in parts if part))
    return "\n".join([*lines, "complete -c syscope -w tui", ""])


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
