// What the page has seen, a row a second, to be saved as a table.
import { byId, put } from "./dom.js";
import * as journal from "./journal.js";
import { RESULT } from "./tables.js";
import { say } from "./words.js";

const MOST_ROWS = 6 * 3600;
const rows = [];

export function record(live) {
  rows.push({ at: new Date(), live });
  if (rows.length > MOST_ROWS) rows.shift();
  put(byId("log-here"), say("log_here", { rows: rows.length }));
}

/** Comma separated; a field is empty where nothing was known. */
export function csv() {
  const most = (field) => Math.max(0, ...rows.map((row) => row.live[field].length));
  const [cells, temps] = [most("cellMv"), most("temps")];
  const count = (n, name) => Array.from({ length: n }, (_, i) => `${name}${i + 1}`);
  const head = ["time", "look", "soc_pct", "pack_v", "current_a", "power_w",
    ...count(cells, "cell_mv_"), ...count(temps, "temp_c_"), "cells_age_s", "alerts"];
  const lines = rows.map(({ at, live }) => [
    at.toISOString(), live.look, live.soc, live.volts, live.amps, live.watts?.toFixed(1),
    ...Array.from({ length: cells }, (_, i) => live.cellMv[i]),
    ...Array.from({ length: temps }, (_, i) => live.temps[i]),
    live.cellsAge,
    live.alerts.map((alert) => `${alert.code}:${alert.unknown ? "unknown" : alert.level}`).join(" "),
  ]);
  return [head, ...lines].map((line) => line.map((field) => field ?? "").join(",")).join("\r\n") + "\r\n";
}

/** What the page has seen, and the dongle's own journal, which is read for the owner alone. */
export function setUpLog(device, commands, link, ask) {
  put(byId("log-here"), say("log_here", { rows: 0 }));
  const name = (what) => `${device() || "deckwatch"}-${stamp()}${what}`;
  byId("log-save").onclick = () => save(name(".csv"), csv());
  byId("log-csv").onclick = () => read((bytes) => save(name("-journal.csv"), journal.csv(bytes)));
  byId("log-raw").onclick = () => read((bytes) => save(name(".journal"), bytes));

  async function read(use) {
    let all = 0;
    const said = await ask(async () => {
      const bytes = await journal.fetchAll(commands, link, (got, of) => {
        all = of;
        put(byId("log-said"), say("log_reading", { got, all }));
      });
      if (!bytes.length) return { code: RESULT.NOTHING, text: "" };
      use(bytes);
      return { code: RESULT.DONE, text: "" };
    });
    put(byId("log-said"), all ? say("log_done", { all }) : said);
  }
}

const stamp = () => new Date().toISOString().slice(0, 19).replace(/[:T]/g, "-");

/** content: text or bytes */
function save(name, content) {
  const type = typeof content === "string" ? "text/csv;charset=utf-8" : "application/octet-stream";
  const address = URL.createObjectURL(new Blob([content], { type }));
  Object.assign(document.createElement("a"), { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}
