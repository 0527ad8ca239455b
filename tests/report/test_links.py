"""Pages that link to each other, whatever the names of their folders."""

from urllib.parse import unquote, urlsplit

import pytest

from lowres.report.writing import address_beside


@pytest.mark.parametrize(
    "name", ["plain-test", "a#1-test", "what?-dev", "100%-test", "two words-test", "mboshi-έ-test"]
)
def test_a_link_leads_to_the_folder_whatever_its_name(name: str) -> None:
    address = urlsplit(address_beside(name))
    assert (unquote(address.path), address.query, address.fragment) == (f"../{name}/report.html", "", "")
