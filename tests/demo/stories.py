"""The stories of the product, each declared once: a question, and the keys that answer it here and in csysdig.

Declarations only; ``tests.demo.stories_page`` plays them and writes the table of the documentation, the tests play
them and hold the program to the answers. The last text of a story is its answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Step = tuple[Sequence[str], str]
"""Keys, as tmux names them, and what the screen then shows: a regular expression."""


Steps = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class File:
    """A file that is written by hand before the program is started; each of its characters is a key."""

    path: str
    """Below the folder the program is started in; ``config`` there is ``$XDG_CONFIG_HOME``."""
    text: str


@dataclass(frozen=True, slots=True)
class Sitting:
    """One run of a program on a capture."""

    steps: Steps
    files: tuple[File, ...] = ()


@dataclass(frozen=True, slots=True)
class Story:
    """A question, and how it is answered."""

    number: int
    """In the list of stories."""
    question: str
    captures: tuple[str, ...]
    """Names of shared captures, or of a recording of ``tests.demo.recorded``; one sitting is for each."""
    ours: tuple[Sitting, ...]
    theirs: tuple[Sitting, ...] = ()
    """In csysdig, to the answer or as near as one comes; none where it cannot even begin."""
    short: str = ""
    """What csysdig's last screen lacks; "" where it is the same answer."""

    @property
    def name(self) -> str:
        """For people who choose one."""
        return f"{self.number}-{self.captures[0].split('.')[0]}"


def typed(text: str) -> list[str]:
    """The keys of a text."""
    return ["Space" if character == " " else character for character in text]


def view(name: str, beginning: str) -> Step:
    """Choose a view by the beginning of its name."""
    return ["F2", *typed(beginning), "Enter"], rf"▸ {name}"


def filtered(text: str, shown: str) -> Step:
    """Narrow what is shown by a filter, which counts before it is accepted."""
    return ["f", *typed(text), "Enter"], shown


def their_view(name: str, *moves: str) -> Steps:
    """Choose a view of csysdig's list by arrows; it forgets keys pressed before the list is there."""
    return (["F2"], "Select View"), ([*moves, "Enter"], rf"Viewing: {name} [^\n]*\n[^\n]*\n(?!Select View)")


def up(times: int) -> list[str]:
    """From the end of csysdig's list."""
    return ["End", *["Up"] * times]


def down(times: int) -> list[str]:
    """From the beginning of csysdig's list."""
    return ["Home", *["Down"] * times]


def their_filter(text: str, shown: str) -> Steps:
    """Narrow what csysdig shows: its filter is typed behind what is there."""
    return (["F4"], "Text to match"), (["F2"], "Expression: evt"), ([*typed(f" and {text}"), "Enter"], shown)


def one(*steps: Step) -> tuple[Sitting, ...]:
    """All in one run."""
    return (Sitting(steps),)


OWN_VIEW = File(
    "config/syscope/views/refused.toml",
    """name = "Refused"
description = "Refused."
key = "proc.name"
filter = "evt.res=ECONNREFUSED"

[[columns]]
title = "TIMES"
field = "evt.count.exit"
width = 8
aggregation = "sum"
description = "Times."

[[columns]]
title = "PROC"
field = "proc.name"
width = 0
description = "Process."
""",
)
THEIR_VIEW = File(
    "chisels/v_refused.lua",
    """view_info = {
id = "refused",
name = "Refused",
description = "Refused.",
view_type = "table",
applies_to = {""},
filter = "evt.res=ECONNREFUSED",
use_defaults = true,
columns = {
{ name = "NA", field = "proc.name", is_key = true },
{ name = "TIMES", field = "evt.count", colsize = 8, aggregation = "SUM", is_sorting = true, description = "Times." },
{ name = "PROC", field = "proc.name", colsize = 0, description = "Process." }
}
}
""",
)
FOREIGN = "evt.buffer contains api.twilio.com"
READING = "proc.name=cat and evt.type=read and evt.buffer contains helloworld"
RULE = "evt.arg.name=/etc/shadow and evt.failed=true"
WEB, THIN, TINY = "502Error.scap", "mixed_thin.scap.gz", "tiny.scap"
BREACH = "breach"

STORIES = (
    Story(1, "what ran on a machine without a desktop, and who used the network", (BREACH,),
          one((["9"], r"▼NET.*\n(.*\n)?(.*\n)?.*wget.*Host: api\.twil")),
          one((["("], r"NET Command\n(.*\n)?(.*\n)?.*wget.*Host: api\.twil"))),
    Story(2, "who makes the calls of epoll_pwait", (WEB,),
          one(view("System Calls", "Sy"), (["Down", "Down"], r"▌.* epoll_pwait"), (["Enter"], r"▌.*haproxy -f")),
          one(*their_view("System Calls", *up(4)), (["Down", "Down", "Enter"], r'epoll_pwait"(.|\n)*haproxy -f'))),
    Story(3, "the epoll_pwait calls of the load balancer, one by one", (WEB,),
          one((["Enter"], "▸ Threads"), view("System Calls", "Sy"), (["Home"], "▌.* epoll_pwait"),
              (["d"], r"▌\d+ .*haproxy .* epoll_pwait")),
          one((["Enter"], "Viewing: Threads"), *their_view("System Calls", *up(4)),
              (["F6"], r"For: .*epoll_pwait(.|\n)*haproxy .* epoll_pwait"))),
    Story(4, "two suspects at once, what do both do", (WEB,),
          one(filtered("proc.name in (haproxy, python)", r"▌.*haproxy -f.*\n.*python /server.py(.|\n)*1/2 ")),
          one(*their_filter("proc.name in (haproxy, python)", r"haproxy -f.*\n.*python /server.py(.|\n)*1/2\("))),
    Story(5, "who scans the network", (THIN,),
          one(view("System Calls", "Sy"), (["/", *"connect", "Enter"], r"▌.* connect"),
              (["Enter"], r"▌.*nmap -n -sT -p 1-1000")),
          one(*their_view("System Calls", *up(4)), (["/", *"connect"], "Text to match: connect"),
              (["Enter", "Enter"], r'For: evt.type="connect"(.|\n)*Command\n.*nmap -n -sT -p 1-1000'))),
    Story(5, "a container scans the network: which, and how", (BREACH,),
          one(view("Containers", "Co"), ([], "▌.*scanner"), (["Enter"], "▸ Processes"),
              view("System Calls", "Sy"), (["/", *"connect", "Enter"], r"▌.* connect"),
              (["Enter"], r"▌.*/dev/tcp/127\.0\.0\.8")),
          one(*their_view("Containers", *down(1)), ([], "scanner"), (["Enter"], "Viewing: Processes For: container.id"),
              *their_view("System Calls", *up(4)), (["/", *"connect"], "Text to match: connect"),
              (["Enter", "Enter"], r'evt.type="connect"(.|\n)*Command\n.*/dev/tcp/127\.0\.0\.8'))),
    Story(6, "what did nmap do, in one table", (THIN,),
          one((["/", *"nmap -n", "Enter"], r"▌.*nmap -n"), (["Enter"], "▸ Threads"),
              view("System Calls", "Sy"), (["Home"], r"▌.* \w+\n(.*\n)* .* connect\b")),
          one((["/", *"nmap -n", "Enter", "Enter"], "Viewing: Threads For: proc.pid=8757"),
              *their_view("System Calls", *up(4)), ([], r"System Calls For: proc.pid=8757(.|\n)* connect\b"))),
    Story(7, "what did the server say", (WEB,),
          one((["Down"], r"▌.*python /server.py"), (["e"], r"HTTP/1\.0 200 OK")),
          one((["Down"], "python /server.py"), (["F5"], r"HTTP/1\.0 200 OK"))),
    Story(8, "who sent these words, and who started that process", (WEB,),
          one(filtered('evt.buffer contains "502 Bad"', r"▌ 13969.*haproxy -f(.|\n)*1/1 "),
              (["d"], "▌.*502 Bad Gateway"), (["Enter"], r"made by +dockercloud-hap")),
          one((["F4"], "Text to match"), (["F2"], "Expression: evt"),
              ([*["BSpace"] * 16, *typed('evt.buffer contains "502 Bad"'), "Enter"],
               r"13969 +13924.*haproxy -f(.|\n)*1/1\("),
              (["F4"], "Expression: evt"),
              ([*typed(" or proc.pid=13924"), "Enter"], r"\n 13924 .*dockercloud-haproxy"))),
    Story(8, "what talks to api.twilio.com, and who started it", (BREACH,),
          one(filtered(FOREIGN, r" (\d+) +\d+ .*sh update\.sh\n(.*\n)* *\d+ +\1 .*wget")),
          one(*their_filter(FOREIGN, r" (\d+) +\d+ .*sh update\.sh\n(.*\n)* *\d+ +\1 .*wget"))),
    Story(9, "who reads the file with these words in it", (BREACH,),
          one(filtered(READING, r"▌.*cat secret\.txt")),
          one(*their_filter(READING, r"Command\n.*cat secret\.txt"))),
    Story(9, "who touched /usr/bin/zz, and as which user", (THIN,),
          one(view("Spy Users", "Spy U"), (["/", *typed("touch /u")], r"www-data +8818 .+touch /usr/bin/zz")),
          one(*their_view("Spy Users", *up(5)), ([], "1/193"),
              (["/", *typed("touch /u")], r"www-data +8818 touch /usr/bin/zz"))),
    Story(10, "which file was read most", (TINY,),
          one(view("Files", "Fi"), (["1"], r"▼BYTES IN.*\n▌ +84K.*enum\.cpython-311\.pyc")),
          one(*their_view("Files", *down(6)), (["!"], r"BYTES IN.*\n +84K.*enum\.cpython-311\.pyc"))),
    Story(11, "who talks to whom in the container of the load balancer", (WEB,),
          one(view("Containers", "Co"), (["Enter"], r"▸ Processes(.|\n)*▌.*haproxy -f"),
              view("Connections", "Conn"), ([], r"▌.*192\.168\.0\.3 +\d+ +192\.168\.0\.2 +80")),
          one(*their_view("Containers", *down(1)), (["Enter"], r"Viewing: Processes For: container.id"),
              *their_view("Connections", "Home"), (["e"], r"192\.168\.0\.3:\d+->192\.168\.0\.2:80")),
          short="addresses in the table: IPv4 is shown as IPv6; one connection at a time is read right in its echo"),
    Story(12, "my own table: whose connections are refused", (TINY,),
          (Sitting((view("Refused", "R"), ([], r"▌ +1 bash")), (OWN_VIEW,)),),
          (Sitting((*their_view("Refused", *["Down"] * 4), ([], r"TIMES PROC\n +\d bash")), (THEIR_VIEW,)),)),
    Story(13, "who became another user, what was tried as that user; keep the evidence", (THIN,),
          one((["o"], r"sudo and su +2(.|\n)*System files modified +1(.|\n)*System calls +104,724"),
              (["Right", "Right", "Down", "Enter"], r"su -s /bin/sh www-data"),
              (["BSpace", "BSpace"], r"▌.*bash"), filtered("user.name=www-data", r"▌.*www-data"),
              view("File Integrity", "FF"), ([], r"EACCES +www-data .*touch .*/usr/bin/zz"),
              (["B", *"zz", "Enter"], "Kept: zz"), (["E", "Enter"], r"Saved \d+ rows")),
          one(*their_filter("user.name=www-data", r"Command\n.*www-data"), (["F6"], "sysdig output"),
              (["C-f", *"=/usr/bin/z", "Enter", "F3"], r"touch .*EACCES.*/usr/bin/zz")),
          short="nothing says where to look; nothing is kept: no bookmark, no export"),
    Story(14, "which file I/O was slowest", (THIN,),
          one(view("Slow File I/O", "Sl"), (["Home"], r"▌.*27ms +/usr/lib/llvm-14")),
          one(*their_view("Slow File I/O", *["Down"] * 5), ([], r"27ms.*/usr/lib/llvm-14"))),
    Story(15, "does a rule catch the attack, and nothing where there was none", (THIN, TINY),
          (Sitting(((["f", *typed(RULE)], r"keeps 3 of"),)), Sitting(((["f", *typed(RULE)], r"keeps (0|no)"),))),
          (Sitting((*their_filter(RULE, r"Filter: .* and evt.failed=true"), (["F6"], r"/3\("))),
           Sitting(their_filter(RULE, "No Data For This View")))),
    Story(16, "who answered 502, to which request, and what did the server behind say", (WEB,),
          one((["e"], "▌"), (["/", *"502 B"],
               r"GET /foo(.|\n)*from 192\.168\.0\.3:\d+->192\.168\.0\.2:80(.|\n)*HTTP/1\.0 502 Bad")),
          one((["e"], "I/O activity"), (["C-f", *"502 B", "Enter"], "502 Bad"),
              (["PgUp"], r"GET /foo(.|\n)*from 192\.168\.0\.3:\d+->192\.168\.0\.2:80(.|\n)*Write 204B"))),
)  # fmt: skip
