// The kill switch: one press removes every fault, and nothing starts until somebody re-arms the runner.

import * as api from "../api.js";
import { byId, setHidden, setText } from "../lib/dom.js";
import { announce, showProblem } from "../messages.js";

const HALTING = "Every fault is being removed, and nothing starts until you re-arm.";
const HALTED = "Every fault is gone, and nothing starts until you re-arm.";

export function mountHalt(store) {
  const halt = byId("halt");
  const rearm = byId("rearm");
  const banner = byId("halted");
  const text = byId("halted-text");

  function show() {
    const halted = store.halted === true;
    banner.hidden = !halted;
    setHidden(halt, halted, rearm);
    if (!halted) setText(text, HALTING);
    else if (!store.runs.some((run) => run.state !== "finished")) setText(text, HALTED);
  }

  halt.onclick = async () => {
    try {
      const answer = await api.post("/api/halt");
      setText(text, answer.remaining.length ? answer.message : HALTED);
      announce(answer.message);
    } catch (problem) {
      showProblem("Could not halt", problem);
    }
  };

  rearm.onclick = async () => {
    try {
      await api.post("/api/rearm");
      setHidden(rearm, false);
      halt.hidden = false;
      halt.focus();
      announce("Re-armed: experiments can start.");
    } catch (problem) {
      showProblem("Could not re-arm", problem);
    }
  };

  store.watch("halted", show);
  store.watch("runs", show);
  return { tick() {} };
}
