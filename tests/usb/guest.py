"""A Linux in QEMU: starting and stopping it, plugging its USB devices (QMP), and a shell in it."""

import ctypes
import json
import pathlib
import queue
import re
import signal
import socket
import subprocess
import threading
import time

BOOT_S = 120     # under tcg, on a busy machine
ANSWER_S = 60    # of QEMU or of the guest's shell
END_MARK = "--end of the answer--"
PCI_PATH = "pci-0000:00:05.0-usb-0"  # the USB controller, as udev's by-path names call it


class GuestError(Exception):
    """The guest did not do what the test needs; the text says what."""


def end_with_parent():
    """Linux: the child is killed when the test is, however that happens."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def started(command, **options):
    return subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, preexec_fn=end_with_parent,
                            **options)


def ended(process, patience_s=10):
    """Ends a process that we started, by its id."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


def connected(path, deadline):
    while True:
        link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            link.connect(str(path))
            return link
        except OSError:
            link.close()
            if time.monotonic() > deadline:
                raise GuestError(f"nobody listens at {path}") from None
            time.sleep(0.05)


class Monitor:
    """QEMU's monitor (QMP). Any thread may call it; events are kept until somebody waits for them."""

    def __init__(self, path):
        self.link = connected(path, time.monotonic() + ANSWER_S)
        self.lines = self.link.makefile("r", encoding="utf-8")
        self.answers = queue.Queue()
        self.turn = threading.Lock()
        self.deleted = threading.Condition()
        self.deletions = {}
        json.loads(self.lines.readline())  # the greeting
        threading.Thread(target=self.read, daemon=True).start()
        self.execute("qmp_capabilities")

    def read(self):
        try:
            for line in self.lines:
                message = json.loads(line)
                if message.get("event") == "DEVICE_DELETED":
                    with self.deleted:
                        name = message["data"].get("device")
                        self.deletions[name] = self.deletions.get(name, 0) + 1
                        self.deleted.notify_all()
                elif "event" not in message:
                    self.answers.put(message)
        except (OSError, ValueError):
            pass  # QEMU ends

    def execute(self, command, **arguments):
        with self.turn:
            self.link.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
            try:
                answer = self.answers.get(timeout=ANSWER_S)
            except queue.Empty:
                raise GuestError(f"QEMU does not answer {command} {arguments}") from None
        if "error" in answer:
            raise GuestError(f"QEMU refuses {command} {arguments}: {answer['error']['desc']}")
        return answer["return"]

    def add(self, driver, name, **properties):
        self.execute("device_add", driver=driver, id=name, **properties)

    def delete(self, *names):
        """Returns when the devices have gone: only then their ids, chardevs and ports are free again."""
        before = {name: self.deletions.get(name, 0) for name in names}
        for name in names:
            self.execute("device_del", id=name)
        with self.deleted:
            if not self.deleted.wait_for(lambda: all(self.deletions.get(name, 0) > before[name] for name in names),
                                         ANSWER_S):
                raise GuestError(f"QEMU has not removed {names} after {ANSWER_S} s")


class Shell:
    """sh on the guest's second serial port. One command at a time, from any thread."""

    def __init__(self, path):
        self.link = connected(path, time.monotonic() + ANSWER_S)
        self.turn = threading.Lock()

    def run(self, command, patience_s=ANSWER_S):
        with self.turn:
            self.link.sendall(f"{command}\necho {END_MARK}\n".encode())
            deadline = time.monotonic() + patience_s
            said = b""
            while not said.endswith(f"{END_MARK}\n".encode()):
                self.link.settimeout(max(0.01, deadline - time.monotonic()))
                try:
                    piece = self.link.recv(65536)
                except TimeoutError:
                    raise GuestError(f"the guest does not end: {command}\n{said.decode(errors='replace')}") from None
                if not piece:
                    raise GuestError("the guest's shell has gone")
                said += piece
        return said.decode(errors="replace").removesuffix(f"{END_MARK}\n")


class Guest:
    """Owns QEMU. The directory `work` gets its sockets and logs: console.log and gateway.log."""

    def __init__(self, work, kernel, initramfs, chardevs, forwards):
        self.work = pathlib.Path(work)
        self.process = None
        network = "".join(f",hostfwd=tcp:127.0.0.1:{host}-:{inside}" for host, inside in forwards)
        self.command = [
            "qemu-system-x86_64", "-accel", "tcg", "-machine", "pc", "-smp", "2", "-m", "512", "-nodefaults",
            "-no-reboot", "-display", "none", "-kernel", kernel, "-initrd", initramfs,
            "-append", "console=ttyS0 panic=-1 mitigations=off",
            "-serial", f"file:{self.work}/console.log",
            "-serial", f"unix:{self.work}/shell.sock,server=on,wait=off",
            "-serial", f"file:{self.work}/gateway.log",
            "-qmp", f"unix:{self.work}/qmp.sock,server=on,wait=off",
            "-netdev", f"user,id=net{network}",
            "-device", "e1000,netdev=net,romfile=",
            "-device", "qemu-xhci,id=xhci,addr=5,p2=15,p3=15",
        ]
        for chardev in chardevs:
            self.command += ["-chardev", chardev]

    def start(self):
        with open(self.work / "qemu.log", "wb") as log:
            self.process = started(self.command, stdout=log, stderr=log)
        self.monitor = Monitor(self.work / "qmp.sock")
        self.wait_for(lambda: "guest: up" in self.console(), "the guest boots", BOOT_S)
        self.shell = Shell(self.work / "shell.sock")

    def stop(self):
        if self.process:
            ended(self.process)

    def let_in(self):
        """Somebody else may have the shell and the monitor from now on: each serves one at a time."""
        for link in (self.shell.link, self.monitor.link):
            link.shutdown(socket.SHUT_RDWR)

    def console(self):
        try:
            return (self.work / "console.log").read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def wait_for(self, condition, what, patience_s):
        """Returns the first true value of the condition."""
        deadline = time.monotonic() + patience_s
        while True:
            value = condition()
            if value:
                return value
            if self.process.poll() is not None:
                raise GuestError(f"QEMU ended {self.process.returncode} while waiting: {what}")
            if time.monotonic() > deadline:
                raise GuestError(f"not so after {patience_s} s: {what}")
            time.sleep(0.1)

    def by_path(self):
        """by-path names (what follows PCI_PATH) and the ttyUSB that each leads to now."""
        listed = self.shell.run("for l in /dev/serial/by-path/*; do echo $l $(readlink $l); done 2>/dev/null")
        pairs = [line.split() for line in listed.splitlines() if PCI_PATH in line and len(line.split()) == 2]
        return {name.rsplit("/", 1)[-1]: place.rsplit("/", 1)[-1] for name, place in pairs}

    def gateway_ports(self):
        """The serial ports that the gateway has open, one for each descriptor; and how many descriptors it has."""
        listed = self.shell.run("for f in /proc/$(cat /run/gateway.pid)/fd/*; do readlink $f; done")
        links = listed.split("\n")
        return sorted(link for link in links if "/dev/tty" in link), len([link for link in links if link])

    def gateway_cpu_s(self):
        fields = self.shell.run("cat /proc/$(cat /run/gateway.pid)/stat").rsplit(")", 1)[-1].split()
        return (int(fields[11]) + int(fields[12])) / 100  # utime and stime; Debian's USER_HZ is 100

    def uptime_s(self):
        return float(self.shell.run("cat /proc/uptime").split()[0])

    def attachments(self):
        """USB port (as the kernel calls it) and ttyUSB of each serial port that came up, by the kernel's own word."""
        return re.findall(r"usb (\S+): FTDI USB Serial Device converter now attached to (ttyUSB\d+)", self.console())
