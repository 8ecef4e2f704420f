/// A self-contained page that shows a lens as a heat map: layers upwards, tokens to the right. Each
/// cell shows the closest token, coloured by its cosine.
package struct LensPage: Page {
  let report: LensReport

  package init(_ report: LensReport) { self.report = report }

  package var html: String {
    // The text of a script ends at the first end tag, even inside a string.
    let data = report.json.replacing("<", with: "\\u003c")
    let name = report.text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
    return """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>Lens: \(name)</title>
      <style>\(Self.style)</style>
      </head>
      <body>
      <header>
      <h1 id="text"></h1>
      <p id="about"></p>
      </header>
      <div id="controls">
      <label>Shade by <select id="measure">
      <option value="cosine">cosine to the closest basis</option>
      <option value="similarity">similarity to the layer before</option>
      <option value="rank">rank of the final answer</option>
      </select></label>
      <span id="legend"><span id="low"></span><span id="ramp"></span><span id="high"></span></span>
      <span class="key"><span class="swatch"></span> the last layer's answer</span>
      <button id="theme" type="button">Dark</button>
      </div>
      <div id="scroll"><table id="map"></table></div>
      <div id="tip" role="tooltip" hidden></div>
      <script type="application/json" id="data">\(data)</script>
      <script>\(Self.script)</script>
      </body>
      </html>

      """
  }

  private static let style = """
    :root { color-scheme: light; --page: #fcfcfb; --ink: #1d1d1b; --soft: #6b6a66; --line: #dddcd8;
      --low: #f2f1ed; --high: #1f5fa8; --on-high: #ffffff; --mark: #d9822b; --panel: #ffffff; }
    :root.dark { color-scheme: dark; --page: #171716; --ink: #ecebe7; --soft: #9d9b95; --line: #3a3936;
      --low: #242422; --high: #8fc1ff; --on-high: #10151c; --mark: #ffb056; --panel: #232321; }
    * { box-sizing: border-box; }
    body { margin: 0; padding: 1.5rem; background: var(--page); color: var(--ink);
      font: 15px/1.45 system-ui, sans-serif; }
    h1 { font-size: 1.25rem; margin: 0 0 .25rem; font-weight: 600; white-space: pre-wrap;
      overflow-wrap: anywhere; }
    p { margin: 0 0 1rem; color: var(--soft); }
    #controls { display: flex; flex-wrap: wrap; gap: .6rem 1.4rem; align-items: center;
      margin-bottom: .8rem; color: var(--soft); }
    select, button { font: inherit; color: var(--ink); background: var(--panel);
      border: 1px solid var(--line); border-radius: 6px; padding: .2rem .55rem; }
    #legend { display: inline-flex; align-items: center; gap: .4rem; font-variant-numeric: tabular-nums; }
    #ramp { width: 8rem; height: .8rem; border-radius: 3px; border: 1px solid var(--line);
      background: linear-gradient(to right in oklab, var(--low), var(--high)); }
    .swatch { display: inline-block; width: 1.1rem; height: .8rem; vertical-align: -.05rem;
      border: 2px solid var(--mark); border-radius: 3px; }
    #scroll { overflow: auto; max-height: 78vh; border: 1px solid var(--line); border-radius: 8px; }
    table { border-collapse: separate; border-spacing: 2px; padding: 2px; }
    th { font-weight: 500; color: var(--soft); padding: .15rem .5rem; white-space: pre;
      background: var(--page); position: sticky; }
    thead th { top: 0; z-index: 2; }
    tbody th { left: 0; z-index: 1; text-align: right; font-variant-numeric: tabular-nums; }
    thead th:first-child { left: 0; z-index: 3; }
    tfoot th { bottom: 0; z-index: 2; color: var(--ink); border-top: 1px solid var(--line); }
    tfoot th:first-child { left: 0; z-index: 3; color: var(--soft); }
    td { min-width: 4.2rem; max-width: 9rem; height: 2rem; padding: 0 .45rem; border-radius: 4px;
      text-align: center; white-space: pre; overflow: hidden; text-overflow: ellipsis; cursor: default;
      border: 2px solid transparent; font-family: ui-monospace, monospace; font-size: 13px; }
    td.final { border-color: var(--mark); }
    td:focus-visible { outline: 2px solid var(--ink); outline-offset: 1px; }
    #tip { position: fixed; z-index: 10; pointer-events: none; background: var(--panel);
      color: var(--ink); border: 1px solid var(--line); border-radius: 8px; padding: .6rem .75rem;
      box-shadow: 0 6px 24px rgb(0 0 0 / .25); font-size: 13px; max-width: 24rem; }
    #tip table { border-spacing: 0; padding: 0; margin-top: .3rem; }
    #tip td { all: unset; display: table-cell; padding: .05rem .7rem .05rem 0; white-space: pre;
      font-family: ui-monospace, monospace; }
    #tip td + td { text-align: right; font-variant-numeric: tabular-nums; }
    #tip .soft { color: var(--soft); }
    """

  private static let script = #"""
    "use strict";
    const lens = JSON.parse(document.getElementById("data").textContent);
    const at = (id) => document.getElementById(id);
    const make = (tag, text, parent) => {
      const element = document.createElement(tag);
      if (text !== undefined) element.textContent = text;
      if (parent) parent.append(element);
      return element;
    };
    // Spaces and line ends are parts of tokens, so they are shown.
    const shown = (token) => token.replace(/ /g, "\u00b7").replace(/\n/g, "\u21b5")
      .replace(/\t/g, "\u21e5") || "\u2205";
    at("text").textContent = lens.text;
    at("about").textContent = lens.model + ", " + (lens.layers.length - 1) + " layers, "
      + lens.tokens.length + " tokens. In each cell the token whose basis is closest to the state.";

    const flat = lens.layers.flatMap((layer) => layer.positions);
    const range = (values) => [Math.min(...values), Math.max(...values)];
    const most = Math.max(...flat.map((cell) => cell.top.length));
    const measures = {
      cosine: { of: (cell) => cell.top[0].cosine, range: range(flat.map((c) => c.top[0].cosine)) },
      similarity: { of: (cell) => cell.similarity,
        range: range(flat.map((c) => c.similarity).filter((x) => x !== null)) },
      rank: { of: (cell) => -(cell.rank_of_final ?? most), range: [-most, 0],
        ends: ["not in the top " + most, "first"] },
    };

    const map = at("map");
    const head = make("tr", undefined, make("thead", undefined, map));
    make("th", "layer", head);
    for (const token of lens.tokens) make("th", shown(token.token), head);
    const body = make("tbody", undefined, map);
    const cells = [];
    for (const layer of [...lens.layers].reverse()) {
      const row = make("tr", undefined, body);
      make("th", layer.layer === 0 ? "embeddings" : layer.layer, row).scope = "row";
      layer.positions.forEach((cell, position) => {
        const td = make("td", shown(cell.top[0].token), row);
        td.tabIndex = 0;
        if (cell.rank_of_final === 0) td.classList.add("final");
        cells.push({ td, cell, layer: layer.layer, position });
      });
    }
    const foot = make("tr", undefined, make("tfoot", undefined, map));
    make("th", "first at", foot);
    for (const final of lens.final)
      make("th", final.first_layer === 0 ? "emb." : "layer " + final.first_layer, foot);

    function shade() {
      const measure = measures[at("measure").value];
      const [low, high] = measure.range;
      const ends = measure.ends ?? [low.toFixed(2), high.toFixed(2)];
      at("low").textContent = ends[0];
      at("high").textContent = ends[1];
      for (const { td, cell } of cells) {
        const value = measure.of(cell);
        const share = value === null ? 0 : high > low ? (value - low) / (high - low) : 1;
        td.style.background = "color-mix(in oklab, var(--high) " + (share * 100).toFixed(1)
          + "%, var(--low))";
        td.style.color = share > 0.55 ? "var(--on-high)" : "var(--ink)";
      }
    }

    const tip = at("tip");
    function show({ td, cell, layer, position }) {
      tip.replaceChildren();
      make("strong", (layer === 0 ? "Embeddings" : "Layer " + layer) + ", after "
        + shown(lens.tokens[position].token), tip);
      const table = make("table", undefined, tip);
      for (const { token, cosine, probability } of cell.top) {
        const row = make("tr", undefined, table);
        make("td", shown(token), row);
        make("td", cosine.toFixed(3), row);
        make("td", (probability * 100).toFixed(probability < 0.001 ? 4 : 1) + "%", row);
      }
      const notes = [];
      if (cell.similarity !== null) notes.push("similarity to the layer before "
        + cell.similarity.toFixed(3));
      notes.push(cell.rank_of_final === null ? "the final answer is not among these"
        : "the final answer is number " + (cell.rank_of_final + 1));
      make("div", notes.join("; "), tip).className = "soft";
      tip.hidden = false;
      const box = td.getBoundingClientRect();
      const size = tip.getBoundingClientRect();
      const left = Math.min(Math.max(8, box.left), innerWidth - size.width - 8);
      const above = box.top - size.height - 8;
      tip.style.left = left + "px";
      tip.style.top = (above > 8 ? above : box.bottom + 8) + "px";
    }
    for (const entry of cells) {
      entry.td.addEventListener("mouseenter", () => show(entry));
      entry.td.addEventListener("focus", () => show(entry));
      for (const event of ["mouseleave", "blur"])
        entry.td.addEventListener(event, () => { tip.hidden = true; });
    }
    at("measure").addEventListener("change", shade);
    const root = document.documentElement;
    function theme(dark) {
      root.classList.toggle("dark", dark);
      at("theme").textContent = dark ? "Light" : "Dark";
    }
    at("theme").addEventListener("click", () => theme(!root.classList.contains("dark")));
    theme(matchMedia("(prefers-color-scheme: dark)").matches);
    shade();
    document.body.dataset.cells = cells.length;
    """#
}
