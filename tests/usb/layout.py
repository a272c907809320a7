"""Which module is plugged in where, how the gateway knows it, and the gateway's configuration for it."""

import dataclasses

GATEWAY = "usb"
FIRST_VERSION = "UC20GQBR03A11E1G"
VERSIONS = [FIRST_VERSION, "UC20GQBR03A12E1G", "UC20GQBR03A13E1G", "UC20GQBR03A14E1G"]


@dataclasses.dataclass
class Place:
    plug: str       # its name here, in QEMU and in the rack's events
    usb: str        # QEMU's USB port; 1.n is behind the hub
    known_by: str   # "imei": found by [discovery]; "place": a by-path port; "number": a ttyUSB and an IMEI
    imei: str = ""

    @property
    def module(self):
        """What the gateway calls it."""
        return self.imei if self.known_by == "imei" else f"{self.known_by}-{self.plug}"


# Plugged in in this order behind the foreign port, so that the first two are ttyUSB1 and ttyUSB2 at the beginning.
PAIR = ["m0", "m1"]
FLEET = [
    Place("m0", "3", "number"), Place("m1", "4", "number"),
    Place("m2", "1.1", "imei"), Place("m3", "1.2", "imei"), Place("m4", "1.3", "imei"), Place("m5", "1.4", "place"),
    Place("m6", "5", "imei"), Place("m7", "6", "place"), Place("m8", "7", "place"), Place("m9", "8", "imei"),
]
BROKEN = FLEET[7]    # comes back from its last update in recovery mode, as this plug:
RECOVERY = "recovery"
FOREIGN, FOREIGN_USB = "foreign", "2"
STRANGER = "stranger"    # foreign, too: for a while it stands where this one, who was found by [discovery], stood
DISPLACED = FLEET[9]
REPLACED, REPLACED_IMEI = Place("old0", "9", "place"), "490154203237518"
NEWCOMER, NEWCOMER_IMEI = "new0", "352099001761481"

CONFIGURATION = """\
[gateway]
id = "{gateway}"
state_dir = "/var/lib/dfota-gateway"

[mqtt]
uri = "mqtt://127.0.0.1:1883"

[http]
listen = "0.0.0.0:8480"
public_url = "http://127.0.0.1:{http_port}"   # forwarded: the modules are outside

[discovery]
ports = ["/dev/serial/by-path/*"]

[limits]
downloads = 20

[modem]
poll_s = 5

[timeouts]                                    # the modules live {speed} times as fast as real ones
listen = 0.5
progress_gap = 10                             # more than the slowest of the fleet needs to read what is under way to it
update = 180
download = 60
reboot = 20                                   # so long something in recovery mode may be about to boot
absent = 60
"""


def configuration(http_port, speed, by_path):
    """gateway.toml. `by_path` makes udev's name of a place."""
    text = CONFIGURATION.format(gateway=GATEWAY, http_port=http_port, speed=speed)
    number = 0
    for place in [*FLEET, REPLACED]:
        if place.known_by == "imei":
            continue
        port = f"/dev/serial/by-path/{by_path(place.usb)}"
        text += f'\n[[module]]\nid = "{place.module}"\n'
        if place.known_by == "number":
            number += 1
            port = f"/dev/ttyUSB{number}"
            text += f'imei = "{place.imei}"\n'
        text += f'port = "{port}"\n'
    return text
