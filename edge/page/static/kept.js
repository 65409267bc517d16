/** What this browser keeps between visits. A full or forbidden store loses that, and nothing else. */

import { dropPage } from "./kept_page.js";

const PREFIX = "parrotlet-";
let isOver = false;

/** The value that was kept under a name; `otherwise` where there is none. */
export function recall(name, otherwise) {
  try {
    const text = localStorage.getItem(PREFIX + name);
    return text === null ? otherwise : JSON.parse(text);
  } catch {
    return otherwise;
  }
}

/** Whether it could be kept. */
export function keep(name, value) {
  if (isOver) return false;
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

/** This phone is not paired any more: nothing stays, and nothing is kept by a page that is just leaving. */
export function dropAll() {
  isOver = true;
  dropPage();
  try {
    for (const name of Object.keys(localStorage)) if (name.startsWith(PREFIX)) localStorage.removeItem(name);
  } catch {
    // Nothing is kept where nothing may be.
  }
}
