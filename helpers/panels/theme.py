"""Colours and style of the pictures: JupyterLab's and VS Code's themes, light and dark, and colour-blind eyes.

Each colour has a contrast of 3 to 1 or more on white and on JupyterLab's dark background; they are the ones of Okabe
and Ito's palette ("Color Universal Design", 2008) for which that holds, and a grey. None of them carries a meaning
alone: each bar has its name or a letter, and running is told from waiting by height.
"""

from typing import Final

COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#767676")
WIDTH: Final = 800  # pixels that a timeline is thought to be wide; it stretches to what it has
HEIGHT: Final = 20  # pixels of a bar
GOOD: Final = COLOURS[2]
NOT_YET: Final = COLOURS[1]
INK: Final = "var(--jp-content-font-color1, var(--vscode-editor-foreground, currentColor))"
FAINT_INK: Final = "var(--jp-content-font-color2, var(--vscode-editor-foreground, currentColor))"
PAPER: Final = "var(--jp-layout-color0, var(--vscode-editor-background, white))"
LINE: Final = "var(--jp-border-color1, #8888)"
LETTERS: Final = "var(--jp-ui-font-family, sans-serif)"

# What is drawn needs these wherever it stands, the rest needs those below too.
_DRAWN: Final = f"""
.pc-picture {{ margin: 4px 8px; max-width: 1000px; color: {INK};
  font: 13px/1.4 {LETTERS}; }}
.pc-picture svg {{ display: block; width: 100%; overflow: visible; }}
.pc-picture text {{ fill: {INK}; font: 12px {LETTERS}; }}
.pc-picture text.in {{ paint-order: stroke; stroke: {PAPER}; stroke-width: 3px; stroke-linejoin: round; }}
.pc-picture text.faint {{ fill: {FAINT_INK}; font-size: 11px; }}
"""
_AROUND: Final = f"""\
.pc-picture ul {{ list-style: none; margin: 2px 0 !important; padding: 0 !important;
  display: flex; flex-wrap: wrap; gap: 2px 16px; }}
.pc-picture .pc-live {{ display: block !important; }}
.pc-picture .pc-stored {{ display: none; }}
.pc-picture pre {{ white-space: pre-wrap; word-break: normal; overflow-wrap: anywhere;
  font-size: 12px; margin: 4px 0; }}
.pc-picture summary {{ cursor: pointer; color: {INK}; }}
"""
DRAWN_STYLE: Final = f"<style>{_DRAWN}</style>"
STYLE: Final = f"<style>{_DRAWN}{_AROUND}</style>"

# Apart from the other, so that pictures without a graph, which are stored in notebooks, stay as they are.
GRAPH_STYLE: Final = f"""<style>
.pc-picture .pc-worker rect {{ fill: {PAPER}; fill: color-mix(in srgb, {COLOURS[0]} 17%, {PAPER});
  stroke: {COLOURS[0]}; stroke-width: 1.5; }}
.pc-picture .pc-ring {{ fill: {NOT_YET}10; }}
.pc-picture .pc-lock > path {{ fill: {PAPER}; stroke: {INK}; stroke-width: 1.3; }}
.pc-picture .pc-stuck rect, .pc-picture .pc-stuck > path {{ stroke-width: 2.5; }}
.pc-picture .pc-gone rect, .pc-picture .pc-open > path {{ stroke-dasharray: 4 3; }}
.pc-picture .pc-gone rect {{ fill: {PAPER}; stroke: {COLOURS[4]}; }}
.pc-picture .pc-lock .pc-padlock {{ fill: {INK}; }}
.pc-picture .pc-lock .pc-shackle {{ fill: none; stroke: {INK}; stroke-width: 1.8; stroke-dasharray: none; }}
.pc-picture text.pc-name {{ font-size: 13px; font-weight: 600; }}
.pc-picture .pc-holds path, .pc-picture .pc-waits path {{ fill: none; stroke: {FAINT_INK}; stroke-width: 1.6; }}
.pc-picture .pc-holds polygon, .pc-picture .pc-waits polygon {{ fill: {FAINT_INK}; }}
.pc-picture .pc-waits path {{ stroke-dasharray: 6 4; }}
.pc-picture .pc-circle path {{ stroke: {NOT_YET}; stroke-width: 7; }}
.pc-picture .pc-circle path.pc-inner {{ stroke: {PAPER}; stroke-width: 3; }}
.pc-picture .pc-circle polygon {{ fill: {NOT_YET}; }}
.pc-picture .pc-circle.pc-waits path {{ stroke-dasharray: 13 6; }}
.pc-picture text.pc-word {{ font-size: 22px; font-weight: 700; fill: {NOT_YET}; }}
.pc-picture .pc-timed .pc-circle path {{ stroke: {COLOURS[0]}; }}
.pc-picture .pc-timed .pc-circle path.pc-inner {{ stroke: {PAPER}; }}
.pc-picture .pc-timed .pc-circle polygon, .pc-picture .pc-timed text.pc-word {{ fill: {COLOURS[0]}; }}
.pc-picture .pc-timed .pc-ring {{ fill: {COLOURS[0]}10; }}
.pc-picture figcaption {{ margin: 4px 0; max-width: 60em; }}
</style>"""
