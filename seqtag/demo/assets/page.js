"use strict";

// All that comes from the server is set as text, never as HTML.

const COLOURS = 8;
const byId = (name) => document.getElementById(name);
let settings = { fields: [], numbers: [], labels: [] };
let urls = [];

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function tell(text, isWrong) {
  byId("status").textContent = text;
  byId("status").className = isWrong ? "wrong" : "";
}

function fieldOf(field) {
  const part = element("div");
  const label = element("label", field.label);
  label.htmlFor = field.name;
  const area = element("textarea");
  area.id = field.name;
  area.maxLength = field.most;
  area.required = !field.is_optional;
  area.spellcheck = false;
  area.value = field.example;
  part.append(label, area);
  if (field.is_file) part.append(fileOf(field, area));
  return part;
}

function fileOf(field, area) {
  const file = element("input");
  file.type = "file";
  file.setAttribute("aria-label", "file for: " + field.label);
  file.addEventListener("change", async () => {
    const chosen = file.files[0];
    if (!chosen) return;
    if (chosen.size > 4 * field.most) {
      tell("expected at most " + field.most + " characters, found a file of " + chosen.size + " bytes", true);
    } else {
      area.value = await chosen.text();
      tell(chosen.name, false);
    }
  });
  return file;
}

function numberOf(number) {
  const label = element("label", number.label + " ");
  const input = element("input");
  input.type = "number";
  input.id = number.name;
  input.min = number.least;
  input.max = number.most;
  input.value = number.value;
  input.required = true;
  label.append(input);
  return label;
}

// Rounded down, so that nothing looks certain.
function percent(score) {
  return score < 0.01 ? "<1%" : Math.floor(100 * score) + "%";
}

function sentenceOf(block) {
  const line = element("div", undefined, "sentence");
  for (const piece of block.pieces) {
    if (piece.label === null) {
      line.append(piece.text);
      continue;
    }
    const place = Math.max(0, settings.labels.indexOf(piece.label));
    const mark = element("mark", piece.text, "c" + (place % COLOURS));
    const sure = piece.score === null ? "" : " " + percent(piece.score);
    mark.append(element("small", piece.label + sure));
    if (piece.score !== null) mark.title = piece.label + ", probability " + piece.score.toFixed(4);
    line.append(mark);
  }
  return line;
}

function tableOf(block) {
  const table = element("table");
  const head = table.createTHead().insertRow();
  for (const name of block.header) {
    const cell = element("th", name);
    cell.scope = "col";
    head.append(cell);
  }
  const body = table.createTBody();
  for (const values of block.rows) {
    const row = body.insertRow();
    for (const value of values) row.insertCell().textContent = value;
  }
  const scroll = element("div", undefined, "scroll");
  scroll.tabIndex = 0;
  scroll.append(table);
  return scroll;
}

const KINDS = {
  sentence: sentenceOf,
  table: tableOf,
  lines: (block) => element("pre", block.text),
  fan: (block) => drawFan(block),
};

function show(answer) {
  const blocks = answer.blocks.map((block) => {
    const part = element("div", undefined, "block");
    if (block.title) part.append(element("h2", block.title));
    part.append(KINDS[block.kind](block));
    return part;
  });
  byId("answer").replaceChildren(...blocks);
  urls.forEach((url) => URL.revokeObjectURL(url));
  urls = [];
  const links = Object.entries(answer.files).map(([name, text]) => {
    const link = element("a", "Download " + name);
    link.href = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
    urls.push(link.href);
    link.download = name;
    return link;
  });
  byId("files").replaceChildren(...links);
}

async function ask() {
  if (byId("go").disabled || !byId("form").reportValidity()) return;
  const values = {};
  for (const field of settings.fields) values[field.name] = byId(field.name).value;
  for (const number of settings.numbers) values[number.name] = byId(number.name).valueAsNumber;
  byId("go").disabled = true;
  tell("…", false);
  try {
    const headers = { "Content-Type": "application/json" };
    const response = await fetch("/answer", { method: "POST", headers, body: JSON.stringify(values) });
    const answer = await response.json();
    if (response.ok) {
      show(answer);
      tell("", false);
    } else {
      tell(answer.error, true);
    }
  } catch (error) {
    tell("no answer: is the server still there? (" + error.message + ")", true);
  } finally {
    byId("go").disabled = false;
  }
}

async function start() {
  settings = await (await fetch("/settings")).json();
  document.title = settings.title + " · seqtag";
  byId("title").textContent = settings.title;
  byId("about").textContent = settings.about;
  byId("fields").replaceChildren(...settings.fields.map(fieldOf));
  byId("numbers").replaceChildren(...settings.numbers.map(numberOf));
  byId("form").addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) ask();
  });
  byId("go").disabled = false;
  byId(settings.fields[0].name).focus();
}

start().catch((error) => tell("the page could not be set up: " + error.message, true));
