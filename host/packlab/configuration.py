"""The dongle's configuration file, as commands take it."""

import json
from pathlib import Path

from packlab.errors import PacklabError


def read(path: Path | None, profile: str | None) -> dict[str, object]:
    """The configuration file's object, the profile of the command line on top."""
    config: dict[str, object] = {}
    if path is not None:
        try:
            loaded = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise PacklabError(
                f"{path} cannot be read: {error.strerror}; check the path"
            ) from error
        except (ValueError, RecursionError) as error:
            raise PacklabError(f"{path} is no JSON: {error}; mend it there") from error
        if not isinstance(loaded, dict):
            raise PacklabError(f'{path} must hold one JSON object: {{"profile": "m365"}}')
        config = loaded
    if profile is not None:
        config["profile"] = profile
    return config
