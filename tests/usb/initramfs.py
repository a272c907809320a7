"""What the guest boots: Debian's kernel and udev, downloaded once and kept in the cache, and an initramfs around the
programs of the build directory. Nothing is installed, and none of it needs root."""

import os
import pathlib
import re
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
# In the order in which they are loaded: network, USB, USB serial ports.
MODULES = ["e1000", "usb-common", "usbcore", "xhci-hcd", "xhci-pci", "usbserial", "ftdi_sio"]
UDEV_RULES = ["50-udev-default.rules", "60-serial.rules"]


class SetupError(Exception):
    """The guest cannot be made on this machine; the text says what to do."""


def cache_dir():
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    path = pathlib.Path(base) / "dfota-usb-guest"
    path.mkdir(parents=True, exist_ok=True)
    return path


def output(*command, cwd=None):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})
    if done.returncode != 0:
        raise SetupError(f"{' '.join(map(str, command))} failed: {done.stderr.strip()}")
    return done.stdout


def candidate(package):
    """The version that apt would install."""
    found = re.search(r"Candidate: (\S+)", output("apt-cache", "policy", package))
    if not found or found[1] == "(none)":
        raise SetupError(f"apt knows no package {package}: run apt-get update")
    return found[1]


def kernel_package():
    depends = output("apt-cache", "show", "--no-all-versions", "linux-image-amd64")
    found = re.search(r"^Depends:.*?(linux-image-[0-9][\w.-]*-amd64)", depends, re.MULTILINE)
    if not found:
        raise SetupError("linux-image-amd64 names no kernel: run apt-get update")
    return found[1]


def unpacked(package, members):
    """The directory with these files of a Debian package, which is downloaded when the cache has not this version."""
    target = cache_dir() / f"{package}_{candidate(package).replace(':', '%')}"
    if target.is_dir():
        return target
    work = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.rmtree(work, ignore_errors=True)
    (work / "root").mkdir(parents=True)
    try:
        try:
            output("apt-get", "download", "-q", package, cwd=work)
        except SetupError as error:
            raise SetupError(f"{error}\nIs apt's list of packages old? Run apt-get update") from None
        deb = next(work.glob("*.deb"))
        unpack = f"dpkg-deb --fsys-tarfile {deb.name} | tar -x -C root --wildcards {' '.join(map(repr, members))}"
        output("bash", "-o", "pipefail", "-c", unpack, cwd=work)
        # Two tests that begin at once make the same: whoever is first wins.
        try:
            (work / "root").rename(target)
        except OSError:
            if not target.is_dir():
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target


def kernel():
    """The kernel image, and the files of MODULES."""
    files = ["./boot/vmlinuz-*"] + [f"./lib/modules/*/{name}.ko" for name in MODULES]
    root = unpacked(kernel_package(), files)
    image = next((root / "boot").glob("vmlinuz-*"))
    return image, [next((root / "lib/modules").rglob(f"{name}.ko")) for name in MODULES]


def udev():
    rules = [f"./lib/udev/rules.d/{name}" for name in UDEV_RULES]
    return unpacked("udev", ["./bin/udevadm", "./lib/systemd/systemd-udevd", *rules])


def libraries(program):
    """The shared libraries that a program is loaded with, its loader included."""
    listed = output("ldd", program)
    missing = re.findall(r"(\S+) => not found", listed)
    if missing:
        raise SetupError(f"{program} needs {', '.join(missing)}, which this machine has not: run scripts/setup --all")
    return re.findall(r"(/\S+) \(0x", listed)


class Initramfs:
    """A root directory that becomes a cpio archive."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        for name in ("bin", "sbin", "lib", "lib64"):
            (self.root / "usr" / name).mkdir(parents=True)
            (self.root / name).symlink_to(f"usr/{name}")
        for name in ("dev", "etc", "proc", "run", "sys", "tmp", "var/log", "modules"):
            (self.root / name).mkdir(parents=True)

    def put(self, source, inside):
        target = self.root / inside.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)

    def put_text(self, text, inside):
        target = self.root / inside.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def put_program(self, source, inside):
        self.put(source, inside)
        for library in libraries(source):
            self.put(library, library)

    def put_base(self):
        """busybox with all its names, users and groups as Debian has them."""
        busybox = shutil.which("busybox", path="/bin:/usr/bin")
        if not busybox:
            raise SetupError("busybox is missing: run scripts/setup --all")
        self.put(busybox, "/bin/busybox")
        for name in output(busybox, "--list").split():
            place = self.root / "bin" / name
            if not place.exists():
                place.symlink_to("busybox")
        for name in ("passwd", "group", "nsswitch.conf"):
            self.put(f"/etc/{name}", f"/etc/{name}")

    def pack(self, archive):
        command = f"find . -print0 | cpio --quiet -0 -o -H newc -R 0:0 >'{archive}'"
        output("bash", "-o", "pipefail", "-c", command, cwd=self.root)


def build(work, build_dir, gateway_toml):
    """Returns the kernel image and the initramfs, which is made in the directory `work`."""
    image, modules = kernel()
    udev_root = udev()
    mosquitto = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if not mosquitto:
        raise SetupError("mosquitto is missing: run scripts/setup")
    tree = Initramfs(pathlib.Path(work) / "root")
    tree.put_program(udev_root / "bin/udevadm", "/bin/udevadm")
    (tree.root / "lib/systemd").mkdir()
    (tree.root / "lib/systemd/systemd-udevd").symlink_to("/bin/udevadm")
    for name in UDEV_RULES:
        tree.put(udev_root / "lib/udev/rules.d" / name, f"/lib/udev/rules.d/{name}")
    tree.put(HERE / "guest/61-usb-test.rules", "/lib/udev/rules.d/61-usb-test.rules")
    tree.put_program(mosquitto, "/usr/sbin/mosquitto")
    tree.put_program(pathlib.Path(build_dir) / "dfota-gateway", "/usr/bin/dfota-gateway")
    output("strip", tree.root / "usr/bin/dfota-gateway")
    tree.put_base()
    for module in modules:
        tree.put(module, f"/modules/{module.name}")
    tree.put_text("".join(f"{module.name}\n" for module in modules), "/modules/order")
    tree.put(HERE / "guest/mosquitto.conf", "/etc/mosquitto/mosquitto.conf")
    tree.put_text(gateway_toml, "/etc/dfota-gateway/gateway.toml")
    tree.put(HERE / "guest/init", "/init")
    archive = pathlib.Path(work) / "initramfs.cpio"
    tree.pack(archive)
    return image, archive
