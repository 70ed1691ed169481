"""Colours and style of the pictures: JupyterLab's and VS Code's themes, light and dark, and colour-blind eyes.

Each colour has a contrast of 3 to 1 or more on white and on JupyterLab's dark background; they are the ones of Okabe
and Ito's palette ("Color Universal Design", 2008) for which that holds, and a grey. None of them carries a meaning
alone: each bar has its name or a letter, and running is told from waiting by height.
"""

from typing import Final

COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#767676")
GOOD: Final = COLOURS[2]
NOT_YET: Final = COLOURS[1]
INK: Final = "var(--jp-content-font-color1, var(--vscode-editor-foreground, currentColor))"
FAINT_INK: Final = "var(--jp-content-font-color2, var(--vscode-editor-foreground, currentColor))"
PAPER: Final = "var(--jp-layout-color0, var(--vscode-editor-background, white))"
LINE: Final = "var(--jp-border-color1, #8888)"

STYLE: Final = f"""<style>
.pc-picture {{ margin: 4px 8px; max-width: 1000px; color: {INK};
  font: 13px/1.4 var(--jp-ui-font-family, sans-serif); }}
.pc-picture svg {{ display: block; width: 100%; overflow: visible; }}
.pc-picture text {{ fill: {INK}; font: 12px var(--jp-ui-font-family, sans-serif); }}
.pc-picture text.in {{ paint-order: stroke; stroke: {PAPER}; stroke-width: 3px; stroke-linejoin: round; }}
.pc-picture text.faint {{ fill: {FAINT_INK}; font-size: 11px; }}
.pc-picture ul {{ list-style: none; margin: 2px 0 !important; padding: 0 !important;
  display: flex; flex-wrap: wrap; gap: 2px 16px; }}
.pc-picture .pc-live {{ display: block !important; }}
.pc-picture .pc-stored {{ display: none; }}
.pc-picture pre {{ white-space: pre-wrap; overflow-wrap: anywhere; font-size: 12px; margin: 4px 0; }}
.pc-picture summary {{ cursor: pointer; color: {INK}; }}
</style>"""
