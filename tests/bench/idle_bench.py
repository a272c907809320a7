#!/usr/bin/python3
"""What an idle gateway costs: CPU in percent of one core, with no module, with absent ones, and with a rack that is there.

A broker, and for the last row a rack, on loopback. The gateways run at the same time, so the ratio is of the same minute.
Prints a Markdown table, asserts nothing.
"""

import argparse
import contextlib
import pathlib
import tempfile
import time

from update_bench import ROOT, can_connect, cpu_ms, free_port, memory_mib, started, wait_for

CONFIGURATION = """[gateway]
id = "{id}"
state_dir = "{state}"
[mqtt]
uri = "mqtt://127.0.0.1:{broker}"
[http]
listen = "127.0.0.1:{http}"
[admin]
listen = ""
"""


def write_configuration(directory, identifier, broker, ports):
    text = CONFIGURATION.format(id=identifier, state=directory / identifier, broker=broker, http=free_port())
    for number, port in enumerate(ports):
        text += f'[[module]]\nid = "m{number}"\nport = "{port}"\n'
    file = directory / f"{identifier}.toml"
    file.write_text(text)
    return file


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--modules", type=int, default=64)
    options.add_argument("--seconds", type=float, default=60)
    options = options.parse_args()
    build = ROOT / "build"
    with contextlib.ExitStack() as stack:
        directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dfota-idle-bench-")))
        broker = free_port()
        (directory / "broker.conf").write_text(f"listener {broker} 127.0.0.1\nallow_anonymous true\n")
        stack.enter_context(started(["mosquitto", "-c", directory / "broker.conf"], directory / "broker.log"))
        wait_for(lambda: can_connect(broker), "the broker")
        rack = directory / "rack"
        stack.enter_context(
            started([build / "dfota-rack", "--dir", rack, "--count", options.modules], directory / "rack.log"))
        wait_for(lambda: "rack_ready" in (directory / "rack.log").read_text(), "the rack")
        numbers = range(options.modules)
        gateways = {
            "none": [],
            f"{options.modules} absent": [directory / "away" / f"m{number}" for number in numbers],
            f"{options.modules} there, idle": [rack / f"m{number}" for number in numbers],
        }
        processes = {}
        for number, (name, ports) in enumerate(gateways.items()):
            configuration = write_configuration(directory, f"g{number}", broker, ports)
            log = directory / f"g{number}.log"
            processes[name] = stack.enter_context(started([build / "dfota-gateway", "--config", configuration], log))
            wait_for(lambda log=log: "connected" in log.read_text(), "the gateway", processes[name])
        time.sleep(10)  # each has greeted its modules
        before = {name: cpu_ms(process.pid) for name, process in processes.items()}
        time.sleep(options.seconds)
        spent = {name: cpu_ms(process.pid) - before[name] for name, process in processes.items()}
        print("| modules | CPU % of a core | beside none | RSS MiB |\n|---|---|---|---|")
        for name, process in processes.items():
            percent = spent[name] / options.seconds / 10
            ratio = spent[name] / spent["none"]
            print(f"| {name} | {percent:.3f} | {ratio:.2f} | {memory_mib(process.pid)['VmRSS']:.0f} |")


if __name__ == "__main__":
    main()
