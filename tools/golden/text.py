"""Stems by the Snowball project's own English stemmer, for src/text/english/porter2.test.ts.

Words are put together from beginnings and endings so that every rule meets what it applies to and what it does not.
Writes test/golden/text/porter2.json: word and stem, separated by a space. Ran with Python 3.11, snowballstemmer 3.1.1:
python tools/golden/text.py
"""

import json
from importlib.metadata import version
from pathlib import Path

import snowballstemmer

BEGINNINGS = (
    "a be ob add egg err hop hopp rat heat yell yy sky skyy gener univers organ commun inter past arsen emerg later "
    "trad log geolog sens ration oper form relat electr act critic hope use quick bright cr ask fill roll proc succ exc "
    "inn even out earr dy ly vy hy bay"
).split()
ENDINGS = (
    "' 's 's' s ss us sses ies ied eed eedly ed edly ing ingly y ly li al ally alli ation ator ational tional izer ization "
    "alism ality fulness ousness iveness iviti bility bli ogist ogi fully lessly ative icate icity ical ful ness ance ence "
    "er ic able ible ant ement ment ent ism ate iti ous ive ize ion e l ll le aning yes"
).split()
WHOLE = (
    "skis skies dying lying tying vying idly gently ugly early only singly sky news howe atlas cosmos bias andes inning "
    "outing canning herring earring evening proceed exceed succeed innings exceeds 'quoted' it's dogs' y yes youth say "
    "enjoy ayyy yyy international interest interesting organization organs university universe pasted pasting paste "
    "communication general generous arsenal emergency lateral naïve café"
).split()

words = sorted({*WHOLE, *(b + e for i, b in enumerate(BEGINNINGS) for j, e in enumerate(ENDINGS) if (i + j) % 2 == 0)})
stemmer = snowballstemmer.stemmer("english")
out = {
    "snowballstemmer": version("snowballstemmer"),
    "stems": [f"{word} {stemmer.stemWord(word)}" for word in words],
}
path = Path(__file__).parents[2] / "test/golden/text/porter2.json"
path.write_text(json.dumps(out, ensure_ascii=False, separators=(",", ":")) + "\n")
print(len(words), path)
