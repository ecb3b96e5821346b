
// Files of decisions: what is downloaded, and taken from another browser.

// as training/utils/formulas.py: a spreadsheet must not run a cell, and an apostrophe before it keeps it text
const BEFORE = '[ "\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\xa0\\u1680\\u2000-\\u200f\\u2028-\\u202f\\u205f-\\u2064\\u3000\\ufeff]*';
const FORMULA = `${BEFORE}[=+\\-@\\uff1d\\uff0b\\uff0d\\uff20]`;
const begins = (marks, taken = "") =>
  new RegExp(`(?<![^])${taken}(?=${marks}(?:${FORMULA}|[\\t\\r\\n]))|(?<=[;\\t\\r\\n])${taken}(?=${marks}${FORMULA})`, "g");
const isNumber = (text) => /^-\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text);
const neutral = (text) => (isNumber(text) ? text : text.replace(begins("'*"), "'"));
const restored = (text) => text.replace(begins("'*", "'"), "");
const isFormula = (text) => !isNumber(text) && begins("").test(text);

function parse(text, delimiter) {
  const [lines, pattern] = [[[]], new RegExp(`(?:"((?:[^"]|"")*)"|([^"${delimiter}\\r\\n]*))(${delimiter}|\\r?\\n|\\r|$)`, "y")];
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text);
    if (!match) throw new Error("a quote is not closed");
    lines.at(-1).push(match[1] === undefined ? match[2] : match[1].replaceAll('""', '"'));
    if (match[3] && match[3] !== delimiter) lines.push([]);
  }
  return lines.filter((line) => line.some((field) => field.trim()));
}

function readCsv(content) {
  const bytes = new Uint8Array(content);
  const wide = { 65534: "utf-16le", 65279: "utf-16be" }[bytes[0] * 256 + bytes[1]];
  const text = new TextDecoder(wide || "utf-8").decode(content);
  for (const delimiter of [",", ";", "\t"]) {
    const [header, ...lines] = parse(text, delimiter);
    const names = (header || []).map((name) => name.trim());
    if (!names.includes("id") || !names.includes("decision")) continue;
    return asMeant(lines.map((line) => Object.fromEntries(names.map((name, at) => [name, (line[at] || "").trim()]))));
  }
  throw new Error("it has no columns id and decision");
}

// without the apostrophes of our files; in another file, one may be part of a name
function asMeant(rows) {
  const fields = Object.keys(rows[0] || {});
  if (rows.some((row) => isFormula(row.id) || isFormula(row.new_label || ""))) return rows;
  const name = (written, isKnown) => (isKnown(restored(written)) || !isKnown(written) ? restored(written) : written);
  return rows.map((row) => ({
    ...Object.fromEntries(fields.map((field) => [field, restored(row[field])])),
    id: name(row.id, (id) => placesHere.has(id)),
    new_label: name(row.new_label || "", (label) => classes().includes(label)),
  }));
}

// the decision of a row of a file; null if it fits nothing here
function asDecision(row, added) {
  const decision = row.decision.toLowerCase();
  if (!placesHere.has(row.id) || !Object.hasOwn(WORDS, decision)) return null;
  if (decision === "keep" && every[placesHere.get(row.id)].given === null) return null;
  const { price } = row.new_price ? readPrice(row.new_price) : { price: null };
  if (price === undefined || (decision === "reprice" && price === null)) return null;
  if (price !== null && (!PRICED.includes(decision) || !data.priced)) return null;
  // as apply-fixes refuses it: which of the two is meant?
  if (decision !== "relabel" && row.new_label) return null;
  if (decision !== "relabel") return { decision, new_price: price };
  const name = row.new_label || "";
  const known = [...classes(), ...added];
  const isNew = /^(yes|true|1|x|y)$/i.test(row.new_class || "") && name && !known.some((other) => sameName(other) === sameName(name));
  if (!known.includes(name) && !isNew) return null;
  if (isNew) added.push(name);
  return { decision, new_label: name, new_price: price, new_class: !data.classes.includes(name) };
}

// decisions.csv: RFC 4180, every field quoted; where a spreadsheet would take one for a formula, it gets an apostrophe

const COLUMNS = ["id", "decision", "new_label", "new_price", "new_class", "reviewer", "time", "note"];

function csv(reviewer) {
  const lines = [...own].sort(([, one], [, other]) => one.step - other.step).map(([id, decision]) => [
    id, decision.decision, decision.new_label, plainPrice(decision.new_price ?? null), decision.new_class ? "yes" : "",
    decision.reviewer || reviewer, decision.time, notes.get(id) || "",
  ]);
  const quoted = [COLUMNS, ...lines].map((line) => line.map((field) => `"${neutral(field).replaceAll('"', '""')}"`).join(","));
  return `\ufeff${quoted.join("\r\n")}\r\n`;
}

function openSaving() {
  if (!own.size) return say("Nothing has been decided in this page yet.");
  const idle = [...notes].filter(([id, words]) => words && !heldHere(id)).map(([id]) => id);
  const left = idle.length ? ` Not included: notes on listings without a decision (${idle.slice(0, 5).join(", ")}${idle.length > 5 ? ", …" : ""}).` : "";
  $("saving-what").textContent = shown(`${count(own.size, "decision")} of this page, in decisions.csv.${left}`);
  $("saving").showModal();
}

function save() {
  const reviewer = $("reviewer").value.trim();
  try {
    localStorage.setItem("curate reviewer", reviewer);
  } catch {
    // the page has warned already
  }
  const link = element("a");
  link.href = URL.createObjectURL(new Blob([csv(reviewer)], { type: "text/csv" }));
  link.download = "decisions.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  keep("saved", (saved = { step: Math.max(saved.step, lastStep()), stale: false }));
  $("saving").close();
  drawProgress();
  say(`Downloaded. Next: ${run.command}`);
}

function take(rows) {
  const [wrong, good, added] = [[], [], []];
  for (const row of rows.filter((row) => row.decision)) {
    const made = asDecision(row, added);
    if (made) good.push({ ...row, made, time: row.time || now() });
    else wrong.push(row);
  }
  let taken = 0;
  for (const row of good.sort((one, other) => when(one) - when(other))) {
    const decision = heldHere(row.id);
    if (decision && when(decision) >= when(row)) continue;
    recordHere([[row.id, row.made]], { reviewer: row.reviewer || "", time: row.time });
    if (row.note) notes.set(row.id, row.note) && keep(`note ${row.id}`, row.note);
    taken++;
  }
  const parts = [`${count(taken, "decision")} imported`, `${good.length - taken} already here or older`];
  if (wrong.length) parts.push(`${wrong.length} ${wrong.length === 1 ? "does" : "do"} not fit this page (${wrong.slice(0, 3).map((row) => row.id).join(", ")})`);
  refresh();
  say(`${parts.join("; ")}.`);
}

async function importFile(file) {
  try {
    take(readCsv(await file.arrayBuffer()));
  } catch (error) {
    say(`${file.name} can't be read: ${error.message}.`);
  }
}
