"""What the oracles are shown: one script that does a little of everything, in the folder it is given."""

from __future__ import annotations

SCRIPT = """
import ctypes, mmap, os, select, signal, socket, subprocess, sys, threading, time
place = sys.argv[1]
os.chdir(place)
libc = ctypes.CDLL(None)

def files():
    for number in range(20):
        path = f"f{number}"
        fd = os.open(path, os.O_CREAT | os.O_RDWR, 0o640)
        os.write(fd, b"x" * number)
        os.pwrite(fd, b"far", 100); os.pread(fd, 9, 98); os.writev(fd, [b"one", b"two"]); os.lseek(fd, 0, 0)
        os.readv(fd, [bytearray(3), bytearray(4)]); os.fsync(fd); os.fstat(fd)
        os.dup2(fd, 60); os.close(60); os.close(fd); os.rename(path, path + "r")
    os.mkdir("d"); os.symlink("f0r", "s"); os.link("f1r", "l"); os.chmod("f2r", 0o600); os.truncate("f3r", 5)
    fd = os.open("d", os.O_RDONLY)
    os.close(os.open("inside", os.O_CREAT | os.O_WRONLY, dir_fd=fd)); os.unlink("inside", dir_fd=fd); os.close(fd)
    for path in ("/no/such/file", "/no/such/directory/x"):
        try: os.open(path, os.O_RDONLY)
        except FileNotFoundError: pass
    fd = os.open("f4r", os.O_RDWR)
    mmap.mmap(fd, 100, mmap.MAP_SHARED)[:5]
    os.close(fd)
    os.getcwd(); os.umask(0o22); os.getpgrp(); os.stat("f5r"); os.access("f6r", os.R_OK)

def pipes():
    r, w = os.pipe()
    os.write(w, b"through a pipe"); os.read(r, 100)
    poll = select.poll(); poll.register(r, select.POLLIN); poll.poll(1)
    epoll = select.epoll(); epoll.register(r, select.EPOLLIN); epoll.poll(0.001); epoll.close()
    os.close(r); os.close(w)
    a, b = socket.socketpair(); a.send(b"one"); b.recv(9); a.close(); b.close()

def network(family, host):
    server = socket.socket(family); server.bind((host, 0)); server.listen()
    def serve():
        other, _ = server.accept()
        other.sendall(other.recv(1000).upper()); other.close()
    thread = threading.Thread(target=serve); thread.start()
    client = socket.create_connection(server.getsockname()[:2])
    client.sendall(b"hello over tcp" * 20); client.recv(1000); client.shutdown(socket.SHUT_RDWR); client.close()
    thread.join(); server.close()
    a, b = socket.socket(family, socket.SOCK_DGRAM), socket.socket(family, socket.SOCK_DGRAM)
    b.bind((host, 0)); a.sendto(b"datagram", b.getsockname()); b.recvfrom(100); a.close(); b.close()
    try: socket.create_connection((host, 1))
    except ConnectionRefusedError: pass

def local():
    server = socket.socket(socket.AF_UNIX); server.bind("socket"); server.listen()
    client = socket.socket(socket.AF_UNIX); client.connect("socket"); other, _ = server.accept()
    client.sendmsg([b"two ", b"parts"]); other.recvmsg(100)
    for end in (server, client, other): end.close()

def processes():
    if os.fork() == 0:
        try: os.execv("/no/such/program", ["x", "y"])
        except FileNotFoundError: os._exit(3)
    os.wait()
    subprocess.run(["/bin/sh", "-c", "cat f7r | wc -c; exit 4"], stdout=subprocess.DEVNULL)
    signal.signal(signal.SIGUSR1, lambda *_: None)
    os.kill(os.getpid(), signal.SIGUSR1)
    child = os.fork()
    while not child: time.sleep(1)
    os.kill(child, signal.SIGTERM); os.waitpid(child, 0)
    if os.fork() == 0:
        os.setgid(65534); os.setuid(65534); os.getuid(); os._exit(0)
    os.wait()

files(); pipes(); time.sleep(1.2)
network(socket.AF_INET, "127.0.0.1"); network(socket.AF_INET6, "::1")
local(); processes()
for path in os.listdir("."):
    os.rmdir(path) if os.path.isdir(path) else os.unlink(path)
"""
