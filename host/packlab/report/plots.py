"""The plots of one battery: alerts, cells, delta, pack voltage, current, temperatures, state of
charge and the line, one below the other on the same time."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from packlab.report import clock
from packlab.report.bands import UNSEEN, Band
from packlab.report.samples import Point, Stroke, strokes
from packlab.report.study import PackStudy, Study
from packlab.report.svg import BOTTOM, TOP, Plot, fitting, round_steps
from packlab.view import units, words
from packlab.view.words import CELLS, CHARGING, CURRENT, ELECTRONICS, TEMPERATURE

Series = dict[str, list[Stroke]]

_LETTER_PX = 6  # of the words in a lane, at most
_LANE_PX = 18
_LEVEL_NAMES = {**words.LEVEL_WORDS, UNSEEN: "can no longer be seen"}


def series(study: Study, pack: PackStudy) -> Series:
    """Every line of every plot by name, in the unit of its name; cells in mV, probes in 0.1 °C."""
    samples = pack.samples
    lines: dict[str, Iterable[Point]] = {
        slot: samples.known(slot)
        for slot in (
            *("pack_mv", "current_ma", "soc_pct", "cell_spread_mv"),
            *("mos_temp_dc", "board_temp_dc"),
        )
    }
    lines |= {f"cell {n}": samples.cell(n) for n in range(1, samples.cells + 1)}
    lines |= {f"probe {n}": samples.probe(n) for n in range(1, samples.probes + 1)}
    drawn = {name: strokes(points, study.from_ms, study.to_ms) for name, points in lines.items()}
    drawn["link_score"] = [list(_stairs(study.link))] if study.link else []
    return {name: found for name, found in drawn.items() if found}


def _stairs(points: list[Point]) -> Iterable[Point]:
    """What holds until it changes."""
    before: int | None = None
    for t_ms, value in points:
        if before is not None:
            yield t_ms, before
        yield t_ms, value
        before = value


def plots(study: Study, pack: PackStudy, drawn: Series) -> list[str]:
    """The plots there are values for, as `svg` elements."""
    board = _Board(study, pack, drawn)
    makers = (
        *(board.alerts, board.cells, board.delta, board.voltage, board.current),
        *(board.temperatures, board.charge, board.link),
    )
    return [plot.render() for plot in (make() for make in makers) if plot is not None]


@dataclass(frozen=True, slots=True)
class _Board:
    """What all plots of a battery share."""

    study: Study
    pack: PackStudy
    drawn: Series

    @property
    def _bands(self) -> list[Band]:
        """The line's alerts are told of the first pack."""
        return [band for band in self.study.bands if band.pack == self.pack.number]

    def alerts(self) -> Plot | None:
        """A lane for each guardrail that spoke, in the order they first did."""
        lanes = list(dict.fromkeys(band.code for band in self._bands))
        if not lanes:
            return None
        height = TOP + BOTTOM + _LANE_PX * len(lanes)
        plot = self._plot("alerts", "Alerts", (len(lanes) - 0.5, -0.5), height)
        self._times(plot)
        middle_ms = (self.study.from_ms + self.study.to_ms) / 2
        for lane, code in enumerate(lanes):
            bands = [band for band in self._bands if band.code == code]
            for band in bands:
                plot.bar(band.from_ms, band.to_ms, lane, band.level, _tip(band))
            before_ms = bands[0].from_ms - self.study.from_ms
            after_ms = self.study.to_ms - bands[-1].to_ms
            title = words.words(code).title
            room_px = len(title) * _LETTER_PX + 6
            room_ms = (
                room_px * (self.study.to_ms - self.study.from_ms) / (plot.x.end - plot.x.start)
            )
            if max(before_ms, after_ms) < room_ms:  # nowhere beside the bar: upon it
                plot.note(plot.x.at(bands[0].from_ms) + 6, lane, title, "start")
            elif bands[0].from_ms > middle_ms or before_ms > after_ms:
                plot.note(plot.x.at(bands[0].from_ms) - 6, lane, title, "end")
            else:
                plot.note(plot.x.at(bands[-1].to_ms) + 6, lane, title, "start")
        return plot

    def cells(self) -> Plot | None:
        """Every cell thin; the highest and the lowest at the end, and those in an alert, named."""
        names = [name for name in self.drawn if name.startswith("cell ")]
        if not names:
            return None
        plot = self._valued("cells", "Cells, V", names, 200, least=100, text=_volts(3))
        self._limits(plot, ("highest_mv", "lowest_mv"), _volts(2))
        self._shade(plot, CELLS)
        marked = self._marked(names)
        for name in names:
            if name not in marked:
                plot.line(name, self.drawn[name], "cell")
        for name, kind in marked.items():
            plot.line(name, self.drawn[name], f"cell {kind}")
            last_mv = self.drawn[name][-1][-1][1]
            plot.label(last_mv, f"{name}: {units.value('cell_mv', last_mv)}", kind)
        return plot

    def _marked(self, names: list[str]) -> dict[str, str]:
        """Which cells stand out, and as what."""
        last = {name: self.drawn[name][-1][-1][1] for name in names}
        lowest, highest = min(last, key=last.__getitem__), max(last, key=last.__getitem__)
        marked = {lowest: "low"} | {highest: "high"}
        for alert in self.study.summary.alerts:
            name = f"cell {alert.cell}"
            if alert.cell and alert.pack == self.pack.number and name in names:
                marked[name] = alert.worst_level
        return marked

    def delta(self) -> Plot | None:
        """Highest minus lowest cell."""
        title = "Delta between highest and lowest cell, mV"
        plot = self._single("cell_spread_mv", title, 110, least=20, floor=0)
        if plot is not None:
            self._limits(plot, ("cell_spread_mv",), _plain)
            self._shade(plot, CELLS)
            plot.area(self.drawn["cell_spread_mv"], 0, "delta")
            plot.line("cell_spread_mv", self.drawn["cell_spread_mv"], "delta")
        return plot

    def voltage(self) -> Plot | None:
        """The whole pack."""
        plot = self._single("pack_mv", "Pack, V", 120, least=500, text=_volts(1))
        if plot is not None:
            self._limits(plot, ("pack_mv",), _volts(2))
            self._shade(plot, CHARGING)
            plot.line("pack_mv", self.drawn["pack_mv"], "pack")
            last_mv = self.drawn["pack_mv"][-1][-1][1]
            plot.label(last_mv, units.value("pack_mv", last_mv), "pack")
        return plot

    def current(self) -> Plot | None:
        """Into the pack upwards, out of it downwards."""
        title = "Current, A: into the pack above zero, out of it below"
        plot = self._single("current_ma", title, 130, least=1000, text=_amps)
        if plot is not None:
            self._shade(plot, CURRENT)
            plot.area(self.drawn["current_ma"], 0, "current")
            plot.line("current_ma", self.drawn["current_ma"], "current")
        return plot

    def temperatures(self) -> Plot | None:
        """Cell probes, and the board's where it has some."""
        others = [name for name in ("mos_temp_dc", "board_temp_dc") if name in self.drawn]
        names = [name for name in self.drawn if name.startswith("probe ")] + others
        if not names:
            return None
        plot = self._valued("temperatures", "Temperatures, °C", names, 130, least=60, text=_tenths)
        self._shade(plot, TEMPERATURE)
        for number, name in enumerate(names):
            kind = "board" if name in others else f"probe-{number % 4 + 1}"
            plot.line(name, self.drawn[name], kind)
            last_dc = self.drawn[name][-1][-1][1]
            called = {"mos_temp_dc": "MOSFETs", "board_temp_dc": "board"}.get(name, name)
            plot.label(last_dc, f"{called}: {units.value('temp_dc', last_dc)}", kind)
        return plot

    def charge(self) -> Plot | None:
        """As the BMS tells it."""
        title = "State of charge as the BMS tells it, %"
        plot = self._single("soc_pct", title, 100, least=100, floor=0, top=100)
        if plot is not None:
            plot.area(self.drawn["soc_pct"], 0, "soc")
            plot.line("soc_pct", self.drawn["soc_pct"], "soc")
            last_pct = self.drawn["soc_pct"][-1][-1][1]
            plot.label(last_pct, f"{last_pct} %", "soc")
        return plot

    def link(self) -> Plot | None:
        """Of the whole line, whichever pack it is drawn with."""
        title = "Data line, good frames of a hundred"
        plot = self._single("link_score", title, 90, least=100, floor=0, top=100)
        if plot is not None:
            self._shade(plot, ELECTRONICS)
            plot.line("link_score", self.drawn["link_score"], "link")
            plot.label(self.study.summary.link_score, f"{self.study.summary.link_score}", "link")
        return plot

    def _single(
        self,
        name: str,
        title: str,
        height: int,
        *,
        least: float,
        floor: float | None = None,
        top: float | None = None,
        text: Callable[[float], str] | None = None,
    ) -> Plot | None:
        if name not in self.drawn:
            return None
        text = text or _plain
        return self._valued(
            name, title, [name], height, least=least, floor=floor, top=top, text=text
        )

    def _valued(
        self,
        name: str,
        title: str,
        names: list[str],
        height: int,
        *,
        least: float,
        text: Callable[[float], str],
        floor: float | None = None,
        top: float | None = None,
    ) -> Plot:
        values = [v for n in names for stroke in self.drawn[n] for _, v in stroke]
        values += [0] if name == "current_ma" else []
        low, high = fitting(values, least, floor=floor)
        plot = self._plot(name, title, (low, top if top is not None else high), height)
        plot.grid(round_steps(plot.y.low, plot.y.high, 6), text)
        self._times(plot)
        return plot

    def _plot(self, name: str, title: str, values: tuple[float, float], height: int) -> Plot:
        to_ms = max(self.study.to_ms, self.study.from_ms + 1)
        called = title if len(self.study.packs) == 1 else f"{title} (pack {self.pack.number})"
        return Plot(name, called, (self.study.from_ms, to_ms), values, height)

    def _times(self, plot: Plot) -> None:
        plot.times(clock.steps_ms(self.study.from_ms, self.study.to_ms), clock.tick)

    def _shade(self, plot: Plot, family: int) -> None:
        """Where an alert of this family stood."""
        for band in self._bands:
            if words.words(band.code).family == family:
                plot.band(band.from_ms, band.to_ms, band.level, _tip(band))

    def _limits(self, plot: Plot, slots: Iterable[str], text: Callable[[float], str]) -> None:
        for slot in slots:
            for level, limit in self.study.limits.get(slot, []):
                plot.limit(limit, level, f"{words.LEVEL_WORDS[level].lower()} {text(limit)}")


def _tip(band: Band) -> str:
    title, level = words.words(band.code).title, _LEVEL_NAMES[band.level]
    return f"{title}, {level}: {clock.tick(band.from_ms)} to {clock.tick(band.to_ms)}"


def _plain(value: float) -> str:
    return f"{value:g}"


def _amps(value: float) -> str:
    return f"{value / 1000:g}"


def _tenths(value: float) -> str:
    return f"{value / 10:g}"


def _volts(digits: int) -> Callable[[float], str]:
    def text(value: float) -> str:
        return f"{value / 1000:.{digits}f}"

    return text
