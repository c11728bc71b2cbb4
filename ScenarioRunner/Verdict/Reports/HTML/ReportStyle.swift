/// The style of all offline pages. Colour is kept for meaning: slate is before, vermilion is fault, green is after.
enum ReportStyle {
    static let text = ground + parts + charts + media

    private static let ground = """
        :root {
          color-scheme: light dark;
          --paper: #f5f4f0; --surface: #fff; --sunken: #f3f2ed; --ink: #1b1f24; --soft: #565e69; --rule: #dedcd5; --control: #80848b;
          --baseline: #4a6a8f; --fault: #c2410c; --recovery: #1d7a50; --warm_up: #666b73; --caution: #8a5a00;
          --held: #1d7a50; --deviated: #c2410c; --aborted: #8a5a00; --invalid: #5f6672;
          --ok: #b7cce6; --declined: #cdbdec; --client_errors: #e3b25a; --server_errors: #d9480f; --timed_out: #8f2d56; --connection_failed: #6b4f3a; --dropped: #9aa0a8;
          --p50: #1f5fbf; --p95: #7a4fc4; --p99: #b0357c; --a: #1f5fbf; --b: #c2410c;
          --tint: .1; --shadow: 0 1px 2px rgb(30 28 20/5%), 0 8px 24px -16px rgb(30 28 20/18%);
          --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
          --mono: ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --paper: #101317; --surface: #181c22; --sunken: #20252c; --ink: #e9ebee; --soft: #a2abb7; --rule: #2b323b; --control: #78828f;
            --baseline: #8eb0d8; --fault: #ff8a5c; --recovery: #5fcf98; --warm_up: #8b95a3; --caution: #e5b04c;
            --held: #5fcf98; --deviated: #ff8a5c; --aborted: #e5b04c; --invalid: #a2abb7;
            --ok: #3d5f87; --declined: #6f5c9c; --client_errors: #c9963c; --server_errors: #ff7a45; --timed_out: #d4679a; --connection_failed: #b08968; --dropped: #6d7580;
            --p50: #7eb0ff; --p95: #c3a2ff; --p99: #ff9dcb; --a: #7eb0ff; --b: #ff8a5c;
            --tint: .13; --shadow: none;
          }
        }
        *, ::before, ::after { box-sizing: border-box; }
        body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.55 var(--sans); -webkit-text-size-adjust: 100%; }
        h1, h2, h3, p, ul, ol, dl, dd, figure, pre { margin: 0; padding: 0; }
        ul { list-style: none; }
        main { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1.25rem; max-width: 76rem; margin: auto; padding: clamp(.75rem, 2.5vw, 2rem); }
        section, header, details { min-width: 0; }
        .panel, details { padding: clamp(1rem, 2.4vw, 1.6rem); border: 1px solid var(--rule); border-radius: 14px; background: var(--surface); box-shadow: var(--shadow); }
        h1 { font-size: clamp(1.5rem, 1.1rem + 2vw, 2.25rem); line-height: 1.15; letter-spacing: -.025em; font-weight: 680; overflow-wrap: anywhere; }
        h2 { font-size: 1.1875rem; font-weight: 650; letter-spacing: -.015em; margin-bottom: .9rem; }
        h3 { font-size: .9375rem; font-weight: 600; }
        .keys + h3, .reasons + h3 { margin: 1.6rem 0 .5rem; }
        .soft { color: var(--soft); font-size: .875rem; }
        .number, td, dd { font-variant-numeric: tabular-nums; }
        code, pre { font: .8125rem/1.5 var(--mono); }
        :focus-visible { outline: 2px solid var(--p50); outline-offset: 2px; border-radius: 4px; }
        footer { color: var(--soft); font-size: .8125rem; text-align: center; padding: .5rem 0 1.5rem; }
        a { color: inherit; }

        """

    private static let parts = """
        .hero { padding: clamp(1.1rem, 3vw, 2.2rem); border-top: 5px solid var(--verdict); }
        [data-verdict=held] { --verdict: var(--held); } [data-verdict=deviated] { --verdict: var(--deviated); }
        [data-verdict=aborted] { --verdict: var(--aborted); } [data-verdict=invalid] { --verdict: var(--invalid); }
        [data-verdict=not_tested] { --verdict: var(--invalid); }
        .badge { display: inline-flex; align-items: center; gap: .5em; padding: .22em .85em; border-radius: 99px; background: var(--verdict); color: var(--surface); font-weight: 650; letter-spacing: .01em; text-transform: capitalize; }
        .badge.small { font-size: .8125rem; padding: .08em .7em; }
        .badge.plain { background: none; color: var(--verdict); border: 1.5px solid var(--verdict); }
        .hero .badge { font-size: 1.0625rem; margin-bottom: 1rem; }
        .lead { margin-top: .5rem; max-width: 60rem; font-size: 1.0625rem; overflow-wrap: anywhere; }
        .reasons { margin-top: 1rem; display: grid; gap: .35rem; max-width: 60rem; }
        .reasons li { padding-left: 1.15rem; position: relative; overflow-wrap: anywhere; }
        .reasons li::before { content: ""; position: absolute; left: 0; top: .58em; width: .45rem; height: .45rem; border-radius: 50%; background: var(--verdict); }
        .meta { margin-top: 1.1rem; display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; overflow-wrap: anywhere; }
        .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 11.5rem), 1fr)); gap: 1px; border: 1px solid var(--rule); border-radius: 14px; overflow: hidden; background: var(--rule); box-shadow: var(--shadow); }
        .tile { padding: 1rem 1.25rem 1.1rem; background: var(--surface); }
        .tile dt { color: var(--soft); font-size: .875rem; }
        .tile .number { font-size: 1.75rem; line-height: 1.25; font-weight: 620; letter-spacing: -.025em; }
        .tile .number[data-tone=bad] { color: var(--deviated); } .tile .number[data-tone=good] { color: var(--held); }
        .tile .soft { display: block; }
        .wide { overflow-x: auto; max-width: 100%; }
        table { border-collapse: collapse; width: 100%; }
        th, td { padding: .5rem .75rem; border-bottom: 1px solid var(--rule); text-align: right; vertical-align: baseline; white-space: nowrap; }
        tr > :first-child { padding-left: 0; text-align: left; } tr > :last-child { padding-right: 0; }
        tbody tr:last-child > * { border-bottom: 0; }
        thead th { color: var(--soft); font-size: .8125rem; font-weight: 600; vertical-align: bottom; }
        tbody th { font-weight: 500; }
        th[data-phase] { color: var(--phase); }
        .text td, .text th { text-align: left; white-space: normal; }
        .text td { overflow-wrap: anywhere; }
        .events td:nth-child(-n+2) { white-space: nowrap; } .events td:nth-child(3) { min-width: 7rem; }
        .effect { font-weight: 600; } .effect .soft, td .soft { font-weight: 400; }
        .none { color: var(--soft); }
        .facts { display: grid; grid-template-columns: minmax(7rem, max-content) minmax(0, 1fr); gap: .45rem 1.5rem; }
        .facts dt { color: var(--soft); } .facts dd { overflow-wrap: anywhere; }
        .columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 25rem), 1fr)); gap: 1.25rem; }
        .outcome { font-weight: 600; } .outcome[data-outcome=held] { color: var(--held); } .outcome[data-outcome=failed] { color: var(--deviated); } .outcome[data-outcome=unknown] { color: var(--soft); }
        .note { margin-top: .9rem; max-width: 60rem; color: var(--soft); font-size: .875rem; }
        summary { cursor: pointer; font-size: 1.0625rem; font-weight: 650; letter-spacing: -.01em; }
        details[open] > summary { margin-bottom: 1rem; }
        details details { padding: .6rem .8rem; box-shadow: none; background: var(--sunken); }
        details details summary { font-size: .9375rem; font-weight: 550; }
        details h3 { margin: 1.4rem 0 .5rem; }
        pre { padding: .9rem 1rem; border-radius: 8px; background: var(--sunken); overflow-x: auto; }
        .gauge { display: block; width: 100%; margin: .2rem 0 1rem; overflow: visible; }

        """

    private static let charts = """
        [data-phase=warm_up] { --phase: var(--warm_up); } [data-phase=baseline] { --phase: var(--baseline); }
        [data-phase=fault] { --phase: var(--fault); } [data-phase=recovery] { --phase: var(--recovery); }
        .charts { display: grid; gap: 1.75rem; }
        figcaption { display: flex; flex-wrap: wrap; align-items: baseline; gap: .1rem .8rem; margin-bottom: .35rem; }
        .keys { display: flex; flex-wrap: wrap; gap: .1rem 1rem; font-size: .8125rem; color: var(--soft); }
        figcaption .keys { margin-left: auto; }
        .key { display: flex; align-items: center; gap: .4rem; }
        .key::before { content: ""; flex: none; width: .8rem; height: .8rem; border-radius: 3px; background: var(--key); }
        [data-key=ok] { --key: var(--ok); } [data-key=declined] { --key: var(--declined); } [data-key=client_errors] { --key: var(--client_errors); }
        [data-key=server_errors] { --key: var(--server_errors); } [data-key=timed_out] { --key: var(--timed_out); }
        [data-key=connection_failed] { --key: var(--connection_failed); } [data-key=dropped] { --key: var(--dropped); }
        [data-key=p50] { --key: var(--p50); } [data-key=p95] { --key: var(--p95); } [data-key=p99] { --key: var(--p99); }
        [data-key=success] { --key: var(--p50); } [data-key=pending] { --key: var(--p95); } [data-key=outbox] { --key: var(--p50); }
        [data-key=a] { --key: var(--a); } [data-key=b] { --key: var(--b); } [data-key=broken] { --key: var(--fault); }
        .key[data-key=offered]::before { height: 0; border-top: 2px solid var(--ink); background: none; border-radius: 0; }
        .key[data-key=p50]::before, .key[data-key=p95]::before, .key[data-key=p99]::before, .key[data-key=a]::before, .key[data-key=b]::before,
        .key[data-key=pending]::before, .key[data-key=outbox]::before { height: 3px; border-radius: 2px; }
        .plot { display: grid; grid-template-columns: 56px minmax(0, 1fr); padding-right: 8px; }
        .plot svg { display: block; overflow: visible; font: 11.5px var(--sans); }
        .plot .canvas > svg { overflow: hidden; }
        .tick { fill: var(--soft); font-variant-numeric: tabular-nums; }
        .part { fill: var(--phase); font-weight: 600; }
        .band { fill: var(--phase); fill-opacity: var(--tint); }
        .grid { fill: none; stroke: var(--rule); vector-effect: non-scaling-stroke; }
        .mark { fill: none; stroke: var(--ink); stroke-opacity: .55; stroke-dasharray: 2 4; vector-effect: non-scaling-stroke; }
        .mark-label { fill: var(--ink); font-size: 10.5px; font-weight: 600; paint-order: stroke; stroke: var(--surface); stroke-width: 3px; }
        .stack { fill: var(--key); stroke: var(--surface); stroke-width: .6; vector-effect: non-scaling-stroke; }
        .offered { fill: none; stroke: var(--ink); stroke-width: 1.4; vector-effect: non-scaling-stroke; }
        .line { fill: none; stroke: var(--key); stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; vector-effect: non-scaling-stroke; }
        .lack { fill: var(--fault); fill-opacity: .24; }
        .cursor { stroke: var(--ink); stroke-width: 1; pointer-events: none; }
        .reading { min-height: 1.4em; padding-left: 56px; font-size: .8125rem; color: var(--soft); font-variant-numeric: tabular-nums; }
        .topology { display: block; max-width: none; margin: auto; font: 13px var(--sans); }
        .topology text { fill: var(--ink); }
        .box { fill: var(--surface); stroke: var(--control); stroke-width: 1.2; }
        .service { font-weight: 650; }
        .replica rect { fill: var(--sunken); } .replica[data-broken] rect { fill: var(--fault); fill-opacity: .16; stroke: var(--fault); }
        .wire { fill: none; stroke: var(--control); stroke-width: 1.6; } .head { fill: var(--control); }
        .break { fill: none; stroke: var(--fault); stroke-width: 2; stroke-dasharray: 7 5; }
        .cross circle { fill: var(--surface); stroke: var(--fault); stroke-width: 1.5; } .cross path { fill: none; stroke: var(--fault); stroke-width: 2; stroke-linecap: round; }
        .gauge .track { stroke: var(--rule); stroke-width: 6; stroke-linecap: round; } .gauge .interval { stroke: var(--fault); stroke-opacity: .35; stroke-width: 12; }
        .gauge .asked { stroke: var(--ink); stroke-width: 2; } .gauge .delivered { fill: var(--fault); } .gauge text { fill: var(--soft); font: 11.5px var(--sans); }

        """

    private static let media = """
        @media (max-width: 40rem) {
          .minor { display: none; } figcaption .keys { margin-left: 0; }
          .facts { grid-template-columns: minmax(0, 1fr); gap: 0; } .facts dd { margin-bottom: .6rem; }
          .plot { grid-template-columns: 50px minmax(0, 1fr); } .scale { margin-left: -6px; }
          th, td { padding: .45rem .5rem; }
          .events td:nth-child(3) { min-width: 5.2rem; } .events { font-size: .8125rem; }
        }
        @media print {
          :root { --paper: #fff; --shadow: none; }
          @page { margin: 14mm; }
          body { font-size: 10pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
          main { max-width: none; padding: 0; gap: .75rem; }
          .panel, details, .tiles, figure, tr { break-inside: avoid; } details[open] { break-inside: auto; }
          .wide { overflow: visible; } .topology { width: 100%; height: auto; } .reading { display: none; }
        }
        @media (prefers-reduced-motion: no-preference) { .charts { scroll-behavior: smooth; } }

        """
}
