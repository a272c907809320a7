"""The story of tests/usb in its acts. Each returns when what it began has settled; what they found is in `checks`."""

import random

import layout
from guest import GuestError
from layout import FLEET, PAIR, REPLACED

SETTLE_S = 240   # an act of updates, under tcg on a busy machine
COME_S = 90      # until a module that was plugged in is online


class Checks:
    """What must be true, one line each."""

    def __init__(self):
        self.failed = 0

    def tell(self, what, value):
        print(f"      {what}: {value}", flush=True)

    def expect(self, good, what, value):
        print(f"{'ok  ' if good else 'FAIL'}  {what}: {value}", flush=True)
        self.failed += not good


class Story:
    def __init__(self, guest, plugs, watcher, racks, deltas, checks, seed):
        self.guest, self.plugs, self.watcher, self.checks = guest, plugs, watcher, checks
        self.fleet, self.old, self.new = racks
        self.first_delta, self.long_delta, self.second_delta, self.third_delta = deltas
        self.chance = random.Random(seed)
        self.outcomes = []      # of the twenty updates
        self.place_of = {place.module: place for place in [*FLEET, REPLACED]}

    def modules(self, plugs=None):
        return [place.module for place in FLEET if plugs is None or place.plug in plugs]

    def everything_is_plugged_in(self):
        self.plugs.plug(layout.FOREIGN, "FTDI0")
        self.plugs.plug_hub()
        for place in [*FLEET, REPLACED]:
            self.plugs.plug(place.plug, f"MOD-{place.plug}")
            self.guest.wait_for(lambda: place.plug in self.plugs.by_plug(), f"{place.plug} is plugged in", COME_S)
        self.come_online(list(self.place_of))
        self.numbers = self.plugs.by_plug()
        self.descriptors = self.guest.gateway_ports()
        self.checks.tell("ttyUSB numbers at first", shown(self.numbers))

    def come_online(self, modules):
        def absent(watcher):
            return [module for module in modules if not watcher.online([module])]
        try:
            self.watcher.wait_for(lambda watcher: not absent(watcher), "all modules are online", COME_S)
        except GuestError as error:
            raise GuestError(f"{error}; missing: {absent(self.watcher)}") from None

    def settle(self, job, modules):
        found = self.watcher.outcomes(job, len(modules), SETTLE_S)
        self.outcomes += found.values()

    def two_swap_their_numbers(self):
        """At their first reboot both are out, and the second one comes back first."""
        before = self.plugs.by_plug()
        self.plugs.held = list(reversed(PAIR))
        self.watcher.update("swap", self.modules(PAIR), self.first_delta)
        self.guest.wait_for(lambda: not self.plugs.held or self.plugs.failure, "both have rebooted", SETTLE_S)
        swapped = self.plugs.swapped
        self.settle("swap", PAIR)
        one, other = PAIR
        good = (swapped.get(one), swapped.get(other)) == (before[other], before[one])
        told = ", ".join(f"{plug} {before[plug]} -> {swapped.get(plug)}" for plug in PAIR)
        self.checks.expect(good, "two modules swap their ttyUSB numbers in mid-update", told)

    def the_others_update_and_one_is_replaced(self):
        others = [place.plug for place in FLEET if place.plug not in PAIR]
        self.watcher.update("replaced", [REPLACED.module], self.long_delta)
        self.watcher.update("first", self.modules(others), self.first_delta)
        progress = f"module/{REPLACED.module}/progress"
        at = self.watcher.wait_for(lambda watcher: (watcher.last.get(progress) or {}).get("percent"),
                                   "the module that will be replaced downloads", SETTLE_S)
        self.plugs.unplug(REPLACED.plug)
        self.old.stop()
        self.plugs.plug(layout.NEWCOMER, "MOD-new0")
        result = self.watcher.outcomes("replaced", 1, SETTLE_S)[REPLACED.module]
        self.settle("first", others)
        error = result["error"] or {}
        told = f"{result['outcome']}, {error.get('code')}, at {at} % of its download"
        self.checks.expect((result["outcome"], error.get("code")) == ("failed", "module_changed"),
                           "another IMEI in the place in mid-download", told)
        begun = self.new.seen("qfotadl")
        self.checks.expect(begun == 0, "AT+QFOTADL to the newcomer", begun)

    def the_hub_is_reset(self):
        """While the whole fleet updates: when one behind the hub flashes and others still download."""
        hub = self.plugs.behind_hub()
        flashed = self.fleet.seen("flashing_begin", hub[0])
        self.watcher.update("second", self.modules(), self.second_delta)
        self.fleet.wait_for(lambda rack: rack.seen("flashing_begin", hub[0]) > flashed, f"{hub[0]} flashes", SETTLE_S)
        phases = {plug: self.does(plug) for plug in hub}
        order = self.plugs.put_hub_back(self.plugs.pull_hub(), self.chance)
        self.settle("second", FLEET)
        self.checks.tell("the hub was reset while its modules were", shown(phases))
        self.checks.tell("they came back in the order", " ".join(order))

    def does(self, plug):
        """What a module does, by its rack's word."""
        if self.fleet.seen("flashing_begin", plug) > self.fleet.seen("flashing_end", plug):
            return "flashes"
        return "downloads" if self.fleet.seen("qfotadl", plug) > self.fleet.seen("download_done", plug) else "rests"

    def all_go_and_come_back(self):
        """What does it cost to wait for them?"""
        gone = self.plugs.pull_hub()
        direct = [name for name in self.plugs.plugged if name != layout.FOREIGN]
        serials = {name: self.plugs.unplug(name) for name in direct}
        self.guest.wait_for(lambda: not self.guest.gateway_ports()[0], "the gateway closes the ports of all", COME_S)
        cpu, uptime = self.guest.gateway_cpu_s(), self.guest.uptime_s()
        self.guest.shell.run("sleep 10")
        share = (self.guest.gateway_cpu_s() - cpu) / (self.guest.uptime_s() - uptime)
        self.checks.tell("CPU of the gateway while all are absent, emulated", f"{share:.2%}")
        displaced = layout.DISPLACED
        self.plugs.plug(layout.STRANGER, "FTDI1")
        self.plugs.put_hub_back(gone, self.chance)
        for name in serials.keys() - {displaced.plug}:
            self.plugs.plug(name, serials[name])
        self.come_online([module for module in self.modules() if module != displaced.module])
        self.plugs.unplug(layout.STRANGER)
        self.plugs.plug(displaced.plug, serials[displaced.plug])
        self.come_online([displaced.module])
        first = self.descriptors[1]
        self.guest.wait_for(lambda: self.guest.gateway_ports()[1] >= first, "all ports are open again", COME_S)
        ports, last = self.guest.gateway_ports()
        good = first == last and len(set(ports)) == len(ports) and not any("deleted" in port for port in ports)
        self.checks.expect(good, "descriptors of the gateway, first and last",
                           f"{first}, {last}, of these {len(ports)} ports")

    def one_comes_back_in_recovery_mode(self):
        """05c6:9008 in its place, after the first reboot of an update."""
        place = layout.BROKEN
        self.plugs.becomes[place.plug] = (layout.RECOVERY, "QDL0")
        self.watcher.update("broken", [place.module], self.third_delta)
        result = self.watcher.outcomes("broken", 1, SETTLE_S)[place.module]
        code = (result["error"] or {}).get("code")
        self.checks.expect((result["outcome"], code) == ("lost", "recovery_needed"), "05c6:9008 in a module's place",
                           f"{result['outcome']}, {code}")

    def count_updates(self):
        succeeded = [result for result in self.outcomes if result["outcome"] == "succeeded"]
        self.checks.expect(len(succeeded) == len(self.outcomes) == 20, "updates that succeeded",
                           f"{len(succeeded)} of {len(self.outcomes)}")
        for result in self.outcomes:
            if result not in succeeded:
                self.checks.tell(f"{result['job']}, {result['module']}", f"{result['outcome']} {result['error']}")
        target = self.second_delta.target
        runs = {place.plug: (self.fleet.kept(place.plug)["version"], self.watcher.state(place.module).get("version"))
                for place in FLEET}
        bad = {plug: versions for plug, versions in runs.items() if versions != (target, target)}
        self.checks.expect(not bad, f"modules that run {target}, in truth and by the gateway",
                           f"{len(FLEET) - len(bad)} of {len(FLEET)} {shown(bad)}")
        self.checks.expect(self.plugs.replugs >= 40, "replugs (device_del and device_add)", self.plugs.replugs)
        self.count_numbers()

    def count_numbers(self):
        seen = self.guest.attachments()
        last, others = {}, 0
        for port, tty in seen:
            others += last.get(port, tty) != tty
            last[port] = tty
        self.checks.tell("a ttyUSB came up, by the kernel", f"{len(seen)} times, {others} times under another number")
        numbers = self.plugs.by_plug()
        moved = {plug: f"{self.numbers[plug]} -> {numbers[plug]}" for plug in numbers
                 if self.numbers.get(plug, numbers[plug]) != numbers[plug]}
        self.checks.expect(moved, "ttyUSB numbers that are others now", shown(moved))

    def count_commands(self):
        """As many as the gateway tells: none went to a module that it did not mean."""
        told, bad = 0, {}
        for module, place in self.place_of.items():
            attempts = sum({result["job"]: result["attempts"] for result in self.watcher.results
                            if result["module"] == module}.values())
            rack = self.old if place is REPLACED else self.fleet
            begun = rack.seen("qfotadl", place.plug)
            told += attempts
            if begun != attempts:
                bad[place.plug] = f"{begun} instead of {attempts}"
        self.checks.expect(not bad, "AT+QFOTADL, at each module as many as the gateway's attempts",
                           f"{told} {shown(bad)}")


def shown(pairs):
    return ", ".join(f"{name} {value}" for name, value in pairs.items())
