"""What passes between us and any provider with an API of its own: the order, the token, and what a callback may say."""

import pytest
from longplay.domain.errors import Charged, FailureKind, ProviderError

from tests.providers.own_apis.table import each


@pytest.fixture
def refusal(submit):
    def make(**fields):
        with pytest.raises(ProviderError) as caught:
            submit(**fields)
        return caught.value

    return make


class TestTheOrder:
    @pytest.mark.parametrize("status", [200, 201, 202])
    def test_is_taken_with_any_success(self, server, submit, own, status):
        server.says(status, own.taken)
        assert submit().ref == own.id

    def test_in_an_unknown_style_is_not_sent(self, server, refusal, own):
        refused = refusal(style="toolkit")
        assert (refused.kind, refused.charged) == (FailureKind.NOT_SERVED, Charged.NO)
        assert f": {own.styles}." in refused.message
        assert server.requests == []


class TestTheToken:
    def test_goes_to_a_stand_in_on_this_machine(self, server, submit, own):
        server.says(200, own.taken)
        submit()
        assert server.requests[0].headers["authorization"] == f"{own.scheme} {own.token}"

    def test_need_not_be_stored_for_a_stand_in(self, server, submit, own, tokens):
        tokens.clear()
        server.says(200, own.taken)
        submit()
        assert "authorization" not in server.requests[0].headers

    @pytest.mark.parametrize("url", ["https://{}", "https://{}:443/"])
    def test_that_is_missing_is_said_before_anything_is_sent(self, refusal, own, tokens, url):
        tokens.clear()
        refused = refusal(url=url.format(own.host.replace("api", "API").replace("queue", "QUEUE")))
        assert (refused.kind, refused.charged) == (FailureKind.NO_TOKEN, Charged.NO)
        assert refused.message.startswith("no token stored: ")

    @pytest.mark.parametrize("host", ["localhost", "{}.localhost"])
    def test_is_not_even_read_for_anybody_else(self, server, own, tmp_path, host):
        def read(_: str) -> str:
            raise AssertionError("the token was read")

        server.reads = False  # it could not make sense of TLS
        provider = own.adapter(read, forget_tokens=lambda: None)
        with pytest.raises(ProviderError):
            provider.submit(own.call("music", f"https://{host.format(own.host)}:{server.port}", tmp_path, timeout=0.3))

    def test_is_struck_out_wherever_a_server_echoes_it(self, server, refusal, own):
        server.says(400, f'{{"detail": "bad {own.token}"}}'.encode(), {own.request_id: own.token})
        refused = refusal()
        assert not any(own.token in text for text in (refused.message, refused.request_id))


class TestACallback:
    @pytest.mark.parametrize(("own", "body"), each(lambda own: [(body,) for body in own.forged]))
    def test_that_is_forged_or_too_large_names_nothing(self, provider, body):
        assert provider.reference_in(body) is None
