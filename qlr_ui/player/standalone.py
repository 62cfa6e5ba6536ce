"""One HTML file with the player and a lesson in it: the lecturer's export, which works offline from the disk."""

import base64
import html

from qlr_ui.player import bundle

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --st-background-color: #ffffff; --st-text-color: #1b2430; }}
@media (prefers-color-scheme: dark) {{ :root {{ --st-background-color: #0f141a; --st-text-color: #eef2f6; }} }}
body {{ margin: 0; background: var(--st-background-color); }}
main {{ max-width: 1480px; margin: 0 auto; padding: 12px; }}
{css}
</style>
</head>
<body>
<main>
{skeleton}
</main>
<script type="module">
{script}
const bytes = Uint8Array.from(atob("{payload}"), (letter) => letter.charCodeAt(0));
mountPlayer({{ data: bytes, parentElement: document.querySelector("main") }});
</script>
</body>
</html>
"""


def standalone_html(payload: bytes, title: str) -> str:
    """A self-contained page that plays the lesson; what needs the server (start, fork, seed, link) is hidden."""
    return _PAGE.format(
        title=html.escape(title),
        css=bundle.read("player.css"),
        skeleton=bundle.read("player.html"),
        script=bundle.script().replace("export default ", ""),
        payload=base64.b64encode(payload).decode("ascii"),
    )
