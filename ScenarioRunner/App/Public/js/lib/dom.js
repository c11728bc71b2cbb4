// Making and reusing elements. No template language: text is always text, so nothing from a file or an answer can
// become markup.

/** The element with this id, which index.html promises. */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`index.html has no #${id}`);
  return element;
}

/**
 * Makes an element: `el("p", { class: "note" }, "text", child)`. A function becomes a property (`onclick`), `true` an
 * empty attribute; `null`, `undefined` and `false` are left out, among the children too.
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element[name] = value;
    else setAttribute(element, name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** The same for SVG, whose elements know only attributes. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) setAttribute(element, name, value);
  element.append(...children);
  return element;
}

/** Sets an attribute only when it changes: the page updates every second, and a screen reader hears every change. */
export function setAttribute(element, name, value) {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value === true ? "" : value);
}

/** Sets a text only when it changes. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Hides or shows, and hands the focus on, so that it is not lost with the element that had it. */
export function setHidden(element, hidden, successor = null) {
  const hadFocus = document.activeElement === element;
  element.hidden = hidden;
  if (hidden && hadFocus && successor) {
    successor.hidden = false;
    successor.focus();
  }
}

/**
 * Keeps `container`'s children in step with `items`: makes what is new, updates what stays, removes what is gone.
 * Elements are reused by key, so focus, selection and open details survive an update.
 */
export function reconcile(container, items, { key, create, update }) {
  const views = (container.views ??= new Map());
  const wanted = new Set(items.map(key));
  for (const [name, view] of views) {
    if (wanted.has(name)) continue;
    view.element.remove();
    views.delete(name);
  }
  items.forEach((item, index) => {
    const name = key(item);
    if (!views.has(name)) views.set(name, create(item));
    const view = views.get(name);
    update(view, item);
    if (container.children[index] !== view.element) container.insertBefore(view.element, container.children[index]);
  });
}
