// The player of live figures. It knows axes, sliders and paths; the formulas come with each figure, printed from SymPy.
"use strict";
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const HEIGHT = 300, LEFT = 44, RIGHT = 12, TOP = 12, BOTTOM = 40;

  const draw = (parent, tag, attributes, text) => {
    const element = document.createElementNS(SVG, tag);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    return parent.appendChild(element);
  };
  const tidy = (value) => Number(value.toPrecision(12));
  const round3 = (value) => Number(value.toPrecision(3));
  const show = (value) =>
    Number.isNaN(value) ? "nan" : !Number.isFinite(value) ? (value < 0 ? "−∞" : "∞")
      : String(Number(value.toPrecision(5))).replace("-", "−");
  // How a slider's place and its value belong together.
  const SCALES = {
    linear: {place: (value) => value, value: (place, step) => tidy(Math.round(place / step) * step)},
    log: {place: Math.log10, value: (place) => round3(10 ** place)},
    memory: {place: (value) => -Math.log10(1 - value), value: (place) => tidy(1 - Number((10 ** -place).toPrecision(2)))},
  };
  const python = (value) => {
    if (typeof value === "boolean") return value ? "True" : "False";
    return String(value);
  };

  function ticks(low, high) {
    const rough = (high - low) / 5, power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
    const found = [];
    for (let k = Math.ceil(low / step); k * step <= high * (1 + 1e-12) + 1e-12; k++) found.push(tidy(k * step));
    return found;
  }

  // A curve as pieces: it is opened where it jumps, however closely one looks.
  function pieces(f, low, high, count) {
    const jumps = (a, b) => {
      let [fa, fb] = [f(a), f(b)];
      const whole = Math.abs(fb - fa);
      for (let k = 0; k < 30; k++) {
        const c = (a + b) / 2, fc = f(c);
        if (Math.abs(fc - fa) > Math.abs(fb - fc)) [b, fb] = [c, fc]; else [a, fa] = [c, fc];
      }
      return Math.abs(fb - fa) > whole / 2;
    };
    const found = [[]];
    let before = null;
    for (let k = 0; k <= count; k++) {
      const x = low + (high - low) * k / count, y = f(x);
      if (before !== null && y !== before[1] && jumps(before[0], x)) found.push([]);
      if (Number.isFinite(y)) found.at(-1).push([x, y]);
      before = [x, y];
    }
    return found.filter((piece) => piece.length);
  }

  class Figure {
    constructor(place, data, functions) {
      this.host = document.getElementById(place);
      this.data = data;
      this.functions = functions;
      this.body = this.host.querySelector(".live-body");
      this.plot = this.host.querySelector("svg");
      this.inputs = Object.fromEntries([...this.body.querySelectorAll("input, select")].map((input) => [input.name, input]));
      this.body.hidden = false;
      this.controls = [...data.controls, ...(data.more ?? [])];
      this.reset();
      this.recall();
      for (const input of Object.values(this.inputs)) {
        input.addEventListener("input", () => this.read(input));
        input.addEventListener("change", () => this.remember());
      }
      this.body.querySelector("[data-act=reset]").addEventListener("click", () => {
        this.reset();
        this.update();
        this.remember();
      });
      this.body.querySelector("[data-act=copy]").addEventListener("click", (event) => this.copy(event.target));
      if (data.kind !== "optimizer") this.drag();
      new ResizeObserver(() => this.update()).observe(this.plot);
      addEventListener("hashchange", () => { this.recall(); this.update(); });
      this.update();
    }

    // -- state

    get axis() { return this.data.x[this.data.axis && !this.state[this.data.axis] ? 1 : 0]; }
    get place() { return this.host.id; }

    reset() {
      this.state = Object.fromEntries(this.controls.map((control) => [control.name, control.value]));
      this.state.x = this.axis.value;
    }

    set(control, value) {
      if (Number.isFinite(value)) this.state[control.name] = Math.min(control.max, Math.max(control.min, value));
    }

    read(input) {
      const control = input.name === "x" ? this.axis : this.controls.find(({name}) => name === input.name);
      if (control.options) {
        this.set(control, Number(input.value));
      } else if (control.flag) {
        this.state[control.name] = input.checked;
        if (control.name === this.data.axis) this.state.x = this.axis.value;
      } else {
        this.set(control, SCALES[control.scale].value(Number(input.value), control.step));
      }
      this.update();
    }

    remember() {
      const state = new URLSearchParams(Object.entries(this.state).map(([name, value]) => [name, String(value)]));
      try { history.replaceState(null, "", `#${this.place}?${state}`); } catch { /* a page that may not change its address */ }
    }

    recall() {
      const [place, query] = location.hash.slice(1).split("?");
      if (place !== this.place || query === undefined) return;
      const state = new URLSearchParams(query);
      for (const control of this.controls) {
        if (!state.has(control.name)) continue;
        if (control.flag) this.state[control.name] = state.get(control.name) === "true";
        else this.set(control, Number(state.get(control.name)));
      }
      this.state.x = this.axis.value;
      if (state.has("x")) this.set(this.axis, Number(state.get("x")));
      this.host.scrollIntoView({block: "nearest"});
    }

    drag() {
      const move = (event) => {
        const box = this.plot.getBoundingClientRect();
        const part = (event.clientX - box.left - LEFT) / (box.width - LEFT - RIGHT);
        const value = this.axis.min + part * (this.axis.max - this.axis.min);
        this.set(this.axis, SCALES.linear.value(value, this.axis.step));
        this.update();
      };
      this.plot.addEventListener("pointerdown", (event) => { this.plot.setPointerCapture(event.pointerId); move(event); });
      this.plot.addEventListener("pointermove", (event) => { if (event.buttons) move(event); });
      this.plot.addEventListener("pointerup", () => this.remember());
    }

    async copy(button) {
      const text = this.body.querySelector("code:not(label code)").textContent, said = button.textContent;
      try {
        await navigator.clipboard.writeText(text);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(this.body.querySelector("pre"));
        button.textContent = "Selected: now copy";
      }
      setTimeout(() => { button.textContent = said; }, 1500);
    }

    // -- numbers

    get chosen() {
      const flags = this.controls.filter((control) => control.flag);
      return this.functions[flags.filter(({name, value}) => this.state[name] !== value).map(({name}) => name).join("+")];
    }

    get numbers() { return {...this.data.fixed, ...this.data.given, ...this.state}; }

    f(key) {
      const numbers = this.numbers, g = this.chosen[key], name = this.axis.is;
      return (x) => g({...numbers, [name]: x});
    }

    get surface() { return {...this.data.surfaces[this.state.surface], ...this.functions[`surface ${this.state.surface}`]}; }

    walk(count) {
      const {start, buffers, slopes} = this.surface, step = this.chosen.step, numbers = this.numbers;
      const axes = start.map((theta, k) => ({theta, ...buffers[k]}));
      const path = [start];
      for (let t = 1; t <= count; t++) {
        const {x1, x2} = slopes({x1: axes[0].theta, x2: axes[1].theta});
        axes.forEach((axis, k) => Object.assign(axis, step({...numbers, ...axis, g: k ? x2 : x1, t})));
        path.push(axes.map(({theta}) => theta));
      }
      return path;
    }

    // The contours as pieces of line in the surface's own units: in each cell of a grid, from edge to edge.
    contours() {
      const known = this.drawn ??= {}, here = this.state.surface;
      if (known[here]) return known[here];
      const {span: [[left, right], [low, high]], start: [x1, x2], height} = this.surface, columns = 96, rows = 64;
      const at = (i, j) => [left + (right - left) * i / columns, low + (high - low) * j / rows];
      const grid = Array.from({length: rows + 1}, (_, j) => Array.from({length: columns + 1}, (_, i) => {
        const [x1, x2] = at(i, j);
        return height({x1, x2});
      }));
      const bottom = Math.min(...grid.flat()), rise = 2 * (height({x1, x2}) - bottom), found = [];
      for (let k = 0; k < 10; k++) {
        const level = bottom + rise * 2 ** (1 - k);
        for (let j = 0; j < rows; j++) for (let i = 0; i < columns; i++) {
          const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]];
          const ends = corners.flatMap(([a, b], side) => {
            const [c, d] = corners[(side + 1) % 4], [before, after] = [grid[b][a], grid[d][c]];
            if (before < level === after < level) return [];
            const part = (level - before) / (after - before);
            return [at(a + part * (c - a), b + part * (d - b))];
          });
          for (let e = 0; e + 1 < ends.length; e += 2) found.push([ends[e], ends[e + 1]]);
        }
      }
      return known[here] = found;
    }

    call() {
      const settings = [...this.data.required, ...this.data.controls.map(({name}) => `${name}=${python(this.state[name])}`)];
      const values = {formula: `${this.data.name}(${settings.join(", ")})`, target: 0, ...this.state};
      for (const {name, options} of this.controls) if (options) values[name] = options[this.state[name]];
      if (this.data.surfaces) values.start = this.surface.start.join(", ");
      return this.data.call.replace(/\{(\w+)\}/g, (_, name) => python(values[name]));
    }

    // -- what is seen

    update() {
      const axis = this.axis;
      for (const control of [axis, ...this.controls]) {
        const input = this.inputs[control.name], value = this.state[control.name];
        if (control.flag) { input.checked = value; continue; }
        if (control.options) { input.value = value; continue; }
        const {place} = SCALES[control.scale];
        [input.min, input.max] = [place(control.min), place(control.max)];
        input.step = control.scale === "linear" ? control.step : 0.02;
        input.value = place(value);
        input.setAttribute("aria-valuetext", show(value));
        this.body.querySelector(`output[data-value="${control.name}"]`).value = show(value);
      }
      this.inputs.x.previousElementSibling.textContent = axis.label;
      this.body.querySelector("code:not(label code)").textContent = this.call();
      this.width = Math.max(260, this.plot.clientWidth);
      this.plot.setAttribute("viewBox", `0 0 ${this.width} ${HEIGHT}`);
      this.plot.replaceChildren();
      const values = this.data.kind === "optimizer" ? this.drawPath() : this.drawCurves();
      for (const [key, value] of Object.entries(values)) {
        const output = this.body.querySelector(`output[data-series="${key}"]`);
        output.value = show(value);
        output.dataset.exact = String(value);
      }
    }

    frame([left, right], [low, high], labels) {
      const X = (x) => LEFT + (x - left) / (right - left) * (this.width - LEFT - RIGHT);
      const Y = (y) => HEIGHT - BOTTOM - (y - low) / (high - low) * (HEIGHT - TOP - BOTTOM);
      const clip = `${this.place}-clip`;
      draw(draw(this.plot, "clipPath", {id: clip}), "rect",
        {x: LEFT, y: TOP, width: this.width - LEFT - RIGHT, height: HEIGHT - TOP - BOTTOM});
      for (const x of ticks(left, right)) {
        draw(this.plot, "line", {x1: X(x), x2: X(x), y1: TOP, y2: HEIGHT - BOTTOM, class: x ? "live-grid" : "live-zero"});
        draw(this.plot, "text", {x: X(x), y: HEIGHT - BOTTOM + 16, class: "live-tick", "text-anchor": "middle"}, show(x));
      }
      for (const y of ticks(low, high)) {
        draw(this.plot, "line", {x1: LEFT, x2: this.width - RIGHT, y1: Y(y), y2: Y(y), class: y ? "live-grid" : "live-zero"});
        draw(this.plot, "text", {x: LEFT - 6, y: Y(y) + 4, class: "live-tick", "text-anchor": "end"}, show(y));
      }
      const middle = LEFT + (this.width - LEFT - RIGHT) / 2;
      draw(this.plot, "text", {x: middle, y: HEIGHT - 6, class: "live-label", "text-anchor": "middle"}, labels);
      return [X, Y, draw(this.plot, "g", {"clip-path": `url(#${clip})`})];
    }

    window(curves) {
      const settled = this.settled ??= {}, key = this.axis.label;
      if (settled[key] && !this.data.follow) return settled[key];
      const values = curves.flat(2).map(([, y]) => y).sort((a, b) => a - b);
      const at = (part) => values[Math.round(part * (values.length - 1))];
      const [low, high] = this.data.follow ? [0, at(1)] : [Math.min(0, at(0.02)), at(0.95)];
      const room = 0.08 * (high - low || 1);
      return settled[key] = [low < 0 ? low - room : low, high + room];
    }

    drawCurves() {
      const {min, max, label} = this.axis, x = this.state.x;
      const curves = this.data.series.map(([key]) => pieces(this.f(key), min, max, 480));
      const [X, Y, inside] = this.frame([min, max], this.window(curves), label);
      draw(inside, "line", {x1: X(x), x2: X(x), y1: TOP, y2: HEIGHT - BOTTOM, class: "live-here"});
      const values = {};
      this.data.series.forEach(([key], k) => {
        const line = curves[k].map((piece) =>
          piece.map(([x, y], i) => `${i ? "L" : "M"}${X(x).toFixed(2)} ${Y(y).toFixed(2)}`).join("")).join("");
        draw(inside, "path", {d: line, class: `live-line live-${k}`});
        values[key] = this.f(key)(x);
        if (Number.isFinite(values[key])) {
          draw(inside, "circle", {cx: X(x), cy: Y(values[key]), r: 5, class: `live-dot live-${k}`});
        }
      });
      return values;
    }

    drawPath() {
      const {span, height} = this.surface, path = this.walk(this.state.x);
      const [X, Y, inside] = this.frame(...span, "x₁; vertical: x₂");
      const line = ([[a, b], [c, d]]) => `M${X(a).toFixed(1)} ${Y(b).toFixed(1)}L${X(c).toFixed(1)} ${Y(d).toFixed(1)}`;
      draw(inside, "path", {d: this.contours().map(line).join(""), class: "live-contour"});
      const far = (value) => Math.max(-1e6, Math.min(1e6, value)).toFixed(2);
      const seen = path.filter((point) => point.every(Number.isFinite));
      draw(inside, "path", {
        d: seen.map(([x, y], i) => `${i ? "L" : "M"}${far(X(x))} ${far(Y(y))}`).join(""), class: "live-line live-0"});
      seen.forEach(([x, y], i) => draw(inside, "circle",
        {cx: far(X(x)), cy: far(Y(y)), r: i === seen.length - 1 ? 6 : 2.5, class: "live-dot live-0"}));
      const [x1, x2] = path.at(-1);
      return {0: x1, 1: x2, height: height({x1, x2})};
    }
  }

  for (const figure of window.lossrefFigures ?? []) new Figure(...figure);
})();
