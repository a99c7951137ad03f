"""Puts the product together from a function's environment, once; the entry points take their use cases from here."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from functools import cache, cached_property
from typing import TYPE_CHECKING

import boto3
from longplay.doctor.reports import Reports
from longplay.domain.batches import LONGEST_LINE, Batch
from longplay.domain.catalogue import Catalogue
from longplay.domain.hooks import Hook
from longplay.domain.models_file import load_catalogue
from longplay.domain.settings import Settings, parse_settings
from longplay.engine.admission import Admission
from longplay.engine.batches import BatchSteps
from longplay.engine.callbacks import Callbacks
from longplay.engine.calls import Calls
from longplay.engine.failures import Failures
from longplay.engine.followers import Followers
from longplay.engine.forecast import Forecast
from longplay.engine.ledger import Ledger
from longplay.engine.new_jobs import NewJobs
from longplay.engine.outbox import OutboxSweeper
from longplay.engine.recovery import Recovery
from longplay.engine.routing import Routing
from longplay.engine.sweeper import Sweeper
from longplay.engine.worker import Worker
from longplay.http.holding import Holding
from longplay.http.listing import Listing
from longplay.http.service import Service
from longplay.http.uploads import Uploads
from longplay.http.usage import UsageView
from longplay.http.webhooks.log import HookLog
from longplay.providers import PROVIDERS
from longplay.providers.loading import AdapterContext, Adapters
from longplay.storage.backlog import Backlog
from longplay.storage.batches import Batches, BatchFiles
from longplay.storage.budgets import Budgets
from longplay.storage.cache import ResultCache
from longplay.storage.circuits import Circuits
from longplay.storage.ends import Ends
from longplay.storage.files import ResultBucket, s3_client
from longplay.storage.held_answers import HeldAnswers
from longplay.storage.hooks import Hooks
from longplay.storage.jobs import JobTable
from longplay.storage.limiter import Limiter, LinesInView
from longplay.storage.outbox import OutboxQueue
from longplay.storage.patience import Patience
from longplay.storage.queue import JobQueue
from longplay.storage.switch import Switch
from longplay.storage.table import Table
from longplay.storage.timings import Timings
from longplay.storage.tokens import ProviderTokens
from longplay.storage.usages import Usages
from longplay.storage.webhook_secrets import WebhookSecrets

if TYPE_CHECKING:
    from longplay.doctor.round import Doctor
    from longplay.http.batches.service import BatchService
    from longplay.http.batches.view import BatchView
    from longplay.http.webhooks.deliverer import Deliverer
    from longplay.http.webhooks.sending import Sender


class Dependencies:
    """Each one is made when it is first asked for, so that a function pays only for its own."""

    @cached_property
    def service(self) -> Service:
        """The use cases behind the HTTP functions."""
        return Service(
            jobs=self._jobs,
            ledger=self._ledger,
            bucket=self._bucket,
            uploads=Uploads(bucket=self._bucket),
            switch=Switch(self._table),
            admission=self._admission,
            forecast=self._forecast,
            new_jobs=self._new_jobs,
            catalogue=self._catalogue,
            settings=self._settings,
        )

    @cached_property
    def listing(self) -> Listing:
        """The use case of GET /jobs."""
        return Listing(jobs=self._jobs)

    @cached_property
    def usage(self) -> UsageView:
        """The use case of GET /usage."""
        return UsageView(
            usages=self._usages,
            budgets=self._budgets,
            limiter=self._limiter,
            lines=LinesInView(self._limiter),
            settings=self._settings,
        )

    @cached_property
    def holding(self) -> Holding:
        """The use case of callers that wait."""
        return Holding(
            service=self.service,
            answers=HeldAnswers(self._table, self._patience, self._settings.held_answers),
        )

    @cached_property
    def worker(self) -> Worker:
        """The generator's use case."""
        _keep_headers_out_of_the_log()
        return Worker(
            ledger=self._ledger,
            recovery=self._recovery,
            failures=self._failures,
            followers=self._followers,
            calls=self._calls,
            limiter=self._limiter,
            patience=self._patience,
            lease_margin=self._settings.lease_margin,
        )

    @cached_property
    def batch_steps(self) -> BatchSteps:
        """The generator's use case for batches."""
        return BatchSteps(
            batches=self._batches,
            files=self._batch_files,
            queue=self._batch_queue,
            new_jobs=self._new_jobs,
            admission=replace(self._admission, horizon=self._patient_horizon),
            ledger=self._ledger,
            bucket=self._bucket,
            switch=Switch(self._table),
            patience=self._patience,
            resend_after=self._settings.resend_after,
        )

    @cached_property
    def batch_service(self) -> BatchService:
        """The use cases of callers with batches."""
        from longplay.http.batches.service import BatchService  # no other function needs it

        return BatchService(
            service=self.service,
            batches=self._batches,
            files=self._batch_files,
            bucket=self._bucket,
            queue=self._batch_queue,
            new_jobs=self._new_jobs,
            budgets=self._budgets,
            resend_after=self._settings.resend_after,
        )

    @cached_property
    def batch_view(self) -> BatchView:
        """The documents about batches."""
        from longplay.http.batches.view import BatchView

        lines = LinesInView(self._limiter)
        return BatchView(service=self.batch_service, limiter=self._limiter, lines=lines, settings=self._settings)

    @cached_property
    def batch_sweeper(self) -> OutboxSweeper[Batch]:
        """The use case of the schedule for batches."""
        resend_after = self._settings.resend_after
        return OutboxSweeper(entries=self._batches, queue=self._batch_queue, resend_after=resend_after)

    @cached_property
    def sweeper(self) -> Sweeper:
        """The use case of the schedule."""
        resend_after = self._settings.resend_after
        return Sweeper(jobs=self._jobs, ledger=self._ledger, recovery=self._recovery, resend_after=resend_after)

    @cached_property
    def hook_sweeper(self) -> OutboxSweeper[Hook]:
        """The use case of the schedule for what is still to be told."""
        return OutboxSweeper(entries=self._hooks, queue=self._hook_queue, resend_after=self._settings.resend_after)

    @cached_property
    def hook_log(self) -> HookLog:
        """The use case of callers that ask what their webhooks were told."""
        return HookLog(hooks=self._hooks, queue=self._hook_queue, resend_after=self._settings.resend_after)

    @cached_property
    def deliverer(self) -> Deliverer:
        """The use case of the queue of hooks."""
        from longplay.http.webhooks.deliverer import Deliverer  # no other function loads an HTTP client for it
        from longplay.storage.bus import Bus

        return Deliverer(
            hooks=self._hooks,
            jobs=self._jobs,
            queue=self._hook_queue,
            secrets=self.webhook_secrets,
            sender=self.sender,
            bus=Bus(boto3.client("events"), os.environ["EVENT_SOURCE"]),
            catalogue=self._catalogue,
            resend_after=self._settings.resend_after,
            api_url=os.environ.get("API_URL"),
        )

    @cached_property
    def sender(self) -> Sender:
        """Sends webhooks."""
        from longplay.http.webhooks.sending import Sender

        _keep_headers_out_of_the_log()
        return Sender(private=self._settings.private_webhooks)

    @cached_property
    def webhook_secrets(self) -> WebhookSecrets:
        """The secrets that sign webhooks."""
        return WebhookSecrets(self._table, boto3.client("secretsmanager"), os.environ["WEBHOOK_ROOT_ID"])

    @cached_property
    def private_webhooks(self) -> bool:
        """Whether webhooks may go to this machine and its network."""
        return self._settings.private_webhooks

    @cached_property
    def callbacks(self) -> Callbacks:
        """The use case of callbacks and notices."""
        return Callbacks(jobs=self._jobs, ledger=self._ledger, providers=self._providers, catalogue=self._catalogue)

    @cached_property
    def doctor(self) -> Doctor:
        """The checkups, for the hourly schedule and the operator."""
        from longplay.doctor.round import Doctor  # the HTTP functions start without the checkups' modules

        _keep_headers_out_of_the_log()
        return Doctor(
            catalogue=self._catalogue,
            settings=self._settings,
            reports=self.reports,
            circuits=self._circuits,
            read_token=self._tokens.get,
            forget_tokens=self._tokens.forget,
        )

    @cached_property
    def reports(self) -> Reports:
        """The reports that `GET /health` reads."""
        return Reports(self._table)

    @cached_property
    def _calls(self) -> Calls:
        return Calls(
            providers=self._providers,
            bucket=self._bucket,
            tokens=self._tokens,
            catalogue=self._catalogue,
            settings=self._settings,
            callback_base=os.environ.get("CALLBACK_BASE_URL"),
        )

    @cached_property
    def _providers(self) -> Adapters:
        context = AdapterContext(
            read_token=self._tokens.get,
            forget_tokens=self._tokens.forget,
            open_s3=s3_client,
            bucket_name=os.environ["BUCKET_NAME"],
            bill_to=self._settings.bill_to,
        )
        return Adapters(PROVIDERS, context)

    @cached_property
    def _tokens(self) -> ProviderTokens:
        return ProviderTokens(boto3.client("secretsmanager"), os.environ["PROVIDER_SECRET_ID"])

    @cached_property
    def _ledger(self) -> Ledger:
        return Ledger(
            jobs=self._jobs,
            queue=self._queue,
            hook_queue=self._hook_queue,
            ends=Ends(self._table, self._limiter, bus=self._settings.events),
            limiter=self._limiter,
            bucket=self._bucket,
            patience=self._patience,
            resend_after=self._settings.resend_after,
        )

    @cached_property
    def _recovery(self) -> Recovery:
        return Recovery(ledger=self._ledger)

    @cached_property
    def _failures(self) -> Failures:
        return Failures(
            ledger=self._ledger,
            limiter=self._limiter,
            routing=self._routing,
            circuits=self._circuits,
            patience=self._patience,
        )

    @cached_property
    def _followers(self) -> Followers:
        return Followers(ledger=self._ledger, bucket=self._bucket, cache=self._cache, admission=self._admission)

    @cached_property
    def _new_jobs(self) -> NewJobs:
        return NewJobs(routing=self._routing, cache=self._cache, catalogue=self._catalogue, settings=self._settings)

    @cached_property
    def _routing(self) -> Routing:
        return Routing(
            catalogue=self._catalogue, settings=self._settings, circuits=self._circuits, timings=self._timings
        )

    @cached_property
    def _circuits(self) -> Circuits:
        return Circuits(self._table)

    @cached_property
    def _admission(self) -> Admission:
        return Admission(
            ledger=self._ledger,
            limiter=self._limiter,
            budgets=self._budgets,
            cache=self._cache,
            bucket=self._bucket,
            forecast=self._forecast,
            horizon=self._settings.horizon,
        )

    @cached_property
    def _forecast(self) -> Forecast:
        workers = {"calls": self._settings.concurrent_calls, "steps": self._settings.concurrent_steps}
        return Forecast(
            backlog=Backlog(boto3.client("sqs"), self._queue_urls, self._patience),
            limiter=self._limiter,
            lines=LinesInView(self._limiter),
            workers=workers,
        )

    @cached_property
    def _jobs(self) -> JobTable:
        return JobTable(self._table)

    @cached_property
    def _limiter(self) -> Limiter:
        return Limiter(self._table, self._settings.limits, tolerance=self._settings.start_tolerance)

    @cached_property
    def _budgets(self) -> Budgets:
        return Budgets(self._table, owner=self._settings.owner_caps, deployment=self._settings.deployment_caps)

    @cached_property
    def _usages(self) -> Usages:
        return Usages(self._table)

    @cached_property
    def _cache(self) -> ResultCache:
        return ResultCache(self._table, self._settings.cache)

    @cached_property
    def _timings(self) -> Timings:
        return Timings(self._table)

    @cached_property
    def _patience(self) -> Patience:
        return Patience()

    @cached_property
    def _table(self) -> Table:
        return Table(boto3.client("dynamodb"), os.environ["TABLE_NAME"], self._patience)

    @cached_property
    def _queue(self) -> JobQueue:
        return JobQueue(boto3.client("sqs"), self._queue_urls, self._patience)

    @cached_property
    def _hooks(self) -> Hooks:
        return Hooks(self._table)

    @cached_property
    def _hook_queue(self) -> OutboxQueue:
        url = os.environ["HOOKS_QUEUE_URL"]
        return OutboxQueue(client=boto3.client("sqs"), url=url, patience=self._patience, kind="hook")

    @cached_property
    def _batches(self) -> Batches:
        return Batches(self._table)

    @cached_property
    def _batch_files(self) -> BatchFiles:
        return BatchFiles(s3_client(), os.environ["BUCKET_NAME"], self._patience)

    @cached_property
    def _batch_queue(self) -> OutboxQueue:
        url = self._queue_urls["steps"]
        return OutboxQueue(client=boto3.client("sqs"), url=url, patience=self._patience, kind="batch")

    @cached_property
    def _patient_horizon(self) -> float:
        """A batch keeps the line short, so that others come in between."""
        horizon = self._settings.horizon
        return LONGEST_LINE if horizon is None else min(LONGEST_LINE, horizon)

    @cached_property
    def _queue_urls(self) -> dict[str, str]:
        return {"calls": os.environ["CALLS_QUEUE_URL"], "steps": os.environ["STEPS_QUEUE_URL"]}

    @cached_property
    def _bucket(self) -> ResultBucket:
        return ResultBucket(s3_client(), os.environ["BUCKET_NAME"], self._patience)

    @cached_property
    def _catalogue(self) -> Catalogue:
        return load_catalogue(PROVIDERS, servers=self._settings.servers, commercial_only=self._settings.commercial_only)

    @cached_property
    def _settings(self) -> Settings:
        return parse_settings(os.environ["SETTINGS"])


@cache
def dependencies() -> Dependencies:
    """This function's dependencies."""
    return Dependencies()


def _keep_headers_out_of_the_log() -> None:
    """urllib3 warns of malformed headers by quoting them, and a server may have put our token there."""
    logging.getLogger("urllib3").setLevel(logging.ERROR)
