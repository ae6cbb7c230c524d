"""Getting MicroPython (tools/interpreters): every step, its order and its one-sentence failures.

The programs it calls (apt-get, dpkg-deb, git, gcc, make, and micropython itself) are small scripts
made here: nothing is downloaded, and the machine's own settings do not matter. The last tests ask
the real interpreters.
"""

import dataclasses
import json
import os
import platform
import shutil
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from conftest import MicroPython

from tools.interpreters import Interpreter, NoInterpreter, find
from tools.interpreters import archive as archives

LARGEST = {64: 2**63 - 1, 32: 2**31 - 1}


def fake_interpreter(bits: int = 64, version: str = "1 25 0") -> str:
    """A shell script that answers the probe as MicroPython would, and echoes other arguments."""
    return textwrap.dedent(f"""\
        #!/bin/sh
        case "$2" in
        *sys.implementation*) echo micropython {version} {LARGEST[bits]} ;;
        *) echo "$@" ;;
        esac
    """)


class Bench:
    """A machine of its own: programs on PATH, a cache, and what the programs noted down."""

    def __init__(self, folder: Path) -> None:
        self.programs = folder / "bin"
        self.programs.mkdir()
        self.cache = folder / "cache" / "deckwatch"
        self.notes = folder / "notes"
        self.notes.mkdir()
        self.tree = folder / "tree"

    def install(self, name: str, script: str) -> Path:
        path = self.programs / name
        path.write_text(script)
        path.chmod(0o755)
        return path

    def noted(self, name: str) -> list[str]:
        path = self.notes / name
        return path.read_text().splitlines() if path.exists() else []

    def install_apt(
        self, targets: str, uris: str = "", *, slow_s: float = 0, good: str = ""
    ) -> None:
        """An apt-get that knows `targets`; only the mirror `good` (default: any) has the suite."""
        self.install(
            "apt-get",
            textwrap.dedent(f"""\
                #!/bin/sh
                case "$*" in
                indextargets*) printf '{targets}' ;;
                *print-uris*) printf "{uris}" ;;
                *update*)
                    sources=$(dirname "$3")/sources.list
                    cat "$sources" >> {self.notes}/sources
                    cat "$3" >> {self.notes}/conf
                    sleep {slow_s}
                    grep -q '{good}' "$sources" || {{ echo 'E: no such suite.' >&2; exit 100; }} ;;
                *download*) echo "$@" >> {self.notes}/downloads; touch micropython.deb libc6.deb ;;
                esac
            """),
        )

    def install_dpkg(self, interpreter: str) -> None:
        """A dpkg-deb whose packages hold `interpreter` and a loader that starts it."""
        self.install(
            "dpkg-deb",
            textwrap.dedent("""\
                #!/bin/sh
                mkdir -p "$3/usr/bin" "$3/usr/share/doc" "$3/usr/lib/any-linux"
                cp "$0.interpreter" "$3/usr/bin/micropython"
                printf '#!/bin/sh\\nshift 2\\nexec "$@"\\n' > "$3/usr/lib/any-linux/ld-linux.so.2"
                chmod +x "$3/usr/lib/any-linux/ld-linux.so.2"
            """),
        )
        self.install("dpkg-deb.interpreter", interpreter)

    def install_compiler(self, interpreter: str) -> None:
        """A gcc that accepts everything, and a make that puts `interpreter` where it should be."""
        self.install("gcc", "#!/bin/sh\n")
        self.install(
            "make",
            textwrap.dedent(f"""\
                #!/bin/sh
                echo "MAKEFLAGS=$MAKEFLAGS in $PWD: $*" >> {self.notes}/make
                for word; do case "$word" in BUILD=*) build=${{word#BUILD=}} ;; esac; done
                mkdir -p "$build" && cp "$0.interpreter" "$build/micropython"
            """),
        )
        self.install("make.interpreter", interpreter)

    def make_tree(self) -> Path:
        """The files of a source tree that are looked at."""
        for name in ("ports/unix/Makefile", "mpy-cross/Makefile", "py/mpconfig.h", "LICENSE"):
            (self.tree / name).parent.mkdir(parents=True, exist_ok=True)
            (self.tree / name).touch()
        return self.tree


DEBIAN = "Debian|Debian|http://mirror.example/debian/\\n"


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A Debian machine on x86 with coreutils and nothing else."""
    bench = Bench(tmp_path)
    for variable in ("MICROPYTHON", "MICROPYTHON32", "MICROPYTHON_SOURCE", "MICROPYPATH"):
        monkeypatch.delenv(variable, raising=False)
    for name in ("sh", "cat", "chmod", "cp", "dirname", "grep", "mkdir", "sleep", "touch"):
        (bench.programs / name).symlink_to(shutil.which(name) or "")
    monkeypatch.setenv("PATH", str(bench.programs))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    keyring = tmp_path / "keyring.gpg"
    keyring.touch()
    debian = dataclasses.replace(archives.ARCHIVES["debian"], keyring=str(keyring))
    monkeypatch.setitem(archives.ARCHIVES, "debian", debian)
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    system = {"ID": "debian", "VERSION_CODENAME": "bookworm"}
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: system)
    return bench


def refusal(bits: int = 64, tree: str | None = None, *, fetch: bool = True) -> list[str]:
    """The lines said when nothing is found."""
    with pytest.raises(NoInterpreter) as failure:
        find(bits, tree, fetch=fetch)
    return str(failure.value).splitlines()


# --- named by the user, or on PATH ---------------------------------------------------------------


@pytest.mark.parametrize(("bits", "variable"), [(64, "MICROPYTHON"), (32, "MICROPYTHON32")])
def test_the_variable_comes_first(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, bits: int, variable: str
) -> None:
    bench.install("micropython", fake_interpreter(bits, "1 26 0"))
    mine = bench.install("mine", fake_interpreter(bits, "1 24 1"))
    monkeypatch.setenv(variable, str(mine))
    found = find(bits)
    assert found == Interpreter(str(mine), (str(mine),), bits, "1.24.1", f"${variable}")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (fake_interpreter(64, "1 23 9"), "is MicroPython 1.23.9, older than 1.24"),
        (fake_interpreter(32), "is not a 64-bit build (its sys.maxsize is 2147483647)"),
        ("#!/bin/sh\necho 3.11\n", "is not MicroPython"),
        ("#!/bin/sh\necho no such library >&2; exit 127\n", "does not run (no such library)"),
    ],
)
def test_a_variable_that_names_a_wrong_one_is_an_error_not_a_hint(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    bench.install("micropython", fake_interpreter())
    monkeypatch.setenv("MICROPYTHON", str(bench.install("mine", script)))
    lines = refusal()
    assert len(lines) == 2
    assert lines[1].startswith(
        f"  $MICROPYTHON: {bench.programs}/mine {said}; point it at a 64-bit"
    )


def test_one_on_path_is_taken_when_it_fits(bench: Bench) -> None:
    path = bench.install("micropython", fake_interpreter(64, "1 24 0"))
    found = find(64)
    assert (found.path, found.version, found.origin) == (str(path), "1.24.0", "PATH")


def test_the_settings_of_a_program_under_test_do_not_reach_the_probe(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.install(
        "micropython", '#!/bin/sh\n[ -z "$MICROPYPATH" ] || exit 1\n' + fake_interpreter()[10:]
    )
    monkeypatch.setenv("MICROPYPATH", "/somewhere")
    assert find(64).origin == "PATH"


@pytest.mark.parametrize("script", [fake_interpreter(64), fake_interpreter(32, "1 22 0")])
def test_one_on_path_that_does_not_fit_is_passed_over(bench: Bench, script: str) -> None:
    bench.install("micropython", script)
    bench.install_apt(DEBIAN)
    bench.install_dpkg(fake_interpreter(32))
    assert find(32).origin == "package of Debian trixie i386"


# --- the package ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("bits", "architecture"), [(64, "amd64"), (32, "i386")])
def test_the_package_is_fetched_from_the_machines_own_mirror(
    bench: Bench, bits: int, architecture: str
) -> None:
    bench.install_apt("Other|Other|http://other.example/\\n" + DEBIAN + DEBIAN)
    bench.install_dpkg(fake_interpreter(bits))
    found = find(bits)
    assert found.origin == f"package of Debian trixie {architecture}"
    (source,) = bench.noted("sources")
    assert source.startswith(f"deb [arch={architecture} signed-by=")
    assert source.endswith("] http://mirror.example/debian/ trixie main")
    assert f'APT::Architecture "{architecture}";' in bench.noted("conf")
    (download,) = bench.noted("downloads")
    assert "micropython=1.25.0+ds-1* libc6 libffi8" in download


def test_the_launcher_and_the_command_run_the_package_through_its_loader(bench: Bench) -> None:
    bench.install_apt(DEBIAN)
    bench.install_dpkg(fake_interpreter())
    found = find(64)
    home = Path(found.path).parent
    assert home.parent == bench.cache
    assert found.command == (
        f"{home}/lib/ld.so",
        "--library-path",
        f"{home}/lib",
        f"{home}/bin/micropython",
    )
    for command in ([found.path], found.command):
        done = subprocess.run([*command, "a b", "$c"], capture_output=True, text=True, check=True)
        assert done.stdout == "a b $c\n"
    assert sorted(path.name for path in bench.cache.iterdir()) == [home.name, f"{home.name}.lock"]


def test_the_second_run_fetches_nothing(bench: Bench) -> None:
    bench.install_apt(DEBIAN)
    bench.install_dpkg(fake_interpreter())
    first = find(64)
    (bench.programs / "apt-get").write_text("#!/bin/sh\nexit 1\n")
    assert find(64) == first
    assert find(64, fetch=False) == first


def test_a_machine_that_never_updated_has_its_mirror_read_from_its_sources(bench: Bench) -> None:
    uris = "".join(
        f"'http://{mirror}/dists/{suite}/InRelease' x 0\\n"
        for mirror, suite in [
            ("shop.example/apt", "shop-bookworm"),
            ("mirror.example/debian", "bookworm"),
            ("mirror.example/debian", "bookworm-updates"),
        ]
    )
    bench.install_apt("", uris)
    bench.install_dpkg(fake_interpreter())
    find(64)
    (source,) = bench.noted("sources")
    assert source.endswith("] http://mirror.example/debian trixie main")


def test_a_mirror_without_the_suite_leads_to_the_next(bench: Bench) -> None:
    bench.install_apt("Debian|Debian|http://old.example/\\n" + DEBIAN, good="mirror.example")
    bench.install_dpkg(fake_interpreter())
    find(64)
    assert [line.split()[4] for line in bench.noted("sources")] == [
        "http://old.example/",
        "http://mirror.example/debian/",
    ]


@pytest.mark.parametrize(
    ("targets", "good", "said"),
    [
        ("", "", "apt knows no Debian mirror; check the network and apt's settings"),
        (
            DEBIAN,
            "elsewhere",
            "apt-get says: E: no such suite; check the network and apt's settings",
        ),
    ],
)
def test_a_package_that_cannot_be_had_names_step_and_remedy(
    bench: Bench, targets: str, good: str, said: str
) -> None:
    bench.install_apt(targets, good=good)
    bench.install_dpkg(fake_interpreter())
    lines = refusal()
    assert lines[0] == "There is no 64-bit MicroPython, and none could be made:"
    assert [line.split(":")[0] for line in lines[1:]] == [
        "  PATH",
        "  cache",
        "  package of Debian trixie amd64",
        "  build from source v1.25.0",
    ]
    assert said in lines[3]
    assert all(line.endswith(".") and "; " in line for line in lines[1:])


def test_a_missing_keyring_is_said_before_anything_is_fetched(
    bench: Bench, tmp_path: Path
) -> None:
    bench.install_apt(DEBIAN)
    bench.install_dpkg(fake_interpreter())
    (tmp_path / "keyring.gpg").unlink()
    assert "keyring.gpg is missing; install the archive keyring of your system." in refusal()[3]
    assert bench.noted("sources") == []


def test_what_does_not_work_is_not_kept(bench: Bench) -> None:
    bench.install_apt(DEBIAN)
    bench.install_dpkg(fake_interpreter(32))
    assert "is not a 64-bit build" in refusal()[3]
    assert [path.suffix for path in bench.cache.iterdir()] == [".lock"] * 2


def test_one_in_the_cache_that_stopped_working_is_replaced(bench: Bench) -> None:
    bench.install_apt(DEBIAN)
    bench.install_dpkg(fake_interpreter())
    found = find(64)
    (Path(found.path).parent / "lib" / "ld.so").unlink()
    assert refusal(fetch=False)[-1].startswith(f"  cache: {bench.cache} holds no working one yet;")
    assert find(64) == found


def test_what_a_killed_run_left_is_replaced(bench: Bench) -> None:
    bench.install_apt(DEBIAN)
    bench.install_dpkg(fake_interpreter())
    left = bench.cache / "micropython-debian-trixie-1.25.0+ds-1-amd64.new" / "bin"
    left.mkdir(parents=True)
    assert find(64).bits == 64
    assert not left.exists()


def test_of_two_runs_at_once_one_fetches(bench: Bench, capfd: pytest.CaptureFixture[str]) -> None:
    bench.install_apt(DEBIAN, slow_s=0.4)
    bench.install_dpkg(fake_interpreter())
    found: list[Interpreter] = []
    runs = [threading.Thread(target=lambda: found.append(find(64))) for _ in range(3)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert len(found) == 3
    assert len(set(found)) == 1
    assert len(bench.noted("downloads")) == 1
    assert capfd.readouterr().err.count("another run is getting MicroPython") == 2


def test_other_systems_and_processors_go_on_to_the_source(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.install_apt(DEBIAN)
    bench.install_dpkg(fake_interpreter())
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert [line.split(":")[0] for line in refusal()[2:]] == [
        "  cache",
        "  build from source v1.25.0",
    ]


def test_a_relative_of_ubuntu_uses_ubuntus_mirror(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ubuntu = dataclasses.replace(
        archives.ARCHIVES["ubuntu"], keyring=str(tmp_path / "keyring.gpg")
    )
    monkeypatch.setitem(archives.ARCHIVES, "ubuntu", ubuntu)
    mint = {"ID": "linuxmint", "ID_LIKE": "ubuntu debian", "UBUNTU_CODENAME": "noble"}
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: mint)
    bench.install_apt("", "'http://mirror.example/ubuntu/dists/noble/InRelease' x 0\\n")
    bench.install_dpkg(fake_interpreter())
    assert find(64).origin == "package of Ubuntu resolute amd64"
    (source,) = bench.noted("sources")
    assert source.endswith("] http://mirror.example/ubuntu resolute main universe")
    assert "build from source" in refusal(32)[3]


# --- the source ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("bits", "flags"), [(64, 0), (32, 1)])
def test_a_tree_is_built_outside_itself(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, bits: int, flags: int
) -> None:
    bench.install("micropython", fake_interpreter(bits))
    bench.install_compiler(fake_interpreter(bits, "1 29 0"))
    monkeypatch.setenv("MAKEFLAGS", "n")
    tree = bench.make_tree()
    before = sorted(tree.rglob("*"))
    found = find(bits, str(tree))
    assert (found.version, found.origin) == ("1.29.0", f"build from {tree}")
    assert found.command == (found.path,)
    assert sorted(tree.rglob("*")) == before
    cross, unix = bench.noted("make")
    assert cross.startswith(f"MAKEFLAGS= in {tree}/mpy-cross: ")
    assert unix.startswith(f"MAKEFLAGS= in {tree}/ports/unix: ")
    assert [unix.count(flag) for flag in ("CFLAGS_EXTRA=-m32", "MICROPY_FORCE_32BIT=1")] == [
        flags
    ] * 2
    assert sorted(path.name for path in Path(found.path).parent.iterdir()) == [
        "LICENSE",
        "micropython",
    ]


def test_the_tree_may_be_named_by_the_variable_and_is_built_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.install_compiler(fake_interpreter())
    monkeypatch.setenv("MICROPYTHON_SOURCE", str(bench.make_tree()))
    first = find(64)
    assert find(64) == first
    assert len(bench.noted("make")) == 2
    (bench.tree / "py" / "mpconfig.h").write_text("another version")
    assert find(64).path != first.path


def test_upstreams_tag_is_cloned_where_there_is_no_package(bench: Bench) -> None:
    bench.install_compiler(fake_interpreter())
    bench.make_tree()
    bench.install(
        "git",
        f'#!/bin/sh\necho "$@" >> {bench.notes}/git\n'
        f'for last; do :; done\ncp -r {bench.tree} "$last"\n',
    )
    found = find(64)
    assert found.origin == "build from source v1.25.0"
    (clone,) = bench.noted("git")
    assert "--depth=1 --branch=v1.25.0 https://github.com/micropython/micropython" in clone


FAILING = {
    "gcc": (
        "#!/bin/sh\n[ $1 != -m32 ]\n",
        "gcc makes no 32-bit programs here; install gcc-multilib.",
    ),
    "git": (
        "#!/bin/sh\necho 'fatal: no route' >&2; exit 128\n",
        "git says: fatal: no route; check the network, or give a MicroPython source tree in",
    ),
    "make": (
        "#!/bin/sh\necho 'x.c:1: warning: w' >&2; echo 'x.c:2: error: e' >&2; exit 2\n",
        "make says: x.c:2: error: e; mend that, or give another tree.",
    ),
}


@pytest.mark.parametrize("program", FAILING)
def test_a_failing_program_is_named_with_its_complaint(bench: Bench, program: str) -> None:
    bench.install_compiler(fake_interpreter(32))
    script, said = FAILING[program]
    tree = None if program == "git" else str(bench.make_tree())
    bench.install("git", "#!/bin/sh\n")
    bench.install(program, script)
    last = refusal(32, tree)[-1]
    assert last.startswith("  build from ")
    assert said in last


@pytest.mark.parametrize("program", ["gcc", "make", "git"])
def test_a_missing_program_is_asked_for(bench: Bench, program: str) -> None:
    bench.install_compiler(fake_interpreter())
    bench.install("git", "#!/bin/sh\n")
    (bench.programs / program).unlink()
    assert refusal()[-1].endswith(f": {program} not found; install {program}.")


def test_a_folder_that_is_no_tree_is_refused(bench: Bench, tmp_path: Path) -> None:
    bench.install_compiler(fake_interpreter())
    last = refusal(64, str(tmp_path))[-1]
    assert last.endswith(f": {tmp_path} has no ports/unix; give MicroPython's own tree.")


# --- the cache folder and the command ------------------------------------------------------------


def test_a_cache_that_cannot_be_is_said_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bench.install_apt(DEBIAN)
    bench.install_dpkg(fake_interpreter())
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    lines = refusal()
    assert len(lines) == 3
    assert lines[2].startswith("  cache: ")
    assert lines[2].endswith("set XDG_CACHE_HOME to a folder of yours.")


def command(
    repo_root: Path, *arguments: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(repo_root / "tools" / "micropython.py"), *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **variables},
        check=False,
    )


def test_the_command_prints_the_path_or_all_that_is_known(bench: Bench, repo_root: Path) -> None:
    mine = bench.install("mine", fake_interpreter(32))
    done = command(repo_root, "--bits", "32", MICROPYTHON32=str(mine))
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{mine}\n", "")
    done = command(repo_root, "--bits", "32", "--json", MICROPYTHON32=str(mine))
    assert json.loads(done.stdout) == {
        "path": str(mine),
        "command": [str(mine)],
        "bits": 32,
        "version": "1.25.0",
        "origin": "$MICROPYTHON32",
    }


@pytest.mark.usefixtures("bench")
def test_the_command_fails_in_words_and_with_1(repo_root: Path) -> None:
    done = command(repo_root, "--no-fetch", MICROPYTHON="/no/such/file")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[0] == "There is no 64-bit MicroPython, and none could be made:"
    assert "Traceback" not in done.stderr


# --- the real ones -------------------------------------------------------------------------------


def test_the_real_interpreter_has_its_width_and_asyncio(micropython: MicroPython) -> None:
    said = micropython.execute("import sys, asyncio; print(sys.maxsize, asyncio.run.__name__)")
    assert said == f"{LARGEST[micropython.bits]} run\n"


def test_the_real_interpreters_heap_is_as_large_as_asked_for(
    micropython32: MicroPython, tmp_path: Path
) -> None:
    script = tmp_path / "heap.py"
    script.write_text("import gc, sys\nprint(gc.mem_free() + gc.mem_alloc(), sys.argv[1])\n")
    total, word = micropython32.run(script, "word", heapsize="96k").split()
    assert 90 * 1024 < int(total) <= 96 * 1024
    assert word == "word"


def test_the_real_interpreter_sees_the_firmware_and_its_frozen_modules(
    micropython: MicroPython, repo_root: Path
) -> None:
    path = micropython.execute("import sys; print(sys.path[1:])").strip()
    assert path == f"['{repo_root / 'firmware'}', '.frozen']"


def test_a_script_that_fails_fails_its_test_with_its_own_words(micropython64: MicroPython) -> None:
    with pytest.raises(AssertionError, match="ValueError: no good"):
        micropython64.execute("raise ValueError('no good')")
