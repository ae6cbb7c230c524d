// The cells as bars. Highest and lowest differ by mark and pattern, too: a colour alone is not
// seen by everybody.
import { extremes } from "./codec.js";
import { byId, draw, make } from "./dom.js";
import { number, say } from "./words.js";

const MARGIN_MV = 20;
const WIDTH = 360;
const HEIGHT = 168;
const TOP = 22; // room for the marks
const FOOT = 18; // and for the numbers
const TRAIL = 300; // values of the delta that are kept
const OLD_S = 5;

const trail = [];

/** live: codec.decodeLive's, null before the first. */
export function showCells(live) {
  const cellMv = live?.cellMv ?? [];
  const found = extremes(cellMv);
  const heading = make("h2", {}, say("cells"));
  if (!found) {
    trail.length = 0;
    byId("cells").replaceChildren(heading, make("p", { class: "hint" }, say("no_cells")));
    return;
  }
  trail.push(found.delta);
  if (trail.length > TRAIL) trail.shift();
  const age = live.cellsAge > OLD_S ? say("cells_old", { seconds: live.cellsAge }) : "";
  byId("cells").classList.toggle("stale", live.cellsAge > OLD_S);
  byId("cells").replaceChildren(
    make("div", { class: "row" }, heading, make("span", { class: "chip", id: "cells-age" }, age)),
    make("div", { class: "row" },
      make("p", { class: "delta" }, make("b", { id: "delta" }, `${found.delta} mV`), ` ${say("delta")}`),
      sparkline()),
    bars(cellMv, found),
    make("p", { class: "legend" },
      make("span", { class: "high", id: "highest" }, `▲ ${say("highest", { cell: found.highest })}, ${volts(found.high)}`),
      make("span", { class: "low", id: "lowest" }, `▼ ${say("lowest", { cell: found.lowest })}, ${volts(found.low)}`)),
    table(cellMv, found),
    make("p", { class: "hint" }, say("axis", { from: number((found.low - MARGIN_MV) / 1000, 2) })),
  );
}

const volts = (mv) => `${number(mv / 1000, 3)} V`;

function kind(i, found) {
  if (i + 1 === found.highest) return "high";
  return i + 1 === found.lowest ? "low" : "";
}

/** From MARGIN_MV below the lowest to MARGIN_MV above the highest. */
function bars(cellMv, found) {
  const from = found.low - MARGIN_MV;
  const span = found.high + MARGIN_MV - from;
  const step = WIDTH / cellMv.length;
  const chart = draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "bars", role: "img",
    "aria-label": `${say("delta")} ${found.delta} mV` }, patterns());
  const floor = HEIGHT - FOOT;
  cellMv.forEach((mv, i) => {
    const x = i * step + step * 0.12;
    const width = step * 0.76;
    const height = mv === null ? 0 : ((mv - from) / span) * (floor - TOP);
    const name = kind(i, found);
    chart.append(draw("rect", { x, y: floor - height, width, height, rx: Math.min(5, width / 4), class: `bar ${name}` }));
    if (name) {
      chart.append(draw("rect", { x, y: floor - height, width, height, rx: Math.min(5, width / 4), fill: `url(#${name})` }));
      chart.append(draw("text", { x: x + width / 2, y: floor - height - 6, class: `mark ${name}` }, name === "high" ? "▲" : "▼"));
    }
    if (step > 12 || i % 2 === 0) {
      chart.append(draw("text", { x: x + width / 2, y: HEIGHT - 3, class: "tick" }, `${i + 1}`));
    }
  });
  return chart;
}

/** Stripes for the highest, dots for the lowest. */
function patterns() {
  const size = { width: 8, height: 8, patternUnits: "userSpaceOnUse" };
  return draw("defs", {},
    draw("pattern", { id: "high", ...size, patternTransform: "rotate(45)" },
      draw("rect", { width: 3, height: 8, class: "ink" })),
    draw("pattern", { id: "low", ...size }, draw("circle", { cx: 4, cy: 4, r: 1.7, class: "ink" })));
}

function sparkline() {
  const most = Math.max(...trail, 10);
  const points = trail.map((mv, i) => `${(i / Math.max(trail.length - 1, 1)) * 100},${30 - (mv / most) * 28}`);
  return draw("svg", { viewBox: "0 0 100 32", class: "spark", role: "img", "aria-label": say("delta_trail") },
    draw("polyline", { points: points.join(" ") }));
}

function table(cellMv, found) {
  const list = make("ol", { class: "cell-table" });
  cellMv.forEach((mv, i) => {
    const mark = { high: " ▲", low: " ▼", "": "" }[kind(i, found)];
    list.append(make("li", { class: kind(i, found), "data-mv": mv ?? "" },
      make("span", {}, `${i + 1}${mark}`), make("b", {}, mv === null ? "–" : `${mv}`)));
  });
  return list;
}
