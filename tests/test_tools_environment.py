"""Making the environment (tools/environment.py, pyproject.toml): what is refused, and the pins."""

import sys
import tomllib
from pathlib import Path

import pytest

from tools import environment


def test_a_python_that_is_too_old_is_told_which_to_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    with pytest.raises(environment.SetupFailed) as failure:
        environment.check_python()
    assert str(failure.value) == (
        f"Python 3.9 ({sys.executable}) is too old; install Python 3.11 or newer and run "
        "`make setup PYTHON=python3.11`."
    )


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_a_python_without_venv_is_told_the_package(
    monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(environment.SetupFailed, match="`sudo apt install python3-venv` brings it"):
        environment.check_python()


def test_a_failing_program_shows_its_words_and_the_remedy(
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = [sys.executable, "-c", "import sys; print('no route to host'); sys.exit(1)"]
    with pytest.raises(environment.SetupFailed, match=r"failed, see above; check the network\."):
        environment.run(command, "check the network")
    assert capsys.readouterr().err == "no route to host\n"


def test_an_environment_whose_python_is_gone_does_not_count(tmp_path: Path) -> None:
    assert environment.works(Path(sys.prefix))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(tmp_path / "gone")
    assert not environment.works(tmp_path)


def requirements(repo_root: Path) -> list[str]:
    table = tomllib.loads((repo_root / "pyproject.toml").read_text())
    extras = table["project"]["optional-dependencies"].values()
    return [
        *table["build-system"]["requires"],
        *table["project"]["dependencies"],
        # an extra that brings in another one of ours pins nothing itself
        *(one for extra in extras for one in extra if not one.startswith("packlab[")),
    ]


def test_every_dependency_is_pinned_and_has_its_reason(repo_root: Path) -> None:
    reasons = (repo_root / "CONTRIBUTING.md").read_text().partition("## Why each dependency")[2]
    pinned = [requirement.partition("==") for requirement in requirements(repo_root)]
    assert len(pinned) > 10
    assert [name for name, _, version in pinned if not version] == []
    assert [name for name, _, _ in pinned if f"`{name}`" not in reasons] == []
