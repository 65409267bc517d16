/** Makes elements. Texts come in as text, never as markup. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * element("p", {class: "said", text: "…"}, child, …). `data` and attributes in one object: what begins with "on" is
 * listened to, null and false are left out, true is an attribute without a value.
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") made.textContent = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** A picture of the page's own set, which is in its HTML; it says nothing to a screen reader. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#${name}`);
  svg.append(use);
  return svg;
}

export const byId = (id) => document.getElementById(id);

/** Text into an element, and whether it is seen at all: an empty one is hidden. */
export function put(node, text) {
  if (node.textContent !== (text ?? "")) node.textContent = text ?? "";
  node.hidden = !text;
}
