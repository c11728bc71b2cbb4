// Numbers and times as people read them. An unknown value is a dash, never a zero.

const NONE = "–";
const NARROW_SPACE = "\u202f";

/** A share of 1 as a percentage: 100 %, 99.5 %, 41.2 %. Never rounded up to 100 while something failed. */
export function percent(share) {
  if (share === null || share === undefined) return NONE;
  const value = share === 1 ? 100 : Math.min(99.9, Math.round(share * 1000) / 10);
  return `${Number.isInteger(value) ? value : value.toFixed(1)}${NARROW_SPACE}%`;
}

/** A latency: 8.4 ms, 320 ms, 4.2 s. */
export function latency(milliseconds) {
  if (milliseconds === null || milliseconds === undefined) return NONE;
  if (milliseconds < 10) return `${milliseconds.toFixed(1)}${NARROW_SPACE}ms`;
  if (milliseconds < 1000) return `${Math.round(milliseconds)}${NARROW_SPACE}ms`;
  const seconds = milliseconds / 1000;
  return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)}${NARROW_SPACE}s`;
}

/** Requests a second: 20/s, 0.5/s. */
export function rate(perSecond) {
  if (perSecond === null || perSecond === undefined) return NONE;
  return `${perSecond < 10 && !Number.isInteger(perSecond) ? perSecond.toFixed(1) : Math.round(perSecond)}/s`;
}

/**
 * Money from its smallest units: 19.99 USD. `exponent` is the currency's number of decimals as the runner says it; the
 * browser's own numbers are those of everyday prices, which differ from the books' in some currencies.
 */
export function money(minor, { currency, exponent }) {
  if (exponent === null) return `${minor}${NARROW_SPACE}minor units of ${currency}`;
  const text = String(Math.abs(minor)).padStart(exponent + 1, "0");
  const whole = text.slice(0, text.length - exponent);
  return `${minor < 0 ? "\u2212" : ""}${whole}${exponent > 0 ? `.${text.slice(-exponent)}` : ""}${NARROW_SPACE}${currency}`;
}

/** A length of time as people say it: 45 s, 5 min, 1 min 30 s, 2 h. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return NONE;
  const whole = Math.round(seconds);
  const parts = [[Math.floor(whole / 3600), "h"], [Math.floor((whole % 3600) / 60), "min"], [whole % 60, "s"]];
  const said = parts.filter(([count]) => count > 0).map(([count, unit]) => `${count}${NARROW_SPACE}${unit}`);
  return said.join(" ") || `0${NARROW_SPACE}s`;
}

/** How many times as much: × 1.2, × 14. */
export function factor(times) {
  if (times === null || times === undefined) return NONE;
  return `×${NARROW_SPACE}${times < 10 ? times.toFixed(1) : Math.round(times)}`;
}

/** A countdown: 0:42, 12:05. Rounded up, so that 0:00 means now. */
export function countdown(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

const SIGNS = { "<->": "\u2194", "->": "\u2192", ">=": "\u2265", "<=": "\u2264", "+-": "\u00b1" };

/** A text of the runner with the signs that its ASCII stands for: a -> b, p95 >= 1s. */
export function inSigns(text) {
  return text.replace(/<->|->|>=|<=|\+-/g, (sign) => SIGNS[sign]);
}

const clockTime = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const dayAndTime = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

/** When something was, from Unix seconds: the time alone today, with the day before that. */
export function moment(unixSeconds) {
  const date = new Date(unixSeconds * 1000);
  const today = date.toDateString() === new Date().toDateString();
  return (today ? clockTime : dayAndTime).format(date);
}

/** The time of day of a moment, from Unix seconds. */
export function clock(unixSeconds) {
  return clockTime.format(new Date(unixSeconds * 1000));
}
