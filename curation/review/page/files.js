
// Files of decisions: what is downloaded, and taken from another browser.


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
