"""The numbers of a page as JSON, so that a program can read from it what a person does. Keys carry
their units; lines are lists of strokes, each a list of [t_ms, value]."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from packlab.report.fleet import Pack
from packlab.report.plots import series
from packlab.report.samples import SLOTS
from packlab.report.study import PackStudy, Study


def text(studies: Sequence[Study], packs: Sequence[Pack]) -> str:
    """Safe inside a `script` element: nothing in it can end that."""
    told = {"captures": list(map(_capture, studies)), "packs": [asdict(pack) for pack in packs]}
    return json.dumps(told, separators=(",", ":")).replace("<", "\\u003c")


def _capture(study: Study) -> dict[str, Any]:
    summary = asdict(study.summary)
    alerts = summary.pop("alerts")
    return {
        "name": study.name,
        "pack": study.pack,
        "when": study.when,
        "when_from": study.when_from,
        "origin": study.header.origin,
        "source": study.header.source,
        "pace": study.pace,
        "from_ms": study.from_ms,
        "to_ms": study.to_ms,
        "summary": summary,
        "alerts": alerts,
        "bands": [asdict(band) for band in study.bands],
        "limits": study.limits,
        "packs": [_pack(study, pack) for pack in study.packs],
    }


def _pack(study: Study, pack: PackStudy) -> dict[str, Any]:
    return {
        "number": pack.number,
        "samples": len(pack.samples.t_ms),
        "extremes": _extremes(pack),
        "sessions": [asdict(session) for session in pack.sessions],
        "resistance": asdict(pack.resistance) if pack.resistance else None,
        "series": series(study, pack),
    }


def _extremes(pack: PackStudy) -> dict[str, dict[str, int]]:
    """First, last, lowest and highest of every slot that was told."""
    known = {slot: [value for _, value in pack.samples.known(slot)] for slot in SLOTS}
    return {
        slot: {
            "first": values[0],
            "last": values[-1],
            "lowest": min(values),
            "highest": max(values),
        }
        for slot, values in known.items()
        if values
    }
