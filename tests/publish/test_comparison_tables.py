"""One table in three forms."""

import json

from lesionary.publish.comparison.tables import Column, Table, latex_escaped

ROWS = [
    {"pair": "A_1 vs B", "dice_mean": 0.90349, "dice_sd": 0.046, "n": 40, "who": ["a", "b"]},
    {"pair": "A vs C", "dice_mean": None, "n": 0, "reason": {"dice_mean": "no tumour"}},
]
TABLE = Table(
    "agreement",
    "Domain: 100 % of the image",
    [
        Column("pair", "pair"),
        Column("dice_mean", "Dice", 3, "dice_sd"),
        Column("n", "n"),
        Column("who", "who"),
    ],
    ROWS,
)


def test_csv_keeps_every_digit_and_field():
    text = dict(TABLE.files())["agreement.csv"]
    assert text.splitlines() == [
        "pair,dice_mean,dice_sd,n,who,reason",
        "A_1 vs B,0.90349,0.046,40,a;b,",
        "A vs C,,,0,,dice_mean: no tumour",
    ]


def test_json_holds_the_rows():
    assert json.loads(dict(TABLE.files())["agreement.json"]) == ROWS


def test_latex_rounds_and_shows_what_is_undefined():
    text = TABLE.latex()
    assert r"A\_1 vs B & 0.903 $\pm$ 0.046 & 40 & a, b \\" in text
    assert r"A vs C & -- & 0 & -- \\" in text
    assert r"\caption{Domain: 100 \% of the image}" in text
    assert r"\begin{tabular}{lrrl}" in text


def test_an_empty_table_still_has_its_header():
    empty = Table("none", "Nothing", TABLE.columns, [])
    assert dict(empty.files())["none.csv"] == "pair,dice_mean,n,who\n"
    assert r"pair & Dice & n & who \\" in empty.latex()


def test_negative_numbers_have_a_real_minus_and_minus_zero_has_none():
    column = Column("x", "x", 2)
    assert column.text({"x": -1.5}) == "−1.50"
    assert column.text({"x": -0.001}) == "0.00"


def test_every_special_character_is_escaped():
    assert latex_escaped(r"a\b{c}_$&%#~^ ± κ") == (
        r"a\textbackslash{}b\{c\}\_\$\&\%\#\textasciitilde{}\textasciicircum{} $\pm$ $\kappa$"
    )
