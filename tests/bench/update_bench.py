#!/usr/bin/python3
"""What an update of many modules at once costs: dfota-gateway beside a Python script (baseline.py) that does the same.

A rack, a broker and an origin on loopback, everything of one run in a directory of its own. Each count of modules gets a
fresh rack; all of its modules are updated at once. Prints Markdown tables, asserts nothing.

CPU is the time of the whole process between the publication of the job (for the baseline: its start signal) and the
final state, its greeting of the modules before that apart. A module's own time is told by the rack: from its
AT+QFOTADL to its boot with the new version.
"""

import argparse
import contextlib
import hashlib
import http.server
import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import paho.mqtt.client

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
OLD, NEW = "UC20GQBR03A11E1G", "UC20GQBR03A12E1G"
PATIENCE_S = 300


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def cpu_ms(pid):
    """utime + stime of the process, ended threads included, by its CPU clock: /proc/PID/stat knows only ticks of 10 ms."""
    return time.clock_gettime((~pid << 3) | 2) * 1000


def memory_mib(pid):
    fields = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
    return {name: int(fields[name].split()[0]) / 1024 for name in ("VmHWM", "VmRSS")}


def wait_for(condition, what, process=None):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if process is not None and process.poll() is not None:
            raise SystemExit(f"update_bench: waited for {what}, but the program ended with {process.returncode}")
        if time.monotonic() > deadline:
            raise SystemExit(f"update_bench: waited {PATIENCE_S} s for {what}")
        time.sleep(0.02)


def can_connect(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def started(command, log):
    with open(log, "wb") as out:
        process = subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE, stdout=out, stderr=out)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def broker(directory):
    port = free_port()
    config = directory / "mosquitto.conf"
    # All that the clients send is taken, and a message is not held back for the next one.
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n"
                      "max_inflight_messages 0\nmax_queued_messages 0\n")
    with started(["mosquitto", "-c", config], directory / "mosquitto.log") as process:
        wait_for(lambda: can_connect(port), "the broker", process)
        yield port


@contextlib.contextmanager
def origin(directory):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(directory))

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


class Rack:
    def __init__(self, options, directory, count):
        self.count = count
        self.ports = directory / "rack"
        self.log = directory / "rack.jsonl"
        self.ports.mkdir()
        self.command = [options.build / "dfota-rack", "--dir", self.ports, "--count", count, "--speed", options.speed,
                        "--log", self.log]

    def ready(self):
        return self.log.exists() and '"rack_ready"' in self.log.read_text()

    def own_times(self):
        """Seconds of each module from its AT+QFOTADL to its boot with the new version; when the last of them booted."""
        began, took, last_boot = {}, {}, 0.0
        with open(self.log) as lines:
            for line in lines:
                if '"qfotadl"' not in line and '"boot"' not in line:
                    continue
                event = json.loads(line)
                if event["event"] == "qfotadl":
                    began[event["module"]] = event["ts"]
                elif event["event"] == "boot" and event["version"] == NEW:
                    took[event["module"]] = event["ts"] - began[event["module"]]
                    last_boot = max(last_boot, event["ts"])
        return took, last_boot


class Ear:
    """Hears what the measurement waits for, and nothing else: hearing everything would take a core."""

    def __init__(self, port, topics):
        self.online, self.final = set(), {}
        self.client = paho.mqtt.client.Client(client_id="bench")
        self.client.on_message = self.hear
        self.client.on_connect = lambda client, *_: client.subscribe([(topic, 1) for topic in topics])
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def hear(self, _client, _data, message):
        now = time.time()
        if message.topic.endswith("/status"):
            if message.payload == b"online":
                self.online.add(message.topic)
        else:
            state = json.loads(message.payload)
            if "seq" in state:
                self.final = {**state, "at": now}

    def close(self):
        self.client.loop_stop()
        self.client.disconnect()


def gateway_config(options, directory, rack, broker_port, admin):
    http_port = free_port()
    lines = ['[gateway]', 'id = "bench"', f'state_dir = "{directory}/state"', '[mqtt]',
             f'uri = "mqtt://127.0.0.1:{broker_port}"', '[http]', f'listen = "127.0.0.1:{http_port}"', '[admin]',
             f'listen = "{admin}"', '[artifacts]',
             'allow_hosts = ["127.0.0.1"]', '[limits]', f'downloads = {rack.count}', f'updates = {rack.count}',
             '[timeouts]', f'listen = {options.listen}']
    for number in range(rack.count):
        lines += ['[[module]]', f'id = "m{number}"', f'port = "{rack.ports}/m{number}"']
    path = directory / "gateway.toml"
    path.write_text("\n".join(lines) + "\n")
    return path


def figures(rack, count, began, ended, cpu, rack_cpu, pid, listen):
    took, last_boot = rack.own_times()
    return {"count": count, "booted": len(took), "makespan": ended - began, "longest": max(took.values(), default=0),
            "after_boot": ended - last_boot, "listen": listen, "cpu": cpu / count, "rack_cpu": rack_cpu / count,
            **memory_mib(pid)}


def run_gateway(options, directory, count, delta, admin="", beside=contextlib.nullcontext()):
    """`beside`: entered once the modules are greeted, and left when the job has ended."""
    rack = Rack(options, directory, count)
    with broker(directory) as broker_port, origin(delta["file"].parent) as origin_port, \
            started(rack.command, directory / "rack.out") as rack_process:
        wait_for(rack.ready, "the rack", rack_process)
        ear = Ear(broker_port, ["dfota/v1/bench/module/+/status", "dfota/v1/bench/job/+/state"])
        config = gateway_config(options, directory, rack, broker_port, admin)
        program = [options.build / "dfota-gateway", "--config", config]
        with started(options.wrap + program, directory / "gateway.log") as gateway:
            wait_for(lambda: len(ear.online) == count, "the greeting of all modules", gateway)
            time.sleep(2)
            with beside:
                greeting = cpu_ms(gateway.pid)
                time.sleep(5)
                cpu_before, rack_before, began = cpu_ms(gateway.pid), cpu_ms(rack_process.pid), time.time()
                idle = (cpu_before - greeting) / 5
                ear.client.publish("dfota/v1/bench/cmd/update", json.dumps({
                    "job": "j1", "modules": "all", "from": OLD, "to": NEW, "attempts": 1,
                    "artifact": {"url": f"http://127.0.0.1:{origin_port}/{delta['file'].name}", "sha256": delta["sha256"]},
                }), qos=1)
                wait_for(lambda: ear.final, "the final state of the job", gateway)
                cpu = cpu_ms(gateway.pid) - cpu_before
                rack_cpu = cpu_ms(rack_process.pid) - rack_before
            result = figures(rack, count, began, ear.final["at"], cpu, rack_cpu, gateway.pid, options.listen)
            result |= {"state": ear.final["state"], "greeting": greeting / count, "idle": idle}
        ear.close()
        return result


def run_baseline(options, directory, count, delta):
    rack = Rack(options, directory, count)
    with broker(directory) as broker_port, started(rack.command, directory / "rack.out") as rack_process:
        wait_for(rack.ready, "the rack", rack_process)
        ear = Ear(broker_port, ["dfota/v1/bench/job/+/state"])
        log = directory / "baseline.log"
        program = [sys.executable, ROOT / "tests/bench/baseline.py", "--broker", broker_port, "--file", delta["file"],
                   "--ports", rack.ports, "--count", count, "--listen", options.listen, "--from", OLD, "--to", NEW]
        with started(program, log) as script:
            wait_for(lambda: "ready" in log.read_text(), "the greeting of all modules", script)
            time.sleep(2)
            greeting = cpu_ms(script.pid)
            time.sleep(5)
            cpu_before, rack_before, began = cpu_ms(script.pid), cpu_ms(rack_process.pid), time.time()
            idle = (cpu_before - greeting) / 5
            script.stdin.write(b"go\n")
            script.stdin.flush()
            wait_for(lambda: ear.final, "the end of the script", script)
            cpu = cpu_ms(script.pid) - cpu_before
            rack_cpu = cpu_ms(rack_process.pid) - rack_before
            result = figures(rack, count, began, ear.final["at"], cpu, rack_cpu, script.pid, options.listen)
            result |= {"state": ear.final["state"], "greeting": greeting / count, "idle": idle}
        ear.close()
        return result


def print_tables(gateway, baseline):
    first = gateway[0] if gateway else None
    print("| program | modules | job | makespan s | longest module's own s | makespan without listen / longest "
          "| CPU ms an update | of the baseline's | CPU an update / at the first count | VmHWM MiB | VmRSS MiB |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    by_count = {row["count"]: row for row in baseline}
    for program, rows in (("gateway", gateway), ("baseline", baseline)):
        for row in rows:
            against = by_count.get(row["count"])
            share = f"{row['cpu'] / against['cpu']:.2f}" if against else ""
            growth = row["cpu"] / (first if program == "gateway" else rows[0])["cpu"]
            ratio = (row["makespan"] - row["listen"]) / row["longest"] if row["longest"] else float("nan")
            print(f"| {program} | {row['count']} | {row['state']} {row['booted']} | {row['makespan']:.2f} "
                  f"| {row['longest']:.2f} | {ratio:.3f} | {row['cpu']:.2f} | {share} | {growth:.2f} "
                  f"| {row['VmHWM']:.1f} | {row['VmRSS']:.1f} |")
    print("\n| program | modules | last boot to final state s | greeting CPU ms a module | idle CPU ms a second "
          "| rack's CPU ms an update |")
    print("|---|---|---|---|---|---|")
    for program, rows in (("gateway", gateway), ("baseline", baseline)):
        for row in rows:
            print(f"| {program} | {row['count']} | {row['after_boot']:.2f} | {row['greeting']:.2f} "
                  f"| {row['idle']:.2f} | {row['rack_cpu']:.2f} |")


def parse_options():
    def counts(text):
        return [int(part) for part in text.split(",") if part]

    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--counts", type=counts, default=[1, 10, 100, 1000], help="of modules, with commas between them")
    parser.add_argument("--baseline-counts", type=counts, default=None,
                        help="the same for the baseline; the counts up to 100 when left out, '' for none")
    parser.add_argument("--speed", type=float, default=5, help="of the rack; 5: a module takes about 32 s")
    parser.add_argument("--size", type=int, default=256 * 1024, help="bytes of the delta")
    parser.add_argument("--listen", type=float, default=1.0, help="timeouts.listen, which ends each makespan")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", help="where the programs are")
    parser.add_argument("--wrap", type=lambda text: text.split(), default=[], help="runs the gateway under this command")
    parser.add_argument("--keep", action="store_true", help="keeps the directory of the runs, with all logs")
    options = parser.parse_args()
    if options.baseline_counts is None:
        options.baseline_counts = [count for count in options.counts if count <= 100]
    return options


def make_delta(options, directory):
    path = directory / "www" / "delta.bin"
    path.parent.mkdir()
    subprocess.run([str(options.build / "dfota-rack"), "--make-delta", str(path), "--from", OLD, "--to", NEW, "--size",
                    str(options.size)], check=True, stdout=subprocess.DEVNULL)
    return {"file": path, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def main():
    options = parse_options()
    # A thousand modules are several thousand descriptors in each of the programs.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    directory = pathlib.Path(tempfile.mkdtemp(prefix="dfota-bench-"))
    rows = {"gateway": [], "baseline": []}
    try:
        delta = make_delta(options, directory)
        for program, run, counts in (("gateway", run_gateway, options.counts),
                                     ("baseline", run_baseline, options.baseline_counts)):
            for count in counts:
                print(f"update: {program}, {count} modules", file=sys.stderr, flush=True)
                place = directory / f"{program}-{count}"
                place.mkdir()
                rows[program].append(run(options, place, count, delta))
        print(f"Rack at speed {options.speed:g}, delta of {options.size // 1024} KiB, timeouts.listen {options.listen} s, "
              f"{os.cpu_count()} CPUs; CPU of the greeting apart.\n")
        print_tables(rows["gateway"], rows["baseline"])
    finally:
        if options.keep:
            print(f"update: everything is kept in {directory}", file=sys.stderr)
        else:
            shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
