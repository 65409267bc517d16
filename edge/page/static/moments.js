/** Times as people read them, in the language of the page. */

import { language, say } from "./words.js";

const formats = {};

/** In the reader's own kind of the page's language: British and American clocks differ. */
function format(name, options) {
  const own = navigator.languages.find((each) => each.split("-")[0] === language) ?? language;
  formats[name] ??= new Intl.DateTimeFormat(own, options);
  return formats[name];
}

export const clock = (unix_ms) => format("clock", { hour: "numeric", minute: "2-digit" }).format(unix_ms);

/** A name for the day that sorts: its first moment by the phone's clock. */
export const dayOf = (unix_ms) => new Date(unix_ms).setHours(0, 0, 0, 0);

/** "Today", "Yesterday", "Friday, 27 November", with the year where it is another. */
export function dayName(day_ms) {
  const today = dayOf(Date.now());
  if (day_ms === today) return say("day.today");
  if (day_ms === dayOf(today - 1)) return say("day.yesterday");
  const long = { weekday: "long", day: "numeric", month: "long" };
  if (new Date(day_ms).getFullYear() === new Date().getFullYear()) return format("day", long).format(day_ms);
  return format("year", { ...long, year: "numeric" }).format(day_ms);
}

/** 245 seconds are "4:05", 4205 are "1:10:05". */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (parts[0] === 0) parts.shift();
  return parts.map((part, i) => (i ? String(part).padStart(2, "0") : part)).join(":");
}
