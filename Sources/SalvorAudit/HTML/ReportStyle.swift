/// The report's style sheet: light and dark by the reader's setting, black on white on paper. Colours keep a contrast
/// of at least 4.5 to 1 (WCAG AA) and never say anything that the words beside them do not.
let reportStyle: StaticString = """
    <style>
    :root {
      color-scheme: light dark;
      --page: #f5f6f8; --card: #ffffff; --ink: #17202b; --soft: #566272; --line: #d9dee5; --accent: #1f5fa8;
      --good: #11663a; --good-bg: #e2f4e9; --bad: #a1221a; --bad-bg: #fce8e6;
      --caution: #7a4b00; --caution-bg: #fdf0d5; --neutral: #3b4a5c; --neutral-bg: #e8ecf1;
      --mono: ui-monospace, "Cascadia Mono", "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --page: #10151b; --card: #18202a; --ink: #e6ebf1; --soft: #9dabbb; --line: #2d3947; --accent: #82b6f2;
        --good: #7fd8a4; --good-bg: #14372a; --bad: #ffa8a0; --bad-bg: #45201f;
        --caution: #f2c777; --caution-bg: #3f3018; --neutral: #c3cedb; --neutral-bg: #2a3543;
      }
    }
    * { box-sizing: border-box; }
    html { background: var(--page); -webkit-text-size-adjust: 100%; }
    body {
      margin: 0; color: var(--ink); line-height: 1.55; font-size: 16px;
      font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
    }
    main, footer { max-width: 64rem; margin: 0 auto; padding: 0 1.5rem; }
    main { padding-top: 3rem; }
    footer { padding-top: 1rem; padding-bottom: 3rem; color: var(--soft); font-size: .875rem; }
    h1, h2, h3, h4 { line-height: 1.25; text-wrap: balance; overflow-wrap: anywhere; }
    h1 { font-size: 2.25rem; letter-spacing: -.02em; margin: .25rem 0 .75rem; }
    h2 { font-size: 1.375rem; margin: 0 0 1rem; }
    h3 { font-size: 1rem; margin: 1.75rem 0 .75rem; }
    p { margin: 0 0 .75rem; max-width: 46rem; overflow-wrap: anywhere; }
    a { color: var(--accent); text-underline-offset: .15em; }
    a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 2px; }
    .eyebrow { color: var(--soft); font-weight: 600; margin: 0; }
    .lead { font-size: 1.0625rem; color: var(--soft); }
    .proof { padding: .75rem 1rem; border-radius: .5rem; max-width: none; margin: 1.25rem 0 2rem; }
    .proof.good { background: var(--good-bg); color: var(--good); }
    .proof.bad { background: var(--bad-bg); color: var(--bad); border: 2px solid currentColor; }
    section { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1.5rem; margin: 0 0 1.5rem; }
    .figures { display: flex; flex-wrap: wrap; gap: 1rem 2.5rem; list-style: none; margin: 0 0 1.5rem; padding: 0; }
    .figures .value { display: block; font-size: 2rem; font-weight: 650; line-height: 1.1; font-variant-numeric: tabular-nums; }
    .figures .label { color: var(--soft); font-size: .875rem; }
    .scroll { overflow-x: auto; }
    table { width: 100%; border-collapse: collapse; font-size: .9375rem; }
    th, td { text-align: left; vertical-align: top; padding: .625rem 1rem .625rem 0; border-top: 1px solid var(--line); overflow-wrap: break-word; }
    thead th { border-top: 0; color: var(--soft); font-size: .8125rem; font-weight: 600; white-space: nowrap; }
    tbody th { font-weight: 600; }
    th:last-child, td:last-child { padding-right: 0; }
    .badge { display: inline-block; padding: .125rem .5rem; border-radius: .375rem; font-size: .8125rem; font-weight: 650; white-space: nowrap; vertical-align: .08em; }
    .good { background: var(--good-bg); color: var(--good); }
    .bad { background: var(--bad-bg); color: var(--bad); }
    .caution { background: var(--caution-bg); color: var(--caution); }
    .neutral { background: var(--neutral-bg); color: var(--neutral); }
    .callout { border-left: 3px solid var(--accent); padding: .125rem 0 .125rem 1rem; margin: 1rem 0 0; }
    .callout h3 { margin-top: 0; }
    .callout p:last-child { margin-bottom: 0; }
    code, pre { font-family: var(--mono); font-size: .8125rem; overflow-wrap: anywhere; }
    pre { white-space: pre-wrap; background: var(--page); border: 1px solid var(--line); border-radius: .5rem; padding: .75rem 1rem; margin: 0 0 .75rem; }
    .facts { margin: 0 0 1rem; font-size: .9375rem; }
    .facts > div { display: grid; grid-template-columns: 11rem 1fr; gap: 0 1rem; padding: .3125rem 0; }
    .facts dt { color: var(--soft); overflow-wrap: anywhere; }
    .facts dd { margin: 0; overflow-wrap: anywhere; min-width: 0; }
    .file { border: 1px solid var(--line); border-radius: .5rem; padding: 1rem 1.25rem .25rem; margin: 0 0 1rem; }
    .file h4 { margin: 0 0 .5rem; font-size: 1rem; }
    .file h4 code { font-size: .875rem; }
    time { font-variant-numeric: tabular-nums; }
    .actions { list-style: none; margin: 0; padding: 0; font-size: .9375rem; }
    .actions li { display: grid; grid-template-columns: 15.5rem 1fr; gap: 0 1rem; padding: .3125rem 0; }
    .actions time, .timeline time { color: var(--soft); white-space: nowrap; }
    .actions span { overflow-wrap: anywhere; min-width: 0; }
    .timeline td, .timeline th { padding-top: .4375rem; padding-bottom: .4375rem; }
    .timeline td { white-space: nowrap; }
    .timeline .nested th { font-weight: 400; padding-left: 1.25rem; }
    .timeline .detail { display: block; color: var(--soft); font-weight: 400; font-size: .8125rem; }
    .timeline .course { width: 30%; min-width: 9rem; padding-top: .8125rem; }
    .bar { display: block; height: .5rem; min-width: 2px; border-radius: .25rem; background: var(--accent); max-width: 100%; }
    .nested .bar { opacity: .55; }
    .bar.failed { background: var(--bad); }
    @media (max-width: 40rem) {
      main, footer { padding-left: 1rem; padding-right: 1rem; }
      section { padding: 1.125rem; }
      h1 { font-size: 1.75rem; }
      .scroll table { min-width: 44rem; }
      .facts > div, .actions li { grid-template-columns: 1fr; }
    }
    @media print {
      :root {
        color-scheme: light; --page: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb; --accent: #123f72;
        --good: #0b4d2b; --good-bg: #fff; --bad: #8a1810; --bad-bg: #fff; --caution: #5c3900; --caution-bg: #fff; --neutral: #222; --neutral-bg: #fff;
      }
      @page { margin: 18mm 16mm; }
      html, body { font-size: 9.5pt; }
      main, footer { max-width: none; padding-left: 0; padding-right: 0; }
      main { padding-top: 0; }
      section { border: 0; padding: 0; margin: 0 0 2.5rem; }
      .badge, .proof { border: 1px solid currentColor; }
      .file, tr, .facts > div, .actions li, .callout, pre { break-inside: avoid; }
      .facts > div, .actions li { padding: .125rem 0; }
      th, td { padding-top: .375rem; padding-bottom: .375rem; overflow-wrap: anywhere; }
      h2, h3, h4 { break-after: avoid; }
      thead { display: table-header-group; }
      .bar { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
      .scroll { overflow: visible; }
    }
    </style>
    """
