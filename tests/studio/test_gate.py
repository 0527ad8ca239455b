"""Nobody comes in without the token, from another page or by another name, and every answer is locked up."""

from urllib.parse import quote

from visiting import Visitor

from lowres.studio.desk import key_of
from lowres.studio.server import Studio

KEY = key_of("train/ana_00")


def test_nothing_is_shown_without_the_token(studio: Studio) -> None:
    stranger = Visitor(studio.port)
    places = ("/", "/corpus", f"/corpus/{KEY}", f"/corpus/{KEY}/audio.wav", "/transcribe", "/style.css", "/nothing")
    for target in places:
        answer = stranger.get(target)
        assert answer.status == 403
        assert "mbote" not in answer.text.lower()
    assert stranger.get("/pages/0/reports/data/report.html").status == 403


def test_a_wrong_token_is_refused(studio: Studio) -> None:
    stranger = Visitor(studio.port)
    for token in ("", "a", "%ff", "%F0%9F%98%80", "x" * 5000):
        assert stranger.get(f"/?token={token}").status == 403
    assert stranger.cookies == {}


def test_the_token_becomes_a_cookie_that_scripts_and_other_sites_do_not_get(studio: Studio) -> None:
    answer = Visitor(studio.port).get(f"/?token={studio.keys.token}")
    assert (answer.status, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert studio.keys.token not in cookie


def test_tokens_have_32_random_bytes(studio: Studio) -> None:
    assert len(studio.keys.token) == len(studio.keys.first_token) == 43
    assert studio.keys.token != studio.keys.first_token


def test_the_address_that_starts_the_browser_opens_once(studio: Studio) -> None:
    target = studio.address.once.partition(str(studio.port))[2]
    assert Visitor(studio.port).get(target).status == 303
    assert Visitor(studio.port).get(target).status == 403


def test_a_link_from_another_page_still_leads_in(studio: Studio) -> None:
    visitor = Visitor(studio.port)
    answer = visitor.get(f"/?token={studio.keys.token}", sec_fetch_site="cross-site")
    assert answer.status == 200
    assert 'content="0; url=/"' in answer.text
    assert visitor.get("/").status == 200


def test_another_name_for_this_machine_is_refused(studio: Studio, visitor: Visitor) -> None:
    for host in ("evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "0.0.0.0:{port}"):
        assert visitor.get("/", host=host.format(port=studio.port)).status == 421


def test_localhost_is_a_name_for_this_machine(studio: Studio, visitor: Visitor) -> None:
    assert visitor.get("/", host=f"localhost:{studio.port}").status == 200


ELSEWHERE = [
    {"sec_fetch_site": "cross-site"},
    {"sec_fetch_site": "same-site"},
    {"sec_fetch_site": "none"},
    {"sec_fetch_site": "cross-site", "origin": "null"},
    {"sec_fetch_site": "", "origin": "http://evil.example"},
    {"sec_fetch_site": "", "origin": "null"},
    {"sec_fetch_site": "", "origin": "http://127.0.0.1:1"},
    {"sec_fetch_site": "same-origin", "origin": "http://evil.example"},
    {"sec_fetch_site": ""},
]


def test_what_changes_something_must_come_from_our_own_pages(studio: Studio, visitor: Visitor) -> None:
    before = visitor.get(f"/corpus/{KEY}").text
    for headers in ELSEWHERE:
        for target in (f"/corpus/{KEY}", "/transcribe", "/transcribe/0/delete"):
            assert visitor.post(target, {"raw_text": "changed"}, **headers).status == 403, headers
    assert visitor.get(f"/corpus/{KEY}").text == before


def test_an_older_browser_that_names_our_origin_is_let_do_something(studio: Studio, visitor: Visitor) -> None:
    origin = f"http://127.0.0.1:{studio.port}"
    checked = visitor.post(f"/corpus/{KEY}", {"action": "check", "raw_text": "x"}, sec_fetch_site="", origin=origin)
    assert checked.status == 200


def test_every_answer_is_locked_up(visitor: Visitor) -> None:
    stranger = Visitor(visitor.port)
    for answer in (visitor.get("/"), visitor.get("/corpus"), visitor.get("/nothing"), stranger.get("/")):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"


def test_pages_name_nothing_outside_this_machine(visitor: Visitor) -> None:
    for target in ("/", "/corpus", f"/corpus/{KEY}", "/transcribe", "/style.css", "/studio.js"):
        text = visitor.get(target).text
        assert "http://" not in text
        assert "https://" not in text
        assert "//cdn" not in text


def test_a_get_changes_nothing(visitor: Visitor) -> None:
    assert visitor.get(f"/corpus/{KEY}?action=save&raw_text={quote('other')}").status == 200
    assert visitor.get("/transcribe/0/delete").status in (404, 405)
    assert "other" not in visitor.get(f"/corpus/{KEY}").text
