"""The nouns of lpiclab: frozen dataclasses without behaviour or I/O.

A `Lab` is what its author wrote. A `Plan` is a lab with a seed and a distribution applied: no
template is left in it. An `Instance` is a plan that a provider makes machines for. A `Report` is
what grading one came to.
"""

from lpiclab.model.distro import (
    X86_64,
    X86_64_V2,
    Bootstrap,
    Cloud,
    CloudDisk,
    Distro,
    PublicBox,
)
from lpiclab.model.instance import (
    VALUE_PATTERN,
    CommandResult,
    Host,
    Image,
    Instance,
    MachineState,
    OfferedDisk,
    Plan,
    RenderedFile,
    RenderedStep,
    SshEndpoint,
    Value,
)
from lpiclab.model.lab import (
    LANGUAGES,
    Disk,
    Fault,
    FileSpec,
    Lab,
    LabText,
    Language,
    Machine,
    Mutant,
    Nic,
    Parameter,
    Restore,
    Solution,
    Step,
    Task,
    TaskText,
)
from lpiclab.model.report import (
    Outcome,
    Report,
    TaskResult,
)

__all__ = [
    "LANGUAGES",
    "VALUE_PATTERN",
    "X86_64",
    "X86_64_V2",
    "Bootstrap",
    "Cloud",
    "CloudDisk",
    "CommandResult",
    "Disk",
    "Distro",
    "Fault",
    "FileSpec",
    "Host",
    "Image",
    "Instance",
    "Lab",
    "LabText",
    "Language",
    "Machine",
    "MachineState",
    "Mutant",
    "Nic",
    "OfferedDisk",
    "Outcome",
    "Parameter",
    "Plan",
    "PublicBox",
    "RenderedFile",
    "RenderedStep",
    "Report",
    "Restore",
    "Solution",
    "SshEndpoint",
    "Step",
    "Task",
    "TaskResult",
    "TaskText",
    "Value",
]
