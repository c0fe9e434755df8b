"""A card is read whole or refused in one line that names file, key, value and constraint."""

import json

import pytest
from factories import MODEL_CARD

from helpers.models import loading, model_card


@pytest.fixture
def written(tmp_path):
    """A function that writes a card with changes beside a file that stands for a model, and reads it."""
    model = tmp_path / "m.keras"
    model.write_bytes(b"any")

    def write(change=None, text=None):
        content = {**MODEL_CARD, "sha256": loading.file_digest(model), **(change or {})}
        (tmp_path / "m.json").write_text(json.dumps(content) if text is None else text, encoding="utf-8")
        return model_card.read_card(tmp_path / "m.json", model_card.ModelCard, model)

    return write


def test_a_good_card_is_read_as_it_is(written):
    card = written()
    unknown = dict.fromkeys(("scale", "prediction_sets", "reference"))  # in a card of an earlier version
    assert card.model_dump() == {**MODEL_CARD, "sha256": card.sha256, **unknown}


def test_a_card_without_a_positive_class_has_no_threshold(written):
    without = dict.fromkeys(
        ("positive", "threshold", "sensitivity_wanted", "sensitivity_expected", "sensitivity_assurance")
    )
    assert written(without).threshold is None


def test_a_card_of_an_earlier_version_is_refused_with_the_remedy(written):
    old = json.dumps({key: value for key, value in MODEL_CARD.items() if key != "model_type"})
    with pytest.raises(model_card.CardError, match=r"m\.json: lacks model_type; train the model again"):
        written(text=old)


NO_NUMBER = float("nan")
WRONG = [
    ({"threshold": NO_NUMBER}, "threshold is NaN: input should be"),
    ({"threshold": float("inf")}, "threshold is Infinity: input should be"),
    ({"threshold": 7}, "threshold is 7: input should be less than or equal to 1"),
    ({"threshold": -0.1}, r"threshold is -0\.1: input should be greater than or equal to 0"),
    ({"threshold": True}, "threshold is true: input should be a valid number"),
    ({"threshold": "0.5"}, r'threshold is "0\.5": input should be a valid number'),
    ({"threshold": None}, "positive, threshold and sensitivities must all be set, or all be null"),
    ({"positive": None}, "positive, threshold and sensitivities must all be set, or all be null"),
    ({"model_type": "svm"}, "model_type is \"svm\": input should be 'lda-backbone', 'features' or 'cnn'"),
    ({"size": 64.5}, r"size is 64\.5: input should be a valid integer"),
    ({"size": 10**6}, "size is 1000000: input should be less than or equal to 1024"),
    ({"size": True}, "size is true: input should be a valid integer"),
    ({"classes": ["ill"]}, r'classes is \["ill"\]: list should have at least 2 items'),
    ({"classes": ["ill", "ill"]}, "classes must differ, and none may be blank"),
    ({"classes": ["ill", " "]}, "classes must differ, and none may be blank"),
    ({"classes": ["ill", 3]}, r"classes\.1 is 3: input should be a valid string"),
    ({"positive": "sick"}, "positive is 'sick', which is not one of classes"),
    ({"input": {**MODEL_CARD["input"], "mean": [1, 2, NO_NUMBER]}}, r"input\.mean\.2 is NaN: input should be"),
    (
        {"input": {**MODEL_CARD["input"], "high": 1e9}},
        r"input\.high is 1000000000\.0: input should be less than or equal to",
    ),
    ({"input": {**MODEL_CARD["input"], "dtype": "float32"}}, r'input\.dtype is "float32": input should be \'uint8\''),
    ({"input": None}, "input is null: input should be a valid dict"),
    (
        {"scale": {"height": [9] * 3, "width": [9] * 3, "nucleus_share": [0.2, 0.1, 0.3], "n_measured": 20}},
        r"scale is .*: nucleus_share must be three percentiles in ascending order, the second above 0",
    ),
    ({"network": ""}, 'network is "": string should have at least 1 character'),
    ({"purpose": None}, "purpose is null: input should be a valid string"),
    ({"sha256": "abc"}, 'sha256 is "abc": string should match pattern'),
    ({"sha256": "f" * 64}, r"is of another model \(SHA-256 f{12}…, and m\.keras has [0-9a-f]{12}…\); put the card of"),
    ({"treshold": 0.5}, r"treshold is 0\.5: extra inputs are not permitted"),
    ({"threshold": 7, "size": 0}, r"threshold is 7: .* \(and 1 more\)"),
]


@pytest.mark.parametrize(("change", "said"), WRONG, ids=[said[:40] for _, said in WRONG])
def test_a_value_that_a_card_may_not_have_is_named(written, change, said):
    with pytest.raises(model_card.CardError, match=rf"m\.json: {said}") as refused:
        written(change)
    assert "\n" not in str(refused.value)
    assert "the card of this model" in str(refused.value) or "copy its own card here" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not the card of a model, which is JSON"),
        ("[" * 10**5, "not the card of a model, which is JSON"),
        ("[]", "input should be a valid dict"),
        ("{}", r"lacks purpose \(and \d+ more\); train the model again"),
        (" " * (2**20 + 1), "more than 1 MiB, which no card has"),
    ],
)
def test_what_is_no_card_is_refused(written, text, said):
    with pytest.raises(model_card.CardError, match=said):
        written(text=text)
