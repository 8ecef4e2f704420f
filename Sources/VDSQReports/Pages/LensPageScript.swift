/// The script of the lens's page. It draws the maps from the page's data.
enum LensPageScript {
  static let text = #"""
    "use strict";
    const data = JSON.parse(document.getElementById("data").textContent);
    const at = (id) => document.getElementById(id);
    const make = (tag, text, parent) => {
      const element = document.createElement(tag);
      if (text !== undefined) element.textContent = text;
      if (parent) parent.append(element);
      return element;
    };
    // Spaces and line ends are parts of tokens, so they are shown.
    const shown = (token) => token.replace(/ /g, "\u00b7").replace(/\n/g, "\u21b5")
      .replace(/\r/g, "\u240d").replace(/\t/g, "\u21e5") || "\u2205";
    const texts = [data, ...(data.compared ?? [])];
    const names = { basis: "Basis lens", logit: "Logit lens", tuned: "Tuned lens" };
    const layerName = (layer) => layer === 0 ? "emb." : String(layer);
    at("text").textContent = texts.map((text) => text.text).join("\n");
    at("about").textContent = data.model + ", " + (data.layers.length - 1) + " layers, "
      + data.vocabulary.toLocaleString("en") + " tokens in the vocabulary. In each cell the first "
      + "token at that layer: that of the closest basis, or of the highest logit"
      + (data.lenses.includes("tuned") ? ", also of states translated to the last layer." : ".");

    // Every map: a view of a text. The first view's values stand beside the text.
    // Texts that are compared lie beside each other.
    const maps = data.lenses.flatMap((lens, place) => texts.map((text, index) => ({
      text, index, lens, layers: (place === 0 ? text : text[lens]).layers,
      final: (place === 0 ? text : text[lens]).final })));

    const value = (top) => top.cosine ?? top.logit;
    const percent = (p) => (p * 100).toFixed(p < 0.001 ? 4 : p < 0.1 ? 2 : 1) + "%";
    const place = (rank) => "number " + (rank + 1).toLocaleString("en");
    const logRank = (rank) => 1 - Math.log(1 + rank) / Math.log(data.vocabulary);
    // How a measure becomes a share of the colour. A scale spans what layers behind the first have,
    // without the outermost 2%, because the embeddings differ from all of them.
    const linear = { of: (x) => x, text: (x) => x.toFixed(2) };
    const root = { of: Math.sqrt, text: percent };
    const measures = [
      { name: "rank of the final answer", of: (cell) => cell.rank_of_final, fixed: logRank,
        ends: [place(data.vocabulary - 1), "first"] },
      { name: "probability of the final answer", of: (cell) => cell.probability_of_final,
        scale: root, from: 0 },
      { name: "entropy (dark: certain)", of: (cell) => cell.entropy, scale: linear, falls: true },
      { name: "divergence from the last layer (dark: none)", of: (cell) => cell.divergence,
        scale: { of: Math.sqrt, text: (x) => x.toFixed(2) }, from: 0, falls: true },
      { name: "score of the first token", of: (cell) => value(cell.top[0]), scale: linear },
      { name: "similarity to the layer before", of: (cell) => cell.similarity,
        scale: { of: (x) => -Math.log(Math.max(1e-4, 1 - x)), text: (x) => x.toFixed(3) } },
      ...data.tracked.flatMap(({ token }, index) => [
        { name: "rank of \u201c" + shown(token) + "\u201d", of: (cell) => cell.tracked[index].rank,
          fixed: logRank, ends: [place(data.vocabulary - 1), "first"] },
        { name: "probability of \u201c" + shown(token) + "\u201d",
          of: (cell) => cell.tracked[index].probability, scale: root, from: 0 },
      ]),
    ];
    measures.forEach((measure, index) => { make("option", measure.name, at("measure")).value = index; });
    if (data.tracked.length > 0) at("measure").value = 6;
    if (data.lenses.length > 1)
      for (const name of ["all", ...data.lenses])
        make("option", name === "all" ? "side by side" : name, at("lens")).value = name;
    else at("choice").hidden = true;

    const cells = [];
    for (const map of maps) {
      const section = make("section", undefined, at("maps"));
      const title = make("header", undefined, section);
      make("h2", names[map.lens] + (texts.length > 1 ? ": " + map.text.text : ""), title);
      map.section = section;
      map.legend = make("span", undefined, title);
      map.legend.className = "legend";
      map.low = make("span", undefined, map.legend);
      make("span", undefined, map.legend).className = "ramp";
      map.high = make("span", undefined, map.legend);
      const scroll = make("div", undefined, section);
      scroll.className = "scroll";
      const table = make("table", undefined, scroll);
      const head = make("tr", undefined, make("thead", undefined, table));
      make("th", "layer", head);
      for (const token of map.text.tokens) make("th", shown(token.token), head).title = "id " + token.id;
      const body = make("tbody", undefined, table);
      for (const layer of [...map.layers].reverse()) {
        const row = make("tr", undefined, body);
        make("th", layerName(layer.layer), row).scope = "row";
        layer.positions.forEach((cell, position) => {
          const td = make("td", shown(cell.top[0].token), row);
          td.tabIndex = 0;
          if (cell.rank_of_final === 0) td.classList.add("final");
          cells.push({ td, cell, map, layer: layer.layer, position });
        });
      }
      const foot = make("tr", undefined, make("tfoot", undefined, table));
      make("th", "first at", foot);
      for (const final of map.final) make("th", layerName(final.first_layer), foot);
    }

    function range(measure, lens) {
      const values = cells.filter((entry) => entry.map.lens === lens && entry.layer > 0)
        .map((entry) => measure.of(entry.cell)).filter((x) => x !== null).sort((a, b) => a - b);
      const quantile = (q) => values[Math.round(q * (values.length - 1))] ?? 0;
      return [measure.from ?? quantile(0.02), quantile(0.98)];
    }

    function shade() {
      const measure = measures[at("measure").value];
      const ranges = Object.fromEntries(data.lenses.map((lens) => [lens, range(measure, lens)]));
      for (const map of maps) {
        const ends = measure.ends ?? ranges[map.lens].map(measure.scale.text);
        if (measure.falls) ends.reverse();
        map.low.textContent = ends[0];
        map.high.textContent = ends[1];
      }
      for (const { td, cell, map } of cells) {
        const own = measure.of(cell);
        let share = 0;
        if (own !== null && measure.fixed) share = measure.fixed(own);
        else if (own !== null) {
          const [low, high] = ranges[map.lens].map(measure.scale.of);
          share = high > low ? (measure.scale.of(own) - low) / (high - low) : 1;
          share = Math.min(1, Math.max(0, share));
          if (measure.falls) share = 1 - share;
        }
        td.style.background = "color-mix(in oklab, var(--high) " + (share * 100).toFixed(1)
          + "%, var(--low))";
        td.style.color = share > 0.55 ? "var(--on-high)" : "var(--ink)";
      }
    }

    const tip = at("tip");
    function show({ td, cell, map, layer, position }) {
      for (const other of cells)
        other.td.classList.toggle(
          "same", other.layer === layer && other.position === position && maps.length > 1);
      tip.replaceChildren();
      make("strong", (layer === 0 ? "Embeddings" : "Layer " + layer) + ", after "
        + shown(map.text.tokens[position].token) + (maps.length > 1 ? ", " + map.lens : ""), tip);
      const table = make("table", undefined, tip);
      for (const top of cell.top) {
        const row = make("tr", undefined, table);
        make("td", shown(top.token), row);
        make("td", value(top).toFixed(3), row);
        make("td", percent(top.probability), row);
      }
      const note = (text) => { make("div", text, tip).className = "soft"; };
      note("final answer " + shown(map.final[position].token) + ": " + place(cell.rank_of_final) + ", "
        + percent(cell.probability_of_final));
      data.tracked.forEach(({ token }, index) => note(shown(token) + ": "
        + place(cell.tracked[index].rank) + ", " + percent(cell.tracked[index].probability)));
      note("entropy " + cell.entropy.toFixed(2) + " nats, divergence from the last layer "
        + cell.divergence.toFixed(2));
      if (cell.similarity !== null) note("similarity to the layer before "
        + cell.similarity.toFixed(3));
      tip.hidden = false;
      const box = td.getBoundingClientRect();
      const size = tip.getBoundingClientRect();
      const left = Math.min(Math.max(8, box.left), innerWidth - size.width - 8);
      const above = box.top - size.height - 8;
      tip.style.left = left + "px";
      tip.style.top = (above > 8 ? above : box.bottom + 8) + "px";
    }
    function hide() {
      tip.hidden = true;
      for (const { td } of cells) td.classList.remove("same");
    }
    for (const entry of cells) {
      entry.td.addEventListener("mouseenter", () => show(entry));
      entry.td.addEventListener("focus", () => show(entry));
      for (const event of ["mouseleave", "blur"]) entry.td.addEventListener(event, hide);
    }
    at("measure").addEventListener("change", shade);
    at("lens").addEventListener("change", () => {
      const wanted = at("lens").value;
      for (const map of maps) map.section.hidden = wanted !== "all" && map.lens !== wanted;
    });
    const page = document.documentElement;
    function theme(dark) {
      page.classList.toggle("dark", dark);
      at("theme").textContent = dark ? "Light" : "Dark";
    }
    at("theme").addEventListener("click", () => theme(!page.classList.contains("dark")));
    theme(matchMedia("(prefers-color-scheme: dark)").matches);
    shade();
    document.body.dataset.cells = cells.length;
    """#
}
