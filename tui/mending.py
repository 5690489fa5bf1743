"""Commands that mend what live capture misses, for the distribution at hand.

Owns how things are installed and set, by family of distributions. What is missing is found by the doctor.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

REBOOT = "sudo reboot"
CAPABILITIES = ("bpf", "perfmon", "sys_ptrace", "dac_read_search")
"""What the program is best given: the first two are needed, the others tell names."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """Whose commands are to be given."""

    names: frozenset[str] = frozenset()
    """Its own and those of what it is like: ``debian``, ``fedora`` …"""
    version: str = ""
    codename: str = ""

    @classmethod
    def found(cls, root: Path) -> Distribution:
        """What ``/etc/os-release`` below a root says (os-release(5)); nothing where there is none."""
        told: dict[str, str] = {}
        try:
            lines = (root / "etc/os-release").read_text("utf-8", "replace").splitlines()
        except OSError:
            return cls()
        for line in lines:
            name, _, value = line.partition("=")
            told[name] = value.strip("\"'")
        names = frozenset([told.get("ID", ""), *told.get("ID_LIKE", "").split()])
        return cls(names, told.get("VERSION_ID", ""), told.get("VERSION_CODENAME", ""))

    @property
    def uses_dnf(self) -> bool:
        """Fedora, Red Hat, and what is made of them."""
        return bool({"fedora", "rhel"} & self.names)

    def install(self, *, apt: str, dnf: str, again: bool = False) -> str:
        """Install a package of one of these names, or put it in place ``again``."""
        if "debian" in self.names:
            return f"sudo apt install {'--reinstall ' if again else ''}{apt}"
        if self.uses_dnf:
            return f"sudo dnf {'reinstall' if again else 'install'} {dnf}"
        return f"install {apt} (as Debian and Ubuntu call it) or {dnf} (Fedora)"

    def newer_kernel(self) -> str:
        """A kernel as new as this release of the distribution has."""
        if "ubuntu" in self.names and self.version:
            return f"sudo apt install linux-generic-hwe-{self.version} && {REBOOT}"
        if "debian" in self.names and self.codename:
            line = f"deb http://deb.debian.org/debian {self.codename}-backports main"
            return (
                f"echo '{line}' | sudo tee /etc/apt/sources.list.d/backports.list && sudo apt update && "
                f"sudo apt install -t {self.codename}-backports linux-image-amd64 && {REBOOT}"
            )
        if self.uses_dnf:
            return f"sudo dnf upgrade --refresh kernel && {REBOOT}"
        return "boot a newer kernel of the distribution"

    def own_kernel(self) -> str:
        """The distribution's kernel in place of another, or how one of one's own gets BTF."""
        build = "or for a kernel of your own, with pahole installed: scripts/config -e DEBUG_INFO_BTF && make"
        name = "linux-image-generic" if "ubuntu" in self.names else "linux-image-amd64"
        return f"{self.install(apt=name, dnf='kernel')} && {REBOOT}; {build}"


def with_capabilities(tui: str, uid: int, gid: int) -> str:
    """Run the program as a user, with no more than it needs."""
    held = ",".join(f"+{name}" for name in CAPABILITIES)
    return (
        f"sudo setpriv --reuid={uid} --regid={gid} --init-groups "
        f"--inh-caps={held} --ambient-caps={held} {shlex.quote(tui)}"
    )


def of_container() -> str:
    """What a container has to be started with."""
    added = " ".join(f"--cap-add={name.upper()}" for name in CAPABILITIES)
    return f"start the container with {added} --pid=host"


def weaker_lockdown(command_line: str, secure_boot: bool, distribution: Distribution) -> str:
    """A kernel that may be watched: its lockdown is set on its command line, by secure boot, or while it runs.

    It can only be raised while it runs (kernel_lockdown(7)).
    """
    if "lockdown=confidentiality" in command_line.split():
        if distribution.uses_dnf:
            return (
                "sudo grubby --update-kernel=ALL --remove-args=lockdown=confidentiality --args=lockdown=integrity && "
                + REBOOT
            )
        return (
            "sudo sed -i s/lockdown=confidentiality/lockdown=integrity/ /etc/default/grub && sudo update-grub && "
            + REBOOT
        )
    if secure_boot:
        return f"sudo mokutil --disable-validation && {REBOOT} (it asks for the password again while it starts)"
    return f"grep -rl security/lockdown /etc finds what raised it; remove that and {REBOOT}"
