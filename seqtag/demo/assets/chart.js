"use strict";

// Draws a series and the fan of its forecast as SVG.

const WIDTH = 720;
const HEIGHT = 260;
const LEFT = 64;
const BOTTOM = 28;
const TOP = 10;
const RIGHT = 12;

function svg(name, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

// Round numbers that divide a range into some four parts.
function ticksOf(low, high) {
  const raw = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= raw);
  const ticks = [];
  for (let n = Math.ceil(low / step); n * step <= high; n += 1) ticks.push(n * step);
  return ticks;
}

function rangeOf(block) {
  const values = [...block.past, ...block.middle, ...block.bands.flatMap((band) => [...band[1], ...band[2]])];
  const found = values.filter((value) => value !== null && Number.isFinite(value));
  const low = Math.min(...found);
  const high = Math.max(...found);
  const room = (high - low) * 0.05 || Math.abs(high) * 0.05 || 1;
  return [low - room, high + room];
}

// The lines of a series between the values that are missing.
function linesOf(values, x, y) {
  const lines = [];
  let open = [];
  values.forEach((value, n) => {
    if (value === null) {
      lines.push(open);
      open = [];
    } else {
      open.push(x(n).toFixed(1) + "," + y(value).toFixed(1));
    }
  });
  return [...lines, open].filter((line) => line.length);
}

function drawFan(block) {
  const [low, high] = rangeOf(block);
  const now = block.past.length;
  const last = Math.max(1, block.times.length - 1);
  const x = (n) => LEFT + ((WIDTH - LEFT - RIGHT) * n) / last;
  const y = (value) => TOP + ((HEIGHT - TOP - BOTTOM) * (high - value)) / (high - low);
  const told = block.title + ": forecast of " + block.middle.length + " steps from " + block.times[now];
  const chart = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": told });
  for (const tick of ticksOf(low, high)) {
    chart.append(svg("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(tick), y2: y(tick) }));
    const label = Number(tick.toPrecision(6)).toString();
    chart.append(svg("text", { x: LEFT - 6, y: y(tick) + 4, "text-anchor": "end" }, label));
  }
  for (const [name, below, above] of block.bands) {
    const there = above.map((value, n) => `${x(now + n).toFixed(1)},${y(value).toFixed(1)}`);
    const back = below.map((value, n) => `${x(now + n).toFixed(1)},${y(value).toFixed(1)}`).reverse();
    const band = svg("polygon", { class: "band", points: [...there, ...back].join(" ") });
    band.append(svg("title", {}, name + " interval"));
    chart.append(band);
  }
  for (const line of linesOf(block.past, x, y)) {
    chart.append(
      line.length > 1
        ? svg("polyline", { class: "past", points: line.join(" ") })
        : svg("circle", { class: "past-point", cx: line[0].split(",")[0], cy: line[0].split(",")[1], r: 2 }),
    );
  }
  const middle = block.middle.map((value, n) => `${x(now + n).toFixed(1)},${y(value).toFixed(1)}`);
  chart.append(svg("polyline", { class: "middle", points: middle.join(" ") }));
  if (now) chart.append(svg("line", { class: "now", x1: x(now - 0.5), x2: x(now - 0.5), y1: TOP, y2: HEIGHT - BOTTOM }));
  const foot = HEIGHT - 8;
  chart.append(svg("text", { x: LEFT, y: foot }, block.times[0]));
  chart.append(svg("text", { x: WIDTH - RIGHT, y: foot, "text-anchor": "end" }, block.times[block.times.length - 1]));
  return chart;
}
