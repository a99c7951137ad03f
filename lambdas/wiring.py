"""The parts, put together once from a function's environment; the entry points take theirs from here."""

from __future__ import annotations

import os
from functools import cache, cached_property

import boto3
from longplay.advance import Worker
from longplay.catalogue import Catalogue, load_catalogue
from longplay.job_queue import JobQueue
from longplay.job_table import JobTable
from longplay.outcomes import Outcomes
from longplay.providers import load_providers
from longplay.result_bucket import ResultBucket, s3_client
from longplay.service import Service
from longplay.settings import Settings, parse_settings
from longplay.sweep import Sweeper


class Parts:
    """Each part is made when it is first asked for, so that a function pays only for its own."""

    @cached_property
    def service(self) -> Service:
        """What the HTTP functions call."""
        return Service(
            jobs=self._jobs,
            queue=self._queue,
            bucket=self._bucket,
            catalogue=self._catalogue,
            settings=self._settings,
        )

    @cached_property
    def worker(self) -> Worker:
        """What the generator calls."""
        return Worker(
            jobs=self._jobs,
            queue=self._queue,
            bucket=self._bucket,
            outcomes=self._outcomes,
            providers=load_providers(boto3.client("secretsmanager"), os.environ["PROVIDER_SECRET_ID"]),
            catalogue=self._catalogue,
            settings=self._settings,
        )

    @cached_property
    def sweeper(self) -> Sweeper:
        """What the schedule calls."""
        return Sweeper(jobs=self._jobs, queue=self._queue, outcomes=self._outcomes, settings=self._settings)

    @cached_property
    def _jobs(self) -> JobTable:
        return JobTable(boto3.client("dynamodb"), os.environ["TABLE_NAME"])

    @cached_property
    def _queue(self) -> JobQueue:
        return JobQueue(boto3.client("sqs"), os.environ["CALLS_QUEUE_URL"])

    @cached_property
    def _bucket(self) -> ResultBucket:
        return ResultBucket(s3_client(), os.environ["BUCKET_NAME"])

    @cached_property
    def _outcomes(self) -> Outcomes:
        return Outcomes(jobs=self._jobs, bucket=self._bucket)

    @cached_property
    def _catalogue(self) -> Catalogue:
        return load_catalogue()

    @cached_property
    def _settings(self) -> Settings:
        return parse_settings(os.environ["SETTINGS"])


@cache
def dependencies() -> Parts:
    """This function's parts."""
    return Parts()
