/** Numbers and names as people read them. */

import type { Column } from "../data/recording.ts";

const NO_BREAK_SPACE = "\u00a0";

// Making one takes far longer than using it, and a tooltip writes dozens of numbers.
const VALUES = new Intl.NumberFormat("en-US", { maximumFractionDigits: 8 });
const STEPS = new Intl.NumberFormat("en-US", { maximumFractionDigits: 2 });

/** A value with four significant digits, such as 2.314, 0.00012 or 1.2e-6. */
export function formatValue(value: number): string {
  if (Number.isNaN(value)) {
    return "NaN";
  }
  if (!Number.isFinite(value)) {
    return value > 0 ? "∞" : "−∞";
  }
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude < 1e-4 || magnitude >= 1e7)) {
    return withMinus(trimExponent(value.toExponential(3)));
  }
  return withMinus(VALUES.format(Number(value.toPrecision(4))));
}

/** A step in full: 3,999. */
export function formatStep(step: number): string {
  return withMinus(STEPS.format(step));
}

export function formatStepRange(first: number, last: number): string {
  return first === last ? formatStep(first) : `${formatStep(first)}–${formatStep(last)}`;
}

/** A share that an axis names: with digits however small, so that no two ticks read alike. */
export function formatShareTick(share: number): string {
  const isTiny = share !== 0 && Math.abs(share) < 1e-4;
  return isTiny ? `${formatValue(share * 100)}${NO_BREAK_SPACE}%` : formatShare(share);
}

/** A part of one as a percentage. A part that is there is never said to be 0 %. */
export function formatShare(share: number): string {
  if (!Number.isFinite(share)) {
    return "–";
  }
  const percent = share * 100;
  if (percent === 0) {
    return `0${NO_BREAK_SPACE}%`;
  }
  const magnitude = Math.abs(percent);
  if (magnitude < 0.01) {
    return `<0.01${NO_BREAK_SPACE}%`;
  }
  // Just short of the whole is not the whole.
  if (magnitude < 100 && magnitude >= 99.95) {
    return `>99.9${NO_BREAK_SPACE}%`;
  }
  const digits = magnitude < 1 ? 2 : magnitude < 99.95 ? 1 : 0;
  return `${formatStep(Number(percent.toFixed(digits)))}${NO_BREAK_SPACE}%`;
}

const SUFFIXES = [
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
] as const;

/** Labels of evenly spaced ticks: all with one unit, and as many decimals as tell them apart. */
export function formatTicks(ticks: readonly number[], increment: number): string[] {
  const largest = ticks.reduce((most, tick) => Math.max(most, Math.abs(tick)), 0);
  if (largest >= 1e12 || (largest > 0 && largest < 1e-3)) {
    const digits = Math.max(0, exponentOf(largest) - exponentOf(increment));
    return ticks.map((tick) =>
      tick === 0 ? "0" : withMinus(trimExponent(tick.toExponential(digits))),
    );
  }
  const [unit, suffix] = SUFFIXES.find(([size]) => largest >= size) ?? [1, ""];
  const decimals = decimalsOf(increment / unit);
  // 812.34k is harder to read than 812,340.
  if (decimals > 1 && Number.isInteger(increment) && largest < 1e7) {
    return ticks.map(formatStep);
  }
  return ticks.map((tick) =>
    tick === 0 ? "0" : `${withMinus((tick / unit).toFixed(decimals))}${suffix}`,
  );
}

/** Of the power of ten that a value begins with. */
export function exponentOf(value: number): number {
  return Math.floor(Math.log10(Math.abs(value)) + 1e-9);
}

/** Decimals that write the increment exactly, at most two more than its first. */
function decimalsOf(increment: number): number {
  const first = Math.max(0, -exponentOf(increment));
  for (let decimals = first; decimals < first + 2; decimals++) {
    const scaled = increment * 10 ** decimals;
    if (Math.abs(scaled - Math.round(scaled)) < 1e-6 * scaled) {
      return decimals;
    }
  }
  return first + 2;
}

function trimExponent(text: string): string {
  return text.replace(/\.?0*e/, "e").replace("e+", "e");
}

function withMinus(text: string): string {
  return text.replace(/^-/, "−");
}

/** What made a penalty, such as "l2 0.01 → 0.1" or "l1_l2 0.01, 0.02"; empty where it is not known. */
export function formatOrigin(column: Column): string {
  const strengths = [column.firstStrength, column.strength]
    .filter((strength) => strength !== undefined)
    .map((strength) => [strength].flat().map(formatValue).join(", "))
    .join(" → ");
  // "Custom" is what a term is that is known by its name alone: nothing to tell.
  const kind = column.kind === "custom" ? "" : (column.kind ?? "");
  return [kind, strengths].filter((part) => part !== "").join(" ");
}

/** Keeps both ends of a long name, where names of one family differ. */
export function shortenMiddle(name: string, length: number): string {
  // Code points, so that no emoji is cut in half.
  const characters = Array.from(name);
  if (characters.length <= length) {
    return name;
  }
  const head = Math.ceil((length - 1) / 2);
  const tail = length - 1 - head;
  return `${characters.slice(0, head).join("")}…${characters.slice(characters.length - tail).join("")}`;
}

/** "a", "a and b", "a, b and 2 more". */
export function enumerate(names: readonly string[], limit = 3): string {
  const more = names.length - limit;
  const parts = more > 0 ? [...names.slice(0, limit), `${more} more`] : names;
  return parts.length < 2
    ? (parts[0] ?? "")
    : `${parts.slice(0, -1).join(", ")} and ${parts[parts.length - 1]}`;
}
