"""MicroPython from the package archive of Debian or Ubuntu: no root, no compiler, a few seconds.

The package is made for a newer system than this one may be, so it is unpacked together with its
libraries and run through their loader. The mirror is the one this machine's apt already uses.
"""

import platform
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .interpreter import StepFailed, write_launcher
from .program import complaint, output

DOWNLOAD_LIMIT_S = 300
REMEDY = "check the network and apt's settings (a working `apt-get update` is enough)"

LIBRARIES = ("libc6", "libffi8", "libmbedcrypto16", "libmbedtls21", "libmbedx509-7")


@dataclass(frozen=True)
class Archive:
    """A distribution's archive that has a new enough micropython."""

    name: str  # the Origin and Label of its Release file
    suite: str  # a stable one: its packages stay
    components: str
    keyring: str
    version: str  # of micropython; `*` lets a rebuild for security through
    architectures: dict[str, dict[int, str]]  # of the processor, by width


# Found by the ID of os-release. Ubuntu builds no micropython for i386.
ARCHIVES = {
    "debian": Archive(
        name="Debian",
        suite="trixie",
        components="main",
        keyring="/usr/share/keyrings/debian-archive-keyring.gpg",
        version="1.25.0+ds-1*",
        architectures={
            "x86_64": {64: "amd64", 32: "i386"},
            "aarch64": {64: "arm64", 32: "armhf"},
            "i686": {32: "i386"},
            "armv7l": {32: "armhf"},
        },
    ),
    "ubuntu": Archive(
        name="Ubuntu",
        suite="resolute",
        components="main universe",
        keyring="/usr/share/keyrings/ubuntu-archive-keyring.gpg",
        version="1.2*",  # Ubuntu's own builds of it were not at hand to pin one
        architectures={"x86_64": {64: "amd64"}, "aarch64": {64: "arm64", 32: "armhf"}},
    ),
}

# Proxy and certificates of the machine's own settings stay in force; the rest is replaced. The
# hooks go because those of container images delete files that belong to root.
APT_CONF = """\
Dir::Etc::SourceList "{work}/sources.list";
Dir::Etc::SourceParts "-";
Dir::Etc::Preferences "-";
Dir::Etc::PreferencesParts "-";
Dir::State "{work}/state";
Dir::State::Lists "{work}/lists";
Dir::State::Status "{work}/status";
Dir::Cache "{work}/cache";
APT::Architecture "{architecture}";
#clear APT::Architectures;
APT::Architectures {{ "{architecture}"; }};
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "2";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""


def package(bits: int) -> "Package | None":
    """The package fit for this machine; None where there is no apt, or none of that width."""
    system = _os_release()
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        return None
    for name in (system.get("ID", ""), *system.get("ID_LIKE", "").split()):
        if name in ARCHIVES:
            known = ARCHIVES[name].architectures.get(platform.machine(), {})
            return Package(ARCHIVES[name], known[bits]) if bits in known else None
    return None


@dataclass(frozen=True)
class Package:
    """The micropython package of one archive and architecture."""

    archive: Archive
    architecture: str

    @property
    def step(self) -> str:
        """Its name in messages."""
        return f"package of {self.archive.name} {self.archive.suite} {self.architecture}"

    @property
    def folder(self) -> str:
        """Its folder in the cache: archive, version and architecture."""
        archive = self.archive
        version = archive.version.rstrip("*")
        return f"micropython-{archive.name.lower()}-{archive.suite}-{version}-{self.architecture}"

    def make(self, home: Path) -> None:
        """Download, unpack and keep what runs; StepFailed when no mirror of the machine has it."""
        if not Path(self.archive.keyring).exists():
            keyring = Path(self.archive.keyring).name
            raise StepFailed(
                self.step, f"{keyring} is missing", "install the archive keyring of your system"
            )
        mirrors = _mirrors(self.archive)
        if not mirrors:
            raise StepFailed(self.step, f"apt knows no {self.archive.name} mirror", REMEDY)
        for mirror in mirrors:
            with tempfile.TemporaryDirectory(dir=home) as folder:
                work = Path(folder)
                problem = self._download(mirror, work)
                if problem is None:
                    self._keep(work, home)
                    return
        raise StepFailed(self.step, problem or "", REMEDY)

    def _download(self, mirror: str, work: Path) -> str | None:
        """Put the packages into work/cache; return apt's complaint when that fails."""
        for name in ("state", "lists/partial", "cache/archives/partial", "debs"):
            (work / name).mkdir(parents=True)
        (work / "status").touch()
        options = f"arch={self.architecture} signed-by={self.archive.keyring} target=Packages"
        line = f"deb [{options}] {mirror} {self.archive.suite} {self.archive.components}\n"
        (work / "sources.list").write_text(line)
        (work / "apt.conf").write_text(APT_CONF.format(work=work, architecture=self.architecture))
        apt = ["apt-get", "-q", "-c", str(work / "apt.conf")]
        wanted = [f"micropython={self.archive.version}", *LIBRARIES]
        for command in ([*apt, "--error-on=any", "update"], [*apt, "download", *wanted]):
            problem = complaint(command, ("E:",), DOWNLOAD_LIMIT_S, work / "debs")
            if problem:
                return problem
        return None

    def _keep(self, work: Path, home: Path) -> None:
        root = work / "root"
        for deb in sorted((work / "debs").glob("*.deb")):
            unpack = ["dpkg-deb", "-x", str(deb), str(root)]
            problem = complaint(unpack, ("error",), DOWNLOAD_LIMIT_S, work)
            if problem:
                raise StepFailed(self.step, problem, "try again; the download may be damaged")
        loader = next(iter(root.glob("usr/lib/*/ld-linux*.so.*")), None)
        if loader is None:
            raise StepFailed(
                self.step, "libc6 brought no loader", "set MICROPYTHON or MICROPYTHON32"
            )
        (home / "bin").mkdir()
        (root / "usr/bin/micropython").rename(home / "bin" / "micropython")
        (home / "lib").mkdir()
        for library in loader.parent.glob("*.so*"):
            library.rename(home / "lib" / library.name)
        (home / "lib" / "ld.so").symlink_to(loader.name)
        (root / "usr/share/doc").rename(home / "doc")  # the licences
        write_launcher(home)


# --- the mirror ----------------------------------------------------------------------------------


def _mirrors(archive: Archive) -> list[str]:
    """Addresses of this machine's mirrors of the archive, as its apt has them."""
    form = "$(ORIGIN)|$(LABEL)|$(REPO_URI)"
    lines = output(["apt-get", "indextargets", "--format", form]).splitlines()
    head = f"{archive.name}|{archive.name}|"
    known = [line.removeprefix(head) for line in lines if line.startswith(head)]
    return list(dict.fromkeys(known or _mirrors_never_updated()))


def _mirrors_never_updated() -> list[str]:
    """The same on a machine where no `apt-get update` has run yet, as in a fresh container.

    The origin is unknown there: repositories of the system's own suite are taken, and the keyring
    tells foreign ones from the archive.
    """
    codenames = [text for key, text in _os_release().items() if key.endswith("CODENAME")]
    suites = {*codenames, "stable", "oldstable", "testing", "unstable", "sid"}
    uris = re.findall(
        r"^'(.*)/dists/([^/']+)/InRelease'", output(["apt-get", "--print-uris", "update"]), re.M
    )
    return [mirror for mirror, suite in uris if suite in suites]


def _os_release() -> dict[str, str]:
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}
