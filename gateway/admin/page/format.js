// Numbers, times and versions as a person reads them. Pure functions.
const kUnits = ['B', 'kB', 'MB', 'GB', 'TB'];

export function bytes(count) {
  if (count === null || count === undefined) return '';
  let unit = 0;
  let value = count;
  while (value >= 1000 && unit < kUnits.length - 1) {
    value /= 1000;
    ++unit;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${kUnits[unit]}`;
}

export function rate(perSecond) {
  if (perSecond === null || perSecond === undefined) return '';
  return perSecond < 1000 ? `${perSecond} B/s` : `${bytes(perSecond)}/s`;
}

const two = (number) => String(number).padStart(2, '0');

// 0:07, 12:34, 1:02:03, 3 d 4 h
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return '';
  const whole = Math.max(0, Math.round(seconds));
  if (whole >= 86400) return `${Math.floor(whole / 86400)} d ${Math.floor(whole % 86400 / 3600)} h`;
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole % 3600 / 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

// In the browser's own time zone; the day only where it is not today.
export function time(value, now = new Date()) {
  if (!value) return '';
  const date = new Date(value);
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  if (date.toDateString() === now.toDateString()) return clock;
  const year = date.getFullYear() === now.getFullYear() ? '' : `${date.getFullYear()}-`;
  return `${year}${two(date.getMonth() + 1)}-${two(date.getDate())} ${clock.slice(0, 5)}`;
}

export function count(number) {
  return number.toLocaleString('en-US');
}

export function plural(number, word) {
  return `${count(number)} ${word}${number === 1 ? '' : 's'}`;
}

// The two versions of an update differ in a few characters: {before, part, after} of the first, by comparison with the second.
export function difference(version, other) {
  if (!other || version === other) return { before: '', part: version, after: '' };
  let head = 0;
  while (head < version.length && version[head] === other[head]) ++head;
  let tail = 0;
  while (tail < version.length - head && tail < other.length - head && version.at(-1 - tail) === other.at(-1 - tail)) ++tail;
  // A number is not cut in two: of A11 and A12 the 11 and the 12 differ.
  while (head > 0 && /\d/.test(version[head - 1]) && (/\d/.test(version[head] ?? '') || /\d/.test(other[head] ?? ''))) --head;
  return { before: version.slice(0, head), part: version.slice(head, version.length - tail), after: version.slice(version.length - tail) };
}

// uc20-2 before uc20-10.
export const natural = new Intl.Collator('en', { numeric: true, sensitivity: 'base' }).compare;

export function signalSteps(dbm) {
  if (dbm === null || dbm === undefined) return 0;
  return dbm >= -73 ? 4 : dbm >= -83 ? 3 : dbm >= -93 ? 2 : 1;
}
