"use strict";
// Shows the sentences. All that comes from data is set as text, never read as markup.
// What is known of each column of tags, and the one whose sentences are shown.
const columns = JSON.parse(document.getElementById("data").textContent);
let data = columns[0], spelt = [];
const of = (id) => document.getElementById(id);
const PAGE = 40;
const GOLDEN_ANGLE = 137.508;
const ANY = "any error", ALL = "all", NONE = "none";
let pair = null, found = [], shown = 0;

function make(name, className, ...parts) {
  const node = document.createElement(name);
  if (className) node.className = className;
  node.append(...parts);
  return node;
}

const typeName = (number) => (number < 0 ? "O" : data.types[number]);

function coloured(node, type) {
  node.style.setProperty("--hue", ((type * GOLDEN_ANGLE + 250) % 360).toFixed(1));
  return node;
}

function percent(p) {
  // What is nearly sure is not told as sure.
  return p > 0.9995 && p < 1 ? ">99.9%" : (100 * p).toFixed(1) + "%";
}

function span(words, type, probability) {
  const told = probability == null ? typeName(type) : typeName(type) + " " + percent(probability);
  return coloured(make("span", "span", words, make("span", "name", told)), type);
}

function words(row, start, end) {
  return row.tokens.slice(start, end).join(" ");
}

// One side of a region: its spans in colour, and the words between.
function side(row, start, end, spans) {
  const line = make("span", "");
  let at = start;
  for (const [type, from, to, probability] of spans) {
    if (from > at) line.append(words(row, at, from) + " ");
    line.append(span(words(row, from, to), type, probability), " ");
    at = to;
  }
  if (at < end) line.append(words(row, at, end));
  return line;
}

const withoutProbability = (spans) => spans.map((one) => one.slice(0, 3));

function region(row, [start, end, right, gold, predicted]) {
  if (right) return side(row, start, end, predicted);
  return make("span", "wrongly", make("b", "", "gold"), side(row, start, end, withoutProbability(gold)), make("b", "", "predicted"),
    side(row, start, end, predicted));
}

function withSpans(row, text) {
  let at = 0;
  for (const part of row.regions) {
    if (part[0] > at) text.append(words(row, at, part[0]) + " ");
    text.append(region(row, part), " ");
    at = part[1];
  }
  text.append(words(row, at, row.tokens.length));
}

function withLabels(row, text) {
  row.tokens.forEach((token, n) => {
    const gold = row.gold[n], predicted = row.found[n], right = gold === predicted || gold < 0;
    const node = make("span", right ? "token" : "token bad", make("span", "", token));
    if (!right) node.append(coloured(make("span", "tag", "gold " + typeName(gold)), gold));
    const told = right ? typeName(predicted) : "predicted " + typeName(predicted) + " " + percent(row.scores[n]);
    node.append(coloured(make("span", "tag", told), predicted));
    node.title = percent(row.scores[n]);
    text.append(node, " ");
  });
}

function sentence(row) {
  const about = make("p", "about", make("span", "", row.at), make("span", "", "least probable tag " + percent(row.p)));
  for (const kind of new Set(row.errors.map((error) => error[0]))) about.append(make("span", "badge", kind));
  const text = make("p", "words");
  text.dir = "auto";
  if (row.first) text.append(make("span", "cut", "… "));
  if (row.regions) withSpans(row, text);
  else withLabels(row, text);
  if (row.length && row.first + row.tokens.length < row.length) text.append(make("span", "cut", " …"));
  if (row.length) {
    about.append(make("span", "", "tokens " + (row.first + 1) + " to " + (row.first + row.tokens.length) + " of " + row.length));
  }
  const node = make("article", "sentence", about, text);
  node.tabIndex = -1;
  return node;
}

const concerns = (error, type) => type === "" || error[1] === Number(type) || error[2] === Number(type);

function has(row, type) {
  if (type === "") return true;
  const number = Number(type);
  if (!row.regions) return row.gold.includes(number) || row.found.includes(number);
  return row.regions.some((part) => [...part[3], ...part[4]].some((one) => one[0] === number));
}

function fits(row, n, wanted) {
  if (wanted.text && !spelt[n].includes(wanted.text)) return false;
  if (pair && !row.pairs.some(([gold, predicted]) => typeName(gold) === pair[0] && typeName(predicted) === pair[1])) return false;
  if (wanted.kind === ALL) return has(row, wanted.type);
  if (wanted.kind === NONE) return !row.errors.length && has(row, wanted.type);
  return row.errors.some((error) => (wanted.kind === ANY || error[0] === wanted.kind) && concerns(error, wanted.type));
}

function update() {
  const wanted = { kind: of("kind").value, type: of("type").value, text: of("text").value.trim().toLowerCase() };
  found = data.rows.map((row, n) => n).filter((n) => fits(data.rows[n], n, wanted));
  const order = of("order").value, sign = order === "sure" ? -1 : 1;
  // Sorting keeps the order of the file where probabilities are equal.
  if (order !== "file") found.sort((a, b) => sign * (data.rows[a].p - data.rows[b].p));
  of("list").replaceChildren();
  shown = 0;
  more();
  of("count").textContent = found.length.toLocaleString("en") + " of " + data.rows.length.toLocaleString("en") + " sentences";
  of("pair").hidden = !pair;
  if (pair) {
    const clear = make("button", "", "Show all pairs");
    clear.addEventListener("click", () => choosePair(null));
    of("pair").replaceChildren("Tokens of " + pair[0] + " predicted as " + pair[1] + ".", clear);
  }
}

function more() {
  of("list").append(...found.slice(shown, shown + PAGE).map((n) => sentence(data.rows[n])));
  shown = Math.min(shown + PAGE, found.length);
  of("more").hidden = shown >= found.length;
}

function move(step) {
  const nodes = of("list").children;
  const current = [...nodes].indexOf(document.activeElement.closest(".sentence"));
  const next = current < 0 ? 0 : current + step;
  if (next >= nodes.length) more();
  if (nodes[next]) nodes[next].focus();
}

function choosePair(chosen) {
  pair = chosen;
  for (const cell of document.querySelectorAll(".confusion button")) {
    cell.setAttribute("aria-pressed", String(!!pair && cell.dataset.gold === pair[0] && cell.dataset.found === pair[1]));
  }
  update();
}

function showColumn(number) {
  data = columns[number];
  spelt = data.rows.map((row) => row.tokens.join(" ").toLowerCase());
  of("column").value = number;
  of("told").textContent = data.told;
  const kind = of("kind").value;
  of("kind").replaceChildren(...[ALL, ANY, ...data.kinds, NONE].map((name) => new Option(name, name)));
  of("kind").options[1].defaultSelected = true;
  of("kind").value = [...of("kind").options].some((option) => option.value === kind) ? kind : ANY;
  const sorted = data.types.map((name, n) => [name, n]).sort((a, b) => (a[0] < b[0] ? -1 : 1));
  of("type").replaceChildren(new Option("all", ""), ...sorted.map(([name, n]) => new Option(name, n)));
  choosePair(null);
}

// What the tables count is the first column's.
function showFirstColumn() {
  if (data !== columns[0]) showColumn(0);
}

function reset() {
  // The fields themselves are set back after this event.
  setTimeout(() => choosePair(null));
}

function toSentences() {
  of("sentences").scrollIntoView();
  of("kind").focus({ preventScroll: true });
}

// The cells with errors are one stop of the tab key; arrows move among them.
function setUpCells() {
  const cells = [...document.querySelectorAll(".confusion button")];
  if (!cells.length) return;
  cells[0].tabIndex = 0;
  const places = new Map(cells.map((cell) => [cell, [cell.closest("tr").rowIndex, cell.closest("td").cellIndex]]));
  const steps = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };
  of("confusion-table").addEventListener("click", (event) => {
    const cell = event.target.closest("button");
    if (!cell) return;
    showFirstColumn();
    of("kind").value = ANY;
    of("type").value = of("text").value = "";
    choosePair([cell.dataset.gold, cell.dataset.found]);
    toSentences();
  });
  of("confusion-table").addEventListener("keydown", (event) => {
    const step = steps[event.key], here = places.get(event.target);
    if (!step || !here) return;
    event.preventDefault();
    const axis = step[0] ? 0 : 1, sign = step[axis];
    const ahead = cells.filter((cell) => places.get(cell)[1 - axis] === here[1 - axis] && sign * (places.get(cell)[axis] - here[axis]) > 0);
    const next = sign > 0 ? ahead[0] : ahead[ahead.length - 1];
    if (!next) return;
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
}

function setUpTheme() {
  const names = ["auto", "light", "dark"];
  const label = of("theme").querySelector("span");
  of("theme").addEventListener("click", () => {
    const next = names[(names.indexOf(label.textContent) + 1) % names.length];
    label.textContent = next;
    document.documentElement.dataset.theme = next;
  });
}

function setUpKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.matches("input, select");
    if (event.key === "Escape" && (typing || event.target.closest(".sentence"))) event.target.blur();
    if (typing) return;
    if (event.key === "/") of("text").focus();
    else if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
    else return;
    event.preventDefault();
  });
}

function setUp() {
  of("column").append(...columns.map((column, n) => new Option(column.name, n)));
  of("columns").hidden = columns.length === 1;
  of("column").addEventListener("change", () => showColumn(Number(of("column").value)));
  for (const id of ["kind", "type", "order"]) of(id).addEventListener("change", update);
  of("text").addEventListener("input", update);
  of("filters").addEventListener("reset", reset);
  of("filters").addEventListener("submit", (event) => event.preventDefault());
  of("more").addEventListener("click", more);
  for (const button of document.querySelectorAll("[data-kind]")) {
    button.addEventListener("click", () => {
      showFirstColumn();
      of("kind").value = button.dataset.kind;
      update();
      toSentences();
    });
  }
  setUpCells();
  setUpTheme();
  setUpKeys();
  showColumn(0);
}

setUp();
