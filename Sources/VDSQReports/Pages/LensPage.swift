/// A self-contained page that shows lenses as heat maps: layers upwards, tokens to the right. Each
/// cell shows its first token. There is a map for each text and view.
package struct LensPage: Page {
  let report: LensReport

  package init(_ report: LensReport) { self.report = report }

  package var html: String {
    // The text of a script ends at the first end tag, even inside a string.
    let data = report.json.replacing("<", with: "\\u003c")
    let name = report.texts[0].replacing("&", with: "&amp;").replacing("<", with: "&lt;")
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
      <label>Shade by <select id="measure"></select></label>
      <label id="choice">Lens <select id="lens"></select></label>
      <span class="key"><span class="swatch"></span> the last layer's answer</span>
      <button id="theme" type="button">Dark</button>
      </div>
      <main id="maps"></main>
      <div id="tip" role="tooltip" hidden></div>
      <script type="application/json" id="data">\(data)</script>
      <script>\(LensPageScript.text)</script>
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
    h1, h2 { font-weight: 600; white-space: pre-wrap; overflow-wrap: anywhere; }
    h1 { font-size: 1.25rem; margin: 0 0 .25rem; }
    h2 { font-size: 1rem; margin: 0; }
    p { margin: 0 0 1rem; color: var(--soft); }
    #controls { display: flex; flex-wrap: wrap; gap: .6rem 1.4rem; align-items: center;
      margin-bottom: .8rem; color: var(--soft); }
    select, button { font: inherit; color: var(--ink); background: var(--panel); max-width: 100%;
      border: 1px solid var(--line); border-radius: 6px; padding: .2rem .55rem; }
    .legend { display: inline-flex; align-items: center; gap: .4rem; color: var(--soft);
      font-size: 13px; font-variant-numeric: tabular-nums; }
    .ramp { width: 6rem; height: .8rem; border-radius: 3px; border: 1px solid var(--line);
      background: linear-gradient(to right in oklab, var(--low), var(--high)); }
    .swatch { display: inline-block; width: 1.1rem; height: .8rem; vertical-align: -.05rem;
      border: 2px solid var(--mark); border-radius: 3px; }
    #maps { display: flex; flex-wrap: wrap; gap: 1.2rem; align-items: flex-start; }
    section { flex: 1 1 30rem; min-width: 0; max-width: 100%; width: min-content; }
    section[hidden] { display: none; }
    section header { display: flex; flex-wrap: wrap; gap: .2rem 1rem; align-items: baseline;
      justify-content: space-between; margin-bottom: .35rem; }
    .scroll { overflow: auto; max-height: 82vh; border: 1px solid var(--line); border-radius: 8px; }
    table { border-collapse: separate; border-spacing: 2px; padding: 2px; }
    th { font-weight: 500; color: var(--soft); padding: .15rem .5rem; white-space: pre;
      background: var(--page); position: sticky; }
    thead th { top: 0; z-index: 2; max-width: 9rem; overflow: hidden; text-overflow: ellipsis; }
    tbody th { left: 0; z-index: 1; text-align: right; font-variant-numeric: tabular-nums; }
    thead th:first-child { left: 0; z-index: 3; }
    tfoot th { bottom: 0; z-index: 2; color: var(--ink); border-top: 1px solid var(--line); }
    tfoot th:first-child { left: 0; z-index: 3; color: var(--soft); }
    td { min-width: 4.2rem; max-width: 9rem; height: 1.7rem; padding: 0 .45rem; border-radius: 4px;
      text-align: center; white-space: pre; overflow: hidden; text-overflow: ellipsis; cursor: default;
      border: 2px solid transparent; font-family: ui-monospace, monospace; font-size: 13px; }
    td.final { border-color: var(--mark); }
    td.same { outline: 2px solid var(--ink); outline-offset: -1px; }
    td:focus-visible { outline: 2px solid var(--ink); outline-offset: 1px; }
    #tip { position: fixed; z-index: 10; pointer-events: none; background: var(--panel);
      color: var(--ink); border: 1px solid var(--line); border-radius: 8px; padding: .6rem .75rem;
      box-shadow: 0 6px 24px rgb(0 0 0 / .25); font-size: 13px; max-width: 26rem; }
    #tip table { border-spacing: 0; padding: 0; margin: .3rem 0; }
    #tip td { all: unset; display: table-cell; padding: .05rem .7rem .05rem 0; white-space: pre;
      font-family: ui-monospace, monospace; }
    #tip td + td { text-align: right; font-variant-numeric: tabular-nums; }
    #tip .soft { color: var(--soft); font-variant-numeric: tabular-nums; }
    @media (max-width: 600px) {
      body { padding: .75rem; }
      #controls { gap: .5rem .8rem; font-size: 14px; }
      section { flex-basis: 100%; }
      .scroll { max-height: 74vh; }
      th { padding: .1rem .3rem; font-size: 12px; }
      thead th { max-width: 6rem; }
      td { min-width: 2.9rem; max-width: 6rem; padding: 0 .2rem; font-size: 12px; height: 1.6rem; }
      #tip { left: 8px !important; right: 8px; top: auto !important; bottom: 8px; max-width: none; }
    }
    """
}
