"""What a new recogniser takes over from the one it starts from."""

import torch
from torch import nn

from lowres.backbones.native import KnownLabels
from lowres.stages.finetune_network import take_over_labels
from lowres.text.vocabulary import BLANK, WORD_BOUNDARY, Vocabulary


def test_labels_are_taken_over_by_what_they_stand_for_and_others_stay_as_they_were() -> None:
    vocabulary = Vocabulary("characters", (BLANK, WORD_BOUNDARY, "a", "b", "ω"))
    tokens = (BLANK, WORD_BOUNDARY, "b", "c", "a")
    known = KnownLabels(tokens, torch.arange(10.0).view(5, 2).bfloat16(), torch.arange(5.0).bfloat16())
    head = nn.Linear(2, 5)
    untouched = head.weight[4].clone(), head.bias[4].clone()
    assert take_over_labels(head, vocabulary, known) == 4
    assert head.weight[:4].tolist() == [[0, 1], [2, 3], [8, 9], [4, 5]]
    assert head.bias[:4].tolist() == [0, 1, 4, 2]
    assert torch.equal(head.weight[4], untouched[0])
    assert torch.equal(head.bias[4], untouched[1])


def test_nothing_in_common_changes_nothing() -> None:
    head = nn.Linear(2, 3)
    before = head.weight.clone()
    vocabulary = Vocabulary("characters", (BLANK, WORD_BOUNDARY, "a"))
    assert take_over_labels(head, vocabulary, KnownLabels(("▁x",), torch.zeros(1, 2), torch.zeros(1))) == 0
    assert torch.equal(head.weight, before)
