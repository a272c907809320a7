#!/usr/bin/python3
"""The opponent of the gateway in update_bench.py: the script that one writes first.

A thread for each module, pyserial, paho-mqtt, and the file from http.server in threads of the same process. It publishes
the same progress topics at most twice a second and the same result, but keeps no journal, holds back no last byte, and
looks at no deadline. Reads "go" on stdin when the modules have been greeted; ends when it is terminated.
"""

import argparse
import http.server
import json
import os
import pathlib
import sys
import threading
import time

import paho.mqtt.client
import serial

PROGRESS_EVERY_S = 0.5
ASK_FOR_NAME_S = 0.2


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    file = None

    def do_GET(self):
        with open(self.file, "rb") as source:
            self.send_response(200)
            self.send_header("Content-Length", str(os.fstat(source.fileno()).st_size))
            self.end_headers()
            while chunk := source.read(65536):
                self.wfile.write(chunk)

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 1024


class Module:
    def __init__(self, script, name):
        self.script, self.name = script, name
        self.path = str(script.options.ports / name)
        self.port, self.rest = None, b""
        self.phase, self.published_at = "", 0.0

    def open(self):
        while True:
            try:
                self.port = serial.Serial(self.path, 115200, timeout=60, exclusive=True)
                self.rest = b""
                return
            except serial.SerialException:
                time.sleep(ASK_FOR_NAME_S)

    def line(self):
        """The next line, or None when the port has gone."""
        while b"\n" not in self.rest:
            try:
                self.rest += self.port.read(self.port.in_waiting or 1)
            except (serial.SerialException, OSError):
                self.port.close()
                return None
        line, self.rest = self.rest.split(b"\n", 1)
        return line.strip().decode("ascii", "replace")

    def command(self, text):
        self.port.write(text.encode() + b"\r")
        lines = []
        while (line := self.line()) not in ("OK", "ERROR", None):
            lines.append(line)
        return lines

    def version(self):
        for line in self.command("ATI"):
            if line.startswith("Revision:"):
                return line.split(":", 1)[1].strip()
        return ""

    def greet(self):
        self.open()
        time.sleep(self.script.options.listen)
        for text in ("AT", "ATE0", "AT+CMEE=1"):
            self.command(text)

    def progress(self, phase, percent=None):
        now = time.monotonic()
        if phase == self.phase and now - self.published_at < PROGRESS_EVERY_S:
            return
        self.phase, self.published_at = phase, now
        self.script.publish(f"module/{self.name}/progress", {"job": "j1", "module": self.name, "attempt": 1,
                                                             "phase": phase, "percent": percent})

    def update(self):
        options = self.script.options
        self.progress("preparing")
        if self.version() != options.base:
            return "rejected"
        self.progress("downloading")
        self.command(f'AT+QFOTADL="http://127.0.0.1:{self.script.http_port}/a/{self.name}/delta.bin"')
        if not self.follow():
            return "failed"
        self.progress("verifying")
        time.sleep(options.listen)
        self.greet_again()
        return "succeeded" if self.version() == options.target else "failed"

    def follow(self):
        """Until it has booted after END; False when it says that it failed."""
        ended = False
        while True:
            line = self.line()
            if line is None:
                self.progress("rebooting")
                self.open()
            elif line.startswith('+QIND: "FOTA","UPDATING",'):
                self.progress("updating", int(line.rsplit(",", 1)[1]))
            elif line.startswith('+QIND: "FOTA","HTTPEND",') and not line.endswith(",0"):
                return False
            elif line.startswith('+QIND: "FOTA","END",'):
                if not line.endswith(",0"):
                    return False
                ended = True
            elif line == "RDY" and ended:
                return True

    def greet_again(self):
        for text in ("AT", "ATE0", "AT+CMEE=1"):
            self.command(text)

    def live(self):
        self.greet()
        self.script.greeted.release()
        self.script.go.wait()
        outcome = self.update()
        self.script.publish(f"module/{self.name}/result", {"job": "j1", "module": self.name, "outcome": outcome}, 1)
        self.script.ended(outcome)


class Script:
    def __init__(self, options):
        self.options = options
        self.greeted, self.go, self.lock = threading.Semaphore(0), threading.Event(), threading.Lock()
        self.outcomes = []
        self.client = paho.mqtt.client.Client(client_id="baseline")
        self.client.max_inflight_messages_set(1000)
        self.client.connect("127.0.0.1", options.broker)
        self.client.loop_start()
        Handler.file = options.file
        server = Server(("127.0.0.1", 0), Handler)
        self.http_port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def publish(self, topic, document, qos=0, retain=False):
        document["ts"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.client.publish("dfota/v1/bench/" + topic, json.dumps(document), qos, retain)

    def ended(self, outcome):
        with self.lock:
            self.outcomes.append(outcome)
            if len(self.outcomes) < self.options.count:
                return
            good = all(one == "succeeded" for one in self.outcomes)
            self.publish("job/j1/state", {"seq": 1, "state": "succeeded" if good else "failed"}, 1, True)

    def run(self):
        for number in range(self.options.count):
            threading.Thread(target=Module(self, f"m{number}").live, daemon=True).start()
        for _ in range(self.options.count):
            self.greeted.acquire()
        print("ready", flush=True)
        sys.stdin.readline()
        self.go.set()
        sys.stdin.read()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--broker", type=int, required=True)
    parser.add_argument("--file", type=pathlib.Path, required=True)
    parser.add_argument("--ports", type=pathlib.Path, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--listen", type=float, default=0.2)
    parser.add_argument("--from", dest="base", required=True)
    parser.add_argument("--to", dest="target", required=True)
    Script(parser.parse_args()).run()


if __name__ == "__main__":
    main()
