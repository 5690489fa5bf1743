"""Processes in the control groups of two containers, recorded as containers.scap.gz: the README beside it says how.

No runtime starts them: what one does before the container's own program runs is much, and newer than sysdig 0.29.3.
"""

import json
import os
import socket
import threading
import time
from pathlib import Path

WEB = """
import socket, threading
server = socket.create_server(("127.0.0.1", 8092))
def serve():
    for _ in range(3):
        other, _ = server.accept()
        other.recv(100); other.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok"); other.close()
thread = threading.Thread(target=serve); thread.start()
for number in range(3):
    client = socket.create_connection(("127.0.0.1", 8092))
    client.sendall(b"GET /page/%d HTTP/1.1\\r\\nHost: web\\r\\n\\r\\n" % number); client.recv(100); client.close()
thread.join()
"""
JOB = "cat /etc/hosts /etc/hosts | wc -c; cat /no/such/file; id -u; sleep 0.3"
COMMANDS = {"a1b2c3d4" * 8: ["python3", "-I", "-S", "-c", WEB], "0f1e2d3c" * 8: ["sh", "-c", JOB]}
"""By container id."""
GROUPS = Path("/sys/fs/cgroup/memory/docker")
NAMES = dict(zip(COMMANDS, ("shop-web", "shop-job"), strict=True))


def answer(server: socket.socket) -> None:
    """Say what the containers are called, as Docker would."""
    while True:
        client, _ = server.accept()
        asked = client.recv(2000).split(b" ")[1].decode().split("/")
        full = next((each for each in COMMANDS if len(asked) > 2 and each.startswith(asked[2])), None)
        told: dict[str, object] = {
            "Id": full,
            "Name": "/" + NAMES.get(full or "", ""),
            "Config": {"Image": "shop:1"},
            "Mounts": [],
        }
        body = json.dumps(told).encode()
        status = b"200 OK" if full else b"404 Not Found"
        head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        client.sendall(head % (status, len(body)) + body)
        client.close()


docker = socket.socket(socket.AF_UNIX)
docker.bind("docker.sock")
docker.listen()
threading.Thread(target=answer, args=(docker,), daemon=True).start()

for container, command in COMMANDS.items():
    group = GROUPS / container
    group.mkdir(parents=True)
    if (child := os.fork()) == 0:
        (group / "cgroup.procs").write_text(str(os.getpid()))
        # By the time the program runs its container was asked for.
        time.sleep(0.5)
        os.execvp(command[0], command)
    os.waitpid(child, 0)
    group.rmdir()
os.unlink("docker.sock")
