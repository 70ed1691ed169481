"""Words that want to be more than words: what learners, libraries and file names may put where a name is expected.

Each is a string that some part of a panel, a record or a page could take for something else. Markup that is run sets
`window.hostile`, so that a browser can be asked.
"""

from typing import Final

RUNS: Final = "window.hostile=1"
"""What the markup among the strings runs if a page takes it for markup."""

LONG: Final = 100_000

MARKUP: Final = {
    "script": f"<script>{RUNS}</script>",
    "image": f"<img src=x onerror={RUNS}>",
    "ends a style": f"</style></svg></title></pre></textarea><script>{RUNS}</script>",
    "ends an attribute": f'"><b onmouseover="{RUNS}">bold</b>',
    "ends a quoted attribute": f"' onclick='{RUNS}' '",
    "entities": "&amp; &lt;b&gt; &#60;i&#62; & &nosuch; &#0;",
    "comment and data": "<!-- --> ]]> <![CDATA[ <?xml?> <!DOCTYPE a>",
    "address": f"javascript:{RUNS} data:text/html,<script>{RUNS}</script>",
    "mathematics and markdown": f"$\\alpha$ **bold** `code` [link](javascript:{RUNS})",
    "mermaid and template": "{{ constructor }} ${1} %%{init: {}}%% {0} %s %(a)s",
}

CONTROL: Final = {
    "nul": "a\0b",
    "escape": "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b[2J",
    "returns": "first\rsecond\r\nthird\x0b\x0cfourth",
    "c1": "\x7f \x80 \x85 \x9b31m \x9f",
    "every control": "".join(map(chr, [*range(32), *range(0x7F, 0xA0)])),
}

UNICODE: Final = {
    "override": "\u202eright to left",
    "isolate": "\u2066 \u2067 \u2068 open",
    "zero width": "a\u200bb\u200dc\ufeffd\u00ade",
    "separators": "line\u2028paragraph\u2029end",
    "lone surrogates": "high \ud800 low \udfff swapped \udc00\ud800",
    "no characters": "\ufffe \uffff \ufdd0 \U0001ffff",
    "emoji": "\U0001f98a \U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea",
    "combining": "e\u0301 " + "Z" + "\u0351\u0489\u0329" * 30,
    "scripts": "عربي עברית 日本語 ไทย",
}

SIZE: Final = {
    "empty": "",
    "a space": " ",
    "newlines": "\n\nfirst\n\n\nsecond\n",
    "many lines": "line\n" * 2_000,
    "long word": "x" * LONG,
    "long sentence": "word " * (LONG // 5),
    "long markup": f"<b onclick={RUNS}>" * (LONG // 25),
    "long controls": "\x1b[31m\0" * (LONG // 6),
    "long emoji": "\U0001f98a" * (LONG // 4),
}

HOSTILE: Final = MARKUP | CONTROL | UNICODE | SIZE
"""All of them, by what they are."""
