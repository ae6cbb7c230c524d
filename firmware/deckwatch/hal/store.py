"""The configuration file in the chip's flash."""

import json

CONFIG = "config.json"


def read_config():
    """The owner's options as a dict, {} when there is no file; ValueError when it cannot be read
    as a JSON object."""
    try:
        with open(CONFIG) as stream:
            options = json.load(stream)
    except OSError:
        return {}
    if not isinstance(options, dict):
        raise ValueError("%s must hold a JSON object" % CONFIG)
    return options
