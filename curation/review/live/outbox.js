
// What was decided and is not in the journal yet: it is sent in its order, one request at a time, and again until the
// server has answered. The server writes a step once, however often it comes. The browser keeps it, too: a page that is
// closed meanwhile sends it when it is opened again, in the name of who made it. What was decided later on a listing stays.

const RETRY = 1500; // milliseconds

const outbox = {
  steps: [], // {key, reviewer, parts, shows: [[id, decision]], notes: [[id, words]], done, failed}
  late: [], // the listings of which nothing was recorded, as something was decided later
  sending: false,
  problem: "", // why steps are not delivered; empty while all is well

  add(parts, shows = [], notes = []) {
    const step = { key: stamp(), reviewer: run.reviewer, parts, shows, notes, says: new Map(shows) };
    this.late = []; // who goes on has seen them
    const promise = new Promise((done, failed) => Object.assign(step, { done, failed }));
    this.steps.push(step);
    this.store(step);
    this.pump();
    return promise;
  },

  // what a listing will have once all is delivered
  decision: (id) => outbox.steps.findLast(({ says }) => says.has(id))?.says.get(id),
  note: (id) => outbox.steps.findLast(({ notes }) => notes.some(([other]) => other === id))?.notes.findLast(([other]) => other === id)[1],

  // the time of the step that an undo takes back: the last of those on their way, or what the server has last
  latest() {
    const sent = this.steps.findLast(({ reviewer, parts, notes }) => reviewer === run.reviewer && (parts.some(({ action }) => action !== "undo" && action !== "note") || notes.some(([id]) => store.held(id))));
    return sent?.key ?? news.latest;
  },

  store({ key, reviewer, parts, shows, notes }) {
    try {
      localStorage.setItem(`${run.key} step ${key}`, JSON.stringify({ key, reviewer, parts, shows, notes }));
    } catch {
      // the step is in the page; leaving it warns
    }
  },

  forget({ key }) {
    try {
      localStorage.removeItem(`${run.key} step ${key}`);
    } catch {
      // as above
    }
  },

  // steps of a page that was closed before they were delivered
  adopt() {
    const prefix = `${run.key} step `;
    try {
      for (let number = 0; number < localStorage.length; number++) {
        const name = localStorage.key(number);
        if (!name.startsWith(prefix)) continue;
        const { key, reviewer, parts, shows, notes } = JSON.parse(localStorage.getItem(name));
        if (key && Array.isArray(parts)) this.steps.push({ key, reviewer: reviewer || "", parts, shows: shows || [], notes: notes || [], says: new Map(shows || []), done() {}, failed: say });
      }
    } catch {
      // nothing that can be read
    }
    this.steps.sort((one, other) => (one.key < other.key ? -1 : 1));
    const count = this.steps.length;
    if (count) this.pump();
    return count;
  },

  async pump() {
    if (this.sending || !this.steps.length) return;
    this.sending = true;
    const sent = this.steps.slice(0, 32);
    try {
      const answer = await ask("/steps", { session: news.session, since: news.seq, steps: sent.map(({ key, reviewer, parts }) => ({ key, reviewer, parts })) });
      this.delivered(answer.results || []);
      news.take(answer);
      this.problem = answer.stopped || "";
    } catch (error) {
      this.problem = error.message;
    }
    this.sending = false;
    drawTrouble();
    store.drawState();
    if (this.problem) setTimeout(() => this.pump(), RETRY);
    else this.pump();
  },

  delivered(results) {
    for (const { key, ids, refused, late } of results) {
      const at = this.steps.findIndex((step) => step.key === key);
      if (at < 0) continue;
      const [step] = this.steps.splice(at, 1);
      this.forget(step);
      // what it will say comes with the news of the same answer
      const why = refused || (late.length && !ids.length ? "a later decision stands" : "");
      queueMicrotask(() => (why ? step.failed(`Nothing was recorded: ${why}.`) : step.done(ids)));
      this.late.push(...late);
      for (const [id] of [...step.shows, ...step.notes]) news.touched.add(id);
    }
  },
};

// the time of a step, which is its name: to the microsecond, as by the server's clock, and no two alike
function stamp() {
  const here = Math.floor((Date.now() + stamp.ahead) * 1000 + Math.random() * 1000);
  stamp.last = Math.max(here, stamp.last + 1);
  const seconds = new Date(Math.floor(stamp.last / 1000)).toISOString().slice(0, -1);
  return `${seconds}${String(stamp.last % 1000).padStart(3, "0")}+00:00`;
}
stamp.last = 0;
// what is decided in sight of something is later than that; a time that is still to come is of a wrong clock
stamp.saw = (time) => {
  const there = Date.parse(time) * 1000 + 1000;
  if (there < (Date.now() + stamp.ahead + 60000) * 1000) stamp.last = Math.max(stamp.last, there);
};
stamp.ahead = data.now - Date.now();
// one of the two clocks may be set while the page is open; what an answer takes is no difference
stamp.heard = (now) => {
  const ahead = now - Date.now();
  if (Math.abs(ahead - stamp.ahead) > 60000) [stamp.ahead, stamp.last] = [ahead, 0];
};

async function ask(path, body, read = (answer) => answer.json()) {
  let answer;
  try {
    const options = body === undefined ? {} : { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
    answer = await fetch(path, { ...options, signal: AbortSignal.timeout(30000) });
  } catch {
    throw new Error(`The server of this review does not answer. If it was stopped, start it again: ${run.again}`);
  }
  if (answer.status === 401 || answer.status === 403) throw new Error("This review has ended. Open the link that the new one printed in this browser.");
  if (answer.status === 503) throw new Error((await answer.json()).stopped);
  if (!answer.ok) throw new Error(`The server of this review failed (${answer.status}). Its terminal says why.`);
  return read(answer);
}

function drawTrouble() {
  const waiting = outbox.steps.length;
  const kept = waiting ? `${count(waiting, "step")} of yours ${waiting === 1 ? "is" : "are"} not saved yet, and sent again until ${waiting === 1 ? "it is" : "they are"}.` : "";
  const problem = outbox.problem || news.problem;
  warn([problem && `${problem.replace(/[.]?$/, ".")} ${kept}`.trim(), aboutLate(), ...news.said].filter(Boolean).join(" "));
}

function aboutLate() {
  const ids = [...new Set(outbox.late)];
  if (!ids.length) return "";
  const names = ids.length > 6 ? `${ids.slice(0, 5).join(", ")} and ${ids.length - 5} more` : ids.join(", ");
  return `${count(ids.length, "decision")} from before ${ids.length === 1 ? "was" : "were"} not recorded, because later ones stand: ${names}.`;
}
