"""Presigned URLs lead to the host that the page's policy names."""

from __future__ import annotations

import pytest
from longplay.storage.files import s3_client


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "ap-southeast-2"])
def test_a_url_leads_to_the_bucket_in_its_region(region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As CloudFormation's `RegionalDomainName` has it; boto3's usual host for us-east-1 is another one."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    client = s3_client()
    host = f"https://bucket.s3.{region}.amazonaws.com/"
    url = client.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": "jobs/a"}, ExpiresIn=60)
    assert url.startswith(f"{host}jobs/a?")
    assert client.generate_presigned_post("bucket", "uploads/a")["url"] == host
