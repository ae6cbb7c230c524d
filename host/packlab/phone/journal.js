// The dongle's black box: fetched piece by piece, saved as it is (packlab reads that) or as a table
// with the columns of `packlab journal --csv`. docs/journal.md has the layouts.
import { JOURNAL as J, RESULT } from "./tables.js";

const SIZES = { B: 1, b: 1, H: 2, h: 2, I: 4, i: 4 };
const READS = { B: "getUint8", b: "getInt8", H: "getUint16", h: "getInt16", I: "getUint32", i: "getInt32" };
const MOST = 255; // records that can be asked for at once; as many come as fit
const WINDOW_HEAD = 10;
const EPOCH_MS = Date.UTC(2020, 0, 1);
const HEAD_BYTES = sizeOf(J.HEAD);

function sizeOf(fields) {
  return fields.reduce((size, [, letter]) => size + SIZES[letter], 0);
}

/** Bytes of all records from the oldest on; heard(got, all) tells how far it is. */
export async function fetchAll(commands, link, heard) {
  const pieces = [];
  let next = 0;
  for (let last = Infinity, oldest = 0; next < last; ) {
    const result = await commands.readLog(next, MOST);
    if (result.code === RESULT.NOTHING) break;
    if (result.code !== RESULT.DONE) throw Object.assign(new Error(result.text), { result });
    const view = await link.read("LOG");
    const records = new Uint8Array(view.buffer, view.byteOffset + WINDOW_HEAD);
    const numbers = [...whole(records)].map((record) => fieldsOf(record, 0, J.HEAD).number);
    if (!numbers.length) break;
    pieces.push(records);
    oldest ||= numbers[0];
    last = view.getUint32(6, true);
    next = Math.max(...numbers) + 1;
    heard(next - oldest, last - oldest);
  }
  return Uint8Array.from(pieces.flatMap((piece) => [...piece]));
}

/** Records that are whole, as views. */
function* whole(bytes) {
  let at = 0;
  while (at + HEAD_BYTES + J.CRC_BYTES <= bytes.length) {
    const size = HEAD_BYTES + bytes[at + 1] + J.CRC_BYTES;
    const end = at + size;
    if (bytes[at] === J.MARK && end <= bytes.length && isIntact(bytes.subarray(at, end))) {
      yield new DataView(bytes.buffer, bytes.byteOffset + at, size - J.CRC_BYTES);
      at = end;
    } else {
      at += 1;
    }
  }
}

/** CRC-32 over everything but the last four bytes, which hold it. */
function isIntact(bytes) {
  let crc = -1;
  for (const byte of bytes.subarray(0, -4)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  const [a, b, c, d] = bytes.subarray(-4);
  return ((crc ^ -1) >>> 0) === ((a | (b << 8) | (c << 16) | (d << 24)) >>> 0);
}

function fieldsOf(view, at, layout) {
  const found = {};
  for (const [name, letter, none] of layout) {
    const value = view[READS[letter]](at, true);
    found[name] = value === none ? null : value;
    at += SIZES[letter];
  }
  return found;
}

const textOf = (view, at) =>
  new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + at, view.byteLength - at));

/** What stands in a record of each kind, as one row or several. */
const READERS = {
  boot: (view, at) => [{ cause: J.CAUSES[view.getUint8(at)] ?? J.CAUSES[0], failed: view.getUint8(at + 1), firmware: textOf(view, at + 2) }],
  alert: (view, at) => {
    const found = fieldsOf(view, at, J.ALERT);
    const code = J.NAMES[found.code] ?? `guardrail_${found.code.toString(16).padStart(4, "0")}`;
    const level = ["ok", "info", "warn", "alarm"][found.level];
    return [{ ...found, code, unit: J.NAMES[found.unit] ?? "", state: J.STATES[found.state], level }];
  },
  ride: (view, at) => [fieldsOf(view, at, J.SPAN)],
  charge: (view, at) => [fieldsOf(view, at, J.SPAN)],
  checkpoint: (view, at) => [{ session: J.KINDS[view.getUint8(at)], ...fieldsOf(view, at + 1, J.SNAPSHOT) }],
  trace: (view, at) => {
    const size = sizeOf(J.ROW);
    const rows = Math.floor((view.byteLength - at - 1) / size);
    return Array.from({ length: rows }, (_, i) => secondOf(view, at + 1 + i * size, view.getUint8(at) - i));
  },
  config: (view, at) => {
    const [option, old, now] = textOf(view, at).split("\0");
    return [{ option, old, new: now }];
  },
  note: (view, at) => [{ text: textOf(view, at) }],
  memory: () => [{}],
  supply: (view, at) => [{ verdict: J.VERDICTS[view.getUint8(at)], session: J.KINDS[view.getUint8(at + 1)] }],
  lost: (view, at) => [fieldsOf(view, at, J.LOST)],
};

function secondOf(view, at, seconds) {
  const { pack_cv: cv, current_ca: ca, hottest_c: celsius, ...others } = fieldsOf(view, at, J.ROW);
  const tenfold = (name, value) => (value === J.NO_ROW[name] ? null : 10 * value);
  return { ...others, before_s: seconds, pack_mv: tenfold("pack_cv", cv),
    current_ma: tenfold("current_ca", ca), hottest_dc: tenfold("hottest_c", celsius) };
}

/** The table: a row a record, of a trace one a second; times of day where the start knew one. */
export function csv(bytes) {
  const found = new Map(); // what was read twice counts once
  for (const view of whole(bytes)) {
    const head = fieldsOf(view, 0, J.HEAD);
    if (READERS[J.KINDS[head.kind]]) found.set(`${head.number} ${head.kind} ${head.pack}`, { view, head });
  }
  const records = [...found.values()].sort((a, b) => a.head.number - b.head.number);
  const began = new Map();
  for (const { head } of records) {
    if (head.wall_s) began.set(head.boot, head.wall_s - head.uptime_s);
  }
  const lines = records.flatMap(({ view, head }) =>
    READERS[J.KINDS[head.kind]](view, HEAD_BYTES).map((fields) => {
      const uptime = head.uptime_s - (fields.before_s ?? 0);
      const start = head.wall_s ? head.wall_s - head.uptime_s : began.get(head.boot);
      const time = start === undefined ? "" : iso(start + uptime);
      return { ...fields, number: head.number, kind: J.KINDS[head.kind], pack: head.pack, boot: head.boot, uptime_s: uptime, time };
    }));
  return [J.COLUMNS, ...lines.map((line) => J.COLUMNS.map((name) => quoted(line[name])))]
    .map((line) => `${line.join(",")}\n`).join("");
}

const iso = (wallS) => new Date(EPOCH_MS + 1000 * wallS).toISOString().replace(".000Z", "+00:00");

function quoted(value) {
  const text = `${value ?? ""}`;
  return /[",\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}
