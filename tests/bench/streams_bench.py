#!/usr/bin/python3
"""What those who watch a rack cost it: the same update without event streams, with streams that are read, and with
streams that are opened and never read. Each row is a gateway, a rack and a broker of its own, one after the other, each
round in another order. Prints a Markdown table of medians and of ratios to the row without streams, asserts nothing.
"""

import argparse
import contextlib
import pathlib
import resource
import shutil
import socket
import statistics
import sys
import tempfile
import threading

from update_bench import ROOT, free_port, make_delta, run_gateway


class Streams:
    """Event streams of one gateway, as 10 pages or 50 lost laptops hold them."""

    def __init__(self, port, count, read):
        self.port, self.count, self.read = port, count, read
        self.sockets, self.received = [], 0

    def __enter__(self):
        for _ in range(self.count):
            stream = socket.create_connection(("127.0.0.1", self.port))
            stream.sendall(f"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n\r\n".encode())
            assert stream.recv(12).endswith(b" 200")
            self.sockets.append(stream)
            if self.read:
                threading.Thread(target=self.drain, args=(stream,), daemon=True).start()
        return self

    def drain(self, stream):
        with contextlib.suppress(OSError):
            while data := stream.recv(65536):
                self.received += len(data)

    def __exit__(self, *_):
        for stream in self.sockets:
            stream.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--modules", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--speed", type=float, default=5)
    parser.add_argument("--size", type=int, default=256 * 1024)
    options = parser.parse_args()
    options.build, options.wrap, options.listen = ROOT / "build", [], 1.0
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    kinds = [("none", 0, False), ("10 that are read", 10, True), ("50 that are not", 50, False)]
    rows = {name: [] for name, _, _ in kinds}
    directory = pathlib.Path(tempfile.mkdtemp(prefix="dfota-bench-"))
    try:
        delta = make_delta(options, directory)
        for number in range(options.rounds):
            for name, count, read in kinds[number % len(kinds):] + kinds[:number % len(kinds)]:
                print(f"streams: {name}, round {number + 1}", file=sys.stderr, flush=True)
                place = directory / f"{number}-{count}"
                place.mkdir()
                port = free_port()
                row = run_gateway(options, place, options.modules, delta, f"127.0.0.1:{port}",
                                  Streams(port, count, read))
                rows[name].append(row)
        print(f"{options.modules} modules, medians of {options.rounds} rounds.\n")
        print("| streams | makespan s | of that without | CPU ms an update | of that without | VmHWM MiB |")
        print("|---|---|---|---|---|---|")

        def median(name, key):
            return statistics.median(row[key] for row in rows[name])

        for name, _, _ in kinds:
            print(f"| {name} | {median(name, 'makespan'):.2f} | {median(name, 'makespan') / median('none', 'makespan'):.3f} "
                  f"| {median(name, 'cpu'):.2f} | {median(name, 'cpu') / median('none', 'cpu'):.2f} "
                  f"| {median(name, 'VmHWM'):.1f} |")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
