"""A short recording of this machine for the stories no sample capture tells: `python -m tests.demo.recorded FILE`.

Needs to be allowed to watch the machine. A script keeps a processor busy, fetches from a server under the name of a
foreign host, reads a secret over and over, and starts a container in which somebody tries one port after the other.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.demo.terminal import ROOT
from tests.engine.sources.runtimes import servers

HOST_FOLDERS = ("/bin", "/usr", "/lib", "/lib64", "/etc/alternatives")
SERVER = """import http.server, threading
server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
open("port", "w").write(str(server.server_port))
server.serve_forever()
"""
SPIN = """import time
end = time.monotonic() + 2
while time.monotonic() < end:
    sum(range(1000))
"""
SCAN = """for port in $(seq 1 300); do : > /dev/tcp/127.0.0.8/$port; done 2> /dev/null"""
UPDATE = """for turn in 1 2 3; do
    wget -q -O /dev/null --header "Host: api.twilio.com" "http://127.0.0.1:$(cat port)/" || true
    cat secret.txt > /dev/null
    sleep 0.2
done
"""
SCENE = """{python} server.py 2> /dev/null &
server=$!
{python} spin.py &
while [ ! -s port ]; do sleep 0.05; done
sh update.sh
runc run -b bundle {container} || true
sleep 1
kill $server
"""


def possible() -> bool:
    """True where it can be recorded."""
    return os.geteuid() == 0 and all(map(shutil.which, ("runc", "wget", "bash")))


def record(capture: Path) -> None:
    """Let it happen, and record it, readable for sysdig 0.29.3 too. Raises CalledProcessError when it cannot."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        texts = {"server.py": SERVER, "spin.py": SPIN, "update.sh": UPDATE, "secret.txt": "helloworld\n"}
        for file, text in texts.items():
            (folder / file).write_text(text)
        container = secrets.token_hex(32)
        _bundle(folder / "bundle", container)
        command = [sys.executable, "-m", "tui.cli", "record", "-w", str(capture.resolve()), "-s", "200"]
        scene = SCENE.format(container=container, python=sys.executable)
        told = servers.DOCKER_CONTAINER | {"Id": container, "Name": "/scanner"}
        with servers.serving(folder / "s", servers.docker({f"/containers/{container[:12]}/json": told})) as runtime:
            subprocess.run(
                [*command, "--compat", "0.29", "--", "sh", "-c", scene], cwd=folder, check=True, capture_output=True,
                env=os.environ | {"PYTHONPATH": str(ROOT), "DOCKER_HOST": f"unix://{runtime}"}, timeout=120,
            )  # fmt: skip


def _bundle(bundle: Path, container: str) -> None:
    """What runc wants to know: a root that borrows the host's programs, and what is done in it."""
    root = bundle / "root"
    there = [folder for folder in HOST_FOLDERS if Path(folder).exists()]
    for folder in (*there, "/proc"):
        (root / folder[1:]).mkdir(parents=True, exist_ok=True)
    mounts = [{"destination": each, "type": "none", "source": each, "options": ["rbind", "ro"]} for each in there]
    config = {
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": 0, "gid": 0}, "args": ["bash", "-c", SCAN], "env": ["PATH=/usr/bin:/bin"], "cwd": "/"
        },
        "root": {"path": str(root), "readonly": True},
        "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}, *mounts],
        "linux": {
            "namespaces": [{"type": kind} for kind in ("pid", "mount", "ipc", "uts")],
            "cgroupsPath": f"/docker/{container}",
        },
    }  # fmt: skip
    (bundle / "config.json").write_text(json.dumps(config))


if __name__ == "__main__":
    record(Path(sys.argv[1]))
