/** The page's texts, one file a language: words/LANGUAGE.json. A translation is a file more, and its name here. */

const LANGUAGES = ["en"];

let words = {};
let plural = new Intl.PluralRules("en");
export let language = "en";

/** Fetches the texts in the first of the reader's languages that there is. */
export async function loadWords() {
  const wanted = navigator.languages.map((name) => name.split("-")[0]);
  language = wanted.find((name) => LANGUAGES.includes(name)) ?? "en";
  const answer = await fetch(`/static/words/${language}.json`);
  words = await answer.json();
  plural = new Intl.PluralRules(language);
  document.documentElement.lang = language;
  document.documentElement.dir = say("page.direction");
}

export const known = (key) => key in words;

/** The text of a key: "{board}" is replaced by values.board; of {"one": …, "other": …} values.n decides. */
export function say(key, values = {}) {
  let text = words[key] ?? key;
  if (typeof text === "object") text = text[plural.select(values.n)] ?? text.other;
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/** Fills what is in the HTML: data-say is the text, data-label the name for screen readers. */
export function fill(root, values = {}) {
  for (const node of root.querySelectorAll("[data-say]")) node.textContent = say(node.dataset.say, values);
  for (const node of root.querySelectorAll("[data-label]")) node.setAttribute("aria-label", say(node.dataset.label, values));
  for (const node of root.querySelectorAll("[data-hint]")) node.placeholder = say(node.dataset.hint, values);
}
