"""How the page of findings looks, and what it does."""

STYLE = """
:root { color-scheme: light dark; --line: #8884; --warn: #b56a00; --bad: #c0262d; --bar: #3a7ca5 }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 66rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.3rem; overflow-wrap: anywhere } h2 { font-size: 1.1rem; margin-top: 2rem }
h2.error { color: var(--bad) } h2.warning { color: var(--warn) } small { font-weight: normal; opacity: .75 }
.bar { position: sticky; top: 0; padding: .6rem 0; background: Canvas;
  border-bottom: 1px solid var(--line); z-index: 1 }
.ways { display: grid; grid-template-columns: repeat(auto-fill, minmax(27rem, 1fr)); gap: 1rem }
figure { margin: 0; min-width: 0 } figcaption { font-weight: 600 }
svg text { font: 12px system-ui, sans-serif; fill: currentColor } svg rect { fill: var(--bar) }
svg { display: block; max-width: 100%; height: auto }
article { border-top: 1px solid var(--line); padding: .5rem 0; display: flex; flex-wrap: wrap; gap: .5rem;
  align-items: center }
article p { margin: 0; flex-basis: 100% } audio { height: 2rem; width: 17rem }
input { flex: 1 1 20rem; font: inherit; padding: .25rem .4rem } input.changed { outline: 2px solid var(--bar) }
button { font: inherit }
"""

SCRIPT = """
"use strict";
const fields = [...document.querySelectorAll("input[data-key]")];
const save = document.getElementById("save"), count = document.getElementById("count");
const corrections = new Map();
function changed(field) {
  const key = field.dataset.key, before = JSON.parse(key).before ?? "";
  if (field.value === before) corrections.delete(key); else corrections.set(key, field.value);
  for (const other of fields) if (other.dataset.key === key) {
    other.value = field.value;
    other.classList.toggle("changed", corrections.has(key));
  }
  save.disabled = !corrections.size;
  count.textContent = corrections.size ? `${corrections.size} corrected, not saved yet.` : "Nothing is corrected yet.";
}
for (const field of fields) field.addEventListener("input", () => changed(field));
for (const button of document.querySelectorAll("button.take")) button.addEventListener("click", () => {
  const field = button.parentElement.querySelector("input");
  field.value = button.dataset.text;
  changed(field);
});
save.addEventListener("click", () => {
  const lines = [...corrections].map(([key, text]) => {
    const {field, ...clip} = JSON.parse(key);
    const known = Object.fromEntries(Object.entries(clip).filter(([, value]) => value !== null));
    return JSON.stringify({...known, [field]: text}) + "\\n";
  });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(lines, {type: "application/jsonl"}));
  link.download = "corrections.jsonl";
  link.click();
  URL.revokeObjectURL(link.href);
  count.textContent = `${corrections.size} saved.`;
});
"""
