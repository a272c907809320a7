#!/usr/bin/env python3
"""Real USB serial ports that are unplugged and come back under other names: a Linux in QEMU with Debian's kernel, udev,
mosquitto and the gateway inside, the modules outside. See README.md beside this file.

    tests/usb/usb_test.py BUILD_DIR [--keep] [--seed N]

Ends 0 when all checks hold. Then the directory with its logs is removed, else its name is told."""

import argparse
import contextlib
import pathlib
import random
import shutil
import signal
import socket
import sys
import tempfile
import time
import traceback

sys.dont_write_bytecode = True  # the source tree stays as it is

import initramfs
import layout
from guest import Guest, GuestError
from layout import FLEET, REPLACED
from rack import Plugs, Rack, by_path
from story import Checks, Story
from watcher import Delta, Origin, Watcher

SPEED = 20
DELTA_BYTES = 160_000
# How fast some modules read their delta, in bytes a second: so that at one time some download and others flash.
READERS = {"m3": 80_000, "m4": 50_000, "m5": 40_000, "m8": 60_000}
# QEMU's network and the kernel hold some 3 MB for a slow reader, and for the gateway these have arrived: whom the
# gateway is to see in mid-download needs more.
REPLACED_BYTES, REPLACED_READS = 8_000_000, 500_000


def free_ports(count):
    """Below those that the kernel gives to connections, so that they stay free until QEMU takes them."""
    numbers = []
    while len(numbers) < count:
        number = random.SystemRandom().randrange(10000, 30000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", number)):
            if number not in numbers:
                numbers.append(number)
    return numbers


class Rig:
    """All that runs: the racks, the guest, the watcher."""

    def __init__(self, build_dir, work):
        self.build_dir, self.work = build_dir, work
        self.mqtt_port, self.http_port = free_ports(2)
        common = ["--speed", SPEED, "--version", layout.FIRST_VERSION]
        readers = [part for plug, rate in READERS.items() for part in ("--fault", f"{plug}:client=slow:{rate}")]
        self.fleet = Rack(build_dir, work, "fleet", len(FLEET), [*common, "--link-prefix", "m", *readers])
        self.old = Rack(build_dir, work, "old", 1, [*common, "--link-prefix", "old", "--fault",
                                                    f"imei={layout.REPLACED_IMEI},client=slow:{REPLACED_READS}"])
        self.new = Rack(build_dir, work, "new", 1, [*common, "--link-prefix", "new", "--fault",
                                                    f"imei={layout.NEWCOMER_IMEI}"])
        self.racks = [self.fleet, self.old, self.new]
        self.watcher = Watcher(build_dir, self.mqtt_port, layout.GATEWAY)
        self.guest = None
        self.silent = {layout.FOREIGN: work / "foreign.bytes", layout.RECOVERY: work / "recovery.bytes",
                       layout.STRANGER: work / "stranger.bytes"}

    def start(self):
        for rack in self.racks:
            rack.start()
            rack.wait_for(lambda rack: rack.seen("boot") == rack.count, "each module has booted", 30)
        for place in FLEET:
            place.imei = self.fleet.kept(place.plug)["imei"]
        kernel, archive = initramfs.build(self.work, self.build_dir,
                                          layout.configuration(self.http_port, SPEED, by_path))
        forwards = [(self.mqtt_port, 1883), (self.http_port, 8480)]
        self.guest = Guest(self.work, kernel, archive, self.chardevs(), forwards)
        self.guest.start()
        self.watcher.start()
        self.watcher.wait_for(lambda watcher: watcher.last.get("status") == "online", "the gateway is online", 60)
        places = {place.plug: place.usb for place in [*FLEET, REPLACED]}
        places |= {layout.FOREIGN: layout.FOREIGN_USB, layout.NEWCOMER: REPLACED.usb,
                   layout.RECOVERY: layout.BROKEN.usb, layout.STRANGER: layout.DISPLACED.usb}
        self.plugs = Plugs(self.guest, places)
        self.plugs.follow_rack(self.fleet)

    def chardevs(self):
        """One for each plug: the socket of a module, or a file with what was written to it."""
        sockets = [(place.plug, self.fleet.socket(place.plug)) for place in FLEET]
        sockets += [(REPLACED.plug, self.old.socket("m0")), (layout.NEWCOMER, self.new.socket("m0"))]
        return [f"socket,id=c-{name},path={path},server=on,wait=off" for name, path in sockets] + [
            f"file,id=c-{name},path={path}" for name, path in self.silent.items()]

    def stop(self):
        for part in (self.watcher, self.guest, *self.racks):
            if part:
                part.stop()

    def tell_why(self):
        for name in ("qemu.log", "console.log", "gateway.log"):
            file = self.work / name
            if file.exists():
                lines = file.read_text(errors="replace").splitlines()
                print(f"\n-- the end of {name}", *lines[-60:], sep="\n", file=sys.stderr)


def run(rig, checks, seed):
    begun = time.monotonic()

    def act(what, function):
        print(f"== {what} ({time.monotonic() - begun:.0f} s)", flush=True)
        function()

    origin_dir = rig.work / "origin"
    origin_dir.mkdir()
    origin = Origin(origin_dir)
    first, second, third, fourth = layout.VERSIONS
    deltas = [Delta(rig.build_dir, origin_dir, origin, *delta) for delta in
              ((first, second, DELTA_BYTES), (first, second, REPLACED_BYTES), (second, third, DELTA_BYTES),
               (third, fourth, DELTA_BYTES))]
    act("the racks and the guest start", rig.start)
    story = Story(rig.guest, rig.plugs, rig.watcher, (rig.fleet, rig.old, rig.new), deltas, checks, seed)
    act("everything is plugged in", story.everything_is_plugged_in)
    act("two modules swap their numbers", story.two_swap_their_numbers)
    act("the others update, and one is replaced", story.the_others_update_and_one_is_replaced)
    act("all update, and the hub is reset", story.the_hub_is_reset)
    story.count_updates()
    act("all go and come back", story.all_go_and_come_back)
    act("one comes back in recovery mode", story.one_comes_back_in_recovery_mode)
    story.count_commands()
    for name, file in rig.silent.items():
        written = file.stat().st_size
        checks.expect(written == 0, f"bytes written to the {name} port", written)
    checks.expect(not rig.plugs.failure, "failures of the test's own plugs", rig.plugs.failure or 0)
    print(f"== the end ({time.monotonic() - begun:.0f} s)", flush=True)


def told(rig, checks, seed):
    """True when all checks held; else what went wrong is on stderr."""
    try:
        run(rig, checks, seed)
    except (GuestError, initramfs.SetupError) as error:
        checks.failed += 1
        print(f"FAIL  {error}", file=sys.stderr)
    except Exception:
        checks.failed += 1
        traceback.print_exc()
    if checks.failed:
        rig.tell_why()
    return checks.failed == 0


def keep(rig):
    """For a person: everything stays as it is until ^C."""
    rig.guest.let_in()
    print(f"\nEverything is still running, in {rig.work}; ^C ends it.\n"
          f"  a shell in the guest   socat - UNIX-CONNECT:{rig.work}/shell.sock\n"
          f"  QEMU's monitor (QMP)   a connection to {rig.work}/qmp.sock\n"
          f"  the gateway            {rig.build_dir}/dfota --broker mqtt://127.0.0.1:{rig.mqtt_port}"
          f" --gateway {layout.GATEWAY} modules", flush=True)
    signal.pause()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build_dir", type=pathlib.Path, help="where dfota-gateway, dfota and dfota-rack were built")
    parser.add_argument("--keep", action="store_true", help="leave everything running, and tell how to get in")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000, help="of what is done in random order")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    work = pathlib.Path(tempfile.mkdtemp(prefix="dfota-usb."))
    rig = Rig(options.build_dir.resolve(), work)
    checks = Checks()
    print(f"seed {options.seed}", flush=True)
    good = False
    try:
        good = told(rig, checks, options.seed)
        if options.keep and rig.guest:
            keep(rig)
    except KeyboardInterrupt:
        good = False
    finally:
        rig.stop()
    if good:
        shutil.rmtree(work)
        return 0
    print(f"\nusb_test: failed (seed {options.seed}); all logs are kept: {work}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
