/** Where an axis has its labels, and what they say. */

import type { Range, XAxis } from "../data/axis.ts";
import { exponentOf, formatShareTick, formatStep, formatTicks, formatValue } from "./format.ts";
import type { Scale } from "./scales.ts";

export interface Ticks {
  readonly values: readonly number[];
  readonly labels: readonly string[];
}

export type Quantity = "loss" | "share" | "ratio" | "difference" | "pull" | "cosine";

/** At most about so many labels. */
export function yTicks(scale: Scale, range: Range, most: number, quantity: Quantity): Ticks {
  const values = scale.kind === "linear" ? [] : decades(scale, range, most);
  if (values.length < 2) {
    const increment = niceIncrement((range.max - range.min) / Math.max(most, 1));
    const even = multiples(increment, range);
    const labels = isShare(quantity) ? even.map(formatShareTick) : formatTicks(even, increment);
    return { values: even, labels };
  }
  return { values, labels: values.map(isShare(quantity) ? formatShareTick : formatValue) };
}

export function isShare(quantity: Quantity): boolean {
  return quantity === "share" || quantity === "ratio" || quantity === "pull";
}

/** Powers of ten, on both sides of zero for symlog; with 2 and 5 between where there is room. */
function decades(scale: Scale, range: Range, most: number): number[] {
  const magnitudes = powers(scale, range);
  const all = (digits: readonly number[]) => {
    const positive = magnitudes.flatMap((power) => digits.map((digit) => digit * 10 ** power));
    const mirrored =
      scale.kind === "log" ? positive : [...positive.map((v) => -v).reverse(), 0, ...positive];
    return mirrored.map(clean).filter((value) => value >= range.min && value <= range.max);
  };
  const fine = all([1, 2, 5]);
  const coarse = all([1]);
  if (coarse.length < 3 && fine.length <= 2 * most) {
    return fine;
  }
  // Every second or third power where there are many; zero always stays.
  const stride = Math.ceil(coarse.length / Math.max(most, 1));
  return coarse.filter((value) => value === 0 || exponentOf(value) % stride === 0);
}

function powers(scale: Scale, { min, max }: Range): number[] {
  const largest = Math.max(Math.abs(min), Math.abs(max));
  const smallest = scale.kind === "log" ? min : scale.threshold * 10;
  const first = exponentOf(smallest);
  const count = Math.max(0, exponentOf(largest) - first + 1);
  return Array.from({ length: Math.min(count, 700) }, (_, i) => first + i);
}

function clean(value: number): number {
  return Number(value.toPrecision(12));
}

/** 1, 2 or 5 times a power of ten, not below what is asked for. */
export function niceIncrement(atLeast: number): number {
  const power = 10 ** exponentOf(atLeast || 1);
  const digit = [1, 2, 5, 10].find((candidate) => candidate * power >= atLeast * (1 - 1e-9)) ?? 10;
  return clean(digit * power);
}

function multiples(increment: number, { min, max }: Range, offset = 0): number[] {
  const first = Math.ceil((min + offset) / increment - 1e-9);
  const last = Math.floor((max + offset) / increment + 1e-9);
  const count = Math.min(1000, Math.max(0, last - first + 1));
  // Whole numbers are exact as they are, also those that have more digits than are cleaned to.
  const tidy = Number.isInteger(increment) ? (value: number) => value : clean;
  return Array.from({ length: count }, (_, i) => tidy((first + i) * increment - offset));
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const TIME_INCREMENTS = [
  ...[1, 2, 5, 10, 15, 30],
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].map((n) => n * DAY),
];

/** Characters that have room between two labels where there are as many as asked for. */
const LONGEST = 11;

/** At most about so many labels; fewer where they are long. */
export function xTicks(axis: XAxis, range: Range, most: number): Ticks {
  const ticks = evenTicks(axis, range, most);
  const longest = Math.max(...ticks.labels.map(({ length }) => length));
  return longest > LONGEST ? evenTicks(axis, range, (most * LONGEST) / longest) : ticks;
}

function evenTicks(axis: XAxis, range: Range, most: number): Ticks {
  const atLeast = (range.max - range.min) / Math.max(most, 1);
  if (axis === "step") {
    // There is nothing between two steps.
    const increment = Math.max(1, niceIncrement(atLeast));
    const values = multiples(increment, range);
    return { values, labels: formatTicks(values, increment) };
  }
  const increment = TIME_INCREMENTS.find((candidate) => candidate >= atLeast);
  if (increment === undefined || atLeast < 1) {
    const fine = niceIncrement(atLeast);
    // From a whole second on: a time of day has no digits left for fractions.
    const base = axis === "wall_time" ? Math.floor(range.min) : 0;
    const places = multiples(fine, { min: range.min - base, max: range.max - base });
    return {
      values: places.map((place) => base + place),
      labels: places.map((place) => fineTime(axis, base, place, fine)),
    };
  }
  const offset = axis === "wall_time" ? utcOffset(range.min) : 0;
  const values = multiples(increment, range, offset);
  return { values, labels: values.map((value) => shortTime(axis, value, increment)) };
}

/** Seconds that the clock on the wall is ahead of universal time. */
function utcOffset(time: number): number {
  return -60 * new Date(time * 1000).getTimezoneOffset();
}

/** Of times that fractions of a second tell apart: "12:30:05.25". */
function fineTime(axis: XAxis, base: number, place: number, increment: number): string {
  if (axis !== "wall_time" || increment >= 1) {
    return formatX(axis, base + place);
  }
  const fraction = (place % 1).toFixed(Math.max(0, -exponentOf(increment))).slice(1);
  const date = new Date((base + Math.floor(place)) * 1000);
  return `${date.toLocaleTimeString("en-GB")}${fraction}`;
}

function shortTime(axis: XAxis, value: number, increment: number): string {
  if (axis === "relative") {
    return formatDuration(value);
  }
  const date = new Date(value * 1000);
  const isMidnight = date.getHours() + date.getMinutes() + date.getSeconds() === 0;
  if (increment >= DAY || isMidnight) {
    return date.toLocaleDateString("en-US", { month: "short", day: "numeric" });
  }
  const seconds = increment < MINUTE ? ({ second: "2-digit" } as const) : {};
  return date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", ...seconds });
}

/** 90 s, 12 m 30 s, 3 h 20 m: at most two units. */
export function formatDuration(seconds: number): string {
  const magnitude = Math.abs(seconds);
  const sign = seconds < 0 ? "−" : "";
  if (magnitude < 2 * MINUTE) {
    return `${sign}${formatValue(magnitude)} s`;
  }
  const units = [
    [DAY, "d"],
    [HOUR, "h"],
    [MINUTE, "m"],
    [1, "s"],
  ] as const;
  const at = units.findIndex(([size]) => magnitude >= size);
  const [size, name] = units[at] ?? [1, "s"];
  const [minor, minorName] = units[at + 1] ?? [1, "s"];
  const rounded = Math.round(magnitude / minor) * minor;
  const rest = Math.round((rounded % size) / minor);
  const whole = `${Math.floor(rounded / size)} ${name}`;
  return `${sign}${rest > 0 && minor !== size ? `${whole} ${rest} ${minorName}` : whole}`;
}

/** A place on the x axis in full. */
export function formatX(axis: XAxis, value: number): string {
  switch (axis) {
    case "step":
      return formatStep(value);
    case "relative":
      return formatDuration(value);
    case "wall_time":
      return new Date(value * 1000).toLocaleString("en-GB", {
        dateStyle: "medium",
        timeStyle: "medium",
      });
  }
}

export const X_LABELS: Record<XAxis, string> = {
  step: "step",
  relative: "time since the start",
  wall_time: "wall time",
};
