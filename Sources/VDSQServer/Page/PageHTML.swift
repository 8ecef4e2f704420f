extension Page {
  static let html = #"""
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>vdsq</title>
    <link rel="icon" href="data:,">
    <style>
    :root {
      color-scheme: light dark;
      --page: #f6f7f9; --card: #fff; --ink: #16202b; --soft: #5a6776; --line: #dbe0e6;
      --accent: #0b62c4; --on-accent: #fff; --bar: #9cc3f0; --bar-soft: #e8edf3;
      --good: #14713d; --bad: #b3261e;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --page: #11161c; --card: #1a212a; --ink: #e6ebf1; --soft: #9aa7b5; --line: #303a46;
        --accent: #69aef8; --on-accent: #08213c; --bar: #2f5f92; --bar-soft: #252e39;
        --good: #6fd29a; --bad: #ff8f86;
      }
    }
    * { box-sizing: border-box }
    body {
      margin: 0; background: var(--page); color: var(--ink);
      font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
    }
    main { max-width: 74rem; margin: 0 auto; padding: 1rem clamp(.75rem, 3vw, 2rem) 3rem }
    header {
      display: flex; flex-wrap: wrap; align-items: center; gap: .35rem 1rem; margin-bottom: 1rem;
    }
    h1 { font-size: 1.35rem; margin: 0; letter-spacing: -.01em }
    h2 { font-size: 1rem; margin: 0 0 .6rem }
    header .facts { color: var(--soft); font-size: .875rem; margin-left: auto }
    .columns {
      display: grid; gap: 1rem; align-items: start; grid-template-columns: minmax(0, 25rem) minmax(0, 1fr);
      grid-template-areas: "asker answers" "teacher answers"; grid-template-rows: auto 1fr;
    }
    #asker { grid-area: asker }
    #teacher { grid-area: teacher }
    #answers { grid-area: answers }
    @media (max-width: 56rem) {
      .columns {
        grid-template-columns: minmax(0, 1fr); grid-template-rows: none;
        grid-template-areas: "asker" "answers" "teacher";
      }
      header .facts { margin-left: 0 }
    }
    section {
      background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1rem;
    }
    label { display: block; font-size: .875rem; font-weight: 600; margin: 0 0 .25rem }
    .hint { color: var(--soft); font-size: .8125rem; font-weight: 400; margin: .25rem 0 0 }
    .field + .field { margin-top: .85rem }
    input, textarea, select {
      width: 100%; font: inherit; color: inherit; background: var(--page);
      border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .6rem;
    }
    textarea { min-height: 8rem; resize: vertical; display: block }
    input[type=checkbox] { width: auto; margin: 0 .4rem 0 0; accent-color: var(--accent) }
    .check { display: flex; align-items: center; font-weight: 400; margin: .85rem 0 0; font-size: .9375rem }
    button {
      font: inherit; font-weight: 600; border-radius: .5rem; padding: .5rem .9rem; cursor: pointer;
      border: 1px solid var(--line); background: var(--card); color: var(--ink); min-height: 2.75rem;
    }
    button.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent) }
    button.small { padding: .2rem .7rem; min-height: 2.25rem; font-size: .875rem; font-weight: 500 }
    button[aria-pressed=true] { background: var(--accent); border-color: var(--accent); color: var(--on-accent) }
    button:disabled { opacity: .55; cursor: default }
    :is(input, textarea, select, button, summary):focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
    .row { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center }
    .row > .grow { flex: 1 1 9rem; min-width: 0 }
    #status { color: var(--soft); font-size: .875rem; margin: .6rem 0 0 }
    #status.bad, .bad { color: var(--bad) }
    .answer { border-top: 1px solid var(--line); padding: .9rem 0 }
    .answer:first-child { border-top: 0; padding-top: 0 }
    .answer:last-child { padding-bottom: 0 }
    .text { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0 0 .5rem }
    .bars { display: grid; gap: .3rem; margin: 0; padding: 0; list-style: none }
    .bar {
      display: grid; grid-template-columns: minmax(0, 1fr) max-content; gap: .6rem; align-items: center;
      position: relative; padding: .15rem .6rem; border-radius: .4rem; background: var(--bar-soft);
      overflow: hidden; font-size: .9375rem;
    }
    .bar i { position: absolute; inset: 0 auto 0 0; background: var(--bar) }
    .bar span { position: relative; overflow-wrap: anywhere }
    .bar .number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
    .bar.best .name { font-weight: 700 }
    .notes { color: var(--soft); font-size: .8125rem; margin: .45rem 0 0 }
    .teach { margin-top: .6rem }
    .teach > span { color: var(--soft); font-size: .875rem }
    dl { display: grid; grid-template-columns: minmax(7rem, max-content) minmax(0, 1fr); gap: .25rem .8rem; margin: .6rem 0 0; font-size: .875rem }
    dt { color: var(--soft) }
    dd { margin: 0; overflow-wrap: anywhere }
    @media (max-width: 30rem) {
      dl { grid-template-columns: minmax(0, 1fr); gap: 0 }
      dd { margin-bottom: .35rem }
    }
    .empty { color: var(--soft); margin: 0 }
    .examples { margin: .5rem 0 0; padding: 0; list-style: none; font-size: .875rem; max-height: 16rem; overflow: auto }
    .examples li { padding: .3rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere }
    .examples b { margin-right: .4rem }
    details > summary { cursor: pointer; font-weight: 600; font-size: .9375rem; padding: .3rem 0 }
    [hidden] { display: none !important }
    </style>
    </head>
    <body>
    <main>
    <header>
      <h1>vdsq</h1>
      <span id="facts" class="facts">connecting</span>
    </header>
    <section id="locked" hidden>
      <h2>This server needs a key</h2>
      <form id="unlock" class="row">
        <input id="key" class="grow" type="password" autocomplete="off" aria-label="Key">
        <button class="primary">Use the key</button>
      </form>
    </section>
    <div id="work" class="columns">
        <section id="asker" aria-labelledby="ask">
          <h2 id="ask">Classify</h2>
          <form id="form">
            <div class="field" id="model-field" hidden>
              <label for="model">Model</label>
              <select id="model"></select>
            </div>
            <div class="field">
              <label for="texts">Texts</label>
              <textarea id="texts" placeholder="I was charged twice.&#10;The server is down." spellcheck="false"></textarea>
              <p class="hint">One text per line.</p>
            </div>
            <div class="field">
              <label for="by">By</label>
              <select id="by"></select>
            </div>
            <div class="field" id="labels-field">
              <label for="labels">Labels</label>
              <input id="labels" value="billing, outage, spam" autocomplete="off" spellcheck="false">
              <p class="hint">Commas between labels. With words: billing=invoice,credit card; outage=server down</p>
            </div>
            <label class="check"><input type="checkbox" id="explain">Explain each answer</label>
            <div class="row" style="margin-top: .9rem">
              <button class="primary" id="go">Classify</button>
              <span id="latency" class="hint" style="margin: 0"></span>
            </div>
            <p id="status" role="status" aria-live="polite"></p>
          </form>
        </section>
        <section id="teacher" aria-labelledby="teaching">
          <h2 id="teaching">Teach</h2>
          <div id="no-adapter">
            <p class="empty" id="teach-hint">Start an adapter with the labels above. Then click the right label under an answer: the adapter learns it at once.</p>
            <form id="start" class="row" style="margin-top: .7rem">
              <input id="name" class="grow" placeholder="tickets" aria-label="Name of the adapter" autocomplete="off" spellcheck="false">
              <button>Start an adapter</button>
            </form>
          </div>
          <div id="has-adapter" hidden>
            <p class="empty"><b id="adapter-name"></b> <span id="adapter-count"></span></p>
            <div class="row" style="margin-top: .7rem">
              <input id="new-label" class="grow" placeholder="another label" aria-label="Another label" autocomplete="off" spellcheck="false">
              <button id="undo" class="small" type="button">Undo</button>
              <button id="remove" class="small" type="button">Delete</button>
            </div>
            <p class="hint">A label that you write here can be clicked under the answers.</p>
            <ul id="taught" class="examples"></ul>
          </div>
          <details style="margin-top: .7rem" id="paste">
            <summary>Train on many examples</summary>
            <label for="examples" style="margin-top: .5rem">Examples</label>
            <textarea id="examples" placeholder="billing&#9;I was charged twice.&#10;outage&#9;Nothing loads any more." spellcheck="false"></textarea>
            <p class="hint">A label, a tab or a colon, and a text in each line. They replace what the adapter knows.</p>
            <button id="train" type="button" style="margin-top: .5rem">Train</button>
          </details>
        </section>
        <section id="answers" aria-labelledby="answering">
          <h2 id="answering">Answers</h2>
          <div id="out"><p class="empty">Nothing has been classified yet.</p></div>
        </section>
    </div>
    </main>
    <script>
    "use strict";
    const $ = id => document.getElementById(id);
    let info = null, adapters = [], results = [], texts = [], busy = false, key = "";
    const taught = {};
    try { key = sessionStorage.getItem("key") || ""; } catch {}

    async function ask(path, body, method) {
      const headers = {};
      if (key) headers.authorization = "Bearer " + key;
      if (body !== undefined) headers["content-type"] = "application/json";
      const answer = await fetch(path, {
        method: method || (body === undefined ? "GET" : "POST"), headers,
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      const json = await answer.json();
      if (answer.status === 401) { $("locked").hidden = false; $("work").hidden = true; }
      if (!answer.ok) throw new Error(json.error || answer.statusText);
      return json;
    }

    function say(text, bad) {
      $("status").textContent = text;
      $("status").className = bad ? "bad" : "";
    }

    function element(name, text, className) {
      const made = document.createElement(name);
      if (text !== undefined) made.textContent = text;
      if (className) made.className = className;
      return made;
    }

    function labelsOf(text) {
      const words = text.includes("="), labels = {};
      for (const part of text.split(words ? ";" : ",")) {
        if (!part.trim()) continue;
        const [name, list] = part.split("=");
        labels[name.trim()] = (list || "").split(",").map(word => word.trim()).filter(word => word);
      }
      return labels;
    }

    function model() { return info.models.find(one => one.id === $("model").value) || info.models[0]; }

    function adapter() { return adapters.find(one => "adapter:" + one.name === $("by").value); }

    function labels() {
      const chosen = adapter();
      return chosen ? chosen.labels : Object.keys(labelsOf($("labels").value));
    }

    function showChoices(wanted) {
      const by = $("by"), before = wanted || by.value;
      by.replaceChildren();
      const add = (value, text) => by.append(new Option(text, value));
      add("labels", "labels that I write");
      if (model().labels.length) add("own", "the model's own head");
      for (const one of adapters) {
        if (one.model === model().id) add("adapter:" + one.name, "adapter " + one.name);
      }
      by.value = before;
      if (!by.value) by.value = "labels";
      showState();
    }

    function showState() {
      const chosen = adapter();
      $("labels-field").hidden = $("by").value !== "labels";
      const changeable = chosen && chosen.changeable;
      $("no-adapter").hidden = Boolean(changeable);
      $("has-adapter").hidden = !changeable;
      $("teach-hint").textContent = !info.keeps_adapters
        ? "This server keeps no adapters; start it with --state-directory to teach it."
        : chosen ? "This adapter belongs to the server, and cannot be taught. Start another one."
        : "Start an adapter with the labels above. Then click the right label under an answer: the adapter learns it at once.";
      for (const one of [$("start"), $("paste")]) one.hidden = !info.keeps_adapters;
      if (!changeable) return;
      $("adapter-name").textContent = chosen.name;
      const mine = taught[chosen.name] || [];
      $("adapter-count").textContent = "– " + chosen.labels.join(", ");
      $("taught").replaceChildren(...mine.slice().reverse().map(example => {
        const item = element("li");
        item.append(element("b", example.label), example.text);
        return item;
      }));
    }

    async function load(wanted) {
      info = await ask("/info");
      adapters = (await ask("/adapters")).adapters;
      $("locked").hidden = true;
      $("work").hidden = false;
      const chosen = $("model").value;
      $("model").replaceChildren(...info.models.map(one => new Option(one.id, one.id)));
      if (chosen) $("model").value = chosen;
      $("model-field").hidden = info.models.length < 2;
      const one = model();
      $("facts").textContent = `${one.id} · ${info.model_dtype} · ${one.dimensions} dimensions · ${one.max_input_length} tokens · ${info.version}`;
      showChoices(wanted);
    }

    async function classify() {
      texts = $("texts").value.split("\n").filter(line => line.trim());
      if (!texts.length) { say("Write a text first.", true); return; }
      const body = { inputs: texts, model: model().id, top: 8 };
      const by = $("by").value;
      if (by === "labels") {
        const own = labelsOf($("labels").value);
        body.labels = Object.values(own).some(words => words.length) ? own : Object.keys(own);
      } else if (by !== "own") body.adapter = adapter().name;
      if ($("explain").checked && by !== "own") {
        body.explain = true;
        say("The first explanation reads the whole vocabulary, which takes some seconds.");
      } else say("");
      const start = performance.now();
      const answer = await ask("/classify", body);
      const whole = performance.now() - start;
      results = answer.results;
      $("latency").textContent = `${answer.milliseconds.toFixed(1)} ms in the server, ${whole.toFixed(0)} ms with the way`;
      say("");
      show();
    }

    function bars(result) {
      const list = element("ul", undefined, "bars");
      const rows = result.candidates || [{ label: result.label, probability: result.probability }];
      rows.forEach((row, place) => {
        const bar = element("li", undefined, "bar" + (place || result.abstained ? "" : " best"));
        const fill = element("i");
        fill.style.width = (100 * Math.min(1, Math.max(0, row.probability))) + "%";
        bar.append(fill, element("span", row.label, "name"),
          element("span", (100 * row.probability).toFixed(1) + " %", "number"));
        list.append(bar);
      });
      return list;
    }

    function explanation(found) {
      const list = element("dl");
      const row = (title, words) => {
        if (!words || !words.length) return;
        list.append(element("dt", title), element("dd", words.map(word => word.token).join(", ")));
      };
      row("the text is near", found.text);
      row("the label is near", found.label);
      row("both are near", found.shared);
      if (found.examples) {
        const { toward_label: to, away_label: from } = found.examples;
        row(to ? "examples pull to " + to : "examples pull to", found.examples.toward);
        row(from ? "and away from " + from : "and away from", found.examples.away);
      }
      list.append(element("dt", "by words alone"), element("dd",
        found.by_words.map(one => `${one.label} ${(100 * one.probability).toFixed(1)} %`).join(", ")));
      return list;
    }

    function show() {
      const chosen = adapter(), teachable = chosen && chosen.changeable;
      const extra = $("new-label").value.trim();
      $("out").replaceChildren(...results.map((result, index) => {
        const box = element("article", undefined, "answer");
        box.append(element("p", texts[index], "text"), bars(result));
        const notes = [];
        if (result.labels) notes.push("labels: " + (result.labels.join(", ") || "none"));
        else if (result.abstained) notes.push("there is nothing to read");
        notes.push(result.tokens + " tokens");
        if (result.truncated) notes.push("the end of the text was cut");
        box.append(element("p", notes.join(" · "), "notes"));
        if (result.explanation) box.append(explanation(result.explanation));
        if (teachable && !result.labels) {
          const teach = element("div", undefined, "row teach");
          teach.append(element("span", "This is"));
          const names = chosen.labels.slice();
          if (extra && !names.includes(extra)) names.push(extra);
          for (const name of names) {
            const button = element("button", name, "small");
            button.type = "button";
            const known = (taught[chosen.name] || []).some(one => one.text === texts[index] && one.label === name);
            button.setAttribute("aria-pressed", known);
            button.onclick = () => act(() => learn(chosen, texts[index], name));
            teach.append(button);
          }
          box.append(teach);
        }
        return box;
      }));
    }

    async function learn(chosen, text, label) {
      const answer = await ask("/adapters/" + chosen.name, { text, label, add_label: true });
      (taught[chosen.name] = taught[chosen.name] || []).push({ text, label });
      chosen.labels = answer.labels;
      await classify();
      showState();
      say(`Learned; ${chosen.name} knows ${answer.examples} example${answer.examples === 1 ? "" : "s"}. It had said ${answer.predicted} with ${(100 * answer.probability).toFixed(1)} %.`);
    }

    async function act(body) {
      if (busy) return;
      busy = true;
      for (const one of document.querySelectorAll("button")) one.disabled = true;
      try { await body(); } catch (error) { say(error.message, true); }
      busy = false;
      for (const one of document.querySelectorAll("button")) one.disabled = false;
    }

    function nameOf() {
      const chosen = adapter();
      return chosen && chosen.changeable ? chosen.name : $("name").value.trim() || "tickets";
    }

    $("form").onsubmit = event => { event.preventDefault(); act(classify); };
    $("by").onchange = () => { results = []; showState(); $("out").replaceChildren(element("p", "Nothing has been classified yet.", "empty")); };
    $("model").onchange = () => act(() => load());
    $("new-label").oninput = show;
    $("texts").onkeydown = event => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); act(classify); }
    };
    $("start").onsubmit = event => {
      event.preventDefault();
      act(async () => {
        const name = nameOf();
        if (adapters.some(one => one.name === name)) throw new Error(`There is an adapter ${name} already; choose it, or another name.`);
        await ask("/adapters/" + encodeURIComponent(name), { model: model().id, labels: labelsOf($("labels").value) }, "PUT");
        await load("adapter:" + name);
        if ($("texts").value.trim()) await classify();
        say(`Started ${name}. Click the right label under an answer.`);
      });
    };
    $("train").onclick = () => act(async () => {
      const examples = [];
      for (const line of $("examples").value.split("\n")) {
        if (!line.trim()) continue;
        const parts = /^\s*([^\t:]+)[\t:]\s*(.*)$/.exec(line);
        if (!parts || !parts[2].trim()) throw new Error("An example is a label, a tab or a colon, and a text: " + line);
        examples.push({ label: parts[1].trim(), text: parts[2] });
      }
      if (!examples.length) throw new Error("Write examples first.");
      const name = nameOf();
      say("Training …");
      await ask("/adapters/" + encodeURIComponent(name), { model: model().id, examples }, "PUT");
      taught[name] = examples.map(one => ({ text: one.text, label: one.label }));
      await load("adapter:" + name);
      if ($("texts").value.trim()) await classify();
      say(`Trained ${name} on ${examples.length} examples.`);
    });
    $("undo").onclick = () => act(async () => {
      const chosen = adapter();
      const answer = await ask("/adapters/" + chosen.name, { undo: true });
      (taught[chosen.name] || []).pop();
      chosen.labels = answer.labels;
      if (results.length) await classify();
      showState();
      say(`Took an example of ${answer.undone} back.`);
    });
    $("remove").onclick = () => act(async () => {
      const chosen = adapter();
      await ask("/adapters/" + chosen.name, undefined, "DELETE");
      delete taught[chosen.name];
      results = [];
      await load("labels");
      show();
      say(`Deleted ${chosen.name}.`);
    });
    $("unlock").onsubmit = event => {
      event.preventDefault();
      key = $("key").value;
      try { sessionStorage.setItem("key", key); } catch {}
      load().catch(error => say(error.message, true));
    };
    load().then(() => { document.body.dataset.ready = "yes"; }, error => {
      $("facts").textContent = error.message;
    });
    </script>
    </body>
    </html>
    """#
}
