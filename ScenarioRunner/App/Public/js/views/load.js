// Load without chaos: the profiles of the built-in generator, and Locust files.

import { el } from "../lib/dom.js";
import { makeGenerator } from "./load-generator.js";
import { makeLocust } from "./load-locust.js";

export function mount(scope) {
  scope.root.append(
    el("div", { class: "view-head" }, el("div", {}, el("h1", {}, "Load"),
      el("p", { class: "hint" }, "Traffic without a fault. Run a scenario beside it, or see how much the system takes."))),
    makeGenerator(scope), makeLocust(scope));
}
