"""Fields that sysdig or its successors know and captures of system calls do not tell, with the reason."""

from __future__ import annotations

_PLUGINS = "events of plugins other than the kernel's are not read"
_TRACERS = "of tracers, which were taken out of sysdig, only the spans they end are told"
_PARTS = ("name", "id", "label", "labels")
_EVENTS_IN = ("id", "ntags", "nargs", "tags", "tag", "args", "arg")
_SPAN = (
    *("nargs", "args", "arg", "time", "enterarg", "duration.human"),
    *("duration.fortag", "count", "count.fortag", "childcount.fortag", "idtag", "rawtime", "rawparenttime"),
)

UNAVAILABLE: dict[str, str] = {
    **dict.fromkeys(("evt.pluginname", "evt.plugininfo"), _PLUGINS),
    **dict.fromkeys(
        (f"fd.{end}ip.name" for end in "cslr"),
        "addresses are not looked up: that would tell a name server what is being watched",
    ),
    **dict.fromkeys((f"mesos.task.{part}" for part in _PARTS), "Mesos is not asked, and no capture tells of it"),
    **dict.fromkeys((f"span.{part}" for part in _SPAN), _TRACERS),
    **dict.fromkeys((f"evtin.span.{of}{part}" for of in ("", "p.", "s.", "m.") for part in _EVENTS_IN), _TRACERS),
    **dict.fromkeys(("mesos.framework.name", "mesos.framework.id"), "Mesos is not asked, and no capture tells of it"),
    **dict.fromkeys((f"marathon.app.{part}" for part in _PARTS), "Marathon is not asked, and no capture tells of it"),
    **dict.fromkeys(("marathon.group.name", "marathon.group.id"), "Marathon is not asked, and no capture tells of it"),
}
"""Reason by name of the field."""
