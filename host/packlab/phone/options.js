// Options as people read them: what each is called, its value with its unit.
import { number, say } from "./words.js";

/** unit -> [what one of it is on the screen, how it is written there, decimals] */
export const UNITS = {
  mv: [1, "mV", 0],
  ma: [1000, "A", 1],
  mah: [1000, "Ah", 1],
  dc: [10, "°C", 1],
  ms: [1000, "s", 1],
  s: [1, "s", 0],
  min: [1, "min", 0],
  pct: [1, "%", 0],
  permille: [1, "‰", 0],
  ppm: [1, "ppm", 0],
  mohm: [1, "mΩ", 0],
  charges: [1, "×", 0],
};

export const isSwitch = (option) => option.low === 0 && option.high === 1;

export function label(option) {
  if (!option.code) return say(`option_${option.name}`);
  return say(`level_${option.level}`) + (option.part ? `, ${say(`part_${option.part}`)}` : "");
}

export function written(option, value) {
  if (value === null) return say("no_limit");
  if (option.choices) return value;
  if (isSwitch(option)) return say(value ? "yes" : "no");
  const [factor, unit, decimals] = UNITS[option.unit] ?? [1, option.unit ?? "", 0];
  return `${number(value / factor, value % factor ? decimals : 0)} ${unit}`.trim();
}
