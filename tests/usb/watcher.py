"""What the gateway in the guest says over MQTT, and commands to it: mosquitto_sub and dfota, outside of the guest."""

import functools
import http.server
import json
import pathlib
import subprocess
import threading

from guest import GuestError, ended, started

ROOT = "dfota/v1"


class Watcher:
    def __init__(self, build_dir, port, gateway):
        self.topics = f"{ROOT}/{gateway}"
        self.dfota = [pathlib.Path(build_dir) / "dfota", "--broker", f"mqtt://127.0.0.1:{port}", "--gateway", gateway]
        self.subscription = ["mosquitto_sub", "-h", "127.0.0.1", "-p", port, "-q", "1", "-v", "-t", f"{self.topics}/#"]
        self.last = {}      # topic: its newest message
        self.results = []
        self.errors = []
        self.changed = threading.Condition()
        self.process = None

    def start(self):
        self.process = started(self.subscription, stdout=subprocess.PIPE)
        threading.Thread(target=self.read, daemon=True).start()

    def stop(self):
        if self.process:
            ended(self.process)

    def read(self):
        for line in self.process.stdout:
            topic, _, text = line.decode(errors="replace").rstrip("\n").partition(" ")
            topic = topic.removeprefix(f"{self.topics}/")
            message = json.loads(text) if text.startswith("{") else text
            with self.changed:
                self.last[topic] = message
                if topic.startswith("module/") and topic.endswith("/result"):
                    self.results.append(message)
                elif "/error/" in topic or topic.startswith("error/"):
                    self.errors.append(message)
                self.changed.notify_all()

    def wait_for(self, condition, what, patience_s):
        """Until the condition, which only looks at its argument, is true after a message. Returns its value."""
        with self.changed:
            value = self.changed.wait_for(lambda: condition(self), patience_s)
        if not value:
            raise GuestError(f"not so after {patience_s} s: {what}")
        return value

    def online(self, modules):
        return all(self.last.get(f"module/{module}/status") == "online" for module in modules)

    def state(self, module):
        return self.last.get(f"module/{module}/state") or {}

    def results_of(self, job):
        """module: its result. At least once is what was promised: the same again is the same."""
        return {result["module"]: result for result in self.results if result["job"] == job}

    def update(self, job, modules, delta):
        command = [*self.dfota, "update", "--no-wait", "--job", job, "--modules", ",".join(modules), "--url", delta.url,
                   "--sha256", delta.sha256, "--from", delta.base, "--to", delta.target]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
        if done.returncode != 0:
            raise GuestError(f"the gateway did not take the job {job}: {done.stdout}{done.stderr}")

    def outcomes(self, job, count, patience_s):
        """The results of a job, when they are all there."""
        return self.wait_for(lambda watcher: len(watcher.results_of(job)) == count and watcher.results_of(job),
                             f"{count} results of the job {job}", patience_s)


class QuietFiles(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class Origin:
    """Where the gateway fetches deltas from: a server on loopback, which the guest sees at 10.0.2.2."""

    def __init__(self, directory):
        handler = functools.partial(QuietFiles, directory=directory)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, name):
        return f"http://10.0.2.2:{self.server.server_address[1]}/{name}"


class Delta:
    """A package of dfota-rack's, at the origin."""

    def __init__(self, build_dir, directory, origin, base, target, size):
        self.base, self.target = base, target
        file = pathlib.Path(directory) / f"{base}-{target}-{size}.bin"
        command = [pathlib.Path(build_dir) / "dfota-rack", "--make-delta", file, "--from", base, "--to", target,
                   "--size", str(size)]
        made = subprocess.run(command, capture_output=True, text=True, check=True)
        self.sha256 = json.loads(made.stdout)["sha256"]
        self.url = origin.url(file.name)
