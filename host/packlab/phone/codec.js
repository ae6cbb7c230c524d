// Bytes of the dongle's characteristics <-> plain objects; docs/bluetooth.md has the layouts.
import * as T from "./tables.js";

/** True when a notification was cut by a short MTU: the value has to be read then. */
export const isCut = (view) => view.byteLength < 4 || view.byteLength < view.getUint16(2, true);

/** The live value. Unknown numbers are null; volts, amperes, watts, per cent, degrees Celsius. */
export function decodeLive(view) {
  const version = view.getUint8(0);
  if (version !== T.PROTOCOL) throw new Error(`live value of version ${version}`);
  const state = view.getUint16(4, true);
  const soc = view.getUint8(6);
  const pack = view.getUint16(7, true);
  const current = view.getInt32(9, true);
  const [cells, probes, codes] = [13, 14, 15].map((at) => view.getUint8(at));
  let at = 16;
  const cellMv = fitted(Array.from({ length: cells }, (_, i) => view.getUint16(at + 2 * i, true) || null));
  at += 2 * cells;
  const temps = Array.from({ length: probes }, (_, i) => view.getInt16(at + 2 * i, true));
  at += 2 * probes;
  const levels = bits(view, at, codes, 2);
  const watched = bits(view, at + Math.ceil(codes / 4), codes, 1);
  const unknown = bits(view, at + Math.ceil(codes / 4) + Math.ceil(codes / 8), codes, 1);
  const ages = at + Math.ceil(codes / 4) + 2 * Math.ceil(codes / 8);
  if (view.getUint8(1) !== view.getUint8(ages + 2)) throw new Error("two readings were mixed");
  const volts = pack === T.NO_MV ? null : pack / 100;
  const amps = current === T.NO_MA ? null : current / 1000;
  const known = Boolean(state & T.STATE.SESSION_KNOWN);
  const fets = Boolean(state & T.STATE.FETS_KNOWN);
  return {
    seq: view.getUint8(1),
    look: T.LOOKS[state & 7],
    muted: Boolean(state & T.STATE.MUTED),
    charging: known ? Boolean(state & T.STATE.CHARGING) : null,
    riding: known ? Boolean(state & T.STATE.RIDING) : null,
    chargeFet: fets ? Boolean(state & T.STATE.CHARGE_FET) : null,
    dischargeFet: fets ? Boolean(state & T.STATE.DISCHARGE_FET) : null,
    session: T.SESSIONS[Math.floor(state / T.STATE.GUIDED) & 3] ?? T.SESSIONS[0],
    soc: soc === T.NO_SOC ? null : soc / 2,
    volts,
    amps,
    watts: volts === null || amps === null ? null : volts * amps,
    cellMv,
    temps: temps.map((dc) => (dc === T.NO_PROBE ? null : dc / 10)),
    alerts: alertsOf(levels, unknown),
    unwatched: T.CODES.filter((_, i) => i < codes && !watched[i]),
    packAge: age(view.getUint8(ages)),
    cellsAge: age(view.getUint8(ages + 1)),
  };
}

/** Without the places at the end that no cell is fitted to. */
const fitted = (cellMv) => cellMv.slice(0, cellMv.findLastIndex((mv) => mv !== null) + 1);

const age = (seconds) => (seconds === T.NEVER_S ? null : seconds);

/** `size` bits each, from the lowest of the first byte on. */
function bits(view, at, count, size) {
  const each = 8 / size;
  const mask = (1 << size) - 1;
  return Array.from({ length: count }, (_, i) =>
    (view.getUint8(at + Math.floor(i / each)) >> (size * (i % each))) & mask);
}

/** The worst first; a code this page does not know goes by its number. */
function alertsOf(levels, unknown) {
  return levels
    .map((level, i) => ({ code: T.CODES[i] ?? `#${i}`, level, unknown: Boolean(unknown[i]) }))
    .filter((alert) => alert.level)
    .sort((a, b) => a.unknown - b.unknown || b.level - a.level)
    .map((alert) => ({ ...alert, level: T.LEVELS[alert.level] }));
}

/** Lowest and highest cell (numbers from 1) and their distance in mV; null without cells. */
export function extremes(cellMv) {
  const known = cellMv.filter((mv) => mv !== null);
  if (!known.length) return null;
  const [low, high] = [Math.min(...known), Math.max(...known)];
  return {
    low,
    high,
    lowest: cellMv.indexOf(low) + 1,
    highest: cellMv.indexOf(high) + 1,
    delta: high - low,
  };
}

/** protocol u8, cells u8, probes u8, capabilities u16, firmware text, 0, name text */
export function decodeInfo(view) {
  const text = new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + 5));
  const [firmware, name = ""] = text.split("\0");
  return { protocol: view.getUint8(0), can: view.getUint16(3, true), firmware, name };
}

/** Value of every option by its name: a number, the name of a choice, or null for no limit. */
export function decodeSettings(view) {
  const found = {};
  for (let at = 1; at + 2 <= view.byteLength; at += 2 + view.getUint8(at + 1)) {
    const option = T.OPTIONS[view.getUint8(at)];
    if (!option) continue;
    const size = view.getUint8(at + 1);
    let value = null;
    for (let i = size - 1; i >= 0; i -= 1) {
      const byte = i === size - 1 && !option.choices ? view.getInt8(at + 2 + i) : view.getUint8(at + 2 + i);
      value = (value ?? 0) * 256 + byte;
    }
    found[option.name] = option.choices && value !== null ? option.choices[value] : value;
  }
  return found;
}

/** The payload that sets an option: its number and its value, as short as it goes. */
export function encodeOption(name, value) {
  const number = T.OPTIONS.findIndex((option) => option.name === name);
  const { choices } = T.OPTIONS[number];
  if (value === null) return Uint8Array.of(number);
  if (choices) return Uint8Array.of(number, choices.indexOf(value));
  let size = 1;
  while (value < -(2 ** (8 * size - 1)) || value >= 2 ** (8 * size - 1)) size += 1;
  const bytes = Array.from({ length: size }, (_, i) => Math.floor(value / 2 ** (8 * i)) & 0xff);
  return Uint8Array.of(number, ...bytes);
}

/** Little endian. */
export const uint32 = (value) =>
  Uint8Array.from({ length: 4 }, (_, i) => Math.floor(value / 2 ** (8 * i)) & 0xff);

/** What of a command is signed: op, req, length, payload. */
export const commandBody = (op, req, payload) => Uint8Array.of(op, req, payload.length, ...payload);

/** req u8, code u8, text or bytes */
export function decodeResult(view) {
  const data = new Uint8Array(view.buffer, view.byteOffset + 2, view.byteLength - 2);
  return { req: view.getUint8(0), code: view.getUint8(1), data, text: new TextDecoder().decode(data) };
}
