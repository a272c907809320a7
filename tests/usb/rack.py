"""The simulated modules outside of the guest, and their USB plugs: a dfota-rack at the far ends of QEMU's chardevs, and
a plug for each module, which is pulled and put in again at each of its reboots, as a real module does it."""

import json
import pathlib
import queue
import subprocess
import threading
import time
import traceback

from guest import PCI_PATH, GuestError, ended, started

HUB = "hub"
HUB_PORT = "1"
RACK_S = 30    # until a rack stands
UNPLUG_S = 60  # until the guest has seen that something came or went


class Rack:
    """One dfota-rack. Keeps its events, and hands each to `listener(rack, event)` on its reader's thread."""

    def __init__(self, build_dir, work, name, count, options):
        self.name = name
        self.dir = pathlib.Path(work) / name
        self.sockets = pathlib.Path(work) / f"{name}-ports"
        self.dir.mkdir()
        self.sockets.mkdir()
        self.count = count
        self.listener = None
        self.events = []
        self.changed = threading.Condition()
        self.command = [pathlib.Path(build_dir) / "dfota-rack", "--dir", self.dir, "--chardev", self.sockets,
                        "--count", count, *options]
        self.process = None

    def start(self):
        with open(f"{self.dir}.log", "wb") as log:
            self.process = started(self.command, stdout=subprocess.PIPE, stderr=log)
        threading.Thread(target=self.read, daemon=True).start()
        self.wait_for(lambda rack: rack.seen("rack_ready"), "the rack stands", RACK_S)

    def read(self):
        for line in self.process.stdout:
            event = json.loads(line)
            with self.changed:
                self.events.append(event)
                self.changed.notify_all()
            if self.listener:
                self.listener(self, event)

    def stop(self):
        if self.process:
            ended(self.process)

    def seen(self, name, module=""):
        """How often; of one module when it is named."""
        return sum(1 for event in self.events if event["event"] == name and module in ("", event.get("module")))

    def wait_for(self, condition, what, patience_s):
        """Until the condition, which only looks at its argument, is true after an event."""
        with self.changed:
            if not self.changed.wait_for(lambda: condition(self), patience_s):
                last = "\n".join(json.dumps(event) for event in self.events[-5:])
                raise GuestError(f"not so after {patience_s} s: {what}; the rack {self.name} said last:\n{last}")

    def kept(self, module):
        """What a module remembers over its reboots: version, imei, boots."""
        return json.loads((self.dir / f"{module}.json").read_text())

    def socket(self, module):
        return self.sockets / f"{module}.sock"


class Plugs:
    """Who is plugged in where, by QEMU's monitor. A plug has a name, by which QEMU knows its device and its chardev."""

    def __init__(self, guest, places):
        self.guest = guest
        self.places = places        # plug: USB port of QEMU, as "3" or "1.2"
        self.turn = threading.RLock()
        self.plugged = {}           # plug: serial number
        self.replugs = 0
        self.held = []              # plugs that come back together, in this order
        self.waiting = set()
        self.swapped = {}           # where those that were held were then
        self.becomes = {}           # plug: the plug, and its serial number, that comes in its place
        self.work = queue.Queue()
        self.failure = None
        threading.Thread(target=self.follow, daemon=True).start()

    def plug(self, name, serial):
        with self.turn:
            self.guest.monitor.add("usb-serial", name, bus="xhci.0", port=self.places[name], chardev=f"c-{name}",
                                   serial=serial)
            self.plugged[name] = serial

    def unplug(self, name):
        with self.turn:
            self.guest.monitor.delete(name)
            return self.plugged.pop(name)

    def plug_hub(self):
        self.guest.monitor.add("usb-hub", HUB, bus="xhci.0", port=HUB_PORT, ports=8)

    def behind_hub(self):
        return sorted(name for name in self.plugged if self.places[name].startswith(f"{HUB_PORT}."))

    def pull_hub(self):
        """All behind it go at once. Returns what was plugged there. QEMU 7.2 would take them out with the hub, but has
        been seen to hang over that while one of them was just being opened."""
        with self.turn:
            gone = {name: self.plugged.pop(name) for name in self.behind_hub()}
            self.guest.monitor.delete(*gone, HUB)
            return gone

    def put_hub_back(self, gone, chance):
        with self.turn:
            self.plug_hub()
            names = list(gone)
            chance.shuffle(names)
            for name in names:
                self.plug(name, gone[name])
            self.replugs += len(names)
            return names

    def follow_rack(self, rack):
        """From now on each module of the rack that closes its port is pulled out and put in again: it reboots. The plug
        is back before the module is, so that the module's connection is what the guest sees as plugging in."""
        rack.listener = lambda _, event: event["event"] == "closed" and self.work.put(event["module"])

    def follow(self):
        while True:
            name = self.work.get()
            try:
                with self.turn:
                    self.replug(name)
            except Exception:  # told where the test waits: this thread has nobody to tell
                self.failure = traceback.format_exc()

    def replug(self, name):
        if name not in self.plugged:
            return  # its hub is out
        if name in self.becomes:
            self.unplug(name)
            self.plug(*self.becomes.pop(name))
            return
        if name not in self.held:
            self.plug(name, self.unplug(name))
            self.replugs += 1
            return
        self.guest.monitor.delete(name)
        self.waiting.add(name)
        if self.waiting != set(self.held):
            return
        gone = set(self.held)
        self.guest.wait_for(lambda: not gone & set(self.by_plug()), f"{gone} are out", UNPLUG_S)
        for held in self.held:
            self.plug(held, self.plugged[held])
            self.replugs += 1
            self.guest.wait_for(lambda: held in self.by_plug(), f"{held} is there again", UNPLUG_S)
        self.swapped = self.by_plug()
        self.held = []
        self.waiting.clear()

    def by_plug(self):
        """Which ttyUSB each plug has now."""
        names = self.guest.by_path()
        found = {}
        for name in list(self.plugged):
            tty = names.get(by_path(self.places[name]))
            if tty:
                found[name] = tty
        return found


def by_path(place):
    """udev's name of the port that stands at a place of QEMU's."""
    return f"{PCI_PATH}:{place}:1.0-port0"
